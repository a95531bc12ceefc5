"""Trees and shrubs: drawn once as pictures with opacity, then bent a little by the wind."""

from dataclasses import dataclass

import cv2
import numpy as np

from safecity.virtual.scenes.camera import Camera
from safecity.virtual.scenes.conditions import Light
from safecity.virtual.scenes.lamps import Lamps
from safecity.virtual.scenes.pixels import F64, U8, U16, Bgr, fixed, u8
from safecity.virtual.scenes.plan import Tree

LEAVES: dict[str, tuple[Bgr, ...]] = {
    "plane": ((52, 96, 78), (60, 112, 92), (46, 86, 66)),
    "pine": ((58, 78, 56), (50, 70, 46)),
    "poplar": ((58, 112, 88), (70, 124, 96)),
    "shrub": ((54, 98, 72), (64, 108, 84)),
}
CROWNS: dict[str, tuple[float, float, float]] = {
    "plane": (0.36, 0.68, 0.34), "pine": (0.20, 0.58, 0.42), "poplar": (0.13, 0.56, 0.44), "shrub": (0.62, 0.5, 0.5),
}  # fmt: skip
"""Half width, middle and half height of the crown, as shares of the tree's height."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreePicture:
    """A finished tree: premultiplied BGRA, where it stands on the picture, how far, how it bends."""

    picture: U8
    left: int
    top: int
    depth_cm: int
    bend_px: float
    phase: float


def draw_tree(tree: Tree, *, camera: Camera, light: Light, lamps: Lamps) -> TreePicture | None:
    """The picture of one tree at its size; None where it is out of the picture or too small."""
    random = np.random.default_rng(tree.seed)
    pixels, depth = camera.project(np.array([[tree.x_m, tree.y_m, 0.0], [tree.x_m, tree.y_m, tree.height_m]]))
    if depth[0] < 5.0:
        return None
    tall = float(pixels[0, 1] - pixels[1, 1])
    half, middle, half_height = CROWNS[tree.kind]
    wide = 2.3 * half * tall
    left, top = pixels[0, 0] - wide / 2, pixels[1, 1] - 0.04 * tall
    if tall < 3 or left > 1280 or left + wide < 0 or tall > 900:
        return None
    fine = 2 if tall < 260 else 1
    size = (max(4, round(wide * fine)), max(4, round(tall * 1.06 * fine)))
    picture = np.zeros((size[1], size[0], 4), np.uint8)
    place = np.array([[tree.x_m, tree.y_m, tree.height_m * 0.55]])
    glow = np.minimum(0.32, 0.5 * lamps.light_at(place)[0])
    draw_trunk(picture, tall * fine, tree=tree, light=light)
    crown = (half * tall * fine, middle, half_height * tall * fine)
    draw_crown(picture, tree, random=random, crown=crown, lighting=(light, glow))
    small = u8(cv2.resize(picture, (max(2, size[0] // fine), max(2, size[1] // fine)), interpolation=cv2.INTER_AREA))
    faded = fade(small, float(depth[0]), light=light)
    return TreePicture(
        picture=faded, left=round(left), top=round(top), depth_cm=int(depth[0] * 100),
        bend_px=min(3.0, 0.012 * tall), phase=float(random.uniform(0, 6.28)),
    )  # fmt: skip


def fade(picture: U8, depth_m: float, *, light: Light) -> U8:
    """The picture seen through the air."""
    clear = float(np.exp(-light.fog_per_m * depth_m))
    result = picture.astype(np.float32)
    fog = np.array(light.fog, np.float32)
    result[..., :3] = result[..., :3] * clear + fog * (result[..., 3:] / 255) * (1 - clear)
    return u8(result)


def leaf_colours(tone: Bgr, levels: F64, *, jitter: F64, lighting: tuple[Light, F64]) -> list[list[float]]:
    """Colours (N, 4) of tufts: level 0 (underside) to 1 (towards sky and sun)."""
    light, glow = lighting
    level = levels[:, None]
    strength = np.array(light.sky) * (0.45 + 0.55 * level) + np.array(light.sun) * 0.9 * level**1.5
    shade = np.clip(np.array(tone) * jitter[:, None] * (strength + glow * (1 - 0.6 * level)) * 1.06, 0, 255)
    return np.column_stack([shade, np.full(len(shade), 255.0)]).tolist()


def draw_trunk(picture: U8, tall: float, *, tree: Tree, light: Light) -> None:
    """The stem, thinner towards the crown."""
    if tree.kind == "shrub":
        return
    rows, columns = picture.shape[:2]
    foot, neck = rows - 1, rows - tall * 0.55
    thick = max(1.0, tall * (0.026 if tree.kind == "plane" else 0.016))
    x = columns / 2
    shape = np.array([[x - thick, foot], [x + thick, foot], [x + thick * 0.6, neck], [x - thick * 0.6, neck]])
    tone = np.array((70, 90, 108)) * (np.array(light.sky) * 0.75 + np.array(light.sun) * 0.4)
    cv2.fillConvexPoly(picture, fixed(shape), (*(float(v) for v in tone), 255.0), cv2.LINE_AA, 4)
    lit_side = np.array([[x - thick, foot], [x - thick * 0.2, foot], [x, neck], [x - thick * 0.6, neck]])
    cv2.fillConvexPoly(picture, fixed(lit_side), (*(float(v) for v in tone * 1.3), 255.0), cv2.LINE_AA, 4)


def draw_crown(
    picture: U8,
    tree: Tree,
    *,
    random: np.random.Generator,
    crown: tuple[float, float, float],
    lighting: tuple[Light, F64],
) -> None:
    """Many small tufts, dark ones first and inside, light ones last and towards the sun."""
    half, middle, half_height = crown
    rows, columns = picture.shape[:2]
    centre_y = rows - (rows / 1.06) * middle
    side = 1.0 if lighting[0].sun_direction()[0] > 0 else -1.0
    lobes = random.uniform(-0.55, 0.55, (7, 2))
    tone = LEAVES[tree.kind][int(random.integers(len(LEAVES[tree.kind])))]
    tufts = round(float(np.clip(half * half_height / 26, 70, 380)))
    small = float(np.clip(7.5 / np.sqrt(tufts), 0.34, 0.8))
    level = np.repeat(np.arange(5) / 4, tufts)
    count = len(level)
    spots = lobes[random.integers(len(lobes), size=count)]
    spots = spots + random.normal(0, 0.24, (count, 2)) * (1.0 - 0.25 * level)[:, None]
    away = np.maximum(np.hypot(spots[:, 0], spots[:, 1]), 1e-6)
    spots *= np.minimum(1.0, (0.92 - 0.08 * level) / away)[:, None]
    narrow = 1.0 - 0.85 * np.maximum(0.0, 0.5 - spots[:, 1] / 2) if tree.kind == "pine" else np.ones(count)
    x = columns / 2 + (spots[:, 0] * narrow + 0.10 * side * level) * half
    y = centre_y + (spots[:, 1] - 0.12 * level) * half_height
    radius = np.maximum(0.8, random.uniform(0.13, 0.26, count) * small * half * (1.2 - 0.5 * level))
    shade = level * random.uniform(0.55, 1.0, count) * (0.75 + 0.125 * (1 - spots[:, 1]))
    colours = leaf_colours(tone, shade, jitter=random.uniform(0.80, 1.20, count), lighting=lighting)
    across = np.maximum(1, np.rint(radius * 16)).astype(int)
    down = np.maximum(1, np.rint(radius * 16 * random.uniform(0.5, 0.9, count))).astype(int)
    places = np.rint(np.column_stack([x, y]) * 16).astype(int).tolist()
    turns = random.uniform(0, 180, count).tolist()
    axes = np.column_stack([across, down]).tolist()
    for place, reach, turn, colour in zip(places, axes, turns, colours, strict=True):
        cv2.ellipse(picture, place, reach, turn, 0, 360, colour, -1, cv2.LINE_AA, 4)


def lay_tree(frame: U8, depth: U16, *, tree: TreePicture, bend: float) -> None:
    """Lay a tree over the frame, its crown pushed sideways by `bend` (-1..1), where nothing nearer stands."""
    height, width = tree.picture.shape[:2]
    shift = tree.bend_px * bend
    shear = np.array([[1.0, -shift / height, shift], [0.0, 1.0, 0.0]], np.float32)
    bent = u8(cv2.warpAffine(tree.picture, shear, (width, height), flags=cv2.INTER_LINEAR))
    x0, y0 = max(0, tree.left), max(0, tree.top)
    x1, y1 = min(frame.shape[1], tree.left + width), min(frame.shape[0], tree.top + height)
    if x0 >= x1 or y0 >= y1:
        return
    part = bent[y0 - tree.top : y1 - tree.top, x0 - tree.left : x1 - tree.left].astype(np.float32)
    part *= (depth[y0:y1, x0:x1] > tree.depth_cm)[..., None]
    target = frame[y0:y1, x0:x1]
    target[:] = u8(target * (1 - part[..., 3:] / 255) + part[..., :3])


def mark_depth(depth: U16, tree: TreePicture) -> None:
    """Note where the tree stands, so that what moves behind it is hidden."""
    height, width = tree.picture.shape[:2]
    x0, y0 = max(0, tree.left), max(0, tree.top)
    x1, y1 = min(depth.shape[1], tree.left + width), min(depth.shape[0], tree.top + height)
    if x0 >= x1 or y0 >= y1:
        return
    solid = tree.picture[y0 - tree.top : y1 - tree.top, x0 - tree.left : x1 - tree.left, 3] > 110
    target = depth[y0:y1, x0:x1]
    target[solid] = np.minimum(target[solid], tree.depth_cm)

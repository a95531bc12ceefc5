"""Everything that does not move, painted once for a scene: a handful of pictures with the trees bent differently."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from safecity.virtual.scenes.canvas import NOTHING, Canvas
from safecity.virtual.scenes.conditions import LIGHTS, Light
from safecity.virtual.scenes.facades import PARAPET_M, STOREY_M
from safecity.virtual.scenes.greenery import CROWNS, TreePicture, draw_tree, lay_tree, mark_depth
from safecity.virtual.scenes.ground import Grid, light_ground, paint_ground, raised, wet_ground
from safecity.virtual.scenes.model import HEIGHT_PX, WIDTH_PX, Condition
from safecity.virtual.scenes.pixels import F32, F64, U8, U16, add_light, f32, fixed, u8
from safecity.virtual.scenes.plan import StreetPlan
from safecity.virtual.scenes.sky import paint_sky
from safecity.virtual.scenes.structures import draw_structures, hang_lamps, lamp_place

SWAYS = 12
"""How many states of the wind are painted; the frames go through them to and fro."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backdrop:
    """The finished still parts of a scene."""

    pictures: tuple[U8, ...]
    """One BGR picture for each state of the wind."""
    depth: U16
    """Centimetres along the camera's axis of what stands there; 65535 where only ground or sky is."""
    albedo: U8
    """The ground's own colour (black where something stands), for headlights to shine on."""
    ground_light: F32
    """(H, W, 3): light on the ground, for shading what moves over it."""
    shade: F32
    """(H, W): 1 where the sun is hidden from the ground."""
    light: Light


def paint_backdrop(plan: StreetPlan, condition: Condition, *, seed: int) -> tuple[Backdrop, list[TreePicture]]:
    """Paint a place under a condition, but for its trees: `grow_trees` adds them once what is parked is drawn."""
    random = np.random.default_rng([seed, 7])
    light = LIGHTS[condition]
    lamps = hang_lamps(plan, light.street_lamps)
    canvas = Canvas(plan.camera, light, lamps=lamps)
    sky = paint_sky(plan.camera, light, random=random)
    grid = plan.camera.ground_grid()
    albedo = paint_ground(plan, grid, random=random)
    draw_structures(canvas, plan)
    standing, depth = canvas.shrink()
    shade = cast_shadows(plan, light)
    ground_light = light_ground(grid, light, lamps=lamps, shade=shade)
    still = u8(blend(sky, standing, ground=(f32(albedo * ground_light), depth), grid=grid, weather=(light, random)))
    lamp_glows(still, plan, light=light, depth=depth)
    grown = [draw_tree(tree, camera=plan.camera, light=light, lamps=lamps) for tree in plan.trees]
    trees = sorted((tree for tree in grown if tree is not None), key=lambda tree: -tree.depth_cm)
    bare = (depth == NOTHING)[..., None] * (np.arange(HEIGHT_PX) > plan.camera.horizon_px())[:, None, None]
    backdrop = Backdrop(
        pictures=(still,), depth=depth, albedo=u8(albedo * bare), ground_light=ground_light, shade=shade, light=light
    )
    return backdrop, trees


def grow_trees(backdrop: Backdrop, trees: list[TreePicture]) -> Backdrop:
    """The same place with its trees, once for each state of the wind."""
    still = backdrop.pictures[0]
    pictures = tuple(sway(still, backdrop.depth, trees=trees, state=state) for state in range(SWAYS if trees else 1))
    depth = backdrop.depth.copy()
    albedo = backdrop.albedo.copy()
    for tree in trees:
        mark_depth(depth, tree)
    albedo[depth != NOTHING] = 0
    return replace(backdrop, pictures=pictures, depth=depth, albedo=albedo)


def blend(
    sky: F32, standing: U8, *, ground: tuple[F32, U16], grid: Grid, weather: tuple[Light, np.random.Generator]
) -> F32:
    """Sky, ground and houses together, faded by the air between."""
    lit, depth = ground
    light, random = weather
    cover = standing[..., 3:].astype(np.float32) / 255
    houses = standing[..., :3].astype(np.float32)
    if light.wet:
        lit = wet_ground(lit, f32(sky * (1 - cover) + houses), covered=f32(cover[..., 0]), grid=grid, random=random)
    reach = grid[2]
    below = np.isfinite(reach) & (reach < 900)
    ground_clear = np.exp(-light.fog_per_m * np.minimum(reach, 900))[..., None] * below[..., None]
    fog = f32(light.fog)
    earth = lit * ground_clear + fog * (1 - ground_clear)
    blur = np.clip((reach - 250) / 500, 0, 1)[..., None]
    picture = np.where(below[..., None], earth * (1 - blur) + sky * blur, sky)
    clear = np.exp(-light.fog_per_m * depth.astype(np.float32) / 100)[..., None]
    return f32(picture * (1 - cover) + houses * clear + fog * cover * (1 - clear))


def sway(still: U8, depth: U16, *, trees: list[TreePicture], state: int) -> U8:
    """The picture with every tree bent as it is in one state of the wind."""
    picture = still.copy()
    for tree in trees:
        lay_tree(picture, depth, tree=tree, bend=float(np.sin(2 * np.pi * state / SWAYS + tree.phase)))
    return picture


def cast_shadows(plan: StreetPlan, light: Light) -> F32:
    """Where houses, trees and poles keep the sun off the ground, 0..1, soft at the edges."""
    mask = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
    if not light.casts_shadows:
        return f32(mask)
    sun = light.sun_direction()
    fall = -sun[:2] / max(0.12, sun[2])
    for house in plan.buildings:
        along = np.array([np.cos(house.heading), np.sin(house.heading)])
        back = np.array([-along[1], along[0]])
        corner = np.array(house.corner)
        foot = np.array(
            [
                corner,
                corner + along * house.width_m,
                corner + along * house.width_m + back * house.depth_m,
                corner + back * house.depth_m,
            ]
        )
        throw(mask, plan, foot=foot, fall=fall * (house.storeys * STOREY_M + PARAPET_M))
    for box in plan.boxes:
        half = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * np.array(box.size_m[:2]) / 2
        turn = np.array([[np.cos(box.heading), np.sin(box.heading)], [-np.sin(box.heading), np.cos(box.heading)]])
        throw(mask, plan, foot=half @ turn + (box.x_m, box.y_m) + fall * box.base_m, fall=fall * box.size_m[2])
    for pole in plan.poles:
        foot = np.array([[-0.1, 0], [0.1, 0], [0.1, 0.1], [-0.1, 0.1]]) + np.array([pole.x_m, pole.y_m])
        throw(mask, plan, foot=foot, fall=fall * pole.height_m)
    circle = np.stack([np.cos(np.linspace(0, 6.28, 13)), np.sin(np.linspace(0, 6.28, 13))], axis=1)
    for tree in plan.trees:
        half, middle, half_height = CROWNS[tree.kind]
        random = np.random.default_rng(tree.seed)
        for _ in range(14):
            spot = random.normal(0, 0.42, 3)
            centre = np.array([tree.x_m, tree.y_m]) + spot[:2] * half * tree.height_m
            rise = tree.height_m * (middle + spot[2] * half_height * 0.7)
            throw(mask, plan, foot=centre + fall * rise + circle * half * tree.height_m * 0.36, fall=np.zeros(2))
    return f32(f32(cv2.GaussianBlur(mask, (0, 0), 1.2)) / 255)


def throw(mask: U8, plan: StreetPlan, *, foot: F64, fall: F64) -> None:
    """Mark the shadow of an upright thing: the hull of its foot and of where its top's shadow falls."""
    both = np.concatenate([foot, foot + fall]).astype(np.float32)
    hull = np.asarray(cv2.convexHull(both), np.float64)[:, 0]
    outline = raised(plan.camera, hull, height_m=0.0)
    if outline is not None:
        cv2.fillPoly(mask, [fixed(outline)], 225.0, cv2.LINE_AA, 4)


def lamp_glows(picture: U8, plan: StreetPlan, *, light: Light, depth: U16) -> None:
    """The shine round street lamps in the dark."""
    if light.street_lamps < 0.3:
        return
    for pole in (p for p in plan.poles if p.arm_m > 0):
        place = np.array([lamp_place(pole)])
        pixels, distance = plan.camera.project(place)
        x, y = round(float(pixels[0, 0])), round(float(pixels[0, 1]))
        if distance[0] < 4 or not (0 <= x < WIDTH_PX and 0 <= y < HEIGHT_PX) or depth[y, x] < distance[0] * 90:
            continue
        radius = int(np.clip(2.6 * plan.camera.focal_px / distance[0], 8, 170))
        add_light(picture, halo(radius, (120, 190, 250), strength=light.street_lamps), left=x - radius, top=y - radius)


def halo(radius: int, colour: tuple[float, float, float], *, strength: float) -> U8:
    """A round glow (2r+1, 2r+1, 3): a small bright core and a wide faint skirt."""
    span = np.linspace(-1, 1, 2 * radius + 1, dtype=np.float32)
    away = np.sqrt(span[:, None] ** 2 + span[None, :] ** 2)
    skirt = np.clip(1 - away, 0, 1) ** 2.6
    core = np.exp(-((away / 0.10) ** 2))
    return u8(((0.5 * skirt + core)[..., None] * f32(colour)) * np.float32(strength))

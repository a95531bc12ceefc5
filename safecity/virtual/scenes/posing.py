"""Where movers come to lie on the picture: solid shapes one by one, people all at once."""

from dataclasses import dataclass

import numpy as np

from safecity.virtual.scenes.backdrop import Backdrop
from safecity.virtual.scenes.camera import Camera
from safecity.virtual.scenes.model import HEIGHT_PX, WIDTH_PX
from safecity.virtual.scenes.movers import Mover
from safecity.virtual.scenes.pixels import F64, I32, fixed
from safecity.virtual.scenes.shapes import Shape

ROD_STEPS = 6
NEAREST_M = 2.2
MINOR_ROD_M = 0.048
TOUCHING_M = 0.6
"""A shape of which any point is nearer than this along the axis is not drawn."""
Colour = tuple[float, float, float, float]

ARC = np.linspace(-np.pi / 2, np.pi / 2, ROD_STEPS)
ARC_ALONG = np.concatenate([np.cos(ARC), -np.cos(ARC)])
ARC_ACROSS = np.concatenate([np.sin(ARC), -np.sin(ARC)])
"""Half a circle round a rod's far end, then half a circle round its near end, along and across the rod."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lighting:
    """The light where a mover stands."""

    lamps: F64
    """(3,): from street lamps and shops."""
    sun: F64
    """(3,): the sun's colour, none in the shade."""
    clear: float
    """Share of the colour that comes through the air ..."""
    fog: F64
    """... and what the air adds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rods:
    """A figure's rods ready to be filled: outlines in fixed point, and colours of their dark and bright sides."""

    whole: I32
    inner: I32
    dark: list[list[float]]
    bright: list[list[float]]
    minor: list[bool]
    """Hands and feet, left out of small figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posed:
    """A mover's shape, turned and projected for one frame."""

    mover: Mover
    shape: Shape
    points: F64
    rods: F64
    """(R, 6): pixel ends and pixel radii."""
    depth_m: float
    bounds: tuple[float, float, float, float]
    """Left, top, right, bottom of the outline, not cut at the picture's edge."""
    cosine: float
    sine: float
    eye: F64
    """The camera's place in the shape's own axes."""
    into: F64
    """(3, 3): from the shape's axes to the camera's."""
    start: F64
    """(3,): the shape's origin in the camera's axes."""
    lighting: Lighting
    figure: Rods | None = None
    """Set for people, who are posed all at once."""

    @property
    def is_in_picture(self) -> bool:
        """Whether any of it is within the picture."""
        left, top, right, bottom = self.bounds
        return right > 0 and bottom > 0 and left < WIDTH_PX and top < HEIGHT_PX


class Posing:
    """Turns and projects movers."""

    def __init__(self, camera: Camera, backdrop: Backdrop) -> None:
        self.camera = camera
        self.backdrop = backdrop
        self.light = backdrop.light
        self.direction = self.light.sun_direction()
        self.sky = np.array(self.light.sky)
        self.bounce = np.array(self.light.bounce)
        self.sun = np.array(self.light.sun)
        self.side = 1.0 if self.direction @ camera.rotation[0] > 0 else -1.0

    def pose_all(self, movers: list[tuple[Mover, Shape]]) -> list[Posed]:
        """Everybody of whom any part is in the picture, farthest first."""
        if not movers:
            return []
        places = np.array([(m.x_m, m.y_m, 0.0) for m, _ in movers])
        headings = np.array([m.heading for m, _ in movers])
        starts = (places - self.camera.position) @ self.camera.rotation.T
        reach = np.array([max(s.size_m) for _, s in movers])
        near = (starts[:, 2] > NEAREST_M) & (np.abs(starts[:, 0]) < starts[:, 2] * 1.1 + reach)
        cosines, sines = np.cos(headings), np.sin(headings)
        turns = np.zeros((len(movers), 3, 3))
        turns[:, 0, 0] = turns[:, 1, 1] = cosines
        turns[:, 0, 1], turns[:, 1, 0], turns[:, 2, 2] = -sines, sines, 1.0
        into = self.camera.rotation @ turns
        eyes = np.einsum("nji,nj->ni", turns, self.camera.position - places)
        lightings = self.lightings(starts)
        posed: list[Posed] = []
        people: list[Posed] = []
        for i in np.flatnonzero(near):
            mover, shape = movers[i]
            item = Posed(
                mover=mover, shape=shape, points=EMPTY, rods=EMPTY, depth_m=float(starts[i, 2]),
                bounds=(0.0, 0.0, 0.0, 0.0),
                cosine=float(cosines[i]), sine=float(sines[i]), eye=eyes[i], into=into[i], start=starts[i],
                lighting=lightings[i],
            )  # fmt: skip
            if len(shape.points):
                solid = self.pose_solid(item)
                if solid is not None and solid.is_in_picture:
                    posed.append(solid)
            else:
                people.append(item)
        posed += [item for item in self.pose_people(people) if item.is_in_picture]
        posed.sort(key=lambda p: -p.depth_m)
        return posed

    def lightings(self, starts: F64) -> list[Lighting]:
        """The light where each mover stands, read off the ground's."""
        scale = self.camera.focal_px / np.maximum(starts[:, 2], NEAREST_M)
        x = np.clip(starts[:, 0] * scale + self.camera.centre_px[0], 0, WIDTH_PX - 1).astype(int)
        y = np.clip(starts[:, 1] * scale + self.camera.centre_px[1], 0, HEIGHT_PX - 1).astype(int)
        shade = self.backdrop.shade[y, x][:, None].astype(np.float64)
        ground = self.backdrop.ground_light[y, x].astype(np.float64)
        lamps = np.maximum(0.0, ground - self.sky - self.sun * max(0.0, float(self.direction[2])) * (1 - shade)) * 0.75
        suns = self.sun * (1 - shade)
        clear = np.exp(-self.light.fog_per_m * np.maximum(starts[:, 2], 0.0))
        fogs = np.array(self.light.fog) * (1 - clear[:, None])
        return [Lighting(lamps=lamps[i], sun=suns[i], clear=float(clear[i]), fog=fogs[i]) for i in range(len(starts))]

    def pose_solid(self, item: Posed) -> Posed | None:
        """Project one solid shape; None where it is too near the camera."""
        seen = item.shape.points @ item.into.T + item.start
        if float(seen[:, 2].min()) < TOUCHING_M:
            return None
        points = seen[:, :2] * (self.camera.focal_px / seen[:, 2:]) + self.camera.centre_px
        low, high = points.min(axis=0), points.max(axis=0)
        rods = EMPTY
        if len(item.shape.rods):
            found = self.project_rods(item)
            if found is None:
                return None
            rods = found
            reach = rods[:, 4:6]
            low = np.minimum(low, np.minimum(rods[:, 0:2] - reach[:, :1], rods[:, 2:4] - reach[:, 1:]).min(axis=0))
            high = np.maximum(high, np.maximum(rods[:, 0:2] + reach[:, :1], rods[:, 2:4] + reach[:, 1:]).max(axis=0))
        bounds = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
        return replaced(item, points=points, rods=rods, bounds=bounds)

    def project_rods(self, item: Posed) -> F64 | None:
        """Pixel ends and radii (R, 6) of a solid shape's rods; None where one is too near the camera."""
        rods = item.shape.rods
        ends = np.stack([rods[:, 0:3], rods[:, 3:6]])
        if item.mover.speed_mps > 0.05:
            ends[:, :, 0] += item.shape.rod_swings.T * np.sin(item.mover.stride)
        seen = ends @ item.into.T + item.start
        if float(seen[..., 2].min()) < TOUCHING_M:
            return None
        scale = self.camera.focal_px / seen[..., 2]
        pixels = seen[..., :2] * scale[..., None] + self.camera.centre_px
        return np.column_stack([pixels[0], pixels[1], rods[:, 6] * scale[0], rods[:, 7] * scale[1]])

    def pose_people(self, people: list[Posed]) -> list[Posed]:
        """Project and shade everybody on foot in one go."""
        if not people:
            return []
        counts = [len(p.shape.rods) for p in people]
        owner = np.repeat(np.arange(len(people), dtype=np.int32), counts)
        orders = [p.shape.rod_orders[0 if p.eye[1] > 0 else 1] for p in people]
        rods = np.concatenate([p.shape.rods[order] for p, order in zip(people, orders, strict=True)])
        swings = np.concatenate([p.shape.rod_swings[order] for p, order in zip(people, orders, strict=True)])
        strides = np.array([np.sin(p.mover.stride) if p.mover.speed_mps > 0.05 else 0.0 for p in people])[owner]
        into = np.stack([p.into for p in people])[owner]
        start = np.stack([p.start for p in people])[owner]
        ends = rods[:, :6].reshape(-1, 2, 3).copy()
        ends[:, :, 0] += swings * strides[:, None]
        seen = np.einsum("rij,rej->rei", into, ends) + start[:, None]
        depth = np.maximum(seen[..., 2], TOUCHING_M)
        scale = self.camera.focal_px / depth
        pixels = seen[..., :2] * scale[..., None] + self.camera.centre_px
        radii = rods[:, 6:8] * scale
        lows, highs = (pixels - radii[..., None]).min(axis=1), (pixels + radii[..., None]).max(axis=1)
        whole, inner = self.rod_pair(pixels, radii)
        albedo = np.concatenate([p.shape.rod_albedo[order] for p, order in zip(people, orders, strict=True)])
        minor = (rods[:, 6] < MINOR_ROD_M).tolist()
        dark, bright = self.rod_colours(albedo, [p.lighting for p in people], owner=owner)
        result: list[Posed] = []
        end = 0
        for item, count in zip(people, counts, strict=True):
            piece = slice(end, end + count)
            end += count
            if float(seen[piece, :, 2].min()) < TOUCHING_M:
                continue
            low, high = lows[piece].min(axis=0), highs[piece].max(axis=0)
            figure = Rods(
                whole=whole[piece], inner=inner[piece], dark=dark[piece], bright=bright[piece], minor=minor[piece]
            )
            bounds = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
            result.append(replaced(item, bounds=bounds, figure=figure))
        return result

    def rod_pair(self, ends: F64, radii: F64) -> tuple[I32, I32]:
        """Outlines of whole rods and of their bright sides, in the frame's fixed point."""
        whole = rod_polygons(ends, radii)
        shift = np.stack([self.side * 0.14 * radii, -0.10 * radii], axis=2)
        return fixed(whole), fixed(rod_polygons(ends + shift, radii * 0.84))

    def rod_colours(
        self, albedo: F64, lightings: list[Lighting], *, owner: I32
    ) -> tuple[list[list[float]], list[list[float]]]:
        """Colours of the dark and the bright sides of rods; `owner` tells whose light falls on each."""
        lamps = np.stack([lighting.lamps for lighting in lightings])[owner]
        suns = np.stack([lighting.sun for lighting in lightings])[owner]
        clear = np.array([lighting.clear for lighting in lightings])[owner][:, None]
        fogs = np.stack([lighting.fog for lighting in lightings])[owner]
        even = self.sky * 0.72 + self.bounce * 0.28 + lamps * 0.8
        dark = np.clip(albedo * (even * 0.9 + suns * 0.12) * clear + fogs, 0, 255)
        bright = np.clip(albedo * (even * 1.08 + suns * 0.62) * clear + fogs, 0, 255)
        opaque = np.full((len(albedo), 1), 255.0)
        return np.column_stack([dark, opaque]).tolist(), np.column_stack([bright, opaque]).tolist()


EMPTY = np.zeros((0, 6))


def replaced(
    item: Posed,
    *,
    bounds: tuple[float, float, float, float],
    points: F64 = EMPTY,
    rods: F64 = EMPTY,
    figure: Rods | None = None,
) -> Posed:
    """The same mover with its projection filled in."""
    return Posed(
        mover=item.mover, shape=item.shape, points=points, rods=rods, depth_m=item.depth_m, bounds=bounds,
        cosine=item.cosine, sine=item.sine, eye=item.eye, into=item.into, start=item.start, lighting=item.lighting,
        figure=figure,
    )  # fmt: skip


def rod_polygons(ends: F64, radii: F64) -> F64:
    """Outlines (R, 2 * ROD_STEPS, 2) of rods with round ends: half a circle round each end."""
    along = ends[:, 1] - ends[:, 0]
    length = np.hypot(along[:, 0], along[:, 1])
    along = along / np.maximum(length, 1e-6)[:, None]
    along[length < 1e-6] = (1.0, 0.0)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    circle = ARC_ALONG[None, :, None] * along[:, None] + ARC_ACROSS[None, :, None] * across[:, None]
    circle[:, :ROD_STEPS] *= radii[:, 1, None, None]
    circle[:, ROD_STEPS:] *= radii[:, 0, None, None]
    circle[:, :ROD_STEPS] += ends[:, 1, None]
    circle[:, ROD_STEPS:] += ends[:, 0, None]
    return circle

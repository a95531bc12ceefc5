"""Houses as boxes with painted fronts, and what hangs on and stands on them."""

import cv2
import numpy as np

from safecity.virtual.scenes.canvas import FINE, Canvas
from safecity.virtual.scenes.facades import PARAPET_M, STOREY_M, WALLS, Bay, paint_bay, pick, shaded
from safecity.virtual.scenes.pixels import F64, U8, Bgr, u8
from safecity.virtual.scenes.plan import Building

UP = np.array([0.0, 0.0, 1.0])
CLOTHS: tuple[Bgr, ...] = (
    (70, 96, 168), (120, 150, 70), (150, 100, 60), (70, 140, 190), (110, 110, 150), (150, 160, 168), (60, 110, 60),
)  # fmt: skip
MAX_SCALE = 90.0
"""Pixels to the metre of the finest front; nearer houses come out a little soft."""


def draw_house(canvas: Canvas, house: Building) -> None:
    """Draw one house: roof and sides, then its front bay by bay, then what sticks out of it."""
    random = np.random.default_rng(house.seed)
    corner = np.array([house.corner[0], house.corner[1], 0.0])
    along = np.array([np.cos(house.heading), np.sin(house.heading), 0.0])
    back = np.array([-along[1], along[0], 0.0])
    height = house.storeys * STOREY_M + PARAPET_M
    wall = pick(random, WALLS)
    draw_shell(canvas, corner, edges=(along * house.width_m, back * house.depth_m, UP * height), wall=wall)
    draw_roof_things(
        canvas, random, corner=corner, edges=(along * house.width_m, back * house.depth_m, UP * (height - 0.8))
    )
    front = -back
    if not canvas.faces_camera(corner + along * house.width_m / 2, front):
        return
    bays = max(1, round(house.width_m / 3.4))
    width = house.width_m / bays
    order = sorted(
        range(bays), key=lambda i: -float(np.linalg.norm(corner + along * width * (i + 0.5) - canvas.camera.position))
    )
    for i in order:
        left = corner + along * width * i
        # Seen from the street the front's start lies at the viewer's left.
        quad = np.array([left + UP * height, left + along * width + UP * height, left + along * width, left])
        draw_bay(canvas, random, quad=quad, storeys=house.storeys, wall=wall, front=front)
        if random.random() < house.awnings:
            draw_awning(canvas, random, start=left + along * 0.1, along=along * (width - 0.2), front=front)
    for storey in range(1, house.storeys + 1):
        draw_ledge(
            canvas,
            corner + UP * (storey * STOREY_M - 0.06),
            along=along * house.width_m,
            front=front,
            colour=shaded(wall, 0.92),
        )


def draw_shell(canvas: Canvas, corner: F64, *, edges: tuple[F64, F64, F64], wall: Bgr) -> None:
    """The side walls and the roof."""
    width, depth, up = edges
    along, back = width / np.linalg.norm(width), depth / np.linalg.norm(depth)
    side_wall = shaded(wall, 0.9)
    canvas.fill(np.array([corner, corner + depth, corner + depth + up, corner + up]), side_wall, normal=-along)
    far = corner + width
    canvas.fill(np.array([far, far + depth, far + depth + up, far + up]), side_wall, normal=along)
    behind = corner + depth
    canvas.fill(np.array([behind, behind + width, behind + width + up, behind + up]), side_wall, normal=back)
    roof = up * (1 - 0.8 / np.linalg.norm(up))
    canvas.fill(np.array([corner, far, far + depth, behind]) + roof, (150, 164, 172), normal=UP)


def draw_roof_things(canvas: Canvas, random: np.random.Generator, *, corner: F64, edges: tuple[F64, F64, F64]) -> None:
    """A water tank, a stair head, a dish's pole."""
    width, depth, up = edges
    heading = float(np.arctan2(width[1], width[0]))
    if random.random() < 0.6:
        base = corner + width * random.uniform(0.15, 0.85) + depth * random.uniform(0.3, 0.8) + up
        tank: Bgr = ((150, 96, 40), (52, 52, 54), (196, 200, 200))[int(random.integers(3))]
        canvas.box(base, size_m=(1.2, 1.2, 0.5), heading=heading, albedo=(140, 150, 158))
        canvas.box(base + UP * 0.5, size_m=(1.05, 1.05, 1.15), heading=heading, albedo=tank)
    if random.random() < 0.35:
        base = corner + width * random.uniform(0.2, 0.8) + depth * 0.7 + up
        canvas.box(base, size_m=(2.4, 2.4, 2.3), heading=heading, albedo=(150, 172, 188))
    if random.random() < 0.3:
        foot = corner + width * random.uniform(0.1, 0.9) + depth * 0.2 + up
        canvas.line(np.array([foot, foot + UP * 3.2]), (90, 90, 92), thickness_m=0.05)


def projected_size(canvas: Canvas, quad: F64) -> tuple[float, float]:
    """Width and height of a front in fine pixels, where it is largest."""
    pixels, depth = canvas.camera.project(quad)
    if depth.min() < 1.2:
        return 0.0, 0.0
    spans = np.linalg.norm(pixels - np.roll(pixels, -1, axis=0), axis=1) * FINE
    return float(max(spans[0], spans[2])), float(max(spans[1], spans[3]))


def draw_bay(canvas: Canvas, random: np.random.Generator, *, quad: F64, storeys: int, wall: Bgr, front: F64) -> None:
    """One bay's front, painted as fine as it will be seen; open shops light the street before them."""
    width_m = float(np.linalg.norm(quad[1] - quad[0]))
    height_m = float(np.linalg.norm(quad[3] - quad[0]))
    seen_width, seen_height = projected_size(canvas, quad)
    scale = float(np.clip(max(seen_height / height_m, seen_width / width_m), 8.0, MAX_SCALE))
    bay, _ = paint_bay(random, width_m=width_m, storeys=storeys, wall=wall, scale=scale)
    if seen_width < 1 or seen_height < 1:
        return
    albedo, own_light = fitted(bay, seen_width, seen_height=seen_height)
    canvas.texture(quad, albedo, own_light=own_light, normal=front)


def fitted(bay: Bay, seen_width: float, *, seen_height: float) -> tuple[U8, U8]:
    """The bay's pictures shrunk to about the size at which they will be seen, so that warping does not alias."""
    rows, columns = bay.albedo.shape[:2]
    size = (max(2, min(columns, round(seen_width))), max(2, min(rows, round(seen_height))))
    if size == (columns, rows):
        return bay.albedo, bay.own_light
    return (
        u8(cv2.resize(bay.albedo, size, interpolation=cv2.INTER_AREA)),
        u8(cv2.resize(bay.own_light, size, interpolation=cv2.INTER_AREA)),
    )


def draw_ledge(canvas: Canvas, start: F64, *, along: F64, front: F64, colour: Bgr) -> None:
    """A slab that sticks out between two storeys."""
    reach = front * 0.45
    canvas.fill(np.array([start, start + along, start + along + reach, start + reach]), colour)
    rise = UP * 0.14
    edge = start + reach
    canvas.fill(np.array([edge, edge + along, edge + along - rise, edge - rise]), colour, normal=front)


def draw_awning(canvas: Canvas, random: np.random.Generator, *, start: F64, along: F64, front: F64) -> None:
    """A striped cloth over a shop."""
    first, second = pick(random, CLOTHS), (188.0, 196.0, 200.0)
    reach = front * float(random.uniform(1.0, 1.6))
    high, low = UP * 2.85, UP * 2.25
    stripes = int(random.integers(1, 3)) * 4 - 3
    for i in range(stripes):
        a, b = along * i / stripes, along * (i + 1) / stripes
        colour = first if i % 2 == 0 else second
        corners = np.array([start + a + high, start + b + high, start + b + low + reach, start + a + low + reach])
        canvas.fill(corners, colour)
        hem = np.array(
            [
                start + a + low + reach,
                start + b + low + reach,
                start + b + low + reach - UP * 0.2,
                start + a + low + reach - UP * 0.2,
            ]
        )
        canvas.fill(hem, shaded(colour, 0.85))

"""Cars: hatchback, saloon, off-roader, small van."""

import numpy as np

from safecity.virtual.scenes.looks import SIZES_M, Look
from safecity.virtual.scenes.ornaments import PLATE_M, paint_plate
from safecity.virtual.scenes.pixels import F64, Bgr
from safecity.virtual.scenes.shapes import Builder, Role, Shape, inset

GLASS: Bgr = (66, 58, 50)
DARK: Bgr = (38, 38, 39)
LENS: Bgr = (206, 210, 210)
RED_LENS: Bgr = (38, 34, 142)
AHEAD, ASTERN = np.array([1.0, 0.0, 0.0]), np.array([-1.0, 0.0, 0.0])
LEFT = np.array([0.0, 1.0, 0.0])

BODIES: dict[str, tuple[list[tuple[float, float]], list[tuple[float, float]]]] = {
    "hatchback": (
        [(-0.5, 0.20), (-0.5, 0.50), (-0.47, 0.63), (0.22, 0.64), (0.44, 0.55), (0.5, 0.42), (0.495, 0.20)],
        [(-0.475, 0.63), (-0.395, 1.0), (0.07, 1.0), (0.25, 0.63)],
    ),
    "sedan": (
        [(-0.5, 0.22), (-0.5, 0.55), (-0.47, 0.66), (0.20, 0.66), (0.45, 0.56), (0.5, 0.43), (0.495, 0.21)],
        [(-0.36, 0.65), (-0.22, 1.0), (0.08, 1.0), (0.235, 0.65)],
    ),
    "suv": (
        [(-0.5, 0.22), (-0.5, 0.52), (-0.485, 0.62), (0.20, 0.63), (0.46, 0.58), (0.5, 0.46), (0.495, 0.22)],
        [(-0.485, 0.62), (-0.44, 1.0), (0.06, 1.0), (0.20, 0.62)],
    ),
    "van": (
        [(-0.5, 0.16), (-0.5, 0.48), (-0.495, 0.55), (0.46, 0.52), (0.5, 0.46), (0.5, 0.36), (0.49, 0.16)],
        [(-0.492, 0.54), (-0.45, 1.0), (0.33, 1.0), (0.465, 0.52)],
    ),
}
"""Side outlines of body and cabin as shares of length and height: rear bottom first, round over the roof."""


def darker(colour: Bgr, share: float) -> Bgr:
    """The colour at a share of its strength."""
    return (colour[0] * share, colour[1] * share, colour[2] * share)


def build_car(look: Look) -> Shape:
    """A car of the look's model and colour."""
    length, width, height = SIZES_M[look.model]
    lower, upper = BODIES[look.model]
    paint = look.colour
    body = [(x * length, z * height) for x, z in lower]
    cabin = [(x * length, z * height) for x, z in upper]
    builder = Builder()
    wheel_x, radius = length * 0.305, 0.3 if look.model != "suv" else 0.37
    builder.part(0, (0.0, 0.0, 0.0))
    for x in (wheel_x, -wheel_x):
        for sign in (1, -1):
            y0, y1 = sorted((sign * (width / 2 - 0.22), sign * (width / 2 - 0.02)))
            builder.box((x - radius * 0.6, y0, 0.01), (x + radius * 0.6, y1, radius), colour=(30, 30, 31))
    builder.part(1, (0.0, 0.0, 0.4))
    half = [width / 2 * f for f in (0.95, 0.99, 0.97, 1.0, 0.97, 0.93, 0.92)]
    bumper = darker(paint, 0.82)
    builder.prism(body, half, colours=[bumper, paint, paint, paint, paint, bumper, DARK], side=darker(paint, 0.97))
    dress_sides(builder, body, half=half, wheels=(wheel_x, radius), paint=paint)
    dress_front(builder, body, half=half, look=look)
    dress_rear(builder, body, half=half, look=look)
    builder.part(2, (0.0, 0.0, height * 0.8))
    roof_half = width / 2 * (0.80 if look.model != "van" else 0.88)
    widths = [width / 2 * 0.965, roof_half, roof_half, width / 2 * 0.965]
    builder.prism(cabin, widths, colours=[paint, paint, paint, DARK], side=paint)
    glaze(builder, cabin, half=widths, doors=3 if look.model in ("suv", "van") else 2)
    return builder.build(SIZES_M[look.model])


def glaze(builder: Builder, cabin: list[tuple[float, float]], *, half: list[float], doors: int) -> None:
    """Windscreen, rear window and side windows of a four-cornered cabin."""
    (x0, z0), (x1, z1), (x2, z2), (x3, z3) = cabin
    screen = np.array([[x3, half[3], z3], [x3, -half[3], z3], [x2, -half[2], z2], [x2, half[2], z2]])
    slope = np.array([z2 - z3, 0.0, x3 - x2])
    outward = slope / np.linalg.norm(slope)
    builder.decal(screen, (0.06, 0.94, 0.10, 0.92), outward=outward, colour=GLASS, role=Role.GLASS)
    rear = np.array([[x0, -half[0], z0], [x0, half[0], z0], [x1, half[1], z1], [x1, -half[1], z1]])
    slope = np.array([z0 - z1, 0.0, x1 - x0])
    outward = slope / np.linalg.norm(slope)
    builder.decal(rear, (0.10, 0.90, 0.20, 0.88), outward=outward, colour=GLASS, role=Role.GLASS)
    for sign in (1.0, -1.0):
        side = np.array(
            [[x0, sign * half[0], z0], [x3, sign * half[3], z3], [x2, sign * half[2], z2], [x1, sign * half[1], z1]]
        )
        for i in range(doors):
            u0, u1 = 0.06 + 0.88 * i / doors + 0.012, 0.06 + 0.88 * (i + 1) / doors - 0.012
            builder.decal(side, (u0, u1, 0.10, 0.86), outward=LEFT * sign, colour=GLASS, role=Role.GLASS)


def dress_sides(
    builder: Builder, body: list[tuple[float, float]], *, half: list[float], wheels: tuple[float, float], paint: Bgr
) -> None:
    """Sill, door joints, wheel arches and wheels on both sides."""
    wheel_x, radius = wheels
    rear, front = body[0][0], body[-1][0]
    low, belt = body[0][1], body[3][1]
    for sign in (1.0, -1.0):
        y = sign * half[3]
        side = np.array([[rear, y, low], [front, y, low], [front, y, belt], [rear, y, belt]])
        builder.decal(side, (0.02, 0.98, 0.0, 0.16), outward=LEFT * sign, colour=darker(paint, 0.45))
        for u in (0.30, 0.50, 0.71):
            builder.decal(side, (u, u + 0.006, 0.16, 0.96), outward=LEFT * sign, colour=darker(paint, 0.55), detail=2)
        builder.decal(side, (0.05, 0.95, 0.60, 0.64), outward=LEFT * sign, colour=darker(paint, 0.72), detail=2)
        for x in (wheel_x, -wheel_x):
            angles = np.linspace(0, 2 * np.pi, 13)[:-1]
            arch = np.stack(
                [
                    x + 1.14 * radius * np.cos(angles),
                    np.full(12, y + sign * 0.004),
                    radius + 1.1 * radius * np.sin(angles),
                ],
                axis=1,
            )
            arch[:, 2] = np.maximum(arch[:, 2], low)
            builder.face(arch, LEFT * sign, colour=(26, 26, 27), detail=2)
            builder.wheel(x, y + sign * 0.012, radius=radius)


def dress_front(builder: Builder, body: list[tuple[float, float]], *, half: list[float], look: Look) -> None:
    """Headlamps, grille, bumper and plate."""
    bonnet, nose, foot = body[4], body[5], body[6]
    slope = np.array([bonnet[1] - nose[1], 0.0, nose[0] - bonnet[0]])
    outward = slope / np.linalg.norm(slope)
    upper = np.array(
        [
            [nose[0], half[5], nose[1]],
            [nose[0], -half[5], nose[1]],
            [bonnet[0], -half[4], bonnet[1]],
            [bonnet[0], half[4], bonnet[1]],
        ]
    )
    lower = np.array(
        [
            [foot[0], half[6], foot[1]],
            [foot[0], -half[6], foot[1]],
            [nose[0], -half[5], nose[1]],
            [nose[0], half[5], nose[1]],
        ]
    )
    for u0, u1 in ((0.03, 0.25), (0.75, 0.97)):
        lamp = builder.decal(upper, (u0, u1, 0.0, 0.52), outward=outward, colour=LENS, role=Role.HEAD)
        builder.decal(lower, (u0, u1 - 0.02 if u0 < 0.5 else u1, 0.80, 1.0), outward=AHEAD, colour=LENS, role=Role.HEAD)
        centre = lamp.mean(axis=0)
        builder.lamp((float(centre[0]) + 0.05, float(centre[1]), float(centre[2])), (1.0, 0.0, 0.0), role=Role.HEAD)
    builder.decal(lower, (0.27, 0.73, 0.72, 0.98), outward=AHEAD, colour=(44, 44, 46))
    builder.decal(lower, (0.04, 0.96, 0.0, 0.30), outward=AHEAD, colour=(52, 52, 54))
    fix_plate(builder, lower, look=look, v=0.47, outward=AHEAD)


def dress_rear(builder: Builder, body: list[tuple[float, float]], *, half: list[float], look: Look) -> None:
    """Tail lamps, bumper and plate."""
    foot, tail = body[0], body[1]
    quad = np.array(
        [
            [foot[0], -half[0], foot[1]],
            [foot[0], half[0], foot[1]],
            [tail[0], half[1], tail[1]],
            [tail[0], -half[1], tail[1]],
        ]
    )
    for u0, u1 in ((0.02, 0.17), (0.83, 0.98)):
        lamp = builder.decal(quad, (u0, u1, 0.62, 1.0), outward=ASTERN, colour=RED_LENS, role=Role.TAIL)
        centre = lamp.mean(axis=0)
        builder.lamp((float(centre[0]) - 0.04, float(centre[1]), float(centre[2])), (-1.0, 0.0, 0.0), role=Role.TAIL)
    builder.decal(quad, (0.03, 0.97, 0.0, 0.28), outward=ASTERN, colour=(52, 52, 54))
    fix_plate(builder, quad, look=look, v=0.58, outward=ASTERN)


def fix_plate(builder: Builder, quad: F64, *, look: Look, v: float, outward: F64) -> None:
    """Screw the plate to the middle of a face given bottom right first as seen from outside."""
    if look.plate is None:
        return
    wide = float(np.linalg.norm(quad[1] - quad[0]))
    tall = float(np.linalg.norm(quad[3] - quad[0]))
    half_u, half_v = PLATE_M[0] / wide / 2, PLATE_M[1] / tall / 2
    spot = inset(quad, (0.5 - half_u, 0.5 + half_u, v - half_v, v + half_v)) + outward * 0.02
    picture = paint_plate(look.plate, is_yellow=look.seed % 3 == 0)
    builder.panel(spot[[2, 3, 0, 1]], outward, picture=picture, plate=look.plate)

"""Bus, painted lorry, motorbike, auto-rickshaw and donkey cart."""

import numpy as np

from safecity.virtual.scenes.cars import (
    AHEAD,
    ASTERN,
    DARK,
    GLASS,
    LEFT,
    LENS,
    RED_LENS,
    build_car,
    darker,
    fix_plate,
)
from safecity.virtual.scenes.figures import add_donkey, add_rider, build_person
from safecity.virtual.scenes.looks import CLOTHES, SIZES_M, Look
from safecity.virtual.scenes.ornaments import paint_ornaments
from safecity.virtual.scenes.pixels import F64, Bgr
from safecity.virtual.scenes.shapes import Builder, Role, Shape

CHROME: Bgr = (176, 180, 182)


def build_shape(look: Look) -> Shape:
    """The shape of any road user."""
    special = {
        "bus": build_bus, "truck": build_truck, "motorbike": build_motorbike, "rickshaw": build_rickshaw,
        "cart": build_cart, "person": build_person,
    }  # fmt: skip
    return special.get(look.model, build_car)(look)


def clothes(look: Look) -> Bgr:
    """What the driver wears."""
    return CLOTHES[look.seed % len(CLOTHES)][1]


def side_quad(x0: float, x1: float, *, y: float, z0: float, z1: float) -> F64:
    """An upright rectangle along the vehicle, bottom left first as seen from outside."""
    if y > 0:
        x0, x1 = x1, x0
    return np.array([[x0, y, z0], [x1, y, z0], [x1, y, z1], [x0, y, z1]])


def end_quad(x: float, half: float, *, z0: float, z1: float, is_front: bool) -> F64:
    """An upright rectangle across the vehicle, bottom right first as seen from outside."""
    y = half if is_front else -half
    return np.array([[x, y, z0], [x, -y, z0], [x, -y, z1], [x, y, z1]])


def axles(builder: Builder, places: tuple[float, ...], *, half: float, radius: float) -> None:
    """Dark wheel blocks under a long vehicle."""
    builder.part(0, (0.0, 0.0, 0.0))
    for x in places:
        for sign in (1, -1):
            y0, y1 = sorted((sign * (half - 0.32), sign * (half - 0.03)))
            builder.box((x - radius * 0.6, y0, 0.01), (x + radius * 0.6, y1, radius), colour=(30, 30, 31))


def end_lamps(builder: Builder, quad: F64, *, role: Role, low: float, high: float) -> None:
    """A pair of lamps at the outer ends of a front or rear face."""
    outward = AHEAD if role == Role.HEAD else ASTERN
    colour = LENS if role == Role.HEAD else RED_LENS
    for u0, u1 in ((0.04, 0.17), (0.83, 0.96)):
        spot = builder.decal(quad, (u0, u1, low, high), outward=outward, colour=colour, role=role).mean(axis=0)
        place = spot + outward * 0.05
        direction = (float(outward[0]), 0.0, 0.0)
        builder.lamp((float(place[0]), float(place[1]), float(place[2])), direction, role=role)


def build_bus(look: Look) -> Shape:
    """A town bus: bright paint, a band of windows, ornaments along the side, luggage on the roof."""
    length, width, height = SIZES_M["bus"]
    half, rear, front, body_top = width / 2, -length / 2, length / 2, height - 0.3
    builder = Builder()
    axles(builder, (front - 1.5, rear + 2.0), half=half, radius=0.46)
    builder.part(1, (0.0, 0.0, 1.5))
    profile = [
        (rear, 0.45),
        (rear, body_top - 0.15),
        (rear + 0.15, body_top),
        (front - 0.25, body_top),
        (front - 0.02, body_top - 0.35),
        (front, 1.2),
        (front - 0.02, 0.42),
    ]
    widths = [half, half, half * 0.95, half * 0.95, half * 0.97, half, half]
    paint, roof = look.colour, (190.0, 196.0, 198.0)
    builder.prism(profile, widths, colours=[paint, paint, roof, paint, paint, paint, DARK], side=paint)
    art = paint_ornaments(look.seed, darker(paint, 0.8), width=480, height=60)
    for sign in (1.0, -1.0):
        side = side_quad(rear, front, y=sign * half, z0=0.45, z1=body_top)
        outward = LEFT * sign
        builder.decal(side, (0.0, 1.0, 0.0, 0.10), outward=outward, colour=darker(paint, 0.4))
        for i in range(8):
            u0 = 0.04 + 0.115 * i
            builder.decal(side, (u0, u0 + 0.102, 0.54, 0.86), outward=outward, colour=GLASS, role=Role.GLASS)
        door = (0.875, 0.945, 0.06, 0.88) if sign < 0 else (0.055, 0.125, 0.06, 0.88)
        builder.decal(side, door, outward=outward, colour=(56, 58, 60))
        band = np.array([side[3], side[2], side[1], side[0]])
        builder.panel(strip(band, 0.62, low=0.84) + outward * 0.012, outward, picture=art)
        for x in (front - 1.5, rear + 2.0):
            builder.wheel(x, sign * (half + 0.012), radius=0.46)
    nose = end_quad(front + 0.004, half, z0=0.45, z1=body_top, is_front=True)
    builder.decal(nose, (0.06, 0.94, 0.44, 0.84), outward=AHEAD, colour=GLASS, role=Role.GLASS)
    builder.decal(nose, (0.12, 0.88, 0.87, 0.98), outward=AHEAD, colour=(60, 190, 225))
    builder.decal(nose, (0.24, 0.76, 0.20, 0.36), outward=AHEAD, colour=(50, 50, 52))
    builder.decal(nose, (0.0, 1.0, 0.0, 0.12), outward=AHEAD, colour=CHROME)
    end_lamps(builder, nose, role=Role.HEAD, low=0.19, high=0.31)
    fix_plate(builder, nose, look=look, v=0.15, outward=AHEAD)
    tail = end_quad(rear - 0.004, half, z0=0.45, z1=body_top, is_front=False)
    builder.decal(tail, (0.12, 0.88, 0.55, 0.86), outward=ASTERN, colour=GLASS, role=Role.GLASS)
    builder.decal(tail, (0.0, 1.0, 0.0, 0.12), outward=ASTERN, colour=CHROME)
    end_lamps(builder, tail, role=Role.TAIL, low=0.2, high=0.34)
    fix_plate(builder, tail, look=look, v=0.26, outward=ASTERN)
    load_roof(builder, look, frame=(rear, front, half, body_top))
    return builder.build(SIZES_M["bus"])


def strip(quad: F64, high: float, *, low: float) -> F64:
    """A level strip of a quad given top left, top right, bottom right, bottom left; shares counted from the top."""
    left, right = quad[3] - quad[0], quad[2] - quad[1]
    return np.array([quad[0] + left * high, quad[1] + right * high, quad[1] + right * low, quad[0] + left * low])


def load_roof(builder: Builder, look: Look, *, frame: tuple[float, float, float, float]) -> None:
    """Bundles on a bus's roof."""
    rear, front, half, top = frame
    random = np.random.default_rng(look.seed + 1)
    x = rear + 0.8
    while x < front - 2.2:
        long = float(random.uniform(0.6, 1.3))
        builder.part(2, (x + long / 2, 0.0, top + 0.2))
        colour = CLOTHES[int(random.integers(len(CLOTHES)))][1]
        wide = half * float(random.uniform(0.5, 0.8))
        builder.box((x, -wide, top), (x + long, wide, top + float(random.uniform(0.14, 0.3))), colour=colour)
        x += long + float(random.uniform(0.1, 0.8))


def build_truck(look: Look) -> Shape:
    """A painted lorry: cab with its crown, high boarded body, ornaments on every side."""
    length, width, height = SIZES_M["truck"]
    half, rear, front = width / 2, -length / 2, length / 2
    cab_rear, bed_top, cab_top = front - 1.9, height - 0.75, 2.45
    paint = look.colour
    builder = Builder()
    axles(builder, (front - 1.0, rear + 1.4, rear + 2.6), half=half, radius=0.5)
    builder.part(1, ((rear + cab_rear) / 2, 0.0, 1.8))
    builder.box((rear, -half, 0.75), (cab_rear - 0.08, half, bed_top), colour=darker(paint, 0.92))
    art = paint_ornaments(look.seed, paint, width=420, height=150)
    for sign in (1.0, -1.0):
        side = side_quad(rear + 0.05, cab_rear - 0.12, y=sign * half, z0=0.95, z1=bed_top - 0.08)
        builder.panel(side[[3, 2, 1, 0]] + LEFT * sign * 0.012, LEFT * sign, picture=art)
        for x in (rear + 1.4, rear + 2.6):
            builder.wheel(x, sign * (half + 0.012), radius=0.5, hub=(70, 90, 180))
    tail = end_quad(rear - 0.004, half, z0=0.75, z1=bed_top, is_front=False)
    back = paint_ornaments(look.seed + 5, paint, width=200, height=200)
    builder.panel(strip(tail[[3, 2, 1, 0]], 0.03, low=0.76) + ASTERN * 0.012, ASTERN, picture=back)
    builder.decal(tail, (0.0, 1.0, 0.0, 0.08), outward=ASTERN, colour=CHROME)
    end_lamps(builder, tail, role=Role.TAIL, low=0.10, high=0.17)
    fix_plate(builder, tail, look=look, v=0.15, outward=ASTERN)
    builder.part(1, (front - 0.9, 0.0, 1.5))
    add_cab(builder, look, frame=(cab_rear, front, half, cab_top))
    builder.part(2, (front - 0.9, 0.0, 3.1))
    crown = [(cab_rear + 0.1, cab_top), (cab_rear - 0.05, height), (front + 0.35, height), (front - 0.1, cab_top)]
    builder.prism(
        crown,
        [half * 0.92, half * 1.0, half * 1.02, half * 0.92],
        colours=[darker(paint, 0.7), paint, paint, DARK],
        side=paint,
    )
    face = np.array(
        [
            [front + 0.35, half * 1.0, height],
            [front + 0.35, -half, height],
            [front - 0.1, -half * 0.92, cab_top],
            [front - 0.1, half * 0.92, cab_top],
        ]
    )
    lean = np.array([1.0, 0.0, -0.35]) / np.hypot(1.0, 0.35)
    builder.panel(
        face + lean * 0.012, lean, picture=paint_ornaments(look.seed + 9, darker(paint, 0.9), width=220, height=110)
    )
    return builder.build(SIZES_M["truck"])


def add_cab(builder: Builder, look: Look, *, frame: tuple[float, float, float, float]) -> None:
    """A lorry's cab: windscreen, doors, chrome bumper, lamps, plate."""
    rear, front, half, top = frame
    paint = look.colour
    profile = [(rear, 0.7), (rear, top), (front - 0.25, top), (front, 1.45), (front, 0.6)]
    builder.prism(
        profile, [half, half * 0.95, half * 0.95, half, half], colours=[paint, paint, paint, paint, DARK], side=paint
    )
    slope = np.array([top - 1.45, 0.0, 0.25])
    outward = slope / np.linalg.norm(slope)
    screen = np.array(
        [[front, half, 1.45], [front, -half, 1.45], [front - 0.25, -half * 0.95, top], [front - 0.25, half * 0.95, top]]
    )
    builder.decal(screen, (0.06, 0.94, 0.08, 0.84), outward=outward, colour=GLASS, role=Role.GLASS)
    nose = end_quad(front + 0.004, half, z0=0.6, z1=1.45, is_front=True)
    builder.decal(nose, (0.24, 0.76, 0.42, 0.92), outward=AHEAD, colour=(60, 170, 205))
    builder.decal(nose, (0.30, 0.70, 0.50, 0.84), outward=AHEAD, colour=(44, 44, 46))
    builder.decal(nose, (-0.02, 1.02, 0.0, 0.26), outward=AHEAD, colour=CHROME)
    end_lamps(builder, nose, role=Role.HEAD, low=0.46, high=0.74)
    fix_plate(builder, nose, look=look, v=0.14, outward=AHEAD)
    for sign in (1.0, -1.0):
        side = side_quad(rear, front, y=sign * half, z0=0.7, z1=top)
        builder.decal(side, (0.18, 0.80, 0.52, 0.88), outward=LEFT * sign, colour=GLASS, role=Role.GLASS)
        builder.decal(side, (0.10, 0.90, 0.30, 0.42), outward=LEFT * sign, colour=(60, 190, 225))
        builder.wheel(front - 1.0, sign * (half + 0.012), radius=0.5, hub=(70, 90, 180))


def build_motorbike(look: Look) -> Shape:
    """A small motorbike and who rides it, sometimes with a passenger."""
    paint = look.colour
    builder = Builder()
    builder.part(0, (0.0, 0.0, 0.3))
    for x in (0.62, -0.62):
        builder.box((x - 0.2, -0.05, 0.04), (x + 0.2, 0.05, 0.5), colour=(34, 34, 35))
        for sign in (1.0, -1.0):
            builder.wheel(x, sign * 0.055, radius=0.29, hub=(150, 154, 156))
    builder.rod((0.62, 0, 0.3), (0.42, 0, 0.92), radii=(0.04, 0.05), colour=CHROME)
    builder.rod((-0.62, 0, 0.3), (0.1, 0, 0.36), radii=(0.05, 0.12), colour=(70, 72, 74))
    builder.rod((0.0, -0.12, 0.32), (-0.75, -0.12, 0.34), radii=(0.045, 0.05), colour=CHROME)
    builder.part(1, (0.1, 0.0, 0.75))
    builder.rod((0.32, 0, 0.80), (0.0, 0, 0.76), radii=(0.14, 0.13), colour=paint)
    builder.rod((-0.02, 0, 0.78), (-0.66, 0, 0.80), radii=(0.12, 0.10), colour=(40, 40, 42))
    builder.rod((0.40, -0.34, 0.98), (0.40, 0.34, 0.98), radii=(0.03, 0.03), colour=(60, 60, 62))
    builder.box((0.46, -0.1, 0.76), (0.56, 0.1, 0.94), colour=(60, 60, 62))
    nose = end_quad(0.565, 0.1, z0=0.76, z1=0.94, is_front=True)
    builder.decal(nose, (0.1, 0.9, 0.1, 0.9), outward=AHEAD, colour=LENS, role=Role.HEAD)
    builder.lamp((0.6, 0.0, 0.85), (1.0, 0.0, 0.0), role=Role.HEAD)
    tail = end_quad(-0.80, 0.17, z0=0.44, z1=0.80, is_front=False)
    builder.face(tail, ASTERN, colour=(44, 44, 46))
    builder.decal(tail, (0.2, 0.8, 0.72, 0.98), outward=ASTERN, colour=RED_LENS, role=Role.TAIL)
    builder.lamp((-0.84, 0.0, 0.75), (-1.0, 0.0, 0.0), role=Role.TAIL)
    fix_small_plate(builder, look, tail=tail)
    wears = clothes(look)
    if look.is_parked:
        return builder.build(SIZES_M["motorbike"])
    add_rider(builder, wears, at=(-0.12, 0.0, 0.88), layer=2, has_helmet=look.seed % 3 == 0)
    if look.seed % 4 == 0:
        add_rider(
            builder, CLOTHES[(look.seed // 7) % len(CLOTHES)][1], at=(-0.55, 0.0, 0.92), layer=2, has_helmet=False
        )
    return builder.build(SIZES_M["motorbike"])


def fix_small_plate(builder: Builder, look: Look, *, tail: F64) -> None:
    """A motorbike's plate, narrower than a car's."""
    if look.plate is not None:
        fix_plate(
            builder,
            np.array([tail[0] * [1, 1.9, 1], tail[1] * [1, 1.9, 1], tail[2] * [1, 1.9, 1], tail[3] * [1, 1.9, 1]]),
            look=look,
            v=0.34,
            outward=ASTERN,
        )


def build_rickshaw(look: Look) -> Shape:
    """An auto-rickshaw: three wheels, a round nose, a cloth hood over driver and bench."""
    paint, hood = look.colour, (44.0, 46.0, 48.0)
    builder = Builder()
    builder.part(0, (0.0, 0.0, 0.1))
    builder.box((0.9, -0.06, 0.01), (1.2, 0.06, 0.42), colour=(32, 32, 33))
    for sign in (1, -1):
        y0, y1 = sorted((sign * 0.46, sign * 0.62))
        builder.box((-0.94, y0, 0.01), (-0.64, y1, 0.36), colour=(32, 32, 33))
    builder.part(1, (0.0, 0.0, 0.5))
    profile = [
        (-1.36, 0.30),
        (-1.36, 0.86),
        (-0.5, 0.80),
        (0.55, 0.62),
        (0.95, 0.98),
        (1.28, 0.72),
        (1.32, 0.40),
        (0.9, 0.26),
    ]
    widths = [0.64, 0.64, 0.65, 0.62, 0.50, 0.36, 0.30, 0.45]
    yellow: Bgr = (50, 190, 225)
    builder.prism(profile, widths, colours=[paint, paint, (58, 60, 62), paint, paint, paint, DARK, DARK], side=paint)
    for sign in (1.0, -1.0):
        side = side_quad(-1.36, 0.5, y=sign * 0.65, z0=0.30, z1=0.80)
        builder.decal(side, (0.02, 0.98, 0.50, 0.68), outward=LEFT * sign, colour=yellow)
        builder.wheel(-0.79, sign * 0.66, radius=0.24)
    nose = end_quad(1.325, 0.3, z0=0.40, z1=0.72, is_front=True)
    builder.decal(nose, (0.30, 0.70, 0.35, 0.95), outward=AHEAD, colour=LENS, role=Role.HEAD)
    builder.lamp((1.38, 0.0, 0.62), (1.0, 0.0, 0.0), role=Role.HEAD)
    tail = end_quad(-1.365, 0.64, z0=0.30, z1=0.86, is_front=False)
    end_lamps(builder, tail, role=Role.TAIL, low=0.35, high=0.65)
    fix_plate(builder, tail, look=look, v=0.35, outward=ASTERN)
    add_rider(builder, clothes(look), at=(0.15, 0.0, 0.72), layer=2, has_helmet=False)
    builder.part(4, (0.0, 0.0, 1.4))
    canopy = [(-1.34, 0.95), (-1.28, 1.55), (-1.0, 1.76), (0.35, 1.78), (0.68, 1.62), (0.55, 1.56), (-0.9, 1.5)]
    roof = [0.62, 0.60, 0.56, 0.56, 0.58, 0.58, 0.62]
    builder.prism(canopy, roof, colours=[hood, hood, hood, hood, hood, hood, hood], side=hood)
    back = end_quad(-1.33, 0.6, z0=0.95, z1=1.55, is_front=False)
    art = paint_ornaments(look.seed, (44, 46, 48), width=200, height=80)
    builder.panel(strip(back[[3, 2, 1, 0]], 0.2, low=0.95) + ASTERN * 0.02, ASTERN, picture=art)
    builder.part(4, (0.8, 0.0, 1.3))
    screen = np.array([[0.95, 0.50, 0.98], [0.95, -0.50, 0.98], [0.66, -0.56, 1.62], [0.66, 0.56, 1.62]])
    slope = np.array([0.64, 0.0, 0.29]) / np.hypot(0.64, 0.29)
    builder.face(screen, slope, colour=(104, 96, 86), role=Role.GLASS)
    for sign in (1, -1):
        builder.rod((0.95, 0.5 * sign, 0.98), (0.66, 0.56 * sign, 1.62), radii=(0.03, 0.03), colour=yellow)
        builder.rod((-0.55, 0.62 * sign, 0.85), (-0.5, 0.58 * sign, 1.58), radii=(0.03, 0.03), colour=(60, 60, 62))
    return builder.build(SIZES_M["rickshaw"])


def build_cart(look: Look) -> Shape:
    """A donkey cart: a flat bed on two wheels, sacks or crates, the driver in front."""
    wood = look.colour
    random = np.random.default_rng(look.seed)
    builder = Builder()
    builder.part(0, (-0.9, 0.0, 0.4))
    for sign in (1.0, -1.0):
        y0, y1 = sorted((sign * 0.70, sign * 0.80))
        builder.box((-1.32, y0, 0.04), (-0.78, y1, 0.86), colour=(40, 42, 44))
        builder.wheel(-1.05, sign * 0.81, radius=0.48, hub=(60, 96, 150))
    builder.part(1, (-1.0, 0.0, 0.85))
    builder.box((-2.25, -0.82, 0.74), (0.25, 0.82, 0.88), colour=wood)
    for sign in (1, -1):
        builder.rod((0.2, 0.42 * sign, 0.80), (1.75, 0.34 * sign, 0.82), radii=(0.045, 0.035), colour=darker(wood, 0.8))
    for i in range(5):
        builder.part(2, (-2.0 + 0.42 * i, 0.0, 1.1))
        for y in (-0.45, 0.1):
            sack: Bgr = ((128, 158, 176), (150, 170, 180), (110, 140, 160))[int(random.integers(3))]
            z = 1.06 + float(random.uniform(-0.03, 0.06))
            builder.rod((-2.0 + 0.42 * i, y, z), (-2.0 + 0.42 * i, y + 0.42, z), radii=(0.2, 0.19), colour=sack)
    add_rider(builder, clothes(look), at=(-0.05, 0.0, 1.0), layer=2, has_helmet=False)
    add_donkey(builder, 1.25)
    return builder.build(SIZES_M["cart"])

"""People (without faces) and animals, made of rods that swing with the stride."""

import numpy as np

from safecity.virtual.scenes.looks import SIZES_M, Look
from safecity.virtual.scenes.pixels import Bgr
from safecity.virtual.scenes.shapes import Builder, Shape

SKIN: Bgr = (96, 130, 168)
HAIR: Bgr = (34, 34, 38)
WRAPS: tuple[Bgr, ...] = ((60, 60, 62), (170, 178, 182), (80, 100, 126), (96, 92, 60))


def shade(colour: Bgr, factor: float) -> Bgr:
    """The colour made darker or lighter."""
    return (min(255, colour[0] * factor), min(255, colour[1] * factor), min(255, colour[2] * factor))


def build_person(look: Look) -> Shape:
    """Somebody walking: shalwar kameez, a waistcoat, a chador or a child's size, by the look's seed."""
    random = np.random.default_rng(look.seed)
    kind = int(random.integers(10))
    scale = 0.68 if kind == 9 else float(random.uniform(0.94, 1.04))
    builder = Builder()
    if kind in (6, 7, 8):
        add_veiled(builder, look.colour, k=scale)
    else:
        add_man(builder, look.colour, k=scale, has_waistcoat=kind in (0, 1), cap=kind % 4)
    return builder.build((0.5, 0.5, SIZES_M["person"][2] * scale))


def add_man(builder: Builder, colour: Bgr, *, k: float, has_waistcoat: bool, cap: int) -> None:
    """A man in shalwar kameez."""
    legs = shade(colour, 0.88)
    for sign in (1, -1):
        builder.part(0, (0.0, 0.1 * sign, 0.4))
        swing = 0.30 * k * sign
        builder.rod(
            (0, 0.09 * sign * k, 0.86 * k),
            (0, 0.10 * sign * k, 0.46 * k),
            radii=(0.11 * k, 0.10 * k),
            colour=legs,
            swings=(0.0, swing * 0.55),
        )
        builder.rod(
            (0, 0.10 * sign * k, 0.46 * k),
            (0, 0.10 * sign * k, 0.10 * k),
            radii=(0.095 * k, 0.075 * k),
            colour=legs,
            swings=(swing * 0.55, swing),
        )
        builder.rod(
            (-0.02, 0.10 * sign * k, 0.05 * k),
            (0.13 * k, 0.10 * sign * k, 0.04 * k),
            radii=(0.045 * k, 0.04 * k),
            colour=(46, 52, 60),
            swings=(swing, swing),
        )
    builder.part(1, (0.0, 0.0, 1.0))
    builder.rod((0, 0, 0.58 * k), (0, 0, 1.0 * k), radii=(0.20 * k, 0.17 * k), colour=colour)
    builder.rod((0, 0, 1.0 * k), (0, 0, 1.34 * k), radii=(0.17 * k, 0.175 * k), colour=colour)
    builder.rod((0, -0.12 * k, 1.37 * k), (0, 0.12 * k, 1.37 * k), radii=(0.085 * k, 0.085 * k), colour=colour)
    if has_waistcoat:
        builder.rod((0, 0, 0.95 * k), (0, 0, 1.34 * k), radii=(0.185 * k, 0.185 * k), colour=(58, 60, 66))
    add_arms(builder, colour, k=k)
    builder.part(3, (0.0, 0.0, 1.6))
    builder.rod((0, 0, 1.44 * k), (0.01, 0, 1.50 * k), radii=(0.055 * k, 0.055 * k), colour=SKIN)
    builder.rod((0.012 * k, 0, 1.555 * k), (0.012 * k, 0, 1.60 * k), radii=(0.092 * k, 0.096 * k), colour=SKIN)
    head: Bgr = (HAIR, (206, 210, 212), HAIR, (70, 92, 118))[cap]
    builder.rod((-0.02 * k, 0, 1.605 * k), (-0.012 * k, 0, 1.645 * k), radii=(0.098 * k, 0.085 * k), colour=head)


def add_arms(builder: Builder, colour: Bgr, *, k: float) -> None:
    """Arms that swing against the legs."""
    for sign in (1, -1):
        builder.part(1, (0.0, 0.3 * sign, 1.0))
        swing = -0.22 * k * sign
        builder.rod(
            (0, 0.20 * sign * k, 1.37 * k),
            (0, 0.245 * sign * k, 1.08 * k),
            radii=(0.065 * k, 0.055 * k),
            colour=shade(colour, 0.95),
            swings=(0, swing * 0.5),
        )
        builder.rod(
            (0, 0.245 * sign * k, 1.08 * k),
            (0.05 * k, 0.24 * sign * k, 0.84 * k),
            radii=(0.055 * k, 0.05 * k),
            colour=shade(colour, 0.95),
            swings=(swing * 0.5, swing),
        )
        builder.rod(
            (0.05 * k, 0.24 * sign * k, 0.82 * k),
            (0.06 * k, 0.24 * sign * k, 0.77 * k),
            radii=(0.042 * k, 0.04 * k),
            colour=SKIN,
            swings=(swing, swing),
        )


def add_veiled(builder: Builder, colour: Bgr, *, k: float) -> None:
    """Somebody under a chador: one soft outline, feet showing."""
    for sign in (1, -1):
        builder.part(0, (0.0, 0.1 * sign, 0.1))
        swing = 0.2 * k * sign
        builder.rod(
            (-0.02, 0.09 * sign * k, 0.05 * k),
            (0.12 * k, 0.09 * sign * k, 0.04 * k),
            radii=(0.045 * k, 0.04 * k),
            colour=(42, 44, 50),
            swings=(swing, swing),
        )
    builder.part(1, (0.0, 0.0, 0.8))
    builder.rod((0, 0, 0.24 * k), (0, 0, 0.9 * k), radii=(0.235 * k, 0.19 * k), colour=colour)
    builder.rod((0, 0, 0.9 * k), (0, 0, 1.27 * k), radii=(0.195 * k, 0.20 * k), colour=shade(colour, 0.97))
    builder.rod((0, 0, 1.27 * k), (0, 0, 1.42 * k), radii=(0.19 * k, 0.11 * k), colour=shade(colour, 0.94))
    builder.part(3, (0.0, 0.0, 1.5))
    builder.rod((-0.01, 0, 1.46 * k), (0, 0, 1.54 * k), radii=(0.115 * k, 0.112 * k), colour=shade(colour, 0.92))
    builder.rod((0.055 * k, 0, 1.50 * k), (0.055 * k, 0, 1.53 * k), radii=(0.066 * k, 0.066 * k), colour=SKIN)


def add_rider(builder: Builder, colour: Bgr, *, at: tuple[float, float, float], layer: int, has_helmet: bool) -> None:
    """Somebody who sits astride or on a seat: `at` is where the hips are."""
    x, y, z = at
    builder.part(layer, (x, y, z + 0.3))
    for sign in (1, -1):
        builder.rod(
            (x, y + 0.10 * sign, z),
            (x + 0.38, y + 0.19 * sign, z - 0.06),
            radii=(0.10, 0.085),
            colour=shade(colour, 0.88),
        )
        builder.rod(
            (x + 0.38, y + 0.19 * sign, z - 0.06),
            (x + 0.22, y + 0.17 * sign, z - 0.44),
            radii=(0.08, 0.06),
            colour=shade(colour, 0.88),
        )
    builder.rod((x - 0.02, y, z), (x + 0.05, y, z + 0.52), radii=(0.18, 0.185), colour=colour)
    for sign in (1, -1):
        builder.rod(
            (x + 0.05, y + 0.20 * sign, z + 0.52),
            (x + 0.34, y + 0.27 * sign, z + 0.30),
            radii=(0.065, 0.05),
            colour=shade(colour, 0.94),
        )
        builder.rod(
            (x + 0.34, y + 0.27 * sign, z + 0.30),
            (x + 0.56, y + 0.25 * sign, z + 0.30),
            radii=(0.05, 0.042),
            colour=shade(colour, 0.94),
        )
    builder.part(layer + 1, (x, y, z + 0.8))
    if has_helmet:
        builder.rod(
            (x + 0.09, y, z + 0.76),
            (x + 0.08, y, z + 0.82),
            radii=(0.135, 0.13),
            colour=(50, 48, 130) if colour[0] < 120 else (50, 50, 52),
        )
    else:
        builder.rod((x + 0.10, y, z + 0.74), (x + 0.10, y, z + 0.80), radii=(0.095, 0.097), colour=SKIN)
        builder.rod((x + 0.07, y, z + 0.81), (x + 0.08, y, z + 0.84), radii=(0.098, 0.088), colour=HAIR)


def add_donkey(builder: Builder, x: float) -> None:
    """A donkey between the shafts; `x` is the middle of its back."""
    coat: Bgr = (104, 112, 120)
    for dx in (0.45, -0.42):
        for sign in (1, -1):
            builder.part(0, (x + dx, 0.15 * sign, 0.3))
            swing = 0.20 * sign * (1 if dx > 0 else -1)
            builder.rod(
                (x + dx, 0.13 * sign, 0.72),
                (x + dx, 0.13 * sign, 0.38),
                radii=(0.095, 0.06),
                colour=shade(coat, 0.85),
                swings=(0, swing * 0.5),
            )
            builder.rod(
                (x + dx, 0.13 * sign, 0.38),
                (x + dx, 0.13 * sign, 0.04),
                radii=(0.055, 0.045),
                colour=shade(coat, 0.75),
                swings=(swing * 0.5, swing),
            )
    builder.part(1, (x, 0.0, 0.9))
    builder.rod((x - 0.48, 0, 0.86), (x + 0.46, 0, 0.88), radii=(0.23, 0.22), colour=coat)
    builder.rod((x - 0.66, 0, 0.9), (x - 0.74, 0, 0.5), radii=(0.035, 0.045), colour=shade(coat, 0.6))
    builder.part(2, (x + 0.8, 0.0, 1.1))
    builder.rod((x + 0.52, 0, 0.98), (x + 0.82, 0, 1.26), radii=(0.17, 0.12), colour=coat)
    builder.rod((x + 0.82, 0, 1.28), (x + 1.14, 0, 1.10), radii=(0.115, 0.075), colour=shade(coat, 1.05))
    builder.rod((x + 1.13, 0, 1.10), (x + 1.17, 0, 1.08), radii=(0.075, 0.07), colour=(150, 158, 164))
    for sign in (1, -1):
        builder.rod(
            (x + 0.80, 0.06 * sign, 1.36), (x + 0.74, 0.11 * sign, 1.58), radii=(0.045, 0.022), colour=shade(coat, 0.8)
        )

"""Painted things on vehicles: number plates, and the flowers and diamonds of the region's lorries and buses."""

import cv2
import numpy as np

from safecity.virtual.scenes.facades import FONT
from safecity.virtual.scenes.pixels import U8, Bgr

PLATE_PX = (208, 64)
"""Width and height of a plate's picture."""
PLATE_M = (0.56, 0.172)
BRIGHT: tuple[Bgr, ...] = (
    (40, 40, 205), (40, 190, 235), (60, 150, 50), (190, 90, 40), (50, 110, 230), (200, 200, 205), (150, 50, 140),
)  # fmt: skip


def paint_plate(text: str, *, is_yellow: bool) -> U8:
    """A number plate: dark letters on white or yellow within a thin border."""
    width, height = PLATE_PX
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = (70, 205, 235) if is_yellow else (228, 232, 232)
    cv2.rectangle(picture, (1, 1), (width - 2, height - 2), (60, 60, 60), 2)
    size = 44
    wide = int(cv2.getTextSize((0, 0), text, (0, 0), FONT, size, 700)[2])
    if wide > width - 14:
        size = int(size * (width - 14) / wide)
        wide = int(cv2.getTextSize((0, 0), text, (0, 0), FONT, size, 700)[2])
    cv2.putText(picture, text, ((width - wide) // 2, round(height / 2 + 0.36 * size)), (20, 20, 20), FONT, size, 700)
    return picture


def paint_ornaments(seed: int, ground: Bgr, *, width: int, height: int) -> U8:
    """A painted panel: a border of triangles, rows of diamonds, flowers, a landscape or a large rosette."""
    random = np.random.default_rng(seed)
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = np.array(ground, np.uint8)
    cells = max(1, round(width / height))
    cell = width // cells
    for i in range(cells):
        x0 = i * cell
        inner = BRIGHT[int(random.integers(len(BRIGHT)))]
        cv2.rectangle(picture, (x0 + 4, 8), (x0 + cell - 5, height - 9), inner, -1)
        cv2.rectangle(picture, (x0 + 4, 8), (x0 + cell - 5, height - 9), (40, 190, 235), 2)
        centre = (x0 + cell // 2, height // 2)
        kind = int(random.integers(3))
        if kind == 0:
            paint_rosette(picture, random, centre=centre, radius=height // 2 - 14)
        elif kind == 1:
            paint_diamonds(picture, random, area=(x0 + 8, 12, cell - 16, height - 24))
        else:
            paint_landscape(picture, random, area=(x0 + 8, 12, cell - 16, height - 24))
    for x in range(0, width, 10):
        for y, tip in ((0, 7), (height - 1, height - 8)):
            colour = BRIGHT[(x // 10) % len(BRIGHT)]
            cv2.fillConvexPoly(picture, np.array([[x, y], [x + 9, y], [x + 5, tip]], np.int32), colour, cv2.LINE_AA)
    return picture


def paint_rosette(picture: U8, random: np.random.Generator, *, centre: tuple[int, int], radius: int) -> None:
    """Rings of petals."""
    for ring in range(3):
        r = radius * (1 - 0.3 * ring)
        colour = BRIGHT[int(random.integers(len(BRIGHT)))]
        petals = 12 - 2 * ring
        for k in range(petals):
            angle = 2 * np.pi * k / petals
            spot = (round(centre[0] + 0.66 * r * np.cos(angle)), round(centre[1] + 0.66 * r * np.sin(angle)))
            axes = (max(1, round(0.34 * r)), max(1, round(0.15 * r)))
            cv2.ellipse(picture, spot, axes, float(np.degrees(angle)), 0, 360, colour, -1, cv2.LINE_AA)
    cv2.circle(picture, centre, max(1, radius // 5), (60, 210, 240), -1, cv2.LINE_AA)


def paint_diamonds(picture: U8, random: np.random.Generator, *, area: tuple[int, int, int, int]) -> None:
    """A lattice of diamonds in two colours."""
    x0, y0, width, height = area
    first, second = (BRIGHT[int(i)] for i in random.integers(len(BRIGHT), size=2))
    step = max(8, height // 4)
    for row in range(height // step):
        for column in range(width // step):
            x, y = x0 + column * step + step // 2, y0 + row * step + step // 2
            half = step // 2 - 1
            shape = np.array([[x - half, y], [x, y - half], [x + half, y], [x, y + half]], np.int32)
            cv2.fillConvexPoly(picture, shape, first if (row + column) % 2 else second, cv2.LINE_AA)


def paint_landscape(picture: U8, random: np.random.Generator, *, area: tuple[int, int, int, int]) -> None:
    """Sky, mountains, a lake."""
    x0, y0, width, height = area
    view = picture[y0 : y0 + height, x0 : x0 + width]
    view[:] = (220, 180, 110)
    horizon = round(height * 0.6)
    for k in range(3):
        x = round(width * (0.2 + 0.3 * k))
        peak = round(height * float(random.uniform(0.12, 0.3)))
        cv2.fillConvexPoly(
            view,
            np.array([[x - width // 4, horizon], [x, peak], [x + width // 4, horizon]], np.int32),
            (110, 120, 140),
            cv2.LINE_AA,
        )
        cv2.fillConvexPoly(
            view,
            np.array(
                [[x - width // 16, peak + height // 8], [x, peak], [x + width // 16, peak + height // 8]], np.int32
            ),
            (235, 235, 235),
            cv2.LINE_AA,
        )
    view[horizon:] = (170, 130, 50)
    view[round(height * 0.85) :] = (60, 140, 60)

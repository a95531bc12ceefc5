"""Fronts of houses, one bay at a time: a shop with its shutter or its goods, a signboard, windows above."""

from dataclasses import dataclass

import cv2
import numpy as np

from safecity.virtual.scenes.pixels import F64, U8, Bgr, cloud, u8

STOREY_M = 3.3
PARAPET_M = 0.9
WALLS: tuple[Bgr, ...] = (
    (150, 184, 208), (168, 196, 212), (140, 170, 196), (176, 196, 200), (158, 188, 184), (128, 158, 190),
    (182, 204, 214), (150, 172, 178), (120, 150, 186), (170, 182, 190),
)  # fmt: skip
SHUTTERS: tuple[Bgr, ...] = (
    (150, 96, 44), (112, 124, 40), (74, 112, 46), (52, 52, 138), (118, 118, 116), (60, 132, 178),
    (146, 132, 70), (86, 70, 60), (52, 92, 150),
)  # fmt: skip
SIGNS: tuple[Bgr, ...] = (
    (40, 120, 30), (150, 60, 30), (40, 40, 170), (40, 160, 200), (120, 90, 30), (60, 60, 60), (190, 190, 190),
    (130, 40, 90),
)  # fmt: skip
NAMES = (
    "ZARGHOON CLOTH", "CHILTAN TRADERS", "SHALKOT MOTORS", "HANNA TAILORS", "BOLAN PHARMACY", "URAK DRY FRUIT",
    "SARIAB TYRES", "KOH-E-MURDAR", "LIAQAT STORE", "JINNAH BOOKS", "ZIARAT HONEY", "TEA HOUSE", "MOBILE ZONE",
    "PISHIN CARPETS", "AUTO PARTS", "SUPER BAKERS", "KABAB CENTRE", "CITY OPTICS", "SHOES", "GENERAL STORE",
)  # fmt: skip
FONT = cv2.FontFace("sans")


@dataclass(slots=True, kw_only=True)
class Bay:
    """A bay being painted: albedo and own light, `scale` pixels to the metre, rows counted from the top."""

    albedo: U8
    own_light: U8
    scale: float
    height_m: float

    def rectangle(
        self, x0_m: float, x1_m: float, *, low_m: float, high_m: float, colour: Bgr, glow: Bgr | None = None
    ) -> None:
        """Fill a rectangle given in metres from the bay's left and from the ground."""
        low = round((self.height_m - low_m) * self.scale)
        high = round((self.height_m - high_m) * self.scale)
        left, right = round(x0_m * self.scale), round(x1_m * self.scale)
        if low <= high or right <= left:
            return
        cv2.rectangle(self.albedo, (left, high), (right - 1, low - 1), colour, -1)
        if glow is not None:
            cv2.rectangle(self.own_light, (left, high), (right - 1, low - 1), glow, -1)


def shaded(colour: Bgr, factor: float) -> Bgr:
    """The colour made darker or lighter."""
    return (min(255.0, colour[0] * factor), min(255.0, colour[1] * factor), min(255.0, colour[2] * factor))


def pick(random: np.random.Generator, colours: tuple[Bgr, ...]) -> Bgr:
    """One of the colours."""
    return colours[int(random.integers(len(colours)))]


def paint_bay(
    random: np.random.Generator, *, width_m: float, storeys: int, wall: Bgr, scale: float
) -> tuple[Bay, bool]:
    """A bay of a house, and whether its shop is open (and so lit in the dark)."""
    height = storeys * STOREY_M + PARAPET_M
    shape = (max(2, round(height * scale)), max(2, round(width_m * scale)))
    bay = Bay(
        albedo=np.empty((*shape, 3), np.uint8), own_light=np.zeros((*shape, 3), np.uint8), scale=scale, height_m=height
    )
    bay.albedo[:] = u8(np.array(wall))
    is_open = bool(random.random() < 0.52)
    for storey in range(1, storeys):
        paint_window(bay, random, width_m=width_m, floor_m=storey * STOREY_M, wall=wall)
    paint_shop(bay, random, width_m=width_m, is_open=is_open)
    weather(bay, random)
    bay.rectangle(0, width_m, low_m=height - 0.16, high_m=height, colour=shaded(wall, 1.12))
    bay.rectangle(0, width_m, low_m=height - 0.30, high_m=height - 0.16, colour=shaded(wall, 0.72))
    return bay, is_open


def weather(bay: Bay, random: np.random.Generator) -> None:
    """Dirt that runs down the plaster and gathers at the foot."""
    rows, columns = bay.albedo.shape[:2]
    grid = (
        cloud(random, (32, 64), cells=(2, 16), octaves=3) * 0.5 + cloud(random, (32, 64), cells=(3, 3), octaves=4) * 0.6
    )
    stains = cv2.resize(grid, (columns, rows), interpolation=cv2.INTER_LINEAR)
    foot = np.clip(1 - np.arange(rows)[::-1] / max(1.0, 0.8 * bay.scale), 0, 1)[:, None] * 0.18
    factor = (1 + 0.10 * stains - foot).astype(np.float32)
    bay.albedo[:] = u8(bay.albedo * factor[..., None])


def paint_window(bay: Bay, random: np.random.Generator, *, width_m: float, floor_m: float, wall: Bgr) -> None:
    """An upper storey: a window with frame and sill, or a balcony door; some are lit at night; some have a cooler."""
    lit = random.random() < 0.30
    warm: Bgr = (96, 170, 220) if random.random() < 0.7 else (200, 214, 214)
    glow = shaded(warm, float(random.uniform(0.5, 0.95))) if lit else None
    glass: Bgr = (74, 64, 54)
    if random.random() < 0.28:
        bay.rectangle(0.25, width_m - 0.25, low_m=floor_m + 0.1, high_m=floor_m + 2.5, colour=shaded(wall, 0.5))
        bay.rectangle(
            width_m / 2 - 0.5,
            width_m / 2 + 0.5,
            low_m=floor_m + 0.1,
            high_m=floor_m + 2.2,
            colour=(60, 78, 96),
            glow=glow,
        )
        rail = pick(random, SHUTTERS)
        bay.rectangle(0.1, width_m - 0.1, low_m=floor_m + 0.95, high_m=floor_m + 1.05, colour=rail)
        for x in np.arange(0.15, width_m - 0.1, 0.22):
            bay.rectangle(float(x), float(x) + 0.07, low_m=floor_m, high_m=floor_m + 1.0, colour=rail)
        return
    count = 1 if width_m < 3.2 or random.random() < 0.5 else 2
    for i in range(count):
        middle = width_m * (i + 0.5) / count
        half = 0.55 if count == 2 else 0.75
        low, high = floor_m + 0.95, floor_m + 2.35
        bay.rectangle(
            middle - half - 0.12, middle + half + 0.12, low_m=low - 0.1, high_m=high + 0.12, colour=shaded(wall, 1.16)
        )
        bay.rectangle(
            middle - half,
            middle + half,
            low_m=low,
            high_m=high,
            colour=glass,
            glow=glow if random.random() < 0.7 else None,
        )
        bay.rectangle(middle - half, middle + half, low_m=high - 0.25, high_m=high, colour=shaded(glass, 0.6))
        bay.rectangle(middle - 0.04, middle + 0.04, low_m=low, high_m=high, colour=(120, 130, 138))
        bay.rectangle(middle - half, middle + half, low_m=low + 0.85, high_m=low + 0.92, colour=(120, 130, 138))
        bay.rectangle(
            middle - half - 0.2, middle + half + 0.2, low_m=high + 0.12, high_m=high + 0.24, colour=shaded(wall, 0.8)
        )
        if random.random() < 0.22:
            bay.rectangle(middle - 0.42, middle + 0.42, low_m=low - 0.72, high_m=low - 0.12, colour=(188, 192, 192))
            bay.rectangle(middle - 0.34, middle + 0.10, low_m=low - 0.64, high_m=low - 0.2, colour=(120, 124, 124))


def paint_shop(bay: Bay, random: np.random.Generator, *, width_m: float, is_open: bool) -> None:
    """The ground floor: shutter or shop, signboard above."""
    pillar = 0.18
    left, right, top = pillar, width_m - pillar, 2.45
    colour = pick(random, SHUTTERS)
    if is_open:
        shine: Bgr = (210, 226, 226) if random.random() < 0.6 else (140, 200, 240)
        bay.rectangle(left, right, low_m=0.12, high_m=top, colour=(46, 52, 58), glow=shaded(shine, 0.24))
        bay.rectangle(left, right, low_m=top - 0.42, high_m=top, colour=(60, 68, 74), glow=shaded(shine, 0.72))
        stack_goods(bay, random, left=left, right=right, shine=shine)
        bay.rectangle(left, right, low_m=top - 0.16, high_m=top, colour=colour)
    else:
        bay.rectangle(left, right, low_m=0.08, high_m=top, colour=colour)
        step = max(0.09, 1.6 / bay.scale)
        for z in np.arange(0.12, top - 0.05, step):
            bay.rectangle(left, right, low_m=float(z), high_m=float(z) + step * 0.42, colour=shaded(colour, 0.78))
        bay.rectangle(left, right, low_m=0.06, high_m=0.16, colour=shaded(colour, 0.55))
    paint_sign(bay, random, width_m=width_m, low_m=top + 0.1, is_open=is_open)


def stack_goods(bay: Bay, random: np.random.Generator, *, left: float, right: float, shine: Bgr) -> None:
    """What a shop shows: boxes on shelves, hanging cloth, or a counter before a dim wall."""
    kind = int(random.integers(3))
    if kind == 0:
        rows = [(0.2, 0.42), (0.78, 0.40), (1.34, 0.42)]
        widths, gap = (0.3, 0.75), 0.04
    elif kind == 1:
        rows, widths, gap = [(0.55, 1.4)], (0.34, 0.62), 0.07
    else:
        rows, widths, gap = [(1.15, 0.25), (1.6, 0.22)], (0.16, 0.34), 0.22
        front = random.uniform(40, 120, 3)
        bay.rectangle(left + 0.1, right - 0.1, low_m=0.12, high_m=0.95, colour=as_colour(front))
    for low, tall in rows:
        x = left + 0.12
        while x < right - 0.3:
            wide = float(random.uniform(*widths))
            tone = float(random.uniform(50, 110))
            goods = as_colour(tone * np.array((0.82, 0.9, 0.98)) + random.uniform(-12, 34, 3))
            high = low + tall * float(random.uniform(0.7, 1.0))
            glow = (goods[0] * shine[0] / 190, goods[1] * shine[1] / 190, goods[2] * shine[2] / 190)
            bay.rectangle(x, min(right - 0.1, x + wide), low_m=low, high_m=high, colour=goods, glow=glow)
            x += wide + gap * float(random.uniform(0.5, 1.5))


def as_colour(values: F64) -> Bgr:
    """Three numbers as a colour."""
    return float(values[0]), float(values[1]), float(values[2])


def paint_sign(bay: Bay, random: np.random.Generator, *, width_m: float, low_m: float, is_open: bool) -> None:
    """The signboard over a shop, with a name in Latin letters."""
    colour = pick(random, SIGNS)
    high = low_m + 0.72
    is_bright = sum(colour) > 420
    shines = is_open and random.random() < 0.65
    bay.rectangle(
        0.06, width_m - 0.06, low_m=low_m, high_m=high, colour=colour, glow=shaded(colour, 0.75) if shines else None
    )
    ink: Bgr = (40, 40, 150) if is_bright else ((225, 235, 235) if random.random() < 0.7 else (90, 220, 240))
    name = NAMES[int(random.integers(len(NAMES)))]
    size = int(min(0.46, (width_m - 0.4) / (0.66 * len(name))) * bay.scale)
    if size < 5:
        return
    place = (round(0.22 * bay.scale), round((bay.height_m - low_m - 0.18) * bay.scale))
    cv2.putText(bay.albedo, name, place, ink, FONT, size, 700)
    if shines:
        cv2.putText(bay.own_light, name, place, shaded(ink, 0.95), FONT, size, 700)

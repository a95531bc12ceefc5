"""Parts that every street shares: carriageways, footpaths, kerbs, crosswalks, rows of houses, lamps, wires, trees."""

import itertools
import math

import numpy as np

from safecity.virtual.scenes.model import RoadUser
from safecity.virtual.scenes.paths import Path
from safecity.virtual.scenes.pixels import Bgr
from safecity.virtual.scenes.plan import (
    Building,
    Kerb,
    Mark,
    Patch,
    Pole,
    StreetPlan,
    Surface,
    Tree,
    Wire,
)

ASPHALT: Bgr = (106, 107, 108)
WORN_ASPHALT: Bgr = (112, 116, 119)
PAVING: Bgr = (142, 156, 166)
TILES: Bgr = (128, 144, 158)
EARTH: Bgr = (124, 150, 168)
WHITE_PAINT: Bgr = (206, 210, 212)
YELLOW_PAINT: Bgr = (82, 176, 208)
BLACK_WHITE: tuple[Bgr, Bgr] = ((188, 192, 194), (48, 48, 50))
BLACK_YELLOW: tuple[Bgr, Bgr] = ((60, 172, 208), (48, 48, 50))

FAST_LANE = {RoadUser.CAR: 0.74, RoadUser.MOTORBIKE: 0.14, RoadUser.BUS: 0.05, RoadUser.TRUCK: 0.07}
SLOW_LANE = {
    RoadUser.CAR: 0.38,
    RoadUser.MOTORBIKE: 0.27,
    RoadUser.RICKSHAW: 0.19,
    RoadUser.BUS: 0.09,
    RoadUser.TRUCK: 0.07,
}
MARKET_LANE = {
    RoadUser.CAR: 0.30,
    RoadUser.MOTORBIKE: 0.37,
    RoadUser.RICKSHAW: 0.24,
    RoadUser.CART: 0.04,
    RoadUser.TRUCK: 0.03,
}


def lay_band(
    plan: StreetPlan,
    path: Path,
    *,
    between_m: tuple[float, float],
    surface: Surface,
    colour: Bgr,
    height_m: float = 0.0,
) -> None:
    """Cover the band between two offsets of a path, the left one first."""
    plan.patches += [
        Patch(outline=quad, surface=surface, colour=colour, height_m=height_m)
        for quad in path.ribbon(between_m[0], between_m[1], step_m=8.0)
    ]


def paint_dashes(plan: StreetPlan, path: Path, *, offset_m: float, dash_m: float = 3.0, gap_m: float = 5.0) -> None:
    """A dashed line along a path; without a gap, an unbroken one."""
    s = 0.0
    while s + dash_m <= path.length_m:
        for quad in path.cut(s, s + dash_m).ribbon(offset_m + 0.07, offset_m - 0.07, step_m=dash_m):
            plan.patches.append(Patch(outline=quad, surface=Surface.PAINT, colour=WHITE_PAINT))
        s += dash_m + gap_m


def paint_edge(
    plan: StreetPlan, path: Path, *, offset_m: float, colour: Bgr = WHITE_PAINT, width_m: float = 0.13
) -> None:
    """An unbroken line along a path."""
    plan.patches += [
        Patch(outline=quad, surface=Surface.PAINT, colour=colour)
        for quad in path.ribbon(offset_m + width_m / 2, offset_m - width_m / 2, step_m=6.0)
    ]


def paint_zebra(plan: StreetPlan, path: Path, *, left_m: float, right_m: float) -> None:
    """A zebra over the band between two offsets, as long as the path."""
    offset = right_m + 0.45
    while offset + 0.45 <= left_m:
        for quad in path.ribbon(offset + 0.45, offset, step_m=10.0):
            plan.patches.append(Patch(outline=quad, surface=Surface.PAINT, colour=(186, 192, 196)))
        offset += 0.95


def paint_stop_line(plan: StreetPlan, path: Path, *, s_m: float, left_m: float, right_m: float) -> None:
    """A bar across the lanes where vehicles wait."""
    for quad in path.cut(s_m, s_m + 0.4).ribbon(left_m, right_m, step_m=1.0):
        plan.patches.append(Patch(outline=quad, surface=Surface.PAINT, colour=WHITE_PAINT))


def lay_footpath(
    plan: StreetPlan, path: Path, *, width_m: float, colours: tuple[Bgr, Bgr] = BLACK_YELLOW, colour: Bgr = PAVING
) -> None:
    """A raised footpath on the path's left with its painted kerb along the path."""
    lay_band(plan, path, between_m=(width_m, 0.0), surface=Surface.TILES, colour=colour, height_m=0.16)
    plan.kerbs.append(Kerb(path=path, height_m=0.16, colours=colours))


def raise_houses(
    plan: StreetPlan, path: Path, *, random: np.random.Generator, storeys: tuple[int, int], awnings: float = 0.25
) -> None:
    """A row of houses whose fronts stand on the path, the street on its right; now and then a gap."""
    s = float(random.uniform(0.0, 1.0))
    while s < path.length_m - 4.5:
        width = min(float(random.uniform(5.5, 11.5)), path.length_m - s)
        x, y, _ = path.at(s)
        end_x, end_y, _ = path.at(s + width)
        plan.buildings.append(
            Building(
                corner=(x, y),
                heading=math.atan2(end_y - y, end_x - x),
                width_m=math.hypot(end_x - x, end_y - y),
                depth_m=float(random.uniform(8.0, 13.0)),
                storeys=int(random.integers(storeys[0], storeys[1] + 1)),
                seed=int(random.integers(1 << 30)),
                awnings=awnings,
            )
        )
        s += width + (float(random.uniform(1.2, 3.0)) if random.random() < 0.14 else 0.02)


def plant_trees(
    plan: StreetPlan, path: Path, *, random: np.random.Generator, every_m: float, kinds: tuple[str, ...]
) -> None:
    """Trees along a path at irregular steps."""
    s = float(random.uniform(0.2, 0.8)) * every_m
    while s < path.length_m:
        x, y, _ = path.at(s, float(random.uniform(-0.3, 0.3)))
        kind = kinds[int(random.integers(len(kinds)))]
        height = {"plane": 6.5, "pine": 8.0, "poplar": 10.5, "shrub": 1.3}[kind] * float(random.uniform(0.75, 1.2))
        plan.trees.append(Tree(x_m=x, y_m=y, height_m=height, kind=kind, seed=int(random.integers(1 << 30))))
        s += every_m * float(random.uniform(0.75, 1.35))


def hang_wires(
    plan: StreetPlan, path: Path, *, every_m: float, first_m: float, height_m: float = 8.2, strands: int = 4
) -> None:
    """Utility poles along a path with wires from one to the next."""
    stations = np.arange(first_m, path.length_m, every_m)
    places = [path.at(float(s))[:2] for s in stations]
    for x, y in places:
        plan.poles.append(Pole(x_m=x, y_m=y, height_m=height_m))
    for (x0, y0), (x1, y1) in itertools.pairwise(places):
        wire = Wire(start=(x0, y0, height_m - 0.3), end=(x1, y1, height_m - 0.3), sag_m=0.7, strands=strands)
        plan.wires.append(wire)


def stand_lamps(
    plan: StreetPlan, path: Path, *, every_m: float, first_m: float, to_left: bool, height_m: float = 8.5
) -> None:
    """Street lamps along a path, their arms to its left or right."""
    for s in np.arange(first_m, path.length_m, every_m):
        x, y, heading = path.at(float(s))
        turn = math.pi / 2 if to_left else -math.pi / 2
        plan.poles.append(Pole(x_m=x, y_m=y, height_m=height_m, heading=heading + turn, arm_m=2.0))


def mark_line(plan: StreetPlan, name: str, *, from_xy: tuple[float, float], to_xy: tuple[float, float]) -> None:
    """Name a counting line; legal traffic should cross it forward."""
    plan.lines.append(Mark(name=name, outline=(from_xy, to_xy)))


def mark_zone(plan: StreetPlan, name: str, *, x0_m: float, y0_m: float, x1_m: float, y1_m: float) -> Mark:
    """Name a rectangle of ground; returns it."""
    zone = Mark(name=name, outline=((x0_m, y0_m), (x1_m, y0_m), (x1_m, y1_m), (x0_m, y1_m)))
    plan.zones.append(zone)
    return zone

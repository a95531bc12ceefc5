"""The invented road net: highways and a ring by hand, arterials between them, and a bent grid in each district."""

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from safecity.virtual.quetta.names import CENTRE_ROADS, KUCHLAK_KM, MAJOR_ROADS, OUTLINE_KM, QUARTERS, Quarter
from safecity.virtual.quetta.plane import (
    XY,
    Octave,
    Path,
    cut,
    dense,
    distance_to_m,
    holds,
    length_m,
    meeting_points,
    spline,
    warp,
)

SEED = 1935
COLLECTOR_EVERY = 4
"""Each so-many-th line of a district's grid is a collector road, which has no holes."""
STREET_SHORTEST_M = 120.0
BORDER_STEP_M = 350.0
FRAY = Octave(seed=5, spacing_m=900.0, amplitude_m=420.0)
"""How deep the unbuilt ground cuts into the town from its outline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """A drawn road; streets carry no name."""

    code: str
    name: str | None
    name_ur: str | None
    road_class: str
    path: tuple[XY, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """A district with its border, both as drawn (`border`) and before the bending (`plain`)."""

    quarter: Quarter
    border: tuple[XY, ...]
    plain: tuple[XY, ...]


def to_m(point_km: XY) -> XY:
    """Kilometres to metres."""
    return point_km[0] * 1000, point_km[1] * 1000


def draw_districts() -> list[District]:
    """Each point of the valley belongs to the nearest district's middle; borders are then bent like all else."""
    districts: list[District] = []
    for quarter in QUARTERS:
        outline = KUCHLAK_KM if quarter.code == "KUCHLAK" else OUTLINE_KM
        plain: Path = [to_m(p) for p in outline]
        for other in QUARTERS:
            if other is not quarter:
                plain = cut(plain, keep=to_m(quarter.at_km), drop=to_m(other.at_km))
        border = tuple(warp(p) for p in dense(plain, BORDER_STEP_M))
        districts.append(District(quarter=quarter, border=border, plain=tuple(plain)))
    return districts


def draw_major_roads() -> list[Road]:
    """The named roads between and through the districts."""
    return [
        Road(
            code=f"R-{road.code}",
            name=road.name,
            name_ur=road.name_ur,
            road_class=road.road_class,
            path=tuple(warp(p) for p in spline([to_m(p) for p in road.through_km])),
        )
        for road in MAJOR_ROADS
    ]


def draw_minor_roads(districts: Sequence[District]) -> list[Road]:
    """Collector roads and streets of all districts."""
    roads = list(_draw_border_roads(districts))
    for district in districts:
        roads.extend(_Grid(district).draw())
    return roads


def _draw_border_roads(districts: Sequence[District]) -> Iterator[Road]:
    """A collector along each border that two districts share."""
    borders: dict[tuple[int, int], list[tuple[XY, XY]]] = {}
    for district in districts:
        for a, b in _edges(district.plain):
            middle = (round((a[0] + b[0]) / 10), round((a[1] + b[1]) / 10))
            borders.setdefault(middle, []).append((a, b))
    count = 0
    for sides in borders.values():
        (a, b), *rest = sides
        if rest and math.dist(a, b) >= STREET_SHORTEST_M:
            count += 1
            yield Road(
                code=f"R-BORDER-{count}",
                name=None,
                name_ur=None,
                road_class="collector",
                path=tuple(warp(p) for p in spline([a, b], step_m=BORDER_STEP_M)),
            )


def _edges(ring: Sequence[XY]) -> Iterator[tuple[XY, XY]]:
    return zip(ring, [*ring[1:], ring[0]], strict=True)


class _Grid:
    """The turned, shaken and holed grid of one district."""

    def __init__(self, district: District) -> None:
        self._district = district
        quarter = district.quarter
        self._stream = random.Random(f"{SEED}-{quarter.code}")  # noqa: S311 - a drawing
        self._middle = to_m(quarter.at_km)
        turn = math.radians(quarter.turn_deg)
        self._axes = ((math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn)))
        self._reach = math.ceil(max(math.dist(self._middle, p) for p in district.plain) / quarter.block_m) + 1
        outline = KUCHLAK_KM if quarter.code == "KUCHLAK" else OUTLINE_KM
        self._outline = [to_m(p) for p in (*outline, outline[0])]
        self._nodes = {
            (i, j): self._node(i, j)
            for i in range(-self._reach, self._reach + 1)
            for j in range(-self._reach, self._reach + 1)
        }
        self._built = {at for at, node in self._nodes.items() if self._is_built(node)}

    def _node(self, i: int, j: int) -> XY:
        """A crossing of the grid, shaken a little."""
        block_m = self._district.quarter.block_m
        shake = 0.10 * block_m
        east = i * block_m * 1.35 + self._stream.uniform(-shake, shake)
        north = j * block_m + self._stream.uniform(-shake, shake)
        (ax, ay), (bx, by) = self._axes
        return (self._middle[0] + east * ax + north * bx, self._middle[1] + east * ay + north * by)

    def _is_built(self, point: XY) -> bool:
        """Inside the district and not on the frayed edge of the town."""
        wild_m = abs(FRAY.at(point)[0])
        return holds(self._district.plain, point) and distance_to_m(self._outline, point) >= wild_m

    def draw(self) -> Iterator[Road]:
        """Collectors first, then streets, each as one line as long as it runs without a hole."""
        quarter = self._district.quarter
        names = iter(CENTRE_ROADS if quarter.code == "CITY" else ())
        count = 0
        for is_along in (True, False):
            for line in range(-self._reach, self._reach + 1):
                is_collector = line % COLLECTOR_EVERY == 0
                for run in self._runs(line, is_along=is_along, is_whole=is_collector):
                    count += 1
                    name = self._name(names, line) if is_collector else (None, None)
                    yield Road(
                        code=f"R-{quarter.code}-{count}",
                        name=name[0],
                        name_ur=name[1],
                        road_class="collector" if is_collector else "street",
                        path=tuple(warp(p) for p in run),
                    )

    def _name(self, names: Iterator[tuple[str, str]], line: int) -> tuple[str, str]:
        quarter = self._district.quarter
        number = line // COLLECTOR_EVERY + self._reach // COLLECTOR_EVERY + 1
        return next(names, (f"{quarter.name} Street {number}", f"{quarter.name_ur} اسٹریٹ {number}"))

    def _runs(self, line: int, *, is_along: bool, is_whole: bool) -> Iterator[Path]:
        """The unbroken pieces of one grid line; where it leaves the district it ends on the border."""
        chance = 1.0 if is_whole else self._district.quarter.built
        run: Path = []
        steps = range(-self._reach, self._reach + 1)
        places = [(step, line) if is_along else (line, step) for step in steps]
        for here, there in itertools.pairwise(places):
            ends = (here in self._built, there in self._built)
            a, b = self._nodes[here], self._nodes[there]
            if all(ends) and self._stream.random() < chance:
                run = run or [a]
                run.append(b)
                continue
            if ends == (True, False):
                run = run or [a]
                run.extend(self._exit(a, b))
            yield from self._long_enough(run)
            run = [*self._exit(b, a), b] if ends == (False, True) else []
        yield from self._long_enough(run)

    def _exit(self, inside: XY, outside: XY) -> Path:
        """Where the line crosses the border, if it does."""
        ring = [*self._district.plain, self._district.plain[0]]
        return meeting_points(ring, [inside, outside])[:1]

    def _long_enough(self, run: Path) -> Iterator[Path]:
        if length_m(run) >= STREET_SHORTEST_M:
            yield run

"""The flat ground on which the virtual Quetta is drawn: metres east and north of the middle of the city.

Everything here is plain arithmetic on `random.Random` streams, so that the same seed gives the same city on every
machine; the file is rounded to five decimals (about one metre), far above what a different libm changes.
"""

import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

XY = tuple[float, float]
"""A point as (metres east, metres north) of the middle."""

Path = list[XY]

MIDDLE_LON = 67.0
MIDDLE_LAT = 30.19
M_PER_DEGREE_LAT = 110_850.0
M_PER_DEGREE_LON = 96_230.0
DECIMALS = 5


def to_lonlat(point: XY) -> list[float]:
    """The point as GeoJSON [longitude, latitude] in degrees, rounded to about one metre."""
    lon = round(MIDDLE_LON + point[0] / M_PER_DEGREE_LON, DECIMALS)
    lat = round(MIDDLE_LAT + point[1] / M_PER_DEGREE_LAT, DECIMALS)
    return [lon, lat]


@dataclass(frozen=True, slots=True, kw_only=True)
class Octave:
    """One layer of smooth noise: random displacements on a square grid, blended between its nodes."""

    seed: int
    spacing_m: float
    amplitude_m: float

    def at(self, point: XY) -> XY:
        """The displacement at a point, in metres east and north."""
        column, row = math.floor(point[0] / self.spacing_m), math.floor(point[1] / self.spacing_m)
        across = _smooth(point[0] / self.spacing_m - column)
        up = _smooth(point[1] / self.spacing_m - row)
        corners = [_push(self, column + i, row=row + j) for j in (0, 1) for i in (0, 1)]
        weights = [(1 - across) * (1 - up), across * (1 - up), (1 - across) * up, across * up]
        east = sum(w * c[0] for w, c in zip(weights, corners, strict=True))
        north = sum(w * c[1] for w, c in zip(weights, corners, strict=True))
        return east, north


@lru_cache(maxsize=65_536)
def _push(octave: Octave, column: int, *, row: int) -> XY:
    """The displacement at a node of the grid."""
    stream = random.Random(octave.seed * 1_000_003 + column * 7_919 + row * 104_729)  # noqa: S311 - a drawing
    return stream.uniform(-1, 1) * octave.amplitude_m, stream.uniform(-1, 1) * octave.amplitude_m


OCTAVES = (
    Octave(seed=11, spacing_m=2_200.0, amplitude_m=260.0),
    Octave(seed=23, spacing_m=700.0, amplitude_m=55.0),
)


def warp(point: XY) -> XY:
    """Push a point by the city's noise, so that nothing keeps a ruler-straight edge and shared borders stay shared."""
    pushes = [octave.at(point) for octave in OCTAVES]
    return point[0] + sum(p[0] for p in pushes), point[1] + sum(p[1] for p in pushes)


def spline(points: Sequence[XY], *, step_m: float = 150.0) -> Path:
    """A Catmull-Rom curve through all the points, sampled about every `step_m` metres."""
    padded = [points[0], *points, points[-1]]
    curve: Path = []
    for before, start, end, after in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        pieces = max(1, math.ceil(math.dist(start, end) / step_m))
        for piece in range(pieces):
            curve.append(_catmull_rom((before, start, end, after), piece / pieces))
    curve.append(points[-1])
    return curve


def _catmull_rom(four: tuple[XY, XY, XY, XY], t: float) -> XY:
    weights = (
        -0.5 * t + t * t - 0.5 * t**3,
        1 - 2.5 * t * t + 1.5 * t**3,
        0.5 * t + 2 * t * t - 1.5 * t**3,
        -0.5 * t * t + 0.5 * t**3,
    )
    return (
        sum(w * p[0] for w, p in zip(weights, four, strict=True)),
        sum(w * p[1] for w, p in zip(weights, four, strict=True)),
    )


def _smooth(t: float) -> float:
    return t * t * (3 - 2 * t)


def length_m(path: Sequence[XY]) -> float:
    """The length along a path in metres."""
    return sum(math.dist(a, b) for a, b in itertools.pairwise(path))


def points_every(path: Sequence[XY], step_m: float) -> Path:
    """Points along a path at a fixed distance, the first half a step from its start."""
    found: Path = []
    until_next = step_m / 2
    for a, b in itertools.pairwise(path):
        piece = math.dist(a, b)
        walked = 0.0
        while piece - walked >= until_next:
            walked += until_next
            share = walked / piece
            found.append((a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share))
            until_next = step_m
        until_next -= piece - walked
    return found


def meeting_points(one: Sequence[XY], other: Sequence[XY]) -> Path:
    """Where two paths cross or touch."""
    found: Path = []
    if not _overlap(_box(one), _box(other)):
        return found
    for a, b in itertools.pairwise(one):
        for c, d in itertools.pairwise(other):
            if max(a[0], b[0]) < min(c[0], d[0]) - 1 or max(c[0], d[0]) < min(a[0], b[0]) - 1:
                continue
            point = _crossing((a, b), (c, d))
            if point is not None:
                found.append(point)
    return found


def _box(path: Sequence[XY]) -> tuple[float, float, float, float]:
    east, north = [p[0] for p in path], [p[1] for p in path]
    return min(east), min(north), max(east), max(north)


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    """Whether two boxes (west, south, east, north) share ground, a metre of slack included."""
    return one[0] <= other[2] + 1 and other[0] <= one[2] + 1 and one[1] <= other[3] + 1 and other[1] <= one[3] + 1


def _crossing(one: tuple[XY, XY], other: tuple[XY, XY]) -> XY | None:
    (a, b), (c, d) = one, other
    along, across = (b[0] - a[0], b[1] - a[1]), (d[0] - c[0], d[1] - c[1])
    area = along[0] * across[1] - along[1] * across[0]
    if abs(area) < 1e-9:
        return None
    gap = (c[0] - a[0], c[1] - a[1])
    t = (gap[0] * across[1] - gap[1] * across[0]) / area
    u = (gap[0] * along[1] - gap[1] * along[0]) / area
    slack = 1e-6
    if -slack <= t <= 1 + slack and -slack <= u <= 1 + slack:
        return a[0] + along[0] * t, a[1] + along[1] * t
    return None


def cut(polygon: Sequence[XY], *, keep: XY, drop: XY) -> Path:
    """The part of a polygon nearer to `keep` than to `drop` (one Sutherland-Hodgman step)."""
    normal = (drop[0] - keep[0], drop[1] - keep[1])
    middle = ((drop[0] + keep[0]) / 2, (drop[1] + keep[1]) / 2)

    def side(p: XY) -> float:
        return (p[0] - middle[0]) * normal[0] + (p[1] - middle[1]) * normal[1]

    kept: Path = []
    for here, there in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        s, e = side(here), side(there)
        if s <= 0:
            kept.append(here)
        if (s < 0 < e) or (e < 0 < s):
            share = s / (s - e)
            kept.append((here[0] + (there[0] - here[0]) * share, here[1] + (there[1] - here[1]) * share))
    return kept


def holds(polygon: Sequence[XY], point: XY) -> bool:
    """Whether a point lies inside a polygon (even-odd rule)."""
    is_inside = False
    for a, b in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if (a[1] > point[1]) != (b[1] > point[1]):
            at = a[0] + (b[0] - a[0]) * (point[1] - a[1]) / (b[1] - a[1])
            if point[0] < at:
                is_inside = not is_inside
    return is_inside


def dense(ring: Sequence[XY], step_m: float) -> Path:
    """A closed ring with extra points on long edges, so that the warp can bend them: the same edge, the same points."""
    points: Path = []
    for a, b in zip(ring, [*ring[1:], ring[0]], strict=True):
        pieces = max(1, round(math.dist(a, b) / step_m))
        points.extend((a[0] + (b[0] - a[0]) * i / pieces, a[1] + (b[1] - a[1]) * i / pieces) for i in range(pieces))
    return points


def bearing_deg(start: XY, end: XY) -> float:
    """The compass bearing from one point to another: 0 north, 90 east."""
    return math.degrees(math.atan2(end[0] - start[0], end[1] - start[1])) % 360


def distance_to_m(path: Sequence[XY], point: XY) -> float:
    """The distance from a point to the nearest part of a path in metres."""
    return min(_distance_to_piece(a, b, point=point) for a, b in itertools.pairwise(path))


def _distance_to_piece(a: XY, b: XY, *, point: XY) -> float:
    along = (b[0] - a[0], b[1] - a[1])
    square = along[0] ** 2 + along[1] ** 2
    if square == 0:
        return math.dist(a, point)
    share = ((point[0] - a[0]) * along[0] + (point[1] - a[1]) * along[1]) / square
    share = min(1.0, max(0.0, share))
    return math.dist((a[0] + along[0] * share, a[1] + along[1] * share), point)

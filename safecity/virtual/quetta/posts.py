"""Where the virtual Quetta's cameras stand: the gates, the junctions, then along the roads, and which way they look."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from safecity.virtual.quetta.names import DIRECTIONS, GATES, Named
from safecity.virtual.quetta.net import District, Road, to_m
from safecity.virtual.quetta.plane import (
    XY,
    bearing_deg,
    distance_to_m,
    holds,
    meeting_points,
    points_every,
    warp,
)

SITES = 225
CAMERAS = 1_400
CAMERAS_AT_GATE = 12
CAMERAS_AT_SITE_MOST = 12
APART_M = 240.0
CENTRE_SITES_MOST = 130
ALONG_STEPS_M = (1_500.0, 1_000.0, 640.0, 400.0)
"""Sites along major roads: sparse everywhere first, then closer, until there are enough."""
CENTRE_REACH_M = 3_400.0
"""Within so far of the middle, the crossings of collector roads carry cameras as well."""
LOOK_AHEAD_M = 70.0
ON_ROAD_M = 20.0
SAME_WAY_DEG = 28.0
POLE_OFFSET_M = 9.0

_LENSES = (
    ("", "", 62, 80),
    (", close", "، قریب", 24, 45),
    (", wide", "، وسیع", 95, 30),
    (", far", "، دور", 16, 140),
    (", lane 1", "، لین 1", 18, 25),
    (", lane 2", "، لین 2", 18, 25),
)
"""Name endings, field of view in degrees and range in metres of the first, second... camera of a direction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A pole or a group of poles: its name in both languages and the ways that lead away from it."""

    name: str
    name_ur: str
    at: XY
    ways_deg: tuple[float, ...]
    district: str
    gate: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """One camera at a site."""

    name: str
    name_ur: str
    at: XY
    bearing_deg: int
    fov_deg: int
    range_m: int


def place_sites(roads: Sequence[Road], districts: Sequence[District]) -> list[Site]:
    """The 225 sites: gates, crossings of major roads, crossings of the centre, and points along major roads."""
    planner = _Planner(roads, districts)
    for gate, road_code in GATES:
        planner.add_gate(gate, road_code)
    major = [road for road in roads if road.road_class in ("highway", "ring", "arterial")]
    collectors = [road for road in roads if road.road_class == "collector" and _is_central(road)]
    planner.add_crossings(major, major)
    planner.add_crossings(collectors, major)
    planner.add_crossings(collectors, collectors, limit=CENTRE_SITES_MOST)
    for step_m in ALONG_STEPS_M:
        for road in major:
            planner.add_along(road, step_m)
    return planner.sites


def _is_central(road: Road) -> bool:
    return any(math.hypot(*point) < CENTRE_REACH_M for point in road.path)


def _is_known(road: Road) -> bool:
    return road.road_class != "collector" or road.code.startswith("R-CITY-")


class _Planner:
    def __init__(self, roads: Sequence[Road], districts: Sequence[District]) -> None:
        self._roads = {road.code: road for road in roads if road.road_class != "street"}
        self._districts = districts
        self._taken: dict[str, int] = {}
        self.sites: list[Site] = []

    def add_gate(self, gate: Named, road_code: str) -> None:
        wanted = warp(to_m(gate.at_km))
        road = self._roads[f"R-{road_code}"]
        nearest = min(points_every(road.path, 25.0), key=lambda point: math.dist(point, wanted))
        self._add(nearest, (gate.name, gate.name_ur), gate=gate.code)

    def add_crossings(self, some: Sequence[Road], others: Sequence[Road], *, limit: int = SITES) -> None:
        for one in some:
            for other in others:
                if one.code == other.code:
                    continue
                for point in meeting_points(one.path, other.path):
                    if len(self.sites) < limit:
                        self._add(point, self._crossing_names(other, one, point=point))

    def add_along(self, road: Road, step_m: float) -> None:
        for point in points_every(road.path, step_m):
            if holds(self._district_at(point).border, point):
                self._add(point, self._place_names(road, point))

    def _crossing_names(self, road: Road, other: Road, *, point: XY) -> tuple[str, str]:
        """Both roads' names where people would know both, else the one's and the district's."""
        if _is_known(road) and _is_known(other):
            return f"{road.name} / {other.name} Chowk", f"{road.name_ur} / {other.name_ur} چوک"
        return self._place_names(road if _is_known(road) else other, point)

    def _place_names(self, road: Road, point: XY) -> tuple[str, str]:
        quarter = self._district_at(point).quarter
        if not _is_known(road):
            return f"{quarter.name} Chowk", f"{quarter.name_ur} چوک"
        if road.name == quarter.name:
            return str(road.name), str(road.name_ur)
        return f"{road.name}, {quarter.name}", f"{road.name_ur}، {quarter.name_ur}"

    def _add(self, point: XY, names: tuple[str, str], *, gate: str | None = None) -> None:
        is_crowded = any(math.dist(point, site.at) < APART_M for site in self.sites)
        if is_crowded or len(self.sites) >= SITES:
            return
        seen = self._taken[names[0]] = self._taken.get(names[0], 0) + 1
        ending = f" {seen}" if seen > 1 else ""
        self.sites.append(
            Site(
                name=names[0] + ending,
                name_ur=names[1] + ending,
                at=point,
                ways_deg=self._ways(point, outward_first=gate is not None),
                district=self._district_at(point).quarter.code,
                gate=gate,
            )
        )

    def _district_at(self, point: XY) -> District:
        for district in self._districts:
            if holds(district.border, point):
                return district
        return min(self._districts, key=lambda d: math.dist(warp(to_m(d.quarter.at_km)), point))

    def _ways(self, point: XY, *, outward_first: bool) -> tuple[float, ...]:
        """The bearings of the roads that leave a point, each direction once."""
        found: list[float] = []
        for road in self._roads.values():
            if distance_to_m(road.path, point) > ON_ROAD_M:
                continue
            for way in _ways_along(road.path, point):
                if all(_turn_deg(way, other) > SAME_WAY_DEG for other in found):
                    found.append(way)
        if outward_first:
            found.sort(key=lambda way: _turn_deg(way, bearing_deg((0.0, 0.0), point)))
        return tuple(found)


def _turn_deg(one: float, other: float) -> float:
    return abs((one - other + 180) % 360 - 180)


def _ways_along(path: Sequence[XY], point: XY) -> Iterator[float]:
    """Both directions of a path at a point, looking some way ahead; one where the path ends there."""
    piece = min(range(len(path) - 1), key=lambda i: distance_to_m(path[i : i + 2], point))
    for line in (path[piece + 1 :], path[piece::-1]):
        ahead = _at_distance([point, *line], LOOK_AHEAD_M)
        if math.dist(point, ahead) > LOOK_AHEAD_M / 2:
            yield bearing_deg(point, ahead)


def _at_distance(path: Sequence[XY], wanted_m: float) -> XY:
    walked = 0.0
    for a, b in pairwise(path):
        piece = math.dist(a, b)
        if walked + piece >= wanted_m:
            share = (wanted_m - walked) / piece
            return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share
        walked += piece
    return path[-1]


def share_cameras(sites: Sequence[Site]) -> list[int]:
    """How many cameras each site carries, 1,400 in all: gates most, then by the number of roads that meet."""
    counts = [CAMERAS_AT_GATE if site.gate else min(8, 2 * len(site.ways_deg)) for site in sites]
    step = 1 if sum(counts) < CAMERAS else -1
    while sum(counts) != CAMERAS:
        for index, site in enumerate(sites):
            is_free = site.gate is None and 2 <= counts[index] + step <= CAMERAS_AT_SITE_MOST
            if is_free and sum(counts) != CAMERAS:
                counts[index] += step
    return counts


def place_cameras(site: Site, count: int) -> list[Camera]:
    """The cameras of a site: each way in turn, then each way again with another lens."""
    cameras: list[Camera] = []
    taken: dict[str, int] = {}
    for number in range(count):
        lens, way = divmod(number, len(site.ways_deg))
        bearing = round(site.ways_deg[way]) % 360
        ending, ending_ur, fov_deg, range_m = _LENSES[lens]
        direction, direction_ur = DIRECTIONS[round(bearing / 45) % 8]
        seen = taken[direction + ending] = taken.get(direction + ending, 0) + 1
        again = f" {seen}" if seen > 1 else ""
        cameras.append(
            Camera(
                name=f"{site.name}: {direction}{ending}{again}",
                name_ur=f"{site.name_ur}: {direction_ur}{ending_ur}{again}",
                at=_beside(site.at, bearing=bearing, lens=lens),
                bearing_deg=bearing,
                fov_deg=fov_deg,
                range_m=range_m,
            )
        )
    return cameras


def _beside(at: XY, *, bearing: int, lens: int) -> XY:
    """A pole on the kerb: right of the way that the camera looks along, further lenses a little further out."""
    angle = math.radians(bearing + 50)
    reach = POLE_OFFSET_M + 2.0 * lens
    return at[0] + math.sin(angle) * reach, at[1] + math.cos(angle) * reach

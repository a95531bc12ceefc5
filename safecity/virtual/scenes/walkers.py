"""People on foot: each walks her way by a schedule, whatever the traffic does; vehicles wait for who crosses."""

import math
from dataclasses import dataclass

import numpy as np

from safecity.virtual.scenes.looks import Registry
from safecity.virtual.scenes.model import EventKind, PlantedEvent, RoadUser
from safecity.virtual.scenes.movers import Mover
from safecity.virtual.scenes.paths import Path
from safecity.virtual.scenes.plan import StreetPlan, Walk

STRIDE_M = 1.45
"""Way of two steps."""
FORESIGHT_S = 12.0
"""Drivers see so far ahead who will cross."""
CLEAR_M = 2.1
"""Who is nearer than this to a lane's middle is in its way."""
Claims = dict[tuple[str, str], list[tuple[float, float]]]
"""Segment and crosswalk: intervals in seconds from now in which people are in the lane's way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walker:
    """A person's plan: enters `walk` at a time, walks at a speed, may stay a while halfway."""

    number: int
    walk: int
    at_s: float
    speed_mps: float
    is_reversed: bool
    lateral_m: float
    pause_s: float = 0.0
    event: int | None = None

    def gone_m(self, after_s: float, length_m: float) -> float:
        """How far she has walked so long after she entered."""
        half_s = length_m / 2 / self.speed_mps
        if after_s <= half_s or self.pause_s <= 0:
            return after_s * self.speed_mps
        return length_m / 2 + max(0.0, after_s - half_s - self.pause_s) * self.speed_mps


class People:
    """Everybody on foot in a scene; positions follow from the time alone."""

    def __init__(
        self, plan: StreetPlan, registry: Registry, *, round_s: float | None, until_s: float, density: float,
        events: tuple[PlantedEvent, ...],
    ) -> None:  # fmt: skip
        self.walks = list(plan.walks)
        self.round_s = round_s
        """The loop's length; None where the scene does not loop."""
        self.walkers: list[Walker] = []
        random = registry.random
        for index, walk in enumerate(self.walks):
            self.schedule(index, walk, random=random, until_s=until_s, density=density)
        if plan.trespass is not None:
            self.walks.append(Walk(path=plan.trespass, per_minute=0, crosswalk="trespass"))
            for number, event in enumerate(events):
                if event.kind == EventKind.ZONE_ENTRY:
                    lead = plan.trespass.length_m / 2 / 1.5
                    self.add(
                        len(self.walks) - 1, event.at_s - lead * 0.9, random=random, pause_s=event.for_s, event=number
                    )
        self.looks = [registry.look(RoadUser.PERSON) for _ in self.walkers]
        self.still = [
            Mover(
                key=("still", i, 0),
                look=registry.look(RoadUser.PERSON),
                x_m=p.x_m,
                y_m=p.y_m,
                heading=p.heading,
                speed_mps=0.0,
            )
            for i, p in enumerate(plan.standing)
        ]
        self.in_lane = lane_crossings(plan, self.walks)

    def schedule(self, index: int, walk: Walk, *, random: np.random.Generator, until_s: float, density: float) -> None:
        """Put people on one way, from long enough before the start that it is peopled then."""
        from_s = 0.0 if self.round_s is not None else -walk.path.length_m / 1.1
        to_s = self.round_s if self.round_s is not None else until_s
        count = int(np.floor((to_s - from_s) * walk.per_minute * density / 60 + random.random()))
        for _ in range(count):
            self.add(index, float(random.uniform(from_s, to_s)), random=random)

    def add(
        self, index: int, at_s: float, *, random: np.random.Generator, pause_s: float = 0.0, event: int | None = None
    ) -> None:
        """Put one person on a way."""
        walk = self.walks[index]
        self.walkers.append(
            Walker(
                number=len(self.walkers), walk=index, at_s=at_s,
                speed_mps=1.5 if event is not None else float(random.uniform(1.05, 1.6)),
                is_reversed=event is None and bool(random.random() < walk.reversed_share),
                lateral_m=0.0 if event is not None else float(random.uniform(-walk.spread_m, walk.spread_m)),
                pause_s=pause_s, event=event,
            )
        )  # fmt: skip

    def walking(self, now_s: float) -> list[tuple[Walker, int, float]]:
        """Who is on her way now: the person, her round, how far she has come."""
        found: list[tuple[Walker, int, float]] = []
        for walker in self.walkers:
            length = self.walks[walker.walk].path.length_m
            lasts = length / walker.speed_mps + walker.pause_s
            if self.round_s is None:
                if 0 <= now_s - walker.at_s < lasts:
                    found.append((walker, 0, walker.gone_m(now_s - walker.at_s, length)))
                continue
            latest = math.floor((now_s - walker.at_s) / self.round_s)
            earliest = math.floor((now_s - walker.at_s - lasts) / self.round_s) + 1
            for turn in range(earliest, latest + 1):
                after = now_s - walker.at_s - turn * self.round_s
                found.append((walker, turn, walker.gone_m(after, length)))
        return found

    def movers(self, now_s: float) -> list[Mover]:
        """Everybody at a moment."""
        present: list[Mover] = []
        for walker, turn, gone in self.walking(now_s):
            path = self.walks[walker.walk].path
            s = path.length_m - gone if walker.is_reversed else gone
            wobble = 0.18 * math.sin(gone * 0.5 + walker.number)
            x, y, heading = path.at(s, walker.lateral_m + wobble)
            after = now_s - walker.at_s - (turn * self.round_s if self.round_s is not None else 0.0)
            half_s = path.length_m / 2 / walker.speed_mps
            stays = walker.pause_s > 0 and half_s < after < half_s + walker.pause_s
            present.append(
                Mover(
                    key=("walk", walker.number, turn), look=self.looks[walker.number], x_m=x, y_m=y,
                    heading=heading + (math.pi if walker.is_reversed else 0.0),
                    speed_mps=0.0 if stays else walker.speed_mps,
                    stride=2 * math.pi * gone / STRIDE_M + walker.number, event=walker.event,
                )
            )  # fmt: skip
        return present

    def claims(self, now_s: float) -> Claims:
        """For each lane and crosswalk, from when to when (seconds from now) people will be in the lane's way."""
        found: Claims = {}
        for walker, _, gone in self.walking(now_s):
            walk = self.walks[walker.walk]
            if walk.crosswalk is None:
                continue
            for key, places in self.in_lane.items():
                if key[1] != walk.crosswalk:
                    continue
                for place in places:
                    at = walk.path.length_m - place if walker.is_reversed else place
                    enters, leaves = ((at + side - gone) / walker.speed_mps for side in (-CLEAR_M, CLEAR_M))
                    if leaves > 0 and enters < FORESIGHT_S:
                        found.setdefault(key, []).append((enters, leaves))
        return found


def lane_crossings(plan: StreetPlan, walks: list[Walk]) -> dict[tuple[str, str], list[float]]:
    """Where each crosswalk's way goes over each lane's middle, in metres along the way."""
    found: dict[tuple[str, str], list[float]] = {}
    for segment in plan.segments.values():
        for name, _ in segment.crosswalks:
            for walk in walks:
                if walk.crosswalk == name:
                    found[segment.id, name] = meeting_places(walk.path, segment.path)
    return found


def meeting_places(way: Path, lane: Path) -> list[float]:
    """Arc lengths of `way` at which it crosses `lane`."""
    stations = np.arange(0.0, way.length_m, 0.25)
    dense = np.arange(0.0, lane.length_m, 0.5)
    lane_x = np.interp(dense, lane.along, lane.points[:, 0])
    lane_y = np.interp(dense, lane.along, lane.points[:, 1])
    way_x = np.interp(stations, way.along, way.points[:, 0])
    way_y = np.interp(stations, way.along, way.points[:, 1])
    gaps = np.hypot(way_x[:, None] - lane_x[None], way_y[:, None] - lane_y[None]).min(axis=1)
    return [
        float(stations[i])
        for i in range(1, len(gaps) - 1)
        if gaps[i] < 0.4 and gaps[i] <= gaps[i - 1] and gaps[i] < gaps[i + 1]
    ]

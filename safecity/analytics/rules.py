"""The rules of a scene as pure state machines: what is seen in, which of them began or ended out.

They know no pictures and no clock: each step is told its media time. A thing that vanishes inside a zone is given a
moment to be found again under another number before its matter ends.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from safecity.analytics.boxes import Box, around
from safecity.analytics.classes import is_vehicle, matches
from safecity.analytics.scene import (
    Corner,
    Crowd,
    LineCrossing,
    Rule,
    Scene,
    SceneLine,
    StoppedVehicle,
    WrongWay,
    ZoneEntry,
)

GRACE_S = 1.5
"""A thing lost for less is the same one, and a zone left for less was not left."""
SAME_PLACE = 1.0
"""Own sizes within which a thing that was lost is found again."""
STILL_SHARE = 0.25
"""Of its size: a thing that keeps so near to a place stands there."""
MOVED_BEFORE = 1.0
"""Own sizes that a vehicle must have moved before it can be said to have stopped."""
AGAINST_SIZES = 1.5
AGAINST_STEP = 0.2
"""A step of more own sizes than this between two pictures is no movement but a mix-up of two things."""
AGAINST_ANGLE = -0.5
"""Cosine: more than 120 degrees off the right direction."""
FOOT_SHARE = 0.25
"""Of its height below the middle: where on the ground a thing is taken to be."""


class Seen(NamedTuple):
    """One real thing on one picture, in pixels of the scene."""

    id: int
    object_class: str
    box: Box
    travelled: float
    """Farthest it has been from where it was first seen, in its own sizes."""
    score: float
    origin: Corner

    @property
    def size_px(self) -> float:
        """The side of a square of its area."""
        return math.sqrt(self.box.area_px2)

    @property
    def foot(self) -> Corner:
        """Where it stands on the ground, nearly."""
        x, y = self.box.centre
        return x, y + FOOT_SHARE * self.box.h_px


class Passed(NamedTuple):
    """One thing crossed a line, on this picture or shortly before."""

    line: str
    is_forward: bool
    seen: Seen
    at_s: float


class Change(NamedTuple):
    """A rule began to hold (`ended_s` None), or ended."""

    rule: Rule
    subject: str
    object_class: str
    started_s: float
    ended_s: float | None
    box: Box | None
    confidence: float
    picture_s: float


class Watch(Protocol):
    """One rule being watched."""

    def step(self, seen: Sequence[Seen], passed: Sequence[Passed], *, at_s: float) -> list[Change]:
        """Take one picture's things and crossings."""
        ...

    def finish(self, at_s: float) -> list[Change]:
        """End what still holds."""
        ...


def watch_all(scene: Scene) -> list[Watch]:
    """A watch for each rule, in the scene's order; shapes that rules name must be there (`check_scene`)."""
    zones = {zone.name: zone.points for zone in scene.zones}
    lines = {line.name: line for line in scene.lines}
    return [_watch(rule, lines, zones) for rule in scene.rules]


def _watch(rule: Rule, lines: dict[str, SceneLine], zones: dict[str, tuple[Corner, ...]]) -> Watch:
    match rule:
        case LineCrossing():
            return _CrossingWatch(rule)
        case WrongWay():
            if rule.line is not None:
                return _WrongLineWatch(rule, lines[rule.line])
            return _WrongArrowWatch(rule, zones[rule.zone] if rule.zone is not None else None)
        case ZoneEntry():
            return _StayWatch(rule, zones[rule.zone], place=rule.zone)
        case StoppedVehicle():
            return _StayWatch(rule, zones[rule.zone] if rule.zone else None, place=rule.zone or "picture")
        case Crowd():
            return _CrowdWatch(rule, zones[rule.zone])


def is_inside(corners: Sequence[Corner], point: Corner) -> bool:
    """Whether a point lies in a polygon (even-odd rule)."""
    x, y = point
    inside = False
    for (x1, y1), (x2, y2) in zip(corners, (*corners[1:], corners[0]), strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


class _CrossingWatch:
    def __init__(self, rule: LineCrossing) -> None:
        self.rule = rule

    def step(self, seen: Sequence[Seen], passed: Sequence[Passed], *, at_s: float) -> list[Change]:
        del seen, at_s
        wanted = {"forward": (True,), "backward": (False,), "both": (True, False)}[self.rule.direction]
        return [
            _at_once(self.rule, self.rule.line, one.seen, one.at_s)
            for one in passed
            if one.line == self.rule.line
            and one.is_forward in wanted
            and matches(one.seen.object_class, self.rule.classes)
        ]

    def finish(self, at_s: float) -> list[Change]:
        del at_s
        return []


class _WrongLineWatch:
    """Crossings against the right direction, by vehicles whose whole way led that way."""

    def __init__(self, rule: WrongWay, line: SceneLine) -> None:
        self.rule = rule
        self.line = line

    def step(self, seen: Sequence[Seen], passed: Sequence[Passed], *, at_s: float) -> list[Change]:
        del seen, at_s
        return [
            _at_once(self.rule, self.line.name, one.seen, one.at_s)
            for one in passed
            if one.line == self.line.name
            and one.is_forward != (self.rule.direction == "forward")
            and is_vehicle(one.seen.object_class)
            and matches(one.seen.object_class, self.rule.classes)
            and self._came_from_far(one)
        ]

    def _came_from_far(self, one: Passed) -> bool:
        (x1, y1), (x2, y2) = self.line.points
        length = math.hypot(x2 - x1, y2 - y1)
        x, y = one.seen.box.centre
        across = ((x2 - x1) * (y - one.seen.origin[1]) - (y2 - y1) * (x - one.seen.origin[0])) / length
        return (across if one.is_forward else -across) >= MOVED_BEFORE * one.seen.size_px

    def finish(self, at_s: float) -> list[Change]:
        del at_s
        return []


@dataclass(slots=True, kw_only=True)
class _Way:
    x_px: float
    y_px: float
    against: float = 0.0
    seen_s: float = 0.0
    started_s: float = 0.0
    has_fired: bool = False


class _WrongArrowWatch:
    """Vehicles that keep moving against an arrow, without a jump."""

    def __init__(self, rule: WrongWay, zone: tuple[Corner, ...] | None) -> None:
        self.rule = rule
        self.zone = zone
        (x1, y1), (x2, y2) = rule.arrow or ((0.0, 0.0), (0.0, 0.0))
        length = math.hypot(x2 - x1, y2 - y1) or 1.0
        self._ux, self._uy = (x2 - x1) / length, (y2 - y1) / length
        self._ways: dict[int, _Way] = {}

    def step(self, seen: Sequence[Seen], passed: Sequence[Passed], *, at_s: float) -> list[Change]:
        del passed
        made: list[Change] = []
        for one in seen:
            if not is_vehicle(one.object_class) or (self.zone is not None and not is_inside(self.zone, one.foot)):
                continue
            way = self._follow(one, at_s)
            if way.against >= AGAINST_SIZES and not way.has_fired and matches(one.object_class, self.rule.classes):
                way.has_fired = True
                made.append(
                    _at_once(self.rule, self.rule.zone or "picture", one, at_s)._replace(started_s=way.started_s)
                )
        self._ways = {key: way for key, way in self._ways.items() if at_s - way.seen_s <= GRACE_S}
        return made

    def _follow(self, one: Seen, at_s: float) -> _Way:
        x, y = one.box.centre
        way = self._ways.get(one.id)
        if way is None:
            way = self._ways[one.id] = _Way(x_px=x, y_px=y, started_s=at_s)
        dx, dy = x - way.x_px, y - way.y_px
        step = math.hypot(dx, dy)
        along = dx * self._ux + dy * self._uy
        size = max(one.size_px, 1.0)
        if step > AGAINST_STEP * size * max(1.0, (at_s - way.seen_s) / 0.1) or along > 0.02 * size:
            way.against, way.started_s = 0.0, at_s
        elif step > 0 and along / step < AGAINST_ANGLE:
            way.against -= along / size
        way.x_px, way.y_px, way.seen_s = x, y, at_s
        return way

    def finish(self, at_s: float) -> list[Change]:
        del at_s
        return []


@dataclass(slots=True, kw_only=True)
class _Stay:
    seen: Seen
    since_s: float
    last_s: float
    anchor: Corner
    fired: Change | None = None


class _StayWatch:
    """Things that come into a zone and are there for `min_s`; for stopped vehicles, that stand there."""

    def __init__(self, rule: ZoneEntry | StoppedVehicle, zone: tuple[Corner, ...] | None, *, place: str) -> None:
        self.rule = rule
        self.zone = zone
        self.place = place
        self._stays: dict[int, _Stay] = {}

    @property
    def _must_stand(self) -> bool:
        return isinstance(self.rule, StoppedVehicle)

    def step(self, seen: Sequence[Seen], passed: Sequence[Passed], *, at_s: float) -> list[Change]:
        del passed
        made: list[Change] = []
        for one in seen:
            if not self._is_meant(one):
                continue
            stay = self._stays.get(one.id) or self._found_again(one, seen)
            if stay is None:
                stay = _Stay(seen=one, since_s=at_s, last_s=at_s, anchor=one.foot)
                self._stays[one.id] = stay
            stay.seen, stay.last_s = one, at_s
            if self._must_stand and math.dist(stay.anchor, one.foot) > STILL_SHARE * one.size_px:
                made += self._end(stay, at_s)
                stay.anchor, stay.since_s = one.foot, at_s
            if stay.fired is None and at_s - stay.since_s >= self.rule.min_s and self._counts(one):
                stay.fired = Change(
                    self.rule, f"{self.place}/{one.object_class}", one.object_class, stay.since_s, None, one.box,
                    one.score, at_s,
                )  # fmt: skip
                made.append(stay.fired)
        return made + self._let_go(at_s)

    def finish(self, at_s: float) -> list[Change]:
        del at_s
        return [change for stay in self._stays.values() for change in self._end(stay, stay.last_s)]

    @property
    def is_waiting(self) -> bool:
        """Something stands or stays that may yet fire, or has fired and not ended."""
        return bool(self._stays)

    def _is_meant(self, one: Seen) -> bool:
        if self._must_stand and not is_vehicle(one.object_class):
            return False
        return self.zone is None or is_inside(self.zone, one.foot)

    def _counts(self, one: Seen) -> bool:
        is_moved = one.travelled >= MOVED_BEFORE if self._must_stand else True
        return is_moved and matches(one.object_class, self.rule.classes)

    def _found_again(self, one: Seen, seen: Sequence[Seen]) -> _Stay | None:
        present = {other.id for other in seen}
        for key, stay in self._stays.items():
            if key not in present and math.dist(stay.seen.foot, one.foot) <= SAME_PLACE * one.size_px:
                self._stays[one.id] = self._stays.pop(key)
                return stay
        return None

    def _let_go(self, at_s: float) -> list[Change]:
        made: list[Change] = []
        for key in [key for key, stay in self._stays.items() if at_s - stay.last_s > GRACE_S]:
            stay = self._stays.pop(key)
            made += self._end(stay, stay.last_s)
        return made

    def _end(self, stay: _Stay, at_s: float) -> list[Change]:
        if stay.fired is None:
            return []
        ended = stay.fired._replace(ended_s=at_s)
        stay.fired = None
        return [ended]


@dataclass(slots=True)
class _CrowdWatch:
    """More things than the limit in a zone at once."""

    rule: Crowd
    zone: tuple[Corner, ...]
    since_s: float | None = None
    last_s: float = 0.0
    fired: Change | None = field(default=None)

    def step(self, seen: Sequence[Seen], passed: Sequence[Passed], *, at_s: float) -> list[Change]:
        del passed
        inside = [
            one for one in seen if matches(one.object_class, self.rule.classes) and is_inside(self.zone, one.foot)
        ]
        if len(inside) > self.rule.limit:
            self.since_s = at_s if self.since_s is None else self.since_s
            self.last_s = at_s
        elif self.since_s is not None and at_s - self.last_s > GRACE_S:
            made = self.finish(at_s)
            self.since_s = None
            return made
        if self.fired is None and self.since_s is not None and self.last_s - self.since_s >= self.rule.min_s:
            name = Counter(one.object_class for one in inside).most_common(1)[0][0] if inside else "person"
            score = min((one.score for one in inside), default=0.0)
            self.fired = Change(
                self.rule,
                f"{self.rule.zone}/{name}",
                name,
                self.since_s,
                None,
                around([one.box for one in inside]),
                score,
                at_s,
            )
            return [self.fired]
        return []

    def finish(self, at_s: float) -> list[Change]:
        del at_s
        if self.fired is None:
            return []
        ended = self.fired._replace(ended_s=self.last_s)
        self.fired = None
        return [ended]


def _at_once(rule: Rule, place: str, one: Seen, at_s: float) -> Change:
    return Change(rule, f"{place}/{one.object_class}", one.object_class, at_s, at_s, one.box, one.score, at_s)

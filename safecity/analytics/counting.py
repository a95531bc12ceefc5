"""Counts what crosses a line: each thing once in a direction, however its box trembles on the line.

Forward is from negative to positive `(x2-x1)*(py-y1)-(y2-y1)*(px-x1)`; the point is the middle of the box.
"""

import math
from collections import Counter, deque
from dataclasses import dataclass

from safecity.analytics.boxes import Box
from safecity.analytics.scene import SceneLine
from safecity.analytics.tracker import Track

NEAR_SHARE = 0.04
"""Of a thing's extent across the line: how far its middle must be past it to have crossed."""
BACK_SHARE = 0.5
"""The same for turning round: less is trembling."""
LEAST_TRAVEL = 0.35
"""Own sizes that a thing must have moved; what stands and is only seen does not cross."""
LEAST_HITS = 2
LEAST_TRAVEL_MOVING = 1.0
HEADWAY_SHARE = 0.5
"""Of a thing's length: nothing can follow nearer in the same lane; that would be the same thing seen twice."""
LANE_SHARE = 0.5
REMEMBERED = 32
OVERLOOKED_SURE = 5
"""A detector looked so often at something that moves and knew it not: light or shadow, if a thing comes behind it."""
THROWN_AHEAD_S = 1.0
"""A car follows the light that it throws on the road within so long, by its own width beside it at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One thing crossed one line."""

    line: str
    is_forward: bool
    at_s: float
    track: Track
    along_px: float
    """Where on the line, from its first point."""
    box: Box
    """Where the thing was then."""


@dataclass(slots=True)
class _Path:
    side: int = 0
    """Where it was for sure: -1, 0 (not known) or 1."""
    x_px: float = 0.0
    y_px: float = 0.0
    counted: int = 0
    """The side that its last count led to."""
    pending: "Crossing | None" = None
    seen_s: float = 0.0


class LineCounter:
    """Counts over one line; not safe to share between threads."""

    def __init__(self, line: SceneLine) -> None:
        self.line = line
        self.forward: Counter[str] = Counter()
        self.backward: Counter[str] = Counter()
        (self._x1, self._y1), (x2, y2) = line.points
        self._dx, self._dy = x2 - self._x1, y2 - self._y1
        self._length = math.hypot(self._dx, self._dy)
        self._paths: dict[int, _Path] = {}
        self._latest: deque[Crossing] = deque(maxlen=REMEMBERED)
        self._doubtful: deque[Crossing] = deque(maxlen=REMEMBERED)

    def see(self, track: Track, at_s: float) -> Crossing | None:
        """Take a thing's place on this picture; a crossing if it counts now."""
        if self._length == 0:
            return None
        path = self._paths.setdefault(track.id, _Path())
        path.seen_s = at_s
        distance = (self._dx * (track.y_px - self._y1) - self._dy * (track.x_px - self._x1)) / self._length
        side = 1 if distance > 0 else -1
        extent = (abs(self._dx) * track.h_px + abs(self._dy) * track.w_px) / self._length
        need = (BACK_SHARE if path.counted else NEAR_SHARE) * extent
        if abs(distance) >= need or path.side == 0:
            if path.side == -side and (along := self._along(path, track)) is not None:
                path.pending = Crossing(
                    line=self.line.name, is_forward=side > 0, at_s=at_s, track=track, along_px=along, box=track.box
                )
                path.counted = side
            path.side, path.x_px, path.y_px = side, track.x_px, track.y_px
        return self._count(path, track)

    def forget(self, track: Track) -> None:
        """The thing is gone."""
        self._paths.pop(track.id, None)

    def _along(self, path: _Path, track: Track) -> float | None:
        """Where its way meets the line, from the first point; None beside the line's ends."""
        mx, my = track.x_px - path.x_px, track.y_px - path.y_px
        cross = self._dx * my - self._dy * mx
        if cross == 0:
            return None
        share = ((path.x_px - self._x1) * my - (path.y_px - self._y1) * mx) / cross
        return share * self._length if 0 <= share <= 1 else None

    def _count(self, path: _Path, track: Track) -> Crossing | None:
        crossing = path.pending
        if crossing is None or not is_real(track):
            return None
        path.pending = None
        if track.hits == 0 and track.overlooked >= OVERLOOKED_SURE:
            self._doubtful.append(crossing)
            return None
        if track.hits:
            self._drop_light_of(crossing)
        return self._book(crossing)

    def settle(self, at_s: float) -> list[Crossing]:
        """Count what crossed without being known, and no known thing came behind it in time."""
        found: list[Crossing] = []
        while self._doubtful and at_s - self._doubtful[0].at_s >= THROWN_AHEAD_S:
            booked = self._book(self._doubtful.popleft())
            if booked is not None:
                found.append(booked)
        return found

    def _drop_light_of(self, crossing: Crossing) -> None:
        across = (abs(self._dx) * crossing.track.w_px + abs(self._dy) * crossing.track.h_px) / self._length
        kept = [
            one
            for one in self._doubtful
            if one.is_forward != crossing.is_forward or abs(one.along_px - crossing.along_px) >= across
        ]
        if len(kept) < len(self._doubtful):
            self._doubtful = deque(kept, maxlen=REMEMBERED)

    def _book(self, crossing: Crossing) -> Crossing | None:
        if self._is_double(crossing):
            return None
        self._latest.append(crossing)
        (self.forward if crossing.is_forward else self.backward)[crossing.track.object_class] += 1
        return crossing

    def _is_double(self, crossing: Crossing) -> bool:
        """Two things in one lane keep at least part of a length between them; nearer it is one thing seen twice."""
        track = crossing.track
        across = (abs(self._dx) * track.w_px + abs(self._dy) * track.h_px) / self._length
        extent = (abs(self._dx) * track.h_px + abs(self._dy) * track.w_px) / self._length
        speed = abs(self._dx * track.vy - self._dy * track.vx) / self._length
        headway_s = min(HEADWAY_SHARE * extent / speed, 2.0) if speed > 0 else 0.0
        return any(
            other.is_forward == crossing.is_forward
            and other.track.id != track.id
            and abs(crossing.at_s - other.at_s) < headway_s
            and abs(crossing.along_px - other.along_px) < LANE_SHARE * across
            for other in self._latest
        )


def is_real(track: Track) -> bool:
    """Whether a thing was seen often enough and has moved: a camera's housing read as a lorry never does."""
    if track.hits:
        return track.hits + track.moves >= LEAST_HITS and track.travelled >= LEAST_TRAVEL
    return track.has_moved and track.travelled >= LEAST_TRAVEL_MOVING

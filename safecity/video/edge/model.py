"""Values and pure rules of the edge: its clock against the centre's, and what of a borrowed file is shown."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, NewType

from safecity.platform.clock import from_us, to_us
from safecity.sites.model import CameraId
from safecity.video.model import Segment, Span, Stream, ticks_of

EdgeId = NewType("EdgeId", str)
Streams = Literal["sub", "main+sub"]
Backfill = Literal["missing", "wanted", "off"]
SHORTEST = timedelta(milliseconds=1)
NEARBY = 8  # readings on either side


class EdgeState(StrEnum):
    """The life of an edge at the centre."""

    WAITING = "waiting"  # for its token to be used
    ACTIVE = "active"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """An edge as the centre knows it."""

    id: EdgeId
    site: str
    state: EdgeState
    public_key: str | None
    streams: Streams
    backfill: Backfill
    added_at: datetime
    enrolled_at: datetime | None
    revoked_at: datetime | None
    seen_at: datetime | None
    status: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """One measurement of the centre's clock less the edge's."""

    at: datetime
    offset_us: int
    error_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """What brings an instant of the edge onto the centre's line."""

    shift_us: int
    error_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """An interval of a stream that the centre lacks, on the centre's line."""

    camera: CameraId
    stream: Stream
    span: Span
    is_asked: bool
    """Somebody waits for it: it goes before what is merely missing."""


def read_clock(*, sent_us: int, centre_us: int, received_us: int, at: datetime) -> ClockReading:
    """The centre's clock less ours, as if its answer had been made in the middle of the round trip (RFC 5905)."""
    middle = (sent_us + received_us) // 2
    return ClockReading(at=at, offset_us=centre_us - middle, error_us=max(1, (received_us - sent_us) // 2))


def shift_at(readings: Sequence[ClockReading], at: datetime) -> Shift | None:
    """The shift at an instant of the edge; None without any reading.

    The best of the readings nearby speaks, as long as those right before and after do not contradict it: their
    differences are the network's then. Else the clocks have moved, and it is interpolated between these two. Outside
    of all readings the nearest ones speak.
    """
    if not readings:
        return None
    after = bisect_right(readings, at, key=lambda one: one.at)
    before, following = readings[max(0, after - 1)], readings[min(after, len(readings) - 1)]
    nearby = sorted(readings[max(0, after - NEARBY) : after + NEARBY], key=lambda one: one.error_us)
    for best in nearby:
        if all(abs(best.offset_us - one.offset_us) <= best.error_us + one.error_us for one in (before, following)):
            return Shift(shift_us=best.offset_us, error_us=best.error_us)
    length_us = to_us(following.at) - to_us(before.at)
    into_us = min(max(0, to_us(at) - to_us(before.at)), length_us)
    drift_us = 0 if length_us == 0 else (following.offset_us - before.offset_us) * into_us // length_us
    return Shift(shift_us=before.offset_us + drift_us, error_us=max(before.error_us, following.error_us))


def choose_spans(span: Span, holes: Iterable[Span]) -> list[Span]:
    """The parts of a file's span that lie in holes, oldest first: what of it will be shown."""
    parts = [
        Span(from_at=max(span.from_at, hole.from_at), to_at=min(span.to_at, hole.to_at))
        for hole in sorted(holes, key=lambda one: one.from_at)
    ]
    return [one for one in parts if one.to_at - one.from_at >= SHORTEST]


def show(row: Segment, span: Span) -> Segment:
    """A row that shows a part of a file; `row` shows the whole of it from its first tick on."""
    return replace(
        row, started_at=span.from_at, durable_until=span.to_at, skip_ticks=max(0, ticks_of(row, span.from_at))
    )


def shifted(row: Segment, shift: Shift) -> Segment:
    """A row on the edge's line brought onto the centre's; the camera's claim stays what it was."""
    claim = None if row.camera_offset_us is None else row.camera_offset_us - shift.shift_us
    return replace(
        row,
        started_at=from_us(to_us(row.started_at) + shift.shift_us),
        durable_until=from_us(to_us(row.durable_until) + shift.shift_us),
        camera_offset_us=claim,
    )


def order_wants(wants: Iterable[Want]) -> list[Want]:
    """Asked-for first, then the oldest: the edge's disk deletes the oldest first, too."""
    return sorted(wants, key=lambda one: (not one.is_asked, one.span.from_at, one.camera))


class TokenBucket:
    """A rate limit that allows short bursts; asked with the time, it reads no clock."""

    def __init__(self, rate_bytes_s: float, *, burst_bytes: int, now_s: float) -> None:
        self._rate = rate_bytes_s
        self._burst = float(burst_bytes)
        self._level = float(burst_bytes)
        self._at_s = now_s

    def wait_s(self, size_bytes: int, *, now_s: float) -> float:
        """Take so many bytes and say how long to wait before they may be sent."""
        self._level = min(self._burst, self._level + max(0.0, now_s - self._at_s) * self._rate)
        self._at_s = now_s
        self._level -= size_bytes
        return 0.0 if self._level >= 0 else -self._level / self._rate

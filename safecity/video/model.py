"""Values and pure rules of recording: segments, outages, the timeline of what is recorded and what is missing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Literal

from safecity.platform.clock import from_us, to_us
from safecity.sites.model import CameraId
from safecity.video.access_unit import TICKS_PER_S

# Two recorded spans closer than this are one: it is less than any reconnect takes and more than a frame interval.
JOIN_WITHIN = timedelta(milliseconds=100)
# The newest seconds are on their way to the disk and the index: not yet recorded, not yet missing.
SETTLES_WITHIN = timedelta(seconds=6)


class Stream(StrEnum):
    """Which of a camera's streams."""

    MAIN = "main"
    SUB = "sub"


StreamKey = tuple[CameraId, Stream]


class SegmentState(StrEnum):
    """The life of a segment: open while it grows, closed with its root, deleting before its file goes."""

    OPEN = "open"
    CLOSED = "closed"
    DELETING = "deleting"


class Origin(StrEnum):
    """Where a segment's pictures came from; what was not recorded here and then is called recovered."""

    RECORDED = "recorded"
    EDGE = "edge"  # a recorder at the pole or site sent it afterwards
    CARD = "card"  # the camera's own memory

    @property
    def is_recovered(self) -> bool:
        """Whether it was filled in later."""
        return self is not Origin.RECORDED


class Cause(StrEnum):
    """Why a second is missing."""

    CAMERA = "camera"  # it answers, but sends nothing, or nothing that can be read
    LINK = "link"  # it does not answer, or the connection broke
    CREDENTIALS = "credentials"  # it refuses our user or password
    POWER = "power"
    RECORDER = "recorder"  # our own process was not there, or our clock was stepped
    DISK = "disk"  # it could not be written
    POLICY = "policy"  # deleted by retention, or before the camera was first recorded


class LinkState(StrEnum):
    """State of a stream as its frames show it."""

    LIVE = "live"
    STALLED = "stalled"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamState:
    """What the frames of a stream say; `cause` is None while it is live."""

    state: LinkState
    since: datetime
    cause: Cause | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A row of the index: one file of about a minute of one stream, on this server's time line."""

    camera: CameraId
    stream: Stream
    started_at: datetime
    durable_until: datetime  # end of the last fragment known to be on the disk
    state: SegmentState
    path: str  # below its volume, with forward slashes; unique over all volumes
    session: str  # reader session that made it; media ticks are comparable within one
    size_bytes: int
    fragments: int
    codec: str
    codec_string: str
    width_px: int
    height_px: int
    rate_ppb: int  # our time runs (1 + rate_ppb / 10^9) times as fast as the media ticks of the file
    line_error_us: int  # start on our line minus the best estimate then: what the slewing had not yet corrected
    camera_offset_us: int | None  # the camera's claim minus our time at the start: evidence, never used as time
    root: str | None  # hex Merkle root over init and fragments (RFC 6962); None while open
    previous_root: str | None  # root of the stream's segment before this one, also written inside the file
    is_held: bool
    writer: str  # recorder slot
    volume: str | None = None  # a hint where the file is, see volumes.py
    origin: Origin = Origin.RECORDED
    skip_ticks: int = 0  # the file's ticks at `started_at`: what lies before is in the file and not shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """An interval in which a stream was not recorded, and why; found by the recorder itself."""

    id: str
    camera: CameraId
    stream: Stream
    from_at: datetime
    to_at: datetime | None  # None while it lasts
    cause: Cause
    detail: str  # a stable word, such as refused, unauthorised, stall, mailbox_full


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A half-open interval of time."""

    from_at: datetime
    to_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """An interval that is not recorded, and why."""

    from_at: datetime
    to_at: datetime
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered(Span):
    """A recorded interval that was filled in afterwards, and from where."""

    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What of an interval is recorded and what is missing; together they cover it up to `settled_until`."""

    recorded: tuple[Span, ...]  # what can be played, recovered or not
    recovered: tuple[Recovered, ...]  # what of it was filled in later, from an edge or a camera's card
    missing: tuple[Missing, ...]
    settled_until: datetime  # behind this instant the newest seconds are still on their way to the disk


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSource:
    """Where a stream is read from. The URL may hold credentials: it is never logged or shown."""

    camera: CameraId
    stream: Stream
    url: str
    transport: str
    is_recorded: bool
    reader: Literal["own", "pyav"] = "own"  # who is asked to read it; what ours does not speak, FFmpeg reads

    def __repr__(self) -> str:
        return f"StreamSource({self.camera}, {self.stream})"


def instant_of(segment: Segment, ticks: int) -> datetime:
    """The instant of media ticks counted from the start of a segment's file (its tfdt scale)."""
    return from_us(to_us(segment.started_at) + line_us(ticks - segment.skip_ticks, segment.rate_ppb))


def ticks_of(segment: Segment, instant: datetime) -> int:
    """The file's media ticks at an instant; negative before its start."""
    elapsed_us = to_us(instant) - to_us(segment.started_at)
    return segment.skip_ticks + elapsed_us * TICKS_PER_S * 1000 // (1_000_000_000 + segment.rate_ppb)


def line_us(ticks: int, rate_ppb: int) -> int:
    """Microseconds on our time line for a length in media ticks; exact integers, rounded down."""
    return ticks * (1_000_000_000 + rate_ppb) // (TICKS_PER_S * 1000)


def recorded_spans(segments: Iterable[Segment], *, from_at: datetime, to_at: datetime) -> tuple[Span, ...]:
    """What the segments cover of an interval, touching ones joined, oldest first."""
    spans: list[Span] = []
    for segment in sorted(segments, key=lambda one: one.started_at):
        start, end = max(segment.started_at, from_at), min(segment.durable_until, to_at)
        if end <= start:
            continue
        if spans and start - spans[-1].to_at <= JOIN_WITHIN:
            spans[-1] = Span(from_at=spans[-1].from_at, to_at=max(end, spans[-1].to_at))
        else:
            spans.append(Span(from_at=start, to_at=end))
    return tuple(spans)


def recovered_spans(segments: Iterable[Segment], *, from_at: datetime, to_at: datetime) -> tuple[Recovered, ...]:
    """What of an interval was filled in afterwards, touching pieces of one origin joined, oldest first."""
    found: list[Recovered] = []
    for segment in sorted(segments, key=lambda one: one.started_at):
        start, end = max(segment.started_at, from_at), min(segment.durable_until, to_at)
        if not segment.origin.is_recovered or end <= start:
            continue
        last = found[-1] if found else None
        if last is not None and last.origin is segment.origin and start - last.to_at <= JOIN_WITHIN:
            found[-1] = Recovered(from_at=last.from_at, to_at=max(end, last.to_at), origin=last.origin)
        else:
            found.append(Recovered(from_at=start, to_at=end, origin=segment.origin))
    return tuple(found)


def gaps_between(spans: Sequence[Span], *, from_at: datetime, to_at: datetime) -> list[Span]:
    """The parts of an interval that ordered, disjoint spans leave open."""
    gaps: list[Span] = []
    at = from_at
    for span in spans:
        if span.from_at - at > JOIN_WITHIN:
            gaps.append(Span(from_at=at, to_at=span.from_at))
        at = max(at, span.to_at)
    if to_at - at > JOIN_WITHIN:
        gaps.append(Span(from_at=at, to_at=to_at))
    return gaps


def explain_gap(gap: Span, outages: Iterable[Outage], *, known_from: datetime | None) -> list[Missing]:
    """Split a gap by the outages that explain it.

    What no outage explains is `recorder` (a recorder that is not there cannot state why), and before the stream's
    first fact, `known_from`, it is `policy`. Where outages overlap, the one that began last speaks.
    """
    ordered = sorted(outages, key=lambda one: one.from_at)
    marks = {gap.from_at, gap.to_at, *(one.from_at for one in ordered), *(one.to_at for one in ordered if one.to_at)}
    if known_from is not None:
        marks.add(known_from)
    cuts = sorted(mark for mark in marks if gap.from_at <= mark <= gap.to_at)
    pieces: list[Missing] = []
    for start, end in pairwise(cuts):
        cause = Cause.POLICY if known_from is None or start < known_from else Cause.RECORDER
        for one in ordered:
            if one.from_at <= start and (one.to_at is None or one.to_at >= end):
                cause = one.cause
        if pieces and pieces[-1].cause is cause:
            pieces[-1] = Missing(from_at=pieces[-1].from_at, to_at=end, cause=cause)
        else:
            pieces.append(Missing(from_at=start, to_at=end, cause=cause))
    return pieces


def explain(
    segments: Sequence[Segment],
    outages: Sequence[Outage],
    *,
    from_at: datetime,
    to_at: datetime,
    now: datetime,
    known_from: datetime | None,
) -> Timeline:
    """The timeline of an interval from the segments and outages that touch it."""
    settled_until = min(to_at, now)
    # Not only an open segment: between the end of one and the row of the next there is none.
    newest = max((one.durable_until for one in segments), default=None)
    if newest is not None and now - newest <= SETTLES_WITHIN:
        settled_until = min(settled_until, newest)
    if settled_until <= from_at:
        return Timeline(recorded=(), recovered=(), missing=(), settled_until=max(settled_until, from_at))
    spans = recorded_spans(segments, from_at=from_at, to_at=settled_until)
    missing: list[Missing] = []
    for gap in gaps_between(spans, from_at=from_at, to_at=settled_until):
        missing.extend(explain_gap(gap, outages, known_from=known_from))
    recovered = recovered_spans(segments, from_at=from_at, to_at=settled_until)
    return Timeline(recorded=spans, recovered=recovered, missing=tuple(missing), settled_until=settled_until)

"""Holds: intervals of a camera that retention must leave alone, whoever needs them kept.

A hold is an interval and not a mark on segments, because evidence often ends in a segment that is still being written,
has not reached the index yet, or is found again in the files after its row was lost. Retention asks here for each
segment that it would delete, so such a segment is held from its first row on. The index's own mark (`is_held`) still
counts beside it, for a single segment.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from safecity.platform.database import UtcInstant, metadata, serialise
from safecity.platform.errors import Exhausted, Invalid
from safecity.platform.ids import new_id

MAX_AT_ONCE = 500
LONGEST = timedelta(hours=1)
"""Of one row; a longer hold is kept as several, so that retention finds those that touch a segment by their start."""
_HOLDS_LOCK = 5
_RAW_US = sa.BigInteger
_LONGEST_US = LONGEST // timedelta(microseconds=1)

holds = sa.Table(
    "holds",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True, comment="hold_..."),
    sa.Column("camera", sa.String(64), nullable=False, comment="Camera id"),
    sa.Column("stream", sa.String(8), nullable=False, comment="main or sub"),
    sa.Column("from_at", UtcInstant, nullable=False, comment="First instant that is held"),
    sa.Column("to_at", UtcInstant, nullable=False, comment="First instant that is not"),
    sa.Column("ref", sa.String(64), nullable=False, comment="Who needs it kept, such as a case id"),
    sa.Column("held_at", UtcInstant, nullable=False, comment="Since when"),
    sa.Column("released_at", UtcInstant, nullable=True, comment="When it was let go; null while it stands"),
    sa.Index("ix_holds_camera", "camera", "stream", "from_at"),
    sa.Index("ix_holds_ref", "ref"),
    comment="Intervals of a stream that retention leaves alone, also segments that come into the index later",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldInterval:
    """What is to be kept: half-open, of both streams of a camera."""

    camera: str
    from_at: datetime
    to_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A row of the table."""

    id: str
    camera: str
    stream: str
    from_at: datetime
    to_at: datetime
    ref: str
    held_at: datetime
    released_at: datetime | None


STREAMS = ("main", "sub")


def take_turn(connection: Connection) -> None:
    """Let holding and the beginning of a deletion pass one after the other, so that neither overlooks the other."""
    serialise(connection, _HOLDS_LOCK)


def hold(connection: Connection, intervals: Sequence[HeldInterval], *, ref: str, now: datetime) -> None:
    """Keep these intervals, main and sub streams, until they are released.

    In a transaction it comes behind the log and before facts (see `retention.py`: a deletion waits for this turn).
    Raises Invalid for an interval without length and Exhausted for more than MAX_AT_ONCE.
    """
    if len(intervals) > MAX_AT_ONCE:
        raise Exhausted(f"at most {MAX_AT_ONCE} intervals are held at once; hold parts", code="video.too_many_holds")
    if any(one.to_at <= one.from_at for one in intervals):
        raise Invalid("an interval that is held ends after it begins", code="video.bad_hold")
    take_turn(connection)
    rows = [
        Hold(
            id=new_id("hold"),
            camera=one.camera,
            stream=stream,
            from_at=one.from_at,
            to_at=one.to_at,
            ref=ref,
            held_at=now,
            released_at=None,
        )
        for wide in intervals
        for one in _pieces(wide)
        for stream in STREAMS
    ]
    if rows:
        connection.execute(holds.insert(), [asdict(row) for row in rows])


def _pieces(wide: HeldInterval) -> Iterator[HeldInterval]:
    start = wide.from_at
    while start < wide.to_at:
        end = min(start + LONGEST, wide.to_at)
        yield HeldInterval(camera=wide.camera, from_at=start, to_at=end)
        start = end


def release(connection: Connection, ref: str, *, now: datetime) -> int:
    """Let go of everything that is kept for this; what others hold too stays. Returns how many holds ended."""
    ended = connection.execute(
        holds.update().where(holds.c.ref == ref, holds.c.released_at.is_(None)).values(released_at=now)
    )
    return ended.rowcount


def list_holds(connection: Connection, ref: str) -> list[Hold]:
    """What is or was kept for this, by camera and time."""
    statement = sa.select(holds).where(holds.c.ref == ref).order_by(holds.c.camera, holds.c.from_at, holds.c.stream)
    return [Hold(**row) for row in connection.execute(statement).mappings()]


def is_not_held(segments: sa.Table) -> sa.ColumnElement[bool]:
    """As a condition on the table of segments: no standing hold touches the segment, and it bears no mark."""
    c, h = segments.c, holds.c
    touching = (
        sa.select(h.id)
        .where(h.camera == c.camera, h.stream == c.stream, h.released_at.is_(None))
        .where(h.from_at < c.durable_until, h.to_at > c.started_at)
        # Follows from the two and LONGEST; with it the index gives a handful of rows instead of a camera's whole past.
        .where(sa.type_coerce(h.from_at, _RAW_US) > sa.type_coerce(c.started_at, _RAW_US) - _LONGEST_US)
        .correlate(segments)
    )
    return sa.and_(c.is_held.is_(False), ~touching.exists())

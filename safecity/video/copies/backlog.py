"""What a place lacks, read from the index: a slice of time at a time, so that no query walks the whole of it.

The newest slices are read each turn; all older ones in turn, a bounded time of each turn, so that segments which come
into the index late (recovered, refound, filled in from an edge) and a database that was lost are noticed too. What
holds, open incidents and open cases cover is looked for by itself.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from safecity.oversight.purpose_store import purpose_scopes, purposes
from safecity.platform.clock import EPOCH
from safecity.platform.database import UtcInstant
from safecity.sites.model import CameraId
from safecity.video import store as video_store
from safecity.video.copies.model import (
    CopyState,
    Due,
    Policy,
    Protected,
    Protection,
    Target,
    Waiting,
    due_at,
    protection_of,
    wants,
)
from safecity.video.copies.store import copies
from safecity.video.holds import holds
from safecity.video.model import Segment, SegmentState, Stream

SLICE = timedelta(minutes=10)
FRESH_SLICES = 3  # a segment of ten minutes is closed in the second slice behind its own
LONGEST = timedelta(minutes=20)  # of a segment
MAX_DUE = 500  # segments of one answer
MAX_PROTECTED = 20_000
_segments = video_store.segments


def slice_of(instant: datetime) -> datetime:
    """The start of the slice in which an instant lies."""
    return EPOCH + (instant - EPOCH) // SLICE * SLICE


def has_copy(target: str) -> sa.ColumnElement[bool]:
    """As a condition on segments: this place has, or is just deleting, the copy of this very recording."""
    c, s = copies.c, _segments.c
    return (
        sa.select(c.target)
        .where(c.target == target, c.camera == s.camera, c.stream == s.stream, c.started_at == s.started_at)
        .where(c.root == s.root, c.state != CopyState.BAD.value)
        .correlate(_segments)
        .exists()
    )


def is_owed(targets: Sequence[Target], *, now: datetime) -> sa.ColumnElement[bool]:
    """As a condition on segments: a place that is given everything wants this one, and has not got it yet."""
    s = _segments.c
    return sa.or_(
        sa.false(),
        *(
            sa.and_(
                s.stream.in_([stream.value for stream in one.streams]),
                s.durable_until > now - one.keep,
                ~has_copy(one.name),
            )
            for one in targets
            if one.policy is Policy.ALL
        ),
    )


def _missing(target: str) -> sa.Select[tuple[object, ...]]:
    c = _segments.c
    # Not `==`: SQLite would then take the index on the state and sort everything that is closed.
    is_closed = c.state.not_in([SegmentState.OPEN.value, SegmentState.DELETING.value])
    return sa.select(_segments).where(is_closed, c.root.is_not(None), ~has_copy(target))


def read_slice(
    connection: Connection, target: Target, *, from_at: datetime, since: datetime, now: datetime
) -> tuple[Waiting, list[Segment]]:
    """What a place that wants all lacks of one slice: in sum, and the newest of it."""
    c = _segments.c
    wanted = (
        _missing(target.name)
        .where(c.started_at >= from_at, c.started_at < from_at + SLICE)
        .where(c.stream.in_([one.value for one in target.streams]), c.durable_until > now - target.keep)
    )
    found = wanted.order_by(c.started_at.desc()).limit(MAX_DUE)
    rows = [video_store.segment_of(row) for row in connection.execute(found).mappings()]
    if len(rows) < MAX_DUE:
        count, size_bytes = len(rows), sum(one.size_bytes for one in rows)
        oldest = min((one.durable_until for one in rows), default=None)
    else:
        part = wanted.subquery()
        sums = sa.select(sa.func.count(), sa.func.sum(part.c.size_bytes), sa.func.min(part.c.durable_until))
        count, total, oldest = connection.execute(sums).one()
        size_bytes = int(total or 0)
    return Waiting(
        segments=count,
        size_bytes=size_bytes,
        oldest_at=None if oldest is None else max(oldest, since),
    ), rows


def find_newest(connection: Connection, *, before: datetime) -> datetime | None:
    """The start of the newest segment before an instant."""
    started = _segments.c.started_at
    return connection.execute(sa.select(sa.func.max(started)).where(started < before)).scalar()


def list_protected(connection: Connection, policy: Policy, *, now: datetime) -> list[Protected]:
    """What standing holds cover and, unless the policy is of holds alone, open incidents and cases; bounded."""
    h = holds.c
    standing = sa.select(holds).where(h.released_at.is_(None)).order_by(h.held_at.desc()).limit(MAX_PROTECTED)
    found = [
        Protected(
            camera=CameraId(row["camera"]),
            stream=Stream(row["stream"]),
            from_at=row["from_at"],
            to_at=row["to_at"],
            since=row["held_at"],
            protection=Protection.HELD,
        )
        for row in connection.execute(standing).mappings()
    ]
    if policy is Policy.HELD:
        return found
    return found + _list_purposes(connection, now=now)


def _list_purposes(connection: Connection, *, now: datetime) -> list[Protected]:
    p, s = purposes.c, purpose_scopes.c
    statement = (
        sa.select(s.camera, s.from_at, s.to_at, p.opened_at)
        .join(purposes, s.purpose_id == p.id)
        .where(s.closed_at.is_(None), p.closed_at.is_(None), p.kind.in_(("case", "incident")))
        .where(sa.or_(p.ends_at.is_(None), p.ends_at > now))
        .order_by(p.opened_at.desc())
        .limit(MAX_PROTECTED)
    )
    return [
        Protected(
            camera=CameraId(row.camera),
            stream=None,
            from_at=row.from_at,
            to_at=row.to_at,
            since=row.opened_at,
            protection=Protection.PURPOSE,
        )
        for row in connection.execute(statement)
    ]


def list_due_protected(
    connection: Connection, target: Target, *, since: datetime, now: datetime
) -> tuple[Waiting, list[Due]]:
    """What a place lacks of what must be kept: in sum, and those that wait longest."""
    intervals = list_protected(connection, target.policy, now=now)
    marked = _missing(target.name).where(_segments.c.is_held.is_(True)).limit(MAX_DUE)
    rows = [video_store.segment_of(row) for row in connection.execute(marked).mappings()]
    rows += _list_touched(connection, target, policy=target.policy, now=now)
    due: dict[str, Due] = {}
    by_camera: dict[CameraId, list[Protected]] = {}
    for one in intervals:
        by_camera.setdefault(one.camera, []).append(one)
    for row in rows:
        protection, reason_since = protection_of(row, by_camera.get(row.camera, ()))
        protection = Protection.HELD if row.is_held else protection
        if protection is not Protection.NONE and wants(target, row, protection=protection, now=now):
            at = due_at(row, target_since=since, protected_since=reason_since)
            due[row.path] = Due(segment=row, protection=protection, due_at=at)
    found = sorted(due.values(), key=lambda one: one.due_at)
    oldest = found[0].due_at if found else None
    size_bytes = sum(one.segment.size_bytes for one in found)
    return Waiting(segments=len(found), size_bytes=size_bytes, oldest_at=oldest, oldest_protected_at=oldest), found[
        :MAX_DUE
    ]


def _list_touched(connection: Connection, target: Target, *, policy: Policy, now: datetime) -> Sequence[Segment]:
    """The segments that standing holds and purposes touch and the place lacks; at most as many as an answer holds."""
    c, h = _segments.c, holds.c
    of_holds = (
        _missing(target.name)
        .join(holds, sa.and_(h.camera == c.camera, h.stream == c.stream))
        .where(h.released_at.is_(None), c.started_at < h.to_at, c.durable_until > h.from_at)
        .where(sa.type_coerce(c.started_at, sa.BigInteger) > sa.type_coerce(h.from_at, sa.BigInteger) - _us(LONGEST))
        .limit(MAX_DUE)
    )
    found = [video_store.segment_of(row) for row in connection.execute(of_holds).mappings()]
    if policy is Policy.HELD:
        return found
    p, s = purposes.c, purpose_scopes.c
    end = sa.func.coalesce(s.to_at, sa.literal(now, UtcInstant))
    of_purposes = (
        _missing(target.name)
        .join(purpose_scopes, s.camera == c.camera)
        .join(purposes, s.purpose_id == p.id)
        .where(s.closed_at.is_(None), p.closed_at.is_(None), p.kind.in_(("case", "incident")))
        .where(sa.or_(p.ends_at.is_(None), p.ends_at > now))
        .where(c.stream.in_(("main", "sub")), c.started_at < end, c.durable_until > s.from_at)
        .where(sa.type_coerce(c.started_at, sa.BigInteger) > sa.type_coerce(s.from_at, sa.BigInteger) - _us(LONGEST))
        .limit(MAX_DUE)
    )
    return found + [video_store.segment_of(row) for row in connection.execute(of_purposes).mappings()]


def _us(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def is_unprotected(now: datetime) -> sa.ColumnElement[bool]:
    """As a condition on copies: no standing hold, no open incident and no open case touches it."""
    return sa.and_(~is_on_hold(), ~_is_in_purpose(now))


def is_on_hold() -> sa.ColumnElement[bool]:
    """As a condition on copies: a standing hold touches it, or its segment bears a mark."""
    c, h, s = copies.c, holds.c, _segments.c
    held = (
        sa.select(h.id)
        .where(h.camera == c.camera, h.stream == c.stream, h.released_at.is_(None))
        .where(h.from_at < c.durable_until, h.to_at > c.started_at)
        .correlate(copies)
        .exists()
    )
    marked = (
        sa.select(s.camera)
        .where(s.camera == c.camera, s.stream == c.stream, s.started_at == c.started_at, s.is_held.is_(True))
        .correlate(copies)
        .exists()
    )
    return sa.or_(held, marked)


def _is_in_purpose(now: datetime) -> sa.ColumnElement[bool]:
    c, p, s = copies.c, purposes.c, purpose_scopes.c
    return (
        sa.select(s.purpose_id)
        .join(purposes, s.purpose_id == p.id)
        .where(s.camera == c.camera, s.closed_at.is_(None), p.closed_at.is_(None))
        .where(p.kind.in_(("case", "incident")), sa.or_(p.ends_at.is_(None), p.ends_at > now))
        .where(s.from_at < c.durable_until, sa.or_(s.to_at.is_(None), s.to_at > c.started_at))
        .correlate(copies)
        .exists()
    )

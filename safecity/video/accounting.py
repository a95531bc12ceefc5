"""Every camera-second accounted for: what is missing in an interval over all cameras without a cause that we know.

A second that is not recorded is explained by an outage that the recorder stated, by being before the camera was first
recorded or behind what retention took, and, at the newest end, by a recorder that is not there to state anything: its
heartbeat is missing, and it will state the outage when it is back.

Asked per hour of 1,400 cameras this reads the index along its key, camera by camera (0.2 s); a whole day at once would
be read in the order of time and takes a minute of anybody's patience.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from safecity.platform.clock import from_us, to_us
from safecity.platform.database import UtcInstant
from safecity.platform.leases import list_leases
from safecity.sites.model import CameraId
from safecity.sites.tables import cameras
from safecity.video import store
from safecity.video.model import JOIN_WITHIN, SETTLES_WITHIN, SegmentState, Span, Stream
from safecity.video.store import outages, segments

# Longer than any segment: a row that began so long before an interval cannot reach into it.
LONGEST = timedelta(hours=1)
HEARTBEAT_HOLDS = timedelta(seconds=10)
_LEASE = "camera:"
_RAW_US = sa.BigInteger


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hole:
    camera: CameraId
    span: Span
    is_newest: bool


def unexplained_parts(hole: Span, explained: Iterable[Span]) -> list[Span]:
    """What of a hole no other span covers; slivers that the timeline would join are left out."""
    at, left = hole.from_at, list[Span]()
    for span in sorted(explained, key=lambda one: one.from_at):
        if span.from_at - at > JOIN_WITHIN:
            left.append(Span(from_at=at, to_at=min(span.from_at, hole.to_at)))
        at = max(at, span.to_at)
        if at >= hole.to_at:
            break
    if hole.to_at - at > JOIN_WITHIN:
        left.append(Span(from_at=at, to_at=hole.to_at))
    return [one for one in left if one.to_at - one.from_at > JOIN_WITHIN]


def read_unexplained_s(connection: Connection, *, from_at: datetime, to_at: datetime, now: datetime) -> float:
    """Camera-seconds of an interval that are missing without a known cause, over all cameras in use."""
    until = min(to_at, now - SETTLES_WITHIN)
    if until <= from_at:
        return 0.0
    holes = _list_holes(connection, from_at=from_at, until=until)
    if not holes:
        return 0.0
    stated = _outages_of(connection, from_at=from_at, until=until)
    attended = _attended(connection, now=now)
    known_from: dict[CameraId, datetime | None] = {}
    total_s = 0.0
    for hole in holes:
        if hole.is_newest and hole.camera not in attended and _lasts(connection, hole):
            continue
        if hole.camera not in known_from:
            known_from[hole.camera] = store.find_known_from(connection, hole.camera, Stream.MAIN)
        known = known_from[hole.camera]
        if known is None:
            continue
        earlier = Span(from_at=from_at, to_at=max(known, from_at))
        parts = unexplained_parts(hole.span, [earlier, *stated.get(hole.camera, ())])
        total_s += sum((one.to_at - one.from_at).total_seconds() for one in parts)
    return total_s


def _lasts(connection: Connection, hole: _Hole) -> bool:
    """Whether nothing was recorded since a hole began, also behind the interval that was asked for."""
    return store.find_next_segment(connection, hole.camera, Stream.MAIN, after=hole.span.from_at) is None


def read_recorded_s(connection: Connection, *, from_at: datetime, to_at: datetime) -> dict[CameraId, float]:
    """Recorded seconds of each camera in use in an interval, read along the key of the index."""
    c = segments.c
    start = sa.case((c.started_at < from_at, to_us(from_at)), else_=sa.type_coerce(c.started_at, _RAW_US))
    end = sa.case((c.durable_until > to_at, to_us(to_at)), else_=sa.type_coerce(c.durable_until, _RAW_US))
    statement = (
        sa.select(c.camera, sa.func.sum(sa.type_coerce(end - start, _RAW_US)))
        .where(*_rows_of(from_at, to_at), c.durable_until > from_at)
        .group_by(c.camera)
    )
    return {CameraId(camera): int(total) / 1e6 for camera, total in connection.execute(statement)}


def _rows_of(from_at: datetime, until: datetime) -> Sequence[sa.ColumnElement[bool]]:
    c = segments.c
    in_use = sa.select(cameras.c.id).where(cameras.c.retired_at.is_(None))
    return (
        c.camera.in_(in_use),
        c.stream == Stream.MAIN.value,
        c.state != SegmentState.DELETING.value,
        c.started_at > from_us(to_us(from_at) - LONGEST // timedelta(microseconds=1)),
        c.started_at < until,
    )


def _list_holes(connection: Connection, *, from_at: datetime, until: datetime) -> list[_Hole]:
    """The intervals in which a camera in use has no segment, whatever the reason."""
    c = segments.c
    before = sa.func.lag(c.durable_until).over(partition_by=c.camera, order_by=c.started_at)
    after = sa.func.lead(c.started_at).over(partition_by=c.camera, order_by=c.started_at)
    sides = (sa.type_coerce(before, UtcInstant).label("before"), sa.type_coerce(after, UtcInstant).label("after"))
    rows = sa.select(c.camera, c.started_at, c.durable_until, *sides).where(*_rows_of(from_at, until)).subquery()
    r = rows.c
    gap_us = sa.type_coerce(r.after, _RAW_US) - sa.type_coerce(r.durable_until, _RAW_US)
    edge = sa.or_(r.before.is_(None), r.after.is_(None), gap_us > JOIN_WITHIN // timedelta(microseconds=1))
    found: list[_Hole] = []
    seen: set[CameraId] = set()
    for row in connection.execute(sa.select(rows).where(edge)):
        camera = CameraId(row.camera)
        if row.before is None:
            seen.add(camera)
            found.extend(_hole(camera, from_at, min(row.started_at, until), from_at=from_at))
        end = until if row.after is None else min(row.after, until)
        found.extend(_hole(camera, row.durable_until, end, from_at=from_at, is_newest=row.after is None))
    for camera in connection.execute(sa.select(cameras.c.id).where(cameras.c.retired_at.is_(None))).scalars():
        if camera not in seen:
            found.extend(_hole(CameraId(camera), from_at, until, from_at=from_at, is_newest=True))
    return found


def _hole(
    camera: CameraId, start: datetime, end: datetime, *, from_at: datetime, is_newest: bool = False
) -> Iterable[_Hole]:
    start = max(start, from_at)
    if end - start > JOIN_WITHIN:
        yield _Hole(camera=camera, span=Span(from_at=start, to_at=end), is_newest=is_newest)


def _outages_of(connection: Connection, *, from_at: datetime, until: datetime) -> Mapping[CameraId, list[Span]]:
    c = outages.c
    statement = sa.select(c.camera, c.from_at, c.to_at).where(
        c.stream == Stream.MAIN.value, c.from_at < until, sa.or_(c.to_at.is_(None), c.to_at > from_at)
    )
    stated: dict[CameraId, list[Span]] = {}
    for row in connection.execute(statement):
        span = Span(from_at=row.from_at, to_at=row.to_at or until)
        stated.setdefault(CameraId(row.camera), []).append(span)
    return stated


def _attended(connection: Connection, *, now: datetime) -> frozenset[CameraId]:
    """The cameras whose recorder is there to state what is wrong."""
    alive = {one.slot for one in store.list_recorder_statuses(connection) if now - one.seen_at <= HEARTBEAT_HOLDS}
    held = list_leases(connection, prefix=_LEASE)
    return frozenset(
        CameraId(name.removeprefix(_LEASE)) for name, holder, until in held if until > now and holder in alive
    )

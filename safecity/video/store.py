"""Queries of recording: segments, outages, recorder status.

Every write of a running recorder comes through the index mailbox, batched; nothing here is on the path of a picture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, RowMapping

from safecity.platform.database import UtcInstant
from safecity.sites.cabinets.store import list_power_cuts
from safecity.sites.model import CameraId
from safecity.video.holds import is_not_held, take_turn
from safecity.video.model import Cause, Origin, Outage, Segment, SegmentState, Stream, Timeline, explain
from safecity.video.power import BATTERY_LASTS, blame_power
from safecity.video.tables import NOT_CLOSED, deletions, outages, recorder_status, segments
from safecity.video.totals import count_closing, count_deleting

MAX_ROWS = 50_000  # of one answer: 30 days of one stream are 43,200 segments
Conditions = Sequence[sa.ColumnElement[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderStatus:
    """A recorder's last word about itself."""

    slot: str
    pid: int
    started_at: datetime
    seen_at: datetime
    status: Mapping[str, object]


def segment_of(row: RowMapping) -> Segment:
    """A row of the table as the value it is."""
    fields = dict(row)
    fields["stream"] = Stream(row["stream"])
    fields["state"] = SegmentState(row["state"])
    fields["origin"] = Origin(row["origin"])
    return Segment(**fields)


def _outage(row: RowMapping) -> Outage:
    fields = dict(row)
    fields["stream"] = Stream(row["stream"])
    fields["cause"] = Cause(row["cause"])
    return Outage(**fields)


def _names(table: sa.Table) -> set[str]:
    return {column.name for column in table.columns}


def _plain(row: Segment | Outage) -> dict[str, object]:
    """Fields as a row; the drivers must not see enumerations."""
    fields = ((name, getattr(row, name)) for name in row.__slots__)
    return {name: value.value if isinstance(value, StrEnum) else value for name, value in fields}


def _upsert(connection: Connection, table: sa.Table, rows: Sequence[Mapping[str, object]], keep: set[str]) -> None:
    """Insert rows or renew them by primary key, leaving the columns in `keep` as they are."""
    if not rows:
        return
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    insert = make(table)
    keys = [column.name for column in table.primary_key.columns]
    renewed = {name: insert.excluded[name] for name in _names(table) - keep - set(keys)}
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=renewed), [dict(row) for row in rows])


def put_segments(connection: Connection, rows: Sequence[Segment]) -> None:
    """Insert or renew segments; a hold that was set meanwhile stays, and one being deleted is not revived."""
    if not rows:
        return
    count_closing(connection, rows)
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    insert = make(segments)
    keys = ["camera", "stream", "started_at"]
    renewed = {name: insert.excluded[name] for name in _names(segments) - {*keys, "is_held"}}
    statement = insert.on_conflict_do_update(
        index_elements=keys, set_=renewed, where=segments.c.state != SegmentState.DELETING.value
    )
    connection.execute(statement, [_plain(row) for row in rows])


def put_outages(connection: Connection, rows: Sequence[Outage]) -> None:
    """Insert or renew outages by id; one that turned out to have no length goes."""
    void = [row.id for row in rows if row.to_at is not None and row.to_at <= row.from_at]
    if void:
        connection.execute(outages.delete().where(outages.c.id.in_(void)))
    _upsert(connection, outages, [_plain(row) for row in rows if row.id not in void], keep=set())


def list_segments(
    connection: Connection, camera: CameraId, stream: Stream, *, from_at: datetime, to_at: datetime
) -> list[Segment]:
    """The segments that touch an interval, oldest first; at most MAX_ROWS."""
    c = segments.c
    mine = (c.camera == camera, c.stream == stream.value, c.state != SegmentState.DELETING.value)
    # Segments of a stream never overlap: only the last one that starts before can reach into the interval.
    before = sa.select(sa.func.max(c.started_at)).where(*mine, c.started_at <= from_at).scalar_subquery()
    statement = (
        sa.select(segments)
        .where(*mine, c.started_at >= sa.func.coalesce(before, sa.literal(from_at, UtcInstant)))
        .where(c.started_at < to_at, c.durable_until > from_at)
        .order_by(c.started_at)
        .limit(MAX_ROWS)
    )
    return [segment_of(row) for row in connection.execute(statement).mappings()]


def find_next_segment(connection: Connection, camera: CameraId, stream: Stream, *, after: datetime) -> Segment | None:
    """The first segment that starts at or after an instant."""
    c = segments.c
    is_kept = c.state != SegmentState.DELETING.value
    mine = sa.select(segments).where(c.camera == camera, c.stream == stream.value, is_kept, c.started_at >= after)
    statement = mine.order_by(c.started_at).limit(1)
    row = connection.execute(statement).mappings().first()
    return None if row is None else segment_of(row)


def find_last_segment(connection: Connection, camera: CameraId, stream: Stream, *, before: datetime) -> Segment | None:
    """The newest segment of a stream that started before an instant."""
    c = segments.c
    statement = (
        sa.select(segments)
        .where(c.camera == camera, c.stream == stream.value, c.state != SegmentState.DELETING.value)
        .where(c.started_at < before)
        .order_by(c.started_at.desc())
        .limit(1)
    )
    row = connection.execute(statement).mappings().first()
    return None if row is None else segment_of(row)


def list_segments_to_check(
    connection: Connection, camera: CameraId, stream: Stream, *, since: datetime
) -> list[Segment]:
    """What recovery compares with the files: every open segment, and all that started since an instant."""
    c = segments.c
    statement = (
        sa.select(segments)
        .where(
            c.camera == camera,
            c.stream == stream.value,
            sa.or_(sa.and_(NOT_CLOSED, c.state == SegmentState.OPEN.value), c.started_at >= since),
        )
        .order_by(c.started_at)
    )
    return [segment_of(row) for row in connection.execute(statement).mappings()]


def list_outages(
    connection: Connection, camera: CameraId, stream: Stream, *, from_at: datetime, to_at: datetime
) -> list[Outage]:
    """The outages that touch an interval, oldest first; at most MAX_ROWS."""
    c = outages.c
    statement = (
        sa.select(outages)
        .where(c.camera == camera, c.stream == stream.value, c.from_at < to_at)
        .where(sa.or_(c.to_at.is_(None), c.to_at > from_at))
        .order_by(c.from_at)
        .limit(MAX_ROWS)
    )
    return [_outage(row) for row in connection.execute(statement).mappings()]


def list_open_outages(connection: Connection, camera: CameraId, stream: Stream) -> list[Outage]:
    """The outages that have no end yet."""
    c = outages.c
    statement = sa.select(outages).where(c.camera == camera, c.stream == stream.value, c.to_at.is_(None))
    return [_outage(row) for row in connection.execute(statement).mappings()]


def find_known_from(connection: Connection, camera: CameraId, stream: Stream) -> datetime | None:
    """The stream's first fact that retention has not taken."""
    deleted = connection.execute(
        sa.select(deletions.c.deleted_until).where(deletions.c.camera == camera, deletions.c.stream == stream.value)
    ).scalar()
    if deleted is not None:
        return deleted
    found = [
        connection.execute(
            sa.select(sa.func.min(column)).where(table.c.camera == camera, table.c.stream == stream.value)
        ).scalar()
        for table, column in ((segments, segments.c.started_at), (outages, outages.c.from_at))
    ]
    return min((one for one in found if one is not None), default=None)


def read_timeline(
    connection: Connection,
    camera: CameraId,
    *,
    from_at: datetime,
    to_at: datetime,
    now: datetime,
    stream: Stream = Stream.MAIN,
) -> Timeline:
    """What of a stream is recorded in an interval, and what is missing with its cause."""
    found = explain(
        list_segments(connection, camera, stream, from_at=from_at, to_at=to_at),
        list_outages(connection, camera, stream, from_at=from_at, to_at=to_at),
        from_at=from_at,
        to_at=to_at,
        now=now,
        known_from=find_known_from(connection, camera, stream),
    )
    if not any(one.cause is Cause.LINK for one in found.missing):
        return found
    cuts = list_power_cuts(connection, camera, from_at=from_at - BATTERY_LASTS, to_at=to_at)
    return replace(found, missing=blame_power(found.missing, cuts))


def put_recorder_status(connection: Connection, status: RecorderStatus) -> None:
    """A recorder's heartbeat."""
    _upsert(connection, recorder_status, [asdict(status)], keep=set())


def list_recorder_statuses(connection: Connection) -> list[RecorderStatus]:
    """The last word of every recorder."""
    rows = connection.execute(sa.select(recorder_status).order_by(recorder_status.c.slot)).mappings()
    return [RecorderStatus(**row) for row in rows]


def list_oldest(
    connection: Connection, *, limit: int, before: datetime | None = None, allowed: Conditions = ()
) -> list[Segment]:
    """The oldest closed segments that nobody holds, across cameras; with `before`, only those that ended before it."""
    c = segments.c
    # Not `==`: SQLite would then take the index on the state and sort everything that is closed.
    is_closed = c.state.not_in([SegmentState.OPEN.value, SegmentState.DELETING.value])
    ended = [] if before is None else [c.durable_until <= before]
    statement = sa.select(segments).where(is_closed, is_not_held(segments), *allowed, *ended)
    statement = statement.order_by(c.started_at).limit(min(limit, MAX_ROWS))
    return [segment_of(row) for row in connection.execute(statement).mappings()]


def list_deleting(connection: Connection, *, limit: int) -> list[Segment]:
    """Segments whose deletion was begun."""
    is_deleting = (NOT_CLOSED, segments.c.state == SegmentState.DELETING.value)
    statement = sa.select(segments).where(*is_deleting).limit(min(limit, MAX_ROWS))
    return [segment_of(row) for row in connection.execute(statement).mappings()]


def _key_of(row: Segment) -> sa.ColumnElement[bool]:
    c = segments.c
    return sa.and_(c.camera == row.camera, c.stream == row.stream.value, c.started_at == row.started_at)


def mark_deleting(connection: Connection, rows: Sequence[Segment]) -> list[Segment]:
    """Begin to delete; segments that are held by now, or open, are left alone and not returned."""
    take_turn(connection)
    c = segments.c
    begun: list[Segment] = []
    for row in rows:
        changed = connection.execute(
            segments.update()
            .where(_key_of(row), c.state == SegmentState.CLOSED.value, is_not_held(segments))
            .values(state=SegmentState.DELETING.value)
        )
        if changed.rowcount:
            begun.append(row)
    count_deleting(connection, begun)
    return begun


def drop_segments(connection: Connection, rows: Sequence[Segment]) -> None:
    """Take the rows of deleted files out of the index and remember how far each stream is gone."""
    until: dict[tuple[CameraId, Stream], datetime] = {}
    for row in rows:
        connection.execute(segments.delete().where(_key_of(row), segments.c.state == SegmentState.DELETING.value))
        key = (row.camera, row.stream)
        until[key] = max(row.durable_until, until.get(key, row.durable_until))
    known = {
        (one.camera, one.stream): one.deleted_until
        for one in connection.execute(sa.select(deletions).where(deletions.c.camera.in_([c for c, _ in until])))
    }
    news = [
        {"camera": camera, "stream": stream.value, "deleted_until": max(at, known.get((camera, stream.value), at))}
        for (camera, stream), at in until.items()
    ]
    _upsert(connection, deletions, news, keep=set())


def set_held(connection: Connection, camera: CameraId, stream: Stream, *, started_at: datetime, is_held: bool) -> bool:
    """Hold a segment, or let it go; False when it is not there or already being deleted."""
    c = segments.c
    changed = connection.execute(
        segments.update()
        .where(c.camera == camera, c.stream == stream.value, c.started_at == started_at)
        .where(c.state != SegmentState.DELETING.value)
        .values(is_held=is_held)
    )
    return changed.rowcount > 0

"""Tables of second copies, and their queries: the copies, the places, the drills."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, RowMapping

from safecity.platform.database import Json, UtcInstant, metadata
from safecity.video import store as video_store
from safecity.video.copies.model import Copy, CopyState, Protection, TargetState
from safecity.video.model import Segment, Stream

MAX_ROWS = 50_000
DRILLS_KEPT = timedelta(days=400)

copies = sa.Table(
    "copies",
    metadata,
    sa.Column("target", sa.String(40), primary_key=True, comment="Name of the place in the settings"),
    sa.Column("camera", sa.String(64), primary_key=True, comment="Camera id"),
    sa.Column("stream", sa.String(8), primary_key=True, comment="main or sub"),
    sa.Column("started_at", UtcInstant, primary_key=True, comment="Start of the segment"),
    sa.Column("durable_until", UtcInstant, nullable=False, comment="End of the segment"),
    sa.Column("key", sa.String(400), nullable=False, comment="Name of the object: path and root"),
    sa.Column("version", sa.String(100), nullable=True, comment="Version of the object, if the place keeps any"),
    sa.Column("root", sa.String(64), nullable=False, comment="Merkle root of the segment that was copied"),
    sa.Column("size_bytes", sa.BigInteger, nullable=False, comment="Size of the object"),
    sa.Column("state", sa.String(10), nullable=False, comment="copied, bad, deleting"),
    sa.Column("protection", sa.String(8), nullable=False, comment="none, purpose, held: when it was copied"),
    sa.Column("is_held", sa.Boolean, nullable=False, comment="A legal hold stands on the object itself"),
    sa.Column("copied_at", UtcInstant, nullable=False, comment="When the object was durable and compared"),
    sa.Column("lag_s", sa.Float, nullable=True, comment="From when it was due; null: it was found in the place"),
    sa.Column("verified_at", UtcInstant, nullable=True, comment="When it was last fetched back and found right"),
    sa.Index("ix_copies_segment", "camera", "stream", "started_at"),
    sa.Index("ix_copies_target_durable_until", "target", "durable_until"),
    sa.Index("ix_copies_target_copied_at", "target", "copied_at"),
    sa.Index("ix_copies_target_state", "target", "state"),
    sqlite_with_rowid=False,
    comment="Second copies of segments, one row a place and segment",
)

copy_targets = sa.Table(
    "copy_targets",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True, comment="Name of the place in the settings"),
    sa.Column("first_at", UtcInstant, nullable=False, comment="Since when copies go there; none was due before"),
    sa.Column("seen_at", UtcInstant, nullable=False, comment="Heartbeat of its copier"),
    sa.Column("state", sa.String(10), nullable=False, comment="current, behind, away, refused, full"),
    sa.Column("since", UtcInstant, nullable=False, comment="Since when it is so"),
    sa.Column("detail", sa.String(64), nullable=False, comment="Stable word for what was seen, or empty"),
    sa.Column("status", Json, nullable=False, comment="What waits, how late copies are, how fast they go"),
    comment="Places of second copies, rewritten every two seconds",
)

copy_drills = sa.Table(
    "copy_drills",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True, comment="drill_..."),
    sa.Column("target", sa.String(40), nullable=False, comment="Name of the place"),
    sa.Column("began_at", UtcInstant, nullable=False, comment="When it began"),
    sa.Column("ended_at", UtcInstant, nullable=False, comment="When it ended"),
    sa.Column("is_standing", sa.Boolean, nullable=False, comment="The daily one, not one by hand"),
    sa.Column("tried", sa.Integer, nullable=False, comment="Copies that were chosen"),
    sa.Column("good", sa.Integer, nullable=False, comment="Fetched back whole, byte by byte what was recorded"),
    sa.Column("bad", sa.Integer, nullable=False, comment="Not there, or not what was recorded"),
    sa.Column("unreached", sa.Integer, nullable=False, comment="Not tried to the end: the place did not answer"),
    sa.Column("size_bytes", sa.BigInteger, nullable=False, comment="Bytes fetched"),
    sa.Column("findings", Json, nullable=False, comment="What was bad: camera, stream, start, key, flaw"),
    sa.Index("ix_copy_drills_target_ended_at", "target", "ended_at"),
    comment="Restore drills: random copies fetched back and compared",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetStatus:
    """A row of `copy_targets`: a place's last word."""

    name: str
    first_at: datetime
    seen_at: datetime
    state: TargetState
    since: datetime
    detail: str
    status: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A row of `copy_drills`."""

    id: str
    target: str
    began_at: datetime
    ended_at: datetime
    is_standing: bool
    tried: int
    good: int
    bad: int
    unreached: int
    size_bytes: int
    findings: Sequence[Mapping[str, object]]


def _plain(row: Copy | TargetStatus | Drill) -> dict[str, object]:
    fields = ((name, getattr(row, name)) for name in row.__slots__)
    return {name: value.value if isinstance(value, StrEnum) else value for name, value in fields}


def copy_of(row: RowMapping) -> Copy:
    """A row as a value."""
    fields = dict(row)
    fields["stream"] = Stream(row["stream"])
    fields["state"] = CopyState(row["state"])
    fields["protection"] = Protection(row["protection"])
    return Copy(**fields)


def _upsert(connection: Connection, table: sa.Table, rows: Sequence[Mapping[str, object]], *, keep: set[str]) -> None:
    if not rows:
        return
    insert = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(table)
    keys = [column.name for column in table.primary_key.columns]
    renewed = {
        column.name: insert.excluded[column.name] for column in table.columns if column.name not in {*keys, *keep}
    }
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=renewed), [dict(row) for row in rows])


def put_copies(connection: Connection, rows: Sequence[Copy]) -> None:
    """Insert or renew copies; their objects are durable."""
    _upsert(connection, copies, [_plain(row) for row in rows], keep=set())


def _key_of(row: Copy) -> sa.ColumnElement[bool]:
    c = copies.c
    return sa.and_(
        c.target == row.target, c.camera == row.camera, c.stream == row.stream.value, c.started_at == row.started_at
    )


def find_copies(connection: Connection, segment: Segment) -> list[Copy]:
    """The copies of a segment that are believed good; those of another root are not."""
    c = copies.c
    statement = sa.select(copies).where(
        c.camera == segment.camera,
        c.stream == segment.stream.value,
        c.started_at == segment.started_at,
        c.state == CopyState.COPIED.value,
    )
    if segment.root is not None:
        statement = statement.where(c.root == segment.root)
    return [copy_of(row) for row in connection.execute(statement.order_by(c.copied_at)).mappings()]


def mark_bad(connection: Connection, row: Copy) -> None:
    """It is missing or changed: it counts no longer, and is sent again."""
    is_it = sa.and_(_key_of(row), copies.c.state == CopyState.COPIED.value, copies.c.copied_at == row.copied_at)
    connection.execute(copies.update().where(is_it).values(state=CopyState.BAD.value, verified_at=None))


def mark_verified(connection: Connection, rows: Sequence[Copy], *, at: datetime) -> None:
    """They were fetched back and are what was recorded."""
    for row in rows:
        connection.execute(copies.update().where(_key_of(row)).values(verified_at=at))


def set_held(connection: Connection, row: Copy, *, is_held: bool) -> None:
    """A legal hold was put on the object, or lifted."""
    connection.execute(copies.update().where(_key_of(row)).values(is_held=is_held))


def mark_deleting(connection: Connection, rows: Sequence[Copy], *, allowed: sa.ColumnElement[bool]) -> list[Copy]:
    """Begin to delete what still may go."""
    begun: list[Copy] = []
    for row in rows:
        statement = copies.update().where(_key_of(row), copies.c.is_held.is_(False), allowed)
        if connection.execute(statement.values(state=CopyState.DELETING.value)).rowcount:
            begun.append(row)
    return begun


def list_deleting(connection: Connection, target: str, *, limit: int) -> list[Copy]:
    """Copies whose deletion was begun."""
    c = copies.c
    statement = sa.select(copies).where(c.target == target, c.state == CopyState.DELETING.value).limit(limit)
    return [copy_of(row) for row in connection.execute(statement).mappings()]


def list_older(
    connection: Connection, target: str, *, before: datetime, allowed: sa.ColumnElement[bool], limit: int
) -> list[Copy]:
    """The oldest copies that ended before an instant and may go."""
    c = copies.c
    statement = (
        sa.select(copies)
        .where(c.target == target, c.durable_until <= before, c.is_held.is_(False), allowed)
        .where(c.state != CopyState.DELETING.value)
        .order_by(c.durable_until)
        .limit(limit)
    )
    return [copy_of(row) for row in connection.execute(statement).mappings()]


def list_where(connection: Connection, target: str, *, condition: sa.ColumnElement[bool], limit: int) -> list[Copy]:
    """The good copies of a place that a condition chooses."""
    c = copies.c
    statement = sa.select(copies).where(c.target == target, c.state == CopyState.COPIED.value, condition).limit(limit)
    return [copy_of(row) for row in connection.execute(statement).mappings()]


def drop_copies(connection: Connection, rows: Sequence[Copy]) -> None:
    """Their objects are gone."""
    for row in rows:
        connection.execute(copies.delete().where(_key_of(row), copies.c.state == CopyState.DELETING.value))


def list_behind(connection: Connection, target: str, *, after: datetime, limit: int) -> list[Copy]:
    """The first good copies that ended at or after an instant, in order of time."""
    c = copies.c
    statement = (
        sa.select(copies)
        .where(c.target == target, c.durable_until >= after, c.state == CopyState.COPIED.value)
        .order_by(c.durable_until)
        .limit(limit)
    )
    return [copy_of(row) for row in connection.execute(statement).mappings()]


def read_span(connection: Connection, target: str) -> tuple[datetime, datetime] | None:
    """End of the oldest and of the newest copy of a place."""
    c = copies.c
    first, last = (
        connection.execute(sa.select(c.durable_until).where(c.target == target).order_by(order).limit(1)).scalar()
        for order in (c.durable_until, c.durable_until.desc())
    )
    return None if first is None or last is None else (first, last)


def read_sums(connection: Connection, target: str) -> tuple[int, int, int]:
    """(good copies, their bytes, bad copies); walks the place's rows, so ask once a minute."""
    c = copies.c
    statement = sa.select(c.state, sa.func.count(), sa.func.coalesce(sa.func.sum(c.size_bytes), 0))
    found = {row[0]: row for row in connection.execute(statement.where(c.target == target).group_by(c.state))}
    good, bad = found.get(CopyState.COPIED.value), found.get(CopyState.BAD.value)
    return (
        (0, 0, 0 if bad is None else bad[1]) if good is None else (good[1], int(good[2]), 0 if bad is None else bad[1])
    )


def list_lags(connection: Connection, target: str, *, since: datetime) -> list[tuple[Protection, float]]:
    """How late each copy was that was made since an instant; the newest MAX_ROWS."""
    c = copies.c
    statement = (
        sa.select(c.protection, c.lag_s)
        .where(c.target == target, c.copied_at >= since, c.lag_s.is_not(None))
        .order_by(c.copied_at.desc())
        .limit(MAX_ROWS)
    )
    return [(Protection(row[0]), float(row[1])) for row in connection.execute(statement)]


def find_segment(connection: Connection, row: Copy | Segment) -> Segment | None:
    """The segment of a copy as the index has it now, in whatever state."""
    c = video_store.segments.c
    statement = sa.select(video_store.segments).where(
        c.camera == row.camera, c.stream == row.stream.value, c.started_at == row.started_at
    )
    found = connection.execute(statement).mappings().first()
    return None if found is None else video_store.segment_of(found)


def note_target(connection: Connection, status: TargetStatus) -> None:
    """A place's heartbeat; since when it is one stays as it was."""
    _upsert(connection, copy_targets, [_plain(status)], keep={"first_at"})


def find_target(connection: Connection, name: str) -> TargetStatus | None:
    """A place's last word."""
    row = connection.execute(sa.select(copy_targets).where(copy_targets.c.name == name)).mappings().first()
    return None if row is None else _target(row)


def list_target_statuses(connection: Connection) -> list[TargetStatus]:
    """The last word of every place there ever was."""
    return [
        _target(row) for row in connection.execute(sa.select(copy_targets).order_by(copy_targets.c.name)).mappings()
    ]


def _target(row: RowMapping) -> TargetStatus:
    fields = dict(row)
    fields["state"] = TargetState(row["state"])
    return TargetStatus(**fields)


def insert_drill(connection: Connection, drill: Drill) -> None:
    """Keep a drill's result."""
    connection.execute(
        copy_drills.insert().values({**_plain(drill), "findings": [dict(one) for one in drill.findings]})
    )


def list_drills(connection: Connection, *, target: str | None = None, limit: int = 100) -> list[Drill]:
    """The newest drills, of one place or of all."""
    statement = sa.select(copy_drills).order_by(copy_drills.c.ended_at.desc(), copy_drills.c.id).limit(limit)
    if target is not None:
        statement = statement.where(copy_drills.c.target == target)
    return [Drill(**row) for row in connection.execute(statement).mappings()]


def find_last_standing(connection: Connection, target: str) -> Drill | None:
    """The last daily drill of a place."""
    c = copy_drills.c
    statement = sa.select(copy_drills).where(c.target == target, c.is_standing.is_(True))
    row = connection.execute(statement.order_by(c.ended_at.desc()).limit(1)).mappings().first()
    return None if row is None else Drill(**row)


def forget_drills(connection: Connection, *, before: datetime) -> None:
    """Drop what is older than anybody asks for."""
    connection.execute(copy_drills.delete().where(copy_drills.c.ended_at < before))

"""Running totals of what is recorded, by stream, UTC day and volume; sixty million rows are never counted.

The table of days holds closed segments only and changes in the very transaction that closes or deletes one, so it is
right after any crash. Open segments, one a stream, are added when somebody asks. `recount_day` makes a day's totals
anew from the rows; `safecity store check` does so for each day that it has checked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from safecity.platform.clock import to_us
from safecity.video.model import Segment, SegmentState, StreamKey
from safecity.video.tables import NOT_CLOSED, segments, stream_days

_RAW_US = sa.BigInteger
_KEYS = ("camera", "stream", "day", "volume")
_SUMS = ("segments", "size_bytes", "recorded_us")
Share = tuple[int, int, int]
"""Segments, bytes, microseconds."""
_DayKey = tuple[str, str, date, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingTotals:
    """What the index holds altogether."""

    segments: int
    recorded_s: float
    size_bytes: int
    oldest_at: datetime | None


def share_of(row: Segment) -> tuple[_DayKey, Share]:
    """Where a closed segment counts, and what it adds there."""
    key = (str(row.camera), row.stream.value, row.started_at.astimezone(UTC).date(), row.volume or "")
    return key, (1, row.size_bytes, to_us(row.durable_until) - to_us(row.started_at))


def count_closing(connection: Connection, rows: Sequence[Segment]) -> None:
    """Count the closed ones among rows that are about to be written, less what stands in the index for them now."""
    closing = [row for row in rows if row.state is SegmentState.CLOSED]
    c = segments.c
    columns = (c.state, c.started_at, c.durable_until, c.size_bytes, c.volume)
    less: list[tuple[_DayKey, Share]] = []
    more: list[tuple[_DayKey, Share]] = []
    for row in closing:
        mine = (c.camera == row.camera, c.stream == row.stream.value, c.started_at == row.started_at)
        there = connection.execute(sa.select(*columns).where(*mine)).first()
        if there is not None and there.state == SegmentState.DELETING.value:
            continue  # it is not revived
        if there is not None and there.state == SegmentState.CLOSED.value:
            day = there.started_at.astimezone(UTC).date()
            length_us = to_us(there.durable_until) - to_us(there.started_at)
            key = (str(row.camera), row.stream.value, day, there.volume or "")
            less.append((key, (1, there.size_bytes, length_us)))
        more.append(share_of(row))
    add_shares(connection, more, less=less)


def count_deleting(connection: Connection, rows: Iterable[Segment]) -> None:
    """Closed segments whose deletion begins."""
    add_shares(connection, [], less=[share_of(row) for row in rows])


def add_shares(
    connection: Connection, more: Iterable[tuple[_DayKey, Share]], *, less: Iterable[tuple[_DayKey, Share]] = ()
) -> None:
    """Change the days' totals."""
    news: dict[_DayKey, Share] = {}
    for sign, shares in ((1, more), (-1, less)):
        for key, (count, size, length) in shares:
            had = news.get(key, (0, 0, 0))
            news[key] = (had[0] + sign * count, had[1] + sign * size, had[2] + sign * length)
    names: tuple[str, ...] = (*_KEYS, *_SUMS)
    rows: list[dict[str, object]] = [
        dict(zip(names, (*key, *share), strict=True)) for key, share in sorted(news.items()) if any(share)
    ]
    if not rows:
        return
    insert = _insert(connection)
    added = {name: stream_days.c[name] + insert.excluded[name] for name in _SUMS}
    connection.execute(insert.on_conflict_do_update(index_elements=list(_KEYS), set_=added), rows)


def recount_day(connection: Connection, key: StreamKey, day: date) -> bool:
    """Count a day's rows anew; True where the totals were not what they are."""
    c, d = segments.c, stream_days.c
    from_at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    length_us = sa.type_coerce(c.durable_until, _RAW_US) - sa.type_coerce(c.started_at, _RAW_US)
    volume = sa.func.coalesce(c.volume, "")
    sums = (sa.func.count(), sa.func.sum(c.size_bytes), sa.func.sum(sa.type_coerce(length_us, _RAW_US)))
    rows = connection.execute(
        sa.select(volume, *sums)
        .where(c.camera == key[0], c.stream == key[1].value, c.state == SegmentState.CLOSED.value)
        .where(c.started_at >= from_at, c.started_at < from_at + timedelta(days=1))
        .group_by(volume)
    )
    counted = {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in rows}
    mine = (d.camera == key[0], d.stream == key[1].value, d.day == day)
    said = connection.execute(sa.select(d.volume, d.segments, d.size_bytes, d.recorded_us).where(*mine))
    if counted == {row[0]: (row[1], row[2], row[3]) for row in said if row[1]}:
        return False
    connection.execute(stream_days.delete().where(*mine))
    add_shares(connection, [((key[0], key[1].value, day, name), share) for name, share in counted.items()])
    return True


def read_totals(connection: Connection) -> RecordingTotals:
    """How much is recorded altogether."""
    c, d = segments.c, stream_days.c
    closed = connection.execute(sa.select(*(_total(d[name]) for name in _SUMS))).one()
    length_us = sa.type_coerce(c.durable_until, _RAW_US) - sa.type_coerce(c.started_at, _RAW_US)
    is_open = (NOT_CLOSED, c.state == SegmentState.OPEN.value)
    growing = connection.execute(
        sa.select(sa.func.count(), _total(c.size_bytes), _total(sa.type_coerce(length_us, _RAW_US))).where(*is_open)
    ).one()
    # Read from the start of its index; what is being deleted there is little.
    oldest = sa.select(c.started_at).where(c.state != SegmentState.DELETING.value).order_by(c.started_at).limit(1)
    return RecordingTotals(
        segments=int(closed[0]) + growing[0],
        recorded_s=(int(closed[2]) + int(growing[2])) / 1e6,
        size_bytes=int(closed[1]) + int(growing[1]),
        oldest_at=connection.execute(oldest).scalar(),
    )


def read_used_bytes(connection: Connection) -> Mapping[str, int]:
    """Bytes of closed segments by volume, as their rows say; under an empty name those whose volume is not known."""
    d = stream_days.c
    rows = connection.execute(sa.select(d.volume, _total(d.size_bytes)).group_by(d.volume))
    return {volume: int(size) for volume, size in rows}


def list_stream_days(connection: Connection) -> list[tuple[str, str, date]]:
    """Each stream's UTC days of which the index has closed segments."""
    d = stream_days.c
    return [(row[0], row[1], row[2]) for row in connection.execute(sa.select(d.camera, d.stream, d.day).distinct())]


def _total(column: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(column), 0)


def _insert(connection: Connection) -> sqlite.Insert | postgresql.Insert:
    return (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(stream_days)

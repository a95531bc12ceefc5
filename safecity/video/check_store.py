"""What checks of the store have seen, kept in the database: how far each stream's day is verified, and the findings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from safecity.sites.model import CameraId
from safecity.video.day_rules import Finding
from safecity.video.file_verify import Flaw
from safecity.video.model import Segment, SegmentState, Stream, StreamKey
from safecity.video.store import segment_of
from safecity.video.tables import deletions, segments, store_checks, store_findings

MAX_FINDINGS = 100_000  # kept; a wiped disk must not fill the database with what one sentence says
KEPT_FOR = timedelta(days=90)  # findings that are mended
Day = tuple[StreamKey, date]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCheck:
    """How far a stream's day is checked."""

    checked_until: datetime | None  # in a check under way
    checked_at: datetime | None
    segments: int
    read_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckState:
    """The state of checking altogether, for the health page."""

    days: int
    oldest_checked_at: datetime | None
    newest_checked_at: datetime | None
    findings: Mapping[Flaw, int]


UNCHECKED = DayCheck(checked_until=None, checked_at=None, segments=0, read_bytes=0)


def read_checks(connection: Connection) -> dict[Day, DayCheck]:
    """What is known of every day that was ever looked at."""
    rows = connection.execute(sa.select(store_checks))
    return {
        ((CameraId(row.camera), Stream(row.stream)), row.day): DayCheck(
            checked_until=row.checked_until, checked_at=row.checked_at, segments=row.segments, read_bytes=row.read_bytes
        )
        for row in rows
    }


def put_check(connection: Connection, day: Day, state: DayCheck) -> None:
    """Remember how far a day is."""
    (camera, stream), of_day = day
    insert = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(store_checks)
    names = ("checked_until", "checked_at", "segments", "read_bytes")
    row = {"camera": camera, "stream": stream.value, "day": of_day} | {name: getattr(state, name) for name in names}
    keys = ["camera", "stream", "day"]
    renewed = {name: insert.excluded[name] for name in names}
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=renewed), [row])


def drop_checks(connection: Connection, days: Sequence[Day]) -> None:
    """Forget days of which neither the index nor a disk has anything left, with what was found in them."""
    for (camera, stream), day in days:
        c, f = store_checks.c, store_findings.c
        connection.execute(store_checks.delete().where(c.camera == camera, c.stream == stream.value, c.day == day))
        begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
        here = (f.camera == camera, f.stream == stream.value, f.at >= begin, f.at < begin + timedelta(days=1))
        connection.execute(store_findings.delete().where(*here))


def list_rows_after(
    connection: Connection, key: StreamKey, *, after: datetime, before: datetime, limit: int
) -> list[Segment]:
    """The stream's next segments that start behind an instant, in order."""
    c = segments.c
    statement = (
        sa.select(segments)
        .where(c.camera == key[0], c.stream == key[1].value, c.state != SegmentState.DELETING.value)
        .where(c.started_at > after, c.started_at < before)
        .order_by(c.started_at)
        .limit(limit)
    )
    return [segment_of(row) for row in connection.execute(statement).mappings()]


def find_row(connection: Connection, row: Segment) -> Segment | None:
    """The row as it is now; None where it is gone or going."""
    c = segments.c
    mine = (c.camera == row.camera, c.stream == row.stream.value, c.started_at == row.started_at)
    statement = sa.select(segments).where(*mine, c.state != SegmentState.DELETING.value)
    found = connection.execute(statement).mappings().first()
    return None if found is None else segment_of(found)


def fill_root(connection: Connection, row: Segment, root: str) -> None:
    """The root of a row that a rebuilt index had left open."""
    c = segments.c
    mine = (c.camera == row.camera, c.stream == row.stream.value, c.started_at == row.started_at)
    connection.execute(segments.update().where(*mine, c.root.is_(None)).values(root=root))


def find_deleted_until(connection: Connection, key: StreamKey) -> datetime | None:
    """How far retention has deleted a stream."""
    d = deletions.c
    statement = sa.select(d.deleted_until).where(d.camera == key[0], d.stream == key[1].value)
    return connection.execute(statement).scalar()


def put_findings(
    connection: Connection,
    key: StreamKey,
    findings: Sequence[Finding],
    *,
    kinds: frozenset[Flaw],
    within: tuple[datetime, datetime],
    now: datetime,
) -> None:
    """What was found of these kinds in an interval [from, to] of a stream; what stood there and is gone is mended."""
    f = store_findings.c
    here = (f.camera == key[0], f.stream == key[1].value, f.at >= within[0], f.at <= within[1], f.mended_at.is_(None))
    ids = {one.id for one in findings}
    standing = connection.execute(sa.select(f.id, f.kind).where(*here)).all()
    gone = [row.id for row in standing if row.kind in kinds and row.id not in ids]
    if gone:
        connection.execute(store_findings.update().where(f.id.in_(gone)).values(mended_at=now))
    kept = sa.select(sa.func.count()).select_from(store_findings)
    if not findings or (connection.execute(kept).scalar() or 0) > MAX_FINDINGS:
        return
    insert = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(store_findings)
    rows = [
        {
            "id": one.id,
            "camera": key[0],
            "stream": key[1].value,
            "at": one.at,
            "path": one.path,
            "kind": one.kind.value,
            "detail": one.detail[:255],
            "found_at": now,
            "mended_at": None,
        }
        for one in {one.id: one for one in findings}.values()
    ]
    renewed = {"detail": insert.excluded.detail, "mended_at": sa.null()}
    connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=renewed), rows)


def forget_mended(connection: Connection, *, now: datetime) -> None:
    """Findings that have been well for long."""
    connection.execute(store_findings.delete().where(store_findings.c.mended_at < now - KEPT_FOR))


def list_findings(connection: Connection, *, limit: int) -> list[Finding]:
    """What stands, newest first."""
    f = store_findings.c
    statement = sa.select(store_findings).where(f.mended_at.is_(None)).order_by(f.found_at.desc(), f.id).limit(limit)
    return [
        Finding(
            key=(CameraId(row.camera), Stream(row.stream)),
            at=row.at,
            kind=Flaw(row.kind),
            detail=row.detail,
            path=row.path,
        )
        for row in connection.execute(statement)
    ]


def read_check_state(connection: Connection) -> CheckState:
    """The state of checking altogether."""
    c, f = store_checks.c, store_findings.c
    done = sa.select(sa.func.count(), sa.func.min(c.checked_at), sa.func.max(c.checked_at)).where(
        c.checked_at.is_not(None)
    )
    days, oldest, newest = connection.execute(done).one()
    kinds = sa.select(f.kind, sa.func.count()).where(f.mended_at.is_(None)).group_by(f.kind)
    counted = {Flaw(kind): int(count) for kind, count in connection.execute(kinds)}
    return CheckState(days=days, oldest_checked_at=oldest, newest_checked_at=newest, findings=counted)

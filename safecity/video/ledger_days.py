"""The ledger of closed days, kept: a day's sums outlive its recordings, and what is published is read from here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.video.day_ledger import DayLedger, read_day
from safecity.video.model import Cause
from safecity.video.tables import ledger_days, outages, segments

log = structlog.get_logger()

DAYS_BACK = 31  # summed up where they were not, after an update or a long rest
SETTLED_AFTER = timedelta(minutes=15)  # after midnight the newest rows of the day are in the index
REVISED_FOR = timedelta(days=3)  # so long an edge or a camera's card may still bring what was missing
REVISED_EVERY = timedelta(hours=6)
MAX_DAYS = 366


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedDay:
    """Camera-seconds of one local day of the city, as they were summed up."""

    day: date
    cameras: int
    expected_s: float
    recorded_s: float
    recovered_s: float
    missing_s: Mapping[Cause, float]
    unexplained_s: float
    summed_at: datetime


def list_closed_days(connection: Connection, *, limit: int) -> list[ClosedDay]:
    """The newest closed days, oldest first."""
    statement = sa.select(ledger_days).order_by(ledger_days.c.day.desc()).limit(min(limit, MAX_DAYS))
    found = [dict(row) for row in connection.execute(statement).mappings()]
    for fields in found:
        fields["missing_s"] = {Cause(name): float(seconds) for name, seconds in fields["missing_s"].items()}
    return [ClosedDay(**fields) for fields in reversed(found)]


def put_closed_day(connection: Connection, found: DayLedger, *, now: datetime) -> bool:
    """Keep a day's sums; sums that know less than those kept, since retention took recordings, are not taken."""
    d = ledger_days.c
    there = connection.execute(sa.select(d.recorded_s, d.recovered_s).where(d.day == found.day)).first()
    if there is not None and there.recorded_s + there.recovered_s > found.recorded_s + found.recovered_s:
        connection.execute(ledger_days.update().where(d.day == found.day).values(summed_at=now))
        return False
    row = {
        "day": found.day,
        "cameras": found.cameras,
        "expected_s": found.expected_s,
        "recorded_s": found.recorded_s,
        "recovered_s": found.recovered_s,
        "missing_s": {cause.value: seconds for cause, seconds in found.missing_s.items()},
        "unexplained_s": found.unexplained_s,
        "summed_at": now,
    }
    insert = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(ledger_days)
    renewed = {name: insert.excluded[name] for name in row if name != "day"}
    connection.execute(insert.on_conflict_do_update(index_elements=["day"], set_=renewed), [row])
    return True


class DayCloser:
    """Sums up the days that are over, one a run; a day is summed up again while something may still come in."""

    def __init__(self, database: Database, *, zone: ZoneInfo, clock: Clock) -> None:
        self._database = database
        self._zone = zone
        self._clock = clock

    def run_once(self) -> date | None:
        """Sum up the oldest day that is due; None where none is. Raises Unavailable."""
        now = self._clock.now()
        with self._database.read() as connection:
            day = self._find_due(connection, now)
        if day is None:
            return None
        found = read_day(self._database, day, zone=self._zone, now=now)
        with self._database.begin() as connection:
            is_new = put_closed_day(connection, found, now=now)
        log.info("video.day_closed", day=day.isoformat(), is_new=is_new, unexplained_s=round(found.unexplained_s, 1))
        return day

    def _find_due(self, connection: Connection, now: datetime) -> date | None:
        last = (now - SETTLED_AFTER).astimezone(self._zone).date() - timedelta(days=1)
        first = self._first_day(connection)
        if first is None:
            return None
        d = ledger_days.c
        statement = sa.select(d.day, d.summed_at).where(d.day >= last - timedelta(days=DAYS_BACK))
        summed = {row.day: row.summed_at for row in connection.execute(statement)}
        day = max(first, last - timedelta(days=DAYS_BACK - 1))
        while day <= last:
            is_fresh = (last - day) < REVISED_FOR
            if day not in summed or (is_fresh and now - summed[day] >= REVISED_EVERY):
                return day
            day += timedelta(days=1)
        return None

    def _first_day(self, connection: Connection) -> date | None:
        """The local day of the first thing that is known of any stream."""
        recorded = sa.select(segments.c.started_at).order_by(segments.c.started_at).limit(1)
        stated = sa.select(sa.func.min(outages.c.from_at))
        found = [connection.execute(one).scalar() for one in (recorded, stated)]
        return min((one.astimezone(self._zone).date() for one in found if one is not None), default=None)

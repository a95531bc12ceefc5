"""A day's ledger: every camera-second of it recorded, or missing with a cause, or unexplained; summed over the city.

This is the figure that is published: no vendor promises one. It is read from the index and from what recorders stated,
never from what anybody hopes, hour by hour so that it asks little of the database at a time.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from safecity.platform.database import Database
from safecity.sites.model import CameraId
from safecity.sites.tables import cameras
from safecity.video.accounting import read_unexplained_s
from safecity.video.model import Cause, Span
from safecity.video.store import read_timeline

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLedger:
    """Camera-seconds of one local day; recorded, recovered, missing and unexplained add up to what was expected."""

    day: date
    from_at: datetime
    until: datetime
    """The day's end, or where its newest seconds are still on their way to the disk."""
    cameras: int
    expected_s: float
    recorded_s: float
    recovered_s: float
    """Filled in later, from a camera's card or an edge; not in `recorded_s`."""
    missing_s: dict[Cause, float]
    """By cause; `policy` is what retention deleted, and what was before a camera was first recorded."""
    unexplained_s: float


def read_day(
    database: Database, day: date, *, zone: ZoneInfo, now: datetime, progress: Callable[[float], None] | None = None
) -> DayLedger:
    """The ledger of a day in the city's time zone, over the cameras in use; of today as far as it is settled."""
    # In UTC, so that a day on which the clocks are changed has its 23 or 25 hours.
    begin = datetime.combine(day, time(), zone).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    with database.read() as connection:
        in_use = sa.select(cameras.c.id).where(cameras.c.retired_at.is_(None)).order_by(cameras.c.id)
        everyone = [CameraId(name) for name in connection.execute(in_use).scalars()]
    sums = _Sums()
    until = begin
    hour = begin
    while hour < min(end, now):
        reached = min(hour + HOUR, end)
        until = max(until, _add_hour(database, sums, everyone, hours=(hour, reached), now=now))
        if progress is not None:
            progress((reached - begin) / (end - begin))
        hour = reached
    missing = {cause: sums.missing_s[cause] for cause in Cause if sums.missing_s[cause] > 0}
    # A hole that nobody stated looks like the recorder's own; it is told apart here, because that is the point of it.
    unstated_s = min(sums.unexplained_s, missing.get(Cause.RECORDER, 0.0))
    if unstated_s:
        missing[Cause.RECORDER] -= unstated_s
    return DayLedger(
        day=day, from_at=begin, until=until, cameras=len(everyone), expected_s=sums.expected_s,
        recorded_s=sums.recorded_s, recovered_s=sums.recovered_s, missing_s=missing, unexplained_s=unstated_s,
    )  # fmt: skip


class _Sums:
    def __init__(self) -> None:
        self.expected_s = self.recorded_s = self.recovered_s = self.unexplained_s = 0.0
        self.missing_s = dict.fromkeys(Cause, 0.0)


def _add_hour(
    database: Database, sums: _Sums, everyone: list[CameraId], *, hours: tuple[datetime, datetime], now: datetime
) -> datetime:
    """Add one hour of every camera; how far the camera that is furthest behind is settled."""
    from_at, to_at = hours
    settled: list[datetime] = []
    with database.read() as connection:
        for camera in everyone:
            found = read_timeline(connection, camera, from_at=from_at, to_at=to_at, now=now)
            settled.append(found.settled_until)
            sums.expected_s += (found.settled_until - from_at).total_seconds()
            recovered_s = _length_s(found.recovered)
            sums.recovered_s += recovered_s
            sums.recorded_s += _length_s(found.recorded) - recovered_s
            for gap in found.missing:
                sums.missing_s[gap.cause] += (gap.to_at - gap.from_at).total_seconds()
        sums.unexplained_s += read_unexplained_s(connection, from_at=from_at, to_at=to_at, now=now)
    return min(settled, default=from_at)


def _length_s(spans: Iterable[Span]) -> float:
    return sum((span.to_at - span.from_at).total_seconds() for span in spans)

"""What the API asks of the recordings' index, with one cache for the sums that every poll would walk again."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from safecity.platform.clock import EPOCH, Clock
from safecity.platform.database import Database
from safecity.sites.model import CameraId
from safecity.video.accounting import read_recorded_s, read_unexplained_s
from safecity.video.model import SETTLES_WITHIN, Stream
from safecity.video.store import RecorderStatus, find_next_segment, list_recorder_statuses
from safecity.video.totals import RecordingTotals, read_totals

KEEP_S = 2.0
ACCOUNT_EVERY_S = 10.0
ACCOUNT_BUDGET_S = 1.0  # of one request; hours that did not fit are read by the next ones
ACCOUNT_AGAIN_S = 600.0  # an hour that is over changes only by recovery and retention
HOURS = 24
STATUS_HOLDS = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """Recorded seconds of each camera since local midnight, and the seconds that have passed since then."""

    from_at: datetime
    to_at: datetime
    recorded_s: Mapping[CameraId, float]
    missing_s: Mapping[CameraId, float]


class Recordings:
    """Totals for the health endpoints."""

    def __init__(self, database: Database, clock: Clock, *, time_zone: str) -> None:
        self._database = database
        self._clock = clock
        self._zone = ZoneInfo(time_zone)
        self._lock = threading.Lock()
        self._totals: RecordingTotals | None = None
        self._asked_s = 0.0
        self._account_lock = threading.Lock()
        self._accounted_s: float | None = None
        self._hours: dict[datetime, tuple[float, float]] = {}  # hour: seconds missing, when they were counted

    def totals(self) -> RecordingTotals:
        """What the index holds, at most KEEP_S old."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            if self._totals is None or now_s - self._asked_s > KEEP_S:
                with self._database.read() as connection:
                    self._totals = read_totals(connection)
                self._asked_s = now_s
            return self._totals

    def unexplained_s(self) -> float:
        """Camera-seconds of the last 24 hours that are missing without a known cause; at most ACCOUNT_EVERY_S old.

        Counted by the hour: the hour that runs and the one before each time, older ones now and then.
        """
        with self._account_lock:
            began_s = self._clock.monotonic_s()
            if self._accounted_s is None or began_s - self._accounted_s >= ACCOUNT_EVERY_S:
                self._account(began_s)
                self._accounted_s = began_s
            return round(sum(value for value, _ in self._hours.values()), 1)

    def _account(self, began_s: float) -> None:
        now = self._clock.now()
        running = now.replace(minute=0, second=0, microsecond=0)
        hours = [running - timedelta(hours=number) for number in range(HOURS)]
        self._hours = {hour: self._hours[hour] for hour in hours if hour in self._hours}
        for number, hour in enumerate(hours):
            known = self._hours.get(hour)
            is_due = number < 2 or known is None or began_s - known[1] >= ACCOUNT_AGAIN_S
            if not is_due or (number >= 2 and self._clock.monotonic_s() - began_s > ACCOUNT_BUDGET_S):
                continue
            with self._database.read() as connection:
                value = read_unexplained_s(connection, from_at=hour, to_at=hour + timedelta(hours=1), now=now)
            self._hours[hour] = (value, began_s)

    def today(self, cameras: Sequence[CameraId]) -> Today:
        """The local day so far; a camera's missing seconds count from its first recording on."""
        now = self._clock.now()
        midnight = now.astimezone(self._zone).replace(hour=0, minute=0, second=0, microsecond=0)
        missing_s: dict[CameraId, float] = {}
        with self._database.read() as connection:
            recorded_s = read_recorded_s(connection, from_at=midnight, to_at=now)
            for camera in cameras:
                first = find_next_segment(connection, camera, Stream.MAIN, after=EPOCH)
                expected_s = (now - max(midnight, first.started_at) - SETTLES_WITHIN).total_seconds() if first else 0.0
                missing_s[camera] = max(0.0, expected_s - recorded_s.get(camera, 0.0))
        return Today(from_at=midnight, to_at=now, recorded_s=recorded_s, missing_s=missing_s)

    def recorders(self) -> list[tuple[RecorderStatus, bool]]:
        """Every recorder's last word, and whether it is fresh."""
        now = self._clock.now()
        with self._database.read() as connection:
            return [(one, now - one.seen_at <= STATUS_HOLDS) for one in list_recorder_statuses(connection)]

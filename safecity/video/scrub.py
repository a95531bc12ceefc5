"""The keeper's slow check: all the time a little, within a stated budget of the disk, longest unverified first."""

from datetime import timedelta

import structlog

from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.settings import VideoSettings
from safecity.video.check_store import Day, DayCheck
from safecity.video.store_check import CheckPlan, CheckReport, StoreCheck
from safecity.video.volumes import Volumes

log = structlog.get_logger()

LOOK_AGAIN_S = 3600.0  # how often the folders of all days are listed
MAX_SAVED_S = 30.0  # of budget that was not used, for what is larger than one turn


class Scrubber:
    """Verifies so many bytes a second; call `run_once` again and again."""

    def __init__(self, database: Database, volumes: Volumes, *, settings: VideoSettings, clock: Clock) -> None:
        self._check = StoreCheck(database, volumes, clock=clock)
        self._clock = clock
        self._bytes_per_s = settings.verify_mb_per_s * 1e6
        self._within = timedelta(days=settings.verify_days)
        self._due: list[tuple[Day, DayCheck]] = []
        self._looked_s: float | None = None
        self._asked_s = clock.monotonic_s()
        self._budget = 0.0

    def run_once(self) -> CheckReport:
        """Use up what the budget gave since the last turn. Raises Unavailable when the database does not answer."""
        report = CheckReport()
        now_s = self._clock.monotonic_s()
        self._budget += (now_s - self._asked_s) * self._bytes_per_s
        self._budget = min(self._budget, MAX_SAVED_S * self._bytes_per_s)
        self._asked_s = now_s
        if self._budget <= 0 or not self._bytes_per_s:
            return report
        plan = CheckPlan(verified_within=self._within, max_bytes=max(1, int(self._budget)))
        if self._looked_s is None or now_s - self._looked_s >= LOOK_AGAIN_S:
            self._due = self._check.list_due(plan, now=self._clock.now())
            self._looked_s = now_s
        self._due = self._check.run_days(self._due, plan, report=report)
        self._budget -= report.read_bytes
        if report.counts:
            kinds = {kind.value: count for kind, count in report.counts.items()}
            log.error("video.store_damaged", **kinds)
        return report

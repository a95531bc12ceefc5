"""The clocks of the queue: offers that run out, acknowledgements that lapse.

The keeper runs it each second. Nothing is kept in memory but whether the wall clock was set back; what is due stands in
the database, so a keeper that was away catches up at its first run.
"""

from datetime import datetime, timedelta

import structlog

from safecity.incidents import store
from safecity.incidents.model import tick
from safecity.incidents.opening import limits_of
from safecity.incidents.steps import Line, state_alert, told_of
from safecity.oversight import log as audit
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.settings import IncidentsSettings

log = structlog.get_logger()

PAGE = 50
RUN_MOST_S = 0.3
STEPPED_BACK = timedelta(seconds=1)
"""A wall clock that falls so far behind the monotonic one between two runs has been set back."""
SOURCE = "keeper"


class Clocks:
    """Moves on what nobody has moved in time."""

    def __init__(self, database: Database, settings: IncidentsSettings, *, clock: Clock) -> None:
        self._database = database
        self._limits = limits_of(settings)
        self._clock = clock
        self._seen: tuple[datetime, float] | None = None

    def run_once(self) -> int:
        """Escalate and take back what is due; how many alerts that were. What does not fit waits for the next run."""
        began_s = self._clock.monotonic_s()
        moved = self._due_anew() if self._was_set_back() else 0
        while self._is_due():
            moved += self._page()
            if self._clock.monotonic_s() - began_s > RUN_MOST_S:
                break
        return moved

    def _was_set_back(self) -> bool:
        """Whether the wall clock has been set back since the last run; before the first run it may have been."""
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        before, self._seen = self._seen, (now, now_s)
        if before is None:
            return True
        expected = before[0] + timedelta(seconds=now_s - before[1])
        return expected - now > STEPPED_BACK

    def _is_due(self) -> bool:
        with self._database.read() as connection:
            return bool(store.list_due(connection, now=self._clock.now(), limit=1))

    def _page(self) -> int:
        return self._tick(only_due=True)

    def _due_anew(self) -> int:
        """Look at every open alert: one may be due later than its limit allows, because the clock was ahead."""
        moved = self._tick(only_due=False)
        if moved:
            log.warning("incidents.clocks_set_anew", alerts=moved)
        return moved

    def _tick(self, *, only_due: bool) -> int:
        with self._database.begin() as connection:
            audit.take_turn(connection)
            now = self._clock.now()
            due = store.list_due(connection, now=now, limit=PAGE) if only_due else store.list_open_alerts(connection)
            moved = 0
            for alert in due:
                ticked = tick(alert, now=now, limits=self._limits)
                if ticked is None:
                    continue
                after, word = ticked
                store.update_alert(connection, after)
                line = Line(version=after.version, at=now, step=word, by=None, detail=told_of(after))
                store.add_alert_line(connection, alert.id, line)
                state_alert(connection, after, source=SOURCE, now=now)
                moved += 1
        return moved

"""The keeper: facts into alerts, their clocks, silent recorders, retention, unknown recordings, old exports.

The queue has a thread of its own: deleting a day of recordings must not keep an alert from being escalated.
"""

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from safecity.app.chores import Chore
from safecity.app.role import run_role
from safecity.incidents.clocks import Clocks
from safecity.incidents.intake import Intake
from safecity.oversight.service import Oversight
from safecity.platform.clock import Clock, SystemClock
from safecity.platform.database import Database
from safecity.platform.errors import Internal
from safecity.platform.settings import Settings
from safecity.sites.states import expire_camera_states
from safecity.video.export import ClipExports
from safecity.video.reindex import Reindexer
from safecity.video.retention import AgeTrust, Keeper
from safecity.video.volumes import Volumes, prepare_volumes

TURN_S = 0.5
INTAKE_EVERY_S = 0.5
CLOCKS_EVERY_S = 1.0
STATES_EVERY_S = 1.0
RETENTION_EVERY_S = 10.0
REINDEX_EVERY_S = 5.0
EXPORTS_EVERY_S = 600.0


def run(settings: Settings, stop: threading.Event, *, slot: str, run_dir: Path) -> None:
    """Do each chore in its rhythm until told to stop; what fails is tried again, and said once."""
    del run_dir
    clock = SystemClock()
    database = Database(settings.database_url())
    data_dir = settings.platform.data_dir.absolute()
    prepare_volumes(data_dir, settings.video)
    volumes = Volumes.open(data_dir, settings.video)
    retention = Keeper(database, settings.video, volumes=volumes, source=slot)
    trust = AgeTrust(clock.now(), monotonic_s=clock.monotonic_s())
    reindexer = Reindexer(database, volumes=volumes, source=slot)
    oversight = Oversight(database, settings.oversight, clock)
    intake = Intake(database, settings.incidents, oversight=oversight, clock=clock)
    clocks = Clocks(database, settings.incidents, clock=clock)
    exports = ClipExports(
        database,
        oversight=oversight,
        clock=clock,
        data_dir=data_dir,
        settings=settings.video,
    )

    def expire_states() -> None:
        with database.begin() as connection:
            expire_camera_states(connection, now=clock.now())

    def delete() -> None:
        now = clock.now()
        retention.run_once(now, by_age=trust.allows(now, monotonic_s=clock.monotonic_s()))

    queue = (
        Chore("intake", intake.run_once, every_s=INTAKE_EVERY_S),
        Chore("clocks", clocks.run_once, every_s=CLOCKS_EVERY_S),
    )
    store = (
        Chore("states", expire_states, every_s=STATES_EVERY_S),
        Chore("retention", delete, every_s=RETENTION_EVERY_S),
        Chore("reindex", lambda: reindexer.run_once(clock.now()), every_s=REINDEX_EVERY_S),
        Chore("exports", exports.delete_expired, every_s=EXPORTS_EVERY_S),
    )
    beside = threading.Thread(target=_do, args=(store, stop, clock), name="store", daemon=True)
    beside.start()
    _do(queue, stop, clock, beside)
    beside.join()
    database.close()


def _do(chores: Sequence[Chore], stop: threading.Event, clock: Clock, beside: threading.Thread | None = None) -> None:
    """Do chores in their rhythm; raises Internal when the thread beside has died, so that the process begins anew."""
    while not stop.wait(TURN_S):
        for chore in chores:
            chore.run_if_due(clock.monotonic_s())
        if beside is not None and not beside.is_alive() and not stop.is_set():
            raise Internal("the keeper's second thread has ended; its error is above", code="app.keeper_thread")


if __name__ == "__main__":
    sys.exit(run_role("keeper", run))

"""The keeper: states of cameras whose recorder is silent, retention, unknown recordings, exports past their time."""

import sys
import threading
from pathlib import Path

from safecity.app.chores import Chore
from safecity.app.role import run_role
from safecity.oversight.service import Oversight
from safecity.platform.clock import SystemClock
from safecity.platform.database import Database
from safecity.platform.settings import Settings
from safecity.sites.states import expire_camera_states
from safecity.video.export import ClipExports
from safecity.video.reindex import Reindexer
from safecity.video.retention import AgeTrust, Keeper

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
    retention = Keeper(database, settings.video, media_dir=data_dir / "media", source=slot)
    trust = AgeTrust(clock.now(), monotonic_s=clock.monotonic_s())
    reindexer = Reindexer(database, media_dir=data_dir / "media", source=slot)
    exports = ClipExports(
        database,
        oversight=Oversight(database, settings.oversight, clock),
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

    chores = (
        Chore("states", expire_states, every_s=STATES_EVERY_S),
        Chore("retention", delete, every_s=RETENTION_EVERY_S),
        Chore("reindex", lambda: reindexer.run_once(clock.now()), every_s=REINDEX_EVERY_S),
        Chore("exports", exports.delete_expired, every_s=EXPORTS_EVERY_S),
    )
    while not stop.wait(STATES_EVERY_S):
        for chore in chores:
            chore.run_if_due(clock.monotonic_s())
    database.close()


if __name__ == "__main__":
    sys.exit(run_role("keeper", run))

"""The demo's units in the field: one process that drives them; it never says what people say."""

import sys
import threading
from pathlib import Path

from safecity.app.chores import Chore
from safecity.app.field_units import Drivers, make_dispatch
from safecity.app.role import run_role
from safecity.platform.clock import SystemClock
from safecity.platform.database import Database
from safecity.platform.settings import Settings

MOVES_EVERY_S = 2.0


def run(settings: Settings, stop: threading.Event, *, slot: str, run_dir: Path) -> None:
    """Drive until told to stop."""
    del slot, run_dir
    clock = SystemClock()
    database = Database(settings.database_url())
    drivers = Drivers(database=database, dispatch=make_dispatch(database, settings, clock=clock), clock=clock)
    chore = Chore("drive", drivers.run_once, every_s=MOVES_EVERY_S)
    while not stop.wait(MOVES_EVERY_S):
        chore.run_if_due(clock.monotonic_s())
    database.close()


if __name__ == "__main__":
    sys.exit(run_role("field", run))

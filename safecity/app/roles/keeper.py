"""The keeper: states of cameras whose recorder is silent, retention, exports past their time."""

import sys
import threading
from pathlib import Path

from safecity.app.role import run_role
from safecity.platform.clock import SystemClock
from safecity.platform.database import Database
from safecity.platform.errors import Unavailable
from safecity.platform.settings import Settings
from safecity.sites.states import expire_camera_states

EXPIRE_EVERY_S = 1.0


def run(settings: Settings, slot: str, run_dir: Path, stop: threading.Event) -> None:
    del slot, run_dir
    clock = SystemClock()
    database = Database(settings.database_url())
    while not stop.wait(EXPIRE_EVERY_S):
        try:
            with database.begin() as connection:
                expire_camera_states(connection, now=clock.now())
        except Unavailable:
            continue
    database.close()


if __name__ == "__main__":
    sys.exit(run_role("keeper", run))

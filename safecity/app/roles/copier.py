"""The copier process: second copies, and the drills that try them."""

import sys
import threading
from pathlib import Path

from safecity.app.role import run_role
from safecity.platform.settings import Settings
from safecity.video.copies.process import run_copier


def run(settings: Settings, stop: threading.Event, *, slot: str, run_dir: Path) -> None:
    """Supply every place of the settings until told to stop."""
    del run_dir
    run_copier(settings, stop, slot=slot)


if __name__ == "__main__":
    sys.exit(run_role("copier", run))

"""A role that holds its slot and sleeps."""

import sys
import threading
from pathlib import Path

from safecity.app.role import run_role
from safecity.platform.settings import Settings


def run(_: Settings, stop: threading.Event, *, slot: str, run_dir: Path) -> None:
    """Say that it lives, then wait."""
    (run_dir / f"{slot}.alive").write_text("yes")
    stop.wait()


if __name__ == "__main__":
    sys.exit(run_role("sleeper", run))

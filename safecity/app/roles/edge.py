"""The edge's link process: live, facts and back-fill to the centre."""

import sys
import threading
from pathlib import Path

from safecity.app.role import run_role
from safecity.platform.settings import Settings
from safecity.video.edge.link import run_link


def run(settings: Settings, stop: threading.Event, *, slot: str, run_dir: Path) -> None:
    """Speak with the centre until told to stop."""
    del slot
    run_link(settings, stop, run_dir=run_dir)


if __name__ == "__main__":
    sys.exit(run_role("edge", run))

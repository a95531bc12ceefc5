"""The web process: API and page."""

import sys
import threading
from pathlib import Path

from safecity.api.app import create_web_app
from safecity.app.demo_controls import StackControls
from safecity.app.role import run_role
from safecity.app.serving import serve
from safecity.app.web_parts import make_web_parts
from safecity.platform.clock import SystemClock
from safecity.platform.database import Database
from safecity.platform.settings import Settings


def run(settings: Settings, stop: threading.Event, *, slot: str, run_dir: Path) -> None:
    """Serve until told to stop."""
    del slot
    clock = SystemClock()
    database = Database(settings.database_url())
    is_demo = settings.virtual.enabled
    demo = StackControls(settings, database=database, clock=clock, run_dir=run_dir) if is_demo else None
    parts = make_web_parts(settings, database, clock=clock, run_dir=run_dir, demo=demo)
    serve(create_web_app(parts), host=settings.web.host, port=settings.web.port, stop=stop)
    database.close()


if __name__ == "__main__":
    sys.exit(run_role("web", run))

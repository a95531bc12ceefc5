"""The web process: API and page."""

import sys
import threading
from pathlib import Path

from safecity.analytics.scenes_service import Scenes
from safecity.api.app import create_web_app
from safecity.api.parts import WebParts
from safecity.app.demo_controls import StackControls
from safecity.app.role import run_role
from safecity.app.serving import serve
from safecity.cases.service import Cases
from safecity.dispatch.service import Dispatch
from safecity.incidents.service import Incidents
from safecity.oversight.service import Oversight
from safecity.platform.clock import SystemClock
from safecity.platform.database import Database
from safecity.platform.secrets import load_secret_box
from safecity.platform.settings import Settings
from safecity.sites.service import Sites


def run(settings: Settings, stop: threading.Event, *, slot: str, run_dir: Path) -> None:
    """Serve until told to stop."""
    del slot
    clock = SystemClock()
    database = Database(settings.database_url())
    oversight = Oversight(database, settings.oversight, clock)
    box = load_secret_box(settings.platform.data_dir.absolute())
    zone = settings.sites.time_zone
    incidents = Incidents(database, settings.incidents, oversight=oversight, clock=clock, time_zone=zone)
    parts = WebParts(
        settings=settings,
        database=database,
        oversight=oversight,
        sites=Sites(database, oversight=oversight, box=box, clock=clock),
        scenes=Scenes(database, oversight=oversight, clock=clock),
        incidents=incidents,
        dispatch=Dispatch(database, settings.dispatch, incidents=incidents, oversight=oversight, clock=clock),
        cases=Cases(database, incidents=incidents, oversight=oversight, clock=clock, time_zone=zone),
        clock=clock,
        run_dir=run_dir,
        started_at=clock.now(),
        demo=StackControls(settings, database=database, clock=clock, run_dir=run_dir)
        if settings.virtual.enabled
        else None,
    )
    serve(create_web_app(parts), host=settings.web.host, port=settings.web.port, stop=stop)
    database.close()


if __name__ == "__main__":
    sys.exit(run_role("web", run))

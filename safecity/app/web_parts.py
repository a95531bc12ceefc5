"""The services behind the web process, wired once: for the process itself, and for what describes its API."""

from pathlib import Path

from safecity.analytics.scenes_service import Scenes
from safecity.api.demo_port import DemoControls
from safecity.api.parts import WebParts
from safecity.cases.service import Cases
from safecity.dispatch.service import Dispatch
from safecity.incidents.service import Incidents
from safecity.oversight.service import Oversight
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.secrets import load_secret_box
from safecity.platform.settings import Settings
from safecity.sites.service import Sites
from safecity.video.onvif.registering import Devices
from safecity.video.onvif.steering import Steering


def make_web_parts(
    settings: Settings, database: Database, *, clock: Clock, run_dir: Path, demo: DemoControls | None = None
) -> WebParts:
    """Every service on this database."""
    oversight = Oversight(database, settings.oversight, clock)
    zone = settings.sites.time_zone
    incidents = Incidents(database, settings.incidents, oversight=oversight, clock=clock, time_zone=zone)
    box = load_secret_box(settings.platform.data_dir.absolute())
    sites = Sites(database, oversight=oversight, box=box, clock=clock)
    devices = Devices(database, sites=sites, oversight=oversight, clock=clock, box=box)
    return WebParts(
        settings=settings,
        database=database,
        oversight=oversight,
        sites=sites,
        scenes=Scenes(database, oversight=oversight, clock=clock),
        incidents=incidents,
        dispatch=Dispatch(database, settings.dispatch, incidents=incidents, oversight=oversight, clock=clock),
        cases=Cases(database, incidents=incidents, oversight=oversight, clock=clock, time_zone=zone),
        steering=Steering(database, devices=devices, oversight=oversight, clock=clock),
        clock=clock,
        run_dir=run_dir,
        started_at=clock.now(),
        demo=demo,
    )

"""What the API is made of: the services it calls, handed in by `app`."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from safecity.analytics.scenes_service import Scenes
from safecity.api.demo_port import DemoControls
from safecity.cases.service import Cases
from safecity.dispatch.service import Dispatch
from safecity.incidents.service import Incidents
from safecity.oversight.service import Oversight
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.settings import Settings
from safecity.sites.service import Sites
from safecity.video.onvif.steering import Steering


@dataclass(frozen=True, slots=True, kw_only=True)
class WebParts:
    """The services behind the web process."""

    settings: Settings
    database: Database
    oversight: Oversight
    sites: Sites
    scenes: Scenes
    incidents: Incidents
    dispatch: Dispatch
    cases: Cases
    steering: Steering
    clock: Clock
    run_dir: Path
    started_at: datetime
    demo: DemoControls | None = None
    """Faults on command; None outside the demo."""

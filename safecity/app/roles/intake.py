"""The intake process: where edges reach the centre."""

import sys
import threading
from pathlib import Path

from safecity.api.intake import IntakeParts, create_intake_app
from safecity.app.role import run_role
from safecity.app.serving import serve
from safecity.oversight.service import Oversight
from safecity.platform.clock import SystemClock
from safecity.platform.database import Database
from safecity.platform.secrets import load_secret_box
from safecity.platform.settings import Settings
from safecity.video.edge.arrivals import Arrivals
from safecity.video.edge.intake import Intake
from safecity.video.edge.register import EdgeRegister
from safecity.video.edge.relay import Relay
from safecity.video.volumes import Volumes, prepare_volumes


def run(settings: Settings, stop: threading.Event, *, slot: str, run_dir: Path) -> None:
    """Serve edges until told to stop."""
    del slot
    clock = SystemClock()
    data_dir = settings.platform.data_dir.absolute()
    database = Database(settings.database_url())
    oversight = Oversight(database, settings.oversight, clock)
    prepare_volumes(data_dir, settings.video)
    volumes = Volumes.open(data_dir, settings.video)
    parts = IntakeParts(
        register=EdgeRegister(database, oversight, clock=clock, data_dir=data_dir),
        intake=Intake(database, settings.intake, clock=clock, box=load_secret_box(data_dir)),
        arrivals=Arrivals(database, settings.video, volumes=volumes, clock=clock),
        relay=Relay(run_dir, clock=clock),
        clock=clock,
    )
    intake = settings.intake
    tls = (intake.tls_cert, intake.tls_key) if intake.tls_cert and intake.tls_key else None
    serve(create_intake_app(parts), host=intake.host, port=intake.port, stop=stop, tls=tls)
    database.close()


if __name__ == "__main__":
    sys.exit(run_role("intake", run))

"""The gateway process: the only one that hands out pictures."""

import sys
import threading
from pathlib import Path

from safecity.api.media import GatewayParts, create_gateway_app
from safecity.app.role import run_role
from safecity.app.serving import serve
from safecity.oversight.service import Oversight
from safecity.platform.clock import SystemClock
from safecity.platform.database import Database
from safecity.platform.settings import Settings
from safecity.video.gateway import Gateway


def run(settings: Settings, stop: threading.Event, *, slot: str, run_dir: Path) -> None:
    """Serve until told to stop."""
    del slot
    run_gateway(settings, run_dir, stop=stop)


def run_gateway(settings: Settings, run_dir: Path, *, stop: threading.Event) -> None:
    """Serve live, playback and exports on the gateway's port."""
    clock = SystemClock()
    database = Database(settings.database_url())
    oversight = Oversight(database, settings.oversight, clock)
    gateway = Gateway(
        database,
        oversight=oversight,
        clock=clock,
        data_dir=settings.platform.data_dir.absolute(),
        settings=settings.video,
    )
    parts = GatewayParts(settings=settings, oversight=oversight, gateway=gateway, clock=clock, run_dir=run_dir)
    serve(create_gateway_app(parts), host=settings.web.host, port=settings.web.effective_gateway_port(), stop=stop)
    database.close()


if __name__ == "__main__":
    sys.exit(run_role("gateway", run))

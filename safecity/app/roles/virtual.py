"""The demo's cameras: one process of virtual RTSP cameras."""

import sys
import threading
from pathlib import Path

from safecity.app.mounts import read_spec
from safecity.app.role import run_role
from safecity.platform.settings import Settings
from safecity.virtual.mounts import MountName, MountPlan
from safecity.virtual.rtsp.digest import Credentials
from safecity.virtual.running import run_city
from safecity.virtual.serving import ServePlan


def run(settings: Settings, stop: threading.Event, *, slot: str, run_dir: Path) -> None:
    """Serve the mounts that the demo wrote down, until told to stop."""
    del slot
    spec = read_spec(run_dir)
    credentials = Credentials(user=spec.user, password=spec.password)
    plan = ServePlan(
        mounts=tuple(
            MountPlan(name=MountName(item.name), clip=item.clip, credentials=credentials, phase_s=item.phase_s)
            for item in spec.mounts
        ),
        cache=settings.platform.data_dir.absolute() / "streams",
        rtsp_port=settings.virtual.rtsp_port,
        control_port=settings.virtual.control_port,
    )
    run_city(plan, stop=stop, on_ready=lambda _: None, control_token=spec.token)


if __name__ == "__main__":
    sys.exit(run_role("virtual", run))

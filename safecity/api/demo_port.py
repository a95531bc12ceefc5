"""The demo's faults as the API sees them: `app` hands in what knows the virtual cameras and the processes."""

from datetime import datetime
from typing import Protocol

from safecity.platform.settings import Settings
from safecity.sites.model import CameraId

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class DemoControls(Protocol):
    """Breaks and mends things of the demo; every method raises Unavailable where what it needs is not running."""

    def cut_camera(self, code: str) -> datetime:
        """Break a camera's line for a while; returns when it mends by itself."""
        ...

    def mend_camera(self, code: str) -> None:
        """Mend it at once."""
        ...

    def kill_recorder(self, camera: CameraId) -> str:
        """Kill the recorder process that holds a camera, as a crash would; returns its slot."""
        ...


def is_door_open(settings: Settings) -> bool:
    """Whether people may come in without a password: virtual cameras only, and nobody but this machine can ask.

    Behind a proxy (a public address) the whole world would seem to be this machine.
    """
    web = settings.web
    return settings.virtual.enabled and web.host in LOOPBACK and web.public_url is None

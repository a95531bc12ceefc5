"""What the RTSP server asks of a camera: the port between the protocol and the virtual city."""

from typing import Protocol

from safecity.virtual.elementary import Elementary
from safecity.virtual.rtsp.digest import Credentials
from safecity.virtual.rtsp.viewer import Viewer


class Source(Protocol):
    """One stream of one camera."""

    @property
    def credentials(self) -> Credentials | None:
        """Who may play; None for everyone."""
        ...

    @property
    def is_refusing(self) -> bool:
        """True while the camera is as good as unplugged: connections are broken off without an answer."""
        ...

    @property
    def described(self) -> Elementary | None:
        """What DESCRIBE tells; None while the camera is not ready."""
        ...

    @property
    def title(self) -> str:
        """Name of the camera and stream."""
        ...

    def first_timestamp(self, *, from_group: bool) -> int:
        """RTP timestamp of the first picture that a viewer who joins now is sent."""
        ...

    def join(self, viewer: Viewer, *, from_group: bool) -> None:
        """Send to this viewer from now on, beginning with the pictures since the last key one where asked."""
        ...

    def leave(self, viewer: Viewer) -> None:
        """Send nothing more to this viewer; harmless where it has left."""
        ...


class Directory(Protocol):
    """All streams by path."""

    def find_source(self, mount: str, profile: str) -> Source | None:
        """The stream at `/<mount>/<profile>`."""
        ...

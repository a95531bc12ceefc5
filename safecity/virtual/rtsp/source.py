"""What the RTSP server asks of a camera: the port between the protocol and the virtual city."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from safecity.virtual.elementary import Elementary
from safecity.virtual.rtsp.digest import Credentials
from safecity.virtual.rtsp.viewer import Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayAsk:
    """What a client wants replayed (ONVIF Streaming 6.4, 6.5)."""

    from_at: datetime
    to_at: datetime | None
    is_paced: bool = True
    """False for `Rate-Control: no`: as fast as the client takes it."""
    only_keys: bool = False
    sequence: int = 0
    """CSeq of the PLAY; its low byte comes back in each picture's header."""


class Source(Protocol):
    """One stream of one camera."""

    is_card: bool
    """True where recordings are replayed, by wall time."""

    @property
    def users(self) -> tuple[Credentials, ...]:
        """Who may play; empty for everyone."""
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

    def prepare(self, viewer: Viewer, ask: ReplayAsk) -> bool:
        """Remember what `join` is to replay to this viewer; False where there is nothing of it."""
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

"""What the sites room states."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime

from safecity.events.store import Fact


class CameraStateChanged(Fact):
    """What is known of a camera's stream has changed; stated on change only, never as a heartbeat."""

    type: ClassVar[str] = "sites.camera_state_changed"
    camera: str
    state: Literal["live", "stalled", "offline", "unknown"]
    since: AwareDatetime
    cause: Literal["camera", "link", "credentials", "recorder"] | None


class CityImported(Fact):
    """A city file has changed the registry; readers of the registry look again."""

    type: ClassVar[str] = "sites.city_imported"
    added: int
    changed: int
    retired: int
    cameras: int
    """Cameras in use after the import."""


class LinkStateChanged(Fact):
    """How an encrypted link to a site is doing has changed."""

    type: ClassVar[str] = "sites.link_state_changed"
    site: str
    health: Literal["up", "degraded", "down", "waiting", "unknown"]
    since: AwareDatetime


class CabinetChanged(Fact):
    """A cabinet's door, mains, battery or temperature has changed from one word to another."""

    type: ClassVar[str] = "sites.cabinet_changed"
    site: str
    kind: Literal["door", "mains", "battery", "temperature"]
    word: str
    figure: float | None
    since: AwareDatetime

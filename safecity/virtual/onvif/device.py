"""One virtual camera as an ONVIF device: who it says it is, its users, its head, its events, its odd ways."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from safecity.virtual.card import CardStream
from safecity.virtual.faults import FaultKind, OddOnvif
from safecity.virtual.mounts import PROFILES, Mount, Profile
from safecity.virtual.onvif.events import EventBoard
from safecity.virtual.onvif.ptz_head import Place, Preset, PtzHead
from safecity.virtual.onvif.soap import SoapFault

MAX_USERS: Final = 16
MAX_WRONG_TRIES: Final = 5
LOCKED_S: Final = 300.0
CLOCK_TOLERANCE_S: Final = 30.0
"""A signed message made further from the camera's time than this is refused."""
DEFAULT_GOP: Final = 50


class Level(StrEnum):
    """ONVIF Core, tt:UserLevel."""

    ADMINISTRATOR = "Administrator"
    OPERATOR = "Operator"
    USER = "User"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a device says of itself."""

    manufacturer: str = "Virtual"
    model: str = "VC-2"
    firmware: str = "3.2.1 build 20260110"
    serial: str = ""
    hardware: str = "1.0"


@dataclass(slots=True, kw_only=True)
class EncoderSetting:
    """What may be set of an encoder; the clip is sent as it is, so this is remembered and told, not obeyed."""

    gop: int = DEFAULT_GOP


@dataclass(slots=True, kw_only=True)
class Device:
    """The state behind one camera's ONVIF address."""

    mount: Mount
    identity: Identity
    address: str
    """http://host:port and the path before `/onvif/`."""
    rtsp_base: str
    """rtsp://host:port/<mount>."""
    head: PtzHead | None
    board: EventBoard
    card: CardStream
    levels: dict[str, Level] = field(default_factory=dict[str, Level])
    encoders: dict[Profile, EncoderSetting] = field(default_factory=lambda: {one: EncoderSetting() for one in PROFILES})
    imaging: dict[str, float] = field(default_factory=lambda: {"Brightness": 50.0, "Contrast": 50.0, "Sharpness": 50.0})
    is_ntp: bool = False
    searches: set[str] = field(default_factory=set[str])
    wrong_tries: int = 0
    locked_until_s: float = 0.0

    @property
    def name(self) -> str:
        """The camera's name."""
        return str(self.mount.name)

    @property
    def urn(self) -> str:
        """The endpoint's address for WS-Discovery: the same for the same camera."""
        return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'safecity-virtual/{self.name}')}"

    @property
    def odd(self) -> OddOnvif | None:
        """The odd way it has now."""
        fault = self.mount.state.faults.get(FaultKind.ODD_ONVIF)
        return OddOnvif(fault.value) if fault and fault.value else None

    @property
    def is_unplugged(self) -> bool:
        """True while its link is cut: the ONVIF side goes with the streams."""
        return FaultKind.DROP in self.mount.state.faults

    def now_s(self) -> float:
        """Monotonic seconds."""
        return self.mount.state.clock.monotonic_s()

    def camera_now(self) -> datetime:
        """What the camera believes the time is."""
        return self.mount.state.camera_wall()

    def get_head(self) -> PtzHead:
        """Raises SoapFault for a camera that does not turn."""
        if self.head is None:
            raise SoapFault("ter:ActionNotSupported", "This device has no PTZ.", is_ours=True, status=500)
        return self.head


def turning_head() -> PtzHead:
    """A head with three presets."""
    head = PtzHead()
    for token, name, place in (
        ("1", "Junction", Place()),
        ("2", "Market gate", Place(pan=-0.4, tilt=-0.1, zoom=0.3)),
        ("3", "Bus stop", Place(pan=0.35, tilt=-0.2, zoom=0.5)),
    ):
        head.presets[token] = Preset(token=token, name=name, place=place)
    return head

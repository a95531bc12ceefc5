"""What a city's registry holds, and the pure rules about it.

Ids are made from the codes that the city itself uses (`cam_qta-001-01` from QTA-001-01), so that a registry that is
lost and imported again from the city file finds the recordings of its cameras under the same names.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from safecity.platform.errors import Invalid
from safecity.platform.geometry import LonLat, Point

CameraId = NewType("CameraId", str)
SiteId = NewType("SiteId", str)
GateId = NewType("GateId", str)
DistrictId = NewType("DistrictId", str)

CODE_LONGEST = 40


class PlaceKind(StrEnum):
    """Places that help is sent from or to."""

    POLICE = "police"
    HOSPITAL = "hospital"


class RoadClass(StrEnum):
    """How much a road carries, from most to least."""

    HIGHWAY = "highway"
    RING = "ring"
    ARTERIAL = "arterial"
    COLLECTOR = "collector"
    STREET = "street"


class ReaderChoice(StrEnum):
    """Who reads a camera's streams."""

    AUTO = "auto"
    OWN = "own"
    PYAV = "pyav"


class TransportChoice(StrEnum):
    """What a camera's packets travel over."""

    AUTO = "auto"
    TCP = "tcp"
    UDP = "udp"


class RecordedStreams(StrEnum):
    """Which streams of a camera are recorded."""

    MAIN = "main"
    BOTH = "both"


def camera_id(code: str) -> CameraId:
    """The id of the camera that the city calls so; codes differ in more than upper and lower case."""
    return CameraId(f"cam_{code.lower()}")


def site_id(code: str) -> SiteId:
    """The id of the site that the city calls so."""
    return SiteId(f"site_{code.lower()}")


def gate_id(code: str) -> GateId:
    """The id of the gate that the city calls so."""
    return GateId(f"gate_{code.lower()}")


def district_id(code: str) -> DistrictId:
    """The id of the district that the city calls so."""
    return DistrictId(f"district_{code.lower()}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CityName:
    """What the city is called, where its map opens, and what must be said on the map."""

    code: str
    name: str
    name_ur: str
    position: LonLat
    note: str = ""
    note_ur: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """A part of the city with its border, one ring without holes."""

    id: DistrictId
    code: str
    name: str
    name_ur: str
    border: tuple[LonLat, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A pole or a group of poles."""

    id: SiteId
    code: str
    name: str
    name_ur: str
    position: LonLat
    district: DistrictId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """An approach to the city where all traffic passes cameras."""

    id: GateId
    code: str
    name: str
    name_ur: str
    position: LonLat


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """A camera and where its streams are; the addresses carry no user, password or other secret.

    Bearing, field of view and range are None where nobody has measured them: a camera that turns has no bearing.
    """

    id: CameraId
    code: str
    site: SiteId
    name: str
    name_ur: str
    position: LonLat
    bearing_deg: float | None
    fov_deg: float | None
    range_m: float | None
    gate: GateId | None
    main_url: str
    sub_url: str | None
    reader: ReaderChoice = ReaderChoice.AUTO
    transport: TransportChoice = TransportChoice.AUTO
    recorded: RecordedStreams = RecordedStreams.MAIN
    has_credentials: bool = False
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Something drawn on a camera's picture, with the size of the picture it was drawn on."""

    camera: CameraId
    width_px: int
    height_px: int
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """An area, either on the map or on a camera's picture."""

    id: str
    code: str
    name: str
    name_ur: str
    border: tuple[LonLat, ...] = ()
    picture: Picture | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that things cross, either on the map or on a camera's picture."""

    id: str
    code: str
    name: str
    name_ur: str
    path: tuple[LonLat, ...] = ()
    picture: Picture | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """A road of the map under the cameras; small streets may have no name."""

    id: str
    code: str
    name: str
    name_ur: str
    road_class: RoadClass
    path: tuple[LonLat, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A police station or a hospital."""

    id: str
    code: str
    kind: PlaceKind
    name: str
    name_ur: str
    position: LonLat


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """How to sign in to a camera; the secret never shows in a repr, and nothing serialises it but the sealed box.

    `main_url` and `sub_url` are set only where a camera wants its password inside the address itself.
    """

    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    main_url: str | None = field(default=None, repr=False)
    sub_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraSource:
    """Where a recorder opens a camera's streams, secrets included; for the recorder's eyes only."""

    camera: CameraId
    main_url: str = field(repr=False)
    sub_url: str | None = field(repr=False)
    reader: ReaderChoice
    transport: TransportChoice
    recorded: RecordedStreams


class CameraState(StrEnum):
    """What is known of a camera's main stream."""

    LIVE = "live"
    STALLED = "stalled"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """Where to look when a camera is not live."""

    CAMERA = "camera"
    LINK = "link"
    CREDENTIALS = "credentials"
    RECORDER = "recorder"


REPORT_LONGEST = timedelta(seconds=60)
"""No report may claim to stand for longer: hope has an end."""
CLOCK_SLACK = timedelta(seconds=5)
"""How far a report may lie in the reader's future before it is not believed (clocks of two machines)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateReport:
    """What one recorder says of one camera, and until when its word stands without another.

    `since` is when the state began, `reported_at` when this was said, both by the recorder's clock. Raises Invalid
    for a report that contradicts itself: only a camera with a last frame is live, and a live one has no cause.
    """

    camera: CameraId
    state: CameraState
    since: datetime
    cause: Cause | None
    reported_by: str
    reported_at: datetime
    valid_until: datetime
    last_frame_at: datetime | None = None
    bitrate_bps: int | None = None
    fps: float | None = None

    def __post_init__(self) -> None:
        is_live = self.state is CameraState.LIVE
        if is_live and (self.cause is not None or self.last_frame_at is None):
            raise Invalid("a live camera has a last frame and no cause of trouble", code="sites.bad_report")
        if not timedelta() < self.valid_until - self.reported_at <= REPORT_LONGEST:
            raise Invalid(
                f"a state report stands for at most {REPORT_LONGEST.seconds} s and not for less than nothing",
                code="sites.bad_report",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveState:
    """What may be said of a camera at an instant; `since` is None when nothing was ever reported."""

    state: CameraState
    since: datetime | None
    cause: Cause | None


def effective_state(report: StateReport | None, *, now: datetime) -> EffectiveState:
    """The report's state while the report stands, else unknown with the recorder as the cause; never live from hope."""
    if report is None:
        return EffectiveState(state=CameraState.UNKNOWN, since=None, cause=Cause.RECORDER)
    if now >= report.valid_until:
        return EffectiveState(state=CameraState.UNKNOWN, since=report.valid_until, cause=Cause.RECORDER)
    if report.reported_at > now + CLOCK_SLACK:
        return EffectiveState(state=CameraState.UNKNOWN, since=None, cause=Cause.RECORDER)
    return EffectiveState(state=report.state, since=report.since, cause=report.cause)


def is_superseded(earlier: StateReport, later: StateReport, *, now: datetime) -> bool:
    """Whether `later`, which arrived later, replaces what is known.

    The same recorder speaks in order. Of two recorders the one that spoke last counts, unless the earlier word has
    expired or comes from a clock that runs ahead.
    """
    if earlier.reported_by == later.reported_by or later.reported_at >= earlier.reported_at:
        return True
    return effective_state(earlier, now=now).state is CameraState.UNKNOWN

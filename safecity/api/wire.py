"""What the API says and hears: pydantic models at the border, nothing of the inside.

The page's types are generated from these through OpenAPI.
"""

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from safecity.events.dispatch import UnitChanged
from safecity.events.incidents import AlertChanged, IncidentChanged
from safecity.oversight.model import Act, Role
from safecity.sites.model import Cause as StateCause

Instant = AwareDatetime
# Inside the calendar by far: arithmetic on the first and last days of datetime's own overflows.
AskedInstant = Annotated[Instant, Field(ge=datetime(1970, 1, 2, tzinfo=UTC), le=datetime(2500, 1, 1, tzinfo=UTC))]
State = Literal["live", "stalled", "offline", "unknown"]


class Wire(BaseModel):
    """Base of all wire models."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SignIn(Wire):
    """What a user types."""

    user: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=256, repr=False)


class Shift(Wire):
    """The shift duty that a user is on."""

    purpose: str
    since: Instant
    ends_at: Instant | None


class SessionView(Wire):
    """Who is signed in, and what they may do."""

    user: str
    user_id: str
    """As `Person.user` names people in alerts, incidents and cases."""
    display_name: str
    role: Role
    acts: tuple[Act, ...]
    shift: Shift | None
    expires_at: Instant


class MapView(Wire):
    """Where the map opens."""

    center: tuple[float, float]
    zoom: float


class ConfigView(Wire):
    """What the page must know before anyone signs in."""

    name: str
    name_ur: str
    time_zone: str
    gateway: str
    map: MapView
    demo: bool
    version: str


class CameraCount(Wire):
    """How many cameras there are, and how many send pictures."""

    total: int
    live: int


class HealthView(Wire):
    """The public health: nothing secret."""

    status: Literal["ok", "degraded", "starting"]
    cameras: CameraCount
    recorded_s: float
    segments: int


class SiteView(Wire):
    """A site and its cameras."""

    id: str
    name: str
    name_ur: str
    district: str | None
    lon: float
    lat: float
    cameras: tuple[str, ...]


class CameraView(Wire):
    """A camera and its state; never its address."""

    id: str
    code: str
    site: str
    name: str
    name_ur: str
    lon: float
    lat: float
    bearing_deg: float | None
    fov_deg: float | None
    range_m: float | None
    gate: str | None
    state: State
    since: Instant | None
    cause: StateCause | None


class ShapeView(Wire):
    """A line or a zone on a camera's picture, in pixels of a picture of that size."""

    code: str
    name: str
    name_ur: str
    width_px: int
    height_px: int
    points: tuple[tuple[float, float], ...]


class CameraDetail(CameraView):
    """One camera with what is drawn on its picture."""

    lines: tuple[ShapeView, ...]
    zones: tuple[ShapeView, ...]
    streams: tuple[Literal["main", "sub"], ...]


class StateView(Wire):
    """One camera's state in the live picture of the city."""

    state: State
    since: Instant | None
    cause: StateCause | None


class CityState(Wire):
    """Cameras, open alerts, open incidents and units, as of the fact with this cursor.

    A fact of these kinds behind the cursor takes the place of the entry with its id; an alert that is confirmed or
    closed and an incident that is closed are taken out. State and facts give what a fresh fetch gives.
    """

    cursor: int
    cameras: dict[str, StateView]
    alerts: dict[str, AlertChanged]
    """Open alerts; empty for those who do not work the queue."""
    incidents: dict[str, IncidentChanged]
    """Open incidents."""
    units: dict[str, UnitChanged]


class CameraHealth(Wire):
    """One camera in the health table."""

    id: str
    state: State
    since: Instant | None
    cause: StateCause | None
    bitrate_bps: float | None
    fps: float | None
    last_frame_at: Instant | None
    recorded_today_s: float
    missing_today_s: float


class RecorderHealth(Wire):
    """One recorder process."""

    slot: str
    pid: int | None
    cameras: int
    since: Instant | None
    restarts: int
    dropped_packets: int
    mailbox_depth: int
    is_reporting: bool


class VolumeHealth(Wire):
    """One recording directory, usually one disk."""

    id: str
    directory: str
    state: Literal["ok", "filling", "full", "read_only", "failing", "slow", "gone"]
    since: Instant
    recorded_on: bool
    free_bytes: int
    total_bytes: int
    used_bytes: int
    held_bytes: int
    hours_left: float | None
    """At the present rate, were nothing deleted."""
    held_full: bool
    """Recordings that must not be deleted leave less than a day of room."""


class DiskHealth(Wire):
    """The disks of the recordings."""

    used_bytes: int
    budget_bytes: int
    free_bytes: int
    oldest: Instant | None
    volumes: tuple[VolumeHealth, ...]


class AnalyserHealth(Wire):
    """One analyser process."""

    slot: str
    pid: int | None
    model: str
    cameras: int
    active: int
    """Cameras on which something moves; the others are looked at by key frames alone."""
    delay_s: float
    """From capture to analysis, worst camera."""
    dropped_frames: int
    since: Instant | None
    restarts: int
    is_reporting: bool


class GatewayHealth(Wire):
    """The gateway."""

    viewers: int | None


class DrillView(Wire):
    """One restore drill: so many random copies were fetched back and compared."""

    ended_at: Instant
    tried: int
    good: int
    bad: int
    unreached: int


class CopyTargetHealth(Wire):
    """One place of second copies."""

    name: str
    kind: Literal["directory", "s3"]
    policy: Literal["all", "protected", "held"]
    state: Literal["current", "behind", "away", "refused", "full", "unknown"]
    since: Instant | None
    detail: str
    copies: int
    bad: int
    waiting: int
    waiting_bytes: int
    oldest_waiting_at: Instant | None
    lag_p50_s: float | None
    """Of the copies of the last hour: from when a copy was due until it was durable and compared."""
    lag_p99_s: float | None
    protected_lag_p99_s: float | None
    rate_bps: float
    is_reporting: bool
    last_drill: DrillView | None


class DatabaseHealth(Wire):
    """The database."""

    kind: Literal["sqlite", "postgresql"]
    ok: bool


class BackupHealth(Wire):
    """The backup of the database and the keys."""

    is_wanted: bool
    """Whether the settings name a folder for it."""
    is_good: bool
    """Made in time, restored for a trial, nothing wrong since."""
    made_at: Instant | None
    restored_at: Instant | None
    """When the newest one was last restored for a trial, or found to be the very file that was."""
    size_bytes: int
    problem: str | None


class LedgerDayView(Wire):
    """Camera-seconds of one closed day, over all cameras."""

    day: date
    cameras: int
    expected_s: float
    recorded_s: float
    recovered_s: float
    """Filled in later, from a recorder at the site or the camera's own card."""
    missing_s: dict[str, float]
    """By cause: camera, link, credentials, power, recorder, disk, policy."""
    unexplained_s: float


class LedgerView(Wire):
    """The city's gap ledger, oldest day first."""

    city: str
    time_zone: str
    days: tuple[LedgerDayView, ...]


class StoreHealth(Wire):
    """How the slow check of all recordings stands."""

    days: int
    """Stream-days that were wholly verified at least once."""
    oldest_checked_at: Instant | None
    newest_checked_at: Instant | None
    findings: dict[str, int]
    """What stands, by kind; empty when all is well."""


class HealthDetail(Wire):
    """All of the health page."""

    cameras: tuple[CameraHealth, ...]
    recorders: tuple[RecorderHealth, ...]
    analysers: tuple[AnalyserHealth, ...]
    unexplained_s: float
    """Seconds of the last 24 hours, over all cameras, that are missing without a known cause."""
    disk: DiskHealth
    copies: tuple[CopyTargetHealth, ...]
    """Places of second copies; empty where the settings name none."""
    store: StoreHealth
    gateway: GatewayHealth
    database: DatabaseHealth
    backup: BackupHealth


class LeafView(Wire):
    """One entry of the log; the body is absent where it has been erased by law."""

    index: int
    time: Instant
    type: str
    hash: str
    entry: str
    body: dict[str, object] | None
    salt: str | None


class LogPage(Wire):
    """A page of the log, newest first, and the root that all of it hashes to."""

    size: int
    root: str
    leaves: tuple[LeafView, ...]


class ProofView(Wire):
    """RFC 6962 inclusion proof, hashes in hexadecimal, from the leaf's sibling upwards."""

    index: int
    size: int
    root: str
    leaf_hash: str
    path: tuple[str, ...]

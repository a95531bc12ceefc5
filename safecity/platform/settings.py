"""Every setting, parsed once from one `safecity.toml` and the environment, frozen, and handed out in slices.

The environment wins over the file: `SAFECITY_WEB__PORT=9000` sets `port` of the `[web]` table.
"""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from safecity.platform.errors import Invalid
from safecity.platform.settings_base import Port
from safecity.platform.settings_base import Slice as _Slice
from safecity.platform.settings_edge import EdgeSettings, IntakeSettings
from safecity.platform.settings_sites import CabinetsSettings, LinksSettings


def _existing_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:
        raise ValueError(f"there is no time zone {name!r}; write one such as Asia/Karachi") from error
    return name


class PlatformSettings(_Slice):
    """Where things are kept."""

    data_dir: Path = Field(default=Path("data"), description="Folder of the database, recordings, keys and logs.")
    database_url: str | None = Field(
        default=None,
        description="SQLAlchemy URL; unset means SQLite inside the data folder (postgresql+psycopg://... in a city).",
    )
    log_level: str = Field(
        default="info", pattern="^(debug|info|warning|error)$", description="Least severe log line written."
    )


class WebSettings(_Slice):
    """The API, the page and the media gateway."""

    host: str = Field(
        default="127.0.0.1", description="Address the servers bind to; loopback unless you say otherwise."
    )
    port: Port = Field(default=8000, description="Port of the API and the page.")
    gateway_port: Port = Field(default=0, description="Port of the media gateway; 0 means the web port + 1.")
    public_url: str | None = Field(
        default=None, description="Address under which browsers reach the page, if a proxy stands before it."
    )
    gateway_url: str | None = Field(
        default=None, description="Address under which browsers reach the gateway, if a proxy stands before it."
    )
    thread_pool_size: int = Field(
        default=24, ge=1, le=200, description="Threads for synchronous services in a web process."
    )
    max_body_bytes: int = Field(default=64 * 1024, ge=1024, description="Largest request body the API reads.")

    def effective_gateway_port(self) -> int:
        """The gateway's port once 0 is resolved."""
        return self.gateway_port or self.port + 1

    def page_origin(self) -> str:
        """Origin of the page as browsers see it."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    def gateway_origin(self) -> str:
        """Origin of the gateway as browsers see it."""
        return (self.gateway_url or f"http://{self.host}:{self.effective_gateway_port()}").rstrip("/")


class SitesSettings(_Slice):
    """The city and its registry."""

    name: str = Field(default="SafeCity", description="Name of the centre, shown on the page.")
    name_ur: str = Field(default="سیف سٹی", description="The same in Urdu.")
    time_zone: Annotated[str, AfterValidator(_existing_zone)] = Field(
        default="Asia/Karachi", description="IANA time zone in which times are shown."
    )
    center_lon: float = Field(default=67.0, ge=-180, le=180, description="Longitude of the map's first view.")
    center_lat: float = Field(default=30.19, ge=-90, le=90, description="Latitude of the map's first view.")
    max_import_bytes: int = Field(default=64 * 1024**2, ge=1024, description="Largest city file that is read.")


class CopySettings(_Slice):
    """A place for second copies: one `[[video.copies]]` table."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$", description="Short name, such as hall-b or vault.")
    kind: Literal["directory", "s3", "machine"] = Field(
        description="directory (a mounted disk or share), s3, or machine, another SafeCity."
    )
    place: str = Field(
        min_length=1,
        max_length=500,
        description="Absolute path of the directory; or https://ENDPOINT/BUCKET[/PREFIX] (http on loopback only).",
    )
    policy: Literal["all", "protected", "held"] = Field(
        default="all",
        description="Which segments: all; protected, what an open incident, an open case or a hold covers; held alone.",
    )
    streams: tuple[Literal["main", "sub"], ...] = Field(
        default=("main", "sub"),
        min_length=1,
        description="Streams copied under the policy all; what is protected is copied in both.",
    )
    bandwidth_mbps: float | None = Field(
        default=None, gt=0, le=1e6, description="Most Mbit/s (10^6) sent to it; unset: as fast as it takes them."
    )
    days: float | None = Field(
        default=None,
        gt=0,
        le=36_500,
        description="Age after which a copy that nobody holds goes; unset: as recordings.",
    )
    region: str = Field(default="us-east-1", max_length=64, description="Region of an S3 place.")
    object_lock: bool = Field(
        default=False,
        description="Put a legal hold on the copies of what is held; the bucket must have Object Lock. Needs boto3.",
    )

    @model_validator(mode="after")
    def _place_fits(self) -> "CopySettings":
        if self.kind == "machine":
            raise ValueError("another SafeCity machine cannot be a place of copies yet; use directory or s3")
        if self.kind == "directory" and not Path(self.place).is_absolute():
            raise ValueError("a directory is named by its absolute path")
        if self.kind == "s3":
            _check_s3_place(self.place)
        elif self.object_lock:
            raise ValueError("object_lock is of S3 places alone")
        return self


def _check_s3_place(place: str) -> None:
    parts = urlsplit(place)
    is_loopback = parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("no credentials in the place of an S3 copy: they go into a file of DATA/secrets")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback):
        raise ValueError("an S3 place begins with https:// (http only on loopback)")
    if not parts.hostname or not parts.path.strip("/"):
        raise ValueError("an S3 place is https://ENDPOINT/BUCKET or https://ENDPOINT/BUCKET/PREFIX")


class VideoSettings(_Slice):
    """Recording, retention and live view."""

    recorders: int = Field(
        default=2, ge=1, le=64, description="Recorder processes that this machine's supervisor keeps running."
    )
    cameras_per_recorder: int = Field(
        default=100, ge=1, le=400, description="Most cameras that one recorder process holds."
    )
    transport: str = Field(
        default="tcp", pattern="^(tcp|udp)$", description="RTSP transport, where a camera's own column does not say."
    )
    reader: Literal["own", "pyav"] = Field(
        default="own",
        description="What reads RTSP over TCP where a camera's own column does not say: own, SafeCity's loop for many "
        "cameras, or pyav, FFmpeg in a thread for each stream. What the loop does not speak (UDP, RTSPS, files) is "
        "read by FFmpeg either way.",
    )
    segment_s: float = Field(
        default=60.0, ge=4, le=600, description="Length after which a segment is cut at the next key frame."
    )
    fragment_s: float = Field(
        default=1.0, ge=0.2, le=5, description="Length of a fragment: what a crash can cost at most."
    )
    sync_every_s: Literal["auto"] | Annotated[float, Field(ge=0.05, le=0.8)] = Field(
        default="auto",
        description="Fragments are gathered for so long, written and made durable together; auto: 0.2, and 0.6 on "
        "disks that turn. With `fragment_s` it bounds what a power cut costs.",
    )
    stall_after_s: float = Field(
        default=2.0, ge=0.5, le=60, description="Without a frame for so long, a stream is called stalled."
    )
    start_spread_s: float = Field(
        default=4.0, ge=0, le=600, description="Time over which a recorder spreads its first connections."
    )
    media_dirs: tuple[Path, ...] = Field(
        default=(),
        max_length=64,
        description="Recording directories, one a disk, each made a volume once by `safecity store volumes add`; "
        "none: `media` of the data folder.",
    )
    retention_days: float = Field(default=30.0, gt=0, le=36_500, description="Age after which recordings are deleted.")
    disk_gb: float | None = Field(
        default=None,
        gt=0,
        le=1e9,
        description="Most GB (10^9 bytes) that recordings may use; unset: the disk less the reserve.",
    )
    reserve_gb: float = Field(default=2.0, ge=0, le=1e6, description="GB always left free on each disk of recordings.")
    copies: tuple[CopySettings, ...] = Field(
        default=(), max_length=8, description="Places of second copies, one `[[video.copies]]` table each; see below."
    )
    drill_copies: int = Field(
        default=20, ge=1, le=10_000, description="Copies fetched back and compared in each place a day."
    )
    cache_gb: float = Field(
        default=2.0, gt=0, le=10_000, description="Most GB of copies kept in `cache` while recordings are mended."
    )
    verify_days: float = Field(
        default=30.0, gt=0, le=3650, description="Recordings verified within so many days are not verified again."
    )
    verify_mb_per_s: float = Field(
        default=10.0,
        ge=0,
        le=10_000,
        description="MB a second that the keeper reads to verify recordings against their hashes; 0: never.",
    )
    viewers: int = Field(default=400, ge=1, description="Most live streams that one gateway hands out at once.")
    export_max_s: float = Field(default=3600.0, gt=0, le=86_400, description="Longest interval of one export.")

    @model_validator(mode="after")
    def _names_differ(self) -> "VideoSettings":
        names = [one.name for one in self.copies]
        if len(set(names)) != len(names):
            raise ValueError("two places of copies have the same name")
        return self


class OversightSettings(_Slice):
    """Sign-in and sessions."""

    session_hours: float = Field(
        default=12.0, gt=0, le=24, description="A session ends after so many hours at the latest."
    )
    shift_hours: float = Field(
        default=12.0, gt=0, le=24, description="A shift-duty purpose ends after so many hours at the latest."
    )
    live_hours: float = Field(
        default=24.0, gt=0, le=876_000, description="Shift duty covers recordings up to this age."
    )
    sign_in_attempts: int = Field(default=5, ge=1, description="Failed sign-ins allowed for one user in five minutes.")


class AnalyticsSettings(_Slice):
    """Seeing: which detector, how often, by how many processes."""

    analysers: int = Field(default=1, ge=0, le=64, description="Analyser processes that this machine keeps running.")
    cameras_per_analyser: int = Field(default=100, ge=1, le=400, description="Most cameras that one analyser holds.")
    models_dir: Path | None = Field(
        default=None, description="Folder of detector models; unset: `models` of the data folder."
    )
    model: str = Field(
        default="auto",
        description="Name of the detector (`safecity models list`); auto: the best one installed; motion: none.",
    )
    detector_fps: float = Field(default=2.0, gt=0, le=25, description="Detections a second on a camera that is active.")
    idle_after_s: float = Field(
        default=6.0, ge=1, le=600, description="Without movement for so long, only key frames are decoded."
    )


class IncidentsSettings(_Slice):
    """The queue's clocks, for priorities 1, 2 and 3; priority 4 never escalates."""

    merge_s: float = Field(
        default=300.0,
        ge=0,
        le=86_400,
        description="Facts of one camera, rule and subject within this time are one alert.",
    )
    offer_s: tuple[float, float, float] = Field(
        default=(15.0, 60.0, 600.0), description="Time for the operator it was offered to, before all operators see it."
    )
    escalate_s: tuple[float, float, float] = Field(
        default=(30.0, 180.0, 1200.0), description="Time from the first fact until the supervisor is called, too."
    )
    act_s: tuple[float, float, float] = Field(
        default=(120.0, 600.0, 3600.0),
        description="Time in which an acknowledged alert must be decided, or it returns.",
    )
    near_m: float = Field(default=400.0, gt=0, le=10_000, description="Cameras so near to an incident belong to it.")


class DispatchSettings(_Slice):
    """Units and their positions."""

    stale_fix_s: float = Field(default=600.0, gt=0, le=86_400, description="A position older than this is called old.")
    proposals: int = Field(default=5, ge=1, le=50, description="Most units proposed for an incident.")


class BackupSettings(_Slice):
    """Backups of the database and the keys, made by the keeper for the key of `safecity backup keygen`."""

    directory: Path | None = Field(default=None, description="Folder for backups, best on another disk; unset: none.")
    every_h: float = Field(default=24.0, ge=0.1, le=8760, description="Hours from one backup to the next.")
    keep: int = Field(default=14, ge=1, le=10_000, description="Backups that are kept; the oldest go first.")
    has_index: bool = Field(
        default=True,
        description="With the index of recordings; without it, backups are small and a restore finds recordings "
        "again in their files.",
    )


class VirtualSettings(_Slice):
    """The virtual city of the demo and the drills."""

    enabled: bool = Field(default=False, description="Run virtual cameras beside the system (the demo sets this).")
    rtsp_port: Port = Field(
        default=0, description="Port of the virtual cameras; 0 takes a free one and keeps it in the data folder."
    )
    control_port: Port = Field(
        default=0, description="Port of their control; 0 takes a free one and keeps it in the data folder."
    )
    clock_file: Path | None = Field(
        default=None,
        description="File with the seconds by which every process's wall clock is to be wrong, read again and again: "
        "clock steps for drills. Without `enabled` it is not looked at.",
    )


class Settings(BaseSettings):
    """All slices; a room is handed only its own."""

    model_config = SettingsConfigDict(
        env_prefix="SAFECITY_", env_nested_delimiter="__", frozen=True, extra="forbid", validate_default=True
    )

    platform: PlatformSettings = PlatformSettings()
    web: WebSettings = WebSettings()
    sites: SitesSettings = SitesSettings()
    links: LinksSettings = LinksSettings()
    cabinets: CabinetsSettings = CabinetsSettings()
    video: VideoSettings = VideoSettings()
    oversight: OversightSettings = OversightSettings()
    analytics: AnalyticsSettings = AnalyticsSettings()
    incidents: IncidentsSettings = IncidentsSettings()
    dispatch: DispatchSettings = DispatchSettings()
    backup: BackupSettings = BackupSettings()
    virtual: VirtualSettings = VirtualSettings()
    intake: IntakeSettings = IntakeSettings()
    edge: EdgeSettings = EdgeSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is handed in wins over the environment, the environment over the file."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    def database_url(self) -> str:
        """The database in force."""
        return self.platform.database_url or f"sqlite:///{self.platform.data_dir.absolute() / 'safecity.db'}"


def load_settings(path: Path | None = None) -> Settings:
    """Read the settings; without a path, `safecity.toml` of the working folder if there is one.

    Raises Invalid with every wrong key and what was expected.
    """
    if path is not None and not path.is_file():
        raise Invalid(f"there is no settings file {path}; write one or leave --config away", code="settings.missing")
    file = path or Path("safecity.toml")
    with_file = type(
        "Settings", (Settings,), {"model_config": SettingsConfigDict(toml_file=file), "__module__": __name__}
    )
    try:
        return Settings.model_validate(with_file().model_dump())
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise Invalid(f"wrong settings ({file} or environment): {wrong}", code="settings.wrong") from error
    except ValueError as error:
        raise Invalid(f"{file} is not readable TOML: {error}", code="settings.unreadable") from error

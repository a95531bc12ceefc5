"""What goes over the control port, both ways (JSON)."""

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from safecity.virtual.faults import Fault, FaultKind
from safecity.virtual.mounts import Mount, MountStream
from safecity.virtual.onvif.events import EventKind
from safecity.virtual.rtsp.viewer import Viewer


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FaultRequest(_Wire):
    """POST /faults."""

    camera: str = Field(max_length=128, description="Name of a camera, or `all`.")
    kind: FaultKind
    for_s: float | None = Field(default=None, description="Seconds after which it ends; none: until cleared.")
    value: str | None = Field(default=None, max_length=64, description="As the kind asks: seconds, ppm, place.")


class EventRequest(_Wire):
    """POST /events."""

    camera: str = Field(max_length=128, description="Name of a camera, or `all`.")
    kind: EventKind
    is_active: bool


class FaultView(_Wire):
    """A fault that holds."""

    kind: FaultKind
    since: AwareDatetime
    until: AwareDatetime | None
    value: str | None


class ViewerView(_Wire):
    """One playing client."""

    peer: str
    transport: str
    since: AwareDatetime
    pictures: int
    dropped_pictures: int
    packets: int
    octets: int
    backlog_bytes: int
    is_slow: bool
    lost_packets: int | None


class StreamView(_Wire):
    """One stream of a camera and what it has sent."""

    codec: str | None
    width_px: int | None
    height_px: int | None
    frame_rate: float | None
    bitrate_bps: int | None
    pictures: int
    dropped_pictures: int
    octets: int
    viewers_ever: int
    viewers: tuple[ViewerView, ...]


class MountView(_Wire):
    """A camera. Credentials are never told."""

    name: str
    clip: str
    needs_password: bool
    is_ready: bool
    faults: tuple[FaultView, ...]
    streams: dict[str, StreamView]


class MountList(_Wire):
    """GET /mounts."""

    mounts: tuple[MountView, ...]


class Concerned(_Wire):
    """The cameras that a change concerned."""

    cameras: tuple[str, ...]


class SentView(_Wire):
    """When a numbered picture left."""

    counter: int
    sent_at: datetime


class SentList(_Wire):
    """GET /sent."""

    sent: tuple[SentView, ...]


class ControlProblem(_Wire):
    """Any refusal."""

    kind: str
    code: str
    detail: str


def view_mount(mount: Mount) -> MountView:
    """A camera as the control port tells it."""
    return MountView(
        name=mount.name,
        clip=mount.state.plan.clip.name,
        needs_password=mount.state.plan.credentials is not None,
        is_ready=all(stream.feed for stream in mount.streams.values()),
        faults=tuple(map(_view_fault, mount.state.faults.values())),
        streams={profile: _view_stream(stream) for profile, stream in mount.streams.items()},
    )


def _view_fault(fault: Fault) -> FaultView:
    return FaultView(kind=fault.kind, since=fault.since, until=fault.until, value=fault.value)


def _view_stream(stream: MountStream) -> StreamView:
    shown = stream.described
    return StreamView(
        codec=shown.codec if shown else None,
        width_px=shown.width_px if shown else None,
        height_px=shown.height_px if shown else None,
        frame_rate=round(shown.frame_rate, 3) if shown else None,
        bitrate_bps=round(shown.bitrate_bps) if shown else None,
        pictures=stream.counts.pictures,
        dropped_pictures=stream.counts.dropped_pictures,
        octets=stream.counts.octets,
        viewers_ever=stream.counts.viewers_ever,
        viewers=tuple(map(_view_viewer, stream.viewers)),
    )


def _view_viewer(viewer: Viewer) -> ViewerView:
    return ViewerView(
        peer=viewer.peer,
        transport=viewer.sink.kind,
        since=viewer.since,
        pictures=viewer.counts.pictures,
        dropped_pictures=viewer.counts.dropped_pictures,
        packets=viewer.counts.packets,
        octets=viewer.counts.octets,
        backlog_bytes=viewer.sink.backlog_bytes(),
        is_slow=viewer.is_slow,
        lost_packets=viewer.last_report.lost_packets if viewer.last_report else None,
    )

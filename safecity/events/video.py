"""What recording states: gaps, clocks that jumped, files set aside, recordings deleted."""

from datetime import datetime
from typing import ClassVar, Literal

from safecity.events.store import Fact

Stream = Literal["main", "sub"]


class RecordingInterrupted(Fact):
    """A stream is not recorded any more, and why."""

    type: ClassVar[str] = "video.recording_interrupted"
    camera: str
    stream: Stream
    since: datetime
    cause: str
    detail: str


class RecordingResumed(Fact):
    """A stream is recorded again; the interval before is missing for the cause given."""

    type: ClassVar[str] = "video.recording_resumed"
    camera: str
    stream: Stream
    missing_from: datetime
    missing_to: datetime
    cause: str
    detail: str


class CameraClockJumped(Fact):
    """A camera's clock jumped; recording went on with our own time."""

    type: ClassVar[str] = "video.camera_clock_jumped"
    camera: str
    stream: Stream
    at: datetime


class ClockStepped(Fact):
    """The wall clock of a recorder's machine was stepped."""

    type: ClassVar[str] = "video.clock_stepped"
    recorder: str
    at: datetime
    by_us: int


class SegmentRecovered(Fact):
    """A file left open by a crash was cut after its last whole fragment and indexed."""

    type: ClassVar[str] = "video.segment_recovered"
    camera: str
    stream: Stream
    path: str
    started_at: datetime
    durable_until: datetime
    cut_bytes: int


class SegmentSetAside(Fact):
    """A file that holds no whole fragment, or is not what the index says, was renamed and kept."""

    type: ClassVar[str] = "video.segment_set_aside"
    camera: str
    stream: Stream
    path: str
    reason: str


class SegmentMissing(Fact):
    """A file that the index knew is not on the disk any more; its row was taken out."""

    type: ClassVar[str] = "video.segment_missing"
    camera: str
    stream: Stream
    path: str
    started_at: datetime
    durable_until: datetime


class RecordingsDeleted(Fact):
    """Retention deleted recordings in one run."""

    type: ClassVar[str] = "video.recordings_deleted"
    reason: Literal["age", "disk"]
    segments: int
    size_bytes: int
    oldest_at: datetime
    newest_at: datetime


class CopyTargetStateChanged(Fact):
    """A place of second copies answers again, is behind, is away, refuses us or is full."""

    type: ClassVar[str] = "video.copy_target_state_changed"
    target: str
    state: Literal["current", "behind", "away", "refused", "full"]
    detail: str
    waiting: int


class CopyFoundBad(Fact):
    """A second copy is missing or not what was recorded; it is sent again."""

    type: ClassVar[str] = "video.copy_found_bad"
    target: str
    camera: str
    stream: Stream
    started_at: datetime
    key: str
    flaw: str


class SegmentMended(Fact):
    """A recording that was damaged or gone was written anew from its second copy."""

    type: ClassVar[str] = "video.segment_mended"
    camera: str
    stream: Stream
    path: str
    started_at: datetime
    target: str
    flaw: str


class UncopiedDeleted(Fact):
    """Recordings had to go for the disk before their second copy was made."""

    type: ClassVar[str] = "video.uncopied_deleted"
    segments: int
    size_bytes: int
    oldest_at: datetime
    newest_at: datetime


class VolumeStateChanged(Fact):
    """A recording directory is better or worse than before; `hours_left` at the present rate, where it is known."""

    type: ClassVar[str] = "video.volume_state_changed"
    volume: str
    directory: str
    state: Literal["ok", "filling", "full", "read_only", "failing", "slow", "gone"]
    before: str
    free_bytes: int
    hours_left: float | None
    at: datetime


class HeldRecordingsFill(Fact):
    """Recordings that must not be deleted leave a volume less than a day of room."""

    type: ClassVar[str] = "video.held_recordings_fill"
    volume: str
    directory: str
    held_bytes: int
    used_bytes: int
    at: datetime

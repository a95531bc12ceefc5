"""Values and pure rules of second copies: what a place wants, from when on, how late it is, the names of objects."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Literal

from safecity.platform.settings import CopySettings, VideoSettings
from safecity.sites.model import CameraId
from safecity.video.model import Segment, SegmentState, Stream

PROTECTED_WITHIN = timedelta(minutes=5)
ALL_WITHIN = timedelta(minutes=60)
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 300.0
_ROOT = re.compile(r"[0-9a-f]{64}")
_STREAMS = frozenset(one.value for one in Stream)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Policy(StrEnum):
    """What a place is given."""

    ALL = "all"
    PROTECTED = "protected"  # what an open incident, an open case or a hold covers
    HELD = "held"


class Protection(StrEnum):
    """How firmly a segment must be kept."""

    NONE = "none"
    PURPOSE = "purpose"  # an open incident or case covers it
    HELD = "held"  # nobody may delete it


class TargetState(StrEnum):
    """How a place of copies is."""

    CURRENT = "current"  # nothing waits for longer than it may
    BEHIND = "behind"
    AWAY = "away"  # it does not answer
    REFUSED = "refused"  # it answers, and does not let us: password, permission, a disk that is not the one
    FULL = "full"


class CopyState(StrEnum):
    """The life of a copy."""

    COPIED = "copied"
    BAD = "bad"  # a drill or a reader found it missing or changed; it is sent again
    DELETING = "deleting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A place of copies as the settings describe it."""

    name: str
    kind: Literal["directory", "s3"]
    place: str
    policy: Policy
    streams: frozenset[Stream]
    bytes_per_s: float | None
    keep: timedelta
    region: str
    has_object_lock: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Protected:
    """An interval of a camera that must be kept, since when, and how firmly; `stream` None is both."""

    camera: CameraId
    stream: Stream | None
    from_at: datetime
    to_at: datetime | None
    since: datetime
    protection: Protection


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A row of the table: one segment in one place."""

    target: str
    camera: CameraId
    stream: Stream
    started_at: datetime
    durable_until: datetime
    key: str
    version: str | None
    root: str
    size_bytes: int
    state: CopyState
    protection: Protection
    is_held: bool  # a legal hold stands on the object itself
    copied_at: datetime
    lag_s: float | None  # from when it was due; None where it was found in the place
    verified_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A segment that a place lacks."""

    segment: Segment
    protection: Protection
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What a place lacks, in sum."""

    segments: int = 0
    size_bytes: int = 0
    oldest_at: datetime | None = None  # when the one that waits longest was due
    oldest_protected_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What the name of an object says."""

    path: str
    root: str


def target_of(settings: CopySettings, video: VideoSettings) -> Target:
    """A place as the settings describe it; it keeps as long as the recordings are kept unless told otherwise."""
    assert settings.kind != "machine"
    rate = settings.bandwidth_mbps
    return Target(
        name=settings.name,
        kind=settings.kind,
        place=settings.place,
        policy=Policy(settings.policy),
        streams=frozenset(Stream(one) for one in settings.streams),
        bytes_per_s=None if rate is None else rate * 1e6 / 8,
        keep=timedelta(days=video.retention_days if settings.days is None else settings.days),
        region=settings.region,
        has_object_lock=settings.object_lock,
    )


def list_targets(video: VideoSettings) -> tuple[Target, ...]:
    """The places in the order of the settings."""
    return tuple(target_of(one, video) for one in video.copies)


def wants(target: Target, segment: Segment, *, protection: Protection, now: datetime) -> bool:
    """Whether this segment belongs into this place.

    Only a closed one, because its root is known. What is protected goes there whatever its stream and age.
    """
    if segment.state is not SegmentState.CLOSED or segment.root is None:
        return False
    match target.policy:
        case Policy.HELD:
            return protection is Protection.HELD
        case Policy.PROTECTED:
            return protection is not Protection.NONE
        case Policy.ALL:
            is_young = segment.durable_until > now - target.keep
            return protection is not Protection.NONE or (is_young and segment.stream in target.streams)


def protection_of(segment: Segment, intervals: Iterable[Protected]) -> tuple[Protection, datetime | None]:
    """How firmly a segment must be kept, and since when; the firmest counts, and of these the oldest."""
    touching = [
        one
        for one in intervals
        if one.camera == segment.camera
        and one.stream in (None, segment.stream)
        and one.from_at < segment.durable_until
        and (one.to_at is None or one.to_at > segment.started_at)
    ]
    for protection in (Protection.HELD, Protection.PURPOSE):
        since = min((one.since for one in touching if one.protection is protection), default=None)
        if since is not None:
            return protection, since
    return Protection.NONE, None


def due_at(segment: Segment, *, target_since: datetime, protected_since: datetime | None) -> datetime:
    """From when on a copy was owed: the segment was there, the place was there and, if that is why, the reason was."""
    return max(segment.durable_until, target_since, protected_since or segment.durable_until)


def order_of(due: Due) -> tuple[int, float]:
    """Sort key: what is protected first, the one that waits longest; of all others the newest first.

    After a place was away, fresh recordings are safe within minutes again while the past is filled in behind them.
    """
    if due.protection is not Protection.NONE:
        return (0, due.due_at.timestamp())
    return (1, -due.segment.started_at.timestamp())


def key_of(path: str, root: str) -> str:
    """The name of a segment's object: its path with its root, so that a listing alone says what is there.

    The root makes the name that of its bytes: another recording under the same path gets another name.
    """
    return f"{path.removesuffix('.mp4')}.{root}.mp4"


def read_key(key: str) -> Named | None:
    """What an object's name says; None where it is none of ours."""
    stem, _, root = key.removesuffix(".mp4").rpartition(".")
    parts = PurePosixPath(stem).parts
    if not key.endswith(".mp4") or not _ROOT.fullmatch(root) or len(parts) != 4 or ".." in parts:
        return None
    if parts[1] not in _STREAMS or not _DAY.fullmatch(parts[2]):
        return None
    return Named(path=f"{stem}.mp4", root=root)


def prefix_of(path: str) -> str:
    """The folder of an object: its camera, stream and day."""
    return path.rpartition("/")[0]


def state_of(waiting: Waiting, *, now: datetime) -> TargetState:
    """Whether a place that answers is behind."""
    late = waiting.oldest_at is not None and now - waiting.oldest_at > ALL_WITHIN
    owed = waiting.oldest_protected_at is not None and now - waiting.oldest_protected_at > PROTECTED_WITHIN
    return TargetState.BEHIND if late or owed else TargetState.CURRENT


def add_waiting(parts: Iterable[Waiting]) -> Waiting:
    """The sum."""
    listed = list(parts)
    return Waiting(
        segments=sum(one.segments for one in listed),
        size_bytes=sum(one.size_bytes for one in listed),
        oldest_at=min((one.oldest_at for one in listed if one.oldest_at), default=None),
        oldest_protected_at=min((one.oldest_protected_at for one in listed if one.oldest_protected_at), default=None),
    )


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value that `share` of them do not exceed (nearest rank); None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


def wait_after(failures: int, *, jitter: float) -> float:
    """Seconds until a place that did not take a copy is asked again; `jitter` is 0 to 1."""
    return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(failures, 16)) * (0.5 + jitter / 2)


class TokenBucket:
    """Lets so many bytes a second through, and no more than a second of them at once; reads no clock."""

    def __init__(self, bytes_per_s: float, *, now_s: float) -> None:
        self._rate = bytes_per_s
        self._tokens = bytes_per_s
        self._at_s = now_s

    def take(self, size_bytes: int, *, now_s: float) -> float:
        """Take what is to be sent; returns the seconds to wait before it is sent."""
        self._tokens = min(self._rate, self._tokens + max(0.0, now_s - self._at_s) * self._rate)
        self._at_s = max(self._at_s, now_s)
        self._tokens -= size_bytes
        return max(0.0, -self._tokens / self._rate)


def secret_file(data_dir: Path, target: str) -> Path:
    """Where the credentials of a place lie."""
    return data_dir / "secrets" / f"copy-{target}.json"

"""A virtual camera: its two streams, its clock, its faults, and who is watching."""

import secrets
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal, NewType

from safecity.platform.clock import Clock
from safecity.platform.errors import Internal
from safecity.virtual.elementary import Elementary
from safecity.virtual.faults import (
    CameraClock,
    Fault,
    FaultKind,
    GarbageKind,
    read_drift_ppm,
    read_garbage,
    read_jump,
)
from safecity.virtual.feed import Feed, Shown
from safecity.virtual.rtsp.digest import Credentials
from safecity.virtual.rtsp.packets import PacketStream
from safecity.virtual.rtsp.source import ReplayAsk
from safecity.virtual.rtsp.viewer import REPORT_INTERVAL_S, Viewer
from safecity.virtual.rtsp.wheel import Wheel
from safecity.virtual.sent_log import Sent, SentLog

MountName = NewType("MountName", str)
Profile = Literal["main", "sub"]
PROFILES: Final[tuple[Profile, Profile]] = ("main", "sub")

MAX_PICTURES_A_TURN: Final = 60
SENT_LOG_PICTURES: Final = 4096
NOISE_BYTES: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class MountPlan:
    """A camera to serve."""

    name: MountName
    clip: Path
    credentials: Credentials | None
    phase_s: float = 0.0
    """How far into its clip the camera begins, so that cameras with one clip do not show the same."""
    first_rtp_timestamp: int | None = None
    """RTP timestamp of media time 0; random unless given."""
    turns: bool = True
    """Whether its ONVIF side has a PTZ head."""
    firmware: str = ""
    """Firmware version that its ONVIF side tells; the newest unless given."""


@dataclass(slots=True, kw_only=True)
class StreamCounts:
    """What one stream has sent to all its viewers."""

    pictures: int = 0
    dropped_pictures: int = 0
    octets: int = 0
    viewers_ever: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SentPicture:
    """When a numbered picture left."""

    counter: int
    sent_at: datetime


class Garbage:
    """Random bytes where packets should be."""

    def __init__(self, kind: GarbageKind) -> None:
        self._kind = kind

    def disturb(self, packets: bytearray, offsets: tuple[int, ...]) -> bytes | None:
        """Overwrite the payload of half the packets behind its first bytes, or give noise for the framing."""
        if self._kind is GarbageKind.FRAMING:
            return secrets.token_bytes(NOISE_BYTES)
        ends = (*offsets[1:], len(packets))
        for offset, end in zip(offsets, ends, strict=True):
            start = min(end, offset + 16 + 4)
            if secrets.randbits(1) and end > start:
                packets[start:end] = secrets.token_bytes(end - start)
        return None


@dataclass(slots=True, kw_only=True)
class MountState:
    """What the streams of one camera share."""

    plan: MountPlan
    clock: Clock
    camera_clock: CameraClock = field(default_factory=CameraClock)
    faults: dict[FaultKind, Fault] = field(default_factory=dict[FaultKind, Fault])
    garbage: Garbage | None = None
    wrong_credentials: Credentials | None = None
    users: dict[str, Credentials] = field(default_factory=dict[str, Credentials])
    """Who may play, by name: at first the plan's, then what ONVIF clients make of it; empty for everyone."""

    def __post_init__(self) -> None:
        if self.plan.credentials:
            self.users[self.plan.credentials.user] = self.plan.credentials

    def camera_wall(self) -> datetime:
        """What the camera believes the time is."""
        return self.camera_clock.wall(self.clock.now(), self.clock.monotonic_s())

    def apply(self, now_s: float) -> None:
        """Bring everything but the picture in line with the faults that hold."""
        jump = self.faults.get(FaultKind.CLOCK_JUMP)
        self.camera_clock.set_jump(read_jump(jump.value) if jump else None)
        drift = self.faults.get(FaultKind.CLOCK_DRIFT)
        self.camera_clock.set_drift(read_drift_ppm(drift.value) if drift else 0.0, now_s)
        garbage = self.faults.get(FaultKind.GARBAGE)
        self.garbage = Garbage(read_garbage(garbage.value)) if garbage else None
        if FaultKind.WRONG_PASSWORD not in self.faults:
            self.wrong_credentials = None
        elif self.wrong_credentials is None:
            user = self.plan.credentials.user if self.plan.credentials else "nobody"
            self.wrong_credentials = Credentials(user=user, password=secrets.token_hex(16))


class MountStream:
    """One stream of a camera: a `rtsp.source.Source`."""

    is_card = False

    def __init__(self, mount: MountState, profile: Profile, *, wheel: Wheel, joins_at_group: bool = True) -> None:
        self.mount = mount
        self.profile: Profile = profile
        self.counts = StreamCounts()
        self.viewers: list[Viewer] = []
        self.feed: Feed | None = None
        self.counts_pictures = False
        self.sent: deque[SentPicture] = deque(maxlen=SENT_LOG_PICTURES)
        self.sent_log: SentLog | None = None
        self._joins_at_group = joins_at_group
        self._wheel = wheel
        self._is_scheduled = False
        first = mount.plan.first_rtp_timestamp
        self._rtp_base = secrets.randbits(32) if first is None else first

    def load(self, stream: PacketStream, *, origin_s: float, counts_pictures: bool) -> None:
        """The clip is ready: the camera is on from now."""
        self.feed = Feed(stream, origin_s=origin_s)
        self.counts_pictures = counts_pictures

    # What the RTSP server asks (rtsp.source.Source)

    @property
    def users(self) -> tuple[Credentials, ...]:
        """Who may play."""
        wrong = self.mount.wrong_credentials
        return (wrong,) if wrong else tuple(self.mount.users.values())

    @property
    def is_refusing(self) -> bool:
        """True while dropped."""
        return FaultKind.DROP in self.mount.faults

    @property
    def described(self) -> Elementary | None:
        """What a new viewer will see."""
        return self.feed.source if self.feed else None

    @property
    def title(self) -> str:
        """Camera and stream."""
        return f"{self.mount.plan.name}/{self.profile}"

    def first_timestamp(self, *, from_group: bool) -> int:
        """RTP timestamp of the first picture a new viewer gets."""
        feed = self._on_time()
        group = feed.group() if from_group and self._joins_at_group else []
        return self._timestamp(group[0].ticks if group else feed.next_shown_key_ticks())

    def prepare(self, viewer: Viewer, ask: ReplayAsk) -> bool:
        """A live stream replays nothing."""
        del viewer, ask
        return False

    def join(self, viewer: Viewer, *, from_group: bool) -> None:
        """Report the clock, send what the viewer needs to begin, then go on as for the others."""
        feed = self._on_time()
        viewer.waits_for_key = True
        self._report(viewer, self.mount.clock.monotonic_s())
        if from_group and self._joins_at_group and not self.is_silent:
            for shown in feed.group():
                self._show(viewer, shown, self._timestamp(shown.ticks))
        self.viewers.append(viewer)
        self.counts.viewers_ever += 1
        self._schedule(feed.due_s)

    def leave(self, viewer: Viewer) -> None:
        """Forget a viewer; what it was sent stays in the counts."""
        if viewer in self.viewers:
            self.viewers.remove(viewer)

    # What faults do

    @property
    def is_silent(self) -> bool:
        """True while stalled: the connection stays, no packet leaves."""
        return FaultKind.STALL in self.mount.faults

    def wait_for_key(self) -> None:
        """After silence every viewer begins anew at a key picture."""
        for viewer in self.viewers:
            viewer.waits_for_key = True

    def report_soon(self) -> None:
        """Tell every viewer the camera's time in the next turn, because it has changed."""
        for viewer in self.viewers:
            viewer.next_report_s = 0.0

    # Sending

    def _turn(self, now_s: float) -> float | None:
        feed = self.feed
        if feed is None or not self.viewers:
            self._is_scheduled = False
            return None
        if feed.catch_up(now_s):
            self.wait_for_key()
        for viewer in self.viewers:
            if now_s >= viewer.next_report_s and not self.is_silent:
                self._report(viewer, now_s)
        for _ in range(MAX_PICTURES_A_TURN):
            if feed.due_s > now_s:
                break
            self._send(feed.take())
        return feed.due_s

    def _send(self, shown: Shown) -> None:
        if self.is_silent:
            return
        timestamp = self._timestamp(shown.ticks)
        for viewer in self.viewers:
            dropped = viewer.counts.dropped_pictures
            sent = self._show(viewer, shown, timestamp)
            self.counts.pictures += sent
            self.counts.octets += sent * shown.block.octets
            self.counts.dropped_pictures += viewer.counts.dropped_pictures - dropped
        if self.counts_pictures and not shown.is_stand_in:
            self.sent.append(SentPicture(counter=shown.block.index, sent_at=self.mount.clock.now()))

    def _show(self, viewer: Viewer, shown: Shown, timestamp: int) -> int:
        """Send a picture to a viewer and note it; how many it was sent, 0 or 1."""
        before, garbage = viewer.counts.pictures, self.mount.garbage
        viewer.show(shown.block, timestamp, disturbance=garbage)
        sent = viewer.counts.pictures - before
        if sent and self.sent_log is not None and self.feed is not None:
            now = self.mount.clock.now()
            late = timedelta(seconds=self.mount.clock.monotonic_s() - self.feed.instant_s(shown.ticks))
            self.sent_log.note(
                Sent(due_at=now - late, sent_at=now, mark=shown.block.mark, is_damaged=garbage is not None)
            )
        return sent

    def _report(self, viewer: Viewer, now_s: float) -> None:
        feed, clock = self.feed, self.mount.camera_clock
        viewer.next_report_s = now_s + REPORT_INTERVAL_S
        if feed is None or self.is_silent:
            return
        viewer.report(
            captured_at=clock.wall(self.mount.clock.now(), now_s),
            rtp_timestamp=self._timestamp(feed.ticks_at(now_s)),
            name=self.title,
        )

    def _timestamp(self, ticks: int) -> int:
        shift = self.mount.camera_clock.rtp_shift_ticks(self.feed.instant_s(ticks) if self.feed else 0.0)
        return (self._rtp_base + ticks + shift) & 0xFFFFFFFF

    def _on_time(self) -> Feed:
        """The feed, brought to the present if nobody was watching."""
        if self.feed is None:
            raise Internal("A camera without a clip was joined.", code="virtual.not_ready")
        if not self._is_scheduled:
            self.feed.seek(self.mount.clock.monotonic_s())
        return self.feed

    def _schedule(self, at_s: float) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._wheel.schedule(at_s, self._turn)


class Mount:
    """A camera with both streams."""

    def __init__(self, plan: MountPlan, *, clock: Clock, wheel: Wheel, joins_at_group: bool = True) -> None:
        self.state = MountState(plan=plan, clock=clock)
        self.name = plan.name
        self.streams: dict[Profile, MountStream] = {
            profile: MountStream(self.state, profile, wheel=wheel, joins_at_group=joins_at_group)
            for profile in PROFILES
        }

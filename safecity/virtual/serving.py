"""The virtual city at work: cameras from clips, served by RTSP, with faults on command."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog

from safecity.platform.clock import Clock, SystemClock
from safecity.platform.errors import Conflict, Invalid, NotFound, Unavailable
from safecity.virtual.card import CARD, CardStream
from safecity.virtual.clips import ClipOptions, PreparedClip, prepare_clip
from safecity.virtual.elementary import TICKS_PER_S
from safecity.virtual.faults import PICTURE_KINDS, Fault, FaultKind, check_fault
from safecity.virtual.mounts import PROFILES, Mount, MountName, MountPlan, MountStream, Profile, SentPicture
from safecity.virtual.onvif.events import EventKind
from safecity.virtual.onvif.server import OnvifPlan, OnvifServer
from safecity.virtual.rtsp.packets import PacketStream, packetise
from safecity.virtual.rtsp.server import RtspServer
from safecity.virtual.rtsp.source import Source
from safecity.virtual.rtsp.wheel import Wheel
from safecity.virtual.sent_log import SentLog
from safecity.virtual.standins import StandIns

log = structlog.get_logger()

MAX_MOUNTS: Final = 2000
FREEZE_LEAD_S: Final = 0.3
"""A key picture must be at least so far ahead to be the one that freezes: its stand-in is encoded meanwhile."""

ALL_CAMERAS: Final = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServePlan:
    """What to serve and where."""

    mounts: tuple[MountPlan, ...]
    cache: Path
    host: str = "127.0.0.1"
    rtsp_port: int = 0
    control_port: int = 0
    clip_options: ClipOptions = field(default_factory=ClipOptions)
    onvif: OnvifPlan | None = None
    """Serve ONVIF too."""
    sent_log_dir: Path | None = None
    """Where each stream writes down what it sent (`sent_log`)."""
    joins_at_group: bool = True
    """A TCP viewer is first sent the pictures since the last key one, as if the camera made a key picture for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Playable:
    clip: PreparedClip
    streams: dict[Profile, PacketStream]


class VirtualCity:
    """All cameras of one process. Everything but the encoding runs in the event loop that started it."""

    def __init__(self, plan: ServePlan, *, clock: Clock | None = None) -> None:
        names = [mount.name for mount in plan.mounts]
        if len(set(names)) != len(names) or ALL_CAMERAS in names or not 0 < len(names) <= MAX_MOUNTS:
            raise Invalid(f"Give 1 to {MAX_MOUNTS} cameras, each its own name, none `all`.", code="virtual.mounts")
        self.plan = plan
        self.clock = clock or SystemClock()
        self.rtsp_port = 0
        self.wheel = Wheel(asyncio.get_running_loop(), self.clock)
        self.mounts: dict[MountName, Mount] = {
            mount.name: Mount(mount, clock=self.clock, wheel=self.wheel, joins_at_group=plan.joins_at_group)
            for mount in plan.mounts
        }
        self.cards = {name: CardStream(mount.streams["main"], wheel=self.wheel) for name, mount in self.mounts.items()}
        self.onvif = OnvifServer(plan.onvif, host=plan.host) if plan.onvif else None
        if plan.sent_log_dir is not None:
            for name, mount in self.mounts.items():
                for profile, stream in mount.streams.items():
                    stream.sent_log = SentLog(plan.sent_log_dir, mount=name, profile=profile)
        self.server = RtspServer(self, clock=self.clock, wheel=self.wheel)
        self._executor = ThreadPoolExecutor(max_workers=max(1, os.cpu_count() or 1), thread_name_prefix="clip")
        self._stand_ins = StandIns(plan.cache, self._executor)
        self._closing = threading.Event()
        self._clips: dict[Path, _Playable] = {}
        self._ends: dict[tuple[MountName, FaultKind], asyncio.TimerHandle] = {}

    # Life

    async def start(self, on_progress: Callable[[Path, float], None] | None = None) -> None:
        """Listen, then prepare every clip; a camera answers 503 until its clip is ready.

        Raises Invalid for a clip that cannot be played, Unavailable for a port that cannot be opened.
        """
        self.rtsp_port = await self.server.start(self.plan.host, self.plan.rtsp_port)
        if self.onvif:
            mounts = list(self.mounts.values())
            own = [address for address in self.onvif.addresses(len(mounts)) if address != self.plan.host]
            await self.server.listen_also(own, self.rtsp_port)
            await self.onvif.start(mounts, cards=self.cards, rtsp_port=self.rtsp_port)
        paths = dict.fromkeys(mount.clip for mount in self.plan.mounts)
        await asyncio.gather(*(self._prepare(path, on_progress) for path in paths))
        log.info("virtual.city_started", cameras=len(self.mounts), port=self.rtsp_port, clips=len(paths))

    async def close(self) -> None:
        """Free everything."""
        self._closing.set()
        for timer in self._ends.values():
            timer.cancel()
        self._ends.clear()
        if self.onvif:
            await self.onvif.close()
        await self.server.close()
        self.wheel.close()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def find_source(self, mount: str, profile: str) -> Source | None:
        """For the RTSP server (rtsp.source.Directory)."""
        return self.cards.get(MountName(mount)) if profile == CARD else self._find_stream(mount, profile)

    def notice(self, camera: str, kind: EventKind, *, is_active: bool) -> list[MountName]:
        """Have one camera or `all` notice something. Raises NotFound, or Conflict where no ONVIF is served."""
        if self.onvif is None:
            raise Conflict("This city serves no ONVIF; start it with --onvif.", code="virtual.no_onvif")
        mounts = self._mounts_named(camera)
        for mount in mounts:
            device = self.onvif.devices[mount.name]
            device.board.notice(kind, is_active, at=device.camera_now())
        return [mount.name for mount in mounts]

    def url_of(self, name: MountName, profile: Profile = "main") -> str:
        """Where a stream is served, without credentials."""
        host = f"[{self.plan.host}]" if ":" in self.plan.host else self.plan.host
        return f"rtsp://{host}:{self.rtsp_port}/{name}/{profile}"

    # Faults

    async def set_fault(
        self, camera: str, kind: FaultKind, *, for_s: float | None = None, value: str | None = None
    ) -> list[MountName]:
        """Make one camera or `all` faulty, for a time or until cleared; returns those concerned.

        Returns when the fault holds; the first `frozen`, `resolution` or `codec` of a clip encodes for a while.
        Raises NotFound, Invalid, or Conflict while the clips are not ready.
        """
        check_fault(kind, value, for_s=for_s)
        mounts = self._mounts_named(camera)
        if any(stream.feed is None for mount in mounts for stream in mount.streams.values()):
            raise Conflict("The clips are being prepared; wait until the city is ready.", code="virtual.starting")
        now = self.clock.now()
        until = now + timedelta(seconds=for_s) if for_s is not None else None
        for mount in mounts:
            shown = await self._stand_ins_for(mount, kind) if kind in PICTURE_KINDS else None
            fault = Fault(kind=kind, since=now, until=until, value=value)
            self._enter(mount, fault, shown=shown, for_s=for_s)
        log.info("virtual.fault_set", camera=camera, kind=kind, for_s=for_s)
        return [mount.name for mount in mounts]

    def clear_faults(self, camera: str, kind: FaultKind | None = None) -> list[MountName]:
        """End one kind of fault, or all, of one camera or `all`. Raises NotFound."""
        mounts = self._mounts_named(camera)
        for mount in mounts:
            for held in [kind] if kind else list(mount.state.faults):
                self._leave(mount, held)
        log.info("virtual.faults_cleared", camera=camera, kind=kind)
        return [mount.name for mount in mounts]

    def list_sent(self, name: str, profile: str, *, from_counter: int = 0) -> list[SentPicture]:
        """When each burned-in number from `from_counter` on left last; bounded. Raises NotFound."""
        stream = self._find_stream(name, profile)
        if stream is None:
            raise NotFound(f"There is no stream {name}/{profile}.", code="virtual.no_stream")
        latest = {sent.counter: sent for sent in stream.sent if sent.counter >= from_counter}
        return sorted(latest.values(), key=lambda sent: sent.counter)

    # Inside

    def _find_stream(self, mount: str, profile: str) -> MountStream | None:
        found = self.mounts.get(MountName(mount))
        return next((stream for name, stream in found.streams.items() if name == profile), None) if found else None

    def _mounts_named(self, camera: str) -> list[Mount]:
        if camera == ALL_CAMERAS:
            return list(self.mounts.values())
        found = self.mounts.get(MountName(camera))
        if found is None:
            raise NotFound(f"There is no camera {camera!r}; `safecity virtual list` names them.", code="virtual.camera")
        return [found]

    async def _prepare(self, path: Path, on_progress: Callable[[Path, float], None] | None) -> None:
        loop = asyncio.get_running_loop()

        def tell(share: float) -> None:
            if self._closing.is_set():
                raise Unavailable("The city was closed while it prepared a clip.", code="virtual.closed")
            if on_progress:
                loop.call_soon_threadsafe(on_progress, path, share)

        def work() -> _Playable:
            clip = prepare_clip(path, cache=self.plan.cache, options=self.plan.clip_options, on_progress=tell)
            return _Playable(clip=clip, streams={"main": packetise(clip.main), "sub": packetise(clip.sub)})

        playable = self._clips[path] = await loop.run_in_executor(self._executor, work)
        now_s = self.clock.monotonic_s()
        for mount in self.mounts.values():
            if mount.state.plan.clip != path:
                continue
            origin_s = now_s - max(0.0, mount.state.plan.phase_s)
            for profile in PROFILES:
                mount.streams[profile].load(
                    playable.streams[profile], origin_s=origin_s, counts_pictures=playable.clip.counts_pictures
                )

    async def _stand_ins_for(self, mount: Mount, kind: FaultKind) -> dict[Profile, tuple[PacketStream, int | None]]:
        """Stand-in and the media time at which it begins (None: with the next picture)."""
        clip = self._clips[mount.state.plan.clip].clip
        found: dict[Profile, tuple[PacketStream, int | None]] = {}
        for profile, stream in mount.streams.items():
            own, starts, key = clip.main if profile == "main" else clip.sub, None, 0
            if kind is FaultKind.FROZEN and stream.feed:
                ahead = stream.feed.ticks_at(self.clock.monotonic_s()) + round(FREEZE_LEAD_S * TICKS_PER_S)
                starts, key = stream.feed.next_key_ticks(ahead)
            name = f"{clip.sha256} {profile} {self.plan.clip_options}"
            found[profile] = await self._stand_ins.get_stand_in(kind, own, clip=name, key=key), starts
        return found

    def _enter(
        self,
        mount: Mount,
        fault: Fault,
        *,
        shown: dict[Profile, tuple[PacketStream, int | None]] | None,
        for_s: float | None,
    ) -> None:
        faults, now_s = mount.state.faults, self.clock.monotonic_s()
        self._forget_end(mount, fault.kind)
        if shown is not None:
            for other in PICTURE_KINDS & faults.keys() - {fault.kind}:
                self._leave(mount, other)
        faults[fault.kind] = fault
        mount.state.apply(now_s)
        for profile, stream in mount.streams.items():
            if shown is not None and stream.feed:
                stand_in, starts = shown[profile]
                if fault.kind is FaultKind.CODEC:
                    stream.feed.cut(stand_in, now_s)
                else:
                    stream.feed.show(stand_in, from_ticks=starts)
            self._after_change(stream, fault.kind)
        if fault.kind is FaultKind.DROP:
            self.server.break_off(self.cards[mount.name])
        if for_s is not None:
            timer = asyncio.get_running_loop().call_later(for_s, self._leave, mount, fault.kind)
            self._ends[mount.name, fault.kind] = timer

    def _leave(self, mount: Mount, kind: FaultKind) -> None:
        self._forget_end(mount, kind)
        if mount.state.faults.pop(kind, None) is None:
            return
        now_s = self.clock.monotonic_s()
        mount.state.apply(now_s)
        for stream in mount.streams.values():
            if kind is FaultKind.CODEC and stream.feed:
                stream.feed.cut(None, now_s)
            elif kind in PICTURE_KINDS and stream.feed:
                stream.feed.show_own()
            elif kind is FaultKind.STALL or kind is FaultKind.GARBAGE:
                stream.wait_for_key()
                stream.report_soon()
            if kind is not FaultKind.DROP:
                self._after_change(stream, kind)

    def _after_change(self, stream: MountStream, kind: FaultKind) -> None:
        if kind in (FaultKind.DROP, FaultKind.WRONG_PASSWORD, FaultKind.CODEC):
            self.server.break_off(stream)
        if kind in (FaultKind.CLOCK_JUMP, FaultKind.CLOCK_DRIFT):
            stream.report_soon()

    def _forget_end(self, mount: Mount, kind: FaultKind) -> None:
        timer = self._ends.pop((mount.name, kind), None)
        if timer:
            timer.cancel()

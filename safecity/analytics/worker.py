"""An analyser: one process, one core, about a hundred cameras' packets in, facts out.

Two threads. The one that sees takes packets, decodes and analyses, a few pictures of one camera at a time, and never
touches the database. The clerk keeps leases, scenes, facts and the status row, and may wait for the database without
anybody else waiting. Recording is upstream of both and never waits for either: packets that this process does not take
are dropped in the recorder's bounded queue for it.
"""

import gc
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import av.error
import cv2
import structlog
from sqlalchemy.exc import SQLAlchemyError

from safecity.analytics import store
from safecity.analytics.boxes import Detector
from safecity.analytics.detectors import find_detector
from safecity.analytics.live_camera import Assignment, Figures, LiveCamera
from safecity.analytics.live_claims import AnalysisClaims
from safecity.analytics.live_facts import FactMailbox, Told
from safecity.analytics.live_packets import PacketFeed, Taken
from safecity.analytics.models import MOTION, models_dir_of
from safecity.analytics.pipeline import LIVE
from safecity.events.analytics import AnalysisDegraded
from safecity.platform.clock import Clock, SystemClock
from safecity.platform.database import Database
from safecity.platform.errors import Problem
from safecity.platform.ids import fact_id
from safecity.platform.leases import release
from safecity.platform.settings import AnalyticsSettings, Settings
from safecity.sites.model import CameraId
from safecity.video.model import StreamKey
from safecity.video.packets_client import ASK_AGAIN_S
from safecity.video.supervision import SupervisedThread

log = structlog.get_logger()

TICK_S = 0.1
ROUND_S = 0.2  # packets are taken from the sockets at least so often
SNAPSHOT_EVERY_S = 1.0
REGISTRY_EVERY_S = 2.0
FACTS_EVERY_S = 0.3
CLERK_WAIT_S = 4.0
SET_ASIDE_S = (2.0, 10.0, 60.0, 300.0)
STEADY_AFTER_S = 120.0
RECOVERED_AFTER_S = 30.0
NICENESS = 5  # recording comes first where the cores are short
# What a fault in the analysis of one camera can raise; anything else ends the process, which is then started again.
BREAKS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
    cv2.error,
    av.error.FFmpegError,
    Problem,
)


@dataclass(slots=True, kw_only=True)
class _Aside:
    """A camera that broke: how often in a row, and when it is tried again."""

    times: int
    since_s: float
    until_s: float


@dataclass(slots=True, kw_only=True)
class _Watchfulness:
    """Whether a camera's pictures are being skipped."""

    dropped: int = 0
    last_s: float = float("-inf")
    is_degraded: bool = False


class Seer:
    """The thread that sees: all cameras of this process."""

    def __init__(
        self,
        settings: AnalyticsSettings,
        *,
        feed: PacketFeed,
        detector: Detector | None,
        mailbox: FactMailbox,
        clock: Clock,
    ) -> None:
        self.model = MOTION if detector is None else detector.name
        self.status: Mapping[str, object] = {}
        self._profile = replace(LIVE, detector_fps=settings.detector_fps, idle_after_s=settings.idle_after_s)
        self._feed = feed
        self._detector = detector
        self._mailbox = mailbox
        self._clock = clock
        self._cameras: dict[StreamKey, LiveCamera] = {}
        self._aside: dict[CameraId, _Aside] = {}
        self._watch: dict[CameraId, _Watchfulness] = {}
        self._wanted: Sequence[Assignment] = ()
        self._gone = Figures()
        self._snapshot_s = float("-inf")
        self._delay_s = 0.0

    def step(self, wanted: Sequence[Assignment]) -> bool:
        """One round: follow the assignments, take packets, work on what is ready; False when there was nothing."""
        now_s = self._clock.monotonic_s()
        if wanted is not self._wanted or any(one.until_s <= now_s for one in self._aside.values()):
            self._wanted = wanted
            self._follow(wanted, now_s)
        self._feed.tend(silent=self._list_silent(now_s))
        self._feed.drain(self._take)
        has_worked = self._work(until_s=now_s + ROUND_S)
        if now_s - self._snapshot_s >= SNAPSHOT_EVERY_S:
            self._snapshot_s = now_s
            self._take_snapshot(now_s)
        return has_worked

    def end(self) -> None:
        """Say what was counted, and let go of every camera."""
        for key in list(self._cameras):
            self._drop(key)

    def _follow(self, wanted: Sequence[Assignment], now_s: float) -> None:
        by_key = {one.key: one for one in wanted}
        for key in self._cameras.keys() - by_key.keys():
            self._drop(key)
        for key, one in by_key.items():
            aside = self._aside.get(one.camera)
            if aside is not None and now_s < aside.until_s:
                continue
            if aside is not None:
                aside.until_s = float("inf")
            present = self._cameras.get(key)
            try:
                if present is None:
                    self._cameras[key] = self._make(one)
                    self._feed.watch(key)
                elif present.assignment.drawn.version != one.drawn.version:
                    present.redraw(one)
            except BREAKS:
                self._set_aside(key, one.camera)

    def _make(self, assignment: Assignment) -> LiveCamera:
        return LiveCamera(
            assignment,
            self._profile,
            detector=self._detector,
            mailbox=self._mailbox,
            now=self._clock.now,
            monotonic_s=self._clock.monotonic_s,
        )

    def _drop(self, key: StreamKey) -> None:
        camera = self._cameras.pop(key)
        self._feed.unwatch(key)
        try:
            camera.end()
        except BREAKS:
            log.exception("analytics.camera_end_failed", camera=key[0])
        self._remember(camera.figures)

    def _remember(self, figures: Figures) -> None:
        self._gone.pictures += figures.pictures
        self._gone.dropped += figures.dropped
        self._gone.lost += figures.lost
        self._gone.errors += figures.errors

    def _list_silent(self, now_s: float) -> list[StreamKey]:
        heard = ((key, camera.last_heard_s) for key, camera in self._cameras.items())
        return [key for key, at_s in heard if at_s is None or now_s - at_s > ASK_AGAIN_S]

    def _take(self, key: StreamKey, item: Taken) -> None:
        camera = self._cameras.get(key)
        if camera is not None:
            camera.take(item)

    def _work(self, *, until_s: float) -> bool:
        ready = [(camera.oldest_s(), key) for key, camera in self._cameras.items() if camera.is_ready()]
        for _, key in sorted(ready):
            try:
                self._cameras[key].work()
            except BREAKS:
                self._set_aside(key, key[0])
            if self._clock.monotonic_s() >= until_s:
                break
        return bool(ready)

    def _set_aside(self, key: StreamKey, camera: CameraId) -> None:
        """Leave a camera alone for a while, longer each time it breaks; the others go on. Called while handling it."""
        now_s = self._clock.monotonic_s()
        before = self._aside.get(camera)
        times = 1 if before is None or now_s - before.since_s > STEADY_AFTER_S + SET_ASIDE_S[-1] else before.times + 1
        wait_s = SET_ASIDE_S[min(times, len(SET_ASIDE_S)) - 1]
        self._aside[camera] = _Aside(times=times, since_s=now_s, until_s=now_s + wait_s)
        log.exception("analytics.camera_set_aside", camera=camera, times=times, for_s=wait_s)
        broken = self._cameras.pop(key, None)
        if broken is not None:
            self._feed.unwatch(key)
            self._remember(broken.figures)
        self._note_degraded(camera, is_degraded=True, reason="analysis failed; tried again later")

    def _take_snapshot(self, now_s: float) -> None:
        cameras = list(self._cameras.values())
        self._delay_s = max((one.figures.delay_s for one in cameras), default=0.0)
        for one in cameras:
            one.figures.delay_s = 0.0
            self._judge(one, now_s)
        total = [self._gone, *(one.figures for one in cameras)]
        self.status = {
            "model": self.model,
            "cameras": len(cameras),
            "active": sum(one.is_active for one in cameras),
            "set_aside": sum(one.until_s != float("inf") for one in self._aside.values()),
            "delay_s": round(self._delay_s, 3),
            "pictures": sum(one.pictures for one in total),
            "dropped_frames": sum(one.dropped for one in total),
            "lost_packets": sum(one.lost for one in total),
            "decode_errors": sum(one.errors for one in total),
            "unreadable": self._feed.unreadable,
            "waiting_packets": sum(one.waiting for one in cameras),
        }

    def _judge(self, camera: LiveCamera, now_s: float) -> None:
        """State that a camera's pictures are skipped, and that they no longer are."""
        name = camera.assignment.camera
        known = self._watch.setdefault(name, _Watchfulness())
        if camera.figures.skipped > known.dropped:
            known.last_s = now_s
            if not known.is_degraded:
                self._note_degraded(name, is_degraded=True, reason="pictures are skipped to keep up")
        elif known.is_degraded and now_s - known.last_s > RECOVERED_AFTER_S:
            self._note_degraded(name, is_degraded=False, reason="every picture is looked at again")
        known.dropped = camera.figures.skipped

    def _note_degraded(self, camera: CameraId, *, is_degraded: bool, reason: str) -> None:
        known = self._watch.setdefault(camera, _Watchfulness())
        known.last_s = self._clock.monotonic_s()
        if known.is_degraded is is_degraded:
            return
        known.is_degraded = is_degraded
        now = self._clock.now()
        fact = AnalysisDegraded(camera=camera, is_degraded=is_degraded, reason=reason, at=now)
        name = fact_id(AnalysisDegraded.type, camera, now.isoformat())
        self._mailbox.put(Told(fact=fact, id=name, time=now, subject=camera))


class Clerk:
    """The thread that writes: leases, scenes, facts, status."""

    def __init__(self, database: Database, claims: AnalysisClaims, *, mailbox: FactMailbox, seer: Seer, clock: Clock):
        self.wanted: Sequence[Assignment] = ()
        self._database = database
        self._claims = claims
        self._mailbox = mailbox
        self._seer = seer
        self._clock = clock
        self._started_at = clock.now()
        self._renewed_s = float("-inf")
        self._is_behind = False

    def run(self, stop: threading.Event) -> None:
        """Work until stopped, then write what is left and give the cameras back."""
        while not stop.wait(FACTS_EVERY_S):
            self.step()

    def step(self) -> None:
        """Write what waits; every two seconds also renew leases and status."""
        is_due = self._clock.monotonic_s() - self._renewed_s >= REGISTRY_EVERY_S
        if not is_due and not self._mailbox.depth:
            return
        try:
            with self._database.begin() as connection:
                if is_due:
                    wanted = self._claims.renew(connection, now=self._clock.now())
                    store.put_analyser_status(connection, self._status())
                    self._renewed_s = self._clock.monotonic_s()
                else:
                    wanted = self.wanted
                written = self._mailbox.write(connection, source=self._claims.slot)
        except (Problem, SQLAlchemyError) as error:
            # Cameras stay with this process: nobody else can claim them either while the database is away.
            if not self._is_behind:
                reason = error.code if isinstance(error, Problem) else type(error).__name__
                log.warning("analytics.facts_delayed", reason=reason)
            self._is_behind = True
            return
        self._mailbox.forget(written)
        self._is_behind = False
        if list(wanted) != list(self.wanted):
            self.wanted = wanted

    def finish(self) -> None:
        """Write what is left, and give the cameras back so that another analyser takes them at once."""
        self.step()
        try:
            with self._database.begin() as connection:
                release(connection, holder=self._claims.slot)
        except (Problem, SQLAlchemyError) as error:
            log.warning("analytics.leases_kept", reason=type(error).__name__)

    def _status(self) -> store.AnalyserStatus:
        status = {**self._seer.status, "model": self._seer.model}
        status |= {"waiting_facts": self._mailbox.depth, "dropped_facts": self._mailbox.dropped}
        return store.AnalyserStatus(
            slot=self._claims.slot,
            pid=os.getpid(),
            started_at=self._started_at,
            seen_at=self._clock.now(),
            status=status,
        )


def run_analyser(settings: Settings, stop: threading.Event, *, slot: str, run_dir: Path) -> None:
    """Analyse this slot's cameras until `stop` is set."""
    prepare_process()
    clock = SystemClock()
    database = Database(settings.database_url())
    mailbox = FactMailbox()
    feed = PacketFeed(run_dir, monotonic_s=clock.monotonic_s)
    detector = find_detector_or_none(settings)
    seer = Seer(settings.analytics, feed=feed, detector=detector, mailbox=mailbox, clock=clock)
    claims = AnalysisClaims(settings.analytics, slot=slot)
    clerk = Clerk(database, claims, mailbox=mailbox, seer=seer, clock=clock)
    clerk_thread = SupervisedThread("clerk", lambda: clerk.run(stop), stop=stop)
    clerk_thread.start()
    log.info("analytics.analyser_started", model=seer.model)
    try:
        while not stop.is_set():
            if not seer.step(clerk.wanted):
                stop.wait(TICK_S)
    finally:
        stop.set()
        seer.end()
        feed.close()
        if clerk_thread.join(CLERK_WAIT_S):
            clerk.finish()
        database.close()


def find_detector_or_none(settings: Settings) -> Detector | None:
    """The detector of the settings; without it, or when it cannot be used, motion alone: rules must go on firing."""
    folder = models_dir_of(settings)
    try:
        return find_detector(settings.analytics.model, folder)
    except Problem as problem:
        log.error("analytics.model_refused", model=settings.analytics.model, problem=problem.message)
        return None


def prepare_process() -> None:
    """One thread, lower priority than recording, and a collector that seldom walks the queues."""
    os.nice(NICENESS)
    cv2.setNumThreads(1)
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)

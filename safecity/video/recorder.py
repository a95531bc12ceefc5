"""One stream of one camera: connect, read, record, hand on, and try again for ever.

A link that is down is a value here, never a crash: it becomes a state, an outage with its cause, and a wait.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from safecity.platform.clock import Clock, from_us
from safecity.platform.errors import Denied, Problem, Unavailable
from safecity.video.access_unit import AccessUnit, StreamHeader
from safecity.video.edge.sources import is_pushed
from safecity.video.model import Cause, LinkState, StreamKey, StreamSource, StreamState
from safecity.video.packets import PacketHub
from safecity.video.reader import Numbering, OpenReader, ReadItem, cause_of
from safecity.video.segments import SegmentWriter
from safecity.video.sign_ins import REFUSED_WAIT_S, SignIns
from safecity.video.timeline import ServerLine

log = structlog.get_logger()

FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 30.0
PUSHED_WAIT_S = 1.0  # what an edge pushes is looked for next door
CREDENTIALS_SPREAD_S = 6.0
STEADY_AFTER_S = 10.0  # a session that lived so long starts the back-off anew
STALL_INTERVALS = 3.0


def wait_s(failures: int, cause: Cause, *, chance: float) -> float:
    """How long to wait before the next try; `chance` in [0, 1) spreads many cameras that failed at once."""
    if cause is Cause.CREDENTIALS:
        return REFUSED_WAIT_S + CREDENTIALS_SPREAD_S * chance
    longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(max(0, failures - 1), 16))
    return longest * (0.5 + 0.5 * chance)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFigures:
    """What a stream did, for the health page."""

    key: StreamKey
    state: StreamState
    last_frame_at: datetime | None
    bitrate_bps: int
    fps: float
    sessions: int
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every stream of a process shares."""

    clock: Clock
    line: ServerLine
    hub: PacketHub
    open_reader: OpenReader
    stall_after_s: float
    sign_ins: SignIns = field(default_factory=SignIns)


class StreamRecorder:
    """What becomes of one stream's pictures and failures, whoever reads it: a thread of its own (`run`) or the loop
    that reads many (`ingest_loop`). `tick` is called by the process about once a second."""

    def __init__(
        self,
        source: StreamSource,
        around: Surroundings,
        *,
        writer: SegmentWriter | None,
        prepare: Callable[[], None],
        delay_s: float,
    ) -> None:
        self.source = source
        self.key: StreamKey = (source.camera, source.stream)
        self.stop_event = threading.Event()
        self._around = around
        self._writer = writer
        self._prepare = prepare
        self._delay_s = delay_s
        self._signs_in = "@" in source.url
        self._is_prepared = False
        self._chance = random.Random()  # noqa: S311 - spreads load, keeps no secret
        self._failures = 0
        self._session = 0
        self._sequence = 0
        self._sessions = 0
        self._began_s = 0.0
        self._last_s = 0.0
        self._last_frame_us: int | None = None
        self._frames = 0
        self._octets = 0
        self._counted = (around.clock.monotonic_s(), 0, 0)
        self._rates = (0, 0.0)
        self._state_lock = threading.Lock()
        self._state = StreamState(state=LinkState.OFFLINE, since=self._now(), cause=Cause.RECORDER)
        around.hub.add_stream(self.key, self._state)

    def _now(self) -> datetime:
        return from_us(self._around.line.instant_us(self._around.clock.monotonic_s()))

    def run(self) -> None:
        """Read and record in this thread until stopped."""
        self.prepare()
        self.stop_event.wait(self._delay_s)
        self._delay_s = 0.0
        while not self.stop_event.is_set():
            if hold_s := self.hold_s():
                self.stop_event.wait(hold_s)
                continue
            numbering = self.begin_attempt()
            problem = self._read_session(numbering)
            if self.stop_event.is_set():
                break
            self.stop_event.wait(self.end_attempt(problem))
        self.finish()

    def prepare(self) -> None:
        """Take over from the recorder before; reads files, so it may take a while. Once."""
        if not self._is_prepared:
            self._prepare()
            self._is_prepared = True

    @property
    def is_prepared(self) -> bool:
        """Whether that is done; nothing may be recorded before."""
        return self._is_prepared

    @property
    def delay_s(self) -> float:
        """How long to wait before the first connection."""
        return self._delay_s

    def hold_s(self) -> float:
        """How long to wait still before a connection that would show the camera its password; 0: connect now."""
        if not self._signs_in:
            return 0.0
        now_s = self._around.clock.monotonic_s()
        hold_s = self._around.sign_ins.ask(self.key, now_s=now_s)
        if hold_s and self._around.sign_ins.is_refused(self.key[0], now_s=now_s):  # the other stream was, so are we
            refused = Denied("the camera refuses user or password; correct them", code="video.unauthorised")
            self._note_failure(refused, Cause.CREDENTIALS)
        return hold_s

    def begin_attempt(self) -> Numbering:
        """A connection is about to be made; where its reader starts to count."""
        self._began_s = self._around.clock.monotonic_s()
        self._sessions += 1
        return Numbering(session=self._session + 1, sequence=self._sequence)

    def end_attempt(self, problem: Problem) -> float:
        """The connection failed or ended; how long to wait before the next."""
        if self._last_s - self._began_s > STEADY_AFTER_S:
            self._failures = 0
        self._failures += 1
        cause = cause_of(problem)
        if self._signs_in:
            now_s = self._around.clock.monotonic_s()
            self._around.sign_ins.end(self.key, is_refused=cause is Cause.CREDENTIALS, now_s=now_s)
        self._note_failure(problem, cause)
        patience_s = wait_s(self._failures, cause, chance=self._chance.random())
        return min(PUSHED_WAIT_S, patience_s) if is_pushed(self.source) else patience_s

    def stop(self) -> None:
        """Ask the reading to end; it does at the next picture or time-out. What was read is written at once."""
        self.stop_event.set()

    def finish(self) -> None:
        """Close the segment; harmless when it is closed, also while a thread still waits for its camera."""
        if self._writer is not None:
            self._writer.stop()

    def _read_session(self, numbering: Numbering) -> Problem:
        """One connection, until it ends; returns why it did."""
        reader = self._around.open_reader(self.source, numbering)
        try:
            self.take(reader.open())
            for item in reader.items():
                if self.stop_event.is_set():
                    break
                self.take(item)
        except Problem as problem:
            return problem
        finally:
            reader.close()
        return Unavailable("the camera ended the stream", code="video.ended")

    def _begin(self, header: StreamHeader) -> None:
        self._session = header.session
        self._around.sign_ins.succeed(self.key)
        if self._writer is not None:
            self._writer.begin_session(header)
        self._around.hub.publish(self.key, header)

    def take(self, item: ReadItem) -> None:
        """Record and hand on what a reader read; raises Invalid for what cannot be recorded."""
        if isinstance(item, AccessUnit):
            self._sequence = item.sequence
            if self._writer is not None:
                self._writer.add(item)
            self._around.hub.publish(self.key, item)
            self._frames += 1
            self._octets += len(item.data)
            self._last_s, self._last_frame_us = item.received_s, item.received_us
            if self._state.state is not LinkState.LIVE:
                self._set_state(LinkState.LIVE, None, since=item.received_at)
        elif isinstance(item, StreamHeader):
            self._begin(item)
        elif self._writer is not None:
            self._writer.note_clock_jump(self._now())

    def _note_failure(self, problem: Problem, cause: Cause) -> None:
        now = self._now()
        if self._writer is not None:
            self._writer.interrupt(cause, problem.code.removeprefix("video."), now=now)
        if self._state.state is not LinkState.OFFLINE or self._state.cause is not cause:
            since = now if self._state.state is not LinkState.OFFLINE else self._state.since
            camera, stream = self.key
            log.warning("video.stream_lost", camera=camera, stream=stream.value, cause=cause.value, code=problem.code)
            self._set_state(LinkState.OFFLINE, cause, since=since)

    def _set_state(self, state: LinkState, cause: Cause | None, *, since: datetime) -> None:
        with self._state_lock:
            if (self._state.state, self._state.cause) == (state, cause):
                return
            self._state = StreamState(state=state, since=since, cause=cause)
            self._around.hub.publish_state(self.key, self._state)
        if state is not LinkState.OFFLINE:
            camera, stream = self.key
            log.info("video.stream_state_changed", camera=camera, stream=stream.value, state=state.value)

    def tick(self) -> None:
        """Look whether pictures still come, and write what waits when they do not."""
        now_s = self._around.clock.monotonic_s()
        since_s, frames, octets = self._counted
        if now_s - since_s >= 2.0:
            self._rates = (
                round((self._octets - octets) * 8 / (now_s - since_s)),
                (self._frames - frames) / (now_s - since_s),
            )
            self._counted = (now_s, self._frames, self._octets)
        if self._state.state is not LinkState.LIVE:
            return
        fps = self._rates[1]
        patience_s = max(self._around.stall_after_s, STALL_INTERVALS / fps if fps > 0 else 0.0)
        if now_s - self._last_s <= patience_s:
            return
        if self._writer is not None:
            self._writer.note_stall(now=self._now())
        if self._last_frame_us is not None:
            self._set_state(LinkState.STALLED, Cause.CAMERA, since=from_us(self._last_frame_us))

    def note_server_step(self) -> None:
        """This server's clock was stepped."""
        if self._writer is not None:
            self._writer.note_server_step()

    @property
    def awaits_cut(self) -> bool:
        """Whether a step of the clock still waits for a key frame."""
        return self._writer is not None and self._writer.awaits_cut

    def figures(self) -> StreamFigures:
        """What the stream did."""
        bitrate, fps = self._rates
        return StreamFigures(
            key=self.key,
            state=self._state,
            last_frame_at=None if self._last_frame_us is None else from_us(self._last_frame_us),
            bitrate_bps=bitrate,
            fps=fps,
            sessions=self._sessions,
            frames=self._frames,
        )

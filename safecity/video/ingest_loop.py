"""One thread that reads many cameras: RTSP over TCP by `safecity.video.rtsp`, drained every 20 ms.

Waking for each packet of a hundred cameras costs more than reading them, so nothing here waits for a socket: every
20 ms (every 240 ms where nobody watches live; rounds are then 80 ms apart, and the streams' turns fall together) each
socket that has something is emptied into one buffer, its bytes are walked once, and what became whole pictures goes to
the stream's recorder. A camera is a small state machine (preparing,
waiting, resolving, connecting, talking); one that babbles, floods or breaks costs at most its share of a round.
"""

import select
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum

import structlog

from safecity.platform.clock import Clock
from safecity.platform.errors import Internal, Problem, Unavailable
from safecity.video.camera_link import begin_connection, check_connected, is_address, resolve_host, translate
from safecity.video.model import StreamKey, StreamSource
from safecity.video.reader import OPEN_TIMEOUT_S, READ_TIMEOUT_S, Numbering
from safecity.video.recorder import StreamRecorder
from safecity.video.rtsp.pictures import PictureBuilder, UnitMaker
from safecity.video.rtsp.session import RtspSession
from safecity.video.supervision import attempt
from safecity.video.timeline import ServerLine

log = structlog.get_logger()

TICK_S = 0.02
OPENING_S = 0.005  # between rounds while a camera answers our first questions: each answer waits for a round
QUIET_S = 0.08  # between rounds while nobody watches, no connection is being made and no stream is in a hurry
HANDFUL_S = 0.24  # between two turns of a stream that nobody watches: less waking, warmer caches
HANDFUL_BYTES = 192 * 1024  # a stream that brings more in a turn has it sooner, so that the kernel's buffer holds it
OPENING_WITHIN_S = 1.0
CHORES_EVERY_S = 0.5
BUFFER_BYTES = 256 * 1024
MAX_READS = 4  # of one socket in a round: 1 MiB in 20 ms is 400 Mbit/s, and a flooding camera waits for its next turn
TURN_S = 0.01  # a camera that takes longer in a round (a flood of tiny packets) rests: it gets its share at most
SHARE = 0.2
REPORT_EVERY_S = 5.0  # RFC 3550 section 6.2
HELPERS = 4  # threads that resolve names and take over files; neither may hold up the round


def can_read(source: StreamSource) -> bool:
    """Whether the loop can read a stream: plain RTSP over TCP. Everything else has a thread with FFmpeg."""
    return source.transport == "tcp" and source.url.lower().startswith("rtsp://")


class _Phase(Enum):
    PREPARING = "preparing"
    WAITING = "waiting"
    RESOLVING = "resolving"
    CONNECTING = "connecting"
    TALKING = "talking"


@dataclass(slots=True, kw_only=True, eq=False)
class _Camera:
    """One stream in the loop."""

    recorder: StreamRecorder
    phase: _Phase = _Phase.PREPARING
    due_s: float = 0.0
    began_s: float = 0.0
    heard_s: float = 0.0
    work: "Future[None] | Future[str] | None" = None
    socket: "socket.socket | None" = None
    session: RtspSession | None = None
    numbering: Numbering | None = None
    builder: PictureBuilder | None = None
    maker: UnitMaker | None = None
    reported_s: float = 0.0
    rests_until_s: float = 0.0
    turn_s: float = 0.0
    """When it has its next turn, where nobody watches it."""
    every_s: float = TICK_S
    """Time between two turns."""
    unsent: bytes = b""


class IngestLoop:
    """`add` and `remove` may be called from any thread; everything else happens in the thread that calls `run`."""

    def __init__(self, *, clock: Clock, line: ServerLine, is_watched: Callable[[StreamKey], bool]) -> None:
        """`is_watched` says of a stream that somebody waits for each of its pictures."""
        self.crashes = 0
        self._is_watched = is_watched
        self._is_hurried = False
        self._clock = clock
        self._line = line
        self._lock = threading.Lock()
        self._coming: list[StreamRecorder] = []
        self._going: list[StreamRecorder] = []
        self._cameras: dict[StreamRecorder, _Camera] = {}
        self._by_descriptor: dict[int, _Camera] = {}
        self._epoll = select.epoll()
        self._buffer = bytearray(BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._helpers = ThreadPoolExecutor(HELPERS, thread_name_prefix="ingest")
        self._stop = threading.Event()

    def add(self, recorder: StreamRecorder) -> None:
        """Begin to read a stream with the next round."""
        with self._lock:
            self._coming.append(recorder)

    def remove(self, recorder: StreamRecorder) -> None:
        """Drop a stream's connection with the next round."""
        with self._lock:
            self._going.append(recorder)

    def stop(self) -> None:
        """Make `run` return after its round."""
        self._stop.set()

    def run(self) -> None:
        """Read until stopped; connections that stood when it failed go on when it is run again."""
        chores_s = 0.0
        while not self._stop.is_set():
            now_s = self._clock.monotonic_s()
            self._is_hurried = False
            self._admit(now_s)
            self._read_all(now_s)
            if now_s >= chores_s:
                chores_s = now_s + CHORES_EVERY_S
                for camera in list(self._cameras.values()):
                    self._guard(camera, self._check, now_s)
            for camera in [one for one in self._cameras.values() if one.phase is not _Phase.TALKING]:
                self._guard(camera, self._advance, now_s)
            time.sleep(max(0.0, now_s + self._pause_s(now_s) - self._clock.monotonic_s()))
        for camera in list(self._cameras.values()):
            self._hang_up(camera)

    def _read_all(self, now_s: float) -> None:
        """Empty every socket that has something and whose turn it is."""
        used_s = self._clock.monotonic_s() - now_s
        for descriptor, _ in self._epoll.poll(0):
            camera = self._by_descriptor.get(descriptor)
            if camera is not None and camera.rests_until_s <= now_s and self._is_due(camera, now_s):
                self._guard(camera, self._serve, now_s)
                spent_s = self._clock.monotonic_s() - now_s - used_s
                used_s += spent_s
                if spent_s > TURN_S:
                    camera.rests_until_s = now_s + spent_s / SHARE

    def _is_due(self, camera: _Camera, now_s: float) -> bool:
        """Whether a stream is to be emptied in this round."""
        if camera.session is None or not camera.session.is_playing:
            return True
        if self._is_watched(camera.recorder.key):
            self._is_hurried = True
            return True
        return now_s >= camera.turn_s

    def _pause_s(self, now_s: float) -> float:
        """How long a round is: a few wake-ups a second cost as much as reading twenty cameras does."""
        pause_s = TICK_S if self._is_hurried else QUIET_S
        for camera in self._cameras.values():
            if camera.phase not in (_Phase.CONNECTING, _Phase.TALKING):
                continue
            is_playing = camera.session is not None and camera.session.is_playing
            if not is_playing and now_s - camera.began_s < OPENING_WITHIN_S:
                return OPENING_S
            if not is_playing or camera.every_s < HANDFUL_S / 2:
                pause_s = TICK_S
        return pause_s

    def close(self) -> None:
        """Let go of everything; after `run` has returned."""
        self._helpers.shutdown(wait=False, cancel_futures=True)
        self._epoll.close()

    # Coming and going

    def _admit(self, now_s: float) -> None:
        if not self._coming and not self._going:
            return
        with self._lock:
            coming, self._coming = self._coming, []
            going, self._going = self._going, []
        for recorder in coming:
            camera = _Camera(recorder=recorder, due_s=now_s + recorder.delay_s)
            camera.work = self._helpers.submit(recorder.prepare)
            self._cameras[recorder] = camera
        for recorder in going:
            camera = self._cameras.pop(recorder, None)
            if camera is not None:
                self._hang_up(camera)
                recorder.finish()

    def _guard(self, camera: _Camera, step: Callable[[_Camera, float], None], now_s: float) -> None:
        """Do one step of one camera; whatever goes wrong in it is that camera's alone."""
        error = attempt(step, camera, now_s)
        if error is None:
            return
        if isinstance(error, Problem):
            problem = error
        elif isinstance(error, OSError):
            problem = translate(error)
        else:
            self.crashes += 1
            name, stream = camera.recorder.key
            log.error("video.stream_crashed", camera=name, stream=stream.value, crashes=self.crashes, exc_info=error)
            problem = Internal("reading the camera failed; see the log", code="video.crashed")
        self._fail(camera, problem, now_s)

    def _fail(self, camera: _Camera, problem: Problem, now_s: float) -> None:
        onward = None if camera.session is None else camera.session.follow(at_s=now_s)
        self._hang_up(camera)
        if onward is not None:  # the camera sent us to another of its addresses
            camera.session = onward
            self._guard(camera, self._reach, now_s)
            return
        camera.phase = _Phase.WAITING
        camera.due_s = now_s + camera.recorder.end_attempt(problem)

    def _hang_up(self, camera: _Camera) -> None:
        sock, camera.socket = camera.socket, None
        session, camera.session = camera.session, None
        camera.every_s = TICK_S
        camera.builder, camera.maker, camera.work, camera.unsent = None, None, None, b""
        if sock is None:
            return
        self._by_descriptor.pop(sock.fileno(), None)
        try:
            if session is not None and session.is_playing:
                sock.send(session.teardown())
        except OSError:
            pass  # it is gone already, and was to go
        sock.close()  # takes it out of the epoll, too

    # From nothing to a conversation

    def _advance(self, camera: _Camera, now_s: float) -> None:
        if camera.phase is _Phase.PREPARING and camera.work is not None and camera.work.done():
            work, camera.work = camera.work, None
            camera.phase = _Phase.WAITING
            failed = work.exception()
            if failed is not None:
                name, stream = camera.recorder.key
                log.error("video.hand_over_failed", camera=name, stream=stream.value, exc_info=failed)
                raise Internal("taking over the stream's recordings failed; see the log", code="video.crashed")
        if camera.phase is _Phase.WAITING and now_s >= camera.due_s:
            self._begin(camera, now_s)
        if camera.phase is _Phase.RESOLVING and camera.work is not None and camera.work.done():
            work, camera.work = camera.work, None
            self._connect(camera, str(work.result()))

    def _begin(self, camera: _Camera, now_s: float) -> None:
        if not camera.recorder.is_prepared:  # taking over failed; recording now could overlap what is there
            camera.phase = _Phase.PREPARING
            camera.work = self._helpers.submit(camera.recorder.prepare)
            return
        if hold_s := camera.recorder.hold_s():
            camera.due_s = now_s + hold_s
            return
        camera.numbering = camera.recorder.begin_attempt()
        camera.session = RtspSession(camera.recorder.source.url, at_s=now_s)
        self._reach(camera, now_s)

    def _reach(self, camera: _Camera, now_s: float) -> None:
        """Connect to where the session leads."""
        camera.began_s = camera.heard_s = now_s
        assert camera.session is not None
        host = camera.session.address.host
        if is_address(host):
            self._connect(camera, host)
        else:
            camera.phase = _Phase.RESOLVING
            camera.work = self._helpers.submit(resolve_host, host)

    def _connect(self, camera: _Camera, address: str) -> None:
        assert camera.session is not None
        sock = begin_connection(address, camera.session.address.port)
        camera.socket, camera.phase = sock, _Phase.CONNECTING
        self._by_descriptor[sock.fileno()] = camera
        self._epoll.register(sock.fileno(), select.EPOLLOUT)

    # The conversation

    def _serve(self, camera: _Camera, now_s: float) -> None:
        sock = camera.socket
        if sock is None:
            return
        if camera.phase is _Phase.CONNECTING:
            check_connected(sock)
            camera.phase = _Phase.TALKING
            self._epoll.modify(sock.fileno(), select.EPOLLIN)
            self._send(camera)
            return
        total = 0
        for _ in range(MAX_READS):
            try:
                size = sock.recv_into(self._buffer)
            except BlockingIOError:
                break
            if size == 0:
                raise camera.session.hung_up() if camera.session else Unavailable("it hung up", code="video.ended")
            camera.heard_s = now_s
            total += size
            self._receive(camera, size, now_s)
            if size < BUFFER_BYTES:
                break
        if total > HANDFUL_BYTES:
            camera.every_s = max(TICK_S, camera.every_s / 2)
        elif camera.every_s < HANDFUL_S and total < HANDFUL_BYTES // 2:
            camera.every_s = min(HANDFUL_S, camera.every_s + TICK_S)
        camera.turn_s = now_s + camera.every_s - TICK_S / 2
        self._send(camera)

    def _receive(self, camera: _Camera, size: int, now_s: float) -> None:
        session = camera.session
        assert session is not None
        try:
            session.receive(self._view[:size], at_s=now_s)
        finally:
            # What came whole before the connection broke is recorded.
            self._hand_on(camera)
        if camera.maker is None and session.media is not None and camera.numbering is not None:
            camera.maker = UnitMaker(camera.numbering, line=self._line)
            camera.maker.begin(session.media)
            camera.builder = PictureBuilder(session.media)
            session.rtp, session.rtp_run = camera.builder.feed, camera.builder.feed_run
            session.rtcp = camera.builder.report

    def _hand_on(self, camera: _Camera) -> None:
        builder, maker, recorder = camera.builder, camera.maker, camera.recorder
        if builder is None or maker is None or not builder.pictures:
            return
        pictures, builder.pictures = builder.pictures, []
        if recorder.stop_event.is_set():
            return
        for picture in pictures:
            for item in maker.take(picture):
                recorder.take(item)

    def _send(self, camera: _Camera) -> None:
        sock, session = camera.socket, camera.session
        if sock is None or session is None:
            return
        waiting = camera.unsent + session.take_output()
        if not waiting:
            return
        try:
            sent = sock.send(waiting)
        except BlockingIOError:
            sent = 0
        camera.unsent = waiting[sent:]

    def _report(self, camera: _Camera, now_s: float) -> None:
        """Receiver reports: some cameras end a session that sends none. And hear a goodbye."""
        builder, session = camera.builder, camera.session
        if builder is None or session is None or not session.is_playing:
            return
        if builder.has_ended:
            raise Unavailable("the camera ended the stream", code="video.ended")
        if now_s - camera.reported_s >= REPORT_EVERY_S:
            camera.reported_s = now_s
            session.send_report(builder.make_report(now_s))

    def _check(self, camera: _Camera, now_s: float) -> None:
        """Time-outs and keep-alives; a camera that does not read what we say is silent soon, too."""
        if camera.phase is _Phase.TALKING and camera.session is not None:
            camera.session.tick(at_s=now_s)
            self._report(camera, now_s)
            self._send(camera)
            is_silent = now_s - camera.heard_s > (READ_TIMEOUT_S if camera.session.is_playing else OPEN_TIMEOUT_S)
            is_slow = not camera.session.is_playing and now_s - camera.began_s > 2 * OPEN_TIMEOUT_S
            if is_silent or is_slow:
                raise Unavailable("the camera does not answer, or sends nothing", code="video.timeout")
        elif camera.phase in (_Phase.CONNECTING, _Phase.RESOLVING) and now_s - camera.began_s > OPEN_TIMEOUT_S:
            raise Unavailable("the camera does not answer, or sends nothing", code="video.timeout")

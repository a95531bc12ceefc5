"""Pushes an edge's live streams to the centre over one WebSocket: what is new before what is old, sub before main.

The queue is bounded in time. Where the link is too slow, main streams skip to their next key frame first, sub-streams
later; what was skipped is counted, and is back-filled from the disk.
"""

import asyncio
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import structlog
import websockets

from safecity.video.access_unit import AccessUnit, StreamHeader
from safecity.video.edge.centre import Centre
from safecity.video.edge.frames import BEAT, BEAT_EVERY_S, Said, pack_frame
from safecity.video.edge.wire import LiveStatus
from safecity.video.model import Stream, StreamKey, StreamState
from safecity.video.packets_client import PacketsClient, UpstreamState

log = structlog.get_logger()

TARGET = "/intake/live"
MAIN_WAITS_S = 0.5  # a main picture that waits longer is skipped with what follows it, up to a key frame
SUB_WAITS_S = 1.5
MAX_WAITING_BYTES = 8 * 1024**2
SEND_BUFFER_BYTES = 128 * 1024  # what the kernel holds cannot be overtaken any more
WRITE_LIMIT_BYTES = 64 * 1024
RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
SILENT_AFTER_S = 2.0
OPEN_TIMEOUT_S = 5.0
SEND_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    key: StreamKey
    raw: bytes
    since_s: float
    is_picture: bool


class PushQueue:
    """What waits to be sent; belongs to the event loop's thread."""

    def __init__(self) -> None:
        self.skipped = 0
        self._lanes: dict[Stream, deque[_Waiting]] = {Stream.SUB: deque(), Stream.MAIN: deque()}
        self._bytes = 0
        self._needs_key: set[StreamKey] = set()

    def put(self, key: StreamKey, said: Said, *, now_s: float) -> None:
        """Append; pictures of a stream whose oldest has waited too long are skipped up to its next key frame."""
        lane = self._lanes[key[1]]
        is_picture = isinstance(said, AccessUnit)
        if isinstance(said, AccessUnit):
            limit_s = MAIN_WAITS_S if key[1] is Stream.MAIN else SUB_WAITS_S
            if (lane and now_s - lane[0].since_s > limit_s) or self._bytes > MAX_WAITING_BYTES:
                self._skip(lane)
            if key in self._needs_key and not said.is_key:
                self.skipped += 1
                return
            self._needs_key.discard(key)
        raw = pack_frame(key, said)
        lane.append(_Waiting(key=key, raw=raw, since_s=now_s, is_picture=is_picture))
        self._bytes += len(raw)

    def _skip(self, lane: deque[_Waiting]) -> None:
        """Throw the pictures of a lane away, keep what is said of its streams."""
        for one in lane:
            if one.is_picture:
                self._needs_key.add(one.key)
                self.skipped += 1
                self._bytes -= len(one.raw)
        kept = [one for one in lane if not one.is_picture]
        lane.clear()
        lane.extend(kept)

    def take(self) -> bytes | None:
        """What goes next; None when nothing waits."""
        for lane in self._lanes.values():
            if lane:
                one = lane.popleft()
                self._bytes -= len(one.raw)
                return one.raw
        return None

    def clear(self) -> None:
        """Another connection begins with headers and key frames anyway."""
        for lane in self._lanes.values():
            lane.clear()
        self._bytes = 0
        self._needs_key.clear()

    def waited_s(self, now_s: float) -> float:
        """How long the oldest picture has waited."""
        return max((now_s - lane[0].since_s for lane in self._lanes.values() if lane), default=0.0)


class Pusher:
    """The live link of one edge; `run` in one thread, the rest from any."""

    def __init__(self, centre: Centre, run_dir: Path) -> None:
        self._centre = centre
        self._run_dir = run_dir
        self._wanted: frozenset[StreamKey] = frozenset()
        self._watched: frozenset[StreamKey] = frozenset()
        self._heard_s: dict[StreamKey, float] = {}
        self._queue = PushQueue()
        self._fresh: asyncio.Event | None = None
        self._sending_s: float | None = None
        self._is_connected = False

    def set_streams(self, keys: Sequence[StreamKey]) -> None:
        """What the centre wants to see."""
        self._wanted = frozenset(keys)

    def backlog_s(self) -> float:
        """How long the oldest picture has waited, the one that is being sent included."""
        now_s = time.monotonic()
        sending_s = self._sending_s
        return max(self._queue.waited_s(now_s), 0.0 if sending_s is None else now_s - sending_s)

    def status(self) -> LiveStatus:
        """How it goes."""
        return LiveStatus(
            is_connected=self._is_connected,
            streams=len(self._watched),
            backlog_s=round(max(0.0, self.backlog_s()), 2),
            skipped=self._queue.skipped,
        )

    def run(self, stop: threading.Event) -> None:
        """Push until told to stop."""
        asyncio.run(self._run(stop))

    async def _run(self, stop: threading.Event) -> None:
        failures = 0
        while not stop.is_set():
            if self._wanted:
                began_s = time.monotonic()
                try:
                    await self._push(stop)
                except (OSError, TimeoutError, websockets.WebSocketException, EOFError) as error:
                    log.info("video.push_ended", reason=type(error).__name__)
                failures = 0 if time.monotonic() - began_s > RETRY_S[-1] else failures + 1
            await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])

    async def _push(self, stop: threading.Event) -> None:
        """One connection, until it breaks."""
        self._queue.clear()
        self._fresh = asyncio.Event()
        client = PacketsClient(self._run_dir, self)
        async with await self._connect() as link:
            self._is_connected = True
            tasks = [
                asyncio.create_task(client.run()),
                asyncio.create_task(self._send(link, stop)),
                asyncio.create_task(self._follow(client)),
                asyncio.create_task(_hear(link)),
            ]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                self._is_connected = False
                self._watched = frozenset()
                self._sending_s = None
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _connect(self) -> websockets.ClientConnection:
        parts = urlsplit(self._centre.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = parts.hostname or ""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        plain = socket.socket(family, kind, protocol)
        plain.setblocking(False)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await asyncio.wait_for(loop.sock_connect(plain, address), OPEN_TIMEOUT_S)
        except (OSError, TimeoutError):
            plain.close()
            raise
        is_tls = parts.scheme == "https"
        context = ssl.create_default_context(cafile=self._centre.ca_file) if is_tls else None
        return await websockets.connect(
            f"{'wss' if is_tls else 'ws'}://{parts.netloc}{parts.path}{TARGET}",
            sock=plain,
            ssl=context,
            server_hostname=host if is_tls else None,
            additional_headers={"authorization": self._centre.authorization("GET", TARGET)},
            compression=None,
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=1,
            write_limit=WRITE_LIMIT_BYTES,
            proxy=None,
        )

    async def _send(self, link: websockets.ClientConnection, stop: threading.Event) -> None:
        fresh = self._fresh
        assert fresh is not None
        beaten_s = 0.0
        while not stop.is_set():
            now_s = time.monotonic()
            if now_s - beaten_s >= BEAT_EVERY_S:
                beaten_s = now_s
                await asyncio.wait_for(link.send(BEAT), SEND_TIMEOUT_S)
            raw = self._queue.take()
            if raw is None:
                fresh.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(fresh.wait(), BEAT_EVERY_S)
                continue
            self._sending_s = time.monotonic()
            await asyncio.wait_for(link.send(raw), SEND_TIMEOUT_S)
            self._sending_s = None

    async def _follow(self, client: PacketsClient) -> None:
        """Watch what is wanted, as that changes."""
        while True:
            for key in self._wanted - self._watched:
                client.watch(key)
            for key in self._watched - self._wanted:
                client.unwatch(key)
            self._watched = self._wanted
            await asyncio.sleep(BEAT_EVERY_S)

    # As a listener of the edge's recorders

    def on_header(self, key: StreamKey, header: StreamHeader) -> None:
        """A session of a camera begins."""
        self._put(key, header)

    def on_unit(self, key: StreamKey, unit: AccessUnit) -> None:
        """The next picture."""
        self._put(key, unit)

    def on_state(self, key: StreamKey, state: UpstreamState) -> None:
        """How the edge's recorder finds the camera."""
        self._put(key, StreamState(state=state.state, since=state.since, cause=state.cause))

    def list_silent(self) -> Sequence[StreamKey]:
        """Streams of which nothing came lately."""
        now_s = time.monotonic()
        return [key for key in self._watched if now_s - self._heard_s.get(key, 0.0) > SILENT_AFTER_S]

    def _put(self, key: StreamKey, said: Said) -> None:
        self._heard_s[key] = now_s = time.monotonic()
        self._queue.put(key, said, now_s=now_s)
        if self._fresh is not None:
            self._fresh.set()


async def _hear(link: websockets.ClientConnection) -> None:
    """The centre says nothing; this notices that it went."""
    async for _ in link:
        continue

"""The gateway's side of the packets contract: watches streams of every recorder on this machine.

Which recorder has a camera changes with leases and restarts, and a recorder ignores a watch for a stream that is not
its own. So every recorder is asked, and whoever has the stream answers: nothing to look up, nothing to go stale.
"""

import asyncio
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import structlog
import zmq
import zmq.asyncio

from safecity.platform.clock import parse_iso
from safecity.platform.errors import Problem
from safecity.platform.sockets import socket_dir
from safecity.sites.model import CameraId
from safecity.video.access_unit import AccessUnit, StreamHeader, unpack_access_unit, unpack_header
from safecity.video.model import Cause, LinkState, Stream, StreamKey

log = structlog.get_logger()

RENEW_EVERY_S = 5.0
ASK_AGAIN_S = 1.0  # for streams of which nothing comes: their recorder may have been restarted
LOOK_EVERY_S = 0.5
MAX_RECORDERS = 64
RECEIVE_HWM = 8192  # messages waiting in this process, of one recorder
MAX_UNIT_BYTES = 64 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamState:
    """What a recorder says of a stream."""

    state: LinkState
    since: datetime
    cause: Cause | None = None


class Listener(Protocol):
    """Who is told what comes."""

    def on_header(self, key: StreamKey, header: StreamHeader) -> None:
        """A session begins; units of it follow, from a key frame on."""
        ...

    def on_unit(self, key: StreamKey, unit: AccessUnit) -> None:
        """The next picture."""
        ...

    def on_state(self, key: StreamKey, state: UpstreamState) -> None:
        """The recorder's word about the stream."""
        ...

    def list_silent(self) -> Sequence[StreamKey]:
        """Watched streams of which nothing comes at the moment."""
        ...


class PacketsClient:
    """One DEALER socket for each recorder; all methods belong to the event loop's thread."""

    def __init__(self, run_dir: Path, listener: Listener) -> None:
        self._run_dir = socket_dir(run_dir)
        self._listener = listener
        self._context: zmq.asyncio.Context = zmq.asyncio.Context()
        self._sockets: dict[Path, zmq.asyncio.Socket] = {}
        self._readers: dict[Path, asyncio.Task[None]] = {}
        self._watched: set[StreamKey] = set()

    @property
    def recorders(self) -> int:
        """How many recorders are connected."""
        return len(self._sockets)

    async def run(self) -> None:
        """Keep connections and watches alive until cancelled."""
        loop = asyncio.get_running_loop()
        renewed_s = asked_s = loop.time()
        try:
            while True:
                fresh = self._connect()
                now_s = loop.time()
                for path in fresh:
                    self._send(path, self._watched)
                if now_s - renewed_s >= RENEW_EVERY_S:
                    renewed_s = asked_s = now_s
                    self._tell(self._watched)
                elif now_s - asked_s >= ASK_AGAIN_S:
                    asked_s = now_s
                    self._tell(set(self._listener.list_silent()) & self._watched)
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            self.close()

    def watch(self, key: StreamKey) -> None:
        """Begin to receive a stream."""
        self._watched.add(key)
        self._connect()
        self._tell({key})

    def unwatch(self, key: StreamKey) -> None:
        """Stop receiving it."""
        self._watched.discard(key)
        for path in self._sockets:
            self._post(path, b"unwatch", key=key)

    def close(self) -> None:
        """Let go of every recorder."""
        for path in list(self._sockets):
            self._disconnect(path)
        self._context.term()

    def _connect(self) -> list[Path]:
        """Follow the sockets in the run directory; returns the new ones."""
        there = set(sorted(self._run_dir.glob("packets-*.sock"))[:MAX_RECORDERS])
        for path in self._sockets.keys() - there:
            self._disconnect(path)
        fresh = sorted(there - self._sockets.keys())
        for path in fresh:
            socket = self._context.socket(zmq.DEALER)
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.RCVHWM, RECEIVE_HWM)
            socket.setsockopt(zmq.MAXMSGSIZE, MAX_UNIT_BYTES)
            socket.setsockopt(zmq.RECONNECT_IVL, 50)
            socket.setsockopt(zmq.RECONNECT_IVL_MAX, 500)
            socket.connect(f"ipc://{path}")
            self._sockets[path] = socket
            self._readers[path] = asyncio.create_task(self._read(socket), name=path.name)
        return fresh

    def _disconnect(self, path: Path) -> None:
        self._readers.pop(path).cancel()
        self._sockets.pop(path).close(0)

    def _tell(self, keys: set[StreamKey]) -> None:
        for path in self._sockets:
            self._send(path, keys)

    def _send(self, path: Path, keys: set[StreamKey]) -> None:
        for key in keys:
            self._post(path, b"watch", key=key)

    def _post(self, path: Path, word: bytes, *, key: StreamKey) -> None:
        # A recorder that is down has a full queue at worst: the next renewal asks again.
        sent = self._sockets[path].send_multipart([word, key[0].encode(), key[1].value.encode()], zmq.NOBLOCK)
        asyncio.ensure_future(sent).add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _read(self, socket: zmq.asyncio.Socket) -> None:
        while True:
            frames = await socket.recv_multipart()
            self._take(frames)

    def _take(self, frames: Sequence[bytes]) -> None:
        try:
            word, key = frames[0], (CameraId(frames[1].decode()), Stream(frames[2].decode()))
            if key not in self._watched:
                return
            if word == b"au":
                self._listener.on_unit(key, unpack_access_unit(frames[3], frames[4]))
            elif word == b"header":
                self._listener.on_header(key, unpack_header(frames[3]))
            elif word == b"state":
                self._listener.on_state(key, _state_of(frames[3]))
        except (IndexError, KeyError, TypeError, ValueError, struct.error, Problem):
            log.warning("video.packet_unreadable", word=frames[0][:16].decode("ascii", "replace") if frames else "")


def _state_of(raw: bytes) -> UpstreamState:
    body = json.loads(raw)
    cause = None if body.get("cause") is None else Cause(body["cause"])
    return UpstreamState(state=LinkState(body["state"]), since=parse_iso(body["since"]), cause=cause)

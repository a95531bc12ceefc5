"""Hands live access units to whoever watches: a ring for each stream, and a ZeroMQ ROUTER beside it.

A reader only appends to its ring; the hub's thread is woken for a stream only while somebody watches it, so that nobody
watching costs nothing. A peer that does not keep up loses pictures up to the next key frame, never others' pictures.

Frames (each message is a list of them):
- to us:  [watch, camera, stream], renewed every 5 s, forgotten after 15 s; [unwatch, camera, stream]; [follow, camera,
  stream] is a watch that can wait for a handful of packets: waking for each one would cost the recorder more than
  recording does
- from us: [header, camera, stream, json], [au, camera, stream, meta, data], [state, camera, stream, json]
"""

import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog
import zmq

from safecity.platform.clock import to_iso
from safecity.platform.sockets import socket_dir
from safecity.sites.model import CameraId
from safecity.video.access_unit import AccessUnit, StreamHeader, pack_header, pack_meta
from safecity.video.model import LinkState, Stream, StreamKey, StreamState

log = structlog.get_logger()

MAX_RING_BYTES = 16 * 1024**2  # a group of pictures longer than this is not kept for newcomers
MAX_RING_UNITS = 3_000
MAX_QUEUE = 4_096  # messages between the readers and the hub
SEND_HWM = 256  # messages to one peer
WATCH_EXPIRES_S = 15.0
MAX_WATCHES = 4_000
_SWEEP_MS = 1_000


class PacketRing:
    """The access units of one stream since its last key frame, bounded in bytes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._header: StreamHeader | None = None
        self._units: list[AccessUnit] = []
        self._bytes = 0
        self._is_overfull = False

    def set_header(self, header: StreamHeader) -> None:
        """A new session: what was before cannot be decoded with it."""
        with self._lock:
            self._header, self._units, self._bytes, self._is_overfull = header, [], 0, False

    def push(self, unit: AccessUnit) -> None:
        """Append a picture; a key frame drops the group before it."""
        with self._lock:
            if unit.is_key:
                self._units, self._bytes, self._is_overfull = [], 0, False
            elif self._is_overfull or not self._units:
                return
            self._units.append(unit)
            self._bytes += len(unit.data)
            if self._bytes > MAX_RING_BYTES or len(self._units) > MAX_RING_UNITS:
                self._units, self._bytes, self._is_overfull = [], 0, True

    def clear(self) -> None:
        """Forget the pictures, because the stream is gone."""
        with self._lock:
            self._header, self._units, self._bytes = None, [], 0

    def snapshot(self) -> tuple[StreamHeader | None, list[AccessUnit]]:
        """The header and the current group of pictures."""
        with self._lock:
            return self._header, list(self._units)


@dataclass(slots=True, kw_only=True)
class _Watch:
    expires_s: float
    is_patient: bool
    last_sequence: int = -1
    needs_key: bool = False


@dataclass(slots=True, kw_only=True)
class _Channel:
    ring: PacketRing
    state: StreamState
    watches: dict[bytes, _Watch] = field(default_factory=dict[bytes, _Watch])


class PacketHub:
    """One ROUTER socket for all streams of a recorder."""

    def __init__(
        self, run_dir: Path, slot: str, *, kind: str = "packets", monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        folder = socket_dir(run_dir)
        self.path = folder / f"{kind}-{slot}.sock"
        self._monotonic_s = monotonic_s
        self._channels: dict[StreamKey, _Channel] = {}
        self._watched: frozenset[StreamKey] = frozenset()
        self._hurried: frozenset[StreamKey] = frozenset()
        self._queue: deque[tuple[StreamKey, AccessUnit | StreamHeader | StreamState]] = deque(maxlen=MAX_QUEUE)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._is_stopping = False
        self._dropped = 0
        self._lock = threading.Lock()
        self._context = zmq.Context()
        self._socket = self._bind(folder)

    def _bind(self, folder: Path) -> "zmq.Socket[bytes]":
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path.unlink(missing_ok=True)
        socket = self._context.socket(zmq.ROUTER)
        socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        socket.setsockopt(zmq.SNDHWM, SEND_HWM)
        socket.setsockopt(zmq.LINGER, 0)
        socket.bind(f"ipc://{self.path}")
        return socket

    @property
    def dropped(self) -> int:
        """Messages that a peer or the hub itself had no room for."""
        return self._dropped

    @property
    def watching(self) -> int:
        """How many watches stand."""
        return sum(len(channel.watches) for channel in list(self._channels.values()))

    def stop(self) -> None:
        """Make `run` return; the socket goes with it."""
        self._is_stopping = True
        os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """Drop the socket; call it when `run` has returned, in the thread that ran it or after that has ended."""
        self._socket.close(0)
        self._context.term()
        self.path.unlink(missing_ok=True)

    def add_stream(self, key: StreamKey, state: StreamState) -> PacketRing:
        """A stream that can be watched from now on; returns its ring."""
        with self._lock:
            if key not in self._channels:
                self._channels = self._channels | {key: _Channel(ring=PacketRing(), state=state)}
            return self._channels[key].ring

    def remove_stream(self, key: StreamKey) -> None:
        """The stream belongs to another recorder now; its watchers time out."""
        with self._lock:
            self._channels = {one: channel for one, channel in self._channels.items() if one != key}

    def is_watched(self, key: StreamKey) -> bool:
        """Whether somebody watches the stream now who wants each picture at once."""
        return key in self._hurried

    def publish(self, key: StreamKey, what: AccessUnit | StreamHeader) -> None:
        """Append to the ring; wake the hub only when somebody watches. Never waits."""
        channel = self._channels.get(key)
        if channel is None:
            return
        if isinstance(what, StreamHeader):
            channel.ring.set_header(what)
        else:
            channel.ring.push(what)
        if key in self._watched:
            self._enqueue(key, what)

    def publish_state(self, key: StreamKey, state: StreamState) -> None:
        """Tell the watchers, now and when they come later, how the stream is."""
        channel = self._channels.get(key)
        if channel is None:
            return
        channel.state = state
        if state.state is LinkState.OFFLINE:
            channel.ring.clear()
        if key in self._watched:
            self._enqueue(key, state)

    def _enqueue(self, key: StreamKey, what: AccessUnit | StreamHeader | StreamState) -> None:
        if len(self._queue) >= MAX_QUEUE:
            self._dropped += 1
        self._queue.append((key, what))
        os.eventfd_write(self._wake, 1)

    def run(self) -> None:
        """Serve watchers until stopped; run it in one thread, again when it has failed."""
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._wake, zmq.POLLIN)
        swept_s = self._monotonic_s()
        while not self._is_stopping:
            ready = dict(poller.poll(_SWEEP_MS))
            if self._wake in ready:
                os.eventfd_read(self._wake)
            if self._socket in ready:
                self._receive()
            while self._queue:
                self._forward(*self._queue.popleft())
            if self._monotonic_s() - swept_s > _SWEEP_MS / 1000:
                swept_s = self._monotonic_s()
                self._sweep(swept_s)

    def _receive(self) -> None:
        while True:
            try:
                frames = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            if len(frames) != 4 or frames[1] not in (b"watch", b"follow", b"unwatch"):
                continue
            peer, word, camera, stream = frames
            try:
                key = (CameraId(camera.decode()), Stream(stream.decode()))
            except ValueError:
                continue
            channel = self._channels.get(key)
            if channel is None:
                continue
            if word == b"unwatch":
                channel.watches.pop(peer, None)
            elif peer in channel.watches:
                channel.watches[peer].expires_s = self._monotonic_s() + WATCH_EXPIRES_S
            elif self.watching < MAX_WATCHES:
                self._welcome(key, channel, peer, is_patient=word == b"follow")
            self._note_watched()

    def _welcome(self, key: StreamKey, channel: _Channel, peer: bytes, *, is_patient: bool) -> None:
        """The state, header and the group of pictures so far, before anything live.

        The state first: a session that has only its header so far is still offline, and who hears that of a stream
        forgets what it knew of it, its header too.
        """
        watch = _Watch(expires_s=self._monotonic_s() + WATCH_EXPIRES_S, is_patient=is_patient)
        channel.watches[peer] = watch
        self._note_watched()  # before the snapshot, so that nothing falls between it and the queue
        state = channel.state
        header, units = channel.ring.snapshot()
        if not self._send(peer, _state_frames(key, state)):
            channel.watches.pop(peer, None)
            return
        if header is not None:
            self._send(peer, _header_frames(key, header))
        watch.needs_key = not units
        for unit in units:
            self._send_unit(peer, watch, _unit_frames(key, unit), unit)

    def _forward(self, key: StreamKey, what: AccessUnit | StreamHeader | StreamState) -> None:
        channel = self._channels.get(key)
        if channel is None or not channel.watches:
            return
        if isinstance(what, AccessUnit):
            frames = _unit_frames(key, what)
        elif isinstance(what, StreamHeader):
            frames = _header_frames(key, what)
        else:
            frames = _state_frames(key, what)
        for peer, watch in list(channel.watches.items()):
            if isinstance(what, AccessUnit):
                self._send_unit(peer, watch, frames, what)
                continue
            if isinstance(what, StreamHeader):
                watch.needs_key = True
            if not self._send(peer, frames):
                channel.watches.pop(peer, None)

    def _send_unit(self, peer: bytes, watch: _Watch, frames: Sequence[bytes], unit: AccessUnit) -> None:
        if unit.sequence <= watch.last_sequence:
            return
        if watch.last_sequence >= 0 and unit.sequence != watch.last_sequence + 1:
            watch.needs_key = True
        if watch.needs_key and not unit.is_key:
            return
        watch.last_sequence = unit.sequence
        watch.needs_key = False
        if not self._send(peer, frames):
            watch.needs_key = True

    def _send(self, peer: bytes, frames: Sequence[bytes]) -> bool:
        try:
            self._socket.send_multipart([peer, *frames], zmq.NOBLOCK, copy=False)
        except zmq.Again:
            self._dropped += 1
            return False
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            for channel in self._channels.values():
                channel.watches.pop(peer, None)
            self._note_watched()
            return False
        return True

    def _sweep(self, now_s: float) -> None:
        for channel in self._channels.values():
            for peer in [peer for peer, watch in channel.watches.items() if watch.expires_s < now_s]:
                del channel.watches[peer]
        self._note_watched()

    def _note_watched(self) -> None:
        watches = {key: list(channel.watches.values()) for key, channel in self._channels.items() if channel.watches}
        self._watched = frozenset(watches)
        self._hurried = frozenset(key for key, those in watches.items() if not all(one.is_patient for one in those))


def _names(key: StreamKey) -> tuple[bytes, bytes]:
    return key[0].encode(), key[1].value.encode()


def _header_frames(key: StreamKey, header: StreamHeader) -> list[bytes]:
    return [b"header", *_names(key), pack_header(header)]


def _unit_frames(key: StreamKey, unit: AccessUnit) -> list[bytes]:
    return [b"au", *_names(key), pack_meta(unit), unit.data]


def _state_frames(key: StreamKey, state: StreamState) -> list[bytes]:
    body = {
        "state": state.state.value,
        "since": to_iso(state.since),
        "cause": None if state.cause is None else state.cause.value,
    }
    return [b"state", *_names(key), json.dumps(body).encode()]

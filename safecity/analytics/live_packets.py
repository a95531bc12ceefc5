"""The analyser's side of the packets contract: takes what recorders send, without a thread and without waiting.

Like the gateway it asks every recorder of this machine and takes from whichever has the stream. Unlike the gateway it
is in no hurry: it empties its sockets once a tick, which costs a fraction of waking for each packet, and it tells the
recorders that they need not hurry either (`follow`). A recorder never waits for it: what does not fit into the sockets
between them is dropped there, up to the next key frame.
"""

import struct
from collections.abc import Callable, Iterable
from pathlib import Path

import zmq

from safecity.platform.errors import Problem
from safecity.platform.sockets import socket_dir
from safecity.sites.model import CameraId
from safecity.video.access_unit import AccessUnit, StreamHeader, unpack_access_unit, unpack_header
from safecity.video.model import Stream, StreamKey
from safecity.video.packets_client import ASK_AGAIN_S, LOOK_EVERY_S, MAX_RECORDERS, MAX_UNIT_BYTES, RENEW_EVERY_S

RECEIVE_HWM = 4096  # messages waiting in this process, of one recorder
MAX_DRAIN = 4096  # messages taken in one go
Taken = AccessUnit | StreamHeader


class PacketFeed:
    """One DEALER socket for each recorder; all of it belongs to one thread."""

    def __init__(self, run_dir: Path, *, monotonic_s: Callable[[], float]) -> None:
        self._run_dir = socket_dir(run_dir)
        self._monotonic_s = monotonic_s
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._sockets: dict[Path, zmq.Socket[bytes]] = {}
        self._watched: set[StreamKey] = set()
        self._looked_s = self._renewed_s = self._asked_s = float("-inf")
        self.unreadable = 0

    def watch(self, key: StreamKey) -> None:
        """Begin to receive a stream."""
        self._watched.add(key)
        self._tell(b"follow", (key,))

    def unwatch(self, key: StreamKey) -> None:
        """Stop receiving it."""
        self._watched.discard(key)
        self._tell(b"unwatch", (key,))

    def tend(self, *, silent: Iterable[StreamKey]) -> None:
        """Follow recorders that come and go, and keep the watches alive; `silent` streams are asked for again."""
        now_s = self._monotonic_s()
        if now_s - self._looked_s >= LOOK_EVERY_S:
            self._looked_s = now_s
            for path in self._connect():
                for key in self._watched:
                    _post(self._sockets[path], b"follow", key=key)
        if now_s - self._renewed_s >= RENEW_EVERY_S:
            self._renewed_s = self._asked_s = now_s
            self._tell(b"follow", self._watched)
        elif now_s - self._asked_s >= ASK_AGAIN_S:
            self._asked_s = now_s
            self._tell(b"follow", self._watched & set(silent))

    def drain(self, take: Callable[[StreamKey, Taken], None]) -> int:
        """Hand over everything that has come, in order; returns how many messages it was."""
        taken = 0
        for socket in self._sockets.values():
            while taken < MAX_DRAIN:
                try:
                    frames = socket.recv_multipart(zmq.NOBLOCK)
                except zmq.Again:
                    break
                taken += 1
                self._take(frames, take)
        return taken

    def close(self) -> None:
        """Let go of every recorder."""
        for path in list(self._sockets):
            self._sockets.pop(path).close(0)
        self._context.term()

    def _take(self, frames: list[bytes], take: Callable[[StreamKey, Taken], None]) -> None:
        try:
            word, key = frames[0], (CameraId(frames[1].decode()), Stream(frames[2].decode()))
            if key not in self._watched:
                return
            if word == b"au":
                item: Taken = unpack_access_unit(frames[3], frames[4])
            elif word == b"header":
                item = unpack_header(frames[3])
            else:
                return
        except (IndexError, KeyError, TypeError, ValueError, struct.error, Problem):
            self.unreadable += 1
            return
        take(key, item)

    def _connect(self) -> list[Path]:
        """Follow the sockets in the run directory; returns the new ones."""
        there = set(sorted(self._run_dir.glob("packets-*.sock"))[:MAX_RECORDERS])
        for path in self._sockets.keys() - there:
            self._sockets.pop(path).close(0)
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
        return fresh

    def _tell(self, word: bytes, keys: Iterable[StreamKey]) -> None:
        for key in keys:
            for socket in self._sockets.values():
                _post(socket, word, key=key)


def _post(socket: "zmq.Socket[bytes]", word: bytes, *, key: StreamKey) -> None:
    try:
        socket.send_multipart([word, key[0].encode(), key[1].value.encode()], zmq.NOBLOCK)
    except zmq.Again:
        return  # a recorder that is down has a full queue at worst: the next renewal asks again

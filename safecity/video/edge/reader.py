"""Reads a stream that an edge pushes, out of the intake's hub: a `Reader` like that of any camera.

Received is when it came to the centre; what the edge's clock said is dropped, what the camera claimed stays. A picture
missing on the way ends the session: the link's fault, and not a hole in what the camera sent.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import zmq

from safecity.platform.clock import Clock
from safecity.platform.errors import Denied, Invalid, Problem, Unavailable
from safecity.video.access_unit import AccessUnit, StreamHeader, unpack_access_unit, unpack_header
from safecity.video.edge.relay import RELAY, SLOT
from safecity.video.model import Cause, LinkState, StreamSource
from safecity.video.reader import MAX_UNIT_BYTES, OPEN_TIMEOUT_S, READ_TIMEOUT_S, Numbering, ReadItem
from safecity.video.timeline import ServerLine

RENEW_EVERY_S = 5.0
POLL_MS = 500
RECEIVE_HWM = 4096


class EdgeReader:
    """One watch of one pushed stream; used by one thread."""

    def __init__(
        self, source: StreamSource, numbering: Numbering, *, folder: Path, clock: Clock, line: ServerLine
    ) -> None:
        self._name = [source.camera.encode(), source.stream.value.encode()]
        self._session = numbering.session
        self._sequence = numbering.sequence
        self._path = folder / f"{RELAY}-{SLOT}.sock"
        self._clock = clock
        self._line = line
        self._socket: zmq.Socket[bytes] | None = None
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._renewed_s = 0.0
        self._theirs: int | None = None

    def open(self) -> StreamHeader:
        """Watch the stream and wait for its parameters. Raises Unavailable, Denied, Invalid."""
        if not self._path.exists():
            raise Unavailable("the intake does not run", code="video.unreachable")
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVHWM, RECEIVE_HWM)
        self._socket.setsockopt(zmq.MAXMSGSIZE, MAX_UNIT_BYTES)
        self._socket.connect(f"ipc://{self._path}")
        deadline_s = self._clock.monotonic_s() + OPEN_TIMEOUT_S
        while self._clock.monotonic_s() < deadline_s:
            said = self._next()
            if isinstance(said, StreamHeader):
                return replace(said, session=self._session)
        raise Unavailable("the edge does not push this stream", code="video.unreachable")

    def items(self) -> Iterator[ReadItem]:
        """The pictures as they come. Raises Unavailable where the link is lost or a picture is missing."""
        last_s = self._clock.monotonic_s()
        while self._clock.monotonic_s() - last_s < READ_TIMEOUT_S:
            said = self._next()
            if said is None:
                continue
            last_s = self._clock.monotonic_s()
            if isinstance(said, StreamHeader):
                self._session += 1
                self._theirs = None
                yield replace(said, session=self._session)
                continue
            if self._theirs is not None and said.sequence != self._theirs + 1:
                raise Unavailable("pictures were left out on the way", code="video.broken")
            self._theirs = said.sequence
            self._sequence += 1
            yield replace(
                said,
                received_s=last_s,
                received_us=self._line.instant_us(last_s),
                sequence=self._sequence,
            )
        raise Unavailable("nothing comes from the edge", code="video.timeout")

    def close(self) -> None:
        """Stop watching."""
        if self._socket is not None and self._context is not None:
            self._socket.close(0)
            self._context.term()
            self._socket = self._context = None

    def _next(self) -> StreamHeader | AccessUnit | None:
        """What comes next within a moment; raises what a lost stream means."""
        socket = self._socket
        if socket is None:
            raise Unavailable("the stream is closed", code="video.ended")
        now_s = self._clock.monotonic_s()
        if now_s - self._renewed_s >= RENEW_EVERY_S or self._renewed_s == 0.0:
            self._renewed_s = now_s
            try:
                socket.send_multipart([b"watch", *self._name], zmq.NOBLOCK)
            except zmq.Again as error:
                raise Unavailable("the intake does not answer", code="video.unreachable") from error
        if not socket.poll(POLL_MS):
            return None
        frames = socket.recv_multipart(zmq.NOBLOCK)
        if frames[1:3] != self._name:
            return None
        try:
            match frames[0]:
                case b"au":
                    return unpack_access_unit(frames[3], frames[4])
                case b"header":
                    return unpack_header(frames[3])
                case b"state":
                    _check_state(json.loads(frames[3]))
                    return None
                case _:
                    return None
        except (IndexError, KeyError, TypeError, ValueError, struct.error) as error:
            raise Invalid("the intake said something unreadable", code="video.unreadable") from error


def _check_state(body: dict[str, str | None]) -> None:
    """Raise the problem that a stream's state means, if it is one."""
    if body["state"] != LinkState.OFFLINE.value:
        return
    raise _problem_of(body["cause"])


def _problem_of(cause: str | None) -> Problem:
    match cause:
        case Cause.CREDENTIALS.value:
            return Denied("the camera refuses the edge's sign-in", code="video.unauthorised")
        case Cause.CAMERA.value | Cause.POWER.value:
            return Unavailable("the camera sends the edge no pictures", code="video.no_picture")
        case Cause.RECORDER.value:
            return Unavailable("the edge's recorder is starting", code="video.ended")
        case _:
            return Unavailable("the link to the edge is down", code="video.broken")

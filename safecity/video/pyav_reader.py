"""Reads a stream with PyAV (FFmpeg): every transport and quirk that FFmpeg knows, one thread a stream.

Opened without probing (`analyzeduration=0, probesize=32`): 0.1 s instead of 3.5 s, because nothing is decoded. What
FFmpeg calls errors is translated here and nowhere else; its texts are dropped, since they can quote the address with
its password.
"""

import errno
import socket
import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

import av
import av.error
import av.logging
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from safecity.platform.clock import Clock
from safecity.platform.errors import Denied, Invalid, Problem, Unavailable
from safecity.video import h264, hevc
from safecity.video.access_unit import TICKS_PER_S, StreamHeader
from safecity.video.model import StreamSource
from safecity.video.placing import RawTimes, UnitPlacer
from safecity.video.reader import MAX_PREFIX_BYTES, MAX_UNIT_BYTES, OPEN_TIMEOUT_S, READ_TIMEOUT_S, Numbering, ReadItem
from safecity.video.stream_headers import HeaderMaker
from safecity.video.timeline import ServerLine

av.logging.set_level(None)  # FFmpeg would write addresses to standard error

_VideoPacket: TypeAlias = "Packet[VideoStream]"  # generic for the checker only
HANDFUL_S = 0.25  # what a crash can cost beyond the open fragment, while nobody watches
MAX_HANDFUL = 32
PROBE_TIMEOUT_S = 2.0
_RTSP_PORT = 554
MAX_PACKETS_TO_HEADER = 600
_WALL_CLOCK = struct.Struct("=qi")  # AVProducerReferenceTime: microseconds since 1970, flags
_OPTIONS = {"analyzeduration": "0", "probesize": "32", "fpsprobesize": "0"}


class PyAvReader:
    """One session with one stream."""

    def __init__(
        self,
        source: StreamSource,
        numbering: Numbering,
        *,
        clock: Clock,
        line: ServerLine,
        is_watched: Callable[[], bool] = lambda: True,
    ) -> None:
        self._source = source
        self._session = numbering.session
        self._clock = clock
        self._is_watched = is_watched
        self._container: InputContainer | None = None
        self._packets: Iterator[_VideoPacket] = iter(())
        self._held: list[tuple[_VideoPacket, float]] = []
        self._headers: HeaderMaker | None = None
        self._has_lengths = False
        self._scale = Fraction(1)  # ticks in one unit of the packets' times; 1 for RTSP
        self._prefix: list[bytes] = []
        self._claim: tuple[int, int] | None = None  # (presentation ticks, claimed us) of the last one read
        self._placer = UnitPlacer(sequence=numbering.sequence, line=line)

    def open(self) -> StreamHeader:
        """See `Reader.open`."""
        options = dict(_OPTIONS)
        began_s = self._clock.monotonic_s()
        if self._source.url.startswith(("rtsp:", "rtsps:")):
            options |= {"rtsp_transport": self._source.transport, "allowed_media_types": "video"}
        try:
            self._container = av.open(self._source.url, options=options, timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S))
            streams = self._container.streams.video
            if not streams:
                raise Invalid("the camera offers no video stream; check the address", code="video.no_picture")
            self._scale = Fraction(streams[0].time_base or 1) * TICKS_PER_S
            self._packets = iter(self._container.demux(streams[0]))
            header = self._find_header(streams[0])
        except av.error.InvalidDataError as error:
            self.close()
            raise (_diagnose(self._source.url, self._clock.monotonic_s() - began_s) or translate(error)) from None
        except (av.error.FFmpegError, OSError) as error:
            self.close()
            raise translate(error) from None
        except Problem:
            self.close()
            raise
        return header

    def items(self) -> Iterator[ReadItem]:
        """See `Reader.items`. While nobody watches, packets are taken in handfuls: waking for each one with cold caches
        costs several times what the work itself does."""
        waiting, self._held = self._held, []
        try:
            for packet in self._packets:
                received_s = self._clock.monotonic_s()
                waiting.append((packet, received_s))
                if received_s - waiting[0][1] >= HANDFUL_S or self._is_watched() or len(waiting) >= MAX_HANDFUL:
                    for one, arrived_s in waiting:
                        yield from self._take(one, arrived_s)
                    waiting.clear()
        except (av.error.FFmpegError, OSError) as error:
            for one, arrived_s in waiting:
                yield from self._take(one, arrived_s)
            if not isinstance(error, av.error.EOFError):
                raise translate(error) from None
        else:
            for one, arrived_s in waiting:
                yield from self._take(one, arrived_s)

    def close(self) -> None:
        """See `Reader.close`."""
        if self._container is not None:
            self._container.close()
            self._container = None

    def _find_header(self, stream: VideoStream) -> StreamHeader:
        codec: Literal["h264", "hevc"]
        match stream.codec_context.name:
            case "h264" | "hevc" as codec:
                headers = self._headers = HeaderMaker(codec, session=self._session)
            case other:
                raise Invalid(
                    f"the camera sends {other}; set this stream to H.264 or H.265", code="video.codec_unknown"
                )
        extradata = stream.codec_context.extradata or b""
        self._has_lengths = extradata[:1] == b"\x01"
        if self._has_lengths:
            return headers.make((h264 if codec == "h264" else hevc).parameter_sets_of(extradata))
        sets = headers.pick(h264.split_annex_b(extradata))
        for _ in range(MAX_PACKETS_TO_HEADER):
            if headers.is_complete(sets):
                return headers.make(sets)
            packet = next(self._packets, None)
            if packet is None:
                break
            self._held.append((packet, self._clock.monotonic_s()))
            sets = sets + headers.pick(h264.split_annex_b(bytes(packet)))
        raise Unavailable("the camera never sent its stream's parameters; restart it", code="video.unreadable")

    def _take(self, packet: "_VideoPacket", received_s: float) -> list[ReadItem]:
        """The items that one packet makes: usually one access unit, none for parameter sets that come alone."""
        if packet.size == 0:
            return []
        if packet.size > MAX_UNIT_BYTES:
            raise Unavailable("a picture is too large to be one; check the camera", code="video.unreadable")
        headers = self._headers
        assert headers is not None
        data = bytes(packet)
        nals = _find_lengths(data) if self._has_lengths else find_annex_b(data)
        if headers.codec == "h264":
            kinds = [data[start] & 0x1F for start, _ in nals]
            is_picture, is_key = any(1 <= kind <= 5 for kind in kinds), 5 in kinds
        else:
            kinds = [data[start] >> 1 & 0x3F for start, _ in nals]
            is_picture, is_key = any(kind <= 31 for kind in kinds), any(16 <= kind <= 23 for kind in kinds)
        framed = data if self._has_lengths else _frame(data, nals)
        if not is_picture:
            self._prefix.append(framed)
            if sum(map(len, self._prefix)) > MAX_PREFIX_BYTES:
                raise Unavailable("the camera sends parameters but no pictures", code="video.no_picture")
            return []
        if self._prefix:
            framed = b"".join((*self._prefix, framed))
            self._prefix.clear()
        is_key = is_key or packet.is_keyframe
        fresh = None
        if is_key and not self._has_lengths:
            fresh = headers.find_change(h264.split_length_prefixed(framed))
            if fresh is not None:
                self._placer.restart()
        decode, presentation = self._raw_times(packet, is_key=is_key)
        claimed_us = self._find_claim(packet, presentation)
        items = self._placer.place(framed, RawTimes(decode, presentation, received_s, claimed_us), is_key=is_key)
        return items if fresh is None else [fresh, *items]

    def _find_claim(self, packet: "_VideoPacket", presentation: int | None) -> int | None:
        """The camera's claim. FFmpeg repeats it on every packet from its last sender report on; it is read about once a
        second and carried on by the camera's own ticks, which is what FFmpeg does."""
        if presentation is None:
            return None
        if self._claim is None or not 0 <= presentation - self._claim[0] < TICKS_PER_S:
            claimed_us = _claimed_us(packet)
            self._claim = None if claimed_us is None else (presentation, claimed_us)
        if self._claim is None:
            return None
        ticks, claimed_us = self._claim
        return claimed_us + (presentation - ticks) * 100 // 9

    def _raw_times(self, packet: "_VideoPacket", *, is_key: bool) -> tuple[int | None, int | None]:
        presentation, decode = packet.pts, packet.dts
        if self._scale != 1:
            presentation = None if presentation is None else int(presentation * self._scale)
            decode = None if decode is None else int(decode * self._scale)
        if presentation is None:
            return decode, decode
        if decode is None or decode == presentation:
            # Where FFmpeg does not know of B-frames it repeats the presentation time.
            decode = self._placer.decode_ticks(presentation, is_key=is_key)
        return decode, presentation


def find_annex_b(data: bytes) -> list[tuple[int, int]]:
    """(start, end) of each NAL unit of a byte stream (annex B), start codes and trailing zeros left out.

    NumPy finds the zero pairs four times as fast as `bytes.find`: this looks at every recorded byte.
    """
    view = np.frombuffer(data, np.uint8)
    zeros = np.flatnonzero((view[:-2] | view[1:-1]) == 0)
    marks = [int(at) for at in zeros if data[at + 2] == 1]
    found: list[tuple[int, int]] = []
    for index, mark in enumerate(marks):
        end = marks[index + 1] if index + 1 < len(marks) else len(data)
        while end > mark + 3 and data[end - 1] == 0:
            end -= 1
        if end > mark + 3:
            found.append((mark + 3, end))
    return found


def _find_lengths(data: bytes) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    at = 0
    while at + 5 <= len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4])
        found.append((at + 4, min(end, len(data))))
        at = end
    return found


def _frame(data: bytes, nals: list[tuple[int, int]]) -> bytes:
    view = memoryview(data)
    return b"".join(part for start, end in nals for part in ((end - start).to_bytes(4), view[start:end]))


def _claimed_us(packet: "_VideoPacket") -> int | None:
    """The wall clock in the `prft` side data that FFmpeg makes of RTCP sender reports, microseconds since 1970."""
    if not packet.has_sidedata("prft"):
        return None
    raw = bytes(packet.get_sidedata("prft"))
    return _WALL_CLOCK.unpack_from(raw)[0] if len(raw) >= _WALL_CLOCK.size else None


_TRANSLATIONS: tuple[tuple[type[BaseException], type[Problem], str, str], ...] = (
    (
        av.error.HTTPUnauthorizedError,
        Denied,
        "video.unauthorised",
        "the camera refuses user or password; correct them",
    ),
    (
        av.error.HTTPForbiddenError,
        Denied,
        "video.unauthorised",
        "the camera forbids this user the stream",
    ),
    (av.error.HTTPNotFoundError, Unavailable, "video.not_found", "the camera has no such stream; check the address"),
    (av.error.HTTPError, Unavailable, "video.unreadable", "the camera answers with an error; look at its log"),
    (ConnectionRefusedError, Unavailable, "video.refused", "nothing listens at the camera's address and port"),
    (av.error.TimeoutError, Unavailable, "video.timeout", "the camera does not answer, or sends nothing"),
    (av.error.ExitError, Unavailable, "video.timeout", "the camera does not answer, or sends nothing"),
    (av.error.EOFError, Unavailable, "video.ended", "the camera closed the connection"),
    (av.error.InvalidDataError, Unavailable, "video.unreadable", "what the camera sends cannot be read"),
    (ConnectionError, Unavailable, "video.broken", "the connection to the camera broke"),
    (BrokenPipeError, Unavailable, "video.broken", "the connection to the camera broke"),
    (OSError, Unavailable, "video.unreachable", "the camera cannot be reached; look at the link"),
)


def _diagnose(url: str, elapsed_s: float) -> Problem | None:
    """What FFmpeg's "invalid data" at opening stands for: it says so of an unreachable, a silent, a babbling and a
    cut-off camera alike. One TCP connection tells them apart; None where it answers, but not as it should."""
    parts = urlsplit(url)
    if parts.hostname is None:
        return None
    try:
        with socket.create_connection((parts.hostname, parts.port or _RTSP_PORT), timeout=PROBE_TIMEOUT_S) as probe:
            probe.sendall(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
            if not probe.recv(1):
                return translate(ConnectionResetError())
    except TimeoutError:
        return translate(av.error.TimeoutError(errno.ETIMEDOUT, ""))
    except OSError as error:
        return translate(error)
    return translate(av.error.TimeoutError(errno.ETIMEDOUT, "")) if elapsed_s >= 0.9 * OPEN_TIMEOUT_S else None


def translate(error: BaseException) -> Problem:
    """What an error of FFmpeg means to us; its own text is left behind, it may quote a password."""
    for kind, problem, code, message in _TRANSLATIONS:
        if isinstance(error, kind):
            return problem(message, code=code)
    return Unavailable(f"FFmpeg failed with {type(error).__name__}", code="video.unreadable")

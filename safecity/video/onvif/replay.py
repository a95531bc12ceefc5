"""A camera's recording read over RTSP as fast as it comes (ONVIF Streaming 6), for back-fill.

Each picture's time is in its first packet's header extension; it becomes `received_at` and `captured_at` of the access
unit, on our clock. Arrival says nothing here: an hour comes in a minute.
"""

import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from safecity.platform.clock import EPOCH
from safecity.platform.errors import Problem, Unavailable
from safecity.video.reader import Numbering, ReadItem
from safecity.video.rtsp.dialogue import ReplayRange
from safecity.video.rtsp.open_picture import Picture
from safecity.video.rtsp.pictures import PictureBuilder
from safecity.video.rtsp.session import RtspSession
from safecity.video.rtsp.unit_maker import UnitMaker
from safecity.video.timeline import ServerLine

CONNECT_S: Final = 5.0
POLL_S: Final = 0.5
SILENCE_S: Final = 8.0
"""Without a packet for so long a replay is over: some cameras say nothing at the end."""
RECEIVE_BYTES: Final = 256 * 1024
REPLAY_PROFILE: Final = 0xABAC
MAX_STAMPS: Final = 512
_HEAD = struct.Struct(">HH")
_EXTENSION = struct.Struct(">QB")
_NTP_UNIX_S: Final = 2_208_988_800
_LAST: Final = 0x10


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayHeader:
    """What the header extension of a picture's first packet says (ONVIF Streaming 6.3)."""

    ntp_us: int
    """Microseconds since 1970 on the camera's clock."""
    is_clean: bool
    ends_section: bool
    is_break: bool
    is_last: bool


def read_replay_header(packet: memoryview) -> ReplayHeader | None:
    """The extension of an RTP packet; None where it has none, or another one."""
    if len(packet) < 12 or not packet[0] & 0x10:
        return None
    at = 12 + 4 * (packet[0] & 0x0F)
    if at + 4 + 9 > len(packet):
        return None
    profile, words = _HEAD.unpack_from(packet, at)
    if profile not in (REPLAY_PROFILE, 0xABAD) or words < 3:
        return None
    ntp, flags = _EXTENSION.unpack_from(packet, at + 4)
    seconds, fraction = ntp >> 32, ntp & 0xFFFF_FFFF
    micros = (seconds - _NTP_UNIX_S) * 1_000_000 + (fraction * 1_000_000 + (1 << 31) >> 32)
    return ReplayHeader(
        ntp_us=micros,
        is_clean=bool(flags & 0x80),
        ends_section=bool(flags & 0x40),
        is_break=bool(flags & 0x20),
        is_last=bool(flags & _LAST),
    )


def replay(
    url: str, *, from_at: datetime, to_at: datetime, clock_offset_s: float, numbering: Numbering
) -> Iterator[ReadItem]:
    """The access units of a recording, from the key picture at or before `from_at` until `to_at`, times ours.

    `url` is the replay address with user and password; `clock_offset_s` is the camera's clock less ours. Blocks; close
    the generator to end it early. Raises as readers do (`safecity.video.reader`).
    """
    yield from _Replay(url, from_at=from_at, to_at=to_at, offset_s=clock_offset_s).items(numbering)


class _Replay:
    def __init__(self, url: str, *, from_at: datetime, to_at: datetime, offset_s: float) -> None:
        shift = timedelta(seconds=offset_s)
        asked = ReplayRange(from_at=from_at + shift, to_at=to_at + shift)
        self._session = RtspSession(url, at_s=time.monotonic(), replay=asked)
        self._offset_us = round(offset_s * 1e6)
        self._end_us = (to_at - EPOCH) // timedelta(microseconds=1)
        self._stamps: dict[int, int] = {}
        """Times of pictures by RTP timestamp, until they are whole."""
        self._builder: PictureBuilder | None = None
        self._last_us: int | None = None
        self._is_over = False
        self._heard_s = time.monotonic()
        self._has_pictures = False

    def items(self, numbering: Numbering) -> Iterator[ReadItem]:
        address = self._session.address
        # An hour of arrival times would be squeezed into a minute, so the pictures' own times stand for them.
        maker = UnitMaker(numbering, line=ServerLine(EPOCH, 0.0))
        try:
            link = socket.create_connection((address.host, address.port), timeout=CONNECT_S)
        except OSError as error:
            raise Unavailable("the camera's replay cannot be reached", code="video.unreachable") from error
        with link:
            link.settimeout(POLL_S)
            buffer = bytearray(RECEIVE_BYTES)
            try:
                while not self._is_over:
                    self._exchange(link, buffer)
                    yield from self._made(maker)
                if self._builder:
                    self._builder.finish()
                    yield from self._made(maker)
            finally:
                self._hang_up(link)

    def _exchange(self, link: socket.socket, buffer: bytearray) -> None:
        session, now_s = self._session, time.monotonic()
        session.tick(at_s=now_s) if not self._has_pictures else None
        try:
            link.sendall(session.take_output())
            size = link.recv_into(buffer)
        except TimeoutError:
            self._note_silence(now_s)
            return
        except OSError as error:
            raise Unavailable("the camera broke the replay off", code="video.broken") from error
        if not size:
            if not self._has_pictures:
                raise session.hung_up()
            self._is_over = True
            return
        if self._builder is None and session.media is not None:
            self._listen()
        self._heard_s = now_s
        session.receive(memoryview(buffer)[:size], at_s=now_s)
        if self._builder is None and session.media is not None:
            self._listen()
        if self._builder is not None and self._builder.has_ended:
            self._is_over = True

    def _note_silence(self, now_s: float) -> None:
        if now_s - self._heard_s < SILENCE_S:
            return
        if not self._has_pictures:
            raise Unavailable("the camera sends nothing of its recording", code="video.timeout")
        self._is_over = True

    def _listen(self) -> None:
        media = self._session.media
        assert media is not None
        builder = self._builder = PictureBuilder(media)

        def take(packet: memoryview, at_s: float) -> None:
            told = read_replay_header(packet)
            if told is not None:
                self._stamps[int.from_bytes(packet[4:8])] = told.ntp_us
                if len(self._stamps) > MAX_STAMPS:
                    del self._stamps[next(iter(self._stamps))]
            builder.feed(packet, at_s)

        self._session.rtp = take
        self._session.rtcp = builder.report

    def _made(self, maker: UnitMaker) -> Iterator[ReadItem]:
        builder = self._builder
        if builder is None or not builder.pictures:
            return
        if maker.header is None and not self._has_pictures:
            media = self._session.media
            assert media is not None
            maker.begin(media)
        self._has_pictures = True
        pictures, builder.pictures = builder.pictures, []
        for picture in pictures:
            dated = self._dated(picture)
            if dated is None:
                continue
            if dated.captured_us is not None and dated.captured_us >= self._end_us:
                self._is_over = True
                return
            yield from maker.take(dated)

    def _dated(self, picture: Picture) -> Picture | None:
        """The picture with its own time as arrival; one without is put where its RTP time says, from the one before."""
        told = self._stamps.pop(picture.rtp_ticks, None)
        ours = self._last_us if told is None else told - self._offset_us
        if ours is None:
            return None
        self._last_us = ours
        return replace(picture, captured_us=ours, arrived_s=ours / 1e6)

    def _hang_up(self, link: socket.socket) -> None:
        try:
            link.sendall(self._session.teardown())
        except (OSError, Problem):
            return

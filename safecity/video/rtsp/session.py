"""One RTSP connection, sans I/O: bytes in, packets to the sinks, bytes to send out (RFC 2326 section 10.12).

Text messages and interleaved packets share the connection. The packets are its bulk, so `RtspSession.receive` walks
them with a few operations each and hands on slices of the caller's buffer; all else is allowed to be slow.
"""

import re
import struct
from collections.abc import Callable
from typing import Final

from safecity.platform.errors import Problem, Unavailable
from safecity.video.reader import READ_TIMEOUT_S
from safecity.video.rtsp.address import Address, parse_address
from safecity.video.rtsp.dialogue import MAX_OUTPUT_BYTES, Dialogue, ReplayRange
from safecity.video.rtsp.media import VideoMedia
from safecity.video.rtsp.messages import Request, Response, is_message_start, take_message

CHECK_EVERY_S: Final = 0.25
MAX_NOISE_BYTES: Final = 1024**2  # in a row, of what is neither packet nor message
# What a camera may send besides its video between two checks, each kind with a cost of about its microseconds: one
# that floods us with it must not take the time of the others.
MAX_PATIENCE: Final = 10_000
_MESSAGE_COST, _REPORT_COST, _LOSS_COST, _SKIP_COST = 100, 10, 10, 1

_DOLLAR = 0x24
_HEAD_BYTES = 4  # "$", channel, length in two bytes
# Measured: reading the head so takes 60 ns less than four indexings of a memoryview.
_READ_HEAD = struct.Struct(">HH").unpack_from
_NO_CHANNEL = -1
_FILLING = re.compile(rb"[\r\n \t\0]+")
_CANDIDATE = re.compile(rb"[$Rr]")
_RTCP_TYPES = range(200, 208)

PacketSink = Callable[[memoryview, float], object]
"""Takes one packet, valid during the call only, and the monotonic time at which it came. What it returns is true where
a `RunSink` is worth a try behind it."""

RunSink = Callable[[memoryview, int], int]
"""Takes the interleaved frames that lie at an offset and go on with the packet before; where it did not go on."""


def _drop(packet: memoryview, at_s: float) -> None:
    del packet, at_s


def _stay(data: memoryview, at: int) -> int:
    del data
    return at


class RtspSession:
    """The dialogue with one camera over one connection.

    The driver connects to `address`, sends what `take_output` gives, hands what it receives to `receive`, calls `tick`
    every second or more often, and sets `rtp` and `rtcp` as soon as `media` is known: no packet comes before that.
    Every method may raise a Problem with a code of `safecity.video.reader.CAUSES`; the session is over then.
    """

    def __init__(
        self, url: str | Address, *, at_s: float, redirects: int = 0, replay: ReplayRange | None = None
    ) -> None:
        """Raises Invalid where the address is none. User and password in it appear in no text of ours."""
        self.address = address = parse_address(url) if isinstance(url, str) else url
        self.rtp: PacketSink = _drop
        self.rtp_run: RunSink = _stay
        self.rtcp: PacketSink = _drop
        self.skipped_packets = 0  # of channels that nobody set up
        self.noise_bytes = 0  # that were neither packet nor message
        self._dialogue = Dialogue(address, at_s=at_s, redirects=redirects, replay=replay)
        self._rest = bytearray()  # an incomplete packet or message
        self._need = 0  # bytes that the rest must have before it is worth a look
        self._channels: tuple[int, int] | None = None  # as the camera answered SETUP
        self._rtp_channel = _NO_CHANNEL
        self._rtp_head = _NO_CHANNEL  # first two bytes of a packet of the video, as a number
        self._rtcp_channel = _NO_CHANNEL
        self._shared_channel = _NO_CHANNEL  # where a camera sends both kinds over one
        self._heard_s: float | None = None  # when the last video packet came
        self._playing_since_s = 0.0
        self._check_due_s = 0.0
        self._patience = MAX_PATIENCE
        self._has_spoken = False  # a message of the camera's was understood
        self._is_lost = False
        self._lost_bytes = 0

    @property
    def media(self) -> VideoMedia | None:
        """The video stream, once it is described."""
        return self._dialogue.media

    @property
    def is_playing(self) -> bool:
        """The camera has said yes to PLAY."""
        return self._dialogue.is_playing

    def take_output(self) -> bytes:
        """What to send now; mostly nothing."""
        output = self._dialogue.output
        if not output:
            return b""
        data = bytes(output)
        output.clear()
        return data

    def send_report(self, packet: bytes) -> None:
        """Queue an RTCP packet for the camera; it is left out while there is no channel or no room."""
        output, channel = self._dialogue.output, self._rtcp_channel
        if channel != _NO_CHANNEL and len(output) + len(packet) + _HEAD_BYTES <= MAX_OUTPUT_BYTES:
            output += bytes((_DOLLAR, channel)) + len(packet).to_bytes(2) + packet

    def tick(self, *, at_s: float) -> None:
        """Keep-alives and time-outs; costs nothing between two checks. Raises Unavailable for a silent camera."""
        if at_s < self._check_due_s:
            return
        self._check_due_s = at_s + CHECK_EVERY_S
        self._patience = MAX_PATIENCE
        was_playing, heard_s = self._dialogue.is_playing, self._heard_s
        self._dialogue.tick(at_s=at_s, is_flowing=heard_s is not None)
        if not was_playing and self._dialogue.is_playing:
            self._playing_since_s = at_s
        if was_playing and at_s - max(heard_s or 0.0, self._playing_since_s) >= READ_TIMEOUT_S:
            raise Unavailable("the camera sends no pictures", code="video.timeout")

    def teardown(self) -> bytes:
        """What to send before hanging up; nothing where there is no session."""
        return self.take_output() + self._dialogue.teardown()

    def hung_up(self) -> Problem:
        """What it means that the camera closed the connection now."""
        if self._dialogue.is_playing:
            return Unavailable("the camera closed the connection", code="video.ended")
        waits_for = self._dialogue.waits_for or "the connection"
        return Unavailable(f"the camera closed the connection at {waits_for}", code="video.broken")

    def follow(self, *, at_s: float) -> "RtspSession | None":
        """A session for the place that the camera sent us on to, over a connection of its own; None where it did not.
        To be asked after a Problem."""
        address = self._dialogue.moved_to
        if address is None:
            return None
        return RtspSession(address, at_s=at_s, redirects=self._dialogue.redirects)

    def receive(self, data: memoryview, *, at_s: float) -> None:
        """Take what came. The bytes may be cut anywhere and are not kept: an incomplete rest is copied.

        Raises a Problem where the camera refuses, breaks the protocol or breaks a limit, and what the sinks raise.
        """
        while self._rest:
            if len(self._rest) + len(data) < self._need:
                self._rest += data
                return
            data = self._complete(data, at_s)
        at, size, heard_s = 0, len(data), self._heard_s
        rtp, ours, read_head = self.rtp, self._rtp_head, _READ_HEAD
        if self._is_lost:
            at = self._find_way(data, 0)
            if at < 0:
                self._keep(data, ~at)
                return
        while (begin := at + 4) <= size:
            head, length = read_head(data, at)
            if head == ours:
                end = begin + length
                if end > size:
                    self._rest, self._need = bytearray(data[at:]), end - at
                    at = size
                    break
                heard_s = at_s
                at = self.rtp_run(data, end) if rtp(data[begin:end], at_s) else end
            else:
                self._heard_s = heard_s
                at = self._take_rare(data, at, at_s)
                heard_s, ours, rtp = self._heard_s, self._rtp_head, self.rtp
                if at < 0:
                    at = ~at
                    break
        self._heard_s = heard_s
        if at < size:
            self._keep(data, at)

    # Rests

    def _keep(self, data: memoryview, at: int) -> None:
        """Copy what is incomplete, and say how much of it there must be. A message's need is known already."""
        rest = self._rest = bytearray(data[at:])
        size = len(rest)
        if size >= _HEAD_BYTES:
            if self._is_lost:
                self._need = size + 1
            elif rest[0] == _DOLLAR:
                self._need = _HEAD_BYTES + (rest[2] << 8 | rest[3])
        elif size:
            self._need = _HEAD_BYTES if rest[0] == _DOLLAR and not self._is_lost else size + 1

    def _complete(self, data: memoryview, at_s: float) -> memoryview:
        """Enough came to go on with the rest: the data that is left to walk."""
        rest, need = self._rest, self._need
        self._rest = bytearray()
        if rest[0] != _DOLLAR or self._is_lost:
            return memoryview(b"".join((rest, data)))
        missing = need - len(rest)
        rest += data[:missing]
        if need == _HEAD_BYTES:
            self._need = need = _HEAD_BYTES + (rest[2] << 8 | rest[3])
        if len(rest) != need:
            self._rest = rest
        elif rest[1] == self._rtp_channel:
            self._heard_s = at_s
            self.rtp(memoryview(rest)[_HEAD_BYTES:], at_s)
        else:
            self._take_other(rest[1], memoryview(rest)[_HEAD_BYTES:], at_s)
        return data[missing:]

    # What is rare

    def _take_rare(self, data: memoryview, at: int, at_s: float) -> int:
        """Take what is no packet of the video: where to go on, or the inverse (~) of where to wait for more."""
        if data[at] != _DOLLAR:
            return self._take_text(data, at, at_s)
        begin = at + _HEAD_BYTES
        end = begin + (data[at + 2] << 8 | data[at + 3])
        if end > len(data):
            return ~at
        self._take_other(data[at + 1], data[begin:end], at_s)
        return end

    def _take_other(self, channel: int, packet: memoryview, at_s: float) -> None:
        """A packet that is not on the channel of the video."""
        if channel == self._shared_channel:
            if len(packet) > 1 and packet[1] in _RTCP_TYPES:
                self.rtcp(packet, at_s)
            else:
                self._heard_s = at_s
                self.rtp(packet, at_s)
        elif channel == self._rtcp_channel:
            self._spend(_REPORT_COST)
            self.rtcp(packet, at_s)
        elif self._heard_s is None and self._rtp_channel != _NO_CHANNEL and self._is_video(packet):
            # Some cameras answer SETUP with one channel and send on another.
            self._listen(channel, channel + 1 & 0xFF)
            self._heard_s = at_s
            self.rtp(packet, at_s)
        else:
            self._spend(_SKIP_COST)
            self.skipped_packets += 1

    def _is_video(self, packet: memoryview) -> bool:
        media = self._dialogue.media
        is_rtp = len(packet) >= 12 and packet[0] >> 6 == 2
        return is_rtp and media is not None and packet[1] & 0x7F == media.payload_type

    def _take_text(self, data: memoryview, at: int, at_s: float) -> int:
        """Take a message, filling or noise: where to go on, or the inverse (~) of where to wait for more."""
        if filling := _FILLING.match(data, at):
            return filling.end()
        is_message = is_message_start(data[at : at + 32])
        if is_message is None:
            self._need = len(data) - at + 1
            return ~at
        taken = take_message(data, at) if is_message else None
        if isinstance(taken, int):
            self._need = taken
            return ~at
        if taken is None:
            if not self._has_spoken:
                raise Unavailable("what answers at the address speaks no RTSP; check the port", code="video.unreadable")
            self._is_lost = True
            self._spend(_LOSS_COST)
            self._count_noise(1)
            return self._find_way(data, at + 1)
        self._has_spoken = True
        self._spend(_MESSAGE_COST)
        self._heed(taken.message, at_s)
        return taken.end

    def _heed(self, message: Response | Request, at_s: float) -> None:
        dialogue = self._dialogue
        was_playing = dialogue.is_playing
        if isinstance(message, Response):
            dialogue.take_response(message, at_s=at_s)
        else:
            dialogue.take_request(message)
        if not was_playing and dialogue.is_playing:
            self._playing_since_s = at_s
        if dialogue.channels != self._channels:
            self._channels = dialogue.channels
            self._listen(*(self._channels or (_NO_CHANNEL, _NO_CHANNEL)))

    def _listen(self, rtp: int, rtcp: int) -> None:
        is_shared = rtp == rtcp
        self._shared_channel = rtp if is_shared else _NO_CHANNEL
        self._rtp_channel = _NO_CHANNEL if is_shared else rtp
        self._rtp_head = _DOLLAR << 8 | self._rtp_channel  # no head is negative
        self._rtcp_channel = rtcp

    def _spend(self, cost: int) -> None:
        self._patience -= cost
        if self._patience < 0:
            raise Unavailable("the camera sends more of other things than of its video", code="video.unreadable")

    # Noise: some cameras let other bytes slip between their packets

    def _find_way(self, data: memoryview, at: int) -> int:
        """Where packets or messages go on behind noise, or the inverse (~) of where to wait for more."""
        for found in _CANDIDATE.finditer(data, at):
            start = found.start()
            is_way = self._is_way(bytes(data[start : start + 6]))
            if is_way is False:
                continue
            self._count_noise(start - at)
            if is_way is None:
                return ~start
            self._is_lost, self._lost_bytes = False, 0
            return start
        self._count_noise(len(data) - at)
        return ~len(data)

    def _is_way(self, begin: bytes) -> bool | None:
        """Stricter than while all is well: only a packet of our channels or an answer. None where bytes are missing."""
        if begin[0] != _DOLLAR:
            text = begin[:5].upper()
            return True if text == b"RTSP/" else None if b"RTSP/".startswith(text) else False
        if len(begin) < 6:
            return None
        channel, length, kind = begin[1], begin[2] << 8 | begin[3], begin[5]
        if begin[4] >> 6 != 2:
            return False
        is_report = channel == self._rtcp_channel and length >= 8 and kind in _RTCP_TYPES
        media = self._dialogue.media
        is_ours = channel in (self._rtp_channel, self._shared_channel) and length >= 12
        return is_report or (is_ours and media is not None and kind & 0x7F == media.payload_type)

    def _count_noise(self, count: int) -> None:
        self.noise_bytes += count
        self._lost_bytes += count
        if self._lost_bytes > MAX_NOISE_BYTES:
            raise Unavailable("the camera sends neither packets nor answers, but noise", code="video.unreadable")

"""From RTP packets to pictures, and from pictures to what a recorder takes.

`PictureBuilder.feed` is called for every packet of every camera, 36,000 times a second for a hundred cameras of
4 Mbit/s. So the packets in the middle of a fragmented NAL unit, nearly all there are, cost one comparison of their
first bytes with the awaited ones; all others take the long way.

Each payload is copied at once into its picture's buffer, and once more when the picture is whole. To keep slices and
join them once would spare one copy, but they would have to outlive the call, and with it the receive buffer.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from safecity.platform.errors import Invalid, Unavailable
from safecity.video import h264
from safecity.video.access_unit import TICKS_PER_S, StreamHeader
from safecity.video.placing import RawTimes, UnitPlacer
from safecity.video.reader import MAX_PREFIX_BYTES, MAX_UNIT_BYTES, Numbering, ReadItem
from safecity.video.rtsp import depacketise_h264, depacketise_h265, rtcp, rtp
from safecity.video.rtsp.media import VideoMedia
from safecity.video.rtsp.open_picture import OpenPicture, StartsPicture, TakePayload
from safecity.video.stream_headers import HeaderMaker
from safecity.video.timeline import ServerLine, unwrap

MAX_PICTURES_TO_HEADER = 600
MAX_EARLY_SETS = 64  # parameter sets gathered before a header can be made of them
CARRY_S = 3600  # a sender report tells the time of pictures so far from it
CARRY_OVER_JUMP_S = 10  # and so far, when the timestamps have jumped since
_OWN_SSRC = 0x5AFE_C174  # turns the camera's SSRC into ours: they need only differ (RFC 3550 section 8)
_HALF = 1 << 31
_MASK = (1 << 32) - 1


@dataclass(slots=True, kw_only=True)
class Picture:
    """One coded picture as it came; or units that came without one, such as parameter sets with a marker."""

    data: bytes  # NAL units, each behind a 4-byte length; delimiters left out, everything else byte for byte
    rtp_ticks: int  # the RTP timestamp: 32 bits, in the media's clock rate
    is_key: bool  # decoding can start here: IDR or a recovery point (H.264), IRAP (H.265)
    is_whole: bool  # nothing of it was lost, as far as sequence numbers and fragments tell
    has_slice: bool  # False: no picture, but units that belong to the next one
    has_first_slice: bool
    has_sets: bool  # parameter sets are among its units
    arrived_s: float  # monotonic, of its last packet
    captured_us: int | None  # the camera's claim: its last sender report, carried on by the RTP clock


class PictureBuilder:
    """Collects one stream's RTP packets into pictures.

    A picture ends with the marker bit, with a packet of another timestamp, or with the beginning of the next picture.
    Cameras that set the marker on every slice are found out by the first slice that follows one within its picture;
    from then on their markers count for nothing, and pictures come one packet later.

    What was lost leaves a hole: the rest of the picture is handed on with `is_whole` False.
    """

    def __init__(self, media: VideoMedia) -> None:
        is_h264 = media.codec == "h264"
        module = depacketise_h264 if is_h264 else depacketise_h265
        self.pictures: list[Picture] = []  # what `feed` finished; whoever calls it empties it
        self.lost_packets = 0
        self.broken_pictures = 0
        self.foreign_packets = 0  # of another payload type
        self.malformed_packets = 0
        self.malformed_reports = 0
        self.has_ended = False  # the camera said goodbye (RTCP BYE)
        self._take_payload: TakePayload = module.take_payload
        self._starts_picture: StartsPicture = module.starts_picture
        self._rate_hz = max(1, media.clock_rate_hz)
        self._payload_type = media.payload_type
        self._picture = OpenPicture(media.codec)
        self._numbers = rtp.SequenceTracker()
        # What the next packet must begin with to be the next piece of an open unit: head, number, stamp, payload.
        self._unpack = struct.Struct(">HHQ2s" if is_h264 else ">HHQ3s").unpack_from
        self._skip = rtp.FIXED_BYTES + (2 if is_h264 else 3)
        self._data = self._picture.data
        self._head = 0x8000 | media.payload_type
        self._next = 0
        self._stamp = -1  # timestamp and SSRC as one number
        self._middle = b""
        self._ssrc: int | None = None
        self._trusts_marker = True
        self._marked_stamp = -1
        self._arrived_s = 0.0
        self._claim: rtcp.SenderReport | None = None
        self._claimed_s = 0.0
        self._jitter = 0.0
        self._transit: int | None = None
        self._reported = (0, 0)  # packets that should have come, packets lost, at our last report

    def add(self, packet: memoryview, at_s: float) -> Picture | None:
        """Take one RTP packet, header included; returns the oldest finished picture that was not handed out yet.

        Raises as `feed` does. The packet's bytes are not needed once this returns.
        """
        self.feed(packet, at_s)
        return self.pictures.pop(0) if self.pictures else None

    def feed(self, packet: memoryview, at_s: float) -> None:
        """Take one RTP packet; what it finishes is put into `pictures` (two at most: one ends the one before it).

        Raises Invalid for payloads that are not read (interleaved H.264), Unavailable for a picture beyond 16 MiB.
        """
        try:
            head, sequence, stamp, start = self._unpack(packet)
        except struct.error:
            self._take(packet, at_s)
            return
        if start == self._middle and sequence == self._next and stamp == self._stamp and head == self._head:
            self._data += packet[self._skip :]
            self._next = sequence + 1
            if len(self._data) > MAX_UNIT_BYTES:
                self._refuse_size()
        else:
            self._take(packet, at_s)

    def _take(self, packet: memoryview, at_s: float) -> None:
        """The long way, for every packet that is not the next piece of an open unit."""
        span = rtp.find_payload(packet)
        if span is None:
            self.malformed_packets += 1
            return
        _, second, sequence, ticks, ssrc = rtp.HEAD.unpack_from(packet)
        stamp = ticks << 32 | ssrc
        if second & 0x7F != self._payload_type:
            self._take_foreign(packet, at_s)
            return
        if ssrc != self._ssrc:
            self._change_source(ssrc)
        order = self._numbers.take(sequence, expected=self._next)
        if order is rtp.Order.LATE:
            return
        self._next = sequence + 1
        self._place(packet[span[0] : span[1]], stamp, has_loss=order is rtp.Order.AFTER_LOSS)
        self._arrived_s = at_s
        if second & rtp.MARKER and self._trusts_marker:
            self._marked_stamp = stamp
            self._finish()

    def _place(self, payload: memoryview, stamp: int, *, has_loss: bool) -> None:
        """Put a payload into the picture it belongs to; a loss before it may have hit the end of the one before."""
        picture = self._picture
        if has_loss:
            self.lost_packets = self._numbers.lost
            picture.break_off()
        if picture.is_begun and (stamp != self._stamp or (picture.has_first_slice and self._starts_picture(payload))):
            self._finish()
            picture.is_whole = not has_loss
        is_same = not picture.is_begun and stamp == self._marked_stamp and not has_loss
        picture.is_begun, self._stamp = True, stamp
        self._middle = self._take_payload(payload, picture)
        if is_same and picture.has_slice and not picture.has_first_slice:
            self._trusts_marker = False
        if len(self._data) > MAX_UNIT_BYTES:
            self._refuse_size()

    def finish(self) -> None:
        """The stream is over: what was begun is put into `pictures`."""
        if self._picture.is_begun:
            self._finish()

    def _finish(self) -> None:
        picture = self._picture
        picture.end()
        self._middle = b""
        ticks = self._stamp >> 32
        is_whole = picture.is_whole and (picture.has_first_slice or not picture.has_slice)
        self.broken_pictures += not is_whole
        self._note_jitter(ticks)
        if picture.data:
            self.pictures.append(
                Picture(
                    data=bytes(picture.data),
                    rtp_ticks=ticks,
                    is_key=picture.is_key,
                    is_whole=is_whole,
                    has_slice=picture.has_slice,
                    has_first_slice=picture.has_first_slice,
                    has_sets=picture.has_sets,
                    arrived_s=self._arrived_s,
                    captured_us=self._find_claim(ticks),
                )
            )
        self.malformed_packets += picture.malformed
        picture.malformed = 0
        picture.reset()

    def _refuse_size(self) -> None:
        self._picture.reset()
        self._middle = b""
        raise Unavailable("a picture is too large to be one; check the camera", code="video.unreadable")

    def _take_foreign(self, packet: memoryview, at_s: float) -> None:
        """A packet of another payload type: a report that came on the wrong channel (RFC 5761), or nothing of ours."""
        if packet[1] in rtcp.TYPES:
            self.report(packet, at_s)
        else:
            self.foreign_packets += 1

    def _change_source(self, ssrc: int) -> None:
        """Another source sends, or the camera chose another number: nothing of before says anything of it."""
        if self._ssrc is not None:
            self.finish()
            self._numbers.forget()
            self._claim, self._transit, self._reported = None, None, (0, self._numbers.lost)
        self._ssrc = ssrc

    def report(self, packet: memoryview, at_s: float) -> None:
        """Take one RTCP compound packet of the camera's."""
        compound = rtcp.read_compound(packet)
        if not compound.is_sound:
            self.malformed_reports += 1
        if compound.sender is not None:
            self._claim, self._claimed_s = compound.sender, at_s
        self.has_ended = self.has_ended or compound.is_goodbye

    def _find_claim(self, ticks: int) -> int | None:
        claim = self._claim
        if claim is None or claim.wall_us is None:
            return None
        since = (ticks - claim.ticks + _HALF & _MASK) - _HALF
        return claim.wall_us + since * 1_000_000 // self._rate_hz if abs(since) <= CARRY_S * self._rate_hz else None

    def _note_jitter(self, ticks: int) -> None:
        """RFC 3550 A.8, but once a picture; and forget a report when the timestamps jump away from it."""
        transit = int(self._arrived_s * self._rate_hz) - ticks & _MASK
        if self._transit is not None:
            step = abs((transit - self._transit + _HALF & _MASK) - _HALF)
            self._jitter += (min(step, self._rate_hz) - self._jitter) / 16
            far = CARRY_OVER_JUMP_S * self._rate_hz
            claim = self._claim
            if step > far and claim is not None and abs((ticks - claim.ticks + _HALF & _MASK) - _HALF) > far:
                self._claim = None
        self._transit = transit

    def make_report(self, at_s: float) -> bytes:
        """A receiver report for the camera, as a compound packet; some cameras end a session that sends none."""
        own = (self._ssrc or 0) ^ _OWN_SSRC
        if self._ssrc is None:
            return rtcp.receiver_report(own, None)
        highest, should = self._numbers.received_until(self._next)
        lost = self._numbers.lost
        since, before = should - self._reported[0], self._reported[1]
        self._reported = (should, lost)
        reception = rtcp.Reception(
            source=self._ssrc,
            lost_share=max(0.0, min(1.0, (lost - before) / since)) if since > 0 else 0.0,
            lost_packets=lost,
            highest_sequence=highest,
            jitter_ticks=int(self._jitter),
            last_report=0 if self._claim is None else self._claim.ntp_middle,
            since_report_s=max(0.0, at_s - self._claimed_s),
        )
        return rtcp.receiver_report(own, reception)


class UnitMaker:
    """Turns one connection's pictures into what a recorder takes.

    Pictures with a hole are kept: a decoder conceals what is missing, an operator sees that something was there, and
    evidence is not for us to throw away. Dropped and counted is what has slices but not its first one, which no decoder
    can start at, and what comes before the stream's parameters are known. Units that come without a picture are put
    before the next one.
    """

    def __init__(self, numbering: Numbering, *, line: ServerLine) -> None:
        self.dropped_pictures = 0
        self._numbering = numbering
        self._placer = UnitPlacer(sequence=numbering.sequence, line=line)
        self._headers: HeaderMaker | None = None
        self._rate_hz = TICKS_PER_S
        self._is_told = False
        self._early: list[bytes] = []
        self._prefix: list[bytes] = []
        self._prefix_bytes = 0
        self._is_prefix_key = False
        self._ticks: int | None = None  # RTP timestamp without wrap

    @property
    def header(self) -> StreamHeader | None:
        """The stream's header, once its parameters are known."""
        return None if self._headers is None else self._headers.header

    def begin(self, media: VideoMedia) -> None:
        """The stream's description is known. Parameter sets in it that cannot be read are passed over: cameras are
        known to describe themselves wrongly and to send the right ones with their key frames."""
        self._headers = HeaderMaker(media.codec, session=self._numbering.session)
        self._rate_hz = max(1, media.clock_rate_hz)
        self._find_first_header(self._headers, media.parameter_sets)

    def take(self, picture: Picture) -> list[ReadItem]:
        """What one picture makes: usually one access unit. A header stands before the first unit of each session, the
        first one included.

        Raises Unavailable when the camera sends no pictures, or never its parameters.
        """
        headers = self._headers
        assert headers is not None
        if not picture.has_slice:
            self._keep_prefix(picture)
            return []
        if not picture.has_first_slice:
            self.dropped_pictures += 1
            return []
        data, is_key, has_sets = picture.data, picture.is_key, picture.has_sets
        if self._prefix:
            data, is_key, has_sets = b"".join((*self._prefix, data)), is_key or self._is_prefix_key, True
            self._prefix.clear()
            self._prefix_bytes, self._is_prefix_key = 0, False
        if not self._update_header(headers, data, is_key=is_key, has_sets=has_sets):
            return []
        self._ticks = unwrap(self._ticks, picture.rtp_ticks, bits=32)
        rate_hz = self._rate_hz
        presentation = self._ticks if rate_hz == TICKS_PER_S else self._ticks * TICKS_PER_S // rate_hz
        decode = self._placer.decode_ticks(presentation, is_key=is_key)
        times = RawTimes(decode, presentation, picture.arrived_s, picture.captured_us)
        items = self._placer.place(data, times, is_key=is_key)
        if not self._is_told and headers.header is not None:
            self._is_told = True
            items.insert(0, headers.header)
        return items

    def _keep_prefix(self, units: Picture) -> None:
        self._prefix.append(units.data)
        self._prefix_bytes += len(units.data)
        self._is_prefix_key = self._is_prefix_key or units.is_key
        if self._prefix_bytes > MAX_PREFIX_BYTES:
            raise Unavailable("the camera sends parameters but no pictures", code="video.no_picture")

    def _update_header(self, headers: HeaderMaker, data: bytes, *, is_key: bool, has_sets: bool) -> bool:
        """Whether a header is known for a picture, made anew where its parameter sets are new."""
        if headers.header is None:
            if has_sets:
                self._find_first_header(headers, list(h264.split_length_prefixed(data)))
            if headers.header is None:
                self.dropped_pictures += 1
                if self.dropped_pictures > MAX_PICTURES_TO_HEADER:
                    message = "the camera never sent its stream's parameters; restart it"
                    raise Unavailable(message, code="video.unreadable")
                return False
        elif has_sets and is_key:
            try:
                fresh = headers.find_change(one.rstrip(b"\0") for one in h264.split_length_prefixed(data))
            except Invalid:
                return True  # sets that nobody can read: the known ones stay
            if fresh is not None:
                self._is_told = False
                self._placer.restart()
        return True

    def _find_first_header(self, headers: HeaderMaker, nals: Sequence[bytes]) -> None:
        fresh = (one.rstrip(b"\0") for one in headers.pick(nals))
        self._early = list(dict.fromkeys((*self._early, *fresh)))[-MAX_EARLY_SETS:]
        if not headers.is_complete(self._early):
            return
        try:
            headers.make(self._early)
        except Invalid:
            self._early = []  # begin anew with what comes

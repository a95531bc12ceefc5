"""From RTP packets to pictures.

`PictureBuilder.feed` is called for every packet of every camera, 36,000 times a second for a hundred cameras of
4 Mbit/s. So the packets in the middle of a fragmented NAL unit, nearly all there are, cost one comparison of their
first bytes with the awaited ones; all others take the long way.

Each payload is copied at once into its picture's buffer, and once more when the picture is whole. To keep slices and
join them once would spare one copy, but they would have to outlive the call, and with it the receive buffer.
"""

import struct

from safecity.platform.errors import Unavailable
from safecity.video.reader import MAX_UNIT_BYTES
from safecity.video.rtsp import depacketise_h264, depacketise_h265, rtcp, rtp, runs
from safecity.video.rtsp.media import VideoMedia
from safecity.video.rtsp.open_picture import OpenPicture, Picture, StartsPicture, TakePayload
from safecity.video.rtsp.unit_maker import UnitMaker

__all__ = ["Picture", "PictureBuilder", "UnitMaker"]

CARRY_S = 3600  # a sender report tells the time of pictures so far from it
CARRY_OVER_JUMP_S = 10  # and so far, when the timestamps have jumped since
_ENDED = tuple(bytes((head | 0x40,)) for head in range(256))  # the head of a piece with its end bit
_FRAME = struct.Struct(">BBHH")
_OWN_SSRC = 0x5AFE_C174  # turns the camera's SSRC into ours: they need only differ (RFC 3550 section 8)
_HALF = 1 << 31
_MASK = (1 << 32) - 1


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
        self._marked_head = self._head | rtp.MARKER
        self._next = -1
        self._size = 0  # of the last packet that took the long way
        self._stamp = -1  # timestamp and SSRC as one number
        self._middle = b""
        self._last = b""  # and the last piece, which is the picture's last, too
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

    def feed(self, packet: memoryview, at_s: float) -> bool:
        """Take one RTP packet; what it finishes is put into `pictures` (two at most: one ends the one before it).

        Returns whether more of a unit in pieces is to come, so that `feed_run` is worth a try.
        Raises Invalid for payloads that are not read (interleaved H.264), Unavailable for a picture beyond 16 MiB.
        """
        try:
            head, sequence, stamp, start = self._unpack(packet)
        except struct.error:
            return self._take(packet, at_s)
        if sequence == self._next and stamp == self._stamp:
            if start == self._middle and head == self._head:
                self._data += packet[self._skip :]
                self._next = sequence + 1
                if len(self._data) > MAX_UNIT_BYTES:
                    self._refuse_size()
                return True
            if start == self._last and head == self._marked_head and self._middle and self._trusts_marker:
                self._data += packet[self._skip :]
                self._next = sequence + 1
                self._arrived_s, self._marked_stamp = at_s, stamp
                self._finish()
                return False
        return self._take(packet, at_s)

    def feed_run(self, data: memoryview, at: int) -> int:
        """Take the interleaved frames at `at` that go on with the unit of which a frame ends there; returns where
        others begin, `at` itself where there are none or few. Raises as `feed` does."""
        size = self._size + runs.FRAME_BYTES
        if not self._middle or at < size or len(data) - at < runs.MIN_RUN * size:
            return at
        head = _FRAME.pack(data[at - size], data[at - size + 1], self._size, self._head)
        tail = self._stamp.to_bytes(8) + self._middle
        if self._next >= rtp.TURN:  # the next number is 0: one by one
            return at
        count = runs.count_pieces(data, at, size=size, expected=(head, self._next, tail))
        if count:
            skip = runs.FRAME_BYTES + self._skip
            self._data += runs.gather(data, at, size=size, count=count, skip=skip)
            self._next += count
            at += count * size
            if len(self._data) > MAX_UNIT_BYTES:
                self._refuse_size()
        return at

    def _take(self, packet: memoryview, at_s: float) -> bool:
        """The long way, for every packet that is not the next piece of an open unit; whether such pieces follow."""
        span = rtp.find_payload(packet)
        if span is None:
            self.malformed_packets += 1
            return False
        _, second, sequence, ticks, ssrc = rtp.HEAD.unpack_from(packet)
        if second & 0x7F != self._payload_type:
            self._take_foreign(packet, at_s)
            return False
        if ssrc != self._ssrc:
            self._change_source(ssrc)
        has_loss = False
        if sequence != self._next:
            order = self._numbers.take(sequence, expected=self._next)
            if order is rtp.Order.LATE:
                return False
            has_loss = order is rtp.Order.AFTER_LOSS
        self._next = sequence + 1
        stamp = ticks << 32 | ssrc
        self._place(packet[span[0] : span[1]], stamp, has_loss=has_loss)
        self._arrived_s = at_s
        self._size = len(packet)
        middle = self._middle
        if middle:
            self._last = middle[:-1] + _ENDED[middle[-1]]
        if second & rtp.MARKER and self._trusts_marker:
            self._marked_stamp = stamp
            self._finish()
            return False
        return bool(middle)

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
        self._middle = b""  # should the payload be refused, no piece is awaited
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

"""A picture, and the picture in the making: its NAL units behind their lengths, and what kinds of units they were.

One buffer a camera, which grows with the picture and is emptied after it. Bytes are copied into it at once, because
they lie in a receive buffer that is used again as soon as the call returns.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from safecity.video import h264

Codec: TypeAlias = Literal["h264", "hevc"]
Bytes: TypeAlias = bytes | memoryview

# What a NAL unit is to us.
SLICE = 1
HEADED = 2  # a slice whose first bit says whether it is its picture's first
KEY = 4
SETS = 8
NOTE = 16  # supplemental enhancement information
DELIMITER = 32
ENDING = 64  # of a sequence or stream: a header is all there is of it
_SMALL = SETS | NOTE | DELIMITER
_START_CODE = b"\0\0\1"
START_CODES = (b"\0\0\0\1", _START_CODE)  # some cameras send them, though RTP has no need of them
_LENGTH = struct.Struct(">I")


def _h264_flags(kind: int) -> int:
    """Partitions B and C (3, 4) do not say where in the picture they are (H.264 7.3.2.9)."""
    flags = {1: SLICE | HEADED, 2: SLICE | HEADED, 3: SLICE, 4: SLICE, 5: SLICE | HEADED | KEY}
    return flags.get(kind, {6: NOTE, 7: SETS, 8: SETS, 9: DELIMITER, 10: ENDING, 11: ENDING}.get(kind, 0))


def _hevc_flags(kind: int) -> int:
    if kind < 32:
        return SLICE | HEADED | (KEY if 16 <= kind <= 23 else 0)
    return {32: SETS, 33: SETS, 34: SETS, 35: DELIMITER, 36: ENDING, 37: ENDING, 39: NOTE, 40: NOTE}.get(kind, 0)


# By the first byte of a NAL unit, for one look-up a unit.
FLAGS: dict[Codec, tuple[int, ...]] = {
    "h264": tuple(_h264_flags(first & 0x1F) for first in range(256)),
    "hevc": tuple(_hevc_flags(first >> 1 & 0x3F) for first in range(256)),
}


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


class OpenPicture:
    """Takes NAL units, whole or in pieces, in the order in which they come."""

    __slots__ = (
        "_flags",
        "_fragment_at",
        "_fragment_kind",
        "_header_bytes",
        "data",
        "has_first_slice",
        "has_sets",
        "has_slice",
        "is_begun",
        "is_key",
        "is_whole",
        "malformed",
    )

    def __init__(self, codec: Codec) -> None:
        self._flags = FLAGS[codec]
        self._header_bytes = 1 if codec == "h264" else 2
        self.data = bytearray()
        self.malformed = 0  # payloads that could not be read, over all pictures
        self.reset()

    def reset(self) -> None:
        """Empty it for the next picture."""
        self.data.clear()
        self._fragment_at = -1  # where the length of the unit in pieces stands
        self._fragment_kind = 0  # the first byte of its header
        self.is_begun = False
        self.has_slice = False
        self.has_first_slice = False
        self.has_sets = False
        self.is_key = False
        self.is_whole = True

    def add(self, nal: Bytes) -> None:
        """Take a whole NAL unit, its header included. Delimiters are left out; empty ones are malformed."""
        if self._fragment_at >= 0:
            self.end()
        size = len(nal)
        if size <= self._header_bytes:
            self._take_stub(nal)
            return
        flags = self._flags[nal[0]]
        if flags & SLICE:
            self._note_slice(flags, nal[self._header_bytes])
        elif flags & _SMALL and not self._keeps_small(bytes(nal), flags):
            return
        self.data += _LENGTH.pack(size)
        self.data += nal

    def add_aggregate(self, units: memoryview) -> None:
        """Take NAL units that stand behind two bytes of length each (STAP-A, AP)."""
        at, size = 0, len(units)
        while at + 2 <= size:
            end = at + 2 + (units[at] << 8 | units[at + 1])
            if end > size:
                self.note_malformed()
                return
            if end > at + 2:
                self.add(units[at + 2 : end])
            at = end

    def begin(self, header: bytes, body: Bytes) -> None:
        """Take the first piece of a NAL unit, whose header is made anew; one that was never ended ends here."""
        if self._fragment_at >= 0:
            self.end()
        flags = self._flags[header[0]]
        if flags & SLICE and len(body):
            self._note_slice(flags, body[0])
        self._fragment_at, self._fragment_kind = len(self.data), header[0]
        self.data += b"\0\0\0\0"
        self.data += header
        self.data += body

    def go_on(self, kind_byte: int, body: Bytes) -> bool:
        """Take the next piece; False, and the picture is not whole, where its beginning never came."""
        if self._fragment_at < 0 or (self._fragment_kind ^ kind_byte) & (0x1F if self._header_bytes == 1 else 0x7E):
            self.break_off()
            return False
        self.data += body
        return True

    def end(self) -> None:
        """The unit in pieces is complete."""
        at, data = self._fragment_at, self.data
        self._fragment_at = -1
        if at < 0:
            return
        if self._flags[self._fragment_kind] & _SMALL:
            nal = bytes(data[at + 4 :])
            del data[at:]
            self.add(nal)
        else:
            _LENGTH.pack_into(data, at, len(data) - at - 4)

    def break_off(self) -> None:
        """Something was lost: the unit in pieces ends where the loss began, and the picture is not whole.

        What came of a slice is kept without setting its forbidden_zero_bit, which RFC 6184 5.8 asks of a cut unit:
        decoders throw a unit with that bit away, where without it they show the part that came. Of cut parameter sets
        nothing is kept: wrong ones spoil more than missing ones.
        """
        self.is_whole = False
        at = self._fragment_at
        if at >= 0 and self._flags[self._fragment_kind] & _SMALL:
            self._fragment_at = -1
            del self.data[at:]
        else:
            self.end()

    def note_malformed(self) -> None:
        """A payload could not be read: something of the picture is missing."""
        self.malformed += 1
        self.break_off()

    def _take_stub(self, nal: Bytes) -> None:
        """A unit without a body: right only for what ends a sequence, or for a delimiter that was cut short."""
        flags = self._flags[nal[0]] if len(nal) == self._header_bytes else 0
        if flags & ENDING:
            self.data += _LENGTH.pack(len(nal))
            self.data += nal
        elif not flags & DELIMITER:
            self.note_malformed()

    def _note_slice(self, flags: int, first: int) -> None:
        self.has_slice = True
        if flags & KEY:
            self.is_key = True
        if flags & HEADED and first & 0x80:  # first_mb_in_slice is 0; first_slice_segment_in_pic_flag
            self.has_first_slice = True

    def _keeps_small(self, nal: bytes, flags: int) -> bool:
        """Whether a unit that is no slice is to be taken as it is. Some cameras put several units into one, with start
        codes between them, which no unit can hold by itself (emulation prevention)."""
        at = nal.find(_START_CODE)
        while at >= 0 and flags & NOTE and _reaches(nal, at, header_bytes=self._header_bytes):
            at = nal.find(_START_CODE, at + 1)
        if at >= 0:
            self.add(nal[:at].rstrip(b"\0"))
            for part in h264.split_annex_b(nal[at:]):
                self.add(part)
            return False
        if flags & SETS:
            self.has_sets = True
        elif flags & NOTE and self._header_bytes == 1 and not self.is_key:
            self.is_key = h264.has_recovery_point(nal)
        return not flags & DELIMITER


def _reaches(sei: bytes, at: int, *, header_bytes: int) -> bool:
    """Whether an SEI says of itself that a message of it goes on behind an offset (H.264 7.3.2.3.1, H.265 7.3.5).

    The ONVIF media-signing framework writes certificates into SEIs without emulation prevention, so that a start code
    can stand inside of a signature; splitting there would break it.
    """
    position = header_bytes
    while position < at:
        sizes: list[int] = []
        for _ in ("type", "size"):
            value = 0
            while position < len(sei) and sei[position] == 0xFF:
                value, position = value + 0xFF, position + 1
            if position >= len(sei):
                return False
            sizes.append(value + sei[position])
            position += 1
        position += sizes[1]
        if at < position <= len(sei):
            return True
    return False


TakePayload: TypeAlias = Callable[[memoryview, OpenPicture], bytes]
"""Takes one payload into the picture; returns how payloads of more pieces of the same unit begin, or nothing."""

StartsPicture: TypeAlias = Callable[[memoryview], bool]
"""Whether a payload can only be the beginning of another picture."""

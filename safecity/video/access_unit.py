"""What a reader hands on: one coded picture with its times, and the header of the stream it belongs to.

The same two values travel from the reader to the segment writer, to the ring, and over ZeroMQ to the gateway and the
analysers. Media time is in ticks of 90 kHz everywhere (the RTP clock of video, RFC 6184 and RFC 7798).
"""

import json
import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from safecity.platform.clock import from_us

TICKS_PER_S = 90_000
_NO_TIME = -(1 << 63)
# media ticks, composition offset, key flag, captured us, received us, received monotonic s, sequence
_META = struct.Struct("<qi?qqdQ")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessUnit:
    """One coded picture: its NAL units, each behind a 4-byte length (ISO/IEC 14496-15), in decoding order.

    All NAL units of the picture are kept (SEI, in-band parameter sets), only access unit delimiters may go, so that
    signatures in SEI messages survive.
    """

    data: bytes
    media_ticks: int  # decode time, 90 kHz, unwrapped, strictly rising within a session
    composition_offset_ticks: int  # presentation minus decode time
    is_key: bool
    captured_us: int | None  # UTC that the camera claims (RTCP sender report); None before the first report
    received_us: int  # UTC on this server's time line
    received_s: float  # monotonic
    sequence: int  # rises by one for each unit of a stream, across its sessions; a jump is a loss on the way

    @property
    def captured_at(self) -> datetime | None:
        """When the camera claims to have taken it."""
        return None if self.captured_us is None else from_us(self.captured_us)

    @property
    def received_at(self) -> datetime:
        """When its last byte came, on this server's time line."""
        return from_us(self.received_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamHeader:
    """What a decoder must know before the first picture; a new one starts a new session and a new segment."""

    codec: Literal["h264", "hevc"]
    codec_string: str  # RFC 6381, such as avc1.42E01F
    width_px: int
    height_px: int
    parameter_sets: tuple[bytes, ...]  # without lengths or start codes: SPS, PPS (H.264); VPS, SPS, PPS (H.265)
    session: int


def pack_meta(unit: AccessUnit) -> bytes:
    """Everything of an access unit but its bytes, for the wire between recorder and gateway."""
    captured_us = _NO_TIME if unit.captured_us is None else unit.captured_us
    return _META.pack(
        unit.media_ticks,
        unit.composition_offset_ticks,
        unit.is_key,
        captured_us,
        unit.received_us,
        unit.received_s,
        unit.sequence,
    )


def unpack_access_unit(meta: bytes, data: bytes) -> AccessUnit:
    """The reverse of `pack_meta`; raises struct.error when the meta block is not one of ours."""
    ticks, offset, is_key, captured_us, received_us, received_s, sequence = _META.unpack(meta)
    return AccessUnit(
        data=data,
        media_ticks=ticks,
        composition_offset_ticks=offset,
        is_key=is_key,
        captured_us=None if captured_us == _NO_TIME else captured_us,
        received_us=received_us,
        received_s=received_s,
        sequence=sequence,
    )


def pack_header(header: StreamHeader) -> bytes:
    """A stream header as JSON, parameter sets in hex."""
    return json.dumps(
        {
            "codec": header.codec,
            "codec_string": header.codec_string,
            "width_px": header.width_px,
            "height_px": header.height_px,
            "parameter_sets": [one.hex() for one in header.parameter_sets],
            "session": header.session,
        }
    ).encode()


def unpack_header(raw: bytes) -> StreamHeader:
    """The reverse of `pack_header`; raises KeyError or ValueError when it is not one of ours."""
    fields = json.loads(raw)
    return StreamHeader(
        codec=fields["codec"],
        codec_string=fields["codec_string"],
        width_px=fields["width_px"],
        height_px=fields["height_px"],
        parameter_sets=tuple(bytes.fromhex(one) for one in fields["parameter_sets"]),
        session=fields["session"],
    )

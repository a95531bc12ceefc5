"""RTCP (RFC 3550 section 6): sender reports with the camera's wall clock, and a bounded look at what viewers send."""

import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from safecity.platform.clock import to_us

NTP_UNIX_OFFSET_S: Final = 2_208_988_800
"""Seconds from 1900, where NTP time starts, to 1970."""

_SR, _RR, _SDES, _BYE = 200, 201, 202, 203
_CNAME = 1
_MASK_32 = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverReport:
    """What one viewer says about one source (RFC 3550 section 6.4.2)."""

    lost_share: float
    lost_packets: int
    jitter_ticks: int


def ntp_timestamp(instant: datetime) -> int:
    """64-bit NTP time of an instant; it wraps in 2036 as NTP does."""
    seconds, micros = divmod(to_us(instant), 1_000_000)
    return ((seconds + NTP_UNIX_OFFSET_S) & _MASK_32) << 32 | (micros << 32) // 1_000_000


def sender_report(
    *, ssrc: int, captured_at: datetime, rtp_timestamp: int, packets: int, octets: int, name: str
) -> bytes:
    """A sender report followed by SDES with the canonical name, as one compound packet."""
    report = struct.pack(
        ">BBHIQIII",
        0x80,
        _SR,
        6,
        ssrc,
        ntp_timestamp(captured_at),
        rtp_timestamp,
        packets & _MASK_32,
        octets & _MASK_32,
    )
    text = name.encode()[:255]
    item = struct.pack(">IBB", ssrc, _CNAME, len(text)) + text + b"\0"
    item += b"\0" * (-len(item) % 4)
    return report + struct.pack(">BBH", 0x81, _SDES, len(item) // 4) + item


def goodbye(ssrc: int) -> bytes:
    """An empty receiver report and BYE: the source stops (RFC 3550 section 6.6)."""
    return struct.pack(">BBHI", 0x80, _RR, 1, ssrc) + struct.pack(">BBHI", 0x81, _BYE, 1, ssrc)


def read_receiver_report(packet: bytes) -> ReceiverReport | None:
    """The first report block of a viewer's compound packet; None where there is none or it is malformed."""
    at = 0
    while at + 4 <= len(packet):
        head, kind, words = struct.unpack_from(">BBH", packet, at)
        size = (words + 1) * 4
        if head >> 6 != 2 or at + size > len(packet):
            return None
        if kind == _RR and head & 0x1F and size >= 32:
            _, lost, _, jitter = struct.unpack_from(">IIII", packet, at + 8)
            return ReceiverReport(lost_share=(lost >> 24) / 256, lost_packets=lost & 0xFFFFFF, jitter_ticks=jitter)
        at += size
    return None

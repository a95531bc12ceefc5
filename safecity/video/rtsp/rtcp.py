"""RTCP (RFC 3550 section 6) as a receiver needs it: the camera's wall clock, its goodbye, and our reports."""

import struct
from dataclasses import dataclass

NTP_UNIX_OFFSET_S = 2_208_988_800  # 1900, where NTP time starts, to 1970
_NTP_ERA = 1 << 32
_NTP_HALF = 1 << 31  # seconds below it lie behind the wrap of 2036 (RFC 4330 section 3)
_SR, _RR, _SDES, _BYE = 200, 201, 202, 203
TYPES = range(200, 208)
_CNAME = 1
_NAME = b"safecity"
_HEAD = struct.Struct(">BBH")
_SENDER = struct.Struct(">IIII")  # SSRC, NTP seconds, NTP fraction, RTP timestamp
_BLOCK = struct.Struct(">IIIIII")


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderReport:
    """What a camera says its clock showed at an RTP timestamp (RFC 3550 section 6.4.1)."""

    ssrc: int
    wall_us: int | None  # microseconds since 1970; None where the camera says that it has no clock (all zero)
    ntp_middle: int  # the middle 32 bits of the NTP time, to be repeated in our reports
    ticks: int  # RTP timestamp, 32 bits, of the media's clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Compound:
    """What a compound packet said that matters here."""

    sender: SenderReport | None  # the last one in it
    is_goodbye: bool
    is_sound: bool  # False where it broke off or was none; what stood before that counts


def read_compound(packet: memoryview) -> Compound:
    """Read a compound packet as far as it is one. Cameras leave out what RFC 3550 6.1 demands: nothing is refused."""
    sender, is_goodbye, at, size = None, False, 0, len(packet)
    while at + _HEAD.size <= size:
        first, kind, words = _HEAD.unpack_from(packet, at)
        end = at + 4 * (words + 1)
        if first >> 6 != 2 or kind not in TYPES or end > size:
            return Compound(sender=sender, is_goodbye=is_goodbye, is_sound=False)
        if kind == _SR and end - at >= _HEAD.size + _SENDER.size:
            sender = _read_sender(packet, at + _HEAD.size)
        is_goodbye = is_goodbye or kind == _BYE
        at = end
    return Compound(sender=sender, is_goodbye=is_goodbye, is_sound=at == size and size > 0)


def _read_sender(packet: memoryview, at: int) -> SenderReport:
    ssrc, seconds, fraction, ticks = _SENDER.unpack_from(packet, at)
    wall_us = None
    if seconds or fraction:
        era_s = _NTP_ERA if seconds < _NTP_HALF else 0
        wall_us = (seconds + era_s - NTP_UNIX_OFFSET_S) * 1_000_000 + (fraction * 1_000_000 + _NTP_HALF >> 32)
    middle = (seconds & 0xFFFF) << 16 | fraction >> 16
    return SenderReport(ssrc=ssrc, wall_us=wall_us, ntp_middle=middle, ticks=ticks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """What we tell a source about its packets (RFC 3550 section 6.4.2)."""

    source: int  # its SSRC
    lost_share: float  # since our last report, 0 to 1
    lost_packets: int
    highest_sequence: int  # extended
    jitter_ticks: int
    last_report: int  # `ntp_middle` of its last sender report, 0 before the first
    since_report_s: float


def receiver_report(own_ssrc: int, reception: Reception | None) -> bytes:
    """A receiver report with our canonical name behind it, as one compound packet; without a block before any media."""
    block = b""
    if reception is not None:
        share = min(255, int(reception.lost_share * 256))
        block = _BLOCK.pack(
            reception.source,
            share << 24 | min(reception.lost_packets, 0x7F_FFFF),
            reception.highest_sequence,
            reception.jitter_ticks & 0xFFFF_FFFF,
            reception.last_report,
            min(int(reception.since_report_s * 65_536), 0xFFFF_FFFF) if reception.last_report else 0,
        )
    head = _HEAD.pack(0x80 | bool(block), _RR, 1 + len(block) // 4) + struct.pack(">I", own_ssrc)
    item = struct.pack(">IBB", own_ssrc, _CNAME, len(_NAME)) + _NAME + b"\0"
    item += b"\0" * (-len(item) % 4)
    return head + block + _HEAD.pack(0x81, _SDES, len(item) // 4) + item

"""Senders for the tests of our RTP reader: they pack NAL units by the RFCs in any way that these allow."""

import struct
from collections.abc import Iterable, Sequence
from typing import Literal

from safecity.video.rtsp.media import VideoMedia
from safecity.video.rtsp.pictures import Picture, PictureBuilder

PAYLOAD_TYPE = 96
SSRC = 0x1234_5678


def media(codec: Literal["h264", "hevc"] = "h264", sets: tuple[bytes, ...] = (), rate_hz: int = 90_000) -> VideoMedia:
    """A description of a stream."""
    return VideoMedia(
        control_url="rtsp://camera/track1",
        codec=codec,
        payload_type=PAYLOAD_TYPE,
        clock_rate_hz=rate_hz,
        parameter_sets=sets,
        packetization_mode=1 if codec == "h264" else 0,
    )


class Sender:
    """Numbers packets as a camera does."""

    def __init__(self, *, sequence: int = 65_530, ssrc: int = SSRC) -> None:
        self.sequence = sequence
        self.ssrc = ssrc

    def packet(self, payload: bytes, ticks: int, *, marker: bool = False) -> bytes:
        """The next packet."""
        second = PAYLOAD_TYPE | (0x80 if marker else 0)
        head = struct.pack(">BBHII", 0x80, second, self.sequence & 0xFFFF, ticks & 0xFFFF_FFFF, self.ssrc)
        self.sequence += 1
        return head + payload

    def picture(self, payloads: Sequence[bytes], ticks: int, *, marker: bool = True) -> list[bytes]:
        """The packets of one picture; the marker stands on the last one."""
        last = len(payloads) - 1
        return [self.packet(one, ticks, marker=marker and at == last) for at, one in enumerate(payloads)]


def fragments(nal: bytes, size: int, codec: str = "h264") -> list[bytes]:
    """FU-A (RFC 6184 5.8) or FU (RFC 7798 4.4.3) of a NAL unit, `size` bytes of it in each."""
    header = 1 if codec == "h264" else 2
    body = nal[header:]
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    if len(pieces) < 2:
        return [nal]
    out: list[bytes] = []
    for at, piece in enumerate(pieces):
        bits = (0x80 if at == 0 else 0) | (0x40 if at == len(pieces) - 1 else 0)
        if codec == "h264":
            out.append(bytes((nal[0] & 0xE0 | 28, bits | nal[0] & 0x1F)) + piece)
        else:
            out.append(bytes((nal[0] & 0x81 | 49 << 1, nal[1], bits | nal[0] >> 1 & 0x3F)) + piece)
    return out


def aggregate(nals: Iterable[bytes], codec: str = "h264") -> bytes:
    """STAP-A (RFC 6184 5.7.1) or AP (RFC 7798 4.4.2) of NAL units."""
    body = b"".join(struct.pack(">H", len(nal)) + nal for nal in nals)
    return (b"\x78" if codec == "h264" else bytes((48 << 1, 1))) + body


def framed(nals: Iterable[bytes]) -> bytes:
    """NAL units as a picture holds them."""
    return b"".join(len(nal).to_bytes(4) + nal for nal in nals)


def feed(builder: PictureBuilder, packets: Iterable[bytes], *, at_s: float = 1.0) -> list[Picture]:
    """All pictures that packets make, the unfinished last one too. Each packet lies in a buffer that is wiped after
    the call, as a driver's is."""
    out: list[Picture] = []
    for number, packet in enumerate(packets):
        buffer = bytearray(packet)
        with memoryview(buffer) as view:
            picture = builder.add(view, at_s + number * 0.001)
        buffer[:] = b"\xff" * len(buffer)
        if picture is not None:
            out.append(picture)
    builder.finish()
    return out + builder.pictures

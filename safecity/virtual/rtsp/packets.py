"""RTP payloads of H.264 (RFC 6184) and H.265 (RFC 7798), made once for a stream and shared by all who play it.

Each picture becomes one block of bytes that holds its packets as they go over an interleaved RTSP connection
(RFC 2326 section 10.12): `$`, channel, length, RTP header, payload. Sequence number, timestamp and SSRC are
left open; a viewer copies the block and fills them in, which is all the work a picture costs per viewer.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from safecity.virtual.elementary import Codec, Elementary, Picture
from safecity.virtual.sent_log import mark_of

MAX_PAYLOAD_BYTES: Final = 1400
"""Fits an Ethernet frame together with RTP, UDP, IPv6 and a tunnel's header."""

PAYLOAD_TYPE: Final = 96
FRAME_BYTES: Final = 4
HEADER_BYTES: Final = 12
OVERHEAD_BYTES: Final = FRAME_BYTES + HEADER_BYTES

_HEAD = struct.Struct(">BBHBBHII")
_OPEN = struct.Struct(">HII")
_STAP_A, _FU_A = 24, 28
_AP, _FU = 48, 49


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketBlock:
    """The packets of one picture, in one run of bytes."""

    block: bytes
    offsets: tuple[int, ...]
    """Where each packet starts (its `$`)."""
    ticks: int
    is_key: bool
    index: int
    """Position of the picture in its stream: the burned-in number, where there is one."""
    mark: bytes
    """What the sent log knows the picture by."""

    @property
    def octets(self) -> int:
        """Payload octets, as a sender report counts them."""
        return len(self.block) - OVERHEAD_BYTES * len(self.offsets)


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketStream:
    """A whole stream, ready to send."""

    source: Elementary
    blocks: tuple[PacketBlock, ...]
    ticks: tuple[int, ...]
    """Decode time of each block, for searching."""
    keys: tuple[int, ...]
    """Positions of the key pictures."""


def packetise(source: Elementary) -> PacketStream:
    """Make every packet of a stream."""
    blocks = tuple(_block(picture, index, source=source) for index, picture in enumerate(source.pictures))
    return PacketStream(
        source=source,
        blocks=blocks,
        ticks=tuple(block.ticks for block in blocks),
        keys=tuple(block.index for block in blocks if block.is_key),
    )


def payloads(nals: tuple[bytes, ...], codec: Codec) -> Iterator[bytes]:
    """RTP payloads of NAL units: one each where it fits, fragmentation units where it does not."""
    for nal in nals:
        if len(nal) <= MAX_PAYLOAD_BYTES:
            yield nal
        elif codec == "h264":
            yield from _fragments(nal[1:], bytes([nal[0] & 0xE0 | _FU_A]), kind=nal[0] & 0x1F)
        else:
            yield from _fragments(nal[2:], bytes([nal[0] & 0x81 | _FU << 1, nal[1]]), kind=(nal[0] >> 1) & 0x3F)


def aggregate(nals: tuple[bytes, ...], codec: Codec) -> Iterator[bytes]:
    """Parameter sets in one packet (STAP-A, RFC 6184 section 5.7.1; AP, RFC 7798 section 4.4.2) where they fit."""
    body = b"".join(len(nal).to_bytes(2, "big") + nal for nal in nals)
    if len(nals) < 2 or len(body) + 2 > MAX_PAYLOAD_BYTES:
        yield from payloads(nals, codec)
    elif codec == "h264":
        yield bytes([max(nal[0] & 0x60 for nal in nals) | _STAP_A]) + body
    else:
        yield bytes([_AP << 1, 1]) + body


def fill_in(block: PacketBlock, *, channel: int, sequence: int, timestamp: int, ssrc: int) -> bytearray:
    """A copy of the block with its open fields set; the caller's sequence number goes on by one for each packet."""
    filled = bytearray(block.block)
    pack = _OPEN.pack_into
    for offset in block.offsets:
        pack(filled, offset + 6, sequence, timestamp, ssrc)
        sequence = sequence + 1 & 0xFFFF
    if channel:
        for offset in block.offsets:
            filled[offset + 1] = channel
    return filled


def _block(picture: Picture, index: int, *, source: Elementary) -> PacketBlock:
    parts = list(aggregate(source.parameter_sets, source.codec)) if picture.is_key else []
    parts += payloads(picture.nals, source.codec)
    block = bytearray()
    offsets: list[int] = []
    for number, payload in enumerate(parts, start=1):
        offsets.append(len(block))
        marker = 0x80 if number == len(parts) else 0
        block += _HEAD.pack(0x24, 0, HEADER_BYTES + len(payload), 0x80, marker | PAYLOAD_TYPE, 0, 0, 0)
        block += payload
    return PacketBlock(
        block=bytes(block), offsets=tuple(offsets), ticks=picture.ticks, is_key=picture.is_key, index=index,
        mark=mark_of(picture.nals, source.codec),
    )  # fmt: skip


def _fragments(body: bytes, head: bytes, *, kind: int) -> Iterator[bytes]:
    room = MAX_PAYLOAD_BYTES - len(head) - 1
    for at in range(0, len(body), room):
        start = 0x80 if at == 0 else 0
        end = 0x40 if at + room >= len(body) else 0
        yield head + bytes([start | end | kind]) + body[at : at + room]

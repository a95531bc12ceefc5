"""What has to be known of H.265 (ITU-T H.265 | ISO/IEC 23008-2) to store it."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from safecity.platform.errors import Invalid
from safecity.video.bits import BitReader, unescape

MAX_SIDE_PX = 16_384
_ARRAYS = (32, 33, 34)


class NalType(IntEnum):
    """`nal_unit_type` (table 7-1), as far as storing needs it."""

    IRAP_FIRST = 16
    IRAP_LAST = 23
    VPS = 32
    SPS = 33
    PPS = 34
    AUD = 35
    PREFIX_SEI = 39
    SUFFIX_SEI = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Sps:
    """A sequence parameter set: the 12 bytes of profile, tier and level, picture size after cropping, depths."""

    profile_tier_level: bytes
    temporal_layers: int
    is_temporal_nested: bool
    chroma_format_idc: int
    bit_depth_luma: int
    bit_depth_chroma: int
    width_px: int
    height_px: int


def nal_type(nal: bytes) -> int:
    """`nal_unit_type` of a NAL unit without start code; raises Invalid for one shorter than its header."""
    if len(nal) < 2:
        raise Invalid("an H.265 NAL unit is shorter than its header", code="video.nal_invalid")
    return nal[0] >> 1 & 0x3F


def parse_sps(nal: bytes) -> Sps:
    """Read the head of a sequence parameter set (7.3.2.2); raises Invalid when it cannot be one."""
    if nal_type(nal) != NalType.SPS:
        raise Invalid("this is no H.265 sequence parameter set", code="video.parameter_set_invalid")
    payload = unescape(nal[2:])
    bits = BitReader(payload)
    bits.u(4)  # sps_video_parameter_set_id
    sub_layers, is_nested = bits.u(3), bits.flag()
    profile_tier_level = bits.u(96).to_bytes(12)
    _skip_sub_layers(bits, sub_layers)
    bits.ue()  # sps_seq_parameter_set_id
    chroma = bits.ue()
    if chroma > 3:
        raise Invalid(f"chroma format {chroma} does not exist", code="video.parameter_set_invalid")
    if chroma == 3:
        bits.flag()  # separate_colour_plane_flag
    width, height = _read_size(bits, chroma)
    depths = bits.ue() + 8, bits.ue() + 8
    if max(depths) > 16:
        raise Invalid("a bit depth over 16 does not exist in H.265", code="video.parameter_set_invalid")
    return Sps(
        profile_tier_level=profile_tier_level,
        temporal_layers=sub_layers + 1,
        is_temporal_nested=is_nested,
        chroma_format_idc=chroma,
        bit_depth_luma=depths[0],
        bit_depth_chroma=depths[1],
        width_px=width,
        height_px=height,
    )


def _skip_sub_layers(bits: BitReader, count: int) -> None:
    present = [(bits.flag(), bits.flag()) for _ in range(count)]
    if count:
        bits.u(2 * (8 - count))
    for has_profile, has_level in present:
        bits.u((88 if has_profile else 0) + (8 if has_level else 0))


def _read_size(bits: BitReader, chroma: int) -> tuple[int, int]:
    width, height = bits.ue(), bits.ue()
    if bits.flag():
        left, right, top, bottom = (bits.ue() for _ in range(4))
        width -= (2 if chroma in (1, 2) else 1) * (left + right)
        height -= (2 if chroma == 1 else 1) * (top + bottom)
    if not (0 < width <= MAX_SIDE_PX and 0 < height <= MAX_SIDE_PX):
        raise Invalid(f"a picture of {width} x {height} px cannot be", code="video.parameter_set_invalid")
    return width, height


def codec_string(sps: bytes) -> str:
    """The RFC 6381 name (ISO/IEC 14496-15 annex E), such as `hvc1.1.6.L93.B0`."""
    general = parse_sps(sps).profile_tier_level
    space = ("", "A", "B", "C")[general[0] >> 6]
    compatibility = int(f"{int.from_bytes(general[1:5]):032b}"[::-1], 2)
    tier = "H" if general[0] & 0x20 else "L"
    constraints = general[5:11].rstrip(b"\0")
    tail = "".join(f".{byte:X}" for byte in constraints)
    return f"hvc1.{space}{general[0] & 0x1F}.{compatibility:X}.{tier}{general[11]}{tail}"


def configuration_record(parameter_sets: Sequence[bytes]) -> bytes:
    """The `hvcC` record (ISO/IEC 14496-15 8.3.3.1); raises Invalid unless VPS, SPS and PPS are there."""
    arrays = [(kind, [nal for nal in parameter_sets if nal_type(nal) == kind]) for kind in _ARRAYS]
    if any(not nals for _, nals in arrays):
        raise Invalid("an H.265 stream needs VPS, SPS and PPS; one is missing", code="video.parameter_set_missing")
    sps = parse_sps(arrays[1][1][0])
    out = b"\x01" + sps.profile_tier_level + struct.pack(">HB", 0xF000, 0xFC)
    out += bytes((0xFC | sps.chroma_format_idc, 0xF8 | sps.bit_depth_luma - 8, 0xF8 | sps.bit_depth_chroma - 8))
    out += struct.pack(">HBB", 0, sps.temporal_layers << 3 | sps.is_temporal_nested << 2 | 3, len(arrays))
    for kind, nals in arrays:
        out += struct.pack(">BH", 0x80 | kind, len(nals))
        out += b"".join(struct.pack(">H", len(nal)) + nal for nal in nals)
    return out


def parameter_sets_of(record: bytes) -> tuple[bytes, ...]:
    """The NAL units of an `hvcC` record; raises Invalid when it does not hold together."""
    if len(record) < 23 or record[0] != 1 or record[21] & 3 != 3:
        raise Invalid("the hvcC record is damaged or has other than 4-byte lengths", code="video.hvcc_invalid")
    at, found = 23, []
    for _ in range(record[22]):
        count = int.from_bytes(record[at + 1 : at + 3])
        at += 3
        for _ in range(count):
            length = int.from_bytes(record[at : at + 2])
            nal = record[at + 2 : at + 2 + length]
            if len(nal) != length or not length:
                raise Invalid("the hvcC record ends too early", code="video.hvcc_invalid")
            found.append(nal)
            at += 2 + length
    return tuple(found)

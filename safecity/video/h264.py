"""What has to be known of H.264 (ITU-T H.264 | ISO/IEC 14496-10) to store it: NAL units and parameter sets."""

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from safecity.platform.errors import Invalid
from safecity.video.bits import BitReader, unescape

MAX_SIDE_PX = 16_384
MAX_FRAMES_PER_S = 300  # above it, encoders have written their time base instead of a rate
MAX_PARAMETER_SETS = 31  # avcC counts sequence parameter sets in five bits
# Profiles whose parameter sets tell chroma format and bit depth (H.264 7.3.2.1.1), and whose avcC repeats them.
HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_AVCC_SHORT = frozenset({66, 77, 88})  # Baseline, Main, Extended: their avcC has no chroma and depth fields
_START_CODE = re.compile(rb"\x00\x00\x01")
# Sub-sampling of chroma by chroma_format_idc: (width unit, height unit) of the cropping rectangle.
_CROP_UNITS = {0: (1, 1), 1: (2, 2), 2: (2, 1), 3: (1, 1)}
_EXTENDED_ASPECT = 255
MAX_SEI_BYTES = 4096  # looked through for a recovery point; encoders put it first
_RECOVERY_POINT = 6
_TRAILING_BITS = 0x80


class NalType(IntEnum):
    """`nal_unit_type` (table 7-1), as far as storing needs it."""

    SLICE = 1
    PARTITION_A = 2
    IDR = 5
    SEI = 6
    SPS = 7
    PPS = 8
    AUD = 9
    END_OF_SEQUENCE = 10
    END_OF_STREAM = 11
    FILLER = 12
    SPS_EXTENSION = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Sps:
    """A sequence parameter set: profile, picture size after cropping, and its timing where the camera states one."""

    profile_idc: int
    constraint_flags: int
    level_idc: int
    chroma_format_idc: int
    bit_depth_luma: int
    bit_depth_chroma: int
    width_px: int
    height_px: int
    units_in_tick: int | None
    time_scale: int | None
    reorder_frames: int | None

    @property
    def frames_per_s(self) -> float | None:
        """The rate the camera states (two fields a frame, H.264 E.2.1); None where it states none that can be meant."""
        if not self.units_in_tick or not self.time_scale:
            return None
        rate = self.time_scale / (2 * self.units_in_tick)
        return rate if rate <= MAX_FRAMES_PER_S else None


def nal_type(nal: bytes) -> int:
    """`nal_unit_type` of a NAL unit without start code; raises Invalid for an empty one."""
    if not nal:
        raise Invalid("an H.264 NAL unit is empty", code="video.nal_invalid")
    return nal[0] & 0x1F


def split_annex_b(stream: bytes) -> list[bytes]:
    """The NAL units of a byte stream with start codes (annex B), without start codes and trailing zeros."""
    marks = [match.start() for match in _START_CODE.finditer(stream)]
    ends = [*marks[1:], len(stream)]
    nals = (stream[start + 3 : end].rstrip(b"\0") for start, end in zip(marks, ends, strict=False))
    return [nal for nal in nals if nal]


def split_length_prefixed(data: bytes) -> Iterator[bytes]:
    """The NAL units of a sample with 4-byte lengths; raises Invalid when the lengths do not fit."""
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4])
        end = at + 4 + length
        if len(data) - at < 4 or end > len(data):
            raise Invalid("the NAL lengths of a picture do not fit its size", code="video.nal_invalid")
        yield data[at + 4 : end]
        at = end


def to_length_prefixed(nals: Sequence[bytes]) -> bytes:
    """The NAL units joined, each behind its length in 4 bytes (ISO/IEC 14496-15)."""
    return b"".join(part for nal in nals for part in (len(nal).to_bytes(4), nal))


def parse_sps(nal: bytes) -> Sps:
    """Read a sequence parameter set (7.3.2.1.1); raises Invalid when it cannot be one."""
    if nal_type(nal) != NalType.SPS:
        raise Invalid("this is no H.264 sequence parameter set", code="video.parameter_set_invalid")
    bits = BitReader(unescape(nal[1:]))
    profile, constraints, level = bits.u(8), bits.u(8), bits.u(8)
    bits.ue()  # seq_parameter_set_id
    chroma, luma_depth, chroma_depth = _read_chroma(bits) if profile in HIGH_PROFILES else (1, 8, 8)
    _skip_order_count(bits)
    bits.ue()  # max_num_ref_frames
    bits.flag()  # gaps_in_frame_num_value_allowed_flag
    width, height = _read_size(bits, chroma)
    units, scale, reorder = _find_vui(bits)
    return Sps(
        profile_idc=profile,
        constraint_flags=constraints,
        level_idc=level,
        chroma_format_idc=chroma,
        bit_depth_luma=luma_depth,
        bit_depth_chroma=chroma_depth,
        width_px=width,
        height_px=height,
        units_in_tick=units,
        time_scale=scale,
        reorder_frames=reorder,
    )


def _read_chroma(bits: BitReader) -> tuple[int, int, int]:
    chroma = bits.ue()
    if chroma > 3:
        raise Invalid(f"chroma format {chroma} does not exist", code="video.parameter_set_invalid")
    if chroma == 3:
        bits.flag()  # separate_colour_plane_flag
    luma_depth, chroma_depth = bits.ue() + 8, bits.ue() + 8
    if max(luma_depth, chroma_depth) > 14:
        raise Invalid("a bit depth over 14 does not exist in H.264", code="video.parameter_set_invalid")
    bits.flag()  # qpprime_y_zero_transform_bypass_flag
    if bits.flag():  # seq_scaling_matrix_present_flag
        for index in range(8 if chroma != 3 else 12):
            if bits.flag():
                _skip_scaling_list(bits, 16 if index < 6 else 64)
    return chroma, luma_depth, chroma_depth


def _skip_scaling_list(bits: BitReader, size: int) -> None:
    last, following = 8, 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _skip_order_count(bits: BitReader) -> None:
    bits.ue()  # log2_max_frame_num_minus4
    kind = bits.ue()
    if kind == 0:
        bits.ue()  # log2_max_pic_order_cnt_lsb_minus4
    elif kind == 1:
        bits.flag()
        bits.se()
        bits.se()
        count = bits.ue()
        if count > 255:
            raise Invalid("a picture order cycle over 255 does not exist", code="video.parameter_set_invalid")
        for _ in range(count):
            bits.se()


def _read_size(bits: BitReader, chroma: int) -> tuple[int, int]:
    width, map_units = 16 * (bits.ue() + 1), 16 * (bits.ue() + 1)
    is_frames_only = bits.flag()
    if not is_frames_only:
        bits.flag()  # mb_adaptive_frame_field_flag
    height = map_units * (1 if is_frames_only else 2)
    bits.flag()  # direct_8x8_inference_flag
    if bits.flag():
        unit_x, unit_y = _CROP_UNITS[chroma]
        left, right, top, bottom = (bits.ue() for _ in range(4))
        width -= unit_x * (left + right)
        height -= unit_y * (1 if is_frames_only else 2) * (top + bottom)
    if not (0 < width <= MAX_SIDE_PX and 0 < height <= MAX_SIDE_PX):
        raise Invalid(f"a picture of {width} x {height} px cannot be", code="video.parameter_set_invalid")
    return width, height


def _find_vui(bits: BitReader) -> tuple[int | None, int | None, int | None]:
    # Cameras are known to cut the usability information short; it is a hint, so nothing is refused for it.
    try:
        return _read_vui(bits) if bits.flag() else (None, None, None)
    except Invalid:
        return None, None, None


def _read_vui(bits: BitReader) -> tuple[int | None, int | None, int | None]:
    """Timing (units in tick, time scale) and the number of reordered frames (E.1.1), each where stated."""
    if bits.flag() and bits.u(8) == _EXTENDED_ASPECT:
        bits.u(32)
    if bits.flag():
        bits.flag()  # overscan_appropriate_flag
    if bits.flag():
        bits.u(4)  # video_format, video_full_range_flag
        if bits.flag():
            bits.u(24)
    if bits.flag():
        bits.ue()
        bits.ue()
    units, scale = (bits.u(32), bits.u(32)) if bits.flag() else (None, None)
    if units is not None:
        bits.flag()  # fixed_frame_rate_flag
    has_nal_hrd = bits.flag()
    if has_nal_hrd:
        _skip_hrd(bits)
    has_vcl_hrd = bits.flag()
    if has_vcl_hrd:
        _skip_hrd(bits)
    if has_nal_hrd or has_vcl_hrd:
        bits.flag()  # low_delay_hrd_flag
    bits.flag()  # pic_struct_present_flag
    if not bits.flag():
        return units, scale, None
    bits.flag()
    for _ in range(4):
        bits.ue()
    return units, scale, bits.ue()


def _skip_hrd(bits: BitReader) -> None:
    count = bits.ue() + 1
    if count > 32:
        raise Invalid("a buffer model with over 32 rates does not exist", code="video.parameter_set_invalid")
    bits.u(8)
    for _ in range(count):
        bits.ue()
        bits.ue()
        bits.flag()
    bits.u(20)


def has_recovery_point(sei: bytes) -> bool:
    """Whether an SEI NAL unit says that decoding may start here (7.3.2.3.1, D.1.8): how streams without IDR do."""
    payload, at = unescape(sei[1:MAX_SEI_BYTES]), 0
    while at + 2 <= len(payload) and payload[at] != _TRAILING_BITS:
        numbers = [0, 0]  # payloadType, payloadSize: each a sum of bytes of which all but the last are 255
        for which in (0, 1):
            while at < len(payload) and payload[at] == 255:
                numbers[which] += 255
                at += 1
            numbers[which] += payload[at] if at < len(payload) else 0
            at += 1
        if numbers[0] == _RECOVERY_POINT:
            return True
        at += numbers[1]
    return False


def codec_string(sps: bytes) -> str:
    """The RFC 6381 name that a browser needs: `avc1.` and the SPS's profile, constraints and level as hex."""
    if len(sps) < 4 or nal_type(sps) != NalType.SPS:
        raise Invalid("no H.264 sequence parameter set to name the codec by", code="video.parameter_set_invalid")
    return f"avc1.{sps[1:4].hex().upper()}"


def split_parameter_sets(parameter_sets: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """(SPS, PPS) of the given NAL units; raises Invalid unless both are there, in numbers that can be stored."""
    sps = [nal for nal in parameter_sets if nal_type(nal) == NalType.SPS]
    pps = [nal for nal in parameter_sets if nal_type(nal) == NalType.PPS]
    if not 1 <= len(sps) <= MAX_PARAMETER_SETS or not 1 <= len(pps) <= 255:
        raise Invalid(
            f"an H.264 stream needs a sequence and a picture parameter set; it has {len(sps)} and {len(pps)}",
            code="video.parameter_set_missing",
        )
    return sps, pps


def configuration_record(parameter_sets: Sequence[bytes]) -> bytes:
    """The `avcC` record (ISO/IEC 14496-15 5.3.3.1), with the fields that the High profiles add."""
    sps, pps = split_parameter_sets(parameter_sets)
    first = parse_sps(sps[0])
    out = struct.pack(">BBBBBB", 1, first.profile_idc, first.constraint_flags, first.level_idc, 0xFF, 0xE0 | len(sps))
    out += b"".join(struct.pack(">H", len(nal)) + nal for nal in sps)
    out += bytes([len(pps)]) + b"".join(struct.pack(">H", len(nal)) + nal for nal in pps)
    if first.profile_idc not in _AVCC_SHORT:
        depths = (0xF8 | first.bit_depth_luma - 8, 0xF8 | first.bit_depth_chroma - 8)
        out += bytes((0xFC | first.chroma_format_idc, *depths, 0))
    return out


def parameter_sets_of(record: bytes) -> tuple[bytes, ...]:
    """The SPS and PPS NAL units of an `avcC` record; raises Invalid when it does not hold together."""
    if len(record) < 7 or record[0] != 1 or record[4] & 3 != 3:
        raise Invalid("the avcC record is damaged or has other than 4-byte lengths", code="video.avcc_invalid")
    at, found = 5, []
    for mask in (0x1F, 0xFF):
        count = record[at] & mask if at < len(record) else 0
        at += 1
        for _ in range(count):
            length = int.from_bytes(record[at : at + 2])
            nal = record[at + 2 : at + 2 + length]
            if len(nal) != length or not length:
                raise Invalid("the avcC record ends too early", code="video.avcc_invalid")
            found.append(nal)
            at += 2 + length
    return tuple(found)

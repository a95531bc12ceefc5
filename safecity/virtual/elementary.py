"""Elementary streams as the virtual camera plays them: NAL units with decode times, held in memory.

A prepared stream is kept on disk as a plain MP4, so that any player can open what a camera will send;
here it is taken apart once and then shared by every mount that plays it.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import av
import av.error
from av.video.stream import VideoStream

from safecity.platform.errors import DataLoss

Codec = Literal["h264", "hevc"]

TICKS_PER_S = 90_000
"""The RTP clock rate of H.264 and H.265 (RFC 6184 section 8.2.1, RFC 7798 section 7.1)."""

H264_IDR = 5
H264_SPS, H264_PPS, H264_AUD = 7, 8, 9
HEVC_VPS, HEVC_SPS, HEVC_PPS, HEVC_AUD = 32, 33, 34, 35
HEVC_IRAP = range(16, 24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One access unit: its NAL units without start codes, parameter sets and delimiters taken out."""

    nals: tuple[bytes, ...]
    ticks: int
    """Decode time since the first picture, 90 kHz. There are no B-frames: it is the presentation time too."""
    is_key: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Elementary:
    """A stream that starts with an IDR picture and can be played round and round."""

    codec: Codec
    width_px: int
    height_px: int
    parameter_sets: tuple[bytes, ...]
    pictures: tuple[Picture, ...]
    duration_ticks: int
    """From the first picture to the instant at which the first picture is due again."""

    @property
    def frame_rate(self) -> float:
        """Mean pictures a second."""
        return len(self.pictures) * TICKS_PER_S / self.duration_ticks

    @property
    def bitrate_bps(self) -> float:
        """Mean bits a second of the NAL units, without packet headers."""
        octets = sum(len(nal) for picture in self.pictures for nal in picture.nals)
        return octets * 8 * TICKS_PER_S / self.duration_ticks


def nal_type(nal: bytes, codec: Codec) -> int:
    """The nal_unit_type field (H.264 section 7.3.1, H.265 section 7.3.1.2)."""
    return nal[0] & 0x1F if codec == "h264" else (nal[0] >> 1) & 0x3F


def is_parameter_set(nal: bytes, codec: Codec) -> bool:
    """True for SPS and PPS, and for VPS in H.265."""
    return nal_type(nal, codec) in ((H264_SPS, H264_PPS) if codec == "h264" else (HEVC_VPS, HEVC_SPS, HEVC_PPS))


def is_random_access(nal: bytes, codec: Codec) -> bool:
    """True for a slice of a picture from which decoding can start (IDR; any IRAP in H.265)."""
    kind = nal_type(nal, codec)
    return kind == H264_IDR if codec == "h264" else kind in HEVC_IRAP


def split_length_prefixed(data: bytes, length_size: int) -> list[bytes]:
    """NAL units of an MP4 sample. Raises DataLoss where a length points past the end."""
    nals: list[bytes] = []
    at = 0
    while at + length_size <= len(data):
        size = int.from_bytes(data[at : at + length_size], "big")
        at += length_size
        if at + size > len(data):
            raise DataLoss("A sample is shorter than its NAL lengths say; prepare the clip again.", code="virtual.torn")
        if size:
            nals.append(data[at : at + size])
        at += size
    return nals


def read_avcc(extradata: bytes) -> tuple[int, tuple[bytes, ...]]:
    """NAL length size and parameter sets of an avcC box (ISO/IEC 14496-15 section 5.3.3.1). Raises DataLoss."""
    if len(extradata) < 7 or extradata[0] != 1:
        raise DataLoss("The stream carries no avcC box; prepare the clip again.", code="virtual.no_avcc")
    sets: list[bytes] = []
    at = 5
    for mask in (0x1F, 0xFF):
        count = extradata[at] & mask
        at += 1
        for _ in range(count):
            size = int.from_bytes(extradata[at : at + 2], "big")
            sets.append(extradata[at + 2 : at + 2 + size])
            at += 2 + size
            if at > len(extradata):
                raise DataLoss("The avcC box is torn; prepare the clip again.", code="virtual.no_avcc")
    return (extradata[4] & 3) + 1, tuple(sets)


def read_hvcc(extradata: bytes) -> tuple[int, tuple[bytes, ...]]:
    """NAL length size and parameter sets of an hvcC box (ISO/IEC 14496-15 section 8.3.3.1). Raises DataLoss."""
    if len(extradata) < 23 or extradata[0] != 1:
        raise DataLoss("The stream carries no hvcC box; prepare the clip again.", code="virtual.no_hvcc")
    sets: list[bytes] = []
    at = 23
    for _ in range(extradata[22]):
        count = int.from_bytes(extradata[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            size = int.from_bytes(extradata[at : at + 2], "big")
            sets.append(extradata[at + 2 : at + 2 + size])
            at += 2 + size
    return (extradata[21] & 3) + 1, tuple(nal for nal in sets if is_parameter_set(nal, "hevc"))


def picture_from_nals(nals: Iterable[bytes], codec: Codec, *, ticks: int) -> Picture:
    """A picture without delimiters and parameter sets: the sender puts those before every key picture itself."""
    delimiter = H264_AUD if codec == "h264" else HEVC_AUD
    kept = tuple(nal for nal in nals if nal_type(nal, codec) != delimiter and not is_parameter_set(nal, codec))
    return Picture(nals=kept, ticks=ticks, is_key=any(is_random_access(nal, codec) for nal in kept))


def load_elementary(path: Path) -> Elementary:
    """The video stream of an MP4 that `clips` prepared. Raises DataLoss where the file is no such stream."""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            codec = cast("Codec", stream.codec_context.name)
            extradata = stream.codec_context.extradata or b""
            size = stream.codec_context.width, stream.codec_context.height
            raw = [
                (bytes(packet), _ticks(packet), packet.duration or 0)
                for packet in container.demux(stream)
                if packet.size and packet.dts is not None
            ]
            scale = float(stream.time_base or 0) * TICKS_PER_S
    except (av.error.FFmpegError, IndexError) as error:
        raise DataLoss(
            f"{path} cannot be read ({error}); delete it and start again.", code="virtual.unreadable"
        ) from error
    if codec not in ("h264", "hevc") or not raw:
        raise DataLoss(f"{path} holds no H.264 or H.265 picture; delete it.", code="virtual.unreadable")
    length_size, sets = read_avcc(extradata) if codec == "h264" else read_hvcc(extradata)
    first = raw[0][1]
    pictures = tuple(
        picture_from_nals(split_length_prefixed(data, length_size), codec, ticks=ticks - first)
        for data, ticks, _ in raw
    )
    if not pictures[0].is_key:
        raise DataLoss(f"{path} does not start with an IDR picture; delete it.", code="virtual.no_key")
    last_s = round(raw[-1][2] * scale)
    return Elementary(
        codec=codec,
        width_px=size[0],
        height_px=size[1],
        parameter_sets=sets,
        pictures=pictures,
        duration_ticks=pictures[-1].ticks + max(last_s, nominal_interval_ticks([p.ticks for p in pictures])),
    )


def nominal_interval_ticks(ticks: list[int]) -> int:
    """The median gap between pictures; 1/15 s where there is one picture only."""
    gaps = sorted(after - before for before, after in itertools.pairwise(ticks))
    return max(1, gaps[len(gaps) // 2]) if gaps else TICKS_PER_S // 15


def _ticks(packet: "av.Packet[VideoStream]") -> int:
    return round((packet.dts or 0) * float(packet.time_base) * TICKS_PER_S)

"""Looking at a clip before it is played: is it whole, how fast, and could a camera have sent it as it is?"""

import itertools
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
from av.video.stream import VideoStream

from safecity.platform.errors import DataLoss, Invalid
from safecity.virtual.elementary import (
    H264_PPS,
    H264_SPS,
    is_random_access,
    nal_type,
    read_avcc,
    split_length_prefixed,
)

MAX_KEY_GAP_S = 4.0
MAX_PIXELS_PX = 1920, 1080
MAX_PASSED_RATE = 31.0
PASSED_FORMATS = ("yuv420p", "yuvj420p")
_RATE_LIMITS = Fraction(1), Fraction(60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What a look at every packet, without decoding, tells about a clip."""

    path: Path
    width_px: int
    height_px: int
    rate: Fraction
    duration_s: float
    fits_as_is: bool
    """True where a camera could send these very bytes: no B-frame, key frames often, one SPS and PPS."""


def inspect_clip(path: Path) -> Inspection:
    """Read the clip's packets once. Raises Invalid where it holds no video that can be played."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise Invalid(f"{path.name} holds no video stream; give another clip.", code="virtual.clip_no_video")
            stream = container.streams.video[0]
            packets = [packet for packet in container.demux(stream) if packet.size]
            return _judge(path, stream, packets=packets)
    except (av.error.FFmpegError, ValueError) as error:
        raise Invalid(f"{path.name} is no video that can be read ({error}).", code="virtual.clip_broken") from error


def _judge(path: Path, stream: VideoStream, *, packets: "list[av.Packet[VideoStream]]") -> Inspection:
    base = stream.time_base or Fraction(1, 90_000)
    shown = sorted(packet.pts for packet in packets if packet.pts is not None)
    context = stream.codec_context
    if not packets or not shown or not context.width:
        raise Invalid(f"{path.name} holds no pictures; give another clip.", code="virtual.clip_empty")
    gaps = sorted(float((after - before) * base) for before, after in itertools.pairwise(shown))
    gap_s = gaps[len(gaps) // 2] if gaps else 1.0
    rate = nominal_rate(gap_s, stream.average_rate)
    return Inspection(
        path=path,
        width_px=context.width,
        height_px=context.height,
        rate=rate,
        duration_s=float((shown[-1] - shown[0]) * base) + float(1 / rate),
        fits_as_is=fits_as_is(stream, packets, base=base),
    )


def nominal_rate(gap_s: float, average: Fraction | None) -> Fraction:
    """The constant picture rate that comes nearest: the file's own where its pictures keep to it, else the median's."""
    low, high = _RATE_LIMITS
    median = Fraction(1 / gap_s).limit_denominator(1001) if gap_s > 0 else high
    if average and abs(float(average) * gap_s - 1) < 0.02:
        median = average
    elif gap_s > 0:
        median = Fraction(round(2 / gap_s), 2) or low
    return min(high, max(low, median))


def fits_as_is(stream: VideoStream, packets: "list[av.Packet[VideoStream]]", *, base: Fraction) -> bool:
    """True where these packets can be sent unchanged as a camera's stream."""
    context = stream.codec_context
    even = context.width % 2 == 0 and context.height % 2 == 0
    small = context.width <= MAX_PIXELS_PX[0] and context.height <= MAX_PIXELS_PX[1]
    if context.name != "h264" or context.pix_fmt not in PASSED_FORMATS or not (even and small):
        return False
    times = [packet.dts for packet in packets]
    if len(times) > 1 and (len(times) - 1) / float(((times[-1] or 0) - (times[0] or 0)) * base or 1) > MAX_PASSED_RATE:
        return False
    if any(packet.dts is None or packet.dts != packet.pts for packet in packets) or not _rises(times):
        return False
    keys = [packet.dts for packet in packets if packet.is_keyframe] + [times[-1]]
    gaps = [float(((after or 0) - (before or 0)) * base) for before, after in itertools.pairwise(keys)]
    if max(gaps, default=0.0) > MAX_KEY_GAP_S:
        return False
    return _has_clean_nals(context.extradata or b"", packets)


def _rises(times: list[int | None]) -> bool:
    return all((before or 0) < (after or 0) for before, after in itertools.pairwise(times))


def _has_clean_nals(extradata: bytes, packets: "list[av.Packet[VideoStream]]") -> bool:
    """One SPS and PPS, said once; every key frame an IDR picture, the first one too."""
    try:
        length_size, sets = read_avcc(extradata)
        if [nal_type(nal, "h264") for nal in sets] != [H264_SPS, H264_PPS]:
            return False
        for index, packet in enumerate(packets):
            nals = split_length_prefixed(bytes(packet), length_size)
            inband = [nal for nal in nals if nal_type(nal, "h264") in (H264_SPS, H264_PPS)]
            is_idr = any(is_random_access(nal, "h264") for nal in nals)
            if any(nal not in sets for nal in inband) or is_idr != packet.is_keyframe or (index == 0 and not is_idr):
                return False
    except DataLoss:
        return False
    return True

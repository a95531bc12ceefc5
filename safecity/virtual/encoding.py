"""Encoding as a camera does it: constant picture rate, a key frame every two seconds, no B-frames, one SPS and PPS."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import av.error
import numpy as np
from av.container import OutputContainer
from av.video.frame import PictureType
from av.video.stream import VideoStream
from numpy.typing import NDArray

from safecity.platform.errors import Internal
from safecity.platform.files import sync_directory
from safecity.virtual.counter import burn_counter
from safecity.virtual.elementary import Codec

KEY_INTERVAL_S = 2.0

TimedFrame = tuple[float, av.VideoFrame]
"""Presentation time in seconds since the first frame, and the frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """What to make of the frames."""

    width_px: int
    height_px: int
    rate: Fraction
    codec: Codec = "h264"
    quality: int = 23
    """x264's constant rate factor; not used where a bit rate is given."""
    limit_bps: int = 6_000_000
    """Most bits a second over two seconds, while coding for quality."""
    bitrate_bps: int | None = None
    """Exactly so many bits a second, with filler where the picture needs less: for benches."""
    burns_counter: bool = False


def encoder_options(encoding: Encoding) -> dict[str, str]:
    """The options of libx264 or libx265 for a camera-like stream."""
    key = max(1, round(KEY_INTERVAL_S * encoding.rate))
    if encoding.codec == "hevc":
        parameters = f"keyint={key}:min-keyint={key}:scenecut=0:bframes=0:log-level=none:open-gop=0:info=0"
        return {"preset": "ultrafast", "tune": "zerolatency", "crf": str(encoding.quality), "x265-params": parameters}
    parameters = f"keyint={key}:min-keyint={key}:scenecut=0:bframes=0:sliced-threads=0"
    options = {"preset": "veryfast", "tune": "zerolatency"}
    if encoding.bitrate_bps:
        rate = f"{encoding.bitrate_bps}"
        options |= {"b": rate, "minrate": rate, "maxrate": rate, "bufsize": rate}
        parameters += ":nal-hrd=cbr:filler=1"
    else:
        options |= {"crf": str(encoding.quality), "maxrate": f"{encoding.limit_bps}"}
        options |= {"bufsize": f"{2 * encoding.limit_bps}"}
    return {**options, "x264-params": parameters}


class Encoder:
    """Writes frames into a fresh MP4 beside the target; only `finish` gives it its name."""

    def __init__(self, target: Path, encoding: Encoding) -> None:
        self._encoding = encoding
        self._target = target
        self._fresh = target.with_name(f".{target.name}.{os.getpid()}.new")
        self._container: OutputContainer = av.open(str(self._fresh), "w", format="mp4")
        self._stream: VideoStream = self._container.add_stream(
            "libx264" if encoding.codec == "h264" else "libx265",
            rate=encoding.rate,
            options=encoder_options(encoding),
        )
        self._stream.width = encoding.width_px
        self._stream.height = encoding.height_px
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = 1 / encoding.rate
        self.count = 0

    def add(self, frame: av.VideoFrame) -> None:
        """Encode the next picture of the constant rate; the frame itself is left as it is."""
        wanted = self._encoding
        scaled = frame.reformat(wanted.width_px, wanted.height_px, "yuv420p", interpolation="AREA")
        if wanted.burns_counter:
            picture = cast("NDArray[np.uint8]", scaled.to_ndarray())
            burn_counter(picture, self.count, width_px=wanted.width_px, height_px=wanted.height_px)
            scaled = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        else:
            scaled = _own_copy(scaled) if scaled is frame else scaled
        scaled.pts = self.count
        scaled.time_base = 1 / wanted.rate
        scaled.pict_type = PictureType.NONE
        self.count += 1
        self._container.mux(self._stream.encode(scaled))

    def finish(self) -> None:
        """Write the rest, make it durable and give the file its name."""
        self._container.mux(self._stream.encode(None))
        self._container.close()
        with self._fresh.open("rb") as handle:
            os.fsync(handle.fileno())
        self._fresh.replace(self._target)
        sync_directory(self._target.parent)

    def abandon(self) -> None:
        """Leave nothing behind; safe to call after `finish`."""
        self._container.close()
        self._fresh.unlink(missing_ok=True)


class Pacer:
    """Picks frames for a constant rate out of any timing: repeats over gaps, drops where they come too fast."""

    def __init__(self, rate: Fraction) -> None:
        self._interval_s = float(1 / rate)
        self._count = 0
        self._last: av.VideoFrame | None = None

    def push(self, at_s: float, frame: av.VideoFrame) -> Iterator[av.VideoFrame]:
        """The frames to encode before this one is looked at; each output instant shows the last frame before it."""
        while self._last is not None and self._count * self._interval_s < at_s - self._interval_s / 2:
            yield self._last
            self._count += 1
        self._last = frame

    def finish(self, end_s: float) -> Iterator[av.VideoFrame]:
        """The frames up to the end; at least one where any frame came."""
        while self._last is not None and (self._count == 0 or self._count * self._interval_s < end_s - 1e-6):
            yield self._last
            self._count += 1


def encode(
    frames: Iterable[TimedFrame],
    targets: list[tuple[Path, Encoding]],
    *,
    end_s: float,
    on_time: Callable[[float], None] | None = None,
) -> None:
    """Encode one run of frames into every target at once, so that the source is decoded once.

    Raises Internal where the encoder refuses what it is given; then no target exists.
    """
    encoders: list[Encoder] = []
    try:
        for target, encoding in targets:
            encoders.append(Encoder(target, encoding))
        pacers = [Pacer(encoding.rate) for _, encoding in targets]
        for at_s, frame in frames:
            for encoder, pacer in zip(encoders, pacers, strict=True):
                for due in pacer.push(at_s, frame):
                    encoder.add(due)
            if on_time:
                on_time(at_s)
        for encoder, pacer in zip(encoders, pacers, strict=True):
            for due in pacer.finish(end_s):
                encoder.add(due)
            encoder.finish()
    except av.error.FFmpegError as error:
        raise Internal(
            f"The encoder failed: {error}. Look whether the disk is full.", code="virtual.encoder"
        ) from error
    finally:
        for encoder in encoders:
            encoder.abandon()


def frames_of_arrays(pictures: Iterable[NDArray[np.uint8]], rate: Fraction) -> Iterator[TimedFrame]:
    """Planar yuv420p arrays as frames of a constant rate."""
    for index, picture in enumerate(pictures):
        yield float(index / rate), av.VideoFrame.from_ndarray(picture, format="yuv420p")


def _own_copy(frame: av.VideoFrame) -> av.VideoFrame:
    """A frame whose picture type and time we may set: the decoder still refers to the one it gave."""
    return av.VideoFrame.from_ndarray(frame.to_ndarray(), format="yuv420p")

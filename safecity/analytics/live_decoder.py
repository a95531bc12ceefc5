"""Decodes one stream's access units, all of them or key frames alone, and says when each picture was taken."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from fractions import Fraction

import av
import numpy as np
from av.codec.context import ThreadType
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from safecity.analytics.boxes import U8, Picture
from safecity.platform.clock import from_us
from safecity.video import h264, hevc
from safecity.video.access_unit import TICKS_PER_S, AccessUnit, StreamHeader
from safecity.video.timeline import SessionLine

_TIME_BASE = Fraction(1, TICKS_PER_S)
_WITH_LUMA_PLANE = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray"})
MIN_STEP_S = 0.001


class Timeline:
    """Seconds that rise for all of a camera's life in this process, and the instants that they stand for.

    An instant is when the picture would have arrived without delay, on this server's line: the line of the recordings'
    index, so that a clip asked for by it shows what was seen.
    """

    def __init__(self) -> None:
        self._line = SessionLine()
        self._origin_us: int | None = None
        self._last_s = -1.0

    def begin_session(self) -> None:
        """The ticks start anew."""
        self._line = SessionLine()

    def observe(self, unit: AccessUnit) -> None:
        """Take note of a unit's arrival."""
        received_us = unit.received_us
        self._origin_us = received_us if self._origin_us is None else self._origin_us
        self._line.observe(unit.media_ticks, received_us)

    def look_ahead(self, ticks: int) -> float:
        """Seconds of a picture by its presentation ticks, of which earlier ones may still be placed."""
        assert self._origin_us is not None
        return max(self._last_s + MIN_STEP_S, (self._line.estimate_us(ticks) - self._origin_us) / 1e6)

    def place(self, ticks: int) -> float:
        """Seconds of a picture by its presentation ticks; above those of the picture before."""
        self._last_s = self.look_ahead(ticks)
        return self._last_s

    def instant(self, at_s: float) -> datetime:
        """The instant of a picture's seconds."""
        assert self._origin_us is not None
        return from_us(self._origin_us + round(at_s * 1e6))


class StreamDecoder:
    """A decoder of one session; one thread, no look-ahead."""

    def __init__(self, header: StreamHeader) -> None:
        """Raises Invalid for parameter sets that do not hold together, FFmpegError for ones that cannot be decoded."""
        module = h264 if header.codec == "h264" else hevc
        context = av.CodecContext.create(header.codec, "r")
        assert isinstance(context, VideoCodecContext)
        context.extradata = module.configuration_record(header.parameter_sets)
        context.thread_count = 1
        context.thread_type = ThreadType.NONE
        self._context = context

    def decode(self, units: Sequence[AccessUnit], *, ends: bool = False) -> Iterator[VideoFrame]:
        """The frames that come out of these units; `ends` also brings out what the decoder holds back.

        After an end, or an av.error.FFmpegError, the next unit must be a key frame.
        """
        for unit in units:
            packet = Packet(unit.data)
            packet.dts = unit.media_ticks
            packet.pts = unit.media_ticks + unit.composition_offset_ticks
            packet.time_base = _TIME_BASE
            yield from self._context.decode(packet)
        if ends:
            yield from self._context.decode(None)
            self._context.flush_buffers()

    def forget(self) -> None:
        """Begin anew with the next key frame."""
        self._context.flush_buffers()


def picture_of(frame: VideoFrame, *, at_s: float) -> Picture:
    """A frame as analysis takes it; the brightness is a view into the decoder's memory."""

    def bgr() -> U8:
        return np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)

    return Picture(luma=luma_of(frame), bgr=bgr, at_s=at_s, is_key=bool(frame.key_frame))


def luma_of(frame: VideoFrame) -> U8:
    """Height x width of brightness: the decoder's own plane where it has one."""
    if frame.format.name not in _WITH_LUMA_PLANE:
        return np.asarray(frame.to_ndarray(format="gray"), np.uint8)
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : frame.width]

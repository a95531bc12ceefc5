"""Analyses a video file: the same pipeline as the running system, offline.

A file comes from anywhere: only plain container formats are opened, nothing but the file itself is read, sizes are
bounded, and a file that breaks off is analysed as far as it goes.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from safecity.analytics.boxes import U8, Detector, Picture
from safecity.analytics.pipeline import CameraAnalysis, Firing, LineCount, Profile
from safecity.analytics.scene import Scene
from safecity.platform.errors import Invalid, NotFound

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,flv,ogg,asf,m4v,mjpeg,ivf"
"""Plain containers; no playlists, which could name other files and hosts."""
MAX_PIXELS = 8192 * 4608
SUB_STREAM_WIDTH_PX = 640
"""The running system sees a camera's sub-stream."""
MAX_HELD = 100
"""Pictures since the last key frame that are kept while idle: four seconds at 25 a second."""
EARLY_SHARE = 0.97
"""Of the pictures that the container announces; with fewer it was cut off."""
LUMA_FORMATS = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray"})
DEFAULT_FPS = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What a video held."""

    video: str
    frames: int
    duration_s: float
    lines: tuple[LineCount, ...]
    events: tuple[Firing, ...]
    """Each rule that held, once, in order of their beginning, with its end."""
    broken: str | None
    """Why the analysis ended before the file's announced end; None where it did not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How to look at a video."""

    scene: Scene
    profile: Profile
    detector: Detector | None


class _Reading:
    """Frames of one file with media times from 0, and what was wrong with the file."""

    def __init__(self, video: Path) -> None:
        if not video.exists():
            raise NotFound(f"there is no file {video}", code="analytics.no_video")
        if not video.is_file() or video.stat().st_size == 0:
            raise Invalid(f"{video} is no video: not a file, or empty", code="analytics.bad_video")
        self.video = video
        self.frames = 0
        self.end_s = 0.0
        self.broken: str | None = None
        try:
            self.container = av.open(
                str(video.absolute()), options={"protocol_whitelist": "file", "format_whitelist": FORMATS}
            )
        except (FFmpegError, ValueError, OSError) as error:
            raise Invalid(f"{video} cannot be read as a video: {_plain(error)}", code="analytics.bad_video") from error
        if not self.container.streams.video:
            self.container.close()
            raise Invalid(f"{video} holds no picture", code="analytics.bad_video")
        self.stream: VideoStream = self.container.streams.video[0]
        self.stream.thread_type = "AUTO"
        self.width_px, self.height_px = self.stream.width, self.stream.height
        if not 16 * 16 <= self.width_px * self.height_px <= MAX_PIXELS:
            self.container.close()
            raise Invalid(
                f"{video} has pictures of {self.width_px}x{self.height_px}, which is not analysed",
                code="analytics.bad_video",
            )

    def pictures(self) -> Iterator[tuple[VideoFrame, float]]:
        """Frames in order until the end or the break."""
        rate = float(self.stream.average_rate or DEFAULT_FPS) or DEFAULT_FPS
        first_s: float | None = None
        last_s = -math.inf
        try:
            for frame in self.container.decode(self.stream):
                if frame.width * frame.height > MAX_PIXELS:
                    self.broken = f"a picture of {frame.width}x{frame.height} in the middle"
                    break
                pts, base = frame.pts, frame.time_base
                at_s = self.frames / rate if pts is None or base is None else float(pts * base)
                first_s = at_s if first_s is None else first_s
                at_s -= first_s
                if at_s <= last_s or at_s > last_s + 3600 > 0:
                    at_s = last_s + 1.0 / rate
                last_s = at_s
                self.frames += 1
                self.end_s = at_s + 1.0 / rate
                yield frame, at_s
        except (FFmpegError, ValueError) as error:
            self.broken = _plain(error)
        finally:
            announced = self.stream.frames
            self.container.close()
        if self.broken is None and announced and self.frames < EARLY_SHARE * announced:
            self.broken = f"it announces {announced} pictures and holds {self.frames}"
        if self.frames == 0:
            raise Invalid(
                f"{self.video} holds no readable picture: {self.broken or 'empty'}", code="analytics.bad_video"
            )


def analyze_video(video: Path, wish: Wish, *, on_picture: Callable[[int, int], None] | None = None) -> Analysis:
    """Analyse a file; `on_picture` is told how many pictures are done, and of how many (0: not known).

    Raises NotFound or Invalid where there is nothing to analyse.
    """
    reading = _Reading(video)
    analysis = CameraAnalysis(
        wish.scene, wish.profile, width_px=reading.width_px, height_px=reading.height_px, detector=wish.detector
    )
    most_px = SUB_STREAM_WIDTH_PX if wish.profile.name == "live" else None
    firings: list[Firing] = []
    total = reading.stream.frames
    held: list[Picture] = []
    for frame, at_s in reading.pictures():
        picture = picture_of(frame, at_s, most_px=most_px)
        if analysis.is_idle:
            _idle(analysis, picture, held, firings)
        else:
            firings += analysis.feed(picture)
        if on_picture is not None:
            on_picture(reading.frames, total)
    firings += analysis.finish()
    return Analysis(
        video=str(video),
        frames=reading.frames,
        duration_s=reading.end_s,
        lines=tuple(analysis.counts()),
        events=_ended(firings),
        broken=reading.broken,
    )


def _idle(analysis: CameraAnalysis, picture: Picture, held: list[Picture], firings: list[Firing]) -> None:
    """Key frames only; when one wakes the analysis, the pictures since the one before are seen after all."""
    if not picture.is_key:
        if len(held) < MAX_HELD:
            held.append(picture)
        return
    if analysis.wakes(picture):
        for late in (*held, picture):
            firings += analysis.feed(late)
    held.clear()


def _ended(firings: list[Firing]) -> tuple[Firing, ...]:
    return tuple(sorted((f for f in firings if f.ended_s is not None), key=lambda f: (f.started_s, f.rule)))


def picture_of(frame: VideoFrame, at_s: float, *, most_px: int | None) -> Picture:
    """A decoded frame for the pipeline, scaled down to a width where one is given."""
    if most_px is not None and frame.width > most_px:
        height = max(2, round(frame.height * most_px / frame.width / 2) * 2)
        frame = frame.reformat(width=most_px, height=height, format="yuv420p")
    grey = frame if frame.format.name in LUMA_FORMATS else frame.reformat(format="gray")
    plane = grey.planes[0]
    luma = np.frombuffer(cast(bytes, plane), np.uint8).reshape(-1, plane.line_size)[: grey.height, : grey.width]

    def bgr() -> U8:
        return cast(U8, frame.to_ndarray(format="bgr24"))

    return Picture(luma=luma, bgr=bgr, at_s=at_s, is_key=frame.key_frame)


def _plain(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0][:200]

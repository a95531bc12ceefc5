"""Encodes a scene twice, as a camera would send it: main and sub stream in H.264, each in an MP4 file."""

from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream

from safecity.virtual.scenes.model import HEIGHT_PX, SUB_HEIGHT_PX, SUB_WIDTH_PX, WIDTH_PX
from safecity.virtual.scenes.pixels import U8

GOP_S = 2.0
FASTER = "weightp=0:subme=1:rc-lookahead=0:mbtree=0:aq-mode=0:me=dia:trellis=0:partitions=none"
"""A third less work than plain veryfast at the same rate and PSNR (a street from a pole needs no more search)."""
MAIN_RATE = {"crf": "23", "maxrate": "3800k", "bufsize": "5000k"}
SUB_RATE = {"crf": "25", "maxrate": "450k", "bufsize": "600k"}


class Encoder:
    """Two MP4 files being written; leaving the context finishes them."""

    def __init__(self, folder: Path, fps: float) -> None:
        self.rate = Fraction(fps).limit_denominator(1001)
        self.main = open_file(folder / "main.mp4", (WIDTH_PX, HEIGHT_PX), rate=self.rate, quality=MAIN_RATE)
        self.sub = open_file(folder / "sub.mp4", (SUB_WIDTH_PX, SUB_HEIGHT_PX), rate=self.rate, quality=SUB_RATE)
        self.small = np.empty((SUB_HEIGHT_PX * 3 // 2, SUB_WIDTH_PX), np.uint8)
        self.number = 0

    def __enter__(self) -> "Encoder":
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish both files; after an error only close them."""
        for container, stream in (self.main, self.sub):
            if kind is None:
                container.mux(stream.encode(None))
            container.close()

    def add(self, picture: U8) -> None:
        """Encode one I420 picture of the main size."""
        halve(picture, self.small)
        for (container, stream), image in ((self.main, picture), (self.sub, self.small)):
            frame = av.VideoFrame.from_ndarray(image, format="yuv420p")
            frame.pts = self.number
            frame.time_base = 1 / self.rate
            container.mux(stream.encode(frame))
        self.number += 1


def open_file(
    path: Path, size: tuple[int, int], *, rate: Fraction, quality: dict[str, str]
) -> tuple[OutputContainer, VideoStream]:
    """An MP4 file with one H.264 stream: no B-frames, closed GOPs of two seconds, one thread so that it repeats."""
    container = av.open(str(path), "w", options={"movflags": "+faststart"})
    gop = str(max(1, round(GOP_S * rate)))
    options = {
        "preset": "veryfast", "bf": "0", "g": gop, "keyint_min": gop, "sc_threshold": "0", "flags": "+cgop",
        "threads": "1", "profile": "high", "x264-params": FASTER, **quality,
    }  # fmt: skip
    stream = container.add_stream("libx264", rate=rate, options=options)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = 1 / rate
    return container, stream


def halve(picture: U8, small: U8) -> None:
    """Shrink an I420 picture to half its size into `small`."""
    cv2.resize(
        picture[:HEIGHT_PX], (SUB_WIDTH_PX, SUB_HEIGHT_PX), dst=small[:SUB_HEIGHT_PX], interpolation=cv2.INTER_AREA
    )
    colour = picture[HEIGHT_PX:].reshape(2, HEIGHT_PX // 2, WIDTH_PX // 2)
    small_colour = small[SUB_HEIGHT_PX:].reshape(2, SUB_HEIGHT_PX // 2, SUB_WIDTH_PX // 2)
    for plane, target in zip(colour, small_colour, strict=True):
        cv2.resize(plane, (SUB_WIDTH_PX // 2, SUB_HEIGHT_PX // 2), dst=target, interpolation=cv2.INTER_AREA)

"""Access units for the live half's tests: a small video encoded here, and an analysis that only takes notes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from safecity.analytics.pipeline import Firing, LineCount, Picture, Profile
from safecity.analytics.scene import LineCrossing, Scene, SceneLine
from safecity.analytics.store import StoredScene
from safecity.platform.clock import SystemClock, to_us
from safecity.sites.model import CameraId
from safecity.video.access_unit import AccessUnit, StreamHeader
from safecity.video.model import Stream, StreamSource
from safecity.video.pyav_reader import PyAvReader
from safecity.video.reader import Numbering
from safecity.video.timeline import ServerLine

FPS, GROUP = 15, 15
START = datetime(2026, 3, 1, 12, 0, 7, tzinfo=UTC)
CAMERA = CameraId("cam_a")
SCENE = Scene(
    lines=(SceneLine(name="stop", points=((100, 0), (100, 180))),),
    rules=(LineCrossing(kind="line_crossing", name="over", line="stop", title="Over the line", priority=2),),
)


def encode(path: Path, *, seconds: float, moves_from_s: float = 0.0) -> None:
    """A grey noisy wall, before which a dark square begins to move."""
    noise = np.random.default_rng(3).normal(0, 2, (4, 180, 320))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 320, 180, "yuv420p", GROUP
        stream.codec_context.options = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": "scenecut=0"}
        for index in range(round(seconds * FPS)):
            picture = np.clip(120 + noise[index % 4], 0, 255).astype(np.uint8)
            at = max(0.0, index / FPS - moves_from_s)
            left = 20 + round(60 * at) % 240
            picture[60:120, left : left + 60] = 20
            frame = av.VideoFrame.from_ndarray(np.repeat(picture[:, :, None], 3, 2), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def read_units(path: Path, *, begins_s: float = 100.0, sequence: int = 0) -> tuple[StreamHeader, list[AccessUnit]]:
    """The file's access units, each arriving when it is due."""
    clock = SystemClock()
    source = StreamSource(camera=CAMERA, stream=Stream.SUB, url=str(path), transport="tcp", is_recorded=False)
    line = ServerLine(clock.now(), clock.monotonic_s())
    reader = PyAvReader(source, Numbering(session=1, sequence=sequence), clock=clock, line=line)
    header = reader.open()
    units = [item for item in reader.items() if isinstance(item, AccessUnit)]
    reader.close()
    return header, [
        replace(
            unit,
            received_s=begins_s + unit.media_ticks / 90_000,
            received_us=to_us(START) + unit.media_ticks * 100 // 9,
            captured_us=None,
        )
        for unit in units
    ]


def drawn(camera: CameraId = CAMERA, *, version: int = 1, scene: Scene = SCENE) -> StoredScene:
    return StoredScene(
        camera=camera, width_px=320, height_px=180, scene=scene, version=version, changed_at=START, changed_by=None
    )


@dataclass(slots=True)
class Notes:
    """What the noting analyses were given, and what they shall answer."""

    fed: list[float] = field(default_factory=list)
    keys: list[bool] = field(default_factory=list)
    looked: list[float] = field(default_factory=list)
    finished: int = 0
    is_idle: bool = False
    wakes_at: int | None = None
    """Which look ends idleness."""
    breaks: bool = False
    firings: list[Firing] = field(default_factory=list)
    counted: list[LineCount] = field(default_factory=list)


class NotingAnalysis:
    """Stands where `CameraAnalysis` does."""

    notes: Notes

    def __init__(self, scene: Scene, profile: Profile, *, width_px: int, height_px: int, detector: object) -> None:
        self.scene = scene

    @property
    def is_idle(self) -> bool:
        return self.notes.is_idle

    def wakes(self, picture: Picture) -> bool:
        assert picture.is_key
        self.notes.looked.append(picture.at_s)
        if self.notes.wakes_at == len(self.notes.looked) - 1:
            self.notes.is_idle = False
            return True
        return False

    def feed(self, picture: Picture) -> Sequence[Firing]:
        if self.notes.breaks:
            raise ValueError("broken on purpose")
        assert picture.luma.shape == (180, 320)
        self.notes.fed.append(picture.at_s)
        self.notes.keys.append(picture.is_key)
        given, self.notes.firings = self.notes.firings, []
        return given

    def counts(self) -> Sequence[LineCount]:
        return self.notes.counted

    def finish(self) -> Sequence[Firing]:
        self.notes.finished += 1
        return ()

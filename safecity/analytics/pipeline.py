"""One camera's analysis: pictures in, counts and rule firings out.

The caller decodes, this decides. A worker (or `safecity analyze`) does, for each decoded picture::

    if analysis.is_idle:              # decode key frames only
        if picture.is_key and analysis.wakes(picture):
            ...feed() the pictures since the last key frame, if their packets are still held, then this one
    else:
        firings = analysis.feed(picture)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from safecity.analytics.boxes import Box, Detection, Detector, Picture
from safecity.analytics.scene import Scene

__all__ = ["LIVE", "OFFLINE", "Box", "CameraAnalysis", "Detection", "Detector", "Firing", "Picture", "Profile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How much is looked at."""

    name: Literal["offline", "live"]
    detector_fps: float | None = None
    """Detections a second while something moves; None: on every picture."""
    idle_after_s: float | None = None
    """Without movement for so long, only key frames are asked for; None: never idle."""


OFFLINE = Profile(name="offline")
LIVE = Profile(name="live", detector_fps=2.0, idle_after_s=6.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """A rule held true; given out once when it begins, and again (same subject and start) when it ends."""

    rule: str
    """Name of the rule."""
    kind: str
    subject: str
    """Zone or line with the class, such as `forecourt/car`."""
    object_class: str
    started_s: float
    ended_s: float | None
    """None while it still holds; a crossing ends as it starts."""
    box: tuple[float, float, float, float] | None
    """Left, top, width, height as shares of the picture."""
    confidence: float
    picture_s: float
    """The picture that shows it best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCount:
    """What crossed one line since the start."""

    name: str
    forward: Mapping[str, int]
    backward: Mapping[str, int]


class CameraAnalysis:
    """Follows what moves on one camera; state of one camera, used by one thread.

    `width_px` and `height_px` are of the picture that the scene was drawn on; pictures of any other size are scaled.
    """

    def __init__(
        self, scene: Scene, profile: Profile, *, width_px: int, height_px: int, detector: Detector | None
    ) -> None:
        self.scene = scene
        self.profile = profile
        self.size_px = (width_px, height_px)
        self.detector = detector

    @property
    def is_idle(self) -> bool:
        """Nothing has moved for a while: key frames are enough."""
        raise NotImplementedError

    def wakes(self, picture: Picture) -> bool:
        """Compare a key frame with the last one; True ends idleness."""
        raise NotImplementedError

    def feed(self, picture: Picture) -> Sequence[Firing]:
        """Take the next picture and say which rules began or ended."""
        raise NotImplementedError

    def counts(self) -> Sequence[LineCount]:
        """What crossed each line of the scene so far, in the scene's order."""
        raise NotImplementedError

    def finish(self) -> Sequence[Firing]:
        """End of the video or the stream: end what still holds."""
        raise NotImplementedError

"""One camera's analysis: pictures in, counts and rule firings out.

The caller decodes, this decides. A worker (or `safecity analyze`) does, for each decoded picture::

    if analysis.is_idle:              # decode key frames only
        if picture.is_key and analysis.wakes(picture):
            ...feed() the pictures since the last key frame, if their packets are still held, then this one
    else:
        firings = analysis.feed(picture)
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from safecity.analytics.boxes import U8, Box, Detection, Detector, Picture
from safecity.analytics.counting import LineCounter, is_real
from safecity.analytics.flow import shifts
from safecity.analytics.motion import HEIGHT_PX, WIDTH_PX, KeyGate, MotionModel
from safecity.analytics.rules import Change, Passed, Seen, watch_all
from safecity.analytics.scene import Scene
from safecity.analytics.tracker import Track, Tracker

__all__ = ["LIVE", "OFFLINE", "Box", "CameraAnalysis", "Detection", "Detector", "Firing", "Picture", "Profile"]

MAX_KEY_GAP_S = 4.0
"""With key frames farther apart they miss too much: such a camera is never idle."""
RECHECK_S = 2.0
"""How often a detector looks while nothing moves: vehicles that stand."""
PATIENCE = 1.5
"""Detections that a thing may be missed by before it is forgotten."""
SLACK_S = 0.001
STANDING_SHARE = 0.3
"""Of a box that still differs from the background where a thing stopped."""
KEEP_S = 600.0
"""A thing that is there for longer becomes part of the background."""
MOTION_CONFIDENCE = 0.4
"""What is said of things that only moved: the background model gives no score."""


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
        self._scale = (width_px / WIDTH_PX, height_px / HEIGHT_PX)
        self._motion = MotionModel()
        self._gate = KeyGate()
        self._tracker = Tracker(width_px=width_px, height_px=height_px)
        self._counters = [LineCounter(line) for line in scene.lines]
        self._watches = watch_all(scene)
        self._before: U8 = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
        self._at_s: float | None = None
        self._detected_s = -math.inf
        self._moved_s = -math.inf
        self._key_s: float | None = None
        self._key_gap_s = math.inf
        self._is_idle = False

    @property
    def is_idle(self) -> bool:
        """Nothing has moved for a while: key frames are enough."""
        return self._is_idle

    @property
    def tracks(self) -> Sequence[Track]:
        """What is followed now, in pixels of the scene; only to be read."""
        return self._tracker.tracks

    def wakes(self, picture: Picture) -> bool:
        """Compare a key frame with the quiet one before; True ends idleness."""
        if not self._gate.differs(picture.luma):
            return False
        self._is_idle = False
        # The stretch since the quiet key frame may be fed late; its pictures are compared with that key frame.
        self._motion.start_from(self._gate.last, picture.at_s)
        np.copyto(self._before, self._gate.last)
        self._at_s = None
        self._moved_s = picture.at_s
        return True

    def feed(self, picture: Picture) -> Sequence[Firing]:
        """Take the next picture and say which rules began or ended."""
        at_s = picture.at_s
        if self._at_s is not None and at_s <= self._at_s:
            return ()
        blobs = self._see(picture)
        self._follow(picture, blobs)
        passed = self._count(at_s)
        seen = [_seen(track) for track in self._tracker.tracks if is_real(track)]
        changes = [change for watch in self._watches for change in watch.step(seen, passed, at_s=at_s)]
        for track in self._tracker.forget(at_s, extra_s=self._patience_s()):
            for counter in self._counters:
                counter.forget(track)
        np.copyto(self._before, self._motion.small)
        self._at_s = at_s
        self._consider_idleness(picture, is_moving=bool(blobs))
        return [self._firing(change) for change in changes]

    def counts(self) -> Sequence[LineCount]:
        """What crossed each line of the scene so far, in the scene's order."""
        return [
            LineCount(name=counter.line.name, forward=dict(counter.forward), backward=dict(counter.backward))
            for counter in self._counters
        ]

    def finish(self) -> Sequence[Firing]:
        """End of the video or the stream: end what still holds."""
        at_s = self._at_s or 0.0
        return [self._firing(change) for watch in self._watches for change in watch.finish(at_s)]

    def _see(self, picture: Picture) -> Sequence[Box]:
        """Boxes of what moves, in pixels of the scene; things that stand are kept out of the background."""
        by_x, by_y = self._scale
        standing = [
            track
            for track in self._tracker.tracks
            if is_real(track) and track.is_standing and picture.at_s - track.born_s < KEEP_S
        ]
        keep = [track.box.scaled(1 / by_x, 1 / by_y) for track in standing]
        found = self._motion.see(picture.luma, picture.at_s, keep=keep)
        for track, box in zip(standing, keep, strict=True):
            if self._motion.standing_share(box) >= STANDING_SHARE:
                track.seen_s = picture.at_s
        return [blob.scaled(by_x, by_y) for blob in found]

    def _follow(self, picture: Picture, blobs: Sequence[Box]) -> None:
        at_s = picture.at_s
        if self._at_s is not None:
            step_s = at_s - self._at_s
            pictures = (self._before, self._motion.small, self._motion.mask)
            moved = shifts(pictures, self._tracker.tracks, scale=self._scale, step_s=step_s)
            self._tracker.predict(at_s, from_s=self._at_s, shifts=moved)
        if self.detector is not None and self._wants_detection(at_s, is_moving=bool(blobs)):
            self._detected_s = at_s
            bgr = picture.bgr()
            by_x, by_y = self.size_px[0] / bgr.shape[1], self.size_px[1] / bgr.shape[0]
            found = [replace(one, box=one.box.scaled(by_x, by_y)) for one in self.detector.detect(bgr)]
            self._tracker.detect(found, at_s)
        self._tracker.move(blobs, at_s)

    def _wants_detection(self, at_s: float, *, is_moving: bool) -> bool:
        if self.profile.detector_fps is None:
            return True
        since_s = at_s - self._detected_s
        return since_s >= (1.0 / self.profile.detector_fps if is_moving else RECHECK_S) - SLACK_S

    def _patience_s(self) -> float:
        """How much longer a detected thing is remembered where detections are rare."""
        fps = self.profile.detector_fps
        return 0.0 if fps is None else PATIENCE / fps

    def _count(self, at_s: float) -> list[Passed]:
        passed: list[Passed] = []
        for track in self._tracker.tracks:
            for counter in self._counters:
                crossing = counter.see(track, at_s)
                if crossing is not None:
                    passed.append(Passed(crossing.line, crossing.is_forward, _seen(track)))
        return passed

    def _consider_idleness(self, picture: Picture, *, is_moving: bool) -> None:
        at_s = picture.at_s
        if picture.is_key:
            if self._key_s is not None:
                self._key_gap_s = at_s - self._key_s
            self._key_s = at_s
        is_waiting = any(track.is_standing and is_real(track) for track in self._tracker.tracks)
        if is_moving or self._moved_s == -math.inf:
            self._moved_s = at_s
        quiet_s = self.profile.idle_after_s
        if quiet_s is None or is_waiting or self._key_gap_s > MAX_KEY_GAP_S or at_s - self._moved_s < quiet_s:
            return
        self._is_idle = True
        self._gate.start_from(self._motion.background)

    def _firing(self, change: Change) -> Firing:
        width, height = self.size_px
        box = None
        if change.box is not None:
            left, top = _share(change.box.x_px, width), _share(change.box.y_px, height)
            right = _share(change.box.x_px + change.box.w_px, width)
            bottom = _share(change.box.y_px + change.box.h_px, height)
            box = (left, top, right - left, bottom - top)
        return Firing(
            rule=change.rule.name,
            kind=change.rule.kind,
            subject=change.subject,
            object_class=change.object_class,
            started_s=change.started_s,
            ended_s=change.ended_s,
            box=box,
            confidence=min(max(change.confidence, 0.0), 1.0),
            picture_s=change.picture_s,
        )


def _share(value: float, whole: int) -> float:
    return min(max(value / whole, 0.0), 1.0)


def _seen(track: Track) -> Seen:
    confidence = track.score if track.hits else MOTION_CONFIDENCE
    return Seen(track.id, track.object_class, track.box, track.travelled, confidence, track.origin)

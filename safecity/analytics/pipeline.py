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

from safecity.analytics.boxes import U8, Box, Detection, Detector, PartDetector, Picture, around
from safecity.analytics.counting import Crossing, LineCounter, is_real
from safecity.analytics.flow import shifts
from safecity.analytics.motion import HEIGHT_PX, WIDTH_PX, KeyGate, MotionModel
from safecity.analytics.rules import Change, Passed, Seen, watch_all
from safecity.analytics.scene import Scene
from safecity.analytics.tracker import Track, Tracker

__all__ = ["LIVE", "OFFLINE", "Box", "CameraAnalysis", "Detection", "Detector", "Firing", "Picture", "Profile"]

MAX_KEY_GAP_S = 4.0
"""With key frames farther apart they miss too much: such a camera is never idle."""
REFRESH_S = 1.0
"""How often a detector looks while all that moves is known to it: where the things are now, and what joined them."""
RECHECK_S = 2.0
"""How often a detector looks while nothing moves: vehicles that stand."""
PATIENCE = 1.5
"""Detections that a thing may be missed by before it is forgotten."""
SLACK_S = 0.001
EARLY_S = 0.01
"""A picture that comes so much before its time is looked at: timestamps tremble."""
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
    looks_per_s: float | None = None
    """Pictures a second that are looked at; None: every one."""
    idle_after_s: float | None = None
    """Without movement for so long, only key frames are asked for; None: never idle."""


OFFLINE = Profile(name="offline")
LIVE_LOOKS_PER_S = 12.0
LIVE = Profile(name="live", looks_per_s=LIVE_LOOKS_PER_S, detector_fps=2.0, idle_after_s=6.0)


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
    """None while it still holds; a crossing ends as it starts, a wrong way when it has become one."""
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
        self._motion.start_from(self._gate.last)
        np.copyto(self._before, self._gate.last)
        self._at_s = None
        self._moved_s = picture.at_s
        return True

    def feed(self, picture: Picture) -> Sequence[Firing]:
        """Take the next picture and say which rules began or ended."""
        at_s = picture.at_s
        self._note_key(picture)
        if self._at_s is not None and at_s - self._at_s < self._least_step_s():
            if at_s > self._at_s:
                self._motion.glimpse(picture.luma, at_s)
            return ()
        blobs = self._see(picture)
        self._follow(picture, blobs)
        passed = self._count(at_s)
        seen = [_seen(track) for track in self._tracker.tracks if is_real(track)]
        changes = [change for watch in self._watches for change in watch.step(seen, passed, at_s=at_s)]
        for track in self._tracker.forget(at_s, extra_s=self._patience_s(at_s)):
            for counter in self._counters:
                counter.forget(track)
        np.copyto(self._before, self._motion.small)
        self._at_s = at_s
        self._consider_idleness(picture, is_moving=bool(blobs))
        return [self._firing(change) for change in changes]

    def _least_step_s(self) -> float:
        """Time between two pictures that are looked at, never 0: with 12 looks every other one of 25 or 15 a second."""
        looks = self.profile.looks_per_s
        return SLACK_S if looks is None else 1.0 / looks - EARLY_S

    def counts(self) -> Sequence[LineCount]:
        """What crossed each line of the scene so far, in the scene's order."""
        return [
            LineCount(name=counter.line.name, forward=dict(counter.forward), backward=dict(counter.backward))
            for counter in self._counters
        ]

    def finish(self) -> Sequence[Firing]:
        """End of the video or the stream: end what still holds."""
        at_s = self._at_s or 0.0
        passed = [_passed(crossing) for counter in self._counters for crossing in counter.settle(math.inf)]
        late = [change for watch in self._watches for change in watch.step((), passed, at_s=at_s)] if passed else []
        return [self._firing(c) for c in (*late, *(c for watch in self._watches for c in watch.finish(at_s)))]

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
        for number, (track, box) in enumerate(zip(standing, keep, strict=True)):
            if self._motion.standing_share(box) >= STANDING_SHARE:
                track.seen_s = picture.at_s
                track.vx = track.vy = 0.0
                if track.hits == 0 and not track.is_whole:
                    whole = self._motion.find_standing(box)
                    if whole is not None and not any(_holds(whole, older) for older in keep[:number]):
                        track.grow(whole.scaled(by_x, by_y))
        return [blob.scaled(by_x, by_y) for blob in found]

    def _follow(self, picture: Picture, blobs: Sequence[Box]) -> None:
        at_s = picture.at_s
        if self._at_s is not None:
            step_s = at_s - self._at_s
            pictures = (self._before, self._motion.small, self._motion.mask)
            unsure = self._tracker.tracks if self.profile.looks_per_s is None else self._tracker.unsure(blobs, step_s)
            moved = shifts(pictures, unsure, scale=self._scale, step_s=step_s)
            self._tracker.predict(at_s, from_s=self._at_s, shifts=moved)
        if self.detector is not None and self._wants_detection(at_s, is_moving=bool(blobs)):
            self._detected_s = at_s
            self._tracker.detect(self._detect(picture.bgr(), blobs), at_s)
        self._tracker.move(blobs, at_s)

    def _detect(self, bgr: U8, blobs: Sequence[Box]) -> Sequence[Detection]:
        """What the detector sees, in pixels of the scene; live only around what moves, where it can do with less."""
        assert self.detector is not None
        by_x, by_y = self.size_px[0] / bgr.shape[1], self.size_px[1] / bgr.shape[0]
        part = None
        if self.profile.detector_fps is not None and isinstance(self.detector, PartDetector):
            part = around([*blobs, *(track.box for track in self._tracker.tracks)])
        if part is None or not isinstance(self.detector, PartDetector):
            found = self.detector.detect(bgr)
        else:
            found = self.detector.detect_part(bgr, part.scaled(1 / by_x, 1 / by_y))
        return [replace(one, box=one.box.scaled(by_x, by_y)) for one in found]

    def _wants_detection(self, at_s: float, *, is_moving: bool) -> bool:
        if self.profile.detector_fps is None:
            return True
        since_s = at_s - self._detected_s
        if not is_moving:
            return since_s >= RECHECK_S - SLACK_S
        is_due = since_s >= 1.0 / self.profile.detector_fps - SLACK_S
        return is_due and (since_s >= REFRESH_S - SLACK_S or self._tracker.is_unsure(self._detected_s))

    def _patience_s(self, at_s: float) -> float:
        """How much longer a detected thing is remembered where detections are rare; longer still until the next."""
        fps = self.profile.detector_fps
        if fps is None:
            return 0.0
        return PATIENCE / fps + min(max(at_s - self._detected_s - 1.0 / fps, 0.0), REFRESH_S)

    def _count(self, at_s: float) -> list[Passed]:
        passed: list[Passed] = []
        for counter in self._counters:
            found = [crossing for track in self._tracker.tracks if (crossing := counter.see(track, at_s)) is not None]
            passed += [_passed(crossing) for crossing in (*found, *counter.settle(at_s))]
        return passed

    def _note_key(self, picture: Picture) -> None:
        if picture.is_key:
            if self._key_s is not None:
                self._key_gap_s = picture.at_s - self._key_s
            self._key_s = picture.at_s

    def _consider_idleness(self, picture: Picture, *, is_moving: bool) -> None:
        at_s = picture.at_s
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


def _holds(whole: Box, part: Box) -> bool:
    x, y = part.centre
    return whole.x_px <= x <= whole.x_px + whole.w_px and whole.y_px <= y <= whole.y_px + whole.h_px


def _passed(crossing: Crossing) -> Passed:
    return Passed(crossing.line, crossing.is_forward, _seen(crossing.track)._replace(box=crossing.box), crossing.at_s)


def _seen(track: Track) -> Seen:
    confidence = track.score if track.hits else MOTION_CONFIDENCE
    return Seen(track.id, track.object_class, track.box, track.travelled, confidence, track.origin)

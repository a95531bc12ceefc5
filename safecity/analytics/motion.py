"""What moves on a still camera's picture: an integer sigma-delta background at 320x180.

The background follows the picture by one grey level at a time, and so does each pixel's own measure of restlessness
(leaves, sensor noise, an edge that sways with the mast): a pixel moves when it differs from the background by more than
that (twice its usual difference).
After Manzanera and Richefeu, "A new motion detection algorithm based on sigma-delta background estimation"
(2007). Everything is bytes in buffers made once; a busy picture of 640x360 costs 0.3 ms, reading it included.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from safecity.analytics.boxes import U8, Box

WIDTH_PX = 320
HEIGHT_PX = 180
PIXELS = WIDTH_PX * HEIGHT_PX
LEAST_DIFFERENCE = 14
"""Grey levels: above what sensors and codecs do to a still picture after blurring."""
FRESH_DIFFERENCE = 8
"""Grey levels between this picture and one shortly before. Only what also changed just now is given out as moving: it
parts cars whose headlights or shadows run together, and leaves out what the background has yet to forget."""
FRESH_S = 0.06
"""The earlier picture is one to two of these old: two pictures at 25 a second, one at 15."""
STEPS_PER_S = 10.0
"""Grey levels a second that the background follows; a car that stands is background after some ten seconds."""
RESTLESS_STEPS_PER_S = 4.0
FLOOD_SHARE = 0.6
"""So much of the picture changed at once: the light did, or the camera; nothing that drives."""
SETTLE_S = 1.0
"""After a flood the background is learned anew for so long, and nothing is reported."""
LIGHT_STEP = 2
"""Grey levels that the middle pixel must differ by before the whole background is shifted."""
SOLID_SHARE = 0.8
"""Of its own box that a moving patch fills: a car or coach does, cars whose lights run together do not."""
LARGEST_SOLID_PX2 = 6000
"""A tenth of the picture: a coach near the camera."""
GROWTH_MOST = 8.0
"""Times the area of what moved last that a standing thing may have; more is several that touch."""
ALIVE_SHARE = 0.2
"""Of a solid patch that must have changed just now; less is road that a parked car left."""
MAX_BLOBS = 64
SMALLEST_BLOB_PX2 = 24
"""Pixels of 320x180: about a person of 6x10 after opening; smaller is leaves and noise."""
GATE_DIFFERENCE = 20
GATE_SHARE = 0.0008
"""Of a key frame's pixels that must differ for a scene to wake: about 46 of 57,600, a person far away."""


def middle_step(now: U8, before: U8) -> int:
    """Grey levels by which the middle pixel changed, on a grid of 20 by 35; 0 for less than what matters."""
    change = (now[4::9, 4::9].astype(np.int16) - before[4::9, 4::9]).ravel()
    step = int(np.partition(change, change.size // 2)[change.size // 2])
    return step if abs(step) >= LIGHT_STEP else 0


def _shift(picture: U8, step: int, scratch: U8) -> None:
    if step == 0:
        return
    scratch.fill(min(abs(step), 255))
    (cv2.add if step > 0 else cv2.subtract)(picture, scratch, dst=picture)


class MotionModel:
    """The background of one camera; not safe to share between threads."""

    def __init__(self) -> None:
        shape = (HEIGHT_PX, WIDTH_PX)
        self.small: U8 = np.zeros(shape, np.uint8)
        self.mask: U8 = np.zeros(shape, np.uint8)
        """What differs from the background and changed just now; 255 where it does."""
        self.standing: U8 = np.zeros(shape, np.uint8)
        """What differs from the background, whether it moves or stands."""
        self._background: U8 = np.zeros(shape, np.uint8)
        self._noise: U8 = np.full(shape, LEAST_DIFFERENCE, np.uint8)
        self._difference: U8 = np.zeros(shape, np.uint8)
        self._scratch: U8 = np.zeros(shape, np.uint8)
        self._ones: U8 = np.ones(shape, np.uint8)
        self._floor: U8 = np.full(shape, LEAST_DIFFERENCE, np.uint8)
        self._open = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3))
        self._close = cv2.getStructuringElement(cv2.MORPH_RECT, (5, 5))
        self._older: U8 = np.zeros(shape, np.uint8)
        self._newer: U8 = np.zeros(shape, np.uint8)
        self._newer_s = 0.0
        self._is_new = True
        self._stepped_s = 0.0
        self._noise_stepped_s = 0.0
        self._settled_s = 0.0
        self.moving_share = 0.0

    def see(self, luma: U8, at_s: float, *, keep: Sequence[Box] = ()) -> Sequence[Box]:
        """Learn a picture and give the boxes of what moves on it, in pixels of 320x180.

        Inside the boxes to `keep` the background is not learned: a car that stands there stays seen.
        """
        cv2.resize(luma, (WIDTH_PX, HEIGHT_PX), dst=self._scratch, interpolation=cv2.INTER_AREA)
        cv2.blur(self._scratch, (3, 3), dst=self.small)
        if self._is_new:
            self._relearn(at_s)
            self._settled_s = at_s
            self._is_new = False
            return ()
        if self._follow_light():
            self._relearn(at_s)
        self._keep_newer(at_s)
        cv2.absdiff(self.small, self._background, dst=self._difference)
        cv2.max(self._noise, self._floor, dst=self._scratch)
        cv2.compare(self._difference, self._scratch, cv2.CMP_GT, dst=self.mask)
        self.moving_share = cv2.countNonZero(self.mask) / PIXELS
        if self.moving_share > FLOOD_SHARE:
            self._relearn(at_s)
        self._learn(at_s, keep)
        if at_s < self._settled_s or self.moving_share == 0.0:
            self.standing.fill(0)
            return ()
        return self._blobs()

    def glimpse(self, luma: U8, at_s: float) -> None:
        """Keep a picture that is not looked at, if what moves on the next one should be told by it."""
        if at_s - self._newer_s < FRESH_S or self._is_new:
            return
        cv2.resize(luma, (WIDTH_PX, HEIGHT_PX), dst=self._scratch, interpolation=cv2.INTER_AREA)
        cv2.blur(self._scratch, (3, 3), dst=self.small)
        self._keep_newer(at_s)

    def _keep_newer(self, at_s: float) -> None:
        if at_s - self._newer_s >= FRESH_S:
            self._older, self._newer = self._newer, self._older
            np.copyto(self._newer, self.small)
            self._newer_s = at_s

    def standing_share(self, box: Box) -> float:
        """How much of a box (pixels of 320x180) differs from the background on the last picture, 0 to 1."""
        part = self.standing[_window(box)]
        return cv2.countNonZero(part) / part.size if part.size else 0.0

    def find_standing(self, box: Box) -> Box | None:
        """The patch that differs from the background and holds the middle of a box, where it is larger."""
        x, y = (round(value) for value in box.centre)
        for left, top, width, height, _ in _patches(self.standing):
            if left <= x < left + width and top <= y < top + height:
                is_whole = box.area_px2 < width * height <= min(LARGEST_SOLID_PX2, GROWTH_MOST * box.area_px2)
                return Box(x_px=left, y_px=top, w_px=width, h_px=height) if is_whole else None
        return None

    def start_from(self, background: U8) -> None:
        """Take this small picture as the background: what a key frame showed while nothing moved.

        Pictures from any instant may follow: those since that key frame are seen late.
        """
        np.copyto(self._background, background)
        np.copyto(self._older, background)
        np.copyto(self._newer, background)
        self._newer_s = self._stepped_s = self._noise_stepped_s = self._settled_s = -math.inf
        self._is_new = False

    @property
    def background(self) -> U8:
        """The small picture without what moves; only to be read."""
        return self._background

    def _learn(self, at_s: float, keep: Sequence[Box]) -> None:
        windows = [_window(box) for box in keep[:MAX_BLOBS]]
        saved = [(self._background[window].copy(), self._noise[window].copy()) for window in windows]
        self._step(at_s)
        for window, (background, noise) in zip(windows, saved, strict=True):
            self._background[window] = background
            self._noise[window] = noise

    def _relearn(self, at_s: float) -> None:
        np.copyto(self._background, self.small)
        self._noise.fill(LEAST_DIFFERENCE)
        self.mask.fill(0)
        self._stepped_s = self._noise_stepped_s = at_s
        self._settled_s = at_s + SETTLE_S

    def _follow_light(self) -> bool:
        """Shift the background by what the middle pixel changed: exposure, clouds; True where a light was switched."""
        step = middle_step(self.small, self._background)
        _shift(self._background, step, self._scratch)
        return abs(step) >= LEAST_DIFFERENCE

    def _step(self, at_s: float) -> None:
        """Move the background, and more slowly the restlessness, by one grey level where time has come."""
        if at_s - self._stepped_s >= 1.0 / STEPS_PER_S:
            self._stepped_s = at_s
            cv2.add(self._background, self._ones, dst=self._scratch)
            cv2.min(self._scratch, self.small, dst=self._scratch)
            cv2.subtract(self._background, self._ones, dst=self._background)
            cv2.max(self._scratch, self._background, dst=self._background)
        if at_s - self._noise_stepped_s >= 1.0 / RESTLESS_STEPS_PER_S:
            self._noise_stepped_s = at_s
            cv2.add(self._difference, self._difference, dst=self._difference)
            cv2.add(self._noise, self._ones, dst=self._scratch)
            cv2.min(self._scratch, self._difference, dst=self._scratch)
            cv2.subtract(self._noise, self._ones, dst=self._noise)
            cv2.max(self._scratch, self._noise, dst=self._noise)

    def _blobs(self) -> Sequence[Box]:
        cv2.morphologyEx(self.mask, cv2.MORPH_OPEN, self._open, dst=self._scratch)
        cv2.morphologyEx(self._scratch, cv2.MORPH_CLOSE, self._close, dst=self.mask)
        np.copyto(self.standing, self.mask)
        cv2.absdiff(self.small, self._older, dst=self._scratch)
        cv2.threshold(self._scratch, FRESH_DIFFERENCE, 255, cv2.THRESH_BINARY, dst=self._difference)
        cv2.dilate(self._difference, self._close, dst=self._scratch)
        cv2.bitwise_and(self.mask, self._scratch, dst=self.mask)
        self._restore_solid()
        found = sorted((one for one in _patches(self.mask) if one[4] >= SMALLEST_BLOB_PX2), key=lambda one: -one[4])
        return [Box(x_px=x, y_px=y, w_px=w, h_px=h) for x, y, w, h, _ in found[:MAX_BLOBS]]

    def _restore_solid(self) -> None:
        """Give back whole what is solid: of a plain car or coach only the ends change from picture to picture."""
        for left, top, width, height, outer in _patches(self.standing):
            if outer < SOLID_SHARE * width * height:
                continue
            area = min(outer, cv2.countNonZero(self.standing[top : top + height, left : left + width]))
            if area < SOLID_SHARE * width * height or area > LARGEST_SOLID_PX2:
                continue
            window = slice(top, top + height), slice(left, left + width)
            if cv2.countNonZero(self.mask[window]) >= ALIVE_SHARE * area:
                self.mask[window] = self.standing[window]


class KeyGate:
    """Compares one key frame with the next while a scene is idle."""

    def __init__(self) -> None:
        shape = (HEIGHT_PX, WIDTH_PX)
        self.last: U8 = np.zeros(shape, np.uint8)
        """The last key frame, small and blurred."""
        self._small: U8 = np.zeros(shape, np.uint8)
        self._scratch: U8 = np.zeros(shape, np.uint8)
        self._has_last = False

    def differs(self, luma: U8) -> bool:
        """True if something but the light changed since the key frame before; else this one is kept in its place."""
        cv2.resize(luma, (WIDTH_PX, HEIGHT_PX), dst=self._scratch, interpolation=cv2.INTER_AREA)
        cv2.blur(self._scratch, (3, 3), dst=self._small)
        had_last, self._has_last = self._has_last, True
        if not had_last:
            np.copyto(self.last, self._small)
            return False
        _shift(self.last, middle_step(self._small, self.last), self._scratch)
        cv2.absdiff(self._small, self.last, dst=self._scratch)
        cv2.threshold(self._scratch, GATE_DIFFERENCE, 255, cv2.THRESH_BINARY, dst=self._scratch)
        changed = cv2.countNonZero(self._scratch) / PIXELS
        if GATE_SHARE <= changed <= FLOOD_SHARE:
            return True
        np.copyto(self.last, self._small)
        return False

    def start_from(self, background: U8) -> None:
        """Begin with the background that was learned while every picture was seen."""
        np.copyto(self.last, background)
        self._has_last = True


def _patches(mask: U8) -> list[tuple[int, int, int, int, int]]:
    """Left, top, width, height and square pixels of what hangs together, holes filled.

    Following outlines is ten times as fast as labelling every pixel; an outline's area through its pixels' middles
    becomes a number of pixels by Pick's theorem.
    """
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    made: list[tuple[int, int, int, int, int]] = []
    for outline in outlines:
        left, top, width, height = cv2.boundingRect(outline)
        made.append((left, top, width, height, round(cv2.contourArea(outline)) + len(outline) // 2 + 1))
    return made


def _window(box: Box) -> tuple[slice, slice]:
    """The pixels of 320x180 that a box covers."""
    left, top = max(int(box.x_px), 0), max(int(box.y_px), 0)
    return slice(top, max(int(box.y_px + box.h_px) + 1, top)), slice(left, max(int(box.x_px + box.w_px) + 1, left))

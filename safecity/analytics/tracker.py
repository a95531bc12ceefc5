"""Follows things from picture to picture: constant velocity or optical flow, overlap and distance, best assignment.

Strong detections are matched first, weak ones then carry on what is already followed (two stages, as ByteTrack showed:
Zhang et al. 2022). A thing is remembered through a short occlusion. What only the background model saw moving is
followed too, as long as no detection covers it, and is adopted by the first detection that does.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from safecity.analytics.boxes import F64, Box, Detection
from safecity.analytics.classes import ROAD_USERS, TWO_WHEELS, class_by_vote, class_from_shape, plain

STRONG = 0.35
WEAK = 0.15
FORGET_S = 0.8
"""A thing not seen for so long is gone; a car hides another for less."""
FORGET_UNSURE_S = 0.25
"""The same for what was seen too little to be sure of."""
SAME_OVERLAP = 0.5
"""Two boxes of different classes that overlap so much are one thing."""
ALIKE_OVERLAP = 0.5
"""A moving patch that overlaps so much with where a thing is expected is that thing."""
INSIDE_SHARE = 0.75
"""A box that lies so much inside another is a part of it: a rider on a motorcycle, a trailer's side."""
REACH_NEW = 1.0
REACH = 0.7
"""Of a box's size: how far a thing may be from where it was expected."""
SIZE_RATIO = 3.0
VELOCITY_GAIN = 0.35
SIZE_GAIN = 0.4
GAIN_STEP_S = 0.05
"""Both gains are for so long; over a longer step more is believed of what is new."""
GAIN_SLACK_S = 0.001
HITS_SURE = 3
OVERLOOKED_MOST = 4
"""A detector that did not know a thing so often need not hurry to look at it again."""
MOVES_SURE = 3
MOVES_SURE_S = 0.2
"""On so many pictures over so long a thing must have moved to be one, where no detector saw it."""
UNKNOWN_COST = 10.0
MOVED_FAR = 1.5
"""Own sizes: leaves and edges that sway with the mast do not get so far."""
STANDING_SPEED = 0.15
"""Own sizes a second."""


@dataclass(slots=True, kw_only=True)
class Track:
    """One thing followed; positions in pixels of the scene, velocities in pixels a second."""

    id: int
    x_px: float
    y_px: float
    w_px: float
    h_px: float
    born_s: float
    seen_s: float
    vx: float = 0.0
    vy: float = 0.0
    hits: int = 0
    """Detections that were matched to it."""
    moves: int = 0
    """Pictures on which the background model saw it."""
    moved_s: float = 0.0
    """Time that lies between those pictures, gaps left out."""
    votes: dict[str, float] = field(default_factory=dict[str, float])
    score: float = 0.0
    detected_s: float = -math.inf
    overlooked: int = 0
    """Detections since it was first seen moving that did not know it."""
    origin: tuple[float, float] = (0.0, 0.0)
    travelled: float = 0.0
    """Farthest it has been from where it was first seen, in its own sizes."""
    velocity_s: float = 0.0
    guess: str = "vehicle?"
    is_whole: bool = False
    """It stands, and all of it was found."""

    @property
    def size_px(self) -> float:
        """The side of a square of its area."""
        return math.sqrt(self.w_px * self.h_px)

    @property
    def box(self) -> Box:
        """Where it is."""
        return Box(x_px=self.x_px - self.w_px / 2, y_px=self.y_px - self.h_px / 2, w_px=self.w_px, h_px=self.h_px)

    def grow(self, box: Box) -> None:
        """It stands, and is as large as this: while it stopped, only parts of it still moved."""
        self.x_px, self.y_px = box.centre
        self.w_px, self.h_px = box.w_px, box.h_px
        self.is_whole = True

    @property
    def is_standing(self) -> bool:
        """It moved before and hardly moves now."""
        least = 1.0 if self.hits else MOVED_FAR
        return self.travelled >= least and math.hypot(self.vx, self.vy) < STANDING_SPEED * self.size_px

    @property
    def is_sure(self) -> bool:
        """Seen often enough to be remembered through an occlusion."""
        return self.hits >= HITS_SURE or self.has_moved

    @property
    def has_moved(self) -> bool:
        """Seen moving on enough pictures over enough time."""
        return self.moves >= MOVES_SURE and self.moved_s >= MOVES_SURE_S - GAIN_SLACK_S

    @property
    def object_class(self) -> str:
        """By the vote of its detections; by size and shape, with a question mark, without any."""
        return class_by_vote(self.votes) or self.guess


def areas_shared(first: F64, second: F64) -> F64:
    """Square pixels that each box (left, top, width, height) of the first shares with each of the second."""
    left = np.maximum(first[:, None, 0], second[None, :, 0])
    top = np.maximum(first[:, None, 1], second[None, :, 1])
    right = np.minimum(first[:, None, 0] + first[:, None, 2], second[None, :, 0] + second[None, :, 2])
    bottom = np.minimum(first[:, None, 1] + first[:, None, 3], second[None, :, 1] + second[None, :, 3])
    return np.maximum(right - left, 0.0) * np.maximum(bottom - top, 0.0)


def rows(boxes: Sequence[Box]) -> F64:
    """Boxes as an array of left, top, width, height."""
    made = [(box.x_px, box.y_px, box.w_px, box.h_px) for box in boxes]
    return np.array(made, np.float64).reshape(-1, 4)


def without_doubles(detections: Sequence[Detection]) -> list[Detection]:
    """Road users only, one box each: across classes, and without the parts of a thing that is there as a whole."""
    known = [d for d in detections if plain(d.object_class) in ROAD_USERS and d.score >= WEAK]
    known.sort(key=lambda d: -_rank(d))
    if len(known) < 2:
        return known
    boxes = rows([d.box for d in known])
    shared = areas_shared(boxes, boxes)
    area = boxes[:, 2] * boxes[:, 3]
    kept: list[int] = []
    for i, one in enumerate(known):
        if not any(_is_double(one, known[j], (shared[i, j], area[i], area[j])) for j in kept):
            kept.append(i)
    return [known[i] for i in kept]


def _rank(detection: Detection) -> float:
    """Vehicles before the people on them: a rider's box is dropped for the motorcycle's, never the other way."""
    return detection.score + (0.0 if plain(detection.object_class) == "person" else 1.0)


def _is_double(one: Detection, other: Detection, areas: tuple[float, float, float]) -> bool:
    shared, mine, its = areas
    if shared / max(mine + its - shared, 1e-9) > SAME_OVERLAP:
        return True
    first, second = plain(one.object_class), plain(other.object_class)
    if first == "person" and second in TWO_WHEELS:
        return shared > 0.35 * mine
    if (first in TWO_WHEELS) != (second in TWO_WHEELS) or first == "person":
        return first == "person" and shared > 0.9 * mine
    smaller = min(mine, its)
    return shared > INSIDE_SHARE * smaller


class Tracker:
    """The things on one camera's picture; not safe to share between threads."""

    def __init__(self, *, width_px: float, height_px: float) -> None:
        self.width_px = width_px
        self.height_px = height_px
        self.tracks: list[Track] = []
        self._next = 1
        self._looked_s = 0.0

    def predict(self, to_s: float, *, from_s: float, shifts: Mapping[int, tuple[float, float]]) -> None:
        """Move every track to where it must be now: as the picture flowed there, else at constant velocity."""
        step_s = to_s - from_s
        for track in self.tracks:
            shift = shifts.get(track.id)
            if shift is None:
                track.x_px += track.vx * step_s
                track.y_px += track.vy * step_s
                continue
            track.x_px += shift[0]
            track.y_px += shift[1]
            if step_s > 0:
                gain = _gain(VELOCITY_GAIN, step_s)
                track.vx += gain * (shift[0] / step_s - track.vx)
                track.vy += gain * (shift[1] / step_s - track.vy)
            self._note_travel(track)

    def unsure(self, blobs: Sequence[Box], step_s: float) -> list[Track]:
        """Those that must be looked for: not each has a patch of its own, of about its size, where it is expected."""
        if not self.tracks or not blobs:
            return list(self.tracks)
        ahead = rows([t.box for t in self.tracks])
        ahead[:, :2] += np.array([(t.vx * step_s, t.vy * step_s) for t in self.tracks])
        found = rows(blobs)
        shared = areas_shared(ahead, found)
        union = (ahead[:, 2] * ahead[:, 3])[:, None] + (found[:, 2] * found[:, 3])[None, :] - shared
        alike = shared / np.maximum(union, 1e-9) > ALIKE_OVERLAP
        is_own = (alike & ((shared > 0).sum(axis=0) == 1)[None, :]).any(axis=1)
        return [t for t, own in zip(self.tracks, is_own.tolist(), strict=True) if not own and _may_flow(t)]

    def detect(self, detections: Sequence[Detection], at_s: float) -> None:
        """Match what a detector saw on this picture."""
        clean = without_doubles(detections)
        strong = [d for d in clean if d.score >= STRONG]
        weak = [d for d in clean if d.score < STRONG]
        free, new = self._match(self.tracks, strong, at_s)
        self._match([t for t in free if t.hits > 0], weak, at_s)
        for detection in new:
            self._begin(detection.box, at_s, detection=detection)
        for track in self.tracks:
            track.overlooked += track.hits == 0

    def is_unsure(self, looked_s: float) -> bool:
        """Whether a detector should look as often as it may: what moves is new to it, or its last look missed it."""
        return any(
            track.hits < HITS_SURE or track.detected_s < looked_s
            for track in self.tracks
            if track.overlooked < OVERLOOKED_MOST and not track.is_standing
        )

    def move(self, blobs: Sequence[Box], at_s: float) -> None:
        """Match what moves but is covered by no detected thing."""
        detected = [t for t in self.tracks if t.hits > 0]
        loose = _uncovered(blobs, detected)
        moving = [t for t in self.tracks if t.hits == 0]
        pairs, _, new = assign(moving, loose)
        for track, box in pairs:
            self._place(track, box, at_s)
            track.moves += 1
            track.moved_s += at_s - self._looked_s
            track.is_whole = False
            track.guess = class_from_shape(box, width_px=self.width_px)
        for box in new:
            self._begin(box, at_s, detection=None)
        self._looked_s = at_s

    def forget(self, at_s: float, *, extra_s: float = 0.0) -> list[Track]:
        """Drop and give what was not seen for long, has left the picture, or moves as a shadow under a detection."""
        kept: list[Track] = []
        gone: list[Track] = []
        detected = [t for t in self.tracks if t.hits > 0]
        for track in self.tracks:
            wait = (FORGET_S if track.is_sure else FORGET_UNSURE_S) + (extra_s if track.hits else 0.0)
            is_over = at_s - track.seen_s > wait or not self._is_on_picture(track)
            is_over = is_over or (track.hits == 0 and _is_covered(track.box, detected))
            (gone if is_over else kept).append(track)
        self.tracks = kept
        return gone

    def _is_on_picture(self, track: Track) -> bool:
        return -0.02 * self.width_px <= track.x_px <= 1.02 * self.width_px and (
            -0.02 * self.height_px <= track.y_px <= 1.02 * self.height_px
        )

    def _match(
        self, tracks: Sequence[Track], detections: Sequence[Detection], at_s: float
    ) -> tuple[list[Track], list[Detection]]:
        pairs, free, _ = assign(tracks, [d.box for d in detections], kinds=[d.object_class for d in detections])
        used = {id(box) for _, box in pairs}
        by_box = {id(d.box): d for d in detections}
        for track, box in pairs:
            self._take(track, by_box[id(box)], at_s)
        return free, [d for d in detections if id(d.box) not in used]

    def _take(self, track: Track, detection: Detection, at_s: float) -> None:
        self._place(track, detection.box, at_s)
        track.hits += 1
        track.detected_s = at_s
        track.score = max(track.score, detection.score)
        name = plain(detection.object_class)
        track.votes[name] = track.votes.get(name, 0.0) + detection.score

    def _place(self, track: Track, box: Box, at_s: float) -> None:
        x, y = box.centre
        since_s = at_s - track.seen_s
        if since_s > 0 and track.seen_s > 0:
            gain = _gain(VELOCITY_GAIN, since_s) if track.velocity_s else 1.0
            # The prediction already carried it: the rest is what the velocity was wrong by.
            track.vx += gain * (x - track.x_px) / since_s
            track.vy += gain * (y - track.y_px) / since_s
            track.velocity_s = at_s
        track.x_px, track.y_px = x, y
        gain = _gain(SIZE_GAIN, since_s)
        track.w_px += gain * (box.w_px - track.w_px)
        track.h_px += gain * (box.h_px - track.h_px)
        track.seen_s = at_s
        self._note_travel(track)

    def _note_travel(self, track: Track) -> None:
        away = math.hypot(track.x_px - track.origin[0], track.y_px - track.origin[1])
        track.travelled = max(track.travelled, away / max(track.size_px, 1.0))

    def _begin(self, box: Box, at_s: float, *, detection: Detection | None) -> None:
        x, y = box.centre
        track = Track(
            id=self._next, x_px=x, y_px=y, w_px=box.w_px, h_px=box.h_px, born_s=at_s, seen_s=at_s, origin=(x, y)
        )
        self._next += 1
        if detection is None:
            track.moves = 1
            track.guess = class_from_shape(box, width_px=self.width_px)
        else:
            self._take(track, detection, at_s)
        self.tracks.append(track)


def assign(
    tracks: Sequence[Track], boxes: Sequence[Box], *, kinds: Sequence[str] = ()
) -> tuple[list[tuple[Track, Box]], list[Track], list[Box]]:
    """The best pairs of tracks and boxes by overlap and distance, and what is left of both."""
    if not tracks or not boxes:
        return [], list(tracks), list(boxes)
    cost = _costs(tracks, boxes, kinds)
    first, second = linear_sum_assignment(cost)
    chosen = [(int(i), int(j)) for i, j in zip(first, second, strict=True) if cost[i, j] < UNKNOWN_COST]
    taken = {i for i, _ in chosen}
    used = {j for _, j in chosen}
    pairs = [(tracks[i], boxes[j]) for i, j in chosen]
    return pairs, [t for i, t in enumerate(tracks) if i not in taken], [b for j, b in enumerate(boxes) if j not in used]


def _costs(tracks: Sequence[Track], boxes: Sequence[Box], kinds: Sequence[str]) -> F64:
    was, now = rows([t.box for t in tracks]), rows(boxes)
    shared = areas_shared(was, now)
    area_was, area_now = was[:, 2] * was[:, 3], now[:, 2] * now[:, 3]
    overlap = shared / np.maximum(area_was[:, None] + area_now[None, :] - shared, 1e-9)
    away = np.hypot(
        (was[:, None, 0] + was[:, None, 2] / 2) - (now[None, :, 0] + now[None, :, 2] / 2),
        (was[:, None, 1] + was[:, None, 3] / 2) - (now[None, :, 1] + now[None, :, 3] / 2),
    )
    size = np.sqrt(np.sqrt(area_was[:, None] * area_now[None, :]))
    ratio = np.maximum(area_was[:, None], area_now[None, :]) / np.maximum(
        np.minimum(area_was[:, None], area_now[None, :]), 1e-9
    )
    cost = (1.0 - overlap) + 0.5 * away / np.maximum(size, 1e-9)
    for i, track in enumerate(tracks):
        is_light = track.object_class in TWO_WHEELS or track.object_class == "person"
        for j, name in enumerate(kinds):
            name_is_light = plain(name) in TWO_WHEELS or plain(name) == "person"
            cost[i, j] += 0.3 if track.hits and is_light != name_is_light else 0.0
    reach = np.array([REACH if track.velocity_s else REACH_NEW for track in tracks])[:, None]
    is_far = (overlap < 0.1) & (away > reach * size)
    return np.where(is_far | ((ratio > SIZE_RATIO) & (overlap < 0.3)), UNKNOWN_COST, cost)


def _may_flow(track: Track) -> bool:
    """What was never detected, and is new or stands, is found by its patch or not at all."""
    return track.hits > 0 or (track.velocity_s > 0 and not track.is_standing)


def _gain(gain: float, step_s: float) -> float:
    return 1.0 - (1.0 - gain) ** max(1.0, step_s / GAIN_STEP_S)


def _uncovered(blobs: Sequence[Box], tracks: Sequence[Track]) -> list[Box]:
    return [blob for blob in blobs if not _is_covered(blob, tracks)]


def _is_covered(blob: Box, tracks: Sequence[Track]) -> bool:
    """Whether detected things, with the shadow or light around them, hold most of what moves there."""
    if not tracks:
        return False
    shared = areas_shared(rows([blob]), rows([t.box for t in tracks]))[0]
    if shared.sum() > 0.3 * blob.area_px2:
        return True
    areas = np.array([t.w_px * t.h_px for t in tracks])
    return bool((shared > 0.3 * areas).any())

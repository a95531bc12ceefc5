"""From a model's raw candidates to detections: choose the class, drop the weak, keep one box for each thing."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from safecity.analytics.boxes import Box, Detection
from safecity.analytics.models import CLASSES, COCO_INDEX

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

MIN_SCORE = 0.1
MAX_CANDIDATES = 300  # of one picture, the strongest
SAME_THING_IOU = 0.55  # two boxes of one group
SAME_PLACE_IOU = 0.85  # two boxes of any groups: a rider is not a duplicate of the motorcycle, a second label is
MIN_SIDE_PX = 2.0

COCO_COLUMNS: Final = np.array([COCO_INDEX[name] for name in CLASSES])
# One vehicle often comes as car and as truck; a person on a bicycle is two things.
_GROUPS: Final = np.array([{"person": 0, "bicycle": 1, "motorcycle": 1}.get(name, 2) for name in CLASSES])


def keep_best(boxes: F32, scores: F32, *, width_px: int, height_px: int) -> list[Detection]:
    """Detections, strongest first, of candidates in the picture's pixels.

    `boxes` is N x 4 (left, top, right, bottom), `scores` N x 6 in the order of `CLASSES`. Suppression is greedy by
    score, within a group of classes that are taken for each other, and across all where boxes all but coincide.
    """
    best = scores.argmax(axis=1)
    score = scores[np.arange(len(scores)), best]
    order = np.argsort(-score, kind="stable")
    order = order[score[order] >= MIN_SCORE][:MAX_CANDIDATES]
    if not order.size:
        return []
    corners = boxes[order].astype(np.float64)
    np.clip(corners, 0, np.array([width_px, height_px] * 2), out=corners)
    sides: F64 = corners[:, 2:] - corners[:, :2]
    is_open: NDArray[np.bool_] = np.greater_equal(sides.min(axis=1), MIN_SIDE_PX)
    groups = _GROUPS[best[order]]
    overlap = _overlaps(corners, sides)
    limit = np.where(groups[:, None] == groups[None, :], SAME_THING_IOU, SAME_PLACE_IOU)
    clashes = overlap > limit
    kept: list[int] = []
    for index in range(len(order)):
        if is_open[index]:
            kept.append(index)
            is_open &= ~clashes[index]
    return [_detection(corners[index], CLASSES[best[order[index]]], float(score[order[index]])) for index in kept]


def _detection(corners: Sequence[float], name: str, score: float) -> Detection:
    left, top, right, bottom = (float(value) for value in corners)
    box = Box(x_px=left, y_px=top, w_px=right - left, h_px=bottom - top)
    return Detection(box=box, object_class=name, score=min(1.0, score))


def _overlaps(boxes: F64, sides: F64) -> F64:
    """Intersection over union of each with each."""
    top_left = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    bottom_right = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.clip(bottom_right - top_left, 0, None).prod(axis=2)
    area = sides.clip(0).prod(axis=1)
    return shared / np.maximum(area[:, None] + area[None, :] - shared, 1e-9)

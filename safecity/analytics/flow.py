"""Where things went between two pictures: sparse optical flow (Lucas and Kanade) on the small grey picture.

Between two detections this carries each box along, also where moving things touch and the background model sees but
one blob.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from safecity.analytics.boxes import U8
from safecity.analytics.motion import HEIGHT_PX, WIDTH_PX
from safecity.analytics.tracker import Track

GRID = 5
INNER_SHARE = 0.8
"""Of a box that is looked at; its rim is road."""
LEAST_POINTS = 4
MAX_TRACKS = 64
WINDOW_PX = 11
AROUND_PX = 24
"""How much farther than expected a thing may be."""
LEAST_PX = 64
WORST_ERROR = 25.0
_STEPS = np.linspace(-INNER_SHARE / 2, INNER_SHARE / 2, GRID)
_CELLS = np.stack(np.meshgrid(_STEPS, _STEPS), -1).reshape(-1, 2)
"""The grid as shares of a box, from its middle."""


def shifts(
    pictures: tuple[U8, U8, U8], tracks: Sequence[Track], *, scale: tuple[float, float], step_s: float
) -> Mapping[int, tuple[float, float]]:
    """Shift of each track in pixels of the scene, where enough of its points were found again.

    `pictures` are the small picture before, the one now, and the mask of what moves; `scale` is scene pixels a small
    pixel.
    """
    before, now, mask = pictures
    chosen = tracks[:MAX_TRACKS]
    if not chosen:
        return {}
    points = _points(chosen, scale)
    guess = points + np.repeat(
        np.array([(t.vx * step_s / scale[0], t.vy * step_s / scale[1]) for t in chosen], np.float32),
        GRID * GRID,
        axis=0,
    )
    part, corner = _part(points, guess)
    found, status, error = cv2.calcOpticalFlowPyrLK(
        before[part],
        now[part],
        (points - corner).reshape(-1, 1, 2),
        (guess - corner).reshape(-1, 1, 2),
        winSize=(WINDOW_PX, WINDOW_PX),
        maxLevel=2,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        criteria=(cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 8, 0.05),
        minEigThreshold=1e-3,
    )
    found = found.reshape(-1, 2) + corner
    moved = found - points
    good = (status.reshape(-1) == 1) & (error.reshape(-1) < WORST_ERROR)
    ends = np.clip(np.rint(found).astype(np.intp), 0, (WIDTH_PX - 1, HEIGHT_PX - 1))
    on_moving = mask[ends[:, 1], ends[:, 0]] > 0
    made: dict[int, tuple[float, float]] = {}
    for index, track in enumerate(chosen):
        part = slice(index * GRID * GRID, (index + 1) * GRID * GRID)
        shift = _agreed(moved[part], good[part], on_moving[part])
        if shift is not None:
            made[track.id] = (shift[0] * scale[0], shift[1] * scale[1])
    return made


def _part(points: NDArray[np.float32], guess: NDArray[np.float32]) -> tuple[tuple[slice, slice], NDArray[np.float32]]:
    """The window of the small picture around what is looked for, and its corner: pyramids of the rest cost time."""
    left, top = np.floor(np.minimum(points.min(axis=0), guess.min(axis=0))).astype(int) - AROUND_PX
    right, bottom = np.ceil(np.maximum(points.max(axis=0), guess.max(axis=0))).astype(int) + AROUND_PX
    left, top = min(max(int(left), 0), WIDTH_PX - LEAST_PX), min(max(int(top), 0), HEIGHT_PX - LEAST_PX)
    right, bottom = min(max(int(right), left + LEAST_PX), WIDTH_PX), min(max(int(bottom), top + LEAST_PX), HEIGHT_PX)
    return (slice(top, bottom), slice(left, right)), np.array((left, top), np.float32)


def _points(tracks: Sequence[Track], scale: tuple[float, float]) -> NDArray[np.float32]:
    """The grid of each track in small pixels, track by track, x and y: (tracks * GRID * GRID) x 2."""
    centres = np.array([(track.x_px, track.y_px) for track in tracks])
    sizes = np.array([(track.w_px, track.h_px) for track in tracks])
    spread = centres[:, None] + _CELLS * sizes[:, None]
    return (spread / np.array(scale)).reshape(-1, 2).astype(np.float32)


def _agreed(
    moved: NDArray[np.float32], good: NDArray[np.bool_], on_moving: NDArray[np.bool_]
) -> tuple[float, float] | None:
    """The middle shift of the points on what moves; of all of them where the background took the thing in."""
    best = good & on_moving
    if int(best.sum()) < LEAST_POINTS:
        best = good
    if int(best.sum()) < LEAST_POINTS:
        return None
    ranked = np.sort(moved[best], axis=0)  # a median of a handful, at a fifth of numpy.median's cost
    lower, upper = ranked[(len(ranked) - 1) // 2], ranked[len(ranked) // 2]
    return float(lower[0] + upper[0]) / 2, float(lower[1] + upper[1]) / 2

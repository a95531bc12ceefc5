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
WORST_ERROR = 25.0


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
    grids = [_grid(track, scale) for track in chosen]
    points = np.concatenate(grids).astype(np.float32)
    guess = points + np.repeat(
        np.array([(t.vx * step_s / scale[0], t.vy * step_s / scale[1]) for t in chosen], np.float32),
        GRID * GRID,
        axis=0,
    )
    found, status, error = cv2.calcOpticalFlowPyrLK(
        before,
        now,
        points.reshape(-1, 1, 2),
        guess.reshape(-1, 1, 2).copy(),
        winSize=(WINDOW_PX, WINDOW_PX),
        maxLevel=2,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        criteria=(cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 8, 0.05),
        minEigThreshold=1e-3,
    )
    moved = found.reshape(-1, 2) - points
    good = (status.reshape(-1) == 1) & (error.reshape(-1) < WORST_ERROR)
    ends = np.clip(np.rint(found.reshape(-1, 2)).astype(np.intp), 0, (WIDTH_PX - 1, HEIGHT_PX - 1))
    on_moving = mask[ends[:, 1], ends[:, 0]] > 0
    made: dict[int, tuple[float, float]] = {}
    for index, track in enumerate(chosen):
        part = slice(index * GRID * GRID, (index + 1) * GRID * GRID)
        shift = _agreed(moved[part], good[part], on_moving[part])
        if shift is not None:
            made[track.id] = (shift[0] * scale[0], shift[1] * scale[1])
    return made


def _grid(track: Track, scale: tuple[float, float]) -> NDArray[np.float64]:
    half = INNER_SHARE / 2
    xs = np.linspace(track.x_px - half * track.w_px, track.x_px + half * track.w_px, GRID) / scale[0]
    ys = np.linspace(track.y_px - half * track.h_px, track.y_px + half * track.h_px, GRID) / scale[1]
    return np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2)


def _agreed(
    moved: NDArray[np.float32], good: NDArray[np.bool_], on_moving: NDArray[np.bool_]
) -> tuple[float, float] | None:
    """The middle shift of the points on what moves; of all of them where the background took the thing in."""
    best = good & on_moving
    if int(best.sum()) < LEAST_POINTS:
        best = good
    if int(best.sum()) < LEAST_POINTS:
        return None
    middle = np.median(moved[best], axis=0)
    return float(middle[0]), float(middle[1])

"""Whether a drawn line or area is one: pure geometry on plain coordinates, for the map and for pictures alike."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

XY = tuple[float, float]

POINTS_MOST = 5_000


def check_path(points: Sequence[XY]) -> tuple[XY, ...]:
    """The points of a line without repeats in a row; raises ValueError when no line is left."""
    path = _without_repeats(points)
    if len(path) < 2:
        raise ValueError(f"a line needs at least 2 different points, this one has {len(path)}")
    return path


def check_ring(points: Sequence[XY]) -> tuple[XY, ...]:
    """The corners of an area, the first not repeated at the end; raises ValueError when they are none."""
    ring = _without_repeats(points)
    if len(ring) > 1 and ring[0] == ring[-1]:
        ring = ring[:-1]
    if len(set(ring)) < 3:
        raise ValueError(f"an area needs at least 3 different corners, this one has {len(set(ring))}")
    meeting = _first_crossing(ring)
    if meeting is not None:
        i, j = meeting
        raise ValueError(
            f"the border crosses itself: the edge after corner {i + 1} meets the edge after corner {j + 1}; "
            "give the corners in the order in which one walks around"
        )
    if _area(ring) == 0:
        raise ValueError("all corners lie on one line; an area needs a width")
    return ring


def _without_repeats(points: Sequence[XY]) -> tuple[XY, ...]:
    if len(points) > POINTS_MOST:
        raise ValueError(f"has {len(points)} points; {POINTS_MOST} are the most")
    return tuple(points[:1]) + tuple(b for a, b in pairwise(points) if a != b)


def _area(ring: Sequence[XY]) -> float:
    x0, y0 = ring[0]
    shifted = [(x - x0, y - y0) for x, y in ring]
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(shifted, [*shifted[1:], shifted[0]], strict=True)))


def _first_crossing(ring: Sequence[XY]) -> tuple[int, int] | None:
    """The first pair of edges, not neighbours, that touch or cross; O(n^2) in n vectorised steps."""
    start: NDArray[np.float64] = np.asarray(ring, dtype=np.float64)
    end = np.roll(start, -1, axis=0)
    count = len(ring)
    for i in range(count - 2):
        last = count - 1 if i == 0 else count
        others = slice(i + 2, last)
        if others.start >= others.stop:
            continue
        hits = _crosses((start[i], end[i]), (start[others], end[others]))
        found = np.flatnonzero(hits)
        if found.size:
            return i, i + 2 + int(found[0])
    return None


Corners = NDArray[np.float64]


def _crosses(edge: tuple[Corners, Corners], others: tuple[Corners, Corners]) -> NDArray[np.bool_]:
    """Whether one edge (corners of shape (2,)) meets each of the others (shape (n, 2)), end points included."""
    (a, b), (c, d) = edge, others
    side_c, side_d = _side(edge, c), _side(edge, d)
    side_a, side_b = _side(others, a), _side(others, b)
    is_apart = np.any((np.maximum(c, d) < np.minimum(a, b)) | (np.minimum(c, d) > np.maximum(a, b)), axis=1)
    return ~is_apart & (side_c * side_d <= 0) & (side_a * side_b <= 0)


def _side(edge: tuple[Corners, Corners], point: Corners) -> Corners:
    """-1, 0 or 1: on which side of an edge's line the point lies."""
    along, to_point = edge[1] - edge[0], point - edge[0]
    return np.sign(along[..., 0] * to_point[..., 1] - along[..., 1] * to_point[..., 0])

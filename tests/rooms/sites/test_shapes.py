"""A line is a line, and an area does not cross itself."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from safecity.sites.shapes import POINTS_MOST, XY, check_path, check_ring

RADII = st.lists(st.floats(0.2, 3.0), min_size=4, max_size=40)


def star(radii: list[float]) -> list[XY]:
    """Corners around a middle in the order of their angles: such a border never crosses itself."""
    step = 2 * math.pi / len(radii)
    return [(67 + r * math.cos(i * step), 30 + r * math.sin(i * step)) for i, r in enumerate(radii)]


@given(RADII)
def test_a_border_walked_around_its_middle_is_an_area(radii: list[float]) -> None:
    ring = star(radii)
    assert check_ring(ring) == tuple(ring)
    assert check_ring([*ring, ring[0]]) == tuple(ring), "closed or not is the same"
    assert check_ring([ring[0], *ring]) == tuple(ring), "a corner twice in a row counts once"


@given(st.integers(5, 40), st.data())
def test_two_corners_exchanged_on_a_round_border_cross_it(corners: int, data: st.DataObject) -> None:
    ring = star([1.0] * corners)
    i = data.draw(st.integers(0, corners - 1))
    j = data.draw(st.integers(0, corners - 1))
    assume(abs(i - j) >= 1)
    ring[i], ring[j] = ring[j], ring[i]
    with pytest.raises(ValueError, match="crosses itself"):
        check_ring(ring)


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ([(0, 0), (1, 1), (1, 0), (0, 1)], "crosses itself"),
        ([(0, 0), (1, 0)], "at least 3"),
        ([(0, 0), (1, 0), (0, 0), (1, 0)], "at least 3"),
        ([(0, 0), (1, 1), (2, 2)], "one line"),
        ([(0, 0), (2, 0), (2, 2), (1, 0), (0, 2)], "crosses itself"),
        ([(i, i * i) for i in range(POINTS_MOST + 1)], "are the most"),
    ],
)
def test_what_is_no_area_is_refused(points: list[XY], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_ring(points)


def test_a_line_needs_two_different_points() -> None:
    assert check_path([(0, 0), (0, 0), (1, 0)]) == ((0, 0), (1, 0))
    for points in ([], [(0.0, 0.0)], [(0.0, 0.0)] * 5):
        with pytest.raises(ValueError, match="at least 2"):
            check_path(points)

"""Requests and the rules of the truth, as properties."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from safecity.virtual.scenes.model import (
    Condition,
    Direction,
    EventKind,
    Layout,
    PlantedEvent,
    SceneRequest,
    bottom_centre,
    crossing_direction,
    side_of,
)
from safecity.virtual.scenes.truth import is_inside, unbroken

coordinate = st.floats(-2000, 2000).map(lambda value: round(value, 1))
point = st.tuples(coordinate, coordinate)
line = st.tuples(point, point).filter(lambda ends: ends[0] != ends[1])


@given(line, point, point)
def test_walking_back_crosses_the_other_way(ends, before, after):
    there = crossing_direction(ends, before=before, after=after)
    back = crossing_direction(ends, before=after, after=before)
    opposite = {Direction.FORWARD: Direction.BACKWARD, Direction.BACKWARD: Direction.FORWARD, None: None}
    assert back == opposite[there]


@given(line, st.lists(point, min_size=2, max_size=20))
def test_crossings_of_a_walk_alternate_with_its_sides(ends, walk):
    """Over an endless line (no ends to walk round) a walk's crossings must alternate."""
    (x1, y1), (x2, y2) = ends
    far = ((x1 - 1e5 * (x2 - x1), y1 - 1e5 * (y2 - y1)), (x2 + 1e5 * (x2 - x1), y2 + 1e5 * (y2 - y1)))
    steps = [crossing_direction(far, before=a, after=b) for a, b in itertools.pairwise(walk)]
    crossings = [step for step in steps if step is not None]
    assert all(a != b for a, b in itertools.pairwise(crossings))


def test_forward_is_from_negative_to_positive():
    ends = ((0.0, 0.0), (10.0, 0.0))
    assert side_of(ends, (5.0, -1.0)) < 0 < side_of(ends, (5.0, 1.0))
    assert crossing_direction(ends, before=(5.0, -1.0), after=(5.0, 1.0)) == Direction.FORWARD
    assert crossing_direction(ends, before=(15.0, -1.0), after=(15.0, 1.0)) is None


@given(st.sets(st.integers(0, 300)))
def test_runs_hold_every_frame_once(frames):
    runs = unbroken(sorted(frames))
    assert [n for first, last in runs for n in range(first, last + 1)] == sorted(frames)
    assert all(a[1] + 1 < b[0] for a, b in itertools.pairwise(runs))


@given(point)
def test_inside_a_square(where):
    square = ((0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0))
    x, y = where
    if 0 < x < 100 and 0 < y < 100:
        assert is_inside(square, where)
    elif not (0 <= x <= 100 and 0 <= y <= 100):
        assert not is_inside(square, where)


@given(st.integers(0, 2**31 - 1))
def test_the_seed_settles_what_is_left_open(seed):
    settled = SceneRequest(seed=seed).settled()
    assert settled.layout in Layout
    assert settled.condition in Condition
    assert settled.digest() == SceneRequest(seed=seed).digest()
    assert settled.digest() != SceneRequest(seed=seed, loop=True).digest()


def test_bottom_centre_stands_below_the_middle():
    assert bottom_centre((7, 10.0, 20.0, 30.0, 40.0, 1.0)) == (25.0, 60.0)


def test_requests_that_cannot_be_drawn_are_refused():
    with pytest.raises(ValidationError, match="at least 20 seconds"):
        SceneRequest(seed=1, duration_s=5, loop=True)
    late = PlantedEvent(kind=EventKind.WRONG_WAY, at_s=50)
    with pytest.raises(ValidationError, match="earlier at_s"):
        SceneRequest(seed=1, duration_s=20, events=(late,))
    with pytest.raises(ValidationError):
        SceneRequest(seed=1, colour="blue")  # type: ignore[call-arg]

"""Following and counting on drawn boxes: each trap that real clips showed, without a picture."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.analytics.boxes import Box, Detection
from safecity.analytics.counting import OVERLOOKED_SURE, THROWN_AHEAD_S, LineCounter, is_real
from safecity.analytics.scene import SceneLine
from safecity.analytics.tracker import Track, Tracker, without_doubles

LINE = SceneLine(name="l", points=((0, 200), (640, 200)))
STEP_S = 0.04


def seen(
    x: float, y: float, *, name: str = "car", score: float = 0.8, size: tuple[float, float] = (60, 40)
) -> Detection:
    box = Box(x_px=x - size[0] / 2, y_px=y - size[1] / 2, w_px=size[0], h_px=size[1])
    return Detection(box=box, object_class=name, score=score)


def play(pictures: Sequence[Sequence[Detection]], *, line: SceneLine = LINE) -> LineCounter:
    tracker, counter = Tracker(width_px=640, height_px=360), LineCounter(line)
    for number, detections in enumerate(pictures):
        at_s = number * STEP_S
        if number:
            tracker.predict(at_s, from_s=at_s - STEP_S, shifts={})
        tracker.detect(detections, at_s)
        for track in tracker.tracks:
            counter.see(track, at_s)
        tracker.forget(at_s)
    return counter


def drive(x: float, ys: Sequence[float], **how: object) -> list[list[Detection]]:
    return [[seen(x, y, **how)] for y in ys]  # type: ignore[arg-type]


def test_forward_is_the_side_where_the_sign_becomes_positive() -> None:
    assert play(drive(300, range(100, 300, 5))).forward == {"car": 1}
    assert play(drive(300, range(300, 100, -5))).backward == {"car": 1}
    turned = SceneLine(name="l", points=((640, 200), (0, 200)))
    assert play(drive(300, range(100, 300, 5)), line=turned).backward == {"car": 1}


def test_trembling_on_the_line_counts_once() -> None:
    ys = [*range(150, 200, 5), *[198, 203, 197, 204, 199, 202] * 8, *range(205, 280, 5)]
    counter = play(drive(300, ys))
    assert counter.forward == {"car": 1}
    assert not counter.backward


def test_turning_round_counts_both_ways() -> None:
    counter = play(drive(300, [*range(120, 260, 5), *range(260, 120, -5)]))
    assert (dict(counter.forward), dict(counter.backward)) == ({"car": 1}, {"car": 1})


def test_a_line_has_ends() -> None:
    short = SceneLine(name="l", points=((0, 200), (200, 200)))
    assert not play(drive(300, range(100, 300, 5)), line=short).forward


def test_what_never_moves_is_never_counted() -> None:
    housing = [[seen(300, 199 + (number % 3), name="truck")] for number in range(100)]
    assert not play(housing).forward


def test_two_classes_on_one_vehicle_count_once() -> None:
    pictures = [[seen(300, y), seen(302, y + 1, name="truck", score=0.7)] for y in range(100, 300, 5)]
    assert sum(play(pictures).forward.values()) == 1


def test_a_rider_and_his_motorcycle_are_one() -> None:
    both = [
        seen(300, 200, name="person", score=0.9, size=(30, 60)),
        seen(300, 215, name="motorcycle", score=0.5, size=(34, 60)),
    ]
    assert [one.object_class for one in without_doubles(both)] == ["motorcycle"]


def test_a_car_missed_for_half_a_second_keeps_its_track() -> None:
    pictures = drive(300, range(100, 300, 4))
    for number in range(20, 30):
        pictures[number] = []
    assert play(pictures).forward == {"car": 1}


def test_weak_detections_carry_on_but_begin_nothing() -> None:
    assert not play(drive(300, range(100, 300, 5), score=0.2)).forward
    mixed = [[seen(300, y, score=0.8 if number < 4 else 0.2)] for number, y in enumerate(range(100, 300, 5))]
    assert play(mixed).forward == {"car": 1}


def test_the_class_is_by_vote() -> None:
    pictures = [
        [seen(300, y, name="truck" if number % 5 == 0 else "car")] for number, y in enumerate(range(100, 300, 5))
    ]
    assert play(pictures).forward == {"car": 1}


@given(
    lanes=st.lists(st.sampled_from([80, 200, 320, 440, 560]), min_size=1, max_size=5, unique=True),
    speed=st.floats(min_value=2, max_value=12),
    is_down=st.booleans(),
)
def test_every_car_of_free_lanes_counts_once(lanes: list[int], speed: float, is_down: bool) -> None:
    steps = int(220 / speed)
    ys = [90 + speed * step for step in range(steps)]
    pictures = [[seen(x, y if is_down else 400 - y) for x in lanes] for y in ys]
    counter = play(pictures)
    assert sum((counter.forward if is_down else counter.backward).values()) == len(lanes)
    assert not (counter.backward if is_down else counter.forward)


@pytest.mark.parametrize("hits", [0, 1])
def test_one_glance_is_not_real(hits: int) -> None:
    tracker = Tracker(width_px=640, height_px=360)
    tracker.detect([seen(100, 100)] * hits, 0.0)
    assert not any(is_real(track) for track in tracker.tracks)


def cross(counter: LineCounter, *, number: int, x: float, at_s: float, hits: int) -> None:
    """A thing 60 pixels wide crosses the line downwards; the detector knew it `hits` times, or never."""
    track = Track(
        id=number, x_px=x, y_px=180, w_px=60, h_px=40, born_s=at_s - 1, seen_s=at_s, hits=hits, moves=9, moved_s=0.4,
        overlooked=0 if hits else OVERLOOKED_SURE, travelled=3.0, vy=400.0,
    )  # fmt: skip
    if hits:
        track.votes["car"] = 0.8
    counter.see(track, at_s - STEP_S)
    track.y_px = 220
    counter.see(track, at_s)


@pytest.mark.parametrize(
    ("x", "after_s", "expected"),
    [
        pytest.param(310, 0.6, {"car": 1}, id="its light ran ahead of the car"),
        pytest.param(310, 1.5, {"car": 1, "vehicle?": 1}, id="too late to be its light"),
        pytest.param(380, 0.6, {"car": 1, "vehicle?": 1}, id="in the next lane"),
    ],
)
def test_light_on_the_road_is_not_counted_before_its_car(x: float, after_s: float, expected: dict[str, int]) -> None:
    """Night glare: what moves and the detector knows not waits, and goes when a known thing comes behind it."""
    counter = LineCounter(LINE)
    cross(counter, number=1, x=300, at_s=1.0, hits=0)
    assert not counter.forward
    settled = counter.settle(1.0 + min(after_s, THROWN_AHEAD_S))
    cross(counter, number=2, x=x, at_s=1.0 + after_s, hits=5)
    settled += counter.settle(9.0)
    assert counter.forward == expected
    assert [one.at_s for one in settled] == ([1.0] if "vehicle?" in expected else [])

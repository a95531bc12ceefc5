"""The rules on drawn boxes."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from safecity.analytics.boxes import Box
from safecity.analytics.rules import Change, Passed, Seen, is_inside, watch_all
from safecity.analytics.scene_file import scene_from

ZONE = {"name": "z", "points": [[100, 100], [300, 100], [300, 300], [100, 300]]}
LINE = {"name": "l", "points": [[0, 200], [400, 200]]}
STEP_S = 0.1


def thing(x: float, y: float, *, number: int = 1, name: str = "car", travelled: float = 5.0) -> Seen:
    box = Box(x_px=x - 20, y_px=y - 10, w_px=40, h_px=20)
    return Seen(number, name, box, travelled, 0.8, (x, 0.0))


def fire(rule: dict[str, object], at: Callable[[float], list[Seen]], *, seconds: float = 20.0) -> list[Change]:
    """Everything a rule said while things stood where `at` puts them."""
    (watch,) = watch_all(scene_from({"lines": [LINE], "zones": [ZONE], "rules": [rule]}))
    made: list[Change] = []
    for number in range(int(seconds / STEP_S)):
        made += watch.step(at(number * STEP_S), [], at_s=number * STEP_S)
    return made + watch.finish(seconds)


def ended(changes: list[Change]) -> list[Change]:
    return [change for change in changes if change.ended_s is not None]


def test_zone_entry_fires_once_and_ends() -> None:
    found = fire({"kind": "zone_entry", "min_s": 1}, lambda t: [thing(40 * t, 200)])
    (one,) = ended(found)
    assert len(found) == 2
    assert abs(one.started_s - 2.5) < 0.2
    assert one.ended_s is not None
    assert abs(one.ended_s - 7.5) < 0.2
    assert one.subject == "z/car"


def test_a_new_number_in_the_same_place_is_the_same_stay() -> None:
    found = fire({"kind": "zone_entry"}, lambda t: [thing(200, 200, number=1 if t < 5 else 2)])
    assert len(ended(found)) == 1


def test_stopped_vehicle_needs_to_have_moved_and_to_stand() -> None:
    rule: dict[str, object] = {"kind": "stopped_vehicle", "zone": "z", "min_s": 5}
    (one,) = ended(fire(rule, lambda t: [thing(min(50 * t, 200), 200)]))
    assert abs(one.started_s - 4.0) < 0.5
    assert not fire(rule, lambda t: [thing(200, 200, travelled=0.2)])
    assert not fire(rule, lambda t: [thing(200, 200, name="person")])
    assert not fire(rule, lambda t: [thing(110 + 9 * t, 200)])


def test_wrong_way_by_arrow() -> None:
    rule: dict[str, object] = {"kind": "wrong way", "zone": "z", "direction": "down"}
    assert not fire(rule, lambda t: [thing(200, 110 + 9 * t)])
    (one,) = fire(rule, lambda t: [thing(200, 290 - 9 * t)])
    assert one.rule.kind == "wrong_way"


def test_a_mix_up_of_two_cars_is_not_wrong_way() -> None:
    rule: dict[str, object] = {"kind": "wrong_way", "zone": "z", "direction": "down"}
    assert not fire(rule, lambda t: [thing(200, 120 + (40 * t) % 160)])


def test_wrong_way_over_a_line() -> None:
    scene = scene_from({"lines": [LINE], "rules": [{"kind": "wrong_way", "line": "l", "direction": "down"}]})
    (watch,) = watch_all(scene)
    right = Passed("l", True, thing(200, 210)._replace(origin=(200, 100)), 0.0)
    wrong = Passed("l", False, thing(200, 190)._replace(origin=(200, 300)), 0.0)
    jumped = Passed("l", False, thing(200, 190)._replace(origin=(200, 205)), 0.0)
    assert not watch.step([], [right], at_s=1.0)
    assert not watch.step([], [jumped], at_s=1.0)
    assert len(watch.step([], [wrong], at_s=2.0)) == 1


def test_line_crossing_by_direction_and_class() -> None:
    rule = {"kind": "line_crossing", "line": "l", "direction": "forward", "classes": ["vehicle"]}
    (watch,) = watch_all(scene_from({"lines": [LINE], "rules": [rule]}))
    assert len(watch.step([], [Passed("l", True, thing(1, 1, name="bus"), 0.0)], at_s=0.0)) == 1
    assert len(watch.step([], [Passed("l", True, thing(1, 1, name="vehicle?"), 0.0)], at_s=0.0)) == 1
    assert not watch.step([], [Passed("l", True, thing(1, 1, name="person"), 0.0)], at_s=0.0)
    assert not watch.step([], [Passed("l", False, thing(1, 1), 0.0)], at_s=0.0)


def test_crowd_is_more_than_the_limit_for_long_enough() -> None:
    rule: dict[str, object] = {"kind": "crowd", "limit": 3, "min_s": 2}

    def people(count: int) -> list[Seen]:
        return [thing(120 + 30 * number, 200, number=number, name="person") for number in range(count)]

    assert not fire(rule, lambda t: people(3))
    assert not fire(rule, lambda t: people(4 if 5 < t < 6.5 else 0))
    assert len(ended(fire(rule, lambda t: people(4 if 5 < t < 9 else 0)))) == 1


@given(x=st.floats(-50, 450), y=st.floats(-50, 450))
def test_inside_a_square(x: float, y: float) -> None:
    corners = ((100.0, 100.0), (300.0, 100.0), (300.0, 300.0), (100.0, 300.0))
    if min(abs(x - 100), abs(x - 300), abs(y - 100), abs(y - 300)) > 1e-6:
        assert is_inside(corners, (x, y)) == (100 < x < 300 and 100 < y < 300)


@given(st.lists(st.tuples(st.floats(0, 400), st.floats(0, 400)), min_size=1, max_size=60))
def test_every_beginning_has_one_end(places: list[tuple[float, float]]) -> None:
    for rule in (
        {"kind": "zone_entry", "min_s": 0.2},
        {"kind": "stopped_vehicle", "min_s": 1},
        {"kind": "crowd", "limit": 1, "min_s": 0},
    ):
        found = fire(rule, lambda t: [thing(*places[min(int(t / STEP_S), len(places) - 1)])], seconds=8.0)
        begun = [(c.subject, c.started_s) for c in found if c.ended_s is None]
        assert begun == [(c.subject, c.started_s) for c in ended(found)]
        assert all((c.ended_s or 0.0) >= c.started_s for c in ended(found))

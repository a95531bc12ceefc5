"""How vehicles and people behave, without drawing them."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.virtual.scenes.driving import differing, follow, free_road
from safecity.virtual.scenes.layouts import plan_street
from safecity.virtual.scenes.looks import Registry, schedule_vehicles
from safecity.virtual.scenes.model import EventKind, Layout, PlantedEvent, RoadUser
from safecity.virtual.scenes.paths import bending, path_through, turning
from safecity.virtual.scenes.traffic import Traffic
from safecity.virtual.scenes.walkers import People

FPS = 12.5


def street(layout: Layout, seed: int, *, loop: bool, duration_s: float = 40.0, events=()) -> Traffic:
    plan = plan_street(layout, seed)
    registry = Registry(np.random.default_rng([seed, 5]))
    round_s = duration_s if loop else None
    slots = schedule_vehicles(plan.routes, registry, from_s=0.0 if loop else -90.0, to_s=duration_s, density=1.0)
    people = People(plan, registry, round_s=round_s, until_s=duration_s, density=1.0, events=events)
    traffic = Traffic(plan, slots, people, FPS, round_s, events=events)
    traffic.fill_street()
    return traffic


@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize("seed", [1, 2])
def test_a_loop_ends_as_it_began(layout, seed):
    traffic = street(layout, seed, loop=True)
    start = {}
    for mover in traffic.movers():
        start.setdefault(mover.key[1], []).append((mover.x_m, mover.y_m, mover.speed_mps))
    for _ in range(round(40 * FPS)):
        traffic.step()
    end = {}
    for mover in traffic.movers():
        end.setdefault(mover.key[1], []).append((mover.x_m, mover.y_m, mover.speed_mps))
    assert start.keys() == end.keys()
    assert len(start) > 3
    for number, places in start.items():
        assert np.allclose(sorted(places), sorted(end[number]), atol=0.05)


@pytest.mark.parametrize("layout", list(Layout))
def test_vehicles_keep_apart_and_move(layout):
    """No two vehicles that follow the same lane ever stand in each other; the traffic does not lock up."""
    traffic = street(layout, 3, loop=False)
    distance = 0.0
    for _ in range(round(20 * FPS)):
        traffic.step()
        for lane in traffic.occupancy().values():
            for (s0, behind), (s1, ahead) in itertools.pairwise(lane):
                if abs(traffic.aside_m(behind) - traffic.aside_m(ahead)) < 0.5:
                    lengths = (behind.slot.look.length_m + ahead.slot.look.length_m) / 2
                    assert s1 - s0 > lengths - 0.3, (behind.slot.look.model, ahead.slot.look.model)
        distance += sum(v.speed_mps for v in traffic.vehicles) / FPS
    assert distance > 400


def test_red_means_stop():
    """Nobody passes a stop line while its phase is red and has been for a second."""
    traffic = street(Layout.JUNCTION, 5, loop=False)
    red_s = dict.fromkeys(range(4), 0.0)
    for _ in range(round(60 * FPS)):
        before = {id(v): v.front_m for v in traffic.vehicles}
        traffic.step()
        for phase in red_s:
            red_s[phase] = red_s[phase] + 1 / FPS if traffic.signal_state(phase) == "red" else 0.0
        for vehicle in traffic.vehicles:
            for s, phase in traffic.courses[vehicle.slot.route].signals:
                crossed = before.get(id(vehicle), vehicle.front_m) < s <= vehicle.front_m
                assert not (crossed and red_s[phase] > 1.5), (phase, red_s[phase])


@pytest.mark.parametrize(("layout", "allowed"), [(Layout.AVENUE, 0), (Layout.JUNCTION, 2), (Layout.MARKET, 2)])
def test_vehicles_wait_for_who_crosses(layout, allowed):
    """On a crosswalk nobody is driven into; a jam behind it may, rarely, leave a slow vehicle standing in the way."""
    traffic = street(layout, 4, loop=False)
    people = traffic.people
    touched = set()
    for _ in range(round(30 * FPS)):
        traffic.step()
        crossing = [
            m for m in people.movers(traffic.now_s) if people.walks[people.walkers[m.key[1]].walk].crosswalk is not None
        ]
        for mover in traffic.movers():
            cosine, sine = np.cos(mover.heading), np.sin(mover.heading)
            for person in crossing:
                x, y = person.x_m - mover.x_m, person.y_m - mover.y_m
                if abs(x * cosine + y * sine) < mover.look.length_m / 2 and abs(y * cosine - x * sine) < 0.6:
                    touched.add((mover.key, person.key))
    assert len(touched) <= allowed


def test_booms_let_one_vehicle_through_at_a_time():
    traffic = street(Layout.GATE, 6, loop=False)
    stops = set()
    for _ in range(round(40 * FPS)):
        before = {(v.slot.number, v.turn): v.front_m for v in traffic.vehicles}
        traffic.step()
        for vehicle in traffic.vehicles:
            for s, segment in traffic.courses[vehicle.slot.route].gates:
                if before.get((vehicle.slot.number, vehicle.turn), s) < s <= vehicle.front_m:
                    assert traffic.booms[segment].raised > 0.5
                    stops.add(vehicle.slot.number)
    assert len(stops) >= 3


@pytest.mark.parametrize("layout", list(Layout))
def test_a_planted_stop_happens(layout):
    events = (PlantedEvent(kind=EventKind.STOPPED_VEHICLE, at_s=4, for_s=10),)
    traffic = street(layout, 8, loop=False, duration_s=60, events=events)
    still_s = 0.0
    for _ in range(round(55 * FPS)):
        traffic.step()
        still_s += sum(v.event == 0 and v.speed_mps < 0.3 and not v.event_done for v in traffic.vehicles) / FPS
    assert 8 < still_s < 16


@given(st.floats(0, 25), st.floats(1, 25), st.floats(0.5, 3))
def test_the_free_road_leads_to_the_wanted_speed(speed, wanted, strength):
    acceleration = free_road(speed, wanted, strength=strength)
    assert (acceleration > 0) == (speed < wanted) or abs(speed - wanted) < 1e-3


@given(st.floats(0, 20), st.floats(2, 60), st.floats(0, 20))
def test_the_nearer_the_leader_the_harder_one_brakes(speed, gap, lead):
    near = follow(speed, 15.0, strength=1.5, gap=gap, lead_mps=lead)
    far = follow(speed, 15.0, strength=1.5, gap=gap + 5, lead_mps=lead)
    assert near <= far


@given(st.dictionaries(st.integers(0, 9), st.lists(st.floats(0, 300), max_size=3)))
def test_a_state_does_not_differ_from_itself(state):
    assert differing(state, state) == set()
    changed = {**state, 99: [1.0]}
    assert differing(state, changed) == {99}


@settings(max_examples=30)
@given(st.floats(-300, 300).filter(lambda r: abs(r) > 60), st.floats(0, 200), st.floats(-8, 8))
def test_paths_keep_their_distance(radius, s, offset):
    path = bending(0.0, 0.0, to_y_m=200.0, bend_from_m=50.0, radius_m=radius)
    x0, y0, _ = path.at(s)
    x1, y1, _ = path.at(s, offset)
    assert np.hypot(x1 - x0, y1 - y0) == pytest.approx(abs(offset), abs=1e-6)


def test_paths_go_on_straight_beyond_their_ends():
    path = path_through([(0.0, 0.0), (10.0, 0.0)])
    assert path.at(15.0)[:2] == pytest.approx((15.0, 0.0))
    assert path.at(-5.0)[:2] == pytest.approx((-5.0, 0.0))
    turn = turning((0.0, 0.0, 0.0), (10.0, 10.0, np.pi / 2))
    assert turn.at(turn.length_m)[2] == pytest.approx(np.pi / 2, abs=0.15)


def test_plates_are_never_given_twice():
    registry = Registry(np.random.default_rng(1))
    plates = [registry.look(RoadUser.CAR).plate for _ in range(2000)]
    assert len(set(plates)) == 2000
    assert registry.look(RoadUser.CART).plate is None

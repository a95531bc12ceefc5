"""Whole rooms at random: any order of facts, people, clocks and kills keeps what must hold, and pages in step."""

from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safecity.incidents.service import NewReport
from safecity.oversight.model import Role
from safecity.platform.errors import Conflict
from tests.databases import make_sqlite
from tests.rooms.incidents.floor import Floor, Folded

MOVES = st.one_of(
    st.tuples(st.just("fact"), st.integers(0, 2), st.integers(1, 4)),
    st.tuples(st.just("time"), st.sampled_from([1, 20, 70, 301, 4000, -3600]), st.none()),
    st.tuples(
        st.just("step"), st.sampled_from(["acknowledge", "release", "escalate", "confirm", "close"]), st.integers(0, 2)
    ),
    st.tuples(st.just("shift"), st.booleans(), st.integers(0, 1)),
    st.tuples(st.just("incident"), st.sampled_from(["note", "close", "unit", "clear", "report"]), st.integers(0, 2)),
    st.tuples(st.just("kill"), st.none(), st.none()),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(MOVES, min_size=4, max_size=14), seed=st.integers(0, 10_000))
def test_any_order_of_things_keeps_the_room_in_order(tmp_path_factory: object, moves: list[tuple], seed: int) -> None:
    floor, page, people = _floor_of(tmp_path_factory)
    for number, (kind, first, second) in enumerate(moves):
        pick = seed + number
        try:
            _move(floor, people, kind=kind, first=first, second=second, pick=pick)
        except Conflict as problem:
            _expect_sentence(problem)
        floor.intake.run_once()
        floor.clocks.run_once()
        floor.check(page)


_made: list[tuple[Floor, Folded, list]] = []
_numbers = count()


def _floor_of(tmp_path_factory: object) -> tuple[Floor, Folded, list]:
    # One room for all examples: what one leaves behind is where the next begins.
    if not _made:
        folder = tmp_path_factory.mktemp("walk")  # type: ignore[attr-defined]
        database = make_sqlite(folder / "safecity.db")
        floor = Floor(database)
        people = [floor.actor(Role.OPERATOR), floor.actor(Role.DISPATCHER), floor.actor(Role.SUPERVISOR)]
        _made.append((floor, Folded(), people))
    return _made[0]


def _expect_sentence(problem: Conflict) -> None:
    assert problem.message.endswith(".")
    assert problem.message[0].isupper() or problem.message[0].isdigit()


def _move(floor: Floor, people: list, *, kind: str, first: object, second: object, pick: int) -> None:
    if kind == "fact":
        floor.fire(floor.cams[int(first)], priority=second, fact=f"walk_{next(_numbers)}")
    elif kind == "time":
        # Both clocks, and sessions that must not end: a walk of days would sign everybody out.
        floor.clock.step_wall(first) if first < 0 else floor.clock.advance(first % 400)
    elif kind == "kill":
        floor.restart_keeper()
    elif kind == "shift":
        (floor.oversight.start_shift if first else floor.oversight.end_shift)(people[second])
    elif kind == "step":
        with floor.database.read() as connection:
            known = sorted(floor.incidents.open_alerts(connection))
        if known:
            alert = floor.incidents.get_alert(people[0], known[pick % len(known)]).alert
            floor.do(people[second], alert, first)
    else:
        _work(floor, people[second], str(first), pick)


def _work(floor: Floor, actor: object, what: str, pick: int) -> None:
    with floor.database.read() as connection:
        known = sorted(floor.incidents.open_incidents(connection).values(), key=lambda one: one.id)
    if what == "report" or not known:
        from_camera = floor.cams[pick % len(floor.cams)]
        floor.incidents.report(actor, NewReport(title="Seen", camera=from_camera))
        return
    one = known[pick % len(known)]
    if what == "note":
        floor.incidents.write_note(actor, one.id, text="seen")
    elif what == "close":
        floor.incidents.close(actor, one.id, version=one.version, outcome="resolved")
    else:
        with floor.database.begin() as connection:
            stage, units = ("unit_sent", one.units + 1) if what == "unit" else ("cleared", 0)
            floor.incidents.set_stage(connection, one.id, stage=stage, units=units)

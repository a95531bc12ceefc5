"""Facts into alerts, on both databases: merging, offers, clocks, what is set aside, restarts and wrong clocks."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from safecity.events.store import dead_letters, events
from safecity.incidents.tables import alert_facts
from safecity.oversight.model import Role
from safecity.platform.database import Database
from safecity.sites import tables as sites_tables
from tests.rooms.incidents.floor import Floor, Folded


def test_a_fact_becomes_one_alert_offered_to_one_operator(floor: Floor) -> None:
    operator = floor.actor(Role.OPERATOR)
    fact = floor.fire()
    assert floor.intake.run_once().raised == 1
    one = floor.only()
    assert (one.state, one.level, one.version, one.count) == ("unacknowledged", 0, 1, 1)
    assert one.offered_to is not None
    assert (one.offered_to.user, one.offered_to.name) == (operator.user_id, "Some operator")
    assert one.due_at == floor.clock.now() + timedelta(seconds=60)
    assert floor.words(one) == ["raised", "offered"]
    with floor.database.read() as connection:
        assert connection.execute(sa.select(alert_facts.c.fact, alert_facts.c.alert)).all() == [(fact, one.id)]
    assert floor.intake.run_once().raised == 0


def test_on_an_empty_desk_it_is_everybodys_at_once(floor: Floor) -> None:
    floor.fire()
    floor.intake.run_once()
    one = floor.only()
    assert (one.level, one.offered_to) == (1, None)
    assert floor.words(one) == ["raised", "escalated"]


def test_facts_of_one_matter_join_and_others_do_not(floor: Floor) -> None:
    floor.fire()
    floor.clock.advance(200)
    floor.fire()
    floor.clock.advance(299)
    floor.fire()
    floor.fire(subject="lane/bus")
    floor.fire(floor.cams[1])
    taken = floor.intake.run_once()
    assert (taken.raised, taken.joined) == (3, 2)
    first = next(one for one in floor.queue() if one.count == 3)
    assert first.last_at - first.first_at == timedelta(seconds=499)
    assert floor.words(first) == ["raised", "escalated", "joined", "joined"]
    floor.clock.advance(301)
    floor.fire()
    assert floor.intake.run_once().raised == 1
    floor.check(Folded())


def test_facts_join_a_confirmed_alert_while_its_incident_is_open(floor: Floor) -> None:
    operator = floor.actor(Role.OPERATOR)
    floor.fire()
    floor.intake.run_once()
    done = floor.do(operator, floor.only(), "confirm")
    assert done.incident is not None
    floor.clock.advance(4000)
    floor.fire()
    assert floor.intake.run_once().joined == 1
    incident = floor.get(done.incident)
    assert (incident.version, incident.clip_to) == (2, floor.clock.now() + timedelta(seconds=10))
    # What the rule adds meanwhile does not void the operator's decision on what they saw.
    floor.incidents.close(operator, incident.id, version=1, outcome="resolved")
    floor.clock.advance(10)
    floor.fire()
    assert floor.intake.run_once().raised == 1
    floor.check(Folded())


def test_offers_go_round_to_whoever_has_least_to_do(floor: Floor) -> None:
    people = {floor.actor(Role.OPERATOR, name=name).user_id for name in ("one", "two", "three")}
    for number in range(6):
        floor.fire(subject=f"lane-{number}/car")
    floor.intake.run_once()
    offered = [one.offered_to.user for one in floor.queue() if one.offered_to]
    assert sorted(offered) == sorted([*people, *people])
    floor.actor(Role.DISPATCHER)
    floor.fire(floor.cams[1])
    floor.intake.run_once()
    newest = max(floor.queue(), key=lambda one: one.id)
    assert newest.offered_to is not None
    assert newest.offered_to.user in people


def test_what_nobody_takes_escalates_and_what_nobody_decides_lapses(floor: Floor) -> None:
    operator = floor.actor(Role.OPERATOR)
    floor.fire(priority=1)
    floor.intake.run_once()
    assert floor.clocks.run_once() == 0
    floor.clock.advance(15)
    assert floor.clocks.run_once() == 1
    assert floor.only().level == 1
    floor.clock.advance(15)
    floor.clocks.run_once()
    assert (floor.only().level, floor.only().due_at) == (2, None)
    held = floor.do(operator, floor.only(), "acknowledge")
    floor.clock.advance(119)
    assert floor.clocks.run_once() == 0
    floor.clock.advance(1)
    assert floor.clocks.run_once() == 1
    assert floor.words(held) == ["raised", "offered", "escalated", "escalated", "acknowledged", "lapsed"]
    floor.check(Folded())


def test_priority_four_waits_to_be_read(floor: Floor) -> None:
    floor.actor(Role.OPERATOR)
    floor.fire(priority=4)
    floor.intake.run_once()
    floor.clock.advance(100_000)
    assert floor.clocks.run_once() == 0
    assert floor.only().level == 0


@pytest.mark.parametrize("back_s", [30, 3600, 100_000])
def test_a_clock_set_back_delays_no_escalation_by_more_than_its_own_time(floor: Floor, back_s: float) -> None:
    floor.actor(Role.OPERATOR)
    floor.fire(priority=1)
    floor.intake.run_once()
    floor.clocks.run_once()
    floor.clock.advance(1)
    floor.clock.step_wall(-back_s)
    floor.clocks.run_once()
    for _ in range(32):
        floor.clock.advance(1)
        floor.clocks.run_once()
    assert floor.only().level == 2
    floor.check(Folded())


def test_a_clock_set_back_while_the_keeper_was_away(floor: Floor) -> None:
    floor.actor(Role.OPERATOR)
    floor.fire(priority=1)
    floor.intake.run_once()
    floor.clock.step_wall(-7200)
    floor.restart_keeper()
    assert floor.clocks.run_once() == 1
    assert floor.only().due_at == floor.clock.now() + timedelta(seconds=15)
    assert floor.words(floor.only())[-1] == "rescheduled"


def test_an_unknown_camera_and_an_unreadable_fact_are_set_aside(floor: Floor) -> None:
    floor.fire("cam_nowhere")
    now = floor.clock.now()
    row = {"source": "x", "type": "analytics.rule_fired", "time": now, "subject": "x", "data": {"camera": 5}}
    with floor.database.begin() as connection:
        connection.execute(events.insert().values(id="broken", **row))
    floor.fire(clip_from=now, clip_to=now - timedelta(seconds=1))
    floor.fire()
    taken = floor.intake.run_once()
    assert (taken.set_aside, taken.raised) == (3, 1)
    with floor.database.read() as connection:
        reasons = list(connection.execute(sa.select(dead_letters.c.reason).order_by("event_cursor")).scalars())
        readers = set(connection.execute(sa.select(dead_letters.c.reader)).scalars())
    assert readers == {"incidents"}
    assert "no camera cam_nowhere" in reasons[0]
    assert "not readable" in reasons[1]
    assert "ends before it begins" in reasons[2]
    assert floor.intake.run_once().set_aside == 0


def test_a_camera_that_leaves_the_registry_keeps_its_alerts(floor: Floor) -> None:
    operator = floor.actor(Role.OPERATOR)
    floor.fire()
    floor.intake.run_once()
    with floor.database.begin() as connection:
        connection.execute(sites_tables.cameras.update().values(retired_at=floor.clock.now()))
    floor.fire(subject="late/car")  # a fact that was on its way
    assert floor.intake.run_once().raised == 1
    done = floor.do(operator, floor.queue()[0], "confirm")
    detail = floor.incidents.detail(operator, str(done.incident))
    assert [one.camera for one in detail.cameras] == [floor.cams[0]]
    purpose = None
    with floor.database.read() as connection:
        purpose = floor.oversight.find_purpose(connection, kind="incident", ref=str(done.incident))
    assert purpose is not None
    assert [one.camera for one in purpose.scopes] == [floor.cams[0]]


def test_a_keeper_that_dies_between_pages_loses_and_doubles_nothing(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {floor.fire(subject=f"lane-{number}/car") for number in range(7)}
    monkeypatch.setattr("safecity.incidents.intake.PAGE", 3)

    class Killed(Exception):
        """As if the process were gone."""

    deaths = iter([2, 5, 9, 14])
    left = next(deaths)

    def die(_: object, __: object, statement: str, *___: object) -> None:
        nonlocal left
        if statement.startswith("BEGIN"):  # here the library itself would not know that a transaction is open
            return
        left -= 1
        if left == 0:
            left = next(deaths, -1)
            raise Killed

    listener = sa.event.listen(floor.database.engine, "after_cursor_execute", die)
    del listener
    page = Folded()
    for _ in range(20):
        try:
            if floor.intake.run_once().is_drained and left < 0:
                break
        except Killed:
            floor.restart_keeper()
    sa.event.remove(floor.database.engine, "after_cursor_execute", die)
    floor.intake.run_once()
    with floor.database.read() as connection:
        assert set(connection.execute(sa.select(alert_facts.c.fact)).scalars()) == names
    assert len(floor.queue()) == 7
    floor.check(page)


def test_a_fact_that_is_stated_again_is_the_same_fact(floor: Floor, database: Database) -> None:
    floor.fire(fact="same")
    floor.fire(fact="same")
    assert floor.intake.run_once().raised == 1
    # Even where the cursor were lost: the fact belongs to its alert.
    with database.begin() as connection:
        connection.execute(sa.text("UPDATE fact_readers SET cursor = 0"))
    taken = floor.intake.run_once()
    assert (taken.raised, taken.joined, taken.known) == (0, 0, 1)
    assert floor.only().count == 1


def test_other_rooms_facts_do_not_make_the_keeper_write(floor: Floor) -> None:
    floor.fire()
    floor.intake.run_once()
    with floor.database.read() as connection:
        before = connection.execute(sa.text("SELECT cursor FROM fact_readers")).scalar_one()
    floor.intake.run_once()  # its own facts lie behind the cursor
    with floor.database.read() as connection:
        assert connection.execute(sa.text("SELECT cursor FROM fact_readers")).scalar_one() == before

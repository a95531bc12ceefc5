"""Steps and incidents as people meet them, on both databases."""

import json
from datetime import timedelta

import pytest

from safecity.events.incidents import IncidentChanged
from safecity.incidents.service import AlertStep, NewReport
from safecity.oversight.model import Actor, Role
from safecity.platform.errors import Conflict, Denied, Invalid, NotFound
from safecity.platform.geometry import LonLat, distance_m
from tests.rooms.incidents.floor import Floor, Folded


@pytest.fixture
def operator(floor: Floor) -> Actor:
    """Somebody who works the queue."""
    return floor.actor(Role.OPERATOR)


def raised(floor: Floor, **other: object) -> None:
    floor.fire(**other)  # type: ignore[arg-type]
    floor.intake.run_once()


def test_confirming_opens_one_incident_with_its_purpose(floor: Floor, operator: Actor) -> None:
    raised(floor)
    before = floor.only()
    done = floor.do(operator, before, "confirm", note="Car in the lane, driver inside")
    leaves = floor.leaves()
    assert (done.state, done.version) == ("confirmed", 2)
    incident = floor.get(str(done.incident))
    assert incident.number == "2026-000001"
    assert (incident.stage, incident.alerts, incident.units) == ("new", 1, 0)
    assert (incident.title, incident.camera, incident.position) == (before.title, before.camera, before.position)
    detail = floor.incidents.detail(operator, incident.id)
    assert [(line.step, line.by.name if line.by else None, line.note) for line in detail.lines] == [
        ("opened", "Some operator", "Car in the lane, driver inside")
    ]
    assert [alert.id for alert in detail.alerts] == [done.id]
    with floor.database.read() as connection:
        purpose = floor.oversight.find_purpose(connection, kind="incident", ref=incident.id)
    assert purpose is not None
    assert purpose.closed_at is None
    cameras = {one.id: one.position for one in floor.cameras()}
    around = {name for name, at in cameras.items() if distance_m(at, incident.position) <= 400}
    assert {one.camera for one in purpose.scopes} == around | {incident.camera}
    assert {one.from_at for one in purpose.scopes} == {before.first_at - timedelta(hours=1)}
    assert {one.to_at for one in purpose.scopes} == {None}
    assert [leaf.type for leaf in leaves[-2:]] == ["handle_alerts", "purpose_opened"]
    body = leaves[-2].body
    assert body is not None
    assert json.loads(body)["detail"] == {"step": "confirm", "version": 1, "reason": None}
    floor.check(Folded())


def test_closing_an_incident_ends_its_purpose_in_the_same_stroke(floor: Floor, operator: Actor) -> None:
    incident = floor.incidents.report(operator, NewReport(title="Smoke", camera=floor.cams[0]))
    with pytest.raises(Conflict, match=r"before the one that you saw"):
        floor.incidents.close(operator, incident.id, version=9, outcome="resolved")
    after = floor.incidents.close(operator, incident.id, version=1, outcome="no_action", note="Burning leaves")
    assert (after.stage, after.outcome, after.version) == ("closed", "no_action", 2)
    with floor.database.read() as connection:
        purpose = floor.oversight.find_purpose(connection, kind="incident", ref=incident.id)
    assert purpose is not None
    assert purpose.closed_at == floor.clock.now()
    for again in (
        lambda: floor.incidents.close(operator, incident.id, version=2, outcome="resolved"),
        lambda: floor.incidents.write_note(operator, incident.id, text="late"),
    ):
        with pytest.raises(Conflict, match=r"Incident 2026-000001 is closed\."):
            again()
    floor.check(Folded())


def test_nobody_closes_while_a_unit_is_on_it(floor: Floor, operator: Actor) -> None:
    incident = floor.incidents.report(operator, NewReport(title="Smoke", camera=floor.cams[0]))
    with floor.database.begin() as connection:
        floor.incidents.set_stage(connection, incident.id, stage="on_scene", units=2)
        floor.incidents.set_stage(connection, incident.id, stage="on_scene", units=2)
    with pytest.raises(Conflict, match="2 units are still on incident 2026-000001"):
        floor.incidents.close(operator, incident.id, version=2, outcome="resolved")
    assert floor.get(incident.id).version == 2
    with floor.database.begin() as connection:
        floor.incidents.set_stage(connection, incident.id, stage="cleared", units=0)
    assert floor.incidents.close(operator, incident.id, version=2, outcome="resolved").stage == "closed"


def test_what_somebody_else_wrote_meanwhile_is_named(floor: Floor, operator: Actor) -> None:
    incident = floor.incidents.report(operator, NewReport(title="Smoke", camera=floor.cams[0]))
    floor.incidents.write_note(floor.actor(Role.DISPATCHER), incident.id, text="Fire brigade is on its way")
    with pytest.raises(Conflict, match="Some dispatcher was first: this incident was written to") as caught:
        floor.incidents.close(operator, incident.id, version=1, outcome="no_action")
    assert caught.value.facts["version"] == 2
    floor.incidents.write_note(operator, incident.id, text="Heard")
    floor.incidents.close(operator, incident.id, version=2, outcome="resolved")


def test_the_second_to_acknowledge_is_told_who_was_first(floor: Floor, operator: Actor) -> None:
    raised(floor)
    seen = floor.only()
    floor.do(operator, seen, "acknowledge")
    floor.do(operator, floor.only(), "release")
    floor.do(floor.actor(Role.DISPATCHER), floor.only(), "acknowledge")
    with pytest.raises(Conflict, match="Some dispatcher was first: this alert was acknowledged"):
        floor.do(operator, seen, "acknowledge")
    with pytest.raises(Conflict, match="Some dispatcher has acknowledged this alert; it is theirs"):
        floor.do(operator, floor.only(), "acknowledge")


def test_a_joined_fact_or_a_clock_does_not_void_a_decision(floor: Floor, operator: Actor) -> None:
    raised(floor, priority=1)
    seen = floor.only()
    raised(floor, priority=1)
    floor.clock.advance(16)
    floor.clocks.run_once()
    assert floor.only().version == seen.version + 2
    assert floor.do(operator, seen, "acknowledge").owner is not None
    assert floor.do(operator, seen, "close").close_reason == "nothing_seen"  # one's own earlier step, from another tab


def test_only_the_owner_or_a_supervisor_decides(floor: Floor, operator: Actor) -> None:
    raised(floor)
    held = floor.do(operator, floor.only(), "acknowledge")
    dispatcher = floor.actor(Role.DISPATCHER)
    with pytest.raises(Conflict, match="Some operator has acknowledged this alert; only they or a supervisor"):
        floor.do(dispatcher, held, "close")
    done = floor.do(floor.actor(Role.SUPERVISOR), held, "close", reason="known_activity", note="Film crew")
    assert done.owner is not None
    assert done.owner.name == "Some supervisor"
    with pytest.raises(Conflict, match="Some supervisor was first: this alert was closed"):
        floor.do(operator, held, "confirm")
    assert floor.queue() == []


@pytest.mark.parametrize("role", [Role.INVESTIGATOR, Role.AUDITOR, Role.TECHNICIAN, Role.ADMINISTRATOR])
def test_who_does_not_work_the_queue_neither_sees_nor_steps(floor: Floor, role: Role) -> None:
    raised(floor)
    alert, person = floor.only(), floor.actor(role)
    with pytest.raises(Denied):
        floor.do(person, alert, "acknowledge")
    with pytest.raises(Denied):
        floor.incidents.list_alerts(person)
    with pytest.raises(Denied):
        floor.incidents.report(person, NewReport(title="Smoke", camera=floor.cams[0]))
    assert [leaf.type for leaf in floor.leaves()][-3:] == ["refused"] * 3
    assert floor.only() == alert


def test_a_refused_or_impossible_step_leaves_nothing(floor: Floor, operator: Actor) -> None:
    raised(floor)
    size = len(floor.leaves())
    with pytest.raises(Invalid, match="Say why"):
        floor.incidents.step(operator, floor.only().id, step=AlertStep(step="close", version=1))
    with pytest.raises(NotFound, match="no alert"):
        floor.incidents.step(operator, "alr_none", step=AlertStep(step="acknowledge", version=1))
    with pytest.raises(NotFound):
        floor.incidents.get_alert(operator, "alr_none")
    with pytest.raises(NotFound, match="no incident"):
        floor.incidents.write_note(operator, "inc_none", text="x")
    assert floor.only().version == 1
    # A change is permitted and logged in one with itself: what did not happen is not in the log as granted.
    assert [leaf.type for leaf in floor.leaves()[size:] if leaf.type == "handle_alerts"] == []


def test_a_person_reports_what_no_rule_saw(floor: Floor, operator: Actor) -> None:
    by_place = floor.incidents.report(operator, NewReport(title="Caller: fire", position=LonLat(67.01, 30.2)))
    assert (by_place.kind, by_place.camera, by_place.alerts) == ("manual", None, 0)
    by_camera = floor.incidents.report(operator, NewReport(title="Seen: fire", camera=floor.cams[1], note="Roof"))
    assert [by_place.number, by_camera.number] == ["2026-000001", "2026-000002"]
    assert floor.incidents.detail(operator, by_camera.id).lines[0].note == "Roof"
    assert [one.id for one in floor.incidents.list_incidents(operator)] == [by_camera.id, by_place.id]
    with pytest.raises(Invalid, match="Say where it is"):
        floor.incidents.report(operator, NewReport(title="Somewhere"))
    with pytest.raises(NotFound, match="no camera"):
        floor.incidents.report(operator, NewReport(title="Where", camera="cam_none"))
    assert floor.incidents.report(operator, NewReport(title="Third", camera=floor.cams[0])).number == "2026-000003"


def test_numbers_begin_anew_with_the_local_year(floor: Floor, operator: Actor) -> None:
    floor.incidents.report(operator, NewReport(title="This year", camera=floor.cams[0]))
    floor.clock.step_wall(306 * 86_400)  # 2027-01-01 12:00 UTC
    later = floor.actor(Role.DISPATCHER)
    assert floor.incidents.report(later, NewReport(title="Next year", camera=floor.cams[0])).number == "2027-000001"


def test_decided_alerts_are_paged_newest_first(floor: Floor, operator: Actor) -> None:
    for number in range(5):
        raised(floor, subject=f"lane-{number}/car")
        floor.clock.advance(1)
    for alert in floor.queue():
        floor.do(operator, alert, "close")
        floor.clock.advance(1)
    listed: list[str] = []
    before = None
    while page := floor.incidents.list_alerts(operator, is_open=False, before=before, limit=2):
        listed += [one.id for one in page]
        before = page[-1].id
    times = [floor.incidents.get_alert(operator, one).alert.decided_at for one in listed]
    assert len(set(listed)) == 5
    assert times == sorted(times, reverse=True)  # type: ignore[type-var]
    assert floor.incidents.list_alerts(operator, is_open=False, camera=floor.cams[1]) == []


def test_the_open_queue_is_paged_in_its_order(floor: Floor, operator: Actor) -> None:
    for number in range(5):
        raised(floor, subject=f"lane-{number}/car", priority=1 + number % 3)
    queue = [one.id for one in floor.queue()]
    first = floor.incidents.list_alerts(operator, limit=2)
    # The page may go on from an alert that was decided meanwhile.
    second = floor.incidents.list_alerts(operator, before=first[-1].id, limit=3)
    assert [one.id for one in (*first, *second)] == queue


def test_a_line_of_another_room_is_a_line_of_the_timeline(floor: Floor, operator: Actor) -> None:
    incident = floor.incidents.report(operator, NewReport(title="Smoke", camera=floor.cams[0]))
    with floor.database.begin() as connection:
        floor.incidents.add_step(connection, incident.id, step="unit_sent", by=operator, detail={"unit": "P-1"})
        floor.incidents.add_step(connection, incident.id, step="fix_lost", by=None)
    lines = floor.incidents.detail(operator, incident.id).lines
    assert [(line.step, line.version, line.by.name if line.by else None) for line in lines] == [
        ("opened", 1, "Some operator"),
        ("unit_sent", 2, "Some operator"),
        ("fix_lost", 3, None),
    ]
    stated = [fact for fact in floor.facts() if isinstance(fact, IncidentChanged)]
    assert [fact.version for fact in stated] == [1, 2, 3]

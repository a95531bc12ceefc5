"""Units sent, moved on and freed; what the incident, the log and the facts say of it."""

from datetime import timedelta

import pytest

from safecity.dispatch.model import AssignmentState, UnitId, UnitStatus
from safecity.events.dispatch import UnitChanged
from safecity.incidents.incident import Incident
from safecity.oversight.model import Actor, Role
from safecity.platform.errors import Conflict, Denied, Invalid, NotFound
from safecity.platform.geometry import LonLat
from tests.response import Centre, spec

NEAR, FAR = UnitId("unit_near-1"), UnitId("unit_far-1")


def entered(centre: Centre, incident: Incident) -> None:
    at = incident.position
    centre.dispatch.ensure_units([spec("FAR-1", at.lon + 0.02, at.lat), spec("NEAR-1", at.lon + 0.005, at.lat)])


def unit_of(centre: Centre, unit: UnitId) -> UnitChanged:
    with centre.database.read() as connection:
        return next(one for one in centre.dispatch.units_in(connection) if one.id == unit)


def follow(centre: Centre, actor: Actor, assignment: str, *steps: str) -> None:
    for step in steps:
        centre.dispatch.step(actor, assignment, to=AssignmentState(step))  # type: ignore[arg-type]


def test_a_unit_goes_arrives_and_is_free_again(centre: Centre) -> None:
    incident = centre.incident()
    entered(centre, incident)
    actor = centre.actor(Role.DISPATCHER)
    proposed = centre.dispatch.proposals(actor, incident.id)
    assert [one.unit.id for one in proposed] == [NEAR, FAR]
    assert proposed[0].bearing_deg == pytest.approx(90, abs=1)
    assignment = centre.dispatch.send(actor, incident.id, unit=NEAR)
    stages = [centre.get(incident.id).stage]
    for step in ("en_route", "on_scene", "cleared"):
        assert unit_of(centre, NEAR).incident == incident.id
        follow(centre, actor, assignment, step)
        stages.append(centre.get(incident.id).stage)
    assert stages == ["unit_sent", "en_route", "on_scene", "cleared"]
    assert unit_of(centre, NEAR).status == "free"
    assert unit_of(centre, NEAR).incident is None
    assert centre.get(incident.id).units == 0
    detail = centre.incidents.detail(actor, incident.id)
    told = [(line.step, line.by.name if line.by else None) for line in detail.lines if "unit" in line.detail]
    assert told == [(step, "Some dispatcher") for step in ("unit_sent", "en_route", "on_scene", "cleared")]
    leaves = [leaf for leaf in centre.leaves() if leaf.type == "dispatch_units"]
    assert len(leaves) == 4


def test_the_facts_are_the_units_as_they_are(centre: Centre) -> None:
    incident = centre.incident()
    entered(centre, incident)
    actor = centre.actor(Role.DISPATCHER)
    follow(centre, actor, centre.dispatch.send(actor, incident.id, unit=NEAR), "en_route", "cancelled")
    centre.clock.advance(40)
    centre.dispatch.report_fix(FAR, position=incident.position, at=centre.clock.now())
    last = {fact.id: fact for fact in centre.facts() if isinstance(fact, UnitChanged)}
    assert last == {NEAR: unit_of(centre, NEAR), FAR: unit_of(centre, FAR)}
    versions = [fact.version for fact in centre.facts() if isinstance(fact, UnitChanged) and fact.id == NEAR]
    assert versions == [1, 2, 3, 4]


def test_a_busy_unit_says_where_it_is(centre: Centre) -> None:
    first, second = centre.incident(), centre.incident()
    entered(centre, first)
    actor = centre.actor(Role.DISPATCHER)
    centre.dispatch.send(actor, first.id, unit=NEAR)
    with pytest.raises(Conflict, match=f"NEAR-1 is sent for incident {first.number}"):
        centre.dispatch.send(actor, second.id, unit=NEAR)
    assert [one.unit.id for one in centre.dispatch.proposals(actor, second.id)] == [FAR]
    assert centre.get(second.id).stage == "new"


def test_a_wrong_step_changes_nothing_and_says_what_can_be_done(centre: Centre) -> None:
    incident = centre.incident()
    entered(centre, incident)
    actor = centre.actor(Role.DISPATCHER)
    assignment = centre.dispatch.send(actor, incident.id, unit=NEAR)
    before, facts = unit_of(centre, NEAR), len(centre.facts())
    with pytest.raises(Conflict, match="cancelled or en route, not cleared"):
        follow(centre, actor, assignment, "cleared")
    assert unit_of(centre, NEAR) == before
    assert len(centre.facts()) == facts
    follow(centre, actor, assignment, "cancelled")
    assert centre.get(incident.id).stage == "new"
    with pytest.raises(Conflict, match="has ended"):
        follow(centre, actor, assignment, "en_route")


def test_the_incident_is_as_far_as_its_furthest_unit(centre: Centre) -> None:
    incident = centre.incident()
    entered(centre, incident)
    actor = centre.actor(Role.DISPATCHER)
    one, two = (centre.dispatch.send(actor, incident.id, unit=unit) for unit in (NEAR, FAR))
    follow(centre, actor, one, "en_route", "on_scene")
    assert (centre.get(incident.id).stage, centre.get(incident.id).units) == ("on_scene", 2)
    follow(centre, actor, one, "cleared")
    assert (centre.get(incident.id).stage, centre.get(incident.id).units) == ("unit_sent", 1)
    follow(centre, actor, two, "cancelled")
    assert (centre.get(incident.id).stage, centre.get(incident.id).units) == ("cleared", 0)


def test_a_closed_incident_takes_no_unit_and_an_unknown_one_neither(centre: Centre) -> None:
    incident = centre.incident()
    entered(centre, incident)
    actor = centre.actor()
    centre.incidents.close(actor, incident.id, version=incident.version, outcome="resolved")
    with pytest.raises(Conflict):
        centre.dispatch.send(actor, incident.id, unit=NEAR)
    with pytest.raises(Conflict):
        centre.dispatch.proposals(actor, incident.id)
    with pytest.raises(NotFound):
        centre.dispatch.send(actor, centre.incident().id, unit=UnitId("unit_none"))
    assert unit_of(centre, NEAR).status == "free"


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.INVESTIGATOR, Role.AUDITOR, Role.TECHNICIAN])
def test_who_may_not_dispatch_is_refused_with_a_leaf(centre: Centre, role: Role) -> None:
    incident = centre.incident()
    entered(centre, incident)
    with pytest.raises(Denied):
        centre.dispatch.send(centre.actor(role), incident.id, unit=NEAR)
    assert centre.leaves()[-1].type == "refused"
    assert unit_of(centre, NEAR).status == "free"


def test_a_fix_that_says_nothing_new_is_not_kept(centre: Centre) -> None:
    incident = centre.incident()
    entered(centre, incident)
    at = LonLat(incident.position.lon + 0.005, incident.position.lat)
    facts = len(centre.facts())
    centre.clock.advance(10)
    assert not centre.dispatch.report_fix(NEAR, position=at, at=centre.clock.now())
    assert len(centre.facts()) == facts
    centre.clock.advance(25)
    assert centre.dispatch.report_fix(NEAR, position=at, at=centre.clock.now())
    centre.clock.advance(2)
    assert centre.dispatch.report_fix(NEAR, position=incident.position, at=centre.clock.now())
    assert unit_of(centre, NEAR).fix_at == centre.clock.now()
    with pytest.raises(Conflict):
        centre.dispatch.report_fix(NEAR, position=at, at=centre.clock.now() - timedelta(seconds=1))
    with pytest.raises(Invalid):
        centre.dispatch.report_fix(NEAR, position=at, at=centre.clock.now() + timedelta(minutes=1))
    with pytest.raises(NotFound):
        centre.dispatch.report_fix(UnitId("unit_none"), position=at, at=centre.clock.now())


def test_an_old_fix_is_flagged_in_the_proposals(centre: Centre) -> None:
    incident = centre.incident()
    entered(centre, incident)
    centre.clock.advance(3600)
    actor = centre.actor(Role.DISPATCHER)
    centre.dispatch.report_fix(
        FAR, position=LonLat(incident.position.lon + 0.02, incident.position.lat), at=centre.clock.now()
    )
    proposed = centre.dispatch.proposals(actor, incident.id)
    assert [(one.unit.id, one.is_stale) for one in proposed] == [(NEAR, True), (FAR, False)]
    assert proposed[0].fix_age_s == pytest.approx(3600)


def test_a_unit_off_duty_is_neither_proposed_nor_sent(centre: Centre) -> None:
    incident = centre.incident()
    entered(centre, incident)
    actor = centre.actor(Role.DISPATCHER)
    centre.dispatch.set_status(actor, NEAR, status=UnitStatus.OFF_DUTY)
    assert [one.unit.id for one in centre.dispatch.proposals(actor, incident.id)] == [FAR]
    with pytest.raises(Conflict, match="off duty"):
        centre.dispatch.send(actor, incident.id, unit=NEAR)
    centre.dispatch.set_status(None, NEAR, status=UnitStatus.FREE)
    centre.dispatch.send(actor, incident.id, unit=NEAR)
    with pytest.raises(Conflict, match="call it back"):
        centre.dispatch.set_status(actor, NEAR, status=UnitStatus.OFF_DUTY)


def test_entering_units_again_keeps_where_they_are(centre: Centre) -> None:
    incident = centre.incident()
    entered(centre, incident)
    centre.clock.advance(5)
    centre.dispatch.report_fix(NEAR, position=incident.position, at=centre.clock.now())
    facts = len(centre.facts())
    entered(centre, incident)
    assert len(centre.facts()) == facts
    assert unit_of(centre, NEAR).lon == incident.position.lon

"""Two dispatchers send the same unit at once, on SQLite and PostgreSQL: one wins, the other is told."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

import pytest

from safecity.cases.service import NewCase
from safecity.dispatch import store
from safecity.dispatch.model import AssignmentState, UnitId, unit_id
from safecity.events.dispatch import UnitChanged
from safecity.incidents.incident import Incident
from safecity.oversight.model import Actor, Role
from safecity.platform.database import Database
from safecity.platform.errors import Conflict, Problem
from safecity.platform.geometry import LonLat
from safecity.platform.ids import new_id
from tests.response import Centre, spec

UNIT = UnitId("unit_near-1")
THREADS = 4


def test_one_of_many_who_send_a_unit_at_once_wins(database: Database) -> None:
    centre = Centre(database)
    incidents = [centre.incident() for _ in range(THREADS)]
    at = incidents[0].position
    centre.dispatch.ensure_units([spec("NEAR-1", at.lon, at.lat)])
    actors = [centre.actor(Role.DISPATCHER, name=f"d.{number}") for number in range(THREADS)]
    start = threading.Barrier(THREADS)
    refused: list[Problem] = []
    won: list[str] = []

    def send(number: int) -> None:
        start.wait()
        try:
            centre.dispatch.send(actors[number], incidents[number].id, unit=UNIT)
            won.append(incidents[number].id)
        except Problem as problem:
            refused.append(problem)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(won) == 1
    assert [type(problem) for problem in refused] == [Conflict] * (THREADS - 1)
    number = centre.get(won[0]).number
    assert all(f"for incident {number}" in problem.message for problem in refused)
    assert [centre.get(one.id).units for one in incidents] == [int(one.id == won[0]) for one in incidents]
    with database.read() as connection:
        assert [len(store.list_assignments(connection, one.id)) for one in incidents] == [
            int(one.id == won[0]) for one in incidents
        ]


def test_the_database_itself_keeps_a_unit_to_one_assignment(database: Database) -> None:
    centre = Centre(database)
    incident = centre.incident()
    centre.dispatch.ensure_units([spec("NEAR-1", incident.position.lon, incident.position.lat)])
    sent = centre.dispatch.send(centre.actor(Role.DISPATCHER), incident.id, unit=UNIT)
    with database.read() as connection:
        known = store.find_assignment(connection, sent)
    assert known is not None
    with pytest.raises(Conflict), database.begin() as connection:
        store.insert_assignment(connection, replace(known, id=new_id("asg")))


def test_fixes_steps_and_holds_at_once_block_nobody_for_ever(database: Database) -> None:
    """Devices report while dispatchers work and cases are opened: every one gets through, nothing is lost."""
    centre = Centre(database)
    at = centre.incident().position
    codes = [f"U-{number}" for number in range(3)]
    centre.dispatch.ensure_units([spec(code, at.lon, at.lat) for code in codes])
    failed: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - whatever it is, the test must see it
                failed.append(error)

        return threading.Thread(target=run)

    def drive() -> None:
        for number in range(30):
            for code in codes:
                there = LonLat(at.lon + number / 1000, at.lat)
                with suppress(Conflict):  # another reported later already
                    centre.dispatch.report_fix(unit_id(code), position=there, at=centre.clock.now())
            centre.clock.advance(1)

    def work(code: str, actor: Actor, incident: Incident) -> None:
        for _ in range(3):
            sent = centre.dispatch.send(actor, incident.id, unit=unit_id(code))
            for step in (AssignmentState.EN_ROUTE, AssignmentState.ON_SCENE, AssignmentState.CLEARED):
                centre.dispatch.step(actor, sent, to=step)
        version = centre.get(incident.id).version
        new = NewCase(incident=incident.id, version=version, fir_number=code, police_station="City")
        centre.cases.open_case(actor, new)

    actors = {code: centre.actor(Role.DISPATCHER, name=f"w.{code.lower()}") for code in codes}
    incidents = {code: centre.incident() for code in codes}
    threads = [guarded(partial(work, code, actors[code], incidents[code])) for code in codes] + [guarded(drive)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failed == []
    assert not any(thread.is_alive() for thread in threads)
    with database.read() as connection:
        units = centre.dispatch.units_in(connection)
    last = {fact.id: fact for fact in centre.facts() if isinstance(fact, UnitChanged)}
    assert [(unit.status, unit.incident) for unit in units] == [("free", None)] * 3
    assert last == {unit.id: unit for unit in units}
    assert {centre.get(one.id).outcome for one in incidents.values()} == {"case"}

"""Two dispatchers send the same unit at once, on SQLite and PostgreSQL: one wins, the other is told."""

import threading
from dataclasses import replace

import pytest

from safecity.dispatch import store
from safecity.dispatch.model import UnitId
from safecity.oversight.model import Role
from safecity.platform.database import Database
from safecity.platform.errors import Conflict, Problem
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

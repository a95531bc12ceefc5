"""The demo's fleet: entered at real places, driven to where it is sent, silent about what people say."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from safecity.app.field_units import FLEET, Drivers, prepare_units
from safecity.dispatch.model import AssignmentState
from safecity.oversight.model import Role
from safecity.platform.geometry import LonLat, distance_m
from safecity.platform.settings import Settings
from tests.databases import make_sqlite
from tests.response import Centre


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    """SQLite alone: the stores are tested on both."""
    database = make_sqlite(tmp_path / "safecity.db")
    yield Centre(database)
    database.close()


def test_the_fleet_stands_at_places_and_a_second_start_changes_nothing(centre: Centre) -> None:
    settings = Settings()
    assert prepare_units(centre.database, settings, clock=centre.clock) == sum(row[-1] for row in FLEET) == 14
    assert prepare_units(centre.database, settings, clock=centre.clock) == 0
    with centre.database.read() as connection:
        units = centre.dispatch.units_in(connection)
    assert {unit.kind for unit in units} == {"police", "traffic", "ambulance", "fire"}
    assert all(unit.name_ur for unit in units)


def test_a_sent_unit_drives_there_and_waits_for_people(centre: Centre) -> None:
    prepare_units(centre.database, Settings(), clock=centre.clock)
    incident, actor = centre.incident(), centre.actor(Role.DISPATCHER)
    drivers = Drivers(database=centre.database, dispatch=centre.dispatch, clock=centre.clock)
    drivers.run_once()
    chosen = centre.dispatch.proposals(actor, incident.id)[0]
    assignment = centre.dispatch.send(actor, incident.id, unit=chosen.unit.id)

    def left_m() -> float:
        with centre.database.read() as connection:
            unit = next(one for one in centre.dispatch.units_in(connection) if one.id == chosen.unit.id)
        assert unit.status == "sent", "nobody has said anything else"
        return distance_m(LonLat(unit.lon, unit.lat), incident.position)

    ways = [left_m()]
    for turn in range(20):
        centre.clock.advance(2)
        if turn == 10:  # another process takes over half-way
            drivers = Drivers(database=centre.database, dispatch=centre.dispatch, clock=centre.clock)
        drivers.run_once()
        ways.append(left_m())
    assert ways == sorted(ways, reverse=True)
    expected_m = max(0.0, chosen.distance_m - (2 * 20 - 4) * 22.0)
    assert ways[-1] == pytest.approx(expected_m, abs=60)
    centre.clock.advance(600)
    drivers.run_once()
    assert left_m() < 1
    for step in (AssignmentState.EN_ROUTE, AssignmentState.ON_SCENE, AssignmentState.CLEARED):
        centre.dispatch.step(actor, assignment, to=step)
    centre.clock.advance(60)
    drivers.run_once()
    assert all(not one.is_stale for one in centre.dispatch.proposals(actor, incident.id))

"""Many hands in one queue, on SQLite and PostgreSQL: whoever is second is told, and nothing waits for ever."""

import threading
from collections.abc import Callable, Sequence

import pytest
import sqlalchemy as sa

from safecity.incidents.service import NewReport
from safecity.incidents.tables import alert_facts, incidents
from safecity.oversight.model import Role
from safecity.platform.database import Database
from safecity.platform.errors import Conflict, Problem
from tests.rooms.incidents.floor import Floor, Folded


@pytest.fixture
def floor(database: Database) -> Floor:
    """A control room on both databases."""
    return Floor(database)


def at_once(acts: Sequence[Callable[[], object]]) -> list[object]:
    """Do all at the same instant; what each gave or raised."""
    gate, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number: int, act: Callable[[], object]) -> None:
        gate.wait()
        try:
            results[number] = act()
        except Problem as problem:
            results[number] = problem

    threads = [threading.Thread(target=run, args=(number, act)) for number, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"
    return results


@pytest.mark.parametrize("step", ["acknowledge", "confirm"])
def test_of_two_at_once_one_wins_and_the_other_is_told_who(floor: Floor, step: str) -> None:
    people = {name: floor.actor(Role.OPERATOR, name=name) for name in ("one", "two")}
    with floor.database.begin() as connection:
        connection.execute(sa.text("UPDATE users SET display_name = name"))
    for number in range(4):
        floor.fire(subject=f"lane-{number}/car")
    floor.intake.run_once()
    for alert in floor.queue():
        results = at_once([lambda who=who, seen=alert: floor.do(who, seen, step) for who in people.values()])  # type: ignore[misc]
        lost = [one for one in results if isinstance(one, Conflict)]
        won = [one for one in results if not isinstance(one, Problem)]
        assert (len(won), len(lost)) == (1, 1), results
        winner = won[0].owner.name  # type: ignore[union-attr]
        assert f"{winner} was first" in lost[0].message
        assert lost[0].facts["by"] == winner
    with floor.database.read() as connection:
        opened = connection.execute(sa.select(sa.func.count()).select_from(incidents)).scalar_one()
    assert opened == (4 if step == "confirm" else 0)
    floor.check(Folded())


def test_numbers_are_dense_when_many_report_at_once(floor: Floor) -> None:
    operator = floor.actor(Role.OPERATOR)
    report = NewReport(title="Smoke", camera=floor.cams[0])
    results = at_once([lambda: floor.incidents.report(operator, report)] * 8)
    assert sorted(one.number for one in results) == [f"2026-{number:06d}" for number in range(1, 9)]  # type: ignore[attr-defined]


def test_facts_clocks_people_and_units_at_once_block_nobody(floor: Floor) -> None:
    operator = floor.actor(Role.OPERATOR)
    incident = floor.incidents.report(operator, NewReport(title="Smoke", camera=floor.cams[0]))
    floor.fire(subject="taken/car")
    floor.intake.run_once()
    done = floor.do(operator, floor.only(), "confirm")
    names = {floor.fire(subject=f"lane-{number % 9}/car") for number in range(60)}
    names |= {floor.fire(subject="taken/car") for _ in range(5)}
    floor.clock.advance(1)

    def move() -> None:
        for number in range(8):
            with floor.database.begin() as connection:
                floor.oversight.note(connection, type="unit_moved", body={"number": number})
                floor.incidents.add_step(connection, incident.id, step="unit_sent", by=operator)
                floor.incidents.set_stage(connection, incident.id, stage="unit_sent", units=number + 1)

    def write() -> None:
        for _ in range(8):
            floor.incidents.write_note(operator, str(done.incident), text="seen")

    def tick() -> None:
        for _ in range(8):
            floor.clocks.run_once()

    results = at_once([floor.intake.run_once, floor.intake.run_once, move, write, tick])
    assert not [one for one in results if isinstance(one, Problem)], results
    floor.intake.run_once()
    with floor.database.read() as connection:
        assert names < set(connection.execute(sa.select(alert_facts.c.fact)).scalars())
    floor.check(Folded())

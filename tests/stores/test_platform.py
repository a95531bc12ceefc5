"""The tables that every room stands on, on SQLite and PostgreSQL."""

import threading
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from safecity.events import Fact, Stated, last_cursor, read_facts, set_aside, state_fact
from safecity.platform.database import Database
from safecity.platform.errors import DataLoss
from safecity.platform.leases import claim, list_leases, release
from safecity.platform.schema import upgrade

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TERM = timedelta(seconds=10)


class LampLit(Fact):
    """A fact for the tests."""

    type: ClassVar[str] = "tests.lamp_lit"
    lamp: int


def _state(database: Database, number: int) -> bool:
    with database.begin() as connection:
        return state_fact(
            connection, LampLit(lamp=number), id=f"fact_{number}", source="tests", time=NOW, subject=f"lamp-{number}"
        )


def test_a_fact_stated_twice_is_there_once(database: Database) -> None:
    assert _state(database, 1)
    assert not _state(database, 1)
    with database.read() as connection:
        facts = list(read_facts(connection, after=0))
    assert [f.fact for f in facts if isinstance(f, Stated)] == [LampLit(lamp=1)]
    assert facts[0].time == NOW  # type: ignore[union-attr]


def test_a_reader_by_cursor_skips_no_fact_while_others_write(database: Database) -> None:
    total, writers = 120, 4
    seen: list[int] = []
    done = threading.Event()

    def write(first: int) -> None:
        for number in range(first, total, writers):
            _state(database, number)

    def read() -> None:
        cursor = 0
        while True:
            finished = done.is_set()
            with database.read() as connection:
                page = list(read_facts(connection, after=cursor))
            for item in page:
                assert isinstance(item, Stated)
                cursor = item.cursor
                assert isinstance(item.fact, LampLit)
                seen.append(item.fact.lamp)
            if finished and not page:
                return

    reader = threading.Thread(target=read)
    threads = [threading.Thread(target=write, args=(first,)) for first in range(writers)]
    reader.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    reader.join(60)
    assert sorted(seen) == list(range(total))


def test_an_unreadable_fact_is_set_aside_and_not_lost(database: Database) -> None:
    _state(database, 1)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE events SET type = 'tests.forgotten'")
    with database.read() as connection:
        (item,) = read_facts(connection, after=0)
    assert isinstance(item, DataLoss)
    cursor = item.facts["cursor"]
    assert isinstance(cursor, int)
    with database.begin() as connection:
        for _ in range(2):
            set_aside(connection, cursor=cursor, reader="page", reason=item.message, now=NOW)
        assert connection.exec_driver_sql("SELECT count(*) FROM dead_letters").scalar_one() == 1
        assert last_cursor(connection) == cursor


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.begin() as connection:
        state_fact(connection, LampLit(lamp=9), id="fact_9", source="tests", time=NOW, subject="lamp-9")
        raise RuntimeError
    with database.read() as connection:
        assert list(read_facts(connection, after=0)) == []


def test_a_lease_is_held_by_one_until_it_expires(database: Database) -> None:
    wanted = ["camera:a", "camera:b", "camera:c"]
    with database.begin() as connection:
        assert claim(connection, wanted, holder="recorder-1", now=NOW, term=TERM, limit=2) == wanted[:2]
        assert claim(connection, wanted, holder="recorder-2", now=NOW, term=TERM, limit=9) == wanted[2:]
        # The process that takes over the slot takes over its leases at once.
        assert claim(connection, wanted, holder="recorder-1", now=NOW, term=TERM, limit=9) == wanted[:2]
    later = NOW + TERM
    with database.begin() as connection:
        assert claim(connection, wanted, holder="recorder-3", now=later, term=TERM, limit=9) == wanted
        release(connection, holder="recorder-3", resources=["camera:a"])
        assert [name for name, *_ in list_leases(connection, prefix="camera:")] == ["camera:b", "camera:c"]


def test_upgrading_again_changes_nothing(database: Database) -> None:
    _state(database, 1)
    upgrade(database)
    with database.read() as connection:
        assert last_cursor(connection) == 1

"""Recomputing the log finds what someone with the database file in hand has changed.

One log is made for all tests; each attack is made and looked at inside a transaction that is rolled back.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from safecity.oversight import log, merkle
from safecity.oversight.log import LogState
from safecity.oversight.verify import Verdict, verify
from safecity.platform.database import Database
from tests.databases import make_sqlite
from tests.rooms.oversight.conftest import Desk

SIZE = 2500  # more than two pages of the recomputation
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _write(connection: Connection, *, wrong: int | None = None) -> None:
    for number in range(SIZE):
        log.append(connection, type="look_ended", body={"number": -1 if number == wrong else number}, at=NOW)


@pytest.fixture(scope="module")
def unguarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A log whose triggers were dropped, as an insider would."""
    database = make_sqlite(tmp_path_factory.mktemp("log") / "safecity.db")
    with database.begin() as connection:
        _write(connection)
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all()
        assert names
        for name in names:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
    yield database
    database.close()


@dataclass
class Insider:
    """A connection that may do anything to the log, and what was noted of it before."""

    connection: Connection
    noted: LogState

    def attack(self, *statements: str) -> Verdict:
        """Change the tables, then recompute."""
        for statement in statements:
            self.connection.exec_driver_sql(statement)
        return verify(self.connection)


@pytest.fixture
def insider(unguarded: Database) -> Iterator[Insider]:
    """Undone after each test."""
    with unguarded.engine.connect() as connection, connection.begin() as transaction:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        yield Insider(connection, log.state_of(connection))
        transaction.rollback()


def test_a_whole_log_is_whole(insider: Insider) -> None:
    assert insider.attack() == Verdict(size=SIZE, root=insider.noted.root)
    for size in (0, 1, 1023, 1024, 1025, SIZE - 1, SIZE):
        assert verify(insider.connection, noted=log.state_of(insider.connection, size)).is_whole


def test_an_empty_log_is_whole(desk: Desk) -> None:
    with desk.database.read() as connection:
        assert verify(connection) == Verdict(size=0, root=merkle.EMPTY_ROOT)


@pytest.mark.parametrize("at", [0, 1, 1023, 1024, 2047, SIZE - 1])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE log_bodies SET body = replace(body, 'number', 'nombre')",
        "UPDATE log_bodies SET salt = zeroblob(32)",
        "UPDATE log_bodies SET salt = NULL, body = NULL",
        "DELETE FROM log_bodies",
        "UPDATE log_leaves SET type = 'view_live'",
        "UPDATE log_leaves SET at = at + 1000",
        "UPDATE log_leaves SET commitment = zeroblob(32)",
        "UPDATE log_leaves SET entry = entry || ' '",
        "UPDATE log_leaves SET entry = replace(entry, 'look', 'book')",
        "UPDATE log_leaves SET leaf_hash = zeroblob(32)",
    ],
)
def test_a_changed_leaf_is_named(insider: Insider, change: str, at: int) -> None:
    verdict = insider.attack(f"{change} WHERE leaf_index = {at}")
    assert not verdict.is_whole
    assert verdict.bad_index == at


@pytest.mark.parametrize("at", [0, 1, 1024, SIZE - 2])
def test_a_leaf_taken_out_is_named(insider: Insider, at: int) -> None:
    verdict = insider.attack(
        *(f"DELETE FROM {table} WHERE leaf_index = {at}" for table in ("log_bodies", "log_leaves"))
    )
    assert (verdict.bad_index, verdict.reason) == (at, "the leaf is gone")


def test_two_leaves_in_another_order_are_found(insider: Insider) -> None:
    verdict = insider.attack(
        *(
            f"UPDATE {table} SET leaf_index = {new} WHERE leaf_index = {old}"
            for table in ("log_leaves", "log_bodies")
            for old, new in ((8, -8), (9, 8), (-8, 9))
        )
    )
    assert verdict.bad_index == 9  # the first subtree over the two no longer fits


@pytest.mark.parametrize(("level", "position", "bad"), [(1, 0, 1), (3, 5, 47), (10, 1, 2047), (11, 0, 2047)])
@pytest.mark.parametrize("change", ["UPDATE log_nodes SET hash = zeroblob(32)", "DELETE FROM log_nodes"])
def test_a_stored_subtree_that_is_wrong_or_gone_is_named_by_its_last_leaf(
    insider: Insider, change: str, level: int, position: int, bad: int
) -> None:
    assert insider.attack(f"{change} WHERE level = {level} AND position = {position}").bad_index == bad


def test_a_log_cut_short_is_seen_by_what_was_noted(insider: Insider) -> None:
    cut = (f"DELETE FROM {table} WHERE leaf_index = {SIZE - 1}" for table in ("log_bodies", "log_leaves"))
    assert insider.attack(*cut).is_whole  # alone it cannot be seen
    assert verify(insider.connection, noted=insider.noted).bad_index == SIZE - 1


def test_a_log_rewritten_with_fresh_hashes_is_seen_by_what_was_noted(insider: Insider) -> None:
    for table in (log.log_nodes, log.log_bodies, log.log_leaves):
        insider.connection.execute(sa.delete(table))
    _write(insider.connection, wrong=7)
    assert insider.attack().is_whole
    verdict = verify(insider.connection, noted=insider.noted)
    assert not verdict.is_whole
    assert verdict.bad_index is None

"""The log and the gate on SQLite and PostgreSQL: order, density, refusals inside transactions, triggers, proofs."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, InvalidRequestError

from safecity.oversight import log, merkle
from safecity.oversight.bench import measure_log
from safecity.oversight.log import ConsistencyProof, InclusionProof
from safecity.oversight.model import Act, Actor, Resource, Role
from safecity.oversight.passwords import Cost, Passwords
from safecity.oversight.service import Oversight
from safecity.oversight.verify import verify
from safecity.platform.clock import SystemClock
from safecity.platform.database import Database
from safecity.platform.errors import Conflict, Denied, NotFound, Unavailable
from safecity.platform.settings import OversightSettings

CAMERA = Resource.camera("cam_1")
PASSWORD = "four random words here"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def oversight(database: Database) -> Oversight:
    """The service on an empty database."""
    passwords = Passwords(Cost(passes=1, memory_kib=64, lanes=1))
    return Oversight(database, OversightSettings(), SystemClock(), passwords=passwords)


def _actor(oversight: Oversight, role: Role = Role.OPERATOR, *, on_duty: bool = True) -> Actor:
    oversight.create_user(f"a.{role}", PASSWORD, role=role, display_name="A")
    actor = oversight.sign_in(f"a.{role}", PASSWORD, console="10.0.0.7").session.actor
    if on_duty:
        oversight.start_shift(actor)
    return actor


def _types(database: Database) -> list[str]:
    with database.read() as connection:
        return list(
            connection.execute(sa.select(log.log_leaves.c.type).order_by(log.log_leaves.c.leaf_index)).scalars()
        )


def _append(database: Database, count: int) -> None:
    with database.begin() as connection:
        for number in range(count):
            log.append(connection, type="look_ended", body={"number": number}, at=NOW)


def _is_whole(database: Database) -> bool:
    with database.read() as connection:
        return verify(connection).is_whole


def test_a_user_lives_through_the_store(database: Database, oversight: Oversight) -> None:
    actor = _actor(oversight)
    (user,) = oversight.list_users()
    assert (user.id, user.role, user.disabled_at) == (actor.user_id, Role.OPERATOR, None)
    with pytest.raises(Conflict):
        oversight.create_user("A.Operator", PASSWORD, role=Role.AUDITOR, display_name="B")
    with pytest.raises(Denied):
        oversight.sign_in("a.operator", "wrong", console="10.0.0.7")
    signed = oversight.sign_in("a.operator", PASSWORD, console="10.0.0.7")
    assert signed.session.shift is not None
    oversight.sign_out(signed.token)
    oversight.end_shift(actor)
    oversight.disable_user("a.operator")
    assert oversight.list_users()[0].disabled_at is not None
    assert _types(database) == [
        "user_created",
        "sign_in",
        "start_shift",
        "sign_in_refused",
        "sign_in",
        "sign_out",
        "shift_ended",
        "user_disabled",
    ]
    assert _is_whole(database)


def test_act_and_leaf_are_committed_together_or_not_at_all(database: Database, oversight: Oversight) -> None:
    actor = _actor(oversight)
    before = _types(database)
    with pytest.raises(RuntimeError), database.begin() as connection:
        oversight.permit(actor, Act.VIEW_LIVE, CAMERA, connection=connection)
        raise RuntimeError
    assert _types(database) == before
    with database.begin() as connection:
        permit = oversight.permit(actor, Act.VIEW_LIVE, CAMERA, connection=connection)
        oversight.note(connection, type="look_ended", body={"look": "lok_1"}, actor=actor)
    assert _types(database) == [*before, "view_live", "look_ended"]
    assert permit.leaf_index == len(before)


def test_a_refusal_inside_a_transaction_undoes_it_and_is_written(database: Database, oversight: Oversight) -> None:
    actor = _actor(oversight, Role.TECHNICIAN, on_duty=False)
    before = _types(database)
    with pytest.raises(Denied), database.begin() as connection:
        # The caller has changed something and holds the log's turn: the refusal must not wait for either.
        oversight.note(connection, type="city_imported", body={})
        connection.exec_driver_sql("UPDATE users SET display_name = 'changed'")
        oversight.permit(actor, Act.MANAGE_SITES, Resource.city(), connection=connection)
    assert _types(database) == [*before, "refused"]
    assert oversight.list_users()[0].display_name == "A"


def test_who_swallows_a_refusal_commits_nothing(database: Database, oversight: Oversight) -> None:
    actor = _actor(oversight, Role.TECHNICIAN, on_duty=False)
    before = _types(database)

    def swallow(*, goes_on: bool) -> None:
        with database.begin() as connection:
            connection.exec_driver_sql("UPDATE users SET display_name = 'changed'")
            with pytest.raises(Denied):
                oversight.permit(actor, Act.VIEW_LIVE, CAMERA, connection=connection)
            if goes_on:
                connection.exec_driver_sql("UPDATE users SET display_name = 'changed'")

    swallow(goes_on=False)
    with pytest.raises(InvalidRequestError):
        swallow(goes_on=True)
    assert oversight.list_users()[0].display_name == "A"
    assert _types(database) == [*before, "refused", "refused"]


def test_nothing_is_granted_without_a_log(database: Database, oversight: Oversight) -> None:
    actor = _actor(oversight)
    with database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE log_bodies RENAME TO gone")
    for act in (Act.VIEW_LIVE, Act.READ_LOG):
        with pytest.raises(Unavailable):
            oversight.permit(actor, act, CAMERA)
        with pytest.raises(Unavailable), database.begin() as connection:
            oversight.permit(actor, act, CAMERA, connection=connection)
    with pytest.raises(Unavailable):
        oversight.sign_in("a.operator", PASSWORD, console="10.0.0.7")
    with database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE gone RENAME TO log_bodies")
    assert _types(database) == ["user_created", "sign_in", "start_shift"]


def test_many_writers_number_their_leaves_without_a_gap(database: Database, oversight: Oversight) -> None:
    operator, auditor = _actor(oversight), _actor(oversight, Role.AUDITOR, on_duty=False)
    failures: list[BaseException] = []
    states: list[ConsistencyProof] = []
    done = threading.Event()
    before = len(_types(database))
    rounds, writers = 12, 4

    def work(number: int) -> None:
        for step in range(rounds):
            if (number + step) % 3 == 0:
                with pytest.raises(Denied):
                    oversight.permit(auditor, Act.VIEW_LIVE, CAMERA)
            elif (number + step) % 3 == 1:
                oversight.permit(operator, Act.VIEW_LIVE, CAMERA)
            else:
                with pytest.raises(Denied), database.begin() as connection:
                    oversight.note(connection, type="undone", body={})
                    oversight.permit(auditor, Act.EXPORT_CLIP, CAMERA, connection=connection)

    def watch() -> None:
        size = 0
        while not done.is_set():
            proof = oversight.prove_growth(auditor, size)
            states.append(proof)
            size = proof.new.size

    def kept(task: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                task()
            except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
                failures.append(error)

        return run

    watcher = threading.Thread(target=kept(watch))
    threads = [threading.Thread(target=kept(lambda number=number: work(number))) for number in range(writers)]
    watcher.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    watcher.join()
    assert failures == []
    types = _types(database)
    assert len(types) == before + rounds * writers
    assert "undone" not in types
    assert _is_whole(database)
    assert all(_grew(proof) for proof in states)
    for earlier, later in pairwise(states):
        assert earlier.new == later.old


def _grew(proof: ConsistencyProof) -> bool:
    return merkle.verify_consistency(
        proof.path, old_size=proof.old.size, new_size=proof.new.size, old_root=proof.old.root, new_root=proof.new.root
    )


def test_appends_of_their_own_do_not_take_the_same_number(database: Database) -> None:
    threads = [threading.Thread(target=lambda: [_append(database, 2) for _ in range(10)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_types(database)) == 80
    assert _is_whole(database)


def test_a_shift_that_has_ended_grants_nothing_whoever_comes_first(database: Database, oversight: Oversight) -> None:
    actor = _actor(oversight)

    def look() -> None:
        for _ in range(20):
            try:
                oversight.permit(actor, Act.VIEW_LIVE, CAMERA)
            except Denied:
                return

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    oversight.end_shift(actor)
    for thread in threads:
        thread.join()
    types = _types(database)
    assert "view_live" not in types[types.index("shift_ended") :]


def test_the_stored_subtrees_give_the_same_proofs_as_the_leaves(database: Database) -> None:
    size = 75
    _append(database, size)
    with database.read() as connection:
        hashes = list(
            connection.execute(sa.select(log.log_leaves.c.leaf_hash).order_by(log.log_leaves.c.leaf_index)).scalars()
        )
        for at in range(size + 1):
            assert log.state_of(connection, at).root == merkle.root(hashes[:at])
            growth = log.prove_consistency(connection, at)
            assert list(growth.path) == merkle.consistency_path(hashes, at)
            assert _grew(growth)
        for index in range(size):
            proof = log.prove_inclusion(connection, index)
            assert list(proof.path) == merkle.inclusion_path(hashes, index)
            assert _is_proved(proof)
            assert merkle.leaf_hash(proof.entry.encode()) == proof.leaf_hash
        with pytest.raises(NotFound):
            log.prove_inclusion(connection, size)
        with pytest.raises(NotFound):
            log.prove_consistency(connection, size + 1)


def _is_proved(proof: InclusionProof) -> bool:
    return merkle.verify_inclusion(
        proof.leaf_hash, proof.path, index=proof.index, size=proof.size, tree_root=proof.root
    )


CHANGES = [
    "UPDATE log_leaves SET type = 'other' WHERE leaf_index = 1",
    "UPDATE log_leaves SET leaf_index = 9 WHERE leaf_index = 4",
    "DELETE FROM log_leaves WHERE leaf_index = 4",
    "DELETE FROM log_leaves",
    "UPDATE log_nodes SET hash = hash",
    "DELETE FROM log_nodes",
    "DELETE FROM log_bodies WHERE leaf_index = 4",
    "UPDATE log_bodies SET body = '{}' WHERE leaf_index = 1",
    "UPDATE log_bodies SET body = NULL WHERE leaf_index = 1",
    "UPDATE log_bodies SET leaf_index = 9, body = NULL, salt = NULL WHERE leaf_index = 4",
    "INSERT INTO log_leaves SELECT 6, type, at, commitment, leaf_hash, entry FROM log_leaves WHERE leaf_index = 4",
]
SQLITE_CHANGES = [
    "INSERT OR REPLACE INTO log_leaves SELECT leaf_index, 'other', at, commitment, leaf_hash, entry FROM log_leaves",
    "INSERT OR REPLACE INTO log_bodies SELECT leaf_index, salt, '{}' FROM log_bodies",
    "INSERT OR REPLACE INTO log_nodes SELECT level, position, hash FROM log_nodes",
    "UPDATE OR REPLACE log_leaves SET leaf_index = 0 WHERE leaf_index = 1",
]
POSTGRESQL_CHANGES = ["TRUNCATE log_leaves CASCADE", "TRUNCATE log_nodes", "TRUNCATE log_bodies"]


def test_the_database_refuses_to_change_the_log(database: Database) -> None:
    _append(database, 5)
    for change in [*CHANGES, *(SQLITE_CHANGES if database.is_sqlite else POSTGRESQL_CHANGES)]:
        with pytest.raises(DBAPIError, match=r"only grows|never changed"), database.begin() as connection:
            connection.exec_driver_sql(change)
            pytest.fail(f"not refused: {change}")
    assert _is_whole(database)
    with database.read() as connection:
        assert log.size_of(connection) == 5


def test_content_can_be_erased_and_the_tree_stays(database: Database) -> None:
    _append(database, 5)
    with database.read() as connection:
        before = log.state_of(connection)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE log_bodies SET body = NULL, salt = NULL WHERE leaf_index = 2")
    with database.read() as connection:
        assert log.state_of(connection) == before
        assert log.list_leaves(connection, before=3, limit=1)[0].body is None
        verdict = verify(connection)
    # Nothing of this version erases, so a missing content is said.
    assert (verdict.bad_index, verdict.reason) == (2, "its content is gone")


def test_the_bench_leaves_a_whole_log(database: Database) -> None:
    figures = measure_log(database, leaves=100)
    assert figures["leaves"] == 300
    assert all(value > 0 for value in figures.values())
    assert _is_whole(database)

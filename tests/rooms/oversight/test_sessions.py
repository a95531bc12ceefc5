"""Signing in and out: what ends a session, and what guessing gets."""

import json
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from safecity.oversight import passwords as password_module
from safecity.oversight.attempts import CONSOLE_ATTEMPTS, WINDOW
from safecity.oversight.model import Role
from safecity.oversight.passwords import HASHES_AT_ONCE, Cost, Passwords
from safecity.oversight.service import Oversight
from safecity.platform.database import metadata
from safecity.platform.errors import Conflict, DataLoss, Denied, Exhausted, Invalid, NotFound
from tests.rooms.oversight.conftest import CONSOLE, PASSWORD, Desk

ELSEWHERE = "203.0.113.9"


def _fail(desk: Desk, times: int, *, name: str = "a.operator", console: str = ELSEWHERE) -> None:
    for _ in range(times):
        with pytest.raises(Denied):
            desk.oversight.sign_in(name, "wrong wrong wrong", console=console)


def test_a_session_opens_with_the_right_password_in_any_case_of_the_name(desk: Desk) -> None:
    desk.sign_in(name="s.khan")
    signed = desk.oversight.sign_in("  S.Khan ", PASSWORD, console=CONSOLE)
    found = desk.oversight.find_session(signed.token)
    assert found == signed.session
    assert found.role is Role.OPERATOR
    assert found.shift is None
    assert desk.oversight.find_session("another token") is None


def test_the_token_and_the_password_are_nowhere_in_the_database(desk: Desk) -> None:
    signed = desk.sign_in()
    _fail(desk, 1)
    with desk.database.read() as connection:
        everything = [
            repr(tuple(row)) for table in metadata.tables.values() for row in connection.execute(sa.select(table))
        ]
    text = "\n".join(everything)
    assert "a.operator" in text  # the search does see what is there
    assert signed.token not in text
    assert PASSWORD not in text
    assert "wrong wrong wrong" not in text
    assert signed.token not in repr(signed)


def test_a_session_ends_at_its_fixed_time_however_busy_it_is(desk: Desk) -> None:
    token = desk.sign_in().token
    for _ in range(11):
        desk.clock.advance(3600)
        assert desk.oversight.find_session(token) is not None
    desk.clock.advance(3600 - 0.001)
    assert desk.oversight.find_session(token) is not None
    desk.clock.advance(0.001)
    assert desk.oversight.find_session(token) is None


def test_signing_out_ends_this_session_only(desk: Desk) -> None:
    first, second = desk.sign_in(), desk.sign_in()
    desk.oversight.sign_out(first.token)
    desk.oversight.sign_out(first.token)
    assert desk.oversight.find_session(first.token) is None
    assert desk.oversight.find_session(second.token) is not None
    assert desk.types().count("sign_out") == 1


def test_a_new_password_ends_every_session_of_the_user(desk: Desk) -> None:
    tokens = [desk.sign_in().token, desk.sign_in().token]
    other = desk.sign_in(Role.AUDITOR).token
    desk.oversight.set_password("a.operator", "another four words")
    assert [desk.oversight.find_session(token) for token in tokens] == [None, None]
    assert desk.oversight.find_session(other) is not None
    with pytest.raises(Denied):
        desk.oversight.sign_in("a.operator", PASSWORD, console=CONSOLE)
    assert desk.oversight.sign_in("a.operator", "another four words", console=CONSOLE)


def test_a_disabled_user_is_told_what_a_wrong_password_is_told(desk: Desk) -> None:
    token = desk.sign_in().token
    desk.oversight.disable_user("a.operator")
    assert desk.oversight.find_session(token) is None
    answers: set[tuple[str, str]] = set()
    for name, password in (("a.operator", PASSWORD), ("a.operator", "wrong"), ("nobody", PASSWORD), ("\ud800", "x")):
        with pytest.raises(Denied) as refused:
            desk.oversight.sign_in(name, password, console=CONSOLE)
        answers.add((refused.value.message, refused.value.code))
    assert len(answers) == 1
    reasons = [json.loads(leaf.body or "")["reason"] for leaf in desk.leaves() if leaf.type == "sign_in_refused"]
    assert reasons == ["disabled", "wrong_password", "unknown_user", "unknown_user"]


def test_an_unknown_name_costs_a_real_check_and_is_not_written_down(desk: Desk) -> None:
    _fail(desk, 1, name="my-password-typed-here")
    assert desk.passwords.checks == [None]
    assert all("my-password" not in (leaf.body or "") for leaf in desk.leaves())


@pytest.mark.parametrize("password", ["", "x" * 1000, "\ud800" * 20, "nul\x00" * 5])
def test_odd_passwords_are_wrong_passwords(desk: Desk, password: str) -> None:
    desk.sign_in()
    with pytest.raises(Denied):
        desk.oversight.sign_in("a.operator", password, console=ELSEWHERE)


def test_guessing_is_stopped_and_starts_again_after_the_window(desk: Desk) -> None:
    desk.sign_in()
    _fail(desk, desk.settings.sign_in_attempts)
    checks = len(desk.passwords.checks)
    for password in ("wrong wrong wrong", PASSWORD):
        with pytest.raises(Exhausted) as limited:
            desk.oversight.sign_in("a.operator", password, console=ELSEWHERE)
        assert limited.value.facts["retry_after_s"] == WINDOW.total_seconds()
    assert len(desk.passwords.checks) == checks  # not even looked at
    assert desk.types().count("sign_in_limited") == 1
    desk.clock.advance(WINDOW.total_seconds())
    assert desk.oversight.sign_in("a.operator", PASSWORD, console=ELSEWHERE)


def test_a_stranger_cannot_lock_people_out_of_their_own_desk(desk: Desk) -> None:
    desk.sign_in(console=CONSOLE)
    _fail(desk, desk.settings.sign_in_attempts, console=ELSEWHERE)
    with pytest.raises(Exhausted):
        desk.oversight.sign_in("a.operator", PASSWORD, console=ELSEWHERE)
    with pytest.raises(Exhausted):
        desk.oversight.sign_in("a.operator", PASSWORD, console="203.0.113.10")
    assert desk.oversight.sign_in("a.operator", PASSWORD, console=CONSOLE)


def test_guessing_at_an_own_desk_is_stopped_too(desk: Desk) -> None:
    desk.sign_in(console=CONSOLE)
    _fail(desk, desk.settings.sign_in_attempts, console=CONSOLE)
    with pytest.raises(Exhausted):
        desk.oversight.sign_in("a.operator", PASSWORD, console=CONSOLE)


def test_one_console_cannot_go_through_the_names(desk: Desk) -> None:
    desk.sign_in()
    for number in range(CONSOLE_ATTEMPTS):
        _fail(desk, 1, name=f"name{number}")
    with pytest.raises(Exhausted):
        desk.oversight.sign_in("a.operator", PASSWORD, console=ELSEWHERE)
    assert desk.oversight.sign_in("a.operator", PASSWORD, console=CONSOLE)


def test_many_guesses_at_once_do_not_slip_under_the_limit(desk: Desk) -> None:
    desk.sign_in()
    desk.passwords.checks.clear()
    outcomes: list[str] = []

    def guess() -> None:
        try:
            desk.oversight.sign_in("a.operator", "wrong wrong wrong", console=ELSEWHERE)
        except (Denied, Exhausted) as problem:
            outcomes.append(problem.kind.value)

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(desk.passwords.checks) == desk.settings.sign_in_attempts
    assert sorted(outcomes) == ["denied"] * 5 + ["exhausted"] * 7


def test_a_sign_in_that_finds_no_turn_does_not_count(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.sign_in()
    monkeypatch.setattr(password_module, "HASH_WAIT_S", 0.01)
    turns = password_module._turns  # pyright: ignore[reportPrivateUsage]
    for _ in range(HASHES_AT_ONCE):
        assert turns.acquire(blocking=False)
    try:
        for _ in range(desk.settings.sign_in_attempts + 1):
            with pytest.raises(Exhausted, match="at once"):
                desk.oversight.sign_in("a.operator", PASSWORD, console=ELSEWHERE)
        with pytest.raises(Exhausted, match="at once"):  # an unknown name waits for its hash like a known one
            desk.oversight.sign_in("nobody", PASSWORD, console=ELSEWHERE)
    finally:
        for _ in range(HASHES_AT_ONCE):
            turns.release()
    assert desk.oversight.sign_in("a.operator", PASSWORD, console=ELSEWHERE)


def test_a_hash_of_an_older_cost_is_made_anew_at_sign_in(desk: Desk) -> None:
    desk.sign_in()
    dearer = Oversight(
        desk.database, desk.settings, desk.clock, passwords=Passwords(Cost(passes=2, memory_kib=128, lanes=1))
    )
    session = dearer.sign_in("a.operator", PASSWORD, console=CONSOLE)
    with desk.database.read() as connection:
        stored = connection.exec_driver_sql("SELECT password_hash FROM users").scalar_one()
    assert "m=128,t=2,p=1" in stored
    assert dearer.find_session(session.token) is not None
    assert dearer.sign_in("a.operator", PASSWORD, console=CONSOLE)


def test_a_damaged_hash_is_said_and_not_taken_for_a_wrong_password(desk: Desk) -> None:
    desk.sign_in()
    with desk.database.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET password_hash = 'nonsense'")
    with pytest.raises(DataLoss):
        desk.oversight.sign_in("a.operator", PASSWORD, console=CONSOLE)


def test_the_real_cost_is_that_of_rfc_9106() -> None:
    real = Passwords()
    stored = real.hash(PASSWORD)
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert real.check(PASSWORD, stored).is_right
    assert not real.check(PASSWORD, None).is_right


@pytest.mark.parametrize("password", ["", "elevenchars", "x" * 257, "a.long.name1", "\ud800" * 12])
def test_bad_passwords_are_not_taken(desk: Desk, password: str) -> None:
    with pytest.raises(Invalid):
        desk.oversight.create_user("a.long.name", password, role=Role.OPERATOR, display_name="A")


@pytest.mark.parametrize("name", ["", "a", "-ab", "two words", "صفیہ", "a" * 65, "a\x00b", "a'b"])
def test_bad_names_are_not_taken(desk: Desk, name: str) -> None:
    with pytest.raises(Invalid):
        desk.oversight.create_user(name, PASSWORD, role=Role.OPERATOR, display_name="A")


def test_accounts_are_changed_by_administrators_only_and_each_change_is_a_leaf(desk: Desk) -> None:
    chief, operator = desk.actor(Role.ADMINISTRATOR), desk.actor(Role.OPERATOR)
    made = desk.oversight.create_user("n.baloch", PASSWORD, role=Role.AUDITOR, display_name="نسیمہ بلوچ", by=chief)
    assert made in desk.oversight.list_users(by=chief)
    assert desk.types()[-3:] == ["manage_users", "user_created", "manage_users"]
    with pytest.raises(Conflict):
        desk.oversight.create_user("N.Baloch", PASSWORD, role=Role.AUDITOR, display_name="x", by=chief)
    with pytest.raises(NotFound):
        desk.oversight.disable_user("nobody", by=chief)
    before = desk.oversight.list_users()
    for change in (
        lambda: desk.oversight.create_user("m.x", PASSWORD, role=Role.AUDITOR, display_name="x", by=operator),
        lambda: desk.oversight.set_password("n.baloch", PASSWORD, by=operator),
        lambda: desk.oversight.disable_user("n.baloch", by=operator),
        lambda: desk.oversight.list_users(by=operator),
    ):
        with pytest.raises(Denied):
            change()
    assert desk.oversight.list_users() == before
    assert desk.types()[-4:] == ["refused"] * 4


def test_the_demo_makes_fresh_passwords_and_ends_old_sessions(desk: Desk) -> None:
    first = desk.oversight.ensure_demo_user("operator", Role.OPERATOR, display_name="Operator")
    token = desk.oversight.sign_in("operator", first, console=CONSOLE).token
    desk.oversight.disable_user("operator")
    second = desk.oversight.ensure_demo_user("operator", Role.SUPERVISOR, display_name="Chief")
    assert first != second
    assert desk.oversight.find_session(token) is None
    signed = desk.oversight.sign_in("operator", second, console=CONSOLE)
    assert (signed.session.role, signed.session.display_name) == (Role.SUPERVISOR, "Chief")
    with pytest.raises(Denied):
        desk.oversight.sign_in("operator", first, console=CONSOLE)


def test_a_card_of_the_demo_opens_the_demos_own_account(desk: Desk) -> None:
    for role in Role:
        desk.oversight.ensure_demo_user(role.value, role, display_name=f"Demo {role}")
    for role in Role:
        signed = desk.oversight.enter_demo(role, console=CONSOLE)
        assert (signed.session.role, signed.session.display_name) == (role, f"Demo {role}")
        assert desk.oversight.find_session(signed.token) == signed.session
        assert desk.types()[-1] == "sign_in"
        body = json.loads(desk.leaves()[-1].body or "")
        assert (body["method"], body["console"], body["actor"]["role"]) == ("demo", CONSOLE, role.value)
    assert desk.passwords.checks == []


def test_no_card_opens_an_account_that_the_demo_did_not_make(desk: Desk) -> None:
    desk.oversight.create_user("operator", PASSWORD, role=Role.OPERATOR, display_name="A real one")
    desk.oversight.ensure_demo_user("auditor", Role.AUDITOR, display_name="Demo")
    desk.oversight.disable_user("auditor")
    desk.oversight.ensure_demo_user("supervisor", Role.OPERATOR, display_name="Of another role")
    before = desk.types()
    for role in (Role.OPERATOR, Role.AUDITOR, Role.SUPERVISOR, Role.DISPATCHER):
        with pytest.raises(NotFound, match="safecity demo"):
            desk.oversight.enter_demo(role, console=CONSOLE)
    assert desk.types() == before
    desk.oversight.ensure_demo_user("operator", Role.OPERATOR, display_name="Demo")
    assert desk.oversight.enter_demo(Role.OPERATOR, console=CONSOLE).session.display_name == "Demo"


def test_last_use_is_kept_to_the_minute(desk: Desk) -> None:
    signed = desk.sign_in()
    start = desk.clock.now()
    for advance_s, expected_s in ((59, 0), (1, 60), (30, 60), (30, 120)):
        desk.clock.advance(advance_s)
        desk.oversight.find_session(signed.token)
        with desk.database.read() as connection:
            seen = connection.execute(sa.select(metadata.tables["sessions"].c.last_seen_at)).scalar_one()
        assert seen == start + timedelta(seconds=expected_s)

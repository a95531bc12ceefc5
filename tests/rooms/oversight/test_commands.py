"""`safecity user` and `safecity log`, run as a person runs them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from safecity.oversight.commands import log_app, user_app
from safecity.oversight.model import Role
from safecity.oversight.service import Oversight
from safecity.platform.clock import SystemClock
from safecity.platform.database import Database
from safecity.platform.errors import Invalid, NotFound
from safecity.platform.settings import OversightSettings

PASSWORD = "four random words here"
Run = Callable[..., Result]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An empty data folder."""
    return tmp_path


@pytest.fixture
def run(data: Path) -> Run:
    """Run a command on that folder."""

    def invoke(app: object, *words: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(app, [*words, "--data", str(data)], input=typed)  # type: ignore[arg-type]

    return invoke


def _add(run: Run, name: str, role: Role = Role.OPERATOR) -> Result:
    words = ("add", name, "--role", role.value, "--display-name", "صفیہ خان", "--password-stdin")
    return run(user_app, *words, typed=PASSWORD + "\n")


def _oversight(data: Path) -> tuple[Database, Oversight]:
    database = Database(f"sqlite:///{data / 'safecity.db'}")
    return database, Oversight(database, OversightSettings(), SystemClock())


def test_the_first_user_is_made_on_an_empty_data_folder_and_signs_in(run: Run, data: Path) -> None:
    assert _add(run, "s.khan").exit_code == 0
    database, oversight = _oversight(data)
    assert oversight.sign_in("s.khan", PASSWORD, console="here").session.display_name == "صفیہ خان"
    database.close()
    assert run(user_app, "set-password", "s.khan", "--password-stdin", typed="other four words x\n").exit_code == 0
    assert run(user_app, "disable", "s.khan").exit_code == 0
    (line,) = run(user_app, "list", "--json").stdout.splitlines()
    shown = json.loads(line)
    assert (shown["name"], shown["role"], shown["display_name"]) == ("s.khan", "operator", "صفیہ خان")
    assert shown["disabled_at"] is not None
    assert "disabled" in run(user_app, "list").stdout


def test_a_password_is_never_an_argument(run: Run) -> None:
    assert run(user_app, "add", "x.y", PASSWORD, "--role", "operator", "--display-name", "x").exit_code == 2
    assert (
        run(user_app, "add", "x.y", "--password", PASSWORD, "--role", "operator", "--display-name", "x").exit_code == 2
    )
    asked = run(user_app, "add", "x.y", "--role", "operator", "--display-name", "x", typed=PASSWORD)
    assert isinstance(asked.exception, Invalid)  # no terminal to ask at


@pytest.mark.parametrize("typed", ["", "short\n", "x" * 300 + "\n"])
def test_a_bad_password_makes_no_user(run: Run, typed: str) -> None:
    made = run(user_app, "add", "x.y", "--role", "operator", "--display-name", "x", "--password-stdin", typed=typed)
    assert isinstance(made.exception, Invalid)
    assert run(user_app, "list").stdout == ""


def test_an_unknown_user_or_folder_is_said(run: Run, data: Path) -> None:
    assert isinstance(run(user_app, "disable", "nobody").exception, NotFound)
    missing = CliRunner().invoke(log_app, ["root", "--data", str(data / "none")])
    assert isinstance(missing.exception, Invalid)
    assert not (data / "none").exists()


def test_the_log_is_verified_against_itself_and_against_a_noted_root(run: Run, data: Path) -> None:
    _add(run, "s.khan")
    noted = run(log_app, "root").stdout.strip()
    assert noted.startswith("1:")
    _add(run, "t.khan")
    whole = run(log_app, "verify", "--noted", noted)
    assert whole.exit_code == 0
    assert "2 leaves" in whole.stdout
    assert whole.stdout.splitlines()[-1] == run(log_app, "root").stdout.strip()
    for wrong in ("2", "x:y", "1:abcd", "-1:" + "0" * 64):
        assert isinstance(run(log_app, "verify", "--noted", wrong).exception, Invalid)

    database, _ = _oversight(data)
    with database.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER log_bodies_no_change")
        connection.exec_driver_sql("UPDATE log_bodies SET body = replace(body, 't.khan', 'u.khan')")
    database.close()
    broken = run(log_app, "verify")
    assert broken.exit_code == 1
    assert "first bad leaf 1" in broken.stderr

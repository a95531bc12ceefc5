"""`safecity user ...` and `safecity log ...`."""

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from getpass import getpass
from pathlib import Path
from typing import Annotated

import typer

from safecity.oversight import log
from safecity.oversight.log import LogState
from safecity.oversight.model import Role
from safecity.oversight.passwords import MAX_CHARACTERS
from safecity.oversight.service import Oversight
from safecity.oversight.verify import verify
from safecity.platform.clock import SystemClock, to_iso
from safecity.platform.database import Database
from safecity.platform.errors import Invalid
from safecity.platform.schema import upgrade
from safecity.platform.settings import Settings, load_settings

user_app = typer.Typer(no_args_is_help=True, help="Who may sign in.")
log_app = typer.Typer(no_args_is_help=True, help="The log of every look and change.")

Config = Annotated[Path | None, typer.Option(help="Settings file; safecity.toml of this folder if left away.")]
Data = Annotated[Path | None, typer.Option(help="Data folder, such as the demo's; the settings' if left away.")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input instead of asking for it.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@user_app.command("add")
def add_user(
    name: Annotated[str, typer.Argument(help="Sign-in name, such as s.khan.")],
    *,
    role: Annotated[Role, typer.Option(help="What the person is employed to do here.")],
    display_name: Annotated[str, typer.Option(help="Name that colleagues see, in any script.")],
    password_stdin: FromStdin = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Make an account; the password is asked for, never an argument."""
    with _oversight(config, data) as oversight:
        user = oversight.create_user(name, _read_password(password_stdin), role=role, display_name=display_name)
    typer.echo(f"{user.name} may sign in as {user.role}.")


@user_app.command("list")
def list_users(*, as_json: AsJson = False, config: Config = None, data: Data = None) -> None:
    """List the accounts."""
    with _oversight(config, data) as oversight:
        for user in oversight.list_users():
            line = {
                "name": user.name,
                "role": user.role.value,
                "display_name": user.display_name,
                "created_at": to_iso(user.created_at),
                "disabled_at": None if user.disabled_at is None else to_iso(user.disabled_at),
            }
            state = "disabled" if user.disabled_at else "enabled"
            text = f"{user.name:<24} {user.role:<14} {state:<9} {user.display_name}"
            typer.echo(json.dumps(line, ensure_ascii=False) if as_json else text)


@user_app.command("set-password")
def set_password(
    name: Annotated[str, typer.Argument(help="Sign-in name.")],
    *,
    password_stdin: FromStdin = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Give an account a new password; its sessions end."""
    with _oversight(config, data) as oversight:
        oversight.set_password(name, _read_password(password_stdin))
    typer.echo(f"{name} has a new password; open sessions have ended.")


@user_app.command("disable")
def disable_user(
    name: Annotated[str, typer.Argument(help="Sign-in name.")], *, config: Config = None, data: Data = None
) -> None:
    """Let nobody sign in with an account any more; its sessions and its shift end."""
    with _oversight(config, data) as oversight:
        oversight.disable_user(name)
    typer.echo(f"{name} is disabled.")


@log_app.command("verify")
def verify_log(
    *,
    noted: Annotated[
        str | None,
        typer.Option(help="SIZE:ROOT as `safecity log root` printed it earlier: this log must begin with that one."),
    ] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Recompute the whole log from the database; name the first bad leaf. Exit code 1 if the log is not whole."""
    earlier = None if noted is None else _parse_noted(noted)
    with _database(_settings(config, data)) as database, database.read() as connection:
        verdict = verify(connection, noted=earlier)
    if not verdict.is_whole:
        where = "" if verdict.bad_index is None else f"first bad leaf {verdict.bad_index}: "
        typer.echo(f"The log is NOT whole: {where}{verdict.reason}.", err=True)
        raise typer.Exit(1)
    typer.echo(f"The log is whole: {verdict.size} leaves.\n{verdict.size}:{verdict.root.hex()}")


@log_app.command("root")
def print_root(*, config: Config = None, data: Data = None) -> None:
    """Print SIZE:ROOT of the log, to be noted where the log's keepers cannot change it."""
    with _database(_settings(config, data)) as database, database.read() as connection:
        state = log.state_of(connection)
    typer.echo(f"{state.size}:{state.root.hex()}")


def _parse_noted(text: str) -> LogState:
    size, _, root = text.strip().partition(":")
    try:
        state = LogState(size=int(size), root=bytes.fromhex(root))
    except ValueError:
        state = None
    if state is None or state.size < 0 or len(state.root) != 32:
        raise Invalid("--noted is SIZE:ROOT as `safecity log root` prints it", code="oversight.bad_noted_root")
    return state


def _read_password(is_from_stdin: bool) -> str:
    if is_from_stdin:
        # One more than allowed is read, so that an over-long password is refused and not cut.
        return sys.stdin.readline(MAX_CHARACTERS + 2).rstrip("\r\n")
    if not sys.stdin.isatty():
        raise Invalid(
            "there is no terminal to ask for the password; use --password-stdin", code="oversight.no_terminal"
        )
    password = getpass("Password: ")
    if getpass("Again: ") != password:
        raise Invalid("the two passwords differ; try again", code="oversight.bad_password")
    return password


def _settings(config: Path | None, data: Path | None) -> Settings:
    settings = load_settings(config)
    if data is None:
        return settings
    if not data.is_dir():
        raise Invalid(f"there is no data folder {data}", code="oversight.no_data_folder")
    return settings.model_copy(update={"platform": settings.platform.model_copy(update={"data_dir": data})})


@contextmanager
def _database(settings: Settings) -> Generator[Database]:
    database = Database(settings.database_url())
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _oversight(config: Path | None, data: Path | None) -> Generator[Oversight]:
    settings = _settings(config, data)
    with _database(settings) as database:
        upgrade(database)
        yield Oversight(database, settings.oversight, SystemClock())

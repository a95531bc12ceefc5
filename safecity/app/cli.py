"""The command line: `safecity COMMAND`.

A command's code is loaded when that command is called: together they take seconds, and most people want one of them.
"""

import importlib
import sys
from collections.abc import Callable
from typing import NamedTuple

import typer
from rich.console import Console
from rich.markup import escape

import safecity
from safecity.platform.errors import Problem, Unavailable
from safecity.platform.logs import configure_logging


class _Place(NamedTuple):
    """Where a command or a group of commands is written."""

    module: str
    name: str
    help: str | None = None


_RUNNING = "safecity.app.run_commands"
COMMANDS = {
    "demo": _Place(_RUNNING, "demo"),
    "run": _Place(_RUNNING, "run"),
    "doctor": _Place(_RUNNING, "doctor"),
    "db": _Place(_RUNNING, "db_app", "The database."),
    "backup": _Place("safecity.app.backup_commands", "backup_app", "Backups of the database and the keys."),
    "restore": _Place("safecity.app.backup_commands", "restore"),
    "plan": _Place("safecity.app.plan_command", "plan"),
    "city": _Place("safecity.sites.commands", "city_app", "The city's registry: sites, cameras, gates."),
    "link": _Place("safecity.sites.links.commands", "link_app", "Encrypted links to the sites."),
    "cabinet": _Place("safecity.sites.cabinets.commands", "cabinet_app", "Cabinets at the sites."),
    "edge": _Place("safecity.app.edge_command", "edge"),
    "edges": _Place("safecity.video.edge.commands", "edges_app", "Recorders at sites that share with this centre."),
    "cameras": _Place("safecity.video.onvif.commands", "cameras_app", "Cameras on the network, by ONVIF."),
    "ptz": _Place("safecity.video.onvif.commands", "ptz"),
    "unit": _Place("safecity.dispatch.commands", "unit_app", "Units that can be sent."),
    "user": _Place("safecity.oversight.commands", "user_app", "Who may sign in."),
    "log": _Place("safecity.oversight.commands", "log_app", "The log of every look and change."),
    "clip": _Place("safecity.video.commands", "clip_app", "Exported clips."),
    "store": _Place("safecity.video.check_commands", "store_app", "Where recordings are kept."),
    "copies": _Place("safecity.video.copies.commands", "copies_app", "Second copies of recordings."),
    "ledger": _Place("safecity.video.ledger_command", "ledger"),
    "analyze": _Place("safecity.analytics.commands", "analyze"),
    "models": _Place("safecity.analytics.model_commands", "models_app", "Detector models."),
    "rules": _Place("safecity.analytics.rule_commands", "rules_app", "Lines, zones and rules on cameras' pictures."),
    "virtual": _Place("safecity.virtual.commands", "virtual_app", "Virtual cameras, with faults on command."),
    "scene": _Place("safecity.virtual.scene_commands", "scene_app", "Drawn streets with exact truth."),
}


def version() -> None:
    """Print the version."""
    typer.echo(safecity.__version__)


def make_app(*, only: str | None = None) -> typer.Typer:
    """The commands; with `only`, the name of one, nothing else's code is loaded."""
    app = typer.Typer(
        no_args_is_help=True, add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False
    )
    app.command()(version)
    for name, place in COMMANDS.items():
        if only in {None, name}:
            _add(app, name, place)
    # A single command would stand for the whole program.
    app.callback()(_nothing)
    return app


def _add(app: typer.Typer, name: str, place: _Place) -> None:
    found: typer.Typer | Callable[..., None] = getattr(importlib.import_module(place.module), place.name)
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=name, help=place.help)
    else:
        app.command(name)(found)


def _nothing() -> None: ...


def _say_problem(problem: Problem) -> None:
    Console(stderr=True, soft_wrap=True).print(f"[red]{problem.kind.value}[/red]: {escape(problem.message)}")


def main() -> None:
    """Run a command; a problem becomes one sentence on standard error and exit code 1."""
    configure_logging(level="warning", role="cli")
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        # Help, and a word that is no command, are answered with all of them in view.
        make_app(only=wanted if wanted in COMMANDS or wanted == "version" else None)()
    except Problem as problem:
        _say_problem(problem)
        sys.exit(1)
    except OSError as error:
        # A folder that is a file, a disk without room, a place that is not ours: the system's own word says it best.
        where = "" if error.filename is None else f": {error.filename}"
        _say_problem(Unavailable(f"{error.strerror or error}{where}", code="cli.system"))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)

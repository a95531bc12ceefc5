"""The command line: `safecity COMMAND`."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import safecity
from safecity.analytics.commands import analyze_app
from safecity.analytics.model_commands import models_app
from safecity.analytics.rule_commands import rules_app
from safecity.app.backup_commands import backup_app, restore
from safecity.app.demo import DemoOptions, run_demo
from safecity.app.doctor import Grade, examine
from safecity.app.edge_command import edge
from safecity.app.plan_command import plan
from safecity.app.stack import check_addresses, lock_supervisor, make_supervisor, prepare_data_dir, run_stack
from safecity.dispatch.commands import unit_app
from safecity.oversight.commands import log_app, user_app
from safecity.platform.database import Database
from safecity.platform.errors import Problem, Unavailable
from safecity.platform.logs import configure_logging
from safecity.platform.schema import upgrade
from safecity.platform.settings import load_settings
from safecity.sites.cabinets.commands import cabinet_app
from safecity.sites.commands import city_app
from safecity.sites.links.commands import link_app
from safecity.video.check_commands import check, rebuild
from safecity.video.commands import clip_app
from safecity.video.copies.commands import copies_app
from safecity.video.edge.commands import edges_app
from safecity.video.ledger_command import ledger
from safecity.video.onvif.commands import cameras_app, ptz
from safecity.video.store_commands import store_app
from safecity.video.volumes import check_volumes
from safecity.virtual.commands import virtual_app
from safecity.virtual.scene_commands import scene_app

MARKS = {Grade.GOOD: "[green]good[/green]", Grade.WARN: "[yellow]mind[/yellow]", Grade.BAD: "[red]bad[/red]"}

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)
db_app = typer.Typer(no_args_is_help=True, help="The database.")
app.add_typer(db_app, name="db")
app.add_typer(backup_app, name="backup")
app.add_typer(city_app, name="city", help="The city's registry: sites, cameras, gates.")
app.add_typer(link_app, name="link", help="Encrypted links to the sites.")
app.add_typer(cabinet_app, name="cabinet", help="Cabinets at the sites.")
app.add_typer(edges_app, name="edges", help="Recorders at sites that share with this centre.")
app.add_typer(unit_app, name="unit", help="Units that can be sent.")
app.add_typer(user_app, name="user", help="Who may sign in.")
app.add_typer(log_app, name="log", help="The log of every look and change.")
app.add_typer(clip_app, name="clip", help="Exported clips.")
store_app.command()(check)
store_app.command()(rebuild)
app.add_typer(store_app, name="store", help="Where recordings are kept.")
app.add_typer(copies_app, name="copies", help="Second copies of recordings.")
app.add_typer(analyze_app)
app.add_typer(models_app, name="models", help="Detector models.")
app.add_typer(rules_app, name="rules", help="Lines, zones and rules on cameras' pictures.")
app.add_typer(virtual_app, name="virtual", help="Virtual cameras, with faults on command.")
app.add_typer(scene_app, name="scene", help="Drawn streets with exact truth.")

app.command()(plan)
app.command()(ledger)
app.command()(restore)
app.command()(ptz)
app.add_typer(cameras_app, name="cameras", help="Cameras on the network, by ONVIF.")
app.command()(edge)

Config = Annotated[Path | None, typer.Option(help="Settings file; safecity.toml of this folder if left away.")]


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(safecity.__version__)


@app.command()
def demo(
    *,
    clips: Annotated[Path | None, typer.Option(help="Play the videos of this folder instead of drawn streets.")] = None,
    data: Annotated[Path, typer.Option(help="Folder that keeps everything the demo makes.")] = Path("demo-data"),
    port: Annotated[int, typer.Option(help="Port of the page; the media gateway takes the next one.")] = 8000,
    cameras: Annotated[int, typer.Option(help="Virtual cameras, 1 to 1400.")] = 16,
    disk_gb: Annotated[float, typer.Option(help="Most GB that recordings may use.")] = 5.0,
    credentials: Annotated[Path | None, typer.Option(help="Also write the fresh users as JSON to this file.")] = None,
) -> None:
    """Run a virtual city on this machine: recorded, live in the browser, ended by ctrl-C."""
    options = DemoOptions(clips=clips, data=data, port=port, cameras=cameras, disk_gb=disk_gb, credentials=credentials)
    run_demo(options, Console())


@app.command()
def run(*, config: Config = None) -> None:
    """Run the system on this machine with its settings, until ctrl-C."""
    settings = load_settings(config)
    check_addresses(settings)
    check_volumes(settings.platform.data_dir.absolute(), settings.video)
    console = Console()
    prepare_data_dir(settings)
    lock = lock_supervisor(settings)
    try:
        database = Database(settings.database_url())
        upgrade(database)
        database.close()
        supervisor = make_supervisor(settings)
        supervisor.start()
        console.print(f"SafeCity runs; look at {settings.web.page_origin()}. ctrl-C ends it.")
        run_stack(supervisor, tick=lambda: None)
    finally:
        lock.release()


@app.command()
def doctor(*, config: Config = None, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Look at disk, ports, clock, codecs, models and database, and say what to do; exit 1 if something is bad."""
    is_bad = False
    console = Console()
    table = Table(box=None, pad_edge=False)
    for heading in ("check", "", "found", "what to do"):
        table.add_column(heading)
    for finding in examine(load_settings(config)):
        is_bad = is_bad or finding.grade is Grade.BAD
        if as_json:
            line = {"check": finding.check, "grade": finding.grade, "found": finding.found, "advice": finding.advice}
            typer.echo(json.dumps(line))
        table.add_row(finding.check, MARKS[finding.grade], escape(finding.found), escape(finding.advice))
    if not as_json:
        console.print(table)
    raise typer.Exit(1 if is_bad else 0)


@db_app.command("upgrade")
def db_upgrade(*, config: Config = None) -> None:
    """Bring the database to the newest schema."""
    database = Database(load_settings(config).database_url())
    upgrade(database)
    database.close()
    typer.echo("The schema is the newest.")


def _say_problem(problem: Problem) -> None:
    Console(stderr=True, soft_wrap=True).print(f"[red]{problem.kind.value}[/red]: {escape(problem.message)}")


def main() -> None:
    """Run a command; a problem becomes one sentence on standard error and exit code 1."""
    configure_logging(level="warning", role="cli")
    try:
        app()
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

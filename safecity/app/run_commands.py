"""Commands of the running system itself: `demo`, `run`, `doctor`, `db`."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from safecity.app.demo import DemoOptions, run_demo
from safecity.app.doctor import Grade, examine
from safecity.app.stack import check_addresses, lock_supervisor, make_supervisor, prepare_data_dir, run_stack
from safecity.platform.database import Database
from safecity.platform.schema import upgrade
from safecity.platform.settings import load_settings
from safecity.video.volumes import check_volumes

MARKS = {Grade.GOOD: "[green]good[/green]", Grade.WARN: "[yellow]mind[/yellow]", Grade.BAD: "[red]bad[/red]"}

db_app = typer.Typer(no_args_is_help=True, help="The database.")

Config = Annotated[Path | None, typer.Option(help="Settings file; safecity.toml of this folder if left away.")]


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

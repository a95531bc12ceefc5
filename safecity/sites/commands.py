"""`safecity city`: the registry from the command line."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from safecity.oversight.service import Oversight
from safecity.platform.clock import SystemClock
from safecity.platform.database import Database
from safecity.platform.errors import Invalid
from safecity.platform.files import write_whole
from safecity.platform.schema import upgrade
from safecity.platform.secrets import load_secret_box
from safecity.platform.settings import Settings, load_settings
from safecity.sites.city_file import CityFile, read_city_file, written_csv, written_geojson
from safecity.sites.importing import ImportOptions, ImportReport
from safecity.sites.service import Sites
from safecity.sites.store import read_city

city_app = typer.Typer(no_args_is_help=True)

Config = Annotated[Path | None, typer.Option(help="Settings file; safecity.toml of this folder if left away.")]


@city_app.command("import")
def import_city(
    file: Annotated[Path, typer.Argument(help="City file, CSV or GeoJSON.")],
    *,
    check: Annotated[bool, typer.Option("--check", help="Only say what is wrong or would change.")] = False,
    retire_missing: Annotated[
        bool, typer.Option("--retire-missing", help="Take out of use what the file leaves out; nothing is deleted.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in one JSON object.")] = False,
    config: Config = None,
) -> None:
    """Put a city file into the registry, all of it or nothing; every bad row is named with its reasons."""
    settings = load_settings(config)
    read = read_city_file(file, max_bytes=settings.sites.max_import_bytes)
    options = ImportOptions(check_only=check, retire_missing=retire_missing)
    console = Console(stderr=True, quiet=as_json)
    try:
        report = _import(settings, read, options=options, console=console)
    except Invalid as problem:
        if problem.code != "sites.bad_rows":
            raise
        _show_bad_rows(problem, as_json=as_json)
        raise typer.Exit(1) from problem
    _show_report(report, as_json=as_json)


@city_app.command("export")
def export_city(
    file: Annotated[Path, typer.Argument(help="File to write; .csv for a spreadsheet, else GeoJSON.")],
    *,
    config: Config = None,
) -> None:
    """Write the registry as a city file, without any sign-in of a camera; importing it again changes nothing."""
    database = Database(load_settings(config).database_url())
    with database.read() as connection:
        city = read_city(connection)
    database.close()
    write_whole(file, written_csv(city) if file.suffix.lower() == ".csv" else written_geojson(city))
    typer.echo(f"{len(city.sites)} sites and {len(city.cameras)} cameras written to {file}.")


def _import(settings: Settings, read: CityFile, *, options: ImportOptions, console: Console) -> ImportReport:
    clock = SystemClock()
    database = Database(settings.database_url())
    try:
        upgrade(database)
        box = load_secret_box(settings.platform.data_dir)
        sites = Sites(database, oversight=Oversight(database, settings.oversight, clock), clock=clock, box=box)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("Checking and importing", total=len(read.rows))

            def on_progress(done: int, total: int) -> None:
                if done % 100 == 0 or done == total:
                    progress.update(task, completed=done)

            return sites.import_city(read, actor=None, options=options, on_progress=on_progress)
    finally:
        database.close()


def _show_bad_rows(problem: Invalid, *, as_json: bool) -> None:
    """Everything as plain text: names come from the file and may hold markup."""
    rows = problem.facts["rows"]
    counts_in = problem.facts["counts_in"]
    if as_json:
        typer.echo(json.dumps({"imported": False, "counts_in": counts_in, "bad_rows": rows}, ensure_ascii=False))
        return
    assert isinstance(rows, list)
    console = Console(stderr=True, soft_wrap=True)
    for row in rows:
        what = " ".join(part for part in (row["kind"], row["code"]) if part) or "row"
        for reason in row["reasons"]:
            console.print(Text(f"{counts_in} {row['number']}: {what}: {reason}"))
    console.print(f"[red]invalid[/red]: {escape(problem.message)}.")


def _show_report(report: ImportReport, *, as_json: bool) -> None:
    if as_json:
        tables = {
            name: {"added": c.added, "changed": c.changed, "unchanged": c.unchanged, "retired": c.retired}
            for name, c in report.tables.items()
        }
        answer = {"imported": not report.check_only, "rows": report.rows, "tables": tables}
        typer.echo(json.dumps({**answer, "notices": report.notices}, ensure_ascii=False))
        return
    console = Console()
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for heading in ("added", "changed", "unchanged", "retired"):
        table.add_column(heading, justify="right")
    for name, c in report.tables.items():
        table.add_row(name, str(c.added), str(c.changed), str(c.unchanged), str(c.retired))
    console.print(table)
    for notice in report.notices:
        console.print(Text(f"Mind: {notice}."))
    ending = "Nothing was written; without --check this is what would be." if report.check_only else "All is imported."
    console.print(f"{report.rows} rows, none bad. {ending}")

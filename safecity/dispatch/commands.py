"""`safecity unit`: the units from the command line."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from safecity.dispatch.model import Duty, UnitKind, UnitSpec, UnitStatus, unit_id
from safecity.dispatch.service import Dispatch
from safecity.dispatch.unit_csv import read_spec, read_units
from safecity.incidents.service import Incidents
from safecity.oversight.service import Oversight
from safecity.platform.clock import SystemClock, to_iso
from safecity.platform.database import Database
from safecity.platform.errors import Invalid
from safecity.platform.schema import upgrade
from safecity.platform.settings import load_settings

unit_app = typer.Typer(no_args_is_help=True)

Config = Annotated[Path | None, typer.Option(help="Settings file; safecity.toml of this folder if left away.")]
Data = Annotated[Path | None, typer.Option(help="Data folder, such as the demo's; the settings' if left away.")]
Code = Annotated[str, typer.Argument(help="Call sign, such as EAGLE-1.")]


@unit_app.command("list")
def list_units(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """List the units with what they are doing and where they were last."""
    with _dispatch(config, data) as (dispatch, database), database.read() as connection:
        units = dispatch.units_in(connection)
    for unit in units:
        if as_json:
            typer.echo(json.dumps(unit.model_dump(mode="json"), ensure_ascii=False))
        else:
            where = f"{unit.lat:.5f} N {unit.lon:.5f} E at {to_iso(unit.fix_at)}"
            typer.echo(f"{unit.code:<14} {unit.kind:<10} {unit.status:<9} {where}  {unit.name}")
    if not units and not as_json:
        typer.echo("There are no units; enter them with `safecity unit import FILE.csv`.")


@unit_app.command("add")
def add_unit(
    code: Code,
    *,
    kind: Annotated[UnitKind, typer.Option(help="What it is equipped for.")],
    name: Annotated[str, typer.Option(help="Name for people.")],
    at: Annotated[str, typer.Option(help="LON,LAT in degrees: where it stands until it reports itself.")],
    name_ur: Annotated[str, typer.Option(help="The same in Urdu.")] = "",
    data: Data = None,
) -> None:
    """Enter a unit, or give one another name or kind."""
    lon, _, lat = at.partition(",")
    reasons: list[str] = []
    row = {"code": code, "kind": kind.value, "name": name, "name_ur": name_ur, "lon": lon, "lat": lat}
    spec = read_spec(row, reasons)
    if spec is None:
        raise Invalid("; ".join(reasons), code="dispatch.bad_unit")
    _enter([spec], None, data)


@unit_app.command("import")
def import_units(
    file: Annotated[Path, typer.Argument(help="CSV with the columns code,kind,name,name_ur,lon,lat.")],
    *,
    config: Config = None,
    data: Data = None,
) -> None:
    """Enter all units of a file or none; every bad row is named with its line."""
    try:
        specs = read_units(file)
    except Invalid as problem:
        rows = problem.facts.get("rows")
        if not isinstance(rows, list):
            raise
        console = Console(stderr=True, soft_wrap=True)
        for row in rows:
            for reason in row["reasons"]:
                console.print(Text(f"line {row['line']}: {reason}"))
        console.print(f"[red]invalid[/red]: {escape(problem.message)}.")
        raise typer.Exit(1) from problem
    _enter(specs, config, data)


@unit_app.command("on-duty")
def on_duty(code: Code, *, config: Config = None, data: Data = None) -> None:
    """Let a unit be sent again."""
    _set(code, UnitStatus.FREE, config, data)


@unit_app.command("off-duty")
def off_duty(code: Code, *, config: Config = None, data: Data = None) -> None:
    """Propose and send a unit no more; refused while it is on an incident."""
    _set(code, UnitStatus.OFF_DUTY, config, data)


def _set(code: str, status: Duty, config: Path | None, data: Path | None) -> None:
    with _dispatch(config, data) as (dispatch, _):
        dispatch.set_status(None, unit_id(code), status=status)
    typer.echo(f"{code} is {status.value.replace('_', ' ')}.")


def _enter(specs: list[UnitSpec], config: Path | None, data: Path | None) -> None:
    with _dispatch(config, data) as (dispatch, _):
        changed = dispatch.ensure_units(specs)
    typer.echo(f"{len(specs)} units, {changed} of them new or changed.")


@contextmanager
def _dispatch(config: Path | None, data: Path | None) -> Generator[tuple[Dispatch, Database]]:
    settings = load_settings(config)
    if data is not None:
        if not data.is_dir():
            raise Invalid(f"there is no data folder {data}", code="dispatch.no_data_folder")
        settings = settings.model_copy(update={"platform": settings.platform.model_copy(update={"data_dir": data})})
    clock = SystemClock()
    database = Database(settings.database_url())
    try:
        upgrade(database)
        oversight = Oversight(database, settings.oversight, clock)
        incidents = Incidents(database, settings.incidents, oversight=oversight, clock=clock)
        yield Dispatch(database, settings.dispatch, incidents=incidents, oversight=oversight, clock=clock), database
    finally:
        database.close()

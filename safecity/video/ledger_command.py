"""`safecity ledger`: what of a day is recorded, and what is missing why; the figure that a city publishes."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from safecity.platform.clock import SystemClock
from safecity.platform.database import Database
from safecity.platform.settings import load_settings
from safecity.video.day_ledger import DayLedger, read_day


def ledger(
    *,
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Local day; today if left away.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")] = False,
    config: Annotated[
        Path | None, typer.Option(help="Settings file; safecity.toml of this folder if left away.")
    ] = None,
) -> None:
    """Account for every camera-second of a day: recorded, or missing with its cause; exit 1 if one is unexplained."""
    settings = load_settings(config)
    zone, now = ZoneInfo(settings.sites.time_zone), SystemClock().now()
    asked: date = now.astimezone(zone).date() if day is None else day.date()
    database = Database(settings.database_url())
    console = Console(stderr=True)
    try:
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task(f"Reading {asked}", total=1.0)
            found = read_day(
                database, asked, zone=zone, now=now, progress=lambda share: progress.update(task, completed=share)
            )
    finally:
        database.close()
    if as_json:
        typer.echo(json.dumps(as_fields(found)))
    else:
        print_ledger(found, Console(), zone=zone)
    if found.unexplained_s > 0:
        raise typer.Exit(1)


def as_fields(found: DayLedger) -> dict[str, object]:
    """The ledger as it is published."""
    return {
        "day": found.day.isoformat(),
        "cameras": found.cameras,
        "expected_s": round(found.expected_s, 1),
        "recorded_s": round(found.recorded_s, 1),
        "recovered_s": round(found.recovered_s, 1),
        "missing_s": {cause.value: round(seconds, 1) for cause, seconds in found.missing_s.items()},
        "unexplained_s": round(found.unexplained_s, 1),
    }


def print_ledger(found: DayLedger, console: Console, *, zone: ZoneInfo) -> None:
    """The table, largest share first."""
    until = found.until.astimezone(zone)
    console.print(f"{found.day}, {found.cameras} cameras, settled until {until:%Y-%m-%d %H:%M}", highlight=False)
    table = Table(box=None, pad_edge=False)
    table.add_column("camera-seconds")
    table.add_column("", justify="right")
    table.add_column("share", justify="right")
    rows = [("expected", found.expected_s), ("recorded", found.recorded_s), ("recovered", found.recovered_s)]
    missing = sorted(found.missing_s.items(), key=lambda one: -one[1])
    rows += [(f"missing: {cause.value}", seconds) for cause, seconds in missing]
    for name, seconds in [*rows, ("unexplained", found.unexplained_s)]:
        share = f"{100 * seconds / found.expected_s:.3f} %" if found.expected_s else "-"
        table.add_row(name, f"{seconds:,.1f}", share, style="bold" if name == "unexplained" else "")
    console.print(table)

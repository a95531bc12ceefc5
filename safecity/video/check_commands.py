"""`safecity store check` and `safecity store rebuild`: for whoever answers for the recordings."""

import json
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from safecity.platform.clock import SystemClock, to_iso
from safecity.platform.database import Database
from safecity.platform.settings import Settings, load_settings
from safecity.sites.model import CameraId
from safecity.video.copies.mending import Mender
from safecity.video.day_rules import Finding
from safecity.video.store_check import CheckPlan, CheckReport, StoreCheck
from safecity.video.store_commands import store_app
from safecity.video.store_mend import MENDS, MendReport, mend
from safecity.video.store_rebuild import Rebuild, RebuildReport
from safecity.video.volumes import Volumes

Config = Annotated[Path | None, typer.Option(help="Settings file; safecity.toml of this folder if left away.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of sentences.")]
SHOWN = 20


@store_app.command()
def check(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also what was verified within video.verify_days.")] = False,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From this UTC day on.")] = None,
    camera: Annotated[list[str] | None, typer.Option(help="Only this camera; may be given again.")] = None,
    budget_s: Annotated[float | None, typer.Option(min=0, help="Stop after so many seconds; go on next time.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after about so many segments.")] = None,
    is_mending: Annotated[bool, typer.Option("--mend", help="Put right what can be put right.")] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Compare files, hashes, chain, index and gaps; exit 0 when all is well, 1 when something was found."""
    settings = load_settings(config)
    plan = CheckPlan(
        verified_within=timedelta(0) if everything else timedelta(days=settings.video.verify_days),
        since=None if since is None else since.date(),
        cameras=frozenset(CameraId(one) for one in camera or ()),
        budget_s=budget_s,
        max_segments=limit,
    )
    mended: MendReport | None = None
    with _opened(settings, "Checking days") as (database, volumes, progress):
        found = StoreCheck(database, volumes, clock=SystemClock(), progress=progress).run(plan)
        if is_mending:
            data_dir, clock = settings.platform.data_dir.absolute(), SystemClock()
            copies = Mender(database, settings.video, volumes=volumes, data_dir=data_dir, clock=clock)
            mended = mend(database, volumes, findings=found.findings, refill=copies.mend)
    if as_json:
        typer.echo(json.dumps(check_fields(found, mended)))
    else:
        print_check(found, Console(), mended=mended)
    raise typer.Exit(1 if found.counts else 0)


@store_app.command()
def rebuild(*, as_json: AsJson = False, config: Config = None) -> None:
    """Make index rows for every recording that the index lacks, from the files alone."""
    settings = load_settings(config)
    clock = SystemClock()
    begun_s = clock.monotonic_s()
    with _opened(settings, "Reading days") as (database, volumes, progress):
        found = Rebuild(database, volumes).run(progress)
    took_s = clock.monotonic_s() - begun_s
    if as_json:
        typer.echo(json.dumps(rebuild_fields(found, took_s)))
    else:
        print_rebuild(found, Console(), took_s=took_s)
    raise typer.Exit(1 if found.left or found.away else 0)


@contextmanager
def _opened(settings: Settings, what: str) -> Generator[tuple[Database, Volumes, Callable[[int, int], None]]]:
    """The index and the volumes, and a bar on the error output that shows how far it is."""
    database = Database(settings.database_url())
    volumes = Volumes.open(settings.platform.data_dir.absolute(), settings.video)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(what, total=None)
            yield database, volumes, lambda done, of: bar.update(task, completed=done, total=of)
    finally:
        database.close()


def check_fields(found: CheckReport, mended: MendReport | None) -> Mapping[str, object]:
    """A check as one object."""
    fields = asdict(found) | {
        "counts": {kind.value: count for kind, count in sorted(found.counts.items())},
        "findings": [_finding_fields(one) for one in found.findings],
        "clean": not found.counts,
    }
    return fields if mended is None else fields | {"mended": asdict(mended)}


def _finding_fields(one: Finding) -> dict[str, object]:
    return {
        "kind": one.kind.value,
        "camera": one.key[0],
        "stream": one.key[1].value,
        "at": to_iso(one.at),
        "path": one.path,
        "detail": one.detail,
        "mend": MENDS.get(one.kind, ""),
    }


def print_check(found: CheckReport, console: Console, *, mended: MendReport | None) -> None:
    """A check in sentences."""
    gb = found.read_bytes / 1e9
    console.print(f"{found.segments} segments verified, {gb:.2f} GB read, {found.days} days finished", highlight=False)
    notes = Counter[str]()
    notes["on volumes whose disk is not there, not verified"] = found.away
    notes["files that recovery set aside as .damaged"] = found.set_aside
    notes["roots filled in after a rebuild"] = found.roots_filled
    notes["days whose totals were corrected"] = found.totals_corrected
    notes["days not come to; run it again"] = found.left
    for note, count in notes.items():
        if count:
            console.print(f"{count} {note}", highlight=False)
    if not found.counts:
        console.print("Nothing wrong was found.")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("found", "", "what mends it"):
        table.add_column(heading)
    for kind, count in found.counts.most_common():
        table.add_row(kind.value, str(count), MENDS.get(kind, ""))
    console.print(table)
    for one in found.findings[:SHOWN]:
        console.print(f"{one.kind.value}: {one.path or one.key[0]} {to_iso(one.at)}: {one.detail}", highlight=False)
    if len(found.findings) > SHOWN:
        console.print(f"and {sum(found.counts.values()) - SHOWN} more; --json lists up to {len(found.findings)}")
    if mended is not None:
        console.print(f"mended {mended.mended}, left {mended.left}; check again", highlight=False)


def rebuild_fields(found: RebuildReport, took_s: float) -> Mapping[str, object]:
    """A rebuild as one object."""
    per_s = round(found.segments / took_s, 1) if took_s else 0.0
    lost = ["outages", "holds", "marks", "how far retention had deleted"]
    return asdict(found) | {"seconds": round(took_s, 3), "segments_per_s": per_s, "only_in_the_database": lost}


def print_rebuild(found: RebuildReport, console: Console, *, took_s: float) -> None:
    """A rebuild in sentences."""
    per_s = found.segments / took_s if took_s else 0.0
    console.print(
        f"{found.segments} rows made ({found.by_headers} by headers alone), {found.known} were there; "
        f"{took_s:.1f} s, {per_s:.0f} a second",
        highlight=False,
    )
    if found.set_aside or found.left or found.away:
        console.print(f"{found.set_aside} set aside, {found.left} left, {found.away} volumes away", highlight=False)
    console.print("Outages, holds and marks are only in the database: restore its backup, then run this again.")

"""`safecity copies ...`: how the second copies are, trying them by hand, and bringing recordings back from them."""

import json
import random
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from safecity.platform.clock import SystemClock, to_iso
from safecity.platform.database import Database
from safecity.platform.errors import Invalid, NotFound
from safecity.platform.settings import Settings, load_settings
from safecity.video.copies import store
from safecity.video.copies.drill import DrillMaster, as_fields, is_passed
from safecity.video.copies.mending import Mender
from safecity.video.copies.model import list_targets
from safecity.video.copies.place import open_place
from safecity.video.copies.restore import Restorer
from safecity.video.volumes import Volumes

copies_app = typer.Typer(help="Second copies of recordings.", no_args_is_help=True)

Config = Annotated[Path | None, typer.Option(help="Settings file; safecity.toml of this folder if left away.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of sentences.")]
OneTarget = Annotated[str | None, typer.Option("--target", help="Name of one place; all if left away.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shop:
    settings: Settings
    database: Database
    mender: Mender
    data_dir: Path
    volumes: Volumes

    def names(self, target: str | None) -> list[str]:
        """The places asked for; raises NotFound, and Invalid where the settings name none."""
        names = [one.name for one in list_targets(self.settings.video)]
        if not names:
            raise Invalid("the settings name no place of copies: add a [[video.copies]] table", code="copies.no_places")
        if target is not None and target not in names:
            raise NotFound(f"the settings name {', '.join(names)}, not {target}", code="copies.no_such_place")
        return names if target is None else [target]


@contextmanager
def _opened(config: Path | None) -> Generator[_Shop]:
    settings = load_settings(config)
    database = Database(settings.database_url())
    data_dir = settings.platform.data_dir.absolute()
    volumes = Volumes.open(data_dir, settings.video)
    mender = Mender(database, settings.video, volumes=volumes, data_dir=data_dir, clock=SystemClock())
    try:
        yield _Shop(settings=settings, database=database, mender=mender, data_dir=data_dir, volumes=volumes)
    finally:
        database.close()


@copies_app.command()
def prepare(
    name: Annotated[str, typer.Argument(help="Name of a place in the settings.")], *, config: Config = None
) -> None:
    """Make a place ready once: mark the directory on its mounted disk, or try the bucket."""
    with _opened(config) as shop:
        shop.names(name)
        target = next(one for one in list_targets(shop.settings.video) if one.name == name)
        typer.echo(f"Prepared: {open_place(target, data_dir=shop.data_dir).prepare()}")


@copies_app.command()
def status(*, config: Config = None, as_json: AsJson = False) -> None:
    """How each place is: what waits, how late copies are, the last drill; exit 1 where one is not current."""
    with _opened(config) as shop, shop.database.read() as connection:
        known = {one.name: one for one in store.list_target_statuses(connection)}
        names = shop.names(None)
        drills = {name: store.list_drills(connection, target=name, limit=1) for name in names}
    rows = [
        {
            "target": name,
            "state": known[name].state.value if name in known else "unknown",
            "since": to_iso(known[name].since) if name in known else None,
            "detail": known[name].detail if name in known else "not_started",
            "seen_at": to_iso(known[name].seen_at) if name in known else None,
            **(known[name].status if name in known else {}),
            "last_drill": as_fields(drills[name][0]) if drills[name] else None,
        }
        for name in names
    ]
    if as_json:
        typer.echo(json.dumps({"targets": rows}))
    else:
        _print_status(rows)
    if any(row["state"] != "current" for row in rows):
        raise typer.Exit(1)


def _print_status(rows: list[dict[str, object]]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("place", "state", "copies", "waiting", "lag p50", "lag p99", "protected p99", "last drill"):
        table.add_column(heading)
    for row in rows:
        drill = row["last_drill"]
        said = f"{drill['good']} of {drill['tried']} good" if isinstance(drill, dict) else "none yet"
        cells = [row["target"], f"{row['state']} {row['detail']}".strip(), row.get("copies"), row.get("waiting")]
        cells += [_seconds(row.get(name)) for name in ("lag_p50_s", "lag_p99_s", "protected_lag_p99_s")]
        table.add_row(*("-" if cell is None else str(cell) for cell in cells), said)
    Console().print(table)


def _seconds(value: object) -> str | None:
    return None if value is None else f"{value} s"


@copies_app.command()
def drill(
    *,
    target: OneTarget = None,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="Copies that are fetched back in each place.")] = 20,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Fetch random copies back and compare them; exit 1 unless every one came back right."""
    with _opened(config) as shop:
        master = DrillMaster(shop.database, shop.mender, clock=SystemClock(), chance=random.SystemRandom())
        done = [master.drill(name, count=count, is_standing=False) for name in shop.names(target)]
    if as_json:
        typer.echo(json.dumps({"passed": is_passed(done), "drills": [as_fields(one) for one in done]}))
    else:
        for one in done:
            typer.echo(
                f"{one.target}: {one.good} of {one.tried} good, {one.bad} bad, {one.unreached} not reached, "
                f"{one.size_bytes / 1e6:.1f} MB fetched"
            )
            for finding in one.findings:
                typer.echo(f"  {finding['flaw']}: {finding['key']}")
    if not is_passed(done):
        raise typer.Exit(1)


@copies_app.command()
def verify(*, target: OneTarget = None, config: Config = None, as_json: AsJson = False) -> None:
    """Fetch every copy back and compare it, hours for a large place; exit 1 unless every one came back right."""
    with _opened(config) as shop:
        master = DrillMaster(shop.database, shop.mender, clock=SystemClock(), chance=random.SystemRandom())
        done = []
        with Progress(console=Console(stderr=True), transient=True) as progress:
            for name in shop.names(target):
                task = progress.add_task(f"Fetching from {name}", total=1.0)
                show = partial(_show, progress, task)
                done.append(master.verify_all(name, progress=show))
    if as_json:
        typer.echo(json.dumps({"passed": is_passed(done), "targets": [as_fields(one) for one in done]}))
    else:
        for one in done:
            typer.echo(f"{one.target}: {one.good} of {one.tried} good, {one.bad} bad, {one.unreached} not reached")
    if not is_passed(done):
        raise typer.Exit(1)


def _show(progress: Progress, task: TaskID, share: float) -> None:
    progress.update(task, completed=share)


@copies_app.command()
def restore(
    target: Annotated[str, typer.Argument(help="Name of the place that recordings are fetched from.")],
    *,
    camera: Annotated[str | None, typer.Option(help="Only of this camera.")] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Fetch what this place has and the recording directories lack, by its listing alone; needs no database rows."""
    with _opened(config) as shop:
        shop.names(target)
        restorer = Restorer(shop.database, shop.mender.place_of(target), volumes=shop.volumes)
        found = restorer.run(prefix=camera or "")
    if as_json:
        typer.echo(json.dumps(asdict(found)))
    else:
        typer.echo(
            f"{found.restored} recordings restored ({found.size_bytes / 1e9:.3f} GB), {found.there_already} were "
            f"there, {found.bad} copies were bad"
        )
    if found.bad:
        raise typer.Exit(1)

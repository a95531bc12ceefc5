"""`safecity edges`: the centre's edges from the command line."""

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.console import Console
from rich.table import Table

from safecity.oversight.service import Oversight
from safecity.platform.clock import SystemClock, parse_iso, to_iso
from safecity.platform.database import Database
from safecity.platform.errors import Invalid, NotFound
from safecity.platform.schema import upgrade
from safecity.platform.settings import load_settings
from safecity.sites import store as site_store
from safecity.sites.model import CameraId
from safecity.video.edge.model import Backfill, Edge, Streams
from safecity.video.edge.register import EdgeRegister, Policy
from safecity.video.edge.wanted import ask_for
from safecity.video.model import Span

edges_app = typer.Typer(no_args_is_help=True)

Config = Annotated[Path | None, typer.Option(help="Settings file; safecity.toml of this folder if left away.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@edges_app.command("add")
def add_edge(
    site: Annotated[str, typer.Argument(help="Code of the site whose cameras it will record.")],
    *,
    streams: Annotated[Streams, typer.Option(help="What it pushes live.")] = "sub",
    backfill: Annotated[
        Backfill, typer.Option(help="missing: all that the centre lacks; wanted: only what is held or asked for.")
    ] = "missing",
    token_file: Annotated[
        Path | None, typer.Option(help="Write the token there (owner only) and do not print it.")
    ] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Register an edge and make its one-time token, valid for a day."""
    with _register(config) as (register, _):
        edge, token = register.add(site, Policy(streams=streams, backfill=backfill))
    if token_file is not None:
        descriptor = os.open(token_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(token.text() + "\n")
    shown = None if token_file is not None else token.text()
    if as_json:
        typer.echo(json.dumps({"edge": edge, "site": site, "token": shown}))
        return
    typer.echo(f"{edge} may enrol for {site} within a day:")
    typer.echo(f"token in {token_file}" if shown is None else shown)
    typer.echo("On the edge: safecity edge --centre URL --token-file FILE")


@edges_app.command("list")
def list_edges(*, as_json: AsJson = False, config: Config = None) -> None:
    """List the edges: state, last contact, what waits there."""
    with _register(config) as (register, _):
        found = register.list_edges()
    if as_json:
        typer.echo(json.dumps([as_fields(one) for one in found], ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("edge", "site", "state", "last contact", "facts waiting", "back-fill left", "ready in"):
        table.add_column(heading)
    for one in found:
        fields = as_fields(one)
        left, eta = fields["backfill_left_s"], fields["backfill_eta_s"]
        table.add_row(
            one.id,
            one.site,
            one.state.value,
            "never" if one.seen_at is None else to_iso(one.seen_at),
            _text(fields["outbox"]),
            "-" if left is None else f"{cast('float', left):.0f} s",
            "-" if eta is None else f"{cast('float', eta):.0f} s",
        )
    Console().print(table)


def _text(value: object) -> str:
    return "-" if value is None else str(value)


@edges_app.command("revoke")
def revoke_edge(edge: Annotated[str, typer.Argument(help="Id of the edge.")], *, config: Config = None) -> None:
    """Take every right from an edge, at once; what it sent stays."""
    with _register(config) as (register, _):
        register.revoke(edge)
    typer.echo(f"{edge} is revoked.")


@edges_app.command("fetch")
def fetch(
    camera: Annotated[str, typer.Argument(help="Camera id.")],
    *,
    from_at: Annotated[str, typer.Option("--from", help="Start, such as 2026-01-31T10:00:00Z.")],
    to_at: Annotated[str, typer.Option("--to", help="End.")],
    reason: Annotated[str, typer.Option(help="Who needs it, such as a case.")] = "asked",
    config: Config = None,
) -> None:
    """Ask a camera's edge for an interval of its main stream, before everything else."""
    span = Span(from_at=_instant(from_at), to_at=_instant(to_at))
    with _register(config) as (_, database), database.begin() as connection:
        if site_store.find_camera(connection, CameraId(camera)) is None:
            raise NotFound(f"there is no camera {camera}", code="sites.no_camera")
        ask_for(connection, CameraId(camera), span, reason=reason, now=SystemClock().now())
    typer.echo("Asked; it comes with the edge's next exchange, as far as the edge has it.")


def _instant(text: str) -> datetime:
    try:
        return parse_iso(text)
    except ValueError as error:
        raise Invalid(str(error), code="edge.bad_interval") from error


def as_fields(edge: Edge) -> dict[str, object]:
    """An edge for programs."""
    status = cast("dict[str, dict[str, object]]", edge.status)
    backfill, live = status.get("backfill") or {}, status.get("live") or {}
    return {
        "edge": edge.id,
        "site": edge.site,
        "state": edge.state.value,
        "streams": edge.streams,
        "backfill": edge.backfill,
        "seen_at": None if edge.seen_at is None else to_iso(edge.seen_at),
        "outbox": (status.get("outbox") or {}).get("depth"),
        "backfill_left_s": backfill.get("left_s"),
        "backfill_eta_s": backfill.get("eta_s"),
        "backfill_state": backfill.get("state"),
        "live_streams": live.get("streams"),
        "live_backlog_s": live.get("backlog_s"),
        "live_skipped": live.get("skipped"),
        "clock_offset_us": status.get("offset_us"),
        "clock_error_us": status.get("error_us"),
    }


@contextmanager
def _register(config: Path | None) -> Generator[tuple[EdgeRegister, Database]]:
    settings = load_settings(config)
    data_dir = settings.platform.data_dir.absolute()
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.database_url())
    upgrade(database)
    oversight = Oversight(database, settings.oversight, SystemClock())
    try:
        yield EdgeRegister(database, oversight, clock=SystemClock(), data_dir=data_dir), database
    finally:
        database.close()

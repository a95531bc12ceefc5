"""`safecity clip ...`: what a court or an expert runs on an exported clip; needs no database and no settings."""

import json
from pathlib import Path
from typing import Annotated

import typer

from safecity.platform.clock import to_iso
from safecity.platform.errors import Problem
from safecity.video.clip_verify import verify_clip
from safecity.video.sheet import is_chained

clip_app = typer.Typer(help="Check exported clips.", no_args_is_help=True)


@clip_app.callback()
def clip() -> None:
    """Check exported clips."""


@clip_app.command()
def verify(
    clip: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The exported clip (MP4).")],
    sheet: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Its hash sheet (JSON).")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of sentences.")] = False,
) -> None:
    """Prove that every picture of CLIP is the recorded one; exit 0 when it is, 1 when anything differs."""
    try:
        found = verify_clip(clip, sheet)
    except Problem as problem:
        if as_json:
            typer.echo(json.dumps({"verified": False, "reason": problem.message}))
        else:
            typer.echo(f"NOT VERIFIED: {problem.message}", err=True)
        raise typer.Exit(1) from problem
    about = found.sheet
    roots = [{"path": item.path, "root": item.root, "state": item.state} for item in about.segments]
    if as_json:
        facts = {
            "verified": True,
            "camera": about.camera,
            "first_at": to_iso(about.first_at),
            "end_at": to_iso(about.end_at),
            "pictures": found.pictures,
            "fragments": found.fragments,
            "roots": roots,
            "chained": is_chained(about.segments),
            "gaps": [gap.model_dump(mode="json", by_alias=True) for gap in about.gaps],
        }
        typer.echo(json.dumps(facts))
        return
    typer.echo(f"VERIFIED: {found.pictures} pictures of {about.camera}, {found.duration_s:.3f} s")
    typer.echo(f"from {to_iso(about.first_at)} to {to_iso(about.end_at)}, each as it was recorded, none left out")
    for gap in about.gaps:
        typer.echo(f"gap: {to_iso(gap.from_at)} to {to_iso(gap.to_at)}, cause {gap.cause}")
    typer.echo("The city's log vouches for this sheet: its leaf export_made holds the sheet's SHA-256.")
    typer.echo("The pictures belong to these recorded files, by their roots:")
    for item in roots:
        typer.echo(
            f"  {item['root']}  {item['path']}" + ("  (was still being written)" if item["state"] == "open" else "")
        )
    typer.echo(
        "Segments name each other in a chain." if is_chained(about.segments) else "The chain of segments is broken."
    )

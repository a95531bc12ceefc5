"""`safecity models ...`: which detectors there are, fetching them, and checking what is installed."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from safecity.analytics.model_pull import discard_part, download, install_from, pin_of
from safecity.analytics.models import (
    MOTION,
    REGISTRY,
    ModelSpec,
    find_auto,
    find_model_file,
    find_spec_of,
    get_spec,
    hash_file,
    list_files,
    models_dir_of,
)
from safecity.platform.settings import load_settings

models_app = typer.Typer(help="Detector models.", no_args_is_help=True)
Config = Annotated[Path | None, typer.Option(help="Settings file; safecity.toml of this folder if left away.")]
Folder = Annotated[
    Path | None, typer.Option("--models-dir", help="Folder of the models; the one of the settings if left away.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]


def _folder(models_dir: Path | None, config: Path | None) -> Path:
    return models_dir or models_dir_of(load_settings(config))


@models_app.command("list")
def list_models(*, models_dir: Folder = None, config: Config = None, as_json: AsJson = False) -> None:
    """The models that SafeCity knows, which of them are installed, and which one `auto` takes."""
    folder = _folder(models_dir, config)
    chosen = find_auto(folder)
    auto = MOTION if chosen is None else chosen.spec.name
    table = Table(box=None, pad_edge=False)
    for heading in ("model", "input", "MB", "licence", "installed", ""):
        table.add_column(heading)
    for spec in REGISTRY:
        path = find_model_file(folder, spec)
        if as_json:
            facts = {
                "name": spec.name,
                "family": spec.family,
                "url": spec.url,
                "origin": spec.origin,
                "licence": spec.licence,
                "sha256": spec.sha256,
                "bytes": spec.size_bytes,
                "input_px": spec.input_px,
                "note": spec.note,
                "installed": None if path is None else str(path),
                "is_auto": spec.name == auto,
            }
            typer.echo(json.dumps(facts))
            continue
        size = "any" if spec.input_px is None else f"{spec.input_px[1]}x{spec.input_px[0]}"
        large = "" if spec.size_bytes is None else f"{spec.size_bytes / 1e6:.1f}"
        mark = "auto" if spec.name == auto else "not pinned" if spec.sha256 is None else ""
        table.add_row(spec.name, size, large, spec.licence, "yes" if path else "no", mark)
    if as_json:
        return
    Console().print(table)
    typer.echo(f"Folder: {folder}. auto takes: {auto}.")
    if chosen is None:
        typer.echo("No model: sizes and shapes are told from motion alone. `safecity models pull yolox-nano` gets one.")


@models_app.command()
def pull(
    name: Annotated[str, typer.Argument(help="Name of the model (`safecity models list`).")],
    *,
    source: Annotated[
        Path | None,
        typer.Option("--from", exists=True, help="File, or folder that holds it, instead of the network."),
    ] = None,
    sha256: Annotated[str | None, typer.Option(help="SHA-256 of a model that is not pinned.")] = None,
    models_dir: Folder = None,
    config: Config = None,
) -> None:
    """Install a model: fetched over https, or brought as a file into a closed network; its SHA-256 decides."""
    spec = get_spec(name)
    folder = _folder(models_dir, config)
    pin = pin_of(spec, sha256)
    present = folder / spec.file_name
    if present.is_file() and hash_file(present) == pin:
        typer.echo(f"{name} is installed already: {present}")
        return
    if source is not None:
        discard_part(spec, folder)
        path = install_from(spec, source, folder=folder, pin=pin)
    else:
        path = _download(spec, folder, pin=pin)
    typer.echo(f"{name} is installed: {path} (SHA-256 {pin}, {spec.licence}, {spec.origin})")


def _download(spec: ModelSpec, folder: Path, *, pin: str) -> Path:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(spec.name, total=spec.size_bytes)
        return download(
            spec, folder, pin=pin, on_progress=lambda done, total: progress.update(task, completed=done, total=total)
        )


@models_app.command()
def verify(*, models_dir: Folder = None, config: Config = None, as_json: AsJson = False) -> None:
    """Hash every installed model again; exit 1 if one is damaged or not known."""
    folder = _folder(models_dir, config)
    is_bad = False
    by_name = {spec.file_name: spec for spec in REGISTRY}
    for path in list_files(folder):
        digest = hash_file(path)
        spec = find_spec_of(digest)
        expected = by_name.get(path.name)
        if spec is not None and expected in (None, spec):
            verdict = f"good: {spec.name}"
        elif expected is not None:
            verdict = f"damaged: it is not {expected.name}; run `safecity models pull {expected.name}`"
        else:
            verdict = "not known; it is never used unless you name its family"
        is_bad = is_bad or not verdict.startswith("good")
        facts = {"file": str(path), "sha256": digest, "verdict": verdict}
        typer.echo(json.dumps(facts) if as_json else f"{path}: {verdict}")
    if not as_json and not list_files(folder):
        typer.echo(f"No models in {folder}.")
    raise typer.Exit(1 if is_bad else 0)

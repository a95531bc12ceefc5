"""`safecity analyze`: counts and events of a video file."""

import json
import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from safecity.analytics.analyze import Analysis, Wish, analyze_video
from safecity.analytics.boxes import Detector
from safecity.analytics.detectors import find_detector, load_detector
from safecity.analytics.models import AUTO, MOTION, models_dir_of
from safecity.analytics.pipeline import LIVE, OFFLINE, Profile
from safecity.analytics.scene import Scene
from safecity.analytics.scene_file import MAX_SCENE_BYTES, read_scene
from safecity.platform.errors import NotFound, Problem
from safecity.platform.settings import Settings, load_settings

analyze_app = typer.Typer(add_completion=False)
BAD_INPUT = 2
"""Exit code for a video, scene or model that cannot be used."""


class ProfileName(StrEnum):
    """How much is looked at."""

    OFFLINE = "offline"
    LIVE = "live"


@analyze_app.command("analyze")
def analyze(
    video: Annotated[Path, typer.Argument(help="Video file.")],
    *,
    scene: Annotated[str, typer.Option(help="Scene file (JSON, in pixels of the video); - reads standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="Answer in one JSON object.")] = False,
    profile: Annotated[ProfileName, typer.Option(help="offline: every picture; live: as the running system.")] = (
        ProfileName.OFFLINE
    ),
    model: Annotated[str | None, typer.Option(help="Detector: a name, a model file, motion, or auto.")] = None,
    models_dir: Annotated[Path | None, typer.Option(help="Folder of detector models.")] = None,
) -> None:
    """Count what crosses the lines of a scene in a video, and say which of its rules held when."""
    errors = Console(stderr=True, soft_wrap=True)
    try:
        settings = load_settings(None)
        drawn = _read_scene(scene)
        detector = _find_detector(model or settings.analytics.model, models_dir, settings)
        if detector is None:
            errors.print("No detector is used: what moves is counted as vehicle? and person? by size and shape.")
        wish = Wish(scene=drawn, profile=_profile(profile, settings), detector=detector)
        found = _analyze(video, wish, errors)
    except (Problem, OSError) as problem:
        errors.print(f"[red]{escape(str(problem))}[/red]")
        raise typer.Exit(BAD_INPUT) from problem
    if found.broken is not None:
        errors.print(f"The video breaks off after {found.duration_s:.1f} s ({escape(found.broken)}); so does this.")
    if as_json:
        typer.echo(json.dumps(as_wire(found), ensure_ascii=False))
    else:
        _show(found, Console())


def as_wire(found: Analysis) -> dict[str, object]:
    """The answer of `--json`."""
    return {
        "video": found.video,
        "frames": found.frames,
        "duration_s": round(found.duration_s, 3),
        "lines": [
            {"name": line.name, "forward": dict(line.forward), "backward": dict(line.backward)} for line in found.lines
        ],
        "events": [
            {
                "rule": event.rule,
                "start_s": round(event.started_s, 3),
                "end_s": round(event.ended_s if event.ended_s is not None else found.duration_s, 3),
                "class": event.object_class,
            }
            for event in found.events
        ],
    }


def _read_scene(source: str) -> Scene:
    if source == "-":
        return read_scene(sys.stdin.buffer.read(MAX_SCENE_BYTES + 1))
    path = Path(source)
    if not path.is_file():
        raise NotFound(f"there is no scene file {path}", code="analytics.no_scene")
    with path.open("rb") as file:
        return read_scene(file.read(MAX_SCENE_BYTES + 1))


def _find_detector(wanted: str, models_dir: Path | None, settings: Settings) -> Detector | None:
    path = Path(wanted)
    if wanted not in (AUTO, MOTION) and (path.suffix == ".onnx" or len(path.parts) > 1):
        return load_detector(path)
    return find_detector(wanted, models_dir or models_dir_of(settings))


def _profile(name: ProfileName, settings: Settings) -> Profile:
    if name is ProfileName.OFFLINE:
        return OFFLINE
    seeing = settings.analytics
    return replace(LIVE, detector_fps=seeing.detector_fps, idle_after_s=seeing.idle_after_s)


def _analyze(video: Path, wish: Wish, errors: Console) -> Analysis:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("pictures", total=None)

        def show(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total or None)

        return analyze_video(video, wish, on_picture=show)


def _show(found: Analysis, console: Console) -> None:
    console.print(f"{escape(found.video)}: {found.frames} pictures, {found.duration_s:.1f} s")
    counts = Table(box=None, pad_edge=False)
    for heading in ("line", "forward", "backward"):
        counts.add_column(heading)
    for line in found.lines:
        counts.add_row(escape(line.name), _in_words(line.forward), _in_words(line.backward))
    if found.lines:
        console.print(counts)
    events = Table(box=None, pad_edge=False)
    for heading in ("rule", "from", "to", "class"):
        events.add_column(heading)
    for event in found.events:
        ended_s = event.ended_s if event.ended_s is not None else found.duration_s
        events.add_row(escape(event.rule), f"{event.started_s:.1f} s", f"{ended_s:.1f} s", event.object_class)
    console.print(events if found.events else "No rule held.")


def _in_words(counts: object) -> str:
    assert isinstance(counts, dict)
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "0"

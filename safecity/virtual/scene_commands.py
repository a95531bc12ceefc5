"""The command line of drawn scenes: `safecity scene draw`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from safecity.platform.errors import Problem
from safecity.virtual.scenes import Condition, Layout, SceneRequest, draw_scene

scene_app = typer.Typer(help="Draw streets with exact truth, for demos, tests and drills.", no_args_is_help=True)


@scene_app.callback()
def scene() -> None:
    """Draw streets with exact truth, for demos, tests and drills."""


@scene_app.command("draw")
def draw(
    *,
    seed: Annotated[
        int, typer.Option(min=0, max=2**31 - 1, help="Which street and which traffic; the same number draws the same.")
    ],
    out: Annotated[Path, typer.Option(help="A new or empty folder for main.mp4, sub.mp4 and truth.json.")],
    minutes: Annotated[float, typer.Option(min=0.01, max=60.0, help="How long the clip is.")] = 1.0,
    layout: Annotated[Layout | None, typer.Option(help="The kind of place; left out, the seed chooses.")] = None,
    condition: Annotated[Condition | None, typer.Option(help="Light and weather; left out, the seed chooses.")] = None,
    fps: Annotated[float, typer.Option(min=4.0, max=30.0, help="Frames a second.")] = 12.5,
    loop: Annotated[bool, typer.Option("--loop", help="Let the last frame flow into the first.")] = False,
) -> None:
    """Draw one scene: two H.264 clips and what is true of them."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        request = SceneRequest(
            seed=seed, duration_s=minutes * 60, layout=layout, condition=condition, fps=fps, loop=loop
        ).settled()
        with Progress(*columns, console=console) as bar:
            task = bar.add_task(f"{request.layout}, {request.condition}", total=request.frames)

            def show(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)

            files = draw_scene(request, out, progress=show)
    except ValueError as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(2) from error
    except Problem as problem:
        console.print(f"[red]{problem.message}[/red]")
        raise typer.Exit(1) from problem
    typer.echo(str(files.folder))

"""`safecity rules ...`: the scene of a camera, by the person at the machine."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from safecity.analytics.scene import Scene
from safecity.analytics.scenes_service import SceneChange, Scenes
from safecity.oversight.service import Oversight
from safecity.platform.clock import SystemClock
from safecity.platform.database import Database
from safecity.platform.errors import Invalid
from safecity.platform.settings import load_settings
from safecity.sites.model import CameraId

rules_app = typer.Typer(help="Lines, zones and rules on cameras' pictures.", no_args_is_help=True)
MAX_SCENE_BYTES = 1024**2
Config = Annotated[Path | None, typer.Option(help="Settings file; safecity.toml of this folder if left away.")]
Camera = Annotated[str, typer.Argument(help="Camera id, such as cam_b-01.")]


def _open(config: Path | None) -> tuple[Database, Scenes]:
    settings = load_settings(config)
    database, clock = Database(settings.database_url()), SystemClock()
    return database, Scenes(database, oversight=Oversight(database, settings.oversight, clock), clock=clock)


@rules_app.command()
def show(camera: Camera, *, config: Config = None) -> None:
    """Print what is drawn on a camera's picture, as a scene file."""
    database, scenes = _open(config)
    stored = scenes.show(CameraId(camera))
    database.close()
    typer.echo(stored.scene.model_dump_json(indent=2))
    who = "nothing is drawn yet" if stored.changed_at is None else f"version {stored.version}"
    typer.echo(f"{who}, in pixels of {stored.width_px} x {stored.height_px}", err=True)


@rules_app.command("set")
def set_rules(
    camera: Camera,
    file: Annotated[str, typer.Argument(help="Scene file (JSON), or - for standard input.")] = "-",
    *,
    width: Annotated[int, typer.Option(min=16, max=16_384, help="Width of the picture it was drawn on.")] = 640,
    height: Annotated[int, typer.Option(min=16, max=16_384, help="Height of the picture it was drawn on.")] = 360,
    config: Config = None,
) -> None:
    """Replace what is drawn on a camera's picture; a running system takes it up within seconds."""
    scene = read_scene(file)
    database, scenes = _open(config)
    change = SceneChange(width_px=width, height_px=height, version=0, scene=scene)
    with database.begin() as connection:
        stored = scenes.ensure_scene(connection, CameraId(camera), change=change)
    database.close()
    drawn = f"{len(scene.lines)} lines, {len(scene.zones)} zones, {len(scene.rules)} rules"
    typer.echo(f"{camera}: {drawn}, version {stored.version}")


def read_scene(file: str) -> Scene:
    """A scene from a file or `-`; raises Invalid that says what is wrong where."""
    raw = sys.stdin.buffer.read(MAX_SCENE_BYTES) if file == "-" else Path(file).read_bytes()[:MAX_SCENE_BYTES]
    try:
        return Scene.model_validate_json(raw)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc'])) or 'file'}: {item['msg']}" for item in error.errors())
        raise Invalid(f"this is no scene: {wrong}", code="scenes.unreadable") from error

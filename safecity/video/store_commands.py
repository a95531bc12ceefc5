"""`safecity store ...`: what an operator does with the recordings' disks."""

import json
from pathlib import Path
from typing import Annotated

import typer

from safecity.platform.settings import Settings, load_settings
from safecity.video.volumes import Volumes, add_volume, forget_volume, wanted_directories

Config = Annotated[Path | None, typer.Option(help="Settings file; safecity.toml of this folder if left away.")]
Directory = Annotated[Path, typer.Argument(help="The recording directory, usually where a disk is mounted.")]

store_app = typer.Typer(no_args_is_help=True, help="Where recordings are kept.")
volumes_app = typer.Typer(no_args_is_help=True, help="Recording directories, one a disk.")
store_app.add_typer(volumes_app, name="volumes")


@volumes_app.command()
def add(directory: Directory, *, config: Config = None) -> None:
    """Make DIRECTORY a volume, or take one in that is a volume already; mount its disk before."""
    settings = load_settings(config)
    data_dir = _data_dir(settings)
    volume = add_volume(data_dir, directory)
    typer.echo(f"{directory.absolute()} is the volume {volume}.")
    if directory.absolute() not in wanted_directories(data_dir, settings.video):
        typer.echo("Name it in video.media_dirs too, with all others, and start SafeCity again to record on it.")


@volumes_app.command()
def forget(directory: Directory, *, config: Config = None) -> None:
    """Give up on DIRECTORY: its recordings are no longer waited for; what lies there is left as it is."""
    forget_volume(_data_dir(load_settings(config)), directory)
    typer.echo(f"{directory.absolute()} is no volume of this installation any more.")


@volumes_app.command("list")
def list_volumes(
    *,
    config: Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of lines.")] = False,
) -> None:
    """Show each volume and whether its disk is there; exit 1 when one is missing."""
    settings = load_settings(config)
    volumes = [(one, one.is_there()) for one in Volumes.open(_data_dir(settings), settings.video).list_volumes()]
    if as_json:
        rows = [
            {"id": one.id, "directory": str(one.directory), "recorded_on": one.is_recorded_on, "there": is_there}
            for one, is_there in volumes
        ]
        typer.echo(json.dumps({"volumes": rows}))
    else:
        for one, is_there in volumes:
            use = "recorded on" if one.is_recorded_on else "kept only"
            typer.echo(f"{one.id or 'not prepared':30} {'there' if is_there else 'GONE':5} {use:11} {one.directory}")
    raise typer.Exit(0 if all(is_there for _, is_there in volumes) else 1)


def _data_dir(settings: Settings) -> Path:
    return settings.platform.data_dir.absolute()

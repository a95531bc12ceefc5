"""`safecity virtual`: cameras for anyone who has a clip, and faults for them."""

import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from safecity.platform.errors import Invalid
from safecity.virtual.clips import ClipOptions
from safecity.virtual.control_client import VirtualControl
from safecity.virtual.control_models import MountView
from safecity.virtual.faults import FaultKind
from safecity.virtual.mounts import PROFILES
from safecity.virtual.onvif.events import EventKind
from safecity.virtual.onvif.server import OnvifPlan
from safecity.virtual.rtsp.digest import Credentials
from safecity.virtual.running import RunningCity, fresh_credentials, plan_mounts, run_city
from safecity.virtual.serve_report import ServedCamera, ServeReport
from safecity.virtual.serving import ServePlan

virtual_app = typer.Typer(no_args_is_help=True, add_completion=False)

Control = Annotated[int | None, typer.Option(help="Control port of the city, where several run.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]


@virtual_app.command()
def serve(
    *,
    clip: Annotated[list[Path], typer.Option(help="An MP4 to play; give several to have cameras differ.")],
    mounts: Annotated[int, typer.Option(min=1, max=2000, help="How many cameras: cam-001 and so on.")] = 4,
    port: Annotated[int, typer.Option(min=0, max=65535, help="RTSP port; 0 takes a free one.")] = 8554,
    control: Annotated[int, typer.Option(min=0, max=65535, help="Control port on loopback; 0: a free one.")] = 0,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    user: Annotated[str | None, typer.Option(help="User of every camera; fresh credentials unless given.")] = None,
    password: Annotated[str | None, typer.Option(help="Password of every camera.")] = None,
    no_auth: Annotated[bool, typer.Option("--no-auth", help="Let anyone play without a password.")] = False,
    cache: Annotated[Path | None, typer.Option(help="Folder for prepared clips.")] = None,
    bitrate_bps: Annotated[int | None, typer.Option(help="Constant bit rate of main streams (bench).")] = None,
    counter: Annotated[bool, typer.Option("--counter", help="Burn a readable number into pictures (bench).")] = False,
    onvif: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Serve ONVIF on this port; 0: a free one.")
    ] = None,
    addresses: Annotated[
        str | None, typer.Option(help="With --onvif: the first camera's own address (127.60.0.1); the others follow.")
    ] = None,
    sent_log: Annotated[Path | None, typer.Option(help="Folder in which each stream notes what it sent.")] = None,
    as_json: AsJson = False,
) -> None:
    """Serve virtual cameras until ctrl-C; credentials are printed once."""
    credentials = _credentials(user, password, no_auth=no_auth)
    plan = ServePlan(
        mounts=plan_mounts(mounts, clip, credentials=credentials),
        cache=cache or _default_cache(),
        host=host,
        rtsp_port=port,
        control_port=control,
        clip_options=ClipOptions(bitrate_bps=bitrate_bps, burns_counter=counter),
        onvif=None if onvif is None else OnvifPlan(port=onvif, first_address=addresses),
        sent_log_dir=sent_log,
    )
    stop = threading.Event()

    def on_signal(_: int, __: FrameType | None) -> None:
        stop.set()

    def on_ready(running: RunningCity) -> None:
        _tell(running, credentials, as_json=as_json)

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    run_city(plan, stop=stop, on_ready=on_ready, on_progress=_Progress(Console(stderr=True)))


@virtual_app.command()
def fault(
    camera: Annotated[str, typer.Argument(help="Name of a camera, or `all`.")],
    kind: Annotated[FaultKind, typer.Argument(help="What is to be wrong.")],
    *,
    for_s: Annotated[float | None, typer.Option("--for", help="Seconds; until `clear` if left away.")] = None,
    value: Annotated[
        str | None,
        typer.Option(
            help="clock-jump: seconds, `-30:rtp`; clock-drift: ppm; garbage: `nal` or `framing`; odd-onvif: a way."
        ),
    ] = None,
    control: Control = None,
) -> None:
    """Make a camera faulty, for a time or until cleared."""
    names = VirtualControl.of_this_user(control).set_fault(camera, kind, for_s=for_s, value=value)
    until = f"for {for_s:g} s" if for_s is not None else "until cleared"
    typer.echo(f"{kind.value} {until}: {', '.join(names)}")


@virtual_app.command()
def event(
    camera: Annotated[str, typer.Argument(help="Name of a camera, or `all`.")],
    kind: Annotated[EventKind, typer.Argument(help="What it notices.")],
    *,
    off: Annotated[bool, typer.Option("--off", help="It is over.")] = False,
    control: Control = None,
) -> None:
    """Have a camera tell an ONVIF event: motion, tampering, its input."""
    names = VirtualControl.of_this_user(control).notice(camera, kind, is_active=not off)
    typer.echo(f"{kind.value} {'over' if off else 'begun'}: {', '.join(names)}")


@virtual_app.command("list")
def list_cameras(*, control: Control = None, as_json: AsJson = False) -> None:
    """Show cameras, who watches them, and what is wrong with them."""
    found = VirtualControl.of_this_user(control).list_mounts()
    if as_json:
        typer.echo("[" + ",".join(mount.model_dump_json() for mount in found) + "]")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("camera", "clip", "main", "sub", "viewers", "pictures", "dropped", "faults"):
        table.add_column(heading)
    for mount in found:
        table.add_row(*_row(mount))
    Console().print(table)


@virtual_app.command()
def clear(
    camera: Annotated[str, typer.Argument(help="Name of a camera, or `all`.")] = "all",
    kind: Annotated[FaultKind | None, typer.Argument(help="One kind; every kind if left away.")] = None,
    *,
    control: Control = None,
) -> None:
    """End faults."""
    names = VirtualControl.of_this_user(control).clear_faults(camera, kind)
    typer.echo(f"cleared: {', '.join(names)}")


def _credentials(user: str | None, password: str | None, *, no_auth: bool) -> Credentials | None:
    if no_auth:
        if user or password:
            raise Invalid("Give either --no-auth or --user and --password.", code="virtual.credentials")
        return None
    if (user is None) != (password is None):
        raise Invalid("Give --user and --password together.", code="virtual.credentials")
    return Credentials(user=user, password=password) if user and password else fresh_credentials()


def _default_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "safecity" / "virtual"


def _tell(running: RunningCity, credentials: Credentials | None, *, as_json: bool) -> None:
    """The one place where credentials are shown."""
    city = running.city
    report = ServeReport(
        rtsp_port=running.rtsp_port,
        control_port=running.control_port,
        user=credentials.user if credentials else None,
        password=credentials.password if credentials else None,
        cameras=tuple(
            ServedCamera(
                name=name,
                onvif=f"{city.onvif.devices[name].address}/onvif/device_service" if city.onvif else None,
                **{profile: city.url_of(name, profile) for profile in PROFILES},
            )
            for name in city.mounts
        ),
    )
    if as_json:
        typer.echo(report.model_dump_json())
    else:
        first, last = report.cameras[0], report.cameras[-1]
        typer.echo(f"{len(report.cameras)} cameras: {first.main} ... {last.main} (and /sub)")
        if first.onvif:
            typer.echo(f"ONVIF: {first.onvif} ... {last.onvif}")
        typer.echo(f"user {report.user}, password {report.password}" if report.user else "no password is asked for")
        typer.echo(f"control port {report.control_port}; ctrl-C ends it")
    sys.stdout.flush()


class _Progress:
    """One line on standard error for each clip and tenth."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tenths: dict[Path, int] = {}

    def __call__(self, clip: Path, share: float) -> None:
        tenth = int(share * 10)
        if self._tenths.get(clip) != tenth:
            self._tenths[clip] = tenth
            self._console.print(f"{clip.name}: {tenth * 10} %", highlight=False, markup=False)


def _row(mount: MountView) -> tuple[str, ...]:
    sizes = [f"{s.width_px}x{s.height_px} {s.codec}" if s.codec else "-" for s in mount.streams.values()]
    streams = list(mount.streams.values())
    faults = ", ".join(
        f"{held.kind.value}" + (f" until {held.until:%H:%M:%S}Z" if held.until else "") for held in mount.faults
    )
    return (
        mount.name,
        mount.clip,
        *sizes,
        str(sum(len(stream.viewers) for stream in streams)),
        str(sum(stream.pictures for stream in streams)),
        str(sum(stream.dropped_pictures for stream in streams)),
        faults or "-",
    )

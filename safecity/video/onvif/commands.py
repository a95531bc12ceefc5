"""`safecity cameras` and `safecity ptz`: cameras found, enrolled, described and turned from the command line."""

import asyncio
import getpass
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from safecity.oversight.service import Oversight
from safecity.platform.clock import SystemClock
from safecity.platform.database import Database
from safecity.platform.errors import Invalid
from safecity.platform.schema import upgrade
from safecity.platform.secrets import load_secret_box
from safecity.platform.settings import load_settings
from safecity.sites.model import CameraId, camera_id
from safecity.sites.service import Sites
from safecity.video.onvif import discover
from safecity.video.onvif.aim import Position
from safecity.video.onvif.envelopes import SignIn
from safecity.video.onvif.model import Description, MediaProfile
from safecity.video.onvif.registering import Devices, EnrolRequest
from safecity.video.onvif.steering import Order, Steering

cameras_app = typer.Typer(help="Cameras on the network, by ONVIF.", no_args_is_help=True)
PASSWORD_VARIABLE = "SAFECITY_CAMERA_PASSWORD"  # noqa: S105 - the name of a variable

Config = Annotated[Path | None, typer.Option(help="Settings file; safecity.toml of this folder if left away.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Camera = Annotated[str, typer.Argument(help="Code or id of an enrolled camera.")]


@cameras_app.command()
def scan(
    subnets: Annotated[list[str] | None, typer.Argument(help="Subnets or addresses, such as 10.20.3.0/24.")] = None,
    *,
    discover_all: Annotated[
        bool, typer.Option("--discover", help="Ask by WS-Discovery: multicast, or each address given.")
    ] = False,
    interface: Annotated[str | None, typer.Option(help="Own address from which to multicast.")] = None,
    port: Annotated[
        list[int] | None, typer.Option(min=1, max=65535, help="ONVIF ports to try; 80 if left away.")
    ] = None,
    rate: Annotated[float, typer.Option(min=0.1, max=1000, help="Most addresses a second.")] = discover.PER_SECOND,
    as_json: AsJson = False,
) -> None:
    """Find cameras: ask every address of a site's subnet, or by WS-Discovery; no sign-in is sent."""
    if discover_all:
        found = asyncio.run(_probe_all(subnets or [], interface))
    elif subnets:
        found = asyncio.run(_scan_all(subnets, ports=port or list(discover.PORTS), rate=rate))
    else:
        raise Invalid("give a subnet, or --discover", code="onvif.subnet")
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        typer.echo("  ".join(part for part in (one.address, one.name, one.hardware) if part))
    typer.echo(f"{len(found)} found")


@cameras_app.command()
def enrol(
    address: Annotated[str, typer.Argument(help="Its address: 10.20.3.7, 10.20.3.7:8080 or http://...")],
    *,
    site: Annotated[str, typer.Option(help="Code of the site at which it stands.")],
    user: Annotated[str, typer.Option(help="User that it has now, the vendor's.")] = "admin",
    code: Annotated[str, typer.Option(help="The city's name for it; made from the site's if left away.")] = "",
    name: Annotated[str, typer.Option(help="Name in English; maker and model if left away.")] = "",
    keep_password: Annotated[
        bool, typer.Option("--keep-password", help="Leave its password as it is; this is held against it.")
    ] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Take a camera into service: read it, set its clock, change its password, try the old one, register it.

    Its present password is read from SAFECITY_CAMERA_PASSWORD or asked for; a command line is seen by others.
    """
    password = os.environ.get(PASSWORD_VARIABLE)
    if password is None:
        password = getpass.getpass(f"Password of {user} on the camera now: ")
    request = EnrolRequest(
        address=address,
        site=site,
        sign_in=SignIn(user=user, password=password),
        code=code,
        name=name,
        keeps_password=keep_password,
    )
    with _open(config) as (devices, _):
        done = devices.enrol(request)
    if as_json:
        told = {
            "camera": done.camera,
            "password_changed": done.is_password_changed,
            "clock_set": done.is_clock_set,
            "findings": list(map(str, done.findings)),
            **_described(done.description),
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    _show(done.description)
    changed = "its password is new and sealed here" if done.is_password_changed else "its password was left as it was"
    typer.echo(f"{done.camera} is enrolled; {changed}{'; its clock was set' if done.is_clock_set else ''}.")
    typer.echo(f"Findings: {', '.join(map(str, done.findings)) or 'none'}.")


@cameras_app.command()
def describe(camera: Camera, *, as_json: AsJson = False, config: Config = None) -> None:
    """Ask an enrolled camera what it is: maker, firmware and its age, streams, clock, what is wrong with it."""
    with _open(config) as (devices, _):
        description, device = devices.describe(_id(camera))
    findings = list(map(str, device.findings))
    built = None if device.firmware_date is None else device.firmware_date.isoformat()
    if as_json:
        more = {"firmware_date": built, "firmware_since": device.firmware_since.isoformat(), "findings": findings}
        typer.echo(json.dumps({"camera": device.camera, **_described(description), **more}, ensure_ascii=False))
        return
    _show(description)
    age = f"built {built}" if built else f"on it since {device.firmware_since:%Y-%m-%d}"
    typer.echo(f"Firmware {age}. Findings: {', '.join(findings) or 'none'}.")


def ptz(
    camera: Camera,
    *,
    preset: Annotated[str | None, typer.Option(help="Go to this preset: token, name or number in the list.")] = None,
    zoom: Annotated[float | None, typer.Option(min=0, max=1, help="Zoom to this share of its range.")] = None,
    to: Annotated[str | None, typer.Option(help="Go to PAN,TILT,ZOOM in the camera's own numbers.")] = None,
    set_preset: Annotated[
        str | None, typer.Option("--set", help="Make where it looks now a preset of this name.")
    ] = None,
    list_presets: Annotated[bool, typer.Option("--list", help="Say where it looks, its limits and presets.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Hold still.")] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Turn and zoom a camera, or say what it can; each move is a leaf of the log."""
    orders = [
        Order(kind="preset", preset=preset) if preset is not None else None,
        Order(kind="zoom", zoom=zoom) if zoom is not None else None,
        Order(kind="place", place=_read_place(to)) if to is not None else None,
        Order(kind="remember", preset=set_preset) if set_preset is not None else None,
        Order(kind="stop") if stop else None,
    ]
    wanted = [order for order in orders if order is not None]
    if len(wanted) + list_presets != 1:
        raise Invalid("give one of --preset, --zoom, --to, --set, --stop, --list", code="onvif.order")
    with _open(config) as (_, steering):
        for order in wanted:
            steering.move(None, _id(camera), order=order)
            told = {"camera": _id(camera), "done": order.kind}
            typer.echo(json.dumps(told) if as_json else f"{_id(camera)}: {order.kind} is under way.")
        if list_presets:
            _show_head(steering, _id(camera), as_json=as_json)


def _show_head(steering: Steering, camera: CameraId, *, as_json: bool) -> None:
    now = steering.show(None, camera)
    if as_json:
        told = {
            "camera": camera,
            "position": None if now.position is None else asdict(now.position),
            "is_moving": now.is_moving,
            "fov_deg": now.fov_deg,
            "limits": asdict(now.head.limits),
            "presets": [{"token": one.token, "name": one.name} for one in now.presets],
            "steered": now.steering is not None,
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    here, limits = now.position, now.head.limits
    if here is not None:
        typer.echo(f"looks at pan {here.pan:.3f}, tilt {here.tilt:.3f}, zoom {here.zoom:.3f}")
    for name, span in (("pan", limits.pan), ("tilt", limits.tilt), ("zoom", limits.zoom)):
        typer.echo(f"{name} from {span.low:g} to {span.high:g}")
    for number, one in enumerate(now.presets, start=1):
        typer.echo(f"{number}  {one.name}  (token {one.token})")


async def _scan_all(subnets: list[str], *, ports: list[int], rate: float) -> list[discover.Found]:
    return [found async for found in discover.scan(subnets, ports=ports, per_second=rate)]


async def _probe_all(hosts: list[str], interface: str | None) -> list[discover.Found]:
    targets = discover.addresses_of(hosts) if hosts else [discover.GROUP]
    found: dict[str, discover.Found] = {}
    for start in range(0, len(targets), discover.AT_ONCE):
        asks = (discover.probe(to=to, interface=interface) for to in targets[start : start + discover.AT_ONCE])
        for some in await asyncio.gather(*asks):
            found |= {one.address: one for one in some}
    return list(found.values())


@contextmanager
def _open(config: Path | None) -> Generator[tuple[Devices, Steering]]:
    settings, clock = load_settings(config), SystemClock()
    database = Database(settings.database_url())
    try:
        upgrade(database)
        box = load_secret_box(settings.platform.data_dir)
        oversight = Oversight(database, settings.oversight, clock)
        sites = Sites(database, oversight=oversight, clock=clock, box=box)
        devices = Devices(database, sites=sites, oversight=oversight, clock=clock, box=box)
        yield devices, Steering(database, devices=devices, oversight=oversight, clock=clock)
    finally:
        database.close()


def _id(camera: str) -> CameraId:
    return CameraId(camera) if camera.startswith("cam_") else camera_id(camera)


def _read_place(told: str) -> Position:
    try:
        pan, tilt, zoom = (float(part) for part in told.split(","))
    except ValueError as error:
        raise Invalid("--to wants three numbers: PAN,TILT,ZOOM", code="onvif.order") from error
    return Position(pan=pan, tilt=tilt, zoom=zoom)


def _described(description: Description) -> dict[str, object]:
    return {
        "address": description.address,
        **asdict(description.identity),
        "services": description.services,
        "clock_offset_s": round(description.clock_offset_s, 3),
        "is_ntp": description.is_ntp,
        "has_ptz": description.has_ptz,
        "main": _stream(description.main),
        "sub": _stream(description.sub),
        "profiles": [_stream(one) for one in description.profiles],
    }


def _stream(profile: MediaProfile | None) -> dict[str, object] | None:
    return None if profile is None else asdict(profile)


def _show(description: Description) -> None:
    """As plain text: a camera's words may hold markup."""
    console, identity = Console(soft_wrap=True), description.identity
    who = f"{identity.manufacturer} {identity.model}, serial {identity.serial}, firmware {identity.firmware}"
    console.print(Text(who))
    turns = "turns" if description.has_ptz else "does not turn"
    console.print(Text(f"{description.address}, {turns}, clock {description.clock_offset_s:+.1f} s"))
    table = Table(box=None, pad_edge=False)
    for heading in ("", "token", "codec", "picture", "pictures/s", "kbit/s", "GOP"):
        table.add_column(heading)
    for one in description.profiles:
        use = {id(description.main): "main", id(description.sub): "sub"}.get(id(one), "")
        size = f"{one.width_px}x{one.height_px}"
        cells = (use, one.token, one.codec, size, f"{one.frame_rate:g}", str(one.bitrate_kbps), str(one.gop))
        table.add_row(*map(Text, cells))
    console.print(table)

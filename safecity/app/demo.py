"""`safecity demo`: a virtual city, recorded and live on this machine, by one command.

Everything is real but the streets: RTSP over sockets, H.264, files on disk, sign-in and the log. What it needs stays
in one data folder; a second start finds its recordings.
"""

import json
import os
import secrets
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from safecity.analytics.models import choose_model, models_dir_of
from safecity.analytics.scenes_service import SceneChange, Scenes
from safecity.app.credentials import USERS_FILE, make_demo_users, write_credentials
from safecity.app.demo_scenes import STREETS, DemoClip, Placed, place_clips, street_clip, video_clip
from safecity.app.field_units import prepare_units
from safecity.app.mounts import MountSpec, VirtualSpec, write_spec
from safecity.app.slots import end_occupant, find_occupant
from safecity.app.stack import lock_supervisor, make_supervisor, prepare_data_dir, run_stack
from safecity.app.status import StatusLine
from safecity.app.supervisor import STOP_WAIT_S
from safecity.oversight.service import Oversight
from safecity.platform.clock import SystemClock
from safecity.platform.database import Database
from safecity.platform.errors import Invalid
from safecity.platform.files import write_whole
from safecity.platform.schema import upgrade
from safecity.platform.secrets import load_secret_box
from safecity.platform.settings import Settings, load_settings
from safecity.sites.service import Sites
from safecity.sites.store import list_cameras
from safecity.virtual.quetta import virtual_quetta
from safecity.virtual.scenes import SceneProgress, draw_scenes

MAX_CAMERAS = 1400
MAX_DISK_GB = 1e6
CLIP_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What the command line may ask of the demo."""

    clips: Path | None
    data: Path
    port: int
    cameras: int
    disk_gb: float
    credentials: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _VirtualAccess:
    """Ports and credentials of the virtual cameras, kept so that a second start finds them again."""

    rtsp_port: int
    control_port: int
    user: str
    password: str
    token: str


def run_demo(options: DemoOptions, console: Console) -> None:
    """Prepare and run the demo until it is told to stop; raises Invalid for options that cannot work."""
    _check(options)
    data_dir = options.data.absolute()
    first = _settings(options, rtsp_port=0, control_port=0)
    prepare_data_dir(first)
    choose_model(first.analytics.model, models_dir_of(first))  # a detector that is not there is said before anything
    lock = lock_supervisor(first)
    try:
        began_s = time.monotonic()
        access = _virtual_access(data_dir)
        settings = _settings(options, rtsp_port=access.rtsp_port, control_port=access.control_port)
        clips = list_clips(options.clips) if options.clips else _draw(data_dir, console)
        placed = place_clips(_cameras_of(virtual_quetta(options.cameras, "rtsp://virtual")), clips)
        _write_mounts(settings, access, placed)
        _prepare_database(settings, access, placed=placed, console=console)
        for path in _credential_files(settings, options):
            path.unlink(missing_ok=True)  # the passwords of an earlier start are about to end
        supervisor = make_supervisor(settings)
        adopted = supervisor.start()
        line = StatusLine(settings, console=console, began_s=began_s, adopted=adopted)
        # Hashing passwords takes a second; until then a recorder that dies would lie there unseen.
        run_stack(supervisor, tick=line.tick, begin=lambda: _let_people_in(settings, options))
        line.close()
    finally:
        lock.release()


def _check(options: DemoOptions) -> None:
    if not 1 <= options.cameras <= MAX_CAMERAS:
        raise Invalid(f"--cameras must lie between 1 and {MAX_CAMERAS}", code="demo.bad_cameras")
    if not 0 < options.disk_gb <= MAX_DISK_GB:
        raise Invalid(f"--disk-gb must be more than 0 and at most {MAX_DISK_GB:.0f}", code="demo.bad_disk")
    if not 1 <= options.port < 65535:
        raise Invalid("--port must lie between 1 and 65534, since the gateway takes the next one", code="demo.bad_port")
    if options.clips is not None and not options.clips.is_dir():
        raise Invalid(f"--clips: there is no folder {options.clips}", code="demo.no_clips")
    run_dir = options.data.absolute() / "run"
    for slot, port in (("web", options.port), ("gateway", options.port + 1)):
        if not _is_free(port) and find_occupant(run_dir, slot) is None:
            raise Invalid(
                f"port {port} is taken by another program; choose another with --port", code="demo.port_taken"
            )


def _settings(options: DemoOptions, *, rtsp_port: int, control_port: int) -> Settings:
    recorders = max(2, -(-options.cameras // 100))
    given = load_settings()  # how it sees and how its queue runs may be set as for `safecity run`
    return Settings.model_validate(
        {
            "platform": {"data_dir": options.data.absolute()},
            "web": {"port": options.port},
            "sites": {"name": "Virtual Quetta", "name_ur": "فرضی کوئٹہ"},
            # Each recorder takes its share only, so that the death of one costs no more than that share.
            "video": {
                "disk_gb": options.disk_gb,
                "recorders": recorders,
                "cameras_per_recorder": -(-options.cameras // recorders),
            },
            **{name: getattr(given, name).model_dump() for name in ("analytics", "incidents", "dispatch")},
            "virtual": {"enabled": True, "rtsp_port": rtsp_port, "control_port": control_port},
        }
    )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _virtual_access(data_dir: Path) -> _VirtualAccess:
    path = data_dir / "secrets" / "virtual.json"
    running = find_occupant(data_dir / "run", "virtual") is not None
    if path.exists():
        known = _VirtualAccess(**json.loads(path.read_bytes()))
        if running or (_is_free(known.rtsp_port) and _is_free(known.control_port)):
            return known
    fresh = {
        "rtsp_port": _free_port(),
        "control_port": _free_port(),
        "user": "recorder",
        "password": secrets.token_urlsafe(18),
        "token": secrets.token_urlsafe(24),
    }
    write_whole(path, json.dumps(fresh).encode(), mode=0o600)
    return _VirtualAccess(**json.loads(path.read_bytes()))


def list_clips(folder: Path) -> list[DemoClip]:
    """The videos of a folder with their scenes; raises Invalid for what cannot be played or is not a scene."""
    paths = sorted(path.absolute() for path in folder.iterdir() if path.suffix.lower() in CLIP_SUFFIXES)
    if not paths:
        raise Invalid(f"--clips: {folder} holds no video ({', '.join(sorted(CLIP_SUFFIXES))})", code="demo.no_clips")
    return [video_clip(path) for path in paths]


def _draw(data_dir: Path, console: Console) -> list[DemoClip]:
    requests = [street.request for street in STREETS]
    with _bar(console) as progress:
        task: TaskID = progress.add_task("Drawing the streets (kept for the next start)", total=1.0)
        drawn = [0.0] * len(requests)

        def on_progress(one: SceneProgress) -> None:
            drawn[one.index] = one.frames_done / one.frames
            progress.update(task, completed=sum(drawn) / len(drawn))

        files = draw_scenes(
            requests, data_dir / "scenes", processes=min(len(requests), os.cpu_count() or 1), progress=on_progress
        )
    return [street_clip(street, item.main) for street, item in zip(STREETS, files, strict=True)]


def _cameras_of(city: Mapping[str, object]) -> list[Mapping[str, object]]:
    features = city["features"]
    assert isinstance(features, list)
    return [item["properties"] for item in features if item["properties"]["kind"] == "camera"]


def _write_mounts(settings: Settings, access: _VirtualAccess, placed: Sequence[Placed]) -> None:
    mounts = tuple(MountSpec(name=item.code, clip=item.clip.path, phase_s=item.phase_s) for item in placed)
    spec = VirtualSpec(mounts=mounts, user=access.user, password=access.password, token=access.token)
    run_dir = settings.platform.data_dir.absolute() / "run"
    left = find_occupant(run_dir, "virtual")
    if write_spec(run_dir, spec) and left is not None:
        # It outlived its supervisor and plays what was asked for then; it reads its mounts once, at its start.
        end_occupant(left, wait_s=STOP_WAIT_S)


def _prepare_database(
    settings: Settings, access: _VirtualAccess, *, placed: Sequence[Placed], console: Console
) -> None:
    clock = SystemClock()
    database = Database(settings.database_url())
    try:
        upgrade(database)
        box = load_secret_box(settings.platform.data_dir.absolute())
        oversight = Oversight(database, settings.oversight, clock)
        sites = Sites(database, oversight=oversight, box=box, clock=clock)
        base = f"rtsp://127.0.0.1:{access.rtsp_port}"
        city = virtual_quetta(len(placed), base, user=access.user, password=access.password)
        with _bar(console) as progress:
            task = progress.add_task(f"Setting up {len(placed)} cameras", total=1.0)

            def on_progress(share: float) -> None:
                progress.update(task, completed=share)

            # Cameras of an earlier start with more of them are retired, not deleted: their recordings remain.
            sites.import_city_document(city, retire_missing=True, progress=on_progress)
        prepare_units(database, settings, clock=clock)
        _draw_on_pictures(database, Scenes(database, oversight=oversight, clock=clock), placed)
    finally:
        database.close()


def _let_people_in(settings: Settings, options: DemoOptions) -> None:
    """Give every role its fresh password, and leave them where the demo's driver looks."""
    database = Database(settings.database_url())
    try:
        credentials = make_demo_users(Oversight(database, settings.oversight, SystemClock()))
    finally:
        database.close()
    for path in _credential_files(settings, options):
        write_credentials(path, credentials, page_url=settings.web.page_origin())


def _credential_files(settings: Settings, options: DemoOptions) -> list[Path]:
    always = settings.platform.data_dir / "secrets" / USERS_FILE
    return [always] if options.credentials is None else [always, options.credentials]


def _draw_on_pictures(database: Database, scenes: Scenes, placed: Sequence[Placed]) -> None:
    """Store what is counted and watched on each camera's picture."""
    with database.begin() as connection:
        ids = {camera.code: camera.id for camera in list_cameras(connection)}
        for item in placed:
            change = SceneChange(
                width_px=item.clip.width_px, height_px=item.clip.height_px, version=0, scene=item.scene
            )
            scenes.ensure_scene(connection, ids[item.code], change=change)


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=console,
    )

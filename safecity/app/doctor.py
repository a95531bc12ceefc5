"""`safecity doctor`: what this machine offers, what is missing, and what to do about it.

Each check is a function that looks and returns findings; nothing is changed. Disk figures are measured in the folder
where recordings would go, because that is the disk that matters.
"""

import os
import shutil
import socket
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import av
import av.codec
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from av.error import FFmpegError

from safecity.analytics.models import MOTION, choose_model, models_dir_of
from safecity.platform.database import Database
from safecity.platform.errors import Problem
from safecity.platform.schema import alembic_config
from safecity.platform.settings import Settings

PROBE_BYTES = 32 * 1024**2
FSYNC_TRIES = 30
CAMERA_BPS = 4_000_000
SLOW_FSYNC_MS = 50.0
MIN_FREE_BYTES = 5 * 10**9
MIN_CAMERAS = 16


class Grade(StrEnum):
    """How a check went."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing the doctor found; `advice` says what to do when it is not good."""

    check: str
    grade: Grade
    found: str
    advice: str = ""


def judge(check: str, is_good: bool, *, found: str, advice: str, otherwise: Grade = Grade.WARN) -> Finding:
    """A finding with its advice only where it is needed."""
    if is_good:
        return Finding(check=check, grade=Grade.GOOD, found=found)
    return Finding(check=check, grade=otherwise, found=found, advice=advice)


Check = Callable[[Settings], Iterator[Finding]]


def check_python(_: Settings) -> Iterator[Finding]:
    """The interpreter and the SQLite it brings."""
    version = ".".join(map(str, sys.version_info[:3]))
    is_known = (3, 11) <= sys.version_info[:2] < (3, 15)
    yield judge("python", is_known, found=version, advice="use Python 3.11 to 3.14", otherwise=Grade.BAD)
    is_new = sqlite3.sqlite_version_info >= (3, 35)
    advice = "SQLite 3.35 or newer is needed: use a newer Python build"
    yield judge("sqlite", is_new, found=sqlite3.sqlite_version, advice=advice, otherwise=Grade.BAD)


def check_disk(settings: Settings) -> Iterator[Finding]:
    """Free space, sequential write speed and the time of an fsync where recordings go."""
    folder = settings.platform.data_dir.absolute()
    while not folder.exists():
        folder = folder.parent
    if not os.access(folder, os.W_OK):
        advice = "choose another data folder"
        yield Finding(check="disk", grade=Grade.BAD, found=f"{folder} is not writable", advice=advice)
        return
    free = shutil.disk_usage(folder).free
    advice = "free some space or set video.disk_gb: one camera of 4 Mbit/s writes 43 GB a day"
    yield judge("disk space", free > MIN_FREE_BYTES, found=f"{free / 1e9:.1f} GB free", advice=advice)
    if free < 4 * PROBE_BYTES:
        yield Finding(check="disk speed", grade=Grade.BAD, found="no room to measure", advice="free some space")
        return
    speed_bps, fsync_ms = _measure_disk(folder)
    cameras = int(speed_bps * 8 * 0.5 / CAMERA_BPS)
    found = f"{speed_bps / 1e6:.0f} MB/s written through: about {cameras} cameras of 4 Mbit/s at half load"
    yield judge("disk speed", cameras >= MIN_CAMERAS, found=found, advice="use a faster disk for the data folder")
    advice = "slow: put fewer cameras on this disk, or use one whose write cache survives power loss"
    yield judge("fsync", fsync_ms < SLOW_FSYNC_MS, found=f"{fsync_ms:.2f} ms, median of {FSYNC_TRIES}", advice=advice)


def _measure_disk(folder: Path) -> tuple[float, float]:
    path = folder / f".safecity-doctor-{os.getpid()}"
    block = os.urandom(1024**2)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        began = time.perf_counter()
        for _ in range(PROBE_BYTES // len(block)):
            os.write(descriptor, block)
        os.fsync(descriptor)
        speed_bps = PROBE_BYTES / (time.perf_counter() - began)
        times_ms: list[float] = []
        for _ in range(FSYNC_TRIES):
            os.write(descriptor, block[:4096])
            began = time.perf_counter()
            os.fdatasync(descriptor)
            times_ms.append((time.perf_counter() - began) * 1000)
    finally:
        os.close(descriptor)
        path.unlink()
    return speed_bps, statistics.median(times_ms)


def check_ports(settings: Settings) -> Iterator[Finding]:
    """Whether the ports are free, or ours already."""
    for name, port in (("web", settings.web.port), ("gateway", settings.web.effective_gateway_port())):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.web.host, port))
            except OSError as error:
                advice = "SafeCity may run already; else choose another with --port or SAFECITY_WEB__PORT"
                yield Finding(check=f"port {name}", grade=Grade.WARN, found=f"{port}: {error.strerror}", advice=advice)
                continue
        yield Finding(check=f"port {name}", grade=Grade.GOOD, found=f"{settings.web.host}:{port} is free")


def check_clock(_: Settings) -> Iterator[Finding]:
    """Whether the machine's clock is kept by someone, and stands still against the monotonic one for a moment."""
    wall, mono = time.time(), time.monotonic()
    time.sleep(0.3)
    slip_ms = abs((time.time() - wall) - (time.monotonic() - mono)) * 1000
    if slip_ms > 5:
        yield Finding(
            check="clock", grade=Grade.WARN, found=f"stepped {slip_ms:.0f} ms while watched", advice="see what sets it"
        )
    is_kept = Path("/run/systemd/timesync/synchronized").exists() or Path("/run/chrony").exists()
    found = "kept by a time service" if is_kept else "no time service seen"
    advice = "run chrony or systemd-timesyncd: recordings are only as true as this clock"
    yield judge("clock", is_kept, found=found, advice=advice)


def check_codecs(_: Settings) -> Iterator[Finding]:
    """Whether FFmpeg inside PyAV brings what recording, live view and the virtual city need."""
    for name, mode, use in (
        ("h264", "r", "to look at recordings"),
        ("hevc", "r", "for H.265 cameras"),
        ("libx264", "w", "for the virtual city"),
    ):
        try:
            av.codec.Codec(name, "r" if mode == "r" else "w")
        except (ValueError, FFmpegError):
            yield Finding(
                check=f"codec {name}",
                grade=Grade.BAD,
                found=f"missing {use}",
                advice="install the PyAV wheel from PyPI",
            )
            continue
        yield Finding(check=f"codec {name}", grade=Grade.GOOD, found=f"there, {use} (PyAV {av.__version__})")


def check_models(settings: Settings) -> Iterator[Finding]:
    """Which detector counts: a model of the models folder, or motion alone."""
    folder = models_dir_of(settings)
    try:
        chosen = choose_model(settings.analytics.model, folder)
    except (Problem, OSError) as problem:
        advice = "put it there, or set analytics.model to auto or motion"
        yield Finding(check="models", grade=Grade.BAD, found=str(problem), advice=advice)
        return
    if chosen is not None:
        yield Finding(check="models", grade=Grade.GOOD, found=f"{chosen.spec.name} of {folder} counts")
        return
    found = f"none in {folder}: motion counts, by size and shape alone"
    advice = "see `safecity models list`, then `safecity models pull`"
    yield judge("models", settings.analytics.model == MOTION, found=found, advice=advice)


def check_database(settings: Settings) -> Iterator[Finding]:
    """Whether the database answers and has the newest schema."""
    url = settings.database_url()
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        yield Finding(check="database", grade=Grade.GOOD, found="SQLite; it is made at the first start")
        return
    database = Database(url)
    try:
        with database.read() as connection:
            found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    except Problem as problem:
        yield Finding(
            check="database", grade=Grade.BAD, found=problem.message, advice="is it running, and is the URL right?"
        )
        return
    finally:
        database.close()
    newest = newest_revision()
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    advice = f"run `safecity db upgrade` to reach {newest}"
    yield judge("database", found == newest, found=f"{kind}, schema {found}", advice=advice)


def newest_revision() -> str | None:
    """The head of the migrations in this package."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


CHECKS: tuple[Check, ...] = (
    check_python, check_disk, check_ports, check_clock, check_codecs, check_models, check_database,
)  # fmt: skip


def examine(settings: Settings) -> Iterator[Finding]:
    """Run every check; one finding at a time, as it is found."""
    for check in CHECKS:
        yield from check(settings)

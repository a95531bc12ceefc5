"""The demo's faults on command: a camera's line cut at its virtual camera, a recorder killed as a crash would."""

import contextlib
import fcntl
import json
import os
import signal
from collections.abc import Generator
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from safecity.app.slots import find_occupant, start_ticks_of
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.errors import NotFound, Unavailable
from safecity.platform.leases import list_leases
from safecity.platform.settings import Settings
from safecity.sites.model import CameraId
from safecity.virtual.control_client import VirtualControl
from safecity.virtual.faults import FaultKind

log = structlog.get_logger()

CUT_S = 30.0


class StackControls:
    """Controls of the demo that runs on this data folder; safe to share between threads."""

    def __init__(self, settings: Settings, *, database: Database, clock: Clock, run_dir: Path) -> None:
        self._secrets = settings.platform.data_dir.absolute() / "secrets" / "virtual.json"
        self._control_port = settings.virtual.control_port
        self._database = database
        self._clock = clock
        self._run_dir = run_dir

    def cut_camera(self, code: str) -> datetime:
        """Break a camera's connections for CUT_S seconds; returns when it mends by itself. Raises Unavailable."""
        self._control().set_fault(code, FaultKind.DROP, for_s=CUT_S)
        return self._clock.now() + timedelta(seconds=CUT_S)

    def mend_camera(self, code: str) -> None:
        """End the cut. Raises Unavailable."""
        self._control().clear_faults(code, FaultKind.DROP)

    def kill_recorder(self, camera: CameraId) -> str:
        """SIGKILL the recorder whose lease the camera is; returns its slot. Raises NotFound, Unavailable."""
        resource = f"camera:{camera}"
        with self._database.read() as connection:
            held = list_leases(connection, prefix=resource)
        now = self._clock.now()
        slot = next((holder for name, holder, until in held if name == resource and until > now), None)
        if slot is None:
            raise NotFound("no recorder holds this camera now; try again in a few seconds", code="demo.no_recorder")
        kill_occupant(self._run_dir, slot)
        log.warning("app.recorder_killed_on_command", slot=slot, camera=camera)
        return slot

    def _control(self) -> VirtualControl:
        try:
            token = json.loads(self._secrets.read_bytes())["token"]
        except (OSError, ValueError, KeyError) as error:
            raise Unavailable("the virtual cameras' control is not known here", code="demo.no_control") from error
        return VirtualControl(self._control_port, str(token))


def kill_occupant(run_dir: Path, slot: str) -> None:
    """SIGKILL the process that holds a slot, and no other; raises Unavailable when nobody holds it.

    The pid is bound by a pidfd before it is compared with what the slot's file says, so that it cannot be reused
    between the look and the kill; and the slot's lock must be held, so that a file left behind names nobody.
    """
    occupant = find_occupant(run_dir, slot)
    nobody = Unavailable(f"{slot} is not running now; it is about to start again", code="demo.not_running")
    if occupant is None or not _is_locked(run_dir / f"{slot}.lock"):
        raise nobody
    with _pidfd(occupant.pid, nobody) as process:
        if start_ticks_of(occupant.pid) != occupant.start_ticks:
            raise nobody
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(process, signal.SIGKILL)


@contextlib.contextmanager
def _pidfd(pid: int, nobody: Unavailable) -> Generator[int]:
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError as error:
        raise nobody from error
    try:
        yield process
    finally:
        os.close(process)


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False

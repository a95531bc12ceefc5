"""What every process of the running system does first and last: settings, logs, its slot, signals.

Each role is a module of its own under `roles/`, so that a recorder does not pay for the web server's imports: it has
to be recording again within two seconds of a kill.
"""

import argparse
import hashlib
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Protocol

import structlog

from safecity.app.slots import SlotLock
from safecity.platform.clock import begin_clock_drill
from safecity.platform.errors import Problem
from safecity.platform.logs import configure_logging
from safecity.platform.settings import Settings

log = structlog.get_logger()


class Run(Protocol):
    """The body of a role: works until `stop` is set."""

    def __call__(self, settings: Settings, stop: threading.Event, /, *, slot: str, run_dir: Path) -> None: ...


def run_role(role: str, run: Run) -> int:
    """Hold the slot and run the role until told to stop; the exit code goes to the supervisor.

    `run` is handed the settings, an event that is set when it has to end, its slot and the run directory.
    """
    parser = argparse.ArgumentParser(description=f"the {role} process of SafeCity; started by its supervisor")
    parser.add_argument("--slot", required=True)
    parser.add_argument("--settings", required=True, type=Path)
    arguments = parser.parse_args()
    raw = arguments.settings.read_bytes()
    settings = Settings.model_validate_json(raw)
    configure_logging(level=settings.platform.log_level, role=arguments.slot)
    if settings.virtual.enabled and settings.virtual.clock_file is not None:
        begin_clock_drill(settings.virtual.clock_file)
    run_dir = settings.platform.data_dir.absolute() / "run"
    fingerprint = hashlib.sha256(raw).hexdigest()
    lock = SlotLock(run_dir, arguments.slot, role=role, fingerprint=fingerprint)
    stop = threading.Event()

    def on_signal(_: int, __: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    try:
        lock.acquire()
        run(settings, stop, slot=arguments.slot, run_dir=run_dir)
    except Problem as problem:
        log.error("app.role_failed", problem=problem.message, code=problem.code)
        return 1
    lock.release()
    return 0

"""Everything that looks is killed, hung and starved under the recorder's eyes, and the recorder must not notice."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

from safecity.platform.database import Database
from safecity.sites.model import CameraId
from safecity.video.store import read_timeline
from tools.chaos.centre import Centre

EVERY_S = 1.0
BURNERS = 2


def starve(centre: Centre, *, seconds: float) -> tuple[datetime, datetime]:
    """A third of the time each: kill -9 again and again, stopped, and no processor; from when until when."""
    slots = [slot for slot in centre.slots() if slot == "web" or slot.startswith("analyser")]
    began = datetime.now(UTC)
    _again(seconds / 3, lambda: [centre.signal(slot, signal.SIGKILL) for slot in slots])
    _again(seconds / 3, lambda: [centre.signal(slot, signal.SIGSTOP) for slot in slots])
    burners = [subprocess.Popen(["nice", "-n", "19", sys.executable, "-c", "while True: pass"]) for _ in range(BURNERS)]
    try:
        _again(seconds / 3, lambda: [_starve_one(centre, slot) for slot in slots])
    finally:
        for one in burners:
            one.kill()
            one.wait()
    return began, datetime.now(UTC)


def list_missing(
    database: Database, cameras: list[CameraId], *, from_at: datetime, to_at: datetime, now: datetime
) -> list[str]:
    """What the ledger calls missing in that time; nothing is wanted."""
    found: list[str] = []
    with database.read() as connection:
        for camera in cameras:
            timeline = read_timeline(connection, camera, from_at=from_at, to_at=to_at, now=now)
            found += [f"{camera}: {gap.from_at} to {gap.to_at}, {gap.cause.value}" for gap in timeline.missing]
    return found


def _again(seconds: float, work: object) -> None:
    assert callable(work)
    ends_s = time.monotonic() + seconds
    while time.monotonic() < ends_s:
        work()
        time.sleep(EVERY_S)


def _starve_one(centre: Centre, slot: str) -> None:
    """Go on, but only when nobody else wants the processor."""
    pid = centre.pid_of(slot)
    if pid is None:
        return
    try:
        os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        return

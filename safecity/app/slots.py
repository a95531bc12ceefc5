"""A slot is a place for one process, such as recorder-1: locked while it runs, and found again by the next supervisor.

The lock is the truth (the kernel drops it when the process dies, however it dies); the file beside it tells who holds
it. A process is named by its pid and its start time, so that a reused pid is never taken for it.
"""

import fcntl
import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from safecity.platform.errors import Conflict
from safecity.platform.files import write_whole

LOCK_WAIT_S = 10.0
_LOCK_POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupant:
    """The process that holds a slot."""

    slot: str
    role: str
    pid: int
    start_ticks: int
    fingerprint: str


def start_ticks_of(pid: int) -> int | None:
    """Clock ticks between boot and the start of a process (proc(5), field 22); None when it is gone or a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text[text.rindex(")") + 2 :].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])


class SlotLock:
    """Holds a slot for the life of this process."""

    def __init__(self, run_dir: Path, slot: str, *, role: str, fingerprint: str) -> None:
        run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._record = run_dir / f"{slot}.json"
        self._descriptor = os.open(run_dir / f"{slot}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._occupant = Occupant(
            slot=slot, role=role, pid=os.getpid(), start_ticks=start_ticks_of(os.getpid()) or 0, fingerprint=fingerprint
        )

    def acquire(self, *, wait_s: float = LOCK_WAIT_S) -> None:
        """Take the slot; raises Conflict when another process keeps it for longer than `wait_s`."""
        deadline = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    raise Conflict(
                        f"{self._occupant.slot} already runs on this data folder: stop it, or choose another --data",
                        code="app.slot_taken",
                    ) from error
                time.sleep(_LOCK_POLL_S)
        write_whole(self._record, json.dumps(asdict(self._occupant)).encode(), mode=0o600)

    def release(self) -> None:
        """Give the slot back."""
        self._record.unlink(missing_ok=True)
        os.close(self._descriptor)


def find_occupant(run_dir: Path, slot: str) -> Occupant | None:
    """Who holds the slot now, verified against the running process; None when nobody does."""
    try:
        occupant = Occupant(**json.loads((run_dir / f"{slot}.json").read_bytes()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return occupant if start_ticks_of(occupant.pid) == occupant.start_ticks else None


def end_occupant(occupant: Occupant, *, wait_s: float) -> None:
    """Ask a process to end, and make it end when it does not."""
    for number, patience_s in ((signal.SIGTERM, wait_s), (signal.SIGKILL, 5.0)):
        if start_ticks_of(occupant.pid) != occupant.start_ticks:
            return
        try:
            os.kill(occupant.pid, number)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline and start_ticks_of(occupant.pid) == occupant.start_ticks:
            time.sleep(_LOCK_POLL_S)

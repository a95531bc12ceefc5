"""The supervisor: starts the roles, brings back the ones that die, and adopts what outlived its predecessor.

Recording must not depend on it: the processes have sessions of their own, so that they go on when the supervisor is
killed. The next start finds them by their slots and adopts them.
"""

import contextlib
import hashlib
import json
import math
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from safecity.app.nursery import Nursery, Order
from safecity.app.slots import Occupant, end_occupant, find_occupant, start_ticks_of
from safecity.platform.files import write_whole

log = structlog.get_logger()

STOP_WAIT_S = 8.0
BACK_OFF_S = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
NURSERY_REST_S = 30.0  # one that died, for want of memory say, is not loaded again and again
NURSERY_AFTER_S = 2.0  # nobody started for so long: its imports take nothing from a start
STEADY_AFTER_S = 20.0  # a process that lived so long starts again without back-off
KILLED = frozenset({-signal.SIGKILL, -signal.SIGTERM})
SUPERVISOR = "supervisor"  # its own slot, held by whoever made it
MAX_LOG_BYTES = 10 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSpec:
    """One process to keep running."""

    role: str
    slot: str
    has_nursery: bool = False  # a process waits with the role's code loaded and forks when one of them is killed


@dataclass(slots=True, kw_only=True)
class _Watched:
    spec: RoleSpec
    occupant: Occupant | None = None
    child: "subprocess.Popen[bytes] | None" = None
    pidfd: int | None = None
    started_s: float = 0.0
    failures: int = 0
    restarts: int = 0
    next_start_s: float = field(default=0.0)


class Supervisor:
    """Keeps a set of roles running on one data folder."""

    def __init__(
        self,
        specs: Sequence[RoleSpec],
        *,
        settings_file: Path,
        data_dir: Path,
        role_package: str = "safecity.app.roles",
    ) -> None:
        self._role_package = role_package
        self._watched = [_Watched(spec=spec) for spec in specs]
        self._settings_file = settings_file
        self._run_dir = data_dir / "run"
        self._log_dir = data_dir / "logs"
        self._fingerprint = hashlib.sha256(settings_file.read_bytes()).hexdigest()
        self._log_dir.mkdir(parents=True, exist_ok=True)
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._is_stopping = False
        self._nurseries: dict[str, Nursery] = {}
        self._nursery_from_s = -math.inf

    def request_stop(self) -> None:
        """Make `watch` return; safe in a signal handler."""
        self._is_stopping = True
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b"x")

    def start(self) -> list[str]:
        """Adopt what runs with these very settings, start the rest; returns the adopted slots."""
        self._end_unwanted()
        adopted: list[str] = []
        for item in self._watched:
            if self._adopt(item):
                adopted.append(item.spec.slot)
            else:
                self._spawn(item)
        self._write_status()
        return adopted

    def _adopt(self, item: _Watched) -> bool:
        """Go on with the process that holds the slot; one that runs with other settings is ended."""
        found = find_occupant(self._run_dir, item.spec.slot)
        if found is None:
            return False
        if found.fingerprint != self._fingerprint:
            end_occupant(found, wait_s=STOP_WAIT_S)
            return False
        self._follow(item, found)
        log.info("app.process_adopted", slot=item.spec.slot, pid=found.pid)
        return True

    def _end_unwanted(self) -> None:
        """End what outlived a supervisor with other settings and has no place in these: a third recorder, say."""
        wanted = {item.spec.slot for item in self._watched} | {SUPERVISOR}
        for path in sorted(self._run_dir.glob("*.lock")):
            found = None if path.stem in wanted else find_occupant(self._run_dir, path.stem)
            if found is not None and found.pid != os.getpid():
                end_occupant(found, wait_s=STOP_WAIT_S)
                log.info("app.process_unwanted", slot=found.slot, pid=found.pid)

    def watch(self, *, every_s: float, tick: Callable[[], None]) -> None:
        """Bring back what dies, calling `tick` about every `every_s` seconds, until a stop is requested."""
        next_tick_s = time.monotonic()
        while not self._is_stopping:
            self._wait(min(every_s, max(0.0, self._soonest_s(next_tick_s) - time.monotonic())))
            for item in self._watched:
                self._revive(item)
            self._keep_nurseries()
            if time.monotonic() >= next_tick_s:
                next_tick_s = time.monotonic() + every_s
                tick()

    def stop(self) -> None:
        """End every role: viewers first, recorders next, their cameras last."""
        for nursery in self._nurseries.values():
            nursery.close()
        self._nurseries.clear()
        for item in sorted(self._watched, key=lambda item: _STOP_ORDER.get(item.spec.role, 1)):
            if item.occupant is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(item.occupant.pid, signal.SIGTERM)
        for item in self._watched:
            if item.child is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    item.child.wait(STOP_WAIT_S)
            if item.occupant is not None:
                end_occupant(item.occupant, wait_s=STOP_WAIT_S)
            if item.child is not None:
                item.child.wait()
        (self._run_dir / "processes.json").unlink(missing_ok=True)

    def _soonest_s(self, next_tick_s: float) -> float:
        return min([next_tick_s, *(item.next_start_s for item in self._watched if item.occupant is None)])

    def _wait(self, timeout_s: float) -> None:
        fds = [self._wake_read, *(item.pidfd for item in self._watched if item.pidfd is not None)]
        select.select(fds, [], [], timeout_s)

    def _revive(self, item: _Watched) -> None:
        now_s = time.monotonic()
        if item.occupant is not None and start_ticks_of(item.occupant.pid) != item.occupant.start_ticks:
            code = self._exit_code(item, item.occupant.pid)
            if item.pidfd is not None:
                os.close(item.pidfd)
            # Back-off is for a process that ends by its own fault again and again; one that was killed starts at once.
            is_fault = code is not None and code not in KILLED and now_s - item.started_s < STEADY_AFTER_S
            item.failures = item.failures + 1 if is_fault else 0
            item.next_start_s = now_s + BACK_OFF_S[min(item.failures, len(BACK_OFF_S) - 1)]
            item.occupant, item.child, item.pidfd = None, None, None
            log.warning(
                "app.process_ended", slot=item.spec.slot, exit_code=code, restart_in_s=item.next_start_s - now_s
            )
        if item.occupant is None and now_s >= item.next_start_s and not self._is_stopping:
            item.restarts += 1
            # A process that was only just starting when its supervisor died has the slot by now.
            if not self._adopt(item):
                self._spawn(item)
            self._write_status()

    def _exit_code(self, item: _Watched, pid: int) -> int | None:
        if item.child is not None:
            return item.child.wait()
        nursery = self._nurseries.get(item.spec.role)
        return None if nursery is None else nursery.exit_code(pid)

    def _spawn(self, item: _Watched) -> None:
        slot = item.spec.slot
        path = self._log_dir / f"{slot}.log"
        if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        pid = self._fork(item.spec, path)
        if pid is None:
            item.child = self._start_process(item.spec, path)
            pid = item.child.pid
        self._nursery_from_s = max(self._nursery_from_s, time.monotonic() + NURSERY_AFTER_S)
        ticks = start_ticks_of(pid)
        self._follow(
            item,
            Occupant(slot=slot, role=item.spec.role, pid=pid, start_ticks=ticks or 0, fingerprint=self._fingerprint),
        )
        log.info("app.process_started", slot=slot, pid=pid)

    def _start_process(self, spec: RoleSpec, path: Path) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", f"{self._role_package}.{spec.role}", "--slot", spec.slot]
        with path.open("ab") as output:
            return subprocess.Popen(
                [*command, "--settings", str(self._settings_file)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip

    def _fork(self, spec: RoleSpec, path: Path) -> int | None:
        nursery = self._nurseries.get(spec.role)
        if nursery is None:
            return None
        return nursery.start(Order(slot=spec.slot, settings=str(self._settings_file), output=str(path)))

    def _keep_nurseries(self) -> None:
        """Start the nursery of each role that has one, once nothing else has started for a while."""
        if self._is_stopping or time.monotonic() < self._nursery_from_s:
            return
        for role in sorted({item.spec.role for item in self._watched if item.spec.has_nursery}):
            nursery = self._nurseries.get(role)
            if nursery is not None and nursery.is_alive:
                continue
            if nursery is not None:
                nursery.close()
                del self._nurseries[role]
                self._nursery_from_s = time.monotonic() + NURSERY_REST_S
                return
            try:
                output = self._log_dir / f"{role}-nursery.log"
                self._nurseries[role] = Nursery(f"{self._role_package}.{role}", output=output)
            except OSError as error:
                # A convenience: without it a killed process is started anew, and all goes on.
                log.warning("app.no_nursery", role=role, errno=error.errno)
                self._nursery_from_s = time.monotonic() + NURSERY_REST_S

    def _follow(self, item: _Watched, occupant: Occupant) -> None:
        item.occupant = occupant
        item.started_s = time.monotonic()
        try:
            item.pidfd = os.pidfd_open(occupant.pid)
        except ProcessLookupError:
            item.pidfd = None

    def _write_status(self) -> None:
        status = {
            item.spec.slot: {
                "role": item.spec.role,
                "pid": item.occupant.pid if item.occupant else None,
                "restarts": item.restarts,
            }
            for item in self._watched
        }
        write_whole(self._run_dir / "processes.json", json.dumps(status).encode(), mode=0o600)


_STOP_ORDER = {"web": 0, "gateway": 0, "keeper": 1, "recorder": 2, "virtual": 3}

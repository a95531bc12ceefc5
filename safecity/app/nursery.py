"""A process that has loaded a role's code and forks: a recorder's return then costs no second of imports.

Run as `python -m safecity.app.nursery PACKAGE.ROLE` by the supervisor, over two pipes: an order a line comes in, and
what became of each child goes out, its pid first and its exit code when it ends. Without its supervisor it ends; its
children go on, as every process of the system does.
"""

import contextlib
import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

# How long it may take to fork, on a machine that is busy with something else.
ANSWER_WITHIN_S = 1.0
CODE_WITHIN_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a child is to be: its slot, its settings file, and the file its output goes to."""

    slot: str
    settings: str
    output: str


class Nursery:
    """The supervisor's end: starts the process, sends it orders, keeps what it told."""

    def __init__(self, module: str, *, output: Path) -> None:
        # A recorder computes nothing that needs a pool of threads, and a process that has one should not fork.
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
        with output.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "safecity.app.nursery", module],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, bufsize=0, start_new_session=True,
                env=environment,
            )  # fmt: skip
        self._pids: dict[str, int] = {}
        self._codes: dict[int, int] = {}
        self._tail = b""
        self._is_ready = False

    @property
    def is_alive(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    @property
    def is_ready(self) -> bool:
        """Whether the code is loaded: before that a start of its own is no slower."""
        self._read(0.0)
        return self._is_ready and self.is_alive

    def start(self, order: Order) -> int | None:
        """The pid of a new process of that slot; None when the nursery can't: it is not ready, or gone."""
        if not self.is_ready or self._process.stdin is None:
            return None
        self._pids.pop(order.slot, None)
        try:
            self._process.stdin.write(json.dumps(asdict(order)).encode() + b"\n")
        except BrokenPipeError:
            return None
        self._read_until(lambda: order.slot in self._pids, ANSWER_WITHIN_S)
        if order.slot not in self._pids:
            # It may still come; then the slot's lock lets one of the two in. No more is asked of this nursery.
            self.close()
        return self._pids.get(order.slot)

    def exit_code(self, pid: int) -> int | None:
        """How a child ended, as subprocess has it; None for a process that is not from here."""
        if pid not in self._pids.values():
            return None
        self._read_until(lambda: pid in self._codes, CODE_WITHIN_S)
        return self._codes.pop(pid, None)

    def close(self) -> None:
        """End the nursery; its children go on."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _read_until(self, is_done: Callable[[], bool], within_s: float) -> None:
        deadline_s = time.monotonic() + within_s
        while not is_done() and (left_s := deadline_s - time.monotonic()) > 0:
            if not self._read(left_s):
                return

    def _read(self, within_s: float) -> bool:
        pipe = self._process.stdout
        if pipe is None or pipe.closed or not select.select([pipe], [], [], within_s)[0]:
            return False
        data = os.read(pipe.fileno(), 65_536)
        *lines, self._tail = (self._tail + data).split(b"\n")
        for line in lines:
            told = json.loads(line)
            self._is_ready = True
            if "slot" in told:
                self._pids[told["slot"]] = told["pid"]
            elif "code" in told:
                self._codes[told["pid"]] = told["code"]
        return bool(data)


def main() -> None:
    """Load the role, then fork at each order, until the orders end."""
    module = sys.argv[1]
    importlib.import_module(module)
    # Each child runs the module once more as a program; all that it imports is here by then.
    del sys.modules[module]
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, _note)  # only so that the pipe wakes the loop
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    _tell({"ready": True})
    tail = b""
    while True:
        readable, _, _ = select.select([0, woken], [], [])
        if woken in readable:
            os.read(woken, 4096)
            _tell_ends()
        if 0 not in readable:
            continue
        data = os.read(0, 65_536)
        if not data:
            return
        *lines, tail = (tail + data).split(b"\n")
        for line in lines:
            order = Order(**json.loads(line))
            pid = os.fork()
            if pid == 0:
                for descriptor in (woken, wake):
                    os.close(descriptor)
                _become(module, order)
                return
            _tell({"slot": order.slot, "pid": pid})


def _note(_: int, __: FrameType | None) -> None: ...


def _tell_ends() -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            _tell({"pid": ended[0], "code": os.waitstatus_to_exitcode(ended[1])})


def _tell(what: dict[str, object]) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(1, json.dumps(what).encode() + b"\n")


def _become(module: str, order: Order) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    output = os.open(order.output, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    sys.argv = [module, "--slot", order.slot, "--settings", order.settings]
    runpy.run_module(module, run_name="__main__")


if __name__ == "__main__":
    main()

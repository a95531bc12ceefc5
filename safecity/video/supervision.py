"""One bad camera, or one bug, never takes the others with it: threads that are started again, steps that may fail."""

import threading
import time
from collections.abc import Callable
from typing import ParamSpec

import structlog

log = structlog.get_logger()

RESTART_AFTER_S = (0.2, 1.0, 5.0, 30.0)
STEADY_AFTER_S = 60.0
P = ParamSpec("P")


def attempt(step: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> Exception | None:
    """Do one of many steps that must not end the others; what ended it is returned, for the caller to tell."""
    try:
        step(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - a supervisor's
        return error
    return None


class SupervisedThread:
    """Runs `work` until it returns; when it raises, runs it again after a while and counts."""

    def __init__(self, name: str, work: Callable[[], None], *, stop: threading.Event) -> None:
        self.crashes = 0
        self._name = name
        self._work = work
        self._stop = stop
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether the thread still runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, wait_s: float) -> bool:
        """Wait for the end; False when it did not come in time."""
        self._thread.join(wait_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        in_a_row = 0
        while not self._stop.is_set():
            began_s = time.monotonic()
            try:
                self._work()
                return
            except Exception:
                self.crashes += 1
                in_a_row = 0 if time.monotonic() - began_s > STEADY_AFTER_S else in_a_row + 1
                log.exception("video.thread_crashed", thread=self._name, crashes=self.crashes)
                self._stop.wait(RESTART_AFTER_S[min(in_a_row, len(RESTART_AFTER_S) - 1)])

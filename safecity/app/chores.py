"""Work that is done again and again in a rhythm of its own."""

from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from safecity.platform.errors import Problem

log = structlog.get_logger()


class Chore:
    """One such work. A problem ends this run of it, not the others; it is logged when it begins and when it is over."""

    def __init__(self, name: str, work: Callable[[], object], *, every_s: float) -> None:
        self._name = name
        self._work = work
        self._every_s = every_s
        self._due_s = 0.0
        self._is_failing = False

    def run_if_due(self, now_s: float) -> None:
        """Do it when its time has come."""
        if now_s < self._due_s:
            return
        self._due_s = now_s + self._every_s
        try:
            self._work()
        except (Problem, OSError, SQLAlchemyError) as error:
            if not self._is_failing:
                log.warning("app.chore_failed", chore=self._name, kind=type(error).__name__, problem=str(error))
            self._is_failing = True
            return
        if self._is_failing:
            log.info("app.chore_recovered", chore=self._name)
        self._is_failing = False

"""Structured logs: one JSON line an event, `room.noun_verb`, on a change of state.

Secrets, plates, names of people and pictures never enter a log; `REDACTED_KEYS` is the last net, not the plan.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import TextIO

import structlog

REDACTED_KEYS = frozenset({"password", "token", "secret", "authorization", "cookie", "credentials", "key", "url"})


def _redact(_: object, __: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
    for key in event.keys() & REDACTED_KEYS:
        event[key] = "(redacted)"
    return event


def configure_logging(*, level: str = "info", role: str = "cli", stream: TextIO | None = None) -> None:
    """Write logs as JSON lines to `stream` (standard error by default), each naming the process's role."""
    numeric = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _redact,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(role=role)

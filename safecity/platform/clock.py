"""The clock, handed in wherever time is needed, so that tests and drills can own it."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

DRILL_LOOK_S = 0.25


class Clock(Protocol):
    """Wall time for what people read, monotonic time for how long things take."""

    def now(self) -> datetime:
        """The current instant, aware, UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds since an arbitrary start; never steps."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        now = datetime.now(UTC)
        return now if _drill is None else now + timedelta(seconds=_drill.offset_s())

    def monotonic_s(self) -> float:
        return time.monotonic()


class DrillClock:
    """A wrong wall clock for drills: the seconds that stand in a file, looked at four times a second.

    A real step needs the machine's own clock, which a drill beside other work must not touch.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._looked_s = float("-inf")
        self._offset_s = 0.0

    def offset_s(self) -> float:
        """By how much the clock is wrong now; what is no number leaves it as it was."""
        now_s = time.monotonic()
        if now_s - self._looked_s >= DRILL_LOOK_S:
            self._looked_s = now_s
            try:
                self._offset_s = float(self._file.read_text())
            except (OSError, ValueError):
                return self._offset_s
        return self._offset_s


_drill: DrillClock | None = None


def begin_clock_drill(file: Path) -> None:
    """From now on every `SystemClock` of this process is wrong by what the file says."""
    global _drill
    _drill = DrillClock(file)


class VirtualClock:
    """A clock that moves only when told to; wall time can also step, as a wrong NTP server makes it."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a virtual clock starts at an aware datetime")
        self._wall = start.astimezone(UTC)
        self._monotonic_s = 0.0

    def now(self) -> datetime:
        return self._wall

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def advance(self, seconds: float) -> None:
        """Let time pass on both scales."""
        self._wall += timedelta(seconds=seconds)
        self._monotonic_s += seconds

    def step_wall(self, seconds: float) -> None:
        """Step the wall clock alone, forward or back."""
        self._wall += timedelta(seconds=seconds)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(instant: datetime) -> int:
    """Microseconds since 1970-01-01 UTC, exact; raises ValueError for a naive datetime."""
    if instant.tzinfo is None:
        raise ValueError("a naive datetime has no place in SafeCity: give it a time zone")
    return (instant - EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """The aware UTC instant of a count of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=microseconds)


def to_iso(instant: datetime) -> str:
    """RFC 3339 in UTC with milliseconds and a Z, as the API and the files write it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def parse_iso(text: str) -> datetime:
    """An aware UTC instant from RFC 3339 text; raises ValueError when it is none or carries no time zone."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"the time {text!r} has no time zone; write it like 2026-01-31T10:00:00Z")
    return instant.astimezone(UTC)

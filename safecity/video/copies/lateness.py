"""How a place is and how late its copies are: its heartbeat row, its back-off, the fact when that changes."""

import random
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from safecity.events import state_fact
from safecity.events.video import CopyTargetStateChanged
from safecity.platform.clock import Clock, to_iso
from safecity.platform.database import Database
from safecity.platform.errors import Denied, Exhausted, Invalid, Problem
from safecity.platform.ids import fact_id
from safecity.video.copies import store
from safecity.video.copies.model import (
    Copy,
    Protection,
    Target,
    TargetState,
    Waiting,
    percentile,
    state_of,
    wait_after,
)
from safecity.video.copies.store import TargetStatus

log = structlog.get_logger()

BEATS_EVERY_S = 2.0
SUMS_EVERY_S = 60.0
LAGS_OF = timedelta(hours=1)
MAX_LAGS = 200_000
RATE_OVER_S = 30.0
_Lag = tuple[datetime, Protection, float]


class Lateness:
    """What is told about one place."""

    def __init__(self, target: Target, database: Database, *, clock: Clock, source: str) -> None:
        self._target = target
        self._database = database
        self._clock = clock
        self._source = source
        self._waiting = Waiting()
        self._unreadable = 0
        self._lags: deque[_Lag] = deque(maxlen=MAX_LAGS)
        self._sent: deque[tuple[float, int]] = deque(maxlen=MAX_LAGS)
        self._sums = (0, 0, 0)
        self._failures = 0
        self._again_s = 0.0
        self._trouble: tuple[TargetState, str] | None = None
        self._known: TargetStatus | None = None
        self._beat_due_s = 0.0
        self._sums_due_s = 0.0

    def note_waiting(self, waiting: Waiting, *, unreadable: int) -> None:
        """What waits now, and how many segments cannot be read here."""
        self._waiting, self._unreadable = waiting, unreadable

    def note_copied(self, rows: Sequence[Copy]) -> None:
        """Copies that were made."""
        for row in rows:
            if row.lag_s is not None:
                self._lags.append((row.copied_at, row.protection, row.lag_s))
            self._sent.append((self._clock.monotonic_s(), row.size_bytes))
        copies, size_bytes, bad = self._sums  # exact once a minute, kept up in between
        self._sums = (copies + len(rows), size_bytes + sum(row.size_bytes for row in rows), bad)

    def is_waiting(self, now_s: float) -> bool:
        """Whether the place did not answer lately and is not asked yet again."""
        return now_s < self._again_s

    def answered(self) -> None:
        """The place did what it was asked."""
        self._failures, self._trouble, self._again_s = 0, None, 0.0

    def failed(self, problem: Problem, *, now: datetime, now_s: float) -> None:
        """It did not; it is asked again later and later."""
        refused = isinstance(problem, Denied | Invalid) or problem.code == "copies.marker_missing"
        full = isinstance(problem, Exhausted)
        state = TargetState.REFUSED if refused else TargetState.FULL if full else TargetState.AWAY
        self._trouble = (state, (problem.code or "").removeprefix("copies.")[:64])
        self._again_s = now_s + wait_after(self._failures, jitter=random.random())  # noqa: S311 - spreads retries
        self._failures += 1
        self._beat_due_s = 0.0
        self.beat(now)

    def beat(self, now: datetime) -> None:
        """Write the place's row, at most every two seconds, and the fact when its state is another."""
        now_s = self._clock.monotonic_s()
        state, detail = self._trouble or (state_of(self._waiting, now=now), "")
        known = self._known
        if now_s < self._beat_due_s and known is not None and known.state is state:
            return
        self._beat_due_s = now_s + BEATS_EVERY_S
        with self._database.begin() as connection:
            if known is None:
                known = store.find_target(connection, self._target.name)
                self._lags.extend(
                    (now, *one) for one in store.list_lags(connection, self._target.name, since=now - LAGS_OF)
                )
            if now_s >= self._sums_due_s:
                self._sums_due_s = now_s + SUMS_EVERY_S
                self._sums = store.read_sums(connection, self._target.name)
            is_change = known is None or known.state is not state
            since = now if known is None or is_change else known.since
            row = TargetStatus(
                name=self._target.name,
                first_at=now if known is None else known.first_at,
                seen_at=now,
                state=state,
                since=since,
                detail=detail,
                status=self._figures(now, now_s),
            )
            store.note_target(connection, row)
            if is_change:
                fact = CopyTargetStateChanged(
                    target=row.name, state=state.value, detail=detail, waiting=self._waiting.segments
                )
                name = fact_id(fact.type, row.name, to_iso(since), state.value)
                state_fact(connection, fact, id=name, source=self._source, time=now, subject=row.name)
        if is_change:
            log.info("video.copy_target_changed", target=row.name, state=state.value, detail=detail)
        self._known = row

    def _figures(self, now: datetime, now_s: float) -> dict[str, object]:
        while self._lags and now - self._lags[0][0] > LAGS_OF:
            self._lags.popleft()
        while self._sent and now_s - self._sent[0][0] > RATE_OVER_S:
            self._sent.popleft()
        lags = [lag for _, _, lag in self._lags]
        protected = [lag for _, protection, lag in self._lags if protection is not Protection.NONE]
        waiting = self._waiting
        copies, size_bytes, bad = self._sums
        return {
            "kind": self._target.kind,
            "policy": self._target.policy.value,
            "copies": copies,
            "copies_bytes": size_bytes,
            "bad": bad,
            "unreadable": self._unreadable,
            "waiting": waiting.segments,
            "waiting_bytes": waiting.size_bytes,
            "oldest_waiting_at": None if waiting.oldest_at is None else to_iso(waiting.oldest_at),
            "lag_p50_s": _rounded(percentile(lags, 0.5)),
            "lag_p99_s": _rounded(percentile(lags, 0.99)),
            "protected_lag_p99_s": _rounded(percentile(protected, 0.99)),
            "copied_last_hour": len(lags),
            "rate_bps": round(sum(size for _, size in self._sent) * 8 / RATE_OVER_S),
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)

"""The mailbox between recording and the database: bounded, coalescing, emptied once a second in one transaction.

A database that is locked or down delays the index, never a recorder: the newest word about a segment replaces the one
before it, and what does not fit is dropped and counted, because recovery finds it again in the files.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from safecity.events import Fact, state_fact
from safecity.platform.database import Database
from safecity.platform.errors import Problem
from safecity.video import store
from safecity.video.model import Outage, Segment, StreamKey

log = structlog.get_logger()

MAX_SEGMENTS = 20_000  # 200 minutes of 100 cameras without a database
MAX_OUTAGES = 20_000
MAX_FACTS = 5_000
FLUSH_EVERY_S = 1.0
FIRST_FLUSH_S = 0.1
_K = TypeVar("_K")
_V = TypeVar("_V")
SegmentKey = tuple[StreamKey, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A fact with its envelope, on its way to the `events` table."""

    fact: Fact
    id: str
    time: datetime
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is written in one transaction."""

    segments: Sequence[Segment]
    outages: Sequence[Outage]
    facts: Sequence[Statement]

    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.segments or self.outages or self.facts)


class IndexMailbox:
    """Takes news from every recording thread; never blocks on anything but its own short lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._segments: dict[SegmentKey, Segment] = {}
        self._outages: dict[str, Outage] = {}
        self._facts: dict[str, Statement] = {}
        self._dropped = 0

    @property
    def depth(self) -> int:
        """How many rows wait."""
        return len(self._segments) + len(self._outages) + len(self._facts)

    @property
    def dropped(self) -> int:
        """How many rows did not fit; recovery makes them again from the files."""
        return self._dropped

    def put_segment(self, row: Segment) -> None:
        """The newest word about a segment."""
        with self._lock:
            self._put(self._segments, ((row.camera, row.stream), row.started_at), row, MAX_SEGMENTS)

    def put_outage(self, row: Outage) -> None:
        """The newest word about an outage."""
        with self._lock:
            self._put(self._outages, row.id, row, MAX_OUTAGES)

    def put_fact(self, statement: Statement) -> None:
        """A fact to state; the same one twice is one."""
        with self._lock:
            self._put(self._facts, statement.id, statement, MAX_FACTS)

    def _put(self, into: dict[_K, _V], key: _K, value: _V, limit: int) -> None:
        into.pop(key, None)
        into[key] = value
        if len(into) > limit:
            del into[next(iter(into))]
            self._dropped += 1

    def take(self) -> Batch:
        """Everything that waits; the caller writes it or gives it back."""
        with self._lock:
            batch = Batch(
                segments=list(self._segments.values()),
                outages=list(self._outages.values()),
                facts=list(self._facts.values()),
            )
            self._segments, self._outages, self._facts = {}, {}, {}
        return batch

    def give_back(self, batch: Batch) -> None:
        """Put back what could not be written; newer words that came meanwhile stand."""
        with self._lock:
            old_segments = {((row.camera, row.stream), row.started_at): row for row in batch.segments}
            self._segments = _bounded(old_segments | self._segments, MAX_SEGMENTS)
            self._outages = _bounded({row.id: row for row in batch.outages} | self._outages, MAX_OUTAGES)
            self._facts = _bounded({row.id: row for row in batch.facts} | self._facts, MAX_FACTS)


def _bounded(rows: dict[_K, _V], limit: int) -> dict[_K, _V]:
    return rows if len(rows) <= limit else dict(list(rows.items())[-limit:])


def write_batch(connection: Connection, batch: Batch, *, source: str) -> None:
    """Write a batch in the caller's transaction."""
    store.put_segments(connection, batch.segments)
    store.put_outages(connection, batch.outages)
    for one in batch.facts:
        state_fact(connection, one.fact, id=one.id, source=source, time=one.time, subject=one.subject)


class IndexWriter:
    """Empties the mailbox; run it in one thread. `also` adds the recorder's own rows to each transaction."""

    def __init__(
        self, database: Database, mailbox: IndexMailbox, *, source: str, also: Callable[[Connection], None]
    ) -> None:
        self._database = database
        self._mailbox = mailbox
        self._source = source
        self._also = also
        self._is_behind = False

    @property
    def is_behind(self) -> bool:
        """Whether the last write failed."""
        return self._is_behind

    def run(self, stop: threading.Event) -> None:
        """Write soon after the start, so that a new process is seen, then each second, and once more when stopped."""
        wait_s = FIRST_FLUSH_S
        while not stop.wait(wait_s):
            self.flush()
            wait_s = FLUSH_EVERY_S
        self.flush()

    def flush(self) -> bool:
        """Write everything that waits in one transaction; False when the database did not take it."""
        batch = self._mailbox.take()
        try:
            with self._database.begin() as connection:
                write_batch(connection, batch, source=self._source)
                self._also(connection)
        except (Problem, SQLAlchemyError) as error:
            self._mailbox.give_back(batch)
            if not self._is_behind:
                reason = error.code if isinstance(error, Problem) else type(error).__name__
                log.warning("video.index_delayed", reason=reason)
            self._is_behind = True
            return False
        if self._is_behind:
            log.info("video.index_caught_up", rows=len(batch.segments) + len(batch.outages))
        self._is_behind = False
        return True

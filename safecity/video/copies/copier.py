"""Sends to one place what it lacks, deletes there what is old, and tells how late it is.

A copier works in turns of its own thread, so a place that is slow or away holds up no other. Within a turn some copies
go side by side. The row follows the object: a crash in between leaves an object without a row, which the listing of its
folder finds again, so it is not sent twice, and neither is anything after the database was lost.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.errors import Conflict, DataLoss, Denied, Exhausted, Invalid, NotFound, Problem, Unavailable
from safecity.video import store as video_store
from safecity.video.copies import store
from safecity.video.copies.backlog import is_on_hold, is_unprotected
from safecity.video.copies.lateness import Lateness
from safecity.video.copies.model import (
    Copy,
    CopyState,
    Due,
    Target,
    TokenBucket,
    key_of,
    prefix_of,
    read_key,
)
from safecity.video.copies.pieces import read_pieces
from safecity.video.copies.place import Place
from safecity.video.copies.schedule import Schedule
from safecity.video.model import Segment
from safecity.video.splice import open_segment
from safecity.video.volumes import Volumes

log = structlog.get_logger()

AT_ONCE = 4  # copies on their way to one place
SWEEP_BUDGET_S = 0.05
TURN_S = 10.0
BEAT_S = 1.0
A_TURN = 32  # copies between two looks at what is due
PACED_BYTES = 256 * 1024  # sent between two looks at the bandwidth
DELETED_A_TURN = 100
HELD_A_TURN = 100
CHORES_EVERY_S = 10.0
UNREADABLE_AGAIN = timedelta(hours=1)
MAX_UNREADABLE = 10_000
MAX_FOLDERS = 20_000  # listed ones remembered: a week of 1,400 cameras


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every copier of a process shares."""

    database: Database
    volumes: Volumes
    clock: Clock
    stop: threading.Event
    source: str


class Stopped(Exception):
    """The process ends; the copy that was on its way is given up."""


class Copier:
    """One place of copies."""

    def __init__(self, target: Target, open_place: Callable[[], Place], *, around: Surroundings) -> None:
        self.target = target
        self._open = open_place
        self._opened: Place | None = None
        self._around = around
        self._clock = around.clock
        rate = target.bytes_per_s
        self._bucket = None if rate is None else TokenBucket(rate, now_s=self._clock.monotonic_s())
        self._bucket_lock = threading.Lock()
        self._schedule = Schedule(target, around.database)
        self._lateness = Lateness(target, around.database, clock=around.clock, source=around.source)
        self._pool = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix=f"copy-{target.name}")
        self._listed: deque[str] = deque(maxlen=MAX_FOLDERS)
        self._unreadable: dict[str, datetime] = {}
        self._chores_due_s = 0.0
        self._is_clean = False

    def close(self) -> None:
        """Give up what is on its way."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def turn(self) -> bool:
        """Send some of what is due; True where there was something. Raises Unavailable where the database is away."""
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        self._unreadable = {path: at for path, at in self._unreadable.items() if now - at < UNREADABLE_AGAIN}
        due = self._schedule.look(now, budget_s=SWEEP_BUDGET_S, clock=self._clock, skip=self._unreadable)
        self._lateness.note_waiting(self._schedule.waiting(), unreadable=len(self._unreadable))
        if self._lateness.is_waiting(now_s):
            self._lateness.beat(now)
            return False
        try:
            self._prepare()
            chosen = self._choose(due, now)
            is_busy = self._send(chosen)
            if now_s >= self._chores_due_s:
                self._chores_due_s = now_s + CHORES_EVERY_S
                self._delete_old(now)
                self._set_holds()
            self._lateness.answered()
        except Stopped:
            return False
        except (Unavailable, Denied, Exhausted, NotFound, Conflict, DataLoss, Invalid) as problem:
            if (problem.code or "").startswith("database."):
                raise
            self._lateness.failed(problem, now=now, now_s=now_s)
            return False
        self._lateness.beat(now)
        return is_busy

    @property
    def _place(self) -> Place:
        assert self._opened is not None, "a turn opens it first"
        return self._opened

    def _prepare(self) -> None:
        self._opened = self._opened or self._open()
        self._place.check()
        if not self._is_clean:
            self._place.clean()
            self._is_clean = True

    def _choose(self, due: Sequence[Due], now: datetime) -> list[Due]:
        """What is sent in this turn: not what a listing finds there already."""
        chosen = list(due[:A_TURN])
        for folder in {prefix_of(one.segment.path) for one in chosen} - set(self._listed):
            adopted = self._adopt(folder, now)
            chosen = [one for one in chosen if (one.segment.path, one.segment.root) not in adopted]
            self._listed.append(folder)
        return chosen

    def _adopt(self, folder: str, now: datetime) -> set[tuple[str, str | None]]:
        """Give rows to the objects of a folder that have none: copies made before a crash, or before a database."""
        sizes = {one.key: one.size_bytes for one in self._place.list_keys(folder)}
        named = {read_key(key): size for key, size in sizes.items()}
        wanted = {(name.path, name.root): size for name, size in named.items() if name is not None}
        if not wanted:
            return set()
        with self._around.database.read() as connection:
            rows = self._schedule.list_missing_in(connection, folder)
        found = [row for row in rows if wanted.get((row.path, row.root or "")) == row.size_bytes]
        versions = {row.path: self._place.version_of(_key(row)) for row in found}
        with self._around.database.begin() as connection:
            store.put_copies(connection, [self._copy_of(row, now=now, version=versions[row.path]) for row in found])
        if found:
            log.info("video.copies_adopted", target=self.target.name, folder=folder, copies=len(found))
            self._schedule.forget(found)
        return {(row.path, row.root) for row in found}

    def _send(self, chosen: Sequence[Due]) -> bool:
        """Send some side by side, and no new ones once the turn is long: what is protected meanwhile must not wait.

        The rows of those that arrived are written at once, whatever becomes of the others.
        """
        queue, flying = deque(chosen), dict[Future[Copy | None], Due]()
        began_s, sent = self._clock.monotonic_s(), 0
        problem: Exception | None = None
        while queue or flying:
            is_open = problem is None and self._clock.monotonic_s() - began_s < TURN_S
            while queue and is_open and len(flying) < AT_ONCE:
                due = queue.popleft()
                flying[self._pool.submit(self._send_one, due)] = due
            if not flying:
                break
            done, _ = wait(flying, timeout=BEAT_S, return_when=FIRST_COMPLETED)
            outcomes = [self._outcome(one) for one in done]
            problem = problem or next((one for one in outcomes if isinstance(one, Exception)), None)
            sent += self._settle([one for one in outcomes if isinstance(one, Copy)], [flying.pop(one) for one in done])
            self._lateness.beat(self._clock.now())
        if problem is not None:
            raise problem
        return sent > 0

    def _settle(self, arrived: Sequence[Copy], sent: Sequence[Due]) -> int:
        if arrived:
            with self._around.database.begin() as connection:
                store.put_copies(connection, arrived)
            keys = {row.key for row in arrived}
            self._schedule.forget([one.segment for one in sent if _key(one.segment) in keys])
            self._lateness.note_copied(arrived)
        return len(arrived)

    def _outcome(self, future: "Future[Copy | None]") -> Copy | Exception | None:
        try:
            return future.result()
        except (Problem, Stopped) as problem:
            return problem

    def _send_one(self, due: Due) -> Copy | None:
        """Copy one segment; None where it cannot be read here, which is told and tried again in an hour."""
        segment = due.segment
        try:
            file = open_segment(self._around.volumes, segment)
        except (NotFound, Unavailable, Invalid, OSError) as error:
            return self._set_aside(due, error)
        with file:
            pieces = _Guarded(self._paced(read_pieces(file, segment)))
            try:
                stored = self._place.put(_key(segment), pieces)
            except (Problem, OSError):
                if pieces.problem is None:
                    raise
                return self._set_aside(due, pieces.problem)
        now = self._clock.now()
        lag_s = max(0.0, (now - due.due_at).total_seconds())
        return self._copy_of(segment, now=now, due=due, version=stored.version, lag_s=lag_s)

    def _set_aside(self, due: Due, error: Exception) -> None:
        log.error("video.copy_source_unreadable", path=due.segment.path, kind=type(error).__name__)
        if len(self._unreadable) < MAX_UNREADABLE:
            self._unreadable[due.segment.path] = self._clock.now()

    def _paced(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces, no faster than the place may be sent them; raises Stopped when the process ends."""
        for piece in pieces:
            for at in range(0, len(piece), PACED_BYTES):
                part = piece[at : at + PACED_BYTES]
                wait_s = 0.0
                if self._bucket is not None:
                    with self._bucket_lock:
                        wait_s = self._bucket.take(len(part), now_s=self._clock.monotonic_s())
                if self._around.stop.wait(wait_s) if wait_s else self._around.stop.is_set():
                    raise Stopped
                yield part

    def _copy_of(
        self,
        segment: Segment,
        *,
        now: datetime,
        due: Due | None = None,
        version: str | None = None,
        lag_s: float | None = None,
    ) -> Copy:
        assert segment.root is not None
        return Copy(
            target=self.target.name,
            camera=segment.camera,
            stream=segment.stream,
            started_at=segment.started_at,
            durable_until=segment.durable_until,
            key=_key(segment),
            version=version,
            root=segment.root,
            size_bytes=segment.size_bytes,
            state=CopyState.COPIED,
            protection=self._schedule.protection_of(segment) if due is None else due.protection,
            is_held=False,
            copied_at=now,
            lag_s=lag_s,
            verified_at=None,
        )

    def _delete_old(self, now: datetime) -> None:
        """Take away what is older than the place keeps and nothing protects: mark, delete, drop the row."""
        database, name = self._around.database, self.target.name
        allowed = is_unprotected(now)
        with database.begin() as connection:
            video_store.take_turn(connection)
            before = now - self.target.keep
            old = store.list_older(connection, name, before=before, allowed=allowed, limit=DELETED_A_TURN)
            store.mark_deleting(connection, old, allowed=allowed)
            begun = store.list_deleting(connection, name, limit=DELETED_A_TURN)
        gone: list[Copy] = []
        for row in begun:
            try:
                self._place.delete(row.key, row.version)
            except Conflict:
                log.error("video.copy_locked", target=name, key=row.key)
                continue
            gone.append(row)
        if gone:
            with database.begin() as connection:
                store.drop_copies(connection, gone)

    def _set_holds(self) -> None:
        """Put legal holds on the copies of what is held, and lift those whose reason is gone; the row follows."""
        if not self.target.has_object_lock:
            return
        database, name, c = self._around.database, self.target.name, store.copies.c
        with database.read() as connection:
            fresh = store.list_where(
                connection, name, condition=sa.and_(c.is_held.is_(False), is_on_hold()), limit=HELD_A_TURN
            )
            ended = store.list_where(
                connection, name, condition=sa.and_(c.is_held.is_(True), ~is_on_hold()), limit=HELD_A_TURN
            )
        for row, is_held in [*((one, True) for one in fresh), *((one, False) for one in ended)]:
            try:
                self._place.hold(row.key, row.version, is_held=is_held)
            except NotFound:
                with database.begin() as connection:
                    store.mark_bad(connection, row)
                continue
            with database.begin() as connection:
                store.set_held(connection, row, is_held=is_held)


def _key(segment: Segment) -> str:
    assert segment.root is not None, "only closed segments are due"
    return key_of(segment.path, segment.root)


class _Guarded:
    """Pieces that remember whether it was they who failed, and not the place they went to."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.problem: Exception | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except (DataLoss, OSError) as error:
            self.problem = error
            raise

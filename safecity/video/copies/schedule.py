"""Which segments one place is sent next: what is protected, the longest waiting first; then the newest of others."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from safecity.platform.clock import EPOCH, Clock
from safecity.platform.database import Database
from safecity.sites.model import CameraId
from safecity.video import store as video_store
from safecity.video.copies import store
from safecity.video.copies.backlog import (
    FRESH_SLICES,
    SLICE,
    find_newest,
    has_copy,
    list_due_protected,
    list_protected,
    read_slice,
    slice_of,
)
from safecity.video.copies.model import (
    Due,
    Policy,
    Protected,
    Protection,
    Target,
    Waiting,
    add_waiting,
    due_at,
    order_of,
    protection_of,
)
from safecity.video.model import Segment, SegmentState, Stream

FRESH_EVERY_S = 2.0
PROTECTED_EVERY_S = 5.0
SLICES_TRIED = 5  # older ones read in one turn for something to send
STUCK_FOR = timedelta(hours=1)
ENOUGH = 64  # segments that are enough for a turn


class Schedule:
    """What one place lacks, as far as it has been looked for."""

    def __init__(self, target: Target, database: Database) -> None:
        self._target = target
        self._database = database
        self._wants_all = target.policy is Policy.ALL
        self._protected: list[Due] = []
        self._protected_sum = Waiting()
        self._intervals: list[Protected] = []
        self._rows: dict[datetime, list[Segment]] = {}  # of the fresh slices, and of the older one being worked on
        self._sums: dict[datetime, Waiting] = {}  # of every slice in which something waits
        self._stuck: dict[datetime, datetime] = {}
        self._swept_to: datetime | None = None
        self._fresh_due_s = 0.0
        self._protected_due_s = 0.0
        self.since = EPOCH

    def look(self, now: datetime, *, budget_s: float, clock: Clock, skip: Collection[str] = ()) -> list[Due]:
        """What is to be sent next, in this order; `skip` are paths that cannot be read. Raises Unavailable."""
        now_s = clock.monotonic_s()
        with self._database.read() as connection:
            self._read_since(connection, now)
            if now_s >= self._protected_due_s:
                self._protected_due_s = now_s + PROTECTED_EVERY_S
                self._intervals = list_protected(connection, self._target.policy, now=now)
                self._protected_sum, self._protected = list_due_protected(
                    connection, self._target, since=self.since, now=now
                )
            if self._wants_all:
                self._look_at_slices(connection, now, now_s=now_s)
                while clock.monotonic_s() - now_s < budget_s and self._sweep(connection, now):
                    pass
                self._fill(connection, now, skip=skip)
        known = {one.segment.path for one in self._protected}
        others = [
            Due(
                segment=row,
                protection=Protection.NONE,
                due_at=due_at(row, target_since=self.since, protected_since=None),
            )
            for rows in self._rows.values()
            for row in rows
            if row.path not in known
        ]
        return sorted((one for one in [*self._protected, *others] if one.segment.path not in skip), key=order_of)

    def waiting(self) -> Waiting:
        """What is known to wait, in sum; what is protected is counted once more where it lies in a slice, too."""
        sums = add_waiting(self._sums.values())
        if not self._wants_all:
            return self._protected_sum
        return Waiting(
            segments=max(sums.segments, self._protected_sum.segments),
            size_bytes=max(sums.size_bytes, self._protected_sum.size_bytes),
            oldest_at=min((one for one in (sums.oldest_at, self._protected_sum.oldest_at) if one), default=None),
            oldest_protected_at=self._protected_sum.oldest_protected_at,
        )

    def protection_of(self, segment: Segment) -> Protection:
        """How firmly a segment must be kept, as far as was looked."""
        return Protection.HELD if segment.is_held else protection_of(segment, self._intervals)[0]

    def forget(self, segments: Sequence[Segment]) -> None:
        """They need not be sent any more."""
        paths = {one.path for one in segments}
        left = [one for one in self._protected if one.segment.path not in paths]
        gone = sum(one.segment.size_bytes for one in self._protected) - sum(one.segment.size_bytes for one in left)
        self._protected_sum = _less(self._protected_sum, len(self._protected) - len(left), gone, oldest=_oldest(left))
        self._protected = left
        for start in {slice_of(one.started_at) for one in segments} & set(self._sums):
            mine = [one for one in segments if slice_of(one.started_at) == start]
            rows = [row for row in self._rows.get(start, []) if row.path not in paths]
            ends = min((max(row.durable_until, self.since) for row in rows), default=None)
            size_bytes = sum(one.size_bytes for one in mine)
            self._note(start, _less(self._sums[start], len(mine), size_bytes, oldest=ends))
            if rows:
                self._rows[start] = rows
            else:
                self._rows.pop(start, None)  # read anew, with what came in meanwhile

    def list_missing_in(self, connection: Connection, folder: str) -> list[Segment]:
        """The closed segments of a folder (camera, stream, day) that have no copy in this place."""
        camera, stream, day = folder.split("/")
        from_at = datetime.fromisoformat(f"{day}T00:00:00+00:00")
        c = video_store.segments.c
        statement = sa.select(video_store.segments).where(
            c.camera == CameraId(camera),
            c.stream == Stream(stream).value,
            c.started_at >= from_at - SLICE,
            c.started_at < from_at + timedelta(days=1) + SLICE,
            c.state == SegmentState.CLOSED.value,
            ~has_copy(self._target.name),
        )
        return [video_store.segment_of(row) for row in connection.execute(statement).mappings()]

    def _read_since(self, connection: Connection, now: datetime) -> None:
        if self.since == EPOCH:
            found = store.find_target(connection, self._target.name)
            self.since = now if found is None else found.first_at

    def _look_at_slices(self, connection: Connection, now: datetime, *, now_s: float) -> None:
        """Read the newest slices anew."""
        if now_s < self._fresh_due_s:
            return
        self._fresh_due_s = now_s + FRESH_EVERY_S
        newest = slice_of(now)
        fresh = [newest + SLICE - SLICE * number for number in range(FRESH_SLICES + 1)]
        working = max((start for start in self._rows if start < fresh[-1]), default=None)
        self._rows = {start: rows for start, rows in self._rows.items() if start == working}
        for start in fresh:
            self._read(connection, start, now=now)

    def _sweep(self, connection: Connection, now: datetime) -> bool:
        """Count what waits in the next older slice; False at the end of a round."""
        if self._swept_to is None:
            self._swept_to = slice_of(now) - SLICE * (FRESH_SLICES - 1)
        newest = find_newest(connection, before=self._swept_to)
        if newest is None:
            self._swept_to = None
            return False
        self._swept_to = slice_of(newest)
        if self._swept_to not in self._rows:
            waiting, _ = read_slice(connection, self._target, from_at=self._swept_to, since=self.since, now=now)
            self._note(self._swept_to, waiting)
        return True

    def _fill(self, connection: Connection, now: datetime, *, skip: Collection[str]) -> None:
        """Where fresh slices and what is protected leave room, take from the newest older one that has something."""
        ready = len(self._protected) + sum(1 for rows in self._rows.values() for row in rows if row.path not in skip)
        self._stuck = {start: at for start, at in self._stuck.items() if now - at < STUCK_FOR}
        for start in sorted(self._sums, reverse=True)[: SLICES_TRIED + len(self._stuck)]:
            if ready >= ENOUGH:
                return
            if start in self._stuck or self._rows.get(start):
                continue
            found = [row for row in self._read(connection, start, now=now) if row.path not in skip]
            if not found:
                self._rows.pop(start, None)
                if start in self._sums:
                    self._stuck[start] = now
            ready += len(found)

    def _read(self, connection: Connection, start: datetime, *, now: datetime) -> list[Segment]:
        waiting, rows = read_slice(connection, self._target, from_at=start, since=self.since, now=now)
        self._note(start, waiting)
        self._rows[start] = rows
        if not rows:
            del self._rows[start]
        return rows

    def _note(self, start: datetime, waiting: Waiting) -> None:
        if waiting.segments > 0:
            self._sums[start] = waiting
        else:
            self._sums.pop(start, None)


def _less(waiting: Waiting, segments: int, size_bytes: int, *, oldest: datetime | None) -> Waiting:
    """What is left once some of it is done; the oldest is known of what is still in memory alone."""
    left = max(0, waiting.segments - segments)
    is_protected = waiting.oldest_protected_at is not None
    at = (oldest or waiting.oldest_at) if left else None
    return Waiting(
        segments=left,
        size_bytes=max(0, waiting.size_bytes - size_bytes),
        oldest_at=at,
        oldest_protected_at=at if is_protected else None,
    )


def _oldest(due: Sequence[Due]) -> datetime | None:
    return min((one.due_at for one in due), default=None)

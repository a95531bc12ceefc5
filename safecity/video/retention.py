"""Deletes recordings by age and by disk, the oldest of all cameras first; never an open segment, never a held one.

Each volume keeps a reserve of its own by what is oldest on it; the budget of all is kept by what is oldest anywhere.

Crash-safe order: the row is marked `deleting` (from then on nobody is shown it), the file goes, the row goes. Whatever
a crash leaves is finished by the next run; a file that is already gone is fine.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from safecity.events import state_fact
from safecity.events.video import RecordingsDeleted, UncopiedDeleted
from safecity.platform.database import Database
from safecity.platform.ids import fact_id
from safecity.platform.settings import VideoSettings
from safecity.video import store
from safecity.video.copies.backlog import is_owed
from safecity.video.copies.model import list_targets
from safecity.video.model import Segment
from safecity.video.totals import read_totals
from safecity.video.volume_store import is_not_on, is_on
from safecity.video.volumes import Volume, Volumes, holds

log = structlog.get_logger()

BATCH = 500  # segments in one transaction
MAX_BATCHES = 40  # in one run; the next run goes on
GB = 1_000_000_000
KEPT_FOR_RESERVE = timedelta(hours=1)
STEP = timedelta(hours=1)
WAIT_AFTER_STEP_S = 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskUse:
    """What recordings use and what the disk still has."""

    used_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSummary:
    """What one run did; `short_bytes` is what it could not free because the rest is held or open."""

    deleted_by_age: int
    deleted_by_disk: int
    freed_bytes: int
    finished: int  # deletions that an earlier run had begun
    short_bytes: int
    is_done: bool  # False where the next run has to go on


def excess_bytes(use: DiskUse, *, budget_bytes: int | None, reserve_bytes: int) -> int:
    """How much has to go so that recordings keep their budget and the disk its reserve; 0 when all is well."""
    over_budget = 0 if budget_bytes is None else use.used_bytes - budget_bytes
    return max(0, over_budget, reserve_bytes - use.free_bytes)


def choose_for_space(oldest: Sequence[Segment], *, excess: int) -> list[Segment]:
    """The first segments, in the given order, that free at least `excess` bytes."""
    chosen: list[Segment] = []
    for segment in oldest:
        if excess <= 0:
            break
        chosen.append(segment)
        excess -= segment.size_bytes
    return chosen


class AgeTrust:
    """Whether the wall clock may decide what is old enough to go.

    A clock that jumps forward by a month would take every recording with it within minutes. So after a step of `STEP`
    nothing is deleted by age for a day, in which somebody can put the clock right; deleting by disk goes on. A machine
    that slept looks the same and only waits, too.
    """

    def __init__(self, now: datetime, *, monotonic_s: float) -> None:
        self._ahead = now - timedelta(seconds=monotonic_s)
        self._stepped_s: float | None = None

    def allows(self, now: datetime, *, monotonic_s: float) -> bool:
        """Ask at each run."""
        ahead = now - timedelta(seconds=monotonic_s)
        if ahead - self._ahead >= STEP:
            log.error("video.retention_waits", stepped_s=round((ahead - self._ahead).total_seconds()))
            self._stepped_s = monotonic_s
        elif self._ahead - ahead >= STEP:
            self._stepped_s = None  # it was put right
        self._ahead = ahead
        return self._stepped_s is None or monotonic_s - self._stepped_s >= WAIT_AFTER_STEP_S


class Keeper:
    """Retention of one installation's volumes."""

    def __init__(
        self, database: Database, settings: VideoSettings, *, volumes: Volumes, source: str = "keeper"
    ) -> None:
        self._database = database
        self._settings = settings
        self._volumes = volumes
        self._source = source
        self._targets = list_targets(settings)

    def run_once(self, now: datetime, *, by_age: bool = True) -> RetentionSummary:
        """Finish begun deletions, then delete what is too old (unless told not to), then what the disk needs.

        Raises Unavailable when the database does not answer. A file that cannot be deleted stays marked and is tried
        again by the next run.
        """
        finished = self._finish_begun()
        old, freed_by_age, is_age_done = self._delete_old(now) if by_age else (0, 0, True)
        by_disk, freed_by_disk, short, is_disk_done = self._delete_for_space(now)
        return RetentionSummary(
            deleted_by_age=old,
            deleted_by_disk=by_disk,
            freed_bytes=freed_by_age + freed_by_disk,
            finished=finished,
            short_bytes=short,
            is_done=is_age_done and is_disk_done,
        )

    def _finish_begun(self) -> int:
        finished = 0
        for _ in range(MAX_BATCHES):
            with self._database.read() as connection:
                begun = store.list_deleting(connection, limit=BATCH)
            gone = self._unlink(begun)
            with self._database.begin() as connection:
                store.drop_segments(connection, gone)
            finished += len(gone)
            if not gone:
                break
        return finished

    def _delete_old(self, now: datetime) -> tuple[int, int, bool]:
        before = now - timedelta(days=self._settings.retention_days)
        count = freed = 0
        for _ in range(MAX_BATCHES):
            with self._database.read() as connection:
                copied = ~is_owed(self._targets, now=now)
                old = store.list_oldest(connection, limit=BATCH, before=before, allowed=[copied, self._is_there()])
            gone = self._delete(old, "age", now)
            count, freed = count + len(gone), freed + sum(one.size_bytes for one in gone)
            if not gone:
                return count, freed, True
        return count, freed, False

    def _delete_for_space(self, now: datetime) -> tuple[int, int, int, bool]:
        """Each volume's reserve by what is on it, then the budget of all by what is oldest on any."""
        count = freed = short = 0
        is_done = True
        for volume in [*self._there(), None]:
            more = self._delete_on(volume, now)
            count, freed, short = count + more[0], freed + more[1], max(short, more[2])
            is_done = is_done and more[3]
        return count, freed, short, is_done

    def _delete_on(self, volume: Volume | None, now: datetime) -> tuple[int, int, int, bool]:
        """Free what one volume's reserve needs, or, without one, what the budget needs."""
        count = freed = 0
        for _ in range(MAX_BATCHES):
            with self._database.read() as connection:
                excess = self._excess(connection, volume)
                # Where others fill the disk, the last hour is not given for them: the alarm must reach someone first.
                before = None if volume is None else now - KEPT_FOR_RESERVE
                copied = ~is_owed(self._targets, now=now)
                oldest = self._oldest(connection, volume, before=before, allowed=[copied]) if excess else []
                chosen = choose_for_space(oldest, excess=excess)
                if not chosen and excess and self._targets:
                    # Nothing that is copied is left: the disk comes first, and this is told.
                    chosen = choose_for_space(self._oldest(connection, volume, before=before), excess=excess)
                    self._tell_uncopied(chosen, now)
            if excess and not chosen:
                log.warning("video.retention_short", volume=None if volume is None else volume.id, short_bytes=excess)
                return count, freed, excess, True
            gone = self._delete(chosen, "disk", now)
            count, freed = count + len(gone), freed + sum(one.size_bytes for one in gone)
            if not gone:
                return count, freed, excess, True
        return count, freed, 0, False

    def _tell_uncopied(self, rows: Sequence[Segment], now: datetime) -> None:
        if not rows:
            return
        fact = UncopiedDeleted(
            segments=len(rows),
            size_bytes=sum(one.size_bytes for one in rows),
            oldest_at=rows[0].started_at,
            newest_at=rows[-1].durable_until,
        )
        log.error("video.uncopied_deleted", segments=fact.segments, size_bytes=fact.size_bytes)
        with self._database.begin() as connection:
            name = fact_id(fact.type, rows[0].path, rows[-1].path, len(rows))
            state_fact(connection, fact, id=name, source=self._source, time=now, subject="recordings")

    def _excess(self, connection: Connection, volume: Volume | None) -> int:
        if volume is not None:
            try:
                free_bytes = shutil.disk_usage(volume.directory).free
            except OSError:
                return 0
            use = DiskUse(used_bytes=0, free_bytes=free_bytes)
            return excess_bytes(use, budget_bytes=None, reserve_bytes=int(self._settings.reserve_gb * GB))
        if self._settings.disk_gb is None:
            return 0
        use = DiskUse(used_bytes=read_totals(connection).size_bytes, free_bytes=0)
        return excess_bytes(use, budget_bytes=int(self._settings.disk_gb * GB), reserve_bytes=0)

    def _oldest(
        self, connection: Connection, volume: Volume | None, *, before: datetime | None, allowed: store.Conditions = ()
    ) -> list[Segment]:
        """The oldest on a volume. Rows from before there were volumes are on the first, as far as it has them."""

        def list_on(where: sa.ColumnElement[bool]) -> list[Segment]:
            return store.list_oldest(connection, limit=BATCH, before=before, allowed=[*allowed, where])

        if volume is None:
            return list_on(self._is_there())
        mine = [row for row in list_on(is_on(None)) if holds(volume, row.path)]
        return sorted([*list_on(is_on(volume.id)), *mine], key=lambda row: row.started_at)[:BATCH]

    def _there(self) -> list[Volume]:
        return [one for one in self._volumes.list_volumes() if one.is_there()]

    def _is_there(self) -> sa.ColumnElement[bool]:
        """Not on a volume whose disk is away: its rows stay for the files that may come back."""
        return is_not_on([one.id for one in self._volumes.list_volumes() if not one.is_there()])

    def _delete(self, rows: Sequence[Segment], reason: Literal["age", "disk"], now: datetime) -> list[Segment]:
        """Mark, unlink, drop; returns the rows that are gone."""
        if not rows:
            return []
        with self._database.begin() as connection:
            begun = store.mark_deleting(connection, rows)
        gone = self._unlink(begun)
        if not gone:
            return []
        fact = RecordingsDeleted(
            reason=reason,
            segments=len(gone),
            size_bytes=sum(one.size_bytes for one in gone),
            oldest_at=min(one.started_at for one in gone),
            newest_at=max(one.durable_until for one in gone),
        )
        with self._database.begin() as connection:
            store.drop_segments(connection, gone)
            state_fact(
                connection,
                fact,
                id=fact_id(fact.type, reason, gone[0].path, gone[-1].path, len(gone)),
                source=self._source,
                time=now,
                subject="recordings",
            )
        log.info("video.recordings_deleted", reason=reason, segments=len(gone), size_bytes=fact.size_bytes)
        return gone

    def _unlink(self, rows: Sequence[Segment]) -> list[Segment]:
        gone: list[Segment] = []
        folders: set[Path] = set()
        for row in rows:
            volume = self._volumes.volume_of(row)
            if not volume.is_there():
                continue  # the row stays for the file on a disk that is away
            path = volume.directory / row.path
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                log.error("video.deletion_failed", path=row.path, errno=error.errno)
                continue
            folders.add(path.parent)
            gone.append(row)
        for folder in folders:
            # Only an empty day goes; one that a recorder has just filled again refuses.
            if folder.is_dir() and not any(folder.iterdir()):
                try:
                    folder.rmdir()
                except OSError:
                    continue
        return gone

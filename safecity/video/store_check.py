"""`store check`: files, hashes, chain, index and gaps of everything recorded, a stream's day at a time.

It remembers what was verified when, takes what was longest unverified first, and goes on where it stopped. It changes
nothing but its own notes, the totals of a day it has counted, and a root that was left open when an index was rebuilt;
mending is asked for (`store_mend.py`). Recorders may record meanwhile: an open segment is verified as far as the index
says it is durable, and a flaw is believed only when the row still says what it said.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.errors import Invalid
from safecity.sites.model import CameraId
from safecity.video import check_store, store
from safecity.video.check_store import UNCHECKED, Day, DayCheck
from safecity.video.day_rules import Finding, compare_rows, list_endless
from safecity.video.file_verify import FILE_FLAWS, FileFlaw, FileReport, Flaw, verify_file
from safecity.video.model import Segment, SegmentState, Stream
from safecity.video.recovery import DAMAGED_SUFFIX
from safecity.video.reindex import SETTLED_AFTER, list_days, read_known
from safecity.video.totals import list_stream_days, recount_day
from safecity.video.volumes import Volume, Volumes

BATCH = 25  # segments between two notes of how far it is
MAX_LISTED = 1000  # findings in one report
ROWS_SETTLE = timedelta(hours=1)  # so long after its end a day may still get rows
ROW_FLAWS = FILE_FLAWS | {Flaw.OVERLAP, Flaw.CHAIN, Flaw.HOLE}
DAY_FLAWS = frozenset({Flaw.UNKNOWN, Flaw.ENDLESS})
STEP = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPlan:
    """What one run looks at, and when it stops."""

    verified_within: timedelta = timedelta(0)  # days that were wholly checked so recently are left out
    since: date | None = None
    cameras: frozenset[CameraId] = frozenset()  # empty: all
    budget_s: float | None = None
    max_segments: int | None = None
    max_bytes: int | None = None


@dataclass(slots=True, kw_only=True)
class CheckReport:
    """What one run found."""

    days: int = 0  # finished
    segments: int = 0
    read_bytes: int = 0
    away: int = 0  # segments on volumes whose disk is not there now
    set_aside: int = 0  # files that recovery could not use and kept as .damaged
    roots_filled: int = 0
    totals_corrected: int = 0
    left: int = 0  # days that this run did not come to
    counts: Counter[Flaw] = field(default_factory=Counter[Flaw])
    findings: list[Finding] = field(default_factory=list[Finding])

    def add(self, findings: Iterable[Finding]) -> None:
        """Take in findings; the list is bounded, the counts are not."""
        for one in findings:
            self.counts[one.kind] += 1
            if len(self.findings) < MAX_LISTED:
                self.findings.append(one)


class StoreCheck:
    """Checks one installation's recordings. `progress` is told days done and days in all after each batch."""

    def __init__(
        self,
        database: Database,
        volumes: Volumes,
        *,
        clock: Clock,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._database = database
        self._volumes = volumes
        self._clock = clock
        self._progress = progress or _tell_nobody

    def run(self, plan: CheckPlan) -> CheckReport:
        """Check until everything in the plan is checked or its budget is used. Raises Unavailable."""
        report = CheckReport()
        due = self.list_due(plan, now=self._clock.now())
        report.left = len(self.run_days(due, plan, report=report))
        with self._database.begin() as connection:
            check_store.forget_mended(connection, now=self._clock.now())
        return report

    def run_days(
        self, due: Sequence[tuple[Day, DayCheck]], plan: CheckPlan, *, report: CheckReport
    ) -> list[tuple[Day, DayCheck]]:
        """Check these days until the plan's budget is used; returns those that are left. Raises Unavailable."""
        begun_s = self._clock.monotonic_s()

        def is_over() -> bool:
            return (
                (plan.budget_s is not None and self._clock.monotonic_s() - begun_s >= plan.budget_s)
                or (plan.max_segments is not None and report.segments >= plan.max_segments)
                or (plan.max_bytes is not None and report.read_bytes >= plan.max_bytes)
            )

        for number, (day, state) in enumerate(due):
            now_at = None if is_over() else self._check_day(day, state, report=report, is_over=is_over)
            if now_at is None:
                return list(due[number:])
            if now_at is not state:
                return [(day, now_at), *due[number + 1 :]]
            self._progress(number + 1, len(due))
        return []

    def list_due(self, plan: CheckPlan, *, now: datetime) -> list[tuple[Day, DayCheck]]:
        """The days to check, longest unverified first; days that nothing is left of are forgotten."""
        there: set[Day] = set()
        for _, key, name in list_days(self._volumes):
            try:
                there.add((key, date.fromisoformat(name)))
            except ValueError:
                continue
        with self._database.begin() as connection:
            indexed = list_stream_days(connection)
            there |= {((CameraId(camera), Stream(stream)), day) for camera, stream, day in indexed}
            checks = check_store.read_checks(connection)
            if all(one.is_there() for one in self._volumes.list_volumes()):
                check_store.drop_checks(connection, [day for day in checks if day not in there])
        due = [
            (day, checks.get(day, UNCHECKED))
            for day in there
            if (plan.since is None or day[1] >= plan.since) and (not plan.cameras or day[0][0] in plan.cameras)
        ]
        due = [one for one in due if one[1].checked_at is None or now - one[1].checked_at >= plan.verified_within]
        return sorted(due, key=lambda one: (one[1].checked_at or begin_of(one[0][1]), one[0]))

    def _check_day(self, day: Day, state: DayCheck, *, report: CheckReport, is_over: Callable[[], bool]) -> DayCheck:
        """Check a day on from where it was left; gives back what it was given where it came to the day's end."""
        key, of_day = day
        given = state
        begin, end = begin_of(of_day), begin_of(of_day) + timedelta(days=1)
        if state.checked_until is None:
            state = replace(state, segments=0, read_bytes=0)
        after = state.checked_until or begin - STEP
        is_growing = self._clock.now() < end + ROWS_SETTLE
        while True:
            with self._database.read() as connection:
                rows = check_store.list_rows_after(connection, key, after=after, before=end, limit=BATCH)
            if not rows:
                break
            state = self._check_batch(day, rows, state=state, report=report)
            after = rows[-1].started_at
            is_growing = is_growing or any(one.state is SegmentState.OPEN for one in rows)
            if is_over():
                return state
        self._end_day(day, state, is_growing=is_growing, report=report)
        return given

    def _check_batch(self, day: Day, rows: Sequence[Segment], *, state: DayCheck, report: CheckReport) -> DayCheck:
        key = day[0]
        found: list[Finding] = []
        roots: list[tuple[Segment, str]] = []
        read_bytes = 0
        for row in rows:
            checked = self._check_file(row, report)
            if checked is None:
                continue
            read_bytes += checked.read_bytes
            found += [finding_of(row, flaw) for flaw in checked.flaws]
            if row.state is SegmentState.CLOSED and row.root is None and checked.is_sound and checked.root:
                roots.append((row, checked.root))
        closed = [one for one in rows if one.state is SegmentState.CLOSED]
        now = self._clock.now()
        with self._database.begin() as connection:
            previous = store.find_last_segment(connection, *key, before=rows[0].started_at)
            ordered = [*([previous] if previous else []), *rows]
            span = (ordered[0].started_at, rows[-1].durable_until)
            outages = store.list_outages(connection, *key, from_at=span[0], to_at=span[1])
            deleted_until = check_store.find_deleted_until(connection, key)
            found += compare_rows(ordered, outages, deleted_until=deleted_until)
            start = min(rows[0].started_at, previous.durable_until) if previous else rows[0].started_at
            within = (start, rows[-1].started_at)
            check_store.put_findings(connection, key, found, kinds=ROW_FLAWS, within=within, now=now)
            for row, root in roots:
                check_store.fill_root(connection, row, root)
            until = closed[-1].started_at if closed else state.checked_until
            state = replace(
                state,
                checked_until=until,
                segments=state.segments + len(rows),
                read_bytes=state.read_bytes + read_bytes,
            )
            check_store.put_check(connection, day, state)
        report.segments += len(rows)
        report.read_bytes += read_bytes
        report.roots_filled += len(roots)
        report.add(found)
        return state

    def _check_file(self, row: Segment, report: CheckReport) -> FileReport | None:
        """What is wrong with a segment's file; None where its disk is away or the row went meanwhile."""
        for _ in range(3):
            found = self._verify(row)
            if found is None:
                report.away += 1
                return None
            if found.is_sound:
                return found
            with self._database.read() as connection:
                current = check_store.find_row(connection, row)
            if current is None:
                return None  # retention took it
            if current == row:
                return found
            row = current
        return None

    def _verify(self, row: Segment) -> FileReport | None:
        try:
            volume = self._volumes.volume_of(row)
            if not volume.is_there():
                return None
            with (volume.directory / row.path).open("rb", buffering=0) as file:
                found = verify_file(file, row)
                # Read once in a month: it must not push out what is being recorded or watched.
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                return found
        except FileNotFoundError:
            return _flawed(Flaw.MISSING, "the file is not there")
        except Invalid as problem:
            return _flawed(Flaw.MISSING, problem.message)
        except OSError as error:
            return _flawed(Flaw.UNREADABLE, f"the disk does not give it: {error.strerror}")

    def _end_day(self, day: Day, state: DayCheck, *, is_growing: bool, report: CheckReport) -> None:
        key, of_day = day
        begin, now = begin_of(of_day), self._clock.now()
        with self._database.read() as connection:
            _, starts = read_known(connection, key, of_day.isoformat())
            outages = store.list_open_outages(connection, *key)
            newest = store.find_last_segment(connection, *key, before=now + timedelta(days=1))
        found: list[Finding] = []
        for volume in self._volumes.list_volumes():
            if volume.is_there():
                found += _unknown_files(volume, day, set(starts), now=now, report=report)
        if newest is not None:
            endless = list_endless(outages, recorded_until=newest.durable_until, key=key)
            found += [one for one in endless if begin <= one.at < begin + timedelta(days=1)]
        with self._database.begin() as connection:
            within = (begin, begin + timedelta(days=1) - STEP)
            check_store.put_findings(connection, key, found, kinds=DAY_FLAWS, within=within, now=now)
            if not is_growing:
                report.totals_corrected += recount_day(connection, key, of_day)
                report.days += 1
                check_store.put_check(connection, day, replace(state, checked_until=None, checked_at=now))
        report.add(found)


def _unknown_files(volume: Volume, day: Day, known: set[str], *, now: datetime, report: CheckReport) -> list[Finding]:
    """Recordings in a day's folder that the index lacks, though they are not on their way to it."""
    key, of_day = day
    below = f"{key[0]}/{key[1].value}/{of_day.isoformat()}"
    found: list[Finding] = []
    try:
        entries = sorted(os.scandir(volume.directory / below), key=lambda one: one.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    for entry in entries:
        report.set_aside += entry.name.endswith(DAMAGED_SUFFIX)
        path = f"{below}/{entry.name}"
        if not entry.name.endswith(".mp4") or path in known:
            continue
        try:
            age_s = now.timestamp() - entry.stat().st_mtime
        except FileNotFoundError:
            continue
        if age_s > SETTLED_AFTER.total_seconds():
            detail = "a recording that the index does not know"
            found.append(Finding(key=key, at=begin_of(of_day), kind=Flaw.UNKNOWN, detail=detail, path=path))
    return found


def begin_of(day: date) -> datetime:
    """A UTC day's first instant."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def finding_of(row: Segment, flaw: FileFlaw) -> Finding:
    """A file's flaw as a finding."""
    return Finding(key=(row.camera, row.stream), at=row.started_at, kind=flaw.kind, detail=flaw.detail, path=row.path)


def _flawed(kind: Flaw, detail: str) -> FileReport:
    return FileReport(flaws=(FileFlaw(kind=kind, detail=detail),), root=None, read_bytes=0)


def _tell_nobody(done: int, of: int) -> None:
    """Progress that nobody looks at."""
    del done, of

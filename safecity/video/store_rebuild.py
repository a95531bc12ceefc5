"""`store rebuild`: the index from the files alone, by sizes and headers; what the files cannot say is told as lost.

Stream by stream, day by day, over all volumes. The root of a segment comes from the one after it, which names it; only
the last one of a session, which nobody names, is read and hashed, and whatever does not fit (a file that a crash cut
short) goes the careful way of `recovery.py`. Rows that are there stay as they are, so it can be run while recorders
record, and again. Outages, holds, marks and how far retention had deleted are only in the database: after its loss they
come from its backup, or not at all; holes are then unexplained until somebody says why.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from safecity.platform.database import Database
from safecity.video import store
from safecity.video.model import Segment, StreamKey
from safecity.video.quick_rows import find_root, read_quickly
from safecity.video.recovery import Restored, SetAside, finish_file, list_day
from safecity.video.reindex import list_days, read_known
from safecity.video.volumes import UNPREPARED, Volume, Volumes

BATCH = 500  # rows in one transaction
Found = tuple[Volume, Segment]


@dataclass(slots=True, kw_only=True)
class RebuildReport:
    """What was found in the files."""

    days: int = 0
    segments: int = 0  # rows made
    known: int = 0  # files whose rows were there
    by_headers: int = 0  # of the rows made: those that were not read whole
    set_aside: int = 0
    left: int = 0  # still written, or the disk does not give them
    away: int = 0  # volumes whose disk is not there


class Rebuild:
    """Makes rows for every recording that the index does not know."""

    def __init__(self, database: Database, volumes: Volumes, *, writer: str = "rebuild") -> None:
        self._database = database
        self._volumes = volumes
        self._writer = writer
        self._report = RebuildReport()

    def run(self, progress: Callable[[int, int], None]) -> RebuildReport:
        """Look at every file; `progress` is told days done and days in all. Raises Unavailable."""
        self._report.away = sum(1 for one in self._volumes.list_volumes() if not one.is_there())
        streams: dict[StreamKey, dict[str, list[Volume]]] = defaultdict(lambda: defaultdict(list))
        for volume, key, day in list_days(self._volumes):
            streams[key][day].append(volume)
        total = sum(len(days) for days in streams.values())
        for key in sorted(streams):
            rows = self._rows_of(key, streams[key], progress=lambda: self._tell(progress, total))
            for batch in _batches(self._with_roots(key, rows)):
                with self._database.begin() as connection:
                    store.put_segments(connection, batch)
                self._report.segments += len(batch)
        return self._report

    def _tell(self, progress: Callable[[int, int], None], total: int) -> None:
        self._report.days += 1
        progress(self._report.days, total)

    def _rows_of(
        self, key: StreamKey, days: dict[str, list[Volume]], *, progress: Callable[[], None]
    ) -> Iterator[Found]:
        """The unknown recordings of a stream in order of time, by their headers where that is enough."""
        for day in sorted(days):
            with self._database.read() as connection:
                _, rows = read_known(connection, key, day)
            known, starts = set(rows), set(rows.values())
            found: list[Found] = []
            for volume in days[day]:
                paths = list_day(volume.directory, key, day=day)
                self._report.known += sum(path in known for path in paths)
                found += [(volume, row) for row in self._read_all(volume, key, set(paths) - known)]
            for one in sorted(found, key=lambda one: one[1].started_at):
                if one[1].started_at not in starts:  # the same recording twice, or a foreign one: the first counts
                    starts.add(one[1].started_at)
                    yield one
            progress()

    def _read_all(self, volume: Volume, key: StreamKey, paths: Iterable[str]) -> Iterator[Segment]:
        for path in sorted(paths):
            try:
                row = read_quickly(volume.directory / path, path, key=key, writer=self._writer)
            except OSError:
                self._report.left += 1
                continue
            if row is not None:
                yield replace(row, volume=None if volume.id == UNPREPARED else volume.id)
                continue
            yield from self._read_whole(volume, path, key=key)

    def _read_whole(self, volume: Volume, path: str, *, key: StreamKey) -> Iterator[Segment]:
        outcome = finish_file(volume, path, key=key, writer=self._writer)
        if isinstance(outcome, Restored):
            yield outcome.row
        elif isinstance(outcome, SetAside):
            self._report.set_aside += 1
        else:
            self._report.left += 1

    def _with_roots(self, key: StreamKey, rows: Iterable[Found]) -> Iterator[Segment]:
        """Rows with their roots: named by the next one, else hashed."""
        earlier: Found | None = None
        for later in itertools.chain(rows, [None]):
            if earlier is not None:
                yield from self._with_root(key, earlier, later=None if later is None else later[1])
            earlier = later

    def _with_root(self, key: StreamKey, found: Found, *, later: Segment | None) -> Iterator[Segment]:
        volume, row = found
        if row.root is not None:
            yield row
            return
        root = find_root(row, later)
        if root is None:
            yield from self._read_whole(volume, row.path, key=key)
        else:
            self._report.by_headers += 1
            yield replace(row, root=root)


def _batches(rows: Iterable[Segment]) -> Iterator[list[Segment]]:
    """Rows for one transaction each."""
    rest = iter(rows)
    while batch := list(itertools.islice(rest, BATCH)):
        yield batch

"""Finds recordings that the index does not know, and indexes them: no lost database costs a recorded second.

A recorder looks at the newest files of its own cameras when it starts (`recovery.py`). What remains is found here, by
the keeper, a little at a time: older files of a database that was lost or restored, segments that did not fit into a
recorder's mailbox, cameras that are no longer recorded. So retention knows, counts and deletes these files too.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from safecity.events import state_fact
from safecity.events.video import SegmentRecovered, SegmentSetAside
from safecity.platform.database import Database
from safecity.platform.ids import fact_id
from safecity.sites.model import CameraId
from safecity.video import store
from safecity.video.model import SegmentState, Stream, StreamKey
from safecity.video.recovery import Restored, SetAside, finish_file, list_day
from safecity.video.volumes import Volume, Volumes

log = structlog.get_logger()

DAYS_A_RUN = 50  # folders compared in one run: 1,400 cameras with 30 days take under three hours
BYTES_A_RUN = 128 * 1024**2  # read and hashed in one run, which holds up the keeper's other chores
SETTLED_AFTER = timedelta(minutes=5)  # a younger file's row may still be on its way
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_Day = tuple[Volume, StreamKey, str]


@dataclass(slots=True, kw_only=True)
class _Found:
    """What one run found."""

    restored: list[tuple[StreamKey, Restored]] = field(default_factory=list[tuple[StreamKey, Restored]])
    set_aside: list[tuple[StreamKey, SetAside]] = field(default_factory=list[tuple[StreamKey, SetAside]])
    size_bytes: int = 0


class Reindexer:
    """Walks the volumes day by day, for ever; remembers where it is."""

    def __init__(self, database: Database, *, volumes: Volumes, source: str = "keeper") -> None:
        self._database = database
        self._volumes = volumes
        self._source = source
        self._days: list[_Day] = []

    def run_once(self, now: datetime) -> int:
        """Compare the next folders and index what was unknown in them; returns how many recordings that were.

        Raises Unavailable when the database does not answer.
        """
        found = _Found()
        for _ in range(DAYS_A_RUN):
            if not self._days:
                self._days = sorted(list_days(self._volumes), key=lambda one: one[2])  # the newest are taken first
            if not self._days:
                break
            if not self._compare(*self._days[-1], now=now, found=found):
                break  # the rest of this day is looked at in the next run
            self._days.pop()
            if not self._days:
                break
        self._write(found, now)
        return len(found.restored)

    def _compare(self, volume: Volume, key: StreamKey, day: str, *, now: datetime, found: _Found) -> bool:
        """Finish what one day's folder has and the index has not; False when this run has read enough."""
        try:
            there = list_day(volume.directory, key, day=day)
            paths = [path for path in there if _is_settled(volume, path, now)]
        except FileNotFoundError:
            return True
        if not paths:
            return True
        with self._database.read() as connection:
            finished, starts = read_known(connection, key, day)
        # From the newest back: a file that a disk had under way when it was given up ends where the next one begins.
        for path in [path for path in reversed(paths) if path not in finished]:
            if found.size_bytes >= BYTES_A_RUN:
                return False
            others = [at for other, at in starts.items() if other != path]
            outcome = finish_file(volume, path, key=key, writer=self._source, starts=others)
            if isinstance(outcome, SetAside):
                found.set_aside.append((key, outcome))
            elif outcome is not None:
                starts[path] = outcome.row.started_at
                found.restored.append((key, outcome))
            found.size_bytes += 0 if not isinstance(outcome, Restored) else outcome.row.size_bytes
        return True

    def _write(self, found: _Found, now: datetime) -> None:
        facts: list[tuple[StreamKey, SegmentRecovered | SegmentSetAside]] = [
            (
                key,
                SegmentRecovered(
                    camera=key[0],
                    stream=key[1].value,
                    path=one.row.path,
                    started_at=one.row.started_at,
                    durable_until=one.row.durable_until,
                    cut_bytes=one.cut_bytes,
                ),
            )
            for key, one in found.restored
        ]
        facts += [
            (key, SegmentSetAside(camera=key[0], stream=key[1].value, path=one.path, reason=one.reason))
            for key, one in found.set_aside
        ]
        if not facts:
            return
        with self._database.begin() as connection:
            store.put_segments(connection, [one.row for _, one in found.restored])
            for key, fact in facts:
                name = fact_id(type(fact).type, fact.path)
                state_fact(connection, fact, id=name, source=self._source, time=now, subject=key[0])
        log.info("video.recordings_found", restored=len(found.restored), set_aside=len(found.set_aside))


def _is_settled(volume: Volume, path: str, now: datetime) -> bool:
    try:
        changed_s = (volume.directory / path).stat().st_mtime
    except FileNotFoundError:
        return False
    return now.timestamp() - changed_s > SETTLED_AFTER.total_seconds()


def list_days(volumes: Volumes) -> Iterator[_Day]:
    """Every folder of one stream's recordings of one day, on every volume that is there."""
    for volume in volumes.list_volumes():
        for camera in volume.directory.iterdir() if volume.is_there() else ():
            for stream in Stream:
                folder = camera / stream.value
                if folder.is_dir():
                    key = (CameraId(camera.name), stream)
                    yield from ((volume, key, one.name) for one in folder.iterdir() if _DAY.fullmatch(one.name))


def read_known(connection: Connection, key: StreamKey, day: str) -> tuple[set[str], dict[str, datetime]]:
    """Paths of a stream's day that are finished, and the starts of all, those being deleted too.

    One that is open and that nobody writes was on a disk that went away and is back.
    """
    c = store.segments.c
    from_at = datetime.fromisoformat(day).replace(tzinfo=UTC)
    statement = sa.select(c.path, c.started_at, c.state).where(
        c.camera == key[0],
        c.stream == key[1].value,
        c.started_at >= from_at,
        c.started_at < from_at + timedelta(days=1, hours=1),  # what begins at midnight ends the day's last
    )
    rows = connection.execute(statement).all()
    finished = {row.path for row in rows if row.state != SegmentState.OPEN.value}
    return finished, {row.path: row.started_at for row in rows}

"""Files that come from edges in parts: whole and hashed first, durable next, their rows of the index last.

A file is named by its Merkle root, so the same file twice is one, and what is here already is never asked for again.
Parts that are not whole lie beside the recordings, in `.incoming` of a volume; a power cut there costs sending again.
"""

import errno
import fcntl
import os
import shutil
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from safecity.platform.clock import Clock, from_us, to_us
from safecity.platform.database import Database
from safecity.platform.errors import Conflict, DataLoss, Denied, Exhausted, Invalid, Unavailable
from safecity.platform.files import sync_directory
from safecity.platform.settings import VideoSettings
from safecity.sites.model import CameraId
from safecity.video import store
from safecity.video.borrowed import name_of
from safecity.video.edge.model import Edge, Shift, choose_spans, shifted, show
from safecity.video.edge.register import list_cameras_of
from safecity.video.edge.tables import edge_arrivals
from safecity.video.edge.wanted import STANDS_AFTER, list_holes
from safecity.video.edge.wire import MAX_FILE_BYTES, ArrivalAnswer, ArrivalRequest, PartsAnswer
from safecity.video.model import Origin, Segment, SegmentState, Span, Stream, StreamKey
from safecity.video.recovery import restore_file
from safecity.video.volumes import Volume, Volumes

log = structlog.get_logger()

INCOMING = ".incoming"
MAX_PARTS = 64  # files of one edge that are not whole
PARTS_KEPT_S = 48 * 3600.0
GB = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    volume: Volume
    path: str

    @property
    def file(self) -> Path:
        return self.volume.directory / self.path


class Arrivals:
    """Takes files in; safe to use from several threads and processes."""

    def __init__(self, database: Database, settings: VideoSettings, *, volumes: Volumes, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._volumes = volumes
        self._clock = clock
        self._turn = threading.Lock()  # of two files that meet, the second sees what the first has shown

    def find(self, edge: Edge, root: str) -> PartsAnswer:
        """How much of a file is here."""
        with self._database.read() as connection:
            if _known(connection, edge, root) is not None:
                return PartsAnswer(has_bytes=0, is_whole=True)
        place = self._find_place(edge, root)
        return PartsAnswer(has_bytes=0 if place is None else place.file.stat().st_size, is_whole=False)

    def put(self, edge: Edge, root: str, *, offset: int, body: bytes) -> PartsAnswer:
        """Append a part. What is here already is not written again; raises Conflict (`has_bytes`) where one is missing.

        Raises Exhausted where the disk or the edge's share of unfinished files is full.
        """
        there = self.find(edge, root)
        if there.is_whole:
            return there
        place = self._find_place(edge, root) or self._make_place(edge, root)
        try:
            descriptor = os.open(place.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                size = os.fstat(descriptor).st_size
                if offset > size:
                    raise Conflict("a part before this one is missing", code="edge.part_missing", has_bytes=size)
                fresh = memoryview(body)[size - offset :]
                if size + len(fresh) > MAX_FILE_BYTES:
                    raise Invalid("the file is larger than any recording", code="edge.file_too_large")
                while fresh:
                    fresh = fresh[os.write(descriptor, fresh) :]
                return PartsAnswer(has_bytes=os.fstat(descriptor).st_size, is_whole=False)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _problem_of(error) from error

    def take(self, edge: Edge, root: str, *, said: ArrivalRequest) -> ArrivalAnswer:
        """Take over a file that is whole: check it, make it durable, show what of it was missing. Twice is once.

        Raises Denied for another site's camera, Conflict where parts are missing, and Invalid (`edge.root_differs`)
        where it is not what its name says; then it is thrown away and may be sent anew.
        """
        with self._database.read() as connection:
            known = _known(connection, edge, root)
            if known is not None:
                return ArrivalAnswer(shown=known)
            if said.camera not in list_cameras_of(connection, edge.site):
                raise Denied("this is a camera of another site", code="edge.foreign_camera")
        place = self._find_place(edge, root)
        size = 0 if place is None else place.file.stat().st_size
        if place is None or size != said.size_bytes:
            raise Conflict("the file is not here as a whole", code="edge.part_missing", has_bytes=size)
        with self._turn:
            return ArrivalAnswer(shown=self._take(edge, root, said, place=place))

    def _take(self, edge: Edge, root: str, said: ArrivalRequest, *, place: _Place) -> int:
        whole = self._check(place, root, key=(CameraId(said.camera), Stream(said.stream)), writer=edge.id)
        shift = Shift(shift_us=said.shift_us, error_us=said.shift_error_us)
        row = replace(shifted(whole, shift), origin=Origin.EDGE, writer=f"{edge.id}/{whole.writer}"[:100])
        if row.durable_until > self._clock.now() + STANDS_AFTER:
            raise Invalid("it ends in our future; measure the clocks again", code="edge.future")
        rows = self._choose(row)
        self._drop_names(place, row)
        for one in rows:
            self._link(place, one)
        with self._database.begin() as connection:
            store.put_segments(connection, rows)
            _note_arrival(connection, edge, row=whole, shift=shift, shown=len(rows), now_us=to_us(self._clock.now()))
        place.file.unlink(missing_ok=True)
        log.info("video.edge_file_taken", edge=edge.id, camera=row.camera, shown=len(rows), size_bytes=row.size_bytes)
        return len(rows)

    def _check(self, place: _Place, root: str, *, key: StreamKey, writer: str) -> Segment:
        try:
            found = restore_file(place.volume, place.path, key=key, writer=writer)
        except (DataLoss, Invalid) as problem:
            place.file.unlink(missing_ok=True)
            raise Invalid(f"it cannot be taken: {problem.message}", code="edge.file_unreadable") from problem
        if found.cut_bytes or found.row.root != root:
            place.file.unlink(missing_ok=True)
            raise Invalid("its bytes are not those that were recorded; send it again", code="edge.root_differs")
        return found.row

    def _choose(self, row: Segment) -> list[Segment]:
        """The rows that show what was missing; none where the centre has all of it by now."""
        span = Span(from_at=row.started_at, to_at=row.durable_until)
        with self._database.read() as connection:
            holes = list_holes(connection, row.camera, row.stream, span=span)
        rows = [show(row, part) for part in choose_spans(span, holes)]
        return [replace(one, path=name_of(one)) for one in rows]

    def _drop_names(self, place: _Place, row: Segment) -> None:
        """Take back names that an attempt gave the file before it crashed: their rows were never written.

        Unless the keeper has found them since: then they are recordings like any other.
        """
        found = place.file.stat()
        if found.st_nlink == 1:
            return
        with self._database.read() as connection:
            shown = _list_paths(connection, row)
        stream = place.volume.directory / row.camera / row.stream.value
        for day in {f"{at:%Y-%m-%d}" for at in (row.started_at, row.durable_until)}:
            for one in (stream / day).glob(f"*-{row.origin.value}-*.mp4"):
                if one.stat().st_ino == found.st_ino and str(one.relative_to(place.volume.directory)) not in shown:
                    one.unlink()

    def _link(self, place: _Place, row: Segment) -> None:
        """Give the file its name among the recordings, durably; several rows of one file are several names of it."""
        target = place.volume.directory / row.path
        is_new_day = not target.parent.exists()
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            os.link(place.file, target)
        sync_directory(target.parent)
        if is_new_day:
            for folder in (target.parent.parent, target.parent.parent.parent, place.volume.directory):
                sync_directory(folder)

    def _find_place(self, edge: Edge, root: str) -> _Place | None:
        path = f"{INCOMING}/{edge.id}/{root}"
        for volume in self._volumes.list_recorded_on():
            if volume.is_there() and (volume.directory / path).exists():
                return _Place(volume=volume, path=path)
        return None

    def _make_place(self, edge: Edge, root: str) -> _Place:
        """Where a new file goes: the volume with most room. Raises Exhausted, Unavailable."""
        there = [one for one in self._volumes.list_recorded_on() if one.is_there()]
        if not there:
            raise Unavailable("no recording disk is there", code="edge.no_disk")
        free, number = max((shutil.disk_usage(one.directory).free, -at) for at, one in enumerate(there))
        if free < self._settings.reserve_gb * GB:
            raise Exhausted("the centre's disks are full", code="edge.disk_full", retry_after_s=60.0)
        volume = there[-number]
        folder = volume.directory / INCOMING / edge.id
        folder.mkdir(parents=True, exist_ok=True)
        if len(_drop_old(folder)) >= MAX_PARTS:
            raise Exhausted("finish the files that were begun first", code="edge.too_many_parts", retry_after_s=60.0)
        return _Place(volume=volume, path=f"{INCOMING}/{edge.id}/{root}")


def _drop_old(folder: Path) -> list[Path]:
    """Throw away what nobody finished; returns the rest."""
    kept: list[Path] = []
    for one in folder.iterdir():
        if time.time() - one.stat().st_mtime > PARTS_KEPT_S:
            one.unlink(missing_ok=True)
        else:
            kept.append(one)
    return kept


def _problem_of(error: OSError) -> Exhausted | Unavailable:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Exhausted("the centre's disk is full", code="edge.disk_full", retry_after_s=60.0)
    return Unavailable("the centre's disk does not take it", code="edge.disk", retry_after_s=10.0)


def _list_paths(connection: Connection, row: Segment) -> set[str]:
    """The names under which the index has a file."""
    c = store.segments.c
    of_it = (c.camera == row.camera, c.stream == row.stream.value, c.root == row.root)
    return {found.path for found in connection.execute(sa.select(c.path).where(*of_it))}


def _known(connection: Connection, edge: Edge, root: str) -> int | None:
    """How many rows a file became that was taken over already; None where it was not, or its rows are lost again."""
    c = edge_arrivals.c
    shown = connection.execute(sa.select(c.shown).where(c.root == root, c.edge == edge.id)).scalar()
    if shown:
        s = store.segments.c
        of_it = (s.root == root, s.origin == Origin.EDGE.value, s.state != SegmentState.DELETING.value)
        key = connection.execute(sa.select(c.camera, c.stream).where(c.root == root, c.edge == edge.id)).one()
        rows = sa.select(sa.func.count()).where(s.camera == key.camera, s.stream == key.stream, *of_it)
        shown = None if connection.execute(rows).scalar_one() < shown else shown
    return shown


def _note_arrival(connection: Connection, edge: Edge, *, row: Segment, shift: Shift, shown: int, now_us: int) -> None:
    values = {
        "root": row.root,
        "edge": edge.id,
        "camera": row.camera,
        "stream": row.stream.value,
        "started_at": row.started_at,
        "shift_us": shift.shift_us,
        "shift_error_us": shift.error_us,
        "shown": shown,
        "arrived_at": from_us(now_us),
    }
    connection.execute(edge_arrivals.delete().where(edge_arrivals.c.root == row.root, edge_arrivals.c.edge == edge.id))
    connection.execute(edge_arrivals.insert().values(values))

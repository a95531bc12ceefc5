"""Finds the copy of a recording that is damaged or gone, verifies it, gives it to whoever reads, and mends the first.

A fetched copy lies in `cache` of the data folder, under its root, and only once it is proved to be what was recorded.
The cache has a limit; what was not used for longest goes first.
"""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import structlog

from safecity.events import state_fact
from safecity.events.video import CopyFoundBad, SegmentMended
from safecity.platform.clock import Clock, to_iso
from safecity.platform.database import Database
from safecity.platform.errors import DataLoss, NotFound, Problem
from safecity.platform.files import sync_directory
from safecity.platform.ids import fact_id, new_id
from safecity.platform.settings import VideoSettings
from safecity.video.copies import store
from safecity.video.copies.model import Copy, list_targets
from safecity.video.copies.place import Place, open_place
from safecity.video.file_verify import Flaw, verify_file
from safecity.video.model import Segment, SegmentState
from safecity.video.recovery import DAMAGED_SUFFIX
from safecity.video.volumes import Volumes

log = structlog.get_logger()

GB = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A copy in the cache that is what was recorded."""

    path: Path
    target: str


class Mender:
    """The second copies as a reader sees them; safe to use from several threads."""

    def __init__(
        self, database: Database, settings: VideoSettings, *, volumes: Volumes, data_dir: Path, clock: Clock
    ) -> None:
        self._database = database
        self._volumes = volumes
        self._clock = clock
        self._data_dir = data_dir
        self._cache = data_dir / "cache" / "copies"
        self._limit_bytes = int(settings.cache_gb * GB)
        self._targets = {one.name: one for one in list_targets(settings)}
        self._places: dict[str, Place] = {}
        self._lock = threading.Lock()

    @property
    def has_places(self) -> bool:
        """Whether the settings name any place of copies."""
        return bool(self._targets)

    def find_copy(self, segment: Segment) -> Fetched | None:
        """A proved copy of a closed segment, fetched from the first place that has one; None where none has.

        What turns out to be missing or changed on the way is marked bad and told.
        """
        if segment.state is not SegmentState.CLOSED or segment.root is None or not self._targets:
            return None
        with self._lock:  # one at a time: fetching is bounded, and two readers of one segment fetch it once
            path = self._cache / f"{segment.root}.mp4"
            with self._database.read() as connection:
                rows = [row for row in store.find_copies(connection, segment) if row.target in self._targets]
            if rows and self._is_sound(path, segment):
                os.utime(path)
                return Fetched(path=path, target=rows[0].target)
            for row in rows:
                if self._fetch(row, segment, path):
                    return Fetched(path=path, target=row.target)
        return None

    def open_copy(self, segment: Segment) -> BinaryIO | None:
        """A proved copy, open for reading; None where no place has one."""
        fetched = self.find_copy(segment)
        return None if fetched is None else fetched.path.open("rb")

    def mend(self, segment: Segment) -> bool:
        """Write the first copy anew from a second one where it is not what was recorded; True where it is whole then.

        A damaged file is kept beside it, renamed. Nothing comes back that retention took meanwhile.
        """
        flaw = self.find_flaw(segment)
        if flaw is None:
            return True
        fetched = self.find_copy(segment)
        if fetched is None:
            return False
        final = self._volumes.path_of(segment)
        fresh = final.with_name(f".{final.name}.{new_id('mend')}")
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
            _copy_durably(fetched.path, fresh)
            if not self._is_indexed(segment):
                return False
            if final.exists():
                final.rename(final.with_name(final.name + DAMAGED_SUFFIX))
            fresh.rename(final)
            sync_directory(final.parent)
        except OSError as error:
            log.warning("video.mending_failed", path=segment.path, errno=error.errno)
            return False
        finally:
            fresh.unlink(missing_ok=True)
        if not self._is_indexed(segment):  # retention took it while it was being written
            final.unlink(missing_ok=True)
            return False
        self._tell_mended(segment, fetched, flaw)
        return True

    def find_flaw(self, segment: Segment) -> Flaw | None:
        """What is wrong with the first copy; None where it is what was recorded."""
        try:
            with self._volumes.path_of(segment).open("rb") as file:
                report = verify_file(file, segment)
        except FileNotFoundError:
            return Flaw.MISSING
        except OSError:
            return Flaw.UNREADABLE
        return report.flaws[0].kind if report.flaws else None

    def tell_bad(self, row: Copy, flaw: str) -> None:
        """Mark a copy bad, so that it is sent again, and state it."""
        now = self._clock.now()
        fact = CopyFoundBad(
            target=row.target,
            camera=row.camera,
            stream=row.stream.value,
            started_at=row.started_at,
            key=row.key,
            flaw=flaw,
        )
        name = fact_id(fact.type, row.target, row.key, to_iso(row.copied_at))
        with self._database.begin() as connection:
            store.mark_bad(connection, row)
            state_fact(connection, fact, id=name, source="copies", time=now, subject=row.camera)
        log.error("video.copy_found_bad", target=row.target, key=row.key, flaw=flaw)

    def place_of(self, target: str) -> Place:
        """A place of the settings. Raises NotFound, and Invalid where its credentials are missing."""
        if target not in self._targets:
            raise NotFound(f"the settings name no place of copies {target!r}", code="copies.no_such_place")
        if target not in self._places:
            self._places[target] = open_place(self._targets[target], data_dir=self._data_dir)
        return self._places[target]

    def _fetch(self, row: Copy, segment: Segment, path: Path) -> bool:
        """Fetch one copy into the cache; False where that place does not give what was recorded."""
        fresh = path.with_name(f".{new_id('fetch')}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._make_room(row.size_bytes)
            _write_bounded(fresh, self.place_of(row.target).fetch(row.key, row.version), limit=segment.size_bytes)
            if not self._is_sound(fresh, segment):
                raise DataLoss("the copy is not what was recorded", code="copies.changed")
            fresh.rename(path)
        except (DataLoss, NotFound) as problem:
            self.tell_bad(row, "missing" if isinstance(problem, NotFound) else "changed")
            return False
        except (Problem, OSError) as problem:
            log.warning("video.copy_not_fetched", target=row.target, kind=type(problem).__name__)
            return False
        finally:
            fresh.unlink(missing_ok=True)
        return True

    def _is_sound(self, path: Path, segment: Segment) -> bool:
        try:
            with path.open("rb") as file:
                return verify_file(file, segment).is_sound
        except OSError:
            return False

    def _make_room(self, size_bytes: int) -> None:
        found = sorted(((path.stat().st_mtime, path) for path in self._cache.glob("*.mp4")), reverse=True)
        left = self._limit_bytes - size_bytes
        for _, path in found:
            left -= path.stat().st_size
            if left < 0:
                path.unlink(missing_ok=True)

    def _is_indexed(self, segment: Segment) -> bool:
        with self._database.read() as connection:
            found = store.find_segment(connection, segment)
        return found is not None and found.state is SegmentState.CLOSED and found.root == segment.root

    def _tell_mended(self, segment: Segment, fetched: Fetched, flaw: Flaw) -> None:
        now = self._clock.now()
        fact = SegmentMended(
            camera=segment.camera,
            stream=segment.stream.value,
            path=segment.path,
            started_at=segment.started_at,
            target=fetched.target,
            flaw=flaw.value,
        )
        with self._database.begin() as connection:
            name = fact_id(fact.type, segment.path, to_iso(now))
            state_fact(connection, fact, id=name, source="copies", time=now, subject=segment.camera)
        log.warning("video.segment_mended", path=segment.path, target=fetched.target, flaw=flaw.value)


def _write_bounded(path: Path, pieces: Iterator[bytes], *, limit: int) -> None:
    size = 0
    with path.open("xb") as out:
        os.fchmod(out.fileno(), 0o600)
        for piece in pieces:
            size += len(piece)
            if size > limit:
                raise DataLoss("the copy is longer than what was recorded", code="copies.changed")
            out.write(piece)


def _copy_durably(source: Path, final: Path) -> None:
    with source.open("rb") as file, final.open("xb") as out:
        os.fchmod(out.fileno(), 0o640)
        while piece := file.read(1024**2):
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())

"""Recordings back from a place of copies by its listing alone: what is left when disks and database are lost.

Each object is fetched, proved by the root in its name, and put where it was; its index row is made from the file, which
says itself what it is. So this needs neither rows of copies nor rows of segments.
"""

import os
from dataclasses import dataclass, replace

import structlog

from safecity.platform.database import Database
from safecity.platform.errors import DataLoss, Invalid, NotFound
from safecity.platform.files import sync_directory
from safecity.platform.ids import new_id
from safecity.sites.model import CameraId
from safecity.video import store as video_store
from safecity.video.copies.model import read_key
from safecity.video.copies.place import Place
from safecity.video.model import Stream
from safecity.video.recovery import restore_file
from safecity.video.volumes import Volumes

log = structlog.get_logger()

ROWS_AT_ONCE = 100


@dataclass(slots=True, kw_only=True)
class Restored:
    """What came back."""

    restored: int = 0
    there_already: int = 0
    bad: int = 0
    size_bytes: int = 0


class Restorer:
    """Fetches from one place what the volumes lack."""

    def __init__(self, database: Database, place: Place, *, volumes: Volumes) -> None:
        self._database = database
        self._place = place
        self._volumes = volumes

    def run(self, *, prefix: str = "") -> Restored:
        """Everything below a prefix (a camera, a stream, a day). Raises Unavailable where the place is away."""
        found = Restored()
        for one in self._place.list_keys(prefix):
            named = read_key(one.key)
            if named is None:
                continue
            if self._volumes.find(named.path) is not None:
                found.there_already += 1
                continue
            try:
                self._restore(one.key, path=named.path, root=named.root)
            except (DataLoss, NotFound, Invalid) as problem:
                log.error("video.copy_not_restored", key=one.key, problem=problem.message)
                found.bad += 1
                continue
            found.restored += 1
            found.size_bytes += one.size_bytes
        return found

    def _restore(self, key: str, *, path: str, root: str) -> None:
        volume = self._volumes.list_recorded_on()[0]
        final = volume.directory / path
        fresh = final.with_name(f".{new_id('fetch')}")
        final.parent.mkdir(parents=True, exist_ok=True)
        try:
            with fresh.open("xb") as out:
                os.fchmod(out.fileno(), 0o640)
                for piece in self._place.fetch(key, None):
                    out.write(piece)
                out.flush()
                os.fsync(out.fileno())
            below = fresh.relative_to(volume.directory).as_posix()
            camera, stream = path.split("/")[:2]
            made = restore_file(volume, below, key=(CameraId(camera), Stream(stream)), writer="restore")
            if made.cut_bytes or made.row.root != root:
                raise DataLoss("the copy is not what its name says", code="copies.changed")
            fresh.rename(final)
            sync_directory(final.parent)
        finally:
            fresh.unlink(missing_ok=True)
        with self._database.begin() as connection:
            video_store.put_segments(connection, [replace(made.row, path=path)])

"""The open segment files of one volume: fragments in, durable segments and index rows out. Used by one thread.

Order, always: data, fdatasync, fsync of the directory, index row.
"""

import errno
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from safecity.oversight import merkle
from safecity.platform.clock import from_us, to_us
from safecity.platform.errors import Problem, Unavailable
from safecity.video.disk_calls import DiskCalls
from safecity.video.disk_jobs import AppendJob, DiskFailure, OpenJob, StreamBook
from safecity.video.model import Segment, SegmentState, StreamKey
from safecity.video.volumes import UNPREPARED, Volume

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOutlets:
    """Where the files of a volume tell what happens to them."""

    book: StreamBook
    put_row: Callable[[Segment], None]
    note_closed: Callable[[StreamKey, int], None]  # with the generation it was opened in
    note_error: Callable[[str], bool]  # of the volume, by its detail; whether another one takes its streams
    note_beat: Callable[[], None]  # before each call that may take long


@dataclass(slots=True, kw_only=True)
class _File:
    job: OpenJob
    generation: int
    path: Path
    descriptor: int = -1
    is_named: bool = False  # the directory entry is durable
    size_bytes: int = 0
    fragments: int = 0
    until_us: int | None = None
    durable: tuple[int, int, int | None] = (0, 0, None)  # bytes, fragments, until: as of the last good fdatasync
    leaves: list[bytes] = field(default_factory=list[bytes])
    previous_root: str | None = None


class SegmentFiles:
    """Writes the segments of the streams that are on one volume."""

    def __init__(self, volume: Volume, *, calls: DiskCalls, outlets: FileOutlets) -> None:
        self._volume = volume
        self._calls = calls
        self._out = outlets
        self._files: dict[StreamKey, _File] = {}
        self._touched: dict[StreamKey, _File] = {}

    def open(self, job: OpenJob, generation: int) -> None:
        """Begin a segment; its file is made with its first fragment."""
        self.close(job.key)
        path = self._volume.directory / job.row.path
        self._files[job.key] = _File(job=job, generation=generation, path=path)

    def append(self, job: AppendJob, generation: int) -> None:
        """Write one fragment; it is durable after the next `settle`."""
        file = self._files.get(job.key)
        if file is None or file.generation != generation:
            return
        try:
            # Joined once: hashing and writing thirty small buffers would fight the readers for the interpreter
            # thirty times over.
            fragment = b"".join(job.buffers)
            init = self._create(file) if file.descriptor < 0 else b""
            self._out.note_beat()
            self._calls.write(file.descriptor, [init, fragment] if init else [fragment])
        except (OSError, Problem) as error:
            # What was written before it must still become durable, so that the cut is behind it.
            if self._touched.pop(job.key, None) is not None:
                self._settle(file)
            if self._files.get(job.key) is file:
                self._fail(file, detail_of(error))
        else:
            file.leaves.append(merkle.leaf_hash(fragment))
            file.size_bytes += len(init) + len(fragment)
            file.fragments += 1
            file.until_us = job.until_us
            self._touched[job.key] = file

    def settle(self) -> None:
        """Make everything durable that was written since the last time, a file at a time."""
        touched, self._touched = self._touched, {}
        for file in touched.values():
            self._settle(file)

    def close(self, key: StreamKey) -> None:
        """End a stream's segment; what was written is made durable before the file changes hands."""
        if self._touched.pop(key, None) is not None:
            self._settle(self._files[key])
        file = self._files.pop(key, None)
        if file is not None:
            self._finish(file)
            self._out.note_closed(key, file.generation)

    def close_all(self) -> None:
        """End every segment."""
        for key in list(self._files):
            self.close(key)

    def fail_all(self, detail: str) -> None:
        """The volume cannot be written any more: every segment ends after what is durable."""
        self._touched = {}
        for file in list(self._files.values()):
            self._fail(file, detail)

    def give_up(self, detail: str) -> list[StreamKey]:
        """Called by another thread while this one hangs in a call: tell every stream to go elsewhere.

        What is durable stands; the rest is cut off when the call comes back. The caller holds the book's lock.
        """
        told: list[StreamKey] = []
        for file in list(self._files.values()):
            key, (_, fragments, until_us) = file.job.key, file.durable
            failure = _failure(file, detail, until_us=until_us, goes_on=True)
            if self._out.book.fail(key, failure, generation=file.generation):
                told.append(key)
                if fragments:
                    self._out.book.set_root(key, merkle.root(file.leaves[: fragments + 1]).hex())
        return told

    def cut_given_up(self) -> None:
        """After a call came back: end what was given up meanwhile."""
        for file in list(self._files.values()):
            if file.generation != self._out.book.generation_of(file.job.key):
                self._touched.pop(file.job.key, None)
                del self._files[file.job.key]
                self._finish(file)

    def _create(self, file: _File) -> bytes:
        self._out.note_beat()
        if not self._calls.is_there(self._volume):
            raise Unavailable("the recording directory is not the volume it was", code="disk_gone")
        # Only now: the segment before may have closed on another volume since this one was asked for.
        file.previous_root = self._out.book.root_of(file.job.key)
        init = file.job.make_init(file.previous_root)
        self._calls.make_directories(file.path.parent, self._volume.directory)
        self._out.note_beat()
        file.descriptor = self._calls.create(file.path)
        file.leaves.append(merkle.leaf_hash(init))
        return init

    def _settle(self, file: _File) -> None:
        """Make the file durable, then tell the index: data, directory, row, in this order."""
        if file.descriptor < 0:
            return
        try:
            self._out.note_beat()
            self._calls.sync(file.descriptor)
            if not file.is_named:
                self._out.note_beat()
                self._calls.sync_directory(file.path.parent)
                file.is_named = True
        except OSError as error:
            self._fail(file, detail_of(error))
            return
        with self._out.book.lock:
            if file.generation != self._out.book.generation_of(file.job.key):
                return  # given up while this took too long; it is cut behind what was durable then
            file.durable = (file.size_bytes, file.fragments, file.until_us)
            if file.until_us is not None:
                self._out.book.set_durable(file.job.key, file.until_us)
        self._out.put_row(self._row(file, SegmentState.OPEN))

    def _finish(self, file: _File) -> None:
        if file.descriptor < 0:
            return
        if file.generation != self._out.book.generation_of(file.job.key):
            self._cut(file)  # what was not durable when it was given up went elsewhere
        try:
            self._calls.close(file.descriptor)
        except OSError as error:  # nothing of what is durable depends on it
            log.error("video.segment_close_failed", camera=file.job.key[0], detail=detail_of(error))
        if file.fragments:
            root = merkle.root(file.leaves).hex()
            with self._out.book.lock:
                if file.generation == self._out.book.generation_of(file.job.key):
                    self._out.book.set_root(file.job.key, root)
            self._out.put_row(replace(self._row(file, SegmentState.CLOSED), root=root))

    def _fail(self, file: _File, detail: str) -> None:
        """Cut the file after what is durable, close it, and leave word for the stream's writer."""
        key = file.job.key
        log.error("video.segment_write_failed", camera=key[0], stream=key[1].value, detail=detail)
        self._files.pop(key, None)
        goes_on = self._out.note_error(detail)
        self._cut(file)
        self._finish(file)
        failure = _failure(file, detail, until_us=file.until_us, goes_on=goes_on)
        self._out.book.fail(key, failure, generation=file.generation)
        self._out.note_closed(key, file.generation)

    def _cut(self, file: _File) -> None:
        file.size_bytes, file.fragments, file.until_us = file.durable
        del file.leaves[file.fragments + 1 :]
        if file.descriptor < 0:
            return
        # The failed write may have left a part of a fragment; recovery would cut it too, this saves it the work.
        try:
            self._out.note_beat()
            self._calls.cut(file.descriptor, file.size_bytes)
            if not file.fragments:
                self._calls.unlink(file.path)
        except OSError as error:
            log.error("video.segment_cut_failed", camera=file.job.key[0], detail=detail_of(error))

    def _row(self, file: _File, state: SegmentState) -> Segment:
        assert file.until_us is not None
        return replace(
            file.job.row,
            state=state,
            durable_until=from_us(file.until_us),
            size_bytes=file.size_bytes,
            fragments=file.fragments,
            previous_root=file.previous_root,
            volume=None if self._volume.id == UNPREPARED else self._volume.id,
        )


def _failure(file: _File, detail: str, *, until_us: int | None, goes_on: bool) -> DiskFailure:
    started_us = to_us(file.job.row.started_at)
    return DiskFailure(detail=detail, started_us=started_us, durable_until_us=until_us, goes_on=goes_on)


def detail_of(error: OSError | Problem) -> str:
    """The stable word for what a disk said."""
    if isinstance(error, Problem):
        return error.code
    return _DETAILS.get(error.errno or 0, "io_error")


_DETAILS = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EROFS: "disk_read_only",
    errno.EEXIST: "name_taken",
    errno.EACCES: "disk_forbidden",
    errno.ENODEV: "disk_gone",
    errno.ENOENT: "disk_gone",
    errno.ESTALE: "disk_gone",
}

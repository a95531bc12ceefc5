"""The thread that writes to a disk: fragments in, durable segments and index rows out.

Reading never waits for it. Its mailbox is bounded in bytes, for all streams and for each; what does not fit is refused
at once, and the stream's ledger calls the hole `disk`. Under a slow disk several fragments of a file share one
fdatasync, so a slow disk costs delay before it costs pictures.
"""

import errno
import fcntl
import hashlib
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from safecity.oversight import merkle
from safecity.platform.clock import from_us, to_us
from safecity.platform.errors import Problem, Unavailable
from safecity.platform.files import sync_directory
from safecity.video.model import Segment, SegmentState, StreamKey
from safecity.video.volumes import Volume, Volumes

log = structlog.get_logger()

MAX_WAITING_BYTES = 256 * 1024**2
MAX_WAITING_STREAM_BYTES = 32 * 1024**2  # 64 s of 4 Mbit/s; a 100 Mbit/s camera gets 2.6 s and harms no other
CLOSE_WAIT_S = 5.0
GATHER_S = 0.2  # what comes so soon after a fragment is written with it: one waking and one fight for the interpreter
MAX_UNTOLD = 64  # failures of one stream that nobody has asked for yet


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenJob:
    """Begin a segment with the next fragment; `make_init` is given the root of the segment before."""

    key: StreamKey
    row: Segment
    make_init: Callable[[str | None], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendJob:
    """One fragment, and until when the segment reaches with it."""

    key: StreamKey
    buffers: Sequence[bytes]
    size_bytes: int
    until_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseJob:
    """End the segment."""

    key: StreamKey


Job = OpenJob | AppendJob | CloseJob


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFailure:
    """A stream's segment ended early."""

    detail: str
    started_us: int  # where the segment starts on the line, which says which one it was
    durable_until_us: int | None  # None where nothing of the segment became durable


@dataclass(slots=True, kw_only=True)
class _File:
    job: OpenJob
    volume: Volume
    path: Path
    descriptor: int = -1
    is_named: bool = False  # the directory entry is durable
    size_bytes: int = 0
    fragments: int = 0
    until_us: int | None = None
    durable: tuple[int, int, int | None] = (0, 0, None)  # bytes, fragments, until: as of the last good fdatasync
    leaves: list[bytes] = field(default_factory=list[bytes])
    previous_root: str | None = None


class DiskWriter:
    """Writes the segments of many streams on their volume."""

    def __init__(self, volumes: Volumes, *, put_row: Callable[[Segment], None]) -> None:
        self._volume = volumes.list_recorded_on()[0]
        self._put_row = put_row
        self._condition = threading.Condition()
        self._jobs: deque[Job] = deque()
        self._waiting: dict[StreamKey, int] = {}
        self._waiting_bytes = 0
        self._refused = 0
        self._is_stopping = False
        self._stop = threading.Event()
        self._failures: dict[StreamKey, deque[DiskFailure]] = {}
        self._files: dict[StreamKey, _File] = {}
        self._roots: dict[StreamKey, str] = {}
        self._thread = threading.Thread(target=self._run, name="disk", daemon=True)

    @property
    def waiting_bytes(self) -> int:
        """Bytes that are not yet on the disk."""
        return self._waiting_bytes

    @property
    def refused(self) -> int:
        """Fragments that found the mailbox full."""
        return self._refused

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs; where it does not, the process must end and be started again."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def set_previous_root(self, key: StreamKey, root: str | None) -> None:
        """Tell the root of the stream's last segment, before its first one here."""
        if root is not None:
            with self._condition:
                self._roots[key] = root

    def submit(self, job: Job) -> bool:
        """Hand over a job without waiting; False when a fragment does not fit."""
        size = job.size_bytes if isinstance(job, AppendJob) else 0
        with self._condition:
            mine = self._waiting.get(job.key, 0)
            if size and (self._waiting_bytes + size > MAX_WAITING_BYTES or mine + size > MAX_WAITING_STREAM_BYTES):
                self._refused += 1
                return False
            if size:
                self._waiting[job.key] = mine + size
            self._waiting_bytes += size
            self._jobs.append(job)
            self._condition.notify()
        return True

    def take_failure(self, key: StreamKey) -> DiskFailure | None:
        """Why a segment of the stream ended early, each told once, the oldest first."""
        if key not in self._failures:
            return None
        with self._condition:
            waiting = self._failures[key]
            failure = waiting.popleft()
            if not waiting:
                del self._failures[key]
        return failure

    def stop(self, *, wait_s: float = CLOSE_WAIT_S) -> bool:
        """Write what waits, close every segment; False when the disk did not make it in time."""
        with self._condition:
            self._is_stopping = True
            self._stop.set()
            self._condition.notify()
        self._thread.join(wait_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._jobs and not self._is_stopping:
                    self._condition.wait()
            self._stop.wait(GATHER_S)
            with self._condition:
                jobs, self._jobs = list(self._jobs), deque()
                if not jobs:
                    break
            self._work(jobs)
        for key in list(self._files):
            self._close(key)

    def _work(self, jobs: list[Job]) -> None:
        touched: dict[StreamKey, _File] = {}
        for job in jobs:
            if isinstance(job, AppendJob):
                self._append(job, touched)
                continue
            # Whatever was written to the file before must be durable before the file changes hands.
            self._settle(touched.pop(job.key, None))
            if isinstance(job, OpenJob):
                self._close(job.key)
                path = self._volume.directory / job.row.path
                self._files[job.key] = _File(
                    job=job, volume=self._volume, path=path, previous_root=self._roots.get(job.key)
                )
            else:
                self._close(job.key)
        for file in touched.values():
            self._settle(file)

    def _append(self, job: AppendJob, touched: dict[StreamKey, _File]) -> None:
        file = self._files.get(job.key)
        if file is not None:
            try:
                # Joined once: hashing and writing thirty small buffers would fight the readers for the interpreter
                # thirty times over.
                fragment = b"".join(job.buffers)
                init = self._create(file) if file.descriptor < 0 else b""
                _write_all(file.descriptor, [init, fragment] if init else [fragment])
            except (OSError, Problem) as error:
                # What was written before it must still become durable, so that the cut is behind it.
                self._settle(touched.pop(job.key, None))
                if job.key in self._files:
                    self._fail(file, error)
            else:
                file.leaves.append(_leaf(fragment))
                file.size_bytes += len(init) + len(fragment)
                file.fragments += 1
                file.until_us = job.until_us
                touched[job.key] = file
        with self._condition:
            left = self._waiting.pop(job.key, 0) - job.size_bytes
            if left > 0:
                self._waiting[job.key] = left
            self._waiting_bytes -= job.size_bytes

    def _create(self, file: _File) -> bytes:
        init = file.job.make_init(file.previous_root)
        if not self._volume.is_there():
            raise Unavailable("the recording directory is not the volume it was", code="disk_gone")
        _make_directories(file.path.parent, self._volume.directory)
        file.descriptor = os.open(file.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        # Recovery by another process must not cut a file that is being written; the kernel drops this with us.
        fcntl.flock(file.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.leaves.append(_leaf(init))
        return init

    def _settle(self, file: _File | None) -> None:
        """Make the file durable, then tell the index: data, directory, row, in this order."""
        if file is None or file.descriptor < 0:
            return
        try:
            os.fdatasync(file.descriptor)
            if not file.is_named:
                sync_directory(file.path.parent)
                file.is_named = True
        except OSError as error:
            self._fail(file, error)
            return
        file.durable = (file.size_bytes, file.fragments, file.until_us)
        self._put_row(_row(file, SegmentState.OPEN))

    def _close(self, key: StreamKey) -> None:
        file = self._files.pop(key, None)
        if file is None or file.descriptor < 0:
            return
        os.close(file.descriptor)
        if file.fragments:
            root = merkle.root(file.leaves).hex()
            self._roots[key] = root
            self._put_row(replace(_row(file, SegmentState.CLOSED), root=root))

    def _fail(self, file: _File, error: OSError | Problem) -> None:
        """Cut the file after what is durable, close it, and leave word for the stream's writer."""
        key = file.job.key
        detail = _detail(error)
        log.error("video.segment_write_failed", camera=key[0], stream=key[1].value, detail=detail)
        file.size_bytes, file.fragments, file.until_us = file.durable
        del file.leaves[file.fragments + 1 :]
        if file.descriptor >= 0:
            # The failed write may have left a part of a fragment; recovery would cut it too, this saves it the work.
            try:
                os.ftruncate(file.descriptor, file.size_bytes)
            except OSError as again:
                log.error("video.segment_cut_failed", camera=key[0], detail=_detail(again))
            if not file.fragments:
                file.path.unlink(missing_ok=True)
        self._close(key)
        with self._condition:
            waiting = self._failures.setdefault(key, deque(maxlen=MAX_UNTOLD))
            started_us = to_us(file.job.row.started_at)
            waiting.append(DiskFailure(detail=detail, started_us=started_us, durable_until_us=file.until_us))


def _detail(error: OSError | Problem) -> str:
    if isinstance(error, Problem):
        return error.code
    return _DETAILS.get(error.errno or 0, "io_error")


def _row(file: _File, state: SegmentState) -> Segment:
    assert file.until_us is not None
    return replace(
        file.job.row,
        state=state,
        durable_until=from_us(file.until_us),
        size_bytes=file.size_bytes,
        fragments=file.fragments,
        previous_root=file.previous_root,
        volume=file.volume.id,
    )


def _leaf(data: bytes) -> bytes:
    """The Merkle leaf hash (`merkle.leaf_hash`) without a copy of the data."""
    digest = hashlib.sha256(b"\x00")
    digest.update(data)
    return digest.digest()


def _write_all(descriptor: int, buffers: Sequence[bytes]) -> None:
    """One writev for all, unless the kernel writes only a part."""
    left: list[memoryview | bytes] = list(buffers)
    while left:
        written = os.writev(descriptor, left)
        while left and written >= len(left[0]):
            written -= len(left.pop(0))
        if left and written:
            left[0] = memoryview(left[0])[written:]


def _make_directories(path: Path, root: Path) -> None:
    """Make a folder and its parents below `root`, which is never made, each new name durable."""
    missing: list[Path] = []
    while path != root and not path.is_dir():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True, mode=0o750)
        sync_directory(folder.parent)


_DETAILS = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EROFS: "disk_read_only",
    errno.EEXIST: "name_taken",
    errno.EACCES: "disk_forbidden",
}

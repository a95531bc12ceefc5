"""What recording asks of the operating system, one method a call, so that tests can delay, fail or watch each."""

import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safecity.platform.files import sync_directory
from safecity.video.volumes import Volume

PROBE = ".safecity-probe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a file system says of itself."""

    free_bytes: int
    total_bytes: int
    is_read_only: bool


class DiskCalls:
    """The real calls; each may take as long as the disk wants and raises OSError."""

    def is_there(self, volume: Volume) -> bool:
        """Whether the directory holds this volume."""
        return volume.is_there()

    def usage(self, directory: Path) -> Usage:
        """Room and mode of the file system."""
        found = os.statvfs(directory)
        return Usage(
            free_bytes=found.f_bavail * found.f_frsize,
            total_bytes=found.f_blocks * found.f_frsize,
            is_read_only=bool(found.f_flag & os.ST_RDONLY),
        )

    def make_directories(self, path: Path, root: Path) -> None:
        """Make a folder and its parents below `root`, which is never made, each new name durable."""
        missing: list[Path] = []
        while path != root and not path.is_dir():
            missing.append(path)
            path = path.parent
        for folder in reversed(missing):
            self.make_directory(folder)
            self.sync_directory(folder.parent)

    def make_directory(self, path: Path) -> None:
        """Make one folder."""
        path.mkdir(exist_ok=True, mode=0o750)

    def sync_directory(self, path: Path) -> None:
        """Make new names in a folder durable."""
        sync_directory(path)

    def create(self, path: Path) -> int:
        """A new file, locked: recovery by another process must not cut it; the kernel drops the lock with us."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return descriptor

    def write(self, descriptor: int, buffers: Sequence[bytes]) -> None:
        """Write all at the end; one call, unless the kernel takes only a part."""
        left: list[memoryview | bytes] = list(buffers)
        while left:
            written = os.writev(descriptor, left)
            while left and written >= len(left[0]):
                written -= len(left.pop(0))
            if left and written:
                left[0] = memoryview(left[0])[written:]

    def sync(self, descriptor: int) -> None:
        """Make a file's data durable."""
        os.fdatasync(descriptor)

    def cut(self, descriptor: int, size_bytes: int) -> None:
        """Shorten a file."""
        os.ftruncate(descriptor, size_bytes)

    def close(self, descriptor: int) -> None:
        """Let a file go."""
        os.close(descriptor)

    def unlink(self, path: Path) -> None:
        """Remove a file that nothing of became durable."""
        path.unlink(missing_ok=True)

    def probe(self, directory: Path) -> None:
        """Write and sync a little, to see whether a disk that failed takes data again."""
        path = directory / f"{PROBE}-{os.getpid()}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, bytes(4096))
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
            path.unlink(missing_ok=True)

"""Copies in a directory: another disk, or another building's share.

An object is a file under its key. It is written in `.partial`, synced, dropped from the page cache and read back; only
then it gets its name, and the directory is synced. So a name never stands for half an object, and a crash leaves
nothing but a file in `.partial`, which the next start takes away. A directory without its marker (an unmounted disk, an
emptied folder) is never written to.
"""

import errno
import fcntl
import hashlib
import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from safecity.platform.errors import Conflict, DataLoss, Denied, Exhausted, Invalid, NotFound, Problem, Unavailable
from safecity.platform.files import sync_directory, write_whole
from safecity.platform.ids import new_id
from safecity.video.copies.stored import Listed, Stored

MARKER = ".safecity-copies"
PARTIAL = ".partial"
READ_BYTES = 1024**2
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_FULL = {errno.ENOSPC, errno.EDQUOT}


class DirectoryPlace:
    """One directory of copies."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def prepare(self) -> str:
        """Mark it; the directory itself must be there, so that an unmounted disk is not taken for it."""
        if not self._root.is_dir():
            raise Invalid(f"{self._root} is no directory; mount the disk or make it first", code="copies.no_directory")
        with _translated(self._root):
            if not (self._root / MARKER).exists():
                write_whole(self._root / MARKER, f"{new_id('place')}\n".encode(), mode=0o640)
            (self._root / PARTIAL).mkdir(exist_ok=True, mode=0o750)
            sync_directory(self._root)
            free = os.statvfs(self._root)
        return f"{self._root}: {free.f_bavail * free.f_frsize / 1e9:.1f} GB free"

    def check(self) -> None:
        """Raise Unavailable where the directory is not the one that was prepared."""
        if not (self._root / MARKER).is_file():
            raise Unavailable(
                f"{self._root} is not prepared for copies, or its disk is not mounted; run `safecity copies prepare`",
                code="copies.marker_missing",
            )

    def put(self, key: str, pieces: Iterable[bytes]) -> Stored:
        """See Place."""
        self.check()
        final = self._path(key)
        fresh = self._root / PARTIAL / new_id("part")
        with _translated(self._root):
            fresh.parent.mkdir(exist_ok=True, mode=0o750)
            descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)  # as long as it is written nobody cleans it away
                size_bytes = _write_and_compare(descriptor, pieces)
                self._make_folders(final.parent)
                fresh.rename(final)
                sync_directory(final.parent)
            finally:
                os.close(descriptor)
                fresh.unlink(missing_ok=True)
        return Stored(size_bytes=size_bytes, version=None)

    def fetch(self, key: str, version: str | None) -> Iterator[bytes]:
        """See Place."""
        del version
        self.check()
        with _translated(self._root), self._path(key).open("rb") as file:
            while piece := file.read(READ_BYTES):
                yield piece

    def list_keys(self, prefix: str) -> Iterator[Listed]:
        """See Place."""
        self.check()
        top = self._path(prefix) if prefix else self._root
        with _translated(self._root):
            for folder, folders, names in os.walk(top):
                folders[:] = sorted(one for one in folders if not one.startswith("."))
                for name in sorted(names):
                    if not name.startswith("."):
                        path = Path(folder) / name
                        key = path.relative_to(self._root).as_posix()
                        yield Listed(key=key, size_bytes=path.stat().st_size)

    def version_of(self, key: str) -> str | None:
        """A directory keeps none."""
        del key
        return None

    def delete(self, key: str, version: str | None) -> None:
        """See Place."""
        del version
        self.check()
        path = self._path(key)
        with _translated(self._root):
            path.unlink(missing_ok=True)
            for folder in (path.parent, path.parent.parent, path.parent.parent.parent):
                if folder == self._root or not folder.is_dir() or any(folder.iterdir()):
                    break
                folder.rmdir()

    def hold(self, key: str, version: str | None, *, is_held: bool) -> None:
        """A directory knows no legal holds; what is held is not deleted, because nobody here asks for it."""
        del key, version, is_held

    def clean(self) -> int:
        """See Place."""
        self.check()
        gone = 0
        with _translated(self._root):
            for path in (self._root / PARTIAL).glob("part_*"):
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink(missing_ok=True)
                    gone += 1
                except BlockingIOError:
                    pass  # somebody writes it now
                finally:
                    os.close(descriptor)
        return gone

    def _path(self, key: str) -> Path:
        parts = PurePosixPath(key).parts
        if not parts or key.startswith("/") or any(part.startswith(".") for part in parts) or "\0" in key:
            raise Invalid("an object's name leads out of its place", code="copies.bad_key")
        return self._root / key

    def _make_folders(self, folder: Path) -> None:
        """Make the folders of an object, each durable in the one above."""
        missing: list[Path] = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for one in reversed(missing):
            one.mkdir(exist_ok=True, mode=0o750)
            sync_directory(one.parent)


def _write_and_compare(descriptor: int, pieces: Iterable[bytes]) -> int:
    """Write, sync, and read back what the disk has; returns the bytes. Raises DataLoss where they are others."""
    sent = hashlib.sha256()
    size_bytes = 0
    for piece in pieces:
        sent.update(piece)
        size_bytes += len(piece)
        view = memoryview(piece)
        while view:
            view = view[os.write(descriptor, view) :]
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    found, at = hashlib.sha256(), 0
    while piece := os.pread(descriptor, READ_BYTES, at):
        found.update(piece)
        at += len(piece)
    if found.digest() != sent.digest():
        raise DataLoss("the place gave back other bytes than it was given", code="copies.read_back_differs")
    return size_bytes


@contextmanager
def _translated(root: Path) -> Generator[None]:
    try:
        yield
    except FileNotFoundError as error:
        if not (root / MARKER).is_file():
            raise Unavailable("the disk of the copies went away", code="copies.marker_missing") from error
        raise NotFound("the copy is not there", code="copies.not_there") from error
    except OSError as error:
        raise _problem_of(error) from error


def _problem_of(error: OSError) -> Problem:
    word = errno.errorcode.get(error.errno or 0, "EIO").lower()
    if error.errno in _FULL:
        return Exhausted("the disk of the copies is full", code="copies.full")
    if error.errno in _REFUSED:
        return Denied("the disk of the copies cannot be written to", code=f"copies.{word}")
    if error.errno == errno.ENOTEMPTY:
        return Conflict("a folder of the copies was filled meanwhile", code="copies.folder_filled")
    return Unavailable("the disk of the copies does not answer", code=f"copies.{word}")

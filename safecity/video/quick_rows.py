"""Makes index rows from files by sizes and headers alone: a few kilobytes and the last fragment's head, no hashing.

Two things make that enough. Fragments are numbered from 1, so the number of the last one is their count, and its times
end the segment; and the segment that follows in the same session names this one's root in its description, so that the
root is the one that was stated when it was recorded, better than one computed today from bytes that nobody has checked.
Whatever does not fit exactly is left to `recovery.finish_file`, which reads the whole file. That the middle of a file
is whole is not looked at here; `safecity store check` does it.
"""

import fcntl
import os
from dataclasses import replace
from pathlib import Path

from safecity.platform.errors import DataLoss, Invalid
from safecity.video.model import Segment, StreamKey
from safecity.video.recovery import row_of
from safecity.video.scan import MAX_INIT_BYTES, BufferSource, FileSource, Fragment, Scan, Source, read_init, scan_from

HEAD_BYTES = 8192  # ftyp, moov and description of a recording of ours
TAIL_BYTES = (768 * 1024, 4 * 1024**2, 32 * 1024**2)  # how far from the end the last fragment is looked for
_PRFT_BYTES = 32
_MAX_PRFT = 4


def read_quickly(file_path: Path, path: str, *, key: StreamKey, writer: str) -> Segment | None:
    """The row of a closed recording, its root still unknown; None where it must be read whole, or is still written.

    Raises FileNotFoundError and other OSErrors of the disk.
    """
    descriptor = os.open(file_path, os.O_RDONLY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        source = FileSource(file)
        try:
            found = _read_head(source)
            last = _find_last(source, len(found.init_bytes))
            if last is None:
                return None
            row = row_of(found, [last], path=path, key=key, writer=writer)
        except (DataLoss, Invalid):
            return None
    return replace(row, fragments=last.sequence)


def _read_head(source: Source) -> Scan:
    size = min(HEAD_BYTES, source.size_bytes)
    try:
        return read_init(BufferSource(source.read_at(0, size)))
    except DataLoss:
        return read_init(BufferSource(source.read_at(0, min(MAX_INIT_BYTES, source.size_bytes))))


def _find_last(source: Source, init_bytes: int) -> Fragment | None:
    """The fragment that ends exactly where the file ends; looked for from the end, in growing steps."""
    for tail_bytes in TAIL_BYTES:
        start = max(init_bytes, source.size_bytes - tail_bytes)
        tail = source.read_at(start, source.size_bytes - start)
        at = tail.rfind(b"moof")
        while at >= 4:
            found = _fragment_at(source, start + at - 4, floor=init_bytes)
            if found is not None:
                return found
            at = tail.rfind(b"moof", 0, at)
        if start == init_bytes:
            return None
    return None


def _fragment_at(source: Source, moof_at: int, *, floor: int) -> Fragment | None:
    """The last fragment, where its `moof` stands at an offset; the letters may be pictures' bytes by chance."""
    at = moof_at
    for _ in range(_MAX_PRFT):  # the reference times before a moof belong to its fragment
        if at - _PRFT_BYTES < floor or source.read_at(at - _PRFT_BYTES, 8) != b"\x00\x00\x00\x20prft":
            break
        at -= _PRFT_BYTES
    found = next(scan_from(source, at), None)
    if found is None or found.offset_bytes + found.size_bytes != source.size_bytes:
        return None
    return found if found.sequence >= 1 and (found.sequence > 1 or at == floor) else None


def find_root(row: Segment, later: Segment | None) -> str | None:
    """The root of a segment as the one after it in its stream names it; None where that is not sure.

    Sure is it inside of a session, whose segments touch to the microsecond: nothing can have stood between the two.
    Not where the later one begins inside of its file: both may show parts of the same one (`borrowed.py`).
    """
    if later is None or later.skip_ticks or later.session != row.session or later.started_at != row.durable_until:
        return None
    return later.previous_root

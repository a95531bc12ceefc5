"""What each camera really sent, picture by picture, in a file that outlives the camera: the truth of a long test.

A record is 32 bytes, little-endian: when the picture was due (microseconds since 1970, this machine's true time), when
it left, the mark of its coded bytes, and whether it left damaged. Written at once and without a buffer, so that a
camera that is killed has said all that it sent.
"""

import hashlib
import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from safecity.platform.clock import from_us, to_us

SUFFIX = ".sent"
MARK_BYTES = 8
_RECORD = struct.Struct("<qq8sB7x")
_H264_LAST_SLICE, _HEVC_LAST_SLICE = 5, 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One picture that left for one viewer."""

    due_at: datetime
    sent_at: datetime
    mark: bytes
    is_damaged: bool


def mark_of(nals: Iterable[bytes], codec: str) -> bytes:
    """A short hash of a picture's slices, so that it is known again wherever it turns up; other NAL units are left out,
    since recorders differ in what they keep of them."""
    digest = hashlib.blake2b(digest_size=MARK_BYTES)
    for nal in nals:
        is_slice = (
            1 <= nal[0] & 0x1F <= _H264_LAST_SLICE if codec == "h264" else (nal[0] >> 1) & 0x3F <= _HEVC_LAST_SLICE
        )
        if is_slice:
            digest.update(nal)
    return digest.digest()


class SentLog:
    """Appends to the file of one stream."""

    def __init__(self, folder: Path, *, mount: str, profile: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(folder / f"{mount}.{profile}{SUFFIX}", flags, 0o644)

    def note(self, sent: Sent) -> None:
        """Remember a picture."""
        os.write(
            self._descriptor, _RECORD.pack(to_us(sent.due_at), to_us(sent.sent_at), sent.mark, int(sent.is_damaged))
        )

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


def read_sent(path: Path, *, from_byte: int = 0) -> Iterator[Sent]:
    """What a stream has sent, in the order in which it left; an incomplete record at the end is not told."""
    with path.open("rb") as file:
        file.seek(from_byte)
        raw = file.read()
    for due_us, sent_us, mark, damaged in _RECORD.iter_unpack(raw[: len(raw) // _RECORD.size * _RECORD.size]):
        yield Sent(due_at=from_us(due_us), sent_at=from_us(sent_us), mark=mark, is_damaged=bool(damaged))

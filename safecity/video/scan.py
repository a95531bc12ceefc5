"""Finds the fragments of a recording and their samples, in a file or a buffer.

Recordings are cut off by power cuts and handed in by strangers. So a torn or damaged tail ends the scan and is told,
never raised; every count and size has a limit; and pictures are read only when asked for.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from io import IOBase
from typing import BinaryIO, Protocol, cast

from safecity.platform.errors import DataLoss, Invalid
from safecity.video.boxes import MAX_BOXES, Track, find_description, is_sync, read_moof, read_prft, read_track
from safecity.video.fmp4 import PRFT_CAPTURED, Entry, Sample

MAX_INIT_BYTES = 1024**2
MAX_MOOF_BYTES = 1024**2
MAX_MDAT_BYTES = 512 * 1024**2
MAX_FRAGMENTS = 100_000
_PEEK_BYTES = 4096  # holds prft, moof and mdat header of a usual fragment in one read


class Source(Protocol):
    """Bytes that can be read anywhere: a file, a buffer."""

    size_bytes: int

    def read_at(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`; fewer only at the end."""
        ...


class FileSource:
    """An open file; its size is taken once, so a file that still grows is read as it was."""

    def __init__(self, file: BinaryIO, *, size_bytes: int | None = None) -> None:
        self._descriptor = file.fileno()
        now_bytes = os.fstat(self._descriptor).st_size
        self.size_bytes = now_bytes if size_bytes is None else min(size_bytes, now_bytes)

    def read_at(self, offset: int, size: int) -> bytes:
        """Positional read; the file's own position stays untouched."""
        return os.pread(self._descriptor, max(0, min(size, self.size_bytes - offset)), offset)


class BufferSource:
    """Bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size_bytes = len(data)

    def read_at(self, offset: int, size: int) -> bytes:
        """A slice."""
        return self._data[offset : offset + size]


class HeadSource:
    """The head of a fragment alone, as long as its pictures would make it: enough to read what the head says."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self.size_bytes = len(head) - 8 + int.from_bytes(head[-8:-4])

    def read_at(self, offset: int, size: int) -> bytes:
        """A slice of the head."""
        return self._head[offset : offset + size]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """One leaf of a recording: `prft`s, `moof` and `mdat`, from `offset_bytes` on.

    `head_bytes` is the length up to the payload of `mdat`; the samples start `skip_bytes` into that payload.
    """

    offset_bytes: int
    size_bytes: int
    head_bytes: int
    moof_offset_bytes: int
    sequence: int
    decode_ticks: int
    skip_bytes: int
    entries: tuple[Entry, ...]
    captured_at: datetime | None
    received_at: datetime | None

    @property
    def duration_ticks(self) -> int:
        """Sum of the samples' durations."""
        return sum(entry[0] for entry in self.entries)

    @property
    def end_ticks(self) -> int:
        """Decode time just after the last sample."""
        return self.decode_ticks + self.duration_ticks

    @property
    def is_key_first(self) -> bool:
        """Whether it starts with a key frame."""
        return is_sync(self.entries[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A file as far as it is whole: `whole_bytes` is where that ends, `damage` tells what follows."""

    init_bytes: bytes
    track: Track
    description: bytes | None
    fragments: tuple[Fragment, ...]
    whole_bytes: int
    damage: str | None


class _Torn(Exception):
    """The rest is not whole."""


def as_source(source: "BinaryIO | bytes | Source") -> Source:
    """A file or a buffer as something that can be read anywhere."""
    if isinstance(source, bytes):
        return BufferSource(source)
    return FileSource(cast(BinaryIO, source)) if isinstance(source, IOBase) else cast(Source, source)


def scan(source: "BinaryIO | bytes | Source") -> Scan:
    """Where everything lies. Raises DataLoss only when the init segment itself cannot be read."""
    data = as_source(source)
    head = read_init(data)
    fragments: list[Fragment] = []
    at, damage = head.whole_bytes, None
    while at < data.size_bytes:
        try:
            if len(fragments) >= MAX_FRAGMENTS:
                raise _Torn(f"more than {MAX_FRAGMENTS} fragments")
            found = _read_fragment(data, at)
        except _Torn as error:
            damage = str(error)
            break
        fragments.append(found)
        at = found.offset_bytes + found.size_bytes
    return replace(head, fragments=tuple(fragments), whole_bytes=at, damage=damage)


def read_init(source: "BinaryIO | bytes | Source") -> Scan:
    """What the init segment alone says; no fragment is looked at. Raises DataLoss where it cannot be read."""
    data = as_source(source)
    init_end = _find_init_end(data)
    init = data.read_at(0, init_end)
    return Scan(
        init_bytes=init,
        track=read_track(init),
        description=find_description(init),
        fragments=(),
        whole_bytes=init_end,
        damage=None,
    )


def scan_from(source: "BinaryIO | bytes | Source", offset: int) -> Iterator[Fragment]:
    """The whole fragments from a known border on, lazily; ends quietly at a torn tail."""
    data = as_source(source)
    for _ in range(MAX_FRAGMENTS):
        if offset >= data.size_bytes:
            return
        try:
            found = _read_fragment(data, offset)
        except _Torn:
            return
        yield found
        offset += found.size_bytes


def read_samples(source: "BinaryIO | bytes | Source", fragment: Fragment) -> Iterator[tuple[int, Sample]]:
    """(decode ticks, sample) of each picture; raises DataLoss when the file is shorter than it was."""
    data = as_source(source)
    at = fragment.offset_bytes + fragment.head_bytes + fragment.skip_bytes
    payload = data.read_at(at, sum(entry[1] for entry in fragment.entries))
    ticks, start = fragment.decode_ticks, 0
    for entry in fragment.entries:
        duration, size, _, offset = entry
        piece = payload[start : start + size]
        if len(piece) != size:
            raise DataLoss("a recording is shorter than it was when it was indexed", code="video.recording_torn")
        yield (
            ticks,
            Sample(data=piece, duration_ticks=duration, is_key=is_sync(entry), composition_offset_ticks=offset),
        )
        ticks, start = ticks + duration, start + size


def _find_init_end(data: Source) -> int:
    """The init segment is everything before the first box that belongs to a fragment."""
    at, has_moov = 0, False
    for _ in range(MAX_BOXES):
        head = data.read_at(at, 16)
        size, kind = struct.unpack(">I4s", head[:8]) if len(head) >= 8 else (0, b"")
        if has_moov and (kind in (b"prft", b"moof", b"styp", b"mdat", b"sidx") or size < 8):
            return at
        if size < 8 or at + size > min(MAX_INIT_BYTES, data.size_bytes):
            if has_moov:
                return at
            break
        has_moov = has_moov or kind == b"moov"
        at += size
    raise DataLoss("the file has no whole MP4 head (ftyp, moov)", code="video.recording_head")


def _read_fragment(data: Source, offset: int) -> Fragment:
    """The fragment that starts at a border; other boxes before its `moof` belong to it."""
    peek = data.read_at(offset, _PEEK_BYTES)
    at, moof, instants = offset, None, dict[int, datetime]()
    for _ in range(MAX_BOXES):
        head = peek[at - offset : at - offset + 16]
        if len(head) < 16:
            head = data.read_at(at, 16)
        if len(head) < 8:
            raise _Torn("the file ends inside a box head")
        size, kind = struct.unpack_from(">I4s", head)
        header = 8
        if size == 1 and len(head) == 16:
            size, header = int.from_bytes(head[8:16]), 16
        limit = MAX_MDAT_BYTES if kind == b"mdat" else MAX_MOOF_BYTES
        if size < header or size > limit:
            raise _Torn(f"a box of {size} bytes at {at} cannot be")
        if at + size > data.size_bytes:
            raise _Torn("the file ends inside a fragment")
        if kind == b"mdat":
            if moof is None:
                raise _Torn("pictures without a moof before them")
            return _join(offset, moof, mdat=(at, header, size), instants=instants)
        inner = (at - offset, at - offset + size)
        body = peek[inner[0] : inner[1]] if inner[1] <= len(peek) else data.read_at(at, size)
        if kind == b"moof":
            moof = (at, body)
        elif kind == b"prft":
            instants.update(read_prft(body))
        at += size
    raise _Torn(f"more than {MAX_BOXES} boxes in a fragment")


def _join(
    offset: int, moof: tuple[int, bytes], *, mdat: tuple[int, int, int], instants: dict[int, datetime]
) -> Fragment:
    moof_at, body = moof
    mdat_at, mdat_header, mdat_size = mdat
    try:
        sequence, decode_ticks, run_offset, entries = read_moof(body)
    except (Invalid, struct.error, IndexError) as error:
        raise _Torn(f"a moof at {moof_at} cannot be read: {error}") from error
    payload_at = mdat_at + mdat_header
    skip = moof_at + run_offset - payload_at
    if skip < 0 or skip + sum(entry[1] for entry in entries) > mdat_size - mdat_header:
        raise _Torn(f"the samples of the fragment at {offset} lie outside of its pictures")
    captured = instants.get(PRFT_CAPTURED)
    received = next((at for flags, at in instants.items() if flags != PRFT_CAPTURED), None)
    return Fragment(
        offset_bytes=offset,
        size_bytes=mdat_at + mdat_size - offset,
        head_bytes=payload_at - offset,
        moof_offset_bytes=moof_at - offset,
        sequence=sequence,
        decode_ticks=decode_ticks,
        skip_bytes=skip,
        entries=entries,
        captured_at=captured,
        received_at=received,
    )

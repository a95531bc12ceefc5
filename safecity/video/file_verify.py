"""Verifies one recorded file against its row in the index: the one place where that is decided.

A pure function of bytes and a row, so that it serves the first copy, the second one, a restore drill and a file
that somebody brings. Each byte of a recording is in one leaf of its root, so with a root no changed byte goes unseen;
without one (a segment still being written, a row rebuilt from headers) form, times and description are compared.
"""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, cast

from safecity.oversight import merkle
from safecity.platform.clock import from_us, to_us
from safecity.platform.errors import DataLoss, Invalid
from safecity.video.borrowed import read_name
from safecity.video.model import Segment, SegmentState, line_us
from safecity.video.recovery import LAST_US, LONGEST_TICKS, ROUNDING_US
from safecity.video.scan import Scan, Source, as_source, scan
from safecity.video.segments import FORMAT

PIECE_BYTES = 1024**2  # read and hashed at a time
_DESCRIBED = ("session", "rate_ppb", "line_error_us", "previous_root")
_DESCRIBED_HERE = ("camera_offset_us", "writer")  # a borrowed file says these of the machine that recorded it


class Flaw(StrEnum):
    """What can be wrong with a file or with what the index says of it; the last five concern more than one file."""

    MISSING = "missing"  # the index knows a file that is not there
    UNREADABLE = "unreadable"  # the disk does not give it
    SIZE = "size"  # it has other bytes than the index says
    TORN = "torn"  # it has no head, or a fragment of it is not whole
    ROOT = "root"  # its bytes are not those that were recorded
    DESCRIPTION = "description"  # it says other things of itself than the index does
    TIMES = "times"  # its times are not those of the row
    UNKNOWN = "unknown"  # a recording that the index does not know
    OVERLAP = "overlap"  # it begins before the one before it ends
    CHAIN = "chain"  # it does not name the root of the one before it
    HOLE = "hole"  # nothing is recorded, and no outage says why
    ENDLESS = "endless"  # an outage without an end, though recording went on


FILE_FLAWS = frozenset({Flaw.MISSING, Flaw.UNREADABLE, Flaw.SIZE, Flaw.TORN, Flaw.ROOT, Flaw.DESCRIPTION, Flaw.TIMES})


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFlaw:
    """One flaw, and in words what was found."""

    kind: Flaw
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What verifying a file found; `root` is that of its bytes where they have a form to hash."""

    flaws: tuple[FileFlaw, ...]
    root: str | None
    read_bytes: int

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.flaws


class _Durable:
    """A source up to what the index says is durable: a segment that is being written goes on behind it."""

    def __init__(self, source: Source, size_bytes: int) -> None:
        self._source = source
        self.size_bytes = min(size_bytes, source.size_bytes)

    def read_at(self, offset: int, size: int) -> bytes:
        """Never behind the end."""
        return self._source.read_at(offset, max(0, min(size, self.size_bytes - offset)))


def verify_file(file: "BinaryIO | bytes | Source", row: Segment) -> FileReport:
    """Compare a recording's bytes with its row: size, form, description, times, and every byte by the Merkle root.

    Of an open segment, what is durable by its row is verified. Raises OSError where the source does not give its bytes.
    """
    source = as_source(file)
    is_open = row.state is SegmentState.OPEN
    flaws: list[FileFlaw] = []
    if source.size_bytes < row.size_bytes or (source.size_bytes > row.size_bytes and not is_open):
        flaws.append(_flaw(Flaw.SIZE, f"{source.size_bytes} bytes, {row.size_bytes} in the index"))
    try:
        found = scan(_Durable(source, row.size_bytes))
    except (DataLoss, Invalid) as problem:
        return FileReport(flaws=(*flaws, _flaw(Flaw.TORN, problem.message)), root=None, read_bytes=source.size_bytes)
    if found.damage is not None or found.whole_bytes != min(source.size_bytes, row.size_bytes):
        flaws.append(_flaw(Flaw.TORN, f"whole up to byte {found.whole_bytes}: {found.damage}"))
    flaws += _compare_description(found, row)
    flaws += _compare_times(found, row)
    root, read_bytes = hash_file(source, found)
    if row.root is not None and row.root != root:
        flaws.append(_flaw(Flaw.ROOT, f"root {root[:16]}..., {row.root[:16]}... in the index"))
    return FileReport(flaws=tuple(flaws), root=root, read_bytes=read_bytes)


def hash_file(source: Source, found: Scan) -> tuple[str, int]:
    """(hex Merkle root, bytes read) over the init segment and the fragments that were found in a file."""
    leaves = [merkle.leaf_hash(found.init_bytes)]
    read_bytes = len(found.init_bytes)
    for one in found.fragments:
        digest = hashlib.sha256(b"\x00")
        at, end = one.offset_bytes, one.offset_bytes + one.size_bytes
        while at < end:
            piece = source.read_at(at, min(PIECE_BYTES, end - at))
            if not piece:
                break  # shorter than a moment ago: the hash will not fit
            digest.update(piece)
            at += len(piece)
        read_bytes += one.size_bytes
        leaves.append(digest.digest())
    return merkle.root(leaves).hex(), read_bytes


def describes(raw: bytes | None) -> dict[str, object]:
    """What a recording says of itself; empty where that is not in our format."""
    try:
        said: object = json.loads(raw or b"null")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(said, dict) or cast("dict[str, object]", said).get("format") != FORMAT:
        return {}
    return cast("dict[str, object]", said)


def _compare_description(found: Scan, row: Segment) -> list[FileFlaw]:
    said = describes(found.description)
    if not said:
        return [_flaw(Flaw.DESCRIPTION, "it carries no description of ours")]
    expected: dict[str, object] = {name: getattr(row, name) for name in _DESCRIBED}
    expected |= {"camera": row.camera, "stream": row.stream.value}
    if read_name(row.path) is None:
        expected |= {name: getattr(row, name) for name in _DESCRIBED_HERE}
        expected["started_at_us"] = to_us(row.started_at)
    wrong = [name for name, value in expected.items() if said.get(name) != value]
    track = found.track
    shown = (track.codec, track.codec_string, track.width_px, track.height_px)
    if shown != (row.codec, row.codec_string, row.width_px, row.height_px):
        wrong.append("picture format")
    return [_flaw(Flaw.DESCRIPTION, f"{', '.join(wrong)}: not as in the index")] if wrong else []


def _compare_times(found: Scan, row: Segment) -> list[FileFlaw]:
    fragments = found.fragments
    if len(fragments) != row.fragments:
        return [_flaw(Flaw.TIMES, f"{len(fragments)} fragments, {row.fragments} in the index")]
    if not fragments:
        return []
    ticks = max(one.end_ticks for one in fragments)
    end_us = to_us(row.started_at) + line_us(fragments[-1].end_ticks - row.skip_ticks, row.rate_ppb)
    if ticks > LONGEST_TICKS or not abs(end_us) <= LAST_US:
        return [_flaw(Flaw.TIMES, "its times cannot be")]
    over_us = to_us(row.durable_until) - end_us
    is_borrowed = read_name(row.path) is not None  # then it may hold more than is shown of it
    if over_us > ROUNDING_US if is_borrowed else over_us:
        return [_flaw(Flaw.TIMES, f"it ends at {from_us(end_us).isoformat()}, not where the index says")]
    return []


def _flaw(kind: Flaw, detail: str) -> FileFlaw:
    return FileFlaw(kind=kind, detail=detail)

"""Cuts a clip out of recorded segments without touching a picture: fragments are carried over, their heads rewritten.

The clip starts at the key frame at or before the wanted instant and ends with the fragment that holds the last one.
Payloads are carried whole, so the pictures of the first fragment that lie before the key frame are in the file, but no
sample refers to them.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from safecity.oversight.merkle import inclusion_path, inclusion_paths, leaf_hash, root
from safecity.platform.clock import from_us, to_us
from safecity.platform.errors import Conflict, DataLoss, Invalid, NotFound, Unavailable
from safecity.video.access_unit import TICKS_PER_S
from safecity.video.boxes import is_sync
from safecity.video.fmp4 import description_box, mdat_header, moof, reference_times
from safecity.video.model import Segment, SegmentState, instant_of
from safecity.video.scan import FileSource, Fragment, Scan, scan
from safecity.video.sheet import SheetFragment, SheetSegment, to_text
from safecity.video.volumes import Volumes

MAX_KEPT_BYTES = 64 * 1024**2  # of one segment between hashing and writing; what is more is read twice
DESCRIPTION_HEAD_BYTES = 24  # size, type and UUID of the description box


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Which fragments of a segment are carried over; of the first one, `left_out` samples are not shown."""

    first: int
    end: int
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leaves:
    """A segment's leaf hashes, and by number the fragments that were held to be carried over."""

    hashes: Sequence[bytes]
    kept: Mapping[int, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What a clip got from one segment."""

    sheet: SheetSegment
    first_at: datetime
    end_at: datetime


def find_cut(found: Scan, segment: Segment, *, from_at: datetime, to_at: datetime) -> Cut | None:
    """The fragments that cover [from, to) of a segment, back to the key frame at or before `from`."""
    items = found.fragments
    end = next((n for n, item in enumerate(items) if instant_of(segment, item.decode_ticks) >= to_at), len(items))
    first, left_out = None, 0
    for number, item in enumerate(items[:end]):
        ticks = item.decode_ticks
        for index, entry in enumerate(item.entries):
            if instant_of(segment, ticks) > from_at and first is not None:
                return Cut(first=first, end=end, left_out=left_out)
            if is_sync(entry):
                first, left_out = number, index
            ticks += entry[0]
    return None if first is None else Cut(first=first, end=end, left_out=left_out)


def bare_init(found: Scan) -> bytes:
    """The init segment without our description: what must be equal for two segments to share a clip."""
    if found.description is None:
        return found.init_bytes
    box = description_box(found.description)
    return found.init_bytes.replace(box, b"", 1)


class ClipWriter:
    """Writes one clip from segments in order of time."""

    def __init__(self, out: BinaryIO, *, open_file: Callable[[Segment], BinaryIO], description: bytes) -> None:
        self._out = out
        self._open = open_file
        self._description = description
        self._digest = hashlib.sha256()
        self._init: bytes | None = None
        self._start_at: datetime | None = None
        self._sequence = 0
        self._end_ticks = 0
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        """Of everything written so far, hex."""
        return self._digest.hexdigest()

    def add(self, segment: Segment, *, from_at: datetime, to_at: datetime) -> Carried | None:
        """Carry over what a segment holds of [from, to); None where that is nothing.

        Raises DataLoss when the file is not what was recorded, and Conflict when its parameters differ from those of
        the segments before.
        """
        with self._open(segment) as file:
            source = FileSource(file, size_bytes=segment.size_bytes)
            found = scan(source)
            if segment.origin.is_recovered:  # only what its row shows of it
                from_at, to_at = max(from_at, segment.started_at), min(to_at, segment.durable_until)
            cut = find_cut(found, segment, from_at=from_at, to_at=to_at)
            read = _read_leaves(source, found, cut=cut)
            tree = check_root(segment, found, leaves=read.hashes)
            if cut is None:
                return None
            self._begin(segment, found, cut=cut)
            carried = self._carry(segment, found, cut=cut, source=source, read=read)
        return Carried(
            sheet=_sheet_of(segment, found, leaves=read.hashes, tree=tree, fragments=carried),
            first_at=instant_of(segment, _first_ticks(found, cut)),
            end_at=instant_of(segment, found.fragments[cut.end - 1].end_ticks),
        )

    def _begin(self, segment: Segment, found: Scan, *, cut: Cut) -> None:
        init = bare_init(found)
        if self._init is None:
            self._init, self._start_at = init, instant_of(segment, _first_ticks(found, cut))
            self._write(init + description_box(self._description))
        elif init != self._init:
            raise Conflict(
                "the camera changed its picture format inside this interval; export the parts before and after"
                f" {segment.started_at:%Y-%m-%d %H:%M:%S} UTC one by one",
                code="export.format_changes",
                change_at=segment.started_at.isoformat(),
            )

    def _carry(
        self, segment: Segment, found: Scan, *, cut: Cut, source: FileSource, read: _Leaves
    ) -> list[SheetFragment]:
        first_ticks = _first_ticks(found, cut)
        base = max(self._end_ticks, self._clip_ticks(instant_of(segment, first_ticks)))
        paths = inclusion_paths(read.hashes)
        carried: list[SheetFragment] = []
        for number in range(cut.first, cut.end):
            item = found.fragments[number]
            left_out = cut.left_out if number == cut.first else 0
            skipped = item.entries[:left_out]
            ticks = base + item.decode_ticks + sum(entry[0] for entry in skipped) - first_ticks
            raw = read.kept.get(number) or source.read_at(item.offset_bytes, item.size_bytes)
            self._sequence += 1
            self._write(clip_head(item, sequence=self._sequence, clip_ticks=ticks, left_out=left_out))
            self._write(memoryview(raw)[item.head_bytes :])
            self._end_ticks = ticks + item.duration_ticks - sum(entry[0] for entry in skipped)
            carried.append(
                SheetFragment(
                    leaf=number + 1,
                    hash=read.hashes[number + 1].hex(),
                    head=to_text(raw[: item.head_bytes]),
                    path=tuple(part.hex() for part in paths[number + 1]),
                    clip_ticks=ticks,
                    left_out=left_out,
                )
            )
        return carried

    def _clip_ticks(self, instant: datetime) -> int:
        assert self._start_at is not None
        return clip_ticks_of(instant, self._start_at)

    def _write(self, data: bytes | memoryview) -> None:
        self._out.write(data)
        self._digest.update(data)
        self.size_bytes += len(data)


def _read_leaves(source: FileSource, found: Scan, *, cut: Cut | None) -> _Leaves:
    """The leaf hashes of a segment, and the fragments that a clip carries over, as far as they may be held."""
    leaves, kept, room = [leaf_hash(found.init_bytes)], dict[int, bytes](), MAX_KEPT_BYTES
    for number, item in enumerate(found.fragments):
        raw = source.read_at(item.offset_bytes, item.size_bytes)
        leaves.append(leaf_hash(raw))
        if cut is not None and cut.first <= number < cut.end and room >= len(raw):
            kept[number] = raw
            room -= len(raw)
    return _Leaves(hashes=leaves, kept=kept)


def clip_ticks_of(instant: datetime, start_at: datetime) -> int:
    """Media time in a clip that starts at `start_at`."""
    return (to_us(instant) - to_us(start_at)) * TICKS_PER_S // 1_000_000


def clip_head(item: Fragment, *, sequence: int, clip_ticks: int, left_out: int) -> bytes:
    """The head that a recorded fragment gets in a clip: the same samples from `left_out` on, at another media time."""
    skip = item.skip_bytes + sum(entry[1] for entry in item.entries[:left_out])
    entries = item.entries[left_out:]
    # The instants belong to the fragment's first sample; where that is not shown, they would date the wrong picture.
    times = (
        b""
        if left_out
        else reference_times(
            max(0, clip_ticks + entries[0][3]), captured_at=item.captured_at, received_at=item.received_at
        )
    )
    run = moof(sequence, clip_ticks, entries=entries, skip_bytes=skip)
    return times + run + mdat_header(item.size_bytes - item.head_bytes)


def _first_ticks(found: Scan, cut: Cut) -> int:
    item = found.fragments[cut.first]
    return item.decode_ticks + sum(entry[0] for entry in item.entries[: cut.left_out])


def open_segment(volumes: Volumes, segment: Segment) -> BinaryIO:
    """The file of a segment; raises NotFound when retention took it, Invalid for a path outside of the store.

    Raises Unavailable where its disk is not there.
    """
    volume = volumes.volume_of(segment)
    path = (volume.directory / segment.path).resolve()
    if not path.is_relative_to(volume.directory.resolve()):
        raise Invalid("the index names a file outside of the recordings", code="video.path_invalid")
    try:
        return os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC), "rb")
    except FileNotFoundError as error:
        if segment.volume == volume.id and not volume.is_there():
            raise Unavailable(
                f"the disk with the recording of {segment.started_at:%Y-%m-%d %H:%M:%S} UTC is not there",
                code="video.volume_gone",
            ) from error
        raise NotFound(
            f"the recording of {segment.started_at:%Y-%m-%d %H:%M:%S} UTC is no longer kept",
            code="video.recording_gone",
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Own:
    """What a file says of itself: on the line of the machine that recorded it."""

    started_at: datetime
    writer: str
    camera_offset_us: int | None


def _own(found: Scan, segment: Segment) -> _Own:
    if not segment.origin.is_recovered:
        return _Own(started_at=segment.started_at, writer=segment.writer, camera_offset_us=segment.camera_offset_us)
    try:
        said = json.loads(found.description or b"")
        started_at, offset = from_us(int(said["started_at_us"])), said["camera_offset_us"]
        return _Own(
            started_at=started_at, writer=str(said["writer"]), camera_offset_us=None if offset is None else int(offset)
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DataLoss("a recording does not say what it is", code="video.recording_changed") from error


def check_root(segment: Segment, found: Scan, *, leaves: Sequence[bytes]) -> bytes:
    """The root over the leaves; raises DataLoss where it is not the one that was recorded."""
    tree = root(leaves)
    if segment.state is SegmentState.CLOSED and segment.root is not None and tree.hex() != segment.root:
        raise DataLoss(
            f"the recording that starts at {segment.started_at:%Y-%m-%d %H:%M:%S} UTC is not what was recorded"
            f" ({found.damage or 'its hash differs'}); keep the disk as it is and call the technician",
            code="video.recording_changed",
        )
    return tree


def _sheet_of(
    segment: Segment,
    found: Scan,
    *,
    leaves: Sequence[bytes],
    tree: bytes,
    fragments: Sequence[SheetFragment],
) -> SheetSegment:
    own = _own(found, segment)
    return SheetSegment(
        origin=segment.origin.value,
        shift_us=to_us(instant_of(segment, 0)) - to_us(own.started_at),
        path=segment.path,
        session=segment.session,
        writer=own.writer,
        state="closed" if segment.state is SegmentState.CLOSED else "open",
        started_at=own.started_at,
        rate_ppb=segment.rate_ppb,
        line_error_us=segment.line_error_us,
        camera_offset_us=own.camera_offset_us,
        root=tree.hex(),
        tree_size=len(leaves),
        previous_root=segment.previous_root,
        init=to_text(found.init_bytes),
        init_path=tuple(part.hex() for part in inclusion_path(leaves, 0)),
        fragments=tuple(fragments),
    )

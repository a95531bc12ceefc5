"""Checks a clip against its hash sheet with nothing else: no database, no network, no trust in who made them."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from safecity.oversight.merkle import leaf_hash, verify_inclusion
from safecity.platform.clock import from_us, to_us
from safecity.platform.errors import DataLoss, Invalid
from safecity.video.boxes import find_description
from safecity.video.fmp4 import description_box
from safecity.video.model import line_us
from safecity.video.scan import FileSource, Fragment, HeadSource, Scan, scan, scan_from
from safecity.video.sheet import Sheet, SheetFragment, SheetSegment, read_sheet, to_bytes
from safecity.video.splice import clip_head, clip_ticks_of

_CHUNK_BYTES = 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was proved."""

    sheet: Sheet
    pictures: int
    fragments: int
    duration_s: float


def verify_clip(clip: Path, sheet_file: Path) -> Verified:
    """Prove that every picture of the clip is a recorded one, none left out inside a segment, none moved in time.

    Raises Invalid with the first thing that does not hold.
    """
    sheet = read_sheet(sheet_file.read_bytes())
    with clip.open("rb") as file:
        digest, size = hashlib.sha256(), 0
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
        if (size, digest.hexdigest()) != (sheet.clip.bytes, sheet.clip.sha256):
            raise _wrong("the clip is not the file that the sheet was made for (size or SHA-256 differs)")
        source = FileSource(file)
        try:
            found = scan(source)
        except DataLoss as error:
            raise _wrong(str(error)) from error
        if found.damage is not None:
            raise _wrong(f"the clip is damaged: {found.damage}")
        try:
            _verify_parts(sheet, found, source=source)
        except OverflowError as error:
            raise _wrong("its times lie outside of any calendar") from error
    last = found.fragments[-1]
    return Verified(
        sheet=sheet,
        pictures=sum(len(item.entries) for item in found.fragments),
        fragments=len(found.fragments),
        duration_s=last.end_ticks / sheet.timescale,
    )


def _wrong(message: str) -> Invalid:
    return Invalid(message, code="clip.not_verified")


def _verify_parts(sheet: Sheet, found: Scan, *, source: FileSource) -> None:
    if len(found.fragments) != sum(len(segment.fragments) for segment in sheet.segments):
        raise _wrong("the clip has more or fewer fragments than the sheet")
    items = iter(enumerate(found.fragments, start=1))
    clip_init = _without_description(found.init_bytes)
    for number, segment in enumerate(sheet.segments):
        _verify_segment(sheet, segment, clip_init=clip_init)
        before, after = sheet.segments[:number], sheet.segments[number + 1 :]
        is_first = not before or _is_covered(segment, by=before[-1], then=segment)
        _verify_order(segment, is_first=is_first, is_last=not after or _is_covered(segment, by=segment, then=after[0]))
        _verify_fragments(segment, items, source=source)
    _verify_times(sheet)


def _without_description(init: bytes) -> bytes:
    description = find_description(init)
    return init if description is None else init.replace(description_box(description), b"", 1)


def _verify_segment(sheet: Sheet, segment: SheetSegment, *, clip_init: bytes) -> None:
    init = to_bytes(segment.init)
    if not _is_leaf(segment, index=0, leaf=leaf_hash(init), path=segment.init_path):
        raise _wrong(f"{segment.path}: its init segment does not belong to its root")
    if _without_description(init) != clip_init:
        raise _wrong(f"{segment.path}: the clip's decoder parameters are not the recorded ones")
    stated = {
        "camera": sheet.camera,
        "stream": sheet.stream,
        "session": segment.session,
        "started_at_us": to_us(segment.started_at),
        "rate_ppb": segment.rate_ppb,
        "line_error_us": segment.line_error_us,
        "camera_offset_us": segment.camera_offset_us,
        "previous_root": segment.previous_root,
        "writer": segment.writer,
    }
    try:
        recorded = json.loads(find_description(init) or b"")
        same = {name: recorded[name] for name in stated} == stated
    except (ValueError, KeyError, TypeError) as error:
        raise _wrong(f"{segment.path}: the recording does not say what it is") from error
    if not same:
        raise _wrong(f"{segment.path}: the sheet says otherwise than the recording what it is")
    if segment.shift_us and segment.origin == "recorded":
        raise _wrong(f"{segment.path}: what was recorded here is shown at another time than it says")


def _is_covered(segment: SheetSegment, *, by: SheetSegment, then: SheetSegment) -> bool:
    """Whether a borrowed segment may be cut here: what is left out of it lies beside what the clip carries."""
    is_borrowed = segment.origin != "recorded"
    return is_borrowed and _instant(then, _recorded_ticks(then.fragments[0])) <= _instant(
        by, _recorded(by.fragments[-1]).end_ticks
    )


def _instant(segment: SheetSegment, ticks: int) -> datetime:
    return from_us(to_us(segment.started_at) + segment.shift_us + line_us(ticks, segment.rate_ppb))


def _verify_order(segment: SheetSegment, *, is_first: bool, is_last: bool) -> None:
    """No fragment may be left out: the leaves run on, through the whole of every segment but the first and the last."""
    leaves = [item.leaf for item in segment.fragments]
    if leaves != list(range(leaves[0], leaves[0] + len(leaves))):
        raise _wrong(f"{segment.path}: recorded fragments are left out inside the clip")
    if not is_first and leaves[0] != 1:
        raise _wrong(f"{segment.path}: the start of a recorded segment is left out inside the clip")
    if not is_last and leaves[-1] != segment.tree_size - 1:
        raise _wrong(f"{segment.path}: the end of a recorded segment is left out inside the clip")
    if any(item.left_out for item in segment.fragments[0 if not is_first else 1 :]):
        raise _wrong(f"{segment.path}: pictures are left out inside the clip")


def _verify_fragments(segment: SheetSegment, items: Iterator[tuple[int, Fragment]], *, source: FileSource) -> None:
    for stated in segment.fragments:
        sequence, item = next(items)
        raw = source.read_at(item.offset_bytes, item.size_bytes)
        payload = raw[item.head_bytes :]
        original = to_bytes(stated.head) + payload
        leaf = leaf_hash(original)
        if leaf.hex() != stated.hash or not _is_leaf(segment, index=stated.leaf, leaf=leaf, path=stated.path):
            raise _wrong(f"{segment.path}: fragment {stated.leaf} of the clip is not the recorded one")
        recorded = next(scan_from(original, 0), None)
        if recorded is None or stated.left_out >= len(recorded.entries):
            raise _wrong(f"{segment.path}: the head of fragment {stated.leaf} does not fit its pictures")
        head = clip_head(recorded, sequence=sequence, clip_ticks=stated.clip_ticks, left_out=stated.left_out)
        if raw[: item.head_bytes] != head:
            raise _wrong(f"{segment.path}: fragment {stated.leaf} is shown otherwise than it was recorded")


def _is_leaf(segment: SheetSegment, *, index: int, leaf: bytes, path: tuple[str, ...]) -> bool:
    try:
        steps = [bytes.fromhex(step) for step in path]
    except ValueError:
        return False
    return verify_inclusion(leaf, steps, index=index, size=segment.tree_size, tree_root=bytes.fromhex(segment.root))


def _verify_times(sheet: Sheet) -> None:
    """The clip's media times are those of the recording: exact inside a segment, by the segment's start between."""
    end_ticks, start_at, end_at = 0, None, None
    for segment in sheet.segments:
        first = _recorded_ticks(segment.fragments[0])
        began_at = _instant(segment, first)
        start_at = start_at or began_at
        base = max(end_ticks, clip_ticks_of(began_at, start_at))
        for stated in segment.fragments:
            if stated.clip_ticks != base + _recorded_ticks(stated) - first:
                raise _wrong(f"{segment.path}: fragment {stated.leaf} is shown at another time than it was recorded")
        last = _recorded(segment.fragments[-1]).end_ticks
        end_ticks = base + last - first
        end_at = _instant(segment, last)
    if (start_at, end_at) != (sheet.first_at, sheet.end_at):
        raise _wrong("the sheet's first and last instant are not those of its fragments")


def _recorded_ticks(stated: SheetFragment) -> int:
    item = _recorded(stated)
    return item.decode_ticks + sum(entry[0] for entry in item.entries[: stated.left_out])


def _recorded(stated: SheetFragment) -> Fragment:
    item = next(scan_from(HeadSource(to_bytes(stated.head)), 0), None)
    if item is None:
        raise _wrong(f"the head of fragment {stated.leaf} cannot be read")
    return item

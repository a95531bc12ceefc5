"""What a recorder does before it records a stream again: finish the files that its predecessor left.

A file that the index does not know as closed is cut after its last whole fragment, never appended to, hashed and
indexed. A file without a whole fragment is renamed (`.damaged`) and kept. The index is not needed: a file says itself
what it is, so that a lost database costs no recorded second. A recorder looks at the newest files only, because it has
to record again; the keeper finds the older ones (`reindex.py`).
"""

import fcntl
import json
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import cast

import structlog

from safecity.oversight import merkle
from safecity.platform.clock import from_us, to_us
from safecity.platform.errors import Conflict, DataLoss, Invalid
from safecity.platform.files import sync_directory
from safecity.video.access_unit import TICKS_PER_S
from safecity.video.borrowed import as_shown
from safecity.video.h264 import split_length_prefixed
from safecity.video.model import Origin, Segment, SegmentState, StreamKey, line_us
from safecity.video.scan import FileSource, Fragment, Scan, read_samples, scan
from safecity.video.segments import FORMAT
from safecity.video.volumes import UNPREPARED, Volume, Volumes, holds

log = structlog.get_logger()

DAMAGED_SUFFIX = ".damaged"
CHECKED_AT_END = 3  # fragments whose pictures are looked into: a power cut can leave zeros where data should be
ROUNDING_US = 1000
LONGEST_TICKS = 24 * 3600 * TICKS_PER_S  # of a segment; real ones are cut after minutes
LAST_US = 253_402_300_799 * 1_000_000  # the end of the year 9999
MAX_FILES_AT_START = 20
MAX_FILES_A_DAY = 10_000  # 86,400 s in segments of at least 4 s, and then some restarts


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A file that was cut and is whole now."""

    row: Segment
    cut_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """A file that could not be used; it was renamed and kept."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What was found; `last` is the stream's newest segment now."""

    restored: tuple[Restored, ...]
    set_aside: tuple[SetAside, ...]
    missing: tuple[Segment, ...]  # rows that were open and have no file
    last: Segment | None


def recover_stream(volumes: Volumes, key: StreamKey, *, known: list[Segment], writer: str) -> Recovery:
    """Finish what a stream's earlier recorder left open.

    `known` are the rows that are open and the newest one; the newest files that are not older than the newest row and
    not a closed row of these are looked at, and every open one.
    """
    closed = {row.path for row in known if row.state is not SegmentState.OPEN}
    opened = {row.path: row for row in known if row.state is SegmentState.OPEN}
    newest = max((row.path for row in known), default="")
    there = [one for one in volumes.list_volumes() if one.is_there()]
    found = list_files(there, key, not_before=newest)
    places = {path: volumes.volume_of(row) for path, row in opened.items()}
    places |= {path: volume for path, volume in found.items() if path not in closed}
    # The rows of a disk that is not there stay open: its files are finished when it is back (`reindex.py`).
    places = {path: volume for path, volume in places.items() if volume in there}
    restored: list[Restored] = []
    set_aside: list[SetAside] = []
    starts = {row.started_at for row in known if row.path in closed}
    # From the newest back: what a disk had under way when it was given up ends where the next segment begins.
    for path in sorted(places, reverse=True):
        outcome = finish_file(places[path], path, key=key, writer=writer, starts=starts)
        if isinstance(outcome, Restored):
            restored.append(outcome)
            starts.add(outcome.row.started_at)
        elif outcome is not None:
            set_aside.append(outcome)
    gone = [one.path for one in set_aside]
    missing = tuple(
        row for path, row in opened.items() if path in places and (path in gone or not holds(places[path], path))
    )
    rows = [row for row in known if row.path in closed] + [one.row for one in restored]
    last = max(rows, key=lambda row: row.started_at, default=None)
    restored.reverse()
    return Recovery(restored=tuple(restored), set_aside=tuple(set_aside), missing=missing, last=last)


def list_files(volumes: Sequence[Volume], key: StreamKey, *, not_before: str) -> dict[str, Volume]:
    """A stream's newest recordings whose paths sort at or after one, and where; at most MAX_FILES_AT_START."""
    first_day = not_before.split("/")[2] if not_before.count("/") == 3 else ""
    days: dict[str, list[Volume]] = {}
    for volume in volumes:
        folder = volume.directory / key[0] / key[1].value
        for entry in folder.iterdir() if folder.is_dir() else ():
            if entry.is_dir():
                days.setdefault(entry.name, []).append(volume)
    found: dict[str, Volume] = {}
    for day in sorted(days, reverse=True):
        if day < first_day or len(found) >= MAX_FILES_AT_START:
            break
        for volume in days[day]:
            found |= {path: volume for path in list_day(volume.directory, key, day=day) if path >= not_before}
    return {path: found[path] for path in sorted(found)[-MAX_FILES_AT_START:]}


def list_day(media_dir: Path, key: StreamKey, *, day: str) -> list[str]:
    """Paths of a stream's recordings of one day (YYYY-MM-DD), in order; at most MAX_FILES_A_DAY of the newest."""
    below = f"{key[0]}/{key[1].value}/{day}"
    names = sorted(entry.name for entry in (media_dir / below).iterdir() if entry.suffix == ".mp4")
    return [f"{below}/{name}" for name in names[-MAX_FILES_A_DAY:]]


def finish_file(
    volume: Volume, path: str, *, key: StreamKey, writer: str, starts: Collection[datetime] = ()
) -> Restored | SetAside | None:
    """Make a file whole, or set it aside where nothing in it is; None where it is gone, still written or unreadable.

    `starts` are those of the stream's other segments: it is cut where one begins.

    A file that the disk does not give (an I/O error, a wrong owner) must not keep its camera from being recorded.
    """
    try:
        return restore_file(volume, path, key=key, writer=writer, starts=starts)
    except (Conflict, FileNotFoundError):
        return None
    except (DataLoss, Invalid) as problem:
        _rename_damaged(volume.directory / path)
        return SetAside(path=path, reason=problem.message)
    except OSError as error:
        log.error("video.recording_unreadable", path=path, errno=error.errno)
        return None


def restore_file(
    volume: Volume, path: str, *, key: StreamKey, writer: str, starts: Collection[datetime] = ()
) -> Restored:
    """Cut a file after its last whole fragment, make that durable, and make its index row.

    Raises DataLoss where nothing in it is whole, Invalid where it is not a recording of this stream, and Conflict
    where another process still writes it.
    """
    file_path = volume.directory / path
    with file_path.open("r+b") as file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict("another recorder still writes this file", code="video.recording_open") from error
        found = scan(FileSource(file))
        fragments = _before_next(_sound(file_path, found), found, starts)
        if not fragments:
            raise DataLoss("no fragment of it is whole", code="video.recording_torn")
        row = row_of(found, fragments, path=path, key=key, writer=writer)
        size = os.fstat(file.fileno()).st_size
        if size > row.size_bytes:
            os.ftruncate(file.fileno(), row.size_bytes)
        os.fsync(file.fileno())
        sync_directory(file_path.parent)
        source = FileSource(file)
        leaves = [merkle.leaf_hash(found.init_bytes)]
        leaves += [merkle.leaf_hash(source.read_at(one.offset_bytes, one.size_bytes)) for one in fragments]
    where = None if volume.id == UNPREPARED else volume.id
    return Restored(row=replace(row, root=merkle.root(leaves).hex(), volume=where), cut_bytes=size - row.size_bytes)


def _sound(path: Path, found: Scan) -> list[Fragment]:
    """The fragments up to the last one whose pictures hold together."""
    fragments = list(found.fragments)
    with path.open("rb") as file:
        source = FileSource(file)
        # From the end back: drop fragments whose pictures are not whole, until some in a row are.
        sound = 0
        at = len(fragments) - 1
        while at >= 0 and sound < CHECKED_AT_END:
            if _holds_together(source, fragments[at]):
                sound += 1
            else:
                del fragments[at:]
                sound = 0
            at -= 1
    return fragments


def _before_next(fragments: list[Fragment], found: Scan, starts: Collection[datetime]) -> list[Fragment]:
    """Those that end before another segment begins; none where another begins at the same instant."""
    if not starts or not fragments:
        return fragments
    said = _read_description(found.description)
    start_us, rate_ppb = _number(said, "started_at_us"), _number(said, "rate_ppb")
    next_us = min((at for at in map(to_us, starts) if at >= start_us), default=None)
    if next_us is None:
        return fragments
    return [one for one in fragments if start_us + line_us(one.end_ticks, rate_ppb) <= next_us + ROUNDING_US]


def _holds_together(source: FileSource, fragment: Fragment) -> bool:
    try:
        return all(
            sample.data and all(split_length_prefixed(sample.data)) for _, sample in read_samples(source, fragment)
        )
    except (Invalid, DataLoss):
        return False


def row_of(found: Scan, fragments: list[Fragment], *, path: str, key: StreamKey, writer: str) -> Segment:
    """The row of a closed recording that ends with these fragments, without its root and its volume.

    Raises Invalid where it is no recording of this stream and DataLoss where its times cannot be.
    """
    said = _read_description(found.description)
    if (said.get("camera"), said.get("stream")) != (key[0], key[1].value):
        raise Invalid("it describes another camera or stream than its folder", code="video.recording_foreign")
    start_us, rate_ppb = _number(said, "started_at_us"), _number(said, "rate_ppb")
    offset, previous = said.get("camera_offset_us"), said.get("previous_root")
    last = fragments[-1]
    end_ticks = max(one.end_ticks for one in fragments)
    if end_ticks > LONGEST_TICKS or not abs(start_us) + abs(line_us(end_ticks, rate_ppb)) <= LAST_US:
        # A damaged number, which would stretch the recording over years, or break whoever reads its row.
        raise DataLoss("its times cannot be", code="video.recording_times")
    row = Segment(
        camera=key[0],
        stream=key[1],
        started_at=from_us(start_us),
        durable_until=from_us(start_us + line_us(last.end_ticks, rate_ppb)),
        state=SegmentState.CLOSED,
        path=path,
        session=str(said.get("session", "")),
        size_bytes=last.offset_bytes + last.size_bytes,
        fragments=len(fragments),
        codec=found.track.codec,
        codec_string=found.track.codec_string,
        width_px=found.track.width_px,
        height_px=found.track.height_px,
        rate_ppb=rate_ppb,
        line_error_us=_number(said, "line_error_us"),
        camera_offset_us=offset if isinstance(offset, int) else None,
        root=None,
        previous_root=previous if isinstance(previous, str) else None,
        is_held=False,
        writer=str(said.get("writer", writer)),
        origin=_origin(said),
    )
    return as_shown(row)


def _read_description(raw: bytes | None) -> dict[str, object]:
    try:
        said: object = json.loads(raw or b"null")
    except ValueError as error:
        raise Invalid("its description cannot be read", code="video.recording_foreign") from error
    if not isinstance(said, dict) or cast("dict[str, object]", said).get("format") != FORMAT:
        raise Invalid("it carries no description of ours", code="video.recording_foreign")
    return cast("dict[str, object]", said)


def _origin(said: dict[str, object]) -> Origin:
    try:
        return Origin(said.get("origin", Origin.RECORDED))
    except ValueError as error:
        raise Invalid("it comes from nowhere we know", code="video.recording_foreign") from error


def _number(said: dict[str, object], name: str) -> int:
    value = said.get(name)
    if not isinstance(value, int):
        raise Invalid(f"its description lacks {name}", code="video.recording_foreign")
    return value


def _rename_damaged(path: Path) -> None:
    """Keep the file under another name, so that nobody takes it for a recording and nobody deletes it unseen."""
    path.rename(path.with_name(path.name + DAMAGED_SUFFIX))
    sync_directory(path.parent)

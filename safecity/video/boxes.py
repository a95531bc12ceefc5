"""Reads the boxes of fragmented MP4 (ISO/IEC 14496-12) out of a buffer: head of a file, head of a fragment.

Bytes come from cut-off files and from strangers: every count, size and depth has a limit, and what does not fit
raises Invalid. Finding the fragments of a whole file stands in `safecity.video.scan`.
"""

import struct
from dataclasses import dataclass
from datetime import datetime

from safecity.platform.clock import from_us
from safecity.platform.errors import DataLoss, Invalid
from safecity.video import h264, hevc
from safecity.video.fmp4 import DESCRIPTION_UUID, ENTRY, NON_SYNC_BIT, NTP_UNIX_OFFSET_S, TRUN_FLAGS, Entry

MAX_SAMPLES = 20_000  # in one fragment
MAX_BOXES = 256  # in one container
MAX_DEPTH = 8
_NTP_ERA_S = 2**32


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box inside a buffer: its type, and where its body starts and ends."""

    kind: bytes
    start: int
    body: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What the init segment tells of the one video track."""

    codec: str
    codec_string: str
    width_px: int
    height_px: int
    timescale: int
    track_id: int
    parameter_sets: tuple[bytes, ...]


def is_sync(entry: Entry) -> bool:
    """Whether a sample can be decoded without another."""
    return not entry[2] & NON_SYNC_BIT


def list_boxes(data: bytes, *, start: int, end: int) -> list[Box]:
    """The boxes side by side in a range; raises Invalid when they do not tile it or are too many."""
    found: list[Box] = []
    while start < end:
        if end - start < 8 or len(found) >= MAX_BOXES:
            raise Invalid("the boxes of an MP4 file do not fit into each other", code="video.mp4_invalid")
        size, kind = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if size == 1 and end - start >= 16:
            size, body = int.from_bytes(data[start + 8 : start + 16]), start + 16
        if size < body - start or size > end - start:
            raise Invalid("a box of an MP4 file is larger than its container", code="video.mp4_invalid")
        found.append(Box(kind=kind, start=start, body=body, end=start + size))
        start += size
    return found


def find_box(data: bytes, path: tuple[bytes, ...], *, start: int, end: int) -> Box | None:
    """The first box along a path of types."""
    if len(path) > MAX_DEPTH:
        raise Invalid(f"an MP4 path is deeper than {MAX_DEPTH}", code="video.mp4_invalid")
    found: Box | None = None
    for kind in path:
        found = next((item for item in list_boxes(data, start=start, end=end) if item.kind == kind), None)
        if found is None:
            return None
        start, end = found.body, found.end
    return found


def _get_box(data: bytes, path: tuple[bytes, ...], *, start: int, end: int) -> Box:
    found = find_box(data, path, start=start, end=end)
    if found is None:
        raise Invalid(f"the MP4 file has no {b'/'.join(path).decode()}", code="video.mp4_invalid")
    return found


def read_track(init: bytes) -> Track:
    """The video track of an init segment; raises DataLoss when it cannot be read."""
    try:
        return _read_track(init)
    except (Invalid, struct.error, IndexError) as error:
        raise DataLoss(f"the head of the recording cannot be read: {error}", code="video.recording_head") from error


def _read_track(init: bytes) -> Track:
    trak = _get_box(init, (b"moov", b"trak"), start=0, end=len(init))
    tkhd = _get_box(init, (b"tkhd",), start=trak.body, end=trak.end)
    mdhd = _get_box(init, (b"mdia", b"mdhd"), start=trak.body, end=trak.end)
    stsd = _get_box(init, (b"mdia", b"minf", b"stbl", b"stsd"), start=trak.body, end=trak.end)
    entry = list_boxes(init, start=stsd.body + 8, end=stsd.end)[0]
    width, height = struct.unpack_from(">HH", init, entry.body + 24)
    timescale = struct.unpack_from(">I", init, mdhd.body + (20 if init[mdhd.body] == 1 else 12))[0]
    parts = list_boxes(init, start=entry.body + 78, end=entry.end)
    record = next((init[part.body : part.end] for part in parts if part.kind in (b"avcC", b"hvcC")), None)
    if record is None or not timescale:
        raise Invalid("it holds neither H.264 nor H.265", code="video.mp4_invalid")
    is_h264 = entry.kind in (b"avc1", b"avc3")
    sets = h264.parameter_sets_of(record) if is_h264 else hevc.parameter_sets_of(record)
    sps = [nal for nal in sets if (h264.nal_type(nal) == 7 if is_h264 else hevc.nal_type(nal) == 33)]
    return Track(
        codec="h264" if is_h264 else "hevc",
        codec_string=h264.codec_string(sps[0]) if is_h264 else hevc.codec_string(sps[0]),
        width_px=width,
        height_px=height,
        timescale=timescale,
        track_id=struct.unpack_from(">I", init, tkhd.body + (20 if init[tkhd.body] == 1 else 12))[0],
        parameter_sets=sets,
    )


def find_description(init: bytes) -> bytes | None:
    """What SafeCity's own `uuid` box of an init segment holds."""
    for item in list_boxes(init, start=0, end=len(init)):
        if item.kind == b"uuid" and init[item.body : item.body + 16] == DESCRIPTION_UUID:
            return init[item.body + 16 : item.end]
    return None


def read_prft(box: bytes) -> dict[int, datetime]:
    """{flags: instant} of a `prft` box; nothing where it is cut short."""
    if len(box) < 28:
        return {}
    flags = int.from_bytes(box[9:12])
    ntp = int.from_bytes(box[16:24])
    seconds = (ntp >> 32) - NTP_UNIX_OFFSET_S
    if seconds < 0:  # before 1970 in the first era: it is the second era, from 2036 on
        seconds += _NTP_ERA_S
    return {flags: from_us(seconds * 1_000_000 + (((ntp & 0xFFFF_FFFF) * 1_000_000 + 2**31) >> 32))}


def read_moof(moof: bytes) -> tuple[int, int, int, tuple[Entry, ...]]:
    """(sequence, decode ticks, offset of the samples from the moof, samples) of a moof with one track and one run.

    Raises Invalid, or struct.error where a box is cut short.
    """
    boxes = {item.kind: item for item in list_boxes(moof, start=8, end=len(moof))}
    mfhd, traf = boxes.get(b"mfhd"), boxes.get(b"traf")
    if mfhd is None or traf is None:
        raise Invalid("it lacks mfhd or traf", code="video.mp4_invalid")
    parts = list_boxes(moof, start=traf.body, end=traf.end)
    found = {kind: [item for item in parts if item.kind == kind] for kind in (b"tfhd", b"tfdt", b"trun")}
    if any(len(items) != 1 for items in found.values()):
        raise Invalid("it is not one track with one run", code="video.mp4_invalid")
    tfdt = found[b"tfdt"][0]
    wide = moof[tfdt.body] == 1
    decode_ticks = struct.unpack_from(">Q" if wide else ">I", moof, tfdt.body + 4)[0]
    run_offset, entries = _read_run(moof, found[b"trun"][0], defaults=_read_defaults(moof, found[b"tfhd"][0]))
    return struct.unpack_from(">I", moof, mfhd.body + 4)[0], decode_ticks, run_offset, entries


def _read_defaults(moof: bytes, tfhd: Box) -> tuple[int, int, int]:
    """(duration, size, flags) for samples that do not tell their own."""
    flags = int.from_bytes(moof[tfhd.body + 1 : tfhd.body + 4])
    if flags & 0x01 or not flags & 0x02_0000:
        raise Invalid("its samples are not placed from the moof", code="video.mp4_invalid")
    at = tfhd.body + 8 + (4 if flags & 0x02 else 0)
    values: list[int] = []
    for bit in (0x08, 0x10, 0x20):
        values.append(struct.unpack_from(">I", moof, at)[0] if flags & bit else 0)
        at += 4 if flags & bit else 0
    return values[0], values[1], values[2]


def _read_run(moof: bytes, trun: Box, *, defaults: tuple[int, int, int]) -> tuple[int, tuple[Entry, ...]]:
    version, flags = moof[trun.body], int.from_bytes(moof[trun.body + 1 : trun.body + 4])
    count = struct.unpack_from(">I", moof, trun.body + 4)[0]
    if not 0 < count <= MAX_SAMPLES or not flags & 1:
        raise Invalid(f"a run of {count} samples cannot be", code="video.mp4_invalid")
    offset = struct.unpack_from(">i", moof, trun.body + 8)[0]
    if flags == TRUN_FLAGS and version == 1:  # our own form, the usual case
        if trun.end - trun.body - 12 != count * ENTRY.size:
            raise Invalid("a run's table does not fit", code="video.mp4_invalid")
        return offset, tuple(ENTRY.iter_unpack(moof[trun.body + 12 : trun.end]))
    return offset, _read_foreign_run(moof, trun, count=count, flags=flags, defaults=defaults)


def _read_foreign_run(
    moof: bytes, trun: Box, *, count: int, flags: int, defaults: tuple[int, int, int]
) -> tuple[Entry, ...]:
    at, first_flags = trun.body + 12, None
    if flags & 0x04:
        first_flags = struct.unpack_from(">I", moof, at)[0]
        at += 4
    signed = ">i" if moof[trun.body] == 1 else ">I"
    entries: list[Entry] = []
    for index in range(count):
        values = [*defaults, 0]
        for place, bit in enumerate((0x100, 0x200, 0x400, 0x800)):
            if flags & bit:
                if at + 4 > trun.end:
                    raise Invalid("a run's table ends too early", code="video.mp4_invalid")
                values[place] = struct.unpack_from(signed if place == 3 else ">I", moof, at)[0]
                at += 4
        if index == 0 and first_flags is not None:
            values[2] = first_flags
        entries.append((values[0], values[1], values[2], values[3]))
    return tuple(entries)

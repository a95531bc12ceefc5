"""Reads stretches of recordings out of segment files, whole groups of pictures at a time.

A window begins at the key frame at or before the wanted instant and ends just before the first key frame at or behind
its end. So windows asked one after the other, each where the last one ended, tile a recording without a picture lost or
twice. Media time of a window counts from a given origin, by the segments' own straight lines (docs/design/time.md), so
it runs on over segment borders.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from safecity.platform.clock import to_us
from safecity.platform.database import Database
from safecity.platform.errors import DataLoss, NotFound
from safecity.video.access_unit import TICKS_PER_S
from safecity.video.boxes import Track, is_sync
from safecity.video.copies.sound import SoundFiles
from safecity.video.fmp4 import Entry, mdat_header, moof
from safecity.video.model import JOIN_WITHIN, CameraId, Origin, Segment, Stream, instant_of
from safecity.video.scan import FileSource, Scan, scan
from safecity.video.splice import bare_init, open_segment
from safecity.video.store import find_next_segment, list_segments
from safecity.video.volumes import Volumes

Frames = Literal["all", "key"]

MAX_WINDOW_S = 120.0
MAX_WINDOW_BYTES = 96 * 1024**2  # a window that would be larger ends early, at a key frame
MAX_CACHED_SCANS = 128
MAX_RUN = 500  # samples in one fragment of an answer
# Instants travel as milliseconds: an instant this close before a key frame means that key frame.
ROUNDING = timedelta(milliseconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One sample of a segment file."""

    at: datetime
    end_at: datetime
    offset_bytes: int
    entry: Entry

    @property
    def is_key(self) -> bool:
        """Whether a window can begin here."""
        return is_sync(self.entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of pictures as one playable answer."""

    parts: list[bytes]
    from_at: datetime
    to_at: datetime
    codec_string: str
    next_at: datetime | None  # start of the next recorded data, where a gap or a change of format follows
    pictures: int
    is_from_copy: bool = False  # a first copy was damaged or gone, and the second one was read


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """The coded pictures that a decoder needs for one instant: from the key frame before it up to it."""

    segment: Segment
    track: Track
    pictures: tuple[Picture, ...]


@dataclass(slots=True, kw_only=True)
class _Piece:
    """The pictures that a window takes from one segment."""

    segment: Segment
    pictures: list[Picture] = field(default_factory=list[Picture])


class WindowReader:
    """Windows of one installation's recordings; safe to use from several threads."""

    def __init__(self, database: Database, *, volumes: Volumes, sound: SoundFiles | None = None) -> None:
        self._database = database
        self._sound = sound
        self._open = sound.open if sound is not None else partial(open_segment, volumes)
        self._scans: OrderedDict[tuple[str, int], Scan] = OrderedDict()
        self._lock = threading.Lock()

    def key_at(self, camera: CameraId, stream: Stream, *, at: datetime) -> datetime:
        """The key frame at or before an instant; the instant itself where nothing is recorded."""
        with self._database.read() as connection:
            found = list_segments(connection, camera, stream, from_at=at, to_at=at + ROUNDING)
        if not found or found[0].started_at > at:
            return at
        try:
            keys = [picture.at for picture in self._pictures(found[0]) if picture.is_key and picture.at <= at]
        except (NotFound, DataLoss):
            return at  # whoever wants the pictures is told; an instant needs none
        return keys[-1] if keys else at

    def find_lead(self, segment: Segment, *, at: datetime) -> Lead:
        """What leads to the picture at an instant of a segment, or to its first one. Raises NotFound, DataLoss."""
        pictures = _from_key(self._pictures(segment), at)
        if not pictures:
            raise DataLoss("a recording has no key frame to begin with", code="video.recording_torn")
        lead = [picture for picture in pictures if picture.at <= at + ROUNDING] or pictures[:1]
        return Lead(segment=segment, track=self._scan(segment).track, pictures=tuple(lead))

    def read_lead(self, lead: Lead) -> bytes:
        """The bytes of its pictures, one behind the other. Raises NotFound, DataLoss."""
        with self._open(lead.segment) as file:
            return b"".join(_read_payload(FileSource(file), lead.pictures))

    def read(
        self,
        camera: CameraId,
        stream: Stream,
        *,
        at: datetime,
        seconds: float,
        frames: Frames = "all",
        origin: datetime | None = None,
    ) -> Window:
        """The window around [at, at + seconds). Raises NotFound with `next` where nothing is recorded at `at`."""
        end_at = at + timedelta(seconds=min(seconds, MAX_WINDOW_S))
        with self._database.read() as connection:
            found = list_segments(connection, camera, stream, from_at=at, to_at=end_at + JOIN_WITHIN)
            here = [one for one in found if one.durable_until > at + ROUNDING]
            if not here or here[0].started_at > at + JOIN_WITHIN:
                later = here[0] if here else find_next_segment(connection, camera, stream, after=at)
                raise nothing_there(None if later is None else later.started_at)
            following = find_next_segment(connection, camera, stream, after=here[-1].durable_until - ROUNDING)
        # Scrubbing by key frames goes without the proof: it would read whole minutes for one picture each.
        is_helped = frames == "all" and self._sound is not None and self._sound.prove(here)
        pieces, to_at, is_cut = self._collect(here, at=at, end_at=end_at)
        joining = [*here, following] if following else here
        to_at = next((one.started_at for one in joining if timedelta(0) < one.started_at - to_at <= JOIN_WITHIN), to_at)
        if frames == "key":
            pieces = _keys_only(pieces, to_at)
        next_at = _next_after(to_at, joining, is_cut=is_cut)
        return replace(self._render(pieces, origin=origin or at, to_at=to_at, next_at=next_at), is_from_copy=is_helped)

    def _collect(
        self, here: Sequence[Segment], *, at: datetime, end_at: datetime
    ) -> tuple[list[_Piece], datetime, bool]:
        """The pictures by segment, the end of the last one, and whether the format changed there."""
        pieces: list[_Piece] = []
        size, to_at = 0, at
        init: bytes | None = None
        for segment in here:
            if pieces and segment.started_at - to_at > JOIN_WITHIN:
                break
            own_init = bare_init(self._scan(segment))
            if init is not None and own_init != init:
                return pieces, to_at, True
            init = own_init
            piece = _Piece(segment=segment)
            for picture in _from_key(self._pictures(segment), None if pieces else at):
                is_full = size > MAX_WINDOW_BYTES
                if picture.is_key and pieces + piece.pictures and (picture.at + ROUNDING >= end_at or is_full):
                    return [*pieces, piece] if piece.pictures else pieces, picture.at, False
                piece.pictures.append(picture)
                size += picture.entry[1]
                to_at = picture.end_at
            if piece.pictures:
                pieces.append(piece)
        if not pieces:
            raise nothing_there(None)
        return pieces, to_at, False

    def _render(
        self, pieces: Sequence[_Piece], *, origin: datetime, to_at: datetime, next_at: datetime | None
    ) -> Window:
        found = self._scan(pieces[0].segment)
        parts = [bare_init(found)]
        sequence = 0
        for number, piece in enumerate(pieces):
            # A border inside a session is exact; one between sessions may be some milliseconds wide and is bridged.
            end_at = pieces[number + 1].pictures[0].at if number + 1 < len(pieces) else to_at
            with self._open(piece.segment) as file:
                source = FileSource(file)
                for run in _runs(piece.pictures):
                    sequence += 1
                    last_end = end_at if run[-1] is piece.pictures[-1] else None
                    parts += _fragment(source, run, sequence=sequence, origin=origin, last_end=last_end)
        return Window(
            parts=parts,
            from_at=pieces[0].pictures[0].at,
            to_at=to_at,
            codec_string=found.track.codec_string,
            next_at=next_at,
            pictures=sum(len(piece.pictures) for piece in pieces),
        )

    def _scan(self, segment: Segment) -> Scan:
        key = (segment.path, segment.size_bytes)
        with self._lock:
            if key in self._scans:
                self._scans.move_to_end(key)
                return self._scans[key]
        with self._open(segment) as file:
            found = scan(FileSource(file, size_bytes=segment.size_bytes))
        with self._lock:
            self._scans[key] = found
            while len(self._scans) > MAX_CACHED_SCANS:
                self._scans.popitem(last=False)
        return found

    def _pictures(self, segment: Segment) -> list[Picture]:
        found: list[Picture] = []
        for item in self._scan(segment).fragments:
            ticks = item.decode_ticks
            offset = item.offset_bytes + item.head_bytes + item.skip_bytes
            at = instant_of(segment, ticks)
            if found and found[-1].end_at != at:  # a stall inside the segment: the last picture stays until the next
                found[-1] = replace(found[-1], end_at=at)
            for entry in item.entries:
                ticks += entry[0]
                end_at = instant_of(segment, ticks)
                found.append(Picture(at=at, end_at=end_at, offset_bytes=offset, entry=entry))
                offset, at = offset + entry[1], end_at
        return found if segment.origin is Origin.RECORDED else _shown(found, segment)


def _shown(pictures: Sequence[Picture], segment: Segment) -> list[Picture]:
    """What a row shows of a borrowed file: pictures before it, back to a key frame, are decoded and take no time."""
    start, end = segment.started_at, segment.durable_until
    return [
        replace(one, at=max(one.at, start), end_at=min(max(one.end_at, start), end))
        for one in _from_key(pictures, start)
        if one.at < end
    ]


def nothing_there(next_at: datetime | None) -> NotFound:
    """What is answered where nothing is recorded; `next` is where recordings go on."""
    return NotFound(
        "nothing is recorded at this instant",
        code="playback.nothing_recorded",
        next=None if next_at is None else next_at.isoformat(),
    )


def _from_key(pictures: Sequence[Picture], at: datetime | None) -> Sequence[Picture]:
    """The pictures from the key frame at or before an instant on; from the first key frame where there is none."""
    keys = [number for number, picture in enumerate(pictures) if picture.is_key]
    if not keys:
        return ()
    before = [number for number in keys if at is not None and pictures[number].at <= at + ROUNDING]
    return pictures[before[-1] if before else keys[0] :]


def _keys_only(pieces: Sequence[_Piece], to_at: datetime) -> list[_Piece]:
    """Only the key frames, each shown until the next one."""
    keys = [(piece.segment, picture) for piece in pieces for picture in piece.pictures if picture.is_key]
    out: list[_Piece] = []
    for number, (segment, picture) in enumerate(keys):
        end_at = keys[number + 1][1].at if number + 1 < len(keys) else to_at
        if not out or out[-1].segment is not segment:
            out.append(_Piece(segment=segment))
        out[-1].pictures.append(replace(picture, end_at=end_at))
    return out


def _runs(pictures: Sequence[Picture]) -> Iterator[list[Picture]]:
    """Pictures grouped into fragments: a new one at each key frame, or when one would grow too long."""
    run: list[Picture] = []
    for picture in pictures:
        if run and (picture.is_key or len(run) >= MAX_RUN):
            yield run
            run = []
        run.append(picture)
    if run:
        yield run


def _fragment(
    source: FileSource, run: Sequence[Picture], *, sequence: int, origin: datetime, last_end: datetime | None
) -> list[bytes]:
    ends = [media_ticks(picture.end_at, origin) for picture in run]
    if last_end is not None:
        ends[-1] = max(media_ticks(last_end, origin), ends[-2] + 1 if len(ends) > 1 else 0)
    start = media_ticks(run[0].at, origin)
    starts = [start, *ends[:-1]]
    entries = [
        (max(0, end - begin), picture.entry[1], picture.entry[2], picture.entry[3])
        for picture, begin, end in zip(run, starts, ends, strict=True)
    ]
    payload = _read_payload(source, run)
    return [moof(sequence, start, entries=entries) + mdat_header(sum(map(len, payload))), *payload]


def _read_payload(source: FileSource, run: Sequence[Picture]) -> list[bytes]:
    """The samples' bytes: neighbours are read together."""
    payload: list[bytes] = []
    number = 0
    while number < len(run):
        start = end = run[number].offset_bytes
        while number < len(run) and run[number].offset_bytes == end:
            end += run[number].entry[1]
            number += 1
        piece = source.read_at(start, end - start)
        if len(piece) != end - start:
            raise DataLoss("a recording is shorter than it was when it was indexed", code="video.recording_torn")
        payload.append(piece)
    return payload


def media_ticks(at: datetime, origin: datetime) -> int:
    """Media time of an instant, counted from the origin; never below 0."""
    return max(0, (to_us(at) - to_us(origin)) * TICKS_PER_S // 1_000_000)


def _next_after(to_at: datetime, segments: Sequence[Segment], *, is_cut: bool) -> datetime | None:
    """Where recordings go on behind the end of a window, if not right there."""
    for segment in segments:
        if is_cut and segment.started_at + ROUNDING >= to_at:
            return segment.started_at
        if segment.started_at - to_at > JOIN_WITHIN:
            return segment.started_at
        if segment.durable_until > to_at + ROUNDING:
            return None
    return None

"""Recordings held against what the cameras themselves say they sent: every picture of every closed file.

A picture is known by the hash of its slices. No picture repeats within a minute of the clip, so each one in a file has
its place in the sent log, and what the camera sent between the first and the last picture of a file must be in it.
"""

import mmap
import struct
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from safecity.oversight import merkle
from safecity.platform.clock import from_us, to_us
from safecity.platform.errors import DataLoss, Invalid
from safecity.video.h264 import split_length_prefixed
from safecity.video.scan import FileSource, Scan, read_samples, scan
from safecity.virtual.sent_log import mark_of
from tools.chaos.acknowledged import Word

_RECORD = struct.Struct("<qq8sB7x")
NEAR_S = 28.0
"""A picture is looked for so far from where its recorded time says: less than half a round of the clip."""
RUN = 6
"""Pictures in a row that must fit, so that a repeated one is not taken for its twin."""
WRONG_TIME_S = 3.0


@dataclass(slots=True, kw_only=True)
class Judged:
    """One file. Times are the cameras' true ones."""

    word: Word
    pictures: int = 0
    damaged: int = 0
    """Pictures in it that the camera sent damaged, or that its log does not know."""
    not_in_it: int = 0
    """Pictures that the camera sent between its first and last one, and that it lacks."""
    first_due: datetime | None = None
    last_due: datetime | None = None
    wrong_by_s: float = 0.0
    """Its length as recorded less its length as sent."""
    problem: str | None = None


class SentTruth:
    """The sent log of one stream, read where it is asked for; it grows meanwhile."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def between(self, from_at: datetime, to_at: datetime) -> list[tuple[int, bytes, bool]]:
        """(due, mark, damaged) of what left in an interval."""
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            return []
        with file:
            count = self._path.stat().st_size // _RECORD.size
            if count == 0:
                return []
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:

                def sent_us(index: int) -> int:
                    return int(_RECORD.unpack_from(view, index * _RECORD.size)[1])

                first = bisect_left(range(count), to_us(from_at), key=sent_us)
                last = bisect_left(range(count), to_us(to_at), key=sent_us)
                records = _RECORD.iter_unpack(view[first * _RECORD.size : last * _RECORD.size])
                return [(due, mark, bool(damaged)) for due, _, mark, damaged in records]


@dataclass(slots=True, kw_only=True)
class Judge:
    """Judges files against the sent logs; `offsets` are the centre's clock errors, by when they began."""

    media: Path
    logs: Mapping[str, Path]
    offsets: Sequence[tuple[datetime, float]]
    judged: dict[str, Judged] = field(default_factory=dict)

    def judge(self, word: Word) -> Judged:
        """Look at one file; a file that cannot be read is a problem, never a crash."""
        result = self.judged[word.path] = Judged(word=word)
        try:
            with (self.media / word.path).open("rb") as file:
                source = FileSource(file)
                found = scan(source)
                result.problem = check_root(source, found, word)
                pictures = list(_pictures(source, found, word))
        except (OSError, DataLoss, Invalid) as error:
            result.problem = f"{type(error).__name__}: {error}"
            return result
        result.pictures = len(pictures)
        self._compare(result, pictures)
        return result

    def _compare(self, result: Judged, pictures: list[tuple[int, bytes]]) -> None:
        """`pictures` are (line time, mark)."""
        errors = [offset for _, offset in self.offsets] or [0.0]
        early_s, late_s = NEAR_S + max(0.0, *errors), NEAR_S - min(0.0, *errors)
        first, last = from_us(pictures[0][0]), from_us(pictures[-1][0])
        sent = SentTruth(self.logs[result.word.camera]).between(
            first - timedelta(seconds=early_s), last + timedelta(seconds=late_s)
        )
        placed = place(pictures, sent, expected_offset_us=self._offset_us(first))
        known = [(at, due) for (at, _), due in zip(pictures, placed, strict=True) if due is not None]
        result.damaged = len(pictures) - len(known)
        if not known:
            if not any(damaged for _, _, damaged in sent):
                result.problem = result.problem or "none of its pictures was sent"
            return
        first_due, last_due = known[0][1], known[-1][1]
        result.first_due, result.last_due = from_us(first_due), from_us(last_due)
        marks = {mark for _, mark in pictures}
        lacks = {due for due, mark, damaged in sent if first_due < due < last_due and not damaged and mark not in marks}
        result.not_in_it = len(lacks)
        result.wrong_by_s = ((known[-1][0] - known[0][0]) - (last_due - first_due)) / 1e6

    def _offset_us(self, at: datetime) -> int:
        """By how much the centre's clock was wrong at about this time of its own."""
        now = 0.0
        for since, offset in self.offsets:
            if since + timedelta(seconds=offset) <= at:
                now = offset
        return round(now * 1e6)


def place(
    pictures: Sequence[tuple[int, bytes]], sent: Sequence[tuple[int, bytes, bool]], *, expected_offset_us: int
) -> list[int | None]:
    """When each picture was due at the camera; None for what was sent damaged or is not in the log."""
    by_mark: dict[bytes, list[int]] = {}
    for due, mark, damaged in sent:
        if not damaged:
            by_mark.setdefault(mark, []).append(due)
    shift = _find_shift(pictures, by_mark, expected_us=expected_offset_us)
    placed: list[int | None] = []
    for at, mark in pictures:
        dues = by_mark.get(mark)
        if not dues:
            placed.append(None)
            continue
        due = min(dues, key=lambda one: abs(at - shift - one))
        shift += ((at - due) - shift) // 4 if abs(at - due - shift) < 10_000_000 else 0
        placed.append(due)
    return placed


def _find_shift(
    pictures: Sequence[tuple[int, bytes]], by_mark: Mapping[bytes, Sequence[int]], *, expected_us: int
) -> int:
    """Line time less due time at the file's first pictures: that which most of them agree on."""
    votes: dict[int, int] = {}
    for at, mark in pictures[: RUN * 4]:
        for due in by_mark.get(mark, ()):
            key = round((at - due) / 500_000)
            votes[key] = votes.get(key, 0) + 1
    if not votes:
        return expected_us
    best = max(votes, key=lambda key: (votes[key], -abs(key * 500_000 - expected_us)))
    return best * 500_000


def check_root(source: FileSource, found: Scan, word: Word) -> str | None:
    """Whether the file holds at least what was acknowledged, and is what its root says."""
    fragments = found.fragments[: word.fragments]
    reached = fragments[-1].offset_bytes + fragments[-1].size_bytes if fragments else 0
    if len(fragments) < word.fragments or reached < word.size_bytes:
        return f"{word.size_bytes} B in {word.fragments} fragments were acknowledged, {reached} B are whole"
    if word.root is not None:
        leaves = [merkle.leaf_hash(found.init_bytes)]
        leaves += [merkle.leaf_hash(source.read_at(one.offset_bytes, one.size_bytes)) for one in fragments]
        if merkle.root(leaves).hex() != word.root:
            return "its root is not the acknowledged one"
    return None


def _pictures(source: FileSource, found: Scan, word: Word) -> Iterable[tuple[int, bytes]]:
    start_us = to_us(word.started_at)
    for fragment in found.fragments[: word.fragments]:
        for ticks, sample in read_samples(source, fragment):
            nals = [bytes(nal) for nal in split_length_prefixed(sample.data)]
            yield start_us + ticks * 100 // 9, mark_of([nal for nal in nals if nal], found.track.codec)

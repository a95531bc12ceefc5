"""The restore drill: random copies of a place are fetched back whole and compared, each day, and by hand.

A copy that nobody ever fetched back is a hope. The drill reads what the place gives and verifies it as any file is
verified (`file_verify.py`), by the row of the segment where there is one, else by the root that the copy was made with.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from safecity.platform.clock import Clock, to_iso
from safecity.platform.database import Database
from safecity.platform.errors import DataLoss, NotFound, Problem
from safecity.platform.ids import new_id
from safecity.video.copies import store
from safecity.video.copies.mending import Mender
from safecity.video.copies.model import Copy
from safecity.video.copies.place import Place
from safecity.video.copies.store import DRILLS_KEPT, Drill
from safecity.video.file_verify import hash_file, verify_file
from safecity.video.scan import BufferSource, scan

EVERY = timedelta(hours=24)
AGAIN = timedelta(hours=1)  # after a drill in which the place did not answer
MAX_DRAWS = 10  # for each copy that is wanted
NEIGHBOURS = 64
MAX_FINDINGS = 100
A_BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What fetching one copy back found; `flaw` is None where it is what was recorded."""

    row: Copy
    size_bytes: int
    flaw: str | None


class DrillMaster:
    """Tries the copies of one installation."""

    def __init__(self, database: Database, mender: Mender, *, clock: Clock, chance: random.Random) -> None:
        self._database = database
        self._mender = mender
        self._clock = clock
        self._chance = chance

    def is_due(self, target: str, now: datetime) -> bool:
        """Whether the daily drill of a place is to be done; a place without a copy has none to try."""
        with self._database.read() as connection:
            last = store.find_last_standing(connection, target)
            if last is None:
                return store.read_span(connection, target) is not None
        is_empty = last.unreached > 0 and last.good + last.bad == 0
        return now - last.ended_at >= (AGAIN if is_empty else EVERY)

    def drill(self, target: str, *, count: int, is_standing: bool) -> Drill:
        """Fetch random copies back, compare them, keep the result, mark what is bad. Raises NotFound, Invalid."""
        return self._drill(target, [self.choose(target, count=count)], is_standing=is_standing)

    def verify_all(self, target: str, *, progress: Callable[[float], None]) -> Drill:
        """Fetch every copy of a place back, oldest first, and compare it; kept as a drill by hand."""
        return self._drill(target, self._batches(target, progress), is_standing=False)

    def choose(self, target: str, *, count: int) -> list[Copy]:
        """So many different copies, at instants drawn evenly over all that the place holds; all where it has fewer."""
        chosen: dict[str, Copy] = {}
        with self._database.read() as connection:
            span = store.read_span(connection, target)
            if span is None:
                return []
            first, last = span
            few = store.list_behind(connection, target, after=first, limit=count + 1)
            if len(few) <= count:
                return few
            for _ in range(count * MAX_DRAWS):
                at = first + (last - first) * self._chance.random()
                near = store.list_behind(connection, target, after=at, limit=NEIGHBOURS)
                if near:
                    drawn = self._chance.choice(near)
                    chosen[drawn.key] = drawn
                if len(chosen) >= count:
                    break
        return list(chosen.values())

    def _batches(self, target: str, progress: Callable[[float], None]) -> Iterator[list[Copy]]:
        with self._database.read() as connection:
            span = store.read_span(connection, target)
        if span is None:
            return
        at, last = span
        began, seen = at, set[str]()
        while True:
            with self._database.read() as connection:
                found = store.list_behind(connection, target, after=at, limit=A_BATCH + len(seen))
            fresh = [row for row in found if row.key not in seen]
            if not fresh:
                return
            yield fresh
            at = fresh[-1].durable_until
            seen = {row.key for row in found if row.durable_until == at}
            progress((at - began) / (last - began) if last > began else 1.0)

    def _drill(self, target: str, batches: Sequence[list[Copy]] | Iterator[list[Copy]], *, is_standing: bool) -> Drill:
        place, began_at = self._mender.place_of(target), self._clock.now()
        good = unreached = size_bytes = 0
        bad: list[Tried] = []
        for chosen in batches:
            right: list[Copy] = []
            for row in chosen:
                try:
                    tried = self._try(place, row)
                except Problem:
                    unreached += 1
                    continue
                size_bytes += tried.size_bytes
                if tried.flaw is None:
                    right.append(row)
                else:
                    bad.append(tried)
                    self._mender.tell_bad(row, tried.flaw)
            good += len(right)
            with self._database.begin() as connection:
                store.mark_verified(connection, right, at=self._clock.now())
        drill = Drill(
            id=new_id("drill"),
            target=target,
            began_at=began_at,
            ended_at=self._clock.now(),
            is_standing=is_standing,
            tried=good + len(bad) + unreached,
            good=good,
            bad=len(bad),
            unreached=unreached,
            size_bytes=size_bytes,
            findings=[_finding(one) for one in bad[:MAX_FINDINGS]],
        )
        with self._database.begin() as connection:
            store.insert_drill(connection, drill)
            store.forget_drills(connection, before=drill.ended_at - DRILLS_KEPT)
        return drill

    def _try(self, place: Place, row: Copy) -> Tried:
        """Fetch one copy and compare it. Raises Unavailable, Denied where the place does not answer."""
        data = bytearray()
        try:
            for piece in place.fetch(row.key, row.version):
                data += piece
                if len(data) > row.size_bytes:
                    return Tried(row=row, size_bytes=len(data), flaw="size")
        except NotFound:
            return Tried(row=row, size_bytes=0, flaw="missing")
        return Tried(row=row, size_bytes=len(data), flaw=self._find_flaw(bytes(data), row))

    def _find_flaw(self, data: bytes, row: Copy) -> str | None:
        if len(data) != row.size_bytes:
            return "size"
        with self._database.read() as connection:
            segment = store.find_segment(connection, row)
        if segment is not None and segment.root == row.root:
            flaws = verify_file(data, segment).flaws
            return flaws[0].kind.value if flaws else None
        try:
            found = scan(data)
        except DataLoss:
            return "torn"
        root, _ = hash_file(BufferSource(data), found)
        return None if root == row.root and found.whole_bytes == len(data) else "root"


def _finding(one: Tried) -> dict[str, object]:
    row = one.row
    return {
        "camera": row.camera,
        "stream": row.stream.value,
        "started_at": to_iso(row.started_at),
        "key": row.key,
        "flaw": one.flaw or "",
    }


def as_fields(drill: Drill) -> dict[str, object]:
    """A drill as it is printed."""
    return {
        "id": drill.id,
        "target": drill.target,
        "began_at": to_iso(drill.began_at),
        "ended_at": to_iso(drill.ended_at),
        "standing": drill.is_standing,
        "tried": drill.tried,
        "good": drill.good,
        "bad": drill.bad,
        "unreached": drill.unreached,
        "bytes": drill.size_bytes,
        "findings": [dict(one) for one in drill.findings],
    }


def is_passed(drills: Sequence[Drill]) -> bool:
    """Whether every copy that was tried came back right, and there was one."""
    return bool(drills) and all(one.good == one.tried and one.tried > 0 for one in drills)

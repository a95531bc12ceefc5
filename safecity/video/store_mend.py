"""Puts right what `store check` found, where it can be: rows from files, files from their second copy.

Only when somebody asks for it. A damaged file is never changed: a good copy takes its name (`copies/mending.py`), and
the damaged one is kept as `.damaged`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from safecity.platform.database import Database
from safecity.video import check_store, store
from safecity.video.day_rules import Finding
from safecity.video.file_verify import FILE_FLAWS, Flaw, verify_file
from safecity.video.model import Segment, SegmentState
from safecity.video.quick_rows import read_quickly
from safecity.video.recovery import Restored, finish_file
from safecity.video.volumes import Volumes

STEP = timedelta(microseconds=1)
MENDS = {
    Flaw.UNKNOWN: "a row is made from the file",
    Flaw.DESCRIPTION: "the row is made again where the file is the recorded one, else the copy is taken",
    Flaw.TIMES: "the row is made again where the file is the recorded one, else the copy is taken",
    Flaw.MISSING: "the second copy",
    Flaw.UNREADABLE: "the second copy",
    Flaw.SIZE: "the second copy",
    Flaw.TORN: "the second copy",
    Flaw.ROOT: "the second copy",
    Flaw.ENDLESS: "the outage is ended where recording went on",
}
Refill = Callable[[Segment], bool]
"""Puts a proved second copy in the place of a damaged or missing first; False where there is none."""


@dataclass(slots=True, kw_only=True)
class MendReport:
    """What was put right and what was not."""

    mended: int = 0
    left: int = 0


def mend(
    database: Database, volumes: Volumes, *, findings: Iterable[Finding], refill: Refill | None = None
) -> MendReport:
    """Put right what can be; each segment once, however many things are wrong with it. Raises Unavailable."""
    report = MendReport()
    done: set[tuple[object, datetime, str | None]] = set()
    for one in findings:
        place = (one.key, one.at, one.path)
        if one.kind in FILE_FLAWS and place in done:
            continue
        done.add(place)
        if _mend_one(database, volumes, one, refill=refill):
            report.mended += 1
        else:
            report.left += 1
    return report


def _mend_one(database: Database, volumes: Volumes, finding: Finding, *, refill: Refill | None) -> bool:
    if finding.kind is Flaw.UNKNOWN:
        return _index(database, volumes, finding)
    if finding.kind is Flaw.ENDLESS:
        return _end_outage(database, finding)
    if finding.kind not in FILE_FLAWS or finding.path is None:
        return False
    with database.read() as connection:
        rows = store.list_segments(connection, *finding.key, from_at=finding.at, to_at=finding.at + STEP)
    row = next((one for one in rows if one.path == finding.path and one.state is SegmentState.CLOSED), None)
    if row is None:
        return False
    return _row_from_file(database, volumes, row) or (refill is not None and refill(row))


def _index(database: Database, volumes: Volumes, finding: Finding) -> bool:
    path = finding.path or ""
    for volume in volumes.list_volumes():
        if volume.is_there() and (volume.directory / path).exists():
            outcome = finish_file(volume, path, key=finding.key, writer="check")
            if isinstance(outcome, Restored):
                with database.begin() as connection:
                    store.put_segments(connection, [outcome.row])
                return True
    return False


def _row_from_file(database: Database, volumes: Volumes, row: Segment) -> bool:
    """Where the file's bytes are the recorded ones by its root, its row is made again; what only rows know stays."""
    try:
        path = volumes.path_of(row)
        made = read_quickly(path, row.path, key=(row.camera, row.stream), writer=row.writer)
        if made is None or row.root is None or made.started_at != row.started_at:
            return False
        made = replace(made, root=row.root, is_held=row.is_held, volume=row.volume, origin=row.origin)
        with path.open("rb") as file:
            is_sound = verify_file(file, made).is_sound
    except OSError:
        return False
    if not is_sound:
        return False
    with database.begin() as connection:
        if check_store.find_row(connection, row) != row:
            return False
        store.put_segments(connection, [made])
    return True


def _end_outage(database: Database, finding: Finding) -> bool:
    with database.begin() as connection:
        open_ones = store.list_open_outages(connection, *finding.key)
        outage = next((one for one in open_ones if one.from_at == finding.at), None)
        after = store.find_next_segment(connection, *finding.key, after=finding.at)
        if outage is None or after is None:
            return False
        store.put_outages(connection, [replace(outage, to_at=after.started_at)])
    return True

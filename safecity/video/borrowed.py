"""Files that another recorder or a camera's card has recorded: their names say what of them is shown here.

The bytes stay as they were made, with their root; so what the index says of them, and the file cannot, stands in the
name: `<HHMMSSmmm>Z-<session>-<edge|card>-<start us>-<skip ticks>-<end us>.mp4`.
"""

import re
from dataclasses import dataclass, replace

from safecity.platform.clock import from_us
from safecity.video.model import Origin, Segment
from safecity.video.segments import segment_path

_NAME = re.compile(r"-(edge|card)-(\d{1,18})-(\d{1,18})-(\d{1,18})\.mp4$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a name says."""

    origin: Origin
    start_us: int
    skip_ticks: int
    end_us: int


def read_name(path: str) -> Shown | None:
    """What of a borrowed file is shown; None for a file that was recorded here."""
    found = _NAME.search(path)
    if found is None:
        return None
    start_us, skip_ticks, end_us = (int(found[number]) for number in (2, 3, 4))
    return Shown(origin=Origin(found[1]), start_us=start_us, skip_ticks=skip_ticks, end_us=end_us)


def name_of(row: Segment) -> str:
    """The path of a borrowed row."""
    start_us, end_us = (round(one.timestamp() * 1e6) for one in (row.started_at, row.durable_until))
    session = f"{row.session}-{row.origin.value}-{start_us}-{row.skip_ticks}-{end_us}"
    return segment_path((row.camera, row.stream), row.started_at, session=session)


def as_shown(row: Segment) -> Segment:
    """A row made from a file alone, cut to what its name shows; a row that was recorded here stays as it is."""
    shown = read_name(row.path)
    if shown is None:
        return row
    return replace(
        row,
        started_at=from_us(shown.start_us),
        durable_until=from_us(shown.end_us),
        skip_ticks=shown.skip_ticks,
        origin=shown.origin,
    )

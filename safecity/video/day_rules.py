"""What the rows of one stream must be to each other: in order, chained, and every hole between them explained.

Pure rules, for `store check`; what a file must be to its row stands in `file_verify.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from safecity.platform.clock import to_us
from safecity.platform.ids import fact_id
from safecity.video.accounting import unexplained_parts
from safecity.video.file_verify import Flaw
from safecity.video.model import JOIN_WITHIN, Origin, Outage, Segment, Span, StreamKey

ENDS_WITHIN = timedelta(minutes=1)  # after recording goes on, its end is in the index


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, and where."""

    key: StreamKey
    at: datetime
    kind: Flaw
    detail: str
    path: str | None = None

    @property
    def id(self) -> str:
        """The same for the same flaw at the same place, however often it is seen."""
        return fact_id("finding", self.key[0], self.key[1].value, self.kind.value, to_us(self.at), self.path or "")


def compare_rows(
    rows: Sequence[Segment], outages: Sequence[Outage], *, deleted_until: datetime | None
) -> list[Finding]:
    """The findings between each row of a stream and the one before it; rows and outages in order of time.

    `deleted_until` is how far retention has deleted the stream: what is missing before that, between segments that
    somebody holds, is no loss and breaks no chain.
    """
    found: list[Finding] = []
    for earlier, later in pairwise(rows):
        if later.started_at < earlier.durable_until:
            over_s = (earlier.durable_until - later.started_at).total_seconds()
            found.append(_finding(later, Flaw.OVERLAP, f"begins {over_s:.3f} s before the one before it ends"))
        is_deleted_between = (
            deleted_until is not None
            and later.started_at - earlier.durable_until > JOIN_WITHIN
            and earlier.durable_until <= deleted_until
        )
        if is_deleted_between:
            continue
        found += _compare_roots(earlier, later)
        found += _holes(earlier, later, outages)
    return found


def list_endless(outages: Sequence[Outage], *, recorded_until: datetime, key: StreamKey) -> list[Finding]:
    """Outages that have no end although the stream was recorded after they began."""
    return [
        Finding(key=key, at=one.from_at, kind=Flaw.ENDLESS, detail=f"an outage ({one.cause.value}) without an end")
        for one in outages
        if one.to_at is None and recorded_until - one.from_at > ENDS_WITHIN
    ]


def _compare_roots(earlier: Segment, later: Segment) -> list[Finding]:
    """Segments recorded here name the root of the one before; what was filled in later has another chain."""
    if Origin.RECORDED not in (earlier.origin, later.origin) or earlier.origin is not later.origin:
        return []
    if earlier.root is None or later.previous_root == earlier.root:
        return []
    named = "none" if later.previous_root is None else f"{later.previous_root[:16]}..."
    return [_finding(later, Flaw.CHAIN, f"names {named} as the root before it, which is {earlier.root[:16]}...")]


def _holes(earlier: Segment, later: Segment, outages: Sequence[Outage]) -> list[Finding]:
    if later.started_at - earlier.durable_until <= JOIN_WITHIN:
        return []
    span = Span(from_at=earlier.durable_until, to_at=later.started_at)
    stated = [Span(from_at=one.from_at, to_at=one.to_at or span.to_at) for one in outages]
    return [
        Finding(
            key=(later.camera, later.stream),
            at=part.from_at,
            kind=Flaw.HOLE,
            detail=f"{(part.to_at - part.from_at).total_seconds():.3f} s that no outage explains",
        )
        for part in unexplained_parts(span, stated)
    ]


def _finding(row: Segment, kind: Flaw, detail: str) -> Finding:
    return Finding(key=(row.camera, row.stream), at=row.started_at, kind=kind, detail=detail, path=row.path)

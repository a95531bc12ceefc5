"""What the centre lacks of an edge's cameras: the holes of its index, and what of them somebody asked for."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from safecity.platform.errors import Invalid
from safecity.platform.ids import new_id
from safecity.sites.model import CameraId
from safecity.video.edge.model import Edge, Want
from safecity.video.edge.tables import edge_wants
from safecity.video.holds import holds
from safecity.video.model import JOIN_WITHIN, SETTLES_WITHIN, SegmentState, Span, Stream, gaps_between
from safecity.video.tables import deletions, segments

# A hole this close to now may still be filled by our own recorder's index.
STANDS_AFTER = SETTLES_WITHIN + timedelta(seconds=4)
MAX_ASKED = 1000
LONGEST = timedelta(hours=1)  # of a segment


def ask_for(connection: Connection, camera: CameraId, span: Span, *, reason: str, now: datetime) -> str:
    """Ask a camera's edge for an interval of its main stream; returns the id. Raises Invalid."""
    if span.to_at <= span.from_at or span.to_at - span.from_at > timedelta(days=1):
        raise Invalid("ask for an interval of up to a day that ends after it begins", code="edge.bad_interval")
    want = new_id("want")
    row = {"id": want, "camera": camera, "from_at": span.from_at, "to_at": span.to_at}
    connection.execute(edge_wants.insert().values(**row, reason=reason[:64], asked_at=now))
    return want


def list_wants(
    connection: Connection, edge: Edge, *, cameras: Sequence[CameraId], now: datetime, lookback: timedelta
) -> list[Want]:
    """What the index misses of main streams since the edge was enrolled, as the edge's policy wants it."""
    if edge.backfill == "off" or edge.enrolled_at is None:
        return []
    from_at, to_at = max(now - lookback, edge.enrolled_at), now - STANDS_AFTER
    wants: list[Want] = []
    for camera in cameras:
        holes = list_holes(connection, camera, Stream.MAIN, span=Span(from_at=from_at, to_at=to_at))
        if not holes:
            continue
        asked = _asked(connection, camera, from_at=from_at, to_at=to_at)
        for hole in holes:
            mine = _within(hole, asked)
            wants += [Want(camera=camera, stream=Stream.MAIN, span=one, is_asked=True) for one in mine]
            if edge.backfill == "missing" and mine != [hole]:
                wants.append(Want(camera=camera, stream=Stream.MAIN, span=hole, is_asked=False))
    return wants


def list_holes(connection: Connection, camera: CameraId, stream: Stream, *, span: Span) -> list[Span]:
    """What of an interval no segment covers and retention has not taken, oldest first."""
    c = segments.c
    deleted = connection.execute(
        sa.select(deletions.c.deleted_until).where(deletions.c.camera == camera, deletions.c.stream == stream.value)
    ).scalar()
    from_at = span.from_at if deleted is None else max(span.from_at, deleted)
    if from_at >= span.to_at:
        return []
    statement = (
        sa.select(c.started_at, c.durable_until)
        .where(c.camera == camera, c.stream == stream.value, c.state != SegmentState.DELETING.value)
        .where(c.started_at > from_at - LONGEST, c.started_at < span.to_at, c.durable_until > from_at)
        .order_by(c.started_at)
    )
    spans = [Span(from_at=row.started_at, to_at=row.durable_until) for row in connection.execute(statement)]
    return gaps_between(spans, from_at=from_at, to_at=span.to_at)


def _asked(connection: Connection, camera: CameraId, *, from_at: datetime, to_at: datetime) -> list[Span]:
    """What is held, and what somebody asked for."""
    found: list[Span] = []
    for table, more in (
        (holds, [holds.c.released_at.is_(None), holds.c.stream == Stream.MAIN.value]),
        (edge_wants, []),
    ):
        c = table.c
        statement = (
            sa.select(c.from_at, c.to_at)
            .where(c.camera == camera, c.from_at < to_at, c.to_at > from_at, *more)
            .order_by(c.from_at)
            .limit(MAX_ASKED)
        )
        found += [Span(from_at=row.from_at, to_at=row.to_at) for row in connection.execute(statement)]
    return sorted(found, key=lambda one: one.from_at)


def _within(hole: Span, asked: Sequence[Span]) -> list[Span]:
    """The parts of a hole that were asked for, overlapping ones joined."""
    parts: list[Span] = []
    for one in asked:
        start, end = max(one.from_at, hole.from_at), min(one.to_at, hole.to_at)
        if end - start <= JOIN_WITHIN:
            continue
        if parts and start <= parts[-1].to_at:
            parts[-1] = Span(from_at=parts[-1].from_at, to_at=max(parts[-1].to_at, end))
        else:
            parts.append(Span(from_at=start, to_at=end))
    return parts

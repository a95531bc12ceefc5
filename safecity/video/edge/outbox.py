"""An edge's outbox: its own `events` table, read behind the last number that the centre has committed.

Nothing is copied and nothing is deleted: a fact is in the outbox by the transaction that made it true; what moves is
one number, after the centre's answer. The epoch names this database; another disk is another epoch.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from safecity.events.store import events
from safecity.platform.clock import to_us
from safecity.video.edge.model import ClockReading
from safecity.video.edge.tables import edge_clock, edge_link
from safecity.video.edge.wire import MAX_FACT_BYTES, MAX_FACTS, MAX_FACTS_BYTES, FactView

# What an edge tells the centre: what recording and analysis state. Its own cameras' states and its own queue stay here,
# because the centre's recorder and the centre's queue say these.
SENT = ("video.", "analytics.")
MAX_READINGS = 20_000
KEPT_EVERY_US = 30_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Who we are to the centre, and how far our facts are."""

    edge: str
    site: str
    centre_key: str
    epoch: str
    acknowledged: int
    registry: str | None


def find_link(connection: Connection) -> Link | None:
    """The link; None before the edge has enrolled."""
    row = connection.execute(sa.select(edge_link)).mappings().first()
    return None if row is None else Link(**{name: value for name, value in row.items() if name != "id"})


def put_link(connection: Connection, *, edge: str, site: str, centre_key: str) -> None:
    """Enrolled, perhaps anew: the facts of this database are a new epoch that starts with its first."""
    connection.execute(edge_link.delete())
    row = {"edge": edge, "site": site, "centre_key": centre_key, "epoch": str(uuid.uuid4()), "acknowledged": 0}
    connection.execute(edge_link.insert().values(id=1, registry=None, **row))


def _is_sent() -> sa.ColumnElement[bool]:
    return sa.or_(*(events.c.type.startswith(one, autoescape=True) for one in SENT))


def read_batch(connection: Connection, *, after: int) -> list[FactView]:
    """The next facts, as many as fit into one request; one that fits into none goes without its body."""
    statement = (
        sa.select(events).where(events.c.cursor > after, _is_sent()).order_by(events.c.cursor).limit(MAX_FACTS // 2)
    )
    batch: list[FactView] = []
    size = 0
    for row in connection.execute(statement):
        fact = FactView(
            sequence=row.cursor,
            id=row.id,
            source=row.source,
            type=row.type,
            time_us=max(0, to_us(row.time)),
            subject=row.subject,
            data=row.data,
        )
        length = len(fact.model_dump_json())
        if length > MAX_FACT_BYTES:
            fact = fact.model_copy(update={"data": {"too_large_bytes": length}})
            length = len(fact.model_dump_json())
        if batch and size + length > MAX_FACTS_BYTES - 4096:
            break
        batch.append(fact)
        size += length + 1
    return batch


def count_waiting(connection: Connection, *, after: int) -> int:
    """Facts that the centre has not acknowledged."""
    statement = sa.select(sa.func.count()).select_from(events).where(events.c.cursor > after, _is_sent())
    return connection.execute(statement).scalar_one()


def acknowledge(connection: Connection, sequence: int) -> None:
    """The centre has committed everything up to a number; never backwards."""
    c = edge_link.c
    connection.execute(edge_link.update().where(c.acknowledged < sequence).values(acknowledged=sequence))


def note_registry(connection: Connection, digest: str) -> None:
    """This registry is applied."""
    connection.execute(edge_link.update().values(registry=digest))


def note_clock(connection: Connection, reading: ClockReading, *, last: ClockReading | None) -> bool:
    """Keep a measurement, one in half a minute, at once a much better one or where the clocks have moved."""
    if last is not None and 0 <= to_us(reading.at) - to_us(last.at) < KEPT_EVERY_US:
        moved_us = abs(reading.offset_us - last.offset_us)
        if moved_us <= reading.error_us + last.error_us and 2 * reading.error_us > last.error_us:
            return False
    connection.execute(edge_clock.delete().where(edge_clock.c.at == reading.at))
    row = {"at": reading.at, "offset_us": reading.offset_us, "error_us": reading.error_us}
    connection.execute(edge_clock.insert().values(row))
    return True


def list_readings(connection: Connection, *, since: datetime | None = None) -> Sequence[ClockReading]:
    """The measurements, oldest first; the newest MAX_READINGS of them."""
    statement = sa.select(edge_clock).order_by(edge_clock.c.at.desc()).limit(MAX_READINGS)
    if since is not None:
        statement = statement.where(edge_clock.c.at >= since)
    rows = list(connection.execute(statement).mappings())
    return [ClockReading(**row) for row in reversed(rows)]

"""The `events` table: stating facts and reading them by cursor."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.engine import Connection

from safecity.platform.database import BigSerial, Json, UtcInstant, insert_new, metadata, serialise
from safecity.platform.errors import DataLoss

_EVENTS_LOCK = 2
MAX_PAGE = 1000

events = sa.Table(
    "events",
    metadata,
    sa.Column(
        "cursor", BigSerial, primary_key=True, autoincrement=True, comment="Order of commit; readers remember it"
    ),
    sa.Column("id", sa.String(64), nullable=False, unique=True, comment="Made from the fact's cause"),
    sa.Column("source", sa.String(100), nullable=False, comment="Slot that stated it, such as recorder-1"),
    sa.Column("type", sa.String(100), nullable=False, comment="room.fact_in_past_tense"),
    sa.Column("time", UtcInstant, nullable=False, comment="When it became true"),
    sa.Column("subject", sa.String(200), nullable=False, comment="What it is about, such as a camera id"),
    sa.Column("data", Json, nullable=False, comment="The typed body of the fact"),
    sqlite_autoincrement=True,
    comment="Facts, CloudEvents-shaped",
)

dead_letters = sa.Table(
    "dead_letters",
    metadata,
    sa.Column(
        "event_cursor", sa.BigInteger, primary_key=True, autoincrement=False, comment="Which fact could not be read"
    ),
    sa.Column("reader", sa.String(100), primary_key=True, comment="Who could not read it"),
    sa.Column("reason", sa.Text, nullable=False, comment="Why"),
    sa.Column("set_aside_at", UtcInstant, nullable=False, comment="When"),
    comment="Facts that a reader could not read; kept until someone looks",
)


class Fact(BaseModel):
    """Base of the typed facts; subclasses name their type and are found by it again."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    catalogue: ClassVar[dict[str, "type[Fact]"]] = {}
    type: ClassVar[str]

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        Fact.catalogue[cls.type] = cls


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A fact with its envelope."""

    cursor: int
    id: str
    source: str
    time: datetime
    subject: str
    fact: Fact


def state_fact(connection: Connection, fact: Fact, *, id: str, source: str, time: datetime, subject: str) -> bool:  # noqa: A002 - the envelope's own word
    """Write a fact in the caller's transaction; False when it had been stated before."""
    serialise(connection, _EVENTS_LOCK)
    row = {
        "id": id,
        "source": source,
        "type": fact.type,
        "time": time,
        "subject": subject,
        "data": fact.model_dump(mode="json"),
    }
    return insert_new(connection, events, row=row)


def read_facts(
    connection: Connection, *, after: int, limit: int = MAX_PAGE, types: Collection[str] | None = None
) -> Iterator[Stated | DataLoss]:
    """The facts behind a cursor in the order of commit, of all types or of some.

    One that cannot be read comes as a DataLoss with its cursor.
    """
    statement = sa.select(events).where(events.c.cursor > after).order_by(events.c.cursor).limit(min(limit, MAX_PAGE))
    if types is not None:
        statement = statement.where(events.c.type.in_(sorted(types)))
    for row in connection.execute(statement):
        kind = Fact.catalogue.get(row.type)
        if kind is None:
            yield DataLoss(f"no room knows the fact {row.type}", code="events.unknown_type", cursor=row.cursor)
            continue
        try:
            fact = kind.model_validate(row.data)
        except ValidationError as error:
            yield DataLoss(f"{row.type} is not readable: {error}", code="events.unreadable", cursor=row.cursor)
            continue
        yield Stated(cursor=row.cursor, id=row.id, source=row.source, time=row.time, subject=row.subject, fact=fact)


def last_cursor(connection: Connection) -> int:
    """The cursor of the newest fact, 0 when there is none."""
    return connection.execute(sa.select(sa.func.coalesce(sa.func.max(events.c.cursor), 0))).scalar_one()


def set_aside(connection: Connection, *, cursor: int, reader: str, reason: str, now: datetime) -> None:
    """Keep an unreadable fact for someone to look at, so that the reader can go on."""
    row = {"event_cursor": cursor, "reader": reader, "reason": reason, "set_aside_at": now}
    insert_new(connection, dead_letters, row=row)

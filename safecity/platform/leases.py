"""Leases: who works on what, so that a worker that dies loses its claim and nobody works twice.

A holder is a slot name (`recorder-1`), not a process: the process that takes over a slot takes over its leases at
once. The supervisor makes sure that a slot has one process.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from safecity.platform.database import UtcInstant, insert_new, metadata

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("resource", sa.String(200), primary_key=True, comment="What is held, such as camera:cam_01..."),
    sa.Column("holder", sa.String(100), nullable=False, comment="Slot that holds it, such as recorder-1"),
    sa.Column("claimed_at", UtcInstant, nullable=False, comment="Since when this holder has it"),
    sa.Column("expires_at", UtcInstant, nullable=False, comment="Until when the claim stands unless renewed"),
    comment="Claims of workers on resources",
)


def claim(
    connection: Connection, wanted: Sequence[str], *, holder: str, now: datetime, term: timedelta, limit: int
) -> list[str]:
    """Claim or renew up to `limit` of the wanted resources in their order; the ones held now are returned.

    A resource held by another is left alone until that claim has expired.
    """
    if not wanted:
        return []
    rows = connection.execute(sa.select(leases).where(leases.c.resource.in_(wanted))).mappings()
    known = {row["resource"]: row for row in rows}
    free = [name for name in wanted if name not in known or known[name]["expires_at"] <= now]
    mine = [name for name in wanted if name in known and known[name]["holder"] == holder]
    taken = (mine + [name for name in free if name not in mine])[:limit]
    return [name for name in taken if _take(connection, name, holder=holder, now=now, expires_at=now + term)]


def _take(connection: Connection, name: str, *, holder: str, now: datetime, expires_at: datetime) -> bool:
    own = leases.c.holder == holder
    renewed = connection.execute(
        leases.update()
        .where(leases.c.resource == name, sa.or_(own, leases.c.expires_at <= now))
        .values(
            holder=holder,
            expires_at=expires_at,
            claimed_at=sa.case((own, leases.c.claimed_at), else_=sa.literal(now, UtcInstant)),
        )
    )
    if renewed.rowcount:
        return True
    row = {"resource": name, "holder": holder, "claimed_at": now, "expires_at": expires_at}
    return insert_new(connection, leases, row=row)


def release(connection: Connection, *, holder: str, resources: Sequence[str] | None = None) -> None:
    """Give back the named resources, or all of the holder's."""
    statement = leases.delete().where(leases.c.holder == holder)
    if resources is not None:
        statement = statement.where(leases.c.resource.in_(resources))
    connection.execute(statement)


def list_leases(connection: Connection, *, prefix: str) -> list[tuple[str, str, datetime]]:
    """(resource, holder, expires_at) of every lease whose resource starts with the prefix."""
    rows = connection.execute(sa.select(leases).where(leases.c.resource.startswith(prefix, autoescape=True)))
    return [(row.resource, row.holder, row.expires_at) for row in rows]

"""Purposes and what they cover: tables and queries."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from safecity.oversight.model import Purpose, PurposeId, PurposeKind, PurposeScope, Resource, UserId
from safecity.platform.database import UtcInstant, metadata

MAX_SCOPES = 100  # of one purpose: the surroundings of an incident; so many fit into one leaf
MAX_REASONS = 64  # of one decision: one is enough, and the best of them come first

_unclosed_shift = sa.text("kind = 'shift' AND closed_at IS NULL")
purposes = sa.Table(
    "purposes",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True, comment="pur_..."),
    sa.Column("kind", sa.String(10), nullable=False, comment="shift, incident or case"),
    sa.Column("ref", sa.String(100), nullable=False, comment="Id of the shift's user, the incident or the case"),
    sa.Column(
        "user_id", sa.String(40), sa.ForeignKey("users.id"), comment="Whose purpose it is; null where it is shared"
    ),
    sa.Column("opened_at", UtcInstant, nullable=False, comment="From when it justifies a look"),
    sa.Column("ends_at", UtcInstant, nullable=True, comment="Until when at the latest; null: until it is closed"),
    sa.Column("closed_at", UtcInstant, nullable=True, comment="When it was closed"),
    sa.Index(None, "kind", "ref"),
    sa.Index(
        "uq_purposes_user_id", "user_id", unique=True, sqlite_where=_unclosed_shift, postgresql_where=_unclosed_shift
    ),
    comment="Why someone may look: things that the system can check",
)

_unclosed = sa.text("closed_at IS NULL")
purpose_scopes = sa.Table(
    "purpose_scopes",
    metadata,
    sa.Column("purpose_id", sa.String(40), sa.ForeignKey("purposes.id"), primary_key=True, comment="Whose scope it is"),
    sa.Column(
        "position", sa.SmallInteger, primary_key=True, autoincrement=False, comment="0, 1, 2, ... within the purpose"
    ),
    sa.Column("camera", sa.String(64), nullable=False, comment="Camera id"),
    sa.Column("from_at", UtcInstant, nullable=False, comment="Recordings from this capture time on"),
    sa.Column("to_at", UtcInstant, nullable=True, comment="Up to this one; null: open end"),
    sa.Column(
        "closed_at", UtcInstant, nullable=True, comment="When its purpose was closed, so that open ones are found fast"
    ),
    sa.Index(None, "camera", sqlite_where=_unclosed, postgresql_where=_unclosed),
    comment="Which recordings an incident or a case covers",
)


def insert_purpose(connection: Connection, purpose: Purpose) -> None:
    """Open a purpose with its scopes."""
    connection.execute(
        purposes.insert().values(
            id=purpose.id,
            kind=purpose.kind,
            ref=purpose.ref,
            user_id=purpose.user_id,
            opened_at=purpose.opened_at,
            ends_at=purpose.ends_at,
        )
    )
    rows = [
        {
            "purpose_id": purpose.id,
            "position": position,
            "camera": scope.camera,
            "from_at": scope.from_at,
            "to_at": scope.to_at,
        }
        for position, scope in enumerate(purpose.scopes)
    ]
    if rows:
        connection.execute(purpose_scopes.insert(), rows)


def find_purpose(connection: Connection, purpose_id: PurposeId) -> Purpose | None:
    """A purpose, open or not, without its scopes."""
    row = connection.execute(sa.select(purposes).where(purposes.c.id == purpose_id)).first()
    return None if row is None else _purpose_of(row)


def find_purpose_of(connection: Connection, *, kind: PurposeKind, ref: str) -> Purpose | None:
    """The newest purpose of an incident or a case, open or not, with all of its scopes."""
    c = purposes.c
    statement = sa.select(purposes).where(c.kind == kind, c.ref == ref).order_by(c.opened_at.desc(), c.id.desc())
    row = connection.execute(statement.limit(1)).first()
    if row is None:
        return None
    scopes = sa.select(purpose_scopes).where(purpose_scopes.c.purpose_id == row.id).order_by(purpose_scopes.c.position)
    return _purpose_of(row, scopes=[_scope_of(item) for item in connection.execute(scopes.limit(MAX_SCOPES))])


def list_own_purposes(connection: Connection, user_id: UserId) -> list[Purpose]:
    """The purposes of one user that nobody has closed, without scopes; some may be past their end."""
    statement = sa.select(purposes).where(purposes.c.user_id == user_id, purposes.c.closed_at.is_(None))
    return [_purpose_of(row) for row in connection.execute(statement)]


def list_reasons(connection: Connection, resource: Resource, *, user_id: UserId, now: datetime) -> list[Purpose]:
    """The standing incidents and cases that cover a camera's interval for a user, cases first, then the oldest.

    Each comes with the scope that covers it. The answer is the policy's (`decide`); this only keeps it from reading
    every incident there ever was.
    """
    if resource.kind != "camera" or resource.from_at is None or resource.to_at is None:
        return []
    c, s = purposes.c, purpose_scopes.c
    statement = (
        sa.select(purposes, s.camera, s.from_at, s.to_at)
        .join(purpose_scopes, s.purpose_id == c.id)
        .where(s.camera == resource.id, s.closed_at.is_(None), s.from_at <= resource.from_at)
        .where(sa.or_(s.to_at.is_(None), s.to_at >= resource.to_at))
        .where(c.closed_at.is_(None), c.opened_at <= now, sa.or_(c.ends_at.is_(None), c.ends_at > now))
        .where(c.kind.in_(("case", "incident")), sa.or_(c.user_id.is_(None), c.user_id == user_id))
        .order_by(c.kind != "case", c.opened_at, c.id)
        .limit(MAX_REASONS)
    )
    return [_purpose_of(row, scopes=[_scope_of(row)]) for row in connection.execute(statement)]


def list_standing_shifts(connection: Connection, *, now: datetime) -> list[Purpose]:
    """Every open shift, the longest first."""
    c = purposes.c
    statement = (
        sa.select(purposes)
        .where(c.kind == "shift", c.closed_at.is_(None), c.opened_at <= now)
        .where(sa.or_(c.ends_at.is_(None), c.ends_at > now))
        .order_by(c.opened_at, c.id)
    )
    return [_purpose_of(row) for row in connection.execute(statement)]


def find_shift(connection: Connection, user_id: UserId, *, now: datetime) -> Purpose | None:
    """The user's shift, if they are on duty."""
    own = list_own_purposes(connection, user_id)
    return next((item for item in own if item.kind == "shift" and item.stands_at(now)), None)


def close_purpose(connection: Connection, purpose_id: PurposeId, *, at: datetime) -> bool:
    """Close a purpose; False when it was closed before."""
    statement = purposes.update().where(purposes.c.id == purpose_id, purposes.c.closed_at.is_(None))
    if connection.execute(statement.values(closed_at=at)).rowcount != 1:
        return False
    mine = purpose_scopes.c.purpose_id == purpose_id
    connection.execute(purpose_scopes.update().where(mine, purpose_scopes.c.closed_at.is_(None)).values(closed_at=at))
    return True


def _purpose_of(row: sa.Row[tuple[object, ...]], *, scopes: Sequence[PurposeScope] = ()) -> Purpose:
    return Purpose(
        id=PurposeId(row.id),
        kind=row.kind,
        ref=row.ref,
        user_id=None if row.user_id is None else UserId(row.user_id),
        opened_at=row.opened_at,
        ends_at=row.ends_at,
        closed_at=row.closed_at,
        scopes=tuple(scopes),
    )


def _scope_of(row: sa.Row[tuple[object, ...]]) -> PurposeScope:
    return PurposeScope(camera=row.camera, from_at=row.from_at, to_at=row.to_at)

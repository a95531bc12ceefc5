"""Users and sessions: their tables and queries; purposes, the log and attempts keep their own."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from safecity.oversight.model import Actor, Role, Session, SessionId, User, UserId
from safecity.oversight.purpose_store import find_shift
from safecity.platform.database import UtcInstant, insert_new, metadata
from safecity.platform.errors import DataLoss

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True, comment="usr_..."),
    sa.Column("name", sa.String(64), nullable=False, unique=True, comment="Sign-in name, lower case"),
    sa.Column("display_name", sa.String(200), nullable=False, comment="Name shown to colleagues, any script"),
    sa.Column("role", sa.String(20), nullable=False, comment="One of the seven roles"),
    sa.Column("password_hash", sa.String(255), nullable=False, comment="argon2id in PHC form"),
    sa.Column("created_at", UtcInstant, nullable=False, comment="When the account was made"),
    sa.Column("disabled_at", UtcInstant, nullable=True, comment="Since when nobody can sign in with it"),
    comment="People who may sign in",
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True, comment="ses_..., safe to show in the log"),
    sa.Column(
        "token_hash", sa.LargeBinary(32), nullable=False, unique=True, comment="SHA-256 of the token; never the token"
    ),
    sa.Column(
        "user_id", sa.String(40), sa.ForeignKey("users.id"), nullable=False, index=True, comment="Whose session it is"
    ),
    sa.Column("console", sa.String(100), nullable=False, comment="Address it was opened from"),
    sa.Column("created_at", UtcInstant, nullable=False, comment="When it was opened"),
    sa.Column("expires_at", UtcInstant, nullable=False, comment="When it ends at the latest; never prolonged"),
    sa.Column("last_seen_at", UtcInstant, nullable=False, comment="Last use, to the minute"),
    sa.Column("ended_at", UtcInstant, nullable=True, comment="When it was ended before its time"),
    comment="Signed-in browsers",
)


# Users


def insert_user(connection: Connection, user: User, *, password_hash: str) -> bool:
    """Add an account; False when the name is taken."""
    row = {
        "id": user.id,
        "name": user.name,
        "display_name": user.display_name,
        "role": user.role.value,
        "password_hash": password_hash,
        "created_at": user.created_at,
        "disabled_at": user.disabled_at,
    }
    return insert_new(connection, users, row=row)


def find_user(connection: Connection, name: str) -> tuple[User, str] | None:
    """An account by its name, with its password hash."""
    row = connection.execute(sa.select(users).where(users.c.name == name)).first()
    return None if row is None else (_user_of(row), row.password_hash)


def list_users(connection: Connection) -> list[User]:
    """Every account by name."""
    return [_user_of(row) for row in connection.execute(sa.select(users).order_by(users.c.name))]


def change_user(connection: Connection, user_id: UserId, *, values: Mapping[str, object]) -> None:
    """Write columns of one account."""
    connection.execute(users.update().where(users.c.id == user_id), dict(values))


def _user_of(row: sa.Row[tuple[object, ...]]) -> User:
    return User(
        id=UserId(row.id),
        name=row.name,
        display_name=row.display_name,
        role=_role_of(row.role),
        created_at=row.created_at,
        disabled_at=row.disabled_at,
    )


def _role_of(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as error:
        raise DataLoss(f"an account has the role {text!r}, which does not exist", code="oversight.bad_role") from error


# Sessions


def insert_session(connection: Connection, session: Session, *, token_hash: bytes, console: str, now: datetime) -> None:
    """Open a session."""
    row = {
        "id": session.actor.session_id,
        "token_hash": token_hash,
        "user_id": session.actor.user_id,
        "console": console,
        "created_at": now,
        "expires_at": session.expires_at,
        "last_seen_at": now,
    }
    connection.execute(sessions.insert().values(row))


def _live_sessions(now: datetime) -> sa.Select[tuple[object, ...]]:
    return (
        sa.select(sessions, users.c.name, users.c.display_name, users.c.role)
        .join(users, users.c.id == sessions.c.user_id)
        .where(sessions.c.ended_at.is_(None), sessions.c.expires_at > now, users.c.disabled_at.is_(None))
    )


def find_session(connection: Connection, token_hash: bytes, *, now: datetime) -> tuple[Session, datetime] | None:
    """The live session of a token with the time of its last recorded use."""
    row = connection.execute(_live_sessions(now).where(sessions.c.token_hash == token_hash)).first()
    if row is None:
        return None
    actor = Actor(user_id=UserId(row.user_id), name=row.name, role=_role_of(row.role), session_id=SessionId(row.id))
    session = Session(
        actor=actor,
        display_name=row.display_name,
        expires_at=row.expires_at,
        shift=find_shift(connection, actor.user_id, now=now),
    )
    return session, row.last_seen_at


def is_live(connection: Connection, actor: Actor, *, now: datetime) -> bool:
    """Whether the actor's session goes on, the account is enabled and the role is still the same."""
    statement = _live_sessions(now).where(
        sessions.c.id == actor.session_id, users.c.id == actor.user_id, users.c.role == actor.role.value
    )
    return connection.execute(statement).first() is not None


def note_use(connection: Connection, session_id: SessionId, *, now: datetime) -> None:
    """Write when a session was last used."""
    connection.execute(sessions.update().where(sessions.c.id == session_id).values(last_seen_at=now))


def end_sessions(
    connection: Connection, *, now: datetime, session_id: SessionId | None = None, user_id: UserId | None = None
) -> int:
    """End one session, or all of a user; tells how many were open."""
    statement = sessions.update().where(sessions.c.ended_at.is_(None), sessions.c.expires_at > now)
    which = sessions.c.id == session_id if session_id is not None else sessions.c.user_id == user_id
    return connection.execute(statement.where(which).values(ended_at=now)).rowcount


def has_signed_in_from(connection: Connection, user_id: UserId | None, *, console: str, since: datetime) -> bool:
    """Whether the user opened a session at this console lately."""
    statement = sa.select(sessions.c.id).where(
        sessions.c.user_id == user_id, sessions.c.console == console, sessions.c.created_at > since
    )
    return connection.execute(statement.limit(1)).first() is not None

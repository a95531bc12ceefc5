"""Failed sign-ins: how many are too many.

Attempts are counted for the typed name and for the console's address. A user's failures at a console where they have
signed in lately are counted by themselves, so that a stranger elsewhere who guesses at their password cannot lock
them out of their own desk.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from safecity.platform.database import BigSerial, UtcInstant, metadata

WINDOW = timedelta(minutes=5)
CONSOLE_ATTEMPTS = 30  # failures from one address in the window, whoever is named
OWN_CONSOLE_AGE = timedelta(days=30)  # a console counts as the user's own so long after a sign-in there
OPEN, FAILED, LIMITED = "open", "failed", "limited"

sign_in_attempts = sa.Table(
    "sign_in_attempts",
    metadata,
    sa.Column("id", BigSerial, primary_key=True, autoincrement=True, comment="Order of arrival"),
    sa.Column(
        "name_key",
        sa.String(32),
        nullable=False,
        index=True,
        comment="Hash of the typed name, which may be no user's name",
    ),
    sa.Column("console", sa.String(100), nullable=False, index=True, comment="Address the attempt came from"),
    sa.Column("at", UtcInstant, nullable=False, comment="When"),
    sa.Column(
        "outcome", sa.String(10), nullable=False, comment="open (being checked, counts as failed), failed or limited"
    ),
    comment="Recent failed sign-ins, kept as long as the limit looks back",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try; an open one is still being checked and counts as failed."""

    name_key: str
    console: str
    at: datetime
    outcome: str


def name_key_of(name: str) -> str:
    """What is kept of a typed name: half a hash, since people type passwords into the wrong field."""
    return hashlib.sha256(name.encode(errors="backslashreplace")).hexdigest()[:32]


def wait_until(
    recent: Iterable[Attempt], *, name_key: str, console: str, is_own_console: bool, allowed: int
) -> datetime | None:
    """When the next attempt may be made; None where one may be made now.

    `recent` are the attempts of the last `WINDOW`, oldest first.
    """
    tries = [item for item in recent if item.outcome != LIMITED]
    from_here = [item.at for item in tries if item.console == console]
    on_name = [
        item.at for item in tries if item.name_key == name_key and (item.console == console or not is_own_console)
    ]
    waits = [
        times[-limit] + WINDOW
        for times, limit in ((from_here, CONSOLE_ATTEMPTS), (on_name, allowed))
        if len(times) >= limit
    ]
    return max(waits, default=None)


def list_attempts(connection: Connection, *, name_key: str, console: str, since: datetime) -> list[Attempt]:
    """The attempts on this name or from this console, oldest first."""
    a = sign_in_attempts.c
    statement = sa.select(sign_in_attempts).where(a.at > since, sa.or_(a.name_key == name_key, a.console == console))
    return [
        Attempt(name_key=row.name_key, console=row.console, at=row.at, outcome=row.outcome)
        for row in connection.execute(statement.order_by(a.id))
    ]


def insert_attempt(connection: Connection, attempt: Attempt) -> int:
    """Count an attempt, before it is checked, so that many at once cannot slip under the limit."""
    row = {"name_key": attempt.name_key, "console": attempt.console, "at": attempt.at, "outcome": attempt.outcome}
    return connection.execute(sign_in_attempts.insert().values(row).returning(sign_in_attempts.c.id)).scalar_one()


def settle_attempt(connection: Connection, attempt_id: int) -> None:
    """The attempt was wrong."""
    connection.execute(sign_in_attempts.update().where(sign_in_attempts.c.id == attempt_id).values(outcome=FAILED))


def forget_attempt(connection: Connection, attempt_id: int) -> None:
    """The attempt was never checked."""
    connection.execute(sign_in_attempts.delete().where(sign_in_attempts.c.id == attempt_id))


def forget_failures(connection: Connection, *, name_key: str, console: str) -> None:
    """The user has signed in here; their typing errors at this console are over."""
    a = sign_in_attempts.c
    connection.execute(sign_in_attempts.delete().where(a.name_key == name_key, a.console == console))


def forget_old(connection: Connection, *, before: datetime) -> None:
    """Drop what the limit no longer looks at."""
    connection.execute(sign_in_attempts.delete().where(sign_in_attempts.c.at <= before))

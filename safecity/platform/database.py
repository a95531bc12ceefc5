"""One database, SQLite or PostgreSQL, through SQLAlchemy's synchronous engine.

SQLite runs in WAL mode with `synchronous=FULL`: with NORMAL, simulated power cuts lost acknowledged rows. A write
transaction begins IMMEDIATE there, so that two writers queue instead of failing half-way.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.types import TypeDecorator

from safecity.platform.clock import from_us, to_us
from safecity.platform.errors import DataLoss, Exhausted, Invalid, Problem, Unavailable

BUSY_TIMEOUT_MS = 10_000  # a writer waits so long for another on SQLite before it is told to come back
POOL_SIZE = 24
POOL_TIMEOUT_S = 10

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcInstant(TypeDecorator[datetime]):
    """An aware UTC datetime stored as whole microseconds since 1970: exact, sortable, the same in both databases."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        del dialect
        return None if value is None else to_us(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        del dialect
        return None if value is None else from_us(value)


Json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
BigSerial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class Database:
    """The engine and the two ways in: `begin` to change, `read` to look."""

    def __init__(self, url: str) -> None:
        parsed = _parse(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            if parsed.database and parsed.database != ":memory:":
                file = Path(parsed.database)
                file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                # Names of users and what they looked at are in it; SQLite gives the files beside it the same mode.
                if not file.exists():
                    file.touch(mode=0o600)
            self.engine = sa.create_engine(
                parsed,
                pool_size=POOL_SIZE,
                pool_timeout=POOL_TIMEOUT_S,
                connect_args={"timeout": BUSY_TIMEOUT_MS / 1000},
            )
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.engine = sa.create_engine(parsed, pool_size=POOL_SIZE, pool_timeout=POOL_TIMEOUT_S, pool_pre_ping=True)

    @contextmanager
    def begin(self) -> Generator[Connection]:
        """A write transaction: committed at the end of the block, rolled back by any exception.

        Raises Unavailable when the database does not answer in time and Exhausted when its disk is full.
        """
        with (
            _translated(),
            self.engine.connect().execution_options(safecity_write=True) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A consistent look at the data; nothing is written."""
        with _translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def _prepare_sqlite(dbapi_connection: DBAPIConnection, _: object) -> None:
    # The driver must not begin transactions of its own; we say BEGIN ourselves.
    setattr(dbapi_connection, "isolation_level", None)  # noqa: B010 - not in the generic DBAPI type
    cursor = dbapi_connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_TIMEOUT_MS}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("safecity_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _parse(url: str) -> sa.URL:
    """The URL of a database that can be used here; raises Invalid that does not repeat it: it may hold a password."""
    try:
        parsed = sa.engine.make_url(url)
        parsed.get_dialect().import_dbapi()
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise Invalid(
            "the database URL cannot be used; write sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME",
            code="database.bad_url",
        ) from error
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise Invalid("the database must be SQLite or PostgreSQL", code="database.bad_url")
    return parsed


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except OperationalError as error:
        raise _problem_of(error) from error
    except DatabaseError as error:
        if type(error) is not DatabaseError:  # a violated constraint, a wrong statement: the caller's business
            raise
        raise DataLoss(
            "the database file is damaged or is none; put it aside and restore it, or start without it: recordings are "
            "found again in their files",
            code="database.damaged",
        ) from error
    except PoolTimeout as error:
        raise Unavailable("all database connections are busy; try again", code="database.busy") from error


def _problem_of(error: OperationalError) -> Problem:
    text = str(error.orig).lower()
    if "full" in text or "no space" in text:
        return Exhausted("the database's disk is full; free space or move the data folder", code="database.full")
    if "locked" in text or "busy" in text:
        return Unavailable("the database is busy; try again", code="database.busy")
    if "no such table" in text or "no such column" in text:
        return Unavailable("the database has no or an old schema; run `safecity db upgrade`", code="database.schema")
    return Unavailable("the database does not answer; see `safecity doctor`", code="database.down")


def serialise(connection: Connection, lock: int) -> None:
    """Let one writer at a time pass, until its transaction ends.

    Sequences that readers follow by number (facts, log leaves) need it on PostgreSQL, where a lower number could
    otherwise be committed after a higher one and be skipped. SQLite has one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(0x5AFEC17, lock)))


def insert_new(connection: Connection, table: sa.Table, *, row: Mapping[str, object]) -> bool:
    """Insert a row unless a unique key of it is there already; tells whether it was inserted."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table).values(dict(row)).on_conflict_do_nothing().returning(*table.primary_key.columns)
    return connection.execute(statement).first() is not None

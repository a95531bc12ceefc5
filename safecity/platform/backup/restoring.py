"""From a backup to a system that can be started: nothing is there before all of it is.

SQLite: a new file beside its place, moved there at the end. PostgreSQL: one transaction in an empty database. So a
restore that is killed has changed nothing, and can be begun again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import sqlalchemy as sa
from alembic import command
from sqlalchemy.engine import Connection

from safecity.platform.backup.container import SealedReader
from safecity.platform.backup.contents import FoundFile, FoundRows, LogSum, Manifest, read_contents
from safecity.platform.backup.keys import Lock, Opener
from safecity.platform.database import Database
from safecity.platform.errors import Conflict, DataLoss, Exhausted
from safecity.platform.files import sync_directory, write_whole
from safecity.platform.schema import alembic_config, known_revisions

DATABASE_FILE = "safecity.db"
UNFINISHED = ".restoring"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorePlan:
    """Where to, and what must hold at the end: `check_log` raises DataLoss where the log is not the manifest's."""

    data_dir: Path
    database_url: str | None
    check_log: Callable[[Connection, LogSum], None]


def read_head_manifest(path: Path, opener: Opener | Lock) -> Manifest:
    """The manifest, once all of the backup was read and compared. Raises DataLoss, Denied, Invalid."""
    with path.open("rb") as file:
        for found in read_contents(SealedReader(file, opener)):
            if isinstance(found, Manifest):
                return found
    raise DataLoss("the backup has no manifest", code="backup.damaged")


def restore(path: Path, opener: Opener | Lock, *, plan: RestorePlan) -> Manifest:
    """Put a backup into an empty place. Raises Conflict where something is there already.

    The backup is read twice: first to know that all of it is whole and of which schema it is, then to take it in.
    """
    _refuse_what_lives(plan)
    manifest = read_head_manifest(path, opener)
    if manifest.revision not in known_revisions():
        raise Conflict(
            f"the backup was made by a newer SafeCity ({manifest.version}); restore it with that one or a later one",
            code="backup.newer",
        )
    plan.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = plan.data_dir / (DATABASE_FILE + UNFINISHED)
    for left in plan.data_dir.glob(f"{unfinished.name}*"):
        left.unlink()
    unfinished.touch(mode=0o600)
    sync_directory(plan.data_dir)
    _take_in(path, opener, plan=plan, manifest=manifest, url=plan.database_url or f"sqlite:///{unfinished}")
    if plan.database_url is None:
        # Last of all: a data folder without its database is no system, and the restore can be begun again.
        unfinished.replace(plan.data_dir / DATABASE_FILE)
    else:
        unfinished.unlink()
    sync_directory(plan.data_dir)
    return manifest


def _take_in(path: Path, opener: Opener | Lock, *, plan: RestorePlan, manifest: Manifest, url: str) -> None:
    """Schema of then, rows, checks, schema of now, files: before one commit."""
    database = Database(url)
    try:
        with database.begin() as connection:
            if sa.inspect(connection).get_table_names():
                raise Conflict("the database is not empty; give a new one", code="backup.not_empty")
            _migrate(connection, manifest.revision)
            tables = sa.MetaData()
            tables.reflect(connection)
            files = _insert_all(connection, tables, path=path, opener=opener)
            _go_on_counting(connection, tables)
            plan.check_log(connection, manifest.log)
            _migrate(connection, "head")
            for found in files:
                _put_file(plan.data_dir, found)
        if database.is_sqlite:
            with database.engine.connect() as connection:
                # Into the file itself, so that moving it moves all of it.
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        database.close()


def _insert_all(connection: Connection, tables: sa.MetaData, *, path: Path, opener: Opener | Lock) -> list[FoundFile]:
    files: list[FoundFile] = []
    with path.open("rb") as file:
        for found in read_contents(SealedReader(file, opener)):
            if isinstance(found, FoundFile):
                files.append(found)
            elif isinstance(found, FoundRows):
                table = tables.tables.get(found.table)
                if table is None:
                    raise DataLoss(f"the schema has no table {found.table}", code="backup.schema")
                if found.rows:
                    connection.execute(table.insert(), list(found.rows))
    return files


def _migrate(connection: Connection, revision: str) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _go_on_counting(connection: Connection, tables: sa.MetaData) -> None:
    """PostgreSQL's sequences know nothing of rows that came with their numbers."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables.sorted_tables:
        for column in table.primary_key.columns:
            name = connection.execute(sa.select(sa.func.pg_get_serial_sequence(table.name, column.name))).scalar()
            highest = connection.execute(sa.select(sa.func.max(column))).scalar() if name else None
            if name and highest is not None:
                connection.execute(sa.select(sa.func.setval(name, highest)))


def _refuse_what_lives(plan: RestorePlan) -> None:
    is_unfinished = (plan.data_dir / (DATABASE_FILE + UNFINISHED)).exists()
    for name in (DATABASE_FILE, "secrets/key"):
        if (name == DATABASE_FILE or not is_unfinished) and (plan.data_dir / name).exists():
            raise Conflict(
                f"{plan.data_dir} holds a system already ({name}); give an empty folder, or move that one away",
                code="backup.not_empty",
            )


def _put_file(data_dir: Path, found: FoundFile) -> None:
    parts = PurePosixPath(found.name).parts
    if not parts or found.name.startswith("/") or ".." in parts or len(parts) > 4:
        raise DataLoss("a file in the backup wants to lie outside of the data folder", code="backup.damaged")
    path = data_dir.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        write_whole(path, found.content, mode=0o600)
    except OSError as error:
        raise Exhausted(f"{path} cannot be written ({error.strerror})", code="backup.full") from error

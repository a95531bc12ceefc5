"""Making a backup of a running system: one consistent look at the database, while everybody goes on writing."""

import errno
import fcntl
import hashlib
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa
from alembic.migration import MigrationContext
from sqlalchemy.engine import Connection

import safecity
from safecity.platform.backup.container import SealedReader, SealedWriter
from safecity.platform.backup.contents import (
    FORMAT,
    MAX_FILE_BYTES,
    LogSum,
    Manifest,
    TableSum,
    read_contents,
    write_file,
    write_table,
)
from safecity.platform.backup.keys import Lock
from safecity.platform.database import Database
from safecity.platform.errors import DataLoss, Exhausted, Unavailable
from safecity.platform.files import sync_directory

SUFFIX = ".backup"
PREFIX = "safecity-"
REVISION_TABLE = "alembic_version"
INDEX_TABLES = frozenset({"segments"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupPlan:
    """What goes into a backup. `left_out` are tables that mean nothing elsewhere, such as sessions and leases."""

    files: Mapping[str, Path]
    left_out: frozenset[str]
    describe_log: Callable[[Connection], LogSum]
    has_index: bool = True


def make_backup(database: Database, plan: BackupPlan, *, lock: Lock, directory: Path) -> tuple[Path, Manifest]:
    """Write a backup into a folder and read it back; it has its name only when both went well.

    Raises Exhausted when the disk is full, Unavailable when it cannot be written, DataLoss when what was read back is
    not what was written. Whatever was there before stays.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    remove_unfinished(directory)
    made_at = datetime.now(UTC)
    path = directory / f"{PREFIX}{made_at:%Y%m%dT%H%M%S}Z{SUFFIX}"
    fresh = directory / f".{path.name}.{os.getpid()}.new"
    try:
        with open(fresh, "xb", opener=_private) as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            manifest = write_backup(file, database, plan=plan, lock=lock, made_at=made_at)
            file.flush()
            os.fsync(file.fileno())
            with fresh.open("rb") as again:
                if verify_backup(again, lock) != manifest:
                    raise DataLoss("what was read back is not what was written", code="backup.damaged")
            fresh.replace(path)
        sync_directory(directory)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Exhausted(f"the disk of {directory} is full; nothing was changed", code="backup.full") from error
        raise Unavailable(f"the backup cannot be written ({error.strerror})", code="backup.unwritable") from error
    finally:
        fresh.unlink(missing_ok=True)
    return path, manifest


def write_backup(file: BinaryIO, database: Database, *, plan: BackupPlan, lock: Lock, made_at: datetime) -> Manifest:
    """Stream a backup to anywhere, without reading it back."""
    out = SealedWriter(file, lock)
    with snapshot(database) as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        left_out = plan.left_out | {REVISION_TABLE} | (frozenset[str]() if plan.has_index else INDEX_TABLES)
        sums: dict[str, TableSum] = {}
        for table in tables.sorted_tables:
            if table.name not in left_out:
                sums[table.name] = write_table(out, connection, table=table)
        log, revision = plan.describe_log(connection), _revision_of(connection)
        kind = connection.dialect.name
    files = {
        name: write_file(out, name, content=_read_small(path)) for name, path in plan.files.items() if path.is_file()
    }
    manifest = Manifest(
        format=FORMAT, revision=revision, version=safecity.__version__, made_at=made_at, database=kind,
        has_index=plan.has_index, tables=sums, files=files, log=log,
    )  # fmt: skip
    out.write(b'{"manifest": ' + manifest.model_dump_json().encode() + b"}\n")
    out.finish()
    return manifest


def verify_backup(file: BinaryIO, opener: Lock | SealedReader) -> Manifest:
    """Read all of it and compare it with its manifest. Raises DataLoss."""
    reader = opener if isinstance(opener, SealedReader) else SealedReader(file, opener)
    for found in read_contents(reader):
        if isinstance(found, Manifest):
            return found
    raise DataLoss("the backup has no manifest", code="backup.damaged")


@contextmanager
def snapshot(database: Database) -> Generator[Connection]:
    """A look at one instant: a read transaction in SQLite's write-ahead log, REPEATABLE READ in PostgreSQL."""
    if database.is_sqlite:
        with database.read() as connection:
            yield connection
        return
    with database.engine.connect() as connection:
        connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            yield connection


def list_backups(directory: Path) -> list[Path]:
    """Finished backups, oldest first."""
    return sorted(directory.glob(f"{PREFIX}*{SUFFIX}")) if directory.is_dir() else []


def prune(directory: Path, *, keep: int) -> Sequence[Path]:
    """Delete the oldest beyond `keep`; returns those that went."""
    gone = list_backups(directory)[:-keep] if keep > 0 else []
    for path in gone:
        path.unlink(missing_ok=True)
    if gone:
        sync_directory(directory)
    return gone


def remove_unfinished(directory: Path) -> None:
    """Delete what a killed backup left; one that is still being written is locked and stays."""
    for path in directory.glob(f".{PREFIX}*.new"):
        try:
            with path.open("rb") as file:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue
        path.unlink(missing_ok=True)


def fingerprint(path: Path) -> str:
    """SHA-256 of a file as it lies there."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _read_small(path: Path) -> bytes:
    content = path.read_bytes()
    if len(content) > MAX_FILE_BYTES:
        raise Exhausted(f"{path.name} is larger than any key or setting", code="backup.large_file")
    return content


def _revision_of(connection: Connection) -> str:
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        raise DataLoss("the database has no schema yet; run `safecity db upgrade`", code="backup.no_schema")
    return revision

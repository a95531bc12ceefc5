"""Databases for tests, migrated once for each run and copied from then on: the migrations take longer than a test."""

import functools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from safecity.platform.database import Database
from safecity.platform.schema import upgrade

TEMPLATE = "migrated"


@functools.cache
def _migrated_file() -> bytes:
    with tempfile.TemporaryDirectory(prefix="safecity-template-") as folder:
        path = Path(folder) / "safecity.db"
        made = Database(f"sqlite:///{path}")
        upgrade(made)
        made.close()
        assert not path.with_name(f"{path.name}-wal").exists(), "all of it must lie in the one file"
        return path.read_bytes()


def make_sqlite(path: Path) -> Database:
    """An empty database of the newest schema as one SQLite file, opened; the folder is made where it lacks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_migrated_file())
    return Database(f"sqlite:///{path}")


class PostgresServer:
    """A running PostgreSQL in which databases are made for one test each."""

    def __init__(self, url: str) -> None:
        self.url = url
        """SQLAlchemy address, to which a database's name is added."""
        self._has_template = False

    @contextmanager
    def fresh(self) -> Iterator[Database]:
        """An empty database of the newest schema, gone afterwards."""
        if not self._has_template:
            self._execute(f'CREATE DATABASE "{TEMPLATE}"')
            made = Database(self.url + TEMPLATE)
            upgrade(made)
            made.close()
            self._has_template = True
        name = f"t{os.urandom(6).hex()}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}"')
        opened = Database(self.url + name)
        try:
            yield opened
        finally:
            opened.close()
            self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url.replace("+psycopg", "") + "postgres", autocommit=True) as admin:
            admin.execute(statement.encode())

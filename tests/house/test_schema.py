"""The migrations make exactly the tables that the rooms declare, and every column says what it means."""

import importlib
import pkgutil

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import safecity
from safecity.platform.database import Database, metadata

for found in pkgutil.walk_packages(safecity.__path__, "safecity."):  # the whole house, so that every table is known
    if ".migrations." not in found.name:
        importlib.import_module(found.name)


def test_migrations_and_tables_agree(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
        differences = compare_metadata(context, metadata)
    if database.is_sqlite:  # SQLite keeps no comments, and knows big integers by one name only
        differences = [item for item in differences if not _is_type_or_comment(item)]
    assert differences == []


def _is_type_or_comment(item: object) -> bool:
    first = item[0] if isinstance(item, list) else item
    return isinstance(first, tuple) and str(first[0]) in {"modify_type", "modify_comment", "add_table_comment"}


@pytest.mark.parametrize("name", sorted(metadata.tables))
def test_every_column_says_what_it_means(name: str) -> None:
    table = metadata.tables[name]
    assert table.comment, f"{name} has no comment"
    assert [column.name for column in table.columns if not column.comment] == []

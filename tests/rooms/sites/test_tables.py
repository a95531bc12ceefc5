"""The migration makes exactly the tables that the code describes, each column with its meaning."""

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from safecity.platform.database import Database, metadata
from safecity.sites import tables

OURS = {table.name for table in vars(tables).values() if isinstance(table, sa.Table)}


def test_the_migration_matches_the_tables(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_object": lambda thing, name, kind, *_: (name if kind == "table" else thing.table.name) in OURS,
            },
        )
        assert compare_metadata(context, metadata) == []


def test_every_column_says_what_it_means() -> None:
    assert len(OURS) == 10
    for name in OURS:
        assert metadata.tables[name].comment
        for column in metadata.tables[name].columns:
            assert column.comment, f"{name}.{column.name}"

"""Bringing the database to the newest schema.

Apart from `database.py`, because a recorder needs no migrations and must not pay for importing them.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from safecity.platform.database import Database, serialise

_MIGRATION_LOCK = 1


def alembic_config() -> Config:
    """Alembic's configuration, made in code: the migrations travel inside the package."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the schema to a revision; safe to call at every start and by several processes at once."""
    config = alembic_config()
    with database.begin() as connection:
        serialise(connection, _MIGRATION_LOCK)
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def known_revisions() -> frozenset[str]:
    """Every revision that this version can bring up to date."""
    script = ScriptDirectory.from_config(alembic_config())
    return frozenset(one.revision for one in script.walk_revisions())

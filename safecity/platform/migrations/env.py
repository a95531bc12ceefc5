"""Alembic's entry: runs migrations on the connection that `safecity.platform.database.upgrade` hands in."""

from alembic import context

from safecity.platform.database import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=False,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()

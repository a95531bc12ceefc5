"""Facts, dead letters and leases."""

import sqlalchemy as sa
from alembic import op

from safecity.platform.database import BigSerial, Json, UtcInstant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables that every room stands on."""
    op.create_table(
        "events",
        sa.Column(
            "cursor", BigSerial, autoincrement=True, nullable=False, comment="Order of commit; readers remember it"
        ),
        sa.Column("id", sa.String(64), nullable=False, comment="Made from the fact's cause"),
        sa.Column("source", sa.String(100), nullable=False, comment="Slot that stated it, such as recorder-1"),
        sa.Column("type", sa.String(100), nullable=False, comment="room.fact_in_past_tense"),
        sa.Column("time", UtcInstant, nullable=False, comment="When it became true"),
        sa.Column("subject", sa.String(200), nullable=False, comment="What it is about, such as a camera id"),
        sa.Column("data", Json, nullable=False, comment="The typed body of the fact"),
        sa.PrimaryKeyConstraint("cursor", name="pk_events"),
        sa.UniqueConstraint("id", name="uq_events_id"),
        sqlite_autoincrement=True,
        comment="Facts, CloudEvents-shaped",
    )
    op.create_table(
        "dead_letters",
        sa.Column(
            "event_cursor", sa.BigInteger, autoincrement=False, nullable=False, comment="Which fact could not be read"
        ),
        sa.Column("reader", sa.String(100), nullable=False, comment="Who could not read it"),
        sa.Column("reason", sa.Text, nullable=False, comment="Why"),
        sa.Column("set_aside_at", UtcInstant, nullable=False, comment="When"),
        sa.PrimaryKeyConstraint("event_cursor", "reader", name="pk_dead_letters"),
        comment="Facts that a reader could not read; kept until someone looks",
    )
    op.create_table(
        "leases",
        sa.Column("resource", sa.String(200), nullable=False, comment="What is held, such as camera:cam_01..."),
        sa.Column("holder", sa.String(100), nullable=False, comment="Slot that holds it, such as recorder-1"),
        sa.Column("claimed_at", UtcInstant, nullable=False, comment="Since when this holder has it"),
        sa.Column("expires_at", UtcInstant, nullable=False, comment="Until when the claim stands unless renewed"),
        sa.PrimaryKeyConstraint("resource", name="pk_leases"),
        comment="Claims of workers on resources",
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("leases", "dead_letters", "events"):
        op.drop_table(table)

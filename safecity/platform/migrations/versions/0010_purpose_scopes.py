"""What a purpose covers."""

import sqlalchemy as sa
from alembic import op

from safecity.platform.database import UtcInstant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "purpose_scopes",
        sa.Column("purpose_id", sa.String(40), nullable=False, comment="Whose scope it is"),
        sa.Column(
            "position", sa.SmallInteger, autoincrement=False, nullable=False, comment="0, 1, 2, ... within the purpose"
        ),
        sa.Column("camera", sa.String(64), nullable=False, comment="Camera id"),
        sa.Column("from_at", UtcInstant, nullable=False, comment="Recordings from this capture time on"),
        sa.Column("to_at", UtcInstant, nullable=True, comment="Up to this one; null: open end"),
        sa.Column(
            "closed_at",
            UtcInstant,
            nullable=True,
            comment="When its purpose was closed, so that open ones are found fast",
        ),
        sa.PrimaryKeyConstraint("purpose_id", "position", name="pk_purpose_scopes"),
        sa.ForeignKeyConstraint(["purpose_id"], ["purposes.id"], name="fk_purpose_scopes_purpose_id_purposes"),
        comment="Which recordings an incident or a case covers",
    )
    unclosed = sa.text("closed_at IS NULL")
    op.create_index(
        "ix_purpose_scopes_camera", "purpose_scopes", ["camera"], sqlite_where=unclosed, postgresql_where=unclosed
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("purpose_scopes")

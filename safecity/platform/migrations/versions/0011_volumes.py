"""Which volume holds a segment, and where its pictures came from."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what is there was recorded here, and its volume is looked for."""
    op.add_column(
        "segments",
        sa.Column(
            "volume", sa.String(40), nullable=True, comment="Volume it was written to; a hint, null: look for it"
        ),
    )
    op.add_column(
        "segments",
        sa.Column(
            "origin",
            sa.String(10),
            nullable=False,
            server_default="recorded",
            comment="Where its pictures came from: recorded, edge, card; the last two are recovered",
        ),
    )
    op.create_index("ix_segments_volume", "segments", ["volume", "started_at"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_segments_volume", "segments")
    op.drop_column("segments", "origin")
    op.drop_column("segments", "volume")

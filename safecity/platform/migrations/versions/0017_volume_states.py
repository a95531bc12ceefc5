"""How well each recording directory is."""

import sqlalchemy as sa
from alembic import op

from safecity.platform.database import UtcInstant

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "volumes",
        sa.Column("id", sa.String(40), nullable=False, comment="As its marker file says"),
        sa.Column("directory", sa.String(4096), nullable=False, comment="Where it is mounted"),
        sa.Column("is_recorded_on", sa.Boolean, nullable=False, comment="False: kept and deleted, no longer written"),
        sa.Column("state", sa.String(12), nullable=False, comment="ok, filling, full, read_only, failing, slow, gone"),
        sa.Column("since", UtcInstant, nullable=False, comment="Since when it is in this state"),
        sa.Column("free_bytes", sa.BigInteger, nullable=False, comment="Room of its file system, as last seen"),
        sa.Column("total_bytes", sa.BigInteger, nullable=False, comment="Size of its file system"),
        sa.Column("used_bytes", sa.BigInteger, nullable=False, comment="Recordings on it"),
        sa.Column("held_bytes", sa.BigInteger, nullable=False, comment="Of these, those that must not be deleted"),
        sa.Column("write_bps", sa.BigInteger, nullable=False, comment="Bits a second recorded on it lately"),
        sa.Column("hours_left", sa.Float, nullable=True, comment="Until the reserve is reached, were nothing deleted"),
        sa.Column("is_held_full", sa.Boolean, nullable=False, comment="Held recordings leave less than a day of room"),
        sa.Column("seen_at", UtcInstant, nullable=False, comment="When this was written"),
        sa.PrimaryKeyConstraint("id", name="pk_volumes"),
        comment="Recording directories, one row each, rewritten by the keeper every few seconds",
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("volumes")

"""Exported clips."""

import sqlalchemy as sa
from alembic import op

from safecity.platform.database import UtcInstant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of exports."""
    op.create_table(
        "video_exports",
        sa.Column("id", sa.String(40), nullable=False, comment="exp_..., also the name of its folder"),
        sa.Column("camera", sa.String(64), nullable=False, comment="Camera id"),
        sa.Column("stream", sa.String(8), nullable=False, comment="main or sub"),
        sa.Column("from_at", UtcInstant, nullable=False, comment="Start that was asked for"),
        sa.Column("to_at", UtcInstant, nullable=False, comment="End that was asked for"),
        sa.Column("first_at", UtcInstant, nullable=False, comment="First shown picture: the key frame at or before it"),
        sa.Column("end_at", UtcInstant, nullable=False, comment="End of the last picture"),
        sa.Column("reason", sa.String(500), nullable=False, comment="Why, in the exporter's words"),
        sa.Column("made_by", sa.String(64), nullable=False, comment="User id"),
        sa.Column("made_at", UtcInstant, nullable=False, comment="When the files were durable"),
        sa.Column("expires_at", UtcInstant, nullable=False, comment="When the files are deleted"),
        sa.Column("deleted_at", UtcInstant, nullable=True, comment="When they were"),
        sa.Column("size_bytes", sa.BigInteger, nullable=False, comment="Size of the clip"),
        sa.Column("sha256", sa.String(64), nullable=False, comment="Of the clip, hex"),
        sa.Column(
            "sheet_sha256", sa.String(64), nullable=False, comment="Of the hash sheet, hex; also in the log's leaf"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_video_exports"),
        comment="Clips that were exported, with the time at which their files go",
    )
    op.create_index("ix_video_exports_expires_at", "video_exports", ["expires_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("video_exports")

"""Scenes, counts and analysers."""

import sqlalchemy as sa
from alembic import op

from safecity.platform.database import Json, UtcInstant

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of the analytics room."""
    op.create_table(
        "scenes",
        sa.Column("camera", sa.String(64), nullable=False, comment="Camera id"),
        sa.Column("width_px", sa.Integer, nullable=False, comment="Width of the picture it was drawn on"),
        sa.Column("height_px", sa.Integer, nullable=False, comment="Height of the picture it was drawn on"),
        sa.Column("scene", Json, nullable=False, comment="Lines, zones and rules, as in a scene file"),
        sa.Column("version", sa.Integer, nullable=False, comment="Rises by one with each change"),
        sa.Column("changed_at", UtcInstant, nullable=False, comment="When it was drawn"),
        sa.Column(
            "changed_by", sa.String(100), nullable=True, comment="Sign-in name of who drew it; null: command line"
        ),
        sa.PrimaryKeyConstraint("camera", name="pk_scenes"),
        comment="What is drawn on each camera's picture",
    )
    op.create_table(
        "line_counts",
        sa.Column("camera", sa.String(64), nullable=False, comment="Camera id"),
        sa.Column("line", sa.String(80), nullable=False, comment="Name of the line in the camera's scene"),
        sa.Column("from_at", UtcInstant, nullable=False, comment="Start of the interval, on the recordings' line"),
        sa.Column("to_at", UtcInstant, nullable=False, comment="End of the interval"),
        sa.Column("forward", Json, nullable=False, comment="Class to number, in the line's direction"),
        sa.Column("backward", Json, nullable=False, comment="Class to number, against it"),
        sa.Column("model", sa.String(100), nullable=False, comment="Which detector counted; motion without one"),
        sa.PrimaryKeyConstraint("camera", "line", "from_at", name="pk_line_counts"),
        comment="What crossed counting lines, a row a minute where something did",
    )
    op.create_table(
        "analyser_status",
        sa.Column("slot", sa.String(100), nullable=False, comment="Analyser slot"),
        sa.Column("pid", sa.Integer, nullable=False, comment="Process that wrote this row"),
        sa.Column("started_at", UtcInstant, nullable=False, comment="When that process began"),
        sa.Column("seen_at", UtcInstant, nullable=False, comment="Heartbeat"),
        sa.Column("status", Json, nullable=False, comment="Counters for the health page"),
        sa.PrimaryKeyConstraint("slot", name="pk_analyser_status"),
        comment="One row an analyser, rewritten every two seconds",
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("analyser_status", "line_counts", "scenes"):
        op.drop_table(table)

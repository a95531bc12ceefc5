"""Segments, outages, recorder status and how far retention has deleted."""

import sqlalchemy as sa
from alembic import op

from safecity.platform.database import Json, UtcInstant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of the video room."""
    op.create_table(
        "segments",
        sa.Column("camera", sa.String(64), nullable=False, comment="Camera id"),
        sa.Column("stream", sa.String(8), nullable=False, comment="main or sub"),
        sa.Column("started_at", UtcInstant, nullable=False, comment="Its first picture, on this server's time line"),
        sa.Column(
            "durable_until", UtcInstant, nullable=False, comment="End of the last fragment known to be on the disk"
        ),
        sa.Column("state", sa.String(10), nullable=False, comment="open, closed, deleting"),
        sa.Column("path", sa.String(255), nullable=False, comment="File below the media folder"),
        sa.Column("session", sa.String(40), nullable=False, comment="Reader session whose media ticks it holds"),
        sa.Column("size_bytes", sa.BigInteger, nullable=False, comment="Durable bytes of the file"),
        sa.Column("fragments", sa.Integer, nullable=False, comment="Fragments, without the init segment"),
        sa.Column("codec", sa.String(8), nullable=False, comment="h264 or hevc"),
        sa.Column("codec_string", sa.String(40), nullable=False, comment="RFC 6381, such as avc1.42E01F"),
        sa.Column("width_px", sa.Integer, nullable=False, comment="Picture width"),
        sa.Column("height_px", sa.Integer, nullable=False, comment="Picture height"),
        sa.Column(
            "rate_ppb", sa.BigInteger, nullable=False, comment="Our time runs (1 + this / 1e9) as fast as its ticks"
        ),
        sa.Column(
            "line_error_us", sa.BigInteger, nullable=False, comment="Start less the best estimate at that moment"
        ),
        sa.Column(
            "camera_offset_us", sa.BigInteger, nullable=True, comment="The camera's claimed time less ours; evidence"
        ),
        sa.Column("root", sa.String(64), nullable=True, comment="Merkle root over init and fragments; null while open"),
        sa.Column("previous_root", sa.String(64), nullable=True, comment="Root of the stream's segment before"),
        sa.Column("is_held", sa.Boolean, nullable=False, comment="Never deleted while true"),
        sa.Column("writer", sa.String(100), nullable=False, comment="Recorder slot that wrote it"),
        sa.PrimaryKeyConstraint("camera", "stream", "started_at", name="pk_segments"),
        sqlite_with_rowid=False,
        comment="Files of recorded video, about a minute each; those of one stream never overlap",
    )
    op.create_index("ix_segments_started_at", "segments", ["started_at"])
    op.create_index("ix_segments_state", "segments", ["state"])
    op.create_table(
        "outages",
        sa.Column("id", sa.String(64), nullable=False, comment="Made from stream and start"),
        sa.Column("camera", sa.String(64), nullable=False, comment="Camera id"),
        sa.Column("stream", sa.String(8), nullable=False, comment="main or sub"),
        sa.Column("from_at", UtcInstant, nullable=False, comment="First instant not recorded"),
        sa.Column("to_at", UtcInstant, nullable=True, comment="First instant recorded again; null while it lasts"),
        sa.Column(
            "cause", sa.String(16), nullable=False, comment="camera, link, credentials, power, recorder, disk, policy"
        ),
        sa.Column("detail", sa.String(64), nullable=False, comment="Stable word for what was seen, such as refused"),
        sa.PrimaryKeyConstraint("id", name="pk_outages"),
        comment="Intervals in which a stream was not recorded, and why",
    )
    op.create_index("ix_outages_camera_stream_from_at", "outages", ["camera", "stream", "from_at"])
    op.create_table(
        "recorder_status",
        sa.Column("slot", sa.String(100), nullable=False, comment="Recorder slot"),
        sa.Column("pid", sa.Integer, nullable=False, comment="Process that wrote this row"),
        sa.Column("started_at", UtcInstant, nullable=False, comment="When that process began"),
        sa.Column("seen_at", UtcInstant, nullable=False, comment="Heartbeat"),
        sa.Column("status", Json, nullable=False, comment="Counters for the health page"),
        sa.PrimaryKeyConstraint("slot", name="pk_recorder_status"),
        comment="One row a recorder, rewritten each second",
    )
    op.create_table(
        "deletions",
        sa.Column("camera", sa.String(64), nullable=False, comment="Camera id"),
        sa.Column("stream", sa.String(8), nullable=False, comment="main or sub"),
        sa.Column("deleted_until", UtcInstant, nullable=False, comment="End of the newest segment deleted by policy"),
        sa.PrimaryKeyConstraint("camera", "stream", name="pk_deletions"),
        comment="How far retention has deleted each stream, so that what it took is not called a loss",
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("deletions", "recorder_status", "outages", "segments"):
        op.drop_table(table)

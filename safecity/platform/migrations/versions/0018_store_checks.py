"""Totals by day, what checks of the store found, and the ledger of closed days."""

import sqlalchemy as sa
from alembic import op

from safecity.platform.database import Json, UtcInstant

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

NOT_CLOSED = sa.text("state <> 'closed'")


def upgrade() -> None:
    """Create the tables, count what is there, and index states only where they are rare."""
    op.drop_index("ix_segments_state", "segments")
    op.create_index("ix_segments_state", "segments", ["state"], sqlite_where=NOT_CLOSED, postgresql_where=NOT_CLOSED)
    _create_stream_days()
    _create_checks()
    _create_ledger_days()


def _create_stream_days() -> None:
    op.create_table(
        "stream_days",
        sa.Column("camera", sa.String(64), nullable=False, comment="Camera id"),
        sa.Column("stream", sa.String(8), nullable=False, comment="main or sub"),
        sa.Column("day", sa.Date, nullable=False, comment="UTC day in which the segments start"),
        sa.Column(
            "volume", sa.String(40), nullable=False, comment="Volume they are on by their rows; empty: not known"
        ),
        sa.Column("segments", sa.Integer, nullable=False, comment="Closed segments"),
        sa.Column("size_bytes", sa.BigInteger, nullable=False, comment="Their bytes"),
        sa.Column("recorded_us", sa.BigInteger, nullable=False, comment="Their length in microseconds"),
        sa.PrimaryKeyConstraint("camera", "stream", "day", "volume", name="pk_stream_days"),
        comment="Running totals of the closed segments, so that nobody counts sixty million rows",
    )
    # UTC days by whole division; both databases can make a date of them in their own way.
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    second = "started_at / 1000000"
    day = f"date({second}, 'unixepoch')" if is_sqlite else f"(timestamp 'epoch' + {second} * interval '1 second')::date"
    op.execute(
        "INSERT INTO stream_days (camera, stream, day, volume, segments, size_bytes, recorded_us) "  # noqa: S608
        f"SELECT camera, stream, {day}, coalesce(volume, ''), count(*), sum(size_bytes), "
        f"sum(durable_until - started_at) FROM segments WHERE state = 'closed' "
        f"GROUP BY camera, stream, {day}, coalesce(volume, '')"
    )


def _create_checks() -> None:
    op.create_table(
        "store_checks",
        sa.Column("camera", sa.String(64), nullable=False, comment="Camera id"),
        sa.Column("stream", sa.String(8), nullable=False, comment="main or sub"),
        sa.Column("day", sa.Date, nullable=False, comment="UTC day in which the segments start"),
        sa.Column("checked_until", UtcInstant, nullable=True, comment="Start of the last segment of a check under way"),
        sa.Column("checked_at", UtcInstant, nullable=True, comment="When the whole day was last checked; null: never"),
        sa.Column("segments", sa.Integer, nullable=False, comment="Segments checked in the last or the running check"),
        sa.Column("read_bytes", sa.BigInteger, nullable=False, comment="Bytes read and hashed in it"),
        sa.PrimaryKeyConstraint("camera", "stream", "day", name="pk_store_checks"),
        comment="How far the recordings' files were verified against the index, by stream and day",
    )
    op.create_table(
        "store_findings",
        sa.Column("id", sa.String(64), nullable=False, comment="Made from what was found and where"),
        sa.Column("camera", sa.String(64), nullable=False, comment="Camera id"),
        sa.Column("stream", sa.String(8), nullable=False, comment="main or sub"),
        sa.Column("at", UtcInstant, nullable=False, comment="Start of the segment or of the hole"),
        sa.Column("path", sa.String(255), nullable=True, comment="File below its volume, where one is concerned"),
        sa.Column(
            "kind", sa.String(16), nullable=False, comment="missing, root, torn, chain, hole, ...: see file_verify.py"
        ),
        sa.Column("detail", sa.String(255), nullable=False, comment="What was found, in words"),
        sa.Column("found_at", UtcInstant, nullable=False, comment="When it was first seen"),
        sa.Column("mended_at", UtcInstant, nullable=True, comment="When it was seen to be well again; null: it stands"),
        sa.PrimaryKeyConstraint("id", name="pk_store_findings"),
        comment="What checking the recordings has found",
    )
    op.create_index("ix_store_findings_camera_stream_at", "store_findings", ["camera", "stream", "at"])


def _create_ledger_days() -> None:
    op.create_table(
        "ledger_days",
        sa.Column("day", sa.Date, nullable=False, comment="The city's local day"),
        sa.Column("cameras", sa.Integer, nullable=False, comment="Cameras in use when it was summed up"),
        sa.Column("expected_s", sa.Float(53), nullable=False, comment="Camera-seconds that there should be"),
        sa.Column("recorded_s", sa.Float(53), nullable=False, comment="Recorded when they happened"),
        sa.Column(
            "recovered_s", sa.Float(53), nullable=False, comment="Filled in later from an edge or a camera's card"
        ),
        sa.Column("missing_s", Json, nullable=False, comment="Missing, by cause"),
        sa.Column("unexplained_s", sa.Float(53), nullable=False, comment="Missing and nobody knows why"),
        sa.Column("summed_at", UtcInstant, nullable=False, comment="When this was reckoned"),
        sa.PrimaryKeyConstraint("day", name="pk_ledger_days"),
        comment="The gap ledger of closed days; it outlives the recordings themselves",
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("ledger_days", "store_findings", "store_checks", "stream_days"):
        op.drop_table(table)
    op.drop_index("ix_segments_state", "segments")
    op.create_index("ix_segments_state", "segments", ["state"])

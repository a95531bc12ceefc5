"""Second copies: what is where, how the places are, what their drills found."""

import sqlalchemy as sa
from alembic import op

from safecity.platform.database import Json, UtcInstant

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of second copies."""
    op.create_table(
        "copies",
        sa.Column("target", sa.String(40), nullable=False, comment="Name of the place in the settings"),
        sa.Column("camera", sa.String(64), nullable=False, comment="Camera id"),
        sa.Column("stream", sa.String(8), nullable=False, comment="main or sub"),
        sa.Column("started_at", UtcInstant, nullable=False, comment="Start of the segment"),
        sa.Column("durable_until", UtcInstant, nullable=False, comment="End of the segment"),
        sa.Column("key", sa.String(400), nullable=False, comment="Name of the object: path and root"),
        sa.Column("version", sa.String(100), nullable=True, comment="Version of the object, if the place keeps any"),
        sa.Column("root", sa.String(64), nullable=False, comment="Merkle root of the segment that was copied"),
        sa.Column("size_bytes", sa.BigInteger, nullable=False, comment="Size of the object"),
        sa.Column("state", sa.String(10), nullable=False, comment="copied, bad, deleting"),
        sa.Column("protection", sa.String(8), nullable=False, comment="none, purpose, held: when it was copied"),
        sa.Column("is_held", sa.Boolean, nullable=False, comment="A legal hold stands on the object itself"),
        sa.Column("copied_at", UtcInstant, nullable=False, comment="When the object was durable and compared"),
        sa.Column("lag_s", sa.Float, nullable=True, comment="From when it was due; null: it was found in the place"),
        sa.Column("verified_at", UtcInstant, nullable=True, comment="When it was last fetched back and found right"),
        sa.PrimaryKeyConstraint("target", "camera", "stream", "started_at", name="pk_copies"),
        sqlite_with_rowid=False,
        comment="Second copies of segments, one row a place and segment",
    )
    op.create_index("ix_copies_segment", "copies", ["camera", "stream", "started_at"])
    op.create_index("ix_copies_target_durable_until", "copies", ["target", "durable_until"])
    op.create_index("ix_copies_target_copied_at", "copies", ["target", "copied_at"])
    op.create_index("ix_copies_target_state", "copies", ["target", "state"])
    _create_places()


def _create_places() -> None:
    op.create_table(
        "copy_targets",
        sa.Column("name", sa.String(40), nullable=False, comment="Name of the place in the settings"),
        sa.Column("first_at", UtcInstant, nullable=False, comment="Since when copies go there; none was due before"),
        sa.Column("seen_at", UtcInstant, nullable=False, comment="Heartbeat of its copier"),
        sa.Column("state", sa.String(10), nullable=False, comment="current, behind, away, refused, full"),
        sa.Column("since", UtcInstant, nullable=False, comment="Since when it is so"),
        sa.Column("detail", sa.String(64), nullable=False, comment="Stable word for what was seen, or empty"),
        sa.Column("status", Json, nullable=False, comment="What waits, how late copies are, how fast they go"),
        sa.PrimaryKeyConstraint("name", name="pk_copy_targets"),
        comment="Places of second copies, rewritten every two seconds",
    )
    op.create_table(
        "copy_drills",
        sa.Column("id", sa.String(40), nullable=False, comment="drill_..."),
        sa.Column("target", sa.String(40), nullable=False, comment="Name of the place"),
        sa.Column("began_at", UtcInstant, nullable=False, comment="When it began"),
        sa.Column("ended_at", UtcInstant, nullable=False, comment="When it ended"),
        sa.Column("is_standing", sa.Boolean, nullable=False, comment="The daily one, not one by hand"),
        sa.Column("tried", sa.Integer, nullable=False, comment="Copies that were chosen"),
        sa.Column("good", sa.Integer, nullable=False, comment="Fetched back whole, byte by byte what was recorded"),
        sa.Column("bad", sa.Integer, nullable=False, comment="Not there, or not what was recorded"),
        sa.Column("unreached", sa.Integer, nullable=False, comment="Not tried to the end: the place did not answer"),
        sa.Column("size_bytes", sa.BigInteger, nullable=False, comment="Bytes fetched"),
        sa.Column("findings", Json, nullable=False, comment="What was bad: camera, stream, start, key, flaw"),
        sa.PrimaryKeyConstraint("id", name="pk_copy_drills"),
        comment="Restore drills: random copies fetched back and compared",
    )
    op.create_index("ix_copy_drills_target_ended_at", "copy_drills", ["target", "ended_at"])


def downgrade() -> None:
    """Drop them."""
    for table in ("copy_drills", "copy_targets", "copies"):
        op.drop_table(table)

"""Cameras as ONVIF devices."""

import sqlalchemy as sa
from alembic import op

from safecity.platform.database import Json, UtcInstant

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "camera_devices",
        sa.Column("camera_id", sa.String(60), nullable=False, comment="Which camera it is"),
        sa.Column(
            "address", sa.Text, nullable=False, comment="Address of its ONVIF device service, without any secret"
        ),
        sa.Column("manufacturer", sa.String(80), nullable=False, comment="As it says; empty if not"),
        sa.Column("model", sa.String(80), nullable=False, comment="As it says; empty if not"),
        sa.Column("serial", sa.String(80), nullable=False, comment="As it says; empty if not"),
        sa.Column(
            "mac", sa.String(20), nullable=False, comment="Hardware address of its first interface; empty if unknown"
        ),
        sa.Column("firmware", sa.String(80), nullable=False, comment="Version of its firmware, as it says"),
        sa.Column("firmware_date", sa.Date, comment="Day its firmware was built, where the version tells it"),
        sa.Column("firmware_since", UtcInstant, nullable=False, comment="When this firmware was first seen on it"),
        sa.Column(
            "profile", sa.String(256), nullable=False, comment="Token of the media profile through which it turns"
        ),
        sa.Column("has_ptz", sa.Boolean, nullable=False, comment="Whether it turns"),
        sa.Column("zoom_times", sa.Double, nullable=False, comment="How much its lens magnifies at most"),
        sa.Column("wide_fov_deg", sa.Double, nullable=False, comment="Width of its picture without zoom, degrees"),
        sa.Column(
            "clock_offset_s", sa.Double, comment="Its clock less ours when last seen; empty where it tells no time"
        ),
        sa.Column("findings", Json, nullable=False, comment="What is wrong with it, as words: old_firmware, ..."),
        sa.Column(
            "pending", sa.LargeBinary, comment="A sign-in that is being given to it, sealed; empty when all is done"
        ),
        sa.Column("seen_at", UtcInstant, nullable=False, comment="When it was last asked"),
        sa.Column("steered_by", sa.String(60), comment="User that steers it now"),
        sa.Column("steered_until", UtcInstant, comment="Until when nobody else may"),
        sa.PrimaryKeyConstraint("camera_id", name="pk_camera_devices"),
        sa.ForeignKeyConstraint(["camera_id"], ["cameras.id"], name="fk_camera_devices_camera_id_cameras"),
        comment="Cameras as ONVIF devices",
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("camera_devices")

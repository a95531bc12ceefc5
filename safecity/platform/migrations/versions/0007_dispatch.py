"""Units and assignments."""

import sqlalchemy as sa
from alembic import op

from safecity.platform.database import UtcInstant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "units",
        sa.Column("id", sa.String(64), nullable=False, comment="unit_ and the call sign in lower case"),
        sa.Column("code", sa.String(40), nullable=False, comment="Call sign"),
        sa.Column("kind", sa.String(10), nullable=False, comment="police, traffic, ambulance, fire"),
        sa.Column("name", sa.String(120), nullable=False, comment="Name for people"),
        sa.Column("name_ur", sa.String(120), nullable=False, comment="The same in Urdu; may be empty"),
        sa.Column("lon", sa.Float, nullable=False, comment="Longitude of the last fix, WGS84 degrees"),
        sa.Column("lat", sa.Float, nullable=False, comment="Latitude of the last fix, WGS84 degrees"),
        sa.Column("fix_at", UtcInstant, nullable=False, comment="When that position was true"),
        sa.Column("status", sa.String(10), nullable=False, comment="free, sent, en_route, on_scene, off_duty"),
        sa.Column("incident", sa.String(64), nullable=True, comment="Incident that it is on; null when on none"),
        sa.Column("assignment", sa.String(64), nullable=True, comment="Its assignment there; null when on none"),
        sa.Column("version", sa.Integer, nullable=False, comment="Rises by one with each stated change"),
        sa.PrimaryKeyConstraint("id", name="pk_units"),
        sa.UniqueConstraint("code", name="uq_units_code"),
        comment="Units that can be sent, with their last known position; earlier positions are not kept",
    )
    op.create_table(
        "assignments",
        sa.Column("id", sa.String(64), nullable=False, comment="asg_..."),
        sa.Column("unit", sa.String(64), nullable=False, comment="Unit id"),
        sa.Column("incident", sa.String(64), nullable=False, comment="Incident id"),
        sa.Column("state", sa.String(10), nullable=False, comment="sent, en_route, on_scene, cleared, cancelled"),
        sa.Column("lon", sa.Float, nullable=False, comment="Longitude of where it was sent to, WGS84 degrees"),
        sa.Column("lat", sa.Float, nullable=False, comment="Latitude of where it was sent to, WGS84 degrees"),
        sa.Column("distance_m", sa.Float, nullable=False, comment="Straight line to it when sent"),
        sa.Column("sent_at", UtcInstant, nullable=False, comment="When it was sent"),
        sa.Column("sent_by", sa.String(64), nullable=False, comment="User id of who sent it"),
        sa.Column("sent_by_name", sa.String(200), nullable=False, comment="Their name then"),
        sa.Column("en_route_at", UtcInstant, nullable=True, comment="When it set off"),
        sa.Column("on_scene_at", UtcInstant, nullable=True, comment="When it arrived"),
        sa.Column("ended_at", UtcInstant, nullable=True, comment="When it was cleared or called back; null until then"),
        sa.ForeignKeyConstraint(["unit"], ["units.id"], name="fk_assignments_unit_units"),
        sa.PrimaryKeyConstraint("id", name="pk_assignments"),
        comment="Which unit was sent to which incident, and how far it got",
    )
    op.create_index("ix_assignments_incident", "assignments", ["incident"])
    running = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_assignments_running", "assignments", ["unit"], unique=True, sqlite_where=running, postgresql_where=running
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("assignments")
    op.drop_table("units")

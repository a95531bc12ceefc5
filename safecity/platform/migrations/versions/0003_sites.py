"""The registry of sites and cameras, the map, and the last report on each camera."""

import sqlalchemy as sa
from alembic import op

from safecity.platform.database import Json, UtcInstant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of the sites room."""
    _create_map()
    _create_posts()
    _create_drawings()
    _create_states()


def downgrade() -> None:
    """Drop them."""
    for table in ("camera_states", "lines", "zones", "cameras", "gates", "sites", "places", "roads", "districts"):
        op.drop_table(table)
    op.drop_table("cities")


def _named(table: str, what: str, *columns: sa.schema.SchemaItem, comment: str) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.String(60), nullable=False, comment=f"Made from the code of the {what}"),
        sa.Column("code", sa.String(40), nullable=False, comment="The city's own short name, as written in its file"),
        sa.Column("name", sa.String(200), nullable=False, comment="Name in English"),
        sa.Column("name_ur", sa.String(200), nullable=False, comment="Name in Urdu, or the English one"),
        *columns,
        sa.Column("changed_at", UtcInstant, nullable=False, comment="When an import last added or changed this row"),
        sa.Column("retired_at", UtcInstant, comment="When it went out of use; empty while in use"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        comment=comment,
    )


def _position(what: str) -> tuple[sa.Column[float], sa.Column[float]]:
    return (
        sa.Column("lon", sa.Double, nullable=False, comment=f"WGS84 longitude of the {what}, degrees"),
        sa.Column("lat", sa.Double, nullable=False, comment=f"WGS84 latitude of the {what}, degrees"),
    )


def _create_map() -> None:
    _named(
        "cities",
        "city; only one is in use",
        *_position("first view of the map"),
        sa.Column("note", sa.String(1000), nullable=False, comment="What must be said on the map, as invented roads"),
        sa.Column("note_ur", sa.String(1000), nullable=False, comment="The same in Urdu"),
        comment="What the city is called and where its map opens",
    )
    _named(
        "districts",
        "district",
        sa.Column("points", Json, nullable=False, comment="Border: [[lon, lat], ...] in degrees, not closed"),
        comment="Parts of the city",
    )
    _named(
        "roads",
        "road",
        sa.Column("road_class", sa.String(20), nullable=False, comment="highway, ring, arterial, collector or street"),
        sa.Column("points", Json, nullable=False, comment="Course: [[lon, lat], ...] in degrees"),
        comment="The road net under the map",
    )
    _named(
        "places",
        "place",
        sa.Column("kind", sa.String(20), nullable=False, comment="police or hospital"),
        *_position("place"),
        comment="Police stations and hospitals",
    )


def _create_posts() -> None:
    _named(
        "sites",
        "site",
        *_position("site"),
        sa.Column("district_id", sa.String(60), comment="The district it lies in"),
        sa.ForeignKeyConstraint(["district_id"], ["districts.id"], name="fk_sites_district_id_districts"),
        comment="Poles and groups of poles",
    )
    _named("gates", "gate", *_position("gate"), comment="Approaches to the city")
    _named(
        "cameras",
        "camera",
        sa.Column("site_id", sa.String(60), nullable=False, comment="The site it stands at"),
        *_position("camera"),
        sa.Column("bearing_deg", sa.Double, comment="Where it looks, degrees clockwise from north; empty if not known"),
        sa.Column("fov_deg", sa.Double, comment="Width of its view in degrees; empty if not known"),
        sa.Column("range_m", sa.Double, comment="How far it is of use in metres; empty if not known"),
        sa.Column("gate_id", sa.String(60), comment="The gate it watches"),
        sa.Column("main_url", sa.Text, nullable=False, comment="Address of the main stream, without any secret"),
        sa.Column("sub_url", sa.Text, comment="Address of the smaller stream, without any secret"),
        sa.Column("credentials", sa.LargeBinary, comment="User, password and secret addresses, sealed to the id"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_cameras_site_id_sites"),
        sa.ForeignKeyConstraint(["gate_id"], ["gates.id"], name="fk_cameras_gate_id_gates"),
        comment="Cameras and where their streams are",
    )
    op.create_index("ix_cameras_site_id", "cameras", ["site_id"])


def _create_drawings() -> None:
    for table, what, comment in (
        ("zones", "zone", "Areas on the map or on a camera's picture"),
        ("lines", "line", "Lines that things cross, on the map or on a camera's picture"),
    ):
        _named(
            table,
            what,
            sa.Column("points", Json, comment="On the map: [[lon, lat], ...] in degrees; empty when on a picture"),
            sa.Column("camera_id", sa.String(60), comment="On whose picture it is drawn"),
            sa.Column("picture_width_px", sa.Integer, comment="Width of the picture it was drawn on"),
            sa.Column("picture_height_px", sa.Integer, comment="Height of the picture it was drawn on"),
            sa.Column("points_px", Json, comment="On the picture: [[x, y], ...] in pixels from the top left"),
            sa.ForeignKeyConstraint(["camera_id"], ["cameras.id"], name=f"fk_{table}_camera_id_cameras"),
            comment=comment,
        )
        op.create_index(f"ix_{table}_camera_id", table, ["camera_id"])


def _create_states() -> None:
    op.create_table(
        "camera_states",
        sa.Column("camera_id", sa.String(60), nullable=False, comment="Which camera it is about"),
        sa.Column("state", sa.String(20), nullable=False, comment="live, stalled, offline or unknown, as last stated"),
        sa.Column("since", UtcInstant, nullable=False, comment="When that state began"),
        sa.Column("cause", sa.String(20), comment="Where to look: camera, link, credentials, recorder; empty if live"),
        sa.Column("last_frame_at", UtcInstant, comment="When the last frame of the main stream arrived"),
        sa.Column("bitrate_bps", sa.BigInteger, comment="Bits a second of the main stream, lately"),
        sa.Column("fps", sa.Double, comment="Frames a second of the main stream, lately"),
        sa.Column("reported_by", sa.String(100), nullable=False, comment="Slot of the recorder that said so"),
        sa.Column("reported_at", UtcInstant, nullable=False, comment="When it said so, by its clock"),
        sa.Column("valid_until", UtcInstant, nullable=False, comment="Until when its word stands; after it, unknown"),
        sa.Column(
            "changes", sa.BigInteger, nullable=False, comment="Facts stated of this camera so far; part of their ids"
        ),
        sa.PrimaryKeyConstraint("camera_id", name="pk_camera_states"),
        sa.ForeignKeyConstraint(["camera_id"], ["cameras.id"], name="fk_camera_states_camera_id_cameras"),
        comment="The last report on each camera",
    )

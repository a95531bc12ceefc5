"""The tables of the room. Nothing is deleted from them: what is gone from the city gets `retired_at`."""

import sqlalchemy as sa

from safecity.platform.database import Json, UtcInstant, metadata


def _named(table: str, what: str, *columns: sa.schema.SchemaItem, comment: str) -> sa.Table:
    """A table with what every registered thing has: its id, code and names, and when it changed or was retired."""
    return sa.Table(
        table,
        metadata,
        sa.Column("id", sa.String(60), primary_key=True, comment=f"Made from the code of the {what}"),
        sa.Column("code", sa.String(40), nullable=False, comment="The city's own short name, as written in its file"),
        sa.Column("name", sa.String(200), nullable=False, comment="Name in English"),
        sa.Column("name_ur", sa.String(200), nullable=False, comment="Name in Urdu, or the English one"),
        *columns,
        sa.Column("changed_at", UtcInstant, nullable=False, comment="When an import last added or changed this row"),
        sa.Column("retired_at", UtcInstant, comment="When it went out of use; empty while in use"),
        comment=comment,
    )


def _lon(*, what: str) -> sa.Column[float]:
    return sa.Column("lon", sa.Double, nullable=False, comment=f"WGS84 longitude of the {what}, degrees")


def _lat(*, what: str) -> sa.Column[float]:
    return sa.Column("lat", sa.Double, nullable=False, comment=f"WGS84 latitude of the {what}, degrees")


def _drawn() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("points", Json, comment="On the map: [[lon, lat], ...] in degrees; empty when on a picture"),
        sa.Column(
            "camera_id", sa.String(60), sa.ForeignKey("cameras.id"), index=True, comment="On whose picture it is drawn"
        ),
        sa.Column("picture_width_px", sa.Integer, comment="Width of the picture it was drawn on"),
        sa.Column("picture_height_px", sa.Integer, comment="Height of the picture it was drawn on"),
        sa.Column("points_px", Json, comment="On the picture: [[x, y], ...] in pixels from the top left"),
    ]


cities = _named(
    "cities",
    "city; only one is in use",
    _lon(what="first view of the map"),
    _lat(what="first view of the map"),
    sa.Column("note", sa.String(1000), nullable=False, comment="What must be said on the map, as invented roads"),
    sa.Column("note_ur", sa.String(1000), nullable=False, comment="The same in Urdu"),
    comment="What the city is called and where its map opens",
)
districts = _named(
    "districts",
    "district",
    sa.Column("points", Json, nullable=False, comment="Border: [[lon, lat], ...] in degrees, not closed"),
    comment="Parts of the city",
)
sites = _named(
    "sites",
    "site",
    _lon(what="site"),
    _lat(what="site"),
    sa.Column("district_id", sa.String(60), sa.ForeignKey("districts.id"), comment="The district it lies in"),
    comment="Poles and groups of poles",
)
gates = _named("gates", "gate", _lon(what="gate"), _lat(what="gate"), comment="Approaches to the city")
cameras = _named(
    "cameras",
    "camera",
    sa.Column(
        "site_id", sa.String(60), sa.ForeignKey("sites.id"), nullable=False, index=True, comment="The site it stands at"
    ),
    _lon(what="camera"),
    _lat(what="camera"),
    sa.Column("bearing_deg", sa.Double, comment="Where it looks, degrees clockwise from north; empty if not known"),
    sa.Column("fov_deg", sa.Double, comment="Width of its view in degrees; empty if not known"),
    sa.Column("range_m", sa.Double, comment="How far it is of use in metres; empty if not known"),
    sa.Column("gate_id", sa.String(60), sa.ForeignKey("gates.id"), comment="The gate it watches"),
    sa.Column("main_url", sa.Text, nullable=False, comment="Address of the main stream, without any secret"),
    sa.Column("sub_url", sa.Text, comment="Address of the smaller stream, without any secret"),
    sa.Column(
        "reader", sa.String(10), nullable=False, server_default="auto", comment="Who reads it: auto, own or pyav"
    ),
    sa.Column(
        "transport", sa.String(10), nullable=False, server_default="auto", comment="RTSP transport: auto, tcp or udp"
    ),
    sa.Column(
        "recorded", sa.String(10), nullable=False, server_default="main", comment="Streams to record: main or both"
    ),
    sa.Column("credentials", sa.LargeBinary, comment="User, password and secret addresses, sealed to the id"),
    comment="Cameras and where their streams are",
)
zones = _named("zones", "zone", *_drawn(), comment="Areas on the map or on a camera's picture")
lines = _named("lines", "line", *_drawn(), comment="Lines that things cross, on the map or on a camera's picture")
roads = _named(
    "roads",
    "road",
    sa.Column("road_class", sa.String(20), nullable=False, comment="highway, ring, arterial, collector or street"),
    sa.Column("points", Json, nullable=False, comment="Course: [[lon, lat], ...] in degrees"),
    comment="The road net under the map",
)
places = _named(
    "places",
    "place",
    sa.Column("kind", sa.String(20), nullable=False, comment="police or hospital"),
    _lon(what="place"),
    _lat(what="place"),
    comment="Police stations and hospitals",
)
camera_states = sa.Table(
    "camera_states",
    metadata,
    sa.Column(
        "camera_id", sa.String(60), sa.ForeignKey("cameras.id"), primary_key=True, comment="Which camera it is about"
    ),
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
    comment="The last report on each camera",
)

"""What is known of each camera as a device, and who steers it now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, RowMapping

from safecity.platform.database import Json, UtcInstant, metadata
from safecity.sites.model import CameraId

camera_devices = sa.Table(
    "camera_devices",
    metadata,
    sa.Column("camera_id", sa.String(60), sa.ForeignKey("cameras.id"), primary_key=True, comment="Which camera it is"),
    sa.Column("address", sa.Text, nullable=False, comment="Address of its ONVIF device service, without any secret"),
    sa.Column("manufacturer", sa.String(80), nullable=False, comment="As it says; empty if not"),
    sa.Column("model", sa.String(80), nullable=False, comment="As it says; empty if not"),
    sa.Column("serial", sa.String(80), nullable=False, comment="As it says; empty if not"),
    sa.Column(
        "mac", sa.String(20), nullable=False, comment="Hardware address of its first interface; empty if unknown"
    ),
    sa.Column("firmware", sa.String(80), nullable=False, comment="Version of its firmware, as it says"),
    sa.Column("firmware_date", sa.Date, comment="Day its firmware was built, where the version tells it"),
    sa.Column("firmware_since", UtcInstant, nullable=False, comment="When this firmware was first seen on it"),
    sa.Column("profile", sa.String(256), nullable=False, comment="Token of the media profile through which it turns"),
    sa.Column("has_ptz", sa.Boolean, nullable=False, comment="Whether it turns"),
    sa.Column("zoom_times", sa.Double, nullable=False, comment="How much its lens magnifies at most"),
    sa.Column("wide_fov_deg", sa.Double, nullable=False, comment="Width of its picture without zoom, degrees"),
    sa.Column("clock_offset_s", sa.Double, comment="Its clock less ours when last seen; empty where it tells no time"),
    sa.Column("findings", Json, nullable=False, comment="What is wrong with it, as words: old_firmware, ..."),
    sa.Column("pending", sa.LargeBinary, comment="A sign-in that is being given to it, sealed; empty when all is done"),
    sa.Column("seen_at", UtcInstant, nullable=False, comment="When it was last asked"),
    sa.Column("steered_by", sa.String(60), comment="User that steers it now"),
    sa.Column("steered_until", UtcInstant, comment="Until when nobody else may"),
    comment="Cameras as ONVIF devices",
)


class Finding(StrEnum):
    """What is wrong with a camera."""

    OLD_FIRMWARE = "old_firmware"
    DEFAULT_PASSWORD = "default_password"  # noqa: S105 - a word, not a secret
    """The password it came with still works."""
    OPEN = "open_without_password"
    WRONG_CLOCK = "wrong_clock"
    OTHER_ADMINISTRATORS = "other_administrators"
    """It has administrators besides ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraDevice:
    """A row of `camera_devices`."""

    camera: CameraId
    address: str
    manufacturer: str
    model: str
    serial: str
    mac: str
    firmware: str
    firmware_date: date | None
    firmware_since: datetime
    profile: str
    has_ptz: bool
    zoom_times: float
    wide_fov_deg: float
    clock_offset_s: float | None
    findings: tuple[Finding, ...]
    has_pending: bool
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """Who steers a camera, until when nobody else may."""

    user: str
    until: datetime


def find_device(connection: Connection, camera: CameraId) -> CameraDevice | None:
    """What is known of a camera as a device."""
    row = connection.execute(sa.select(camera_devices).where(camera_devices.c.camera_id == camera)).mappings().first()
    return None if row is None else _device(row)


def list_devices(connection: Connection) -> Sequence[CameraDevice]:
    """All cameras that are known as devices."""
    statement = sa.select(camera_devices).order_by(camera_devices.c.camera_id)
    return [_device(row) for row in connection.execute(statement).mappings()]


def put_device(connection: Connection, camera: CameraId, *, values: Mapping[str, object]) -> None:
    """Write what is known of a camera; columns that are not named stay as they are."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(camera_devices).values(camera_id=camera, **values)
    fresh = {name: statement.excluded[name] for name in values}
    connection.execute(statement.on_conflict_do_update(index_elements=["camera_id"], set_=fresh))


def find_pending(connection: Connection, camera: CameraId) -> bytes | None:
    """A sign-in whose change was begun and not finished, sealed."""
    statement = sa.select(camera_devices.c.pending).where(camera_devices.c.camera_id == camera)
    return cast("bytes | None", connection.execute(statement).scalar())


def find_steering(connection: Connection, camera: CameraId, *, now: datetime) -> Steering | None:
    """Who steers a camera now."""
    columns = (camera_devices.c.steered_by, camera_devices.c.steered_until)
    row = connection.execute(sa.select(*columns).where(camera_devices.c.camera_id == camera)).first()
    if row is None or row[0] is None or row[1] is None or row[1] <= now:
        return None
    return Steering(user=row[0], until=row[1])


def steer(connection: Connection, camera: CameraId, *, user: str, now: datetime, until: datetime) -> bool:
    """Take or keep the steering where nobody else has it; in one statement, so that two cannot both."""
    column = camera_devices.c
    is_free = sa.or_(column.steered_by.is_(None), column.steered_by == user, column.steered_until <= now)
    statement = (
        camera_devices.update().where(column.camera_id == camera, is_free).values(steered_by=user, steered_until=until)
    )
    return connection.execute(statement).rowcount == 1


def release(connection: Connection, camera: CameraId) -> None:
    """Nobody steers it."""
    statement = camera_devices.update().where(camera_devices.c.camera_id == camera)
    connection.execute(statement.values(steered_by=None, steered_until=None))


def _device(row: RowMapping) -> CameraDevice:
    return CameraDevice(
        camera=CameraId(row["camera_id"]),
        findings=tuple(Finding(one) for one in row["findings"]),
        has_pending=row["pending"] is not None,
        **{
            name: row[name]
            for name in row
            if name not in ("camera_id", "findings", "pending", "steered_by", "steered_until")
        },
    )

"""Where a recorder finds a camera's streams: the one place where sealed credentials are opened."""

import json
from typing import cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from safecity.platform.errors import DataLoss, NotFound
from safecity.platform.secrets import SecretBox
from safecity.sites.model import (
    CameraId,
    CameraSource,
    Credentials,
    ReaderChoice,
    RecordedStreams,
    TransportChoice,
)
from safecity.sites.streams import join_stream_url
from safecity.sites.tables import cameras

_FIELDS = ("user", "password", "main_url", "sub_url")


def seal_credentials(credentials: Credentials, *, camera: CameraId, box: SecretBox) -> bytes:
    """Credentials as they are stored, bound to their camera."""
    plain = {name: getattr(credentials, name) for name in _FIELDS}
    return box.seal(json.dumps(plain), context=camera)


def open_credentials(sealed: bytes | None, *, camera: CameraId, box: SecretBox) -> Credentials:
    """Stored credentials, empty ones where nothing is stored; raises DataLoss where they cannot be opened."""
    if sealed is None:
        return Credentials()
    plain = cast("dict[str, str | None]", json.loads(box.open(sealed, context=camera)))
    return Credentials(
        user=plain["user"] or "",
        password=plain["password"] or "",
        main_url=plain["main_url"],
        sub_url=plain["sub_url"],
    )


def camera_source(connection: Connection, camera: CameraId, *, box: SecretBox) -> CameraSource:
    """The streams of a camera in use, for its recorder only: never serialise, log or show the result.

    Raises NotFound for a camera that is unknown or retired and DataLoss when its credentials cannot be opened.
    """
    statement = sa.select(cameras).where(cameras.c.id == camera, cameras.c.retired_at.is_(None))
    row = connection.execute(statement).mappings().first()
    if row is None:
        raise NotFound(f"no camera {camera} is in use", code="sites.no_camera")
    try:
        credentials = open_credentials(row["credentials"], camera=camera, box=box)
    except DataLoss as error:
        raise DataLoss(
            f"the sign-in of camera {camera} cannot be opened with this key file; restore the key file, or import "
            "the city file with the sign-in again",
            code="sites.credentials_unreadable",
            camera=camera,
        ) from error
    sub_url = row["sub_url"]
    return CameraSource(
        camera=camera,
        main_url=join_stream_url(row["main_url"], credentials, secret_url=credentials.main_url),
        sub_url=None if sub_url is None else join_stream_url(sub_url, credentials, secret_url=credentials.sub_url),
        reader=ReaderChoice(row["reader"]),
        transport=TransportChoice(row["transport"]),
        recorded=RecordedStreams(row["recorded"]),
    )

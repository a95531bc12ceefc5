"""What a recorder is told to read: each camera's own columns before the settings."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from safecity.platform.secrets import load_secret_box
from safecity.sites.tables import cameras
from safecity.video.claims import Claims
from safecity.video.model import Stream
from tests.rooms.video.rig import Installation, camera_id


class Addresses:
    """Where two cameras would be."""

    count = 2

    def url(self, number: int, stream: str = "main") -> str:
        return f"rtsp://10.0.0.{number}/{stream}"


@pytest.mark.parametrize("reader", ["own", "pyav"])
def test_a_camera_s_columns_go_before_the_settings(tmp_path: Path, reader: str) -> None:
    installation = Installation(tmp_path, reader=reader)
    installation.register(Addresses())  # type: ignore[arg-type]
    own = {"reader": "pyav", "transport": "udp", "recorded": "both"}
    with installation.database.begin() as connection:
        connection.execute(sa.update(cameras).where(cameras.c.id == camera_id(2)).values(**own))
    claims = Claims(
        installation.database, installation.settings.video, slot="recorder-1", box=load_secret_box(tmp_path)
    )
    found = {(one.camera, one.stream): one for one in claims.renew(now=datetime.now(UTC)).sources}
    told = {key: (one.reader, one.transport, one.is_recorded) for key, one in found.items()}
    assert told == {
        (camera_id(1), Stream.MAIN): (reader, "tcp", True),
        (camera_id(1), Stream.SUB): (reader, "tcp", False),
        (camera_id(2), Stream.MAIN): ("pyav", "udp", True),
        (camera_id(2), Stream.SUB): ("pyav", "udp", True),
    }
    with installation.database.begin() as connection:
        connection.execute(sa.update(cameras).where(cameras.c.id == camera_id(2)).values(reader="own"))
    again = claims.renew(now=datetime.now(UTC)).sources
    assert {one.reader for one in again if one.camera == camera_id(2)} == {"own"}
    installation.close()

"""A few virtual cameras with addresses of their own, as ONVIF devices."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from safecity.virtual.mounts import MountName, MountPlan
from safecity.virtual.onvif.server import OnvifPlan
from safecity.virtual.rtsp.digest import Credentials
from safecity.virtual.serving import ServePlan
from tests.rooms.virtual.conftest import CityInThread, ClipRecipe, write_clip

USER, PASSWORD = "admin", "factory-1234"
FIRST, SECOND, THIRD = "127.62.0.1", "127.62.0.2", "127.62.0.3"


@pytest.fixture(scope="module")
def devices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CityInThread]:
    """Three cameras: the first two turn, the third does not and has old firmware."""
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
    folder: Path = tmp_path_factory.mktemp("clips")
    clip = write_clip(folder / "clip.mp4", ClipRecipe(width_px=960, height_px=540))
    mounts = tuple(
        MountPlan(
            name=MountName(f"cam-{n}"),
            clip=clip,
            credentials=Credentials(user=USER, password=PASSWORD),
            turns=n != 3,
            firmware="V5.4.0 build 180921" if n == 3 else "",
        )
        for n in (1, 2, 3)
    )
    city = CityInThread(ServePlan(mounts=mounts, cache=folder, onvif=OnvifPlan(first_address=FIRST)))
    yield city
    city.stop()
    patch.undo()


@pytest.fixture
def port(devices: CityInThread) -> Iterator[int]:
    """Their ONVIF port; faults, locks and heads are as new behind each test."""
    onvif = devices.running.city.onvif
    assert onvif is not None
    yield onvif.port
    devices.control.clear_faults()
    for device in onvif.devices.values():
        device.locked_until_s, device.wrong_tries = 0.0, 0
        device.mount.state.users.clear()
        device.mount.state.users[USER] = Credentials(user=USER, password=PASSWORD)

"""Turning cameras over the API: a virtual camera is enrolled, then steered by whoever may, one at a time."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from safecity.oversight.log import list_leaves, size_of
from safecity.oversight.model import Role
from safecity.platform.secrets import load_secret_box
from safecity.video.onvif.envelopes import SignIn
from safecity.video.onvif.registering import Devices, EnrolRequest
from safecity.virtual.mounts import MountName, MountPlan
from safecity.virtual.onvif.server import OnvifPlan
from safecity.virtual.rtsp.digest import Credentials
from safecity.virtual.serving import ServePlan
from tests.api.conftest import City
from tests.rooms.virtual.conftest import CityInThread, ClipRecipe, write_clip

Enter = Callable[[Role], TestClient]
HOST, USER, PASSWORD = "127.63.0.1", "admin", "factory-1234"


@pytest.fixture(scope="module")
def virtual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CityInThread]:
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
    folder: Path = tmp_path_factory.mktemp("clips")
    clip = write_clip(folder / "clip.mp4", ClipRecipe(width_px=960, height_px=540))
    mount = MountPlan(
        name=MountName("cam-1"), clip=clip, credentials=Credentials(user=USER, password=PASSWORD), turns=True
    )
    city = CityInThread(ServePlan(mounts=(mount,), cache=folder, onvif=OnvifPlan(first_address=HOST)))
    yield city
    city.stop()
    patch.undo()


@pytest.fixture
def camera(virtual: CityInThread, city: City) -> str:
    """The enrolled camera; it keeps its password, so that the next test can enrol it again."""
    onvif = virtual.running.city.onvif
    assert onvif is not None
    parts = city.parts
    box = load_secret_box(parts.settings.platform.data_dir)
    devices = Devices(parts.database, sites=parts.sites, oversight=parts.oversight, clock=parts.clock, box=box)
    asked = EnrolRequest(
        address=f"{HOST}:{onvif.port}",
        site="QTA-001",
        sign_in=SignIn(user=USER, password=PASSWORD),
        code="QTA-001-90",
        keeps_password=True,
    )
    return devices.enrol(asked).camera


def test_it_turns_zooms_and_remembers(camera: str, city: City, sign_in: Enter) -> None:
    operator = sign_in(Role.OPERATOR)
    operator.post("/api/shift")
    assert operator.get("/api/heads").json() == [camera]
    url = f"/api/cameras/{camera}/head"
    assert operator.post(url, json={"order": "zoom", "zoom": 0.5}).status_code == 204
    now = operator.get(url).json()
    assert now["is_mine"] is True
    assert now["steered_until"] is not None
    assert operator.post(url, json={"order": "remember", "preset": "the gate"}).status_code == 204
    assert [one["name"] for one in operator.get(url).json()["presets"]][-1] == "the gate"
    box = {"x": 0.75, "y": 0.25, "width": 0.25, "height": 0.25}
    assert operator.post(url, json={"order": "box", "box": box}).status_code == 204
    assert operator.post(url, json={"order": "preset", "preset": "the gate"}).status_code == 204
    assert operator.post(url, json={"order": "run", "run": {"pan": 0.2}}).status_code == 204
    assert operator.post(url, json={"order": "stop"}).status_code == 204
    with city.parts.database.read() as connection:
        leaves = list_leaves(connection, before=size_of(connection), limit=50)
    told = [leaf.body or "" for leaf in leaves if leaf.type == "steer_camera"]
    assert len(told) == 6
    assert all(camera in one for one in told)


def test_one_person_at_a_time_and_the_supervisor_over_them(camera: str, sign_in: Enter) -> None:
    url = f"/api/cameras/{camera}/head"
    first = sign_in(Role.OPERATOR)
    first.post("/api/shift")
    assert first.post(url, json={"order": "home"}).status_code == 204
    other = sign_in(Role.DISPATCHER)
    other.post("/api/shift")
    answer = other.post(url, json={"order": "home"})
    assert (answer.status_code, answer.json()["code"]) == (409, "onvif.steered")
    assert other.get(url).json()["is_mine"] is False
    supervisor = sign_in(Role.SUPERVISOR)
    supervisor.post("/api/shift")
    assert supervisor.post(url, json={"order": "home"}).status_code == 204
    assert supervisor.delete(url).status_code == 204
    assert first.post(url, json={"order": "home"}).status_code == 204


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.ADMINISTRATOR, Role.AUDITOR])
def test_others_steer_nothing(role: Role, camera: str, sign_in: Enter) -> None:
    assert sign_in(role).post(f"/api/cameras/{camera}/head", json={"order": "home"}).status_code == 403


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"order": "box"}, 422),
        ({"order": "zoom"}, 422),
        ({"order": "preset"}, 422),
        ({"order": "zoom", "zoom": 2}, 422),
        ({"order": "run", "run": {"pan": 7}}, 422),
        ({"order": "box", "box": {"x": 0.9, "y": 0, "width": 0.5, "height": 0.5}}, 422),
        ({"order": "dance"}, 422),
    ],
)
def test_nonsense_is_refused(asked: dict[str, object], status: int, camera: str, sign_in: Enter) -> None:
    operator = sign_in(Role.OPERATOR)
    operator.post("/api/shift")
    assert operator.post(f"/api/cameras/{camera}/head", json=asked).status_code == status


def test_a_camera_that_does_not_turn_says_so(sign_in: Enter) -> None:
    operator = sign_in(Role.OPERATOR)
    operator.post("/api/shift")
    answer = operator.post("/api/cameras/cam_qta-001-01/head", json={"order": "home"})
    assert (answer.status_code, answer.json()["code"]) == (404, "onvif.no_head")

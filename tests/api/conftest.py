"""A web app over an empty city of sixteen virtual cameras, and people of every role."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from safecity.analytics.scenes_service import Scenes
from safecity.api.app import create_web_app
from safecity.api.parts import WebParts
from safecity.cases.service import Cases
from safecity.dispatch.service import Dispatch
from safecity.incidents.service import Incidents
from safecity.oversight.model import Role
from safecity.oversight.passwords import Cost, Passwords
from safecity.oversight.service import Oversight
from safecity.platform.clock import SystemClock
from safecity.platform.database import Database
from safecity.platform.secrets import load_secret_box
from safecity.platform.settings import Settings
from safecity.sites.service import Sites
from safecity.video.onvif.registering import Devices
from safecity.video.onvif.steering import Steering
from safecity.virtual.quetta import virtual_quetta
from tests.databases import make_sqlite

CAMERA_PASSWORD = "kept-from-everyone"
PAGE = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """The app under test and what it stands on."""

    parts: WebParts
    passwords: dict[Role, str]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """SQLite alone: the stores are tested on both databases in `tests/stores`."""
    made = make_sqlite(tmp_path / "safecity.db")
    yield made
    made.close()


@functools.cache
def _sixteen_cameras() -> dict[str, object]:
    return virtual_quetta(16, "rtsp://127.0.0.1:9", user="recorder", password=CAMERA_PASSWORD)


@pytest.fixture
def city(database: Database, tmp_path: Path) -> City:
    settings = Settings.model_validate({"platform": {"data_dir": tmp_path}})
    clock = SystemClock()
    # Cheap hashes: what they cost real attackers is tested in the oversight room.
    light = Passwords(Cost(memory_kib=64, passes=1, lanes=1))
    oversight = Oversight(database, settings.oversight, clock, passwords=light)
    box = load_secret_box(tmp_path)
    sites = Sites(database, oversight=oversight, box=box, clock=clock)
    devices = Devices(database, sites=sites, oversight=oversight, clock=clock, box=box)
    sites.import_city_document(_sixteen_cameras())
    incidents = Incidents(database, settings.incidents, oversight=oversight, clock=clock)
    parts = WebParts(
        settings=settings,
        database=database,
        oversight=oversight,
        sites=sites,
        scenes=Scenes(database, oversight=oversight, clock=clock),
        incidents=incidents,
        dispatch=Dispatch(database, settings.dispatch, incidents=incidents, oversight=oversight, clock=clock),
        cases=Cases(database, incidents=incidents, oversight=oversight, clock=clock),
        steering=Steering(database, devices=devices, oversight=oversight, clock=clock),
        clock=clock,
        run_dir=tmp_path,
        started_at=clock.now(),
    )
    passwords = {role: oversight.ensure_demo_user(role.value, role, display_name=role.value) for role in Role}
    return City(parts=parts, passwords=passwords)


@pytest.fixture
def client(city: City) -> Iterator[TestClient]:
    """A browser without a session."""
    with TestClient(create_web_app(city.parts), base_url=PAGE) as browser:
        yield browser


@pytest.fixture
def sign_in(client: TestClient, city: City) -> Callable[[Role], TestClient]:
    """Sign in as somebody of that role."""

    def as_role(role: Role) -> TestClient:
        client.cookies.clear()
        answer = client.post("/api/session", json={"user": role.value, "password": city.passwords[role]})
        assert answer.status_code == 200, answer.text
        return client

    return as_role

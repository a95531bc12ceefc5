"""Enrolment against the virtual cameras: passwords, clocks, findings; then steering with grants and turns."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from safecity.oversight.model import Actor, Role
from safecity.oversight.passwords import Cost, Passwords
from safecity.oversight.service import Oversight
from safecity.platform.clock import SystemClock
from safecity.platform.database import Database
from safecity.platform.errors import Conflict, Denied, NotFound, Unavailable
from safecity.platform.schema import upgrade
from safecity.platform.secrets import SecretBox
from safecity.platform.settings import OversightSettings
from safecity.sites.model import CameraId
from safecity.sites.service import Sites
from safecity.sites.sources import camera_source
from safecity.video.onvif import enrolment
from safecity.video.onvif.aim import Box
from safecity.video.onvif.envelopes import SignIn
from safecity.video.onvif.registering import Devices, EnrolRequest
from safecity.video.onvif.steering import Order, Steering
from safecity.video.onvif.store import Finding
from safecity.virtual.faults import FaultKind
from safecity.virtual.mounts import MountName
from safecity.virtual.onvif import server
from safecity.virtual.onvif.soap import SoapFault
from tests.rooms.video.onvif.conftest import FIRST, PASSWORD, THIRD, USER
from tests.rooms.virtual.conftest import CityInThread

SITE = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [67.0, 30.2]},
    "properties": {"kind": "site", "code": "QTA-001", "name": "Junction"},
}
VENDOR = SignIn(user=USER, password=PASSWORD)
WORD = "correct horse battery 7"


@dataclass(frozen=True, kw_only=True)
class Desk:
    database: Database
    box: SecretBox
    oversight: Oversight
    sites: Sites
    devices: Devices
    steering: Steering

    def actor(self, name: str, role: Role) -> Actor:
        self.oversight.create_user(name, WORD, role=role, display_name=name)
        actor = self.oversight.sign_in(name, WORD, console="c").session.actor
        if role is not Role.TECHNICIAN:
            self.oversight.start_shift(actor)
        return actor

    def sign_in(self, camera: CameraId) -> SignIn:
        found = self.devices.sign_in_of(camera)[1]
        assert found is not None
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    database, clock, box = Database(f"sqlite:///{tmp_path / 's.db'}"), SystemClock(), SecretBox(os.urandom(32))
    upgrade(database)
    cheap = Passwords(Cost(passes=1, memory_kib=64, lanes=1))
    oversight = Oversight(database, OversightSettings(), clock, passwords=cheap)
    sites = Sites(database, oversight=oversight, clock=clock, box=box)
    sites.import_city_document({"type": "FeatureCollection", "features": [SITE]})
    devices = Devices(database, sites=sites, oversight=oversight, clock=clock, box=box)
    steering = Steering(database, devices=devices, oversight=oversight, clock=clock)
    yield Desk(database=database, box=box, oversight=oversight, sites=sites, devices=devices, steering=steering)
    database.close()


def request(address: str, **more: object) -> EnrolRequest:
    return EnrolRequest(address=address, site="QTA-001", sign_in=VENDOR, **more)


def test_enrolment_changes_the_password_and_the_old_one_is_refused(
    desk: Desk, devices: CityInThread, port: int
) -> None:
    devices.control.set_fault("cam-1", FaultKind.CLOCK_JUMP, value="900")
    done = desk.devices.enrol(request(f"{FIRST}:{port}"))
    assert (done.camera, done.is_password_changed, done.is_clock_set) == ("cam_qta-001-01", True, True)
    assert done.findings == ()
    assert not asyncio.run(enrolment.lets_in(f"{FIRST}:{port}", VENDOR))
    fresh = desk.sign_in(done.camera)
    assert len(fresh.password) == enrolment.PASSWORD_CHARACTERS
    assert asyncio.run(enrolment.lets_in(f"{FIRST}:{port}", fresh))
    with desk.database.read() as connection:
        source = camera_source(connection, done.camera, box=desk.box)
    assert source.main_url == f"rtsp://{USER}:{fresh.password}@{FIRST}:{devices.running.rtsp_port}/cam-1/main"
    description, device = desk.devices.describe(done.camera)
    assert (device.model, device.serial, device.has_ptz) == ("VC-2", "VC000001", True)
    assert device.firmware_date == date(2026, 1, 10)
    assert description.sub is not None
    state = devices.running.city.mounts[MountName("cam-1")].state
    state.camera_clock.set_wall(state.clock.now() + timedelta(seconds=900), now=state.clock.now(), now_s=0.0)


def test_a_crash_between_camera_and_database_locks_nobody_out(
    desk: Desk, devices: CityInThread, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object, **__: object) -> bytes:
        raise Unavailable("the process dies here", code="test")

    with monkeypatch.context() as broken:
        broken.setattr("safecity.video.onvif.registering.seal_credentials", dies)
        with pytest.raises(Unavailable):
            desk.devices.enrol(request(f"{FIRST}:{port}", code="QTA-001-07"))
    assert not asyncio.run(enrolment.lets_in(f"{FIRST}:{port}", VENDOR))
    done = desk.devices.enrol(request(f"{FIRST}:{port}", code="QTA-001-07"))
    assert asyncio.run(enrolment.lets_in(f"{FIRST}:{port}", desk.sign_in(done.camera)))


def test_a_camera_that_keeps_its_first_users_password_gets_a_user_of_ours(
    desk: Desk, devices: CityInThread, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> str:
        raise SoapFault("ter:OperationProhibited", "The first user stays.")

    monkeypatch.setattr(server, "HANDLERS", {**server.HANDLERS, ("tds", "SetUser"): refuse})
    done = desk.devices.enrol(request(f"{FIRST}:{port}"))
    assert desk.sign_in(done.camera).user == enrolment.OWN_USER
    assert done.findings == ()


def test_what_is_wrong_with_a_camera_is_found(desk: Desk, devices: CityInThread, port: int) -> None:
    done = desk.devices.enrol(request(f"{THIRD}:{port}", keeps_password=True))
    assert set(done.findings) == {Finding.OLD_FIRMWARE, Finding.DEFAULT_PASSWORD}
    devices.control.set_fault("cam-3", FaultKind.CLOCK_JUMP, value="-120")
    _, device = desk.devices.describe(done.camera)
    assert set(device.findings) == {Finding.OLD_FIRMWARE, Finding.DEFAULT_PASSWORD, Finding.WRONG_CLOCK}
    assert desk.devices.list_devices()[0].camera == done.camera


@pytest.mark.parametrize(
    ("version", "built"),
    [
        ("V5.4.0 build 180921", date(2018, 9, 21)),
        ("2.800.0000.0.R,2021-03-04", date(2021, 3, 4)),
        ("9.80.20240115", date(2024, 1, 15)),
        ("11.11.73", None),
        ("build 189999", None),
    ],
)
def test_the_day_in_a_firmware_version(version: str, built: date | None) -> None:
    assert enrolment.firmware_date(version) == built


def test_steering_is_granted_one_at_a_time_and_a_leaf_each(desk: Desk, devices: CityInThread, port: int) -> None:
    camera = desk.devices.enrol(request(f"{FIRST}:{port}", keeps_password=True)).camera
    first, second = desk.actor("first", Role.OPERATOR), desk.actor("second", Role.OPERATOR)
    chief, mender = desk.actor("chief", Role.SUPERVISOR), desk.actor("mender", Role.TECHNICIAN)
    desk.steering.move(first, camera, order=Order(kind="preset", preset="Bus stop"))
    with pytest.raises(Conflict) as caught:
        desk.steering.move(second, camera, order=Order(kind="stop"))
    assert caught.value.code == "onvif.steered"
    with pytest.raises(Denied):
        desk.steering.move(mender, camera, order=Order(kind="stop"))
    desk.steering.move(chief, camera, order=Order(kind="box", box=Box(x=0.4, y=0.4, width=0.2, height=0.2)))
    with pytest.raises(Conflict):
        desk.steering.move(first, camera, order=Order(kind="home"))
    shown = desk.steering.show(first, camera)
    assert shown.steering is not None
    assert shown.steering.user == chief.user_id
    desk.steering.let_go(chief, camera)
    desk.steering.move(second, camera, order=Order(kind="zoom", zoom=2.0))
    desk.oversight.end_shift(second)
    with pytest.raises(Denied) as denied:
        desk.steering.move(second, camera, order=Order(kind="stop"))
    assert denied.value.code == "oversight.no_shift"
    desk.steering.move(None, camera, order=Order(kind="stop"))
    desk.oversight.create_user("reader", WORD, role=Role.AUDITOR, display_name="reader")
    actor = desk.oversight.sign_in("reader", WORD, console="c").session.actor
    types = desk.oversight.list_log_types(actor)
    assert {"camera_enrolled", "camera_steered", "steer_camera"} <= set(types)


def test_a_camera_that_does_not_turn_is_not_steered(desk: Desk, devices: CityInThread, port: int) -> None:
    camera = desk.devices.enrol(request(f"{THIRD}:{port}", keeps_password=True)).camera
    operator = desk.actor("first", Role.OPERATOR)
    with pytest.raises(NotFound):
        desk.steering.move(operator, camera, order=Order(kind="stop"))

"""The demo's door: open on this machine with virtual cameras only; its faults are asked for, done and written down."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from safecity.api.app import create_web_app
from safecity.api.demo_routes import CARDS
from safecity.app.credentials import DEMO_USERS
from safecity.oversight.model import Role
from safecity.platform.settings import Settings
from safecity.sites.model import CameraId
from tests.api.conftest import PAGE, City

UNTIL = datetime(2026, 3, 1, tzinfo=UTC)


class Breaker:
    """Notes what it is asked to break."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def cut_camera(self, code: str) -> datetime:
        self.done.append(f"cut {code}")
        return UNTIL

    def mend_camera(self, code: str) -> None:
        self.done.append(f"mend {code}")

    def kill_recorder(self, camera: CameraId) -> str:
        self.done.append(f"kill {camera}")
        return "recorder-1"


def demo_settings(city: City, **web: object) -> Settings:
    data_dir = city.parts.settings.platform.data_dir
    return Settings.model_validate({"platform": {"data_dir": data_dir}, "virtual": {"enabled": True}, "web": web})


@pytest.fixture
def breaker() -> Breaker:
    return Breaker()


@pytest.fixture
def door(city: City, breaker: Breaker) -> Iterator[TestClient]:
    parts = replace(city.parts, settings=demo_settings(city), demo=breaker)
    with TestClient(create_web_app(parts), base_url=PAGE) as browser:
        yield browser


def enter(door: TestClient, role: str) -> TestClient:
    door.cookies.clear()
    answer = door.post("/api/demo/session", json={"role": role})
    assert answer.status_code == 200, answer.text
    assert answer.json()["role"] == role
    return door


def test_every_card_opens_its_role(door: TestClient) -> None:
    cards = door.get("/api/demo/cards").json()
    assert [card["role"] for card in cards] == [card.role for card in CARDS]
    for card in cards:
        assert card["display_name"]
        assert card["display_name_ur"]
        assert enter(door, card["role"]).get("/api/session").json()["role"] == card["role"]
    assert door.get("/api/config").json()["demo"] is True


def test_cards_are_called_as_the_people_behind_them() -> None:
    named = {role.value: name for _, role, name in DEMO_USERS}
    assert {card.role: card.display_name for card in CARDS} == {card.role: named[card.role] for card in CARDS}


def test_the_door_is_shut_outside_the_demo(client: TestClient) -> None:
    assert client.get("/api/demo/cards").status_code == 404
    assert client.post("/api/demo/session", json={"role": "operator"}).status_code == 404
    assert client.post("/api/demo/faults", json={"fault": "kill_recorder", "camera": "x"}).status_code == 404
    assert client.get("/api/config").json()["demo"] is False


@pytest.mark.parametrize(
    "web",
    [
        {"host": "0.0.0.0", "public_url": "https://city.example", "gateway_url": "https://media.example"},
        {"public_url": "https://city.example"},
    ],
)
def test_the_door_is_shut_where_others_can_reach_it(city: City, web: dict[str, object]) -> None:
    parts = replace(city.parts, settings=demo_settings(city, **web))
    with TestClient(create_web_app(parts), base_url=PAGE) as browser:
        assert browser.get("/api/demo/cards").status_code == 404
        assert browser.post("/api/demo/session", json={"role": "operator"}).status_code == 404


def test_another_site_cannot_take_a_card(door: TestClient) -> None:
    answer = door.post("/api/demo/session", json={"role": "operator"}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "safecity_session" not in door.cookies


def test_faults_are_done_and_in_the_log(door: TestClient, breaker: Breaker) -> None:
    enter(door, "operator")
    camera = door.get("/api/cameras").json()[0]
    for fault in ("cut_camera", "mend_camera", "kill_recorder"):
        answer = door.post("/api/demo/faults", json={"fault": fault, "camera": camera["id"]})
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert (told["fault"], told["camera"]) == (fault, camera["id"])
        assert (told["until"] is None, told["recorder"]) == (
            fault != "cut_camera",
            "recorder-1" if fault == "kill_recorder" else None,
        )
    assert breaker.done == [f"cut {camera['code']}", f"mend {camera['code']}", f"kill {camera['id']}"]
    leaves = enter(door, "auditor").get("/api/log", params={"limit": 50}).json()["leaves"]
    said = [str(leaf["body"]) for leaf in leaves if "cause_faults" in str(leaf["body"])]
    assert [fault for fault in ("cut_camera", "mend_camera", "kill_recorder") if any(fault in one for one in said)] == [
        "cut_camera", "mend_camera", "kill_recorder"]  # fmt: skip


def test_who_may_not_break_things_is_refused(door: TestClient, breaker: Breaker) -> None:
    camera = enter(door, "operator").get("/api/cameras").json()[0]["id"]
    body = {"fault": "cut_camera", "camera": camera}
    for role in ("auditor", "investigator"):
        assert enter(door, role).post("/api/demo/faults", json=body).status_code == 403
    door.cookies.clear()
    assert door.post("/api/demo/faults", json=body).status_code == 401
    enter(door, "operator")
    assert door.post("/api/demo/faults", json={"fault": "cut_camera"}).status_code == 422
    assert door.post("/api/demo/faults", json={**body, "camera": "cam_none"}).status_code == 404
    assert breaker.done == []


def test_the_plan_is_for_those_who_keep_it_running(client: TestClient, sign_in: Callable[[Role], TestClient]) -> None:
    found = sign_in(Role.ADMINISTRATOR).get("/api/plan", params={"cameras": 100, "mbit": 2, "days": 10}).json()
    assert found["lines"][0] == {
        "key": "storage_raw", "value": 21.6, "unit": "TB", "formula": "100 x 2 Mbit/s / 8 x 86 400 s x 10 days",
    }  # fmt: skip
    assert sign_in(Role.AUDITOR).get("/api/plan").status_code == 403
    assert sign_in(Role.ADMINISTRATOR).get("/api/plan", params={"cameras": 0}).status_code == 422


def test_unexplained_seconds_are_told(sign_in: Callable[[Role], TestClient]) -> None:
    assert sign_in(Role.TECHNICIAN).get("/api/health/detail").json()["unexplained_s"] == 0

"""The queue and incidents over HTTP, and what each listener hears of them."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from safecity.api.event_feed import EventFeed, facts_for
from safecity.events import state_fact
from safecity.events.analytics import RuleFired
from safecity.incidents.intake import Intake
from safecity.oversight.model import ACTS_OF, Role
from tests.api.conftest import City

SignIn = Callable[[Role], TestClient]


@pytest.fixture
def fire(city: City) -> Callable[[str], str]:
    """Let a rule fire on the first camera; the id of the open alert it became."""
    parts = city.parts
    intake = Intake(parts.database, parts.settings.incidents, oversight=parts.oversight, clock=parts.clock)
    with parts.database.read() as connection:
        camera = sorted(parts.sites.camera_states(connection))[0]

    def once(subject: str = "lane/car") -> str:
        at = parts.clock.now()
        fact = RuleFired(
            camera=camera,
            rule="no-stopping",
            kind="stopped_vehicle",
            title="Vehicle stopped",
            title_ur="گاڑی رکی ہے",
            subject=subject,
            object_class="car",
            priority=1,
            started_at=at,
            clip_from=at - timedelta(seconds=5),
            clip_to=at,
            picture_at=at,
            box=(0.1, 0.1, 0.2, 0.2),
            confidence=0.5,
            model="motion",
        )
        with parts.database.begin() as connection:
            state_fact(connection, fact, id=f"{subject}{at}"[:60], source="t", time=at, subject=camera)
        intake.run_once()
        with parts.database.read() as connection:
            alerts = parts.incidents.open_alerts(connection).values()
        return next(alert.id for alert in alerts if alert.subject == subject)

    return once


def step(client: TestClient, alert: str, **body: object) -> dict[str, object]:
    answer = client.post(f"/api/alerts/{alert}/steps", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_from_an_alert_to_a_closed_incident(sign_in: SignIn, fire: Callable[..., str]) -> None:
    client = sign_in(Role.OPERATOR)
    alert = fire()
    (listed,) = client.get("/api/alerts").json()["alerts"]
    assert (listed["id"], listed["state"], listed["level"]) == (alert, "unacknowledged", 1)
    held = step(client, alert, step="acknowledge", version=1)
    assert held["incident"] is None
    done = step(client, alert, step="confirm", version=2, note="A real one")
    incident = str(done["incident"])
    assert client.get("/api/alerts").json()["alerts"] == []
    decided = client.get("/api/alerts", params={"state": "decided"}).json()
    assert [one["id"] for one in decided["alerts"]] == [alert]
    assert decided["before"] is None
    history = client.get(f"/api/alerts/{alert}").json()["steps"]
    assert [one["step"] for one in history] == ["raised", "escalated", "acknowledged", "confirmed"]
    assert history[-1]["by"]["name"] == "operator"
    noted = client.post(f"/api/incidents/{incident}/notes", json={"text": "Driver called"})
    assert noted.status_code == 201
    assert [one["step"] for one in noted.json()["steps"]] == ["opened", "note"]
    assert noted.json()["cameras"][0]["camera"] == listed["camera"]
    assert [one["id"] for one in client.get("/api/incidents").json()["incidents"]] == [incident]
    closed = client.post(f"/api/incidents/{incident}/close", json={"outcome": "resolved", "version": 2})
    assert closed.status_code == 200
    assert closed.json()["incident"]["stage"] == "closed"
    page = client.get("/api/incidents", params={"state": "closed"}).json()
    assert [one["id"] for one in page["incidents"]] == [incident]


def test_who_is_second_gets_a_409_with_a_name(sign_in: SignIn, fire: Callable[..., str]) -> None:
    alert = fire()
    step(sign_in(Role.DISPATCHER), alert, step="acknowledge", version=1)
    answer = sign_in(Role.OPERATOR).post(f"/api/alerts/{alert}/steps", json={"step": "acknowledge", "version": 1})
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("dispatcher was first: this alert was acknowledged.")


def test_a_report_needs_a_place(sign_in: SignIn) -> None:
    client = sign_in(Role.OPERATOR)
    for body in ({"title": "Fire"}, {"title": "Fire", "lon": 67.0}, {"title": "Fire", "lon": 200, "lat": 1}):
        assert client.post("/api/incidents", json=body).status_code == 422
    assert client.post("/api/incidents", json={"title": "Fire", "camera": "cam_none"}).status_code == 404
    answer = client.post("/api/incidents", json={"title": "Fire", "lon": 67.0, "lat": 30.2, "note": "Caller 15"})
    assert answer.status_code == 201
    assert answer.json()["incident"]["kind"] == "manual"


def test_closing_an_alert_needs_a_reason_of_the_list(sign_in: SignIn, fire: Callable[..., str]) -> None:
    client, alert = sign_in(Role.OPERATOR), fire()
    for reason in (None, "because", "false alarm"):
        body = {"step": "close", "version": 1, "reason": reason}
        assert client.post(f"/api/alerts/{alert}/steps", json=body).status_code == 422
    closed = step(client, alert, step="close", version=1, reason="false_alarm")
    assert closed["alert"]["close_reason"] == "false_alarm"  # type: ignore[index]


HEARS = {
    Role.OPERATOR: {"alerts", "incidents"},
    Role.DISPATCHER: {"alerts", "incidents"},
    Role.SUPERVISOR: {"alerts", "incidents"},
    Role.INVESTIGATOR: {"incidents"},
    Role.AUDITOR: set(),
    Role.TECHNICIAN: set(),
    Role.ADMINISTRATOR: set(),
}


@pytest.mark.parametrize("role", list(Role))
def test_each_role_gets_and_hears_its_own(
    role: Role, city: City, sign_in: SignIn, fire: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safecity.api.event_feed.HEARTBEAT_S", 0.3)
    cursor = sign_in(Role.OPERATOR).get("/api/state").json()["cursor"]
    alert = fire()
    step(sign_in(Role.OPERATOR), alert, step="confirm", version=1)
    fire("lane/bus")
    client = sign_in(role)
    state = client.get("/api/state").json()
    assert {name for name in ("alerts", "incidents") if state[name]} == HEARS[role]
    codes = {name: client.get(f"/api/{name}").status_code for name in ("alerts", "incidents")}
    assert codes == {name: 200 if name in HEARS[role] else 403 for name in codes}
    heard = asyncio.run(listen(city, cursor, role))
    kinds = {"alerts": "incidents.alert_changed", "incidents": "incidents.incident_changed"}
    assert {str(one["type"]) for one in heard} == {kinds[name] for name in HEARS[role]}
    folded: dict[str, dict[str, object]] = {"alerts": {}, "incidents": {}}
    for one in heard:
        data, name = one["data"], "alerts" if one["type"] == "incidents.alert_changed" else "incidents"
        assert isinstance(data, dict)
        is_over = data.get("state") in ("confirmed", "closed") or data.get("stage") == "closed"
        folded[name].pop(data["id"], None)
        folded[name].update({} if is_over else {data["id"]: data})
    assert folded == {name: state[name] for name in folded}


async def listen(city: City, cursor: int, role: Role) -> list[dict[str, object]]:
    """Everything a listener of that role hears behind a cursor."""
    feed = EventFeed(city.parts.database, city.parts.clock)
    reader = asyncio.create_task(feed.run())
    heard: list[dict[str, object]] = []
    calls = iter([True] * 5)
    try:
        async with asyncio.timeout(20):
            stream = feed.stream(cursor, types=facts_for(ACTS_OF[role]), is_welcome=lambda: next(calls, False))
            async for block in stream:
                data = [line[6:] for line in block.splitlines() if line.startswith('data: {"')]
                heard.extend(json.loads(text) for text in data)
    finally:
        reader.cancel()
    return heard

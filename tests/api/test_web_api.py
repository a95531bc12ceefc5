"""The web API: who gets what, how errors look, and that live events bring a page to the fetched state."""

import asyncio
import json
import re
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from safecity.api.event_feed import FOLLOWED_BY, EventFeed
from safecity.oversight.model import Role
from safecity.sites.model import CameraId, CameraState, Cause, StateReport
from safecity.sites.states import note_camera_states
from tests.api.conftest import CAMERA_PASSWORD, City

SignIn = Callable[[Role], TestClient]
OPEN_TO_ALL = {"/api/health", "/api/config", "/api/session", "/api/public/drills", "/api/public/ledger"}


def paths(client: TestClient) -> list[str]:
    described = client.get("/api/openapi.json").json()["paths"]
    # The demo's own address answers in the demo alone, to anyone.
    return sorted(path for path, methods in described.items() if "get" in methods and path != "/api/demo/cards")


def filled(path: str, camera: str) -> str:
    asked = re.sub(r"\{\w+\}", "none", path.replace("{camera_id}", camera).replace("{index}", "0"))
    needs_interval = path.endswith(("timeline", "counts"))
    return f"{asked}?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z" if needs_interval else asked


def test_health_needs_no_sign_in_and_tells_nothing_secret(client: TestClient) -> None:
    body = client.get("/api/health").json()
    assert body == {
        "status": "starting",
        "cameras": {"total": 16, "live": 0},
        "recorded_s": 0.0,
        "segments": 0,
    }


def test_without_a_session_nothing_else_answers(client: TestClient) -> None:
    for path in paths(client):
        if path in OPEN_TO_ALL or path == "/api/events/stream":
            continue
        answer = client.get(filled(path, "cam_x"))
        assert answer.status_code == 401, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert "Sign in" in answer.json()["detail"]


QUEUE = {Role.OPERATOR, Role.DISPATCHER, Role.SUPERVISOR}
MAY = {
    "/api/health/detail": {Role.SUPERVISOR, Role.TECHNICIAN, Role.ADMINISTRATOR},
    "/api/health/edges": {Role.SUPERVISOR, Role.TECHNICIAN, Role.ADMINISTRATOR},
    "/api/health/links": {Role.SUPERVISOR, Role.TECHNICIAN, Role.ADMINISTRATOR},
    "/api/health/cabinets": {Role.SUPERVISOR, Role.TECHNICIAN, Role.ADMINISTRATOR},
    "/api/plan": {Role.SUPERVISOR, Role.TECHNICIAN, Role.ADMINISTRATOR},
    "/api/log": {Role.AUDITOR},
    "/api/log/{index}/proof": {Role.AUDITOR},
    "/api/log/types": {Role.AUDITOR},
    "/api/alerts": QUEUE,
    "/api/alerts/{alert_id}": QUEUE,
    "/api/units": QUEUE,
    "/api/incidents": QUEUE | {Role.INVESTIGATOR},
    "/api/incidents/{incident_id}": QUEUE | {Role.INVESTIGATOR},
    "/api/incidents/{incident_id}/proposals": QUEUE,
    "/api/cases": {Role.INVESTIGATOR, Role.SUPERVISOR},
    "/api/cases/{case_id}": {Role.INVESTIGATOR, Role.SUPERVISOR},
}


@pytest.mark.parametrize("role", list(Role))
def test_each_role_gets_its_own_and_no_more(role: Role, sign_in: SignIn) -> None:
    client = sign_in(role)
    camera = client.get("/api/cameras").json()[0]["id"]
    for path in paths(client):
        if path == "/api/events/stream":
            continue
        answer = client.get(filled(path, camera))
        is_nothing_there = "/none" in filled(path, camera) or path.endswith("/head")  # no camera of these turns
        wanted = 403 if role not in MAY.get(path, set(Role)) else 404 if is_nothing_there else 200
        assert answer.status_code == wanted, f"{role} {path}: {answer.text}"
        assert CAMERA_PASSWORD not in answer.text
        assert "rtsp:" not in answer.text


@pytest.mark.parametrize("role", list(Role))
def test_only_those_who_may_see_pictures_have_a_shift(role: Role, sign_in: SignIn) -> None:
    client = sign_in(role)
    sees_pictures = role in {Role.OPERATOR, Role.DISPATCHER, Role.INVESTIGATOR, Role.SUPERVISOR}
    answer = client.post("/api/shift")
    assert answer.status_code == (200 if sees_pictures else 403)
    assert (client.get("/api/session").json()["shift"] is not None) == sees_pictures
    if sees_pictures:
        assert client.delete("/api/shift").json()["shift"] is None


def test_a_refusal_and_a_sign_in_are_in_the_log(client: TestClient, sign_in: SignIn) -> None:
    sign_in(Role.OPERATOR).get("/api/log")
    leaves = sign_in(Role.AUDITOR).get("/api/log").json()["leaves"]
    refused = [
        leaf for leaf in leaves if leaf["type"].endswith("refused") or (leaf["body"] or {}).get("allowed") is False
    ]
    assert any("operator" in json.dumps(leaf["body"]) for leaf in refused), leaves


def test_signing_out_ends_the_session(sign_in: SignIn) -> None:
    client = sign_in(Role.OPERATOR)
    token = client.cookies["safecity_session"]
    assert client.delete("/api/session").status_code == 204
    client.cookies.set("safecity_session", token)
    assert client.get("/api/session").status_code == 401


def test_the_cookie_is_out_of_reach(client: TestClient, city: City) -> None:
    body = {"user": "operator", "password": city.passwords[Role.OPERATOR]}
    header = client.post("/api/session", json=body).headers["set-cookie"].lower()
    assert "httponly" in header
    assert "samesite=strict" in header
    assert city.passwords[Role.OPERATOR].lower() not in header


def test_another_site_cannot_act(sign_in: SignIn) -> None:
    client = sign_in(Role.OPERATOR)
    for origin in ("https://elsewhere.example", "http://127.0.0.1:9999", "null"):
        assert client.post("/api/shift", headers={"Origin": origin}).status_code == 403, origin
    assert client.post("/api/shift", headers={"Origin": "http://127.0.0.1:8000"}).status_code == 200
    assert client.post("/api/shift", headers={"Origin": "http://localhost:8000"}).status_code == 200


def test_a_wrong_body_is_not_echoed(client: TestClient) -> None:
    answer = client.post("/api/session", json={"user": "operator", "password": 7, "extra": "pa55word"})
    assert answer.status_code == 422
    assert answer.json()["kind"] == "invalid"
    assert "pa55word" not in answer.text
    assert client.post("/api/session", content=b"x" * 100_000).status_code == 429


def test_unknown_addresses(client: TestClient, sign_in: SignIn) -> None:
    assert client.get("/api/nothing").json()["code"] == "api.no_such_address"
    assert client.get("/../../etc/passwd").status_code == 404 or "root:" not in client.get("/../../etc/passwd").text
    assert sign_in(Role.OPERATOR).get("/api/cameras/cam_nowhere").status_code == 404
    assert client.get("/api/cameras/%00").status_code == 422


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-01-01T00:00:00&to=2026-01-01T01:00:00Z",
        "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
        "from=x&to=y",
    ],
)
def test_a_wrong_interval_is_explained(query: str, sign_in: SignIn) -> None:
    client = sign_in(Role.OPERATOR)
    camera = client.get("/api/cameras").json()[0]["id"]
    answer = client.get(f"/api/cameras/{camera}/timeline?{query}")
    assert answer.status_code == 422
    assert len(answer.json()["detail"]) > 20


def report(city: City, camera: str, *, state: CameraState) -> None:
    now = city.parts.clock.now()
    is_live = state is CameraState.LIVE
    one = StateReport(
        camera=CameraId(camera),
        state=state,
        since=now,
        cause=None if is_live else Cause.LINK,
        reported_by="recorder-1",
        reported_at=now,
        valid_until=now + timedelta(seconds=10),
        last_frame_at=now if is_live else None,
    )
    with city.parts.database.begin() as connection:
        note_camera_states(connection, [one], now=now)


def test_state_and_events_make_the_state_fetched_again(city: City, sign_in: SignIn) -> None:
    client = sign_in(Role.OPERATOR)
    state = client.get("/api/state").json()
    names = sorted(state["cameras"])
    steps = [
        (names[0], CameraState.LIVE),
        (names[1], CameraState.OFFLINE),
        (names[0], CameraState.STALLED),
        (names[2], CameraState.LIVE),
    ]
    wanted = len(steps)
    received: list[dict[str, object]] = []

    async def follow() -> None:
        feed = EventFeed(city.parts.database, city.parts.clock)
        reader = asyncio.create_task(feed.run())
        try:
            async with asyncio.timeout(20):
                async for block in feed.stream(state["cursor"], types=FOLLOWED_BY, is_welcome=lambda: True):
                    data = [line[6:] for line in block.splitlines() if line.startswith("data: ")]
                    received.extend(json.loads(text) for text in data)
                    if len(received) >= wanted:
                        return
        finally:
            reader.cancel()

    def act() -> None:
        for camera, new_state in steps:
            report(city, camera, state=new_state)

    actor = threading.Thread(target=act)
    actor.start()
    asyncio.run(follow())
    actor.join()
    for event in received:
        data = event["data"]
        assert isinstance(data, dict)
        state["cameras"][event["subject"]] = {name: data[name] for name in ("state", "since", "cause")}
    fetched = client.get("/api/state").json()
    assert json.dumps(fetched["cameras"], sort_keys=True) == json.dumps(state["cameras"], sort_keys=True)
    assert fetched["cursor"] == received[-1]["cursor"]


def test_a_stream_ends_with_its_session(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safecity.api.event_feed.HEARTBEAT_S", 0.05)

    async def follow() -> list[str]:
        feed = EventFeed(city.parts.database, city.parts.clock)
        async with asyncio.timeout(10):
            return [block async for block in feed.stream(0, types=FOLLOWED_BY, is_welcome=lambda: False)]

    assert "api.session_ended" in asyncio.run(follow())[-1]


def test_nothing_is_loaded_from_another_host(client: TestClient) -> None:
    page = client.get("/")
    if page.status_code == 503:
        pytest.skip("the page is not built here")
    policy = page.headers["content-security-policy"]
    hosts = {word.rstrip(";") for word in policy.split() if word.startswith(("http", "ws"))}
    assert hosts == {"http://127.0.0.1:8001", "ws://127.0.0.1:8001"}
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    "path", ["/%00", "/assets/%00.js", "/..%2f..%2fapp.py", "//etc/passwd", "/assets/..%2f..%2fpage.py"]
)
def test_odd_addresses_are_no_files(path: str, client: TestClient) -> None:
    answer = client.get(path)
    assert answer.status_code in (200, 404, 503)
    assert "root:" not in answer.text
    assert "import" not in answer.text[:200]


@pytest.mark.parametrize("origin", ["http://localhost:99999999", "http://[", "http://localhost:x", "null", ""])
def test_an_origin_that_is_none_is_refused_and_breaks_nothing(origin: str, client: TestClient) -> None:
    assert client.delete("/api/session", headers={"Origin": origin}).status_code == 403


EDGES = (
    ("0001-01-01T00:00:00+14:00", "0001-01-01T01:00:00+14:00"),
    ("9999-12-31T22:00:00-12:00", "9999-12-31T23:59:59-12:00"),
)


@pytest.mark.parametrize(("start", "end"), EDGES)
def test_instants_at_the_end_of_the_calendar_are_answered(start: str, end: str, sign_in: SignIn) -> None:
    client = sign_in(Role.OPERATOR)
    camera = client.get("/api/cameras").json()[0]["id"]
    answer = client.get(f"/api/cameras/{camera}/timeline", params={"from": start, "to": end})
    assert answer.status_code in (200, 422), answer.text


@pytest.mark.parametrize("number", ["-1", "9223372036854775808", "9" * 400])
def test_numbers_beyond_the_log_are_answered(number: str, sign_in: SignIn) -> None:
    client = sign_in(Role.AUDITOR)
    assert client.get("/api/log", params={"before": number}).status_code in (200, 422)
    assert client.get(f"/api/log/{number}/proof").status_code in (404, 422)

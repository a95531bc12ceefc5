"""Scenes and counts over the API: who may draw, what is refused, what is written down."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from fastapi.testclient import TestClient

from safecity.analytics import store
from safecity.analytics.store import AnalyserStatus
from safecity.events.analytics import LineCounted
from safecity.oversight.model import Role
from tests.api.conftest import City

SignIn = Callable[[Role], TestClient]
SCENE = {
    "lines": [{"name": "stop", "points": [[0, 100], [640, 100]]}],
    "zones": [{"name": "yard", "points": [[0, 0], [100, 0], [100, 100]]}],
    "rules": [{"kind": "zone_entry", "name": "in", "zone": "yard", "title": "In the yard", "priority": 2}],
}
SIZE = {"width_px": 640, "height_px": 360}


def first_camera(browser: TestClient) -> str:
    return browser.get("/api/cameras").json()[0]["id"]


def test_a_supervisor_draws_and_everybody_with_cameras_reads(sign_in: SignIn, city: City) -> None:
    browser = sign_in(Role.SUPERVISOR)
    camera = first_camera(browser)
    empty = browser.get(f"/api/cameras/{camera}/scene").json()
    assert (empty["version"], empty["scene"]["rules"], empty["changed_by"]) == (0, [], None)
    answer = browser.put(f"/api/cameras/{camera}/scene", json={**SIZE, "version": 0, "scene": SCENE})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["version"], answer.json()["changed_by"]) == (1, "supervisor")
    reader = sign_in(Role.OPERATOR)
    found = reader.get(f"/api/cameras/{camera}/scene").json()
    assert found == answer.json()
    assert found["scene"]["rules"][0]["title"] == "In the yard"
    leaves = sign_in(Role.AUDITOR).get("/api/log").json()["leaves"]
    changed = next(leaf for leaf in leaves if leaf["type"] == "scene_changed")
    assert changed["body"]["camera"] == camera
    assert changed["body"]["actor"]["name"] == "supervisor"


def test_two_who_draw_at_once_do_not_overwrite_each_other(sign_in: SignIn) -> None:
    browser = sign_in(Role.SUPERVISOR)
    camera = first_camera(browser)
    assert browser.put(f"/api/cameras/{camera}/scene", json={**SIZE, "version": 0, "scene": SCENE}).status_code == 200
    late = sign_in(Role.ADMINISTRATOR).put(f"/api/cameras/{camera}/scene", json={**SIZE, "version": 0, "scene": {}})
    assert late.status_code == 409
    assert "supervisor has changed this scene" in late.json()["detail"]
    assert browser.get(f"/api/cameras/{camera}/scene").json()["version"] == 1


def test_an_operator_may_not_draw_and_a_refusal_changes_nothing(sign_in: SignIn) -> None:
    browser = sign_in(Role.OPERATOR)
    camera = first_camera(browser)
    refused = browser.put(f"/api/cameras/{camera}/scene", json={**SIZE, "version": 0, "scene": SCENE})
    assert refused.status_code == 403
    assert browser.get(f"/api/cameras/{camera}/scene").json()["version"] == 0


def test_scenes_that_do_not_hold_together_are_told_why(sign_in: SignIn) -> None:
    browser = sign_in(Role.SUPERVISOR)
    camera = first_camera(browser)
    wrong = {"rules": [{"kind": "line_crossing", "name": "x", "line": "nowhere"}], "lines": SCENE["lines"] * 2}
    answer = browser.put(f"/api/cameras/{camera}/scene", json={**SIZE, "version": 0, "scene": wrong})
    assert answer.status_code == 422 or answer.status_code == 400
    assert "nowhere" in answer.text
    assert "twice" in answer.text
    assert browser.put("/api/cameras/cam_none/scene", json={**SIZE, "version": 0, "scene": {}}).status_code == 404
    assert browser.get("/api/cameras/cam_none/scene").status_code == 404


def test_counts_are_summed_over_the_interval(sign_in: SignIn, city: City) -> None:
    browser = sign_in(Role.OPERATOR)
    camera = first_camera(browser)
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with city.parts.database.begin() as connection:
        for minute in range(5):
            counted = LineCounted(
                camera=camera,
                line="stop",
                from_at=noon + timedelta(minutes=minute),
                to_at=noon + timedelta(minutes=minute + 1),
                forward={"car": minute},
                backward={"bus": 1} if minute == 2 else {},
                model="motion",
            )
            assert store.state_count(connection, counted, source="analyser-1")
            assert not store.state_count(connection, counted, source="analyser-2")  # the same again is one
    window = {"from": (noon + timedelta(minutes=1)).isoformat(), "to": (noon + timedelta(minutes=4)).isoformat()}
    found = browser.get(f"/api/cameras/{camera}/counts", params=window).json()
    assert found["lines"] == [{"line": "stop", "forward": {"car": 6}, "backward": {"bus": 1}}]
    assert found["model"] == "motion"
    wrong = {"from": window["to"], "to": window["from"]}
    assert browser.get(f"/api/cameras/{camera}/counts", params=wrong).status_code in (400, 422)
    naive = {"from": "2026-03-01T12:00:00", "to": "2026-03-01T13:00:00"}
    assert browser.get(f"/api/cameras/{camera}/counts", params=naive).status_code in (400, 422)


def test_health_tells_of_analysers_and_of_silent_ones(sign_in: SignIn, city: City) -> None:
    now = city.parts.clock.now()
    status = {"model": "yolox-nano", "cameras": 7, "active": 2, "delay_s": 0.4, "dropped_frames": 3, "lost_packets": 1}
    with city.parts.database.begin() as connection:
        for slot, age_s in (("analyser-1", 0), ("analyser-2", 60)):
            seen = now - timedelta(seconds=age_s)
            row = AnalyserStatus(slot=slot, pid=42, started_at=seen, seen_at=seen, status=status)
            store.put_analyser_status(connection, row)
    analysers = sign_in(Role.TECHNICIAN).get("/api/health/detail").json()["analysers"]
    assert [(one["slot"], one["is_reporting"]) for one in analysers] == [("analyser-1", True), ("analyser-2", False)]
    first = analysers[0]
    assert (first["model"], first["cameras"], first["active"], first["delay_s"]) == ("yolox-nano", 7, 2, 0.4)
    assert first["dropped_frames"] == 4

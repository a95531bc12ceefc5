"""Units and cases over HTTP: the walk from a reported incident to its case, and who is refused."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from safecity.api.wire import CityState
from safecity.dispatch.model import UnitKind, UnitSpec
from safecity.events import read_facts
from safecity.events.dispatch import UnitChanged
from safecity.events.store import Stated
from safecity.incidents.service import NewReport
from safecity.oversight.model import Role
from safecity.platform.geometry import LonLat
from tests.api.conftest import City

SignIn = Callable[[Role], TestClient]


@pytest.fixture
def incident(city: City) -> str:
    """An incident at a camera, and two units near it."""
    role = Role.SUPERVISOR
    actor = city.parts.oversight.sign_in(role.value, city.passwords[role], console="10.0.0.9").session.actor
    camera = city.parts.sites.list_cameras(actor)[0].camera
    opened = city.parts.incidents.report(actor, NewReport(title="Two cars met", camera=camera.id))
    at = camera.position
    city.parts.dispatch.ensure_units(
        [
            UnitSpec(code=code, kind=UnitKind.POLICE, name=code, name_ur="", position=LonLat(at.lon + away, at.lat))
            for code, away in (("NEAR-1", 0.004), ("FAR-1", 0.03))
        ]
    )
    return opened.id


def test_a_unit_is_proposed_sent_and_cleared(sign_in: SignIn, incident: str) -> None:
    client = sign_in(Role.DISPATCHER)
    proposed = client.get(f"/api/incidents/{incident}/proposals").json()
    assert [(one["unit"]["code"], one["method"], one["is_stale"]) for one in proposed] == [
        ("NEAR-1", "straight_line", False),
        ("FAR-1", "straight_line", False),
    ]
    sent = client.post(f"/api/incidents/{incident}/assignments", json={"unit": proposed[0]["unit"]["id"]})
    assert sent.status_code == 201, sent.text
    [assignment] = sent.json()["assignments"]
    assert sent.json()["incident"]["stage"] == "unit_sent"
    assert assignment["sent_by"]["name"] == "dispatcher"
    again = client.post(f"/api/incidents/{incident}/assignments", json={"unit": proposed[0]["unit"]["id"]})
    assert again.status_code == 409
    assert "NEAR-1 is sent for incident" in again.json()["detail"]
    for step, stage in (("en_route", "en_route"), ("on_scene", "on_scene"), ("cleared", "cleared")):
        answer = client.post(f"/api/assignments/{assignment['id']}/steps", json={"step": step})
        assert answer.status_code == 200, answer.text
        assert answer.json()["incident"]["stage"] == stage
    [done] = answer.json()["assignments"]
    assert done["sent_at"] <= done["en_route_at"] <= done["on_scene_at"] <= done["cleared_at"]
    assert [unit["status"] for unit in client.get("/api/units").json()] == ["free", "free"]


def test_the_state_of_the_page_has_the_units_of_who_may_see_them(sign_in: SignIn, incident: str, city: City) -> None:
    state = CityState.model_validate(sign_in(Role.OPERATOR).get("/api/state").json())
    assert {unit.code for unit in state.units.values()} == {"NEAR-1", "FAR-1"}
    assert sign_in(Role.TECHNICIAN).get("/api/state").json()["units"] == {}


def test_state_and_facts_are_the_refetched_state(sign_in: SignIn, incident: str, city: City) -> None:
    client = sign_in(Role.DISPATCHER)
    page = CityState.model_validate(client.get("/api/state").json())
    units = dict(page.units)
    sent = client.post(f"/api/incidents/{incident}/assignments", json={"unit": "unit_near-1"}).json()
    client.post(f"/api/assignments/{sent['assignments'][0]['id']}/steps", json={"step": "en_route"})
    with city.parts.database.read() as connection:
        for one in read_facts(connection, after=page.cursor):
            if isinstance(one, Stated) and isinstance(one.fact, UnitChanged):
                units[one.fact.id] = one.fact
    assert units == CityState.model_validate(client.get("/api/state").json()).units


def test_an_incident_closes_into_a_case_that_is_found_and_closed(sign_in: SignIn, incident: str) -> None:
    client = sign_in(Role.SUPERVISOR)
    version = client.get(f"/api/incidents/{incident}").json()["incident"]["version"]
    body = {"incident": incident, "version": version, "fir_number": "123/26", "police_station": "City"}
    opened = client.post("/api/cases", json=body)
    assert opened.status_code == 201, opened.text
    case = opened.json()["case"]
    assert opened.json()["incident"]["outcome"] == "case"
    [clip] = opened.json()["clips"]
    assert clip["from"] < clip["to"]
    assert clip["held_segments"] == 0
    assert client.post("/api/cases", json=body).status_code == 409
    found = client.get("/api/cases", params={"search": "123/"}).json()
    assert [one["id"] for one in found["cases"]] == [case["id"]]
    assert found["before"] is None
    noted = client.post(f"/api/cases/{case['id']}/notes", json={"text": "seen by the court"})
    assert noted.status_code == 201
    at = f"/api/cases/{case['id']}"
    stale = {"version": 1, "fir_number": "124/26", "police_station": "City"}
    assert client.post(f"{at}/references", json=stale).status_code == 409
    right = {**stale, "version": noted.json()["case"]["version"]}
    corrected = client.post(f"{at}/references", json=right).json()["case"]
    closed = client.post(f"{at}/close", json={"version": corrected["version"], "outcome": "convicted"})
    assert closed.json()["case"]["state"] == "closed"
    assert [one["step"] for one in client.get(at).json()["steps"]] == [
        "opened",
        "held",
        "note",
        "references",
        "closed",
    ]


@pytest.mark.parametrize("role", list(Role))
def test_each_role_gets_its_own_of_units_and_cases(role: Role, sign_in: SignIn, incident: str) -> None:
    responds = {Role.OPERATOR, Role.DISPATCHER, Role.SUPERVISOR}
    wanted = {
        ("get", "/api/units"): responds,
        ("get", f"/api/incidents/{incident}/proposals"): responds,
        ("post", f"/api/incidents/{incident}/assignments"): {Role.DISPATCHER, Role.SUPERVISOR},
        ("get", "/api/cases"): {Role.INVESTIGATOR, Role.SUPERVISOR},
        ("post", "/api/cases"): {Role.DISPATCHER, Role.INVESTIGATOR, Role.SUPERVISOR},
    }
    bodies = {
        "assignments": {"unit": "unit_none"},
        "cases": {"incident": "inc_none", "version": 1, "fir_number": "1", "police_station": "x"},
    }
    client = sign_in(role)
    for (method, path), roles in wanted.items():
        body = bodies[path.rsplit("/", 1)[1]] if method == "post" else None
        answer = client.request(method, path, json=body)
        if role not in roles:
            assert answer.status_code == 403, f"{role} {path}"
        else:
            assert answer.status_code == (200 if method == "get" else 404), f"{role} {path}: {answer.text}"


@pytest.mark.parametrize("text", ["a\u0000b", "x" * 2001, ""])
def test_a_note_that_cannot_be_kept_is_refused(sign_in: SignIn, text: str) -> None:
    answer = sign_in(Role.SUPERVISOR).post("/api/cases/case_x/notes", json={"text": text})
    assert answer.status_code == 422

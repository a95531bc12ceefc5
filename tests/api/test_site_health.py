"""Links and cabinets over the API: who may look, and how a cabinet speaks."""

from collections.abc import Callable

from fastapi.testclient import TestClient

from safecity.oversight.model import Role
from safecity.platform.secrets import load_secret_box
from safecity.platform.settings import LinksSettings
from safecity.sites.cabinets.tokens import new_token
from safecity.sites.links.service import LinkBook
from safecity.sites.model import SiteId

from .conftest import City

SignIn = Callable[[Role], TestClient]
URL = "/api/cabinets/QTA-001"


def test_a_cabinet_speaks_with_its_own_token_only(client: TestClient, city: City, sign_in: SignIn) -> None:
    with city.parts.database.begin() as connection:
        token = new_token(connection, SiteId("site_qta-001"), now=city.parts.clock.now())
    bearer = {"authorization": f"Bearer {token}"}
    body = b'{"door_open": true, "temperature_c": 61}'
    assert client.post(URL, content=body).status_code == 403
    assert client.post(URL, content=body, headers={"authorization": "Bearer x"}).status_code == 403
    assert client.post("/api/cabinets/QTA-002", content=body, headers=bearer).status_code == 403
    assert client.post(URL, content=body, headers=bearer).status_code == 204
    # At once again: it must not flood us.
    assert client.post(URL, content=body, headers=bearer).status_code == 429
    told = sign_in(Role.TECHNICIAN).get("/api/health/cabinets").json()
    assert [(one["code"], one["kind"], one["word"], one["is_silent"]) for one in told] == [
        ("QTA-001", "door", "open", False),
        ("QTA-001", "temperature", "hot", False),
    ]


def test_a_cabinet_that_says_nonsense_is_told_so(client: TestClient, city: City) -> None:
    with city.parts.database.begin() as connection:
        token = new_token(connection, SiteId("site_qta-001"), now=city.parts.clock.now())
    bearer = {"authorization": f"Bearer {token}"}
    answer = client.post(URL, content=b"x" * 60_000, headers=bearer)
    assert (answer.status_code, answer.json()["code"]) == (422, "sites.cabinet_message")


def test_links_are_for_those_who_keep_the_system_running(city: City, sign_in: SignIn) -> None:
    book = LinkBook(
        city.parts.database,
        LinksSettings(endpoint="192.0.2.1:51820"),
        oversight=city.parts.oversight,
        clock=city.parts.clock,
        box=load_secret_box(city.parts.settings.platform.data_dir),
    )
    book.add("QTA-001", subnet=None, hub_public_key="A" * 42 + "E=")
    (link,) = sign_in(Role.TECHNICIAN).get("/api/health/links").json()
    assert (link["code"], link["health"], link["handshake_at"]) == ("QTA-001", "unknown", None)
    operator = sign_in(Role.OPERATOR)
    assert operator.get("/api/health/links").status_code == 403
    assert operator.get("/api/health/cabinets").status_code == 403

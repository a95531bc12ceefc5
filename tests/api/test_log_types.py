"""The auditor chooses among the types of leaves that the log holds; nobody else does."""

from collections.abc import Callable

from fastapi.testclient import TestClient

from safecity.oversight.model import Role


def test_the_types_are_listed_for_the_auditor_alone(sign_in: Callable[[Role], TestClient]) -> None:
    found = sign_in(Role.AUDITOR).get("/api/log/types")
    assert found.status_code == 200
    assert found.json() == sorted(found.json())
    assert {"sign_in", "demo_user_made"} <= set(found.json())
    assert sign_in(Role.OPERATOR).get("/api/log/types").status_code == 403
    assert "refused" in sign_in(Role.AUDITOR).get("/api/log/types").json()

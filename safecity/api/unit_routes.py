"""Units: who is where, who is nearest, who is sent."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from safecity.api.parts import WebParts
from safecity.api.wire_response import AssignmentStep, IncidentDetail, Proposal, SendUnit
from safecity.events.dispatch import UnitChanged
from safecity.platform.errors import Unavailable

Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
Limit = Annotated[int, Query(ge=1, le=200)]
Before = Annotated[str | None, Query(max_length=64)]


def unit_router(parts: WebParts) -> APIRouter:
    """`/api/units`, proposals and assignments."""
    router = APIRouter(prefix="/api", tags=["dispatch"])
    del parts

    @router.get("/units")
    def units(request: Request) -> list[UnitChanged]:  # pyright: ignore[reportUnusedFunction]
        """Every unit with its position and status."""
        raise Unavailable("not served yet", code="api.not_yet")

    @router.get("/incidents/{incident_id}/proposals")
    def proposals(incident_id: Id, request: Request) -> list[Proposal]:  # pyright: ignore[reportUnusedFunction]
        """The nearest free units by straight line, nearest first."""
        raise Unavailable("not served yet", code="api.not_yet")

    @router.post("/incidents/{incident_id}/assignments", status_code=201)
    def send(incident_id: Id, body: SendUnit, request: Request) -> IncidentDetail:  # pyright: ignore[reportUnusedFunction]
        """Send a unit to an incident."""
        raise Unavailable("not served yet", code="api.not_yet")

    @router.post("/assignments/{assignment_id}/steps")
    def step(assignment_id: Id, body: AssignmentStep, request: Request) -> IncidentDetail:  # pyright: ignore[reportUnusedFunction]
        """A unit is en route, on scene, cleared or called back."""
        raise Unavailable("not served yet", code="api.not_yet")

    return router

"""Incidents: what alerts become once a person has confirmed them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request

from safecity.api.parts import WebParts
from safecity.api.wire_response import CloseIncident, IncidentDetail, IncidentPage, NewIncident, NewNote
from safecity.platform.errors import Unavailable

Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
Limit = Annotated[int, Query(ge=1, le=200)]
Before = Annotated[str | None, Query(max_length=64)]


def incident_router(parts: WebParts) -> APIRouter:
    """`/api/incidents`."""
    router = APIRouter(prefix="/api", tags=["incidents"])
    del parts

    @router.get("/incidents")
    def incidents(
        request: Request, state: Literal["open", "closed"] = "open", before: Before = None, limit: Limit = 50
    ) -> IncidentPage:  # pyright: ignore[reportUnusedFunction]
        """Incidents, newest first."""
        raise Unavailable("not served yet", code="api.not_yet")

    @router.post("/incidents", status_code=201)
    def report(body: NewIncident, request: Request) -> IncidentDetail:  # pyright: ignore[reportUnusedFunction]
        """Open an incident that a person reports."""
        raise Unavailable("not served yet", code="api.not_yet")

    @router.get("/incidents/{incident_id}")
    def incident(incident_id: Id, request: Request) -> IncidentDetail:  # pyright: ignore[reportUnusedFunction]
        """One incident with its timeline, alerts, cameras around it and units."""
        raise Unavailable("not served yet", code="api.not_yet")

    @router.post("/incidents/{incident_id}/notes", status_code=201)
    def note(incident_id: Id, body: NewNote, request: Request) -> IncidentDetail:  # pyright: ignore[reportUnusedFunction]
        """Write a line into the timeline."""
        raise Unavailable("not served yet", code="api.not_yet")

    @router.post("/incidents/{incident_id}/close")
    def close(incident_id: Id, body: CloseIncident, request: Request) -> IncidentDetail:  # pyright: ignore[reportUnusedFunction]
        """Close an incident without a case."""
        raise Unavailable("not served yet", code="api.not_yet")

    return router

"""Incidents: what alerts become once a person has confirmed them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request

from safecity.api.incident_views import incident_detail
from safecity.api.parts import WebParts
from safecity.api.sessions import get_session
from safecity.api.wire_response import CloseIncident, IncidentDetail, IncidentPage, NewIncident, NewNote
from safecity.incidents.model import IncidentId
from safecity.incidents.opening import NewReport
from safecity.incidents.steps import incident_fact
from safecity.oversight.model import Actor
from safecity.platform.errors import Invalid
from safecity.platform.geometry import LonLat

Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
Limit = Annotated[int, Query(ge=1, le=200)]
Before = Annotated[str | None, Query(max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]


def incident_router(parts: WebParts) -> APIRouter:
    """`/api/incidents`."""
    router = APIRouter(prefix="/api", tags=["incidents"])

    def actor_of(request: Request) -> Actor:
        return get_session(parts.oversight, request).actor

    @router.get("/incidents")
    def incidents(
        request: Request, state: Literal["open", "closed"] = "open", before: Before = None, limit: Limit = 50
    ) -> IncidentPage:  # pyright: ignore[reportUnusedFunction]
        """Incidents, newest first."""
        found = parts.incidents.list_incidents(actor_of(request), is_open=state == "open", before=before, limit=limit)
        return IncidentPage(
            incidents=tuple(incident_fact(one) for one in found), before=found[-1].id if len(found) == limit else None
        )

    @router.post("/incidents", status_code=201)
    def report(body: NewIncident, request: Request) -> IncidentDetail:  # pyright: ignore[reportUnusedFunction]
        """Open an incident that a person reports."""
        actor = actor_of(request)
        opened = parts.incidents.report(actor, _report_of(body))
        return incident_detail(parts, actor, incident_id=opened.id)

    @router.get("/incidents/{incident_id}")
    def incident(incident_id: Id, request: Request) -> IncidentDetail:  # pyright: ignore[reportUnusedFunction]
        """One incident with its timeline, alerts, cameras around it and units."""
        return incident_detail(parts, actor_of(request), incident_id=IncidentId(incident_id))

    @router.post("/incidents/{incident_id}/notes", status_code=201)
    def note(incident_id: Id, body: NewNote, request: Request) -> IncidentDetail:  # pyright: ignore[reportUnusedFunction]
        """Write a line into the timeline."""
        actor = actor_of(request)
        parts.incidents.write_note(actor, incident_id, text=body.text)
        return incident_detail(parts, actor, incident_id=IncidentId(incident_id))

    @router.post("/incidents/{incident_id}/close")
    def close(incident_id: Id, body: CloseIncident, request: Request) -> IncidentDetail:  # pyright: ignore[reportUnusedFunction]
        """Close an incident without a case."""
        actor = actor_of(request)
        parts.incidents.close(actor, incident_id, version=body.version, outcome=body.outcome, note=body.note)
        return incident_detail(parts, actor, incident_id=IncidentId(incident_id))

    return router


def _report_of(body: NewIncident) -> NewReport:
    if (body.lon is None) != (body.lat is None):
        raise Invalid("A place needs both longitude and latitude.", code="incidents.no_place")
    position = None if body.lon is None or body.lat is None else LonLat(body.lon, body.lat)
    return NewReport(title=body.title, priority=body.priority, camera=body.camera, position=position, note=body.note)

"""Units: who is where, who is nearest, who is sent."""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from safecity.api.incident_views import incident_detail
from safecity.api.parts import WebParts
from safecity.api.sessions import get_session
from safecity.api.wire_response import AssignmentStep, IncidentDetail, Proposal, SendUnit
from safecity.dispatch.model import AssignmentId, AssignmentState, UnitId
from safecity.dispatch.service import describe
from safecity.events.dispatch import UnitChanged
from safecity.incidents.model import IncidentId

Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]


def unit_router(parts: WebParts) -> APIRouter:
    """`/api/units`, proposals and assignments."""
    router = APIRouter(prefix="/api", tags=["dispatch"])

    @router.get("/units")
    def units(request: Request) -> list[UnitChanged]:  # pyright: ignore[reportUnusedFunction]
        """Every unit with its position and status."""
        return parts.dispatch.list_units(get_session(parts.oversight, request).actor)

    @router.get("/incidents/{incident_id}/proposals")
    def proposals(incident_id: Id, request: Request) -> list[Proposal]:  # pyright: ignore[reportUnusedFunction]
        """The nearest free units by straight line, nearest first."""
        actor = get_session(parts.oversight, request).actor
        return [
            Proposal(
                unit=describe(one.unit),
                distance_m=one.distance_m,
                bearing_deg=one.bearing_deg,
                method="straight_line",
                fix_age_s=one.fix_age_s,
                is_stale=one.is_stale,
            )
            for one in parts.dispatch.proposals(actor, IncidentId(incident_id))
        ]

    @router.post("/incidents/{incident_id}/assignments", status_code=201)
    def send(incident_id: Id, body: SendUnit, request: Request) -> IncidentDetail:  # pyright: ignore[reportUnusedFunction]
        """Send a unit to an incident."""
        actor = get_session(parts.oversight, request).actor
        parts.dispatch.send(actor, IncidentId(incident_id), unit=UnitId(body.unit))
        return incident_detail(parts, actor, incident_id=IncidentId(incident_id))

    @router.post("/assignments/{assignment_id}/steps")
    def step(assignment_id: Id, body: AssignmentStep, request: Request) -> IncidentDetail:  # pyright: ignore[reportUnusedFunction]
        """A unit is en route, on scene, cleared or called back."""
        actor = get_session(parts.oversight, request).actor
        incident = parts.dispatch.step(
            actor, AssignmentId(assignment_id), to=AssignmentState(body.step), note=body.note
        )
        return incident_detail(parts, actor, incident_id=incident)

    return router

"""An incident with its units: composed here, because incidents know nothing of dispatch."""

from safecity.api.parts import WebParts
from safecity.api.wire_response import AssignmentView, IncidentDetail, NearCamera, StepView
from safecity.dispatch.model import Assignment, AssignmentState
from safecity.events.incidents import Person
from safecity.incidents.model import IncidentId
from safecity.incidents.steps import alert_fact, incident_fact
from safecity.oversight.model import Actor


def incident_detail(parts: WebParts, actor: Actor, *, incident_id: IncidentId) -> IncidentDetail:
    """An incident with everything around it. Raises Denied and NotFound."""
    found = parts.incidents.detail(actor, incident_id)
    return IncidentDetail(
        incident=incident_fact(found.incident),
        steps=tuple(
            StepView(at=line.at, step=line.step, by=line.by, note=line.note, detail=dict(line.detail))
            for line in found.lines
        ),
        alerts=tuple(alert_fact(alert) for alert in found.alerts),
        cameras=tuple(NearCamera(camera=one.camera, distance_m=one.distance_m) for one in found.cameras),
        assignments=assignment_views(parts, incident_id),
    )


def assignment_views(parts: WebParts, incident_id: IncidentId) -> tuple[AssignmentView, ...]:
    """Who was sent to an incident, oldest first; for a route that has asked oversight for the incident."""
    with parts.database.read() as connection:
        found = parts.dispatch.assignments_of(connection, incident_id)
    return tuple(_view(assignment, code) for assignment, code in found)


def _view(assignment: Assignment, code: str) -> AssignmentView:
    is_cleared = assignment.state is AssignmentState.CLEARED
    return AssignmentView(
        id=assignment.id,
        unit=assignment.unit,
        code=code,
        sent_at=assignment.sent_at,
        sent_by=Person(user=assignment.sent_by, name=assignment.sent_by_name),
        distance_m=assignment.distance_m,
        en_route_at=assignment.en_route_at,
        on_scene_at=assignment.on_scene_at,
        cleared_at=assignment.ended_at if is_cleared else None,
        is_cancelled=assignment.state is AssignmentState.CANCELLED,
    )

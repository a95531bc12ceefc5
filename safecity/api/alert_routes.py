"""The one queue: alerts and the steps of handling them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request

from safecity.api.parts import WebParts
from safecity.api.sessions import get_session
from safecity.api.wire_response import AlertDetail, AlertPage, AlertStep, AlertStepDone, StepView
from safecity.incidents import service
from safecity.incidents.steps import alert_fact
from safecity.oversight.model import Actor

Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
Limit = Annotated[int, Query(ge=1, le=200)]
Before = Annotated[str | None, Query(max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
CameraName = Annotated[str | None, Query(max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]


def alert_router(parts: WebParts) -> APIRouter:
    """`/api/alerts`."""
    router = APIRouter(prefix="/api", tags=["alerts"])

    def actor_of(request: Request) -> Actor:
        return get_session(parts.oversight, request).actor

    @router.get("/alerts")
    def alerts(
        request: Request,
        state: Literal["open", "decided"] = "open",
        camera: CameraName = None,
        before: Before = None,
        limit: Limit = 50,
    ) -> AlertPage:  # pyright: ignore[reportUnusedFunction]
        """Open alerts in the order of the queue, or decided ones, newest first."""
        found = parts.incidents.list_alerts(
            actor_of(request), is_open=state == "open", camera=camera, before=before, limit=limit
        )
        return AlertPage(
            alerts=tuple(alert_fact(alert) for alert in found), before=found[-1].id if len(found) == limit else None
        )

    @router.get("/alerts/{alert_id}")
    def alert(alert_id: Id, request: Request) -> AlertDetail:  # pyright: ignore[reportUnusedFunction]
        """One alert with its history."""
        found = parts.incidents.get_alert(actor_of(request), alert_id)
        steps = tuple(
            StepView(at=line.at, step=line.step, by=line.by, note=line.note, detail=dict(line.detail))
            for line in found.lines
        )
        return AlertDetail(alert=alert_fact(found.alert), steps=steps)

    @router.post("/alerts/{alert_id}/steps")
    def step(alert_id: Id, body: AlertStep, request: Request) -> AlertStepDone:  # pyright: ignore[reportUnusedFunction]
        """Acknowledge, release, escalate, confirm or close an alert."""
        asked = service.AlertStep(step=body.step, version=body.version, reason=body.reason, note=body.note)
        after = parts.incidents.step(actor_of(request), alert_id, step=asked)
        return AlertStepDone(alert=alert_fact(after), incident=after.incident)

    return router

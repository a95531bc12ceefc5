"""The one queue: alerts and the steps of handling them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request

from safecity.api.parts import WebParts
from safecity.api.wire_response import AlertDetail, AlertPage, AlertStep, AlertStepDone
from safecity.platform.errors import Unavailable

Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
Limit = Annotated[int, Query(ge=1, le=200)]
Before = Annotated[str | None, Query(max_length=64)]


def alert_router(parts: WebParts) -> APIRouter:
    """`/api/alerts`."""
    router = APIRouter(prefix="/api", tags=["alerts"])
    del parts

    @router.get("/alerts")
    def alerts(
        request: Request,
        state: Literal["open", "decided"] = "open",
        camera: Annotated[str | None, Query(max_length=64)] = None,
        before: Before = None,
        limit: Limit = 50,
    ) -> AlertPage:  # pyright: ignore[reportUnusedFunction]
        """Open alerts in the order of the queue, or decided ones, newest first."""
        raise Unavailable("not served yet", code="api.not_yet")

    @router.get("/alerts/{alert_id}")
    def alert(alert_id: Id, request: Request) -> AlertDetail:  # pyright: ignore[reportUnusedFunction]
        """One alert with its history."""
        raise Unavailable("not served yet", code="api.not_yet")

    @router.post("/alerts/{alert_id}/steps")
    def step(alert_id: Id, body: AlertStep, request: Request) -> AlertStepDone:  # pyright: ignore[reportUnusedFunction]
        """Acknowledge, release, escalate, confirm or close an alert."""
        raise Unavailable("not served yet", code="api.not_yet")

    return router

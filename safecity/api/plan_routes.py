"""What a city of some size needs."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from safecity.api.parts import WebParts
from safecity.api.wire_scene import PlanView
from safecity.platform.errors import Unavailable

Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
Limit = Annotated[int, Query(ge=1, le=200)]
Before = Annotated[str | None, Query(max_length=64)]


def plan_router(parts: WebParts) -> APIRouter:
    """`/api/plan`."""
    router = APIRouter(prefix="/api", tags=["health"])
    del parts

    @router.get("/plan")
    def plan(
        request: Request,
        cameras: Annotated[int, Query(ge=1, le=100_000)] = 1400,
        mbit: Annotated[float, Query(gt=0, le=100)] = 4.0,
        days: Annotated[float, Query(gt=0, le=3650)] = 30.0,
    ) -> PlanView:  # pyright: ignore[reportUnusedFunction]
        """Disks, network, cores, what a power loss costs, and what drives the cost."""
        raise Unavailable("not served yet", code="api.not_yet")

    return router

"""What a city of some size needs."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from safecity.api.parts import WebParts
from safecity.api.sessions import get_session
from safecity.api.wire_scene import PlanLine, PlanView
from safecity.oversight.model import Act, Resource
from safecity.video.plan import MAX_CAMERAS, MAX_DAYS, MAX_MBIT, CityPlan, plan_city


def render_plan(plan: CityPlan) -> PlanView:
    """The plan as it goes over the wire, and out of `safecity plan --json`."""
    return PlanView(
        cameras=plan.cameras,
        mbit=plan.mbit,
        days=plan.days,
        lines=tuple(
            PlanLine(key=line.key, value=line.value, unit=line.unit, formula=line.formula) for line in plan.lines
        ),
        notes=plan.notes,
    )


def plan_router(parts: WebParts) -> APIRouter:
    """`/api/plan`."""
    router = APIRouter(prefix="/api", tags=["health"])
    video = parts.settings.video

    @router.get("/plan")
    def plan(
        request: Request,
        cameras: Annotated[int, Query(ge=1, le=MAX_CAMERAS)] = 1400,
        mbit: Annotated[float, Query(gt=0, le=MAX_MBIT)] = 4.0,
        days: Annotated[float, Query(gt=0, le=MAX_DAYS)] = 30.0,
    ) -> PlanView:  # pyright: ignore[reportUnusedFunction]
        """Disks, network, cores, what a power loss costs, and what drives the cost."""
        actor = get_session(parts.oversight, request).actor
        parts.oversight.require(actor, Act.VIEW_HEALTH, Resource.city())
        return render_plan(
            plan_city(cameras, mbit=mbit, days=days, fragment_s=video.fragment_s, segment_s=video.segment_s)
        )

    return router

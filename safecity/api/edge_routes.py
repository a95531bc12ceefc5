"""The edges on the health page: last contact, what waits at them, what is still to come."""

from datetime import timedelta
from typing import Literal, cast

from fastapi import APIRouter, Request
from pydantic import Field

from safecity.api.parts import WebParts
from safecity.api.sessions import get_session
from safecity.api.wire import Instant, Wire
from safecity.oversight.model import Act, Resource
from safecity.video.edge.model import Edge, EdgeState
from safecity.video.edge.register import list_edges

SILENT_AFTER = timedelta(seconds=15)


class EdgeHealth(Wire):
    """One edge as it last said it was."""

    id: str
    site: str
    state: Literal["waiting", "connected", "silent"] = Field(description="waiting: it has not enrolled yet")
    seen_at: Instant | None = Field(description="its last contact")
    facts_waiting: int = Field(description="facts of its outbox that the centre had not committed then")
    backfill_left_s: float = Field(description="seconds of recordings that it still has to send")
    backfill_eta_s: float | None = Field(description="how long that takes at the rate of then; null: not known")
    live_streams: int
    live_backlog_s: float = Field(description="how long its oldest live picture waited for the link")
    clock_offset_s: float | None = Field(description="the centre's clock less its own")


def edge_router(parts: WebParts) -> APIRouter:
    """`/api/health/edges`."""
    router = APIRouter(prefix="/api/health", tags=["health"])

    @router.get("/edges")
    def edges(request: Request) -> tuple[EdgeHealth, ...]:  # pyright: ignore[reportUnusedFunction]
        """The edges that are not revoked."""
        actor = get_session(parts.oversight, request).actor
        parts.oversight.require(actor, Act.VIEW_HEALTH, Resource.city())
        with parts.database.read() as connection:
            found = list_edges(connection)
        return tuple(_render(one, parts) for one in found if one.state is not EdgeState.REVOKED)

    return router


def _render(edge: Edge, parts: WebParts) -> EdgeHealth:
    said = edge.status
    outbox, backfill, live = (_part(said, name) for name in ("outbox", "backfill", "live"))
    is_silent = edge.seen_at is None or parts.clock.now() - edge.seen_at > SILENT_AFTER
    eta, offset = backfill.get("eta_s"), said.get("offset_us")
    return EdgeHealth(
        id=edge.id,
        site=edge.site,
        state="waiting" if edge.state is EdgeState.WAITING else "silent" if is_silent else "connected",
        seen_at=edge.seen_at,
        facts_waiting=int(_number(outbox, "depth")),
        backfill_left_s=_number(backfill, "left_s"),
        backfill_eta_s=float(eta) if isinstance(eta, int | float) else None,
        live_streams=int(_number(live, "streams")),
        live_backlog_s=_number(live, "backlog_s"),
        clock_offset_s=offset / 1e6 if isinstance(offset, int) else None,
    )


def _part(said: dict[str, object], name: str) -> dict[str, object]:
    found = said.get(name)
    return cast("dict[str, object]", found) if isinstance(found, dict) else {}


def _number(said: dict[str, object], name: str) -> float:
    found = said.get(name)
    return float(found) if isinstance(found, int | float) else 0.0

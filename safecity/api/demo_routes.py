"""The demo's door and its faults; served only where virtual cameras run on this machine."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from safecity.api.parts import WebParts
from safecity.api.wire import SessionView
from safecity.api.wire_scene import DemoCard, DemoEnter, DemoFault, DemoFaultDone
from safecity.platform.errors import Unavailable

Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
Limit = Annotated[int, Query(ge=1, le=200)]
Before = Annotated[str | None, Query(max_length=64)]


def demo_router(parts: WebParts) -> APIRouter:
    """`/api/demo`."""
    router = APIRouter(prefix="/api", tags=["demo"])
    del parts

    @router.get("/demo/cards")
    def cards(request: Request) -> list[DemoCard]:  # pyright: ignore[reportUnusedFunction]
        """The roles at the door."""
        raise Unavailable("not served yet", code="api.not_yet")

    @router.post("/demo/session")
    def enter(body: DemoEnter, request: Request) -> SessionView:  # pyright: ignore[reportUnusedFunction]
        """Sign in as that role, without typing."""
        raise Unavailable("not served yet", code="api.not_yet")

    @router.post("/demo/faults")
    def fault(body: DemoFault, request: Request) -> DemoFaultDone:  # pyright: ignore[reportUnusedFunction]
        """Cut a camera, mend it, or kill the recorder that holds it."""
        raise Unavailable("not served yet", code="api.not_yet")

    return router

"""What is drawn on a camera's picture, and what was counted there."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from safecity.api.parts import WebParts
from safecity.api.wire_scene import CameraScene, CountsView, NewScene
from safecity.platform.errors import Unavailable

Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
Limit = Annotated[int, Query(ge=1, le=200)]
Before = Annotated[str | None, Query(max_length=64)]


def scene_router(parts: WebParts) -> APIRouter:
    """`/api/cameras/{camera}/scene` and `/counts`."""
    router = APIRouter(prefix="/api", tags=["analytics"])
    del parts

    @router.get("/cameras/{camera_id}/scene")
    def scene(camera_id: Id, request: Request) -> CameraScene:  # pyright: ignore[reportUnusedFunction]
        """Lines, zones and rules of a camera."""
        raise Unavailable("not served yet", code="api.not_yet")

    @router.put("/cameras/{camera_id}/scene")
    def draw(camera_id: Id, body: NewScene, request: Request) -> CameraScene:  # pyright: ignore[reportUnusedFunction]
        """Replace them; analysers take them up within seconds."""
        raise Unavailable("not served yet", code="api.not_yet")

    @router.get("/cameras/{camera_id}/counts")
    def counts(
        camera_id: Id,
        request: Request,
        start: Annotated[datetime, Query(alias="from")],
        end: Annotated[datetime, Query(alias="to")],
    ) -> CountsView:  # pyright: ignore[reportUnusedFunction]
        """What crossed each line in an interval."""
        raise Unavailable("not served yet", code="api.not_yet")

    return router

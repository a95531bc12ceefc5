"""What is drawn on a camera's picture, and what was counted there."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from safecity.analytics.scenes_service import SceneChange
from safecity.analytics.store import StoredScene
from safecity.api.parts import WebParts
from safecity.api.sessions import get_session
from safecity.api.wire_scene import CameraScene, CountsView, LineCount, NewScene
from safecity.oversight.model import Actor
from safecity.platform.errors import Invalid
from safecity.sites.model import CameraId

Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
FromInstant = Annotated[datetime, Query(alias="from", description="Start, RFC 3339 with a time zone.")]
ToInstant = Annotated[datetime, Query(alias="to", description="End, RFC 3339 with a time zone.")]


def scene_router(parts: WebParts) -> APIRouter:
    """`/api/cameras/{camera}/scene` and `/counts`."""
    router = APIRouter(prefix="/api", tags=["analytics"])

    def actor_of(request: Request) -> Actor:
        return get_session(parts.oversight, request).actor

    @router.get("/cameras/{camera_id}/scene")
    def scene(camera_id: Id, request: Request) -> CameraScene:  # pyright: ignore[reportUnusedFunction]
        """Lines, zones and rules of a camera."""
        return render_scene(parts.scenes.get_scene(actor_of(request), CameraId(camera_id)))

    @router.put("/cameras/{camera_id}/scene")
    def draw(camera_id: Id, body: NewScene, request: Request) -> CameraScene:  # pyright: ignore[reportUnusedFunction]
        """Replace them; analysers take them up within seconds."""
        change = SceneChange(width_px=body.width_px, height_px=body.height_px, version=body.version, scene=body.scene)
        return render_scene(parts.scenes.set_scene(actor_of(request), CameraId(camera_id), change=change))

    @router.get("/cameras/{camera_id}/counts")
    def counts(camera_id: Id, request: Request, start: FromInstant, end: ToInstant) -> CountsView:  # pyright: ignore[reportUnusedFunction]
        """What crossed each line in an interval."""
        actor = actor_of(request)
        if start.tzinfo is None or end.tzinfo is None:
            raise Invalid("say from and to with a time zone, such as 2026-01-31T10:00:00Z", code="counts.no_zone")
        found = parts.scenes.counts(actor, CameraId(camera_id), from_at=start, to_at=end)
        return CountsView(
            camera=camera_id,
            from_=start,
            to=end,
            lines=tuple(
                LineCount(line=one.line, forward=dict(one.forward), backward=dict(one.backward)) for one in found.lines
            ),
            model=", ".join(found.models),
        )

    return router


def render_scene(stored: StoredScene) -> CameraScene:
    """A scene as the page reads it."""
    return CameraScene(
        camera=stored.camera,
        width_px=stored.width_px,
        height_px=stored.height_px,
        version=stored.version,
        scene=stored.scene,
        changed_at=stored.changed_at,
        changed_by=stored.changed_by,
    )

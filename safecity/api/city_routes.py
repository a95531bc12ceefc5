"""The registry as the page sees it: sites, cameras, the map, and what is recorded of each camera."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from safecity.api.parts import WebParts
from safecity.api.sessions import get_session
from safecity.api.wire import CameraDetail, CameraView, ShapeView, SiteView
from safecity.api.wire_timeline import MissingView, RecoveredView, SpanView, TimelineView
from safecity.oversight.model import Actor
from safecity.platform.errors import Invalid
from safecity.sites.model import Camera, CameraId, EffectiveState, Line, Picture, Zone
from safecity.video.model import Origin
from safecity.video.store import read_timeline

TIMELINE_LONGEST = timedelta(days=124)  # the page asks for a month in sight with what lies beside it

CameraName = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
FromInstant = Annotated[datetime, Query(alias="from", description="Start, RFC 3339 with a time zone.")]
ToInstant = Annotated[datetime, Query(alias="to", description="End, RFC 3339 with a time zone.")]


def city_router(parts: WebParts) -> APIRouter:
    """`/api/sites`, `/api/cameras` and `/api/map`."""
    router = APIRouter(prefix="/api", tags=["city"])

    def actor_of(request: Request) -> Actor:
        return get_session(parts.oversight, request).actor

    @router.get("/sites")
    def sites(request: Request) -> list[SiteView]:  # pyright: ignore[reportUnusedFunction]
        """Every site in use, with its cameras."""
        return [
            SiteView(
                id=item.site.id,
                name=item.site.name,
                name_ur=item.site.name_ur,
                district=item.site.district,
                lon=item.site.position.lon,
                lat=item.site.position.lat,
                cameras=item.cameras,
            )
            for item in parts.sites.list_sites(actor_of(request))
        ]

    @router.get("/cameras")
    def cameras(request: Request) -> list[CameraView]:  # pyright: ignore[reportUnusedFunction]
        """Every camera in use, with its state."""
        listed = parts.sites.list_cameras(actor_of(request))
        return [CameraView.model_validate(render_camera(item.camera, item.state)) for item in listed]

    @router.get("/cameras/{camera_id}")
    def camera(camera_id: CameraName, request: Request) -> CameraDetail:  # pyright: ignore[reportUnusedFunction]
        """One camera, with the lines and zones drawn on its picture."""
        found = parts.sites.get_camera(actor_of(request), CameraId(camera_id))
        shapes = {
            "lines": [render_shape(item, item.picture) for item in found.lines if item.picture],
            "zones": [render_shape(item, item.picture) for item in found.zones if item.picture],
        }
        return CameraDetail.model_validate(
            {**render_camera(found.camera, found.state), **shapes, "streams": found.streams}
        )

    @router.get("/map")
    def city_map(request: Request) -> dict[str, object]:  # pyright: ignore[reportUnusedFunction]
        """The map under the cameras as GeoJSON, with the note that must be shown on it."""
        return parts.sites.map_features(actor_of(request))

    return router


def timeline_router(parts: WebParts) -> APIRouter:
    """`/api/cameras/{camera}/timeline`."""
    router = APIRouter(prefix="/api", tags=["city"])

    @router.get("/cameras/{camera_id}/timeline")
    def timeline(camera_id: CameraName, start: FromInstant, end: ToInstant, request: Request) -> TimelineView:  # pyright: ignore[reportUnusedFunction]
        """What of a camera is recorded in an interval, and what is missing and why."""
        actor = get_session(parts.oversight, request).actor
        if start.tzinfo is None or end.tzinfo is None:
            raise Invalid("Give both times with a time zone, such as 2026-01-31T10:00:00Z.", code="api.naive_time")
        if not timedelta() < end - start <= TIMELINE_LONGEST:
            raise Invalid("Ask for an interval of at most 124 days that ends after it begins.", code="api.interval")
        parts.sites.get_camera(actor, CameraId(camera_id))
        with parts.database.read() as connection:
            found = read_timeline(connection, CameraId(camera_id), from_at=start, to_at=end, now=parts.clock.now())
        return TimelineView(
            recorded=tuple(SpanView(from_=span.from_at, to=span.to_at) for span in found.recorded),
            recovered=tuple(
                RecoveredView(
                    from_=span.from_at, to=span.to_at, source="card" if span.origin is Origin.CARD else "edge"
                )
                for span in found.recovered
            ),
            missing=tuple(MissingView(from_=gap.from_at, to=gap.to_at, cause=gap.cause) for gap in found.missing),
            settled_until=found.settled_until,
        )

    return router


def render_camera(camera: Camera, state: EffectiveState) -> dict[str, object]:
    """A camera as a wire model's fields; its address stays inside."""
    return {
        "id": camera.id,
        "code": camera.code,
        "site": camera.site,
        "name": camera.name,
        "name_ur": camera.name_ur,
        "lon": camera.position.lon,
        "lat": camera.position.lat,
        "bearing_deg": camera.bearing_deg,
        "fov_deg": camera.fov_deg,
        "range_m": camera.range_m,
        "gate": camera.gate,
        "state": state.state.value,
        "since": state.since,
        "cause": state.cause.value if state.cause else None,
    }


def render_shape(shape: Line | Zone, picture: Picture) -> ShapeView:
    """A line or zone on a camera's picture."""
    return ShapeView(
        code=shape.code,
        name=shape.name,
        name_ur=shape.name_ur,
        width_px=picture.width_px,
        height_px=picture.height_px,
        points=tuple((point.x_px, point.y_px) for point in picture.points),
    )

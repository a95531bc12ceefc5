"""Cameras that turn: what their heads can, where they look, and orders to them."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from safecity.api.city_routes import CameraName
from safecity.api.parts import WebParts
from safecity.api.sessions import get_session
from safecity.api.wire import Instant, Wire
from safecity.oversight.model import Act, Actor, Resource
from safecity.platform.errors import Exhausted, Invalid
from safecity.sites.model import CameraId
from safecity.video.onvif.aim import Box, Position
from safecity.video.onvif.steering import HeadNow, Order
from safecity.video.onvif.store import list_devices

PLAIN_TEXT = r"^[^\x00-\x1f\x7f]*$"
ASKED_AT_ONCE = 8  # a camera that is gone holds a thread for seconds; others must still be served
Share = Annotated[float, Field(ge=0, le=1)]
Speed = Annotated[float, Field(ge=-1, le=1)]


class PresetView(Wire):
    """A place that a head knows by name."""

    token: str
    name: str


class HeadView(Wire):
    """Where a head looks, in shares of its ranges: pan from left to right, tilt from below to above."""

    pan: float | None
    tilt: float | None
    zoom: float | None
    is_moving: bool | None
    presets: tuple[PresetView, ...]
    steered_until: Instant | None
    """Until when somebody steers it; nobody else may meanwhile."""
    is_mine: bool
    """Whether that is the person who asks."""


class BoxAsk(Wire):
    """A part of the picture, in shares of it: x to the right, y down."""

    x: Share
    y: Share
    width: Share
    height: Share


class RunAsk(Wire):
    """How fast it turns and zooms until told to stop, and for five seconds at most."""

    pan: Speed = 0.0
    tilt: Speed = 0.0
    zoom: Speed = 0.0


class HeadAsk(Wire):
    """One thing that a head is to do, with what its kind needs."""

    order: Literal["preset", "box", "zoom", "run", "stop", "home", "remember"]
    preset: str = Field(default="", max_length=80, pattern=PLAIN_TEXT, description="Token, name or number.")
    box: BoxAsk | None = None
    zoom: Share | None = None
    run: RunAsk | None = None


def head_router(parts: WebParts) -> APIRouter:
    """`/api/heads` and `/api/cameras/{camera}/head`."""
    router = APIRouter(prefix="/api", tags=["heads"])
    turns = threading.BoundedSemaphore(ASKED_AT_ONCE)

    def actor_of(request: Request) -> Actor:
        return get_session(parts.oversight, request).actor

    @router.get("/heads")
    def heads(request: Request) -> tuple[str, ...]:  # pyright: ignore[reportUnusedFunction]
        """Which cameras turn."""
        parts.oversight.require(actor_of(request), Act.LIST_CAMERAS, Resource.city())
        with parts.database.read() as connection:
            return tuple(one.camera for one in list_devices(connection) if one.has_ptz)

    @router.get("/cameras/{camera_id}/head")
    def head(camera_id: CameraName, request: Request) -> HeadView:  # pyright: ignore[reportUnusedFunction]
        """Where a camera looks, its presets, and who steers it; the camera is asked."""
        actor = actor_of(request)
        with _turn(turns):
            return _render(parts.steering.show(actor, CameraId(camera_id)), actor)

    @router.post("/cameras/{camera_id}/head", status_code=204)
    def order(camera_id: CameraName, asked: HeadAsk, request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        """Turn or zoom a camera: granted, one person at a time, each order a leaf of the log."""
        actor, one = actor_of(request), _order(asked)
        with _turn(turns):
            parts.steering.move(actor, CameraId(camera_id), order=one)
        return Response(status_code=204)

    @router.delete("/cameras/{camera_id}/head", status_code=204)
    def let_go(camera_id: CameraName, request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        """Steer no longer, so that somebody else can."""
        parts.steering.let_go(actor_of(request), CameraId(camera_id))
        return Response(status_code=204)

    return router


@contextmanager
def _turn(turns: threading.BoundedSemaphore) -> Generator[None]:
    if not turns.acquire(blocking=False):
        raise Exhausted("too many cameras are being asked at once; try again", code="onvif.busy", retry_after_s=1)
    try:
        yield
    finally:
        turns.release()


def _order(asked: HeadAsk) -> Order:
    box = None if asked.box is None else Box(**asked.box.model_dump())
    place = None if asked.run is None else Position(**asked.run.model_dump())
    needed = {"preset": asked.preset, "remember": asked.preset, "box": box, "run": place, "zoom": asked.zoom}
    if asked.order in needed and needed[asked.order] in {None, ""}:
        raise Invalid(f"an order of this kind needs its {asked.order}", code="onvif.order")
    return Order(kind=asked.order, preset=asked.preset, box=box, place=place, zoom=asked.zoom or 0.0)


def _render(now: HeadNow, actor: Actor) -> HeadView:
    here, limits = now.position, now.head.limits
    return HeadView(
        pan=None if here is None else limits.pan.share(here.pan),
        tilt=None if here is None else limits.tilt.share(here.tilt),
        zoom=None if here is None else limits.zoom.share(here.zoom),
        is_moving=now.is_moving,
        presets=tuple(PresetView(token=one.token, name=one.name) for one in now.presets),
        steered_until=None if now.steering is None else now.steering.until,
        is_mine=now.steering is not None and now.steering.user == actor.user_id,
    )

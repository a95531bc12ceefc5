"""The web process's app: the API and the page."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import anyio.to_thread
import structlog
from fastapi import FastAPI, Request

import safecity
from safecity.api.alert_routes import alert_router
from safecity.api.cabinet_routes import cabinet_router
from safecity.api.case_routes import case_router
from safecity.api.city_routes import city_router, timeline_router
from safecity.api.copy_routes import drills_router
from safecity.api.demo_port import is_door_open
from safecity.api.demo_routes import demo_router
from safecity.api.edge_routes import edge_router
from safecity.api.event_feed import EventFeed
from safecity.api.event_routes import event_router
from safecity.api.head_routes import head_router
from safecity.api.health_routes import health_router
from safecity.api.incident_routes import incident_router
from safecity.api.link_routes import link_router
from safecity.api.log_routes import log_router
from safecity.api.page import install_page
from safecity.api.parts import WebParts
from safecity.api.plan_routes import plan_router
from safecity.api.problems import install
from safecity.api.public_routes import public_router
from safecity.api.recordings import Recordings
from safecity.api.scene_routes import scene_router
from safecity.api.session_routes import session_router
from safecity.api.sessions import guard
from safecity.api.unit_routes import unit_router
from safecity.api.wire import ConfigView, MapView

log = structlog.get_logger()

MAP_ZOOM = 11.6
ROUTERS = (
    link_router,
    cabinet_router,
    edge_router,
    log_router,
    drills_router,
    alert_router,
    incident_router,
    unit_router,
    case_router,
    scene_router,
    head_router,
    demo_router,
    plan_router,
    public_router,
)
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
DESCRIPTION = "SafeCity's API. Errors are RFC 9457 problem documents; times are RFC 3339 in UTC; positions are WGS84."


def gateway_origin(parts: WebParts, request: Request) -> str:
    """Where this browser reaches the gateway: the host that it used for us, unless the settings name another.

    Cookies belong to a host name, so a browser that came to `localhost` must not be sent to `127.0.0.1`.
    """
    web = parts.settings.web
    if web.gateway_url or not request.url.hostname:
        return web.gateway_origin()
    host = f"[{request.url.hostname}]" if ":" in request.url.hostname else request.url.hostname
    return f"{request.url.scheme}://{host}:{web.effective_gateway_port()}"


def create_web_app(parts: WebParts) -> FastAPI:
    """The app over its services."""
    feed = EventFeed(parts.database, parts.clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = parts.settings.web.thread_pool_size
        reader = asyncio.create_task(feed.run())
        reader.add_done_callback(_end_with)
        yield
        reader.cancel()
        with suppress(asyncio.CancelledError):
            await reader

    app = _bare_app(lifespan=lifespan)
    allowed = frozenset({parts.settings.web.page_origin()})
    app.middleware("http")(guard(allowed, max_body_bytes=parts.settings.web.max_body_bytes))
    recordings = Recordings(parts.database, parts.clock, time_zone=parts.settings.sites.time_zone)
    app.include_router(session_router(parts))
    app.include_router(city_router(parts))
    app.include_router(timeline_router(parts))
    app.include_router(event_router(parts, feed))
    app.include_router(health_router(parts, recordings))
    for make in ROUTERS:
        app.include_router(make(parts))

    @app.get("/api/config", tags=["config"])
    def config(request: Request) -> ConfigView:  # pyright: ignore[reportUnusedFunction]
        """What the page must know before anyone signs in."""
        sites = parts.settings.sites
        return ConfigView(
            name=sites.name,
            name_ur=sites.name_ur,
            time_zone=sites.time_zone,
            gateway=gateway_origin(parts, request),
            map=MapView(center=(sites.center_lon, sites.center_lat), zoom=MAP_ZOOM),
            demo=is_door_open(parts.settings),
            version=safecity.__version__,
        )

    install_page(app, gateway_origin_of=lambda request: gateway_origin(parts, request))
    return app


def _bare_app(*, lifespan: Lifespan | None = None) -> FastAPI:
    # The interactive documentation pages would load scripts from another host, so there are none.
    app = FastAPI(
        title="SafeCity",
        version=safecity.__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=lifespan,
    )
    install(app)
    return app


def _end_with(task: "asyncio.Task[None]") -> None:
    """Pages that get no news must not look alive: the process ends, and the supervisor starts it again."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        log.critical("api.feed_broken", exc_info=error)
        os.kill(os.getpid(), signal.SIGTERM)

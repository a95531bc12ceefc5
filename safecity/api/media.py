"""The gateway's app: live over WebSocket, playback windows and exports over HTTP.

An origin of its own, and the only process that hands out pixels (docs/decisions). It answers the page's origin and no
other, with the session cookie that the browser also sends to the page's server. WebSocket messages are not compressed:
pictures are already (the server must run with `ws_per_message_deflate=False`).
"""

import asyncio
import json
import os
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import anyio.to_thread
import structlog
from fastapi import FastAPI, Query, Request, Response
from fastapi import Path as InPath
from fastapi.responses import FileResponse
from pydantic import Field

from safecity.api.media_hls import hls_router
from safecity.api.media_live import LiveParts, serve_live
from safecity.api.media_stills import stills_router
from safecity.api.problems import install
from safecity.api.sessions import get_session, guard, is_own_origin
from safecity.api.wire import AskedInstant, Instant, Wire
from safecity.oversight.service import Oversight
from safecity.platform.clock import Clock, to_iso
from safecity.platform.files import write_whole
from safecity.platform.settings import Settings
from safecity.sites.model import CameraId
from safecity.video.export import CLIP_FILE, SHEET_FILE, ExportRequest
from safecity.video.gateway import CHECK_EVERY_S, Gateway, LookId
from safecity.video.hls import HlsTracks
from safecity.video.live import LiveHub
from safecity.video.model import Stream
from safecity.video.packets_client import PacketsClient

log = structlog.get_logger()

TICK_S = 0.5
STATUS_EVERY_S = 2.0
EXPOSED = "X-Media-From, X-Media-To, X-Codec, X-Next, X-From-Copy, X-Media-At, Retry-After, Content-Length"
MAX_REASON = 500
PLAIN_TEXT = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"  # PostgreSQL keeps no NUL, and no sheet needs the others
Next = Callable[[Request], Awaitable[Response]]
CameraName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
Name = Annotated[str, InPath(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_]+$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayParts:
    """What the gateway's app is made of, handed in by `app`."""

    settings: Settings
    oversight: Oversight
    gateway: Gateway
    clock: Clock
    run_dir: Path


class PlaybackAsk(Wire):
    """Which recordings someone wants to look at."""

    camera: CameraName
    from_at: AskedInstant = Field(alias="from")
    to_at: AskedInstant = Field(alias="to")
    stream: Literal["main", "sub"] = "main"
    rendition: Literal["clear", "masked"] = "clear"


class SpanView(Wire):
    """A recorded stretch."""

    from_at: Instant = Field(serialization_alias="from")
    to_at: Instant = Field(serialization_alias="to")


class MissingView(SpanView):
    """A stretch that is not recorded, and why."""

    cause: str


class LookView(Wire):
    """A playback look; the media time of its windows counts from `from`."""

    look: str
    camera: str
    from_at: Instant = Field(serialization_alias="from")
    to_at: Instant = Field(serialization_alias="to")
    spans: tuple[SpanView, ...]
    missing: tuple[MissingView, ...]


class ExportAsk(Wire):
    """Which clip someone wants to take out, and what for."""

    camera: CameraName
    from_at: AskedInstant = Field(alias="from")
    to_at: AskedInstant = Field(alias="to")
    reason: str = Field(min_length=3, max_length=MAX_REASON, pattern=PLAIN_TEXT)


class ExportView(Wire):
    """An export and where its files are."""

    export: str
    file: str
    bytes: int
    sha256: str
    from_at: Instant = Field(serialization_alias="from")
    to_at: Instant = Field(serialization_alias="to")
    expires_at: Instant
    sheet: str
    clip: str


def create_gateway_app(parts: GatewayParts) -> FastAPI:
    """The app over its services; it keeps the live streams while it runs."""
    allowed = frozenset({parts.settings.web.page_origin()})
    links: list[PacketsClient] = []
    hub = LiveHub(
        parts.clock,
        stall_after_s=parts.settings.video.stall_after_s,
        watch=lambda key: links[0].watch(key),
        unwatch=lambda key: links[0].unwatch(key),
    )
    tracks = HlsTracks(hub)
    live = LiveParts(oversight=parts.oversight, gateway=parts.gateway, hub=hub, allowed=allowed)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = parts.settings.web.thread_pool_size
        links.append(PacketsClient(parts.run_dir, hub))
        work = [links[0].run(), _tick(hub), _check(parts, tracks), _write_status(parts, hub)]
        tasks = [asyncio.create_task(one) for one in work]
        for task in tasks:
            task.add_done_callback(_end_with)
        yield
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        await anyio.to_thread.run_sync(parts.gateway.stop)

    app = FastAPI(title="SafeCity gateway", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    install(app)
    app.middleware("http")(guard(allowed, max_body_bytes=parts.settings.web.max_body_bytes))
    app.middleware("http")(_share_with_page(allowed))
    app.add_api_websocket_route("/media/live/{camera}", serve_live(live))
    _add_playback(app, parts)
    _add_exports(app, parts)
    app.include_router(hls_router(parts.oversight, parts.gateway, tracks=tracks))
    app.include_router(stills_router(parts.oversight, parts.gateway))
    return app


def _add_playback(app: FastAPI, parts: GatewayParts) -> None:
    @app.post("/media/playback")
    def open_playback(request: Request, ask: PlaybackAsk) -> LookView:  # pyright: ignore[reportUnusedFunction]
        """One look, one leaf, for as many windows as fit into it."""
        actor = get_session(parts.oversight, request).actor
        opened = parts.gateway.open_playback(
            actor,
            (CameraId(ask.camera), Stream(ask.stream)),
            from_at=ask.from_at,
            to_at=ask.to_at,
            rendition=ask.rendition,
        )
        look, timeline = opened.look, opened.timeline
        assert look.from_at is not None
        assert look.to_at is not None
        return LookView(
            look=look.id,
            camera=look.camera,
            from_at=look.from_at,
            to_at=look.to_at,
            spans=tuple(SpanView(from_at=span.from_at, to_at=span.to_at) for span in timeline.recorded),
            missing=tuple(
                MissingView(from_at=one.from_at, to_at=one.to_at, cause=one.cause.value) for one in timeline.missing
            ),
        )

    @app.get("/media/playback/{look}")
    def read_window(  # pyright: ignore[reportUnusedFunction]
        request: Request,
        look: Name,
        *,
        at: AskedInstant,
        seconds: Annotated[float, Query(gt=0, le=120)] = 10.0,
        frames: Literal["all", "key"] = "all",
    ) -> Response:
        """Pictures from the key frame at or before `at` on, as fragmented MP4."""
        actor = get_session(parts.oversight, request).actor
        window = parts.gateway.read_window(actor, LookId(look), at=at, seconds=seconds, frames=frames)
        headers = {
            "X-Media-From": to_iso(window.from_at),
            "X-Media-To": to_iso(window.to_at),
            "X-Codec": window.codec_string,
        }
        if window.is_from_copy:
            headers["X-From-Copy"] = "1"
        if window.next_at is not None:
            headers["X-Next"] = to_iso(window.next_at)
        return Response(b"".join(window.parts), media_type="video/mp4", headers=headers)


def _add_exports(app: FastAPI, parts: GatewayParts) -> None:
    @app.post("/media/exports")
    def export(request: Request, ask: ExportAsk) -> ExportView:  # pyright: ignore[reportUnusedFunction]
        """A clip with its hash sheet."""
        actor = get_session(parts.oversight, request).actor
        wanted = ExportRequest(camera=CameraId(ask.camera), from_at=ask.from_at, to_at=ask.to_at, reason=ask.reason)
        made = parts.gateway.export(actor, wanted)
        return ExportView(
            export=made.id,
            file=_file_name(made.camera, to_iso(made.first_at)),
            bytes=made.size_bytes,
            sha256=made.sha256,
            from_at=made.first_at,
            to_at=made.end_at,
            expires_at=made.expires_at,
            sheet=f"/media/exports/{made.id}/{SHEET_FILE}",
            clip=f"/media/exports/{made.id}/{CLIP_FILE}",
        )

    @app.get("/media/exports/{export_id}/clip.mp4")
    def clip(request: Request, export_id: Name) -> FileResponse:  # pyright: ignore[reportUnusedFunction]
        """The clip; each fetch is a look."""
        return _hand_out(parts, request, export_id=export_id, part=CLIP_FILE)

    @app.get("/media/exports/{export_id}/sheet.json")
    def sheet(request: Request, export_id: Name) -> FileResponse:  # pyright: ignore[reportUnusedFunction]
        """Its hash sheet."""
        return _hand_out(parts, request, export_id=export_id, part=SHEET_FILE)


def _hand_out(parts: GatewayParts, request: Request, *, export_id: str, part: str) -> FileResponse:
    actor = get_session(parts.oversight, request).actor
    path = parts.gateway.exports.permitted(actor, export_id, part=part)
    kind = "video/mp4" if part == CLIP_FILE else "application/json"
    return FileResponse(path, media_type=kind, filename=f"{export_id}-{part}", content_disposition_type="attachment")


def _file_name(camera: str, first_at: str) -> str:
    return f"{camera}-{first_at.replace(':', '').replace('.', '')}.mp4"


def _share_with_page(allowed: frozenset[str]) -> Callable[[Request, Next], Awaitable[Response]]:
    """Cross-origin reading for the page's origin alone, with its cookie (WHATWG Fetch, CORS protocol)."""

    async def middleware(request: Request, call_next: Next) -> Response:
        origin = request.headers.get("origin")
        is_ours = is_own_origin(origin, allowed)
        is_preflight = request.method == "OPTIONS" and "access-control-request-method" in request.headers
        response = Response(status_code=204 if is_ours else 403) if is_preflight else await call_next(request)
        response.headers["Vary"] = "Origin"
        # The page shows what it fetched itself; a tag on a foreign site must get nothing.
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-site")
        if is_ours and origin is not None:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Credentials"] = "true"
            response.headers["Access-Control-Expose-Headers"] = EXPOSED
            if is_preflight:
                response.headers["Access-Control-Allow-Methods"] = "GET, POST"
                response.headers["Access-Control-Allow-Headers"] = "content-type, range"
                response.headers["Access-Control-Max-Age"] = "600"
        return response

    return middleware


def _end_with(task: "asyncio.Task[None]") -> None:
    """A gateway whose checks have died must not go on handing out pictures: it ends, and the supervisor starts it."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        log.critical("video.gateway_broken", exc_info=error)
        os.kill(os.getpid(), signal.SIGTERM)


async def _tick(hub: LiveHub) -> None:
    while True:
        hub.tick()
        await asyncio.sleep(TICK_S)


async def _check(parts: GatewayParts, tracks: HlsTracks) -> None:
    while True:
        await asyncio.sleep(CHECK_EVERY_S)
        await anyio.to_thread.run_sync(parts.gateway.check)
        tracks.keep(parts.gateway.list_live())


async def _write_status(parts: GatewayParts, hub: LiveHub) -> None:
    """What the health page shows; a small file, since the web process has no other word from us."""
    path = parts.run_dir / "gateway-status.json"
    said: dict[str, int] = {}
    while True:
        status = {"viewers": hub.viewers, "looks": parts.gateway.live_looks, "lost_pictures": hub.lost}
        if status != said:
            said = status
            raw = json.dumps({**status, "at": to_iso(parts.clock.now())}).encode()
            with suppress(OSError):  # a full disk: the health page shows the age of the file
                await anyio.to_thread.run_sync(lambda raw=raw: write_whole(path, raw, mode=0o600))
        await asyncio.sleep(STATUS_EVERY_S)

"""A live stream over WebSocket: words as text, fragments as binary, one picture each.

Refusals are close codes, because a browser does not show a page why a handshake failed: 4401 not signed in, 4403
denied, or ended because session or shift are over (the reason is a sentence), 4404 no such camera, 4429 too many
viewers, 4503 not available now; 1001 the gateway ends.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog
from fastapi import WebSocket, WebSocketDisconnect
from starlette.concurrency import run_in_threadpool

from safecity.api.problems import status_of
from safecity.api.sessions import get_session_async, is_own_origin
from safecity.oversight.service import Oversight
from safecity.platform.errors import Invalid, Problem
from safecity.sites.model import CameraId
from safecity.video.gateway import Gateway, Look
from safecity.video.live import LiveHub, Viewer
from safecity.video.model import Stream

log = structlog.get_logger()

MAX_REASON_BYTES = 123  # RFC 6455 5.5: a close frame holds 125 bytes, two of them the code
LOOK_AT_END_S = 0.5
MAX_HEARD = 1000  # messages from a viewer, who has nothing to say
CLOSE_OVER = 4403
CLOSE_GOING_AWAY = 1001
_CLOSE_CODES = {401: 4401, 403: 4403, 404: 4404, 422: 4403, 429: 4429}


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveParts:
    """What a live stream is served from."""

    oversight: Oversight
    gateway: Gateway
    hub: LiveHub
    allowed: frozenset[str]


def serve_live(parts: LiveParts) -> Callable[[WebSocket], Awaitable[None]]:
    """The route of one camera's live stream."""

    async def live(socket: WebSocket) -> None:
        if not is_own_origin(socket.headers.get("origin"), parts.allowed):
            await socket.close()  # before it is accepted: the handshake is answered with 403
            return
        await socket.accept()
        try:
            look = await _open(parts, socket)
        except Problem as problem:
            code = _CLOSE_CODES.get(status_of(problem), 4503)
            await socket.close(code, _shorten(problem.message))
            return
        viewer = parts.hub.join(look.key)
        try:
            await _serve(socket, viewer, look=look)
        finally:
            parts.hub.leave(viewer)
            look.pictures = viewer.pictures
            await asyncio.shield(run_in_threadpool(parts.gateway.close, look, "closed"))

    return live


async def _open(parts: LiveParts, socket: WebSocket) -> Look:
    session = await get_session_async(parts.oversight, socket)
    try:
        stream = Stream(socket.query_params.get("stream", "sub"))
    except ValueError as error:
        raise Invalid("the stream is main or sub", code="gateway.stream") from error
    camera = CameraId(socket.path_params["camera"])
    rendition = socket.query_params.get("rendition", "clear")
    return await run_in_threadpool(parts.gateway.open_live, session.actor, camera, stream=stream, rendition=rendition)


async def _serve(socket: WebSocket, viewer: Viewer, *, look: Look) -> None:
    """Send until the viewer goes, or the look is ended."""
    tasks = [
        asyncio.create_task(_send(socket, viewer)),
        asyncio.create_task(_hear(socket)),
        asyncio.create_task(_wait_for_end(look)),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if look.end_reason is not None:
        with suppress(RuntimeError, WebSocketDisconnect):
            if look.end_reason == "stopped":
                await socket.close(CLOSE_GOING_AWAY, "The gateway is being stopped.")
            else:
                await socket.close(CLOSE_OVER, "Your session or your shift has ended.")


async def _send(socket: WebSocket, viewer: Viewer) -> None:
    with suppress(WebSocketDisconnect):
        while True:
            for message in await viewer.take():
                if isinstance(message, bytes):
                    await socket.send_bytes(message)
                else:
                    await socket.send_text(message)


async def _hear(socket: WebSocket) -> None:
    """A viewer has nothing to say; this notices that it went."""
    for _ in range(MAX_HEARD):
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return


async def _wait_for_end(look: Look) -> None:
    while look.end_reason is None:
        await asyncio.sleep(LOOK_AT_END_S)


def _shorten(reason: str) -> str:
    return reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")

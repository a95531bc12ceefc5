"""An edge's live link over WebSocket: frames in, nothing out but the end.

The handshake is signed like any request. What comes afterwards is protected by TLS or WireGuard alone.
"""

import asyncio
from contextlib import suppress

import structlog
from fastapi import WebSocket, WebSocketDisconnect
from starlette.concurrency import run_in_threadpool

from safecity.platform.errors import Problem
from safecity.video.edge import signing
from safecity.video.edge.frames import BEAT, MAX_FRAME_BYTES
from safecity.video.edge.intake import Intake
from safecity.video.edge.model import EdgeId
from safecity.video.edge.register import EdgeRegister
from safecity.video.edge.relay import LiveLink, Relay

log = structlog.get_logger()

SILENT_AFTER_S = 1.8  # beats come each 0.5 s; below the 2 s after which a recorder blames the camera
CHECK_EVERY_S = 2.0
CLOSE_DENIED = 4403
CLOSE_UNREADABLE = 4422


async def serve_push(socket: WebSocket, *, register: EdgeRegister, intake: Intake, relay: Relay) -> None:
    """One edge's link from its handshake to its end."""
    header = socket.headers.get("authorization")
    said = signing.Request(method="GET", target=socket.url.path, body=b"")
    try:
        edge, _ = await run_in_threadpool(register.authenticate, header, said)
        keys = await run_in_threadpool(intake.list_streams, edge)
    except Problem:
        await socket.close()  # before it is accepted: the handshake is answered with 403
        return
    await socket.accept()
    link = relay.open(edge.id, keys)
    log.info("video.edge_link_opened", edge=edge.id, streams=len(keys))
    check = asyncio.create_task(_watch_rights(socket, register, edge.id))
    try:
        await _receive(socket, link)
    finally:
        check.cancel()
        relay.close(link)
        log.info("video.edge_link_closed", edge=edge.id)


async def _receive(socket: WebSocket, link: LiveLink) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):
        while not link.is_retired:
            try:
                message = await asyncio.wait_for(socket.receive(), SILENT_AFTER_S)
            except TimeoutError:
                break
            raw = message.get("bytes")
            if message["type"] == "websocket.disconnect" or raw is None or len(raw) > MAX_FRAME_BYTES:
                break
            if raw == BEAT:
                continue
            try:
                link.take(raw)
            except Problem as problem:
                log.warning("video.edge_frame_refused", edge=link.edge, code=problem.code)
                await socket.close(CLOSE_UNREADABLE, problem.code)
                return
        await socket.close()


async def _watch_rights(socket: WebSocket, register: EdgeRegister, edge: EdgeId) -> None:
    """End the link of an edge that was revoked meanwhile."""
    while await run_in_threadpool(register.is_active, edge):
        await asyncio.sleep(CHECK_EVERY_S)
    with suppress(RuntimeError, WebSocketDisconnect):
        await socket.close(CLOSE_DENIED, "This edge has been revoked.")

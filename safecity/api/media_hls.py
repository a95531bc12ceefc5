"""Live streams as HLS: for iPhones without Media Source, and for players that are no browser.

A look is opened by POST, with its leaf, like every other; its playlist and parts are then fetched with the session's
cookie. Addresses hold the look's id, which opens nothing without that cookie. The look is over some seconds after the
last fetch, since nobody says goodbye.
"""

import asyncio
import re
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from safecity.api.sessions import get_session_async
from safecity.api.wire import Wire
from safecity.oversight.service import Oversight
from safecity.platform.errors import NotFound, Unavailable
from safecity.sites.model import CameraId
from safecity.video.gateway import Gateway, Look, LookId
from safecity.video.hls import HlsTrack, HlsTracks
from safecity.video.model import Stream

IDLE_S = 20.0  # players fetch at least once a segment
FIRST_WITHIN_S = 12.0  # a cold camera's key frames may come ten seconds apart
ASK_EVERY_S = 0.1
PLAYLIST = "application/vnd.apple.mpegurl"
Name = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_]+$")]
Part = Annotated[str, Path(max_length=32, pattern=r"^(init-\d{1,9}\.mp4|\d{1,12}\.m4s)$")]


class HlsAsk(Wire):
    """Which camera someone wants to watch by HLS."""

    camera: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")
    stream: Literal["main", "sub"] = "sub"
    rendition: Literal["clear", "masked"] = "clear"


class HlsView(Wire):
    """A look by HLS and its playlist."""

    look: str
    playlist: str


def hls_router(oversight: Oversight, gateway: Gateway, *, tracks: HlsTracks) -> APIRouter:
    """`/media/hls`."""
    router = APIRouter(prefix="/media/hls")

    async def own(request: Request, look_id: str) -> tuple[Look, HlsTrack]:
        actor = (await get_session_async(oversight, request)).actor
        look = await run_in_threadpool(gateway.use_live, actor, LookId(look_id))
        track = tracks.find(look.id)
        if track is None:
            raise NotFound("this look is over; open a new one", code="hls.look_over")
        return look, track

    @router.post("")
    async def open_hls(request: Request, ask: HlsAsk) -> HlsView:  # pyright: ignore[reportUnusedFunction]
        """One look, one leaf, for as long as its parts are fetched."""
        actor = (await get_session_async(oversight, request)).actor
        opened = partial(gateway.open_live, stream=Stream(ask.stream), rendition=ask.rendition, idle_after_s=IDLE_S)
        look = await run_in_threadpool(opened, actor, CameraId(ask.camera))
        tracks.open(look.id, look.key)
        return HlsView(look=look.id, playlist=f"/media/hls/{look.id}/live.m3u8")

    @router.get("/{look}/live.m3u8")
    async def playlist(request: Request, look: Name) -> Response:  # pyright: ignore[reportUnusedFunction]
        """What there is to fetch now; the first time, once there is something."""
        _, track = await own(request, look)
        for _ in range(round(FIRST_WITHIN_S / ASK_EVERY_S)):
            text = track.playlist()
            if text is not None:
                return Response(text, media_type=PLAYLIST)
            await asyncio.sleep(ASK_EVERY_S)
        raise Unavailable("no picture comes from this camera now; try again", code="hls.no_picture", retry_after_s=5)

    @router.get("/{look}/{part}")
    async def part(request: Request, look: Name, part: Part) -> Response:  # pyright: ignore[reportUnusedFunction]
        """An init segment, or a segment of pictures."""
        running, track = await own(request, look)
        number = int(re.sub(r"\D", "", part.split(".")[0]))
        if part.startswith("init-"):
            init = track.find_init(number)
            if init is not None:
                return Response(init, media_type="video/mp4")
        else:
            segment = track.find_segment(number)
            if segment is not None:
                gateway.note_pictures(running, segment.pictures)
                return Response(b"".join(segment.parts), media_type="video/mp4")
        raise NotFound("this part is no longer kept; fetch the playlist anew", code="hls.part_gone")

    return router

"""Single recorded pictures over HTTP, for alerts and timelines.

An alert is shown in the second in which it arises, often before its picture is on the disk. Waiting for it must not
hold a thread, of which there are few, so this route is the one that waits on the event loop; and decoding, which is
the one thing here that costs a core, has a limit of its own.
"""

import asyncio
from functools import partial
from typing import Annotated

import anyio
import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from safecity.api.sessions import get_session_async
from safecity.api.wire import AskedInstant
from safecity.oversight.service import Oversight
from safecity.platform.clock import to_iso
from safecity.platform.errors import Exhausted
from safecity.sites.model import CameraId
from safecity.video.gateway import Gateway, LookId
from safecity.video.stills import MAX_WIDTH_PX, MIN_WIDTH_PX, Found, Shot, Stills, not_yet

DECODE_AT_ONCE = 4
MAX_QUEUED = 64  # pictures that wait for a decoder; more are sent away
MAX_WAITING = 64  # requests that wait for the disk
WAIT_S = 2.0
ASK_EVERY_S = 0.2
Camera = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
Width = Annotated[int, Query(ge=MIN_WIDTH_PX, le=MAX_WIDTH_PX, description="Width of the JPEG; never enlarged.")]

LookName = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_]+$")]
ScrubWidth = Annotated[int, Query(ge=MIN_WIDTH_PX, le=480, description="Width of the JPEG; never enlarged.")]


class _Desk:
    """Bounds what waits; used on the event loop only."""

    def __init__(self, stills: Stills) -> None:
        self._stills = stills
        self._decoders = anyio.CapacityLimiter(DECODE_AT_ONCE)
        self._queued = 0
        self._waiting = 0

    async def find(self, camera: CameraId, *, at: AskedInstant, width_px: int) -> Found:
        """Where the picture is, as soon as it is on the disk; raises NotFound."""
        find = partial(self._stills.find, camera, at=at, width_px=width_px)
        found = await run_in_threadpool(find)
        if found is not None:
            return found
        if self._waiting >= MAX_WAITING:
            raise not_yet()
        self._waiting += 1
        try:
            for _ in range(round(WAIT_S / ASK_EVERY_S)):
                await asyncio.sleep(ASK_EVERY_S)
                found = await run_in_threadpool(find)
                if found is not None:
                    return found
        finally:
            self._waiting -= 1
        raise not_yet()

    async def make(self, found: Found) -> Shot:
        """The picture; raises Exhausted when too many are asked for at once."""
        if self._queued >= MAX_QUEUED:
            raise Exhausted("too many pictures at once; ask again", code="stills.busy", retry_after_s=1)
        self._queued += 1
        try:
            return await anyio.to_thread.run_sync(partial(self._stills.make, found), limiter=self._decoders)
        finally:
            self._queued -= 1


def stills_router(oversight: Oversight, gateway: Gateway) -> APIRouter:
    """`/media/stills`, and the pictures of a playback look for scrubbing."""
    router = APIRouter(prefix="/media")
    stills = gateway.stills
    desk = _Desk(stills)

    @router.get("/playback/{look}/still")
    async def scrub(request: Request, look: LookName, *, at: AskedInstant, width: ScrubWidth = 240) -> Response:  # pyright: ignore[reportUnusedFunction]
        """The key frame at or before an instant inside a playback look, small; the look's leaf covers it."""
        actor = (await get_session_async(oversight, request)).actor
        found = await run_in_threadpool(partial(gateway.find_scrub, actor, LookId(look), at=at, width_px=width))
        shot = await desk.make(found)
        headers = {"X-Media-At": to_iso(shot.at), "Cache-Control": "private, max-age=60"}
        return Response(shot.jpeg, media_type="image/jpeg", headers=headers)

    @router.get("/stills/{camera}")
    async def still(request: Request, camera: Camera, *, at: AskedInstant, width: Width = 640) -> Response:  # pyright: ignore[reportUnusedFunction]
        """The recorded picture at or before an instant, as JPEG; `X-Media-At` says of when it is."""
        actor = (await get_session_async(oversight, request)).actor
        await run_in_threadpool(partial(stills.grant, actor, CameraId(camera), at=at))
        shot = await desk.make(await desk.find(CameraId(camera), at=at, width_px=width))
        headers = {"X-Media-At": to_iso(shot.at), "Cache-Control": "private, max-age=300"}
        return Response(shot.jpeg, media_type="image/jpeg", headers=headers)

    return router

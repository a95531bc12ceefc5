"""The live picture of the city: state once, then every change as server-sent events."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from safecity.api.event_feed import EventFeed
from safecity.api.parts import WebParts
from safecity.api.sessions import get_session, get_session_async, token_of
from safecity.api.wire import CityState, StateView
from safecity.events import last_cursor
from safecity.oversight.model import Act, Resource

NO_BUFFER = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
After = Annotated[int | None, Query(ge=0, le=2**53, description="Cursor of the last fact that the page has seen.")]


def event_router(parts: WebParts, feed: EventFeed) -> APIRouter:
    """`/api/state` and `/api/events/stream`."""
    router = APIRouter(prefix="/api", tags=["live"])

    @router.get("/state")
    def state(request: Request) -> CityState:  # pyright: ignore[reportUnusedFunction]
        """The state of every camera, as of a cursor; the events behind it bring the rest."""
        session = get_session(parts.oversight, request)
        parts.oversight.require(session.actor, Act.LIST_CAMERAS, Resource.city())
        with parts.database.read() as connection:
            cursor = last_cursor(connection)
            listed = parts.sites.camera_states(connection)
            units = parts.dispatch.units_in(connection) if Act.LIST_UNITS in session.acts else []
        return CityState(
            cursor=cursor,
            cameras={
                camera: StateView(state=item.state.value, since=item.since, cause=item.cause)
                for camera, item in listed.items()
            },
            alerts={},
            incidents={},
            units={unit.id: unit for unit in units},
        )

    @router.get("/events/stream")
    async def stream(  # pyright: ignore[reportUnusedFunction]
        request: Request, after: After = None, last_event_id: Annotated[str | None, Header()] = None
    ) -> StreamingResponse:
        """Changes as server-sent events; resumes at `after` or at the browser's Last-Event-ID."""
        await get_session_async(parts.oversight, request)
        token = token_of(request) or ""
        is_cursor = last_event_id is not None and len(last_event_id) <= 15 and last_event_id.isdecimal()
        cursor = int(last_event_id) if last_event_id and is_cursor else after
        events = feed.stream(cursor, is_welcome=lambda: parts.oversight.find_session(token) is not None)
        return StreamingResponse(events, media_type="text/event-stream", headers=NO_BUFFER)

    return router

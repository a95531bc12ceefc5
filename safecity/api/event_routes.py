"""The live picture of the city: state once, then every change as server-sent events."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from safecity.api.event_feed import EventFeed, facts_for
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
        """Cameras, and what of the queue, incidents and units the listener may see, as of a cursor."""
        session = get_session(parts.oversight, request)
        parts.oversight.require(session.actor, Act.LIST_CAMERAS, Resource.city())
        acts = session.acts
        with parts.database.read() as connection:
            cursor = last_cursor(connection)
            listed = parts.sites.camera_states(connection)
            return CityState(
                cursor=cursor,
                cameras={
                    camera: StateView(state=item.state.value, since=item.since, cause=item.cause)
                    for camera, item in listed.items()
                },
                alerts=parts.incidents.open_alerts(connection) if Act.LIST_ALERTS in acts else {},
                incidents=parts.incidents.open_incidents(connection) if Act.LIST_INCIDENTS in acts else {},
                units={unit.id: unit for unit in parts.dispatch.units_in(connection)} if Act.LIST_UNITS in acts else {},
            )

    @router.get("/events/stream")
    async def stream(  # pyright: ignore[reportUnusedFunction]
        request: Request, after: After = None, last_event_id: Annotated[str | None, Header()] = None
    ) -> StreamingResponse:
        """Changes that the listener may see, as server-sent events; resumes at `after` or at Last-Event-ID."""
        session = await get_session_async(parts.oversight, request)
        token = token_of(request) or ""
        is_cursor = last_event_id is not None and len(last_event_id) <= 15 and last_event_id.isdecimal()
        cursor = int(last_event_id) if last_event_id and is_cursor else after

        def is_welcome() -> bool:
            # A role that has changed means other facts: the page has to begin anew with a new state.
            now = parts.oversight.find_session(token)
            return now is not None and now.acts == session.acts

        events = feed.stream(cursor, types=facts_for(session.acts), is_welcome=is_welcome)
        return StreamingResponse(events, media_type="text/event-stream", headers=NO_BUFFER)

    return router

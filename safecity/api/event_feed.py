"""Live facts to many browsers from one reader of the `events` table.

One task reads new facts twice a second and wakes the streams; each stream keeps its own cursor into a short ring and
goes to the database when it has fallen behind the ring. So a slow browser holds nothing in memory here.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Callable

import structlog
from starlette.concurrency import run_in_threadpool

from safecity.events import Stated, last_cursor, read_facts, set_aside
from safecity.platform.clock import Clock, to_iso
from safecity.platform.database import Database
from safecity.platform.errors import DataLoss, Problem

log = structlog.get_logger()

READ_EVERY_S = 0.5
RING = 2000
PAGE = 500
HEARTBEAT_S = 10.0
RETRY_MS = 1500
# What every signed-in user may follow; facts about people's work get their own streams with their rooms.
PUBLIC_FACTS = frozenset({"sites.camera_state_changed"})


class EventFeed:
    """The reader and its ring."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ring: deque[Stated] = deque()
        self._floor = 0  # the ring holds every public fact behind this cursor ...
        self._cursor = 0  # ... up to this one
        self._changed = asyncio.Condition()
        self._is_down = False

    async def run(self) -> None:
        """Read for ever; a database that is away is asked again."""
        while True:
            try:
                if self._cursor == 0:
                    await self._begin()
                fresh, cursor = await run_in_threadpool(self._read, self._cursor, PAGE)
                self._is_down = False
            except Problem as problem:
                if not self._is_down:
                    log.warning("api.feed_interrupted", problem=problem.message)
                self._is_down = True
                await asyncio.sleep(READ_EVERY_S)
                continue
            if cursor > self._cursor:
                async with self._changed:
                    self._ring.extend(fresh)
                    while len(self._ring) > RING:
                        self._floor = self._ring.popleft().cursor
                    self._cursor = cursor
                    self._changed.notify_all()
            else:
                await asyncio.sleep(READ_EVERY_S)

    async def _begin(self) -> None:
        last = await run_in_threadpool(self._last)
        async with self._changed:
            self._cursor = self._floor = last
            self._changed.notify_all()

    async def stream(self, after: int | None, *, is_welcome: Callable[[], bool]) -> AsyncGenerator[str]:
        """Server-sent events behind a cursor; ends when the caller's session has ended."""
        cursor = await run_in_threadpool(self._last) if after is None else after
        yield f"retry: {RETRY_MS}\n\n"
        asked_s = self._clock.monotonic_s()
        while True:
            fresh, cursor = await self._after(cursor)
            for item in fresh:
                yield render(item)
            if not fresh:
                yield ": still here\n\n"
            now_s = self._clock.monotonic_s()
            if not fresh or now_s - asked_s >= HEARTBEAT_S:  # a city where always something happens must ask, too
                asked_s = now_s
                if not await run_in_threadpool(is_welcome):
                    yield "event: api.session_ended\ndata: {}\n\n"
                    return

    async def _after(self, cursor: int) -> tuple[list[Stated], int]:
        async with self._changed:
            if cursor >= self._cursor:
                try:
                    await asyncio.wait_for(self._changed.wait(), HEARTBEAT_S)
                except TimeoutError:
                    return [], cursor
            if cursor >= self._floor:
                return [item for item in self._ring if item.cursor > cursor], max(cursor, self._cursor)
        return await run_in_threadpool(self._read, cursor, PAGE)

    def _last(self) -> int:
        with self._database.read() as connection:
            return last_cursor(connection)

    def _read(self, after: int, limit: int) -> tuple[list[Stated], int]:
        fresh: list[Stated] = []
        unreadable: list[DataLoss] = []
        cursor = after
        with self._database.read() as connection:
            for item in read_facts(connection, after=after, limit=limit):
                if isinstance(item, DataLoss):
                    unreadable.append(item)
                    cursor = max(cursor, int(str(item.facts["cursor"])))
                    continue
                cursor = item.cursor
                if item.fact.type in PUBLIC_FACTS:
                    fresh.append(item)
        if unreadable:
            with self._database.begin() as connection:
                for item in unreadable:
                    number = int(str(item.facts["cursor"]))
                    set_aside(connection, cursor=number, reader="page", reason=item.message, now=self._clock.now())
        return fresh, cursor


def render(item: Stated) -> str:
    """One fact in the text/event-stream form (WHATWG HTML, section 9.2)."""
    body = {
        "cursor": item.cursor,
        "id": item.id,
        "source": item.source,
        "type": item.fact.type,
        "time": to_iso(item.time),
        "subject": item.subject,
        "data": item.fact.model_dump(mode="json"),
    }
    return f"id: {item.cursor}\nevent: {item.fact.type}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n"

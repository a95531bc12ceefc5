"""Live facts to many browsers from one reader of the `events` table.

One task reads new facts twice a second and wakes the streams; each stream keeps its own cursor into a short ring and
goes to the database when it has fallen behind the ring. So a slow browser holds nothing in memory here. The ring holds
every fact that somebody may follow; each stream passes on those of its own listener.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from typing import Final

import structlog
from starlette.concurrency import run_in_threadpool

from safecity.events import Stated, last_cursor, read_facts, set_aside
from safecity.events.cases import CaseChanged
from safecity.events.dispatch import UnitChanged
from safecity.events.incidents import AlertChanged, IncidentChanged
from safecity.events.sites import CameraStateChanged
from safecity.oversight.model import Act
from safecity.platform.clock import Clock, to_iso
from safecity.platform.database import Database
from safecity.platform.errors import DataLoss, Problem

log = structlog.get_logger()

READ_EVERY_S = 0.5
RING = 2000
PAGE = 500
HEARTBEAT_S = 10.0
RETRY_MS = 1500
FOLLOWED_BY: Final[Mapping[str, Act]] = {
    CameraStateChanged.type: Act.LIST_CAMERAS,
    AlertChanged.type: Act.LIST_ALERTS,
    IncidentChanged.type: Act.LIST_INCIDENTS,
    UnitChanged.type: Act.LIST_UNITS,
    CaseChanged.type: Act.LIST_CASES,
}
"""The facts that pages may follow, and the act that lets a listener have them; no other fact leaves the house."""


def facts_for(acts: Collection[Act]) -> frozenset[str]:
    """The types of facts that somebody with these acts may follow."""
    return frozenset(kind for kind, act in FOLLOWED_BY.items() if act in acts)


class EventFeed:
    """The reader and its ring."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ring: deque[Stated] = deque()
        self._floor = 0  # the ring holds every fact that anybody follows behind this cursor ...
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

    async def stream(
        self, after: int | None, *, types: Collection[str], is_welcome: Callable[[], bool]
    ) -> AsyncGenerator[str]:
        """Server-sent events of these types behind a cursor; ends when the caller's session has ended.

        `is_welcome` is asked every `HEARTBEAT_S`, whether something happens or not.
        """
        cursor = await run_in_threadpool(self._last) if after is None else after
        yield f"retry: {RETRY_MS}\n\n"
        asked_s = self._clock.monotonic_s()
        while True:
            fresh, cursor = await self._after(cursor)
            for item in fresh:
                if item.fact.type in types:
                    yield render(item)
            now_s = self._clock.monotonic_s()
            if not fresh or now_s - asked_s >= HEARTBEAT_S:  # a city where always something happens must ask, too
                asked_s = now_s
                yield ": still here\n\n"
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
                if item.fact.type in FOLLOWED_BY:
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

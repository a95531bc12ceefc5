"""What a virtual camera notices, and who waits for it: properties with their state, pull points with their queues."""

import asyncio
import secrets
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from safecity.virtual.onvif.soap import SoapFault

MAX_PULL_POINTS: Final = 8
MAX_WAITING: Final = 200
"""Messages one pull point holds; the oldest is dropped first."""
MAX_LIFE_S: Final = 3600.0


class EventKind(StrEnum):
    """What can be noticed, by the word that the command line takes."""

    MOTION = "motion"
    TAMPER = "tamper"
    INPUT = "input"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """How a kind is told."""

    path: str
    source: str
    subject: str
    item: str


TOPICS: Final = {
    EventKind.MOTION: Topic(path="tns1:VideoSource/MotionAlarm", source="Source", subject="source", item="State"),
    EventKind.TAMPER: Topic(
        path="tns1:VideoSource/GlobalSceneChange/ImagingService", source="Source", subject="source", item="State"
    ),
    EventKind.INPUT: Topic(
        path="tns1:Device/Trigger/DigitalInput", source="InputToken", subject="in_1", item="LogicalState"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message."""

    kind: EventKind
    is_active: bool
    operation: str
    """Initialized or Changed."""
    at: datetime


@dataclass(slots=True, kw_only=True)
class PullPoint:
    """One subscription."""

    id: str
    ends_at_s: float
    waiting: deque[Notice] = field(default_factory=lambda: deque(maxlen=MAX_WAITING))
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, notice: Notice) -> None:
        """Add a message and wake who waits."""
        self.waiting.append(notice)
        self.arrived.set()


class EventBoard:
    """All properties and pull points of one camera."""

    def __init__(self) -> None:
        self.states: dict[EventKind, bool] = dict.fromkeys(EventKind, False)
        self._points: dict[str, PullPoint] = {}

    def subscribe(self, *, now_s: float, at: datetime, life_s: float) -> PullPoint:
        """A new pull point that is first told every property. Raises SoapFault where there are too many."""
        self._sweep(now_s)
        if len(self._points) >= MAX_PULL_POINTS:
            raise SoapFault("ter:Action", "There are too many pull points.", detail="ter:MaxPullPoints", is_ours=True)
        point = PullPoint(id=secrets.token_hex(8), ends_at_s=now_s + min(life_s, MAX_LIFE_S))
        for kind, is_active in self.states.items():
            point.put(Notice(kind=kind, is_active=is_active, operation="Initialized", at=at))
        self._points[point.id] = point
        return point

    def find(self, point_id: str, *, now_s: float) -> PullPoint:
        """Raises SoapFault for one that is not there (any more)."""
        self._sweep(now_s)
        point = self._points.get(point_id)
        if point is None:
            raise SoapFault("wsnt:ResourceUnknownFault", "There is no such subscription.")
        return point

    def renew(self, point: PullPoint, *, now_s: float, life_s: float) -> None:
        """Let it live on."""
        point.ends_at_s = now_s + min(life_s, MAX_LIFE_S)

    def unsubscribe(self, point: PullPoint) -> None:
        """End it."""
        self._points.pop(point.id, None)
        point.arrived.set()

    def forget_all(self) -> None:
        """As after a reboot of the camera."""
        for point in list(self._points.values()):
            self.unsubscribe(point)

    def notice(self, kind: EventKind, is_active: bool, *, at: datetime) -> bool:
        """State a property; tells whether it changed."""
        if self.states[kind] == is_active:
            return False
        self.states[kind] = is_active
        for point in self._points.values():
            point.put(Notice(kind=kind, is_active=is_active, operation="Changed", at=at))
        return True

    async def pull(self, point: PullPoint, *, within_s: float, limit: int) -> list[Notice]:
        """Up to `limit` messages; waits for the first."""
        if not point.waiting:
            point.arrived.clear()
            try:
                async with asyncio.timeout(within_s):
                    await point.arrived.wait()
            except TimeoutError:
                return []
        return [point.waiting.popleft() for _ in range(min(limit, len(point.waiting)))]

    def ends_at(self, point: PullPoint, *, now: datetime, now_s: float) -> datetime:
        """When it ends, on the camera's clock."""
        return now + timedelta(seconds=point.ends_at_s - now_s)

    def _sweep(self, now_s: float) -> None:
        for point in [one for one in self._points.values() if one.ends_at_s <= now_s]:
            self.unsubscribe(point)

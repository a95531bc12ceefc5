"""From what analysis gives out to facts: rules that fired, minutes of counting, and the mailbox that they wait in."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from safecity.analytics import store
from safecity.analytics.pipeline import Firing, LineCount
from safecity.analytics.scene import Rule
from safecity.events import Fact, state_fact
from safecity.events.analytics import LineCounted, RuleFired
from safecity.platform.ids import fact_id
from safecity.sites.model import CameraId

CLIP_BEFORE = timedelta(seconds=5)
CLIP_AFTER = timedelta(seconds=10)
COUNT_EVERY = timedelta(minutes=1)
MAX_WAITING = 20_000  # facts and counts together; a database that is away for long costs the oldest, counted
MAX_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A fact on its way to the database."""

    fact: Fact
    id: str
    time: datetime
    subject: str


def rule_fired(
    firing: Firing, rule: Rule, *, camera: CameraId, model: str, instant: Callable[[float], datetime]
) -> Told:
    """The fact of a rule that began to hold; `instant` tells the time of a picture's seconds."""
    started_at, picture_at = instant(firing.started_s), instant(firing.picture_s)
    fact = RuleFired(
        camera=camera,
        rule=rule.name,
        kind=rule.kind,
        title=rule.title or rule.name,
        title_ur=rule.title_ur or rule.title or rule.name,
        subject=firing.subject,
        object_class=firing.object_class,
        priority=rule.priority,
        started_at=started_at,
        clip_from=started_at - CLIP_BEFORE,
        clip_to=max(started_at, picture_at) + CLIP_AFTER,
        picture_at=picture_at,
        box=None if firing.box is None else _inside(firing.box),
        confidence=min(1.0, max(0.0, firing.confidence)),
        model=model,
    )
    name = fact_id(RuleFired.type, camera, rule.name, firing.subject, started_at.isoformat())
    return Told(fact=fact, id=name, time=started_at, subject=camera)


def _inside(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """The part of a box that lies on the picture."""
    left, top = (min(1.0, max(0.0, value)) for value in box[:2])
    width = min(1.0 - left, max(0.0, box[0] + box[2] - left))
    height = min(1.0 - top, max(0.0, box[1] + box[3] - top))
    return left, top, width, height


@dataclass(slots=True, kw_only=True)
class CountBook:
    """Turns running totals of one camera into facts of a minute each."""

    camera: CameraId
    model: str
    from_at: datetime
    _said: dict[str, tuple[Mapping[str, int], Mapping[str, int]]] = field(
        default_factory=dict[str, tuple[Mapping[str, int], Mapping[str, int]]]
    )

    def is_due(self, now: datetime) -> bool:
        """Whether the interval has ended: at the next whole minute."""
        return now >= self._end()

    def _end(self) -> datetime:
        return self.from_at.replace(second=0, microsecond=0) + COUNT_EVERY

    def settle(self, counts: Sequence[LineCount], *, now: datetime) -> list[LineCounted]:
        """What crossed since the last time, and begin the next interval at the whole minute, or now if that is later
        than it or not reached."""
        end = self._end()
        to_at = end if end <= now < end + COUNT_EVERY else now
        found: list[LineCounted] = []
        for one in counts:
            forward_before, backward_before = self._said.get(one.name, ({}, {}))
            forward, backward = _less(one.forward, forward_before), _less(one.backward, backward_before)
            self._said[one.name] = (dict(one.forward), dict(one.backward))
            if forward or backward:
                found.append(
                    LineCounted(
                        camera=self.camera,
                        line=one.name,
                        from_at=self.from_at,
                        to_at=max(to_at, self.from_at),
                        forward=forward,
                        backward=backward,
                        model=self.model,
                    )
                )
        self.from_at = max(to_at, self.from_at)
        return found


def _less(now: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    return {name: number - before.get(name, 0) for name, number in now.items() if number > before.get(name, 0)}


class FactMailbox:
    """Where facts and counts wait for the database; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, Told | LineCounted] = {}
        self._dropped = 0

    @property
    def depth(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @property
    def dropped(self) -> int:
        """How many did not fit while the database was away."""
        return self._dropped

    def put(self, what: Told | LineCounted) -> None:
        """A fact to state, or a minute of a line; the same one twice is one."""
        with self._lock:
            self._waiting[_name(what)] = what
            while len(self._waiting) > MAX_WAITING:
                del self._waiting[next(iter(self._waiting))]
                self._dropped += 1

    def write(self, connection: Connection, *, source: str) -> Sequence[str]:
        """Write the oldest that wait, in the caller's transaction; name them to `forget` once that is committed."""
        with self._lock:
            batch = dict(list(self._waiting.items())[:MAX_AT_ONCE])
        for one in batch.values():
            if isinstance(one, LineCounted):
                store.state_count(connection, one, source=source)
            else:
                state_fact(connection, one.fact, id=one.id, source=source, time=one.time, subject=one.subject)
        return list(batch)

    def forget(self, names: Sequence[str]) -> None:
        """These are in the database."""
        with self._lock:
            for name in names:
                self._waiting.pop(name, None)


def _name(what: Told | LineCounted) -> str:
    if isinstance(what, Told):
        return what.id
    return f"count/{what.camera}/{what.line}/{what.from_at.isoformat()}"

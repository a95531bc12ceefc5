"""What an alert is and what may be done with it: pure rules, the states of ISA-18.2 in our own words (see README.md).

Each function takes the alert as it is and gives the alert as it shall be, with its version one higher, or raises
Conflict with a sentence for the person who asked. Nothing here reads a clock, a database or a setting.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal, NewType

from safecity.events.incidents import AlertState, CloseReason, Person
from safecity.platform.errors import Conflict, Invalid
from safecity.platform.geometry import LonLat

AlertId = NewType("AlertId", str)
IncidentId = NewType("IncidentId", str)

HandStep = Literal["acknowledge", "release", "escalate", "confirm", "close"]
ClockWord = Literal["escalated", "lapsed", "rescheduled"]
Box = tuple[float, float, float, float]

OPEN_STATES: Final = frozenset[AlertState]({"unacknowledged", "acknowledged"})
EVERY_OPERATOR: Final = 1
SUPERVISOR: Final = 2
NEVER_CALLED_OUT: Final = 4
"""The priority that no clock escalates."""
REASON_WORDS: Final[dict[CloseReason, str]] = {
    "false_alarm": "a false alarm",
    "nothing_seen": "nothing seen",
    "duplicate": "a duplicate",
    "known_activity": "known activity",
    "test": "a test",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The clocks of the queue, for priorities 1, 2 and 3, and the time within which facts are one matter."""

    merge: timedelta
    offer: tuple[timedelta, timedelta, timedelta]
    escalate: tuple[timedelta, timedelta, timedelta]
    act: tuple[timedelta, timedelta, timedelta]

    def offer_of(self, priority: int) -> timedelta:
        """How long an alert waits for the operator it was offered to."""
        return self.offer[min(priority, 3) - 1]

    def escalate_of(self, priority: int) -> timedelta:
        """How long an alert waits in all before the supervisor is called."""
        return self.escalate[min(priority, 3) - 1]

    def act_of(self, priority: int) -> timedelta:
        """How long an acknowledgement holds; priority 4 has the time of priority 3."""
        return self.act[min(priority, 3) - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """A rule that fired, as the queue needs it: the fact, and where its camera stands."""

    fact: str
    camera: str
    position: LonLat
    rule: str
    kind: str
    title: str
    title_ur: str
    subject: str
    object_class: str
    priority: int
    started_at: datetime
    clip_from: datetime
    clip_to: datetime
    picture_at: datetime
    box: Box | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One matter that asks for a human's attention, as it is now; the fields are those of `AlertChanged`."""

    id: AlertId
    version: int
    state: AlertState
    priority: int
    kind: str
    rule: str
    title: str
    title_ur: str
    camera: str | None
    position: LonLat
    subject: str
    object_class: str
    count: int
    first_at: datetime
    last_at: datetime
    picture_at: datetime
    box: Box | None
    clip_from: datetime
    clip_to: datetime
    raised_at: datetime
    """When it entered the queue, by our clock; the camera's clock may be wrong."""
    level: int
    offered_to: Person | None
    owner: Person | None
    """Who has acknowledged it; of a decided alert, who decided."""
    due_at: datetime | None
    decided_at: datetime | None = None
    """When it was confirmed or closed."""
    close_reason: CloseReason | None = None
    incident: IncidentId | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still waits for a decision."""
        return self.state in OPEN_STATES

    @property
    def closed_at(self) -> datetime | None:
        """When it was closed; None for a confirmed one, whose incident goes on."""
        return self.decided_at if self.state == "closed" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """Who handles an alert; a supervisor may decide what another has acknowledged."""

    person: Person
    is_supervisor: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """What somebody does with an alert; `reason` belongs to `close`, `incident` (the one it opens) to `confirm`."""

    step: HandStep
    reason: CloseReason | None = None
    incident: IncidentId | None = None


def raise_alert(firing: Firing, *, id: AlertId, offer: Person | None, now: datetime, limits: Limits) -> Alert:  # noqa: A002 - the alert's own word
    """The alert of a fact that belongs to no other; where nobody is on duty it is everybody's at once."""
    waits = limits.escalate_of(firing.priority) if offer is None else limits.offer_of(firing.priority)
    return Alert(
        id=id,
        version=1,
        state="unacknowledged",
        priority=firing.priority,
        kind=firing.kind,
        rule=firing.rule,
        title=firing.title,
        title_ur=firing.title_ur,
        camera=firing.camera,
        position=firing.position,
        subject=firing.subject,
        object_class=firing.object_class,
        count=1,
        first_at=firing.started_at,
        last_at=firing.started_at,
        picture_at=firing.picture_at,
        box=firing.box,
        clip_from=firing.clip_from,
        clip_to=firing.clip_to,
        raised_at=now,
        level=EVERY_OPERATOR if offer is None else 0,
        offered_to=offer,
        owner=None,
        due_at=None if firing.priority >= NEVER_CALLED_OUT else now + waits,
    )


def takes(alert: Alert, firing: Firing, *, is_incident_open: bool, limits: Limits) -> bool:
    """Whether a fact is of the same matter: same camera, rule and subject, near in time or under an open incident."""
    if (alert.camera, alert.rule, alert.subject) != (firing.camera, firing.rule, firing.subject):
        return False
    if alert.state == "confirmed":
        return is_incident_open
    # A camera's clock may be set back, so the fact may also lie before the alert.
    is_near = alert.first_at - limits.merge <= firing.started_at <= alert.last_at + limits.merge
    return alert.is_open and is_near


def join(alert: Alert, firing: Firing, *, now: datetime, limits: Limits) -> Alert:
    """The alert with one more fact: its clip and interval grow, and a fact of higher priority makes it more urgent."""
    if alert.state == "closed":
        raise Conflict("This alert is closed; what comes later is a new alert.", code="incidents.alert_closed")
    grown = replace(
        alert,
        version=alert.version + 1,
        count=alert.count + 1,
        first_at=min(alert.first_at, firing.started_at),
        last_at=max(alert.last_at, firing.started_at),
        clip_from=min(alert.clip_from, firing.clip_from),
        clip_to=max(alert.clip_to, firing.clip_to),
    )
    if not alert.is_open or firing.priority >= alert.priority:
        return grown
    urgent = replace(grown, priority=firing.priority)
    if alert.state == "unacknowledged" and alert.level == SUPERVISOR:
        return urgent
    latest = now + _waits_at_most(urgent, limits)
    return replace(urgent, due_at=latest if alert.due_at is None else min(alert.due_at, latest))


def handle(alert: Alert, handling: Handling, *, by: Handler, now: datetime, limits: Limits) -> Alert:
    """The alert after somebody's step. Raises Conflict where its state does not allow that, naming who has it."""
    _check_is_open(alert)
    _check_reason(handling)
    after = replace(alert, version=alert.version + 1)
    if handling.step == "acknowledge":
        _check_is_free(alert, by)
        return replace(after, state="acknowledged", owner=by.person, due_at=now + limits.act_of(alert.priority))
    if handling.step == "escalate":
        if alert.state == "unacknowledged" and alert.level == SUPERVISOR:
            raise Conflict("The supervisor has been called to this alert already.", code="incidents.is_escalated")
        return replace(after, state="unacknowledged", level=SUPERVISOR, owner=None, due_at=None)
    _check_may_decide(alert, by)
    if handling.step == "release":
        if alert.state == "unacknowledged":
            raise Conflict("Nobody has acknowledged this alert, so nobody can release it.", code="incidents.not_held")
        return _given_back(after, level=max(alert.level, EVERY_OPERATOR), now=now, limits=limits)
    after = replace(after, owner=by.person, due_at=None, decided_at=now)
    if handling.step == "confirm":
        return replace(after, state="confirmed", incident=handling.incident)
    return replace(after, state="closed", close_reason=handling.reason)


def tick(alert: Alert, *, now: datetime, limits: Limits) -> tuple[Alert, ClockWord] | None:
    """The alert once its time has run out, with the word for what happened; None while there is time.

    A clock that was set back must not keep an alert waiting: what is due later than its limit allows is due anew.
    """
    if not alert.is_open or alert.due_at is None:
        return None
    after = replace(alert, version=alert.version + 1)
    longest = _waits_at_most(alert, limits)
    if alert.due_at > now + longest:
        return replace(after, due_at=now + longest), "rescheduled"
    if alert.due_at > now:
        return None
    level = min(alert.level + 1, SUPERVISOR)
    if alert.state == "unacknowledged":
        return _given_back(after, level=level, now=now, limits=limits), "escalated"
    if alert.priority >= NEVER_CALLED_OUT:
        level = max(alert.level, EVERY_OPERATOR)
    return _given_back(after, level=level, now=now, limits=limits), "lapsed"


def queue_key(alert: Alert) -> tuple[int, int, bool, float, float, str]:
    """The order of the queue: priority, escalated first, due first, oldest first."""
    due_s = alert.due_at.timestamp() if alert.due_at else 0.0
    return alert.priority, -alert.level, alert.due_at is None, due_s, alert.first_at.timestamp(), alert.id


def _given_back(alert: Alert, *, level: int, now: datetime, limits: Limits) -> Alert:
    has_clock = alert.priority < NEVER_CALLED_OUT and level < SUPERVISOR
    rest = max(limits.escalate_of(alert.priority) - limits.offer_of(alert.priority), timedelta())
    return replace(alert, state="unacknowledged", owner=None, level=level, due_at=now + rest if has_clock else None)


def _waits_at_most(alert: Alert, limits: Limits) -> timedelta:
    if alert.state == "acknowledged":
        return limits.act_of(alert.priority)
    return limits.offer_of(alert.priority) if alert.level == 0 else limits.escalate_of(alert.priority)


def _name(person: Person | None) -> str:
    return person.name if person else "Somebody"


def _check_is_open(alert: Alert) -> None:
    if alert.state == "confirmed":
        raise Conflict(
            f"{_name(alert.owner)} has confirmed this alert already; work on its incident instead.",
            code="incidents.alert_confirmed",
            incident=alert.incident,
        )
    if alert.state == "closed":
        word = REASON_WORDS[alert.close_reason] if alert.close_reason else "done"
        raise Conflict(f"{_name(alert.owner)} has closed this alert already, as {word}.", code="incidents.alert_closed")


def _check_is_free(alert: Alert, by: Handler) -> None:
    if alert.state != "acknowledged":
        return
    if alert.owner == by.person:
        raise Conflict("You have acknowledged this alert already; decide it or release it.", code="incidents.is_yours")
    raise Conflict(
        f"{_name(alert.owner)} has acknowledged this alert; it is theirs until they decide it or give it back.",
        code="incidents.is_held",
        owner=_name(alert.owner),
    )


def _check_may_decide(alert: Alert, by: Handler) -> None:
    is_own = alert.owner is not None and alert.owner.user == by.person.user
    if alert.state == "acknowledged" and not is_own and not by.is_supervisor:
        raise Conflict(
            f"{_name(alert.owner)} has acknowledged this alert; only they or a supervisor can decide or release it.",
            code="incidents.is_held",
            owner=_name(alert.owner),
        )


def _check_reason(handling: Handling) -> None:
    if (handling.step == "close") != (handling.reason is not None):
        raise Invalid(
            f"Say why the alert is closed ({', '.join(REASON_WORDS.values())}); only closing has a reason.",
            code="incidents.reason",
        )
    if (handling.step == "confirm") != (handling.incident is not None):
        raise Invalid("Confirming an alert opens an incident, and nothing else does.", code="incidents.no_incident")

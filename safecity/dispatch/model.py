"""Units, assignments and the rules about them, pure: nothing here reads a clock, a database or a setting."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal, NewType

from safecity.events.incidents import IncidentStage
from safecity.platform.errors import Conflict, Invalid
from safecity.platform.geometry import LonLat, bearing_deg, distance_m

UnitId = NewType("UnitId", str)
AssignmentId = NewType("AssignmentId", str)

FIX_AHEAD_MOST = timedelta(seconds=5)
"""How far a device's clock may run ahead of ours before its fix is not believed."""
FIX_EVERY = timedelta(seconds=1)
"""At most so often is a fix of one unit kept."""
FIX_MOVED_M = 5.0
"""A fix nearer than this to the kept one says nothing new: it is the receiver's own noise."""
FIX_RENEWED_AFTER = timedelta(seconds=30)
"""After so long a fix is kept though the unit stands still, so that its position does not seem old."""


class UnitKind(StrEnum):
    """What a unit is equipped for."""

    POLICE = "police"
    TRAFFIC = "traffic"
    AMBULANCE = "ambulance"
    FIRE = "fire"


class UnitStatus(StrEnum):
    """What a unit is doing."""

    FREE = "free"
    SENT = "sent"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    OFF_DUTY = "off_duty"


Duty = Literal[UnitStatus.FREE, UnitStatus.OFF_DUTY]


class AssignmentState(StrEnum):
    """How far a unit has got with what it was sent to."""

    SENT = "sent"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    CLEARED = "cleared"
    CANCELLED = "cancelled"


# What may follow what. A unit that has arrived is cleared, not called back; what has ended stays ended.
NEXT: Final[Mapping[AssignmentState, frozenset[AssignmentState]]] = {
    AssignmentState.SENT: frozenset({AssignmentState.EN_ROUTE, AssignmentState.CANCELLED}),
    AssignmentState.EN_ROUTE: frozenset({AssignmentState.ON_SCENE, AssignmentState.CANCELLED}),
    AssignmentState.ON_SCENE: frozenset({AssignmentState.CLEARED}),
    AssignmentState.CLEARED: frozenset(),
    AssignmentState.CANCELLED: frozenset(),
}
_STATUS: Final[Mapping[AssignmentState, UnitStatus]] = {
    AssignmentState.SENT: UnitStatus.SENT,
    AssignmentState.EN_ROUTE: UnitStatus.EN_ROUTE,
    AssignmentState.ON_SCENE: UnitStatus.ON_SCENE,
    AssignmentState.CLEARED: UnitStatus.FREE,
    AssignmentState.CANCELLED: UnitStatus.FREE,
}
_FURTHEST: Final[Sequence[tuple[AssignmentState, IncidentStage]]] = (
    (AssignmentState.ON_SCENE, "on_scene"),
    (AssignmentState.EN_ROUTE, "en_route"),
    (AssignmentState.SENT, "unit_sent"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSpec:
    """A unit as someone enters it: what it is, and where it stands until it reports itself."""

    code: str
    kind: UnitKind
    name: str
    name_ur: str
    position: LonLat


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit as it is now; `fix_at` is when its position was true."""

    id: UnitId
    code: str
    kind: UnitKind
    name: str
    name_ur: str
    position: LonLat
    fix_at: datetime
    status: UnitStatus
    incident: str | None
    assignment: AssignmentId | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A unit on an incident; `ended_at` is when it was cleared or called back."""

    id: AssignmentId
    unit: UnitId
    incident: str
    state: AssignmentState
    target: LonLat
    distance_m: float
    sent_at: datetime
    sent_by: str
    sent_by_name: str
    en_route_at: datetime | None = None
    on_scene_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearby:
    """A unit with how far and in which direction from an incident it is, by straight line."""

    unit: Unit
    distance_m: float
    bearing_deg: float
    fix_age_s: float
    is_stale: bool


def unit_id(code: str) -> UnitId:
    """The id of the unit with that call sign; call signs differ in more than upper and lower case."""
    return UnitId(f"unit_{code.lower()}")


def nearest_free(units: Iterable[Unit], *, to: LonLat, now: datetime, stale_after_s: float, limit: int) -> list[Nearby]:
    """The nearest free units, by straight line.

    An old fix is flagged and does not change the order: a parked unit that has fallen silent is most often where it
    was, and a dispatcher can ask it by radio, while one that was moved down the list is not asked at all.
    """
    found = [_nearby(unit, to, now, stale_after_s) for unit in units if unit.status is UnitStatus.FREE]
    return sorted(found, key=lambda one: (one.distance_m, one.unit.code))[:limit]


def _nearby(unit: Unit, to: LonLat, now: datetime, stale_after_s: float) -> Nearby:
    age_s = max(0.0, (now - unit.fix_at).total_seconds())
    return Nearby(
        unit=unit,
        distance_m=distance_m(to, unit.position),
        bearing_deg=bearing_deg(to, unit.position),
        fix_age_s=age_s,
        is_stale=age_s > stale_after_s,
    )


def check_step(assignment: Assignment, to: AssignmentState) -> None:
    """Raise Conflict where a unit cannot take this step now; the sentence says what it can do."""
    allowed = NEXT[assignment.state]
    if to in allowed:
        return
    if not allowed:
        raise Conflict(
            f"this assignment has ended ({_say(assignment.state)}); send the unit again", code="dispatch.has_ended"
        )
    can = " or ".join(sorted(_say(one) for one in allowed))
    raise Conflict(
        f"the unit is {_say(assignment.state)}; the next step is {can}, not {_say(to)}", code="dispatch.wrong_step"
    )


def status_after(state: AssignmentState) -> UnitStatus:
    """What a unit does once its assignment is there."""
    return _STATUS[state]


def has_ended(state: AssignmentState) -> bool:
    """Whether the unit is free again."""
    return not NEXT[state]


def stage_of(states: Iterable[AssignmentState]) -> IncidentStage:
    """How far help has got: the furthest of the units still on it, else whether any was there."""
    known = set(states)
    for state, stage in _FURTHEST:
        if state in known:
            return stage
    return "cleared" if AssignmentState.CLEARED in known else "new"


def count_active(states: Iterable[AssignmentState]) -> int:
    """Units that are on it now."""
    return sum(not has_ended(state) for state in states)


def keeps_fix(unit: Unit, position: LonLat, *, at: datetime, now: datetime, renewed_after: timedelta) -> bool:
    """Whether a fix says something new; raises Invalid for one from the future, Conflict for one that is late."""
    if at - now > FIX_AHEAD_MOST:
        raise Invalid("the fix lies in the future; set the device's clock", code="dispatch.fix_ahead")
    if at < unit.fix_at:
        raise Conflict("a newer position of this unit is known already", code="dispatch.fix_late")
    age = at - unit.fix_at
    if age < FIX_EVERY:
        return False
    return age >= renewed_after or distance_m(unit.position, position) >= FIX_MOVED_M


def say_where(unit: Unit) -> str:
    """In words for a refusal: what the unit is doing."""
    return f"{unit.code} is {str(unit.status).replace('_', ' ')}"


def _say(state: AssignmentState) -> str:
    return state.value.replace("_", " ")

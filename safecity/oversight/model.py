"""Who may see what for which purpose: the words of the room and the policy, pure.

Nothing here reads a clock, a database or a setting. The policy is data (`ACTS_OF`, `PICTURE_ACTS`) and one function
(`decide`); what is not allowed by it is denied.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal, NewType

UserId = NewType("UserId", str)
SessionId = NewType("SessionId", str)
PurposeId = NewType("PurposeId", str)

PurposeKind = Literal["shift", "incident", "case"]
ResourceKind = Literal["camera", "city", "log", "users", "shift", "alert", "incident", "unit", "case", "demo"]


class Role(StrEnum):
    """What a person is employed to do here; each person has one."""

    OPERATOR = "operator"
    DISPATCHER = "dispatcher"
    INVESTIGATOR = "investigator"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    TECHNICIAN = "technician"
    ADMINISTRATOR = "administrator"


class Act(StrEnum):
    """What can be done; there is no act of searching for a person, and there will be none."""

    VIEW_LIVE = "view_live"
    VIEW_RECORDINGS = "view_recordings"
    EXPORT_CLIP = "export_clip"
    LIST_CAMERAS = "list_cameras"
    VIEW_HEALTH = "view_health"
    READ_LOG = "read_log"
    MANAGE_USERS = "manage_users"
    MANAGE_SITES = "manage_sites"
    START_SHIFT = "start_shift"
    LIST_ALERTS = "list_alerts"
    HANDLE_ALERTS = "handle_alerts"
    LIST_INCIDENTS = "list_incidents"
    HANDLE_INCIDENTS = "handle_incidents"
    LIST_UNITS = "list_units"
    DISPATCH_UNITS = "dispatch_units"
    LIST_CASES = "list_cases"
    OPEN_CASE = "open_case"
    HANDLE_CASES = "handle_cases"
    MANAGE_RULES = "manage_rules"
    CAUSE_FAULTS = "cause_faults"
    STEER_CAMERA = "steer_camera"


PICTURE_ACTS: Final = frozenset({Act.VIEW_LIVE, Act.VIEW_RECORDINGS, Act.EXPORT_CLIP})
# Polled by the page, so no leaf for each time; what is in them is written down where it is changed.
LISTING_ACTS: Final = frozenset(
    {Act.LIST_CAMERAS, Act.VIEW_HEALTH, Act.LIST_ALERTS, Act.LIST_INCIDENTS, Act.LIST_UNITS, Act.LIST_CASES}
)
_NOW = frozenset({Act.VIEW_LIVE, Act.STEER_CAMERA})
"""On duty, and about what a camera shows at this moment."""
_WATCH = frozenset({Act.START_SHIFT, Act.LIST_CAMERAS, Act.VIEW_LIVE, Act.VIEW_RECORDINGS})
_RESPOND = frozenset(
    {
        Act.LIST_ALERTS,
        Act.HANDLE_ALERTS,
        Act.LIST_INCIDENTS,
        Act.HANDLE_INCIDENTS,
        Act.LIST_UNITS,
        Act.CAUSE_FAULTS,
        Act.STEER_CAMERA,
    }
)
_INVESTIGATE = frozenset({Act.EXPORT_CLIP, Act.LIST_INCIDENTS, Act.LIST_CASES, Act.OPEN_CASE, Act.HANDLE_CASES})

ACTS_OF: Final[Mapping[Role, frozenset[Act]]] = {
    Role.OPERATOR: _WATCH | _RESPOND,
    Role.DISPATCHER: _WATCH | _RESPOND | {Act.DISPATCH_UNITS, Act.OPEN_CASE},
    Role.INVESTIGATOR: _WATCH | _INVESTIGATE,
    Role.SUPERVISOR: _WATCH | _RESPOND | _INVESTIGATE | {Act.DISPATCH_UNITS, Act.VIEW_HEALTH, Act.MANAGE_RULES},
    Role.AUDITOR: frozenset({Act.READ_LOG, Act.LIST_CAMERAS}),
    Role.TECHNICIAN: frozenset({Act.LIST_CAMERAS, Act.VIEW_HEALTH, Act.CAUSE_FAULTS}),
    Role.ADMINISTRATOR: frozenset(
        {
            Act.MANAGE_USERS,
            Act.MANAGE_SITES,
            Act.MANAGE_RULES,
            Act.LIST_CAMERAS,
            Act.VIEW_HEALTH,
            Act.CAUSE_FAULTS,
        }
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The person behind a request, as their session says."""

    user_id: UserId
    name: str
    role: Role
    session_id: SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What an act is about; of recordings also which interval of capture time."""

    kind: ResourceKind
    id: str
    from_at: datetime | None = None
    to_at: datetime | None = None

    @classmethod
    def camera(cls, camera_id: str, *, from_at: datetime | None = None, to_at: datetime | None = None) -> "Resource":
        """One camera's pictures: live without an interval, recorded with one."""
        return cls(kind="camera", id=camera_id, from_at=from_at, to_at=to_at)

    @classmethod
    def city(cls) -> "Resource":
        """The registry of sites and cameras, and their health."""
        return cls(kind="city", id="city")

    @classmethod
    def log(cls) -> "Resource":
        """The audit log."""
        return cls(kind="log", id="log")

    @classmethod
    def users(cls, user_id: str = "all") -> "Resource":
        """The accounts, or one of them."""
        return cls(kind="users", id=user_id)

    @classmethod
    def alert(cls, alert_id: str = "all") -> "Resource":
        """The queue, or one alert of it."""
        return cls(kind="alert", id=alert_id)

    @classmethod
    def incident(cls, incident_id: str = "all") -> "Resource":
        """The incidents, or one of them."""
        return cls(kind="incident", id=incident_id)

    @classmethod
    def unit(cls, unit_id: str = "all") -> "Resource":
        """The units, or one of them."""
        return cls(kind="unit", id=unit_id)

    @classmethod
    def case(cls, case_id: str = "all") -> "Resource":
        """The cases, or one of them."""
        return cls(kind="case", id=case_id)

    @classmethod
    def demo(cls) -> "Resource":
        """The demo's own cameras and processes, for faults on command."""
        return cls(kind="demo", id="demo")

    @classmethod
    def shift(cls) -> "Resource":
        """The actor's own shift."""
        return cls(kind="shift", id="own")


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeScope:
    """Recordings of one camera that an incident or a case is about: capture time from `from_at` to `to_at`.

    Both ends belong to it; without `to_at` it goes on for as long as the purpose stands.
    """

    camera: str
    from_at: datetime
    to_at: datetime | None = None

    def covers(self, resource: Resource) -> bool:
        """Whether the whole interval of a camera's recordings lies in it."""
        first, last = resource.from_at, resource.to_at
        if resource.kind != "camera" or resource.id != self.camera or first is None or last is None or last < first:
            return False
        return self.from_at <= first and (self.to_at is None or last <= self.to_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """Why someone looks: a thing that the system can check, with an end.

    `user_id` names whose it is; a shift always has one, an incident or a case is shared. It stands from `opened_at`
    until `closed_at` or `ends_at`, whichever comes first; at those instants it no longer stands. `scopes` is what an
    incident or a case is about, as far as it was read; a shift has none, its reach is the policy's.
    """

    id: PurposeId
    kind: PurposeKind
    ref: str
    user_id: UserId | None
    opened_at: datetime
    ends_at: datetime | None
    closed_at: datetime | None = None
    scopes: tuple[PurposeScope, ...] = ()

    def stands_at(self, now: datetime) -> bool:
        """Whether it justifies a look at this instant."""
        if now < self.opened_at or (self.closed_at is not None and now >= self.closed_at):
            return False
        return self.ends_at is None or now < self.ends_at

    def covers(self, resource: Resource) -> bool:
        """Whether one of its scopes holds the whole interval."""
        return any(scope.covers(resource) for scope in self.scopes)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDuty:
    """Someone whose shift is open."""

    user_id: UserId
    display_name: str
    role: Role
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account; the password's hash stays in the store."""

    id: UserId
    name: str
    display_name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A signed-in browser, as it is now."""

    actor: Actor
    display_name: str
    expires_at: datetime
    shift: Purpose | None

    @property
    def role(self) -> Role:
        """The person's role."""
        return self.actor.role

    @property
    def acts(self) -> frozenset[Act]:
        """What the role includes; a picture also needs a shift."""
        return ACTS_OF[self.actor.role]


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """A yes that has been written down: the leaf, the purpose it rests on, and when it ends at the latest.

    Every picture needs the shift too: `shift_id` is that shift, the same as `purpose_id` where it rests on it alone.
    """

    leaf_index: int
    purpose_id: PurposeId | None
    at: datetime
    ends_at: datetime | None
    shift_id: PurposeId | None = None
    purpose: Purpose | None = None  # the one of `purpose_id`, as it was then


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The numbers of the policy; the settings give them."""

    live_age: timedelta  # shift duty covers recordings up to this age


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer, with the purpose and the shift that it rests on or the reason of the refusal."""

    allowed: bool
    purpose: Purpose | None = None
    shift: Purpose | None = None
    reason: str = ""
    code: str = ""


def decide(
    actor: Actor, act: Act, *, resource: Resource, purposes: Iterable[Purpose], now: datetime, limits: Limits
) -> Decision:
    """Whether the actor may do this now; anything that no rule allows is denied.

    A picture needs a role that may see pictures, a camera and an open shift of that very actor. Recordings older than
    `limits.live_age`, and whatever leaves the house as a clip, also need a standing case or incident that covers that
    camera for the whole interval; a case comes before an incident, the older one before the newer.
    """
    if act not in ACTS_OF.get(actor.role, frozenset()):
        return _refuse("oversight.role", f"The role {actor.role} does not include {str(act).replace('_', ' ')}.")
    if act not in PICTURE_ACTS and act is not Act.STEER_CAMERA:
        return Decision(allowed=True)
    if resource.kind != "camera":
        return _refuse("oversight.no_camera", "Pictures are asked for by camera; name one.")
    if (wrong := _wrong_interval(act, resource)) is not None:
        return wrong
    held = [item for item in purposes if item.stands_at(now)]
    shift = next((item for item in held if _is_own_shift(item, actor)), None)
    if shift is None:
        return _refuse("oversight.no_shift", "You are not on duty; start your shift, then look.")
    oldest = now - limits.live_age
    if act in _NOW or (act is Act.VIEW_RECORDINGS and (resource.from_at or now) >= oldest):
        return Decision(allowed=True, purpose=shift, shift=shift)
    reason = min((item for item in held if _is_reason(item, actor, resource)), key=_by_weight, default=None)
    if reason is not None:
        return Decision(allowed=True, purpose=reason, shift=shift)
    if act is Act.EXPORT_CLIP:
        return _refuse(
            "oversight.no_case",
            "A clip is taken out for a case or an incident only. Open the case or incident that this camera belongs to "
            "and choose an interval that it covers.",
        )
    return _refuse(
        "oversight.too_old",
        f"Shift duty covers recordings from {oldest:%Y-%m-%d %H:%M:%S} UTC on. Choose a later start, or open the case "
        "or incident that this camera belongs to and choose an interval that it covers.",
    )


def _refuse(code: str, reason: str) -> Decision:
    return Decision(allowed=False, code=code, reason=reason)


def _is_own_shift(purpose: Purpose, actor: Actor) -> bool:
    return purpose.kind == "shift" and purpose.user_id == actor.user_id


def _is_reason(purpose: Purpose, actor: Actor, resource: Resource) -> bool:
    """Whether a case or an incident, shared or the actor's own, is about these recordings."""
    is_theirs = purpose.user_id is None or purpose.user_id == actor.user_id
    return purpose.kind in ("case", "incident") and is_theirs and purpose.covers(resource)


def _by_weight(purpose: Purpose) -> tuple[bool, datetime, str]:
    return purpose.kind != "case", purpose.opened_at, purpose.id


def _wrong_interval(act: Act, resource: Resource) -> Decision | None:
    first, last = resource.from_at, resource.to_at
    if act in _NOW:
        if first is None and last is None:
            return None
        return _refuse("oversight.interval", "A live picture has no interval; ask for recordings instead.")
    if first is None or last is None or last < first:
        return _refuse("oversight.interval", "Recordings are asked for by an interval; say from when to when.")
    return None

"""What the one queue states. Each fact carries the whole of the thing as it is now, so that a page replaces it."""

from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from safecity.events.store import Fact

AlertState = Literal["unacknowledged", "acknowledged", "confirmed", "closed"]
IncidentStage = Literal["new", "unit_sent", "en_route", "on_scene", "cleared", "closed"]
CloseReason = Literal["false_alarm", "nothing_seen", "duplicate", "known_activity", "test"]
Outcome = Literal["resolved", "no_action", "false_alarm", "case"]
Priority = Annotated[int, Field(ge=1, le=4)]


class Person(BaseModel):
    """Somebody of the staff, as colleagues see them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: str
    """Account id."""
    name: str
    """Display name."""


class AlertChanged(Fact):
    """An alert is new, was joined by another fact, was offered, escalated or handled."""

    type: ClassVar[str] = "incidents.alert_changed"
    id: str
    version: int
    """Rises by one with each change; a step names the version it was decided on."""
    state: AlertState
    priority: Priority
    kind: str
    """As `RuleFired.kind`, or `manual`."""
    rule: str
    title: str
    title_ur: str
    camera: str | None
    lon: float
    lat: float
    subject: str
    object_class: str
    count: int
    """Facts merged into this alert."""
    first_at: AwareDatetime
    last_at: AwareDatetime
    picture_at: AwareDatetime
    box: tuple[float, float, float, float] | None
    clip_from: AwareDatetime
    clip_to: AwareDatetime
    level: Annotated[int, Field(ge=0, le=2)]
    """0: the operator it was offered to; 1: every operator; 2: the supervisor too."""
    offered_to: Person | None
    owner: Person | None
    due_at: AwareDatetime | None
    """When it escalates, or when an acknowledgement without action lapses."""
    closed_at: AwareDatetime | None
    close_reason: CloseReason | None
    incident: str | None


class IncidentChanged(Fact):
    """An incident was opened, moved on, was written to or closed."""

    type: ClassVar[str] = "incidents.incident_changed"
    id: str
    number: str
    """For people: year and running number, `2026-000042`."""
    version: int
    stage: IncidentStage
    kind: str
    priority: Priority
    title: str
    title_ur: str
    camera: str | None
    lon: float
    lat: float
    opened_at: AwareDatetime
    owner: Person
    clip_from: AwareDatetime
    clip_to: AwareDatetime
    picture_at: AwareDatetime
    box: tuple[float, float, float, float] | None
    alerts: int
    units: int
    """Units that are on it now."""
    closed_at: AwareDatetime | None
    outcome: Outcome | None
    case: str | None

"""What the API says and hears of alerts, incidents, units and cases.

The things themselves go over the wire as the facts that state them (`AlertChanged`, `IncidentChanged`, `UnitChanged`),
so that a page can put a fact in the place of what it fetched.
"""

from typing import Annotated, Literal

from pydantic import Field

from safecity.api.wire import Instant, Wire
from safecity.events.dispatch import UnitChanged
from safecity.events.incidents import AlertChanged, CloseReason, IncidentChanged, Outcome, Person, Priority

PLAIN_TEXT = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"  # PostgreSQL keeps no NUL, and no text needs the others
Note = Annotated[str, Field(max_length=2000, pattern=PLAIN_TEXT)]
StepText = Annotated[str, Field(min_length=1, max_length=2000, pattern=PLAIN_TEXT)]
Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
CaseReference = Annotated[str, Field(min_length=1, max_length=60, pattern=PLAIN_TEXT)]


class StepView(Wire):
    """One line of a history: what was done, by whom and when; `by` is None where the system did it."""

    at: Instant
    step: str
    """A word such as `raised`, `joined`, `offered`, `escalated`, `acknowledged`, `confirmed`, `unit_sent`, `note`."""
    by: Person | None
    note: str
    detail: dict[str, str | int | float | None]


class AlertDetail(Wire):
    """An alert with its history, oldest first."""

    alert: AlertChanged
    steps: tuple[StepView, ...]


class AlertStep(Wire):
    """What somebody does with an alert, decided on the version that they saw."""

    step: Literal["acknowledge", "release", "escalate", "confirm", "close"]
    version: int
    reason: CloseReason | None = None
    """Why it is closed; needed with `close` alone."""
    note: Note = ""


class AlertStepDone(Wire):
    """The alert after the step, and the incident that a confirmation opened."""

    alert: AlertChanged
    incident: str | None


class AlertPage(Wire):
    """Alerts, newest first; `before` names the next page, None at the end."""

    alerts: tuple[AlertChanged, ...]
    before: str | None


class NearCamera(Wire):
    """A camera that belongs to an incident by its place."""

    camera: str
    distance_m: float


class AssignmentView(Wire):
    """A unit on an incident, with the instant of each step."""

    id: str
    unit: str
    code: str
    sent_at: Instant
    sent_by: Person
    distance_m: float
    en_route_at: Instant | None
    on_scene_at: Instant | None
    cleared_at: Instant | None
    is_cancelled: bool


class IncidentDetail(Wire):
    """An incident with everything around it."""

    incident: IncidentChanged
    steps: tuple[StepView, ...]
    alerts: tuple[AlertChanged, ...]
    cameras: tuple[NearCamera, ...]
    assignments: tuple[AssignmentView, ...]


class IncidentPage(Wire):
    """Incidents, newest first."""

    incidents: tuple[IncidentChanged, ...]
    before: str | None


class NewIncident(Wire):
    """An incident that a person reports: by phone, or seen on the wall."""

    title: Annotated[str, Field(min_length=3, max_length=200, pattern=PLAIN_TEXT)]
    priority: Priority = 2
    camera: Id | None = None
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    note: Note = ""


class NewNote(Wire):
    """A line for the history."""

    text: StepText


class CloseIncident(Wire):
    """How an incident ends without a case."""

    outcome: Literal["resolved", "no_action", "false_alarm"]
    version: int
    note: Note = ""


class Proposal(Wire):
    """A unit that could go, nearest first; the distance is a straight line and says so."""

    unit: UnitChanged
    distance_m: float
    bearing_deg: float
    method: Literal["straight_line"]
    fix_age_s: float
    is_stale: bool


class SendUnit(Wire):
    """Which unit goes."""

    unit: Id


class AssignmentStep(Wire):
    """What a unit has done, as the dispatcher hears it."""

    step: Literal["en_route", "on_scene", "cleared", "cancelled"]
    note: Note = ""


class CaseClip(Wire):
    """An interval of a camera that a case holds against deletion."""

    camera: str
    from_: Instant = Field(validation_alias="from_", serialization_alias="from")
    to: Instant
    held_segments: int
    export: str | None
    """The newest export of it under this case, while its files are kept."""


class CaseView(Wire):
    """A case in the list."""

    id: str
    number: str
    version: int
    state: Literal["open", "closed"]
    fir_number: str
    police_station: str
    title: str
    title_ur: str
    incident: str
    incident_number: str
    opened_at: Instant
    opened_by: Person
    closed_at: Instant | None
    outcome: str | None


class CaseDetail(Wire):
    """A case with its evidence and history."""

    case: CaseView
    clips: tuple[CaseClip, ...]
    steps: tuple[StepView, ...]
    incident: IncidentChanged


class CasePage(Wire):
    """Cases, newest first."""

    cases: tuple[CaseView, ...]
    before: str | None


class NewCase(Wire):
    """Close an incident into a case."""

    incident: Id
    version: int
    """Of the incident, as it was seen."""
    fir_number: CaseReference
    police_station: CaseReference
    note: Note = ""


class CaseReferences(Wire):
    """A corrected FIR number or station."""

    version: int
    fir_number: CaseReference
    police_station: CaseReference


class CloseCase(Wire):
    """How a case ends; its clips stay held."""

    version: int
    outcome: Annotated[str, Field(min_length=3, max_length=200, pattern=PLAIN_TEXT)]


class ExportedUnderCase(Wire):
    """An export that the gateway made for this case."""

    export: Id


class Outcomes(Wire):
    """The closed lists of reasons, for the page's menus."""

    close_reasons: tuple[CloseReason, ...]
    outcomes: tuple[Outcome, ...]

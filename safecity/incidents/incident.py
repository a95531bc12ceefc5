"""What an incident is and how it moves: pure rules."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from safecity.events.incidents import IncidentStage, Outcome, Person
from safecity.incidents.model import Alert, Box, IncidentId
from safecity.oversight.model import PurposeId
from safecity.platform.errors import Conflict
from safecity.platform.geometry import LonLat, distance_m

SCOPE_BEFORE = timedelta(hours=1)
"""What led to an incident may be looked at from so long before its first fact."""
MANUAL_CLIP_BEFORE = timedelta(minutes=2)
"""What a caller tells of has begun before they call."""
STAGE_WORDS: Final[dict[IncidentStage, str]] = {
    "new": "new",
    "unit_sent": "unit sent",
    "en_route": "en route",
    "on_scene": "on scene",
    "cleared": "cleared",
    "closed": "closed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A confirmed event being worked on, as it is now; the fields are those of `IncidentChanged`."""

    id: IncidentId
    year: int
    running: int
    version: int
    stage: IncidentStage
    kind: str
    priority: int
    title: str
    title_ur: str
    camera: str | None
    position: LonLat
    first_at: datetime
    """First fact of it, on the line of the recordings; for a reported one when it was reported."""
    opened_at: datetime
    owner: Person
    clip_from: datetime
    clip_to: datetime
    picture_at: datetime
    box: Box | None
    alerts: int
    units: int
    purpose: PurposeId
    """The purpose that was opened with it and closes with it."""
    closed_at: datetime | None = None
    outcome: Outcome | None = None
    case: str | None = None

    @property
    def number(self) -> str:
        """What people call it: year and running number."""
        return f"{self.year}-{self.running:06d}"

    @property
    def is_open(self) -> bool:
        """Whether it is still worked on."""
        return self.stage != "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A camera that belongs to an incident by its place."""

    camera: str
    distance_m: float


def check_is_open(incident: Incident) -> None:
    """Raises Conflict for a closed incident, which never changes again."""
    if not incident.is_open:
        into = f" into case {incident.case}" if incident.case else ""
        raise Conflict(f"Incident {incident.number} is closed{into}.", code="incidents.incident_closed")


def written_to(incident: Incident) -> Incident:
    """The incident with another line in its timeline."""
    return replace(incident, version=incident.version + 1)


def moved(incident: Incident, *, stage: IncidentStage, units: int) -> Incident:
    """The incident after its units have moved it. Raises Conflict for a closed one; closing has its own way."""
    check_is_open(incident)
    if stage == "closed":
        raise Conflict("An incident is closed by a person, not by its units.", code="incidents.not_closable")
    return replace(incident, version=incident.version + 1, stage=stage, units=units)


def grown(incident: Incident, alert: Alert) -> Incident:
    """The incident after another fact of its alert: the clip grows."""
    check_is_open(incident)
    return replace(
        incident,
        version=incident.version + 1,
        first_at=min(incident.first_at, alert.first_at),
        clip_from=min(incident.clip_from, alert.clip_from),
        clip_to=max(incident.clip_to, alert.clip_to),
    )


def closed(incident: Incident, *, outcome: Outcome, case: str | None, now: datetime) -> Incident:
    """The incident at its end. Raises Conflict while a unit is on it, and for one that is closed already."""
    check_is_open(incident)
    if incident.units > 0:
        some = "A unit is" if incident.units == 1 else f"{incident.units} units are"
        raise Conflict(
            f"{some} still on incident {incident.number}; clear or call back every unit first.",
            code="incidents.units_on_it",
            units=incident.units,
        )
    return replace(incident, version=incident.version + 1, stage="closed", outcome=outcome, case=case, closed_at=now)


def near(incident: Incident, cameras: Iterable[tuple[str, LonLat]], *, within_m: float) -> list[Near]:
    """The cameras inside the circle and the incident's own one, nearest first."""
    found = [Near(camera=camera, distance_m=distance_m(position, incident.position)) for camera, position in cameras]
    own = [item for item in found if item.camera == incident.camera or item.distance_m <= within_m]
    return sorted(own, key=lambda item: (item.distance_m, item.camera))

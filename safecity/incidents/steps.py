"""The lines of a history, and the facts that a change states."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy.engine import Connection

from safecity.events import state_fact
from safecity.events.incidents import AlertChanged, IncidentChanged, Person
from safecity.incidents.incident import Incident
from safecity.incidents.model import Alert, HandStep
from safecity.oversight.model import UserId
from safecity.platform.errors import Conflict
from safecity.platform.ids import fact_id

Detail = Mapping[str, str | int | float | None]
PAST: Final[dict[HandStep, str]] = {
    "acknowledge": "acknowledged",
    "release": "released",
    "escalate": "escalated",
    "confirm": "confirmed",
    "close": "closed",
}
SAID: Final[dict[str, str]] = {
    "acknowledged": "was acknowledged",
    "released": "was given back",
    "escalated": "was escalated to the supervisor",
    "confirmed": "was confirmed",
    "closed": "was closed",
    "note": "was written to",
    "unit_sent": "was given a unit",
    "en_route": "was moved on: a unit is en route",
    "on_scene": "was moved on: a unit is on scene",
    "cleared": "was moved on: a unit is cleared",
    "cancelled": "was changed: a unit was called back",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a history: what was done, by whom (None: the system) and when, and the version that it made."""

    version: int
    at: datetime
    step: str
    by: Person | None
    note: str = ""
    detail: Detail = field(default_factory=dict[str, str | int | float | None])


def alert_fact(alert: Alert) -> AlertChanged:
    """An alert as the wire and other rooms see it."""
    return AlertChanged(
        id=alert.id,
        version=alert.version,
        state=alert.state,
        priority=alert.priority,
        kind=alert.kind,
        rule=alert.rule,
        title=alert.title,
        title_ur=alert.title_ur,
        camera=alert.camera,
        lon=alert.position.lon,
        lat=alert.position.lat,
        subject=alert.subject,
        object_class=alert.object_class,
        count=alert.count,
        first_at=alert.first_at,
        last_at=alert.last_at,
        picture_at=alert.picture_at,
        box=alert.box,
        clip_from=alert.clip_from,
        clip_to=alert.clip_to,
        level=alert.level,
        offered_to=alert.offered_to,
        owner=alert.owner,
        due_at=alert.due_at,
        closed_at=alert.closed_at,
        close_reason=alert.close_reason,
        incident=alert.incident,
    )


def incident_fact(incident: Incident) -> IncidentChanged:
    """An incident as the wire and other rooms see it."""
    return IncidentChanged(
        id=incident.id,
        number=incident.number,
        version=incident.version,
        stage=incident.stage,
        kind=incident.kind,
        priority=incident.priority,
        title=incident.title,
        title_ur=incident.title_ur,
        camera=incident.camera,
        lon=incident.position.lon,
        lat=incident.position.lat,
        opened_at=incident.opened_at,
        owner=incident.owner,
        clip_from=incident.clip_from,
        clip_to=incident.clip_to,
        picture_at=incident.picture_at,
        box=incident.box,
        alerts=incident.alerts,
        units=incident.units,
        closed_at=incident.closed_at,
        outcome=incident.outcome,
        case=incident.case,
    )


def state_alert(connection: Connection, alert: Alert, *, source: str, now: datetime) -> None:
    """State an alert as it is now, in the transaction that made it so."""
    fact = alert_fact(alert)
    made_of = fact_id(fact.type, alert.id, alert.version)
    state_fact(connection, fact, id=made_of, source=source, time=now, subject=alert.id)


def state_incident(connection: Connection, incident: Incident, *, source: str, now: datetime) -> None:
    """State an incident as it is now, in the transaction that made it so."""
    fact = incident_fact(incident)
    made_of = fact_id(fact.type, incident.id, incident.version)
    state_fact(connection, fact, id=made_of, source=source, time=now, subject=incident.id)


def told_of(alert: Alert) -> Detail:
    """What a line of an alert's history keeps of the alert, so that the lines alone tell how it came to be so."""
    return {
        "state": alert.state,
        "level": alert.level,
        "owner": alert.owner.user if alert.owner else None,
        "offered_to": alert.offered_to.user if alert.offered_to else None,
        "offered_name": alert.offered_to.name if alert.offered_to else None,
        "due_at": alert.due_at.isoformat() if alert.due_at else None,
        "reason": alert.close_reason,
        "incident": alert.incident,
    }


def check_seen(what: str, *, version: int, seen: int, behind: Sequence[Line], by: UserId) -> None:
    """Raises Conflict where somebody else has acted behind the version that a step was decided on, naming them.

    What the system did meanwhile (another fact joined, a clock ran out) and what the same person did in another tab
    does not void a decision: the state's own rules still apply to it. `behind` are people's lines since, oldest first.
    """
    if seen > version:
        raise Conflict(
            f"This {what} is at version {version}, which is before the one that you saw; load the page again.",
            code="incidents.version",
            version=version,
        )
    others = [line for line in behind if line.version > seen and line.by is not None and line.by.user != by]
    if others:
        newest = others[-1]
        who = newest.by.name if newest.by else "Somebody"
        raise Conflict(
            f"{who} was first: this {what} {SAID.get(newest.step, 'was changed')}. Look at it again, then decide.",
            code="incidents.version",
            version=version,
            by=who,
            step=newest.step,
        )

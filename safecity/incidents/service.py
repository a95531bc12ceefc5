"""The queue and the incidents as the other rooms use them.

Every write holds the log's turn from its first statement (`permit` takes it, intake and clocks take it themselves), so
changes of this room happen one after another on both databases; what is read behind the turn cannot be overtaken.
"""

from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from safecity.events.incidents import AlertChanged, CloseReason, IncidentChanged, IncidentStage, Outcome
from safecity.incidents import incident as rules
from safecity.incidents import opening, store
from safecity.incidents.incident import Incident, Near
from safecity.incidents.model import Alert, Handler, Handling, HandStep, IncidentId, handle, queue_key
from safecity.incidents.opening import NewReport
from safecity.incidents.steps import (
    PAST,
    Detail,
    Line,
    alert_fact,
    check_seen,
    incident_fact,
    state_alert,
    state_incident,
    told_of,
)
from safecity.oversight.model import Act, Actor, PurposeScope, Resource, Role
from safecity.oversight.service import Oversight
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.errors import NotFound
from safecity.platform.ids import new_id
from safecity.platform.settings import IncidentsSettings

__all__ = ["AlertDetail", "AlertStep", "Incident", "IncidentDetail", "Incidents", "NewReport"]

LINES_SHOWN = 500
"""Most lines of a history that one answer holds: the newest."""
PAGE_MOST = 200
SOURCE = "web"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDetail:
    """An alert with its history, oldest line first."""

    alert: Alert
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDetail:
    """An incident with its timeline, its alerts and the cameras around it; units are dispatch's to add."""

    incident: Incident
    lines: tuple[Line, ...]
    alerts: tuple[Alert, ...]
    cameras: tuple[Near, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertStep:
    """What somebody wants to do with an alert, and the version that they saw."""

    step: HandStep
    version: int
    reason: CloseReason | None = None
    note: str = ""


class Incidents:
    """The one queue, and the life of an incident. Safe to share between threads."""

    def __init__(
        self,
        database: Database,
        settings: IncidentsSettings,
        *,
        oversight: Oversight,
        clock: Clock,
        time_zone: str = "UTC",
    ) -> None:
        """`time_zone` says when a year ends, for the numbers of incidents."""
        self._database = database
        self._limits = opening.limits_of(settings)
        self._near_m = settings.near_m
        self._oversight = oversight
        self._clock = clock
        self._zone = ZoneInfo(time_zone)

    # The queue

    def list_alerts(
        self,
        actor: Actor,
        *,
        is_open: bool = True,
        camera: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> list[Alert]:
        """Open alerts in the order of the queue, or decided ones, newest decision first, behind the alert `before`.

        Raises Denied.
        """
        self._oversight.require(actor, Act.LIST_ALERTS, Resource.alert())
        limit = min(limit, PAGE_MOST)
        with self._database.read() as connection:
            last = None if before is None else store.find_alert(connection, before)
            if not is_open:
                return store.list_decided_alerts(connection, camera=camera, before=last, limit=limit)
            queue = sorted(store.list_open_alerts(connection, camera=camera), key=queue_key)
        rest = queue if last is None else [item for item in queue if queue_key(item) > queue_key(last)]
        return rest[:limit]

    def get_alert(self, actor: Actor, alert_id: str) -> AlertDetail:
        """An alert with its history. Raises Denied and NotFound."""
        self._oversight.require(actor, Act.LIST_ALERTS, Resource.alert(alert_id))
        with self._database.read() as connection:
            alert = _get_alert(connection, alert_id)
            lines = store.list_alert_lines(connection, alert_id, limit=LINES_SHOWN)
        return AlertDetail(alert=alert, lines=tuple(lines))

    def step(self, actor: Actor, alert_id: str, *, step: AlertStep) -> Alert:
        """Do something with an alert; confirming opens its incident and the incident's purpose in the same stroke.

        Raises Denied, NotFound, Invalid for a reason that does not belong, and Conflict where somebody else was first
        or the alert's state does not allow it; the sentence names who.
        """
        asked = {"step": step.step, "version": step.version, "reason": step.reason}
        with self._database.begin() as connection:
            resource = Resource.alert(alert_id)
            self._oversight.permit(actor, Act.HANDLE_ALERTS, resource, connection=connection, detail=asked)
            now = self._clock.now()
            alert = _get_alert(connection, alert_id)
            behind = store.list_alert_lines_behind(connection, alert_id, version=step.version)
            check_seen("alert", version=alert.version, seen=step.version, behind=behind, by=actor.user_id)
            by = Handler(person=store.get_person(connection, actor), is_supervisor=actor.role is Role.SUPERVISOR)
            incident = IncidentId(new_id("inc")) if step.step == "confirm" else None
            handling = Handling(step=step.step, reason=step.reason, incident=incident)
            after = handle(alert, handling, by=by, now=now, limits=self._limits)
            opened = None
            if incident is not None:
                drafted = opening.from_alert(after, id=incident, owner=by.person, now=now)
                opened = self._open(connection, drafted, note=step.note)
            store.update_alert(connection, after)
            told = {**told_of(after), **({} if opened is None else {"number": opened.number})}
            line = Line(version=after.version, at=now, step=PAST[step.step], by=by.person, note=step.note, detail=told)
            store.add_alert_line(connection, alert.id, line)
            if opened is not None:
                state_incident(connection, opened, source=SOURCE, now=now)
            state_alert(connection, after, source=SOURCE, now=now)
        return after

    # Incidents, for people

    def list_incidents(
        self, actor: Actor, *, is_open: bool = True, before: str | None = None, limit: int = 50
    ) -> list[Incident]:
        """Open or closed incidents, newest first. Raises Denied."""
        self._oversight.require(actor, Act.LIST_INCIDENTS, Resource.incident())
        with self._database.read() as connection:
            return store.list_incidents(connection, is_open=is_open, before=before, limit=min(limit, PAGE_MOST))

    def detail(self, actor: Actor, incident_id: str) -> IncidentDetail:
        """An incident with its timeline, alerts and the cameras around it. Raises Denied and NotFound."""
        self._oversight.require(actor, Act.LIST_INCIDENTS, Resource.incident(incident_id))
        with self._database.read() as connection:
            incident = self.get_incident(connection, incident_id)
            return IncidentDetail(
                incident=incident,
                lines=tuple(store.list_incident_lines(connection, incident_id, limit=LINES_SHOWN)),
                alerts=tuple(store.list_alerts_of(connection, incident.id)),
                cameras=tuple(opening.near_cameras(connection, incident, within_m=self._near_m)),
            )

    def report(self, actor: Actor, report: NewReport) -> Incident:
        """Open an incident that a person reports. Raises Denied, Invalid without a place, NotFound for the camera."""
        incident = IncidentId(new_id("inc"))
        asked = {"step": "report", "priority": report.priority, "camera": report.camera}
        with self._database.begin() as connection:
            resource = Resource.incident(incident)
            self._oversight.permit(actor, Act.HANDLE_INCIDENTS, resource, connection=connection, detail=asked)
            now = self._clock.now()
            person = store.get_person(connection, actor)
            drafted = opening.from_report(connection, report, id=incident, owner=person, now=now)
            opened = self._open(connection, drafted, note=report.note)
            state_incident(connection, opened, source=SOURCE, now=now)
        return opened

    def write_note(self, actor: Actor, incident_id: str, *, text: str) -> Incident:
        """Write a line into an open incident's timeline. Raises Denied, NotFound, Conflict for a closed one."""
        with self._database.begin() as connection:
            resource = Resource.incident(incident_id)
            asked = {"step": "note", "characters": len(text)}
            self._oversight.permit(actor, Act.HANDLE_INCIDENTS, resource, connection=connection, detail=asked)
            return self.add_step(connection, IncidentId(incident_id), step="note", by=actor, note=text)

    def close(self, actor: Actor, incident_id: str, *, version: int, outcome: Outcome, note: str = "") -> Incident:
        """Close an incident without a case. Raises Denied, NotFound, Conflict (see `close_incident`)."""
        with self._database.begin() as connection:
            resource = Resource.incident(incident_id)
            asked = {"step": "close", "version": version, "outcome": outcome}
            self._oversight.permit(actor, Act.HANDLE_INCIDENTS, resource, connection=connection, detail=asked)
            return self.close_incident(
                connection, actor, IncidentId(incident_id), version=version, outcome=outcome, note=note
            )

    # For the rooms above, inside their own `Database.begin`, in which they have asked `permit` already. They state
    # what changed themselves. On PostgreSQL permit holds the log's turn, so no other order of calls can block.

    def get_incident(self, connection: Connection, incident_id: str) -> Incident:
        """An incident, closed ones too; asks nobody. Raises NotFound."""
        found = store.find_incident(connection, incident_id)
        if found is None:
            raise NotFound(f"There is no incident {incident_id[:64]}.", code="incidents.no_incident")
        return found

    def list_alerts_of(self, connection: Connection, incident_id: IncidentId) -> list[Alert]:
        """The alerts that were confirmed into an incident, oldest first; asks nobody."""
        return store.list_alerts_of(connection, incident_id)

    def scope_of(self, connection: Connection, incident: Incident) -> list[PurposeScope]:
        """The recordings an incident is about: its own camera and those within `near_m`, at most 64, nearest first.

        From an hour before its first fact until it was closed (without an end while it is open).
        """
        return opening.scope_of(connection, incident, within_m=self._near_m)

    def add_step(
        self,
        connection: Connection,
        incident_id: IncidentId,
        *,
        step: str,
        by: Actor | None,
        note: str = "",
        detail: Detail | None = None,
    ) -> Incident:
        """Write a line into the timeline of an open incident and state the incident, one version higher.

        `step` is a word such as `unit_sent`; `by` is None where the system did it. Raises NotFound and Conflict.
        """
        now = self._clock.now()
        before = self.get_incident(connection, incident_id)
        rules.check_is_open(before)
        after = rules.written_to(before)
        person = None if by is None else store.get_person(connection, by)
        line = Line(version=after.version, at=now, step=step, by=person, note=note, detail=detail or {})
        self._write(connection, after, line)
        return after

    def set_stage(
        self, connection: Connection, incident_id: IncidentId, *, stage: IncidentStage, units: int
    ) -> Incident:
        """Say how far the units of an open incident have got and how many are on it; the caller writes the line.

        Nothing happens where both are so already. Raises NotFound and Conflict.
        """
        before = self.get_incident(connection, incident_id)
        if (before.stage, before.units) == (stage, units):
            return before
        after = rules.moved(before, stage=stage, units=units)
        store.update_incident(connection, after)
        state_incident(connection, after, source=SOURCE, now=self._clock.now())
        return after

    def close_incident(
        self,
        connection: Connection,
        actor: Actor,
        incident_id: IncidentId,
        *,
        version: int,
        outcome: Outcome,
        note: str = "",
        case: str | None = None,
    ) -> Incident:
        """Close an incident and its purpose.

        Raises NotFound, and Conflict while a unit is on it, where it is closed already, and where somebody else has
        written to it behind that version; the sentence names them.
        """
        now = self._clock.now()
        before = self.get_incident(connection, incident_id)
        rules.check_is_open(before)
        behind = store.list_incident_lines_behind(connection, incident_id, version=version)
        check_seen("incident", version=before.version, seen=version, behind=behind, by=actor.user_id)
        after = rules.closed(before, outcome=outcome, case=case, now=now)
        self._oversight.close_purpose(connection, before.purpose)
        told: Detail = {"outcome": outcome, "case": case}
        person = store.get_person(connection, actor)
        self._write(
            connection, after, Line(version=after.version, at=now, step="closed", by=person, note=note, detail=told)
        )
        return after

    # For the page's state: whoever calls has asked oversight which of these the listener may see.

    def open_alerts(self, connection: Connection) -> dict[str, AlertChanged]:
        """Every open alert by id, as the transaction sees it."""
        return {alert.id: alert_fact(alert) for alert in store.list_open_alerts(connection)}

    def open_incidents(self, connection: Connection) -> dict[str, IncidentChanged]:
        """Every open incident by id, as the transaction sees it."""
        return {incident.id: incident_fact(incident) for incident in store.list_open_incidents(connection)}

    def _open(self, connection: Connection, drafted: Incident, *, note: str) -> Incident:
        """Number an incident, open its purpose, write it with its first line; stating it is left to the caller."""
        scope = self.scope_of(connection, drafted)
        purpose = self._oversight.open_purpose(connection, kind="incident", ref=drafted.id, scope=scope)
        year = drafted.opened_at.astimezone(self._zone).year
        opened = replace(drafted, year=year, running=store.next_running(connection, year), purpose=purpose.id)
        store.insert_incident(connection, opened)
        told: Detail = {"cameras": len(scope)}
        line = Line(version=1, at=opened.opened_at, step="opened", by=opened.owner, note=note, detail=told)
        store.add_incident_line(connection, opened.id, line)
        return opened

    def _write(self, connection: Connection, after: Incident, line: Line) -> None:
        store.update_incident(connection, after)
        store.add_incident_line(connection, after.id, line)
        state_incident(connection, after, source=SOURCE, now=line.at)


def _get_alert(connection: Connection, alert_id: str) -> Alert:
    found = store.find_alert(connection, alert_id)
    if found is None:
        raise NotFound(f"There is no alert {alert_id[:64]}.", code="incidents.no_alert")
    return found

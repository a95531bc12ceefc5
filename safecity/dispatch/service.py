"""Units as people use them: listed, proposed, sent, and what they report.

Order inside a transaction: permit (which takes the log's turn), our own rows, the incident through its room, facts
last. So two dispatchers who send the same unit pass one after the other, on SQLite and PostgreSQL alike.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.engine import Connection

from safecity.dispatch import store
from safecity.dispatch.model import (
    FIX_RENEWED_AFTER,
    Assignment,
    AssignmentId,
    AssignmentState,
    Duty,
    Nearby,
    Unit,
    UnitId,
    UnitSpec,
    UnitStatus,
    check_step,
    count_active,
    has_ended,
    keeps_fix,
    nearest_free,
    say_where,
    stage_of,
    status_after,
    unit_id,
)
from safecity.dispatch.store import Moving
from safecity.events import state_fact
from safecity.events.dispatch import UnitChanged
from safecity.incidents.incident import Incident, check_is_open
from safecity.incidents.model import IncidentId
from safecity.incidents.service import Incidents
from safecity.incidents.store import get_person
from safecity.oversight.model import Act, Actor, Resource
from safecity.oversight.service import Oversight
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.errors import Conflict, NotFound
from safecity.platform.geometry import LonLat, distance_m
from safecity.platform.ids import fact_id, new_id
from safecity.platform.settings import DispatchSettings

log = structlog.get_logger()

SOURCE = "dispatch"


class Dispatch:
    """Units and assignments. Safe to share between threads."""

    def __init__(
        self,
        database: Database,
        settings: DispatchSettings,
        *,
        incidents: Incidents,
        oversight: Oversight,
        clock: Clock,
    ) -> None:
        self._database = database
        self._settings = settings
        self._incidents = incidents
        self._oversight = oversight
        self._clock = clock

    # Reading

    def list_units(self, actor: Actor) -> list[UnitChanged]:
        """Every unit with its position and status, by call sign. Raises Denied."""
        self._oversight.require(actor, Act.LIST_UNITS, Resource.unit())
        with self._database.read() as connection:
            return self.units_in(connection)

    def units_in(self, connection: Connection) -> list[UnitChanged]:
        """The same as one transaction sees it, for a caller that has asked oversight."""
        return [describe(unit) for unit in store.list_units(connection)]

    def proposals(self, actor: Actor, incident_id: IncidentId) -> list[Nearby]:
        """The nearest free units by straight line, nearest first. Raises Denied, NotFound, Conflict when closed."""
        self._oversight.require(actor, Act.LIST_UNITS, Resource.incident(incident_id))
        with self._database.read() as connection:
            incident = self._open_incident(connection, incident_id)
            units = store.list_units(connection)
        return nearest_free(
            units,
            to=incident.position,
            now=self._clock.now(),
            stale_after_s=self._settings.stale_fix_s,
            limit=self._settings.proposals,
        )

    def assignments_of(self, connection: Connection, incident_id: IncidentId) -> list[tuple[Assignment, str]]:
        """Who was sent to an incident, oldest first, with call signs; for a caller that has asked oversight."""
        return store.list_assignments(connection, incident_id)

    def list_moving(self) -> list[Moving]:
        """The units on their way and where to; for the demo's drivers, who stand for the devices in the cars."""
        with self._database.read() as connection:
            return store.list_moving(connection)

    # Sending

    def send(self, actor: Actor, incident_id: IncidentId, *, unit: UnitId) -> AssignmentId:
        """Send a free unit to an open incident.

        Raises Denied, NotFound, and Conflict where the incident is closed or the unit is not free; it says where
        the unit is.
        """
        assignment_id = AssignmentId(new_id("asg"))
        detail = {"unit": unit, "assignment": assignment_id}
        with self._database.begin() as connection:
            self._oversight.permit(
                actor, Act.DISPATCH_UNITS, Resource.incident(incident_id), connection=connection, detail=detail
            )
            now = self._clock.now()
            free = self._get_free(connection, unit)
            incident = self._open_incident(connection, incident_id)
            by = get_person(connection, actor)
            assignment = Assignment(
                id=assignment_id,
                unit=unit,
                incident=incident_id,
                state=AssignmentState.SENT,
                target=incident.position,
                distance_m=distance_m(free.position, incident.position),
                sent_at=now,
                sent_by=by.user,
                sent_by_name=by.name,
            )
            store.insert_assignment(connection, assignment)
            self._follow(connection, free, assignment=assignment, by=actor, note="")
        log.info("dispatch.unit_sent", unit=unit, incident=incident_id)
        return assignment_id

    def step(self, actor: Actor, assignment_id: AssignmentId, *, to: AssignmentState, note: str = "") -> IncidentId:
        """What a unit has done, as the dispatcher hears it; the incident it is about is returned.

        Raises Denied, NotFound, and Conflict where the unit cannot take this step now.
        """
        detail = {"assignment": assignment_id, "step": to.value}
        with self._database.begin() as connection:
            self._oversight.permit(actor, Act.DISPATCH_UNITS, Resource.unit(), connection=connection, detail=detail)
            now = self._clock.now()
            found = store.find_assignment(connection, assignment_id)
            if found is None:
                raise NotFound("there is no such assignment", code="dispatch.no_assignment")
            check_step(found, to)
            unit = self._get(connection, found.unit)
            after = _stepped(found, to, now=now)
            store.update_assignment(connection, after)
            self._follow(connection, unit, assignment=after, by=actor, note=note)
        return IncidentId(found.incident)

    def _follow(self, connection: Connection, unit: Unit, *, assignment: Assignment, by: Actor, note: str) -> None:
        """Let unit and incident follow the assignment, whose row is written."""
        is_over = has_ended(assignment.state)
        after = replace(
            unit,
            status=status_after(assignment.state),
            incident=None if is_over else assignment.incident,
            assignment=None if is_over else assignment.id,
            version=unit.version + 1,
        )
        store.update_unit(connection, after)
        states = store.list_states(connection, assignment.incident)
        incident = IncidentId(assignment.incident)
        self._incidents.set_stage(connection, incident, stage=stage_of(states), units=count_active(states))
        detail: dict[str, str | int | float | None] = {"unit": unit.id, "code": unit.code, "assignment": assignment.id}
        if assignment.state is AssignmentState.SENT:
            detail["distance_m"] = round(assignment.distance_m)
        self._incidents.add_step(connection, incident, step=_word(assignment.state), by=by, note=note, detail=detail)
        self._state(connection, after)

    # What units report

    def report_fix(self, unit: UnitId, *, position: LonLat, at: datetime) -> bool:
        """Where a unit's device says it is; False where that says nothing new, then nothing is kept or stated.

        Raises NotFound, Invalid for a fix from the future, Conflict for one older than the known one.
        """
        renewed_after = min(FIX_RENEWED_AFTER, timedelta(seconds=self._settings.stale_fix_s / 2))
        now = self._clock.now()
        with self._database.read() as connection:
            known = store.find_unit(connection, unit)
            # Most fixes say nothing new; they must not cost a write.
            if known is not None and not keeps_fix(known, position, at=at, now=now, renewed_after=renewed_after):
                return False
        with self._database.begin() as connection:
            known = self._get(connection, unit)
            if not keeps_fix(known, position, at=at, now=now, renewed_after=renewed_after):
                return False
            after = replace(known, position=position, fix_at=at, version=known.version + 1)
            store.update_unit(connection, after)
            self._state(connection, after)
        return True

    def set_status(self, actor: Actor | None, unit: UnitId, *, status: Duty) -> None:
        """Take a unit on or off duty; `actor` is None for whoever runs the command on the machine itself.

        Raises Denied, NotFound, and Conflict while the unit is on an incident.
        """
        body = {"unit": unit, "status": status.value}
        with self._database.begin() as connection:
            if actor is None:
                self._oversight.note(connection, type="unit_status_set", body=body)
            else:
                self._oversight.permit(
                    actor, Act.DISPATCH_UNITS, Resource.unit(unit), connection=connection, detail=body
                )
            known = self._get(connection, unit)
            if known.incident is not None:
                raise Conflict(f"{say_where(known)}; clear or call it back first", code="dispatch.busy")
            if known.status is status:
                return
            after = replace(known, status=status, version=known.version + 1)
            store.update_unit(connection, after)
            self._state(connection, after)

    def ensure_units(self, specs: Sequence[UnitSpec]) -> int:
        """Enter these units as the machine itself; one that is there keeps its position and status.

        Returns how many are new or have another name or kind. Raises Conflict for more than `store.MAX_UNITS`.
        """
        with self._database.read() as connection:
            if not self._changes(connection, specs):
                return 0
        with self._database.begin() as connection:
            self._oversight.note(connection, type="units_entered", body={"units": len(specs)})
            changes = self._changes(connection, specs)
            for known, after in changes:
                if known is None:
                    store.insert_unit(connection, after)
                else:
                    store.update_unit(connection, after)
            for _, after in changes:
                self._state(connection, after)
        return len(changes)

    def _changes(self, connection: Connection, specs: Sequence[UnitSpec]) -> list[tuple[Unit | None, Unit]]:
        """What entering these units would change, as before and after."""
        there = {unit.id: unit for unit in store.list_units(connection)}
        if len({*there, *(unit_id(spec.code) for spec in specs)}) > store.MAX_UNITS:
            raise Conflict(f"at most {store.MAX_UNITS} units can be entered", code="dispatch.too_many")
        now = self._clock.now()
        pairs = [(there.get(unit_id(spec.code)), spec) for spec in specs]
        found = [(known, _entered(spec, known, now=now)) for known, spec in pairs]
        return [(known, after) for known, after in found if after != known]

    # Within a transaction

    def _open_incident(self, connection: Connection, incident_id: IncidentId) -> Incident:
        incident = self._incidents.get_incident(connection, incident_id)
        check_is_open(incident)
        return incident

    def _get(self, connection: Connection, unit: UnitId) -> Unit:
        found = store.find_unit(connection, unit, is_to_change=True)
        if found is None:
            raise NotFound(f"there is no unit {unit}", code="dispatch.no_unit")
        return found

    def _get_free(self, connection: Connection, unit: UnitId) -> Unit:
        found = self._get(connection, unit)
        if found.status is UnitStatus.FREE:
            return found
        if found.incident is None:
            raise Conflict(f"{say_where(found)}; choose another unit", code="dispatch.busy")
        elsewhere = self._incidents.get_incident(connection, found.incident).number
        raise Conflict(
            f"{say_where(found)} for incident {elsewhere}; choose another unit, or clear it there first",
            code="dispatch.busy",
            unit=unit,
            incident=found.incident,
        )

    def _state(self, connection: Connection, unit: Unit) -> None:
        fact = describe(unit)
        state_fact(
            connection,
            fact,
            id=fact_id(fact.type, unit.id, unit.version),
            source=SOURCE,
            time=self._clock.now(),
            subject=unit.id,
        )


def describe(unit: Unit) -> UnitChanged:
    """A unit as the fact and the API say it."""
    return UnitChanged(
        id=unit.id,
        version=unit.version,
        code=unit.code,
        kind=unit.kind.value,
        name=unit.name,
        name_ur=unit.name_ur,
        lon=unit.position.lon,
        lat=unit.position.lat,
        fix_at=unit.fix_at,
        status=unit.status.value,
        incident=unit.incident,
        assignment=unit.assignment,
    )


def _word(state: AssignmentState) -> str:
    """The step as the incident's timeline says it."""
    return "unit_sent" if state is AssignmentState.SENT else state.value


def _stepped(assignment: Assignment, to: AssignmentState, *, now: datetime) -> Assignment:
    if to is AssignmentState.EN_ROUTE:
        return replace(assignment, state=to, en_route_at=now)
    if to is AssignmentState.ON_SCENE:
        return replace(assignment, state=to, on_scene_at=now)
    return replace(assignment, state=to, ended_at=now)


def _entered(spec: UnitSpec, known: Unit | None, *, now: datetime) -> Unit:
    if known is None:
        return Unit(
            id=unit_id(spec.code),
            code=spec.code,
            kind=spec.kind,
            name=spec.name,
            name_ur=spec.name_ur,
            position=spec.position,
            fix_at=now,
            status=UnitStatus.FREE,
            incident=None,
            assignment=None,
            version=1,
        )
    renamed = replace(known, code=spec.code, kind=spec.kind, name=spec.name, name_ur=spec.name_ur)
    return known if renamed == known else replace(renamed, version=known.version + 1)

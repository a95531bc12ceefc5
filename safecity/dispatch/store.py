"""Tables of units and assignments, and their queries; the caller owns the transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.exc import IntegrityError

from safecity.dispatch.model import Assignment, AssignmentId, AssignmentState, Unit, UnitId, UnitKind, UnitStatus
from safecity.platform.database import UtcInstant, metadata
from safecity.platform.errors import Conflict
from safecity.platform.geometry import LonLat

MAX_UNITS = 2000
MAX_ASSIGNMENTS = 200  # of one incident

units = sa.Table(
    "units",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True, comment="unit_ and the call sign in lower case"),
    sa.Column("code", sa.String(40), nullable=False, unique=True, comment="Call sign"),
    sa.Column("kind", sa.String(10), nullable=False, comment="police, traffic, ambulance, fire"),
    sa.Column("name", sa.String(120), nullable=False, comment="Name for people"),
    sa.Column("name_ur", sa.String(120), nullable=False, comment="The same in Urdu; may be empty"),
    sa.Column("lon", sa.Float, nullable=False, comment="Longitude of the last fix, WGS84 degrees"),
    sa.Column("lat", sa.Float, nullable=False, comment="Latitude of the last fix, WGS84 degrees"),
    sa.Column("fix_at", UtcInstant, nullable=False, comment="When that position was true"),
    sa.Column("status", sa.String(10), nullable=False, comment="free, sent, en_route, on_scene, off_duty"),
    sa.Column("incident", sa.String(64), nullable=True, comment="Incident that it is on; null when on none"),
    sa.Column("assignment", sa.String(64), nullable=True, comment="Its assignment there; null when on none"),
    sa.Column("version", sa.Integer, nullable=False, comment="Rises by one with each stated change"),
    comment="Units that can be sent, with their last known position; earlier positions are not kept",
)

_RUNNING = sa.text("ended_at IS NULL")
assignments = sa.Table(
    "assignments",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True, comment="asg_..."),
    sa.Column("unit", sa.String(64), sa.ForeignKey("units.id"), nullable=False, comment="Unit id"),
    sa.Column("incident", sa.String(64), nullable=False, comment="Incident id"),
    sa.Column("state", sa.String(10), nullable=False, comment="sent, en_route, on_scene, cleared, cancelled"),
    sa.Column("lon", sa.Float, nullable=False, comment="Longitude of where it was sent to, WGS84 degrees"),
    sa.Column("lat", sa.Float, nullable=False, comment="Latitude of where it was sent to, WGS84 degrees"),
    sa.Column("distance_m", sa.Float, nullable=False, comment="Straight line to it when sent"),
    sa.Column("sent_at", UtcInstant, nullable=False, comment="When it was sent"),
    sa.Column("sent_by", sa.String(64), nullable=False, comment="User id of who sent it"),
    sa.Column("sent_by_name", sa.String(200), nullable=False, comment="Their name then"),
    sa.Column("en_route_at", UtcInstant, nullable=True, comment="When it set off"),
    sa.Column("on_scene_at", UtcInstant, nullable=True, comment="When it arrived"),
    sa.Column("ended_at", UtcInstant, nullable=True, comment="When it was cleared or called back; null until then"),
    sa.Index("ix_assignments_incident", "incident"),
    sa.Index("uq_assignments_running", "unit", unique=True, sqlite_where=_RUNNING, postgresql_where=_RUNNING),
    comment="Which unit was sent to which incident, and how far it got",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """A unit that is on its way, with where to."""

    unit: Unit
    assignment: Assignment


def _unit(row: RowMapping) -> Unit:
    return Unit(
        id=UnitId(row["id"]),
        code=row["code"],
        kind=UnitKind(row["kind"]),
        name=row["name"],
        name_ur=row["name_ur"],
        position=LonLat(row["lon"], row["lat"]),
        fix_at=row["fix_at"],
        status=UnitStatus(row["status"]),
        incident=row["incident"],
        assignment=None if row["assignment"] is None else AssignmentId(row["assignment"]),
        version=row["version"],
    )


def _row_of_unit(unit: Unit) -> dict[str, object]:
    return {
        "id": unit.id,
        "code": unit.code,
        "kind": unit.kind.value,
        "name": unit.name,
        "name_ur": unit.name_ur,
        "lon": unit.position.lon,
        "lat": unit.position.lat,
        "fix_at": unit.fix_at,
        "status": unit.status.value,
        "incident": unit.incident,
        "assignment": unit.assignment,
        "version": unit.version,
    }


def _assignment(row: RowMapping) -> Assignment:
    return Assignment(
        id=AssignmentId(row["id"]),
        unit=UnitId(row["unit"]),
        incident=row["incident"],
        state=AssignmentState(row["state"]),
        target=LonLat(row["lon"], row["lat"]),
        distance_m=row["distance_m"],
        sent_at=row["sent_at"],
        sent_by=row["sent_by"],
        sent_by_name=row["sent_by_name"],
        en_route_at=row["en_route_at"],
        on_scene_at=row["on_scene_at"],
        ended_at=row["ended_at"],
    )


def _row_of_assignment(one: Assignment) -> dict[str, object]:
    return {
        "id": one.id,
        "unit": one.unit,
        "incident": one.incident,
        "state": one.state.value,
        "lon": one.target.lon,
        "lat": one.target.lat,
        "distance_m": one.distance_m,
        "sent_at": one.sent_at,
        "sent_by": one.sent_by,
        "sent_by_name": one.sent_by_name,
        "en_route_at": one.en_route_at,
        "on_scene_at": one.on_scene_at,
        "ended_at": one.ended_at,
    }


def list_units(connection: Connection) -> list[Unit]:
    """Every unit by call sign; at most MAX_UNITS."""
    statement = sa.select(units).order_by(units.c.code).limit(MAX_UNITS)
    return [_unit(row) for row in connection.execute(statement).mappings()]


def find_unit(connection: Connection, unit: UnitId, *, is_to_change: bool = False) -> Unit | None:
    """One unit; with `is_to_change` nobody else changes it until the transaction ends."""
    statement = sa.select(units).where(units.c.id == unit)
    if is_to_change:
        statement = statement.with_for_update()
    row = connection.execute(statement).mappings().first()
    return None if row is None else _unit(row)


def insert_unit(connection: Connection, unit: Unit) -> None:
    """A new unit."""
    connection.execute(units.insert().values(_row_of_unit(unit)))


def update_unit(connection: Connection, unit: Unit) -> None:
    """What a unit is now."""
    connection.execute(units.update().where(units.c.id == unit.id).values(_row_of_unit(unit)))


def insert_assignment(connection: Connection, assignment: Assignment) -> None:
    """A new assignment; raises Conflict where the unit has another one, whatever the caller has read before."""
    try:
        connection.execute(assignments.insert().values(_row_of_assignment(assignment)))
    except IntegrityError as error:
        raise Conflict(
            "the unit was sent elsewhere at the same moment; choose another", code="dispatch.busy"
        ) from error


def update_assignment(connection: Connection, assignment: Assignment) -> None:
    """How far it has got."""
    statement = assignments.update().where(assignments.c.id == assignment.id)
    connection.execute(statement.values(_row_of_assignment(assignment)))


def find_assignment(connection: Connection, assignment: AssignmentId) -> Assignment | None:
    """One assignment, ended ones too."""
    row = connection.execute(sa.select(assignments).where(assignments.c.id == assignment)).mappings().first()
    return None if row is None else _assignment(row)


def list_assignments(connection: Connection, incident: str) -> list[tuple[Assignment, str]]:
    """The assignments of an incident with the units' call signs, oldest first; at most MAX_ASSIGNMENTS."""
    c = assignments.c
    statement = (
        sa.select(assignments, units.c.code)
        .join(units, units.c.id == c.unit)
        .where(c.incident == incident)
        .order_by(c.sent_at, c.id)
        .limit(MAX_ASSIGNMENTS)
    )
    return [(_assignment(row), row["code"]) for row in connection.execute(statement).mappings()]


def list_states(connection: Connection, incident: str) -> Sequence[AssignmentState]:
    """How far each assignment of an incident has got."""
    statement = sa.select(assignments.c.state).where(assignments.c.incident == incident)
    return [AssignmentState(state) for state in connection.execute(statement).scalars()]


def list_moving(connection: Connection) -> list[Moving]:
    """The units that are sent or en route."""
    c = assignments.c
    on_the_way = (AssignmentState.SENT.value, AssignmentState.EN_ROUTE.value)
    rows = connection.execute(sa.select(assignments).where(c.ended_at.is_(None), c.state.in_(on_the_way))).mappings()
    found = [_assignment(row) for row in rows]
    by_id = {unit.id: unit for unit in list_units(connection)} if found else {}
    return [Moving(unit=by_id[one.unit], assignment=one) for one in found if one.unit in by_id]

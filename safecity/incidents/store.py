"""Reading and writing alerts, incidents and their histories; the caller owns the transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, RowMapping

from safecity.events.incidents import Person
from safecity.incidents.incident import Incident
from safecity.incidents.model import OPEN_STATES, Alert, AlertId, Box, Firing, IncidentId
from safecity.incidents.steps import Line
from safecity.incidents.tables import alert_facts, alert_steps, alerts, fact_readers, incident_steps, incidents
from safecity.oversight.model import Actor
from safecity.oversight.store import users
from safecity.platform.errors import DataLoss
from safecity.platform.geometry import LonLat

READER = "incidents"
LINES_BEHIND = 100
_PERSONS = ("offered_to", "owner", "by")
_DERIVED = frozenset({"position", *_PERSONS})
_ALERT_FIELDS = tuple(item.name for item in fields(Alert) if item.name not in _DERIVED)
_INCIDENT_FIELDS = tuple(item.name for item in fields(Incident) if item.name not in _DERIVED)
_OPEN = alerts.c.state.in_(sorted(OPEN_STATES))
_Values = dict[str, object]


# Alerts


def insert_alert(connection: Connection, alert: Alert) -> None:
    """Put a new alert into the queue."""
    connection.execute(alerts.insert().values(_alert_row(alert)))


def update_alert(connection: Connection, alert: Alert) -> None:
    """Write an alert over its version before. Raises DataLoss where that is not what is stored."""
    statement = alerts.update().where(alerts.c.id == alert.id, alerts.c.version == alert.version - 1)
    if connection.execute(statement.values(_alert_row(alert))).rowcount != 1:
        raise DataLoss(f"alert {alert.id} changed while it was written", code="incidents.version_lost")


def find_alert(connection: Connection, alert_id: str) -> Alert | None:
    """One alert, decided ones too."""
    row = connection.execute(sa.select(alerts).where(alerts.c.id == alert_id)).mappings().first()
    return None if row is None else _alert_of(row)


def list_open_alerts(connection: Connection, *, camera: str | None = None) -> list[Alert]:
    """Every open alert, in no order."""
    statement = sa.select(alerts).where(_OPEN)
    if camera is not None:
        statement = statement.where(alerts.c.camera == camera)
    return [_alert_of(row) for row in connection.execute(statement).mappings()]


def list_decided_alerts(connection: Connection, *, camera: str | None, before: Alert | None, limit: int) -> list[Alert]:
    """Confirmed and closed alerts, newest decision first; `before` is the last one of the page before."""
    c = alerts.c
    statement = sa.select(alerts).where(c.decided_at.is_not(None)).order_by(c.decided_at.desc(), c.id.desc())
    if camera is not None:
        statement = statement.where(c.camera == camera)
    if before is not None and before.decided_at is not None:
        is_older = sa.or_(
            c.decided_at < before.decided_at, sa.and_(c.decided_at == before.decided_at, c.id < before.id)
        )
        statement = statement.where(is_older)
    return [_alert_of(row) for row in connection.execute(statement.limit(limit)).mappings()]


def list_candidates(connection: Connection, firing: Firing) -> list[Alert]:
    """The alerts a fact might belong to: open ones, and confirmed ones whose incident is open; newest fact first."""
    c = alerts.c
    is_worked_on = sa.and_(c.state == "confirmed", incidents.c.closed_at.is_(None))
    statement = (
        sa.select(alerts)
        .outerjoin(incidents, incidents.c.id == c.incident)
        .where(c.camera == firing.camera, c.rule == firing.rule, c.subject == firing.subject)
        .where(sa.or_(_OPEN, is_worked_on))
        .order_by(c.last_at.desc(), c.id.desc())
    )
    return [_alert_of(row) for row in connection.execute(statement).mappings()]


def list_due(connection: Connection, *, now: datetime, limit: int) -> list[Alert]:
    """Open alerts whose time has run out, the longest due first."""
    c = alerts.c
    statement = sa.select(alerts).where(_OPEN, c.due_at <= now).order_by(c.due_at, c.id).limit(limit)
    return [_alert_of(row) for row in connection.execute(statement).mappings()]


def list_alerts_of(connection: Connection, incident: IncidentId) -> list[Alert]:
    """The alerts of an incident, oldest first."""
    statement = sa.select(alerts).where(alerts.c.incident == incident).order_by(alerts.c.id)
    return [_alert_of(row) for row in connection.execute(statement).mappings()]


def count_held(connection: Connection) -> dict[str, int]:
    """How many open alerts each person has, acknowledged or offered."""
    who = sa.func.coalesce(alerts.c.owner, alerts.c.offered_to)
    statement = sa.select(who, sa.func.count()).where(_OPEN, who.is_not(None)).group_by(who)
    return {str(user): int(count) for user, count in connection.execute(statement)}


def find_alert_of_fact(connection: Connection, fact: str) -> AlertId | None:
    """The alert that a fact became part of."""
    found = connection.execute(sa.select(alert_facts.c.alert).where(alert_facts.c.fact == fact)).scalar()
    return None if found is None else AlertId(found)


def insert_fact(connection: Connection, *, fact: str, alert: AlertId, cursor: int) -> None:
    """Remember which alert a fact became part of."""
    connection.execute(alert_facts.insert().values(fact=fact, alert=alert, cursor=cursor))


# Incidents


def insert_incident(connection: Connection, incident: Incident) -> None:
    """Add an incident."""
    connection.execute(incidents.insert().values(_incident_row(incident)))


def update_incident(connection: Connection, incident: Incident) -> None:
    """Write an incident over its version before. Raises DataLoss where that is not what is stored."""
    statement = incidents.update().where(incidents.c.id == incident.id, incidents.c.version == incident.version - 1)
    if connection.execute(statement.values(_incident_row(incident))).rowcount != 1:
        raise DataLoss(f"incident {incident.id} changed while it was written", code="incidents.version_lost")


def find_incident(connection: Connection, incident_id: str) -> Incident | None:
    """One incident, closed ones too."""
    row = connection.execute(sa.select(incidents).where(incidents.c.id == incident_id)).mappings().first()
    return None if row is None else _incident_of(row)


def list_open_incidents(connection: Connection) -> list[Incident]:
    """Every open incident, newest first."""
    statement = sa.select(incidents).where(incidents.c.closed_at.is_(None)).order_by(incidents.c.id.desc())
    return [_incident_of(row) for row in connection.execute(statement).mappings()]


def list_incidents(connection: Connection, *, is_open: bool, before: str | None, limit: int) -> list[Incident]:
    """Open or closed incidents, newest first; `before` is the id of the last one of the page before."""
    c = incidents.c
    statement = sa.select(incidents).where(c.closed_at.is_(None) if is_open else c.closed_at.is_not(None))
    if before is not None:
        statement = statement.where(c.id < before)
    return [_incident_of(row) for row in connection.execute(statement.order_by(c.id.desc()).limit(limit)).mappings()]


def next_running(connection: Connection, year: int) -> int:
    """The next running number of a year; the caller holds the only pen."""
    newest = sa.select(sa.func.coalesce(sa.func.max(incidents.c.running), 0)).where(incidents.c.year == year)
    return connection.execute(newest).scalar_one() + 1


# Histories


def add_alert_line(connection: Connection, alert: AlertId, line: Line) -> None:
    """Write the next line of an alert's history."""
    _add_line(connection, alert_steps, owner=alert_steps.c.alert, id_=alert, line=line)


def add_first_alert_lines(connection: Connection, alert: AlertId, lines: Sequence[Line]) -> None:
    """Write the first lines of a new alert's history."""
    rows = [{"alert": alert, "number": number, **_line_row(line)} for number, line in enumerate(lines, 1)]
    connection.execute(alert_steps.insert(), rows)


def add_incident_line(connection: Connection, incident: IncidentId, line: Line) -> None:
    """Write the next line of an incident's timeline."""
    _add_line(connection, incident_steps, owner=incident_steps.c.incident, id_=incident, line=line)


def list_alert_lines(connection: Connection, alert: str, *, limit: int) -> list[Line]:
    """The newest lines of an alert's history, oldest first."""
    return _list_lines(connection, alert_steps, of=alert_steps.c.alert == alert, limit=limit)


def list_incident_lines(connection: Connection, incident: str, *, limit: int) -> list[Line]:
    """The newest lines of an incident's timeline, oldest first."""
    return _list_lines(connection, incident_steps, of=incident_steps.c.incident == incident, limit=limit)


def list_alert_lines_behind(connection: Connection, alert: str, *, version: int) -> list[Line]:
    """What people did with an alert behind a version, oldest first."""
    c = alert_steps.c
    of = sa.and_(c.alert == alert, c.version > version, c.by.is_not(None))
    return _list_lines(connection, alert_steps, of=of, limit=LINES_BEHIND)


def list_incident_lines_behind(connection: Connection, incident: str, *, version: int) -> list[Line]:
    """What people did with an incident behind a version, oldest first."""
    c = incident_steps.c
    of = sa.and_(c.incident == incident, c.version > version, c.by.is_not(None))
    return _list_lines(connection, incident_steps, of=of, limit=LINES_BEHIND)


def _add_line(connection: Connection, table: sa.Table, *, owner: sa.Column[str], id_: str, line: Line) -> None:
    newest = connection.execute(sa.select(sa.func.coalesce(sa.func.max(table.c.number), 0)).where(owner == id_))
    row = {owner.name: id_, "number": newest.scalar_one() + 1, **_line_row(line)}
    connection.execute(table.insert().values(row))


def _line_row(line: Line) -> _Values:
    return {
        "version": line.version,
        "at": line.at,
        "step": line.step,
        "note": line.note,
        "detail": dict(line.detail),
        **_person_row("by", line.by),
    }


def _list_lines(connection: Connection, table: sa.Table, *, of: sa.ColumnElement[bool], limit: int) -> list[Line]:
    statement = sa.select(table).where(of).order_by(table.c.number.desc()).limit(limit)
    lines = [
        Line(
            version=row["version"],
            at=row["at"],
            step=row["step"],
            by=_person_of(row, "by"),
            note=row["note"],
            detail=row["detail"],
        )
        for row in connection.execute(statement).mappings()
    ]
    return lines[::-1]


# The reader of facts, and people


def read_cursor(connection: Connection) -> int:
    """Up to which fact the queue has read."""
    statement = sa.select(fact_readers.c.cursor).where(fact_readers.c.reader == READER)
    return connection.execute(statement).scalar() or 0


def write_cursor(connection: Connection, cursor: int) -> None:
    """Remember up to which fact the queue has read."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(fact_readers).values(reader=READER, cursor=cursor)
    connection.execute(statement.on_conflict_do_update(index_elements=["reader"], set_={"cursor": cursor}))


def get_person(connection: Connection, actor: Actor) -> Person:
    """An actor as colleagues call them."""
    name = connection.execute(sa.select(users.c.display_name).where(users.c.id == actor.user_id)).scalar()
    return Person(user=actor.user_id, name=name or actor.name)


# Rows


def _person_row(name: str, person: Person | None) -> _Values:
    return {name: person.user if person else None, f"{name}_name": person.name if person else None}


def _person_of(row: RowMapping, name: str) -> Person | None:
    return None if row[name] is None else Person(user=row[name], name=row[f"{name}_name"])


def _box_of(raw: Sequence[float] | None) -> Box | None:
    return None if raw is None else (raw[0], raw[1], raw[2], raw[3])


def _plain(thing: Alert | Incident, names: Iterable[str]) -> _Values:
    row: _Values = {name: getattr(thing, name) for name in names}
    return {**row, "lon": thing.position.lon, "lat": thing.position.lat, "box": list(thing.box) if thing.box else None}


def _alert_row(alert: Alert) -> _Values:
    persons = {**_person_row("offered_to", alert.offered_to), **_person_row("owner", alert.owner)}
    return {**_plain(alert, _ALERT_FIELDS), **persons}


def _incident_row(incident: Incident) -> _Values:
    return {**_plain(incident, _INCIDENT_FIELDS), **_person_row("owner", incident.owner)}


def _read(row: RowMapping, names: Iterable[str]) -> Mapping[str, object]:
    return {**{name: row[name] for name in names}, "box": _box_of(row["box"])}


def _alert_of(row: RowMapping) -> Alert:
    made = {
        **_read(row, _ALERT_FIELDS),
        "position": LonLat(row["lon"], row["lat"]),
        "offered_to": _person_of(row, "offered_to"),
        "owner": _person_of(row, "owner"),
    }
    return Alert(**cast(dict[str, object], made))  # pyright: ignore[reportArgumentType] - columns and fields agree


def _incident_of(row: RowMapping) -> Incident:
    made = {
        **_read(row, _INCIDENT_FIELDS),
        "position": LonLat(row["lon"], row["lat"]),
        "owner": _person_of(row, "owner"),
    }
    return Incident(**cast(dict[str, object], made))  # pyright: ignore[reportArgumentType] - columns and fields agree

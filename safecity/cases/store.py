"""Tables of cases, their clips and histories, and their queries; the caller owns the transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.exc import IntegrityError

from safecity.cases.model import Case, CaseId, Clip, References, Step
from safecity.events.incidents import Person
from safecity.platform.database import BigSerial, Json, UtcInstant, metadata
from safecity.platform.errors import Conflict

MAX_PAGE = 200
MAX_STEPS = 2000  # shown of one case, the newest
_ESCAPE = "\\"

cases = sa.Table(
    "cases",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True, comment="case_..., rises with time"),
    sa.Column("number", sa.String(20), nullable=False, unique=True, comment="For people: C-2026-000007"),
    sa.Column("version", sa.Integer, nullable=False, comment="Rises by one with each change"),
    sa.Column("state", sa.String(10), nullable=False, comment="open or closed"),
    sa.Column("fir_number", sa.String(60), nullable=False, comment="FIR number as the station writes it"),
    sa.Column("police_station", sa.String(60), nullable=False, comment="Police station that registered it"),
    sa.Column("reference_key", sa.String(400), nullable=False, comment="Station and number, for comparison"),
    sa.Column("incident", sa.String(64), nullable=False, unique=True, comment="Incident that closed into it"),
    sa.Column("incident_number", sa.String(20), nullable=False, comment="Its number for people"),
    sa.Column("title", sa.Text, nullable=False, comment="Title of the incident"),
    sa.Column("title_ur", sa.Text, nullable=False, comment="The same in Urdu; may be empty"),
    sa.Column("purpose", sa.String(64), nullable=False, comment="Purpose that its looks and exports rest on"),
    sa.Column("opened_at", UtcInstant, nullable=False, comment="When it was opened"),
    sa.Column("opened_by", sa.String(64), nullable=False, comment="User id of who opened it"),
    sa.Column("opened_by_name", sa.String(200), nullable=False, comment="Their name then"),
    sa.Column("closed_at", UtcInstant, nullable=True, comment="When it was closed; null while open"),
    sa.Column("outcome", sa.String(200), nullable=True, comment="How it ended; null while open"),
    sa.Index(
        "uq_cases_open_reference",
        "reference_key",
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    ),
    comment="Cases: what an incident closes into, with its FIR",
)

case_clips = sa.Table(
    "case_clips",
    metadata,
    sa.Column("case", sa.String(64), sa.ForeignKey("cases.id"), primary_key=True, comment="Case id"),
    sa.Column("camera", sa.String(64), primary_key=True, comment="Camera id"),
    sa.Column("from_at", UtcInstant, primary_key=True, comment="First held instant, a whole second"),
    sa.Column("to_at", UtcInstant, nullable=False, comment="First instant that is not held, a whole second"),
    sa.Column("export", sa.String(40), nullable=True, comment="Newest export of it under this case"),
    comment="Intervals of cameras that belong to a case and are held for it",
)

case_steps = sa.Table(
    "case_steps",
    metadata,
    sa.Column("id", BigSerial, primary_key=True, autoincrement=True, comment="Order of writing"),
    sa.Column("case", sa.String(64), sa.ForeignKey("cases.id"), nullable=False, comment="Case id"),
    sa.Column("at", UtcInstant, nullable=False, comment="When"),
    sa.Column("step", sa.String(30), nullable=False, comment="opened, note, references, exported, closed"),
    sa.Column("by_user", sa.String(64), nullable=False, comment="User id of who did it"),
    sa.Column("by_name", sa.String(200), nullable=False, comment="Their name then"),
    sa.Column("note", sa.String(2000), nullable=False, comment="In their own words; may be empty"),
    sa.Column("detail", Json, nullable=False, comment="What the step needs, such as old and new references"),
    sa.Index("ix_case_steps_case", "case", "id"),
    comment="History of cases; lines are added, never changed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which cases of the list are asked for; `before` is a case id."""

    text: str = ""
    state: Literal["open", "closed", "all"] = "all"
    before: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptClip:
    """A clip with its newest export under the case."""

    clip: Clip
    export: str | None


def _case(row: RowMapping) -> Case:
    return Case(
        id=CaseId(row["id"]),
        number=row["number"],
        version=row["version"],
        state=row["state"],
        references=References(fir_number=row["fir_number"], police_station=row["police_station"]),
        incident=row["incident"],
        incident_number=row["incident_number"],
        title=row["title"],
        title_ur=row["title_ur"],
        purpose=row["purpose"],
        opened_at=row["opened_at"],
        opened_by=Person(user=row["opened_by"], name=row["opened_by_name"]),
        closed_at=row["closed_at"],
        outcome=row["outcome"],
    )


def _row(case: Case) -> dict[str, object]:
    return {
        "id": case.id,
        "number": case.number,
        "version": case.version,
        "state": case.state,
        "fir_number": case.references.fir_number,
        "police_station": case.references.police_station,
        "reference_key": case.references.key,
        "incident": case.incident,
        "incident_number": case.incident_number,
        "title": case.title,
        "title_ur": case.title_ur,
        "purpose": case.purpose,
        "opened_at": case.opened_at,
        "opened_by": case.opened_by.user,
        "opened_by_name": case.opened_by.name,
        "closed_at": case.closed_at,
        "outcome": case.outcome,
    }


def insert_case(connection: Connection, case: Case) -> None:
    """A new case; raises Conflict where its number, its incident or its references are taken after all."""
    try:
        connection.execute(cases.insert().values(_row(case)))
    except IntegrityError as error:
        raise Conflict("another case was opened at the same moment; look again", code="cases.taken") from error


def update_case(connection: Connection, case: Case) -> None:
    """What a case is now; raises Conflict where its references are another open case's after all."""
    try:
        connection.execute(cases.update().where(cases.c.id == case.id).values(_row(case)))
    except IntegrityError as error:
        raise Conflict("another open case has these references; look again", code="cases.taken") from error


def find_case(connection: Connection, case: CaseId, *, is_to_change: bool = False) -> Case | None:
    """One case; with `is_to_change` nobody else changes it until the transaction ends."""
    statement = sa.select(cases).where(cases.c.id == case)
    if is_to_change:
        statement = statement.with_for_update()
    row = connection.execute(statement).mappings().first()
    return None if row is None else _case(row)


def find_open_by_references(connection: Connection, references: References) -> Case | None:
    """The open case of these references, however they are written."""
    c = cases.c
    statement = sa.select(cases).where(c.reference_key == references.key, c.state == "open")
    row = connection.execute(statement).mappings().first()
    return None if row is None else _case(row)


def find_last_number(connection: Connection, year: int) -> str | None:
    """The highest number given in a year; numbers have one length, so the order of text is theirs."""
    statement = sa.select(sa.func.max(cases.c.number)).where(cases.c.number.like(f"C-{year}-%"))
    return connection.execute(statement).scalar()


def list_cases(connection: Connection, search: Search) -> list[Case]:
    """The newest cases first; text is looked for in numbers, references and titles as it stands."""
    c = cases.c
    statement = sa.select(cases).order_by(c.id.desc()).limit(min(search.limit, MAX_PAGE))
    if search.state != "all":
        statement = statement.where(c.state == search.state)
    if search.before is not None:
        statement = statement.where(c.id < search.before)
    if search.text:
        pattern = f"%{escape_like(search.text.lower())}%"
        looked_in = (c.number, c.fir_number, c.police_station, c.incident_number, c.title, c.title_ur)
        hits = [sa.func.lower(column).like(pattern, escape=_ESCAPE) for column in looked_in]
        statement = statement.where(sa.or_(*hits))
    return [_case(row) for row in connection.execute(statement).mappings()]


def escape_like(text: str) -> str:
    """Text whose percent signs and underscores mean themselves in LIKE."""
    for special in (_ESCAPE, "%", "_"):
        text = text.replace(special, _ESCAPE + special)
    return text


def insert_clips(connection: Connection, case: CaseId, clips: Sequence[Clip]) -> None:
    """What belongs to a new case."""
    rows = [{"case": case, "camera": one.camera, "from_at": one.from_at, "to_at": one.to_at} for one in clips]
    if rows:
        connection.execute(case_clips.insert(), rows)


def list_clips(connection: Connection, case: CaseId) -> list[KeptClip]:
    """The clips of a case, by camera and time."""
    c = case_clips.c
    statement = sa.select(case_clips).where(c.case == case).order_by(c.camera, c.from_at)
    return [
        KeptClip(clip=Clip(camera=row.camera, from_at=row.from_at, to_at=row.to_at), export=row.export)
        for row in connection.execute(statement)
    ]


def set_export(connection: Connection, case: CaseId, clip: Clip, *, export: str) -> None:
    """The newest export of a clip."""
    c = case_clips.c
    here = (c.case == case, c.camera == clip.camera, c.from_at == clip.from_at)
    connection.execute(case_clips.update().where(*here).values(export=export))


def insert_step(connection: Connection, case: CaseId, step: Step) -> None:
    """Another line of the history."""
    row = {
        "case": case,
        "at": step.at,
        "step": step.step,
        "by_user": step.by.user,
        "by_name": step.by.name,
        "note": step.note,
        "detail": dict(step.detail),
    }
    connection.execute(case_steps.insert().values(row))


def list_steps(connection: Connection, case: CaseId, *, limit: int = MAX_STEPS) -> list[Step]:
    """The newest lines of the history, oldest first."""
    c = case_steps.c
    rows = connection.execute(sa.select(case_steps).where(c.case == case).order_by(c.id.desc()).limit(limit))
    found = [
        Step(
            at=row.at,
            step=row.step,
            by=Person(user=row.by_user, name=row.by_name),
            note=row.note,
            detail=row.detail,
        )
        for row in rows
    ]
    return found[::-1]

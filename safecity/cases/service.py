"""Cases as people use them: opened from an incident, written to, exported from, closed.

Order inside a transaction: permit (which takes the log's turn), our own rows, the hold, the purpose, the incident
through its room, our fact last. A case is opened whole or not at all: the incident is closed into it, its purpose
stands and its clips are held, or none of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.engine import Connection

from safecity.cases import store
from safecity.cases.looks import REMEMBERED_S, CasesRead
from safecity.cases.model import (
    Case,
    CaseId,
    Clip,
    Detail,
    References,
    Step,
    check_open,
    check_version,
    clips_of,
    find_clip,
    next_number,
    read_references,
)
from safecity.cases.store import Search
from safecity.events import state_fact
from safecity.events.cases import CaseChanged
from safecity.events.incidents import IncidentChanged, Person
from safecity.incidents.incident import Incident, check_is_open
from safecity.incidents.model import IncidentId
from safecity.incidents.service import Incidents
from safecity.incidents.steps import incident_fact
from safecity.incidents.store import get_person
from safecity.oversight.model import Act, Actor, PurposeId, PurposeScope, Resource
from safecity.oversight.service import Oversight
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.errors import Conflict, Denied, NotFound
from safecity.platform.ids import fact_id, new_id
from safecity.sites.model import CameraId
from safecity.video.export_store import Export, find_export
from safecity.video.holds import HeldInterval, hold
from safecity.video.model import Stream
from safecity.video.store import list_segments

log = structlog.get_logger()

SOURCE = "cases"
SCOPE_AFTER = timedelta(hours=1)
"""What followed may be looked at until so long after the incident was closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCase:
    """What somebody says when they close an incident into a case; `version` is the incident's, as they saw it."""

    incident: IncidentId
    version: int
    fir_number: str
    police_station: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldClip:
    """A clip with how many segments of it are in the index, and its newest export while that is kept."""

    clip: Clip
    segments: int
    export: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """A case with everything that belongs to it."""

    case: Case
    clips: tuple[HeldClip, ...]
    steps: tuple[Step, ...]
    incident: IncidentChanged


class Cases:
    """The cases. Safe to share between threads."""

    def __init__(
        self, database: Database, *, incidents: Incidents, oversight: Oversight, clock: Clock, time_zone: str = "UTC"
    ) -> None:
        """`time_zone` is the one in which a year ends, for the numbers of cases."""
        self._database = database
        self._incidents = incidents
        self._oversight = oversight
        self._clock = clock
        self._zone = ZoneInfo(time_zone)
        self._read = CasesRead()

    # Reading

    def list_cases(self, actor: Actor, search: Search) -> list[Case]:
        """Cases, newest first. Raises Denied."""
        self._oversight.require(actor, Act.LIST_CASES, Resource.case())
        with self._database.read() as connection:
            return store.list_cases(connection, search)

    def get_case(self, actor: Actor, case_id: CaseId) -> Dossier:
        """One case with its clips and history; opening a file is a look, with a leaf for each session and five minutes.

        Raises Denied and NotFound.
        """
        now_s = self._clock.monotonic_s()
        is_covered = self._read.is_fresh(actor.session_id, case_id, now_s=now_s)
        if not (is_covered and self._oversight.allowed(actor, Act.LIST_CASES)):
            detail = {"repeat_s": REMEMBERED_S}
            self._oversight.permit(actor, Act.LIST_CASES, Resource.case(case_id), detail=detail)
            self._read.remember(actor.session_id, case_id, now_s=now_s)
        return self._dossier(case_id)

    def _dossier(self, case_id: CaseId) -> Dossier:
        with self._database.read() as connection:
            case = store.find_case(connection, case_id)
            if case is None:
                raise NotFound("there is no such case", code="cases.no_case")
            clips = [self._held(connection, one) for one in store.list_clips(connection, case_id)]
            steps = store.list_steps(connection, case_id)
            incident = incident_fact(self._incidents.get_incident(connection, case.incident))
        return Dossier(case=case, clips=tuple(clips), steps=tuple(steps), incident=incident)

    def _held(self, connection: Connection, kept: store.KeptClip) -> HeldClip:
        clip = kept.clip
        found = [
            list_segments(connection, CameraId(clip.camera), stream, from_at=clip.from_at, to_at=clip.to_at)
            for stream in Stream
        ]
        export = None if kept.export is None else find_export(connection, kept.export)
        is_kept = export is not None and export.deleted_at is None and export.expires_at > self._clock.now()
        return HeldClip(clip=clip, segments=sum(map(len, found)), export=kept.export if is_kept else None)

    # Opening

    def open_case(self, actor: Actor, new: NewCase) -> Dossier:
        """Close an incident into a case: its purpose opens and its clips are held, in the same stroke.

        Raises Denied, NotFound, Invalid for references that cannot be, and Conflict where the incident is closed, was
        changed meanwhile or has a unit on it, or where an open case has the same references; it names that case.
        """
        references = read_references(new.fir_number, new.police_station)
        case_id = CaseId(new_id("case"))
        with self._database.begin() as connection:
            self._oversight.permit(
                actor,
                Act.OPEN_CASE,
                Resource.incident(new.incident),
                connection=connection,
                detail={"case": case_id},
            )
            incident = self._incidents.get_incident(connection, new.incident)
            check_is_open(incident)
            self._check_references(connection, references)
            by = get_person(connection, actor)
            clips = self._clips(connection, incident)
            purpose = self._oversight.open_purpose(
                connection, kind="case", ref=case_id, scope=self._scope(connection, incident, clips)
            )
            case = self._new(connection, case_id, incident=incident, references=references, by=by, purpose=purpose.id)
            store.insert_case(connection, case)
            store.insert_clips(connection, case_id, clips)
            intervals = [HeldInterval(camera=one.camera, from_at=one.from_at, to_at=one.to_at) for one in clips]
            hold(connection, intervals, ref=case_id, now=case.opened_at)
            self._write(connection, case, step="opened", by=by, note=new.note, detail={"incident": incident.number})
            self._write(connection, case, step="held", by=by, note="", detail={"clips": len(clips)})
            self._incidents.close_incident(
                connection, actor, new.incident, version=new.version, outcome="case", note=new.note, case=case_id
            )
            self._state(connection, case)
        log.info("cases.case_opened", case=case_id, clips=len(clips))
        return self._dossier(case_id)

    def _new(
        self,
        connection: Connection,
        case_id: CaseId,
        *,
        incident: Incident,
        references: References,
        by: Person,
        purpose: PurposeId,
    ) -> Case:
        now = self._clock.now()
        year = now.astimezone(self._zone).year
        return Case(
            id=case_id,
            number=next_number(store.find_last_number(connection, year), year=year),
            version=1,
            state="open",
            references=references,
            incident=incident.id,
            incident_number=incident.number,
            title=incident.title,
            title_ur=incident.title_ur,
            purpose=purpose,
            opened_at=now,
            opened_by=by,
        )

    def _clips(self, connection: Connection, incident: Incident) -> list[Clip]:
        alerts = self._incidents.list_alerts_of(connection, incident.id)
        shown = [(one.camera, one.clip_from, one.clip_to) for one in alerts]
        # One that a person reported has no alert; of the others this is the same again.
        shown.append((incident.camera, incident.clip_from, incident.clip_to))
        return clips_of(
            Clip(camera=camera, from_at=first, to_at=last) for camera, first, last in shown if camera is not None
        )

    def _scope(self, connection: Connection, incident: Incident, clips: Sequence[Clip]) -> list[PurposeScope]:
        until = self._clock.now() + SCOPE_AFTER
        scope = [replace(one, to_at=until) for one in self._incidents.scope_of(connection, incident)]
        wanted = [PurposeScope(camera=one.camera, from_at=one.from_at, to_at=one.to_at) for one in clips]
        return scope + [one for one in wanted if not any(_holds(wide, one) for wide in scope)]

    def _check_references(self, connection: Connection, references: References, *, own: CaseId | None = None) -> None:
        other = store.find_open_by_references(connection, references)
        if other is not None and other.id != own:
            raise Conflict(
                f"{other.number} is open with FIR {other.references.fir_number} of "
                f"{other.references.police_station} already; correct the number, or write into that case",
                code="cases.duplicate",
                case=other.id,
                number=other.number,
            )

    # Working on it

    def add_note(self, actor: Actor, case_id: CaseId, *, text: str) -> Dossier:
        """Write a line into a case, a closed one too: what a court decides comes late. Raises Denied, NotFound."""
        with self._database.begin() as connection:
            case, by = self._begin(connection, actor, case_id, detail={"step": "note"})
            self._change(connection, replace(case, version=case.version + 1), step="note", by=by, note=text, detail={})
        return self._dossier(case_id)

    def set_references(
        self, actor: Actor, case_id: CaseId, *, version: int, fir_number: str, police_station: str
    ) -> Dossier:
        """Correct the references; the history keeps the old ones. Raises Denied, NotFound, Invalid, Conflict."""
        references = read_references(fir_number, police_station)
        with self._database.begin() as connection:
            case, by = self._begin(connection, actor, case_id, detail={"step": "references"})
            self._check_current(connection, case, version)
            self._check_references(connection, references, own=case_id)
            if references != case.references:
                detail = {
                    "old_fir_number": case.references.fir_number,
                    "old_police_station": case.references.police_station,
                    "fir_number": references.fir_number,
                    "police_station": references.police_station,
                }
                after = replace(case, version=case.version + 1, references=references)
                self._change(connection, after, step="references", by=by, note="", detail=detail)
        return self._dossier(case_id)

    def add_export(self, actor: Actor, case_id: CaseId, *, export_id: str) -> Dossier:
        """Remember an export of one of the case's clips.

        Raises Denied, NotFound where there is no such export or its files are gone, Conflict where the case is closed
        or the export is not of one of its clips.
        """
        with self._database.begin() as connection:
            detail: Detail = {"step": "exported", "export": export_id}
            case, by = self._begin(connection, actor, case_id, detail=detail)
            check_open(case)
            export = self._get_export(connection, actor, export_id)
            kept = store.list_clips(connection, case_id)
            clip = find_clip(
                [one.clip for one in kept], camera=export.camera, from_at=export.from_at, to_at=export.to_at
            )
            if clip is None:
                raise Conflict(
                    "this export is not of a clip of this case; export one of its clips, or a part of one",
                    code="cases.foreign_export",
                )
            if any(one.clip == clip and one.export == export_id for one in kept):
                return self._dossier(case_id)
            store.set_export(connection, case_id, clip, export=export_id)
            said: Detail = {"export": export_id, "camera": export.camera, "sha256": export.sha256}
            after = replace(case, version=case.version + 1)
            self._change(connection, after, step="exported", by=by, note="", detail=said)
        return self._dossier(case_id)

    def _get_export(self, connection: Connection, actor: Actor, export_id: str) -> Export:
        export = find_export(connection, export_id)
        if export is None or export.deleted_at is not None or export.expires_at <= self._clock.now():
            raise NotFound("there is no such export, or its files are gone; export it again", code="cases.no_export")
        if export.made_by != actor.user_id:
            raise Denied("Only who made an export can put it into a case.", code="cases.not_your_export")
        return export

    def close_case(self, actor: Actor, case_id: CaseId, *, version: int, outcome: str) -> Dossier:
        """End a case: its purpose closes, its clips stay held. Raises Denied, NotFound, Conflict."""
        with self._database.begin() as connection:
            case, by = self._begin(connection, actor, case_id, detail={"step": "close"})
            check_open(case)
            self._check_current(connection, case, version)
            self._oversight.close_purpose(connection, PurposeId(case.purpose))
            after = replace(
                case, version=case.version + 1, state="closed", closed_at=self._clock.now(), outcome=outcome.strip()
            )
            self._change(connection, after, step="closed", by=by, note="", detail={"outcome": outcome.strip()})
        return self._dossier(case_id)

    # Within a transaction

    def _begin(self, connection: Connection, actor: Actor, case_id: CaseId, *, detail: Detail) -> tuple[Case, Person]:
        self._oversight.permit(
            actor, Act.HANDLE_CASES, Resource.case(case_id), connection=connection, detail=dict(detail)
        )
        case = store.find_case(connection, case_id, is_to_change=True)
        if case is None:
            raise NotFound("there is no such case", code="cases.no_case")
        return case, get_person(connection, actor)

    def _check_current(self, connection: Connection, case: Case, version: int) -> None:
        last = store.list_steps(connection, case.id, limit=1)
        check_version(case, version, last=last[-1] if last else None)

    def _change(self, connection: Connection, after: Case, *, step: str, by: Person, note: str, detail: Detail) -> None:
        store.update_case(connection, after)
        self._write(connection, after, step=step, by=by, note=note, detail=detail)
        self._state(connection, after)

    def _write(self, connection: Connection, case: Case, *, step: str, by: Person, note: str, detail: Detail) -> None:
        line = Step(at=self._clock.now(), step=step, by=by, note=note.strip(), detail=detail)
        store.insert_step(connection, case.id, line)

    def _state(self, connection: Connection, case: Case) -> None:
        fact = CaseChanged(id=case.id, version=case.version, state=case.state)
        state_fact(
            connection,
            fact,
            id=fact_id(fact.type, case.id, case.version),
            source=SOURCE,
            time=self._clock.now(),
            subject=case.id,
        )


def _holds(wide: PurposeScope, narrow: PurposeScope) -> bool:
    if wide.camera != narrow.camera or wide.to_at is None or narrow.to_at is None:
        return False
    return wide.from_at <= narrow.from_at and narrow.to_at <= wide.to_at

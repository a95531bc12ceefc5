"""Cases: what an incident closes into."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request

from safecity.api.parts import WebParts
from safecity.api.sessions import get_session
from safecity.api.wire_response import (
    PLAIN_TEXT,
    CaseClip,
    CaseDetail,
    CasePage,
    CaseReferences,
    CaseView,
    CloseCase,
    ExportedUnderCase,
    NewCase,
    NewNote,
    StepView,
)
from safecity.cases import service
from safecity.cases.model import Case, CaseId
from safecity.cases.store import Search
from safecity.incidents.model import IncidentId

Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
Limit = Annotated[int, Query(ge=1, le=200)]
Before = Annotated[str | None, Query(max_length=64)]


def case_router(parts: WebParts) -> APIRouter:
    """`/api/cases`."""
    router = APIRouter(prefix="/api", tags=["cases"])

    @router.get("/cases")
    def cases(
        request: Request,
        search: Annotated[str, Query(max_length=60, pattern=PLAIN_TEXT)] = "",
        state: Literal["open", "closed", "all"] = "all",
        before: Before = None,
        limit: Limit = 50,
    ) -> CasePage:  # pyright: ignore[reportUnusedFunction]
        """Cases, newest first; `search` looks in numbers, FIR numbers, stations and titles."""
        actor = get_session(parts.oversight, request).actor
        asked = Search(text=search.strip(), state=state, before=before, limit=limit)
        found = parts.cases.list_cases(actor, asked)
        return CasePage(
            cases=tuple(case_view(one) for one in found), before=found[-1].id if len(found) == limit else None
        )

    @router.post("/cases", status_code=201)
    def open_case(body: NewCase, request: Request) -> CaseDetail:  # pyright: ignore[reportUnusedFunction]
        """Close an incident into a case; its clips are held from now on."""
        new = service.NewCase(
            incident=IncidentId(body.incident),
            version=body.version,
            fir_number=body.fir_number,
            police_station=body.police_station,
            note=body.note,
        )
        return case_detail(parts.cases.open_case(get_session(parts.oversight, request).actor, new))

    @router.get("/cases/{case_id}")
    def case(case_id: Id, request: Request) -> CaseDetail:  # pyright: ignore[reportUnusedFunction]
        """One case with its clips and history."""
        return case_detail(parts.cases.get_case(get_session(parts.oversight, request).actor, CaseId(case_id)))

    _add_changes(router, parts)
    return router


def _add_changes(router: APIRouter, parts: WebParts) -> None:
    """What is written into a case."""

    @router.post("/cases/{case_id}/notes", status_code=201)
    def note(case_id: Id, body: NewNote, request: Request) -> CaseDetail:  # pyright: ignore[reportUnusedFunction]
        """Write a line into the case."""
        actor = get_session(parts.oversight, request).actor
        return case_detail(parts.cases.add_note(actor, CaseId(case_id), text=body.text))

    @router.post("/cases/{case_id}/references")
    def references(case_id: Id, body: CaseReferences, request: Request) -> CaseDetail:  # pyright: ignore[reportUnusedFunction]
        """Correct the FIR number or the police station."""
        actor = get_session(parts.oversight, request).actor
        changed = parts.cases.set_references(
            actor,
            CaseId(case_id),
            version=body.version,
            fir_number=body.fir_number,
            police_station=body.police_station,
        )
        return case_detail(changed)

    @router.post("/cases/{case_id}/exports", status_code=201)
    def exported(case_id: Id, body: ExportedUnderCase, request: Request) -> CaseDetail:  # pyright: ignore[reportUnusedFunction]
        """Remember an export of one of its clips."""
        actor = get_session(parts.oversight, request).actor
        return case_detail(parts.cases.add_export(actor, CaseId(case_id), export_id=body.export))

    @router.post("/cases/{case_id}/close")
    def close(case_id: Id, body: CloseCase, request: Request) -> CaseDetail:  # pyright: ignore[reportUnusedFunction]
        """Close a case with its outcome."""
        actor = get_session(parts.oversight, request).actor
        return case_detail(parts.cases.close_case(actor, CaseId(case_id), version=body.version, outcome=body.outcome))


def case_view(case: Case) -> CaseView:
    """A case as the list shows it."""
    return CaseView(
        id=case.id,
        number=case.number,
        version=case.version,
        state=case.state,
        fir_number=case.references.fir_number,
        police_station=case.references.police_station,
        title=case.title,
        title_ur=case.title_ur,
        incident=case.incident,
        incident_number=case.incident_number,
        opened_at=case.opened_at,
        opened_by=case.opened_by,
        closed_at=case.closed_at,
        outcome=case.outcome,
    )


def case_detail(dossier: service.Dossier) -> CaseDetail:
    """A case with its evidence and history."""
    return CaseDetail(
        case=case_view(dossier.case),
        clips=tuple(
            CaseClip(
                camera=one.clip.camera,
                from_=one.clip.from_at,
                to=one.clip.to_at,
                held_segments=one.segments,
                export=one.export,
            )
            for one in dossier.clips
        ),
        steps=tuple(
            StepView(at=one.at, step=one.step, by=one.by, note=one.note, detail=dict(one.detail))
            for one in dossier.steps
        ),
        incident=dossier.incident,
    )

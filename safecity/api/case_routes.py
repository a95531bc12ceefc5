"""Cases: what an incident closes into."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request

from safecity.api.parts import WebParts
from safecity.api.wire_response import (
    CaseDetail,
    CasePage,
    CaseReferences,
    CloseCase,
    ExportedUnderCase,
    NewCase,
    NewNote,
)
from safecity.platform.errors import Unavailable

Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
Limit = Annotated[int, Query(ge=1, le=200)]
Before = Annotated[str | None, Query(max_length=64)]


def case_router(parts: WebParts) -> APIRouter:
    """`/api/cases`."""
    router = APIRouter(prefix="/api", tags=["cases"])
    del parts

    @router.get("/cases")
    def cases(
        request: Request,
        search: Annotated[str, Query(max_length=60)] = "",
        state: Literal["open", "closed", "all"] = "all",
        before: Before = None,
        limit: Limit = 50,
    ) -> CasePage:  # pyright: ignore[reportUnusedFunction]
        """Cases, newest first; `search` looks in numbers, FIR numbers, stations and titles."""
        raise Unavailable("not served yet", code="api.not_yet")

    @router.post("/cases", status_code=201)
    def open_case(body: NewCase, request: Request) -> CaseDetail:  # pyright: ignore[reportUnusedFunction]
        """Close an incident into a case; its clips are held from now on."""
        raise Unavailable("not served yet", code="api.not_yet")

    @router.get("/cases/{case_id}")
    def case(case_id: Id, request: Request) -> CaseDetail:  # pyright: ignore[reportUnusedFunction]
        """One case with its clips and history."""
        raise Unavailable("not served yet", code="api.not_yet")

    @router.post("/cases/{case_id}/notes", status_code=201)
    def note(case_id: Id, body: NewNote, request: Request) -> CaseDetail:  # pyright: ignore[reportUnusedFunction]
        """Write a line into the case."""
        raise Unavailable("not served yet", code="api.not_yet")

    @router.post("/cases/{case_id}/references")
    def references(case_id: Id, body: CaseReferences, request: Request) -> CaseDetail:  # pyright: ignore[reportUnusedFunction]
        """Correct the FIR number or the police station."""
        raise Unavailable("not served yet", code="api.not_yet")

    @router.post("/cases/{case_id}/exports", status_code=201)
    def exported(case_id: Id, body: ExportedUnderCase, request: Request) -> CaseDetail:  # pyright: ignore[reportUnusedFunction]
        """Remember an export of one of its clips."""
        raise Unavailable("not served yet", code="api.not_yet")

    @router.post("/cases/{case_id}/close")
    def close(case_id: Id, body: CloseCase, request: Request) -> CaseDetail:  # pyright: ignore[reportUnusedFunction]
        """Close a case with its outcome."""
        raise Unavailable("not served yet", code="api.not_yet")

    return router

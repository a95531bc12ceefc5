"""Every error leaves the API as one RFC 9457 problem document."""

from collections.abc import Mapping

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from safecity.platform.errors import Denied, Internal, Invalid, Kind, NotFound, Problem

log = structlog.get_logger()

STATUS: Mapping[Kind, int] = {
    Kind.INVALID: 422,
    Kind.DENIED: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.EXHAUSTED: 429,
    Kind.UNAVAILABLE: 503,
    Kind.DATA_LOSS: 500,
    Kind.INTERNAL: 500,
}
TITLE: Mapping[Kind, str] = {
    Kind.INVALID: "The request is not right",
    Kind.DENIED: "Not allowed",
    Kind.NOT_FOUND: "Not found",
    Kind.CONFLICT: "Not possible now",
    Kind.EXHAUSTED: "A limit is reached",
    Kind.UNAVAILABLE: "Not available now",
    Kind.DATA_LOSS: "Data is missing or damaged",
    Kind.INTERNAL: "Our fault",
}
SIGN_IN_NEEDED = "oversight.sign_in_needed"


def status_of(problem: Problem) -> int:
    """The HTTP status of a problem; a missing session is 401, any other refusal 403."""
    return 401 if problem.code == SIGN_IN_NEEDED else STATUS[problem.kind]


def render(problem: Problem) -> JSONResponse:
    """The problem document: title for people, code for programs, detail that says what to do."""
    body = {
        "type": f"urn:safecity:problem:{problem.code}",
        "title": TITLE[problem.kind],
        "status": status_of(problem),
        "kind": problem.kind.value,
        "code": problem.code,
        "detail": problem.message,
        **{name: value for name, value in problem.facts.items() if name not in {"type", "title", "status"}},
    }
    retry_after_s = problem.facts.get("retry_after_s")
    headers = {"Retry-After": f"{retry_after_s:.0f}"} if isinstance(retry_after_s, int | float) else None
    return JSONResponse(body, status_code=status_of(problem), media_type="application/problem+json", headers=headers)


def install(app: FastAPI) -> None:
    """Make the app answer every error with a problem document, also those of the framework."""

    def known(_: Request, error: Exception) -> Response:
        return render(error if isinstance(error, Problem) else Internal(str(error)))

    def invalid(_: Request, error: Exception) -> Response:
        # Neither the wrong value nor the parser's context is echoed: it may be a password.
        errors = error.errors() if isinstance(error, RequestValidationError) else []
        wrong = [{"at": ".".join(str(part) for part in item["loc"]), "what": item["msg"]} for item in errors]
        sentence = "; ".join(f"{item['at']}: {item['what']}" for item in wrong)
        return render(Invalid(f"The request is not right: {sentence}", code="api.invalid_request", wrong=wrong))

    def http(_: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        if status == 404:
            return render(NotFound("There is nothing at this address.", code="api.no_such_address"))
        headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
        body = render(Invalid(f"This address does not answer like that (HTTP {status}).", code="api.http"))
        return Response(body.body, status_code=status, media_type="application/problem+json", headers=headers)

    def unexpected(request: Request, error: Exception) -> Response:
        # The API's last resort: the caller learns nothing of our insides, the log all of it.
        log.error("api.request_failed", path=request.url.path, exc_info=error)
        return render(Internal("The server met an error of its own; it has been logged. Please try again."))

    app.add_exception_handler(Problem, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unexpected)


def sign_in_needed() -> Denied:
    """What a caller without a session is told."""
    return Denied("Sign in first; your session may have ended.", code=SIGN_IN_NEEDED)

"""The session cookie, and who is behind it.

The cookie is HttpOnly and SameSite=Strict; browsers send it to the page's server and to the media gateway, which is
the same host on another port. Unsafe requests must also carry the page's own Origin.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from fastapi import Request, Response, WebSocket
from starlette.concurrency import run_in_threadpool

from safecity.api.problems import render, sign_in_needed
from safecity.oversight.service import Oversight, Session
from safecity.platform.errors import Denied, Exhausted

COOKIE = "safecity_session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def token_of(connection: Request | WebSocket) -> str | None:
    """The session token that the browser sent, if any."""
    return connection.cookies.get(COOKIE)


def get_session(oversight: Oversight, connection: Request | WebSocket) -> Session:
    """The live session of the caller; raises Denied (401) when there is none."""
    token = token_of(connection)
    session = oversight.find_session(token) if token else None
    if session is None:
        raise sign_in_needed()
    return session


async def get_session_async(oversight: Oversight, connection: Request | WebSocket) -> Session:
    """The same from an async route, asked in the thread pool."""
    return await run_in_threadpool(get_session, oversight, connection)


def give_cookie(response: Response, token: str, *, max_age_s: int, is_https: bool) -> None:
    """Hand the token to the browser, out of reach of scripts and of other sites."""
    response.set_cookie(COOKIE, token, max_age=max_age_s, httponly=True, samesite="strict", secure=is_https, path="/")


def take_cookie(response: Response) -> None:
    """Forget the token in the browser."""
    response.delete_cookie(COOKIE, path="/", samesite="strict", httponly=True)


def is_own_origin(origin: str | None, allowed: frozenset[str]) -> bool:
    """Whether an Origin header is one of ours; loopback names of the same port count as one host."""
    if origin is None:
        return False
    if origin in allowed:
        return True
    ours = {one for one in map(_loopback_service, allowed) if one is not None}
    return _loopback_service(origin) in ours


def _loopback_service(origin: str) -> tuple[str, int | None] | None:
    """Scheme and port of an origin on this machine's own names; None for any other, and for what is no origin."""
    try:
        parts = urlsplit(origin)
        return (parts.scheme, parts.port) if parts.hostname in {"127.0.0.1", "localhost", "::1"} else None
    except ValueError:
        return None


Next = Callable[[Request], Awaitable[Response]]


def guard(allowed: frozenset[str], *, max_body_bytes: int) -> Callable[[Request, Next], Awaitable[Response]]:
    """Middleware against requests forged by other sites, over-long bodies and framing of the page."""

    async def middleware(request: Request, call_next: Next) -> Response:
        if request.method not in SAFE_METHODS:
            origin = request.headers.get("origin")
            # Browsers send Origin with every unsafe request; programs that send none carry no foreign cookie either.
            if origin is not None and not is_own_origin(origin, allowed):
                return render(Denied("This request came from another site.", code="api.foreign_origin"))
            if request.headers.get("sec-fetch-site") == "cross-site":
                return render(Denied("This request came from another site.", code="api.foreign_origin"))
            length = request.headers.get("content-length")
            if length is None and request.headers.get("transfer-encoding"):
                return render(Exhausted("Send the body with its length.", code="api.body_length_unknown"))
            if length is not None and (not length.isdigit() or int(length) > max_body_bytes):
                return render(Exhausted(f"The body is over {max_body_bytes} bytes.", code="api.body_too_large"))
        response = await call_next(request)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        if request.url.path.startswith(("/api/", "/media/")):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware

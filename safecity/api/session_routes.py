"""Signing in and out, and going on and off duty."""

from fastapi import APIRouter, Request, Response

from safecity.api.parts import WebParts
from safecity.api.sessions import get_session, give_cookie, take_cookie, token_of
from safecity.api.wire import SessionView, Shift, SignIn
from safecity.oversight.service import Session


def render_session(session: Session) -> SessionView:
    """The session as the page sees it; the token is not in it."""
    shift = session.shift
    return SessionView(
        user=session.actor.name,
        user_id=session.actor.user_id,
        display_name=session.display_name,
        role=session.role,
        acts=tuple(sorted(session.acts)),
        shift=Shift(purpose=shift.id, since=shift.opened_at, ends_at=shift.ends_at) if shift else None,
        expires_at=session.expires_at,
    )


def session_router(parts: WebParts) -> APIRouter:
    """`/api/session` and `/api/shift`."""
    router = APIRouter(prefix="/api", tags=["session"])
    oversight = parts.oversight

    @router.post("/session")
    def sign_in(body: SignIn, request: Request, response: Response) -> SessionView:  # pyright: ignore[reportUnusedFunction]
        """Sign in; the session comes as a cookie that scripts cannot read."""
        console = request.client.host if request.client else "unknown"
        signed = oversight.sign_in(body.user, body.password, console=console)
        max_age_s = int((signed.session.expires_at - parts.clock.now()).total_seconds())
        is_https = parts.settings.web.page_origin().startswith("https:")
        give_cookie(response, signed.token, max_age_s=max_age_s, is_https=is_https)
        return render_session(signed.session)

    @router.get("/session")
    def session(request: Request) -> SessionView:  # pyright: ignore[reportUnusedFunction]
        """Who is signed in."""
        return render_session(get_session(oversight, request))

    @router.delete("/session", status_code=204)
    def sign_out(request: Request, response: Response) -> None:  # pyright: ignore[reportUnusedFunction]
        """Sign out; running looks end with the session."""
        token = token_of(request)
        if token is not None:
            oversight.sign_out(token)
        take_cookie(response)

    @router.post("/shift")
    def start_shift(request: Request) -> SessionView:  # pyright: ignore[reportUnusedFunction]
        """Go on duty: from now on this user's looks have a purpose."""
        oversight.start_shift(get_session(oversight, request).actor)
        return render_session(get_session(oversight, request))

    @router.delete("/shift")
    def end_shift(request: Request) -> SessionView:  # pyright: ignore[reportUnusedFunction]
        """Go off duty; running looks end."""
        oversight.end_shift(get_session(oversight, request).actor)
        return render_session(get_session(oversight, request))

    return router

"""PLAY of recordings: the Range by clock, and the headers that ONVIF adds (ONVIF Streaming 6.4, 6.5)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from safecity.virtual.rtsp.messages import Reply, Request
from safecity.virtual.rtsp.session import Session, SessionState
from safecity.virtual.rtsp.source import ReplayAsk

_CLOCK: Final = re.compile(
    r"clock\s*=\s*(\d{8}T\d{6}(?:\.\d{1,6})?Z)\s*-\s*(\d{8}T\d{6}(?:\.\d{1,6})?Z)?", re.IGNORECASE
)


def play_card(request: Request, session: Session, *, after_reply: Callable[[Callable[[], None]], None]) -> Reply:
    """Begin at the instant asked for; a PLAY during play begins anew elsewhere."""
    found = _CLOCK.fullmatch(request.headers.get("range", "").strip())
    if found is None:
        return Reply(status=457)
    try:
        from_at, to_at = read_clock(found[1]), read_clock(found[2]) if found[2] else None
    except ValueError:
        return Reply(status=457)
    ask = ReplayAsk(
        from_at=from_at,
        to_at=to_at,
        is_paced=request.headers.get("rate-control", "yes").strip().lower() != "no",
        only_keys=request.headers.get("frames", "").strip().lower().startswith("intra"),
        sequence=int(request.headers["cseq"][-9:]),
    )
    if session.state is SessionState.PLAYING:
        session.pause()
    if not session.source.prepare(session.viewer, ask):
        return Reply(status=457)
    after_reply(session.play)
    until = write_clock(to_at) if to_at else ""
    return Reply(headers=(("Session", session.id), ("Range", f"clock={write_clock(from_at)}-{until}")))


def read_clock(told: str) -> datetime:
    """`20260131T101500.25Z` (RFC 2326 section 3.7). Raises ValueError."""
    form = "%Y%m%dT%H%M%S.%fZ" if "." in told else "%Y%m%dT%H%M%SZ"
    return datetime.strptime(told.upper(), form).replace(tzinfo=UTC)


def write_clock(instant: datetime) -> str:
    """The reverse of `read_clock`."""
    return instant.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")

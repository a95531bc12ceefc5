"""What each RTSP method does (RFC 2326 section 10): a request and the connection's state in, a reply out."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

from safecity.virtual.elementary import Elementary
from safecity.virtual.rtsp.digest import Verdict
from safecity.virtual.rtsp.messages import Reply, Request
from safecity.virtual.rtsp.replaying import play_card
from safecity.virtual.rtsp.sdp import TRACK, describe
from safecity.virtual.rtsp.session import SESSION_TIMEOUT_S, Session, SessionState
from safecity.virtual.rtsp.source import Source
from safecity.virtual.rtsp.transports import Interleaved, Unicast, choose_transport

METHODS: Final = ("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "GET_PARAMETER", "TEARDOWN")
KNOWN_METHODS: Final = frozenset({*METHODS, "ANNOUNCE", "RECORD", "REDIRECT", "SET_PARAMETER"})
MAX_SESSIONS_A_CONNECTION: Final = 4
REPLAY_FEATURE: Final = "onvif-replay"

_RANGE = re.compile(r"npt\s*=\s*(?:now|\d{1,9}(?:\.\d{1,9})?)\s*-.{0,64}", re.IGNORECASE)
_PUBLIC = ("Public", ", ".join(METHODS))


class Desk(Protocol):
    """What a handler may ask of its connection."""

    peer: str
    local_host: str
    sessions: dict[str, Session]

    def find_source(self, mount: str, profile: str) -> Source | None: ...
    def judge(self, request: Request, source: Source) -> Verdict: ...
    def challenges(self, *, is_stale: bool) -> tuple[str, ...]: ...
    def open_session(self, source: Source, chosen: Interleaved | Unicast) -> Session: ...
    def udp_ports(self) -> tuple[int, int]: ...
    def after_reply(self, act: Callable[[], None]) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Hangup:
    """No reply: the connection is broken off, as by a camera without power."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A stream that a URL names."""

    mount: str
    profile: str
    base: str
    """The URL without the track, ending in a slash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request for a stream that exists, and all that is needed to answer it."""

    request: Request
    target: Target
    source: Source
    desk: Desk


def answer(request: Request, desk: Desk) -> Reply | Hangup:
    """The reply to any request."""
    if request.version != "RTSP/1.0":
        return Reply(status=505)
    if not request.headers.get("cseq", "").isdecimal():
        return Reply(status=400)
    required = ", ".join(filter(None, (request.headers.get("require"), request.headers.get("proxy-require"))))
    if required and required.strip().lower() != REPLAY_FEATURE:
        return Reply(status=551, headers=(("Unsupported", required[:256]),))
    if request.method not in KNOWN_METHODS:
        return Reply(status=501, headers=(_PUBLIC,))
    if request.method == "OPTIONS" and request.target == "*":
        return Reply(headers=(_PUBLIC,))
    target = read_target(request.target)
    if target is None:
        return Reply(status=400)
    source = desk.find_source(target.mount, target.profile)
    if source is None:
        return Reply(status=404)
    if source.is_refusing:
        return Hangup()
    return _answer_for(Exchange(request=request, target=target, source=source, desk=desk))


def read_target(url: str) -> Target | None:
    """Mount and stream of `rtsp://host/<mount>/<stream>[/trackID=0]`; None where it is no such URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme.lower() != "rtsp" or not parts.netloc:
        return None
    names = [name for name in parts.path.split("/") if name]
    if names and names[-1] == TRACK:
        names.pop()
    mount, profile = (names[0], names[1]) if len(names) == 2 else ("", "")
    return Target(mount=mount, profile=profile, base=f"rtsp://{parts.netloc}/{mount}/{profile}/")


def _answer_for(exchange: Exchange) -> Reply:
    request, source, desk = exchange.request, exchange.source, exchange.desk
    if request.method not in METHODS:
        return Reply(status=405, headers=(("Allow", ", ".join(METHODS)),))
    if request.method == "OPTIONS":
        return Reply(headers=(_PUBLIC,))
    session = desk.sessions.get(_session_id(request))
    keeps_alive = session is not None and request.method in ("GET_PARAMETER", "TEARDOWN", "PAUSE")
    if source.users and not keeps_alive:
        verdict = desk.judge(request, source)
        if verdict is not Verdict.ACCEPTED:
            challenges = desk.challenges(is_stale=verdict is Verdict.STALE)
            return Reply(status=401, headers=tuple(("WWW-Authenticate", value) for value in challenges))
    stream = source.described
    if stream is None:
        return Reply(status=503, headers=(("Retry-After", "5"),))
    if request.method == "DESCRIBE":
        return _describe(exchange, stream)
    if request.method == "SETUP":
        return _setup(exchange)
    if session is None or session.source is not source:
        # A keep-alive without a session is harmless, and clients send one before SETUP.
        harmless = request.method == "GET_PARAMETER" and "session" not in request.headers and not request.body
        return Reply() if harmless else Reply(status=454)
    return _IN_SESSION[request.method](exchange, session)


def _describe(exchange: Exchange, stream: Elementary) -> Reply:
    source = exchange.source
    accepted = exchange.request.headers.get("accept", "application/sdp").lower()
    if not any(kind in accepted for kind in ("application/sdp", "application/*", "*/*")):
        return Reply(status=406)
    body = describe(stream, session=id(source) & 0xFFFFFFFF, host=exchange.desk.local_host, title=source.title)
    return Reply(headers=(("Content-Base", exchange.target.base), ("Content-Type", "application/sdp")), body=body)


def _setup(exchange: Exchange) -> Reply:
    request, source, desk = exchange.request, exchange.source, exchange.desk
    wanted = _session_id(request)
    old = desk.sessions.get(wanted)
    if wanted and (old is None or old.source is not source):
        return Reply(status=454)
    if old and old.state is SessionState.PLAYING:
        return Reply(status=455)
    chosen = choose_transport(request.headers.get("transport", ""), peer=desk.peer)
    if chosen is None:
        return Reply(status=461)
    if isinstance(chosen, Interleaved) and _is_taken(
        chosen.channel, (item for item in desk.sessions.values() if item is not old)
    ):
        return Reply(status=461)
    if old is None and len(desk.sessions) >= MAX_SESSIONS_A_CONNECTION:
        return Reply(status=453)
    if old:
        old.end(says_goodbye=False)
        del desk.sessions[old.id]
    session = desk.open_session(source, chosen)
    if old:
        session.id = old.id
    desk.sessions[session.id] = session
    return Reply(
        headers=(
            ("Transport", _transport_reply(chosen, session.viewer.ssrc, udp_ports=desk.udp_ports())),
            ("Session", f"{session.id};timeout={SESSION_TIMEOUT_S:.0f}"),
        )
    )


def _is_taken(channel: int, sessions: Iterable[Session]) -> bool:
    used = (session.has_heard_channel for session in sessions)
    return any(heard is not None and abs(heard - 1 - channel) < 2 for heard in used)


def _transport_reply(chosen: Interleaved | Unicast, source_id: int, *, udp_ports: tuple[int, int]) -> str:
    ssrc = f"ssrc={source_id:08X}"
    if isinstance(chosen, Interleaved):
        return f"RTP/AVP/TCP;unicast;interleaved={chosen.channel}-{chosen.channel + 1};{ssrc}"
    client = f"client_port={chosen.rtp_port}-{chosen.rtcp_port}"
    return f"RTP/AVP;unicast;{client};server_port={udp_ports[0]}-{udp_ports[1]};{ssrc}"


def _play(exchange: Exchange, session: Session) -> Reply:
    if session.source.is_card:
        return play_card(exchange.request, session, after_reply=exchange.desk.after_reply)
    asked = exchange.request.headers.get("range")
    if asked is not None and not _RANGE.fullmatch(asked.strip()):
        return Reply(status=457)
    headers = [("Session", session.id), ("Range", "npt=0-")]
    if session.state is SessionState.READY:
        timestamp = session.source.first_timestamp(from_group=session.joins_from_group)
        place = f"url={exchange.target.base}{TRACK};seq={session.viewer.sequence};rtptime={timestamp}"
        headers.append(("RTP-Info", place))
        exchange.desk.after_reply(session.play)
    return Reply(headers=tuple(headers))


def _pause(exchange: Exchange, session: Session) -> Reply:
    del exchange
    if session.state is not SessionState.PLAYING:
        return Reply(status=455)
    session.pause()
    return Reply(headers=(("Session", session.id),))


def _get_parameter(exchange: Exchange, session: Session) -> Reply:
    """A keep-alive (RFC 2326 section 10.8); there are no parameters to ask for."""
    return Reply(status=451 if exchange.request.body.strip() else 200, headers=(("Session", session.id),))


def _teardown(exchange: Exchange, session: Session) -> Reply:
    del exchange.desk.sessions[session.id]
    session.pause()
    exchange.desk.after_reply(lambda: session.end(says_goodbye=True))
    return Reply()


def _session_id(request: Request) -> str:
    return request.headers.get("session", "").partition(";")[0].strip()


_IN_SESSION: Final[Mapping[str, Callable[[Exchange, Session], Reply]]] = {
    "PLAY": _play,
    "PAUSE": _pause,
    "GET_PARAMETER": _get_parameter,
    "TEARDOWN": _teardown,
}

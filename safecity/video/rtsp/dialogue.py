"""The conversation with one camera, message by message: what we ask, what its answers mean, what it may ask of us.

OPTIONS, DESCRIBE, SETUP, PLAY, then keep-alives (RFC 2326 sections 10 and A.1). One request is under way at a time,
since many cameras take no more. Every loop has an end: redirects, sign-ins and second attempts are counted.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from safecity.platform.errors import Denied, Invalid, Problem, Unavailable
from safecity.video.rtsp.address import Address, is_absolute, parse_address, resolve, resolve_location
from safecity.video.rtsp.auth import Signer
from safecity.video.rtsp.media import VideoMedia
from safecity.video.rtsp.messages import Request, Response, encode_request, encode_response
from safecity.video.rtsp.sdp import MAX_URL_CHARACTERS, parse_sdp

REQUEST_TIMEOUT_S: Final = 5.0
SESSION_TIMEOUT_S: Final = 60.0  # RFC 2326 section 12.37, where the camera states none
MIN_SESSION_TIMEOUT_S: Final = 4.0
MAX_SESSION_TIMEOUT_S: Final = 120.0  # firewalls on the way forget sooner than cameras
MAX_REDIRECTS: Final = 3
MAX_OUTPUT_BYTES: Final = 64 * 1024
MAX_ECHO_CHARACTERS: Final = 256  # of what the camera names and we repeat: session, sequence
USER_AGENT: Final = "SafeCity"
REPLAY_FEATURE: Final = ("Require", "onvif-replay")
TRANSPORT: Final = "RTP/AVP/TCP;unicast;interleaved=0-1"

_CHANNELS = re.compile(r"interleaved\s*=\s*\"?(\d{1,3})(?:\s*-\s*(\d{1,3}))?", re.IGNORECASE)
_TIMEOUT = re.compile(r"timeout\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
_NUMBER = re.compile(r"\s*(\d{1,9})\s*", re.ASCII)
_OUR_METHODS: Final = "OPTIONS, GET_PARAMETER, SET_PARAMETER, ANNOUNCE, REDIRECT"
_POLITE: Final = frozenset({"OPTIONS", "GET_PARAMETER", "SET_PARAMETER", "ANNOUNCE", "PLAY_NOTIFY"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRange:
    """Which part of a recording is to be sent (ONVIF Streaming 6), as fast as we take it."""

    from_at: datetime  # on the camera's clock
    to_at: datetime

    def headers(self) -> tuple[tuple[str, str], ...]:
        """Of PLAY."""
        begin, end = (one.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ") for one in (self.from_at, self.to_at))
        return (REPLAY_FEATURE, ("Range", f"clock={begin}-{end}"), ("Rate-Control", "no"))


@dataclass(slots=True, kw_only=True)
class _Asked:
    """The request that is under way."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    since_s: float
    is_keep_alive: bool = False
    sequence: int = 0
    signed_tries: int = 0


class Dialogue:
    """One conversation; `output` is what to send. Every method may raise a Problem, after which it is over."""

    def __init__(self, address: Address, *, at_s: float, redirects: int = 0, replay: ReplayRange | None = None) -> None:
        self.output = bytearray()
        self.media: VideoMedia | None = None
        self.channels: tuple[int, int] | None = None  # of RTP and RTCP, from SETUP on
        self.is_playing = False
        self.moved_to: Address | None = None  # where a camera sends us on to that this connection does not reach
        self.redirects = redirects
        self._address = address
        self._replay = replay
        self._signer = Signer(address.user, address.password)
        self._sequence = 0
        self._given_up = 0  # the last request whose answer nobody waits for any more
        self._asked: _Asked | None = None
        self._session = ""
        self._timeout_s = SESSION_TIMEOUT_S
        self._keep_alive = "OPTIONS"
        self._keep_alive_due_s = 0.0
        self._plays: list[tuple[str, tuple[tuple[str, str], ...]]] = []  # ways to ask for PLAY not tried yet
        self._ask("OPTIONS", address.url, at_s=at_s)

    @property
    def waits_for(self) -> str | None:
        """The method of the request under way."""
        return self._asked.method if self._asked else None

    def tick(self, *, at_s: float, is_flowing: bool) -> None:
        """Send a keep-alive that is due; give up a request that nobody answers. `is_flowing`: packets arrive."""
        asked = self._asked
        if asked is not None and at_s - asked.since_s >= REQUEST_TIMEOUT_S:
            if asked.is_keep_alive:
                # Some cameras never answer them, and stream on: their packets, or their end, tell the truth.
                self._asked, self._given_up, self._keep_alive = None, asked.sequence, "OPTIONS"
            elif asked.method == "PLAY" and is_flowing:
                self._asked, self._given_up = None, asked.sequence
                self._begin_to_play(at_s)
            else:
                raise Unavailable(
                    f"the camera does not answer to {asked.method}", code="video.timeout", method=asked.method
                )
        if self.is_playing and self._asked is None and at_s >= self._keep_alive_due_s:
            self._keep_alive_due_s = at_s + self._timeout_s / 2
            self._ask(self._keep_alive, self._aggregate_url(), at_s=at_s, is_keep_alive=True)

    def teardown(self) -> bytes:
        """The request that ends the session; nobody waits for its answer."""
        if not self._session and not self.is_playing:
            return b""
        self.is_playing = False
        return self._encode(_Asked(method="TEARDOWN", target=self._aggregate_url(), headers=(), since_s=0.0))

    # What the camera says

    def take_response(self, response: Response, *, at_s: float) -> None:
        """An answer of the camera's. Raises Denied, Invalid or Unavailable where it is no good."""
        asked = self._asked
        if asked is None or response.status < 200 or self._is_late(response):
            return
        if response.protocol == "HTTP":
            raise Unavailable("a web server answers at the camera's address; check the port", code="video.unreadable")
        self._asked = None
        if response.status == 401:
            self._signer.face(response.headers.get("www-authenticate", ()), tries=asked.signed_tries)
            self._send(asked, at_s=at_s)
            return
        if asked.signed_tries:
            self._signer.prove()
        if asked.is_keep_alive:
            if response.status >= 400:
                self._keep_alive = "OPTIONS"
        elif 300 <= response.status < 400:
            self._follow(response.find("location"), at_s=at_s)
        elif asked.method == "OPTIONS":
            offered = ", ".join(response.headers.get("public", ())).upper()
            self._keep_alive = "GET_PARAMETER" if "GET_PARAMETER" in offered else "OPTIONS"
            # What OPTIONS answers is of no weight otherwise: cameras without it exist.
            self._ask("DESCRIBE", self._address.url, at_s=at_s, headers=(("Accept", "application/sdp"),))
        elif response.status >= 400:
            self._take_refusal(asked, response.status, at_s=at_s)
        elif asked.method == "DESCRIBE":
            self._take_description(response, at_s=at_s)
        elif asked.method == "SETUP":
            self._take_setup(response, at_s=at_s)
        else:
            self._take_session(response)
            self._begin_to_play(at_s)

    def take_request(self, request: Request) -> None:
        """What the camera asks of us is answered politely. Raises Unavailable where it sends us away."""
        if request.method == "TEARDOWN":
            raise Unavailable("the camera ended the session", code="video.ended")
        status, reason = (200, "OK") if request.method in {*_POLITE, "REDIRECT"} else (501, "Not Implemented")
        headers = [("CSeq", (request.find("cseq") or "0")[:MAX_ECHO_CHARACTERS])]
        if session := request.find("session"):
            headers.append(("Session", session[:MAX_ECHO_CHARACTERS]))
        if request.method == "OPTIONS":
            headers.append(("Public", _OUR_METHODS))
        self._put(encode_response(status, reason, headers=headers))
        if request.method == "REDIRECT":
            self._move(request.find("location"))
            raise Unavailable("the camera sends us to another address of its own", code="video.ended")

    # Steps

    def _take_description(self, response: Response, *, at_s: float) -> None:
        base = self._address.url
        for name in ("content-base", "content-location"):
            value = response.find(name)
            if value and len(value) <= MAX_URL_CHARACTERS:
                resolved = resolve(value, base_url=base)
                base = resolved if is_absolute(resolved) else base
                break
        self.media = parse_sdp(response.body, base_url=base)
        required = (REPLAY_FEATURE,) if self._replay else ()
        self._ask("SETUP", self.media.control_url, at_s=at_s, headers=(("Transport", TRANSPORT), *required))

    def _take_setup(self, response: Response, *, at_s: float) -> None:
        transport = response.find("transport") or ""
        found = _CHANNELS.search(transport)
        if found is None and "client_port" in transport.lower():
            raise Unavailable(
                "the camera does not send over TCP; set this stream's transport to UDP", code="video.unreadable"
            )
        first = int(found[1]) if found else 0
        second = int(found[2]) if found and found[2] else first + 1
        self.channels = (first, second) if max(first, second) <= 255 else (0, 1)
        self._take_session(response)
        media = self.media
        assert media is not None
        from_now = (("Range", "npt=0.000-"),)
        urls = [media.aggregate_url or self._address.url, media.control_url]
        if self._replay:
            self._plays = [(url, self._replay.headers()) for url in dict.fromkeys(urls)]
            self._play(at_s)
            return
        self._plays = [(urls[0], from_now), (urls[0], ()), *([(urls[1], ())] if urls[1] != urls[0] else [])]
        self._play(at_s)

    def _play(self, at_s: float) -> None:
        url, headers = self._plays.pop(0)
        self._ask("PLAY", url, at_s=at_s, headers=headers)

    def _take_refusal(self, asked: _Asked, status: int, *, at_s: float) -> None:
        """An error status. PLAY is asked for in other ways before we give up: some cameras take only one of them."""
        may_help = asked.method == "PLAY" and status not in (403, 453, 500, 503)
        if not may_help or not self._plays:
            raise _refusal(asked.method, status)
        self._play(at_s)

    def _take_session(self, response: Response) -> None:
        session, _, options = (response.find("session") or "").partition(";")
        self._session = session.strip()[:MAX_ECHO_CHARACTERS] or self._session
        timeout = _TIMEOUT.search(options)
        if timeout is not None and int(timeout[1]) > 0:
            self._timeout_s = min(max(float(timeout[1]), MIN_SESSION_TIMEOUT_S), MAX_SESSION_TIMEOUT_S)

    def _begin_to_play(self, at_s: float) -> None:
        self.is_playing = True
        self._keep_alive_due_s = at_s + self._timeout_s / 2

    # Elsewhere

    def _follow(self, location: str | None, *, at_s: float) -> None:
        """A 3xx answer: ask again at the new address, over this connection where it leads there.

        Once a stream is described, its driver builds on that: another one takes another connection."""
        address = self._move(location)
        is_here = (address.port, address.is_tls) == (self._address.port, self._address.is_tls)
        if not is_here or self.media is not None:
            raise Unavailable("the camera sends us to another address of its own", code="video.ended")
        self._address, self.moved_to = address, None
        self._ask("DESCRIBE", address.url, at_s=at_s, headers=(("Accept", "application/sdp"),))

    def _move(self, location: str | None) -> Address:
        """The address a camera sends us on to, with our own user and password. Raises Unavailable unless it is the same
        host: whoever can answer in a camera's name must not make us show its password to others."""
        self.redirects += 1
        if self.redirects > MAX_REDIRECTS:
            raise Unavailable("the camera sends us on without end; check the address", code="video.unreadable")
        if not location:
            raise Unavailable("the camera sends us away, and does not say where", code="video.unreadable")
        try:
            found = parse_address(resolve_location(location, base_url=self._address.url))
        except Invalid:
            found = None
        is_weaker = found is not None and self._address.is_tls and not found.is_tls
        if found is None or is_weaker or found.host.lower() != self._address.host.lower():
            raise Unavailable(
                "the camera sends us to another host or protocol; if that is right, enter its address",
                code="video.unreadable",
            )
        self.moved_to = Address(
            host=found.host,
            port=found.port,
            is_tls=found.is_tls,
            url=found.url,
            user=self._address.user,
            password=self._address.password,
        )
        return self.moved_to

    # What we say

    def _aggregate_url(self) -> str:
        return (self.media.aggregate_url if self.media else "") or self._address.url

    def _ask(
        self,
        method: str,
        target: str,
        *,
        at_s: float,
        headers: tuple[tuple[str, str], ...] = (),
        is_keep_alive: bool = False,
    ) -> None:
        asked = _Asked(method=method, target=target, headers=headers, since_s=at_s, is_keep_alive=is_keep_alive)
        self._send(asked, at_s=at_s)

    def _send(self, asked: _Asked, *, at_s: float) -> None:
        asked.since_s = at_s
        self._asked = asked
        self._put(self._encode(asked))

    def _encode(self, asked: _Asked) -> bytes:
        self._sequence += 1
        asked.sequence = self._sequence
        headers = [("CSeq", str(self._sequence)), ("User-Agent", USER_AGENT)]
        signature = self._signer.sign(asked.method, asked.target)
        if signature is not None:
            asked.signed_tries += 1
            headers.append(("Authorization", signature))
        if self._session and asked.method != "DESCRIBE":
            headers.append(("Session", self._session))
        return encode_request(asked.method, asked.target, headers=(*headers, *asked.headers))

    def _put(self, data: bytes) -> None:
        if len(self.output) + len(data) > MAX_OUTPUT_BYTES:
            raise Unavailable("the camera asks without end, or does not listen", code="video.broken")
        self.output += data

    def _is_late(self, response: Response) -> bool:
        """Is this the answer to a request that was given up? A camera that cannot count is believed to mean the one
        that is under way."""
        told = _NUMBER.fullmatch(response.find("cseq") or "")
        return told is not None and int(told[1]) <= self._given_up


def _refusal(method: str, status: int) -> Problem:
    """What an error status of RFC 2326 section 11 says to the one who runs the camera."""
    if status == 403:
        message = f"the camera forbids this user the stream ({status} to {method})"
        return Denied(message, code="video.unauthorised", status=status, method=method)
    if status in (404, 410):
        message = f"the camera has no such stream ({status} to {method}); check the address"
        return Unavailable(message, code="video.not_found", status=status, method=method)
    advice = {
        453: "it has no room for one more viewer",
        503: "it is overloaded, or has no room for one more viewer",
        454: "it dropped the session",
        461: "it does not send over TCP; set this stream's transport to UDP",
    }.get(status, "look at its log")
    message = f"the camera answers {method} with {status}: {advice}"
    return Unavailable(message, code="video.unreadable", status=status, method=method)

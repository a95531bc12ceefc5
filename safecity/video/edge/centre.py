"""An edge's side of the wire: signed requests, answers that only the centre can have given."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from safecity.platform.clock import Clock, to_us
from safecity.platform.errors import Conflict, Denied, Exhausted, Invalid, Problem, Unavailable
from safecity.video.edge import signing
from safecity.video.edge.wire import EnrolAnswer, EnrolRequest, Message

TIME_OUT_S = 20.0
CONNECT_TIME_OUT_S = 5.0
MAX_ANSWER_BYTES = 8 * 1024**2
TIME_HEADER = "SafeCity-Time"
STALE = "edge.stale"
_KINDS: dict[str, type[Problem]] = {
    "denied": Denied,
    "conflict": Conflict,
    "exhausted": Exhausted,
    "invalid": Invalid,
    "unavailable": Unavailable,
}
M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who speaks, and whose answers count."""

    edge: str
    key: Ed25519PrivateKey
    centre_key: str


def check_url(url: str) -> str:
    """The centre's address without a trailing slash; raises Invalid for one that would carry pictures in the open."""
    parts = urlsplit(url.rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise Invalid("write the centre's address as https://HOST:PORT", code="edge.bad_url")
    if parts.scheme == "http" and not _is_private(parts.hostname):
        raise Invalid(
            "plain http goes to this machine or through WireGuard (a private address) only; take https",
            code="edge.open_url",
        )
    return url.rstrip("/")


def _is_private(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return False
    return found.is_private or found.is_loopback


def make_client(ca_file: Path | None) -> httpx2.Client:
    """An HTTP client that trusts the system's authorities, or the one in the file alone."""
    timeout = httpx2.Timeout(TIME_OUT_S, connect=CONNECT_TIME_OUT_S)
    return httpx2.Client(timeout=timeout, verify=True if ca_file is None else str(ca_file), trust_env=False)


def enrol(url: str, request: EnrolRequest, *, centre_key: str, ca_file: Path | None) -> EnrolAnswer:
    """Use a one-time token. Raises Denied for a token that is not valid, Unavailable where nobody answers rightly."""
    with make_client(ca_file) as client:
        try:
            answer = client.post(f"{check_url(url)}/intake/enrol", content=request.model_dump_json().encode())
        except httpx2.HTTPError as error:
            raise Unavailable(f"the centre does not answer: {type(error).__name__}", code="edge.unreachable") from error
    if answer.status_code != 200:
        raise _problem_of(answer)
    header = answer.headers.get(signing.ANSWER_HEADER)
    if not signing.is_answer_of(
        centre_key, header, nonce=request.public_key, status=answer.status_code, body=answer.content
    ):
        raise Unavailable("this is not the centre that made the token", code="edge.not_the_centre")
    return _parse(EnrolAnswer, answer.content)


class Centre:
    """Calls to one centre; safe to use from several threads."""

    def __init__(self, url: str, identity: Identity, *, clock: Clock, ca_file: Path | None = None) -> None:
        self.url = check_url(url)
        self.ca_file = ca_file
        self._identity = identity
        self._clock = clock
        self._client = make_client(ca_file)
        self._ahead_us = to_us(clock.now()) - round(clock.monotonic_s() * 1e6)

    def close(self) -> None:
        """Drop the connections."""
        self._client.close()

    def call(self, method: str, target: str, *, body: bytes | Message = b"", answer: type[M]) -> M:
        """One request. Raises Unavailable where the centre does not answer, or somebody else does; else its problem.

        A centre that calls our time wrong has told us its own: then once more with that.
        """
        raw = body if isinstance(body, bytes) else body.model_dump_json().encode()
        try:
            return self._call_once(method, target, body=raw, answer=answer)
        except Denied as problem:
            if problem.code != STALE:
                raise
        return self._call_once(method, target, body=raw, answer=answer)

    def authorization(self, method: str, target: str, *, body: bytes = b"", nonce: str | None = None) -> str:
        """The header that signs a request."""
        request = signing.Request(method=method, target=target, body=body)
        time_us = self._ahead_us + round(self._clock.monotonic_s() * 1e6)
        nonce = nonce or signing.fresh_nonce()
        return signing.sign_request(
            self._identity.key, request, edge=self._identity.edge, time_us=max(0, time_us), nonce=nonce
        )

    def _call_once(self, method: str, target: str, *, body: bytes, answer: type[M]) -> M:
        nonce = signing.fresh_nonce()
        headers = {"authorization": self.authorization(method, target, body=body, nonce=nonce)}
        try:
            got = self._client.request(method, self.url + target, content=body, headers=headers)
        except httpx2.HTTPError as error:
            raise Unavailable(f"the centre does not answer: {type(error).__name__}", code="edge.unreachable") from error
        self._learn_time(got.headers.get(TIME_HEADER))
        header = got.headers.get(signing.ANSWER_HEADER)
        if len(got.content) > MAX_ANSWER_BYTES or not signing.is_answer_of(
            self._identity.centre_key, header, nonce=nonce, status=got.status_code, body=got.content
        ):
            raise Unavailable("somebody answers who is not the centre", code="edge.not_the_centre")
        if got.status_code != 200:
            raise _problem_of(got)
        return _parse(answer, got.content)

    def _learn_time(self, said: str | None) -> None:
        if said is not None and said.isdigit():
            self._ahead_us = int(said) - round(self._clock.monotonic_s() * 1e6)


def _parse(kind: type[M], raw: bytes) -> M:
    try:
        return kind.model_validate_json(raw)
    except ValidationError as error:
        raise Unavailable("the centre speaks another version", code="edge.version") from error


def _problem_of(answer: httpx2.Response) -> Problem:
    try:
        body = answer.json()
        kind, code, detail = str(body["kind"]), str(body["code"]), str(body["detail"])
    except (ValueError, KeyError, TypeError):
        return Unavailable(f"the centre answers HTTP {answer.status_code}", code="edge.unreadable")
    has_bytes = body.get("has_bytes")
    facts = {"has_bytes": has_bytes} if isinstance(has_bytes, int) else {}
    return _KINDS.get(kind, Unavailable)(detail, code=code, **facts)

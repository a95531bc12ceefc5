"""Digest access authentication (RFC 2617, RFC 7616), with nonces that need no memory and do run out."""

import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

NONCE_LIFE_S: Final = 300.0
MAX_NONCES_REMEMBERED: Final = 4096
"""Used nonces whose last count is kept against replay; the oldest is forgotten first."""

_PARAMETER = re.compile(r'([a-z][a-z0-9_-]{0,31})\s*=\s*(?:"((?:[^"\\]|\\.){0,1024})"|([^\s,"]{1,256}))', re.IGNORECASE)
_ALGORITHMS = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


class Verdict(StrEnum):
    """What an Authorization header is worth."""

    ACCEPTED = "accepted"
    STALE = "stale"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """User and password of one mount. Never logged, never listed."""

    user: str
    password: str

    def __repr__(self) -> str:
        return "Credentials(...)"


def read_parameters(header: str) -> Mapping[str, str] | None:
    """The parameters of a Digest header; None where it is no Digest header or names one twice."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "digest":
        return None
    found: dict[str, str] = {}
    for match in _PARAMETER.finditer(rest):
        name = match[1].lower()
        if name in found:
            return None
        found[name] = match[3] if match[2] is None else re.sub(r"\\(.)", r"\1", match[2])
    return found


def digest_response(credentials: Credentials, *, realm: str, method: str, parameters: Mapping[str, str]) -> str | None:
    """The response that the right password gives; None for an algorithm that is not offered."""
    algorithm = _ALGORITHMS.get(parameters.get("algorithm", "MD5").upper())
    if algorithm is None:
        return None

    def hashed(*parts: str) -> str:
        return algorithm(":".join(parts).encode()).hexdigest()

    secret = hashed(credentials.user, realm, credentials.password)
    act = hashed(method, parameters.get("uri", ""))
    nonce = parameters.get("nonce", "")
    qop = parameters.get("qop")
    if qop is None:
        return hashed(secret, nonce, act)
    return hashed(secret, nonce, parameters.get("nc", ""), parameters.get("cnonce", ""), qop, act)


class DigestGuard:
    """Hands out challenges for one realm and judges the answers. Time comes in as an argument."""

    def __init__(self, realm: str) -> None:
        self.realm = realm
        self._key = secrets.token_bytes(32)
        self._counts: OrderedDict[str, int] = OrderedDict()

    def challenges(self, now_s: float, *, is_stale: bool = False) -> tuple[str, ...]:
        """Values for WWW-Authenticate headers, the stronger first; many cameras' clients know MD5 alone."""
        nonce = self.make_nonce(now_s)
        tail = ", stale=true" if is_stale else ""
        return tuple(
            f'Digest realm="{self.realm}", nonce="{nonce}", algorithm={name}, qop="auth"{tail}'
            for name in ("SHA-256", "MD5")
        )

    def make_nonce(self, now_s: float) -> str:
        """A nonce that says when it was made and proves that we made it."""
        head = f"{round(now_s * 1000):x}.{secrets.token_hex(8)}"
        return f"{head}.{self._proof(head)}"

    def judge(self, header: str, *, method: str, target: str, credentials: Credentials, now_s: float) -> Verdict:
        """Is this the answer of someone who knows the password, to a nonce of ours that still holds?"""
        parameters = read_parameters(header)
        if parameters is None or parameters.get("uri", "").rstrip("/") != target.rstrip("/"):
            return Verdict.REFUSED
        if parameters.get("qop", "auth") != "auth" or parameters.get("realm") != self.realm:
            return Verdict.REFUSED
        expected = digest_response(credentials, realm=self.realm, method=method, parameters=parameters)
        given = parameters.get("response", "")
        same_user = hmac.compare_digest(parameters.get("username", "").encode(), credentials.user.encode())
        if expected is None or not hmac.compare_digest(given.lower().encode(), expected.encode()) or not same_user:
            return Verdict.REFUSED
        return self._judge_nonce(parameters, now_s)

    def judge_any(
        self, header: str, *, method: str, target: str, users: tuple[Credentials, ...], now_s: float
    ) -> Verdict:
        """The same, where several users may come in: the one that the header names is judged."""
        named = (read_parameters(header) or {}).get("username", "")
        for credentials in users:
            if credentials.user == named:
                return self.judge(header, method=method, target=target, credentials=credentials, now_s=now_s)
        return Verdict.REFUSED

    def _judge_nonce(self, parameters: Mapping[str, str], now_s: float) -> Verdict:
        nonce = parameters.get("nonce", "")
        head, _, proof = nonce.rpartition(".")
        if not hmac.compare_digest(proof.encode(), self._proof(head).encode()):
            return Verdict.STALE
        made_s = int(head.partition(".")[0], 16) / 1000
        if not 0 <= now_s - made_s + 0.001 <= NONCE_LIFE_S:
            return Verdict.STALE
        if "qop" not in parameters:
            return Verdict.ACCEPTED
        return self._judge_count(nonce, parameters.get("nc", ""))

    def _judge_count(self, nonce: str, count_text: str) -> Verdict:
        if not re.fullmatch(r"[0-9a-fA-F]{8}", count_text):
            return Verdict.REFUSED
        count = int(count_text, 16)
        if count <= self._counts.get(nonce, 0):
            return Verdict.STALE
        self._counts[nonce] = count
        self._counts.move_to_end(nonce)
        while len(self._counts) > MAX_NONCES_REMEMBERED:
            self._counts.popitem(last=False)
        return Verdict.ACCEPTED

    def _proof(self, head: str) -> str:
        return hmac.new(self._key, head.encode(), hashlib.sha256).hexdigest()[:32]

"""How we show a camera that we know the password: Digest (RFC 7616, RFC 2617, RFC 2069) and Basic (RFC 7617).

The rule that no camera may be locked out by us: a password is tried once. Only a camera that says that the *nonce* was
too old, or that has taken this password before in the same conversation, is answered a second time, and never a third.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from safecity.platform.errors import Denied
from safecity.video.rtsp.messages import MAX_VALUE_CHARACTERS

MAX_CHALLENGES: Final = 16
MAX_SIGNED_TRIES: Final = 2  # of one request: one, and one more for a nonce that was too old

_PART = re.compile(
    r"""(?P<name>[A-Za-z0-9!#$%&'*+.^_`|~-]+)\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s,"]*))"""
    r"""|(?P<scheme>[A-Za-z0-9!#$%&'*+.^_`|~-]+)"""
)
_ESCAPED = re.compile(r"\\(.)")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


# In the order of strength; the names as RFC 7616 registers them, in lower case.
_HASHES: Final[Mapping[str, Callable[[str], str]]] = {
    "sha-256-sess": _sha256,
    "sha-256": _sha256,
    "md5-sess": _md5,
    "md5": _md5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One way to sign in that a camera offers."""

    scheme: str  # digest or basic
    algorithm: str = ""  # a key of the known hashes; "" for Basic
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])  # as they came between the quotes

    @property
    def nonce(self) -> str:
        """The camera's number; "" for Basic."""
        return self.parameters.get("nonce", "")

    @property
    def is_stale(self) -> bool:
        """The camera says: right password, old nonce."""
        return self.parameters.get("stale", "").lower() == "true"


def read_challenges(values: Sequence[str]) -> list[Challenge]:
    """All challenges of the WWW-Authenticate headers that we can answer, the strongest first."""
    found: list[tuple[str, dict[str, str]]] = []
    for value in values[:MAX_CHALLENGES]:
        for part in _PART.finditer(value[:MAX_VALUE_CHARACTERS]):
            if part["scheme"]:
                found.append((part["scheme"].lower(), {}))
            elif found:
                text = part["quoted"] if part["quoted"] is not None else part["plain"]
                found[-1][1].setdefault(part["name"].lower(), text)
    known = [made for scheme, parameters in found[:MAX_CHALLENGES] if (made := _known(scheme, parameters))]
    order = [*_HASHES, ""]
    return sorted(known, key=lambda one: order.index(one.algorithm))


def _known(scheme: str, parameters: Mapping[str, str]) -> Challenge | None:
    if scheme == "basic":
        return Challenge(scheme=scheme, parameters=parameters)
    algorithm = parameters.get("algorithm", "md5").strip().lower() or "md5"
    offers = [one.strip().lower() for one in parameters.get("qop", "auth").split(",")]
    can_answer = scheme == "digest" and algorithm in _HASHES and bool({"auth", ""} & set(offers))
    return Challenge(scheme=scheme, algorithm=algorithm, parameters=parameters) if can_answer else None


class Signer:
    """Signs the requests of one conversation, once it knows what the camera asks for."""

    def __init__(
        self, user: str | None, password: str, *, new_nonce: Callable[[], str] = lambda: secrets.token_hex(8)
    ) -> None:
        self._user = user
        self._password = password
        self._new_nonce = new_nonce
        self._challenge: Challenge | None = None
        self._count = 0
        self._is_proven = False

    def __repr__(self) -> str:
        return "Signer(...)"

    def sign(self, method: str, uri: str) -> str | None:
        """The value of the Authorization header; None while nobody asked for one."""
        challenge = self._challenge
        if challenge is None or self._user is None:
            return None
        if challenge.scheme == "basic":
            return "Basic " + base64.b64encode(
                f"{self._user}:{self._password}".encode("utf-8", "surrogateescape")
            ).decode("ascii")
        self._count += 1
        return self._digest(challenge, method, uri)

    def prove(self) -> None:
        """A signed request was not refused: the password is right, and a later 401 is about the nonce."""
        self._is_proven = True

    def face(self, values: Sequence[str], *, tries: int) -> None:
        """Take the challenges of a 401 in answer to a request that was sent signed `tries` times so far.

        Returns where it may be signed and sent again; raises Denied where that would be guessing.
        """
        if self._user is None:
            raise Denied("the camera asks for user and password; enter them", code="video.unauthorised")
        challenges = read_challenges(values)
        if tries > 0 and not self._may_try_again(challenges, tries):
            raise Denied("the camera refuses user or password; correct them", code="video.unauthorised")
        if not challenges:
            raise Denied(
                "the camera asks for a kind of sign-in that is not known here; set it to Digest",
                code="video.unauthorised",
            )
        self._challenge, self._count = challenges[0], 0

    def _may_try_again(self, challenges: Sequence[Challenge], tries: int) -> bool:
        known = self._challenge
        if tries >= MAX_SIGNED_TRIES or not challenges or known is None or known.scheme != "digest":
            return False
        fresh = challenges[0]
        is_fresh = fresh.scheme == "digest" and fresh.nonce != known.nonce
        return is_fresh and (fresh.is_stale or self._is_proven)

    def _digest(self, challenge: Challenge, method: str, uri: str) -> str:
        """RFC 7616 section 3.4; without qop as RFC 2069 did it."""
        hashed = _HASHES[challenge.algorithm]
        told = challenge.parameters
        user, realm, nonce = self._user or "", _unescape(told.get("realm", "")), _unescape(challenge.nonce)
        client_nonce, count = self._new_nonce(), f"{self._count:08x}"
        secret = hashed(f"{user}:{realm}:{self._password}")
        if challenge.algorithm.endswith("-sess"):
            secret = hashed(f"{secret}:{nonce}:{client_nonce}")
        act = hashed(f"{method}:{uri}")
        has_qop = bool(told.get("qop", "").strip())
        middle = f"{nonce}:{count}:{client_nonce}:auth" if has_qop else nonce
        parts = [
            f'username="{_escape(user)}"',
            f'realm="{told.get("realm", "")}"',
            f'nonce="{challenge.nonce}"',
            f'uri="{_escape(uri)}"',
            f'response="{hashed(f"{secret}:{middle}:{act}")}"',
        ]
        if "algorithm" in told:
            parts.append(f"algorithm={told['algorithm'].strip()}")
        if "opaque" in told:
            parts.append(f'opaque="{told["opaque"]}"')
        if has_qop:
            parts += ["qop=auth", f"nc={count}"]
        if has_qop or challenge.algorithm.endswith("-sess"):
            parts.append(f'cnonce="{client_nonce}"')
        return "Digest " + ", ".join(parts)


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _unescape(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)

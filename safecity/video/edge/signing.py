"""Signed requests and answers between an edge and the centre: Ed25519 over everything that says what is meant.

The body is bound by its SHA-256, the moment by the centre's time and a nonce. Verifying is pure; who may speak and
which nonces were seen is the caller's to know.
"""

import base64
import binascii
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from safecity.platform.errors import Denied, Invalid
from safecity.platform.files import write_whole

SCHEME = "SafeCity-Edge"
ANSWER_HEADER = "SafeCity-Answer"
MAX_AGE_US = 120_000_000
"""How far a request's time may be from the centre's."""
KEY_BYTES = 32
_FORM = re.compile(
    r'SafeCity-Edge edge="([\w-]{1,64})", time="(\d{1,17})", nonce="([0-9a-f]{32})", sig="([\w=-]{1,100})"'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is signed of a request; `target` is path and query as sent."""

    method: str
    target: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What an authorization header says."""

    edge: str
    time_us: int
    nonce: str
    signature: bytes


def load_key(path: Path) -> Ed25519PrivateKey:
    """The private key in a file (mode 0600), made at the first call."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(path, os.urandom(KEY_BYTES), mode=0o600)
    raw = path.read_bytes()
    if len(raw) != KEY_BYTES:
        raise Invalid(f"{path.name} in the secrets folder is no key; restore it", code="edge.key_unreadable")
    return Ed25519PrivateKey.from_private_bytes(raw)


def public_hex(key: Ed25519PrivateKey) -> str:
    """The public half, as it is stored and sent."""
    return key.public_key().public_bytes_raw().hex()


def fresh_nonce() -> str:
    """Sixteen random bytes in hex."""
    return os.urandom(16).hex()


def sign_request(key: Ed25519PrivateKey, request: Request, *, edge: str, time_us: int, nonce: str) -> str:
    """The authorization header of a request."""
    signature = key.sign(_request_text(request, edge=edge, time_us=time_us, nonce=nonce))
    sig = base64.urlsafe_b64encode(signature).decode()
    return f'{SCHEME} edge="{edge}", time="{time_us}", nonce="{nonce}", sig="{sig}"'


def read_claim(header: str | None) -> Claim:
    """Parse the header; raises Denied where it is missing or of another form."""
    found = _FORM.fullmatch(header or "")
    if found is None:
        raise Denied("sign the request as an enrolled edge", code="edge.unsigned")
    try:
        signature = base64.b64decode(found[4], altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise Denied("the signature cannot be read", code="edge.unsigned") from error
    return Claim(edge=found[1], time_us=int(found[2]), nonce=found[3], signature=signature)


def check_request(request: Request, claim: Claim, *, public_key: str, now_us: int) -> None:
    """Raise Denied unless the holder of the key signed this very request about now."""
    if abs(claim.time_us - now_us) > MAX_AGE_US:
        raise Denied("the request is not of this moment; take the time from an answer", code="edge.stale")
    text = _request_text(request, edge=claim.edge, time_us=claim.time_us, nonce=claim.nonce)
    if not _is_signed(public_key, claim.signature, text=text):
        raise Denied("the signature is not that of this edge", code="edge.bad_signature")


def sign_answer(key: Ed25519PrivateKey, *, nonce: str, status: int, body: bytes) -> str:
    """The header by which an edge knows that the centre answered this very request."""
    return base64.urlsafe_b64encode(key.sign(_answer_text(nonce, status, body))).decode()


def is_answer_of(public_key: str, header: str | None, *, nonce: str, status: int, body: bytes) -> bool:
    """Whether the centre with this key gave this answer."""
    try:
        signature = base64.b64decode(header or "", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    return _is_signed(public_key, signature, text=_answer_text(nonce, status, body))


def _is_signed(public_key: str, signature: bytes, *, text: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True


def _request_text(request: Request, *, edge: str, time_us: int, nonce: str) -> bytes:
    digest = hashlib.sha256(request.body).hexdigest()
    return "\n".join(("safecity-request-1", request.method, request.target, digest, edge, str(time_us), nonce)).encode()


def _answer_text(nonce: str, status: int, body: bytes) -> bytes:
    return "\n".join(("safecity-answer-1", nonce, str(status), hashlib.sha256(body).hexdigest())).encode()

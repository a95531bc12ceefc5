"""The text of SOAP 1.2: what we send, and what comes back taken out of its envelope. Pure."""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from safecity.platform.errors import Conflict, Denied, Invalid, NotFound, Problem, Unavailable
from safecity.platform.xml_tree import Element, parse_xml

_WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_WSU: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_PROFILE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
_BASE64: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
MAX_REASON_CHARACTERS: Final = 160
_CONTROL = re.compile(r"[^\S ]|[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e]+")

UNAUTHORISED: Final = "onvif.unauthorised"
LOCKED: Final = "onvif.locked"
UNSUPPORTED: Final = "onvif.unsupported"
REFUSED: Final = "onvif.refused"
FAILED: Final = "onvif.failed"
UNREADABLE: Final = "onvif.unreadable"

_DENIALS = {"NotAuthorized", "FailedAuthentication", "InvalidSecurity", "MessageExpired", "InvalidSecurityToken"}
_MISSING = {"ActionNotSupported", "NoSuchService", "UnknownAction", "MustUnderstand", "ActionNotImplemented"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A user of a camera; shown nowhere."""

    user: str
    password: str

    def __repr__(self) -> str:
        return "SignIn(...)"


def text(value: object) -> str:
    """Any value as an element's text."""
    return escape(str(value))


def attribute(value: object) -> str:
    """Any value as an attribute, quotes included."""
    return quoteattr(str(value))


def write_envelope(inner: str, *, header: str = "") -> bytes:
    """A request around the call's element."""
    head = f"<s:Header>{header}</s:Header>" if header else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">'
        f"{head}<s:Body>{inner}</s:Body></s:Envelope>"
    ).encode()


def username_token(sign_in: SignIn, *, created: datetime, nonce: bytes | None = None) -> str:
    """A WS-Security header (UsernameToken Profile 1.0): Base64(SHA-1(nonce + created + password))."""
    nonce = secrets.token_bytes(16) if nonce is None else nonce
    told = created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{created.microsecond // 1000:03d}Z"
    whole = nonce + told.encode() + sign_in.password.encode()
    digest = base64.b64encode(hashlib.sha1(whole, usedforsecurity=False).digest()).decode()
    return (
        f'<w:Security xmlns:w="{_WSSE}" xmlns:u="{_WSU}"><w:UsernameToken><w:Username>{text(sign_in.user)}</w:Username>'
        f'<w:Password Type="{_PROFILE}#PasswordDigest">{digest}</w:Password>'
        f'<w:Nonce EncodingType="{_BASE64}">{base64.b64encode(nonce).decode()}</w:Nonce>'
        f"<u:Created>{told}</u:Created></w:UsernameToken></w:Security>"
    )


def read_answer(body: bytes) -> Element:
    """What stands in the Body of an answer; a Fault raises the problem that it means.

    Liberal: MIME parts around the envelope, bytes before and behind it, and XML that is not quite well-formed are
    taken. Raises Invalid (`onvif.unreadable`) for what is none at all.
    """
    begin, end = body.find(b"<"), body.rfind(b">")
    if begin < 0:
        raise Invalid("the camera's answer is no XML", code=UNREADABLE)
    whole = body[begin : end + 1]
    if body[:2] == b"--":  # MTOM: the first part is the envelope
        whole = whole.partition(b"\r\n--")[0]
    try:
        root = _parse(whole)
    except Invalid as error:
        raise Invalid(f"the camera's answer cannot be read: {error.message}", code=UNREADABLE) from error
    inside = root.find("Body")
    if root.name != "Envelope" or inside is None:
        raise Invalid("the camera's answer is no SOAP envelope", code=UNREADABLE)
    fault = inside.find("Fault")
    if fault is not None:
        raise read_fault(fault)
    if not inside.children:
        raise Invalid("the camera's answer is empty", code=UNREADABLE)
    return inside.children[0]


def _parse(whole: bytes) -> Element:
    try:
        return parse_xml(whole)
    except Invalid:
        return parse_xml(whole, mends=True)


def read_fault(fault: Element) -> Problem:
    """The problem that a fault of SOAP 1.2 or 1.1 means; the camera's own words are cleaned and cut."""
    codes = {one.text.rpartition(":")[2].rpartition("/")[2] for one in fault.anywhere("Value")}
    codes |= {one.text.rpartition(":")[2] for one in fault.anywhere("faultcode")}
    said = " ".join(one.text for name in ("Text", "faultstring") for one in fault.anywhere(name))
    reason = clean(said) or "no reason given"
    lower = said.lower()
    facts = {"fault": sorted(clean(code, 40) for code in codes)[:8]}
    if "lock" in lower and (codes & _DENIALS or "account" in lower or "user" in lower):
        return Denied(f"the camera has locked this user: {reason}", code=LOCKED, **facts)
    is_about_sign_in = "not authorized" in lower or "authority failure" in lower or "unauthorized" in lower
    if codes & _DENIALS or is_about_sign_in:
        return Denied(f"the camera refuses this user: {reason}", code=UNAUTHORISED, **facts)
    if codes & _MISSING or "not implemented" in lower or "not supported" in lower:
        return NotFound(f"the camera does not offer this: {reason}", code=UNSUPPORTED, **facts)
    if codes & {"InvalidArgVal", "InvalidArgs", "OperationProhibited", "Sender", "Client"}:
        return Conflict(f"the camera refuses: {reason}", code=REFUSED, **facts)
    return Unavailable(f"the camera failed: {reason}", code=FAILED, **facts)


def clean(told: str, limit: int = MAX_REASON_CHARACTERS) -> str:
    """A stranger's words without control and direction characters, cut."""
    return " ".join(_CONTROL.sub(" ", told).split())[:limit]


def write_element(element: Element, *, tag: str = "") -> str:
    """An element as text again, each with its own namespace: to send a configuration back with one value changed."""
    name = tag or element.name
    attributes = "".join(f" {key}={attribute(value)}" for key, value in element.attributes.items())
    inner = text(element.text) + "".join(write_element(child) for child in element.children)
    return f"<{name} xmlns={attribute(element.namespace)}{attributes}>{inner}</{name}>"

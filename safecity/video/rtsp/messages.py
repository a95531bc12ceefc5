"""The text of RTSP 1.0 (RFC 2326 section 4): responses and requests that cameras send, and what we send them.

Liberal in what is read: bare line feeds, blanks where none belong, names in any case, folded and broken header lines.
Bounded all the same: a head or a body beyond its limit ends the connection.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from safecity.platform.errors import Unavailable

MAX_HEAD_BYTES: Final = 64 * 1024
MAX_BODY_BYTES: Final = 1024**2
MAX_FIRST_LINE_BYTES: Final = 4096
MAX_METHOD_BYTES: Final = 20
MAX_VALUE_CHARACTERS: Final = 8192  # what is left of a header's value, which we may echo
MAX_HEADERS: Final = 256

_PROTOCOLS = (b"RTSP/", b"HTTP/")
_LETTER = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_STATUS_LINE = re.compile(rb"(RTSP|HTTP)/\d(?:\.\d)?[ \t]+(\d{3})(?!\d)[ \t]*(.*)", re.IGNORECASE)
_REQUEST_LINE = re.compile(rb"([A-Z_]{3,20})[ \t]+([\x21-\xff]+)[ \t]+RTSP/\d(?:\.\d)?[ \t]*")
_HEAD_END = re.compile(rb"\n[ \t]*\r?\n")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_NUMBER = re.compile(r"\s*(\d{1,10})(?!\d)")

Headers = Mapping[str, tuple[str, ...]]
"""Names in lower case; a header that comes several times has several values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A camera's answer to a request of ours."""

    protocol: str  # RTSP, or HTTP where a web server answers at the address
    status: int
    headers: Headers
    body: bytes = b""

    def find(self, name: str) -> str | None:
        """The first value of a header, or None."""
        return next(iter(self.headers.get(name, ())), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a camera asks of us."""

    method: str
    target: str
    headers: Headers
    body: bytes = b""

    def find(self, name: str) -> str | None:
        """The first value of a header, or None."""
        return next(iter(self.headers.get(name, ())), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A whole message and where it ends."""

    message: Response | Request
    end: int


def is_message_start(data: bytes | memoryview) -> bool | None:
    """Can a message begin with these bytes? None where there are too few to tell: as few as one, at most 21."""
    begin = bytes(data[:5]).upper()
    if begin in _PROTOCOLS:
        return True
    if len(begin) < 5 and any(one.startswith(begin) for one in _PROTOCOLS):
        return None
    size = 0
    for byte in data[: MAX_METHOD_BYTES + 1]:
        if byte not in _LETTER:
            return size >= 3 and byte in b" \t"
        size += 1
    if size > MAX_METHOD_BYTES:
        return False
    return None


def take_message(data: memoryview, at: int) -> Taken | int | None:
    """The message that begins at `at`; the number of bytes it needs at least where it is not all there yet; None where
    what begins there is no message.

    The answer does not depend on how the bytes were cut. Raises Unavailable for a message beyond the limits.
    """
    head = bytes(data[at : at + MAX_HEAD_BYTES])
    first_end = head.find(b"\n", 0, MAX_FIRST_LINE_BYTES)
    if first_end < 0:
        return None if len(head) >= MAX_FIRST_LINE_BYTES else len(head) + 1
    first = head[:first_end].rstrip(b"\r")
    status, request = _STATUS_LINE.fullmatch(first), _REQUEST_LINE.fullmatch(first)
    if status is None and request is None:
        return None
    found = _HEAD_END.search(head, first_end)
    if found is None:
        if len(head) >= MAX_HEAD_BYTES:
            raise Unavailable("the camera's answer has too long a head; restart the camera", code="video.unreadable")
        return len(head) + 1
    headers = _read_headers(head[first_end + 1 : found.start() + 1])
    begin = at + found.end()
    length = _length(headers)
    if len(data) - begin < length:
        return found.end() + length
    body, end = bytes(data[begin : begin + length]), begin + length
    if status is not None:
        protocol = status[1].decode("ascii").upper()
        return Taken(message=Response(protocol=protocol, status=int(status[2]), headers=headers, body=body), end=end)
    assert request is not None
    method, target = request[1].decode("ascii"), request[2].decode("latin-1")
    return Taken(message=Request(method=method, target=target, headers=headers, body=body), end=end)


def encode_request(method: str, target: str, *, headers: Iterable[tuple[str, str]]) -> bytes:
    """A request of ours; it never has a body. Control characters in values become blanks."""
    return _encode(f"{method} {target} RTSP/1.0", headers)


def encode_response(status: int, reason: str, *, headers: Iterable[tuple[str, str]]) -> bytes:
    """Our answer to a request of the camera's."""
    return _encode(f"RTSP/1.0 {status} {reason}", headers)


def _encode(first: str, headers: Iterable[tuple[str, str]]) -> bytes:
    lines = [first, *(f"{name}: {_CONTROL.sub(' ', value)}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def _read_headers(block: bytes) -> Headers:
    """Headers of a head; lines that are none are passed over, control characters become blanks.

    Bytes that are no UTF-8 are escaped, so that what we must echo (a realm) goes back as it came.
    """
    found: dict[str, list[str]] = {}
    last: list[str] | None = None
    for line in block.decode("utf-8", "surrogateescape").split("\n", MAX_HEADERS)[:MAX_HEADERS]:
        name, colon, value = line.partition(":")
        text = _CONTROL.sub(" ", value if colon else line)[:MAX_VALUE_CHARACTERS].strip()
        if line[:1] in (" ", "\t") and last is not None:
            last[-1] = f"{last[-1]} {_CONTROL.sub(' ', line).strip()}"[:MAX_VALUE_CHARACTERS]
        elif colon and name.strip():
            last = found.setdefault(name.strip().lower(), [])
            last.append(text)
    return {name: tuple(values) for name, values in found.items()}


def _length(headers: Headers) -> int:
    """The body's length; 0 where it is not told in a way that can be read. Raises Unavailable."""
    number = _NUMBER.match(next(iter(headers.get("content-length", ())), ""))
    length = int(number[1]) if number else 0
    if length > MAX_BODY_BYTES:
        raise Unavailable("the camera's answer is too long; restart the camera", code="video.unreadable")
    return length

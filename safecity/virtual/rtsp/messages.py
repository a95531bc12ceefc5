"""The text of RTSP 1.0 and HTTP/1.1 requests and replies (RFC 2326 section 4, RFC 9112), read with bounds.

The grammar of both is one; the control port uses this reader too.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

MAX_HEAD_BYTES: Final = 8 * 1024
MAX_HEADERS: Final = 64
MAX_BODY_BYTES: Final = 64 * 1024

REASONS: Final[Mapping[int, str]] = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    408: "Request Timeout",
    409: "Conflict",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    422: "Unprocessable Content",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    451: "Parameter Not Understood",
    457: "Invalid Range",
    459: "Aggregate Operation Not Allowed",
    461: "Unsupported Transport",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "RTSP Version Not Supported",
    551: "Option Not Supported",
}

_REQUEST_LINE = re.compile(rb"([A-Z_]{1,32}) ([\x21-\x7e]{1,2048}) ((?:RTSP|HTTP)/\d\.\d)")
_HEADER_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}):[ \t]*([\x20-\xff\t]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; header names in lower case, a repeated header's values joined by a comma."""

    method: str
    target: str
    version: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """What arrived is no request: the status to answer before the connection is closed."""

    status: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer; `headers` may name one header twice."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = field(default=())
    body: bytes = b""

    def encode(self, version: str = "RTSP/1.0") -> bytes:
        """The bytes to send."""
        lines = [f"{version} {self.status} {REASONS.get(self.status, 'Error')}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body or not version.startswith("RTSP"):
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


def take_request(buffer: bytearray) -> Request | Malformed | None:
    """Take one whole request off the front of the buffer; None while there is none yet.

    Never raises: what is not a request comes back as Malformed, and the connection should end.
    """
    while buffer.startswith(b"\r\n"):
        del buffer[:2]
    end = buffer.find(b"\r\n\r\n", 0, MAX_HEAD_BYTES)
    if end < 0:
        return Malformed(status=413, reason="head too long") if len(buffer) >= MAX_HEAD_BYTES else None
    parsed = _read_head(bytes(buffer[:end]))
    if isinstance(parsed, Malformed):
        return parsed
    length_text = parsed.headers.get("content-length", "0")
    if not length_text.isdecimal() or len(length_text) > 9:
        return Malformed(status=400, reason="Content-Length is no number")
    length = int(length_text)
    if length > MAX_BODY_BYTES:
        return Malformed(status=413, reason="body too long")
    if len(buffer) < end + 4 + length:
        return None
    body = bytes(buffer[end + 4 : end + 4 + length])
    del buffer[: end + 4 + length]
    return Request(
        method=parsed.method, target=parsed.target, version=parsed.version, headers=parsed.headers, body=body
    )


def _read_head(head: bytes) -> Request | Malformed:
    first, *lines = head.split(b"\r\n")
    line = _REQUEST_LINE.fullmatch(first)
    if line is None:
        return Malformed(status=400, reason="no request line")
    if len(lines) > MAX_HEADERS:
        return Malformed(status=400, reason="too many headers")
    headers: dict[str, str] = {}
    for text in lines:
        found = _HEADER_LINE.fullmatch(text)
        if found is None:
            return Malformed(status=400, reason="a header is malformed")
        name, value = found[1].decode("ascii").lower(), found[2].decode("latin-1").strip()
        if name == "content-length" and headers.get(name, value) != value:
            return Malformed(status=400, reason="two lengths")
        headers[name] = value if name == "content-length" or name not in headers else f"{headers[name]}, {value}"
    method, target, version = (part.decode("ascii") for part in line.groups())
    return Request(method=method, target=target, version=version, headers=headers)

"""Addresses of cameras: what to connect to, what to ask for, and the user and password, which go nowhere else."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from safecity.platform.errors import Invalid

MAX_ADDRESS_CHARACTERS: Final = 4096
_PORTS: Final = {"rtsp": 554, "rtsps": 322}  # IANA
_PRINTABLE: Final = "!#$%&'()*+,/:;=?@[]~-._|{}^`\\\"<>"
_ABSOLUTE = re.compile(r"rtsps?://", re.IGNORECASE)
_ANY_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_USER_INFO = re.compile(r"(rtsps?://)[^/?#]*@", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a stream is. Its text forms never hold the password."""

    host: str
    port: int
    is_tls: bool
    url: str  # without user and password: what requests name
    user: str | None = field(repr=False)
    password: str = field(repr=False)


def parse_address(url: str) -> Address:
    """Take `rtsp://[user[:password]@]host[:port]/path` apart, user and password percent-decoded. Raises Invalid."""
    try:
        parts = urlsplit(url.strip())
        host, port, scheme = parts.hostname, parts.port, parts.scheme.lower()
    except ValueError:
        host, port, scheme, parts = None, None, "", urlsplit("")
    if not host or scheme not in _PORTS or len(url) > MAX_ADDRESS_CHARACTERS or port == 0:
        # The address itself is not repeated: it may hold a password.
        raise Invalid("the camera's address is not of the form rtsp://host:port/path", code="video.not_found")
    user_info, has_user, _ = parts.netloc.rpartition("@")
    user, _, password = user_info.partition(":")
    bracketed = f"[{host}]" if ":" in host else host
    tail = parts.path + (f"?{parts.query}" if parts.query else "")
    return Address(
        host=host,
        port=port or _PORTS[scheme],
        is_tls=scheme == "rtsps",
        url=_printable(f"{scheme}://{bracketed}{f':{port}' if port else ''}{tail}"),
        user=unquote(user) if has_user else None,
        password=unquote(password),
    )


def is_absolute(url: str) -> bool:
    """Is it a whole RTSP address, not a part of one?"""
    return _ABSOLUTE.match(url) is not None


def resolve(reference: str, *, base_url: str) -> str:
    """The absolute address that a control attribute or header means; never with a user and password in it.

    RFC 2326 (C.1.1) asks for the rules of relative URLs, but what cameras are tested with is plain joining: a control
    of `trackID=1` below `rtsp://h/live?channel=1` is asked for as `rtsp://h/live?channel=1/trackID=1`. So that is
    done, save for a path that repeats the base's own.
    """
    reference = reference.strip()
    if reference in ("", "*"):
        return _printable(_USER_INFO.sub(r"\1", base_url))
    if is_absolute(reference):
        return _printable(_USER_INFO.sub(r"\1", reference))
    base = _USER_INFO.sub(r"\1", base_url)
    root, path = _split_root(base)
    if reference.startswith("/") and path.strip("/") and reference.startswith(path.rstrip("/") + "/"):
        return _printable(root + reference)
    return _printable(f"{base.rstrip('/')}/{reference.lstrip('/')}")


def resolve_location(location: str, *, base_url: str) -> str:
    """The absolute address that a Location header means: a path of its own starts at the host, as on the web."""
    location = location.strip()
    if _ANY_SCHEME.match(location):
        return _printable(_USER_INFO.sub(r"\1", location))
    if location.startswith("/"):
        return _printable(_split_root(_USER_INFO.sub(r"\1", base_url))[0] + location)
    return resolve(location, base_url=base_url)


def _split_root(url: str) -> tuple[str, str]:
    """`rtsp://host:port` and the path behind it."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}", slash + path


def _printable(url: str) -> str:
    """Nothing that could end a request line early: blanks, control and foreign characters percent-encoded."""
    return quote(url, safe=_PRINTABLE, errors="surrogateescape")

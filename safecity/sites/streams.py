"""Addresses of camera streams: split from the secrets that people write into them, and joined again for a recorder."""

import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from safecity.sites.model import Credentials

URL_LONGEST = 2_000
_SHAPE = re.compile(r"(?P<scheme>rtsps?)://(?P<authority>[^/?]*)(?P<rest>.*)", re.IGNORECASE)
_HOST_AND_PORT = re.compile(
    r"(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)(:(?P<port>\d{1,5}))?"
)
_SECRET_INSIDE = re.compile(r"(?i)(user(name)?|usr|login|pass(w(or)?d)?|pwd|token|auth|key)=")
_NOT_PRINTED = re.compile(r"[\s\x00-\x1f\x7f]")
MASK = "***"
"""What an address shows in the place of a secret that its path or query holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamAddress:
    """A stream's address without secrets, and beside it the secrets that the text held.

    `secret_url` is the whole address (less user and password) where its path or query holds a password; `url` is then
    cut off before it.
    """

    url: str
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    secret_url: str | None = field(default=None, repr=False)


def split_stream_url(text: str) -> StreamAddress:
    """Take an rtsp:// or rtsps:// address apart (RFC 3986 section 3).

    Raises ValueError with a sentence that says what to do and never quotes the address.
    """
    if len(text) > URL_LONGEST:
        raise ValueError(f"longer than {URL_LONGEST} characters")
    if _NOT_PRINTED.search(text) or "#" in text:
        raise ValueError(
            "holds a space, a line break or #; in a password write %20 or %23, or use the columns user and password"
        )
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise ValueError("is no stream address; write it like rtsp://10.1.2.3:554/stream1")
    sign_in, _, host_and_port = shape["authority"].rpartition("@")
    if "@" in shape["rest"] and not sign_in:
        raise ValueError("the password seems to hold / or ?; put user and password into the columns user and password")
    _check_host(host_and_port)
    user, _, password = sign_in.partition(":")
    url = f"{shape['scheme'].lower()}://{host_and_port}{shape['rest']}"
    inside = _SECRET_INSIDE.search(shape["rest"])
    if inside is None or shape["rest"][inside.end() :] == MASK:
        return StreamAddress(url=url, user=unquote(user), password=unquote(password))
    shown = url[: len(url) - len(shape["rest"]) + inside.end()] + MASK
    return StreamAddress(url=shown, user=unquote(user), password=unquote(password), secret_url=url)


def _check_host(host_and_port: str) -> None:
    match = _HOST_AND_PORT.fullmatch(host_and_port)
    if match is None:
        raise ValueError("has no proper host; write it like rtsp://10.1.2.3:554/stream1")
    host = match["host"]
    if host.startswith("["):
        try:
            ipaddress.IPv6Address(host[1:-1])
        except ValueError as error:
            raise ValueError("has an IPv6 address that is none") from error
    elif re.fullmatch(r"[0-9.]+", host):
        try:
            ipaddress.IPv4Address(host)
        except ValueError as error:
            raise ValueError("has an IP address that is none; it needs four numbers from 0 to 255") from error
    if match["port"] is not None and not 1 <= int(match["port"]) <= 65_535:
        raise ValueError("has a port that is not 1 to 65535")


def join_stream_url(url: str, credentials: Credentials, *, secret_url: str | None) -> str:
    """The address that a recorder opens: user and password percent-encoded back in."""
    whole = secret_url or url
    if not credentials.user:
        return whole
    scheme, _, rest = whole.partition("://")
    return f"{scheme}://{quote(credentials.user, safe='')}:{quote(credentials.password, safe='')}@{rest}"


def host_of(url: str) -> str:
    """Host and port of an address without secrets, lower case."""
    return url.partition("://")[2].partition("/")[0].partition("?")[0].lower()

"""The Transport header of SETUP (RFC 2326 section 12.39), read with suspicion."""

import re
from dataclasses import dataclass
from typing import Final

MAX_ALTERNATIVES: Final = 8

_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interleaved:
    """RTP inside the RTSP connection."""

    channel: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unicast:
    """RTP over UDP to the client's own address."""

    rtp_port: int
    rtcp_port: int


def choose_transport(header: str, *, peer: str) -> Interleaved | Unicast | None:
    """The first alternative that is served here; None where there is none.

    A destination other than the client itself is refused, or anyone could have streams thrown at a third party.
    """
    for alternative in header.split(",")[:MAX_ALTERNATIVES]:
        protocol, *rest = (part.strip() for part in alternative.split(";"))
        options = {name.lower(): value for name, _, value in (part.partition("=") for part in rest)}
        if "multicast" in options or options.get("mode", "play").strip('"').lower() != "play":
            continue
        if options.get("destination", peer) != peer:
            continue
        chosen = _read(protocol.upper(), options)
        if chosen is not None:
            return chosen
    return None


def _read(protocol: str, options: dict[str, str]) -> Interleaved | Unicast | None:
    if protocol == "RTP/AVP/TCP":
        pair = _pair(options.get("interleaved", "0-1"))
        return Interleaved(channel=pair[0]) if pair and pair[1] == pair[0] + 1 and pair[1] <= 255 else None
    if protocol in ("RTP/AVP", "RTP/AVP/UDP"):
        pair = _pair(options.get("client_port", ""))
        usable = pair and 1024 <= pair[0] <= 65_535 and 1024 <= pair[1] <= 65_535
        return Unicast(rtp_port=pair[0], rtcp_port=pair[1]) if pair and usable else None
    return None


def _pair(text: str) -> tuple[int, int] | None:
    found = _PORTS.fullmatch(text.strip())
    if found is None:
        return None
    first = int(found[1])
    return first, int(found[2]) if found[2] else first + 1

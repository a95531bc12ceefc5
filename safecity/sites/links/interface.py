"""WireGuard's interfaces through `wg(8)` and `ip(8)`: made, configured, looked at.

The kernel's WireGuard is taken where there is one, else `wireguard-go`. Both need CAP_NET_ADMIN; who may not look is
told so as a value (None), since a link is none the worse for that.
"""

import shutil
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network, ip_network

from safecity.platform.errors import Denied, Unavailable
from safecity.sites.links.model import PeerFigures

TIME_OUT_S = 20.0
_NFT_TABLE = "safecity_links"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A network that is reached through the interface; of two routes the lower metric is taken."""

    network: IPv4Network
    metric: int = 0
    source: IPv4Address | None = None


def _run(*command: str, text: str | None = None) -> str:
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=TIME_OUT_S, check=False)
    except FileNotFoundError as error:
        raise Unavailable(
            f"{command[0]} is not here; on Debian: apt-get install wireguard-tools iproute2", code="sites.link_no_tool"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{command[0]} does not answer", code="sites.link_tool_hangs") from error
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        if "not permitted" in said or "Permission denied" in said:
            raise Denied(f"{command[0]} needs the rights of an administrator (CAP_NET_ADMIN)", code="sites.link_rights")
        raise Unavailable(f"{' '.join(command[:3])} failed: {said}", code="sites.link_tool_failed")
    return done.stdout


def exists(name: str) -> bool:
    """Whether there is such an interface here."""
    try:
        socket.if_nametoindex(name)
    except OSError:
        return False
    return True


def create(name: str) -> None:
    """Make the interface, by the kernel or else by wireguard-go. Raises Denied, Unavailable."""
    try:
        _run("ip", "link", "add", "dev", name, "type", "wireguard")
    except Unavailable:
        if shutil.which("wireguard-go") is None:
            raise Unavailable(
                "this kernel has no WireGuard and wireguard-go is not here; on Debian: apt-get install wireguard-go",
                code="sites.link_no_wireguard",
            ) from None
        _run("wireguard-go", name)


def configure(name: str, config: str) -> None:
    """Make the interface's peers those of a configuration, leaving the sessions of unchanged ones alone.

    The configuration goes by standard input: keys never stand in a command line or a temporary file.
    """
    _run("wg", "syncconf", name, "/dev/stdin", text=config)


def bring_up(name: str, *, address: IPv4Network | str, mtu: int, routes: Sequence[Route]) -> None:
    """Give the interface its address and routes."""
    _run("ip", "address", "replace", str(address), "dev", name)
    _run("ip", "link", "set", "dev", name, "mtu", str(mtu), "up")
    for route in routes:
        put_route(name, route)


def put_route(name: str, route: Route) -> None:
    """Reach a network through the interface."""
    source = ("src", str(route.source)) if route.source else ()
    metric = ("metric", str(route.metric)) if route.metric else ()
    _run("ip", "route", "replace", str(route.network), "dev", name, *source, *metric)


def drop_route(name: str, route: Route) -> None:
    """No longer reach it that way; fine where it was not."""
    metric = ("metric", str(route.metric)) if route.metric else ()
    try:
        _run("ip", "route", "delete", str(route.network), "dev", name, *metric)
    except Unavailable:
        return


def remove(name: str) -> None:
    """Take the interface away; fine where there is none."""
    if exists(name):
        _run("ip", "link", "delete", "dev", name)


def keep_sites_apart(name: str) -> bool:
    """Let no site reach another through the hub (nftables); False where nft is not here.

    Cryptokey routing checks where a packet comes from, not where it goes: without this rule a hub that forwards would
    hand one site's packets to another.
    """
    if shutil.which("nft") is None:
        return False
    _run(
        "nft", "-f", "-",
        text=f"""table inet {_NFT_TABLE}
delete table inet {_NFT_TABLE}
table inet {_NFT_TABLE} {{
  chain forward {{
    type filter hook forward priority 0; policy accept;
    iifname "{name}" oifname "{name}" drop
  }}
}}
""",
    )  # fmt: skip
    return True


def look(name: str) -> dict[str, PeerFigures] | None:
    """Every peer of the interface by its public key; None where there is no interface or we may not look."""
    if not exists(name):
        return None
    try:
        return read_dump(_run("wg", "show", name, "dump"))
    except (Denied, Unavailable):
        return None


def read_dump(text: str) -> dict[str, PeerFigures]:
    """What `wg show NAME dump` prints: the first line is the interface with its private key and is left alone.

    A peer's line: public key, pre-shared key, endpoint, allowed IPs, last handshake (Unix time), bytes received, bytes
    sent, keep-alive; by tabs.
    """
    found: dict[str, PeerFigures] = {}
    for line in text.splitlines()[1:]:
        public_key, _, endpoint, allowed, handshake, received, sent, *_ = line.split("\t")
        networks = () if allowed == "(none)" else tuple(ip_network(one) for one in allowed.split(","))
        found[public_key] = PeerFigures(
            public_key=public_key,
            endpoint=None if endpoint == "(none)" else endpoint,
            handshake_at=datetime.fromtimestamp(int(handshake), UTC) if int(handshake) else None,
            received_bytes=int(received),
            sent_bytes=int(sent),
            allowed=tuple(one for one in networks if isinstance(one, IPv4Network)),
        )
    return found

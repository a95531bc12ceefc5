"""Values and pure rules of the links: which addresses a site has, which peer carries what, and how a link is doing.

A link has one or two *generations* of keys. The newer one stands beside the older until it has shaken hands; only then
does the site's network move over. So keys change without the link ever being down.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, ip_network

from safecity.platform.errors import Exhausted, Invalid
from safecity.sites.model import SiteId

STALE_AFTER = timedelta(seconds=180)  # WireGuard's own REJECT_AFTER_TIME: nothing can be decrypted after it
LOSS_LIMIT = 0.05
DELAY_LIMIT_MS = 400.0


class KeyState(StrEnum):
    """The life of one generation of keys."""

    OFFERED = "offered"  # the site has not told its public key yet
    STANDBY = "standby"  # a peer of the hub, with its own tunnel address only
    ACTIVE = "active"  # carries the site's network
    RETIRING = "retiring"  # the generation before, kept until nothing uses it
    GONE = "gone"


class Health(StrEnum):
    """How a link is doing."""

    UP = "up"
    DEGRADED = "degraded"  # it carries, but loses or delays too much
    DOWN = "down"
    WAITING = "waiting"  # the site has not answered its first offer
    UNKNOWN = "unknown"  # nobody measures, or nobody may


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkKey:
    """One generation of keys of a site's link; the pre-shared key is kept sealed, beside it."""

    site: SiteId
    generation: int
    state: KeyState
    tunnel_address: IPv4Address
    public_key: str | None  # the site's; base64 of 32 bytes
    offered_at: datetime
    expires_at: datetime  # until when the offer may be answered
    active_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A site's link with its generations, oldest first."""

    site: SiteId
    code: str
    number: int
    subnet: IPv4Network
    made_at: datetime
    revoked_at: datetime | None
    keys: tuple[LinkKey, ...]

    def key_in(self, *states: KeyState) -> LinkKey | None:
        """Its newest generation in one of these states."""
        return next((key for key in reversed(self.keys) if key.state in states), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerFigures:
    """What WireGuard says of a peer."""

    public_key: str
    endpoint: str | None
    handshake_at: datetime | None
    received_bytes: int
    sent_bytes: int
    allowed: tuple[IPv4Network, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoFigures:
    """What echoes over a tunnel say."""

    sent: int
    answered: int
    delay_ms: float | None  # median of the answered ones

    @property
    def loss(self) -> float:
        """Share that was not answered."""
        return 1.0 - self.answered / self.sent if self.sent else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkReport:
    """How a link was when it was last measured."""

    site: SiteId
    code: str
    checked_at: datetime
    health: Health
    handshake_at: datetime | None
    loss: float | None
    delay_ms: float | None
    received_bytes: int
    sent_bytes: int
    findings: tuple[str, ...]


def hub_address(tunnels: IPv4Network) -> IPv4Address:
    """The hub's own address in the tunnels."""
    return tunnels[1]


def tunnel_address(tunnels: IPv4Network, *, number: int, generation: int) -> IPv4Address:
    """The site's end of a tunnel: two addresses a link, taken in turns by its generations.

    Raises Exhausted where the network of the tunnels is too small.
    """
    at = 2 * number + generation % 2
    if number < 1 or at >= tunnels.num_addresses - 1:
        raise Exhausted(
            f"{tunnels} holds no address for link {number}; set links.tunnel_network wider", code="sites.link_addresses"
        )
    return tunnels[at]


def choose_subnet(taken: Iterable[IPv4Network], *, pool: IPv4Network, wanted: str | None) -> IPv4Network:
    """The network of a site's cameras: the wanted one, or the first free /24 of the pool.

    Raises Invalid for one that is no network or overlaps another site's, Exhausted where the pool is used up.
    """
    used = list(taken)
    if wanted is None:
        for candidate in pool.subnets(new_prefix=24):
            if not any(candidate.overlaps(one) for one in used):
                return candidate
        raise Exhausted(f"no free /24 is left in {pool}; set links.site_networks wider", code="sites.link_addresses")
    try:
        network = ip_network(wanted)
    except ValueError as error:
        raise Invalid(f"{wanted!r} is no network such as 10.80.1.0/24: {error}", code="sites.link_subnet") from error
    if not isinstance(network, IPv4Network) or network.prefixlen < 16:
        raise Invalid(f"{wanted} must be an IPv4 network of /16 or smaller", code="sites.link_subnet")
    other = next((one for one in used if one.overlaps(network)), None)
    if other is not None:
        raise Invalid(f"{network} overlaps {other}, which another site or the tunnels use", code="sites.link_subnet")
    return network


def allowed_networks(link: Link, key: LinkKey) -> tuple[IPv4Network, ...]:
    """What the hub takes from and sends to a peer: its tunnel address, and the site's network where it is active."""
    if link.revoked_at is not None or key.public_key is None or key.state in {KeyState.OFFERED, KeyState.GONE}:
        return ()
    own = IPv4Network(f"{key.tunnel_address}/32")
    return (own, link.subnet) if key.state is KeyState.ACTIVE else (own,)


def judge(link: Link, peer: PeerFigures | None, *, echoes: EchoFigures | None, now: datetime, may_look: bool) -> Health:
    """How a link is doing; what was not measured says nothing."""
    if link.key_in(KeyState.ACTIVE) is None:
        return Health.WAITING
    if echoes is None:
        if not may_look:
            return Health.UNKNOWN
        handshake_at = None if peer is None else peer.handshake_at
        return Health.UP if handshake_at is not None and now - handshake_at <= STALE_AFTER else Health.DOWN
    if echoes.answered == 0:
        return Health.DOWN
    is_slow = echoes.delay_ms is not None and echoes.delay_ms > DELAY_LIMIT_MS
    return Health.DEGRADED if echoes.loss > LOSS_LIMIT or is_slow else Health.UP


def find_faults(
    links: Sequence[Link], link: Link, *, peers: dict[str, PeerFigures], now: datetime, max_age: timedelta
) -> tuple[str, ...]:
    """What is wrong with a link's configuration, each as a stable word."""
    found: list[str] = []
    active = link.key_in(KeyState.ACTIVE)
    keys = [key.public_key for one in links for key in one.keys if key.public_key and key.state is not KeyState.GONE]
    if any(key.public_key is not None and keys.count(key.public_key) > 1 for key in link.keys):
        found.append("key_used_twice")
    if active is not None and active.active_at is not None and now - active.active_at > max_age:
        found.append("key_old")
    if link.key_in(KeyState.RETIRING) is not None:
        found.append("old_key_still_taken")
    offered = link.key_in(KeyState.OFFERED)
    if offered is not None and offered.expires_at < now:
        found.append("offer_expired")
    for key in link.keys:
        wanted = allowed_networks(link, key)
        shown = peers.get(key.public_key or "")
        if peers and wanted and (shown is None or set(shown.allowed) != set(wanted)):
            found.append("hub_differs")
            break
    return tuple(found)

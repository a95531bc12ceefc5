"""The site's end: takes an offer, makes its own private key, and moves to new keys once they carry.

Two interfaces, taken in turns by the generations of keys. Both reach the hub; the one in use has the lower metric.
"""

import json
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from safecity.platform.errors import Conflict, DataLoss, NotFound
from safecity.platform.files import write_whole
from safecity.sites.links import interface
from safecity.sites.links.documents import Answer, Offer, site_config
from safecity.sites.links.echoes import measure
from safecity.sites.links.interface import Route
from safecity.sites.links.keys import load_or_make_private_key, public_key_of

USED_METRIC, STANDBY_METRIC = 100, 200
_STATE = "link.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One set of keys as the site keeps it."""

    site: str
    generation: int
    hub: IPv4Address
    tunnel_address: IPv4Address
    subnet: IPv4Network
    centre_networks: tuple[IPv4Network, ...]
    mtu: int


class SiteEnd:
    """A site's folder of link keys: owner only, one configuration file a generation."""

    def __init__(self, folder: Path, *, interface_prefix: str = "safecity") -> None:
        self._folder = folder
        self._prefix = interface_prefix

    def accept(self, offer: Offer) -> Answer:
        """Make this generation's private key (once) and its configuration; returns what the hub needs to know.

        Raises Conflict where the folder belongs to another site or knows a newer generation.
        """
        known = self._read_all()
        if any(one.site != offer.site for one in known):
            raise Conflict(f"this folder holds the link of {known[0].site}", code="sites.link_other_site")
        if any(one.generation > offer.generation for one in known):
            raise Conflict("a newer offer was taken here already", code="sites.link_old_offer")
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        private_key = load_or_make_private_key(self._folder / f"{offer.generation}.key")
        text = site_config(offer, private_key=private_key)
        write_whole(self._folder / f"{offer.generation}.conf", text.encode(), mode=0o600)
        kept = [one for one in known if one.generation != offer.generation]
        fresh = Generation(
            site=offer.site,
            generation=offer.generation,
            hub=offer.hub_address,
            tunnel_address=offer.tunnel_address,
            subnet=offer.subnet,
            centre_networks=offer.centre_networks,
            mtu=offer.mtu,
        )
        # The turn of the interfaces: of two generations on the same one only the newer can stand.
        kept = [one for one in kept if self._name(one) != self._name(fresh)][-1:]
        self._write([*kept, fresh])
        return Answer(site=offer.site, generation=offer.generation, public_key=public_key_of(private_key))

    def up(self) -> list[str]:
        """Bring up every generation that is kept, the oldest one used; returns the interfaces. Needs CAP_NET_ADMIN."""
        known = self._read_all()
        if not known:
            raise NotFound("this folder holds no link; take an offer with `safecity link accept`", code="sites.no_link")
        names: list[str] = []
        for at, one in enumerate(known):
            name = self._name(one)
            if not interface.exists(name):
                interface.create(name)
            interface.configure(name, (self._folder / f"{one.generation}.conf").read_text())
            routes = self._routes(one, metric=USED_METRIC if at == 0 else STANDBY_METRIC)
            interface.bring_up(name, address=f"{one.tunnel_address}/32", mtu=one.mtu, routes=routes)
            names.append(name)
        return names

    def follow_once(self) -> bool:
        """Where newer keys stand by: ask the hub through them from the site's own network, and use them if it answers.

        The hub takes the site's network from one peer only, so an answer means that it has switched. Returns whether
        this moved. The site's end must have an address in its network (`site_address`).
        """
        known = self._read_all()
        if len(known) < 2:
            return False
        old, fresh = known[-2], known[-1]
        source = site_address(fresh.subnet)
        answer = measure([fresh.hub], echoes=2, device=self._name(fresh), source=source)
        if answer is None or answer[fresh.hub].answered == 0:
            return False
        for route in self._routes(fresh, metric=USED_METRIC // 2):
            interface.put_route(self._name(fresh), route)
        interface.remove(self._name(old))
        for route in self._routes(fresh, metric=USED_METRIC):
            interface.put_route(self._name(fresh), route)
        for extra in (USED_METRIC // 2, STANDBY_METRIC):
            for route in self._routes(fresh, metric=extra):
                interface.drop_route(self._name(fresh), route)
        self._write([fresh])
        for suffix in ("key", "conf"):
            (self._folder / f"{old.generation}.{suffix}").unlink(missing_ok=True)
        return True

    def _routes(self, one: Generation, *, metric: int) -> list[Route]:
        networks = [IPv4Network(f"{one.hub}/32"), *one.centre_networks]
        return [Route(network=network, metric=metric, source=site_address(one.subnet)) for network in networks]

    def _name(self, one: Generation) -> str:
        return f"{self._prefix}{one.generation % 2}"

    def _read_all(self) -> list[Generation]:
        """The generations that are kept, oldest first."""
        path = self._folder / _STATE
        if not path.exists():
            return []
        try:
            rows = json.loads(path.read_bytes())
            return [
                Generation(
                    site=row["site"],
                    generation=int(row["generation"]),
                    hub=IPv4Address(row["hub"]),
                    tunnel_address=IPv4Address(row["tunnel_address"]),
                    subnet=IPv4Network(row["subnet"]),
                    centre_networks=tuple(IPv4Network(text) for text in row["centre_networks"]),
                    mtu=int(row["mtu"]),
                )
                for row in rows
            ]
        except (ValueError, KeyError, TypeError) as error:
            raise DataLoss(
                f"{path} cannot be read; take a new offer in a fresh folder", code="sites.link_state"
            ) from error

    def _write(self, generations: list[Generation]) -> None:
        rows = [
            {
                "site": one.site,
                "generation": one.generation,
                "hub": str(one.hub),
                "tunnel_address": str(one.tunnel_address),
                "subnet": str(one.subnet),
                "centre_networks": [str(network) for network in one.centre_networks],
                "mtu": one.mtu,
            }
            for one in sorted(generations, key=lambda one: one.generation)
        ]
        write_whole(self._folder / _STATE, json.dumps(rows, indent=1).encode(), mode=0o600)


def site_address(subnet: IPv4Network) -> IPv4Address:
    """The address of the site's own machine in its network: the first one."""
    return subnet[1]

"""Making, changing and ending links; every change is a leaf of the log, committed with it.

Whoever runs these commands is on the centre's machine and holds its keys; the leaf says so (`actor=None`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Network

from sqlalchemy.engine import Connection

from safecity.oversight.service import Oversight
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.errors import Conflict, Invalid, NotFound
from safecity.platform.secrets import SecretBox
from safecity.platform.settings import LinksSettings
from safecity.sites.links import store
from safecity.sites.links.documents import Answer, HubPeer, Offer
from safecity.sites.links.keys import new_preshared_key
from safecity.sites.links.model import (
    KeyState,
    Link,
    LinkKey,
    PeerFigures,
    allowed_networks,
    choose_subnet,
    hub_address,
    tunnel_address,
)
from safecity.sites.model import SiteId

OFFER_STANDS = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkChange:
    """What a step did, for its leaf and for the person."""

    link: Link
    key: LinkKey | None


class LinkBook:
    """The links of the city, at the hub."""

    def __init__(
        self, database: Database, settings: LinksSettings, *, oversight: Oversight, clock: Clock, box: SecretBox
    ) -> None:
        self._database = database
        self._settings = settings
        self._oversight = oversight
        self._clock = clock
        self._box = box

    def list_links(self) -> list[Link]:
        """Every link in use."""
        with self._database.read() as connection:
            return store.list_links(connection)

    def add(self, code: str, *, subnet: str | None, hub_public_key: str) -> Offer:
        """A first link for a site, or a new one after it was revoked; returns the offer that goes to the site.

        Asked again before the site has answered, it makes a fresh offer and the earlier one is void.
        Raises NotFound for a site that is not in use, Conflict where its link is up already, Invalid for a bad subnet.
        """
        endpoint = self._endpoint()
        now = self._clock.now()
        with self._database.begin() as connection:
            site = store.find_site(connection, code)
            if site is None:
                raise NotFound(f"no site {code} is in use; import it with `safecity city import`", code="sites.no_site")
            link = store.find_link(connection, site)
            if link is None:
                link = self._new_link(connection, site, subnet=subnet, now=now)
            elif link.revoked_at is not None:
                store.restore_link(connection, site)
            elif link.key_in(KeyState.ACTIVE) is not None:
                raise Conflict(
                    f"{link.code} has a link; `safecity link rotate {link.code}` changes its keys",
                    code="sites.link_exists",
                )
            offer = self._offer(connection, link, now=now, endpoint=endpoint, hub_public_key=hub_public_key)
            self._note(connection, "link_offered", link, generation=offer.generation, subnet=str(link.subnet))
        return offer

    def rotate(self, code: str, *, hub_public_key: str) -> Offer:
        """New keys beside the ones in use. Raises NotFound, Conflict while an earlier change is unfinished."""
        endpoint = self._endpoint()
        with self._database.begin() as connection:
            link = self._get(connection, code)
            if link.key_in(KeyState.ACTIVE) is None:
                raise Conflict(
                    f"{link.code} has not answered its first offer; nothing to change", code="sites.link_waiting"
                )
            if link.key_in(KeyState.STANDBY, KeyState.RETIRING) is not None:
                raise Conflict(
                    f"{link.code} still has two sets of keys; end that with `safecity link switch` and `retire`",
                    code="sites.link_rotating",
                )
            now = self._clock.now()
            offer = self._offer(connection, link, now=now, endpoint=endpoint, hub_public_key=hub_public_key)
            self._note(connection, "link_keys_offered", link, generation=offer.generation)
        return offer

    def confirm(self, answer: Answer) -> LinkChange:
        """Take the site's public key. The first keys are active at once, later ones stand by.

        Raises NotFound, Conflict for an answer to an offer that is void, expired or answered otherwise, and Invalid
        for a key that another link uses.
        """
        with self._database.begin() as connection:
            link = self._get(connection, answer.site)
            key = next((one for one in link.keys if one.generation == answer.generation), None)
            if key is not None and key.public_key == answer.public_key and key.state is not KeyState.GONE:
                return LinkChange(link=link, key=key)
            if key is None or key.state is not KeyState.OFFERED or key.expires_at < self._clock.now():
                raise Conflict(
                    f"no offer {answer.generation} for {link.code} waits for an answer; make a new one",
                    code="sites.link_no_offer",
                )
            others = [one for other in store.list_links(connection, with_revoked=True) for one in other.keys]
            if any(one.public_key == answer.public_key for one in others):
                raise Invalid(
                    "this public key is or was another link's; the site must make a fresh one", code="sites.link_key"
                )
            is_first = link.key_in(KeyState.ACTIVE) is None
            state = KeyState.ACTIVE if is_first else KeyState.STANDBY
            active_at = self._clock.now() if is_first else None
            store.change_key(connection, key, state=state.value, public_key=answer.public_key, active_at=active_at)
            self._note(connection, "link_confirmed", link, generation=key.generation, state=state.value)
            return self._changed(connection, link, key)

    def switch(self, code: str, *, peers: Mapping[str, PeerFigures] | None) -> LinkChange:
        """Move the site's network to its new keys; only where they have shaken hands, so that the link stays up.

        `peers` is what WireGuard says; None where nobody may look, which is refused. Raises NotFound and Conflict.
        """
        with self._database.begin() as connection:
            link = self._get(connection, code)
            fresh, old = link.key_in(KeyState.STANDBY), link.key_in(KeyState.ACTIVE)
            if fresh is None or old is None:
                raise Conflict(f"{link.code} has no new keys standing by", code="sites.link_no_standby")
            shown = (peers or {}).get(fresh.public_key or "")
            if shown is None or shown.handshake_at is None:
                raise Conflict(
                    f"the new keys of {link.code} have not shaken hands yet; see that the site has taken its offer "
                    "(`safecity link accept`), then try again",
                    code="sites.link_not_proven",
                )
            store.change_key(connection, old, state=KeyState.RETIRING.value)
            store.change_key(connection, fresh, state=KeyState.ACTIVE.value, active_at=self._clock.now())
            self._note(connection, "link_switched", link, generation=fresh.generation)
            return self._changed(connection, link, fresh)

    def retire(self, code: str) -> LinkChange:
        """End the keys before the present ones. Raises NotFound, Conflict where there are none."""
        with self._database.begin() as connection:
            link = self._get(connection, code)
            old = link.key_in(KeyState.RETIRING)
            if old is None:
                raise Conflict(f"{link.code} has no old keys to end", code="sites.link_no_old")
            store.change_key(connection, old, state=KeyState.GONE.value, preshared_key=b"")
            self._note(connection, "link_keys_retired", link, generation=old.generation)
            return self._changed(connection, link, old)

    def revoke(self, code: str) -> LinkChange:
        """Cut a site off for good. Raises NotFound."""
        with self._database.begin() as connection:
            link = self._get(connection, code)
            store.revoke(connection, link.site, now=self._clock.now())
            self._note(connection, "link_revoked", link)
            return self._changed(connection, link, None)

    def hub_peers(self) -> list[HubPeer]:
        """Every peer of the hub with its pre-shared key; for its configuration only."""
        found: list[HubPeer] = []
        with self._database.read() as connection:
            for link in store.list_links(connection):
                for key in link.keys:
                    if allowed_networks(link, key):
                        sealed = store.read_preshared_key(connection, key)
                        found.append(
                            HubPeer(link=link, key=key, preshared_key=self._box.open(sealed, context=_context(key)))
                        )
        return found

    def _endpoint(self) -> str:
        if self._settings.endpoint is None:
            raise Invalid(
                "set links.endpoint, the address and port under which sites reach this centre, as 203.0.113.7:51820",
                code="sites.link_no_endpoint",
            )
        return self._settings.endpoint

    def _new_link(self, connection: Connection, site: SiteId, *, subnet: str | None, now: datetime) -> Link:
        every = store.list_links(connection, with_revoked=True)
        tunnels = self._settings.tunnel_network
        taken = [tunnels, *self._settings.centre_networks, *(one.subnet for one in every)]
        network: IPv4Network = choose_subnet(taken, pool=self._settings.site_networks, wanted=subnet)
        store.add_link(connection, site, number=store.next_number(connection), subnet=network, now=now)
        return self._reread(connection, site)

    def _offer(self, connection: Connection, link: Link, *, now: datetime, endpoint: str, hub_public_key: str) -> Offer:
        """A fresh generation; one that waits for its answer is void."""
        waiting = link.key_in(KeyState.OFFERED)
        if waiting is not None:
            store.change_key(connection, waiting, state=KeyState.GONE.value, preshared_key=b"")
        generation = max((key.generation for key in link.keys), default=0) + 1
        used = [key for key in link.keys if key.state in {KeyState.ACTIVE, KeyState.STANDBY, KeyState.RETIRING}]
        tunnels = self._settings.tunnel_network
        address = tunnel_address(tunnels, number=link.number, generation=generation)
        if any(key.tunnel_address == address for key in used):
            generation += 1
            address = tunnel_address(tunnels, number=link.number, generation=generation)
        preshared = new_preshared_key()
        key = LinkKey(
            site=link.site,
            generation=generation,
            state=KeyState.OFFERED,
            tunnel_address=address,
            public_key=None,
            offered_at=now,
            expires_at=now + OFFER_STANDS,
            active_at=None,
        )
        store.add_key(connection, key, preshared_key=self._box.seal(preshared, context=_context(key)))
        return Offer(
            site=link.code,
            generation=generation,
            hub_public_key=hub_public_key,
            endpoint=endpoint,
            preshared_key=preshared,
            hub_address=hub_address(tunnels),
            tunnel_address=address,
            subnet=link.subnet,
            centre_networks=self._settings.centre_networks,
            keepalive_s=self._settings.keepalive_s,
            mtu=self._settings.mtu,
            expires_at=key.expires_at,
        )

    def _get(self, connection: Connection, code: str) -> Link:
        site = store.find_site(connection, code)
        link = None if site is None else store.find_link(connection, site)
        if link is None or link.revoked_at is not None:
            raise NotFound(f"{code} has no link; `safecity link add {code}` makes one", code="sites.no_link")
        return link

    def _reread(self, connection: Connection, site: SiteId) -> Link:
        link = store.find_link(connection, site)
        assert link is not None
        return link

    def _changed(self, connection: Connection, link: Link, key: LinkKey | None) -> LinkChange:
        now = self._reread(connection, link.site)
        same = None if key is None else next(one for one in now.keys if one.generation == key.generation)
        return LinkChange(link=now, key=same)

    def _note(self, connection: Connection, type: str, link: Link, **body: object) -> None:  # noqa: A002 - the leaf's own word
        self._oversight.note(connection, type=type, body={"site": link.code, **body}, actor=None)


def _context(key: LinkKey) -> str:
    return f"link:{key.site}:{key.generation}"

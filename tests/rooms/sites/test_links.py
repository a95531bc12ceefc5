"""The rules of links, their documents, and the book of them on both databases."""

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.oversight import log
from safecity.platform.errors import Conflict, DataLoss, Exhausted, Invalid, NotFound
from safecity.platform.settings import LinksSettings
from safecity.sites.links import store
from safecity.sites.links.documents import Answer, Offer, compact, hub_config, qr_svg, read_answer, read_offer
from safecity.sites.links.hub import Hub
from safecity.sites.links.interface import read_dump
from safecity.sites.links.keys import checked_public_key, new_preshared_key, new_private_key, public_key_of
from safecity.sites.links.model import (
    EchoFigures,
    Health,
    KeyState,
    Link,
    LinkKey,
    PeerFigures,
    allowed_networks,
    choose_subnet,
    find_faults,
    hub_address,
    judge,
    tunnel_address,
)
from safecity.sites.links.service import LinkBook
from safecity.sites.links.site_side import SiteEnd
from safecity.sites.model import SiteId
from tests.conftest import missing

from .conftest import Centre

TUNNELS = IPv4Network("10.77.0.0/16")
POOL = IPv4Network("10.80.0.0/12")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NETWORKS = list(POOL.subnets(new_prefix=24))
SETTINGS = LinksSettings(endpoint="hub.example.org:51820")


def test_the_public_key_is_the_one_that_wireguard_makes() -> None:
    if shutil.which("wg") is None:
        missing("no wireguard-tools; on Debian: apt-get install wireguard-tools")
    private = new_private_key()
    said = subprocess.run(["wg", "pubkey"], input=private, capture_output=True, text=True, check=True)
    assert public_key_of(private) == said.stdout.strip()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 30_000), st.integers(1, 50)), min_size=2, max_size=20, unique=True))
def test_two_links_never_share_a_tunnel_address(pairs: list[tuple[int, int]]) -> None:
    """Addresses of different links differ, and of two generations in a row; none is the hub's."""
    seen: dict[str, int] = {}
    for number, generation in pairs:
        address = tunnel_address(TUNNELS, number=number, generation=generation)
        assert address != hub_address(TUNNELS)
        assert address in TUNNELS
        assert seen.setdefault(str(address), number) == number
        assert address != tunnel_address(TUNNELS, number=number, generation=generation + 1)


def test_tunnels_that_are_used_up_say_so() -> None:
    with pytest.raises(Exhausted, match="tunnel_network"):
        tunnel_address(IPv4Network("10.77.0.0/30"), number=2, generation=1)


@settings(deadline=None)
@given(st.lists(st.integers(0, 4095), max_size=8, unique=True))
def test_a_chosen_subnet_overlaps_no_other(taken: list[int]) -> None:
    used = [NETWORKS[at] for at in taken]
    chosen = choose_subnet(used, pool=POOL, wanted=None)
    assert not any(chosen.overlaps(one) for one in used)
    assert chosen.subnet_of(POOL)


@pytest.mark.parametrize("wanted", ["10.80.1.7/24", "nonsense", "0.0.0.0/0", "::/64", "10.0.0.0/8", "10.77.4.0/24"])
def test_a_bad_subnet_is_refused(wanted: str) -> None:
    with pytest.raises(Invalid):
        choose_subnet([TUNNELS], pool=POOL, wanted=wanted)


def link(*keys: LinkKey, revoked_at: datetime | None = None) -> Link:
    return Link(
        site=SiteId("site_a"), code="A", number=1, subnet=IPv4Network("10.80.1.0/24"), made_at=NOW,
        revoked_at=revoked_at, keys=keys,
    )  # fmt: skip


def key(generation: int, state: KeyState) -> LinkKey:
    return LinkKey(
        site=SiteId("site_a"), generation=generation, state=state,
        tunnel_address=tunnel_address(TUNNELS, number=1, generation=generation),
        public_key=None if state is KeyState.OFFERED else public_key_of(new_private_key()),
        offered_at=NOW, expires_at=NOW + timedelta(days=7), active_at=NOW if state is KeyState.ACTIVE else None,
    )  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.sampled_from(KeyState), max_size=6), st.booleans())
def test_the_sites_network_belongs_to_active_keys_only(states: list[KeyState], is_revoked: bool) -> None:
    keys = tuple(key(at + 1, state) for at, state in enumerate(states))
    one = link(*keys, revoked_at=NOW if is_revoked else None)
    for each in keys:
        networks = allowed_networks(one, each)
        assert (one.subnet in networks) == (each.state is KeyState.ACTIVE and not is_revoked)
        if each.state in {KeyState.OFFERED, KeyState.GONE} or is_revoked:
            assert networks == ()


PEER = PeerFigures(public_key="k", endpoint=None, handshake_at=NOW, received_bytes=1, sent_bytes=1, allowed=())
OLD = replace(PEER, handshake_at=NOW - timedelta(minutes=5))


@pytest.mark.parametrize(
    ("peer", "echoes", "may_look", "health"),
    [
        (PEER, EchoFigures(sent=5, answered=5, delay_ms=20.0), True, Health.UP),
        (PEER, EchoFigures(sent=5, answered=3, delay_ms=20.0), True, Health.DEGRADED),
        (PEER, EchoFigures(sent=5, answered=5, delay_ms=900.0), True, Health.DEGRADED),
        (PEER, EchoFigures(sent=5, answered=0, delay_ms=None), True, Health.DOWN),
        (PEER, None, True, Health.UP),
        (OLD, None, True, Health.DOWN),
        (None, None, True, Health.DOWN),
        (None, None, False, Health.UNKNOWN),
        (None, EchoFigures(sent=5, answered=5, delay_ms=20.0), False, Health.UP),
    ],
)
def test_how_a_link_is_judged(
    peer: PeerFigures | None, echoes: EchoFigures | None, may_look: bool, health: Health
) -> None:
    assert judge(link(key(1, KeyState.ACTIVE)), peer, echoes=echoes, now=NOW, may_look=may_look) is health
    assert judge(link(key(1, KeyState.OFFERED)), peer, echoes=echoes, now=NOW, may_look=may_look) is Health.WAITING


def test_faults_of_a_configuration_are_named() -> None:
    old, active = key(1, KeyState.RETIRING), key(2, KeyState.ACTIVE)
    one, twin = link(old, active), replace(link(replace(active, site=SiteId("site_b"))), site=SiteId("site_b"))
    later = NOW + timedelta(days=200)
    peers = {active.public_key or "": replace(PEER, allowed=(one.subnet,))}
    found = find_faults([one, twin], one, peers=peers, now=later, max_age=timedelta(days=180))
    assert set(found) == {"key_used_twice", "key_old", "old_key_still_taken", "hub_differs"}
    assert find_faults([link(active)], link(active), peers={}, now=NOW, max_age=timedelta(days=180)) == ()


def test_the_dump_of_wg_is_read_without_its_private_key() -> None:
    text = (
        "PRIVATE\tPUBLIC\t51820\toff\n"
        "peer1=\tpsk=\t192.0.2.7:5000\t10.77.0.3/32,10.80.1.0/24\t1772366400\t100\t200\t25\n"
        "peer2=\t(none)\t(none)\t(none)\t0\t0\t0\toff\n"
    )
    found = read_dump(text)
    assert set(found) == {"peer1=", "peer2="}
    assert found["peer1="].handshake_at == datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    assert found["peer1="].allowed == (IPv4Network("10.77.0.3/32"), IPv4Network("10.80.1.0/24"))
    assert found["peer2="].handshake_at is None
    assert "PRIVATE" not in repr(found)
    assert "psk" not in repr(found)


def book(centre: Centre) -> LinkBook:
    return LinkBook(centre.database, SETTINGS, oversight=centre.oversight, clock=centre.clock, box=centre.box)


def hub_key() -> str:
    return public_key_of(new_private_key())


def answer(offer: Offer, private: str | None = None) -> Answer:
    public = public_key_of(private or new_private_key())
    return Answer(site=offer.site, generation=offer.generation, public_key=public)


def test_the_life_of_a_link(centre: Centre) -> None:
    centre.import_quetta(12)
    links, hub = book(centre), hub_key()
    first = links.add("QTA-001", subnet=None, hub_public_key=hub)
    second = links.add("QTA-002", subnet=None, hub_public_key=hub)
    assert not first.subnet.overlaps(second.subnet)
    assert first.preshared_key != second.preshared_key
    assert links.hub_peers() == []
    assert links.confirm(answer(first)).link.key_in(KeyState.ACTIVE) is not None
    with pytest.raises(Conflict, match="rotate"):
        links.add("QTA-001", subnet=None, hub_public_key=hub)

    fresh = links.rotate("QTA-001", hub_public_key=hub)
    assert fresh.tunnel_address != first.tunnel_address
    assert fresh.preshared_key != first.preshared_key
    replied = answer(fresh)
    assert links.confirm(replied).key == links.confirm(replied).key  # said twice is said once
    with pytest.raises(Conflict, match="two sets"):
        links.rotate("QTA-001", hub_public_key=hub)
    with pytest.raises(Conflict, match="shaken hands"):
        links.switch("QTA-001", peers={})
    with pytest.raises(Conflict, match="shaken hands"):
        links.switch("QTA-001", peers=None)
    shaken = {replied.public_key: replace(PEER, public_key=replied.public_key)}
    changed = links.switch("QTA-001", peers=shaken).link
    assert [one.state for one in changed.keys] == [KeyState.RETIRING, KeyState.ACTIVE]
    carrying = [p for p in links.hub_peers() if changed.subnet in allowed_networks(p.link, p.key)]
    assert [p.key.public_key for p in carrying] == [replied.public_key]
    assert [one.state for one in links.retire("QTA-001").link.keys] == [KeyState.GONE, KeyState.ACTIVE]

    links.revoke("QTA-001")
    assert links.hub_peers() == []
    with pytest.raises(NotFound):
        links.rotate("QTA-001", hub_public_key=hub)
    with centre.database.read() as connection:
        revoked = store.find_link(connection, changed.site)
        assert revoked is not None
        assert all(store.read_preshared_key(connection, one) == b"" for one in revoked.keys)
    again = links.add("QTA-001", subnet=None, hub_public_key=hub)
    assert again.subnet == first.subnet
    assert again.generation > fresh.generation


def test_answers_that_cannot_be_taken(centre: Centre) -> None:
    centre.import_quetta(12)
    links, hub, private = book(centre), hub_key(), new_private_key()
    void = links.add("QTA-001", subnet=None, hub_public_key=hub)
    offer = links.add("QTA-001", subnet=None, hub_public_key=hub)
    with pytest.raises(Conflict, match="no offer"):
        links.confirm(answer(void))
    links.confirm(answer(offer, private))
    with pytest.raises(Conflict, match="no offer"):
        links.confirm(answer(offer))
    other = links.add("QTA-002", subnet=None, hub_public_key=hub)
    with pytest.raises(Invalid, match="another link"):
        links.confirm(answer(other, private))
    centre.clock.advance(8 * 24 * 3600)
    with pytest.raises(Conflict, match="no offer"):
        links.confirm(answer(other))
    with pytest.raises(NotFound):
        links.add("QTA-999", subnet=None, hub_public_key=hub)
    with pytest.raises(Invalid, match="overlaps"):
        links.add("QTA-003", subnet=str(offer.subnet), hub_public_key=hub)


def test_every_change_is_a_leaf_and_no_key_is_in_one(centre: Centre) -> None:
    centre.import_quetta(12)
    links = book(centre)
    offer = links.add("QTA-001", subnet=None, hub_public_key=hub_key())
    reply = answer(offer)
    links.confirm(reply)
    links.revoke("QTA-001")
    with centre.database.read() as connection:
        leaves = list(log.list_leaves(connection, before=log.size_of(connection), limit=50))
    mine = [one for one in leaves if one.type.startswith("link_")]
    assert {one.type for one in mine} == {"link_offered", "link_confirmed", "link_revoked"}
    said = repr(mine)
    assert offer.preshared_key not in said
    assert reply.public_key not in said


def test_the_hub_writes_its_secrets_for_its_owner_only(centre: Centre, tmp_path: Path) -> None:
    centre.import_quetta(12)
    links, hub = book(centre), Hub(SETTINGS, data_dir=tmp_path)
    offer = links.add("QTA-001", subnet=None, hub_public_key=hub.public_key())
    links.confirm(answer(offer))
    hub.write(links.hub_peers())
    text = hub.config_path.read_text()
    assert text.count("[Peer]") == 1
    assert f"AllowedIPs = {offer.tunnel_address}/32, {offer.subnet}" in text
    for path in (hub.config_path, tmp_path / "secrets" / "link-hub.key"):
        assert path.stat().st_mode & 0o777 == 0o600
    assert public_key_of((tmp_path / "secrets" / "link-hub.key").read_text()) == offer.hub_public_key
    assert hub_config(private_key="x", listen_port=1, peers=[]).count("[Peer]") == 0


def make_offer(**changed: object) -> Offer:
    plain: dict[str, object] = {
        "site": "A", "generation": 1, "hub_public_key": hub_key(), "endpoint": "192.0.2.1:51820",
        "preshared_key": new_preshared_key(), "hub_address": "10.77.0.1", "tunnel_address": "10.77.0.3",
        "subnet": "10.80.1.0/24", "expires_at": NOW + timedelta(days=7),
    }  # fmt: skip
    return Offer.model_validate({**plain, **changed})


def test_an_offer_survives_its_way_as_a_file_and_as_a_qr_code() -> None:
    offer = make_offer()
    assert read_offer(compact(offer), now=NOW) == offer
    assert read_offer(offer.model_dump_json(indent=1), now=NOW) == offer
    assert qr_svg(offer).startswith(b"<?xml")
    assert offer.preshared_key not in repr(offer)
    with pytest.raises(Invalid, match="expired"):
        read_offer(compact(offer), now=NOW + timedelta(days=8))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("51820", "51820\\nPostUp = rm -rf /"),
        lambda text: text.replace('"A"', '"../../etc"'),
        lambda text: text.replace("10.80.1.0/24", "10.80.1.0/33"),
        lambda text: text.replace("safecity-link-offer", "else"),
        lambda text: "x" * 100_000,
        lambda text: json.dumps({**json.loads(text), "more": 1}),
        lambda text: json.dumps({**json.loads(text), "preshared_key": "AA=="}),
    ],
)
def test_an_offer_that_is_not_one_is_refused(spoil: Callable[[str], str]) -> None:
    with pytest.raises(Invalid):
        read_offer(spoil(compact(make_offer())), now=NOW)


def test_a_site_makes_its_own_key_once_and_keeps_it_to_itself(tmp_path: Path) -> None:
    end, offer = SiteEnd(tmp_path / "link"), make_offer()
    reply = end.accept(offer)
    assert end.accept(offer) == reply
    assert read_answer(compact(reply)) == reply
    private = (tmp_path / "link" / "1.key").read_text().strip()
    assert public_key_of(private) == reply.public_key
    assert private not in compact(reply)
    for name in ("1.key", "1.conf", "link.json"):
        assert (tmp_path / "link" / name).stat().st_mode & 0o777 == 0o600
    assert "AllowedIPs = 10.77.0.1/32\n" in (tmp_path / "link" / "1.conf").read_text()
    end.accept(make_offer(generation=2, tunnel_address="10.77.0.2"))
    with pytest.raises(Conflict, match="newer"):
        end.accept(offer)
    with pytest.raises(Conflict, match="holds the link of A"):
        end.accept(make_offer(site="B", generation=3))
    (tmp_path / "link" / "link.json").write_text("{")
    with pytest.raises(DataLoss, match="new offer"):
        end.up()


@pytest.mark.parametrize("text", ["", "AAAA", "A" * 43 + "=", "x" * 44, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        checked_public_key(text)

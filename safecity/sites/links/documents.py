"""What hub and site are given: the offer, the answer, and WireGuard's configuration files."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from typing import Annotated, Literal, TypeVar

import segno
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from safecity.platform.errors import Invalid
from safecity.sites.links.keys import checked_public_key
from safecity.sites.links.model import Link, LinkKey, allowed_networks

MAX_BYTES = 8 * 1024
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$")]
Endpoint = Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$", max_length=300)]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Offer(_Document):
    """What the centre hands to a site. Its pre-shared key is a secret; the site's private key is not in it."""

    kind: Literal["safecity-link-offer"] = "safecity-link-offer"
    version: Literal[1] = 1
    site: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,60}$")]
    generation: Annotated[int, Field(ge=1, le=1_000_000)]
    hub_public_key: Key
    endpoint: Endpoint
    preshared_key: Key
    hub_address: IPv4Address
    tunnel_address: IPv4Address
    subnet: IPv4Network
    centre_networks: tuple[IPv4Network, ...] = ()
    keepalive_s: Annotated[int, Field(ge=0, le=600)] = 25
    mtu: Annotated[int, Field(ge=1280, le=1500)] = 1420
    expires_at: AwareDatetime

    def __repr__(self) -> str:
        return f"Offer({self.site}, {self.generation})"


class Answer(_Document):
    """What the site hands back; nothing in it is secret."""

    kind: Literal["safecity-link-answer"] = "safecity-link-answer"
    version: Literal[1] = 1
    site: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,60}$")]
    generation: Annotated[int, Field(ge=1, le=1_000_000)]
    public_key: Key


D = TypeVar("D", bound=_Document)


def read_offer(text: str, *, now: datetime) -> Offer:
    """An offer from a file or a QR code. Raises Invalid with what to do."""
    offer = _read(Offer, text, what="offer of a link")
    if offer.expires_at < now:
        raise Invalid("this offer has expired; have the centre make a new one", code="sites.link_offer_expired")
    return offer


def read_answer(text: str) -> Answer:
    """A site's answer. Raises Invalid."""
    answer = _read(Answer, text, what="answer to an offer")
    checked_public_key(answer.public_key)
    return answer


def _read(kind: type[D], text: str, *, what: str) -> D:
    if len(text) > MAX_BYTES:
        raise Invalid(f"that is no {what}: it is too long", code="sites.link_document")
    try:
        return kind.model_validate_json(text)
    except (ValidationError, AddressValueError, NetmaskValueError) as error:
        raise Invalid(
            f"that is no {what}; give the whole file as `safecity link` wrote it", code="sites.link_document"
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class HubPeer:
    """A peer of the hub, with its pre-shared key opened; never logged."""

    link: Link
    key: LinkKey
    preshared_key: str

    def __repr__(self) -> str:
        return f"HubPeer({self.link.code}, {self.key.generation})"


def hub_config(*, private_key: str, listen_port: int, peers: Sequence[HubPeer]) -> str:
    """The hub's configuration as `wg setconf` and `wg syncconf` read it (wg(8), configuration file format)."""
    lines = ["[Interface]", f"PrivateKey = {private_key}", f"ListenPort = {listen_port}"]
    for peer in peers:
        networks = allowed_networks(peer.link, peer.key)
        if not networks or peer.key.public_key is None:
            continue
        lines += [
            "",
            f"# {peer.link.code}, keys {peer.key.generation}, {peer.key.state.value}",
            "[Peer]",
            f"PublicKey = {peer.key.public_key}",
            f"PresharedKey = {peer.preshared_key}",
            f"AllowedIPs = {', '.join(str(one) for one in networks)}",
        ]
    return "\n".join(lines) + "\n"


def site_config(offer: Offer, *, private_key: str) -> str:
    """The site's configuration for `wg setconf`; it takes from the hub what is the centre's, and nothing else."""
    networks = [f"{offer.hub_address}/32", *(str(one) for one in offer.centre_networks)]
    lines = [
        f"# {offer.site}, keys {offer.generation}",
        "[Interface]",
        f"PrivateKey = {private_key}",
        "",
        "[Peer]",
        f"PublicKey = {offer.hub_public_key}",
        f"PresharedKey = {offer.preshared_key}",
        f"Endpoint = {offer.endpoint}",
        f"AllowedIPs = {', '.join(networks)}",
    ]
    if offer.keepalive_s:
        lines.append(f"PersistentKeepalive = {offer.keepalive_s}")
    return "\n".join(lines) + "\n"


def qr_svg(document: _Document) -> bytes:
    """The document as a QR code (ISO/IEC 18004), an SVG on white."""
    out = io.BytesIO()
    segno.make(compact(document), error="m").save(out, kind="svg", scale=4, border=4, light="white")
    return out.getvalue()


def qr_text(document: _Document) -> str:
    """The same for a terminal."""
    out = io.StringIO()
    segno.make(compact(document), error="l").terminal(out, compact=True)
    return out.getvalue()


def compact(document: _Document) -> str:
    """The document as one line of JSON."""
    return json.dumps(document.model_dump(mode="json"), separators=(",", ":"))

"""Tables of the links, and their queries."""

from datetime import datetime
from ipaddress import IPv4Address, IPv4Network

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from safecity.platform.database import Json, UtcInstant, metadata
from safecity.sites.links.model import Health, KeyState, Link, LinkKey, LinkReport
from safecity.sites.model import SiteId
from safecity.sites.tables import sites

links = sa.Table(
    "links",
    metadata,
    sa.Column("site_id", sa.String(60), sa.ForeignKey("sites.id"), primary_key=True, comment="Which site it leads to"),
    sa.Column(
        "number", sa.Integer, nullable=False, unique=True, comment="Gives its tunnel addresses; never used again"
    ),
    sa.Column("subnet", sa.String(18), nullable=False, comment="Network of the site's cameras, such as 10.80.1.0/24"),
    sa.Column("made_at", UtcInstant, nullable=False, comment="When it was first offered"),
    sa.Column(
        "revoked_at", UtcInstant, nullable=True, comment="When it was cut off for good; empty while it may be up"
    ),
    comment="Encrypted links to sites (WireGuard)",
)
link_keys = sa.Table(
    "link_keys",
    metadata,
    sa.Column("site_id", sa.String(60), sa.ForeignKey("links.site_id"), primary_key=True, comment="Whose keys"),
    sa.Column("generation", sa.Integer, primary_key=True, comment="1 for the first keys, and one more each time"),
    sa.Column("state", sa.String(10), nullable=False, comment="offered, standby, active, retiring, gone"),
    sa.Column("tunnel_address", sa.String(15), nullable=False, comment="The site's address in the tunnel"),
    sa.Column("public_key", sa.String(44), nullable=True, comment="The site's public key; empty until it has answered"),
    sa.Column("preshared_key", sa.LargeBinary, nullable=False, comment="Pre-shared key, sealed to site and generation"),
    sa.Column("offered_at", UtcInstant, nullable=False, comment="When these keys were offered"),
    sa.Column("expires_at", UtcInstant, nullable=False, comment="Until when the offer may be answered"),
    sa.Column("active_at", UtcInstant, nullable=True, comment="When they began to carry the site's network"),
    comment="Generations of keys of the links; the site's private keys are at the site only",
)
link_reports = sa.Table(
    "link_reports",
    metadata,
    sa.Column("site_id", sa.String(60), sa.ForeignKey("links.site_id"), primary_key=True, comment="Which link"),
    sa.Column("checked_at", UtcInstant, nullable=False, comment="When it was measured"),
    sa.Column("health", sa.String(10), nullable=False, comment="up, degraded, down, waiting, unknown"),
    sa.Column("since", UtcInstant, nullable=False, comment="Since when it is so"),
    sa.Column("handshake_at", UtcInstant, nullable=True, comment="Last handshake with the site"),
    sa.Column("loss", sa.Double, nullable=True, comment="Share of echoes that were not answered"),
    sa.Column("delay_ms", sa.Double, nullable=True, comment="Median way there and back"),
    sa.Column("received_bytes", sa.BigInteger, nullable=False, comment="From the site since the interface is up"),
    sa.Column("sent_bytes", sa.BigInteger, nullable=False, comment="To the site since the interface is up"),
    sa.Column("findings", Json, nullable=False, comment="What is wrong with its configuration, stable words"),
    comment="How each link was when last measured",
)


def list_links(connection: Connection, *, with_revoked: bool = False) -> list[Link]:
    """Every link with its generations, by the code of its site."""
    statement = sa.select(links, sites.c.code).join(sites, sites.c.id == links.c.site_id).order_by(sites.c.code)
    if not with_revoked:
        statement = statement.where(links.c.revoked_at.is_(None))
    generations: dict[str, list[LinkKey]] = {}
    for row in connection.execute(sa.select(link_keys).order_by(link_keys.c.generation)).mappings():
        generations.setdefault(row["site_id"], []).append(_key(row))
    rows = connection.execute(statement).mappings().all()
    return [_link(row, generations.get(row["site_id"], [])) for row in rows]


def find_link(connection: Connection, site: SiteId) -> Link | None:
    """A site's link, revoked ones too."""
    statement = sa.select(links, sites.c.code).join(sites, sites.c.id == links.c.site_id)
    row = connection.execute(statement.where(links.c.site_id == site)).mappings().first()
    if row is None:
        return None
    own = sa.select(link_keys).where(link_keys.c.site_id == site).order_by(link_keys.c.generation)
    return _link(row, [_key(one) for one in connection.execute(own).mappings()])


def find_site(connection: Connection, code: str) -> SiteId | None:
    """The site in use with a code or an id."""
    statement = sa.select(sites.c.id).where(
        sa.or_(sites.c.code == code, sites.c.id == code), sites.c.retired_at.is_(None)
    )
    found = connection.execute(statement).scalar()
    return None if found is None else SiteId(found)


def next_number(connection: Connection) -> int:
    """A number that no link has had."""
    return (connection.execute(sa.select(sa.func.max(links.c.number))).scalar() or 0) + 1


def add_link(connection: Connection, site: SiteId, *, number: int, subnet: IPv4Network, now: datetime) -> None:
    """A new link, without keys."""
    connection.execute(links.insert().values(site_id=site, number=number, subnet=str(subnet), made_at=now))


def restore_link(connection: Connection, site: SiteId) -> None:
    """Take a revoked link into use again; its old keys stay gone."""
    connection.execute(links.update().where(links.c.site_id == site).values(revoked_at=None))


def add_key(connection: Connection, key: LinkKey, *, preshared_key: bytes) -> None:
    """A new generation."""
    connection.execute(
        link_keys.insert().values(
            site_id=key.site,
            generation=key.generation,
            state=key.state.value,
            tunnel_address=str(key.tunnel_address),
            public_key=key.public_key,
            preshared_key=preshared_key,
            offered_at=key.offered_at,
            expires_at=key.expires_at,
        )
    )


def change_key(connection: Connection, key: LinkKey, **values: object) -> None:
    """Change columns of a generation."""
    c = link_keys.c
    connection.execute(link_keys.update().where(c.site_id == key.site, c.generation == key.generation).values(**values))


def revoke(connection: Connection, site: SiteId, *, now: datetime) -> None:
    """Cut a link off: no generation of it is a peer any more, and its pre-shared keys are forgotten."""
    connection.execute(links.update().where(links.c.site_id == site).values(revoked_at=now))
    gone = {"state": KeyState.GONE.value, "preshared_key": b""}
    connection.execute(link_keys.update().where(link_keys.c.site_id == site).values(**gone))


def read_preshared_key(connection: Connection, key: LinkKey) -> bytes:
    """The sealed pre-shared key of a generation."""
    c = link_keys.c
    statement = sa.select(c.preshared_key).where(c.site_id == key.site, c.generation == key.generation)
    return bytes(connection.execute(statement).scalar_one())


def put_report(connection: Connection, report: LinkReport, *, since: datetime) -> None:
    """Replace the last measurement of a link."""
    connection.execute(link_reports.delete().where(link_reports.c.site_id == report.site))
    connection.execute(
        link_reports.insert().values(
            site_id=report.site,
            checked_at=report.checked_at,
            health=report.health.value,
            since=since,
            handshake_at=report.handshake_at,
            loss=report.loss,
            delay_ms=report.delay_ms,
            received_bytes=report.received_bytes,
            sent_bytes=report.sent_bytes,
            findings=list(report.findings),
        )
    )


def list_reports(connection: Connection) -> list[tuple[LinkReport, datetime]]:
    """The last measurement of each link in use, and since when it is so; by the code of the site."""
    statement = (
        sa.select(link_reports, sites.c.code)
        .join(links, links.c.site_id == link_reports.c.site_id)
        .join(sites, sites.c.id == links.c.site_id)
        .where(links.c.revoked_at.is_(None))
        .order_by(sites.c.code)
    )
    return [(_report(row), row["since"]) for row in connection.execute(statement).mappings()]


def _report(row: RowMapping) -> LinkReport:
    return LinkReport(
        site=SiteId(row["site_id"]),
        code=row["code"],
        checked_at=row["checked_at"],
        health=Health(row["health"]),
        handshake_at=row["handshake_at"],
        loss=row["loss"],
        delay_ms=row["delay_ms"],
        received_bytes=row["received_bytes"],
        sent_bytes=row["sent_bytes"],
        findings=tuple(row["findings"]),
    )


def _key(row: RowMapping) -> LinkKey:
    return LinkKey(
        site=SiteId(row["site_id"]),
        generation=row["generation"],
        state=KeyState(row["state"]),
        tunnel_address=IPv4Address(row["tunnel_address"]),
        public_key=row["public_key"],
        offered_at=row["offered_at"],
        expires_at=row["expires_at"],
        active_at=row["active_at"],
    )


def _link(row: RowMapping, keys: list[LinkKey]) -> Link:
    return Link(
        site=SiteId(row["site_id"]),
        code=row["code"],
        number=row["number"],
        subnet=IPv4Network(row["subnet"]),
        made_at=row["made_at"],
        revoked_at=row["revoked_at"],
        keys=tuple(keys),
    )

"""Encrypted links to the sites."""

import sqlalchemy as sa
from alembic import op

from safecity.platform.database import Json, UtcInstant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of the links."""
    op.create_table(
        "links",
        sa.Column("site_id", sa.String(60), nullable=False, comment="Which site it leads to"),
        sa.Column("number", sa.Integer, nullable=False, comment="Gives its tunnel addresses; never used again"),
        sa.Column(
            "subnet", sa.String(18), nullable=False, comment="Network of the site's cameras, such as 10.80.1.0/24"
        ),
        sa.Column("made_at", UtcInstant, nullable=False, comment="When it was first offered"),
        sa.Column(
            "revoked_at", UtcInstant, nullable=True, comment="When it was cut off for good; empty while it may be up"
        ),
        sa.PrimaryKeyConstraint("site_id", name="pk_links"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_links_site_id_sites"),
        sa.UniqueConstraint("number", name="uq_links_number"),
        comment="Encrypted links to sites (WireGuard)",
    )
    op.create_table(
        "link_keys",
        sa.Column("site_id", sa.String(60), nullable=False, comment="Whose keys"),
        sa.Column("generation", sa.Integer, nullable=False, comment="1 for the first keys, and one more each time"),
        sa.Column("state", sa.String(10), nullable=False, comment="offered, standby, active, retiring, gone"),
        sa.Column("tunnel_address", sa.String(15), nullable=False, comment="The site's address in the tunnel"),
        sa.Column(
            "public_key", sa.String(44), nullable=True, comment="The site's public key; empty until it has answered"
        ),
        sa.Column(
            "preshared_key", sa.LargeBinary, nullable=False, comment="Pre-shared key, sealed to site and generation"
        ),
        sa.Column("offered_at", UtcInstant, nullable=False, comment="When these keys were offered"),
        sa.Column("expires_at", UtcInstant, nullable=False, comment="Until when the offer may be answered"),
        sa.Column("active_at", UtcInstant, nullable=True, comment="When they began to carry the site's network"),
        sa.PrimaryKeyConstraint("site_id", "generation", name="pk_link_keys"),
        sa.ForeignKeyConstraint(["site_id"], ["links.site_id"], name="fk_link_keys_site_id_links"),
        comment="Generations of keys of the links; the site's private keys are at the site only",
    )
    _reports()


def _reports() -> None:
    op.create_table(
        "link_reports",
        sa.Column("site_id", sa.String(60), nullable=False, comment="Which link"),
        sa.Column("checked_at", UtcInstant, nullable=False, comment="When it was measured"),
        sa.Column("health", sa.String(10), nullable=False, comment="up, degraded, down, waiting, unknown"),
        sa.Column("since", UtcInstant, nullable=False, comment="Since when it is so"),
        sa.Column("handshake_at", UtcInstant, nullable=True, comment="Last handshake with the site"),
        sa.Column("loss", sa.Double, nullable=True, comment="Share of echoes that were not answered"),
        sa.Column("delay_ms", sa.Double, nullable=True, comment="Median way there and back"),
        sa.Column("received_bytes", sa.BigInteger, nullable=False, comment="From the site since the interface is up"),
        sa.Column("sent_bytes", sa.BigInteger, nullable=False, comment="To the site since the interface is up"),
        sa.Column("findings", Json, nullable=False, comment="What is wrong with its configuration, stable words"),
        sa.PrimaryKeyConstraint("site_id", name="pk_link_reports"),
        sa.ForeignKeyConstraint(["site_id"], ["links.site_id"], name="fk_link_reports_site_id_links"),
        comment="How each link was when last measured",
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("link_reports", "link_keys", "links"):
        op.drop_table(table)

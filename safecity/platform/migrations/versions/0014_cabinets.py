"""Cabinets of the sites."""

import sqlalchemy as sa
from alembic import op

from safecity.platform.database import UtcInstant

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of the cabinets."""
    op.create_table(
        "cabinet_conditions",
        sa.Column("site_id", sa.String(60), nullable=False, comment="At which site"),
        sa.Column("kind", sa.String(12), nullable=False, comment="door, mains, battery, temperature"),
        sa.Column("from_at", UtcInstant, nullable=False, comment="Since when it is so"),
        sa.Column("to_at", UtcInstant, nullable=True, comment="Until when it was so; empty for the present"),
        sa.Column("word", sa.String(12), nullable=False, comment="open, closed, on, off, low, enough, hot, normal"),
        sa.Column("figure", sa.Double, nullable=True, comment="Last figure: per cent, degrees Celsius"),
        sa.Column("heard_at", UtcInstant, nullable=False, comment="When the cabinet last said so, by its time"),
        sa.PrimaryKeyConstraint("site_id", "kind", "from_at", name="pk_cabinet_conditions"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_cabinet_conditions_site_id_sites"),
        comment="What each cabinet said and since when; a row for each change",
    )
    op.create_table(
        "cabinet_tokens",
        sa.Column("site_id", sa.String(60), nullable=False, comment="Whose cabinet"),
        sa.Column(
            "hash", sa.String(64), nullable=False, comment="SHA-256 of the token; it is random, so no salt is needed"
        ),
        sa.Column("made_at", UtcInstant, nullable=False, comment="When it was made; an earlier one is void"),
        sa.PrimaryKeyConstraint("site_id", name="pk_cabinet_tokens"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name="fk_cabinet_tokens_site_id_sites"),
        comment="Tokens with which cabinets speak over HTTP",
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("cabinet_tokens", "cabinet_conditions"):
        op.drop_table(table)

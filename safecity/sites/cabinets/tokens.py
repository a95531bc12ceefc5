"""Tokens with which cabinets speak over HTTP: one a site, of which only a hash is kept."""

import hashlib
import hmac
import secrets
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from safecity.platform.database import UtcInstant, metadata
from safecity.sites.model import SiteId
from safecity.sites.tables import sites

TOKEN_BYTES = 32
_NOBODY = hashlib.sha256(b"").hexdigest()

cabinet_tokens = sa.Table(
    "cabinet_tokens",
    metadata,
    sa.Column("site_id", sa.String(60), sa.ForeignKey("sites.id"), primary_key=True, comment="Whose cabinet"),
    sa.Column(
        "hash", sa.String(64), nullable=False, comment="SHA-256 of the token; it is random, so no salt is needed"
    ),
    sa.Column("made_at", UtcInstant, nullable=False, comment="When it was made; an earlier one is void"),
    comment="Tokens with which cabinets speak over HTTP",
)


def new_token(connection: Connection, site: SiteId, *, now: datetime) -> str:
    """A fresh token of a site; the one before is void."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    connection.execute(cabinet_tokens.delete().where(cabinet_tokens.c.site_id == site))
    connection.execute(cabinet_tokens.insert().values(site_id=site, hash=_hash(token), made_at=now))
    return token


def revoke_token(connection: Connection, site: SiteId) -> bool:
    """Take no message over HTTP from a site any more; False where none was taken."""
    return connection.execute(cabinet_tokens.delete().where(cabinet_tokens.c.site_id == site)).rowcount > 0


def is_token(connection: Connection, code: str, token: str) -> bool:
    """Whether this is the token of the site with that code."""
    statement = (
        sa.select(cabinet_tokens.c.hash)
        .join(sites, sites.c.id == cabinet_tokens.c.site_id)
        .where(sites.c.code == code, sites.c.retired_at.is_(None))
    )
    known = connection.execute(statement).scalar()
    return hmac.compare_digest(known or _NOBODY, _hash(token)) and bool(token)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

"""The centre's register of edges: tokens, enrolment, who may speak, revocation. Denied unless active."""

import base64
import hashlib
import json
import os
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from safecity.oversight.service import Oversight
from safecity.platform.clock import Clock, to_us
from safecity.platform.database import Database
from safecity.platform.errors import Conflict, Denied, Exhausted, Invalid, NotFound
from safecity.platform.ids import new_id
from safecity.sites.tables import cameras, sites
from safecity.video.edge.model import Backfill, Edge, EdgeId, EdgeState, Streams
from safecity.video.edge.signing import (
    MAX_AGE_US,
    Request,
    check_request,
    load_key,
    public_hex,
    read_claim,
    sign_answer,
)
from safecity.video.edge.tables import edges

TOKEN_HOLDS = timedelta(hours=24)
SECRET_BYTES = 24
MAX_NONCES = 200_000  # 120 s of 800 requests a second, twice
MAX_TOKEN_CHARS = 400
CENTRE_KEY = "centre-edge-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What an edge pushes live and what it back-fills."""

    streams: Streams = "sub"
    backfill: Backfill = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A one-time token, and the centre's key that comes with it; shown once."""

    secret: str
    centre_key: str

    def text(self) -> str:
        """As it is carried to the site."""
        raw = json.dumps({"secret": self.secret, "centre": self.centre_key}).encode()
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    def __repr__(self) -> str:
        return "Token(...)"


def read_token(text: str) -> Token:
    """The reverse of `Token.text`; raises Invalid."""
    text = text.strip()
    try:
        if len(text) > MAX_TOKEN_CHARS:
            raise ValueError
        said: object = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        fields = cast("dict[str, str]", said)
        return Token(secret=str(fields["secret"]), centre_key=bytes.fromhex(fields["centre"]).hex())
    except (ValueError, KeyError, TypeError) as error:
        advice = "take it from `safecity edges add` as a whole"
        raise Invalid(f"this is no token of a centre; {advice}", code="edge.token_unreadable") from error


class EdgeRegister:
    """Edges as the centre knows them."""

    def __init__(self, database: Database, oversight: Oversight, *, clock: Clock, data_dir: Path) -> None:
        self._database = database
        self._oversight = oversight
        self._clock = clock
        self._key = load_key(data_dir / "secrets" / CENTRE_KEY)
        self._nonces: OrderedDict[str, int] = OrderedDict()
        self._lock = Lock()

    def add(self, site: str, policy: Policy) -> tuple[EdgeId, Token]:
        """Register an edge for a site; its token is shown once. Raises NotFound, and Conflict where one is active."""
        secret = base64.urlsafe_b64encode(os.urandom(SECRET_BYTES)).decode()
        edge, now = EdgeId(new_id("edg")), self._clock.now()
        with self._database.begin() as connection:
            site_id = find_site(connection, site)
            there = [one for one in list_edges(connection) if one.site == site_id and one.state is EdgeState.ACTIVE]
            if there:
                raise Conflict(
                    f"site {site} has the edge {there[0].id}; revoke it first", code="edge.site_taken", edge=there[0].id
                )
            self._oversight.note(connection, type="edge_added", body={"edge": edge, "site": site_id})
            connection.execute(
                edges.insert().values(
                    id=edge,
                    site_id=site_id,
                    state=EdgeState.WAITING.value,
                    token_hash=_hash(secret),
                    token_until=now + TOKEN_HOLDS,
                    streams=policy.streams,
                    backfill=policy.backfill,
                    added_at=now,
                    status={},
                )
            )
        return edge, Token(secret=secret, centre_key=public_hex(self._key))

    def list_edges(self) -> list[Edge]:
        """All, the revoked ones too."""
        with self._database.read() as connection:
            return list_edges(connection)

    def revoke(self, edge: str) -> None:
        """Take every right from an edge, at once. Raises NotFound."""
        with self._database.begin() as connection:
            self._oversight.note(connection, type="edge_revoked", body={"edge": edge})
            changed = connection.execute(
                edges.update()
                .where(edges.c.id == edge, edges.c.state != EdgeState.REVOKED.value)
                .values(state=EdgeState.REVOKED.value, revoked_at=self._clock.now(), token_hash=None)
            )
            if not changed.rowcount:
                raise NotFound(f"there is no edge {edge} to revoke", code="edge.unknown")

    def enrol(self, secret: str, public_key: str) -> Edge:
        """Take a one-time token for a key; asked again with the same token and key, it answers the same.

        Raises Denied for a token that is unknown, used by another key or too old.
        """
        with self._database.begin() as connection:
            found = connection.execute(
                sa.select(edges).where(edges.c.token_hash == _hash(secret), edges.c.state != EdgeState.REVOKED.value)
            ).mappings()
            row = found.first()
            now = self._clock.now()
            is_again = row is not None and row["public_key"] == public_key
            if row is None or (not is_again and (row["public_key"] is not None or row["token_until"] < now)):
                raise Denied("this token is not valid; make a new one with `safecity edges add`", code="edge.bad_token")
            if not is_again:
                others = [one for one in list_edges(connection) if one.site == row["site_id"]]
                if any(one.state is EdgeState.ACTIVE for one in others):
                    raise Denied("the site has an active edge; revoke it first", code="edge.site_taken")
                self._oversight.note(connection, type="edge_enrolled", body={"edge": row["id"], "key": public_key})
                values = {"public_key": public_key, "state": EdgeState.ACTIVE.value, "enrolled_at": now}
                connection.execute(edges.update().where(edges.c.id == row["id"]).values(values))
            return get_edge(connection, row["id"])

    def authenticate(self, header: str | None, request: Request) -> tuple[Edge, str]:
        """The edge that signed this request, and its nonce. Raises Denied; a request that comes twice is one of them.

        The nonces are forgotten with the process: a request replayed across its restart repeats what was done, and
        every request may be repeated.
        """
        claim = read_claim(header)
        with self._database.read() as connection:
            found = find_edge(connection, claim.edge)
        if found is None or found.state is not EdgeState.ACTIVE or found.public_key is None:
            raise Denied("this edge may not speak here; enrol it, or ask why it was revoked", code="edge.not_active")
        now_us = to_us(self._clock.now())
        check_request(request, claim, public_key=found.public_key, now_us=now_us)
        with self._lock:
            while self._nonces and next(iter(self._nonces.values())) < now_us - 2 * MAX_AGE_US:
                self._nonces.popitem(last=False)
            if claim.nonce in self._nonces:
                raise Denied("this request was made before", code="edge.replayed")
            if len(self._nonces) >= MAX_NONCES:
                raise Exhausted("too many requests at once; wait a little", code="edge.too_many", retry_after_s=5.0)
            self._nonces[claim.nonce] = now_us
        return found, claim.nonce

    def sign(self, *, nonce: str, status: int, body: bytes) -> str:
        """The header that proves an answer to be the centre's."""
        return sign_answer(self._key, nonce=nonce, status=status, body=body)

    def is_active(self, edge: EdgeId) -> bool:
        """Whether it may still speak; asked every few seconds by whatever stays open."""
        with self._database.read() as connection:
            found = find_edge(connection, edge)
        return found is not None and found.state is EdgeState.ACTIVE


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def find_site(connection: Connection, name: str) -> str:
    """The id of a site in use, by its code or its id. Raises NotFound."""
    c = sites.c
    statement = sa.select(c.id).where(c.retired_at.is_(None), sa.or_(c.id == name, c.code == name))
    found = connection.execute(statement).scalar()
    if found is None:
        raise NotFound(f"no site {name} is in use; see the city file", code="sites.no_site")
    return str(found)


def list_cameras_of(connection: Connection, site: str) -> list[str]:
    """The cameras of a site in use."""
    c = cameras.c
    statement = sa.select(c.id).where(c.site_id == site, c.retired_at.is_(None)).order_by(c.id)
    return [str(one) for one in connection.execute(statement).scalars()]


def _edge(row: RowMapping) -> Edge:
    names = ("site_id", "token_hash", "token_until")
    fields = {name: value for name, value in row.items() if name not in names}
    fields |= {"state": EdgeState(row["state"]), "site": row["site_id"]}
    return Edge(**fields)


def list_edges(connection: Connection) -> list[Edge]:
    """All, in the order in which they were added."""
    return [_edge(row) for row in connection.execute(sa.select(edges).order_by(edges.c.id)).mappings()]


def find_edge(connection: Connection, edge: str) -> Edge | None:
    """One edge."""
    row = connection.execute(sa.select(edges).where(edges.c.id == edge)).mappings().first()
    return None if row is None else _edge(row)


def get_edge(connection: Connection, edge: str) -> Edge:
    """One edge. Raises NotFound."""
    found = find_edge(connection, edge)
    if found is None:
        raise NotFound(f"there is no edge {edge}", code="edge.unknown")
    return found


def find_edges_of(connection: Connection, site_ids: Sequence[str]) -> dict[str, Edge]:
    """The active edges of sites."""
    c = edges.c
    statement = sa.select(edges).where(c.site_id.in_(site_ids), c.state == EdgeState.ACTIVE.value)
    return {str(row["site_id"]): _edge(row) for row in connection.execute(statement).mappings()}

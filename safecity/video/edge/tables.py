"""The tables of edges: at the centre who they are and what came from them, on an edge how far it has come."""

import sqlalchemy as sa

from safecity.platform.database import Json, UtcInstant, metadata

edges = sa.Table(
    "edges",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True, comment="edg_..."),
    sa.Column("site_id", sa.String(60), nullable=False, index=True, comment="The site whose cameras it speaks for"),
    sa.Column("state", sa.String(10), nullable=False, comment="waiting, active, revoked"),
    sa.Column("public_key", sa.String(64), nullable=True, comment="Its Ed25519 key in hex, once it has enrolled"),
    sa.Column("token_hash", sa.String(64), nullable=True, comment="SHA-256 of its one-time token; null once used"),
    sa.Column("token_until", UtcInstant, nullable=False, comment="Until when the token may be used"),
    sa.Column("streams", sa.String(10), nullable=False, comment="What it pushes live: sub, main+sub"),
    sa.Column("backfill", sa.String(10), nullable=False, comment="What it back-fills: missing, wanted, off"),
    sa.Column("added_at", UtcInstant, nullable=False, comment="When it was registered"),
    sa.Column("enrolled_at", UtcInstant, nullable=True, comment="When it enrolled; nothing before is asked for"),
    sa.Column("revoked_at", UtcInstant, nullable=True, comment="When it lost every right"),
    sa.Column("seen_at", UtcInstant, nullable=True, comment="Its last exchange"),
    sa.Column("status", Json, nullable=False, comment="What it said then: outbox, back-fill, clock"),
    comment="Recorders at sites that share with this centre",
)

edge_receipts = sa.Table(
    "edge_receipts",
    metadata,
    sa.Column("edge", sa.String(40), primary_key=True, comment="Edge id"),
    sa.Column("epoch", sa.String(36), primary_key=True, comment="UUID of the edge's database; another disk, another"),
    sa.Column("sequence", sa.BigInteger, nullable=False, comment="Highest fact committed here"),
    sa.Column("received_at", UtcInstant, nullable=False, comment="When"),
    comment="How far the facts of each edge have been received",
)

edge_letters = sa.Table(
    "edge_letters",
    metadata,
    sa.Column("edge", sa.String(40), primary_key=True, comment="Edge id"),
    sa.Column("epoch", sa.String(36), primary_key=True, comment="Epoch of its outbox"),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False, comment="Number in its outbox"),
    sa.Column("body", sa.Text, nullable=False, comment="What it sent, as JSON"),
    sa.Column("reason", sa.Text, nullable=False, comment="Why it was not taken"),
    sa.Column("received_at", UtcInstant, nullable=False, comment="When"),
    comment="Facts of edges that could not be read or were not theirs to state; kept until someone looks",
)

edge_wants = sa.Table(
    "edge_wants",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True, comment="want_..."),
    sa.Column("camera", sa.String(64), nullable=False, index=True, comment="Camera id"),
    sa.Column("from_at", UtcInstant, nullable=False, comment="First instant that is wanted"),
    sa.Column("to_at", UtcInstant, nullable=False, comment="First instant that is not"),
    sa.Column("reason", sa.String(64), nullable=False, comment="Who asked, such as a case or a person"),
    sa.Column("asked_at", UtcInstant, nullable=False, comment="When"),
    comment="Intervals of main streams that somebody asked an edge for",
)

edge_arrivals = sa.Table(
    "edge_arrivals",
    metadata,
    sa.Column("root", sa.String(64), primary_key=True, comment="Merkle root of the file"),
    sa.Column("edge", sa.String(40), primary_key=True, comment="Edge id"),
    sa.Column("camera", sa.String(64), nullable=False, comment="Camera id"),
    sa.Column("stream", sa.String(8), nullable=False, comment="main or sub"),
    sa.Column("started_at", UtcInstant, nullable=False, comment="Its start on the edge's own line, as the file says"),
    sa.Column("shift_us", sa.BigInteger, nullable=False, comment="Added to that: the centre's clock less the edge's"),
    sa.Column("shift_error_us", sa.BigInteger, nullable=False, comment="How far the shift may be off"),
    sa.Column("shown", sa.Integer, nullable=False, comment="Rows of the index that it became; 0: nothing was missing"),
    sa.Column("arrived_at", UtcInstant, nullable=False, comment="When it was whole and durable"),
    comment="Files that came from edges, and how their time was brought onto the centre's line",
)

edge_link = sa.Table(
    "edge_link",
    metadata,
    sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False, comment="Always 1"),
    sa.Column("edge", sa.String(40), nullable=False, comment="Our id at the centre"),
    sa.Column("site", sa.String(60), nullable=False, comment="The site we speak for"),
    sa.Column("centre_key", sa.String(64), nullable=False, comment="The centre's Ed25519 key in hex"),
    sa.Column("epoch", sa.String(36), nullable=False, comment="UUID of this database's facts"),
    sa.Column("acknowledged", sa.BigInteger, nullable=False, comment="Highest cursor that the centre has committed"),
    sa.Column("registry", sa.String(64), nullable=True, comment="Digest of the registry that was applied last"),
    comment="On an edge: who we are to the centre",
)

edge_clock = sa.Table(
    "edge_clock",
    metadata,
    sa.Column("at", UtcInstant, primary_key=True, comment="When, by our clock"),
    sa.Column("offset_us", sa.BigInteger, nullable=False, comment="The centre's clock less ours"),
    sa.Column("error_us", sa.BigInteger, nullable=False, comment="Half the round trip"),
    comment="On an edge: measurements of the centre's clock",
)

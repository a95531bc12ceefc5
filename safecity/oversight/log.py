"""The log that only grows: appending leaves, reading them, the root and the proofs.

A leaf is RFC 8785 JSON `{v,t,type,commit}` with `commit = SHA-256(salt || body)`: it names nobody, so the tree can be
shown to anyone and kept for ever. Salt and body stand in a table of their own and can be erased while the tree stays.
Complete subtrees are stored as they fill (RFC 6962's tree never changes them), so an append, the root and a proof
each read O(log n) rows.

Appends pass one at a time (`serialise`), so that indices are dense and in the order of commit. On PostgreSQL whoever
holds that turn must not wait for another lock that a waiting writer holds: in one transaction take the log first
(`permit`, `note`), state facts afterwards.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import rfc8785
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from safecity.oversight import merkle
from safecity.platform.clock import to_iso
from safecity.platform.database import UtcInstant, metadata, serialise
from safecity.platform.errors import DataLoss, Invalid, NotFound, Unavailable

LEAF_VERSION = 1
SALT_BYTES = 32
MAX_BODY_BYTES = 16 * 1024
MAX_PAGE = 200
MAX_TYPES = 200
_TYPE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LOG_LOCK = 3

Json = bool | int | float | str | None | list["Json"] | dict[str, "Json"]

log_leaves = sa.Table(
    "log_leaves",
    metadata,
    sa.Column(
        "leaf_index", sa.BigInteger, primary_key=True, autoincrement=False, comment="0, 1, 2, ... in order of commit"
    ),
    sa.Column("type", sa.String(40), nullable=False, comment="What happened, such as view_live or refused"),
    sa.Column("at", UtcInstant, nullable=False, comment="When, to the millisecond, as in the entry"),
    sa.Column("commitment", sa.LargeBinary(32), nullable=False, comment="SHA-256 of salt and body"),
    sa.Column("leaf_hash", sa.LargeBinary(32), nullable=False, comment="RFC 6962 leaf hash of the entry"),
    sa.Column("entry", sa.Text, nullable=False, comment="The leaf itself: RFC 8785 JSON {v,t,type,commit}"),
    sa.Index(None, "type", "leaf_index"),
    comment="The log that only grows; nothing in it names anybody",
)

log_bodies = sa.Table(
    "log_bodies",
    metadata,
    sa.Column(
        "leaf_index",
        sa.BigInteger,
        sa.ForeignKey("log_leaves.leaf_index"),
        primary_key=True,
        autoincrement=False,
        comment="Whose content this is",
    ),
    sa.Column("salt", sa.LargeBinary(32), nullable=True, comment="32 random bytes; null once erased"),
    sa.Column("body", sa.Text, nullable=True, comment="Content as RFC 8785 JSON; null once erased"),
    comment="Restricted content of the leaves; can be erased while the tree stays",
)

log_nodes = sa.Table(
    "log_nodes",
    metadata,
    sa.Column(
        "level", sa.SmallInteger, primary_key=True, autoincrement=False, comment="Height above the leaves, from 1"
    ),
    sa.Column(
        "position",
        sa.BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="It covers the leaves position*2^level and following",
    ),
    sa.Column("hash", sa.LargeBinary(32), nullable=False, comment="RFC 6962 hash of that complete subtree"),
    comment="Complete subtrees, so that an append, the root and a proof read O(log n) rows",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogState:
    """How long the log is and what it is: with both, a later log can be proved to begin with this one."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One line of the log: the entry that is hashed, and the salt and body (RFC 8785 JSON) that it commits to.

    Salt and body are None once the content has been erased. With all three a reader can check the line alone.
    """

    index: int
    at: datetime
    type: str
    leaf_hash: bytes
    entry: str
    salt: bytes | None
    body: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusionProof:
    """That a leaf is in the log of this size and root; `merkle.verify_inclusion` checks it."""

    index: int
    size: int
    root: bytes
    leaf_hash: bytes
    entry: str
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsistencyProof:
    """That the log of `new` begins with the whole log of `old`; `merkle.verify_consistency` checks it."""

    old: LogState
    new: LogState
    path: tuple[bytes, ...]


def take_turn(connection: Connection) -> None:
    """Wait until this transaction is the only one that may append; what it reads from here on is the latest."""
    serialise(connection, _LOG_LOCK)


def append(connection: Connection, *, type: str, body: Mapping[str, object], at: datetime) -> int:  # noqa: A002 - the leaf's own word
    """Write a leaf in the caller's transaction; its index is returned.

    Raises Invalid for a body that is not JSON or too long and Unavailable when the database refuses the leaf: then
    the caller's transaction must not be committed.
    """
    if not is_type(type):
        raise Invalid(f"{type!r} is no type of a leaf; use lower case words joined by _", code="oversight.bad_leaf")
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    salt, text = os.urandom(SALT_BYTES), canonical(body)
    commitment = commit(salt, text)
    entry = entry_of(type=type, at=at, commitment=commitment)
    leaf_hash = merkle.leaf_hash(entry)
    try:
        take_turn(connection)
        index = size_of(connection)
        row = {"leaf_index": index, "type": type, "at": at, "commitment": commitment, "leaf_hash": leaf_hash}
        connection.execute(log_leaves.insert().values({**row, "entry": entry.decode()}))
        connection.execute(log_bodies.insert().values(leaf_index=index, salt=salt, body=text.decode()))
        _complete_nodes(connection, index, leaf_hash=leaf_hash)
    except DBAPIError as error:
        raise Unavailable(
            "the log cannot be written, so nothing is granted or changed; see `safecity doctor`",
            code="oversight.log_unwritable",
        ) from error
    return index


def is_type(text: str) -> bool:
    """Whether this can be a leaf's type: lower case words joined by _."""
    return _TYPE.fullmatch(text) is not None


def canonical(body: Mapping[str, object]) -> bytes:
    """A body as RFC 8785 JSON. Raises Invalid when it has none or is over `MAX_BODY_BYTES`."""
    try:
        text = rfc8785.dumps(_plain(body))
    except rfc8785.CanonicalizationError as error:
        raise Invalid(f"a leaf's body must be plain JSON: {error}", code="oversight.bad_leaf") from error
    if len(text) > MAX_BODY_BYTES:
        raise Invalid(
            f"a leaf's body is over {MAX_BODY_BYTES} bytes; name things by their ids", code="oversight.bad_leaf"
        )
    return text


def commit(salt: bytes, text: bytes) -> bytes:
    """What a leaf says of its body: with the salt nobody can guess the body from it."""
    return hashlib.sha256(salt + text).digest()


def entry_of(*, type: str, at: datetime, commitment: bytes) -> bytes:  # noqa: A002 - the leaf's own word
    """The leaf itself."""
    return rfc8785.dumps({"v": LEAF_VERSION, "t": to_iso(at), "type": type, "commit": commitment.hex()})


def size_of(connection: Connection) -> int:
    """How many leaves there are."""
    return connection.execute(sa.select(sa.func.coalesce(sa.func.max(log_leaves.c.leaf_index) + 1, 0))).scalar_one()


def state_of(connection: Connection, size: int | None = None) -> LogState:
    """The root now, or as it was at an earlier size. Raises NotFound for a size the log has not reached."""
    now_size = size_of(connection)
    size = now_size if size is None else size
    if not 0 <= size <= now_size:
        raise NotFound(f"the log has {now_size} leaves, not {size}", code="oversight.no_such_size")
    (value,) = _fold_each(connection, [merkle.peaks(0, size)])
    return LogState(size=size, root=value)


def prove_inclusion(connection: Connection, index: int, *, size: int | None = None) -> InclusionProof:
    """The audit path of a leaf. Raises NotFound when there is no such leaf."""
    state = state_of(connection, size)
    if not 0 <= index < state.size:
        raise NotFound(f"the log has {state.size} leaves; there is no leaf {index}", code="oversight.no_such_leaf")
    row = connection.execute(sa.select(log_leaves).where(log_leaves.c.leaf_index == index)).one()
    path = _fold_each(connection, merkle.inclusion_nodes(index, state.size))
    return InclusionProof(
        index=index, size=state.size, root=state.root, leaf_hash=row.leaf_hash, entry=row.entry, path=tuple(path)
    )


def prove_consistency(connection: Connection, old_size: int) -> ConsistencyProof:
    """That the log only grew since it had `old_size` leaves. Raises NotFound when it never had."""
    new, old = state_of(connection), state_of(connection, old_size)
    path = _fold_each(connection, merkle.consistency_nodes(old_size, new.size))
    return ConsistencyProof(old=old, new=new, path=tuple(path))


def list_types(connection: Connection) -> list[str]:
    """The types that stand in the log, by the alphabet; one look into the index for each, however long the log is."""
    found: list[str] = []
    while len(found) < MAX_TYPES:
        after = found[-1] if found else ""
        kind = connection.execute(sa.select(sa.func.min(log_leaves.c.type)).where(log_leaves.c.type > after)).scalar()
        if kind is None:
            break
        found.append(kind)
    return found


def list_leaves(connection: Connection, *, before: int, limit: int, type: str | None = None) -> list[Leaf]:  # noqa: A002 - the leaf's own word
    """The newest leaves below an index, newest first, of one type where one is named."""
    statement = (
        sa.select(log_leaves, log_bodies.c.salt, log_bodies.c.body)
        .outerjoin(log_bodies, log_bodies.c.leaf_index == log_leaves.c.leaf_index)
        .where(log_leaves.c.leaf_index < before)
    )
    if type is not None:
        statement = statement.where(log_leaves.c.type == type)
    rows = connection.execute(statement.order_by(log_leaves.c.leaf_index.desc()).limit(min(limit, MAX_PAGE)))
    return [
        Leaf(
            index=row.leaf_index,
            at=row.at,
            type=row.type,
            leaf_hash=row.leaf_hash,
            entry=row.entry,
            salt=row.salt,
            body=row.body,
        )
        for row in rows
    ]


def _complete_nodes(connection: Connection, index: int, *, leaf_hash: bytes) -> None:
    completed = merkle.completed_nodes(index)
    if not completed:
        return
    left = [(level - 1, position * 2) for level, position in completed]
    known = _hashes_of(connection, left)
    value, rows = leaf_hash, list[dict[str, object]]()
    for (level, position), sibling in zip(completed, left, strict=True):
        value = merkle.node_hash(known[sibling], value)
        rows.append({"level": level, "position": position, "hash": value})
    connection.execute(log_nodes.insert(), rows)


def _fold_each(connection: Connection, parts: Sequence[Sequence[merkle.Node]]) -> list[bytes]:
    known = _hashes_of(connection, [node for part in parts for node in part])
    return [merkle.fold([known[node] for node in part]) for part in parts]


def _hashes_of(connection: Connection, nodes: Iterable[merkle.Node]) -> dict[merkle.Node, bytes]:
    """The stored hashes. Raises DataLoss when one is missing, which only tampering or a broken disk can cause."""
    wanted = set(nodes)
    leaves = [position for level, position in wanted if level == 0]
    inner = [node for node in wanted if node[0] > 0]
    known: dict[merkle.Node, bytes] = {}
    if leaves:
        statement = sa.select(log_leaves.c.leaf_index, log_leaves.c.leaf_hash)
        rows = connection.execute(statement.where(log_leaves.c.leaf_index.in_(leaves)))
        known.update({(0, row.leaf_index): row.leaf_hash for row in rows})
    if inner:
        key = sa.tuple_(log_nodes.c.level, log_nodes.c.position)
        rows = connection.execute(sa.select(log_nodes).where(key.in_(inner)))
        known.update({(row.level, row.position): row.hash for row in rows})
    if missing := wanted - known.keys():
        raise DataLoss(
            f"the log lacks {len(missing)} stored hashes; run `safecity log verify` and keep the database as it is",
            code="oversight.log_damaged",
        )
    return known


def _plain(value: object) -> Json:
    if isinstance(value, datetime):
        return to_iso(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise Invalid(f"a leaf's body must be plain JSON; it holds a {type(value).__name__}", code="oversight.bad_leaf")

"""Recomputing the whole log from the database: every body, every leaf, every stored subtree.

It trusts nothing but the bodies' and entries' own bytes and SHA-256. What it cannot see alone is a log that was cut
short or rewritten as a whole with fresh hashes; for that, give it a size and root that were noted earlier (on paper,
at a witness): they must lie in this log's past.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from safecity.oversight import merkle
from safecity.oversight.log import LogState, commit, entry_of, log_bodies, log_leaves, log_nodes, size_of

_PAGE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the recomputation found; `bad_index` is the first leaf that is not what it was, None for a whole log."""

    size: int
    root: bytes
    bad_index: int | None = None
    reason: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.reason


class _Tree:
    """The tree as it grows from recomputed leaves: its complete subtrees at the right edge, largest first."""

    def __init__(self) -> None:
        self._edge: list[bytes] = []

    def add(self, index: int, leaf_hash: bytes) -> dict[merkle.Node, bytes]:
        """Put the next leaf; the inner nodes that it completes are returned."""
        self._edge.append(leaf_hash)
        completed: dict[merkle.Node, bytes] = {}
        for node in merkle.completed_nodes(index):
            right, left = self._edge.pop(), self._edge.pop()
            completed[node] = merkle.node_hash(left, right)
            self._edge.append(completed[node])
        return completed

    def root(self) -> bytes:
        """The root over the leaves so far."""
        return merkle.fold(self._edge)


def verify(connection: Connection, *, noted: LogState | None = None) -> Verdict:
    """Recompute the log as it is now; leaves appended meanwhile are not looked at.

    `noted` is a size and root from outside that this log must begin with. A leaf whose content has been erased is
    bad: nothing in this version erases.
    """
    size = size_of(connection)
    if noted is not None and noted.size > size:
        reason = f"the log was noted with {noted.size} leaves and has {size}: leaves at its end are gone"
        return Verdict(size=size, root=b"", bad_index=size, reason=reason)
    tree = _Tree()
    noted_root = tree.root()
    for first in range(0, size, _PAGE):
        expected: dict[merkle.Node, bytes] = {}
        for index, (leaf_hash, reason) in enumerate(
            _read(connection, first, end=min(first + _PAGE, size)), start=first
        ):
            if reason:
                return Verdict(size=size, root=b"", bad_index=index, reason=reason)
            expected |= tree.add(index, leaf_hash)
            if noted is not None and index + 1 == noted.size:
                noted_root = tree.root()
        if (index := _find_wrong_node(connection, expected)) is not None:
            reason = "a stored hash over this leaf and the ones before it is not what they give"
            return Verdict(size=size, root=b"", bad_index=index, reason=reason)
    if noted is not None and noted_root != noted.root:
        reason = f"the first {noted.size} leaves do not give the root that was noted: the log was rewritten"
        return Verdict(size=size, root=tree.root(), reason=reason)
    return Verdict(size=size, root=tree.root())


def _read(connection: Connection, first: int, *, end: int) -> Iterator[tuple[bytes, str]]:
    """For each index the recomputed leaf hash, or what is wrong with it; stops after the first wrong one."""
    statement = (
        sa.select(log_leaves, log_bodies.c.salt, log_bodies.c.body)
        .outerjoin(log_bodies, log_bodies.c.leaf_index == log_leaves.c.leaf_index)
        .where(log_leaves.c.leaf_index >= first, log_leaves.c.leaf_index < end)
        .order_by(log_leaves.c.leaf_index)
    )
    expected = first
    for row in connection.execute(statement):
        if row.leaf_index != expected:
            break
        reason = _what_is_wrong(row)
        yield merkle.leaf_hash(row.entry.encode()), reason
        if reason:
            return
        expected += 1
    if expected < end:
        yield b"", "the leaf is gone"


def _what_is_wrong(row: sa.Row[tuple[object, ...]]) -> str:
    if row.salt is None or row.body is None:
        return "its content is gone"
    if commit(row.salt, row.body.encode()) != row.commitment:
        return "its content is not what the leaf was written for"
    if entry_of(type=row.type, at=row.at, commitment=row.commitment) != row.entry.encode():
        return "its entry does not say what its columns say"
    if merkle.leaf_hash(row.entry.encode()) != row.leaf_hash:
        return "its stored hash is not the hash of its entry"
    return ""


def _find_wrong_node(connection: Connection, expected: Mapping[merkle.Node, bytes]) -> int | None:
    """The last leaf under the first stored subtree that is missing or differs; None when all are right."""
    key = sa.tuple_(log_nodes.c.level, log_nodes.c.position)
    rows = connection.execute(sa.select(log_nodes).where(key.in_(list(expected))))
    stored = {(row.level, row.position): row.hash for row in rows}
    ends = [((node[1] + 1) << node[0]) - 1 for node, value in expected.items() if stored.get(node) != value]
    return min(ends, default=None)

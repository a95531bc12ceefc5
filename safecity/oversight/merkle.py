"""The Merkle tree of RFC 6962 (section 2.1) over SHA-256: roots, inclusion and consistency proofs.

Pure functions over bytes. Other rooms use them too: a recorded segment is proved by the root over its fragments.
A tree is given by its leaf hashes in order; `leaf_hash` and `node_hash` put different prefixes before what they hash,
so that a node can never be passed off as a leaf.
"""

import hashlib
from collections.abc import Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

Node = tuple[int, int]  # (level, position): the complete subtree over the leaves position*2^level ... +2^level


def leaf_hash(data: bytes) -> bytes:
    """SHA-256 of 0x00 and the data."""
    digest = hashlib.sha256(b"\x00")
    digest.update(data)  # not joined first: a recorded fragment is megabytes
    return digest.digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 0x01 and both children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """The Merkle tree hash over leaf hashes in order; SHA-256 of nothing for no leaves."""
    if not leaf_hashes:
        return EMPTY_ROOT
    level = list(leaf_hashes)
    while len(level) > 1:
        paired = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        # A last node without a neighbour rises unchanged: that is RFC 6962's tree for sizes that are no power of two.
        level = paired + level[len(paired) * 2 :]
    return level[0]


def inclusion_path(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of one leaf, lowest sibling first (RFC 6962, 2.1.1). Raises IndexError beyond the tree."""
    parts = inclusion_nodes(index, len(leaf_hashes))
    return [root(leaf_hashes[_first(part) : _end(part)]) for part in parts]


def inclusion_paths(leaf_hashes: Sequence[bytes]) -> list[list[bytes]]:
    """The audit paths of all leaves, each node hashed once instead of once a path."""
    paths: list[list[bytes]] = [[] for _ in leaf_hashes]

    def climb(first: int, end: int) -> bytes:
        if end - first == 1:
            return leaf_hashes[first]
        middle = first + _split(end - first)
        left, right = climb(first, middle), climb(middle, end)
        for index in range(first, middle):
            paths[index].append(right)
        for index in range(middle, end):
            paths[index].append(left)
        return node_hash(left, right)

    if leaf_hashes:
        climb(0, len(leaf_hashes))
    return paths


def consistency_path(leaf_hashes: Sequence[bytes], old_size: int) -> list[bytes]:
    """The proof that the first `old_size` leaves are unchanged (RFC 6962, 2.1.2); empty for size 0 or the same size.

    Raises IndexError when the old tree is larger than this one.
    """
    parts = consistency_nodes(old_size, len(leaf_hashes))
    return [root(leaf_hashes[_first(part) : _end(part)]) for part in parts]


def verify_inclusion(leaf: bytes, path: Sequence[bytes], *, index: int, size: int, tree_root: bytes) -> bool:
    """Whether the path proves that `leaf` (a leaf hash) is number `index` of the tree of that size and root.

    The algorithm of RFC 9162, 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    at, last, value = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            value = node_hash(sibling, value)
            while not at & 1 and at != 0:
                at, last = at >> 1, last >> 1
        else:
            value = node_hash(value, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and value == tree_root


def verify_consistency(
    path: Sequence[bytes], *, old_size: int, new_size: int, old_root: bytes, new_root: bytes
) -> bool:
    """Whether the path proves that the new tree begins with the whole old one (RFC 9162, 2.1.4.2)."""
    if not 0 <= old_size <= new_size:
        return False
    if old_size == 0:
        return not path and old_root == EMPTY_ROOT
    if old_size == new_size:
        return not path and old_root == new_root
    steps = [old_root, *path] if old_size & (old_size - 1) == 0 else list(path)
    if not steps:
        return False
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not at & 1 and at != 0:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


# Where the hashes are kept as complete subtrees (a log's database), the same proofs are read by these coordinates.


def peaks(first: int, end: int) -> list[Node]:
    """The complete subtrees, largest first, that make up the leaves [first, end).

    `first` must be a multiple of the largest power of two that fits into the range, as it is for each subtree of
    RFC 6962. The root over the range is `fold` of their hashes.
    """
    found: list[Node] = []
    while first < end:
        level = (end - first).bit_length() - 1
        found.append((level, first >> level))
        first += 1 << level
    return found


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over neighbouring complete subtrees, largest first; SHA-256 of nothing for none."""
    if not hashes:
        return EMPTY_ROOT
    value = hashes[-1]
    for left in reversed(hashes[:-1]):
        value = node_hash(left, value)
    return value


def inclusion_nodes(index: int, size: int) -> list[list[Node]]:
    """For each step of an audit path, the complete subtrees to `fold`. Raises IndexError beyond the tree."""
    if not 0 <= index < size:
        raise IndexError(f"leaf {index} is not in a tree of {size}")
    first, end = 0, size
    steps: list[list[Node]] = []
    while end - first > 1:
        middle = first + _split(end - first)
        if index < middle:
            steps.append(peaks(middle, end))
            end = middle
        else:
            steps.append(peaks(first, middle))
            first = middle
    return steps[::-1]


def consistency_nodes(old_size: int, size: int) -> list[list[Node]]:
    """For each step of a consistency proof, the complete subtrees to `fold`. Raises IndexError beyond the tree."""
    if not 0 <= old_size <= size:
        raise IndexError(f"a tree of {size} leaves has no earlier size {old_size}")
    if old_size in (0, size):
        return []
    first, end = 0, size
    steps: list[list[Node]] = []
    is_whole_old_tree = True
    while old_size != end:
        middle = first + _split(end - first)
        if old_size <= middle:
            steps.append(peaks(middle, end))
            end = middle
        else:
            steps.append(peaks(first, middle))
            first = middle
            is_whole_old_tree = False
    if not is_whole_old_tree:
        steps.append(peaks(first, end))
    return steps[::-1]


def completed_nodes(index: int) -> list[Node]:
    """The complete subtrees, lowest first, that the leaf of this index is the last leaf of (level 1 and up)."""
    nodes: list[Node] = []
    level = 1
    while (index + 1) % (1 << level) == 0:
        nodes.append((level, index >> level))
        level += 1
    return nodes


def _split(size: int) -> int:
    """The largest power of two below the size."""
    return 1 << ((size - 1).bit_length() - 1)


def _first(part: Sequence[Node]) -> int:
    level, position = part[0]
    return position << level


def _end(part: Sequence[Node]) -> int:
    level, position = part[-1]
    return (position + 1) << level

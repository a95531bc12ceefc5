"""The Merkle tree against the definitions of RFC 6962, written out a second time, recursively."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.oversight import merkle

# The eight entries and the roots over the first 1 to 8 of them that Certificate Transparency's own tests use.
CT_ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
MAX_SIZE = 300
LEAVES = [merkle.leaf_hash(number.to_bytes(4)) for number in range(MAX_SIZE)]
SIZES = st.integers(0, MAX_SIZE)


def _sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def _split(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def mth(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, over leaf hashes."""
    if not leaves:
        return _sha()
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return _sha(b"\x01", mth(leaves[:k]), mth(leaves[k:]))


def path_of(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of 2.1.1."""
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if m < k:
        return [*path_of(m, leaves[:k]), mth(leaves[k:])]
    return [*path_of(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: Sequence[bytes], *, is_whole: bool = True) -> list[bytes]:
    """SUBPROOF of 2.1.2."""
    if m == len(leaves):
        return [] if is_whole else [mth(leaves)]
    k = _split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], is_whole=is_whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], is_whole=False), mth(leaves[:k])]


def test_the_known_roots_of_certificate_transparency() -> None:
    leaves = [merkle.leaf_hash(bytes.fromhex(entry)) for entry in CT_ENTRIES]
    assert [merkle.root(leaves[:size]).hex() for size in range(1, 9)] == CT_ROOTS
    assert merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_node_is_not_a_leaf() -> None:
    left, right = LEAVES[0], LEAVES[1]
    assert merkle.node_hash(left, right) != merkle.leaf_hash(left + right)


@given(size=SIZES)
def test_the_root_is_mth(size: int) -> None:
    leaves = LEAVES[:size]
    assert merkle.root(leaves) == mth(leaves)
    subtrees = [mth(leaves[at << level : (at + 1) << level]) for level, at in merkle.peaks(0, size)]
    assert merkle.fold(subtrees) == mth(leaves)


@given(data=st.data(), size=st.integers(1, MAX_SIZE))
def test_an_audit_path_proves_its_leaf_and_no_other(data: st.DataObject, size: int) -> None:
    leaves, index = LEAVES[:size], data.draw(st.integers(0, size - 1))
    path, root = merkle.inclusion_path(leaves, index), merkle.root(leaves)
    assert merkle.inclusion_paths(leaves)[index] == path
    assert path == path_of(index, leaves)
    assert merkle.verify_inclusion(leaves[index], path, index=index, size=size, tree_root=root)
    other = data.draw(st.integers(0, size - 1).filter(lambda at: at != index or size == 1))
    if other != index:
        assert not merkle.verify_inclusion(leaves[index], path, index=other, size=size, tree_root=root)
        assert not merkle.verify_inclusion(leaves[other], path, index=index, size=size, tree_root=root)
    assert not merkle.verify_inclusion(leaves[index], [*path, root], index=index, size=size, tree_root=root)
    if path:
        broken = _with_one_bit_turned(path, data.draw(st.integers(0, len(path) * 256 - 1)))
        assert not merkle.verify_inclusion(leaves[index], broken, index=index, size=size, tree_root=root)
        assert not merkle.verify_inclusion(leaves[index], path[:-1], index=index, size=size, tree_root=root)


@given(data=st.data(), size=SIZES)
def test_a_consistency_proof_proves_growth_and_nothing_else(data: st.DataObject, size: int) -> None:
    leaves, old = LEAVES[:size], data.draw(st.integers(0, size))
    path = merkle.consistency_path(leaves, old)
    old_root, new_root = merkle.root(leaves[:old]), merkle.root(leaves)
    assert path == (subproof(old, leaves) if old else [])

    def holds(proof: Sequence[bytes], *, first: bytes = old_root, second: bytes = new_root) -> bool:
        return merkle.verify_consistency(proof, old_size=old, new_size=size, old_root=first, new_root=second)

    assert holds(path)
    foreign = _sha(b"another tree")
    assert not holds(path, first=foreign)
    assert old == 0 or not holds(path, second=foreign)
    assert not holds([*path, foreign])
    if path:
        assert not holds(path[:-1])
        assert not holds(_with_one_bit_turned(path, data.draw(st.integers(0, len(path) * 256 - 1))))


@given(size=st.integers(1, MAX_SIZE))
def test_each_inner_node_is_completed_once(size: int) -> None:
    nodes = [node for index in range(size) for node in merkle.completed_nodes(index)]
    assert sorted(nodes) == [
        (level, position) for level in range(1, size.bit_length() + 1) for position in range(size >> level)
    ]


def test_what_is_not_in_the_tree_has_no_proof() -> None:
    with pytest.raises(IndexError):
        merkle.inclusion_path(LEAVES[:4], 4)
    with pytest.raises(IndexError):
        merkle.consistency_path(LEAVES[:4], 5)
    assert not merkle.verify_inclusion(LEAVES[0], [], index=0, size=0, tree_root=LEAVES[0])
    assert not merkle.verify_inclusion(LEAVES[0], [], index=-1, size=1, tree_root=LEAVES[0])
    assert not merkle.verify_consistency([], old_size=2, new_size=1, old_root=LEAVES[0], new_root=LEAVES[0])


def _with_one_bit_turned(path: Sequence[bytes], bit: int) -> list[bytes]:
    at, rest = divmod(bit, 256)
    value = int.from_bytes(path[at]) ^ (1 << rest)
    return [*path[:at], value.to_bytes(32), *path[at + 1 :]]

"""A segment's bytes on their way to a place, hashed as they pass: what is sent is what was recorded, or nothing is."""

from collections.abc import Iterator
from typing import BinaryIO

from safecity.oversight.merkle import leaf_hash, root
from safecity.platform.errors import DataLoss
from safecity.video.model import Segment
from safecity.video.scan import FileSource, scan


def read_pieces(file: BinaryIO, segment: Segment) -> Iterator[bytes]:
    """The leaves of a closed segment, one after the other: the init segment, then each fragment.

    Raises DataLoss, at the latest behind the last piece, where they are not what was recorded.
    """
    source = FileSource(file)
    if source.size_bytes != segment.size_bytes:
        raise _changed("it has another length")
    found = scan(source)
    if found.damage is not None or found.whole_bytes != segment.size_bytes:
        raise _changed("its form is damaged")
    leaves = [leaf_hash(found.init_bytes)]
    yield found.init_bytes
    for item in found.fragments:
        piece = source.read_at(item.offset_bytes, item.size_bytes)
        leaves.append(leaf_hash(piece))
        yield piece
    if root(leaves).hex() != segment.root:
        raise _changed("its hash differs")


def _changed(how: str) -> DataLoss:
    return DataLoss(f"the recording is not what was recorded: {how}", code="video.recording_changed")

"""What a place of copies can do, whatever it is; `directory.py` and `s3.py` are the two there are."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from safecity.video.copies.directory import DirectoryPlace
from safecity.video.copies.model import Target
from safecity.video.copies.s3 import S3Place, read_credentials
from safecity.video.copies.stored import Listed, Stored

__all__ = ["Listed", "Place", "Stored", "open_place"]


class Place(Protocol):
    """A directory or a bucket. Every call raises Unavailable (away), Denied (refused) or Exhausted (full)."""

    def prepare(self) -> str:
        """Make it a place of copies, once, where an operator asks; says in words what it is."""
        ...

    def check(self) -> None:
        """Whether it is there and is the one that was prepared; called before anything is written."""
        ...

    def put(self, key: str, pieces: Iterable[bytes]) -> Stored:
        """Store an object whole, durable and compared, or not at all. Raises DataLoss where it stored something else.

        What `pieces` raises ends it and is raised; nothing is left under the key.
        """
        ...

    def fetch(self, key: str, version: str | None) -> Iterator[bytes]:
        """The bytes of an object. Raises NotFound."""
        ...

    def list_keys(self, prefix: str) -> Iterator[Listed]:
        """What lies below a prefix, whole objects only; an empty prefix is everything."""
        ...

    def version_of(self, key: str) -> str | None:
        """The version of an object, where the place keeps them."""
        ...

    def delete(self, key: str, version: str | None) -> None:
        """Take an object away; one that is gone is fine. Raises Conflict where a legal hold forbids it."""
        ...

    def hold(self, key: str, version: str | None, *, is_held: bool) -> None:
        """Put a legal hold on an object, or lift it. Raises NotFound; nothing happens where there are none."""
        ...

    def clean(self) -> int:
        """Take away what uploads that were cut off left; returns how many."""
        ...


def open_place(target: Target, *, data_dir: Path) -> Place:
    """The place of a target; nothing is read or written yet. Raises Invalid where its credentials are missing."""
    if target.kind == "directory":
        return DirectoryPlace(Path(target.place))
    return S3Place(target, read_credentials(data_dir, target.name))

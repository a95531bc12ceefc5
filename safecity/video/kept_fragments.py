"""The pictures that were handed to a disk and are not known to be durable: another disk may have to take them."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from safecity.video.access_unit import AccessUnit

MAX_FRAGMENTS = 12
MAX_BYTES = 8 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFragment:
    """A fragment's pictures, and where it lies on the line."""

    start_us: int
    until_us: int
    units: Sequence[AccessUnit]
    size_bytes: int


class KeptFragments:
    """Those of one stream, oldest first, bounded; their bytes are the ones that wait in the disk's mailbox."""

    def __init__(self) -> None:
        self._fragments: deque[KeptFragment] = deque()
        self._size_bytes = 0
        self._dropped_until_us: int | None = None  # let go of before the disk had it

    def keep(self, one: KeptFragment, *, durable_us: int | None) -> None:
        """Hold one more, and let go of what the disk has."""
        while self._fragments and durable_us is not None and self._fragments[0].until_us <= durable_us:
            self._drop()
        if self._dropped_until_us is not None and durable_us is not None and durable_us >= self._dropped_until_us:
            self._dropped_until_us = None
        self._fragments.append(one)
        self._size_bytes += one.size_bytes
        while len(self._fragments) > MAX_FRAGMENTS or self._size_bytes > MAX_BYTES:
            self._dropped_until_us = self._drop()

    def forget(self) -> None:
        """A new session: the ticks of the old one mean nothing any more."""
        while self._fragments:
            self._dropped_until_us = self._drop()

    def take_lost(self, durable_us: int | None) -> tuple[int | None, list[AccessUnit]]:
        """After a failure: from when on pictures are lost, where that is known, and the pictures."""
        lost = [one for one in self._fragments if durable_us is None or one.until_us > durable_us]
        lost_from_us = durable_us
        if lost and self._dropped_until_us is None:
            # What lies between the durable and the first lost picture was not recorded for another reason.
            lost_from_us = max(lost[0].start_us, durable_us or lost[0].start_us)
        self.forget()
        self._dropped_until_us = None
        return lost_from_us, [unit for one in lost for unit in one.units]

    def _drop(self) -> int:
        one = self._fragments.popleft()
        self._size_bytes -= one.size_bytes
        return one.until_us

"""What a stream's writer hands to the disk, and what it hears back."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from safecity.video.model import Segment, StreamKey


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenJob:
    """Begin a segment with the next fragment; `make_init` is given the root of the segment before."""

    key: StreamKey
    row: Segment
    make_init: Callable[[str | None], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendJob:
    """One fragment, and until when the segment reaches with it."""

    key: StreamKey
    buffers: Sequence[bytes]
    size_bytes: int
    until_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseJob:
    """End the segment."""

    key: StreamKey


Job = OpenJob | AppendJob | CloseJob


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFailure:
    """Nothing of a stream was kept from an instant on, neither of its segment nor of what was handed over since."""

    detail: str
    started_us: int | None  # where the segment starts on the line; None where the disk had not heard of it yet
    durable_until_us: int | None  # None where nothing of the segment became durable
    goes_on: bool = False  # another volume takes the stream: what did not become durable may be handed over again


class StreamBook:
    """What the threads of all volumes know together of each stream; every method takes the lock.

    A failure begins a new generation of its stream. Jobs carry the generation in which they were handed over, so what
    was under way to a disk when it failed is dropped, whenever that disk comes round to it.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._generations: dict[StreamKey, int] = {}
        self._failures: dict[StreamKey, DiskFailure] = {}
        self._roots: dict[StreamKey, str] = {}
        self._durable_us: dict[StreamKey, int] = {}

    def generation_of(self, key: StreamKey) -> int:
        """The generation in which jobs are handed over now."""
        return self._generations.get(key, 0)

    def is_failing(self, key: StreamKey) -> bool:
        """Whether a failure waits to be taken."""
        return key in self._failures

    def fail(self, key: StreamKey, failure: DiskFailure, *, generation: int) -> bool:
        """The stream's segment ended early; False where that was known already."""
        with self.lock:
            if generation != self.generation_of(key):
                return False
            self._generations[key] = generation + 1
            self._failures[key] = failure
            return True

    def take_failure(self, key: StreamKey) -> DiskFailure | None:
        """Why the stream's segment ended early, told once."""
        if key not in self._failures:
            return None
        with self.lock:
            return self._failures.pop(key, None)

    def durable_until_us(self, key: StreamKey) -> int | None:
        """Until when the stream is on a disk, as far as this process wrote it."""
        return self._durable_us.get(key)

    def set_durable(self, key: StreamKey, until_us: int) -> None:
        """The stream is on a disk until there; the caller holds the lock."""
        self._durable_us[key] = until_us

    def root_of(self, key: StreamKey) -> str | None:
        """Root of the stream's newest closed segment."""
        with self.lock:
            return self._roots.get(key)

    def set_root(self, key: StreamKey, root: str) -> None:
        """The stream's newest segment has closed with this root."""
        with self.lock:
            self._roots[key] = root

"""The contract of a reader: it turns one camera stream into access units, and foreign errors into ours.

`PyAvReader` is the first; a reader of our own can stand beside it. A reader is used by one thread and blocks that
thread only, never for longer than its timeouts.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from safecity.platform.errors import Problem
from safecity.video.access_unit import AccessUnit, StreamHeader
from safecity.video.model import Cause, StreamSource

OPEN_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 10.0
# A picture larger than this is no picture: 8K intra frames stay below.
MAX_UNIT_BYTES = 16 * 1024**2
MAX_PREFIX_BYTES = 256 * 1024  # parameter sets and SEI that come without a picture

# Codes of the problems that readers raise, and what each says about where to look.
CAUSES: dict[str, Cause] = {
    "video.unauthorised": Cause.CREDENTIALS,
    "video.refused": Cause.LINK,
    "video.unreachable": Cause.LINK,
    "video.timeout": Cause.LINK,
    "video.broken": Cause.LINK,
    "video.ended": Cause.LINK,
    "video.not_found": Cause.CAMERA,
    "video.unreadable": Cause.CAMERA,
    "video.codec_unknown": Cause.CAMERA,
    "video.no_picture": Cause.CAMERA,
    "video.no_key_frame": Cause.CAMERA,
    "video.crashed": Cause.RECORDER,
}


def cause_of(problem: Problem) -> Cause:
    """Where to look for a problem that a reader raised."""
    return CAUSES.get(problem.code, Cause.CAMERA)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockJump:
    """The camera's clock jumped before the next access unit; its ticks went on with our time."""

    at_ticks: int


ReadItem = AccessUnit | StreamHeader | ClockJump


class Reader(Protocol):
    """One connection to one stream."""

    def open(self) -> StreamHeader:
        """Connect and wait until the stream's parameters are known.

        Raises Denied for refused credentials, Unavailable for a camera that is not there, Invalid for a stream that
        cannot be recorded; each with a code of `CAUSES`.
        """
        ...

    def items(self) -> Iterator[ReadItem]:
        """The access units as they arrive, and a new header when the parameters change; ends when the stream ends.

        Raises as `open` does.
        """
        ...

    def close(self) -> None:
        """Drop the connection; harmless when it is closed already."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbering:
    """Where a reader starts to count, so that sessions and sequences rise over a stream's life."""

    session: int
    sequence: int


OpenReader = Callable[[StreamSource, Numbering], Reader]

"""The eight kinds of error that SafeCity knows; every foreign error is translated into one of them.

The kinds follow the idea of a closed set: an operator, a log reader and a client program can learn eight
words and know what to do. `safecity.api.problems` renders them as RFC 9457 problem documents.
"""

from collections.abc import Mapping
from enum import StrEnum


class Kind(StrEnum):
    """What went wrong, from the caller's point of view."""

    INVALID = "invalid"
    DENIED = "denied"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    EXHAUSTED = "exhausted"
    UNAVAILABLE = "unavailable"
    DATA_LOSS = "data_loss"
    INTERNAL = "internal"


class Problem(Exception):
    """Base of the eight kinds: a sentence that says what is wrong and what to do, and a stable code.

    `code` is for programs (`room.what`), `facts` are extra JSON-ready members for the caller. Neither may hold a
    secret, a plate or a picture.
    """

    kind: Kind = Kind.INTERNAL

    def __init__(self, message: str, *, code: str | None = None, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.kind.value
        self.facts: Mapping[str, object] = facts


class Invalid(Problem):
    """The request or the file is wrong; sending it again unchanged cannot help."""

    kind = Kind.INVALID


class Denied(Problem):
    """Policy says no; the refusal has been written down."""

    kind = Kind.DENIED


class NotFound(Problem):
    """There is no such thing (or none the caller may know of)."""

    kind = Kind.NOT_FOUND


class Conflict(Problem):
    """The thing is not in a state that allows this step."""

    kind = Kind.CONFLICT


class Exhausted(Problem):
    """A stated limit is reached: a queue, a rate, a disk."""

    kind = Kind.EXHAUSTED


class Unavailable(Problem):
    """A part we depend on does not answer; trying again later may help."""

    kind = Kind.UNAVAILABLE


class DataLoss(Problem):
    """Stored data is missing or not what it was."""

    kind = Kind.DATA_LOSS


class Internal(Problem):
    """Our own fault."""

    kind = Kind.INTERNAL

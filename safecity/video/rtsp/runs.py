"""Many pieces of one NAL unit at a time, where they follow each other in the receive buffer.

Cameras cut a picture into pieces of one size, and a read brings a whole picture or more. The headers of all these
packets can be foretold from the first one, so they are compared in one go, and their payloads copied in another: half
of what it costs to take them one by one. A regular expression compares: one call for any number of packets, and it
ends by itself where they do.
"""

import re
from functools import lru_cache

import numpy as np

FRAME_BYTES = 4  # "$", channel, length (RFC 2326 section 10.12)
MIN_RUN = 3  # below it, one by one is as fast
_TURN = 1 << 16
_BEFORE = 6  # bytes of a frame before the sequence number: frame header, the RTP header's first two bytes
_NUMBERS = np.arange(2 * _TURN, dtype=np.uint32).astype(">u2").tobytes()  # all sequence numbers, over one turn


@lru_cache(maxsize=512)
def _pattern(tail_bytes: int, body_bytes: int) -> re.Pattern[bytes]:
    """A frame, and as many as follow with the same bytes around the sequence number."""
    head = b"(.{%d})..(.{%d})" % (_BEFORE, tail_bytes)
    return re.compile(head + rb".{%d}(?:\1..\2.{%d})*+" % (body_bytes, body_bytes), re.DOTALL)


def count_pieces(data: memoryview, at: int, *, size: int, expected: tuple[bytes, int, bytes]) -> int:
    """How many frames of `size` bytes at `at` are as foretold.

    `expected` is what stands before the sequence number (frame header and the RTP header's first two bytes), the first
    sequence number, and what stands behind (timestamp, SSRC and the payload's first bytes).
    """
    head, sequence, tail = expected
    behind = at + _BEFORE + 2
    if bytes(data[at : at + _BEFORE]) != head or bytes(data[behind : behind + len(tail)]) != tail:
        return 0
    found = _pattern(len(tail), size - 8 - len(tail)).match(data, at)
    if found is None:
        return 0
    count = min((found.end() - at) // size, _TURN - sequence)
    numbers = np.ndarray((count,), ">u2", data, at + _BEFORE, (size,)).tobytes()
    awaited = _NUMBERS[2 * sequence : 2 * (sequence + count)]
    if numbers != awaited:
        count = next(one for one in range(count) if numbers[2 * one : 2 * one + 2] != awaited[2 * one : 2 * one + 2])
    return count


def gather(data: memoryview, at: int, *, size: int, count: int, skip: int) -> bytes:
    """The payloads of `count` frames of `size` bytes at `at`, joined, the first `skip` bytes of each left out."""
    return np.ndarray((count, size - skip), np.uint8, data, at + skip, (size, 1)).tobytes()

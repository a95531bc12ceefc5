"""Identifiers: time-sortable for things that are made, derived from their cause for facts."""

import hashlib
import os
import threading
import time

# Crockford's base 32: no I, L, O, U, so that an id can be read over the radio.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80
_lock = threading.Lock()
_last: list[int] = [0, 0]


def _encode(number: int, length: int) -> str:
    out = []
    for _ in range(length):
        out.append(_ALPHABET[number & 31])
        number >>= 5
    return "".join(reversed(out))


def new_id(prefix: str) -> str:
    """A fresh id such as `exp_01JAB...`: 48 bits of milliseconds, 80 random bits (the ULID layout).

    Ids made in one process rise strictly, also within a millisecond.
    """
    with _lock:
        now_ms = time.time_ns() // 1_000_000
        if now_ms > _last[0]:
            _last[0], _last[1] = now_ms, int.from_bytes(os.urandom(10))
        else:
            _last[1] = (_last[1] + 1) & ((1 << _RANDOM_BITS) - 1)
        value = (_last[0] << _RANDOM_BITS) | _last[1]
    return f"{prefix}_{_encode(value, 26)}"


def fact_id(*cause: str | int) -> str:
    """The id of a fact, made from its cause: stating the same fact twice gives the same id.

    Each part is written with its length, so ("a", "bc") and ("ab", "c") differ.
    """
    digest = hashlib.sha256()
    for part in cause:
        raw = str(part).encode()
        digest.update(len(raw).to_bytes(4) + raw)
    return "fact_" + _encode(int.from_bytes(digest.digest()[:16]), 26)

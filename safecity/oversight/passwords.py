"""Passwords: argon2id (RFC 9106), a few at a time, because each takes 64 MiB while it is computed."""

import base64
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from safecity.platform.errors import DataLoss, Exhausted, Invalid

MIN_CHARACTERS = 12
MAX_CHARACTERS = 256
HASHES_AT_ONCE = 4  # in one process: 256 MiB at most
HASH_WAIT_S = 10.0  # longer than this in the queue means an attack or too small a machine
_SALT_BYTES = 16
_HASH_BYTES = 32

_turns = threading.BoundedSemaphore(HASHES_AT_ONCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The work of one hash; the default is the second recommended option of RFC 9106, section 4."""

    passes: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Whether a password was right, and a fresh hash where the stored one was made with an older cost."""

    is_right: bool
    better_hash: str | None = None


class Passwords:
    """Makes and checks the hashes."""

    def __init__(self, cost: Cost | None = None) -> None:
        cost = cost or Cost()
        self._hasher = PasswordHasher(
            time_cost=cost.passes,
            memory_cost=cost.memory_kib,
            parallelism=cost.lanes,
            hash_len=_HASH_BYTES,
            salt_len=_SALT_BYTES,
            type=Type.ID,
        )
        # A hash that no password has: checked for unknown names, so that they take as long as known ones.
        parameters = f"$argon2id$v=19$m={cost.memory_kib},t={cost.passes},p={cost.lanes}"
        self._nobody = f"{parameters}${_unpadded(os.urandom(_SALT_BYTES))}${_unpadded(os.urandom(_HASH_BYTES))}"

    def hash(self, password: str) -> str:
        """The hash to store. Raises Exhausted when too many wait for one."""
        with _turn():
            return self._hasher.hash(password)

    def check(self, password: str, stored: str | None) -> Checked:
        """Compare with the stored hash; None stands for a user that is not there and takes as long.

        Raises Exhausted when too many wait for a check, DataLoss when the stored hash is none.
        """
        known = stored or self._nobody
        is_usable = _is_usable(password)
        with _turn():
            try:
                self._hasher.verify(known, password if is_usable else "")
            except VerifyMismatchError:
                return Checked(is_right=False)
            except (InvalidHashError, VerificationError) as error:
                raise DataLoss(
                    "the stored password hash is damaged; set a new password with `safecity user set-password`",
                    code="oversight.hash_damaged",
                ) from error
        if stored is None or not is_usable:
            return Checked(is_right=False)
        return Checked(
            is_right=True, better_hash=self.hash(password) if self._hasher.check_needs_rehash(known) else None
        )


def require_good_password(password: str, *, name: str) -> None:
    """Raise Invalid for a password that is too short, too long or the user's own name."""
    if len(password) < MIN_CHARACTERS or not _is_usable(password):
        raise Invalid(
            f"a password has {MIN_CHARACTERS} to {MAX_CHARACTERS} characters; four random words are good",
            code="oversight.bad_password",
        )
    if name in password.casefold() and len(name) * 2 > len(password):
        raise Invalid("the password is mostly the user's name; choose another", code="oversight.bad_password")


def _is_usable(password: str) -> bool:
    """Whether it can be anybody's password at all; if not, it is not worth the hashing."""
    return len(password) <= MAX_CHARACTERS and not any(0xD800 <= ord(character) <= 0xDFFF for character in password)


@contextmanager
def _turn() -> Generator[None]:
    if not _turns.acquire(timeout=HASH_WAIT_S):
        raise Exhausted("too many sign-ins at once; try again in a moment", code="oversight.sign_in_busy")
    try:
        yield
    finally:
        _turns.release()


def _unpadded(raw: bytes) -> str:
    return base64.b64encode(raw).decode().rstrip("=")

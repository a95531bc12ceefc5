"""Who can open a backup: the holder of an X25519 key that lies in a safe, or whoever knows a passphrase.

With a key pair the running system keeps the public half only, so that whoever takes the server over can read no backup
of the years before. Each backup has a fresh file key; only how to find it stands in the backup's head.
"""

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from safecity.platform.errors import Denied, Invalid

PRIVATE_PREFIX = "safecity-backup-private-1:"
PUBLIC_PREFIX = "safecity-backup-public-1:"
KEY_BYTES = 32
SALT_BYTES = 16
MEMORY_KIB = 256 * 1024
MAX_MEMORY_KIB = 2 * 1024**2
PASSES = 3
MAX_PASSES = 16
MIN_PASSPHRASE = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """What a backup is sealed with. `head` stands in the open at its begin; the key never leaves this object."""

    head: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opener:
    """What somebody has to open a backup with: the private key's text, or a passphrase."""

    private_key: str | None = field(default=None, repr=False)
    passphrase: str | None = field(default=None, repr=False)


def make_key_pair() -> tuple[str, str]:
    """(private, public) as text, each on one line."""
    private = X25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    return PRIVATE_PREFIX + _text(private.private_bytes_raw()), PUBLIC_PREFIX + _text(public)


def lock_for(public_key: str) -> Lock:
    """A lock that only the private half of this public key opens. Raises Invalid where the text is no such key."""
    recipient = _bytes_of(public_key, PUBLIC_PREFIX)
    ephemeral = X25519PrivateKey.generate()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
    said = {
        "way": "x25519",
        "recipient": _text(recipient),
        "ephemeral": _text(ephemeral.public_key().public_bytes_raw()),
    }
    return _lock(said, shared)


def lock_with(passphrase: str) -> Lock:
    """A lock that the passphrase opens. Raises Invalid where it is too short."""
    if len(passphrase) < MIN_PASSPHRASE:
        raise Invalid(f"a backup's passphrase has at least {MIN_PASSPHRASE} characters", code="backup.passphrase")
    salt = os.urandom(SALT_BYTES)
    said = {"way": "argon2id", "salt": _text(salt), "memory_kib": MEMORY_KIB, "passes": PASSES}
    return _lock(said, _stretch(passphrase, salt, memory_kib=MEMORY_KIB, passes=PASSES))


def open_lock(head: bytes, opener: Opener) -> Lock:
    """The lock of a backup by its head. Raises Denied for the wrong key, Invalid for a head that is none.

    Whether a passphrase is right shows with the first chunk only.
    """
    said = _read_head(head)
    if said.get("way") == "x25519":
        if opener.private_key is None:
            raise Denied("this backup is opened by the private key from the safe", code="backup.needs_key")
        private = X25519PrivateKey.from_private_bytes(_bytes_of(opener.private_key, PRIVATE_PREFIX))
        if _text(private.public_key().public_bytes_raw()) != said.get("recipient"):
            raise Denied("this backup was made for another key", code="backup.wrong_key")
        secret = private.exchange(X25519PublicKey.from_public_bytes(_raw(said.get("ephemeral"))))
    elif said.get("way") == "argon2id":
        if opener.passphrase is None:
            raise Denied("this backup is opened by a passphrase", code="backup.needs_passphrase")
        memory_kib, passes = said.get("memory_kib"), said.get("passes")
        if not isinstance(memory_kib, int) or not isinstance(passes, int):
            raise Invalid("the head of the backup cannot be read", code="backup.head")
        if not 8 <= memory_kib <= MAX_MEMORY_KIB or not 1 <= passes <= MAX_PASSES:
            raise Invalid("the head of the backup asks for more work than any of ours", code="backup.head")
        secret = _stretch(opener.passphrase, _raw(said.get("salt")), memory_kib=memory_kib, passes=passes)
    else:
        raise Invalid("the backup was sealed in a way that this version does not know", code="backup.way")
    return Lock(head=head, key=_derive(secret, head))


def _lock(said: Mapping[str, object], secret: bytes) -> Lock:
    head = json.dumps(dict(said), sort_keys=True).encode()
    return Lock(head=head, key=_derive(secret, head))


def _derive(secret: bytes, head: bytes) -> bytes:
    """Bound to the head: whoever changes it gets another key."""
    info = b"safecity-backup-1" + hashlib.sha256(head).digest()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(secret)


def _stretch(passphrase: str, salt: bytes, *, memory_kib: int, passes: int) -> bytes:
    kdf = Argon2id(salt=salt, length=KEY_BYTES, iterations=passes, lanes=1, memory_cost=memory_kib)
    return kdf.derive(passphrase.encode())


def _read_head(head: bytes) -> dict[str, object]:
    try:
        said: object = json.loads(head)
    except ValueError as error:
        raise Invalid("the head of the backup cannot be read", code="backup.head") from error
    if not isinstance(said, dict):
        raise Invalid("the head of the backup cannot be read", code="backup.head")
    return {str(name): value for name, value in said.items()}


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


def _raw(text: object) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(str(text).encode())
    except (binascii.Error, ValueError) as error:
        raise Invalid("the head of the backup cannot be read", code="backup.head") from error
    if len(raw) not in (SALT_BYTES, KEY_BYTES):
        raise Invalid("the head of the backup cannot be read", code="backup.head")
    return raw


def _bytes_of(text: str, prefix: str) -> bytes:
    text = text.strip()
    try:
        raw = base64.urlsafe_b64decode(text.removeprefix(prefix).encode()) if text.startswith(prefix) else b""
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise Invalid(f"that is no key of a backup; it begins with {prefix}", code="backup.bad_key")
    return raw

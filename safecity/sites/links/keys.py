"""WireGuard's keys: X25519 and a pre-shared key, both base64 of 32 bytes; private ones never leave their machine."""

import base64
import binascii
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from safecity.platform.errors import DataLoss, Invalid
from safecity.platform.files import write_whole

_BYTES = 32


def new_private_key() -> str:
    """A fresh private key."""
    return base64.b64encode(X25519PrivateKey.generate().private_bytes_raw()).decode()


def public_key_of(private_key: str) -> str:
    """The public key that belongs to a private one. Raises DataLoss where the private one is none."""
    try:
        raw = base64.b64decode(private_key.strip(), validate=True)
        public = X25519PrivateKey.from_private_bytes(raw).public_key().public_bytes_raw()
    except (binascii.Error, ValueError) as error:
        raise DataLoss("a private key of a link cannot be read; make a new one", code="sites.link_key") from error
    return base64.b64encode(public).decode()


def new_preshared_key() -> str:
    """A fresh pre-shared key: keeps what is recorded today closed to whoever breaks X25519 later."""
    return base64.b64encode(os.urandom(_BYTES)).decode()


def checked_public_key(text: str) -> str:
    """A public key as typed or scanned, checked. Raises Invalid."""
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _BYTES or raw == bytes(_BYTES):
        raise Invalid("that is no public key; it is 44 characters and ends in =", code="sites.link_key")
    return base64.b64encode(raw).decode()


def load_or_make_private_key(path: Path) -> str:
    """The private key in a file, which is made (mode 0600) where there is none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(path, (new_private_key() + "\n").encode(), mode=0o600)
    found = path.read_text().strip()
    public_key_of(found)
    return found

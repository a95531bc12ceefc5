"""A box for secrets that must be read again, such as camera passwords: AES-256-GCM under one key file."""

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from safecity.platform.errors import DataLoss, Invalid
from safecity.platform.files import sync_directory

_NONCE_BYTES = 12
_KEY_BYTES = 32
_VERSION = b"\x01"


class SecretBox:
    """Seals small secrets for storage, each bound to a context (a camera id), so that none can be moved elsewhere."""

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise Invalid(
                f"the secret key must be {_KEY_BYTES} bytes, this one has {len(key)}", code="platform.bad_key"
            )
        self._cipher = AESGCM(key)

    def seal(self, secret: str, *, context: str) -> bytes:
        """Encrypt; another call gives other bytes."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, secret.encode(), context.encode())

    def open(self, sealed: bytes, *, context: str) -> str:
        """Decrypt; raises DataLoss when the bytes, the key or the context are not the ones it was sealed with."""
        if sealed[:1] != _VERSION:
            raise DataLoss("a stored secret has an unknown form; enter it again", code="platform.secret_unreadable")
        try:
            plain = self._cipher.decrypt(sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :], context.encode())
        except InvalidTag as error:
            raise DataLoss(
                "a stored secret cannot be opened with this key file; restore the key file or enter the secret again",
                code="platform.secret_unreadable",
            ) from error
        return plain.decode()


def load_secret_box(data_dir: Path) -> SecretBox:
    """The box of this installation; makes the key file (mode 0600) at the first start.

    Two processes starting at once agree on one key: the file appears whole by a link, never half-written.
    """
    path = data_dir / "secrets" / "key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f"key.{os.getpid()}.new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, os.urandom(_KEY_BYTES))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
        sync_directory(path.parent)
    return SecretBox(path.read_bytes())

"""The file: a head in the open, then compressed content in chunks, each encrypted and authenticated.

Chunk n is AES-256-GCM with the nonce n and a mark for the last one (the STREAM construction): a chunk that is changed,
left out, doubled, moved or behind the last one is found, and so is a file that was cut short. The key is used for one
file only, so the nonces never meet again.
"""

import zlib
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from safecity.platform.backup.keys import Lock, Opener, open_lock
from safecity.platform.errors import DataLoss, Denied, Invalid

MAGIC = b"SAFECITY-BACKUP-1\n"
CHUNK_BYTES = 256 * 1024
TAG_BYTES = 16
MAX_HEAD_BYTES = 4096
MAX_LINE_BYTES = 64 * 1024**2


class SealedWriter:
    """Compresses, cuts and seals what is written; nothing is complete before `finish`."""

    def __init__(self, file: BinaryIO, lock: Lock) -> None:
        self._file = file
        self._cipher = AESGCM(lock.key)
        self._compressor = zlib.compressobj(6)
        self._pending = bytearray()
        self._number = 0
        file.write(MAGIC + len(lock.head).to_bytes(4) + lock.head)

    def write(self, data: bytes) -> None:
        """Take content."""
        self._pending += self._compressor.compress(data)
        while len(self._pending) > CHUNK_BYTES:
            self._seal(bytes(self._pending[:CHUNK_BYTES]), is_last=False)
            del self._pending[:CHUNK_BYTES]

    def finish(self) -> None:
        """Write the last chunk."""
        self._pending += self._compressor.flush()
        while len(self._pending) > CHUNK_BYTES:
            self._seal(bytes(self._pending[:CHUNK_BYTES]), is_last=False)
            del self._pending[:CHUNK_BYTES]
        self._seal(bytes(self._pending), is_last=True)

    def _seal(self, plain: bytes, *, is_last: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._number, is_last=is_last), plain, None)
        self._file.write(len(sealed).to_bytes(4) + sealed)
        self._number += 1


class SealedReader:
    """Reads what a `SealedWriter` wrote. Raises DataLoss where the file is not what was written."""

    def __init__(self, file: BinaryIO, opener: Opener | Lock) -> None:
        """Raises Invalid for a file that is no backup and Denied for the wrong key."""
        self._file = file
        head = _read_head(file)
        lock = opener if isinstance(opener, Lock) else open_lock(head, opener)
        if lock.head != head:
            raise DataLoss("the head of the backup is not the one it was written with", code="backup.damaged")
        self._may_be_wrong = isinstance(opener, Opener) and opener.passphrase is not None
        self._cipher = AESGCM(lock.key)
        self._decompressor = zlib.decompressobj()
        self._plain = bytearray()
        self._number = 0
        self._is_over = False

    def read_line(self) -> bytes:
        """Up to the next line feed, without it; empty at the end of everything."""
        at = 0
        while (found := self._plain.find(b"\n", at)) < 0:
            at = len(self._plain)
            if at > MAX_LINE_BYTES:
                raise DataLoss("a line of the backup is longer than any of ours", code="backup.damaged")
            if not self._more():
                if self._plain:
                    raise DataLoss("the content of the backup ends inside a line", code="backup.damaged")
                return b""
        line = bytes(self._plain[:found])
        del self._plain[: found + 1]
        return line

    def read(self, size: int) -> bytes:
        """Exactly so many bytes."""
        while len(self._plain) < size:
            if not self._more():
                raise DataLoss("the content of the backup ends too early", code="backup.damaged")
        data = bytes(self._plain[:size])
        del self._plain[:size]
        return data

    def expect_end(self) -> None:
        """Make sure that the last chunk was the last, and that nothing follows."""
        while self._more():
            if self._plain:
                break
        if self._plain:
            raise DataLoss("something follows the manifest of the backup", code="backup.damaged")

    def _more(self) -> bool:
        if self._decompressor.unconsumed_tail:
            self._inflate(self._decompressor.unconsumed_tail)
            return True
        if self._is_over:
            return False
        self._inflate(self._next_chunk())
        return True

    def _inflate(self, data: bytes) -> None:
        try:
            self._plain += self._decompressor.decompress(data, CHUNK_BYTES * 16)
        except zlib.error as error:
            raise DataLoss("the content of the backup cannot be unpacked", code="backup.damaged") from error

    def _next_chunk(self) -> bytes:
        size = self._file.read(4)
        sealed = self._file.read(int.from_bytes(size)) if len(size) == 4 and _is_size(int.from_bytes(size)) else b""
        if len(size) == 4 and not _is_size(int.from_bytes(size)):
            raise DataLoss(f"chunk {self._number} of the backup is damaged", code="backup.damaged")
        if len(size) < 4 or len(sealed) < int.from_bytes(size):
            raise DataLoss(f"the backup is cut short after {self._number} chunks", code="backup.cut_short")
        for is_last in (False, True):
            try:
                plain = self._cipher.decrypt(_nonce(self._number, is_last=is_last), sealed, None)
            except InvalidTag:
                continue
            self._number += 1
            self._is_over = is_last
            if is_last and self._file.read(1):
                raise DataLoss("something follows the last chunk of the backup", code="backup.damaged")
            return plain
        if self._number == 0 and self._may_be_wrong:
            raise Denied("the passphrase is wrong, or the backup's first chunk is damaged", code="backup.wrong_key")
        raise DataLoss(f"chunk {self._number} of the backup is damaged or not in its place", code="backup.damaged")


def _is_size(size: int) -> bool:
    return TAG_BYTES <= size <= CHUNK_BYTES + TAG_BYTES


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11) + bytes((is_last,))


def _read_head(file: BinaryIO) -> bytes:
    start = file.read(len(MAGIC) + 4)
    size = int.from_bytes(start[len(MAGIC) :])
    if start[: len(MAGIC)] != MAGIC or not 0 < size <= MAX_HEAD_BYTES:
        raise Invalid("this file is no backup of SafeCity", code="backup.no_backup")
    head = file.read(size)
    if len(head) < size:
        raise DataLoss("the backup is cut short inside its head", code="backup.cut_short")
    return head

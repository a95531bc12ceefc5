"""Copies in a bucket of an S3 server, through obstore; legal holds, versions and cut-off uploads through boto3.

An object up to PART_BYTES is sent in one request, a larger one in parts of exactly that size, one after the other, so
that the ETag the server answers with can be worked out here (MD5 of the bytes, or of the parts' MD5s). Only an object
whose ETag and size are those of what was sent counts as stored; where a server makes other ETags, because it encrypts,
the object is read back instead. S3 shows an object whole or not at all, so a crash leaves at most the parts of an
upload that was never completed; `clean` ends those. Never create-if-absent: not every server honours it, and none is
needed, because the name of an object is that of its bytes.
"""

import hashlib
import json
import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from safecity.platform.errors import Conflict, DataLoss, Denied, Exhausted, Invalid, NotFound, Problem, Unavailable
from safecity.video.copies.model import Target, secret_file
from safecity.video.copies.stored import Listed, Stored

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

PART_BYTES = 8 * 1024**2
MAX_PARTS = 10_000
_CLIENT: "ClientConfig" = {"connect_timeout": "5s", "read_timeout": "60s", "timeout": "10min"}
_RETRY: "RetryConfig" = {"max_retries": 2, "retry_timeout": timedelta(seconds=30)}
_FULL = ("InsufficientStorage", "QuotaExceeded", "507 ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What an S3 server knows us by."""

    access_key_id: str
    secret_access_key: str

    def __repr__(self) -> str:
        return "Credentials(...)"


class _Legal(Protocol):
    """What is used of boto3's client, whose methods are made at run time."""

    def put_object_legal_hold(self, **named: object) -> object: ...
    def get_object_lock_configuration(self, **named: object) -> object: ...
    def delete_object(self, **named: object) -> object: ...
    def list_multipart_uploads(self, **named: object) -> dict[str, list[dict[str, str]]]: ...
    def abort_multipart_upload(self, **named: object) -> object: ...


def read_credentials(data_dir: Path, target: str) -> Credentials:
    """From the environment, else from the target's file in DATA/secrets. Raises Invalid that names neither."""
    stem = f"SAFECITY_COPY_{target.upper().replace('-', '_')}"
    key, secret = os.environ.get(f"{stem}_ACCESS_KEY_ID"), os.environ.get(f"{stem}_SECRET_ACCESS_KEY")
    if key and secret:
        return Credentials(access_key_id=key, secret_access_key=secret)
    path = secret_file(data_dir, target)
    try:
        found: object = json.loads(path.read_bytes())
        if path.stat().st_mode & 0o077:
            raise Invalid(f"{path} can be read by others; `chmod 600` it", code="copies.secret_open")
        fields = cast("dict[str, object]", found if isinstance(found, dict) else {})
        key, secret = fields.get("access_key_id"), fields.get("secret_access_key")
    except (OSError, ValueError):
        key = secret = None
    if not isinstance(key, str) or not isinstance(secret, str):
        raise Invalid(
            f'the copies in {target} need credentials: write {{"access_key_id": ..., "secret_access_key": ...}} to '
            f"{path} (mode 0600), or set {stem}_ACCESS_KEY_ID and {stem}_SECRET_ACCESS_KEY",
            code="copies.no_credentials",
        )
    return Credentials(access_key_id=key, secret_access_key=secret)


class S3Place:
    """One bucket, or a prefix in it."""

    def __init__(self, target: Target, credentials: Credentials) -> None:
        parts = urlsplit(target.place)
        self._endpoint = f"{parts.scheme}://{parts.netloc}"
        self._bucket, _, prefix = parts.path.strip("/").partition("/")
        self._prefix = f"{prefix.strip('/')}/" if prefix else ""
        self._region = target.region
        self._credentials = credentials
        self._has_lock = target.has_object_lock
        self._legal: _Legal | None = None
        client: ClientConfig = {**_CLIENT, "allow_http": parts.scheme == "http"}
        self._store = S3Store(
            self._bucket,
            endpoint=self._endpoint,
            region=self._region,
            access_key_id=credentials.access_key_id,
            secret_access_key=credentials.secret_access_key,
            virtual_hosted_style_request=False,
            client_options=client,
            retry_config=_RETRY,
        )

    def prepare(self) -> str:
        """Try writing, reading and deleting, and whether Object Lock is there where it is wanted."""
        probe = f"{self._prefix}.safecity-probe"
        with _translated():
            obstore.put(self._store, probe, b"safecity", use_multipart=False)
            if obstore.get(self._store, probe).bytes() != b"safecity":
                raise DataLoss("the bucket gave back other bytes than it was given", code="copies.read_back_differs")
            obstore.delete(self._store, probe)
        self.check()
        return f"{self._endpoint}/{self._bucket}/{self._prefix}" + (", Object Lock" if self._has_lock else "")

    def check(self) -> None:
        """Whether Object Lock is there where it is wanted; anything else shows itself by itself."""
        if self._has_lock and self._legal is None:
            legal = self._make_legal()
            with _boto_translated():
                legal.get_object_lock_configuration(Bucket=self._bucket)
            self._legal = legal

    def put(self, key: str, pieces: Iterable[bytes]) -> Stored:
        """See Place."""
        self.check()
        name = self._prefix + key
        parts = _Parts(pieces)
        first, second = next(parts, b""), next(parts, None)
        with _translated():
            if second is None:
                done = obstore.put(self._store, name, first, use_multipart=False)
            else:
                rest = chain((first, second), parts)
                done = obstore.put(
                    self._store, name, rest, use_multipart=True, chunk_size=PART_BYTES, max_concurrency=1
                )
            found = obstore.head(self._store, name)
        etag = (found["e_tag"] or "").strip('"')
        is_same = found["size"] == parts.size_bytes and (etag == parts.etag() or self._reads_back(name, parts))
        if not is_same:
            raise DataLoss("the bucket stored other bytes than it was given", code="copies.read_back_differs")
        return Stored(size_bytes=parts.size_bytes, version=done["version"] or found["version"])

    def fetch(self, key: str, version: str | None) -> Iterator[bytes]:
        """See Place; by its version where there is one, so that a delete marker on top hides nothing."""
        with _translated():
            options = {"version": version} if version else {}
            for piece in obstore.get(self._store, self._prefix + key, options=options).stream(1024**2):  # pyright: ignore[reportArgumentType]
                yield bytes(piece)

    def list_keys(self, prefix: str) -> Iterator[Listed]:
        """See Place."""
        with _translated():
            below = f"{self._prefix}{prefix}".rstrip("/") or None
            for chunk in obstore.list(self._store, below, chunk_size=1000):
                for one in chunk:
                    yield Listed(key=one["path"].removeprefix(self._prefix), size_bytes=one["size"])

    def version_of(self, key: str) -> str | None:
        """See Place."""
        with _translated():
            return obstore.head(self._store, self._prefix + key)["version"]

    def delete(self, key: str, version: str | None) -> None:
        """See Place; in a bucket with versions the version itself goes, not only its name."""
        if version is None:
            try:
                with _translated():
                    obstore.delete(self._store, self._prefix + key)
            except NotFound:
                pass
            return
        with _boto_translated():
            self._boto().delete_object(Bucket=self._bucket, Key=self._prefix + key, VersionId=version)

    def hold(self, key: str, version: str | None, *, is_held: bool) -> None:
        """See Place."""
        if not self._has_lock:
            return
        if version is None:
            raise Denied("the bucket keeps no versions, so nothing in it can be held", code="copies.no_object_lock")
        with _boto_translated():
            self._boto().put_object_legal_hold(
                Bucket=self._bucket,
                Key=self._prefix + key,
                VersionId=version,
                LegalHold={"Status": "ON" if is_held else "OFF"},
            )

    def clean(self) -> int:
        """See Place; without boto3 nothing is done: give the bucket a lifecycle rule that ends uploads."""
        try:
            legal = self._boto()
        except Invalid:
            return 0
        with _boto_translated():
            # One copier writes below a prefix, and none while this runs.
            found = legal.list_multipart_uploads(Bucket=self._bucket, Prefix=self._prefix).get("Uploads", [])
            for one in found:
                legal.abort_multipart_upload(Bucket=self._bucket, Key=one["Key"], UploadId=one["UploadId"])
        return len(found)

    def _reads_back(self, name: str, parts: "_Parts") -> bool:
        digest = hashlib.sha256()
        with _translated():
            for piece in obstore.get(self._store, name).stream(1024**2):
                digest.update(piece)
        return digest.digest() == parts.sha256()

    def _boto(self) -> _Legal:
        self._legal = self._legal or self._make_legal()
        return self._legal

    def _make_legal(self) -> _Legal:
        try:
            import boto3  # noqa: PLC0415 - an extra that most installations do without
            from botocore.config import Config  # noqa: PLC0415
        except ImportError as error:
            raise Invalid(
                "object_lock and versions need boto3: install safecity[city]", code="copies.no_boto3"
            ) from error
        limits = Config(
            connect_timeout=5, read_timeout=60, retries={"max_attempts": 2}, s3={"addressing_style": "path"}
        )
        made = boto3.client(  # pyright: ignore[reportUnknownMemberType]
            "s3",
            endpoint_url=self._endpoint,
            region_name=self._region,
            aws_access_key_id=self._credentials.access_key_id,
            aws_secret_access_key=self._credentials.secret_access_key,
            config=limits,
        )
        return cast(_Legal, made)


class _Parts:
    """Pieces as parts of exactly PART_BYTES (the last one less), with the ETag that a server makes of them."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._left = bytearray()
        self._part_sums: list[bytes] = []
        self._sha256 = hashlib.sha256()
        self.size_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        while len(self._left) < PART_BYTES:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._left += piece
        if not self._left:
            raise StopIteration
        part = bytes(self._left[:PART_BYTES])
        del self._left[:PART_BYTES]
        self._part_sums.append(hashlib.md5(part, usedforsecurity=False).digest())
        self._sha256.update(part)
        self.size_bytes += len(part)
        if len(self._part_sums) > MAX_PARTS:
            raise Exhausted("a recording is too long for one object", code="copies.too_long")
        return part

    def etag(self) -> str:
        """The ETag of all that was handed out."""
        if len(self._part_sums) == 1:
            return self._part_sums[0].hex()
        whole = hashlib.md5(b"".join(self._part_sums), usedforsecurity=False)
        return f"{whole.hexdigest()}-{len(self._part_sums)}"

    def sha256(self) -> bytes:
        """The SHA-256 of all that was handed out."""
        return self._sha256.digest()


@contextmanager
def _translated() -> Generator[None]:
    """obstore's errors quote addresses and answers; ours do not."""
    try:
        yield
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):
            raise Denied("there is no such bucket", code="copies.no_bucket") from error
        raise NotFound("the copy is not there", code="copies.not_there") from error
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise Denied("the S3 server refuses our credentials", code="copies.refused") from error
    except BaseError as error:
        if any(word in str(error) for word in _FULL):
            raise Exhausted("the S3 server takes no more", code="copies.full") from error
        raise Unavailable("the S3 server does not answer", code="copies.away") from error


@contextmanager
def _boto_translated() -> Generator[None]:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - comes with boto3, an extra

    try:
        yield
    except ClientError as error:
        raise _problem_of(str(error.response.get("Error", {}).get("Code", ""))) from error
    except BotoCoreError as error:
        raise Unavailable("the S3 server does not answer", code="copies.away") from error


def _problem_of(code: str) -> Problem:
    if code in {"NoSuchKey", "NoSuchVersion", "404"}:
        return NotFound("the copy is not there", code="copies.not_there")
    if code in {"ObjectLockConfigurationNotFoundError", "InvalidRequest"}:
        return Denied("the bucket has no Object Lock", code="copies.no_object_lock")
    if code == "AccessDenied":
        return Conflict("the server forbids it: a legal hold or a retention stands", code="copies.locked")
    if code in {"NoSuchBucket", "SignatureDoesNotMatch", "InvalidAccessKeyId"}:
        return Denied("the S3 server refuses our credentials or has no such bucket", code="copies.refused")
    return Unavailable(f"the S3 server answers {code or 'nothing'}", code="copies.away")

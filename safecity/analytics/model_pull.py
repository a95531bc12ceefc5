"""Fetching a model: over HTTPS with resuming, or from a file or folder in a closed network; never without its hash.

The bytes go into `NAME.onnx.part`, which a later try goes on with; only what has the right SHA-256 gets its name.
"""

import contextlib
import hashlib
import http.client
import os
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from safecity.analytics.models import MAX_MODEL_BYTES, ModelSpec, find_model_file, hash_file
from safecity.platform.errors import DataLoss, Exhausted, Invalid, NotFound, Unavailable
from safecity.platform.files import sync_directory

TIMEOUT_S = 20.0
TRIES = 4
MAX_REDIRECTS = 5
_CHUNK_BYTES = 256 * 1024
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PARTIAL, _NO_SUCH_RANGE = 206, 416
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

Progress = Callable[[int, int | None], None]
"""Called with the bytes there are and the bytes there will be."""


def _opener(tls: ssl.SSLContext | None) -> urllib.request.OpenerDirector:
    """Opens https addresses and nothing else; it follows no redirect by itself."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPSHandler(context=tls),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _open(opener: urllib.request.OpenerDirector, url: str, headers: Mapping[str, str]) -> http.client.HTTPResponse:
    """The answer behind a few redirects, none of which may leave https: anybody on the way could answer there."""
    for _ in range(MAX_REDIRECTS + 1):
        _require_https(url)
        try:
            return opener.open(urllib.request.Request(url, headers=dict(headers)), timeout=TIMEOUT_S)  # noqa: S310
        except urllib.error.HTTPError as error:
            target = error.headers.get("Location")
            if error.code not in _REDIRECTS or not target:
                raise
            url = urllib.parse.urljoin(url, target)
    raise Unavailable("the address leads in circles; bring the file with --from", code="models.redirects")


def pin_of(spec: ModelSpec, sha256: str | None) -> str:
    """The hash that the file must have; raises Invalid where nobody has said one, or two that differ."""
    said = None if sha256 is None else sha256.strip().lower()
    if said is not None and not _SHA256.fullmatch(said):
        raise Invalid("a SHA-256 is 64 hexadecimal digits", code="models.bad_hash")
    if spec.sha256 is None and said is None:
        raise Invalid(
            f"{spec.name} is not pinned: get its SHA-256 from somebody you trust and say it with --sha256",
            code="models.not_pinned",
        )
    if spec.sha256 is not None and said not in (None, spec.sha256):
        raise Invalid(f"{spec.name} is pinned to another SHA-256: {spec.sha256}", code="models.other_hash")
    return spec.sha256 or said or ""


def install_from(spec: ModelSpec, source: Path, *, folder: Path, pin: str) -> Path:
    """Copy a model from a file, or from the file with its hash in a folder. Raises NotFound, DataLoss, Exhausted."""
    if source.is_dir():
        found = find_model_file(source, spec)
        if found is None:
            raise NotFound(f"no file in {source} has the SHA-256 of {spec.name} ({pin})", code="models.not_in_folder")
        source = found
    if hash_file(source) != pin:
        raise DataLoss(
            f"{source} is not {spec.name}: its SHA-256 is not {pin}; get the file again", code="models.wrong_hash"
        )
    part = _part_of(spec, folder)
    with source.open("rb") as given, part.open("wb") as target:
        if os.fstat(given.fileno()).st_size > MAX_MODEL_BYTES:
            raise _too_large()
        while chunk := given.read(_CHUNK_BYTES):
            target.write(chunk)
        os.fsync(target.fileno())
    return _finish(part, folder / spec.file_name, pin=pin)


def download(
    spec: ModelSpec, folder: Path, *, pin: str, on_progress: Progress, tls: ssl.SSLContext | None = None
) -> Path:
    """Fetch a model over HTTPS, going on where a try before was cut off; `tls` names other authorities to trust.

    Raises NotFound, Unavailable, DataLoss for a wrong hash (nothing of it is kept), Exhausted when it is too large.
    """
    if spec.url is None:
        raise Invalid(
            f"{spec.name} is not on the network: {spec.note}. Bring the file with --from FILE_OR_FOLDER",
            code="models.no_address",
        )
    _require_https(spec.url)
    opener = _opener(tls)
    part = _part_of(spec, folder)
    for attempt in range(1, TRIES + 1):
        try:
            _fetch(opener, spec, part, on_progress)
            break
        except (http.client.HTTPException, TimeoutError, ConnectionError, urllib.error.URLError) as error:
            _give_up_on(error, spec, is_last=attempt == TRIES)
    return _finish(part, folder / spec.file_name, pin=pin)


def _give_up_on(error: Exception, spec: ModelSpec, *, is_last: bool) -> None:
    """Return where another try may help, and raise the problem where not."""
    if isinstance(error, urllib.error.HTTPError):
        if error.code in (404, 410):
            raise NotFound(f"{spec.url} is not there any more; bring the file with --from", code="models.gone")
        if error.code < 500 and error.code != 429:
            raise Unavailable(f"{spec.url} answers {error.code}; bring the file with --from", code="models.refused")
    if is_last:
        raise Unavailable(
            f"{spec.url} cannot be fetched. What has come is kept: try again, or bring the file with --from",
            code="models.unreachable",
        ) from error


def _fetch(opener: urllib.request.OpenerDirector, spec: ModelSpec, part: Path, on_progress: Progress) -> None:
    """One try: append to the part, or begin anew where the server cannot go on."""
    limit = spec.size_bytes or MAX_MODEL_BYTES
    have = part.stat().st_size if part.exists() else 0
    if have > limit or (spec.size_bytes is not None and have == spec.size_bytes):
        if have == limit:
            return
        have = 0
    headers = {"User-Agent": "safecity", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    assert spec.url is not None
    try:
        answer = _open(opener, spec.url, headers)
    except urllib.error.HTTPError as error:
        if error.code != _NO_SUCH_RANGE:
            raise
        part.unlink()
        raise ConnectionError("the server has no such range") from error
    with answer:
        if not _goes_on(answer, have):
            have = 0
        wanted = answer.headers.get("Content-Length")
        total = have + int(wanted) if wanted and wanted.isdigit() else spec.size_bytes
        if total is not None and total > limit:
            raise _too_large()
        with part.open("ab" if have else "wb") as target:
            _copy(answer, target, have=have, limit=limit, on_progress=lambda done: on_progress(done, total))
    if total is not None and part.stat().st_size < total:
        raise ConnectionError("the connection was cut")


def _goes_on(answer: http.client.HTTPResponse, have: int) -> bool:
    """Whether the answer begins where our part ends."""
    said = _RANGE.fullmatch(answer.headers.get("Content-Range") or "")
    return answer.status == _PARTIAL and said is not None and int(said[1]) == have


def _copy(
    answer: http.client.HTTPResponse, target: IO[bytes], *, have: int, limit: int, on_progress: Callable[[int], None]
) -> None:
    try:
        while chunk := answer.read(_CHUNK_BYTES):
            have += len(chunk)
            if have > limit:
                raise _too_large()
            target.write(chunk)
            on_progress(have)
    finally:
        target.flush()
        os.fsync(target.fileno())


def _finish(part: Path, path: Path, *, pin: str) -> Path:
    """Give the part its name if it is what it should be; else nothing of it stays."""
    digest = hashlib.sha256()
    with part.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    if digest.hexdigest() != pin:
        part.unlink()
        raise DataLoss(
            f"what came for {path.name} has the SHA-256 {digest.hexdigest()}, not {pin}; nothing was installed. "
            "Run the command again; if it stays so, the file at that address is another one",
            code="models.wrong_hash",
        )
    part.replace(path)
    sync_directory(path.parent)
    return path


def _part_of(spec: ModelSpec, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{spec.file_name}.part"


def _require_https(url: str) -> None:
    if not url.lower().startswith("https://"):
        raise Invalid(f"models are fetched over https only, not from {url}", code="models.not_https")


def _too_large() -> Exhausted:
    return Exhausted("the file is larger than the model can be; nothing was installed", code="models.too_large")


def discard_part(spec: ModelSpec, folder: Path) -> None:
    """Throw away what a cut-off try has left."""
    with contextlib.suppress(FileNotFoundError):
        _part_of(spec, folder).unlink()

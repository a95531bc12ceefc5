"""The hash sheet of an exported clip: with clip and sheet alone an outsider can check every picture in it.

A recorded segment is a row of leaves (its init segment, then its fragments), and its root is the RFC 6962 tree hash
over them. A clip has other file positions and media times than the recording, so its fragments cannot have the same
hash. The sheet therefore keeps the *head* of each original fragment (everything before the pictures' bytes); the
pictures stay in the clip untouched. Head from the sheet + payload from the clip = the original leaf, and the audit
path leads from it to the segment's root. The root is what the city's log holds, so it needs no trust in the sheet.

The sheet is one line of canonical JSON (RFC 8785) and carries the SHA-256 of itself without that member.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import rfc8785
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from safecity.platform.errors import Invalid

FORMAT = "safecity-clip-sheet/1"
CLIP_FORMAT = "safecity-clip/1"
MAX_SHEET_BYTES = 64 * 1024**2
MAX_SEGMENTS = 4000
MAX_FRAGMENTS = 100_000
_HASH = r"^[0-9a-f]{64}$"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class SheetFragment(_Part):
    """One recorded fragment that the clip carries."""

    leaf: int = Field(ge=1, description="Its place among the segment's leaves; 0 is the init segment.")
    hash: str = Field(pattern=_HASH, description="Leaf hash of the original bytes (RFC 6962, prefix 00), hex.")
    head: str = Field(description="Original bytes before the pictures (prft, moof, head of mdat), base64.")
    path: tuple[str, ...] = Field(max_length=64, description="Audit path to the root, lowest sibling first, hex.")
    clip_ticks: int = Field(ge=0, description="Media time of its first shown picture in the clip, 1/90000 s.")
    left_out: int = Field(ge=0, description="Pictures before the clip's first key frame: carried, not shown.")


class SheetSegment(_Part):
    """One recorded file from which fragments were taken."""

    path: str = Field(description="File in the recording store.")
    session: str = Field(description="Connection to the camera that it was recorded from.")
    writer: str = Field(description="Recorder that wrote it.")
    state: Literal["open", "closed"] = Field(description="Open: the root is that of the leaves durable at export.")
    started_at: AwareDatetime = Field(description="Instant of media time 0, on the recording server's time line.")
    origin: Literal["recorded", "edge", "card"] = Field(
        default="recorded", description="Recorded here, or at the site or on the camera's card and brought here later."
    )
    shift_us: int = Field(
        default=0, description="Added to the recording's own time, because its machine had another clock."
    )
    rate_ppb: int = Field(description="The server's time runs (1 + this / 1e9) times as fast as the media time.")
    line_error_us: int = Field(description="Start less the server's best estimate at that moment.")
    camera_offset_us: int | None = Field(description="The camera's own clock less the server's at the start.")
    root: str = Field(pattern=_HASH, description="Merkle root over its leaves, hex.")
    tree_size: int = Field(ge=2, description="Number of leaves under that root.")
    previous_root: str | None = Field(description="Root of the stream's segment before it, as its init segment says.")
    init: str = Field(description="Its init segment (leaf 0), base64.")
    init_path: tuple[str, ...] = Field(max_length=64, description="Audit path of leaf 0, hex.")
    fragments: tuple[SheetFragment, ...] = Field(min_length=1, max_length=MAX_FRAGMENTS)


class SheetGap(_Part):
    """An interval of the clip in which nothing was recorded."""

    from_at: AwareDatetime = Field(validation_alias="from", serialization_alias="from")
    to_at: AwareDatetime = Field(validation_alias="to", serialization_alias="to")
    cause: str


class SheetClip(_Part):
    """The file that the sheet is about."""

    file: str
    bytes: int
    sha256: str = Field(pattern=_HASH)


class SheetPurpose(_Part):
    """What the clip was taken out for, as the log's leaf names it."""

    id: str
    kind: Literal["shift", "incident", "case"]
    ref: str = Field(description="The case or the incident.")


class Sheet(_Part):
    """All that is known of a clip."""

    format: Literal["safecity-clip-sheet/1"] = FORMAT
    export: str
    made_at: AwareDatetime
    made_by: str
    reason: str
    purpose: SheetPurpose | None = Field(default=None, description="Null in sheets from before cases were known.")
    camera: str
    stream: str
    from_at: AwareDatetime = Field(validation_alias="from", serialization_alias="from", description="As asked for.")
    to_at: AwareDatetime = Field(validation_alias="to", serialization_alias="to", description="As asked for.")
    first_at: AwareDatetime = Field(
        description="Instant of the first shown picture: the key frame at or before `from`."
    )
    end_at: AwareDatetime = Field(description="End of the last fragment.")
    clip: SheetClip
    timescale: Literal[90_000] = 90_000
    segments: tuple[SheetSegment, ...] = Field(min_length=1, max_length=MAX_SEGMENTS)
    gaps: tuple[SheetGap, ...]


def render_sheet(sheet: Sheet) -> bytes:
    """The sheet as its file holds it."""
    body = sheet.model_dump(mode="json", by_alias=True)
    body["sheet_sha256"] = hashlib.sha256(_canonical(body)).hexdigest()
    return _canonical(body) + b"\n"


def _canonical(body: Mapping[str, object]) -> bytes:
    """RFC 8785 for what a sheet holds: its names are ASCII and its numbers whole, so C's writer puts the same bytes.

    `rfc8785.dumps`, which reads sheets back, is pure Python and took longer than copying the clip.
    """
    text = json.dumps(body, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def read_sheet(raw: bytes) -> Sheet:
    """The reverse of `render_sheet`; raises Invalid when a single byte of the file is not as it was written."""
    if len(raw) > MAX_SHEET_BYTES:
        raise Invalid(f"the sheet is over {MAX_SHEET_BYTES} bytes", code="clip.sheet_too_large")
    try:
        body = json.loads(raw)
        if not isinstance(body, dict) or rfc8785.dumps(body) + b"\n" != raw:
            raise Invalid("the sheet is not the canonical JSON that it was written as", code="clip.sheet_changed")
        stated = body.pop("sheet_sha256", None)
        if stated != hashlib.sha256(rfc8785.dumps(body)).hexdigest():
            raise Invalid("the sheet's own SHA-256 does not fit: it was changed", code="clip.sheet_changed")
        return Sheet.model_validate_json(rfc8785.dumps(body))
    except (ValueError, RecursionError, rfc8785.CanonicalizationError, ValidationError) as error:
        raise Invalid(f"the sheet cannot be read: {error}", code="clip.sheet_unreadable") from error


def to_text(raw: bytes) -> str:
    """Bytes inside the sheet."""
    return base64.b64encode(raw).decode()


def to_bytes(text: str) -> bytes:
    """The reverse of `to_text`; raises Invalid."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Invalid("the sheet holds bytes that are not base64", code="clip.sheet_unreadable") from error


def is_chained(segments: Sequence[SheetSegment]) -> bool:
    """Whether each segment names the root of the one before it: then none was put in between or taken out."""
    return all(later.previous_root == earlier.root for earlier, later in pairwise(segments))

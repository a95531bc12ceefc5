"""What is inside: files, tables row by row, and a manifest at the end that tells what must have come.

Lines of JSON. `{"file": name, "size": n}` is followed by its bytes; `{"table": name, "columns": [[name, kind], ...]}`
by a line for each row (a JSON array) and a line `{"end": name}`. Bytes are base64; JSON columns are JSON text. The rows
are those of the tables as they are, not as this version declares them, so that any revision can be restored.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa
from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy.engine import Connection

from safecity.platform.backup.container import SealedReader, SealedWriter
from safecity.platform.errors import DataLoss

FORMAT = "safecity-backup-1"
PAGE_ROWS = 1000
MAX_FILE_BYTES = 16 * 1024**2
_PLAIN, _BYTES, _JSON = "plain", "bytes", "json"


class TableSum(BaseModel):
    """What a table held."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int
    sha256: str


class LogSum(BaseModel):
    """The audit log as it was: its size and its Merkle root."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int
    root: str


class Manifest(BaseModel):
    """What a backup says of itself; the last thing in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str
    revision: str
    version: str
    made_at: AwareDatetime
    database: str
    has_index: bool
    tables: Mapping[str, TableSum]
    files: Mapping[str, str]
    log: LogSum


class Running:
    """Count and hash of a table as its lines go by."""

    def __init__(self) -> None:
        self._rows = 0
        self._digest = hashlib.sha256()

    def add(self, line: bytes) -> None:
        """Another row."""
        self._rows += 1
        self._digest.update(line + b"\n")

    def total(self) -> TableSum:
        """What went by."""
        return TableSum(rows=self._rows, sha256=self._digest.hexdigest())


def write_file(out: SealedWriter, name: str, *, content: bytes) -> str:
    """Put a file in; returns its SHA-256."""
    out.write(json.dumps({"file": name, "size": len(content)}).encode() + b"\n" + content)
    return hashlib.sha256(content).hexdigest()


def write_table(out: SealedWriter, connection: Connection, *, table: sa.Table) -> TableSum:
    """Put a table in, in the order of its primary key, a page at a time."""
    kinds = [_kind_of(column) for column in table.columns]
    names = [column.name for column in table.columns]
    head = {"table": table.name, "columns": [list(pair) for pair in zip(names, kinds, strict=True)]}
    out.write(json.dumps(head).encode() + b"\n")
    running = Running()
    statement = sa.select(table).order_by(*table.primary_key.columns)
    for row in connection.execution_options(stream_results=True, yield_per=PAGE_ROWS).execute(statement):
        line = json.dumps([_out(value, kind) for value, kind in zip(row, kinds, strict=True)]).encode()
        running.add(line)
        out.write(line + b"\n")
    out.write(json.dumps({"end": table.name}).encode() + b"\n")
    return running.total()


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A file that came by."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRows:
    """Some rows of a table; the first of a table may be none."""

    table: str
    rows: Sequence[Mapping[str, object]]


def read_contents(reader: SealedReader) -> Iterator[FoundFile | FoundRows | Manifest]:
    """Everything in order, the manifest last, once all that it tells has been compared. Raises DataLoss."""
    tables: dict[str, TableSum] = {}
    files: dict[str, str] = {}
    while True:
        head = _object(reader.read_line())
        if "file" in head:
            name, size = str(head["file"]), head.get("size")
            if not isinstance(size, int) or not 0 <= size <= MAX_FILE_BYTES:
                raise DataLoss("a file in the backup has no size of ours", code="backup.damaged")
            content = reader.read(size)
            files[name] = hashlib.sha256(content).hexdigest()
            yield FoundFile(name=name, content=content)
        elif "table" in head:
            running = Running()
            yield from _read_table(reader, head, running)
            tables[str(head["table"])] = running.total()
        else:
            manifest = _read_manifest(head)
            reader.expect_end()
            if dict(manifest.tables) != tables or dict(manifest.files) != files:
                raise DataLoss("the backup does not hold what its manifest tells", code="backup.damaged")
            yield manifest
            return


def _read_table(reader: SealedReader, head: Mapping[str, object], running: Running) -> Iterator[FoundRows]:
    name = str(head["table"])
    columns = cast("list[list[str]]", head.get("columns"))
    page: list[Mapping[str, object]] = []
    yield FoundRows(table=name, rows=())
    while True:
        line = reader.read_line()
        if not line.startswith(b"["):
            if _object(line).get("end") != name:
                raise DataLoss(f"the table {name} in the backup has no end", code="backup.damaged")
            break
        running.add(line)
        values = cast("list[object]", json.loads(line))
        page.append({column: _in(value, kind) for (column, kind), value in zip(columns, values, strict=True)})
        if len(page) >= PAGE_ROWS:
            yield FoundRows(table=name, rows=page)
            page = []
    if page:
        yield FoundRows(table=name, rows=page)


def _read_manifest(head: Mapping[str, object]) -> Manifest:
    manifest = Manifest.model_validate(head.get("manifest"))
    if manifest.format != FORMAT:
        raise DataLoss("the backup is of a form that this version does not know", code="backup.format")
    return manifest


def _object(line: bytes) -> dict[str, object]:
    try:
        said: object = json.loads(line)
    except ValueError as error:
        raise DataLoss("a line of the backup cannot be read", code="backup.damaged") from error
    if not isinstance(said, dict):
        raise DataLoss("a line of the backup cannot be read", code="backup.damaged")
    return cast("dict[str, object]", said)


def _kind_of(column: sa.Column[object]) -> str:
    if isinstance(column.type, sa.LargeBinary | sa.BINARY):
        return _BYTES
    return _JSON if isinstance(column.type, sa.JSON) else _PLAIN


def _out(value: object, kind: str) -> object:
    if value is None or kind == _PLAIN:
        return value
    if kind == _JSON:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return base64.b64encode(cast(bytes, value)).decode()


def _in(value: object, kind: str) -> object:
    if value is None or kind == _PLAIN:
        return value
    return json.loads(cast(str, value)) if kind == _JSON else base64.b64decode(cast(str, value))

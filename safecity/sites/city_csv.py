"""The CSV form of a city file: one table with a `kind` column, as a clerk keeps it in a spreadsheet.

Tolerated, because spreadsheets write it so: a byte order mark, UTF-16 with one, semicolons or tabs between cells, a
leading `sep=;` line, blank rows, and short rows. RFC 4180 otherwise.
"""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from safecity.platform.errors import Invalid
from safecity.sites.rows import COLUMNS, ROW_OF_KIND, RawRow

CELL_LONGEST = 400_000
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
csv.field_size_limit(CELL_LONGEST)


def read_rows(content: bytes) -> Iterator[RawRow]:
    """The rows with the number of the line on which each begins (the header is line 1).

    Raises Invalid when the file as a whole cannot be read: not UTF-8, or no header with `kind` and `code`.
    """
    lines = io.StringIO(_decoded(content), newline="").readlines()
    start = 1 if lines and lines[0][:4].lower() == "sep=" else 0
    delimiter = _delimiter(lines[start:])
    header: list[str] | None = None
    for number, cells in _tables(lines, start=start, delimiter=delimiter):
        if isinstance(cells, str):
            yield RawRow(number=number, kind="", values={}, reasons=(cells,))
        elif not any(cell.strip() for cell in cells):
            continue
        elif header is None:
            header = [cell.strip().lower() for cell in cells]
            yield from _check_header(header, number)
        else:
            yield _row(header, cells, number=number)
    if header is None:
        raise Invalid("the file is empty; its first line must name the columns", code="sites.unreadable_city_file")


def _tables(lines: Sequence[str], *, start: int, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """(line number, cells), or a reason in place of the cells.

    A quote left open would swallow the rows after it; so after a broken row the reading goes on with the next line.
    """
    while start < len(lines):
        reader = csv.reader(itertools.islice(lines, start, None), delimiter=delimiter, strict=True)
        number = start + 1
        try:
            for cells in reader:
                yield number, cells
                number = start + reader.line_num + 1
            return
        except csv.Error as error:
            yield number, f"a quote is not closed, or text follows one ({error}); write a quote inside text twice"
            start = number


def _decoded(content: bytes) -> str:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Invalid(
            f'line {line} is not UTF-8 text; in Excel, save as "CSV UTF-8 (comma delimited)"',
            code="sites.unreadable_city_file",
            line=line,
        ) from error


def _delimiter(lines: Sequence[str]) -> str:
    first = next((line for line in lines if line.strip()), "")
    return max((",", ";", "\t"), key=first.count)


def _check_header(header: list[str], number: int) -> Iterator[RawRow]:
    for wanted in ("kind", "code"):
        if wanted not in header:
            raise Invalid(
                f"line {number} must name the columns, and there is no column {wanted}; "
                f"the columns are {', '.join(COLUMNS)}",
                code="sites.unreadable_city_file",
                line=number,
            )
    unknown = [name for name in header if name and name not in COLUMNS]
    twice = sorted({name for name in header if name and header.count(name) > 1})
    reasons = [f"there is no column {name[:40]!r}; the columns are {', '.join(COLUMNS)}" for name in unknown]
    reasons += [f"the column {name} is there twice; remove one" for name in twice]
    if reasons:
        yield RawRow(number=number, kind="header", values={}, reasons=tuple(reasons))


def _row(header: list[str], cells: list[str], *, number: int) -> RawRow:
    filled = {name: cell for name, cell in zip(header, cells, strict=False) if name in COLUMNS and cell.strip()}
    kind = filled.pop("kind", "").strip().lower()
    values: dict[str, object] = {name: _unguarded(cell) for name, cell in filled.items()}
    extra = [cell for cell in cells[len(header) :] if cell.strip()]
    reasons: tuple[str, ...] = ()
    if extra:
        reasons = (f"has {len(cells)} cells under {len(header)} columns; put text that holds a comma into quotes",)
    return RawRow(number=number, kind=kind, values=values, reasons=reasons)


def _guarded(cell: str) -> str:
    """Text that a spreadsheet would run as a formula gets an apostrophe in front, which it takes as plain text."""
    is_risky = cell.startswith(_FORMULA_STARTS) or (
        cell.startswith("'") and cell[1:].startswith((*_FORMULA_STARTS, "'"))
    )
    return "'" + cell if is_risky else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith((*_FORMULA_STARTS, "'")) else cell


def write_rows(rows: Iterable[tuple[str, Mapping[str, object]]]) -> bytes:
    """The table of (kind, cells) as UTF-8 with a byte order mark, so that spreadsheets show Urdu."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for kind, cells in rows:
        assert kind in ROW_OF_KIND
        writer.writerow([kind, *(_written(cells.get(column)) for column in COLUMNS[1:])])
    return out.getvalue().encode("utf-8-sig")


def _written(value: object) -> str:
    """A cell's text: shapes as `x y; x y`, sizes as `1280x720`; only numbers may begin with a sign."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, tuple):
        return "x".join(str(part) for part in value)
    if isinstance(value, list):
        return _guarded("; ".join(f"{x!r} {y!r}" for x, y in value))
    return _guarded(str(value))

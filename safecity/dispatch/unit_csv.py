"""Units from a CSV file: `code,kind,name,name_ur,lon,lat`, one unit a line."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from safecity.dispatch.model import UnitKind, UnitSpec
from safecity.platform.errors import Invalid
from safecity.platform.geometry import LonLat

COLUMNS = ("code", "kind", "name", "name_ur", "lon", "lat")
MAX_BYTES = 4 * 1024**2
CODE_LONGEST = 40
NAME_LONGEST = 120


def read_units(file: Path) -> list[UnitSpec]:
    """The units of a file. Raises Invalid with every bad row, each with its line number and all that is wrong."""
    if file.stat().st_size > MAX_BYTES:
        raise Invalid(f"{file} has over {MAX_BYTES} bytes; import parts", code="dispatch.file_too_large")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"{file} is no UTF-8 text; save it as CSV UTF-8", code="dispatch.bad_file") from error
    return parse_units(text)


def parse_units(text: str) -> list[UnitSpec]:
    """The units of a CSV text. Raises Invalid as `read_units`."""
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", restval=None)
    try:
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise Invalid(
                f"the first line must name the columns {','.join(COLUMNS)}; missing: {', '.join(missing)}",
                code="dispatch.bad_header",
            )
        return _rows(reader)
    except csv.Error as error:
        raise Invalid(f"line {reader.line_num}: {error}", code="dispatch.bad_file") from error


def _rows(reader: "csv.DictReader[str]") -> list[UnitSpec]:
    specs: list[UnitSpec] = []
    bad: list[dict[str, object]] = []
    lines: dict[str, int] = {}
    for row in reader:
        reasons: list[str] = []
        if row.get("") is not None or any(row[name] is None for name in COLUMNS):
            reasons.append("it has more or fewer fields than the first line")
            spec = None
        else:
            spec = read_spec(row, reasons)
        if spec is not None and spec.code.lower() in lines:
            reasons.append(f"the code {spec.code} is in line {lines[spec.code.lower()]} already")
        if spec is not None:
            lines.setdefault(spec.code.lower(), reader.line_num)
        if reasons or spec is None:
            bad.append({"line": reader.line_num, "reasons": reasons})
        else:
            specs.append(spec)
    if bad:
        raise Invalid(
            f"{len(bad)} bad row{'s' if len(bad) > 1 else ''}; nothing was imported", code="dispatch.bad_rows", rows=bad
        )
    return specs


def read_spec(row: Mapping[str, str], reasons: list[str]) -> UnitSpec | None:
    """The unit of a row; None where it is none, with all that is wrong added to `reasons`."""
    before = len(reasons)
    code, name = row["code"].strip(), row["name"].strip()
    if not code or len(code) > CODE_LONGEST or not all(one.isalnum() or one in "-_." for one in code):
        reasons.append(f"code: 1 to {CODE_LONGEST} letters, digits, - _ or .")
    elif not code.isascii():
        reasons.append("code: only letters a to z; put other scripts into name_ur")
    if not name or len(name) > NAME_LONGEST:
        reasons.append(f"name: 1 to {NAME_LONGEST} characters")
    if len(row["name_ur"].strip()) > NAME_LONGEST:
        reasons.append(f"name_ur: at most {NAME_LONGEST} characters")
    kinds = [kind.value for kind in UnitKind]
    if row["kind"].strip() not in kinds:
        reasons.append(f"kind: one of {', '.join(kinds)}")
    position = read_position(row["lon"], row["lat"], reasons=reasons)
    if len(reasons) > before or position is None:
        return None
    return UnitSpec(
        code=code, kind=UnitKind(row["kind"].strip()), name=name, name_ur=row["name_ur"].strip(), position=position
    )


def read_position(lon: str, lat: str, *, reasons: list[str]) -> LonLat | None:
    """A WGS84 position from two numbers as text, degrees; None with a reason where it is none."""
    try:
        return LonLat(float(lon), float(lat))
    except ValueError:
        reasons.append("lon, lat: decimal degrees such as 67.00,30.19, longitude first")
        return None

"""A city file on disk: found out what form it has, read within limits, and written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from safecity.platform.errors import Invalid, NotFound
from safecity.sites import city_csv, city_geojson
from safecity.sites.city import City
from safecity.sites.city_build import city_cells
from safecity.sites.rows import RawRow

MAX_BYTES = 64 * 1024**2
MAX_ROWS = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CityFile:
    """The rows of a file that could be read; nothing is said yet of whether they are right.

    `counts_in` says what the rows' numbers count: lines of a CSV, or features of a GeoJSON from 0.
    """

    counts_in: str
    rows: tuple[RawRow, ...] = field(repr=False)


def read_city_file(path: Path, *, max_bytes: int = MAX_BYTES) -> CityFile:
    """Read a .csv, .geojson or .json file; the content decides, not the name.

    Raises NotFound when there is no such file and Invalid when it cannot be read as a city file at all.
    """
    try:
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {path}", code="sites.no_city_file") from error
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}", code="sites.unreadable_city_file") from error
    if len(content) > max_bytes:
        raise Invalid(
            f"{path} is larger than {max_bytes // 1024**2} MiB, too large for a city file; "
            "split it, or raise max_import_bytes under [sites] in safecity.toml",
            code="sites.city_file_too_large",
        )
    return parse_city_file(content)


def parse_city_file(content: bytes) -> CityFile:
    """The rows of a file's bytes; raises Invalid when it is neither form."""
    start = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] in (b"{", b"["):
        return city_of_geojson(city_geojson.load(content))
    return _limited("line", city_csv.read_rows(content))


def city_of_geojson(collection: Mapping[str, object]) -> CityFile:
    """The rows of a GeoJSON FeatureCollection that is in memory already."""
    return _limited("feature", city_geojson.read_features(collection))


def _limited(counts_in: str, rows: Iterator[RawRow]) -> CityFile:
    taken = tuple(islice(rows, MAX_ROWS + 1))
    if len(taken) > MAX_ROWS:
        raise Invalid(f"the file has more than {MAX_ROWS} rows; split it", code="sites.city_file_too_large")
    return CityFile(counts_in=counts_in, rows=taken)


def written_csv(city: City) -> bytes:
    """The city as CSV for a spreadsheet, without sign-ins."""
    return city_csv.write_rows(city_cells(city))


def written_geojson(city: City) -> bytes:
    """The city as GeoJSON, without sign-ins."""
    return city_geojson.write_features(city_cells(city), note=city.name.note if city.name else "")

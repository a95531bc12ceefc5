"""The GeoJSON form of a city file: an RFC 7946 FeatureCollection whose features carry a `kind` property."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import NoReturn, cast

from safecity.platform.errors import Invalid
from safecity.sites.rows import ROW_OF_KIND, RawRow

_WGS84 = ("urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:OGC::CRS84", "EPSG:4326", "urn:ogc:def:crs:EPSG::4326")
_DRAWN_ON_MAP = {"zone": "Polygon", "line": "LineString"}


def _unreadable(message: str) -> NoReturn:
    raise Invalid(message, code="sites.unreadable_city_file")


def load(content: bytes) -> Mapping[str, object]:
    """The file as JSON; raises Invalid when it is none, or is nested deeper than any city file."""
    try:
        loaded: object = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        _unreadable("the file is not UTF-8 text; save it as GeoJSON in UTF-8")
    except json.JSONDecodeError as error:
        _unreadable(f"line {error.lineno} is not JSON: {error.msg}")
    except RecursionError:
        _unreadable("the file is nested too deeply to be a city file")
    except ValueError:
        _unreadable("the file holds a number with thousands of digits; it is no city file")
    if not isinstance(loaded, dict):
        _unreadable("the file must be a GeoJSON FeatureCollection")
    return cast("Mapping[str, object]", loaded)


def read_features(collection: Mapping[str, object]) -> Iterator[RawRow]:
    """The features as rows, numbered by their index from 0."""
    features = collection.get("features")
    if collection.get("type") != "FeatureCollection" or not isinstance(features, list):
        _unreadable('the file must be a GeoJSON FeatureCollection: {"type": "FeatureCollection", "features": [...]}')
    _check_reference_system(collection.get("crs"))
    for number, feature in enumerate(cast("list[object]", features)):
        yield _row(number, feature)


def _check_reference_system(crs: object) -> None:
    """RFC 7946 knows only WGS84, but older tools still name a system; another one would put cameras elsewhere."""
    if crs is None:
        return
    properties = cast("Mapping[str, object]", crs).get("properties") if isinstance(crs, dict) else None
    name = cast("Mapping[str, object]", properties).get("name") if isinstance(properties, dict) else None
    if name not in _WGS84:
        _unreadable("the file's coordinates are not WGS84 longitude and latitude; export it as EPSG:4326")


def _row(number: int, feature: object) -> RawRow:
    if not isinstance(feature, dict):
        return RawRow(number=number, kind="", values={}, reasons=("is no GeoJSON Feature",))
    whole = cast("Mapping[str, object]", feature)
    properties = whole.get("properties")
    if whole.get("type") != "Feature" or not isinstance(properties, dict):
        return RawRow(number=number, kind="", values={}, reasons=("is no GeoJSON Feature with properties",))
    filled = {
        name: value
        for name, value in cast("dict[str, object]", properties).items()
        if value is not None and not (isinstance(value, str) and not value.strip())
    }
    kind = filled.pop("kind", "")
    kind = kind.strip().lower() if isinstance(kind, str) else ""
    if kind not in ROW_OF_KIND:
        return RawRow(number=number, kind=kind, values=filled)
    try:
        values = {**filled, **_place(kind, whole.get("geometry"))}
    except ValueError as error:
        return RawRow(number=number, kind=kind, values=filled, reasons=(str(error),))
    doubled = sorted({"lon", "lat", "points"} & filled.keys())
    reasons = (f"{doubled[0]} belongs into the geometry, not into the properties",) if doubled else ()
    return RawRow(number=number, kind=kind, values=values, reasons=reasons)


def _place(kind: str, geometry: object) -> dict[str, object]:
    """The columns that a geometry stands for; raises ValueError when it does not suit the kind."""
    if geometry is None:
        return {}
    wanted = _DRAWN_ON_MAP.get(kind, ROW_OF_KIND[kind].geometry)
    whole = cast("Mapping[str, object]", geometry) if isinstance(geometry, dict) else {}
    coordinates = whole.get("coordinates")
    if whole.get("type") != wanted or not isinstance(coordinates, list):
        raise ValueError(f"a {kind} needs a {wanted} as its geometry")
    parts = cast("list[object]", coordinates)
    if wanted == "Point":
        if len(parts) not in (2, 3):
            raise ValueError("a Point needs two numbers: [longitude, latitude]")
        return {"lon": parts[0], "lat": parts[1]}
    if wanted == "Polygon":
        if len(parts) != 1 or not isinstance(parts[0], list):
            raise ValueError("a Polygon needs one ring; holes are not supported, draw it as one border")
        return {"points": parts[0]}
    return {"points": parts}


def write_features(rows: Iterable[tuple[str, Mapping[str, object]]], *, note: str) -> bytes:
    """Features of (kind, cells), one a line."""
    lines = (json.dumps(_feature(kind, cells), ensure_ascii=False, separators=(",", ":")) for kind, cells in rows)
    head = f'{{"type":"FeatureCollection","note":{json.dumps(note, ensure_ascii=False)},"features":['
    return (head + "\n" + ",\n".join(lines) + "\n]}\n").encode()


def _feature(kind: str, cells: Mapping[str, object]) -> dict[str, object]:
    shape = _DRAWN_ON_MAP.get(kind, ROW_OF_KIND[kind].geometry)
    geometry: dict[str, object] | None = None
    if cells.get("lon") is not None:
        geometry = {"type": "Point", "coordinates": [cells["lon"], cells["lat"]]}
    elif cells.get("points") is not None:
        points = cast("list[object]", cells["points"])
        ring: list[object] = [[*points, points[0]]]
        geometry = {"type": shape, "coordinates": ring if shape == "Polygon" else points}
    rest = {k: v for k, v in cells.items() if v not in (None, "") and k not in ("lon", "lat", "points")}
    return {"type": "Feature", "properties": {"kind": kind, **rest}, "geometry": geometry}

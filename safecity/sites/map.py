"""The map under the cameras, as GeoJSON (RFC 7946)."""

from collections.abc import Iterator, Sequence

from safecity.platform.geometry import LonLat
from safecity.sites.city import City
from safecity.sites.model import District, Gate, Line, Place, Road, Zone

Feature = dict[str, object]


def map_features(city: City) -> dict[str, object]:
    """Districts, roads, gates, police stations, hospitals, and the zones and lines that lie on the map.

    `note` and `note_ur` must be shown with it: they say, for one, that a road net is invented.
    """
    name = city.name
    return {
        "type": "FeatureCollection",
        "note": name.note if name else "",
        "note_ur": name.note_ur if name else "",
        "features": list(_features(city)),
    }


def _features(city: City) -> Iterator[Feature]:
    for district in city.districts:
        yield _feature("district", district, geometry=_polygon(district.border))
    for road in city.roads:
        yield _feature("road", road, geometry=_line(road.path), **{"class": road.road_class.value})
    for zone in city.zones:
        if zone.border:
            yield _feature("zone", zone, geometry=_polygon(zone.border))
    for line in city.lines:
        if line.path:
            yield _feature("line", line, geometry=_line(line.path))
    for gate in city.gates:
        yield _feature("gate", gate, geometry=_point(gate.position))
    for place in city.places:
        yield _feature(place.kind.value, place, geometry=_point(place.position))


def _feature(
    kind: str, thing: District | Road | Zone | Line | Gate | Place, *, geometry: Feature, **more: str
) -> Feature:
    properties = {"kind": kind, "id": thing.id, "name": thing.name, "name_ur": thing.name_ur, **more}
    return {"type": "Feature", "id": thing.id, "properties": properties, "geometry": geometry}


def _point(at: LonLat) -> Feature:
    return {"type": "Point", "coordinates": [at.lon, at.lat]}


def _line(path: Sequence[LonLat]) -> Feature:
    return {"type": "LineString", "coordinates": [[point.lon, point.lat] for point in path]}


def _polygon(border: Sequence[LonLat]) -> Feature:
    ring = [[point.lon, point.lat] for point in border]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}

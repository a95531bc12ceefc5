"""Makes the packaged file of the virtual Quetta: `python -m safecity.virtual.quetta.make`.

The same code gives the same file; a test compares them. The file is a SafeCity city file (GeoJSON, see
`safecity/sites/README.md`) whose cameras have no stream address yet: `virtual_quetta` gives them one.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from safecity.platform.files import write_whole
from safecity.virtual.quetta.names import GATES, HOSPITALS, POLICE, ZONES, Named
from safecity.virtual.quetta.net import draw_districts, draw_major_roads, draw_minor_roads, to_m
from safecity.virtual.quetta.plane import XY, to_lonlat, warp
from safecity.virtual.quetta.posts import Site, place_cameras, place_sites, share_cameras

NOTE = (
    "A virtual Quetta for demos, tests and drills. The road net is invented, and so are the positions of districts, "
    "sites, cameras, police stations and hospitals; do not navigate by them."
)
NOTE_UR = "یہ نقشہ فرضی ہے: سڑکیں اور مقامات حقیقی نہیں۔"
FILE = Path(__file__).parent / "quetta.geojson"
PICTURE_PX = [1280, 720]
GATE_LINE_PX = [[150, 470], [1130, 470]]
STOPPING_ZONE_PX = [[90, 700], [430, 330], [850, 330], [1190, 700]]

Feature = dict[str, object]


def make_city() -> dict[str, object]:
    """The whole city as a GeoJSON FeatureCollection."""
    districts = draw_districts()
    roads = [*draw_major_roads(), *draw_minor_roads(districts)]
    sites = place_sites(roads, districts)
    features: list[Feature] = [
        _feature(
            "city",
            {"code": "QUETTA", "name": "Quetta (virtual)", "name_ur": "کوئٹہ (فرضی)", "note": NOTE, "note_ur": NOTE_UR},
            geometry=_point((0.0, 0.0)),
        )
    ]
    features.extend(_feature("district", _names(d.quarter), geometry=_polygon(d.border)) for d in districts)
    features.extend(_gates(sites))
    features.extend(_sites_and_cameras(sites))
    features.extend(_areas())
    features.extend(_places())
    for road in roads:
        names: Feature = {"name": road.name, "name_ur": road.name_ur} if road.name else {}
        line: Feature = {"type": "LineString", "coordinates": [to_lonlat(point) for point in road.path]}
        features.append(_feature("road", {"code": road.code, **names, "class": road.road_class}, geometry=line))
    return {"type": "FeatureCollection", "note": NOTE, "features": features}


def _sites_and_cameras(sites: Sequence[Site]) -> Iterator[Feature]:
    for number, (site, count) in enumerate(zip(sites, share_cameras(sites), strict=True), start=1):
        code = f"QTA-{number:03d}"
        names: Feature = {"code": code, "name": site.name, "name_ur": site.name_ur, "district": site.district}
        yield _feature("site", names, geometry=_point(site.at))
        for index, camera in enumerate(place_cameras(site, count), start=1):
            properties: Feature = {
                "code": f"{code}-{index:02d}",
                "site": code,
                "name": camera.name,
                "name_ur": camera.name_ur,
                "bearing_deg": camera.bearing_deg,
                "fov_deg": camera.fov_deg,
                "range_m": camera.range_m,
            }
            if site.gate:
                properties["gate"] = site.gate
            yield _feature("camera", properties, geometry=_point(camera.at))
        yield from _drawn(site, code)


def _drawn(site: Site, code: str) -> Iterator[Feature]:
    """What is drawn on the picture: counting lines at the gates, a no-stopping zone at the centre's junctions."""
    if site.gate:
        for index, (way, way_ur) in enumerate((("in", "آمد"), ("out", "روانگی")), start=1):
            names: Feature = {"code": f"{site.gate}-{way.upper()}", "camera": f"{code}-{index:02d}"}
            names |= {"name": f"{site.name} {way}", "name_ur": f"{site.name_ur} {way_ur}"}
            yield _feature("line", {**names, "picture_px": PICTURE_PX, "points_px": GATE_LINE_PX}, geometry=None)
    elif site.district == "CITY":
        names = {"code": f"{code}-STOP", "camera": f"{code}-01"}
        names |= {"name": f"No stopping, {site.name}", "name_ur": f"رکنا منع ہے، {site.name_ur}"}
        yield _feature("zone", {**names, "picture_px": PICTURE_PX, "points_px": STOPPING_ZONE_PX}, geometry=None)


def _gates(sites: Sequence[Site]) -> Iterator[Feature]:
    by_code = {site.gate: site for site in sites if site.gate}
    for gate, _ in GATES:
        yield _feature("gate", _names(gate), geometry=_point(by_code[gate.code].at))


def _areas() -> Iterator[Feature]:
    for code, name, name_ur, at_km, half_m in ZONES:
        middle = to_m(at_km)
        corners = [(-1, -1), (0, -1.05), (1, -1), (1.05, 0), (1, 1), (0, 1.05), (-1, 1), (-1.05, 0)]
        border = [warp((middle[0] + i * half_m[0], middle[1] + j * half_m[1])) for i, j in corners]
        yield _feature("zone", {"code": code, "name": name, "name_ur": name_ur}, geometry=_polygon(border))


def _places() -> Iterator[Feature]:
    for kind, places in (("police", POLICE), ("hospital", HOSPITALS)):
        for place in places:
            yield _feature(kind, _names(place), geometry=_point(warp(to_m(place.at_km))))


def _names(named: Named) -> Feature:
    return {"code": named.code, "name": named.name, "name_ur": named.name_ur}


def _feature(kind: str, properties: Mapping[str, object], *, geometry: Feature | None) -> Feature:
    return {"type": "Feature", "properties": {"kind": kind, **properties}, "geometry": geometry}


def _point(at: XY) -> Feature:
    return {"type": "Point", "coordinates": to_lonlat(at)}


def _polygon(border: Sequence[XY]) -> Feature:
    """One closed ring, anticlockwise as RFC 7946 section 3.1.6 asks."""
    ring = [to_lonlat(point) for point in border]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def written(city: Mapping[str, object]) -> bytes:
    """The file's bytes: compact, one feature a line, so that a change shows as a small difference."""
    features = city["features"]
    assert isinstance(features, list)
    lines = ",\n".join(json.dumps(f, ensure_ascii=False, separators=(",", ":")) for f in features)
    note = json.dumps(city["note"], ensure_ascii=False)
    return f'{{"type":"FeatureCollection","note":{note},"features":[\n{lines}\n]}}\n'.encode()


if __name__ == "__main__":
    write_whole(FILE, written(make_city()))

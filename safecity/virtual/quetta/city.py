"""The virtual Quetta with as many cameras as a machine should carry."""

import json
import math
from collections.abc import Sequence
from importlib.resources import files
from typing import cast

from safecity.platform.errors import Invalid
from safecity.platform.geometry import LonLat, distance_m

CAMERAS = 1_400
Feature = dict[str, object]

_MIDDLE = LonLat(67.0, 30.19)
_CENTRE_REACH_M = 4_000.0
_NEXT_CAMERA_COSTS = 24
"""A second camera at a site comes as late as a site so many places further down the list."""


def virtual_quetta(cameras: int, rtsp_base: str, *, user: str = "", password: str = "") -> dict[str, object]:
    """A city file (GeoJSON) with so many cameras, the four gates first, then spread over the city.

    Only sites that carry one of the cameras are in it. `{rtsp_base}/{code}/main` and `/sub` are the streams; the
    same call gives the same city, and more cameras only add to it. Raises Invalid for a number that is not 1-1,400.
    """
    if not 1 <= cameras <= CAMERAS:
        raise Invalid(f"the virtual Quetta has 1 to {CAMERAS} cameras, not {cameras}", code="virtual.bad_count")
    city = read_quetta()
    features = cast("list[Feature]", city["features"])
    chosen = _choose(features, cameras)
    sites = {code.rsplit("-", 1)[0] for code in chosen}
    kept: list[Feature] = []
    for feature in features:
        properties = cast("Feature", feature["properties"])
        kind, code = properties["kind"], cast(str, properties["code"])
        is_spare_site = kind == "site" and code not in sites
        is_spare_camera = kind == "camera" and code not in chosen
        is_spare_drawing = "camera" in properties and properties["camera"] not in chosen
        if is_spare_site or is_spare_camera or is_spare_drawing:
            continue
        if kind == "camera":
            base = rtsp_base.rstrip("/")
            properties |= {"main_url": f"{base}/{code}/main", "sub_url": f"{base}/{code}/sub"}
            properties |= {"user": user, "password": password} if user else {}
        kept.append({**feature, "properties": properties})
    return {**city, "features": kept}


def read_quetta() -> dict[str, object]:
    """The packaged city as it was made: all sites and cameras, no stream addresses."""
    text = files("safecity.virtual.quetta").joinpath("quetta.geojson").read_text(encoding="utf-8")
    return cast("dict[str, object]", json.loads(text))


def _choose(features: Sequence[Feature], count: int) -> set[str]:
    """The codes of the cameras to keep."""
    at: dict[str, LonLat] = {}
    cameras: list[tuple[str, str]] = []
    gates: dict[str, None] = {}
    for feature in features:
        properties = cast("dict[str, str]", feature["properties"])
        if properties["kind"] == "site":
            lon, lat = cast("dict[str, list[float]]", feature["geometry"])["coordinates"]
            at[properties["code"]] = LonLat(lon, lat)
        elif properties["kind"] == "camera":
            cameras.append((properties["site"], properties["code"]))
            if "gate" in properties:
                gates[properties["site"]] = None
    ranks = _rank(at, list(gates))
    at_site: dict[str, int] = {}
    order: list[tuple[int, str]] = []
    for site, code in cameras:
        index = at_site[site] = at_site.get(site, -1) + 1
        order.append((ranks[site] + _NEXT_CAMERA_COSTS * index, code))
    return {code for _, code in sorted(order)[:count]}


def _rank(at: dict[str, LonLat], first: list[str]) -> dict[str, int]:
    """Each site's place in the list: the gates, then always the site farthest from all before, the centre preferred."""
    weight = {
        code: 1 + 2 * math.exp(-((distance_m(point, _MIDDLE) / _CENTRE_REACH_M) ** 2)) for code, point in at.items()
    }
    ranks = {code: place for place, code in enumerate(first)}
    gap_m = {
        code: min(distance_m(point, at[gate]) for gate in first) for code, point in at.items() if code not in ranks
    }
    while gap_m:
        farthest = max(gap_m, key=lambda code: (gap_m[code] * weight[code], code))
        ranks[farthest] = len(ranks)
        del gap_m[farthest]
        for code in gap_m:
            gap_m[code] = min(gap_m[code], distance_m(at[code], at[farthest]))
    return ranks

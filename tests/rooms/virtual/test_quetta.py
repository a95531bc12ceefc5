"""The ready-made virtual Quetta: made by its code, complete, plausible, and a good city file."""

import json
import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.platform.errors import Invalid
from safecity.platform.geometry import LonLat, bearing_deg, distance_m
from safecity.sites.city_check import check_city
from safecity.sites.city_file import city_of_geojson
from safecity.virtual.quetta import read_quetta, virtual_quetta
from safecity.virtual.quetta.make import FILE, make_city, written

BASE = "rtsp://127.0.0.1:8554"
Feature = dict[str, dict[str, object]]


def features_of(city: dict[str, object], kind: str) -> list[Feature]:
    features = city["features"]
    assert isinstance(features, list)
    return [feature for feature in features if feature["properties"]["kind"] == kind]


def codes(city: dict[str, object], kind: str) -> list[str]:
    return [str(feature["properties"]["code"]) for feature in features_of(city, kind)]


def at(feature: Feature) -> LonLat:
    lon, lat = feature["geometry"]["coordinates"]  # type: ignore[misc]
    return LonLat(lon, lat)


def test_the_packaged_file_is_what_its_code_makes() -> None:
    assert written(make_city()) == FILE.read_bytes(), "run python -m safecity.virtual.quetta.make"


def test_it_is_small_and_complete_and_says_that_it_is_invented() -> None:
    assert FILE.stat().st_size < 2_000_000
    city = read_quetta()
    features = city["features"]
    assert isinstance(features, list)
    count = Counter(feature["properties"]["kind"] for feature in features)
    assert (count["site"], count["camera"], count["gate"]) == (225, 1400, 4)
    assert count["police"] >= 12
    assert count["hospital"] >= 8
    assert count["district"] >= 20
    assert count["line"] == 8
    assert "invented" in str(city["note"])
    (name,) = features_of(city, "city")
    assert "invented" in str(name["properties"]["note"])


def test_everything_that_people_read_is_in_both_languages() -> None:
    features = read_quetta()["features"]
    assert isinstance(features, list)
    for feature in features:
        properties = feature["properties"]
        if properties["kind"] == "road" and "name" not in properties:
            continue
        assert any("a" <= c.lower() <= "z" for c in properties["name"])
        assert any("\u0600" <= c <= "\u06ff" for c in properties["name_ur"]), properties


def test_the_road_net_has_classes_and_reaches_the_gates() -> None:
    city = read_quetta()
    roads = features_of(city, "road")
    length_m: Counter[str] = Counter()
    for road in roads:
        points = [LonLat(*point) for point in road["geometry"]["coordinates"]]  # type: ignore[misc]
        length_m[str(road["properties"]["class"])] += round(sum(distance_m(a, b) for a, b in pairwise(points)))
    assert set(length_m) == {"highway", "ring", "arterial", "collector", "street"}
    assert 30_000 < length_m["ring"] < 80_000
    assert length_m["street"] > length_m["collector"] > length_m["arterial"] > length_m["ring"]
    highways = [r["geometry"]["coordinates"] for r in roads if r["properties"]["class"] == "highway"]
    for gate in features_of(city, "gate"):
        nearest = min(distance_m(at(gate), LonLat(*p)) for line in highways for p in line)  # type: ignore[misc]
        assert nearest < 120


def test_the_gates_lie_around_the_city() -> None:
    middle = LonLat(67.0, 30.19)
    gates = {str(g["properties"]["code"]): at(g) for g in features_of(read_quetta(), "gate")}
    for code, wanted_deg in (("NORTH", 340), ("WEST", 290), ("SOUTH", 200), ("EAST", 170)):
        turn = abs((bearing_deg(middle, gates[code]) - wanted_deg + 180) % 360 - 180)
        assert turn < 25, code
        assert 8_000 < distance_m(middle, gates[code]) < 20_000


def test_cameras_look_along_their_roads() -> None:
    city = read_quetta()
    roads: list[tuple[LonLat, LonLat]] = []
    for road in features_of(city, "road"):
        if road["properties"]["class"] != "street":
            points = [LonLat(*p) for p in road["geometry"]["coordinates"]]  # type: ignore[misc]
            roads.extend(pairwise(points))
    sites = {str(s["properties"]["code"]): at(s) for s in features_of(city, "site")}
    for camera in features_of(city, "camera")[::23]:
        site = sites[str(camera["properties"]["site"])]
        assert distance_m(at(camera), site) < 40
        near = [(a, b) for a, b in roads if min(distance_m(site, a), distance_m(site, b)) < 400]
        looks = float(str(camera["properties"]["bearing_deg"]))
        turns = [abs((bearing_deg(a, b) - looks + 90) % 180 - 90) for a, b in near]
        assert min(turns) < 12, camera["properties"]


def test_sites_stand_apart_and_carry_at_least_two_cameras() -> None:
    city = read_quetta()
    sites = [at(site) for site in features_of(city, "site")]
    closest = min(distance_m(a, b) for i, a in enumerate(sites) for b in sites[:i])
    assert closest > 200
    per_site = Counter(str(camera["properties"]["site"]) for camera in features_of(city, "camera"))
    assert len(per_site) == 225
    assert 2 <= min(per_site.values()) <= max(per_site.values()) <= 12
    names = Counter(str(f["properties"]["name"]) for f in features_of(city, "camera"))
    assert names.most_common(1)[0][1] == 1, "no two cameras share a name"


@pytest.mark.parametrize("count", [1, 4, 16, 60, 400, 1400])
def test_a_city_of_any_size_is_a_good_city_file(count: int) -> None:
    city = virtual_quetta(count, BASE, user="u", password="p")
    checked = check_city(city_of_geojson(city).rows)
    assert checked.bad == ()
    assert checked.notices == ()
    assert checked.city is not None
    assert len(checked.city.cameras) == count
    assert {camera.site for camera in checked.city.cameras} == {site.id for site in checked.city.sites}
    first = checked.city.cameras[0]
    assert (first.main_url, first.sub_url) == (f"{BASE}/{first.code}/main", f"{BASE}/{first.code}/sub")
    assert len(checked.city.credentials) == count


def test_few_cameras_are_spread_with_the_gates_first() -> None:
    four = virtual_quetta(4, BASE)
    assert [c["properties"]["gate"] for c in features_of(four, "camera")] == ["NORTH", "WEST", "SOUTH", "EAST"]
    sixteen = features_of(virtual_quetta(16, BASE), "site")
    closest = min(distance_m(at(a), at(b)) for i, a in enumerate(sixteen) for b in sixteen[:i])
    assert len(sixteen) == 16
    assert closest > 1_200
    middle = LonLat(67.0, 30.19)
    assert sum(distance_m(at(site), middle) < 5_000 for site in sixteen) >= 5, "the centre has its share"


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 1399))
def test_more_cameras_only_add_to_fewer(count: int) -> None:
    fewer, more = (set(codes(virtual_quetta(n, BASE), "camera")) for n in (count, count + 1))
    assert fewer < more


def test_lines_and_zones_come_with_their_cameras_only() -> None:
    city = virtual_quetta(4, BASE)
    cameras = set(codes(city, "camera"))
    drawn = [
        f["properties"]["camera"]
        for kind in ("line", "zone")
        for f in features_of(city, kind)
        if "camera" in f["properties"]
    ]
    assert len(drawn) == 4
    assert set(drawn) == cameras


def test_a_call_does_not_change_the_next() -> None:
    virtual_quetta(5, "rtsp://other", user="x", password="y")
    assert "password" not in json.dumps(virtual_quetta(5, BASE))


@pytest.mark.parametrize("count", [0, -1, 1401, math.inf])
def test_a_number_out_of_range_is_refused(count: int) -> None:
    with pytest.raises(Invalid, match="1 to 1400"):
        virtual_quetta(count, BASE)

"""The city file: both forms say the same, each bad row is named, and hostile files get a sentence."""

import csv
import io
import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safecity.platform.errors import Invalid, NotFound
from safecity.sites.city import City
from safecity.sites.city_check import CheckedCity, check_city
from safecity.sites.city_file import (
    MAX_ROWS,
    city_of_geojson,
    parse_city_file,
    read_city_file,
    written_csv,
    written_geojson,
)
from safecity.sites.rows import COLUMNS, ROW_KINDS, columns_of
from safecity.virtual.quetta import virtual_quetta

Cells = dict[str, str]

GOOD: list[Cells] = [
    {"kind": "city", "code": "QTA", "name": "Quetta", "name_ur": "کوئٹہ", "lon": "67", "lat": "30.19", "note": "n"},
    {"kind": "district", "code": "CITY", "name": "Centre", "points": "66.9 30.1; 67.1 30.1; 67.1 30.3; 66.9 30.3"},
    {"kind": "site", "code": "S1", "name": "Chowk", "name_ur": "چوک", "lon": "67.0", "lat": "30.2", "district": "CITY"},
    {"kind": "site", "code": "S2", "name": "Gate", "lon": "66.99", "lat": "30.21"},
    {"kind": "gate", "code": "NORTH", "name": "Kuchlak Gate", "lon": "66.99", "lat": "30.21"},
    {
        **{"kind": "camera", "code": "S1-1", "site": "S1", "name": "North", "name_ur": "شمال", "bearing_deg": "12.5"},
        **{"main_url": "rtsp://10.0.0.1/main", "sub_url": "rtsp://10.0.0.1/sub", "fov_deg": "62", "range_m": "80"},
        **{"reader": "pyav", "transport": "udp", "recorded": "both"},
    },
    {
        **{
            "kind": "camera",
            "code": "S2-1",
            "site": "s2",
            "name": "In",
            "gate": "north",
            "lon": "66.991",
            "lat": "30.21",
        },
        **{"main_url": "rtsp://10.0.0.2/main", "user": "u", "password": "p"},
    },
    {"kind": "line", "code": "L1", "name": "In", "camera": "S2-1", "picture_px": "1280x720", "points_px": "1 5; 9 5"},
    {"kind": "zone", "code": "Z1", "name": "Bazaar", "points": "66.9 30.1; 67.1 30.1; 67 30.3"},
    {"kind": "road", "code": "R1", "class": "ring", "points": "66.9 30.1; 67.1 30.1"},
    {"kind": "police", "code": "P1", "name": "City Thana", "name_ur": "تھانہ سٹی", "lon": "67", "lat": "30.2"},
    {"kind": "hospital", "code": "H1", "name": "Civil", "name_ur": "سول ہسپتال", "lon": "67", "lat": "30.2"},
]


def table(rows: list[Cells], *, delimiter: str = ",") -> str:
    """The rows as a clerk's CSV."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, restval="", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def check(content: bytes) -> CheckedCity:
    """What the checker makes of a file."""
    return check_city(parse_city_file(content).rows)


def without_sign_ins(city: City | None) -> City:
    """What an export holds of a city."""
    assert city is not None
    return replace(city, credentials={}, cameras=tuple(replace(c, has_credentials=False) for c in city.cameras))


@pytest.mark.parametrize(
    "content",
    [
        table(GOOD).encode(),
        table(GOOD).encode("utf-8-sig"),
        table(GOOD, delimiter=";").encode("utf-8-sig"),
        table(GOOD, delimiter="\t").encode("utf-16"),
        ("sep=;\r\n" + table(GOOD, delimiter=";")).encode("utf-8-sig"),
        table(GOOD).replace("\r\n", "\n").encode(),
        (table(GOOD[:3]) + "," * 22 + "\r\n\r\n" + table(GOOD).split("\r\n", 4)[4]).encode(),
    ],
    ids=["plain", "bom", "semicolon", "utf-16-tab", "sep-line", "unix", "blank-rows"],
)
def test_csv_as_spreadsheets_write_it(content: bytes) -> None:
    checked = check(content)
    assert checked.bad == ()
    assert checked.city == check(table(GOOD).encode()).city
    assert checked.city is not None
    camera = checked.city.cameras[1]
    assert (camera.site, camera.gate, camera.has_credentials) == ("site_s2", "gate_north", True)
    assert checked.city.cameras[0].position == checked.city.sites[0].position, "a camera stands at its site"
    assert checked.city.places[0].name_ur == "تھانہ سٹی"


def test_numbers_as_people_write_them() -> None:
    rows = [{**GOOD[3], "lon": "66,99", "lat": "۳۰٫۲۱"}]
    checked = check(table(rows, delimiter=";").encode())
    assert checked.city is not None
    assert (checked.city.sites[0].position.lon, checked.city.sites[0].position.lat) == (66.99, 30.21)


@pytest.mark.parametrize("write", [written_csv, written_geojson])
def test_round_trip_of_a_whole_city(write: Callable[[City], bytes]) -> None:
    first = check_city(city_of_geojson(virtual_quetta(1400, "rtsp://127.0.0.1:8554", user="u", password="p")).rows)
    assert first.city is not None
    content = write(first.city)
    assert b'"password"' not in content
    assert without_sign_ins(check(content).city) == without_sign_ins(first.city)


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=40)


@given(NAMES, st.sampled_from(["", "=", "+", "-", "@", "'", "'=", "''", '"', ";", ","]))
@pytest.mark.parametrize("write", [written_csv, written_geojson])
def test_round_trip_of_any_name(write: Callable[[City], bytes], name: str, start: str) -> None:
    checked = check(table([{**GOOD[3], "name": start + name}]).encode())
    if checked.city is None:
        return
    content = write(checked.city)
    assert check(content).city == checked.city
    if write is written_csv:
        for cells in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")):
            assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells[:4])


def test_a_formula_stays_text() -> None:
    checked = check(table([{**GOOD[3], "name": "=cmd|' /C calc'!A0"}]).encode())
    assert checked.city is not None
    assert checked.city.sites[0].name == "=cmd|' /C calc'!A0"


BAD: list[tuple[Cells, str]] = [
    ({"code": ""}, "code is missing"),
    ({"code": "../x"}, "code must be"),
    ({"code": "S 1"}, "code must be"),
    ({"name": ""}, "name is missing"),
    ({"name": "???"}, "question marks"),
    ({"name": "a\u202eb"}, "hidden direction"),
    ({"name": "a\x1b[31mb"}, "control character"),
    ({"name": "x" * 201}, "longer than 200"),
    ({"kind": "pole"}, "kind is missing or unknown"),
    ({"kind": ""}, "kind is missing or unknown"),
    ({"site": "S99"}, "site S99 is neither"),
    ({"site": ""}, "site is missing"),
    ({"gate": "MOON"}, "gate MOON is neither"),
    ({"lon": "30.2", "lat": "67.0"}, "look swapped"),
    ({"lon": "67", "lat": "167"}, "look swapped"),
    ({"lon": "667", "lat": "30"}, "no place on earth"),
    ({"lon": "67"}, "both be given"),
    ({"lon": "67°1'", "lat": "30"}, "not a plain number"),
    ({"lon": "nan", "lat": "30"}, "not a plain number"),
    ({"lon": "1e5", "lat": "30"}, "not a plain number"),
    ({"lon": "0", "lat": "0"}, "km from the rest"),
    ({"lon": "67.0", "lat": "30.5"}, "km from its site"),
    ({"kind": "road", "site": "", "main_url": "", "points": "67 30; 61 30"}, "km from the rest"),
    ({"bearing_deg": "361"}, "bearing_deg is out of range (361)"),
    ({"bearing_deg": "-1"}, "bearing_deg is out of range"),
    ({"fov_deg": "0"}, "fov_deg is out of range"),
    ({"reader": "vlc"}, "reader must be one of auto, own, pyav"),
    ({"recorded": "audio"}, "recorded must be one of main, both"),
    ({"range_m": "1,400"}, "two things"),
    ({"main_url": ""}, "main_url is missing"),
    ({"main_url": "http://10.0.0.9/x"}, "main_url is no stream address"),
    ({"main_url": "rtsp://u:p@10.0.0.9/x", "user": "v"}, "several ways"),
    ({"password": "p"}, "password without a user"),
    ({"main_url": "rtsp://10.0.0.9/user=***"}, "in the place of its secret"),
    ({"class": "ring"}, "class is no column of a camera"),
    ({"kind": "zone", "site": "", "main_url": ""}, "needs points on the map, or all three"),
    ({"kind": "zone", "site": "", "main_url": "", "points": "67 30; 67.1 30.1; 67.1 30; 67 30.1"}, "crosses itself"),
    ({"kind": "zone", "site": "", "main_url": "", "points": "67 30; 67.1"}, "no partner"),
    ({"kind": "line", "site": "", "main_url": "", "points": "67 30"}, "at least 2"),
    ({"kind": "line", "site": "", "main_url": "", "points": "30 67; 30.1 67"}, "look swapped"),
    (
        {"kind": "line", "site": "", "main_url": "", "camera": "S1-1", "picture_px": "64x64", "points_px": "1 1; 65 1"},
        "outside the picture",
    ),
    (
        {"kind": "line", "site": "", "main_url": "", "camera": "NO", "picture_px": "64x64", "points_px": "1 1; 6 1"},
        "camera NO is neither",
    ),
    ({"kind": "road", "site": "", "main_url": "", "points": "67 30; 67.1 30", "class": "track"}, "class must be one"),
]


def bad_camera(number: int, change: Cells) -> Cells:
    """A camera that would be good but for the change."""
    good = {
        "kind": "camera",
        "code": f"BAD-{number}",
        "site": "S1",
        "name": "n",
        "main_url": f"rtsp://10.9.9.9/{number}",
    }
    return {**good, **change}


@pytest.mark.parametrize(("change", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_each_kind_of_bad_row_is_named_with_its_reason(change: Cells, reason: str) -> None:
    checked = check(table([*GOOD, bad_camera(0, change)]).encode())
    assert checked.city is None
    assert [row.number for row in checked.bad] == [len(GOOD) + 2]
    assert any(reason in one for one in checked.bad[0].reasons), checked.bad[0].reasons


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, len(BAD) - 1), max_size=8), st.randoms(use_true_random=False), st.booleans())
def test_exactly_the_planted_rows_are_reported(planted: list[int], stream: random.Random, crlf: bool) -> None:
    rows = [(cells, False) for cells in GOOD]
    many = [({**GOOD[5], "code": f"C-{n}", "main_url": f"rtsp://10.0.1.{n}/m"}, False) for n in range(30)]
    rows += many + [(bad_camera(n, BAD[which][0]), True) for n, which in enumerate(planted)]
    if planted:
        rows.append(({**GOOD[3], "code": "s1"}, True))  # a duplicate, in other letters
    first_site = rows.pop(2)
    stream.shuffle(rows)
    rows.insert(0, first_site)
    content = table([cells for cells, _ in rows])
    checked = check((content if crlf else content.replace("\r\n", "\n")).encode())
    expected = [index + 2 for index, (_, is_bad) in enumerate(rows) if is_bad]
    assert [row.number for row in checked.bad] == expected
    assert (checked.city is None) == bool(planted)


def test_geojson_rows_are_counted_by_feature_from_0() -> None:
    city = virtual_quetta(16, "rtsp://127.0.0.1:8554")
    features = city["features"]
    assert isinstance(features, list)
    spots = [0, 7, len(features)]
    for spot in spots:
        features.insert(spot, {"type": "Feature", "properties": {"kind": "site", "code": f"X{spot}"}, "geometry": None})
    checked = check_city(city_of_geojson(city).rows)
    assert [row.number for row in checked.bad] == spots


SITE = {"kind": "site", "code": "S1", "name": "n"}


@pytest.mark.parametrize(
    ("feature", "reason"),
    [
        (7, "no GeoJSON Feature"),
        ({"type": "Feature"}, "no GeoJSON Feature"),
        ({"type": "Feature", "properties": SITE, "geometry": {"type": "Polygon", "coordinates": []}}, "needs a Point"),
        ({"type": "Feature", "properties": SITE, "geometry": {"type": "Point", "coordinates": [67]}}, "two numbers"),
        ({"type": "Feature", "properties": SITE, "geometry": {"type": "Point", "coordinates": [30, 67]}}, "swapped"),
        ({"type": "Feature", "properties": SITE, "geometry": {"type": "Point", "coordinates": [[], {}]}}, "a number"),
        ({"type": "Feature", "properties": {**SITE, "lon": 1}, "geometry": None}, "lon belongs into the geometry"),
        ({"type": "Feature", "properties": {**SITE, "nane": "x"}, "geometry": None}, "nane is no column"),
        ({"type": "Feature", "properties": {**SITE, "name": "\ud800"}, "geometry": None}, "half a character"),
        (
            {
                "type": "Feature",
                "properties": {"kind": "zone", "code": "Z", "name": "z"},
                "geometry": {"type": "Polygon", "coordinates": [[[67, 30]], [[67, 30]]]},
            },
            "holes are not supported",
        ),
        (
            {
                "type": "Feature",
                "properties": {"kind": "road", "code": "Z"},
                "geometry": {"type": "LineString", "coordinates": [[67, 30], "x"]},
            },
            "two numbers",
        ),
    ],
)
def test_bad_features_are_named_with_their_reason(feature: object, reason: str) -> None:
    content = json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()
    checked = check(content)
    assert [row.number for row in checked.bad] == [0]
    assert any(reason in one for one in checked.bad[0].reasons), checked.bad[0].reasons


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400])
def test_numbers_that_are_none_are_refused(number: str) -> None:
    content = (
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"kind":"site","code":"S","name":"n"},'
        f'"geometry":{{"type":"Point","coordinates":[{number},30]}}}}]}}'
    )
    (row,) = check(content.encode()).bad
    assert "lon is not a finite number" in row.reasons[0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\xff\xfe", "empty"),
        (b"\x00\x01\x02\xff\xfe", "not UTF-8"),
        ("kind,code\nsite,چوک".encode("cp1256"), "not UTF-8"),
        (b"name,lon\nx,1\n", "no column kind"),
        (b"{", "not JSON"),
        (b"[1]", "FeatureCollection"),
        (b'{"type":"Feature"}', "FeatureCollection"),
        (b"[" * 300_000, "nested too deeply"),
        (b'{"a":' * 300_000, "nested too deeply"),
        (b'{"features":' + b"9" * 9_999 + b"}", "thousands of digits"),
        (
            b'{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"EPSG:32642"}},"features":[]}',
            "not WGS84",
        ),
    ],
)
def test_hostile_and_foreign_files_get_a_sentence(content: bytes, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        parse_city_file(content)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    huge = tmp_path / "huge.csv"
    with huge.open("wb") as file:
        file.truncate(1024**3)
    with pytest.raises(Invalid, match="larger than 64 MiB"):
        read_city_file(huge)
    with pytest.raises(Invalid, match="larger than 64 MiB"):
        read_city_file(Path("/dev/zero"))


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_city_file(tmp_path / "none.csv")
    with pytest.raises(Invalid, match="cannot be read"):
        read_city_file(tmp_path)


def test_rows_have_a_limit() -> None:
    with pytest.raises(Invalid, match="more than"):
        parse_city_file(b"kind,code\n" + b"site,x\n" * (MAX_ROWS + 1))


def test_a_broken_quote_does_not_hide_the_rows_behind_it() -> None:
    lines = table([GOOD[3], GOOD[4]]).splitlines()
    content = "\n".join([lines[0], 'site,"S8,broken', lines[1], "site,,,,", lines[2]])
    checked = check(content.encode())
    assert [row.number for row in checked.bad] == [2, 4]
    assert "quote" in checked.bad[0].reasons[0]


def test_unknown_and_doubled_columns_are_reported_once() -> None:
    checked = check(b"kind,code,name,lon,lat,lat,bearing\nsite,S1,n,67,30,30,5\nsite,S2,n,67,30,30,5\n")
    (row,) = checked.bad
    assert (row.number, row.kind, len(row.reasons)) == (1, "header", 2)


def test_a_cell_too_many_is_a_bad_row() -> None:
    (row,) = check(b"kind,code,name,lon,lat\nsite,S1,Jinnah Road, City,67,30\n").bad
    assert "6 cells under 5 columns" in row.reasons[0]


@pytest.mark.parametrize(
    "column", [c for c in COLUMNS if c not in ("kind", "code", "site", "gate", "camera", "district")]
)
def test_a_password_in_a_wrong_column_is_never_quoted(column: str) -> None:
    checked = check(table([*GOOD, bad_camera(0, {column: "rtsp://admin:Hunter2@h o/"})]).encode())
    assert "Hunter2" not in repr(checked.bad)
    assert "Hunter2" not in repr(parse_city_file(table([bad_camera(0, {"password": "Hunter2"})]).encode()))


def test_the_readme_names_every_column() -> None:
    readme = (Path(__file__).parents[3] / "safecity" / "sites" / "README.md").read_text(encoding="utf-8")
    for row in ROW_KINDS:
        line = next(line for line in readme.splitlines() if line.startswith(f"| `{row.kind}` |"))
        for column in columns_of(row):
            assert f"`{column}`" in line, f"README lacks {column} of {row.kind}"

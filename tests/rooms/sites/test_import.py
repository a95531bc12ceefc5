"""A city file goes into the registry whole or not at all, and its secrets stay sealed."""

import json
import sys
import time
from collections.abc import Callable
from typing import cast

import pytest
import sqlalchemy as sa
import structlog

from safecity.events.sites import CityImported
from safecity.oversight.model import Actor, Role
from safecity.platform.errors import DataLoss, Denied, Invalid, NotFound
from safecity.platform.secrets import SecretBox
from safecity.sites import tables
from safecity.sites.city_file import CityFile, city_of_geojson, parse_city_file, written_csv, written_geojson
from safecity.sites.importing import Counts, ImportOptions
from safecity.sites.model import CameraId, camera_id
from safecity.sites.sources import camera_source
from safecity.sites.store import list_active_ids, read_city
from safecity.virtual.quetta import virtual_quetta

from .conftest import Centre

CSV = """kind,code,name,name_ur,site,lon,lat,main_url,sub_url,user,password,bearing_deg
site,S1,Chowk,چوک,,67.0,30.2,,,,,
camera,S1-1,North,شمال,S1,,,rtsp://10.0.0.1/m,rtsp://10.0.0.1/s,admin,Hunter2,10
camera,S1-2,South,جنوب,S1,,,rtsp://root:p%40ss@10.0.0.2/m,,,,190
camera,S1-3,East,مشرق,S1,,,rtsp://10.0.0.3/user=a&password=Hunter3&ch=1,,,,90
camera,S1-4,West,مغرب,S1,,,rtsp://10.0.0.4/m,,,,270
"""


def csv_file(text: str = CSV) -> CityFile:
    return parse_city_file(text.encode())


def source(centre: Centre, code: str) -> tuple[str, str | None]:
    with centre.database.read() as connection:
        found = camera_source(connection, camera_id(code), box=centre.box)
    return found.main_url, found.sub_url


def everything(centre: Centre) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table of the room."""
    with centre.database.read() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(sa.select(table).order_by(table.c[0]))]
            for table in vars(tables).values()
            if isinstance(table, sa.Table)
        }


def test_1400_cameras_in_seconds_and_again_without_a_change(centre: Centre) -> None:
    started = time.perf_counter()
    report = centre.import_quetta(1400)
    took_s = time.perf_counter() - started
    assert report.tables["cameras"] == Counts(added=1400)
    assert report.tables["sites"] == Counts(added=225)
    before = everything(centre)
    started = time.perf_counter()
    again = centre.import_quetta(1400, retire_missing=True)
    again_s = time.perf_counter() - started
    kind = centre.database.engine.dialect.name
    sys.stdout.write(f"\n{kind}: {report.rows} rows imported in {took_s:.2f} s, again in {again_s:.2f} s\n")
    assert again.total() == Counts(unchanged=report.rows)
    assert everything(centre) == before, "not one row was touched"
    (fact,) = centre.facts()
    assert fact == CityImported(added=report.rows, changed=0, retired=0, cameras=1400)


def test_nothing_is_imported_when_one_row_is_bad(centre: Centre) -> None:
    centre.import_quetta(16)
    before = everything(centre)
    city = virtual_quetta(60, "rtsp://10.0.0.9:8554")
    features = city["features"]
    assert isinstance(features, list)
    features[100]["properties"]["code"] = "not a code"
    features[-1]["geometry"]["coordinates"] = [[67, 30]]
    with pytest.raises(Invalid) as problem:
        centre.sites.import_city_document(city)
    assert problem.value.code == "sites.bad_rows"
    rows = cast("list[dict[str, object]]", problem.value.facts["rows"])
    assert [row["number"] for row in rows] == [100, len(features) - 1]
    json.dumps(problem.value.facts)
    assert everything(centre) == before


def test_a_check_writes_nothing_and_says_what_would_be(centre: Centre) -> None:
    report = centre.sites.import_city(csv_file(), actor=None, options=ImportOptions(check_only=True))
    assert report.total() == Counts(added=5)
    assert all(rows == [] for rows in everything(centre).values())
    assert centre.facts() == []


def test_changes_are_told_by_code(centre: Centre) -> None:
    centre.sites.import_city(csv_file(), actor=None)
    changed = CSV.replace("South", "South new").replace("270", "271").replace("S1-4", "s1-4")
    changed += "camera,S1-5,Up,اوپر,S1,,,rtsp://10.0.0.5/m,,,,\n"
    report = centre.sites.import_city(csv_file(changed), actor=None)
    assert report.tables["cameras"] == Counts(added=1, changed=2, unchanged=2)
    assert any("no bearing" in notice for notice in report.notices)


def test_a_file_may_refer_to_what_is_there_already(centre: Centre) -> None:
    centre.sites.import_city(csv_file(), actor=None)
    more = "kind,code,name,site,main_url\ncamera,S1-9,More,S1,rtsp://10.0.0.9/m\n"
    assert centre.sites.import_city(csv_file(more), actor=None).tables == {"cameras": Counts(added=1)}
    with centre.database.read() as connection:
        positions = {camera.code: camera.position for camera in read_city(connection).cameras}
    assert positions["S1-9"] == positions["S1-1"]


def test_left_out_cameras_stay_unless_they_are_retired(centre: Centre) -> None:
    centre.import_quetta(60)
    centre.import_quetta(16)
    with centre.database.read() as connection:
        assert len(list_active_ids(connection, tables.cameras)) == 60
    report = centre.import_quetta(16, retire_missing=True)
    assert report.tables["cameras"] == Counts(unchanged=16, retired=44)
    with centre.database.read() as connection:
        assert len(list_active_ids(connection, tables.cameras)) == 16
        assert len(list_active_ids(connection, tables.sites)) == 16
        assert connection.execute(sa.select(sa.func.count()).select_from(tables.cameras)).scalar_one() == 60
        retired = connection.execute(sa.select(tables.cameras.c.id).where(tables.cameras.c.retired_at.is_not(None)))
        gone = CameraId(retired.scalars().first() or "")
        with pytest.raises(NotFound, match="in use"):
            camera_source(connection, gone, box=centre.box)
    back = centre.import_quetta(60)
    assert back.tables["cameras"] == Counts(changed=44, unchanged=16), "named again, they return"


def test_a_file_of_new_cameras_retires_neither_sites_nor_map(centre: Centre) -> None:
    centre.import_quetta(16)
    more = "kind,code,name,site,main_url\ncamera,NEW,More,QTA-001,rtsp://10.0.0.9/m\n"
    options = ImportOptions(retire_missing=True)
    report = centre.sites.import_city(csv_file(more), actor=None, options=options)
    assert report.tables == {"cameras": Counts(added=1, retired=16)}
    with centre.database.read() as connection:
        assert len(list_active_ids(connection, tables.sites)) == 16


def test_a_site_in_use_is_not_retired(centre: Centre) -> None:
    centre.sites.import_city(csv_file(), actor=None)
    other = "kind,code,name,lon,lat\nsite,S2,Other,67.01,30.2\n"
    report = centre.sites.import_city(csv_file(other), actor=None, options=ImportOptions(retire_missing=True))
    assert report.tables == {"sites": Counts(added=1, retired=0)}


def test_the_recorder_gets_the_sign_in_and_nobody_else(centre: Centre) -> None:
    with structlog.testing.capture_logs() as logs:
        report = centre.sites.import_city(csv_file(), actor=None)
    assert source(centre, "S1-1") == ("rtsp://admin:Hunter2@10.0.0.1/m", "rtsp://admin:Hunter2@10.0.0.1/s")
    assert source(centre, "S1-2") == ("rtsp://root:p%40ss@10.0.0.2/m", None)
    assert source(centre, "S1-3") == ("rtsp://10.0.0.3/user=a&password=Hunter3&ch=1", None)
    assert source(centre, "S1-4") == ("rtsp://10.0.0.4/m", None)
    with centre.database.read() as connection:
        shown = camera_source(connection, camera_id("S1-1"), box=centre.box)
        city = read_city(connection)
    said = [repr(shown), repr(city), repr(logs), repr(report), repr(csv_file()), repr(everything(centre))]
    said += [written_csv(city).decode(), written_geojson(city).decode(), repr(centre.facts())]
    for text in said:
        assert "Hunter" not in text
        assert "p%40ss" not in text
        assert "p@ss" not in text


def test_an_export_imported_again_changes_nothing_and_keeps_the_sign_ins(centre: Centre) -> None:
    centre.sites.import_city(csv_file(), actor=None)
    before = everything(centre)
    with centre.database.read() as connection:
        city = read_city(connection)
    for content in (written_csv(city), written_geojson(city)):
        report = centre.sites.import_city(parse_city_file(content), actor=None)
        assert report.total() == Counts(unchanged=5)
    assert everything(centre) == before


def test_a_new_password_is_a_change(centre: Centre) -> None:
    centre.sites.import_city(csv_file(), actor=None)
    report = centre.sites.import_city(csv_file(CSV.replace("Hunter2", "Hunter9")), actor=None)
    assert report.tables["cameras"] == Counts(changed=1, unchanged=3)
    assert source(centre, "S1-1")[0] == "rtsp://admin:Hunter9@10.0.0.1/m"


def test_a_known_password_is_not_sent_to_a_new_host(centre: Centre) -> None:
    centre.sites.import_city(csv_file(), actor=None)
    bare = CSV.replace("admin,Hunter2", ",")
    centre.sites.import_city(csv_file(bare.replace("10.0.0.1/m", "10.0.0.1/other")), actor=None)
    assert source(centre, "S1-1")[0] == "rtsp://admin:Hunter2@10.0.0.1/other", "same host: kept"
    report = centre.sites.import_city(csv_file(bare.replace("10.0.0.1/s", "10.6.6.6/s")), actor=None)
    assert any("lost their sign-in" in notice and "S1-1" in notice for notice in report.notices)
    assert source(centre, "S1-1") == ("rtsp://10.0.0.1/m", "rtsp://10.6.6.6/s")


def test_credentials_moved_to_another_camera_or_key_cannot_be_opened(centre: Centre) -> None:
    centre.sites.import_city(csv_file(), actor=None)
    with centre.database.begin() as connection:
        box = connection.execute(
            sa.select(tables.cameras.c.credentials).where(tables.cameras.c.code == "S1-1")
        ).scalar()
        connection.execute(tables.cameras.update().where(tables.cameras.c.code == "S1-4").values(credentials=box))
    with pytest.raises(DataLoss, match="import"):
        source(centre, "S1-4")
    with centre.database.read() as connection, pytest.raises(DataLoss, match="key file"):
        camera_source(connection, camera_id("S1-1"), box=SecretBox(bytes(32)))


def test_the_leaf_of_an_import_says_who(centre: Centre, actor_of: Callable[[Role], Actor]) -> None:
    administrator, operator, auditor = (actor_of(r) for r in (Role.ADMINISTRATOR, Role.OPERATOR, Role.AUDITOR))
    with pytest.raises(Denied):
        centre.sites.import_city(csv_file(), actor=operator)
    assert all(rows == [] for rows in everything(centre).values())
    centre.sites.import_city(csv_file(), actor=administrator)
    types = [leaf.type for leaf in centre.oversight.read_log(auditor, limit=20).leaves]
    assert types.index("city_imported") < types.index("manage_sites") < types.index("refused")


def test_one_city_is_in_use(centre: Centre) -> None:
    centre.import_quetta(16)
    row = "kind,code,name,lon,lat\ncity,KHI,Karachi,67.0,24.9\n"
    # Karachi lies 590 km from Quetta's sites; the city itself may, since it only says where the map opens.
    with pytest.raises(Invalid, match="bad"):
        centre.sites.import_city(csv_file(row), actor=None)
    near = row.replace("24.9", "30.0")
    centre.sites.import_city(csv_file(near), actor=None)
    with centre.database.read() as connection:
        name = read_city(connection).name
    assert name is not None
    assert name.code == "KHI"


def test_a_document_from_memory_tells_its_progress(centre: Centre) -> None:
    heard: list[float] = []
    document = virtual_quetta(16, "rtsp://127.0.0.1:8554")
    centre.sites.import_city_document(document, progress=heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
    assert len(heard) == len(city_of_geojson(document).rows)

"""Reading and writing the registry's tables; the caller owns the transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from safecity.platform.geometry import LonLat, Point
from safecity.sites import tables as t
from safecity.sites.city import City
from safecity.sites.model import (
    Camera,
    CameraId,
    CityName,
    District,
    DistrictId,
    Gate,
    GateId,
    Line,
    Picture,
    Place,
    PlaceKind,
    ReaderChoice,
    RecordedStreams,
    Road,
    RoadClass,
    Site,
    SiteId,
    TransportChoice,
    Zone,
)

BATCH_ROWS = 500
Values = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What writing rows did, by id."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()


def put(connection: Connection, table: sa.Table, *, rows: Sequence[Values], now: datetime) -> Change:
    """Add or change rows by id; a row that is there already with the same values is left alone.

    A retired row that comes again is in use again.
    """
    there = {row["id"]: row for row in connection.execute(sa.select(table)).mappings()}
    added = [row for row in rows if row["id"] not in there]
    changed = [row for row in rows if row["id"] in there and _differs(row, there[row["id"]])]
    for some in _batches(added):
        connection.execute(table.insert(), [{**row, "changed_at": now, "retired_at": None} for row in some])
    if changed:
        names = [name for name in changed[0] if name != "id"]
        statement = (
            table.update()
            .where(table.c.id == sa.bindparam("key"))
            .values({name: sa.bindparam(f"new_{name}", type_=table.c[name].type) for name in names})
            .values(changed_at=now, retired_at=None)
        )
        for some in _batches(changed):
            connection.execute(
                statement, [{"key": row["id"], **{f"new_{name}": row[name] for name in names}} for row in some]
            )
    touched = {row["id"] for row in (*added, *changed)}
    return Change(
        added=tuple(cast(str, row["id"]) for row in added),
        changed=tuple(cast(str, row["id"]) for row in changed),
        unchanged=tuple(cast(str, row["id"]) for row in rows if row["id"] not in touched),
    )


def _differs(new: Values, old: RowMapping) -> bool:
    return old["retired_at"] is not None or any(old[name] != value for name, value in new.items())


def _batches(rows: Sequence[Values]) -> Iterable[Sequence[Values]]:
    return (rows[start : start + BATCH_ROWS] for start in range(0, len(rows), BATCH_ROWS))


def retire(connection: Connection, table: sa.Table, *, ids: Sequence[str], now: datetime) -> None:
    """Take rows out of use; they stay readable by id."""
    for start in range(0, len(ids), BATCH_ROWS):
        some = ids[start : start + BATCH_ROWS]
        connection.execute(table.update().where(table.c.id.in_(some)).values(retired_at=now))


def list_active_ids(connection: Connection, table: sa.Table) -> list[str]:
    """The ids of the rows in use."""
    return list(connection.execute(sa.select(table.c.id).where(table.c.retired_at.is_(None))).scalars())


def lock_cameras(connection: Connection, wanted: Sequence[CameraId] | None = None) -> set[CameraId]:
    """Keep others from changing these cameras (all, if none are named) until the transaction ends; those that exist.

    Rows are locked in the order of their ids, so that two writers never wait for each other. SQLite has one writer.
    """
    statement = sa.select(t.cameras.c.id).order_by(t.cameras.c.id).with_for_update(key_share=True)
    if wanted is not None:
        statement = statement.where(t.cameras.c.id.in_(wanted))
    return {CameraId(camera) for camera in connection.execute(statement).scalars()}


def read_sealed(connection: Connection) -> dict[CameraId, tuple[bytes | None, str, str | None]]:
    """Sealed credentials, main and sub address of every camera, retired ones too."""
    rows = connection.execute(
        sa.select(t.cameras.c.id, t.cameras.c.credentials, t.cameras.c.main_url, t.cameras.c.sub_url)
    )
    return {CameraId(row.id): (row.credentials, row.main_url, row.sub_url) for row in rows}


def set_sealed(connection: Connection, sealed: Mapping[CameraId, bytes | None]) -> None:
    """Replace the sealed credentials of cameras."""
    if sealed:
        connection.execute(
            t.cameras.update().where(t.cameras.c.id == sa.bindparam("key")).values(credentials=sa.bindparam("box")),
            [{"key": camera, "box": box} for camera, box in sealed.items()],
        )


def find_camera(connection: Connection, camera: CameraId) -> Camera | None:
    """A camera, retired ones too."""
    row = connection.execute(sa.select(t.cameras).where(t.cameras.c.id == camera)).mappings().first()
    return None if row is None else _camera(row)


def read_city(connection: Connection) -> City:
    """Everything in use, in the order of the codes, without credentials."""

    def rows(table: sa.Table) -> Iterable[RowMapping]:
        statement = sa.select(table).where(table.c.retired_at.is_(None)).order_by(table.c.id)
        return connection.execute(statement).mappings()

    return City(
        name=next((_city(row) for row in rows(t.cities)), None),
        districts=tuple(_district(row) for row in rows(t.districts)),
        sites=tuple(_site(row) for row in rows(t.sites)),
        gates=tuple(_gate(row) for row in rows(t.gates)),
        cameras=tuple(_camera(row) for row in rows(t.cameras)),
        zones=tuple(_zone(row) for row in rows(t.zones)),
        lines=tuple(_line(row) for row in rows(t.lines)),
        roads=tuple(_road(row) for row in rows(t.roads)),
        places=tuple(_place(row) for row in rows(t.places)),
    )


def list_cameras(connection: Connection) -> list[Camera]:
    """The cameras in use by code."""
    statement = sa.select(t.cameras).where(t.cameras.c.retired_at.is_(None)).order_by(t.cameras.c.id)
    return [_camera(row) for row in connection.execute(statement).mappings()]


def list_sites(connection: Connection) -> list[Site]:
    """The sites in use by code."""
    statement = sa.select(t.sites).where(t.sites.c.retired_at.is_(None)).order_by(t.sites.c.id)
    return [_site(row) for row in connection.execute(statement).mappings()]


def list_drawings(connection: Connection, camera: CameraId) -> tuple[list[Zone], list[Line]]:
    """Zones and lines in use on a camera's picture."""

    def rows(table: sa.Table) -> Iterable[RowMapping]:
        statement = sa.select(table).where(table.c.camera_id == camera, table.c.retired_at.is_(None))
        return connection.execute(statement.order_by(table.c.id)).mappings()

    return [_zone(row) for row in rows(t.zones)], [_line(row) for row in rows(t.lines)]


def city_rows(city: City) -> list[tuple[sa.Table, list[Values]]]:
    """Table by table what a city looks like in rows, referred-to tables first; credentials are not among them."""
    return [
        (t.cities, [_city_values(city.name)] if city.name else []),
        (t.districts, [{**_named(d), "points": _lonlats(d.border)} for d in city.districts]),
        (t.sites, [{**_named(s), **_at(s.position), "district_id": s.district} for s in city.sites]),
        (t.gates, [{**_named(g), **_at(g.position)} for g in city.gates]),
        (t.cameras, [_camera_values(camera) for camera in city.cameras]),
        (t.zones, [{**_named(z), **_drawn(z.picture, z.border)} for z in city.zones]),
        (t.lines, [{**_named(x), **_drawn(x.picture, x.path)} for x in city.lines]),
        (
            t.roads,
            [{**_named(r), "road_class": r.road_class.value, "points": _lonlats(r.path)} for r in city.roads],
        ),
        (t.places, [{**_named(p), "kind": p.kind.value, **_at(p.position)} for p in city.places]),
    ]


def _named(thing: District | Site | Gate | Camera | Zone | Line | Road | Place) -> Values:
    return {"id": thing.id, "code": thing.code, "name": thing.name, "name_ur": thing.name_ur}


def _at(position: LonLat) -> Values:
    return {"lon": position.lon, "lat": position.lat}


def _lonlats(points: Iterable[LonLat]) -> list[list[float]]:
    return [[point.lon, point.lat] for point in points]


def _city_values(city: CityName) -> Values:
    names: Values = {"id": f"city_{city.code.lower()}", "code": city.code, "name": city.name, "name_ur": city.name_ur}
    return {**names, **_at(city.position), "note": city.note, "note_ur": city.note_ur}


def _camera_values(camera: Camera) -> Values:
    return {
        **_named(camera),
        **_at(camera.position),
        "site_id": camera.site,
        "bearing_deg": camera.bearing_deg,
        "fov_deg": camera.fov_deg,
        "range_m": camera.range_m,
        "gate_id": camera.gate,
        "main_url": camera.main_url,
        "sub_url": camera.sub_url,
        "reader": camera.reader.value,
        "transport": camera.transport.value,
        "recorded": camera.recorded.value,
    }


def _drawn(picture: Picture | None, points: Sequence[LonLat]) -> Values:
    return {
        "points": None if picture else _lonlats(points),
        "camera_id": picture.camera if picture else None,
        "picture_width_px": picture.width_px if picture else None,
        "picture_height_px": picture.height_px if picture else None,
        "points_px": [[point.x_px, point.y_px] for point in picture.points] if picture else None,
    }


def _city(row: RowMapping) -> CityName:
    return CityName(
        code=row["code"],
        name=row["name"],
        name_ur=row["name_ur"],
        position=LonLat(row["lon"], row["lat"]),
        note=row["note"],
        note_ur=row["note_ur"],
    )


def _path(points: Sequence[Sequence[float]] | None) -> tuple[LonLat, ...]:
    return tuple(LonLat(lon, lat) for lon, lat in points or ())


def _district(row: RowMapping) -> District:
    return District(
        id=DistrictId(row["id"]),
        code=row["code"],
        name=row["name"],
        name_ur=row["name_ur"],
        border=_path(row["points"]),
    )


def _site(row: RowMapping) -> Site:
    return Site(
        id=SiteId(row["id"]),
        code=row["code"],
        name=row["name"],
        name_ur=row["name_ur"],
        position=LonLat(row["lon"], row["lat"]),
        district=row["district_id"],
    )


def _gate(row: RowMapping) -> Gate:
    return Gate(
        id=GateId(row["id"]),
        code=row["code"],
        name=row["name"],
        name_ur=row["name_ur"],
        position=LonLat(row["lon"], row["lat"]),
    )


def _camera(row: RowMapping) -> Camera:
    return Camera(
        id=CameraId(row["id"]),
        code=row["code"],
        site=SiteId(row["site_id"]),
        name=row["name"],
        name_ur=row["name_ur"],
        position=LonLat(row["lon"], row["lat"]),
        bearing_deg=row["bearing_deg"],
        fov_deg=row["fov_deg"],
        range_m=row["range_m"],
        gate=row["gate_id"],
        main_url=row["main_url"],
        sub_url=row["sub_url"],
        reader=ReaderChoice(row["reader"]),
        transport=TransportChoice(row["transport"]),
        recorded=RecordedStreams(row["recorded"]),
        has_credentials=row["credentials"] is not None,
        retired_at=row["retired_at"],
    )


def _picture(row: RowMapping) -> Picture | None:
    if row["camera_id"] is None:
        return None
    return Picture(
        camera=CameraId(row["camera_id"]),
        width_px=row["picture_width_px"],
        height_px=row["picture_height_px"],
        points=tuple(Point(x, y) for x, y in row["points_px"]),
    )


def _zone(row: RowMapping) -> Zone:
    return Zone(
        id=row["id"],
        code=row["code"],
        name=row["name"],
        name_ur=row["name_ur"],
        border=_path(row["points"]),
        picture=_picture(row),
    )


def _line(row: RowMapping) -> Line:
    return Line(
        id=row["id"],
        code=row["code"],
        name=row["name"],
        name_ur=row["name_ur"],
        path=_path(row["points"]),
        picture=_picture(row),
    )


def _road(row: RowMapping) -> Road:
    return Road(
        id=row["id"],
        code=row["code"],
        name=row["name"],
        name_ur=row["name_ur"],
        road_class=RoadClass(row["road_class"]),
        path=_path(row["points"]),
    )


def _place(row: RowMapping) -> Place:
    return Place(
        id=row["id"],
        code=row["code"],
        kind=PlaceKind(row["kind"]),
        name=row["name"],
        name_ur=row["name_ur"],
        position=LonLat(row["lon"], row["lat"]),
    )

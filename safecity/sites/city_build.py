"""Between rows and a city: a city made from checked rows, and a city written as rows again."""

from collections.abc import Iterable, Iterator, Mapping

from safecity.platform.geometry import LonLat
from safecity.sites.city import City
from safecity.sites.model import (
    Camera,
    CityName,
    Credentials,
    District,
    Gate,
    Line,
    Picture,
    Place,
    PlaceKind,
    ReaderChoice,
    RecordedStreams,
    Road,
    Site,
    SiteId,
    TransportChoice,
    Zone,
    camera_id,
    district_id,
    gate_id,
    site_id,
)
from safecity.sites.rows import (
    CameraRow,
    CityRow,
    DistrictRow,
    GateRow,
    HospitalRow,
    LineRow,
    PoliceRow,
    RoadRow,
    Row,
    SiteRow,
    ZoneRow,
)

Thing = CityName | District | Site | Gate | Camera | Zone | Line | Road | Place


def build_city(rows: Iterable[Row], *, known_sites: Mapping[SiteId, LonLat]) -> City:
    """The city of rows that have passed every check; a camera without a position stands at its site."""
    listed = list(rows)
    sites = tuple(_site(row) for row in listed if isinstance(row, SiteRow))
    at = {**known_sites, **{site.id: site.position for site in sites}}
    cameras = [row for row in listed if isinstance(row, CameraRow)]
    return City(
        name=next((_city(row) for row in listed if isinstance(row, CityRow)), None),
        districts=tuple(_district(row) for row in listed if isinstance(row, DistrictRow)),
        sites=sites,
        gates=tuple(_gate(row) for row in listed if isinstance(row, GateRow)),
        cameras=tuple(_camera(row, at) for row in cameras),
        zones=tuple(_zone(row) for row in listed if isinstance(row, ZoneRow)),
        lines=tuple(_line(row) for row in listed if isinstance(row, LineRow)),
        roads=tuple(_road(row) for row in listed if isinstance(row, RoadRow)),
        places=tuple(_place(row) for row in listed if isinstance(row, PoliceRow | HospitalRow)),
        credentials={camera_id(row.code): found for row in cameras if (found := _credentials(row)) is not None},
    )


def _city(row: CityRow) -> CityName:
    return CityName(
        code=row.code,
        name=row.name,
        name_ur=row.urdu(),
        position=row.position,
        note=row.note,
        note_ur=row.note_ur,
    )


def _district(row: DistrictRow) -> District:
    return District(id=district_id(row.code), code=row.code, name=row.name, name_ur=row.urdu(), border=row.points)


def _site(row: SiteRow) -> Site:
    return Site(
        id=site_id(row.code),
        code=row.code,
        name=row.name,
        name_ur=row.urdu(),
        position=row.position,
        district=district_id(row.district) if row.district else None,
    )


def _gate(row: GateRow) -> Gate:
    return Gate(id=gate_id(row.code), code=row.code, name=row.name, name_ur=row.urdu(), position=row.position)


def _camera(row: CameraRow, at: Mapping[SiteId, LonLat]) -> Camera:
    site = site_id(row.site)
    return Camera(
        id=camera_id(row.code),
        code=row.code,
        site=site,
        name=row.name,
        name_ur=row.urdu(),
        position=next(iter(row.positions()), at[site]),
        bearing_deg=row.bearing_deg,
        fov_deg=row.fov_deg,
        range_m=row.range_m,
        gate=gate_id(row.gate) if row.gate else None,
        main_url=row.main_url.url,
        sub_url=row.sub_url.url if row.sub_url else None,
        reader=row.reader,
        transport=row.transport,
        recorded=row.recorded,
        has_credentials=_credentials(row) is not None,
    )


def _credentials(row: CameraRow) -> Credentials | None:
    user, password = row.sign_in()
    main = row.main_url.secret_url
    sub = row.sub_url.secret_url if row.sub_url else None
    if not user and main is None and sub is None:
        return None
    return Credentials(user=user, password=password, main_url=main, sub_url=sub)


def _picture(row: ZoneRow | LineRow) -> Picture | None:
    if row.camera is None or row.picture_px is None or row.points_px is None:
        return None
    width_px, height_px = row.picture_px
    return Picture(camera=camera_id(row.camera), width_px=width_px, height_px=height_px, points=row.points_px)


def _zone(row: ZoneRow) -> Zone:
    return Zone(
        id=f"zone_{row.code.lower()}",
        code=row.code,
        name=row.name,
        name_ur=row.urdu(),
        border=row.points or (),
        picture=_picture(row),
    )


def _line(row: LineRow) -> Line:
    return Line(
        id=f"line_{row.code.lower()}",
        code=row.code,
        name=row.name,
        name_ur=row.urdu(),
        path=row.points or (),
        picture=_picture(row),
    )


def _road(row: RoadRow) -> Road:
    return Road(
        id=f"road_{row.code.lower()}",
        code=row.code,
        name=row.name,
        name_ur=row.urdu(),
        road_class=row.road_class,
        path=row.points,
    )


def _place(row: PoliceRow | HospitalRow) -> Place:
    return Place(
        id=f"{row.kind}_{row.code.lower()}",
        code=row.code,
        kind=PlaceKind(row.kind),
        name=row.name,
        name_ur=row.urdu(),
        position=row.position,
    )


Cells = dict[str, object]


def city_cells(city: City) -> Iterator[tuple[str, Cells]]:
    """(kind, cells) of everything in a city, in an order in which references come after what they refer to.

    Sign-ins are not among them: a registry gives them to recorders only.
    """
    codes: dict[str, str] = {t.id: t.code for t in (*city.districts, *city.sites, *city.gates, *city.cameras)}
    if city.name is not None:
        name = city.name
        yield "city", {**_named(name), **_at(name.position), "note": name.note, "note_ur": name.note_ur}
    for district in city.districts:
        yield "district", {**_named(district), "points": _lonlats(district.border)}
    for gate in city.gates:
        yield "gate", {**_named(gate), **_at(gate.position)}
    for site in city.sites:
        district_code = codes[site.district] if site.district else None
        yield "site", {**_named(site), **_at(site.position), "district": district_code}
    for camera in city.cameras:
        yield "camera", _camera_cells(camera, codes)
    for kind, drawn in (*(("zone", zone) for zone in city.zones), *(("line", line) for line in city.lines)):
        points = drawn.border if isinstance(drawn, Zone) else drawn.path
        yield kind, {**_named(drawn), **_drawn(drawn.picture, points, codes=codes)}
    for road in city.roads:
        yield "road", {**_named(road), "class": road.road_class.value, "points": _lonlats(road.path)}
    for place in city.places:
        yield place.kind.value, {**_named(place), **_at(place.position)}


def _camera_cells(camera: Camera, codes: Mapping[str, str]) -> Cells:
    return {
        **_named(camera),
        **_at(camera.position),
        "site": codes[camera.site],
        "bearing_deg": camera.bearing_deg,
        "fov_deg": camera.fov_deg,
        "range_m": camera.range_m,
        "gate": codes[camera.gate] if camera.gate else None,
        "main_url": camera.main_url,
        "sub_url": camera.sub_url,
        "reader": None if camera.reader is ReaderChoice.AUTO else camera.reader.value,
        "transport": None if camera.transport is TransportChoice.AUTO else camera.transport.value,
        "recorded": None if camera.recorded is RecordedStreams.MAIN else camera.recorded.value,
    }


def _drawn(picture: Picture | None, points: tuple[LonLat, ...], *, codes: Mapping[str, str]) -> Cells:
    if picture is None:
        return {"points": _lonlats(points)}
    return {
        "camera": codes[picture.camera],
        "picture_px": (picture.width_px, picture.height_px),
        "points_px": [[point.x_px, point.y_px] for point in picture.points],
    }


def _named(thing: Thing) -> Cells:
    return {"code": thing.code, "name": thing.name, "name_ur": thing.name_ur}


def _at(position: LonLat) -> Cells:
    return {"lon": position.lon, "lat": position.lat}


def _lonlats(points: Iterable[LonLat]) -> list[list[float]]:
    return [[point.lon, point.lat] for point in points]

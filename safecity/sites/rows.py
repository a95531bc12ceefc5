"""One row of a city file for each kind of thing: which columns it has, and the thing made from it.

The kinds and columns are the format's definition; README.md shows them to people and a test compares the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from safecity.platform.geometry import LonLat
from safecity.sites.columns import (
    Bearing,
    Code,
    FieldOfView,
    MapPath,
    MapRing,
    Name,
    Note,
    Number,
    PicturePath,
    PictureRing,
    PictureSize,
    Range,
    Secret,
    Url,
    read_position,
    refuse,
)
from safecity.sites.model import PlaceKind, ReaderChoice, RecordedStreams, RoadClass, TransportChoice
from safecity.sites.streams import StreamAddress


class Row(BaseModel):
    """What every kind has."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    kind: ClassVar[str]
    geometry: ClassVar[str]
    """The GeoJSON geometry that carries the position or shape."""

    code: Annotated[Code, Field(description="the city's own short name for it, unique within its kind")]
    name: Annotated[Name, Field(description="name in English")]
    name_ur: Annotated[Name | None, Field(description="name in Urdu; without it the English one is shown")] = None

    def urdu(self) -> str:
        """The Urdu name, or the English one where there is none."""
        return self.name_ur or self.name

    def positions(self) -> list[LonLat]:
        """Where it lies, as far as the row itself says."""
        return []


class _PlacedRow(Row):
    geometry: ClassVar[str] = "Point"
    lon: Annotated[Number, Field(description="longitude in degrees, about 67 in Quetta")]
    lat: Annotated[Number, Field(description="latitude in degrees, about 30 in Quetta")]

    @model_validator(mode="after")
    def _is_on_earth(self) -> "_PlacedRow":
        _checked_position(self.lon, self.lat)
        return self

    @property
    def position(self) -> LonLat:
        """Where it stands."""
        return LonLat(self.lon, self.lat)

    def positions(self) -> list[LonLat]:
        return [self.position]


class CityRow(_PlacedRow):
    """The city itself, at most one: its position is where the map opens."""

    kind: ClassVar[str] = "city"
    note: Annotated[Note, Field(description="what must be said on the map")] = ""
    note_ur: Annotated[Note, Field(description="the same in Urdu")] = ""


class DistrictRow(Row):
    """A part of the city."""

    kind: ClassVar[str] = "district"
    geometry: ClassVar[str] = "Polygon"
    points: Annotated[MapRing, Field(description="border on the map: lon lat; lon lat; ...")]

    def positions(self) -> list[LonLat]:
        return list(self.points)


class SiteRow(_PlacedRow):
    """A pole or a group of poles."""

    kind: ClassVar[str] = "site"
    district: Annotated[Code | None, Field(description="code of its district")] = None


class GateRow(_PlacedRow):
    """An approach to the city."""

    kind: ClassVar[str] = "gate"


class CameraRow(Row):
    """A camera; without a position of its own it stands at its site."""

    kind: ClassVar[str] = "camera"
    geometry: ClassVar[str] = "Point"
    site: Annotated[Code, Field(description="code of its site")]
    lon: Annotated[Number | None, Field(description="longitude, if it stands apart from its site")] = None
    lat: Annotated[Number | None, Field(description="latitude, if it stands apart from its site")] = None
    bearing_deg: Annotated[Bearing | None, Field(description="where it looks: 0 north, 90 east")] = None
    fov_deg: Annotated[FieldOfView | None, Field(description="width of its view in degrees")] = None
    range_m: Annotated[Range | None, Field(description="how far it is of use, in metres")] = None
    gate: Annotated[Code | None, Field(description="code of the gate it watches")] = None
    main_url: Annotated[Url, Field(description="rtsp:// address of its main stream")]
    sub_url: Annotated[Url | None, Field(description="rtsp:// address of its smaller stream")] = None
    reader: Annotated[ReaderChoice, Field(description="who reads it: auto, own, or pyav (FFmpeg)")] = ReaderChoice.AUTO
    transport: Annotated[TransportChoice, Field(description="RTSP transport: auto, tcp or udp")] = TransportChoice.AUTO
    recorded: Annotated[
        RecordedStreams, Field(description="what is recorded: main, or both main and the smaller stream")
    ] = RecordedStreams.MAIN
    user: Annotated[Secret, Field(description="user for both streams; kept encrypted", repr=False)] = ""
    password: Annotated[Secret, Field(description="password for both streams; kept encrypted", repr=False)] = ""

    @model_validator(mode="after")
    def _is_consistent(self) -> "CameraRow":
        if (self.lon is None) != (self.lat is None):
            refuse("lon and lat must both be given, or both left empty (then it stands at its site)")
        if self.lon is not None and self.lat is not None:
            _checked_position(self.lon, self.lat)
        self.sign_in()
        return self

    def sign_in(self) -> tuple[str, str]:
        """User and password, given in one way only."""
        ways = {(a.user, a.password) for a in self.addresses() if a.user or a.password}
        if self.user or self.password:
            ways.add((self.user, self.password))
        if len(ways) > 1:
            refuse("user and password are given in several ways that differ; give them once, in their own columns")
        user, password = next(iter(ways), ("", ""))
        if password and not user:
            refuse("there is a password without a user; fill in the column user")
        return user, password

    def addresses(self) -> list[StreamAddress]:
        """The streams it has."""
        return [self.main_url] + ([self.sub_url] if self.sub_url else [])

    def positions(self) -> list[LonLat]:
        return [LonLat(self.lon, self.lat)] if self.lon is not None and self.lat is not None else []


class _DrawnRow(Row):
    geometry: ClassVar[str] = "drawn"
    camera: Annotated[Code | None, Field(description="code of the camera on whose picture it is drawn")] = None
    picture_px: Annotated[PictureSize | None, Field(description="size of that picture, such as 1280x720")] = None


def _check_drawing(row: "ZoneRow | LineRow") -> None:
    """Either on the map, or with all three of camera, picture size and points, all inside the picture."""
    on_picture = (row.camera, row.picture_px, row.points_px)
    if row.points is not None:
        if any(part is not None for part in on_picture):
            refuse("is drawn both on the map and on a picture; keep points, or camera with picture_px and points_px")
        return
    if row.camera is None or row.picture_px is None or row.points_px is None:
        refuse("needs points on the map, or all three of camera, picture_px and points_px")
    width, height = row.picture_px
    if any(not (0 <= p.x_px <= width and 0 <= p.y_px <= height) for p in row.points_px):
        refuse(f"points_px has a point outside the picture of {width}x{height}")


class ZoneRow(_DrawnRow):
    """An area on the map or on a picture."""

    kind: ClassVar[str] = "zone"
    points: Annotated[MapRing | None, Field(description="border on the map: lon lat; lon lat; ...")] = None
    points_px: Annotated[PictureRing | None, Field(description="border on the picture: x y; x y; ...")] = None

    @model_validator(mode="after")
    def _is_drawn_once(self) -> "ZoneRow":
        _check_drawing(self)
        return self

    def positions(self) -> list[LonLat]:
        return list(self.points or ())


class LineRow(_DrawnRow):
    """A line on the map or on a picture."""

    kind: ClassVar[str] = "line"
    points: Annotated[MapPath | None, Field(description="line on the map: lon lat; lon lat; ...")] = None
    points_px: Annotated[PicturePath | None, Field(description="line on the picture: x y; x y; ...")] = None

    @model_validator(mode="after")
    def _is_drawn_once(self) -> "LineRow":
        _check_drawing(self)
        return self

    def positions(self) -> list[LonLat]:
        return list(self.points or ())


class RoadRow(Row):
    """A road of the map under the cameras."""

    model_config = ConfigDict(populate_by_name=True)
    kind: ClassVar[str] = "road"
    geometry: ClassVar[str] = "LineString"
    name: Annotated[Name, Field(description="name in English; streets may have none")] = ""
    road_class: Annotated[
        RoadClass, Field(alias="class", description="highway, ring, arterial, collector or street")
    ] = RoadClass.STREET
    points: Annotated[MapPath, Field(description="course on the map: lon lat; lon lat; ...")]

    def positions(self) -> list[LonLat]:
        return list(self.points)


class PoliceRow(_PlacedRow):
    """A police station."""

    kind: ClassVar[str] = PlaceKind.POLICE.value


class HospitalRow(_PlacedRow):
    """A hospital."""

    kind: ClassVar[str] = PlaceKind.HOSPITAL.value


ROW_KINDS: tuple[type[Row], ...] = (
    CityRow,
    DistrictRow,
    SiteRow,
    GateRow,
    CameraRow,
    ZoneRow,
    LineRow,
    RoadRow,
    PoliceRow,
    HospitalRow,
)
ROW_OF_KIND: Mapping[str, type[Row]] = {row.kind: row for row in ROW_KINDS}


def columns_of(row: type[Row]) -> list[str]:
    """The columns of a kind by the names that files use, in their order."""
    return [info.alias or name for name, info in row.model_fields.items()]


COLUMNS: tuple[str, ...] = ("kind", *dict.fromkeys(column for row in ROW_KINDS for column in columns_of(row)))
"""Every column of the CSV form, in the order in which it is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRow:
    """A row as it stands in the file: its number there, its kind and its filled cells."""

    number: int
    kind: str
    values: Mapping[str, object] = field(repr=False)
    reasons: tuple[str, ...] = ()
    """What the reader of the file itself already found wrong."""


_CHOICES: Mapping[str, type[StrEnum]] = {
    "class": RoadClass, "reader": ReaderChoice, "transport": TransportChoice, "recorded": RecordedStreams
}  # fmt: skip


def parse_row(raw: RawRow) -> Row | list[str]:
    """The checked row, or every reason why it is none."""
    if raw.reasons:
        return list(raw.reasons)
    row = ROW_OF_KIND.get(raw.kind)
    if row is None:
        return [f"kind is missing or unknown; write one of {', '.join(ROW_OF_KIND)}"]
    try:
        return row.model_validate(dict(raw.values))
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        return [_reason(row, item["type"], place=item["loc"], message=item["msg"]) for item in found]


def _reason(row: type[Row], kind: str, *, place: tuple[int | str, ...], message: str) -> str:
    column = str(place[0]) if place else ""
    if kind == "missing":
        return f"{column} is missing; fill it in"
    if kind == "extra_forbidden":
        allowed = ", ".join(columns_of(row))
        return f"{_safe(column)} is no column of a {row.kind}; empty it (a {row.kind} has {allowed})"
    if kind == "enum":
        return f"{column} must be one of {', '.join(_CHOICES[column])}"
    if not column:
        return message
    return f"{column} {message}"


def _safe(column: str) -> str:
    return column if column.isidentifier() and len(column) <= 40 else "an unknown property"


def _checked_position(lon: float, lat: float) -> None:
    try:
        read_position(lon, lat)
    except ValueError as error:
        refuse(str(error))

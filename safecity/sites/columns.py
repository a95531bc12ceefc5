"""What may stand in a cell of a city file: each kind of cell read and checked, or refused with a reason to act on.

Cells come as text (CSV) or as JSON values (GeoJSON). A reason quotes a cell only when it looks like a number: a
password that slipped into a wrong column must not come back in a report.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Annotated, NoReturn, cast

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from safecity.platform.geometry import LonLat, Point
from safecity.sites.model import CODE_LONGEST
from safecity.sites.shapes import XY, check_path, check_ring
from safecity.sites.streams import StreamAddress, split_stream_url

TEXT_LONGEST = 200
NOTE_LONGEST = 1_000
SECRET_LONGEST = 200
PICTURE_MOST_PX = 16_384

_CODE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{CODE_LONGEST - 1}}}")
_NUMBER = re.compile(r"[+-]?\d{1,15}([.,٫]\d{0,20})?")
_LOOKS_LIKE_NUMBER = re.compile(r"[\d\s.,+\-°'\"NSEWxX;]{1,30}")
_DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_WITHIN_PAKISTAN = (60.5, 23.3, 77.9, 37.2)
"""West, south, east, north in degrees: only used to see that longitude and latitude were swapped."""


def refuse(reason: str) -> NoReturn:
    """Refuse a cell for a reason that is safe to show."""
    raise PydanticCustomError("bad_cell", "{reason}", {"reason": reason})


def _shown(value: object) -> str:
    text = str(value).strip()
    return f" ({text})" if _LOOKS_LIKE_NUMBER.fullmatch(text) else ""


def read_code(value: object) -> str:
    """A code as the city writes it."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _CODE.fullmatch(text.strip()):
        refuse(f"must be 1 to {CODE_LONGEST} Latin letters, digits, - or _, beginning with a letter or digit")
    return text.strip()


def _text_reader(longest: int) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str):
            refuse("must be text")
        if any(unicodedata.category(c) == "Cs" for c in value):
            refuse("holds half a character; write the text again")
        text = unicodedata.normalize("NFC", value.strip())
        if len(text) > longest:
            refuse(f"is longer than {longest} characters")
        if any(unicodedata.category(c) == "Cc" or c in _DIRECTION_MARKS for c in text):
            refuse("holds a line break, a control character or a hidden direction mark; type it again without")
        if not text or (set(text) <= {"?", " "} and "?" in text) or "\ufffd" in text:
            refuse('holds only question marks or lost characters; save the file as "CSV UTF-8" so that Urdu survives')
        return text

    return read


def read_number(value: object) -> float:
    """A finite number; digits of any script, decimal point or comma."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        refuse("must be a number")
    if isinstance(value, str):
        text = value.strip()
        if not _NUMBER.fullmatch(text):
            refuse(f"is not a plain number{_shown(text)}; write it like 66.9905")
        return float(text.replace(",", ".").replace("٫", "."))
    try:
        number = float(value)
    except OverflowError:
        refuse("is not a finite number")
    if not math.isfinite(number):
        refuse("is not a finite number")
    return number


def _range_reader(least: float, most: float, *, unit: str) -> Callable[[object], float]:
    def read(value: object) -> float:
        if isinstance(value, str) and most >= 1000 and re.fullmatch(r"\d{1,3},\d{3}", value.strip()):
            refuse(f"could mean two things{_shown(value)}; write thousands without a comma")
        number = read_number(value)
        if not least <= number <= most:
            refuse(f"is out of range{_shown(value)}: {least:g} to {most:g} {unit}")
        return number

    return read


def _read_bearing(value: object) -> float:
    return _range_reader(0, 360, unit="degrees clockwise from north")(value) % 360


def read_url(value: object) -> StreamAddress:
    """A stream address, split from its secrets."""
    if not isinstance(value, str):
        refuse("must be text")
    try:
        return split_stream_url(value.strip())
    except ValueError as error:
        refuse(str(error))


def _read_secret(value: object) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or len(text) > SECRET_LONGEST:
        refuse(f"must be text of at most {SECRET_LONGEST} characters")
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        refuse("holds a control character")
    return text


def look_swapped(lon: float, lat: float) -> bool:
    """Whether the two make sense only the other way round (Pakistan's box and its mirror do not overlap)."""
    west, south, east, north = _WITHIN_PAKISTAN
    return (west <= lat <= east and south <= lon <= north) or (abs(lat) > 90 and abs(lon) <= 90 and abs(lat) <= 180)


def read_position(lon: float, lat: float) -> LonLat:
    """A position on earth; raises ValueError with a reason, naming swapped coordinates as such."""
    if look_swapped(lon, lat):
        raise ValueError(f"lon {lon:g} and lat {lat:g} look swapped: here lon is about 67 and lat about 30")
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise ValueError(f"lon {lon:g}, lat {lat:g} is no place on earth: lon is -180 to 180, lat -90 to 90")
    return LonLat(lon, lat)


def _pairs(value: object, *, longest: int = 3) -> list[XY]:
    """Pairs of numbers from "x y; x y", from WKT, or from JSON [[x, y], ...] (heights are dropped)."""
    if isinstance(value, str):
        body = re.sub(r"(?i)^\s*(linestring|polygon)", "", value)
        words = [word for word in re.split(r"[\s,;|()\[\]]+", body) if word]
        if len(words) % 2:
            refuse("must be pairs such as 66.99 30.19; 67.00 30.20 (one number has no partner)")
        numbers = [read_number(word) for word in words]
        return list(zip(numbers[::2], numbers[1::2], strict=True))
    pairs: list[XY] = []
    if not isinstance(value, Sequence):
        refuse("must be a list of points")
    for item in cast("Sequence[object]", value):
        if not isinstance(item, list) or not 2 <= len(cast("list[object]", item)) <= longest:
            refuse("each point must be two numbers")
        numbers = [read_number(part) for part in cast("list[object]", item)]
        pairs.append((numbers[0], numbers[1]))
    return pairs


def _shape_reader(check: Callable[[Sequence[XY]], tuple[XY, ...]], *, on_map: bool) -> Callable[[object], object]:
    def read(value: object) -> tuple[LonLat, ...] | tuple[Point, ...]:
        pairs = _pairs(value)
        try:
            if on_map:
                for lon, lat in pairs:
                    read_position(lon, lat)
                return tuple(LonLat(lon, lat) for lon, lat in check(pairs))
            return tuple(Point(x, y) for x, y in check(pairs))
        except ValueError as error:
            refuse(str(error))

    return read


def _read_picture(value: object) -> tuple[int, int]:
    """The size of a picture from "1280x720" or [1280, 720]."""
    words = re.split(r"\s*[xX×]\s*|\s+", value.strip()) if isinstance(value, str) else value
    if not isinstance(words, list) or len(cast("list[object]", words)) != 2:
        refuse("must be width and height in pixels such as 1280x720")
    width, height = (read_number(word) for word in cast("list[object]", words))
    if not (width.is_integer() and height.is_integer() and 16 <= min(width, height) <= max(width, height)):
        refuse("must be whole pixels, 16 or more")
    if max(width, height) > PICTURE_MOST_PX:
        refuse(f"is larger than {PICTURE_MOST_PX} pixels")
    return int(width), int(height)


Code = Annotated[str, BeforeValidator(read_code)]
Name = Annotated[str, BeforeValidator(_text_reader(TEXT_LONGEST))]
Note = Annotated[str, BeforeValidator(_text_reader(NOTE_LONGEST))]
Number = Annotated[float, BeforeValidator(read_number)]
Bearing = Annotated[float, BeforeValidator(_read_bearing)]
FieldOfView = Annotated[float, BeforeValidator(_range_reader(1, 360, unit="degrees"))]
Range = Annotated[float, BeforeValidator(_range_reader(1, 5_000, unit="metres"))]
Url = Annotated[StreamAddress, BeforeValidator(read_url)]
Secret = Annotated[str, BeforeValidator(_read_secret)]
MapPath = Annotated[tuple[LonLat, ...], BeforeValidator(_shape_reader(check_path, on_map=True))]
MapRing = Annotated[tuple[LonLat, ...], BeforeValidator(_shape_reader(check_ring, on_map=True))]
PicturePath = Annotated[tuple[Point, ...], BeforeValidator(_shape_reader(check_path, on_map=False))]
PictureRing = Annotated[tuple[Point, ...], BeforeValidator(_shape_reader(check_ring, on_map=False))]
PictureSize = Annotated[tuple[int, int], BeforeValidator(_read_picture)]

"""Whether a whole city file is right: each row by itself, then the rows against each other and the registry."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from safecity.platform.geometry import LonLat, distance_m
from safecity.sites.city import City
from safecity.sites.city_build import build_city
from safecity.sites.model import CameraId, DistrictId, GateId, SiteId, camera_id
from safecity.sites.rows import ROW_OF_KIND, CameraRow, LineRow, RawRow, Row, SiteRow, ZoneRow, parse_row
from safecity.sites.streams import MASK

FAR_FROM_CITY_M = 150_000.0
"""Farther from the middle of everything else, a position is taken for a slip of the keyboard."""
FAR_FROM_SITE_M = 5_000.0
FEW_POSITIONS = 3
"""Fewer positions have no middle to be far from."""

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """A row that cannot be imported, with every reason; `number` is a line of the CSV or an index of the GeoJSON."""

    number: int
    kind: str
    code: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the registry holds already, so that a file may refer to it."""

    sites: Mapping[SiteId, LonLat] = field(default_factory=dict[SiteId, LonLat])
    districts: frozenset[DistrictId] = frozenset()
    gates: frozenset[GateId] = frozenset()
    addresses: Mapping[CameraId, frozenset[str]] = field(default_factory=dict[CameraId, frozenset[str]])
    """Every camera in use with its stream addresses, without secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedCity:
    """The outcome: a city if no row is bad; notices are worth a look, but nothing is wrong."""

    rows: int
    bad: tuple[BadRow, ...]
    notices: tuple[str, ...]
    city: City | None


@dataclass(slots=True, kw_only=True)
class _Found:
    """The rows with the reasons found so far."""

    raws: Sequence[RawRow]
    rows: dict[int, Row] = field(default_factory=dict[int, Row])
    reasons: dict[int, list[str]] = field(default_factory=dict[int, list[str]])

    def blame(self, index: int, reason: str) -> None:
        self.reasons.setdefault(index, []).append(reason)


def check_city(
    raws: Iterable[RawRow], *, known: Known | None = None, on_progress: OnProgress | None = None
) -> CheckedCity:
    """Check every row and report every bad one; a row that refers to a bad row is not blamed for it."""
    known = known or Known()
    found = _Found(raws=list(raws))
    total = len(found.raws)
    for index, raw in enumerate(found.raws):
        parsed = parse_row(raw)
        if isinstance(parsed, Row):
            found.rows[index] = parsed
        else:
            found.reasons[index] = parsed
        if on_progress is not None:
            on_progress(index + 1, total)
    _find_duplicates(found)
    _find_lost_references(found, known)
    _find_far_positions(found, known)
    _find_masked_addresses(found, known)
    bad = tuple(_bad_row(found.raws[index], reasons) for index, reasons in sorted(found.reasons.items()))
    city = None if bad else build_city(found.rows.values(), known_sites=known.sites)
    return CheckedCity(rows=total, bad=bad, notices=tuple(_notices(found)), city=city)


def _bad_row(raw: RawRow, reasons: Sequence[str]) -> BadRow:
    return BadRow(number=raw.number, kind=_kind(raw), code=_code(raw) or "", reasons=tuple(reasons))


def _kind(raw: RawRow) -> str:
    return raw.kind if raw.kind in ROW_OF_KIND or raw.kind == "header" else ""


def _code(raw: RawRow) -> str | None:
    """The row's code if it can be read, also where the rest of the row is bad."""
    value = raw.values.get("code")
    text = str(value).strip() if isinstance(value, str | int) else ""
    is_readable = text.isascii() and 0 < len(text) <= 40 and text.replace("-", "").replace("_", "").isalnum()
    return text if is_readable else None


def _find_duplicates(found: _Found) -> None:
    first: dict[tuple[str, str], int] = {}
    for index, raw in enumerate(found.raws):
        code = _code(raw)
        if code is None or not _kind(raw):
            continue
        key = (raw.kind, "" if raw.kind == "city" else code.lower())
        if key in first:
            where = found.raws[first[key]].number
            what = "there is one city only" if raw.kind == "city" else f"the code {code} is already used"
            found.blame(index, f"{what} by a {raw.kind} in row {where}; give each its own, or remove this one")
        else:
            first[key] = index


def _references(row: Row) -> Iterator[tuple[str, str]]:
    """(kind, code) of what a row refers to."""
    if isinstance(row, SiteRow) and row.district:
        yield "district", row.district
    if isinstance(row, CameraRow):
        yield "site", row.site
        if row.gate:
            yield "gate", row.gate
    if isinstance(row, ZoneRow | LineRow) and row.camera:
        yield "camera", row.camera


def _find_lost_references(found: _Found, known: Known) -> None:
    there: set[str] = {*known.sites, *known.districts, *known.gates}
    there |= {f"camera_{camera.removeprefix('cam_')}" for camera in known.addresses}
    for raw in found.raws:
        code = _code(raw)
        if code is not None:
            there.add(f"{raw.kind}_{code.lower()}")
    for index, row in found.rows.items():
        for kind, code in _references(row):
            if f"{kind}_{code.lower()}" not in there:
                found.blame(index, f"{kind} {code} is neither in this file nor in the registry; add it or correct it")


def _find_far_positions(found: _Found, known: Known) -> None:
    placed = {index: positions for index, row in found.rows.items() if (positions := row.positions())}
    everywhere = [*(positions[0] for positions in placed.values()), *known.sites.values()]
    if len(everywhere) >= FEW_POSITIONS:
        middle = LonLat(median(p.lon for p in everywhere), median(p.lat for p in everywhere))
        for index, positions in placed.items():
            gap_m = max(distance_m(position, middle) for position in positions)
            if gap_m > FAR_FROM_CITY_M:
                found.blame(index, f"lies {gap_m / 1000:.0f} km from the rest of the city; correct lon and lat")
    sites = {**known.sites}
    sites |= {SiteId(f"site_{r.code.lower()}"): r.position for r in found.rows.values() if isinstance(r, SiteRow)}
    for index, row in found.rows.items():
        site = sites.get(SiteId(f"site_{row.site.lower()}")) if isinstance(row, CameraRow) else None
        if site is None or index not in placed or index in found.reasons:
            continue
        gap_m = distance_m(placed[index][0], site)
        if FAR_FROM_SITE_M < gap_m <= FAR_FROM_CITY_M:
            found.blame(index, f"lies {gap_m / 1000:.0f} km from its site; correct lon and lat, or the site")


def _find_masked_addresses(found: _Found, known: Known) -> None:
    """An exported file shows *** for a secret inside an address; that is of use only where the secret is known."""
    for index, row in found.rows.items():
        if isinstance(row, CameraRow):
            kept = known.addresses.get(camera_id(row.code), frozenset())
            masked = {a.url for a in row.addresses() if a.secret_url is None and a.url.endswith("=" + MASK)}
            if not masked <= kept:
                found.blame(index, f"an address shows {MASK} in the place of its secret; write the whole address again")


def _notices(found: _Found) -> Iterator[str]:
    """What is allowed, but more often a slip than meant."""
    cameras = [row for row in found.rows.values() if isinstance(row, CameraRow)]
    same = Counter(row.main_url.secret_url or row.main_url.url for row in cameras)
    shared = [row.code for row in cameras if same[row.main_url.secret_url or row.main_url.url] > 1]
    if shared:
        yield f"{len(shared)} cameras share a main_url with another: {_some(shared)}"
    unaimed = [row.code for row in cameras if row.bearing_deg is None]
    if unaimed:
        yield f"{len(unaimed)} cameras have no bearing, so the map cannot show where they look: {_some(unaimed)}"


def _some(codes: Sequence[str], most: int = 5) -> str:
    rest = f" and {len(codes) - most} more" if len(codes) > most else ""
    return ", ".join(codes[:most]) + rest

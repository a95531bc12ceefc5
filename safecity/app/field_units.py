"""The demo's units: entered at stations, hospitals and gates of the registry, and driven when they are sent.

The drivers stand for the devices in the cars: they report positions and nothing else. Who is en route, on scene or
clear is what people say in the console.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import structlog

from safecity.dispatch.model import AssignmentId, Unit, UnitId, UnitKind, UnitSpec
from safecity.dispatch.service import Dispatch
from safecity.dispatch.store import list_units
from safecity.incidents.service import Incidents
from safecity.oversight.service import Oversight
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.errors import Conflict
from safecity.platform.geometry import LonLat, distance_m
from safecity.platform.settings import Settings
from safecity.sites.city import City
from safecity.sites.model import PlaceKind
from safecity.sites.store import read_city
from safecity.virtual.patrol import Drive, sets_off_at

log = structlog.get_logger()

PARKED_EVERY_S = 20.0
"""How often units that stand report themselves."""
GATE_POST_M = 1500.0
"""Traffic units wait so far inside the gates, on the straight way to the centre."""
# Call sign, kind, name, name in Urdu, how many.
FLEET: tuple[tuple[str, UnitKind, str, str, int], ...] = (
    ("EAGLE", UnitKind.POLICE, "Eagle", "ایگل", 6),
    ("TRAFFIC", UnitKind.TRAFFIC, "Traffic", "ٹریفک", 4),
    ("RESCUE", UnitKind.AMBULANCE, "Rescue", "ریسکیو", 3),
    ("FIRE", UnitKind.FIRE, "Fire", "فائر", 1),
)


def make_dispatch(database: Database, settings: Settings, *, clock: Clock) -> Dispatch:
    """The dispatch service as the machine itself uses it."""
    oversight = Oversight(database, settings.oversight, clock)
    incidents = Incidents(
        database, settings.incidents, oversight=oversight, clock=clock, time_zone=settings.sites.time_zone
    )
    return Dispatch(database, settings.dispatch, incidents=incidents, oversight=oversight, clock=clock)


def prepare_units(database: Database, settings: Settings, *, clock: Clock) -> int:
    """Enter the demo's units at the places of the registry; those that are there stay as they are.

    Call it once the city is imported. Returns how many are new or changed.
    """
    with database.read() as connection:
        city = read_city(connection)
    centre = LonLat(settings.sites.center_lon, settings.sites.center_lat)
    return make_dispatch(database, settings, clock=clock).ensure_units(list(fleet(city, centre=centre)))


def fleet(city: City, *, centre: LonLat) -> Iterator[UnitSpec]:
    """The units: police and fire at stations, ambulances at hospitals, all spread out, traffic units inside the gates.

    Fewer where the city has fewer places.
    """
    stations = [place.position for place in city.places if place.kind is PlaceKind.POLICE]
    hospitals = [place.position for place in city.places if place.kind is PlaceKind.HOSPITAL]
    gates = [_towards(gate.position, centre) for gate in city.gates]
    waits_at = {
        UnitKind.POLICE: stations,
        UnitKind.TRAFFIC: gates,
        UnitKind.AMBULANCE: hospitals,
        UnitKind.FIRE: stations,
    }
    for code, kind, name, name_ur, count in FLEET:
        for number, position in enumerate(spread(waits_at[kind], around=centre, count=count), start=1):
            yield UnitSpec(
                code=f"{code}-{number}",
                kind=kind,
                name=f"{name} {number}",
                name_ur=f"{name_ur} {number}",
                position=position,
            )


def spread(positions: Sequence[LonLat], *, around: LonLat, count: int) -> list[LonLat]:
    """So many of the positions: the one nearest to the middle, then always the one farthest from all before."""
    left = sorted(positions, key=lambda one: distance_m(one, around))
    chosen = left[:1]
    while len(chosen) < min(count, len(left)):
        chosen.append(max(left, key=lambda one: min(distance_m(one, two) for two in chosen)))
    return chosen[:count]


def _towards(start: LonLat, target: LonLat) -> LonLat:
    share = min(1.0, GATE_POST_M / max(1.0, distance_m(start, target)))
    return LonLat(start.lon + (target.lon - start.lon) * share, start.lat + (target.lat - start.lat) * share)


@dataclass(slots=True, kw_only=True)
class Drivers:
    """Moves the units that are on their way and lets the others report where they stand."""

    database: Database
    dispatch: Dispatch
    clock: Clock
    _drives: dict[AssignmentId, Drive] = field(default_factory=dict[AssignmentId, Drive])
    _parked_s: float = float("-inf")

    def run_once(self) -> None:
        """One round; a drive that an earlier process began goes on from the last known position."""
        now = self.clock.now()
        moving = self.dispatch.list_moving()
        drives: dict[AssignmentId, Drive] = {}
        for one in moving:
            assignment = one.assignment
            drive = self._drives.get(assignment.id)
            if drive is None:
                # Found half-way: it has driven up to its last fix already.
                sets_off = sets_off_at(sent_at=assignment.sent_at, en_route_at=assignment.en_route_at)
                began = max(sets_off, one.unit.fix_at)
                drive = Drive(start=one.unit.position, target=assignment.target, began_at=began)
            drives[assignment.id] = drive
            self._report(one.unit.id, drive.position_at(now))
        self._drives = drives
        if self.clock.monotonic_s() - self._parked_s >= PARKED_EVERY_S:
            self._parked_s = self.clock.monotonic_s()
            away = {one.unit.id for one in moving}
            for unit in self._standing():
                if unit.id not in away:
                    self._report(unit.id, unit.position)

    def _standing(self) -> list[Unit]:
        with self.database.read() as connection:
            return list_units(connection)

    def _report(self, unit: UnitId, position: LonLat) -> None:
        try:
            self.dispatch.report_fix(unit, position=position, at=self.clock.now())
        except Conflict:
            # Only where the clock was set back: the fix that is known lies ahead of now.
            log.warning("field.fix_refused", unit=unit)

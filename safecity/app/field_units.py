"""The demo's units: entered at the police stations and hospitals of the registry, and driven when they are sent.

The drivers stand for the devices in the cars: they report positions and nothing else. Who is en route, on scene or
clear is what people say in the console.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

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
from safecity.sites.model import Place, PlaceKind
from safecity.sites.store import read_city
from safecity.virtual.patrol import Drive, sets_off_at

log = structlog.get_logger()

PARKED_EVERY_S = 20.0
"""How often units that stand report themselves."""
# Call sign, kind, name, name in Urdu, from what kind of place, how many.
FLEET: tuple[tuple[str, UnitKind, str, str, PlaceKind, int], ...] = (
    ("EAGLE", UnitKind.POLICE, "Eagle", "ایگل", PlaceKind.POLICE, 8),
    ("TRAFFIC", UnitKind.TRAFFIC, "Traffic", "ٹریفک", PlaceKind.POLICE, 2),
    ("RESCUE", UnitKind.AMBULANCE, "Rescue", "ریسکیو", PlaceKind.HOSPITAL, 3),
    ("FIRE", UnitKind.FIRE, "Fire", "فائر", PlaceKind.POLICE, 1),
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
        places = read_city(connection).places
    centre = LonLat(settings.sites.center_lon, settings.sites.center_lat)
    return make_dispatch(database, settings, clock=clock).ensure_units(list(fleet(places, centre=centre)))


def fleet(places: Sequence[Place], *, centre: LonLat) -> Iterator[UnitSpec]:
    """The units, one or more at each of the places nearest to the centre; none where there are no places."""
    nearest = sorted(places, key=lambda place: distance_m(place.position, centre))
    for code, kind, name, name_ur, at, count in FLEET:
        here = [place for place in nearest if place.kind is at]
        for number, place in enumerate(islice(here, count), start=1):
            yield UnitSpec(
                code=f"{code}-{number}",
                kind=kind,
                name=f"{name} {number}",
                name_ur=f"{name_ur} {number}",
                position=place.position,
            )


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

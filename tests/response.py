"""A centre that can respond: a small city, people on duty, the queue, units and cases, and a clock of its own."""

import functools
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

from safecity.cases.service import Cases
from safecity.dispatch.model import UnitKind, UnitSpec
from safecity.dispatch.service import Dispatch
from safecity.events import Fact, Stated, read_facts, state_fact
from safecity.events.analytics import RuleFired
from safecity.incidents.incident import Incident
from safecity.incidents.intake import Intake
from safecity.incidents.model import Alert, IncidentId
from safecity.incidents.service import AlertStep, Incidents, NewReport
from safecity.oversight import log
from safecity.oversight.log import Leaf, list_leaves
from safecity.oversight.model import Actor, Role
from safecity.oversight.passwords import Cost, Passwords
from safecity.oversight.service import Oversight
from safecity.platform.clock import VirtualClock
from safecity.platform.database import Database
from safecity.platform.geometry import LonLat
from safecity.platform.secrets import SecretBox
from safecity.platform.settings import DispatchSettings, IncidentsSettings, OversightSettings
from safecity.sites.model import Camera
from safecity.sites.service import Sites
from safecity.virtual.quetta import virtual_quetta

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
PASSWORD = "correct horse battery 7"
CHEAP = Cost(passes=1, memory_kib=64, lanes=1)


@functools.cache
def city_without_roads(cameras: int) -> dict[str, object]:
    """The virtual Quetta without its 1,781 roads, which cost a second and matter to nobody here."""
    city = virtual_quetta(cameras, "rtsp://10.0.0.1:8554", user="c", password="Hunter2")
    features = cast(list[dict[str, dict[str, object]]], city["features"])
    return {**city, "features": [one for one in features if one["properties"]["kind"] != "road"]}


@dataclass
class Centre:
    """What the tests of dispatch and cases work with; `database` is empty and migrated."""

    database: Database
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(NOON))

    def __post_init__(self) -> None:
        self.oversight = Oversight(self.database, OversightSettings(), self.clock, passwords=Passwords(CHEAP))
        self.sites = Sites(self.database, oversight=self.oversight, clock=self.clock, box=SecretBox(os.urandom(32)))
        self.sites.import_city_document(city_without_roads(6))
        settings, shared = IncidentsSettings(), {"oversight": self.oversight, "clock": self.clock}
        self.incidents = Incidents(self.database, settings, **shared)
        self.intake = Intake(self.database, settings, **shared)
        self.dispatch = Dispatch(self.database, DispatchSettings(), incidents=self.incidents, **shared)
        self.cases = Cases(self.database, incidents=self.incidents, **shared)

    def actor(self, role: Role = Role.SUPERVISOR, *, name: str = "") -> Actor:
        """Somebody of that role, signed in and on duty where the role has duty."""
        name = name or f"a.{role.value}"
        if name not in {user.name for user in self.oversight.list_users()}:
            self.oversight.create_user(name, PASSWORD, role=role, display_name=f"Some {role.value}")
        actor = self.oversight.sign_in(name, PASSWORD, console="10.0.0.7").session.actor
        if role in {Role.OPERATOR, Role.DISPATCHER, Role.INVESTIGATOR, Role.SUPERVISOR}:
            self.oversight.start_shift(actor)
        return actor

    def cameras(self) -> list[Camera]:
        """The cameras of the city."""
        return [one.camera for one in self.sites.list_cameras(self.actor())]

    def incident(self, *, camera: Camera | None = None) -> Incident:
        """An incident that somebody reports at a camera."""
        camera = camera or self.cameras()[0]
        return self.incidents.report(self.actor(), NewReport(title="Two cars met", camera=camera.id))

    def confirmed(self, camera: Camera, *, seconds_ago: float = 20.0) -> Incident:
        """An incident that an alert of a rule was confirmed into; its clip lasts ten seconds."""
        at = self.clock.now() - timedelta(seconds=seconds_ago)
        fact = RuleFired(
            camera=camera.id,
            rule="r1",
            kind="stopped_vehicle",
            title="Stopped",
            title_ur="رکی ہوئی گاڑی",
            subject="lane/car",
            object_class="car",
            priority=2,
            started_at=at,
            clip_from=at,
            clip_to=at + timedelta(seconds=10),
            picture_at=at,
            box=None,
            confidence=0.9,
            model="test",
        )
        with self.database.begin() as connection:
            state_fact(connection, fact, id=f"f{camera.id}{at}"[:60], source="t", time=at, subject=camera.id)
        self.intake.run_once()
        actor = self.actor()
        alert: Alert = self.incidents.list_alerts(actor)[0]
        done = self.incidents.step(actor, alert.id, step=AlertStep(step="confirm", version=alert.version))
        assert done.incident is not None
        return self.get(done.incident)

    def get(self, incident: IncidentId | str) -> Incident:
        """An incident as it is now."""
        with self.database.read() as connection:
            return self.incidents.get_incident(connection, incident)

    def facts(self) -> list[Fact]:
        """Every fact stated so far."""
        with self.database.read() as connection:
            return [one.fact for one in read_facts(connection, after=0) if isinstance(one, Stated)]

    def leaves(self) -> list[Leaf]:
        """The newest leaves of the log, oldest first."""
        with self.database.read() as connection:
            return list_leaves(connection, before=log.size_of(connection), limit=200)[::-1]


def spec(code: str, lon: float, lat: float, *, kind: UnitKind = UnitKind.POLICE) -> UnitSpec:
    """A unit of that call sign."""
    return UnitSpec(code=code, kind=kind, name=f"Unit {code}", name_ur="", position=LonLat(lon, lat))

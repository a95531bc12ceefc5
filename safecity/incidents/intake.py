"""From facts to alerts: each fact of a rule that fired becomes part of exactly one alert.

The keeper runs it. It reads with a cursor of its own, which moves in the same transaction as what it makes of the
facts, so a kill at any instant loses nothing and doubles nothing. A fact that is of no use (unreadable, or of a camera
that the registry does not know) is set aside with the reason, and reading goes on.
"""

from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy.engine import Connection

from safecity.events import Stated, last_cursor, read_facts, set_aside
from safecity.events.analytics import RuleFired
from safecity.incidents import incident as rules
from safecity.incidents import store
from safecity.incidents.model import Alert, AlertId, Firing, join, raise_alert, takes
from safecity.incidents.offers import choose
from safecity.incidents.opening import limits_of
from safecity.incidents.steps import Line, state_alert, state_incident, told_of
from safecity.oversight import log as audit
from safecity.oversight.model import OnDuty
from safecity.oversight.service import Oversight
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.errors import DataLoss
from safecity.platform.geometry import LonLat
from safecity.platform.ids import new_id
from safecity.platform.settings import IncidentsSettings
from safecity.sites.model import CameraId
from safecity.sites.store import find_camera

log = structlog.get_logger()

PAGE = 50
"""Facts in one transaction; while it lasts nobody else may write a leaf."""
RUN_MOST_S = 0.3
"""After so long a run leaves the rest to the next one, so that the keeper's other chores have their turn."""
IDLE_GAP = 1_000
"""Facts of other rooms that may lie behind the cursor before it is moved for their sake alone."""
SOURCE = "keeper"
_TYPES = (RuleFired.type,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of the facts of one run."""

    raised: int = 0
    joined: int = 0
    known: int = 0
    """Facts that an alert had already."""
    set_aside: int = 0
    is_drained: bool = True
    """Whether every fact that was there is read."""

    def plus(self, other: "Taken") -> "Taken":
        """Both together."""
        return Taken(
            raised=self.raised + other.raised,
            joined=self.joined + other.joined,
            known=self.known + other.known,
            set_aside=self.set_aside + other.set_aside,
            is_drained=other.is_drained,
        )


class Intake:
    """The reader of facts; one at a time, whichever keeper runs it."""

    def __init__(self, database: Database, settings: IncidentsSettings, *, oversight: Oversight, clock: Clock) -> None:
        self._database = database
        self._limits = limits_of(settings)
        self._oversight = oversight
        self._clock = clock
        self._offers = 0
        self._last_offer: dict[str, int] = {}  # only breaks ties; a restart may forget it

    def run_once(self) -> Taken:
        """Read facts page by page until none is left or the time is up."""
        total = Taken()
        began_s = self._clock.monotonic_s()
        while self._has_work():
            total = total.plus(self._page(until_s=began_s + RUN_MOST_S))
            if total.is_drained or self._clock.monotonic_s() - began_s > RUN_MOST_S:
                break
        if total.set_aside:
            log.warning("incidents.facts_set_aside", facts=total.set_aside)
        return total

    def _has_work(self) -> bool:
        with self._database.read() as connection:
            after, upto = store.read_cursor(connection), last_cursor(connection)
            if upto == after:
                return False
            fresh = next(read_facts(connection, after=after, limit=1, types=_TYPES), None)
        return fresh is not None or upto - after > IDLE_GAP

    def _page(self, *, until_s: float) -> Taken:
        with self._database.begin() as connection:
            audit.take_turn(connection)
            after, upto = store.read_cursor(connection), last_cursor(connection)
            facts = list(read_facts(connection, after=after, limit=PAGE, types=_TYPES))
            desk = _Desk(on_duty=self._oversight.list_on_duty(connection), held=store.count_held(connection), places={})
            taken, is_drained = Taken(), len(facts) < PAGE
            for number, item in enumerate(facts, 1):
                taken = taken.plus(self._take(connection, item, desk))
                if self._clock.monotonic_s() > until_s:  # a slow machine: what is done is done, the rest comes next
                    is_drained = is_drained and number == len(facts)
                    upto = upto if is_drained else _cursor_of(item)
                    break
            else:
                upto = upto if is_drained else _cursor_of(facts[-1])
            store.write_cursor(connection, upto)
        return replace(taken, is_drained=is_drained)

    def _take(self, connection: Connection, item: Stated | DataLoss, desk: "_Desk") -> Taken:
        now = self._clock.now()
        if isinstance(item, DataLoss) or not isinstance(item.fact, RuleFired):
            reason = item.message if isinstance(item, DataLoss) else "not a rule that fired"
            return _aside(connection, _cursor_of(item), reason=reason, now=now)
        if store.find_alert_of_fact(connection, item.id) is not None:
            return Taken(known=1)
        place = desk.place_of(connection, item.fact.camera)
        if place is None:
            reason = f"the registry has no camera {item.fact.camera}; import it, then ask for this fact again"
            return _aside(connection, item.cursor, reason=reason, now=now)
        if item.fact.clip_to < item.fact.clip_from:
            return _aside(connection, item.cursor, reason="its clip ends before it begins", now=now)
        firing = firing_of(item, item.fact, position=place)
        for alert in store.list_candidates(connection, firing):
            if takes(alert, firing, is_incident_open=True, limits=self._limits):
                self._join(connection, alert, firing, now)
                store.insert_fact(connection, fact=firing.fact, alert=alert.id, cursor=item.cursor)
                return Taken(joined=1)
        raised = self._raise(connection, firing, desk, now)
        store.insert_fact(connection, fact=firing.fact, alert=raised, cursor=item.cursor)
        return Taken(raised=1)

    def _raise(self, connection: Connection, firing: Firing, desk: "_Desk", now: datetime) -> AlertId:
        offer = choose(desk.on_duty, desk.held, last=self._last_offer)
        alert = raise_alert(firing, id=AlertId(new_id("alr")), offer=offer, now=now, limits=self._limits)
        store.insert_alert(connection, alert)
        told = {**told_of(alert), "fact": firing.fact}
        raised = Line(version=1, at=now, step="raised", by=None, detail=told)
        if offer is None:
            why = {**told_of(alert), "why": "nobody_on_duty"}
            shown = Line(version=1, at=now, step="escalated", by=None, detail=why)
        else:
            self._offers += 1
            self._last_offer[offer.user] = self._offers
            desk.held[offer.user] = desk.held.get(offer.user, 0) + 1
            shown = Line(version=1, at=now, step="offered", by=None, detail=told_of(alert))
        store.add_first_alert_lines(connection, alert.id, (raised, shown))
        state_alert(connection, alert, source=SOURCE, now=now)
        return alert.id

    def _join(self, connection: Connection, alert: Alert, firing: Firing, now: datetime) -> None:
        after = join(alert, firing, now=now, limits=self._limits)
        store.update_alert(connection, after)
        told = {**told_of(after), "fact": firing.fact, "seen_at": firing.started_at.isoformat()}
        line = Line(version=after.version, at=now, step="joined", by=None, detail=told)
        store.add_alert_line(connection, alert.id, line)
        incident = None if alert.incident is None else store.find_incident(connection, alert.incident)
        if incident is not None:
            grown = rules.grown(incident, after)
            store.update_incident(connection, grown)
            told = {"alert": alert.id, "count": after.count, "seen_at": firing.started_at.isoformat()}
            line = Line(version=grown.version, at=now, step="joined", by=None, detail=told)
            store.add_incident_line(connection, grown.id, line)
            state_incident(connection, grown, source=SOURCE, now=now)
        state_alert(connection, after, source=SOURCE, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """What a page of facts needs to know of the people on duty and of the registry, read once."""

    on_duty: list[OnDuty]
    held: dict[str, int]
    places: dict[str, LonLat | None]

    def place_of(self, connection: Connection, camera: str) -> LonLat | None:
        """Where a camera stands, a retired one too; None for one that the registry does not know."""
        if camera not in self.places:
            found = find_camera(connection, CameraId(camera))
            self.places[camera] = found.position if found else None
        return self.places[camera]


def firing_of(stated: Stated, fact: RuleFired, *, position: LonLat) -> Firing:
    """A fact as the queue needs it."""
    return Firing(
        fact=stated.id,
        camera=fact.camera,
        position=position,
        rule=fact.rule,
        kind=fact.kind,
        title=fact.title,
        title_ur=fact.title_ur,
        subject=fact.subject,
        object_class=fact.object_class,
        priority=fact.priority,
        started_at=fact.started_at,
        clip_from=fact.clip_from,
        clip_to=fact.clip_to,
        picture_at=fact.picture_at,
        box=fact.box,
    )


def _cursor_of(item: Stated | DataLoss) -> int:
    return item.cursor if isinstance(item, Stated) else int(str(item.facts["cursor"]))


def _aside(connection: Connection, cursor: int, *, reason: str, now: datetime) -> Taken:
    set_aside(connection, cursor=cursor, reader=store.READER, reason=reason, now=now)
    return Taken(set_aside=1)

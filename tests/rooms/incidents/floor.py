"""A control room at work: facts that fire, people who step, the keeper's two chores, and what must hold throughout."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count, groupby

import sqlalchemy as sa

from safecity.events import Stated, read_facts, state_fact
from safecity.events.analytics import RuleFired
from safecity.events.incidents import AlertChanged, IncidentChanged
from safecity.incidents.clocks import Clocks
from safecity.incidents.intake import Intake
from safecity.incidents.model import Alert, HandStep
from safecity.incidents.service import AlertStep
from safecity.incidents.tables import alert_facts, alert_steps, alerts, incidents
from safecity.oversight.model import Actor
from safecity.oversight.service import Oversight
from safecity.platform.settings import IncidentsSettings
from tests.response import Centre


@dataclass
class Folded:
    """What a page keeps: the state it fetched, and every fact put in its place since."""

    cursor: int = 0
    alerts: dict[str, AlertChanged] = field(default_factory=dict)
    incidents: dict[str, IncidentChanged] = field(default_factory=dict)


class Floor(Centre):
    """A centre with the queue's clocks and helping hands."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.clocks = Clocks(self.database, IncidentsSettings(), clock=self.clock)
        self.cams = [str(camera.id) for camera in self.cameras()]
        self.numbers = count()

    def restart_keeper(self) -> None:
        """A keeper that knows nothing but what stands in the database."""
        oversight = Oversight(self.database, self.oversight._settings, self.clock)
        self.intake = Intake(self.database, IncidentsSettings(), oversight=oversight, clock=self.clock)
        self.clocks = Clocks(self.database, IncidentsSettings(), clock=self.clock)

    def fire(self, camera: str = "", *, at: datetime | None = None, fact: str = "", **other: object) -> str:
        """State that a rule fired; the id of the fact is returned."""
        at = at or self.clock.now()
        said = {
            "camera": camera or self.cams[0],
            "rule": "no-stopping",
            "kind": "stopped_vehicle",
            "title": "Vehicle stopped",
            "title_ur": "گاڑی رکی ہے",
            "subject": "lane/car",
            "object_class": "car",
            "priority": 2,
            "started_at": at,
            "clip_from": at - timedelta(seconds=5),
            "clip_to": at + timedelta(seconds=10),
            "picture_at": at,
            "box": (0.1, 0.2, 0.3, 0.4),
            "confidence": 0.9,
            "model": "motion",
            **other,
        }
        made = RuleFired.model_validate(said)
        name = fact or f"fact_{next(self.numbers)}"
        with self.database.begin() as connection:
            state_fact(connection, made, id=name, source="analyser-1", time=at, subject=made.camera)
        return name

    def queue(self) -> list[Alert]:
        """The open alerts in order."""
        return self.incidents.list_alerts(self.actor(), limit=200)

    def only(self) -> Alert:
        """The one open alert."""
        (one,) = self.queue()
        return one

    def do(self, actor: Actor, alert: Alert, step: HandStep, **other: object) -> Alert:
        """A step on an alert as that person saw it."""
        reason = other.pop("reason", "nothing_seen" if step == "close" else None)
        asked = AlertStep(step=step, version=alert.version, reason=reason, **other)  # type: ignore[arg-type]
        return self.incidents.step(actor, alert.id, step=asked)

    def words(self, alert: Alert) -> list[str]:
        """The words of an alert's history."""
        return [line.step for line in self.incidents.get_alert(self.actor(), alert.id).lines]

    def fold(self, page: Folded) -> None:
        """Put every fact behind the page's cursor in its place, as the page does."""
        with self.database.read() as connection:
            facts = [one for one in read_facts(connection, after=page.cursor) if isinstance(one, Stated)]
        for one in facts:
            page.cursor = one.cursor
            match one.fact:
                case AlertChanged() as alert:
                    if alert.state in ("confirmed", "closed"):
                        page.alerts.pop(alert.id, None)
                    else:
                        page.alerts[alert.id] = alert
                case IncidentChanged() as incident:
                    if incident.stage == "closed":
                        page.incidents.pop(incident.id, None)
                    else:
                        page.incidents[incident.id] = incident
                case _:
                    pass

    def check(self, page: Folded) -> None:
        """What must hold of the whole room at every instant."""
        self.fold(page)
        with self.database.read() as connection:
            assert page.alerts == self.incidents.open_alerts(connection)
            assert page.incidents == self.incidents.open_incidents(connection)
            rows = connection.execute(sa.select(alerts)).mappings().all()
            owned = Counter(connection.execute(sa.select(alert_facts.c.alert)).scalars())
            opened = Counter(connection.execute(sa.select(alerts.c.incident)).scalars())
            known = set(connection.execute(sa.select(incidents.c.id)).scalars())
            ordered = sa.select(alert_steps).order_by(alert_steps.c.alert, alert_steps.c.number)
            histories = {
                alert: list(lines) for alert, lines in groupby(connection.execute(ordered), key=lambda line: line.alert)
            }
        opened.pop(None, None)
        assert set(opened) <= known
        assert all(times == 1 for times in opened.values())
        for row in rows:
            assert row["count"] == owned[row["id"]]
            if row["state"] in ("unacknowledged", "acknowledged"):
                assert row["owner"] or row["offered_to"] or row["level"] >= 1
            lines = histories[row["id"]]
            # Every version has its line, none is skipped, and the lines alone tell how the alert came to be as it is.
            assert sorted({line.version for line in lines}) == list(range(1, row["version"] + 1))
            told = lines[-1].detail
            due_at = row["due_at"].isoformat() if row["due_at"] else None
            now = (row["state"], row["level"], row["owner"], row["offered_to"], due_at, row["incident"])
            assert now == tuple(told[name] for name in ("state", "level", "owner", "offered_to", "due_at", "incident"))
            assert row["count"] == 1 + sum(line.step == "joined" for line in lines)

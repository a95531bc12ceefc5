"""An edge's link to its centre: every few seconds an exchange, facts as they come, back-fill and live beside them."""

import json
import threading
from pathlib import Path
from typing import cast

import structlog
from sqlalchemy.exc import SQLAlchemyError

from safecity.platform.clock import Clock, SystemClock, from_us, to_iso, to_us
from safecity.platform.database import Database
from safecity.platform.errors import Denied, Invalid, Problem
from safecity.platform.files import write_whole
from safecity.platform.secrets import SecretBox, load_secret_box
from safecity.platform.settings import Settings
from safecity.sites import store as site_store
from safecity.sites import tables as t
from safecity.sites.model import CameraId, Credentials
from safecity.sites.sources import seal_credentials
from safecity.video.edge import outbox
from safecity.video.edge.backfill import LIVE_WAITS_S, Backfill
from safecity.video.edge.centre import Centre, Identity
from safecity.video.edge.model import ClockReading, read_clock
from safecity.video.edge.pusher import Pusher
from safecity.video.edge.signing import load_key
from safecity.video.edge.wire import (
    ExchangeAnswer,
    ExchangeRequest,
    FactsAnswer,
    FactsRequest,
    OutboxStatus,
    Registry,
)
from safecity.video.model import Stream
from safecity.video.supervision import SupervisedThread
from safecity.video.volumes import Volumes

log = structlog.get_logger()

EDGE_KEY = "edge-key"
STATUS_FILE = "edge.json"
FACTS_EVERY_S = 0.5
REFUSED_WAIT_S = 30.0
STOP_WAIT_S = 3.0
MBIT = 1_000_000 / 8


class EdgeLink:
    """Everything that speaks with the centre."""

    def __init__(self, settings: Settings, *, database: Database, run_dir: Path, clock: Clock, box: SecretBox) -> None:
        with database.read() as connection:
            found = outbox.find_link(connection)
            self._readings_last = next(iter(reversed(outbox.list_readings(connection))), None)
        if found is None or settings.edge.centre is None:
            raise Invalid("enrol first: safecity edge --centre URL --token-file FILE", code="edge.not_enrolled")
        data_dir = settings.platform.data_dir.absolute()
        key = load_key(data_dir / "secrets" / EDGE_KEY)
        identity = Identity(edge=found.edge, key=key, centre_key=found.centre_key)
        self._settings = settings.edge
        self._database = database
        self._run_dir = run_dir
        self._clock = clock
        self._box = box
        self._centre = Centre(settings.edge.centre, identity, clock=clock, ca_file=settings.edge.ca_file)
        self._pusher = Pusher(self._centre, run_dir)
        self._backfill = Backfill(
            database,
            self._centre,
            volumes=Volumes.open(data_dir, settings.video),
            clock=clock,
            rate_bytes_s=settings.edge.backfill_mbit * MBIT,
        )
        self._backfill.may_send = lambda: self._waiting == 0 and self._pusher.backlog_s() < LIVE_WAITS_S
        self._waiting = 0
        self._reading: ClockReading | None = None
        self._state = ("connecting", clock.now(), "")

    def run(self, stop: threading.Event) -> None:
        """Speak until told to stop."""
        threads = [
            SupervisedThread("push", lambda: self._pusher.run(stop), stop=stop),
            SupervisedThread("backfill", lambda: self._backfill.run(stop), stop=stop),
        ]
        for thread in threads:
            thread.start()
        exchanged_s = -1e9
        while not stop.is_set():
            wait_s = FACTS_EVERY_S
            try:
                if self._clock.monotonic_s() - exchanged_s >= self._settings.exchange_s:
                    exchanged_s = self._clock.monotonic_s()
                    self.exchange()
                while self.send_facts() and not stop.is_set():
                    continue
            except (Problem, SQLAlchemyError) as error:
                wait_s = self._note_failure(error)
            self._write_status()
            stop.wait(wait_s)
        for thread in threads:
            thread.join(STOP_WAIT_S)
        self._centre.close()

    def exchange(self) -> None:
        """Tell how we are, hear what is wanted."""
        with self._database.read() as connection:
            link = outbox.find_link(connection)
            assert link is not None
            self._waiting = outbox.count_waiting(connection, after=link.acknowledged)
        sent_us, sent_s = to_us(self._clock.now()), self._clock.monotonic_s()
        reading = self._reading
        said = ExchangeRequest(
            sent_us=max(0, sent_us),
            offset_us=None if reading is None else reading.offset_us,
            error_us=None if reading is None else reading.error_us,
            registry=link.registry,
            outbox=OutboxStatus(epoch=link.epoch, depth=self._waiting),
            backfill=self._backfill.status(),
            live=self._pusher.status(),
        )
        answer = self._centre.call("POST", "/intake/exchange", body=said, answer=ExchangeAnswer)
        took_us = round((self._clock.monotonic_s() - sent_s) * 1e6)
        self._note_clock(answer, sent_us=sent_us, received_us=sent_us + took_us)
        if answer.registry is not None:
            self._apply(answer.registry, answer.digest)
        self._pusher.set_streams([(CameraId(one.camera), Stream(one.stream)) for one in answer.push])
        self._backfill.set_wants(answer.wants)
        if self._state[0] != "connected":
            log.info("video.centre_reached", waiting=self._waiting, wants=len(answer.wants))
            self._state = ("connected", self._clock.now(), "")

    def _note_clock(self, answer: ExchangeAnswer, *, sent_us: int, received_us: int) -> None:
        at = from_us((sent_us + received_us) // 2)
        reading = read_clock(sent_us=sent_us, centre_us=answer.now_us, received_us=received_us, at=at)
        self._reading = reading
        with self._database.begin() as connection:
            if outbox.note_clock(connection, reading, last=self._readings_last):
                self._readings_last = reading

    def _apply(self, registry: Registry, digest: str) -> None:
        """The centre's registry of our site becomes ours; cameras that are gone from it go out of use."""
        now = self._clock.now()
        cameras: list[dict[str, object]] = []
        for one in registry.cameras:
            fields: dict[str, object] = {name: value for name, value in one.items() if name != "sign_in"}
            sign_in = cast("dict[str, str | None]", one["sign_in"])
            credentials = Credentials(
                user=sign_in["user"] or "",
                password=sign_in["password"] or "",
                main_url=sign_in["main_url"],
                sub_url=sign_in["sub_url"],
            )
            sealed = seal_credentials(credentials, camera=CameraId(str(one["id"])), box=self._box)
            cameras.append(fields | {"site_id": registry.site["id"], "gate_id": None, "credentials": sealed})
        with self._database.begin() as connection:
            site_store.put(connection, t.sites, rows=[{**registry.site, "district_id": None}], now=now)
            site_store.put(connection, t.cameras, rows=cameras, now=now)
            names = {str(one["id"]) for one in cameras}
            gone = [one for one in site_store.list_active_ids(connection, t.cameras) if one not in names]
            site_store.retire(connection, t.cameras, ids=gone, now=now)
            outbox.note_registry(connection, digest)
        log.info("video.edge_registry_applied", cameras=len(cameras), retired=len(gone))

    def send_facts(self) -> bool:
        """Send the next batch; True where more may wait. What the centre has not committed stays."""
        with self._database.read() as connection:
            link = outbox.find_link(connection)
            assert link is not None
            batch = outbox.read_batch(connection, after=link.acknowledged)
        self._waiting = len(batch)
        if not batch:
            return False
        said = FactsRequest(epoch=link.epoch, facts=batch)
        answer = self._centre.call("POST", "/intake/facts", body=said, answer=FactsAnswer)
        with self._database.begin() as connection:
            outbox.acknowledge(connection, min(answer.acknowledged, batch[-1].sequence))
        self._waiting = 0
        return True

    def _note_failure(self, error: Exception) -> float:
        """Say it once; how long to wait."""
        reason = error.code if isinstance(error, Problem) else type(error).__name__
        state = "refused" if isinstance(error, Denied) else "disconnected"
        if (self._state[0], self._state[2]) != (state, reason):
            log.warning("video.centre_lost", reason=reason)
            self._state = (state, self._clock.now(), reason)
        return REFUSED_WAIT_S if isinstance(error, Denied) else FACTS_EVERY_S

    def _write_status(self) -> None:
        state, since, reason = self._state
        said = {
            "state": state,
            "since": to_iso(since),
            "reason": reason,
            "outbox": self._waiting,
            "backfill": self._backfill.status().model_dump(),
            "live": self._pusher.status().model_dump(),
        }
        write_whole(self._run_dir / STATUS_FILE, json.dumps(said).encode(), mode=0o600)


def run_link(settings: Settings, stop: threading.Event, *, run_dir: Path) -> None:
    """The edge role's body."""
    clock = SystemClock()
    database = Database(settings.database_url())
    box = load_secret_box(settings.platform.data_dir.absolute())
    link = EdgeLink(settings, database=database, run_dir=run_dir, clock=clock, box=box)
    try:
        link.run(stop)
    finally:
        database.close()

"""The keeper: facts into alerts, their clocks, silent recorders, retention, unknown recordings, exports, backups.

The queue has a thread of its own: deleting a day of recordings must not keep an alert from being escalated.
"""

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from safecity.app.backups import BackupKeeper
from safecity.app.chores import Chore
from safecity.app.role import run_role
from safecity.incidents.clocks import Clocks
from safecity.incidents.intake import Intake
from safecity.oversight.service import Oversight
from safecity.platform.clock import Clock, SystemClock
from safecity.platform.database import Database
from safecity.platform.errors import Internal
from safecity.platform.settings import Settings
from safecity.sites.cabinets.mqtt import MqttListener
from safecity.sites.cabinets.service import Cabinets
from safecity.sites.links.watch import LinkWatch
from safecity.sites.states import expire_camera_states
from safecity.video.export import ClipExports
from safecity.video.ledger_days import DayCloser
from safecity.video.reindex import Reindexer
from safecity.video.retention import GB, AgeTrust, Keeper
from safecity.video.scrub import Scrubber
from safecity.video.volume_watch import VolumeWatch
from safecity.video.volumes import Volumes, prepare_volumes

TURN_S = 0.5
INTAKE_EVERY_S = 0.5
CLOCKS_EVERY_S = 1.0
STATES_EVERY_S = 1.0
RETENTION_EVERY_S = 10.0
VOLUMES_EVERY_S = 3.0
REINDEX_EVERY_S = 5.0
EXPORTS_EVERY_S = 600.0
BACKUP_LOOK_S = 60.0
SCRUB_EVERY_S = 5.0
LEDGER_EVERY_S = 60.0
END_WAIT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Around:
    """What the chores stand on."""

    settings: Settings
    database: Database
    volumes: Volumes
    clock: Clock
    slot: str
    data_dir: Path
    oversight: Oversight


def run(settings: Settings, stop: threading.Event, *, slot: str, run_dir: Path) -> None:
    """Do each chore in its rhythm until told to stop; what fails is tried again, and said once."""
    clock = SystemClock()
    database = Database(settings.database_url())
    data_dir = settings.platform.data_dir.absolute()
    prepare_volumes(data_dir, settings.video)
    around = _Around(
        settings=settings,
        database=database,
        volumes=Volumes.open(data_dir, settings.video),
        clock=clock,
        slot=slot,
        data_dir=data_dir,
        oversight=Oversight(database, settings.oversight, clock),
    )
    store = threading.Thread(target=_do, args=(_store_chores(around), stop, clock), name="store", daemon=True)
    slow = threading.Thread(target=_do, args=(_slow_chores(around), stop, clock), name="slow", daemon=True)
    # A backup of a city takes minutes: nobody waits for it, and the end of this process cuts it off.
    copies = BackupKeeper(database=database, settings=settings, clock=clock, run_dir=run_dir)
    chores = (Chore("backup", copies.run_once, every_s=BACKUP_LOOK_S),)
    backup = threading.Thread(target=_do, args=(chores, stop, clock), name="backup", daemon=True)
    for thread in (store, slow, backup):
        thread.start()
    _hear_cabinets(around, stop)
    _do(_queue_chores(around), stop, clock, (store, slow, backup))
    for thread in (store, slow):
        thread.join(END_WAIT_S)
    database.close()


def _hear_cabinets(around: _Around, stop: threading.Event) -> None:
    """Listen to the broker of the cabinets, where there is one; the queue does not depend on it."""
    if around.settings.cabinets.broker is None:
        return
    cabinets = Cabinets(around.database, clock=around.clock, source=around.slot)
    listener = MqttListener(cabinets, around.settings.cabinets, secrets_dir=around.data_dir / "secrets")
    threading.Thread(target=listener.run, args=(stop,), name="cabinets", daemon=True).start()


def _queue_chores(around: _Around) -> tuple[Chore, ...]:
    """What people wait for."""
    settings, clock = around.settings.incidents, around.clock
    intake = Intake(around.database, settings, oversight=around.oversight, clock=clock)
    clocks = Clocks(around.database, settings, clock=clock)
    return (
        Chore("intake", intake.run_once, every_s=INTAKE_EVERY_S),
        Chore("clocks", clocks.run_once, every_s=CLOCKS_EVERY_S),
    )


def _store_chores(around: _Around) -> tuple[Chore, ...]:
    """What the disks wait for."""
    database, clock, video = around.database, around.clock, around.settings.video
    retention = Keeper(database, video, volumes=around.volumes, source=around.slot)
    trust = AgeTrust(clock.now(), monotonic_s=clock.monotonic_s())
    watch = VolumeWatch(database, around.volumes, reserve_bytes=int(video.reserve_gb * GB))
    reindexer = Reindexer(database, volumes=around.volumes, source=around.slot)
    exports = ClipExports(database, oversight=around.oversight, clock=clock, data_dir=around.data_dir, settings=video)

    def expire_states() -> None:
        with database.begin() as connection:
            expire_camera_states(connection, now=clock.now())

    def delete() -> None:
        now = clock.now()
        retention.run_once(now, by_age=trust.allows(now, monotonic_s=clock.monotonic_s()))

    return (
        Chore("states", expire_states, every_s=STATES_EVERY_S),
        Chore("volumes", lambda: watch.run_once(clock.now()), every_s=VOLUMES_EVERY_S),
        Chore("retention", delete, every_s=RETENTION_EVERY_S),
        Chore("reindex", lambda: reindexer.run_once(clock.now()), every_s=REINDEX_EVERY_S),
        Chore("exports", exports.delete_expired, every_s=EXPORTS_EVERY_S),
    )


def _slow_chores(around: _Around) -> tuple[Chore, ...]:
    """What may take seconds or minutes, such as echoes over slow links; nothing else waits for it."""
    settings = around.settings.links
    links = LinkWatch(around.database, settings, clock=around.clock, source=around.slot)
    scrubber = Scrubber(around.database, around.volumes, settings=around.settings.video, clock=around.clock)
    closer = DayCloser(around.database, zone=ZoneInfo(around.settings.sites.time_zone), clock=around.clock)
    return (
        Chore("links", links.run_once, every_s=settings.check_every_s),
        Chore("scrub", scrubber.run_once, every_s=SCRUB_EVERY_S),
        Chore("ledger", closer.run_once, every_s=LEDGER_EVERY_S),
    )


def _do(chores: Sequence[Chore], stop: threading.Event, clock: Clock, beside: Sequence[threading.Thread] = ()) -> None:
    """Do chores in their rhythm; raises Internal when a thread beside has died, so that the process begins anew."""
    while not stop.wait(TURN_S):
        for chore in chores:
            chore.run_if_due(clock.monotonic_s())
        if not stop.is_set() and not all(thread.is_alive() for thread in beside):
            raise Internal("a thread of the keeper has ended; its error is above", code="app.keeper_thread")


if __name__ == "__main__":
    sys.exit(run_role("keeper", run))

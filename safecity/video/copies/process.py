"""The copier: one thread a place, so that one which is slow or away holds up no other, and nobody else at all."""

import random
import threading
from collections.abc import Callable, Sequence

import structlog

from safecity.platform.clock import SystemClock
from safecity.platform.database import Database
from safecity.platform.errors import Problem
from safecity.platform.settings import Settings
from safecity.video.copies.copier import Copier, Surroundings
from safecity.video.copies.drill import DrillMaster
from safecity.video.copies.mending import Mender
from safecity.video.copies.model import list_targets
from safecity.video.copies.place import open_place
from safecity.video.volumes import Volumes

log = structlog.get_logger()

IDLE_S = 1.0
AGAIN_S = 5.0
LOOKS_EVERY_S = 1.0
DRILLS_LOOK_EVERY_S = 30.0


def run_copier(settings: Settings, stop: threading.Event, *, slot: str) -> None:
    """Keep every place supplied until told to stop. A thread that ends on its own ends the process, to begin anew."""
    data_dir = settings.platform.data_dir.absolute()
    database = Database(settings.database_url())
    around = Surroundings(
        database=database,
        volumes=Volumes.open(data_dir, settings.video),
        clock=SystemClock(),
        stop=stop,
        source=slot,
    )
    targets = list_targets(settings.video)
    copiers = [Copier(one, lambda one=one: open_place(one, data_dir=data_dir), around=around) for one in targets]
    mender = Mender(database, settings.video, volumes=around.volumes, data_dir=data_dir, clock=around.clock)
    master = DrillMaster(database, mender, clock=around.clock, chance=random.SystemRandom())
    names = [one.target.name for one in copiers]
    drills = _start("drills", lambda: keep_drilling(master, names, stop=stop, count=settings.video.drill_copies))
    threads = [drills, *(_start(one.target.name, lambda one=one: supply(one, stop)) for one in copiers)]
    while not stop.wait(LOOKS_EVERY_S):
        if not all(one.is_alive() for one in threads):
            log.error("video.copier_thread_ended")
            stop.set()
    for one in threads:
        one.join()
    database.close()


def supply(copier: Copier, stop: threading.Event) -> None:
    """Turn after turn; a database that is away is waited for."""
    is_failing = False
    while not stop.is_set():
        try:
            is_busy = copier.turn()
            is_failing = False
        except Problem as problem:
            if not is_failing:
                log.warning("video.copier_waits", target=copier.target.name, code=problem.code)
            is_failing, is_busy = True, False
        if not is_busy:
            stop.wait(AGAIN_S if is_failing else IDLE_S)
    copier.close()


def keep_drilling(master: DrillMaster, names: Sequence[str], *, stop: threading.Event, count: int) -> None:
    """Each place once a day, whatever the copying does beside it."""
    while not stop.wait(DRILLS_LOOK_EVERY_S):
        for name in names:
            try:
                if master.is_due(name, SystemClock().now()):
                    done = master.drill(name, count=count, is_standing=True)
                    log.info("video.drill_done", target=name, tried=done.tried, good=done.good, bad=done.bad)
            except Problem as problem:
                log.warning("video.drill_waits", target=name, code=problem.code)


def _start(name: str, body: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=body, name=f"copier-{name}", daemon=True)
    thread.start()
    return thread

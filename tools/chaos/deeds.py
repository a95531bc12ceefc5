"""What is done to the city, one thing after the other, and what was done when: the injected truth that every hole in
the recordings is held against."""

import random
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from safecity.platform.database import Database
from safecity.platform.errors import Problem
from safecity.sites.model import CameraId
from safecity.video.store import list_recorder_statuses
from safecity.virtual.faults import FaultKind
from tools.chaos.cameras import Cameras
from tools.chaos.centre import Centre, camera_id, cameras_held_by
from tools.chaos.disk import Disk

FAULTS: tuple[tuple[FaultKind, str | None], ...] = (
    (FaultKind.STALL, None),
    (FaultKind.DROP, None),
    (FaultKind.GARBAGE, None),
    (FaultKind.GARBAGE, "framing"),
    (FaultKind.WRONG_PASSWORD, None),
    (FaultKind.RESOLUTION, None),
    (FaultKind.CODEC, None),
    (FaultKind.CLOCK_JUMP, "120"),
    (FaultKind.CLOCK_JUMP, "-45:rtp"),
    (FaultKind.CLOCK_JUMP, "90:rtp"),
    (FaultKind.CLOCK_DRIFT, "400"),
    (FaultKind.BLACK, None),
    (FaultKind.FROZEN, None),
    (FaultKind.COVERED, None),
)
BACK_WITHIN_S = 120.0
"""For how long a killed process is waited for; a busy machine is slow to start one."""


@dataclass(slots=True, kw_only=True)
class Deed:
    """One thing that was done; `cameras` is whom it concerned, None for all. `until` is None while it lasts."""

    kind: str
    from_at: datetime
    until: datetime | None
    cameras: frozenset[CameraId] | None
    detail: str = ""
    most_s: float | None = None
    """The longest hole that it can explain; None where it lasts as long as it lasts."""


@dataclass(slots=True, kw_only=True)
class Tormentor:
    """Does things to a centre and its places. Times are this machine's true ones, not the centre's."""

    centre: Centre
    places: Sequence[Cameras]
    disk: Disk
    database: Database
    choice: random.Random
    plan: Mapping[str, tuple[float, float, float, float]]
    """For each kind of deed: first at, period, lasts from, to (seconds)."""
    deeds: list[Deed] = field(default_factory=list)
    clock: list[tuple[datetime, float]] = field(default_factory=list)
    """From when on the centre's clocks were wrong by how much."""
    _turns: dict[str, int] = field(default_factory=dict)
    _errors: list[str] = field(default_factory=list)
    _running: list[threading.Thread] = field(default_factory=list)

    def note(self, kind: str, cameras: frozenset[CameraId] | None, *, for_s: float = 0.0, detail: str = "") -> Deed:
        """Remember a deed that begins now."""
        now = datetime.now(UTC)
        deed = Deed(kind=kind, from_at=now, until=now + timedelta(seconds=for_s), cameras=cameras, detail=detail)
        self.deeds.append(deed)
        return deed

    def do(self, what: str, *, for_s: float) -> None:
        """Do one thing of a kind in the background, so that things overlap as they do in a city."""
        work: dict[str, Callable[[float], None]] = {
            "kill": self._kill, "fault": self._fault, "cut": self._cut,
            "full": self._full, "read-only": self._read_only, "clock": self._clock,
        }  # fmt: skip

        def guarded() -> None:
            try:
                work[what](for_s)
            except Exception as error:  # noqa: BLE001 - told at the end, where it fails the run
                self._errors.append(f"{what}: {type(error).__name__}: {str(error).strip().splitlines()[:1]}")
                print(self._errors[-1], flush=True)

        thread = threading.Thread(target=guarded, name=what, daemon=True)
        self._running = [one for one in self._running if one.is_alive()]
        self._running.append(thread)
        thread.start()

    def settle(self) -> list[str]:
        """Wait until everything that was done is over; what could not be done."""
        for thread in self._running:
            thread.join(120)
        return self._errors

    def _turn(self, name: str, of: int) -> int:
        """Each in its turn, beginning anywhere: so that nothing is left out in a short run."""
        self._turns[name] = self._turns.get(name, self.choice.randrange(of) - 1) + 1
        return self._turns[name] % of

    def _kill(self, _: float) -> None:
        slots = [*self.centre.slots(), *(f"cameras-{one.place.number}" for one in self.places)]
        slot = slots[self._turn("kill", len(slots))]
        if slot.startswith("cameras-"):
            place = next(one for one in self.places if slot == f"cameras-{one.place.number}")
            deed = self.note("kill cameras", _all_of(place), detail=slot)
            place.kill()
            place.start()
            place.wait_ready()
            deed.until = datetime.now(UTC)
            return
        is_recorder = slot.startswith("recorder")
        held = cameras_held_by(self.database, slot) if is_recorder else frozenset[CameraId]()
        before = self.centre.pid_of(slot)
        if not self.centre.signal(slot, signal.SIGKILL):
            return
        deed = self.note(f"kill {slot.rstrip('-0123456789')}", held, detail=slot)
        deed.until = None
        deadline_s = time.monotonic() + BACK_WITHIN_S
        while time.monotonic() < deadline_s and not self._is_back(slot, before, is_recorder=is_recorder):
            time.sleep(0.2)
        deed.until = datetime.now(UTC)

    def _is_back(self, slot: str, before: int | None, *, is_recorder: bool) -> bool:
        """Whether another process has the slot; of a recorder, whether it has reported too."""
        now = self.centre.pid_of(slot)
        if now is None or now == before or not is_recorder:
            return now is not None and now != before
        try:
            with self.database.read() as connection:
                return any(one.slot == slot and one.pid == now for one in list_recorder_statuses(connection))
        except Problem:
            return False

    def _fault(self, for_s: float) -> None:
        kind, value = FAULTS[self._turn("fault", len(FAULTS))]
        place = self.choice.choice(list(self.places))
        mount = self.choice.choice(place.names)
        deed = self.note(f"camera {kind.value}", frozenset({camera_id(place, mount)}), for_s=for_s, detail=value or "")
        if not place.fault(mount, kind, for_s=for_s, value=value):
            self.deeds.remove(deed)
            return
        deed.until = datetime.now(UTC) + timedelta(seconds=for_s)

    def _cut(self, for_s: float) -> None:
        place = self.places[self._turn("cut", len(self.places))]
        deed = self.note("link cut", _all_of(place), for_s=for_s, detail=place.place.name)
        place.place.cut()
        time.sleep(for_s)
        place.place.mend()
        deed.until = datetime.now(UTC)

    def _full(self, for_s: float) -> None:
        deed = self.note("disk full", None, for_s=for_s)
        ends_s = time.monotonic() + for_s
        while time.monotonic() < ends_s:
            self.disk.fill()
            time.sleep(0.2)
        self.disk.free()
        deed.until = datetime.now(UTC)

    def _read_only(self, for_s: float) -> None:
        deed = self.note("disk read-only", None, for_s=for_s)
        self.disk.fail()
        time.sleep(for_s)
        self.disk.repair()
        deed.until = datetime.now(UTC)

    def _clock(self, _: float) -> None:
        """Forward and back in turn, so that it ends near the truth."""
        before = self.clock[-1][1] if self.clock else 0.0
        step_s = round(self.choice.uniform(0.8, 6.0), 1)
        after = before + step_s if before <= 0 else before - step_s
        self.note("clock step", None, detail=f"{after - before:+.1f} s").most_s = abs(after - before) + 2.0
        self.clock.append((datetime.now(UTC), after))
        self.centre.set_clock(after)


def _all_of(place: Cameras) -> frozenset[CameraId]:
    return frozenset(camera_id(place, mount) for mount in place.names)

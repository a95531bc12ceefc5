"""Sends the centre the closed segments that it lacks: in parts, at a limited rate, behind live pictures and facts."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from safecity.platform.clock import Clock, from_us
from safecity.platform.database import Database
from safecity.platform.errors import Conflict, Denied, Invalid, Problem
from safecity.sites.model import CameraId
from safecity.video.edge.centre import Centre
from safecity.video.edge.model import ClockReading, Shift, TokenBucket, shift_at
from safecity.video.edge.outbox import list_readings
from safecity.video.edge.wire import ArrivalAnswer, ArrivalRequest, BackfillStatus, PartsAnswer, WantView
from safecity.video.model import Segment, SegmentState, Stream
from safecity.video.store import list_segments
from safecity.video.volumes import Volumes

log = structlog.get_logger()

PART_BYTES = 256 * 1024
BURST_BYTES = 512 * 1024
LIVE_WAITS_S = 0.2  # nothing is sent while a live picture has waited so long
PAUSE_S = 0.05
IDLE_S = 0.5
RETRY_S = 2.0
TRIES = 3  # of one file that the centre finds wrong
MAX_DONE = 200_000
RATE_OVER_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    row: Segment
    shift: Shift


@dataclass(slots=True, kw_only=True)
class _Progress:
    left_s: float = 0.0
    left_bytes: int = 0
    sent_bytes: int = 0
    state: str = "idle"
    rates: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])


class Backfill:
    """One thread's work; `set_wants` and `status` may be called by others."""

    def __init__(
        self, database: Database, centre: Centre, *, volumes: Volumes, clock: Clock, rate_bytes_s: float
    ) -> None:
        self.may_send: Callable[[], bool] = lambda: True
        """Whether neither live pictures nor facts wait."""
        self._database = database
        self._centre = centre
        self._volumes = volumes
        self._clock = clock
        self._bucket = TokenBucket(rate_bytes_s, burst_bytes=BURST_BYTES, now_s=clock.monotonic_s())
        self._lock = threading.Lock()
        self._wants: Sequence[WantView] = ()
        self._version = 0
        self._done: set[str] = set()
        self._tries: dict[str, int] = {}
        self._progress = _Progress()

    def set_wants(self, wants: Sequence[WantView]) -> None:
        """What the centre lacks now, in the order in which it is wanted."""
        with self._lock:
            if list(wants) != list(self._wants):
                self._wants = tuple(wants)
                self._version += 1

    def status(self) -> BackfillStatus:
        """How far it is."""
        one = self._progress
        rate = self._rate()
        eta_s = one.left_bytes / rate if one.left_bytes and rate > 0 else None
        fields = {"left_s": round(one.left_s, 1), "left_bytes": one.left_bytes, "sent_bytes": one.sent_bytes}
        return BackfillStatus.model_validate({**fields, "eta_s": eta_s, "state": one.state})

    def _rate(self) -> float:
        """Bytes a second, lately."""
        rates = self._progress.rates
        if len(rates) < 2:
            return 0.0
        return (rates[-1][1] - rates[0][1]) / max(0.001, rates[-1][0] - rates[0][0])

    def run(self, stop: threading.Event) -> None:
        """Send until told to stop."""
        while not stop.is_set():
            try:
                is_idle = not self._send_next(stop)
            except (Problem, SQLAlchemyError, OSError) as error:
                code = error.code if isinstance(error, Problem) else type(error).__name__
                if self._progress.state != "failed":
                    log.warning("video.backfill_failed", reason=code)
                self._progress.state = "failed"
                stop.wait(RETRY_S)
                continue
            if is_idle:
                self._progress.state = "idle"
                stop.wait(IDLE_S)

    def _send_next(self, stop: threading.Event) -> bool:
        """Send what is wanted, until that changes; False where there is nothing to send."""
        with self._lock:
            version = self._version
        jobs = self._plan()
        for number, job in enumerate(jobs):
            self._progress.left_bytes = sum(one.row.size_bytes for one in jobs[number:])
            self._progress.left_s = sum(_length_s(one.row) for one in jobs[number:])
            if stop.is_set() or self._version != version:
                return True
            self._send(job, stop)
        self._progress.left_bytes, self._progress.left_s = 0, 0.0
        return bool(jobs)

    def _plan(self) -> list[_Job]:
        """The closed segments that touch what is wanted and were not sent, in the order of the wants."""
        with self._lock:
            wants = self._wants
        jobs: dict[str, _Job] = {}
        with self._database.read() as connection:
            readings = list_readings(connection) if wants else []
            for want in wants:
                span = _on_our_line(want, readings)
                if span is None:
                    continue
                camera, stream = CameraId(want.camera), Stream(want.stream)
                for row in list_segments(connection, camera, stream, from_at=span[0], to_at=span[1]):
                    shift = shift_at(readings, row.started_at)
                    if row.state is SegmentState.CLOSED and row.root and row.root not in self._done and shift:
                        jobs.setdefault(row.root, _Job(row=row, shift=shift))
        return list(jobs.values())

    def _send(self, job: _Job, stop: threading.Event) -> None:
        """Send one file and have it taken over."""
        root = job.row.root or ""
        target = f"/intake/files/{root}"
        try:
            there = self._centre.call("GET", target, answer=PartsAnswer)
            if not there.is_whole and not self._send_parts(job, target, at=there.has_bytes, stop=stop):
                return
            if not there.is_whole:
                self._take(job, target)
        except FileNotFoundError:
            log.warning("video.backfill_file_gone", path=job.row.path)
        except (Invalid, Denied) as problem:
            tries = self._tries[root] = self._tries.get(root, 0) + 1
            log.warning("video.backfill_refused", path=job.row.path, code=problem.code, tries=tries)
            if tries < TRIES and problem.code != "edge.not_active":
                raise
            if problem.code == "edge.not_active":
                raise
        if len(self._done) >= MAX_DONE:
            self._done.clear()
        self._done.add(root)
        self._tries.pop(root, None)

    def _send_parts(self, job: _Job, target: str, *, at: int, stop: threading.Event) -> bool:
        """The parts behind `at`; False when told to stop on the way."""
        path: Path = self._volumes.path_of(job.row)
        with path.open("rb") as file:
            while at < job.row.size_bytes:
                file.seek(at)
                part = file.read(min(PART_BYTES, job.row.size_bytes - at))
                if not part:
                    raise FileNotFoundError(path)
                if not self._wait_for_turn(len(part), stop):
                    return False
                try:
                    there = self._centre.call("PUT", f"{target}?offset={at}", body=part, answer=PartsAnswer)
                except Conflict as problem:
                    has_bytes = problem.facts.get("has_bytes")
                    at = has_bytes if isinstance(has_bytes, int) else 0
                    continue
                if there.is_whole:
                    return True
                at = max(there.has_bytes, 0)
                self._count(len(part))
        return True

    def _take(self, job: _Job, target: str) -> None:
        said = ArrivalRequest(
            camera=job.row.camera,
            stream=job.row.stream.value,
            size_bytes=job.row.size_bytes,
            shift_us=job.shift.shift_us,
            shift_error_us=job.shift.error_us,
        )
        self._centre.call("POST", target, body=said, answer=ArrivalAnswer)

    def _wait_for_turn(self, size_bytes: int, stop: threading.Event) -> bool:
        """Wait for the rate and for everything that comes first; False when told to stop."""
        if stop.wait(self._bucket.wait_s(size_bytes, now_s=self._clock.monotonic_s())):
            return False
        while not self.may_send():
            self._progress.state = "waits_for_live"
            if stop.wait(PAUSE_S):
                return False
        self._progress.state = "sending"
        return True

    def _count(self, size_bytes: int) -> None:
        now_s = self._clock.monotonic_s()
        one = self._progress
        one.sent_bytes += size_bytes
        one.left_bytes = max(0, one.left_bytes - size_bytes)
        one.rates = [known for known in one.rates if now_s - known[0] < RATE_OVER_S] + [(now_s, one.sent_bytes)]


def _length_s(row: Segment) -> float:
    return (row.durable_until - row.started_at).total_seconds()


def _on_our_line(want: WantView, readings: Sequence[ClockReading]) -> tuple[datetime, datetime] | None:
    """A want of the centre's line on ours, with room for what the shift may be off."""
    guess = shift_at(readings, from_us(want.from_us))
    if guess is None:
        return None
    # The shift is asked for at our instant, which needs the shift: once more from the first guess is near enough.
    first = shift_at(readings, from_us(want.from_us - guess.shift_us)) or guess
    last = shift_at(readings, from_us(want.to_us - guess.shift_us)) or guess
    room = timedelta(seconds=1)
    return from_us(want.from_us - first.shift_us) - room, from_us(want.to_us - last.shift_us) + room

"""The thread of one volume: it empties a mailbox into segment files and knows how well its disk is.

A disk may hang for minutes in one call; only its own thread hangs with it. Whether it does is seen from outside, by the
time since the call began.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from safecity.video.disk_calls import DiskCalls, Usage
from safecity.video.disk_jobs import AppendJob, Job, OpenJob, StreamBook
from safecity.video.model import Segment, StreamKey
from safecity.video.segment_files import FileOutlets, SegmentFiles, detail_of
from safecity.video.volume_health import STATES_BY_DETAIL, VolumeState, room_state
from safecity.video.volumes import Volume

log = structlog.get_logger()

CHECK_EVERY_S = 1.0
SLOW_AFTER_S = 2.5  # one call has not come back
GATHER_S = 0.2  # what comes so soon after a fragment is written with it: one waking and one fight for the interpreter
LATE_AFTER_S = 6.0  # the calls come back, but what is handed over waits for so long
WELL_AFTER_S = 10.0  # a volume that failed or was slow is begun on again after so long without trouble
QUICK_PROBE_S = 0.5
NOT_THE_DISK = frozenset({"name_taken"})


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterRules:
    """How a volume is written."""

    reserve_bytes: int = 0
    sync_every_s: float = GATHER_S  # fragments are gathered for so long, written and made durable together


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterOutlets:
    """Where a volume's thread tells."""

    book: StreamBook
    put_row: Callable[[Segment], None]
    note_closed: Callable[[StreamKey, int], None]
    note_done: Callable[[AppendJob, Volume], None]
    has_another: Callable[[Volume], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    job: Job
    generation: int
    since_s: float


class VolumeWriter:
    """Writes to one volume."""

    def __init__(self, volume: Volume, *, calls: DiskCalls, outlets: WriterOutlets, rules: WriterRules) -> None:
        self.volume = volume
        self.usage = Usage(free_bytes=0, total_bytes=0, is_read_only=False)
        self._calls = calls
        self._out = outlets
        self._rules = rules
        self._condition = threading.Condition()
        self._jobs: deque[_Waiting] = deque()
        self._stop = threading.Event()
        self._state = VolumeState.OK
        self._trouble: VolumeState | None = None
        self._trouble_s = 0.0
        self._began_s: float | None = None  # the call that runs
        self._taken_s: float | None = None  # when the oldest job in hand was handed over
        self._checked_s = float("-inf")
        self._files = SegmentFiles(
            volume,
            calls=calls,
            outlets=FileOutlets(
                book=outlets.book,
                put_row=outlets.put_row,
                note_closed=outlets.note_closed,
                note_error=self._note_error,
                note_beat=self._beat,
            ),
        )
        self._thread = threading.Thread(target=self._run, name=f"disk {volume.directory.name}", daemon=True)

    @property
    def state(self) -> VolumeState:
        """How well it is, as last seen."""
        return self._state

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def put(self, job: Job, generation: int) -> None:
        """Hand over a job."""
        with self._condition:
            self._jobs.append(_Waiting(job=job, generation=generation, since_s=time.monotonic()))
            self._condition.notify()

    def is_stuck(self, now_s: float) -> bool:
        """Whether a call does not come back, or the jobs wait too long."""
        began_s, taken_s = self._began_s, self._taken_s
        is_hung = began_s is not None and now_s - began_s > SLOW_AFTER_S
        return is_hung or (taken_s is not None and now_s - taken_s > LATE_AFTER_S)

    def give_up(self) -> list[StreamKey]:
        """Send every stream elsewhere, with what waits dropped; the caller holds the book's lock."""
        with self._condition:
            dropped, self._jobs = list(self._jobs), deque()
        for one in dropped:
            if isinstance(one.job, AppendJob):
                self._out.note_done(one.job, self.volume)
        return self._files.give_up("disk_slow")

    def note_slow(self) -> None:
        """It was seen from outside not to answer."""
        self._set_trouble(VolumeState.SLOW)

    def stop(self) -> None:
        """Write what waits, close every segment, end."""
        with self._condition:
            self._stop.set()
            self._condition.notify()

    def join(self, wait_s: float) -> bool:
        """Wait for the end; False when the disk did not make it in time."""
        self._thread.join(wait_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            jobs = self._take()
            if not jobs and self._stop.is_set():
                break
            self._work(jobs)
            if time.monotonic() - self._checked_s >= CHECK_EVERY_S:
                self._check()
            self._rest()
        self._files.close_all()
        self._began_s = None

    def _take(self) -> list[_Waiting]:
        with self._condition:
            if not self._jobs and not self._stop.is_set():
                self._condition.wait(CHECK_EVERY_S)
        self._stop.wait(self._rules.sync_every_s)
        with self._condition:
            jobs, self._jobs = list(self._jobs), deque()
            self._taken_s = jobs[0].since_s if jobs else None
        return jobs

    def _work(self, jobs: list[_Waiting]) -> None:
        for one in jobs:
            job = one.job
            if one.generation == self._out.book.generation_of(job.key):
                if isinstance(job, AppendJob):
                    self._files.append(job, one.generation)
                elif isinstance(job, OpenJob):
                    self._files.open(job, one.generation)
                else:
                    self._files.close(job.key)
            if isinstance(job, AppendJob):
                self._out.note_done(job, self.volume)
        self._files.settle()

    def _rest(self) -> None:
        """Between two rounds: no call runs, and what was given up meanwhile is ended."""
        self._files.cut_given_up()
        self._began_s = self._taken_s = None

    def _beat(self) -> None:
        self._began_s = time.monotonic()

    def _check(self) -> None:
        """See whether the volume is there and has room, and whether one that failed is well again."""
        self._beat()
        began_s = time.monotonic()
        try:
            if not self._calls.is_there(self.volume):
                self._set_trouble(VolumeState.GONE)
                self._files.fail_all("disk_gone")
                return
            self.usage = self._calls.usage(self.volume.directory)
            if self.usage.is_read_only:
                self._set_trouble(VolumeState.READ_ONLY)
            if self._trouble is not None:
                self._calls.probe(self.volume.directory)
        except OSError as error:
            self._note_error(detail_of(error))
            return
        finally:
            self._checked_s = time.monotonic()
        if self._checked_s - began_s > QUICK_PROBE_S:
            self._trouble_s = self._checked_s
        room = room_state(
            free_bytes=self.usage.free_bytes,
            total_bytes=self.usage.total_bytes,
            reserve_bytes=self._rules.reserve_bytes,
        )
        self._settle_state(room)

    def _settle_state(self, room: VolumeState) -> None:
        # What the room alone explains ends with it; anything else must have been quiet for a while.
        is_over = self._trouble in {None, VolumeState.GONE, VolumeState.READ_ONLY, VolumeState.FULL}
        if is_over or self._checked_s - self._trouble_s >= WELL_AFTER_S:
            self._trouble = None
            self._set_state(room)

    def _note_error(self, detail: str) -> bool:
        if detail not in NOT_THE_DISK:
            self._set_trouble(STATES_BY_DETAIL.get(detail, VolumeState.FAILING))
        return self._out.has_another(self.volume)

    def _set_trouble(self, state: VolumeState) -> None:
        self._trouble, self._trouble_s = state, time.monotonic()
        self._set_state(state)

    def _set_state(self, state: VolumeState) -> None:
        if state is not self._state:
            log.warning(
                "video.volume_changed", volume=self.volume.id, directory=str(self.volume.directory), state=state.value
            )
        self._state = state

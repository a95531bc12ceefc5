"""Where fragments go: the volumes of a recorder, a thread and a bounded mailbox each, and who writes on which.

Reading never waits for a disk. The mailboxes are bounded in bytes, for each volume and each stream; what does not fit
is refused at once, and the stream's ledger calls the hole `disk`. A stream stays on its volume while that is well. When
the volume fails, is full or does not answer, the stream's segment ends after what is durable, and the next one begins
elsewhere with the pictures that were under way (`segments.py` keeps them), from their first key frame on.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from safecity.video.disk_calls import DiskCalls
from safecity.video.disk_jobs import AppendJob, CloseJob, DiskFailure, Job, OpenJob, StreamBook
from safecity.video.model import Segment, StreamKey
from safecity.video.volume_health import Candidate, VolumeState, choose_volume
from safecity.video.volume_writer import VolumeWriter, WriterOutlets, WriterRules
from safecity.video.volumes import Volume, Volumes

log = structlog.get_logger()

MAX_WAITING_BYTES = 256 * 1024**2  # of all volumes together
MIN_WAITING_VOLUME_BYTES = 64 * 1024**2
MAX_WAITING_STREAM_BYTES = 32 * 1024**2  # 64 s of 4 Mbit/s; a 100 Mbit/s camera gets 2.6 s and harms no other
CLOSE_WAIT_S = 5.0
WATCH_EVERY_S = 0.25
FILLING_COUNTS = 10  # a volume that fills counts as so much smaller


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeReport:
    """How a volume looks to this process."""

    volume: Volume
    state: VolumeState
    free_bytes: int
    total_bytes: int
    waiting_bytes: int
    streams: int


class DiskWriter:
    """Writes the segments of many streams on the volumes that are recorded on."""

    def __init__(
        self,
        volumes: Volumes,
        *,
        put_row: Callable[[Segment], None],
        calls: DiskCalls | None = None,
        rules: Mapping[Volume, WriterRules] | None = None,
    ) -> None:
        self._book = StreamBook()
        self._waiting: dict[StreamKey, int] = {}
        self._places: dict[StreamKey, VolumeWriter] = {}  # where each stream writes
        self._unclosed: dict[StreamKey, int] = {}  # segments handed over and not closed yet
        self._moving: dict[StreamKey, deque[Job]] = {}  # what waits for their close, because it goes elsewhere
        self._waiting_on: dict[Volume, int] = dict.fromkeys(volumes.list_recorded_on(), 0)
        self._refused = 0
        outlets = WriterOutlets(
            book=self._book,
            put_row=put_row,
            note_closed=self._note_closed,
            note_done=self._note_done,
            has_another=self._has_another,
        )
        chosen = rules or {}
        self._writers = tuple(
            VolumeWriter(one, calls=calls or DiskCalls(), outlets=outlets, rules=chosen.get(one, WriterRules()))
            for one in volumes.list_recorded_on()
        )
        self._most_bytes = max(MIN_WAITING_VOLUME_BYTES, MAX_WAITING_BYTES // len(self._writers))
        self._stop = threading.Event()
        self._watch = threading.Thread(target=self._watch_writers, name="disks", daemon=True)

    @property
    def waiting_bytes(self) -> int:
        """Bytes that are not yet on a disk."""
        return sum(self._waiting_on.values())

    @property
    def refused(self) -> int:
        """Fragments that found the mailbox full."""
        return self._refused

    @property
    def is_alive(self) -> bool:
        """Whether all threads run; where one does not, the process must end and be started again."""
        return self._watch.is_alive() and all(one.is_alive for one in self._writers)

    def start(self) -> None:
        """Begin."""
        for one in self._writers:
            one.start()
        self._watch.start()

    def list_reports(self) -> list[VolumeReport]:
        """How the volumes look from here."""
        with self._book.lock:
            return [
                VolumeReport(
                    volume=one.volume,
                    state=one.state,
                    free_bytes=one.usage.free_bytes,
                    total_bytes=one.usage.total_bytes,
                    waiting_bytes=self._waiting_on[one.volume],
                    streams=sum(place is one for place in self._places.values()),
                )
                for one in self._writers
            ]

    def remove_stream(self, key: StreamKey) -> None:
        """The stream is not written here any more."""
        with self._book.lock:
            self._places.pop(key, None)

    def set_previous_root(self, key: StreamKey, root: str | None) -> None:
        """Tell the root of the stream's last segment, before its first one here."""
        if root is not None:
            self._book.set_root(key, root)

    def take_failure(self, key: StreamKey) -> DiskFailure | None:
        """Why the stream's segment ended early, told once."""
        return self._book.take_failure(key)

    def durable_until_us(self, key: StreamKey) -> int | None:
        """Until when the stream is on a disk, as far as this process wrote it."""
        return self._book.durable_until_us(key)

    def submit(self, job: Job) -> bool:
        """Hand over a job without waiting; False when a fragment does not fit, or no volume takes a segment."""
        with self._book.lock:
            if self._book.is_failing(job.key):
                return True  # its writer is about to be told, and hands over again what can be saved
            if isinstance(job, OpenJob) and not self._place(job.key):
                return False
            writer = self._places.get(job.key)
            if writer is None:
                return True
            if isinstance(job, AppendJob) and not self._admit(job, writer):
                self._refused += 1
                return False
            if job.key in self._moving:
                self._moving[job.key].append(job)
            else:
                self._hand_over(job, writer)
        return True

    def stop(self, *, wait_s: float = CLOSE_WAIT_S) -> bool:
        """Write what waits, close every segment; False when a disk did not make it in time."""
        deadline_s = time.monotonic() + wait_s
        for one in self._writers:
            one.stop()
        ended = [one.join(max(0.0, deadline_s - time.monotonic())) for one in self._writers]
        self._stop.set()
        self._watch.join(1.0)
        return all(ended)

    def _place(self, key: StreamKey) -> bool:
        """Choose the volume of a stream's next segment; False where there is none."""
        if key in self._moving:
            return True
        current = self._places.get(key)
        is_any_well = any(one.state.is_usable for one in self._writers)
        candidates = [
            Candidate(
                volume=one.volume,
                # Nowhere else to go: what a slow disk does not take at once waits in its mailbox.
                is_usable=one.state.is_usable or (not is_any_well and one.state is VolumeState.SLOW),
                weight_bytes=one.usage.total_bytes // (1 if one.state is VolumeState.OK else FILLING_COUNTS),
                streams=sum(place is one for other, place in self._places.items() if other != key),
            )
            for one in self._writers
        ]
        chosen = choose_volume(None if current is None else current.volume, candidates)
        if chosen is None:
            return False
        writer = next(one for one in self._writers if one.volume == chosen)
        if current is not None and current is not writer and self._unclosed.get(key, 0):
            # The next segment names the root of this one, so it waits until this one is closed.
            self._hand_over(CloseJob(key=key), current)
            self._moving[key] = deque()
        self._places[key] = writer
        return True

    def _admit(self, job: AppendJob, writer: VolumeWriter) -> bool:
        mine = self._waiting.get(job.key, 0)
        is_over = self._waiting_on[writer.volume] + job.size_bytes > self._most_bytes
        if is_over or mine + job.size_bytes > MAX_WAITING_STREAM_BYTES:
            return False
        self._waiting[job.key] = mine + job.size_bytes
        self._waiting_on[writer.volume] += job.size_bytes
        return True

    def _hand_over(self, job: Job, writer: VolumeWriter) -> None:
        if isinstance(job, OpenJob):
            self._unclosed[job.key] = self._unclosed.get(job.key, 0) + 1
        writer.put(job, self._book.generation_of(job.key))

    def _note_done(self, job: AppendJob, volume: Volume) -> None:
        with self._book.lock:
            left = self._waiting.pop(job.key, 0) - job.size_bytes
            if left > 0:
                self._waiting[job.key] = left
            self._waiting_on[volume] -= job.size_bytes

    def _note_closed(self, key: StreamKey, generation: int) -> None:
        with self._book.lock:
            if generation != self._book.generation_of(key):
                self._drop_moving(key)
                return
            left = self._unclosed.pop(key, 0) - 1
            if left > 0:
                self._unclosed[key] = left
                return
            for job in self._moving.pop(key, ()):
                self._hand_over(job, self._places[key])

    def _drop_moving(self, key: StreamKey) -> None:
        """The segment before failed, and with it what was to follow it; its writer hands over anew."""
        self._unclosed.pop(key, None)
        for job in self._moving.pop(key, ()):
            if isinstance(job, AppendJob):
                self._note_done(job, self._places[key].volume)

    def _has_another(self, volume: Volume) -> bool:
        return any(one.volume != volume and one.state.is_usable for one in self._writers)

    def _watch_writers(self) -> None:
        """See from outside which disk does not answer, and send its streams elsewhere."""
        while not self._stop.wait(WATCH_EVERY_S):
            now_s = time.monotonic()
            for writer in self._writers:
                if writer.is_stuck(now_s):
                    writer.note_slow()
                    if self._has_another(writer.volume):
                        self._give_up(writer)

    def _give_up(self, writer: VolumeWriter) -> None:
        with self._book.lock:
            told = set(writer.give_up())
            for key in [key for key, place in self._places.items() if place is writer]:
                if key not in told and not self._book.is_failing(key):
                    failure = DiskFailure(detail="disk_slow", started_us=None, durable_until_us=None, goes_on=True)
                    self._book.fail(key, failure, generation=self._book.generation_of(key))
                told.add(key)
            for key in told:
                self._drop_moving(key)
                if self._places[key] is writer:
                    del self._places[key]
            if told:
                log.error("video.volume_given_up", volume=writer.volume.id, streams=len(told))

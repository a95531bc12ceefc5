"""A recorder: one process for about a hundred cameras. One loop reads them; what it does not speak has a thread each.

Three clocks tick in it: the loop and the threads (as pictures come), the minder (each second: clock, stalls), the
registry (every few seconds: leases and cameras, which may wait for the database without anybody else waiting).
"""

import atexit
import gc
import os
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from safecity.events.video import ClockStepped
from safecity.platform.clock import Clock, SystemClock, from_us
from safecity.platform.database import Database
from safecity.platform.errors import Internal, Problem
from safecity.platform.ids import fact_id
from safecity.platform.secrets import load_secret_box
from safecity.platform.settings import Settings, VideoSettings
from safecity.sites.model import CameraId
from safecity.video import store
from safecity.video.claims import Claimed, Claims
from safecity.video.disk import DiskWriter
from safecity.video.edge.reader import EdgeReader
from safecity.video.edge.sources import is_pushed
from safecity.video.handover import Handover, StreamPast, prepare_stream
from safecity.video.index import IndexMailbox, IndexWriter, Statement
from safecity.video.ingest_loop import IngestLoop, can_read
from safecity.video.ledger import OutageLedger
from safecity.video.model import Cause, LinkState, Stream, StreamKey, StreamSource
from safecity.video.packets import PacketHub
from safecity.video.pyav_reader import PyAvReader
from safecity.video.reader import Numbering, Reader
from safecity.video.recorder import StreamRecorder, Surroundings
from safecity.video.reports import ReportRhythm, camera_reports, note_reports
from safecity.video.segments import Outlets, SegmentRules, SegmentWriter
from safecity.video.supervision import SupervisedThread
from safecity.video.timeline import ServerLine
from safecity.video.volume_rhythm import writer_rules
from safecity.video.volumes import Volumes, prepare_volumes

log = structlog.get_logger()

TICK_S = 1.0
FULL_RECORDER_STREAMS = 200  # 100 cameras, main and sub
CLAIM_EVERY_S = 4.0
STOP_WAIT_S = 2.0
STREAMS_WAIT_S = 1.5  # a live camera's thread ends with its next handful of pictures
INDEX_WAIT_S = 4.0
GC_THRESHOLD = (20_000, 20, 20)
STACK_BYTES = 1024**2  # FFmpeg needs little; 200 threads should not reserve 8 MB each


@dataclass(slots=True, kw_only=True)
class _Running:
    recorder: StreamRecorder
    thread: SupervisedThread | None  # None: the loop reads it


class RecorderProcess:
    """Everything that runs in a recorder."""

    def __init__(
        self,
        settings: VideoSettings,
        *,
        database: Database,
        claims: Claims,
        volumes: Volumes,
        hub: PacketHub,
        clock: Clock,
    ) -> None:
        self.mailbox = IndexMailbox()
        self.disk = DiskWriter(volumes, put_row=self.mailbox.put_segment, rules=writer_rules(volumes, settings))
        self._settings = settings
        self._slot = claims.slot
        self._database = database
        self._claims = claims
        self._volumes = volumes
        self._hub = hub
        self._clock = clock
        self._line = ServerLine(clock.now(), clock.monotonic_s())
        self._started_at = self._now()
        self._stop = threading.Event()
        self._stop_claims = threading.Event()
        self._lock = threading.Lock()
        self._running: dict[StreamKey, _Running] = {}
        self._sources: dict[StreamKey, StreamSource] = {}
        self._unreadable: frozenset[CameraId] = frozenset()
        self._tag = secrets.token_hex(4)
        self._crashes = 0
        self._reports = ReportRhythm()
        self._index = IndexWriter(database, self.mailbox, source=self._slot, also=self._write_status)
        self._hub_thread = SupervisedThread("packets", hub.run, stop=self._stop)
        self._loop = IngestLoop(clock=clock, line=self._line, is_watched=hub.is_watched)
        self._loop_thread = SupervisedThread("ingest", self._loop.run, stop=self._stop)
        self._index_thread = SupervisedThread("index", lambda: self._index.run(self._stop), stop=self._stop)
        self._claim_thread = SupervisedThread("claims", self._follow_registry, stop=self._stop_claims)
        self._around = Surroundings(
            clock=clock,
            line=self._line,
            hub=hub,
            open_reader=self._open_reader,
            stall_after_s=settings.stall_after_s,
        )

    def _now(self) -> datetime:
        return from_us(self._line.instant_us(self._clock.monotonic_s()))

    def _open_reader(self, source: StreamSource, numbering: Numbering) -> Reader:
        key = (source.camera, source.stream)
        if is_pushed(source):
            folder = self._hub.path.parent
            return EdgeReader(source, numbering, folder=folder, clock=self._clock, line=self._line)
        return PyAvReader(
            source, numbering, clock=self._clock, line=self._line, is_watched=lambda: self._hub.is_watched(key)
        )

    def run(self, stop: threading.Event) -> None:
        """Record until told to stop. Raises Internal when the disk's thread died: only a new process helps."""
        self.disk.start()
        for thread in (self._hub_thread, self._index_thread, self._loop_thread, self._claim_thread):
            thread.start()
        try:
            while not stop.wait(TICK_S):
                self._tick()
                if not self.disk.is_alive:
                    raise Internal("the thread that writes recordings died; see the log", code="video.disk_thread")
        finally:
            self._end()

    def _tick(self) -> None:
        step_us = self._line.discipline(self._clock.now(), self._clock.monotonic_s())
        with self._lock:
            streams = [one.recorder for one in self._running.values()]
        if step_us:
            now = self._now()
            log.warning("video.clock_stepped", by_us=step_us)
            fact = ClockStepped(recorder=self._slot, at=now, by_us=step_us)
            name = fact_id(ClockStepped.type, self._slot, self._tag, round(self._clock.monotonic_s() * 1e6))
            self.mailbox.put_fact(Statement(fact=fact, id=name, time=now, subject=self._slot))
        for stream in streams:
            if step_us or stream.awaits_cut:
                stream.note_server_step()
            stream.tick()

    def _follow_registry(self) -> None:
        while not self._stop_claims.is_set():
            try:
                claimed = self._claims.renew(now=self._clock.now())
            except (Problem, SQLAlchemyError) as error:
                # What is recorded goes on; nobody else can claim it either while the database is away.
                reason = error.code if isinstance(error, Problem) else type(error).__name__
                log.warning("video.claims_delayed", reason=reason)
            else:
                self._apply(claimed)
            self._stop_claims.wait(CLAIM_EVERY_S)

    def _apply(self, claimed: Claimed) -> None:
        """Start what is new, stop what is gone, restart what moved."""
        self._unreadable = claimed.unreadable
        wanted = {(one.camera, one.stream): one for one in claimed.sources}
        for key in [key for key, source in self._sources.items() if wanted.get(key) != source]:
            self._end_stream(key)
            self._around.sign_ins.forget(key[0])
        fresh = [one for key, one in wanted.items() if key not in self._sources]
        # A recorder that is not full starts its few streams sooner, not slower: a killed one must be back within 2 s.
        spacing_s = self._settings.start_spread_s / max(len(fresh), FULL_RECORDER_STREAMS)
        for index, source in enumerate(sorted(fresh, key=lambda one: (one.stream.value, one.camera))):
            self._start_stream(source, claimed.pasts.get((source.camera, source.stream)), delay_s=index * spacing_s)
        if fresh:
            log.info("video.streams_started", streams=len(fresh))

    def _start_stream(self, source: StreamSource, past: StreamPast | None, *, delay_s: float) -> None:
        key = (source.camera, source.stream)
        if past is not None and any(one.cause is Cause.CREDENTIALS for one in past.open_outages):
            self._around.sign_ins.hold(source.camera, now_s=self._clock.monotonic_s())
        try:
            writer = self._make_writer(key) if source.is_recorded else None
        except Problem as problem:
            log.error("video.stream_refused", camera=source.camera, problem=problem.message)
            return

        def prepare() -> None:
            if writer is not None and past is not None:
                handover = Handover(
                    volumes=self._volumes, writer=writer, disk=self.disk, mailbox=self.mailbox, slot=self._slot
                )
                prepare_stream(handover, past, now=self._now())

        recorder = StreamRecorder(source, self._around, writer=writer, prepare=prepare, delay_s=delay_s)
        thread: SupervisedThread | None = None
        if source.reader == "pyav" or not can_read(source):
            thread = SupervisedThread(f"{source.camera}/{source.stream.value}", recorder.run, stop=recorder.stop_event)
        with self._lock:
            self._sources[key] = source
            self._running[key] = _Running(recorder=recorder, thread=thread)
        if thread is None:
            self._loop.add(recorder)
        else:
            thread.start()

    def _make_writer(self, key: StreamKey) -> SegmentWriter:
        rules = SegmentRules(
            segment_s=self._settings.segment_s, fragment_s=self._settings.fragment_s, writer=self._slot, tag=self._tag
        )
        outlets = Outlets(
            submit=self.disk.submit,
            take_failure=self.disk.take_failure,
            put_fact=self.mailbox.put_fact,
            durable_until_us=self.disk.durable_until_us,
        )
        ledger = OutageLedger(key, put_outage=self.mailbox.put_outage, put_fact=self.mailbox.put_fact)
        return SegmentWriter(key, rules=rules, outlets=outlets, ledger=ledger)

    def _end_stream(self, key: StreamKey) -> None:
        with self._lock:
            running = self._running.pop(key)
            del self._sources[key]
        running.recorder.stop()
        running.recorder.finish()
        if running.thread is None:
            self._loop.remove(running.recorder)
        else:
            self._crashes += running.thread.crashes
        self._hub.remove_stream(key)
        self.disk.remove_stream(key)

    def _write_status(self, connection: Connection) -> None:
        with self._lock:
            figures = [one.recorder.figures() for one in self._running.values()]
            threads = [one.thread for one in self._running.values() if one.thread is not None]
            crashes = self._crashes + self._loop.crashes + sum(thread.crashes for thread in threads)
        main = [one for one in figures if one.key[1] is Stream.MAIN]
        with_main = {one.key[0] for one in main}
        main += [one for one in figures if one.key[0] not in with_main]  # an edge keeps these main streams at the pole
        status: dict[str, object] = {
            "cameras": len(main),
            "live": sum(one.state.state is LinkState.LIVE for one in main),
            "mailbox_depth": self.mailbox.depth,
            "mailbox_dropped": self.mailbox.dropped,
            "dropped_packets": self._hub.dropped,
            "dropped_fragments": self.disk.refused,
            "waiting_bytes": self.disk.waiting_bytes,
            "watching": self._hub.watching,
            "thread_crashes": crashes,
            "volumes": {
                one.volume.id: {
                    "state": one.state.value,
                    "free_bytes": one.free_bytes,
                    "total_bytes": one.total_bytes,
                    "waiting_bytes": one.waiting_bytes,
                    "streams": one.streams,
                }
                for one in self.disk.list_reports()
            },
            "bitrate_bps": sum(one.bitrate_bps for one in figures),
        }
        store.put_recorder_status(
            connection,
            store.RecorderStatus(
                slot=self._slot, pid=os.getpid(), started_at=self._started_at, seen_at=self._now(), status=status
            ),
        )
        now = self._now()
        reports = camera_reports(main, unreadable=self._unreadable, slot=self._slot, now=now)
        note_reports(connection, self._reports.choose(reports, now=now), now=now)

    def _end(self) -> None:
        """Close every segment, write the index, let go of the cameras."""
        self._stop_claims.set()
        self._claim_thread.join(STOP_WAIT_S)
        with self._lock:
            running = list(self._running.values())
        for one in running:
            one.recorder.stop()
        self._loop.stop()
        if self._loop_thread.join(STREAMS_WAIT_S):
            self._loop.close()
        for one in running:
            one.recorder.finish()
        deadline_s = self._clock.monotonic_s() + STREAMS_WAIT_S
        threads = [one.thread for one in running if one.thread is not None]
        blocked = [one for one in threads if not one.join(max(0.0, deadline_s - self._clock.monotonic_s()))]
        if blocked:
            # They wait inside FFmpeg for a camera. Python would take its interpreter away from under them at its end
            # and crash; everything is written by then, so the process leaves without that end.
            atexit.register(os._exit, 0)
        is_written = self.disk.stop(wait_s=STOP_WAIT_S)
        self._stop.set()
        self._hub.stop()
        self._index_thread.join(INDEX_WAIT_S)
        if self._hub_thread.join(STOP_WAIT_S):
            self._hub.close()
        log.info("video.recorder_stopped", is_written=is_written, is_indexed=not self._index.is_behind)


def run_recorder(settings: Settings, stop: threading.Event, *, slot: str, run_dir: Path) -> None:
    """Record this slot's cameras until `stop` is set."""
    threading.stack_size(STACK_BYTES)
    # The path of a picture makes no cycles; the collector would walk the rings hundreds of times a second for nothing.
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)
    data_dir = settings.platform.data_dir.absolute()
    prepare_volumes(data_dir, settings.video)
    clock = SystemClock()
    database = Database(settings.database_url())
    claims = Claims(database, settings.video, slot=slot, box=load_secret_box(data_dir))
    hub = PacketHub(run_dir, slot)
    process = RecorderProcess(
        settings.video,
        database=database,
        claims=claims,
        volumes=Volumes.open(data_dir, settings.video),
        hub=hub,
        clock=clock,
    )
    try:
        process.run(stop)
    finally:
        database.close()

"""Turns the access units of one stream into segments: where to cut, when each starts, what is missing between them.

It decides and hands bytes to the disk's thread; it never touches a file and never waits. Shape on the disk:
`<camera>/<stream>/<YYYY-MM-DD>/<HHMMSSmmm>Z-<session>.mp4`, init segment first, then a fragment about each second.
"""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from safecity.events.video import CameraClockJumped
from safecity.platform.clock import from_us, to_iso, to_us
from safecity.platform.errors import Invalid
from safecity.platform.ids import fact_id
from safecity.video import fmp4
from safecity.video.access_unit import TICKS_PER_S, AccessUnit, StreamHeader
from safecity.video.disk_jobs import AppendJob, CloseJob, DiskFailure, Job, OpenJob
from safecity.video.index import Statement
from safecity.video.kept_fragments import KeptFragment, KeptFragments
from safecity.video.ledger import OutageLedger
from safecity.video.model import JOIN_WITHIN, Cause, Origin, Segment, SegmentState, StreamKey
from safecity.video.timeline import FIRST_INTERVAL_TICKS, LineStart, SessionLine, is_hole

MAX_SEGMENT_S = 600.0  # a stream that sends no key frame for so long is opened anew
START_HOLD_S = 1.0  # a start-up burst of old pictures must be over before a session's place on the line is fixed
JOIN_WITHIN_US = JOIN_WITHIN // timedelta(microseconds=1)
MAX_FRAGMENT_UNITS = 900
MAX_FRAGMENT_BYTES = 8 * 1024**2
FORMAT = "safecity-segment-1"
_SAFE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRules:
    """Lengths, and who writes."""

    segment_s: float
    fragment_s: float
    writer: str
    tag: str  # unlike that of any other process, so that file names never meet


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlets:
    """Where a segment writer hands things on."""

    submit: Callable[[Job], bool]
    take_failure: Callable[[StreamKey], DiskFailure | None]
    put_fact: Callable[[Statement], None]
    durable_until_us: Callable[[StreamKey], int | None] = lambda _: None


@dataclass(slots=True, kw_only=True)
class _Segment:
    """The segment being written."""

    base_ticks: int
    start: LineStart | None = None  # known from the first fragment on
    fragments: int = 0
    end_us: int = 0


class SegmentWriter:
    """Writes one stream. Its methods may be called by the reading thread and by the monitor."""

    def __init__(self, key: StreamKey, *, rules: SegmentRules, outlets: Outlets, ledger: OutageLedger) -> None:
        if not _SAFE.fullmatch(key[0]):
            raise Invalid(f"{key[0]!r} cannot name a folder; give the camera another code", code="video.camera_name")
        self.key = key
        self.ledger = ledger
        self._rules = rules
        self._outlets = outlets
        self._lock = threading.RLock()
        self._header: StreamHeader | None = None
        self._line = SessionLine()
        self._segment: _Segment | None = None
        self._units: list[AccessUnit] = []
        self._units_bytes = 0
        self._kept = KeptFragments()
        self._failures = 0
        self._last_ticks: int | None = None
        self._interval = FIRST_INTERVAL_TICKS
        self._end_us: int | None = None  # end of what this stream has recorded, on the line
        self._continues: int | None = None  # the next segment starts exactly here
        self._wants_cut = False
        self._has_stepped = False
        self._unsaid = (Cause.CAMERA, "restart")

    @property
    def end_at(self) -> datetime | None:
        """Until when the stream is recorded or on its way to the disk."""
        return None if self._end_us is None else from_us(self._end_us)

    def resume_after(self, until: datetime | None) -> None:
        """Never start before what an earlier process recorded."""
        self._end_us = None if until is None else to_us(until)

    def begin_session(self, header: StreamHeader) -> None:
        """A reader session begins, or its parameters changed; raises Invalid when they cannot be recorded."""
        fmp4.init_segment(header)
        with self._lock:
            self._finish()
            self._kept.forget()
            self._header = header
            self._line = SessionLine()
            self._unsaid = (Cause.CAMERA, "restart")

    def add(self, unit: AccessUnit) -> None:
        """Record a picture. Raises Invalid (`video.no_key_frame`) where the stream sends no key frames any more."""
        with self._lock:
            self._take_failure(unit.received_us)
            self._line.observe(unit.media_ticks, unit.received_us)
            last = self._last_ticks
            if last is not None and self._segment is not None:
                step = unit.media_ticks - last
                if is_hole(step, self._interval):
                    self._finish()
                    self._begin_outage(Cause.CAMERA, "hole", now=unit.received_at)
                else:
                    self._interval += (step - self._interval) // 8
            self._record(unit)

    def _record(self, unit: AccessUnit) -> None:
        self._last_ticks = unit.media_ticks
        if self._segment is None:
            if not unit.is_key:
                return
            self._segment = _Segment(base_ticks=unit.media_ticks)
        elif not self._cut(self._segment, unit):
            return
        self._units.append(unit)
        self._units_bytes += len(unit.data)

    def _cut(self, segment: _Segment, unit: AccessUnit) -> bool:
        """End fragment and segment before this picture where it is time; whether it can be recorded now."""
        length_s = (unit.media_ticks - segment.base_ticks) / TICKS_PER_S
        if unit.is_key and (length_s >= self._rules.segment_s or self._wants_cut):
            self._flush(unit.media_ticks)
            if self._segment is not None:
                self._close()
                self._continues = None if self._has_stepped else segment.end_us
            self._segment = _Segment(base_ticks=unit.media_ticks)
            self._unsaid = (Cause.RECORDER, "server_clock") if self._has_stepped else (Cause.CAMERA, "restart")
            self._wants_cut, self._has_stepped = False, False
        elif length_s >= MAX_SEGMENT_S:
            self._finish()
            raise Invalid("the camera sends no key frames; set its key interval", code="video.no_key_frame")
        elif self._units and self._is_fragment_full(segment, unit):
            self._flush(unit.media_ticks)
            if self._segment is None and unit.is_key:
                self._segment = _Segment(base_ticks=unit.media_ticks)
        return self._segment is not None

    def _is_fragment_full(self, segment: _Segment, unit: AccessUnit) -> bool:
        if len(self._units) >= MAX_FRAGMENT_UNITS or self._units_bytes >= MAX_FRAGMENT_BYTES:
            return True
        first = self._units[0]
        if segment.start is None and self._continues is None and unit.received_s - first.received_s < START_HOLD_S:
            return False
        return unit.media_ticks - first.media_ticks >= self._rules.fragment_s * TICKS_PER_S

    def note_clock_jump(self, at: datetime) -> None:
        """The camera's clock jumped: forget what its ticks were worth, cut at the next key frame, keep the evidence."""
        with self._lock:
            self._line.forget()
            self._wants_cut = True
            camera, stream = self.key
            fact = CameraClockJumped(camera=camera, stream=stream.value, at=at)
            name = fact_id(CameraClockJumped.type, camera, stream.value, to_us(at))
            self._outlets.put_fact(Statement(fact=fact, id=name, time=at, subject=camera))

    def note_server_step(self) -> None:
        """This server's clock was stepped: the next segment finds its start anew. Called again until it was cut."""
        with self._lock:
            self._line.forget()
            self._wants_cut = self._has_stepped = self._segment is not None

    @property
    def awaits_cut(self) -> bool:
        """Whether a step of the server's clock still waits for its key frame."""
        return self._has_stepped

    def flush_idle(self, now: datetime) -> None:
        """Write what waits though no picture follows, so that a stall leaves nothing in memory."""
        with self._lock:
            self._take_failure(to_us(now))
            if self._units and (now - self._units[0].received_at).total_seconds() > 2 * self._rules.fragment_s:
                assert self._last_ticks is not None
                self._flush(self._last_ticks + self._interval)

    def interrupt(self, cause: Cause, detail: str, *, now: datetime) -> None:
        """The session ended: write what waits, close the segment, open the outage."""
        with self._lock:
            self._finish()
            self._begin_outage(cause, detail, now=now)

    def note_stall(self, *, now: datetime) -> None:
        """No picture has come for a while; the segment stays open, since a blocked link may still deliver."""
        with self._lock:
            self.flush_idle(now)
            self._begin_outage(Cause.CAMERA, "stall", now=now)

    def stop(self) -> None:
        """Write what waits and close the segment."""
        with self._lock:
            self._finish()

    def _begin_outage(self, cause: Cause, detail: str, *, now: datetime) -> None:
        self.ledger.begin(cause, detail, from_at=now if self._end_us is None else from_us(self._end_us), now=now)

    def _finish(self) -> None:
        """End the segment after its last picture; the next one does not continue it."""
        if self._units and self._last_ticks is not None:
            self._flush(self._last_ticks + self._interval)
        self._close()
        self._units, self._units_bytes = [], 0
        self._last_ticks, self._continues = None, None
        self._wants_cut, self._has_stepped = False, False

    def _close(self) -> None:
        if self._segment is not None and self._segment.fragments:
            self._outlets.submit(CloseJob(key=self.key))
        self._segment = None

    def _take_failure(self, now_us: int) -> None:
        failure = self._outlets.take_failure(self.key)
        if failure is not None:
            self._lose(failure, now=from_us(now_us))

    def _lose(self, failure: DiskFailure, *, now: datetime) -> None:
        """The disk kept nothing of the stream from an instant on. It may be told late: when the session has ended."""
        known_us = failure.started_us if failure.durable_until_us is None else failure.durable_until_us
        if known_us is None:
            known_us = self._outlets.durable_until_us(self.key)
        lost_us, units = self._kept.take_lost(known_us)
        units += self._units
        opened, goes_on = self.ledger.open, failure.goes_on and self._segment is not None
        if lost_us is None and self._segment is not None and self._segment.start is not None:
            lost_us = self._segment.start.start_us
        if opened is not None:
            # What is open began where we believed that the recording ended.
            if lost_us is not None:
                self.ledger.add(Cause.DISK, failure.detail, from_at=from_us(lost_us), to_at=opened.from_at)
            goes_on = False
        elif lost_us is not None:
            self._end_us = lost_us
        self._failures += 1
        if opened is not None and self._segment is None:
            return
        self._segment, self._continues = None, None
        self._units, self._units_bytes = [], 0
        self._begin_outage(Cause.DISK, failure.detail, now=now)
        for unit in units if goes_on else ():
            self._record(unit)  # what came before its first key frame is the gap

    def _flush(self, end_ticks: int) -> None:
        """Hand the waiting pictures to the disk as one fragment that ends at `end_ticks`."""
        segment, units, header = self._segment, self._units, self._header
        if segment is None or header is None or not units:
            return
        if segment.start is None:
            segment.start = self._start(segment.base_ticks)
            if not self._open(segment, segment.start, units[0], header):
                self._segment, self._units, self._units_bytes = None, [], 0
                self._begin_outage(Cause.DISK, "no_disk", now=units[-1].received_at)
                return
        until_us = segment.start.instant_us(end_ticks - segment.base_ticks)
        buffers = self._fragment(segment, units, end_ticks)
        job = AppendJob(key=self.key, buffers=buffers, size_bytes=sum(map(len, buffers)), until_us=until_us)
        self._units, self._units_bytes = [], 0
        if not self._outlets.submit(job):
            self._close()
            self._begin_outage(Cause.DISK, "mailbox_full", now=units[-1].received_at)
            return
        start_us = segment.start.instant_us(units[0].media_ticks - segment.base_ticks)
        kept = KeptFragment(start_us=start_us, until_us=until_us, units=units, size_bytes=job.size_bytes)
        self._kept.keep(kept, durable_us=self._outlets.durable_until_us(self.key))
        segment.fragments += 1
        segment.end_us = self._end_us = until_us
        self.ledger.end(at=from_us(start_us))

    def _start(self, base_ticks: int) -> LineStart:
        if self._continues is not None:
            return self._line.go_on(base_ticks, end_us=self._continues)
        start = self._line.start(base_ticks, not_before_us=self._end_us)
        if self._end_us is not None and start.start_us - self._end_us > JOIN_WITHIN_US and self.ledger.open is None:
            # No reader said why: the parameters changed, or the clock face skipped these seconds.
            at = from_us(start.start_us)
            self._begin_outage(*self._unsaid, now=at)
        return start

    def _fragment(self, segment: _Segment, units: list[AccessUnit], end_ticks: int) -> list[bytes]:
        samples: list[fmp4.Sample] = []
        for index, unit in enumerate(units):
            follows = units[index + 1].media_ticks if index + 1 < len(units) else end_ticks
            samples.append(
                fmp4.Sample(
                    data=unit.data,
                    duration_ticks=max(1, follows - unit.media_ticks),
                    is_key=unit.is_key,
                    composition_offset_ticks=unit.composition_offset_ticks,
                )
            )
        return fmp4.fragment(
            segment.fragments + 1,
            units[0].media_ticks - segment.base_ticks,
            samples=samples,
            captured_at=units[0].captured_at,
            received_at=units[0].received_at,
        )

    def _open(self, segment: _Segment, start: LineStart, first: AccessUnit, header: StreamHeader) -> bool:
        started_at = from_us(start.start_us)
        camera, stream = self.key
        session = f"{self._rules.tag}-{header.session}"
        captured_us = first.captured_us if first.media_ticks == segment.base_ticks else None
        # After a failure, a segment may begin where one did that was never heard of again.
        name = f"{session}r{self._failures}" if self._failures else session
        row = Segment(
            camera=camera,
            stream=stream,
            started_at=started_at,
            durable_until=started_at,
            state=SegmentState.OPEN,
            # After a failure, a segment may begin where one does that was never heard of again.
            path=segment_path(self.key, started_at, session=name),
            session=session,
            size_bytes=0,
            fragments=0,
            codec=header.codec,
            codec_string=header.codec_string,
            width_px=header.width_px,
            height_px=header.height_px,
            rate_ppb=start.rate_ppb,
            line_error_us=start.error_us,
            camera_offset_us=None if captured_us is None else captured_us - start.start_us,
            root=None,
            previous_root=None,
            is_held=False,
            writer=self._rules.writer,
        )

        def make_init(previous_root: str | None) -> bytes:
            return fmp4.init_segment(header, description=describe(row, previous_root))

        self._continues = None
        return self._outlets.submit(OpenJob(key=self.key, row=row, make_init=make_init))


def segment_path(key: StreamKey, started_at: datetime, *, session: str) -> str:
    """Where a segment's file is, below the media folder."""
    name = f"{started_at:%H%M%S}{started_at.microsecond // 1000:03d}Z-{session}.mp4"
    return f"{key[0]}/{key[1].value}/{started_at:%Y-%m-%d}/{name}"


def describe(row: Segment, previous_root: str | None) -> bytes:
    """What a file says of itself, so that the index can be made from files alone."""
    origin = {} if row.origin is Origin.RECORDED else {"origin": row.origin.value}
    return json.dumps(
        origin
        | {
            "format": FORMAT,
            "camera": row.camera,
            "stream": row.stream.value,
            "session": row.session,
            "started_at": to_iso(row.started_at),
            "started_at_us": to_us(row.started_at),
            "rate_ppb": row.rate_ppb,
            "line_error_us": row.line_error_us,
            "camera_offset_us": row.camera_offset_us,
            "previous_root": previous_root,
            "writer": row.writer,
        },
        sort_keys=True,
    ).encode()

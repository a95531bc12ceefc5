"""A camera and a disk on paper: pictures without a network, segments without a file, clocks that obey."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av

from safecity.platform.clock import from_us, to_us
from safecity.sites.model import CameraId
from safecity.video.access_unit import TICKS_PER_S, AccessUnit, StreamHeader
from safecity.video.disk import DiskWriter
from safecity.video.disk_jobs import AppendJob, DiskFailure, Job, OpenJob
from safecity.video.fmp4 import codec_string
from safecity.video.h264 import parameter_sets_of, parse_sps
from safecity.video.ledger import OutageLedger
from safecity.video.model import Cause, Outage, Segment, Stream, StreamKey
from safecity.video.segments import Outlets, SegmentRules, SegmentWriter
from safecity.video.timeline import TickCounter
from safecity.video.volumes import Volumes

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KEY: StreamKey = (CameraId("cam_a"), Stream.MAIN)
RATE = 15
GROUP = 30


def header_of(clip: Path) -> StreamHeader:
    """The header of a real clip."""
    with av.open(str(clip)) as container:
        sets = parameter_sets_of(bytes(container.streams.video[0].codec_context.extradata or b""))
    sps = parse_sps(sets[0])
    return StreamHeader(
        codec="h264",
        codec_string=codec_string("h264", sets),
        width_px=sps.width_px,
        height_px=sps.height_px,
        parameter_sets=sets,
        session=1,
    )


@dataclass
class PaperDisk:
    """Keeps what would be written, in order; can be told to refuse or to fail."""

    rows: list[Segment] = field(default_factory=list)
    fragments: list[list[bytes]] = field(default_factory=list)
    inits: list[bytes] = field(default_factory=list)
    is_full: bool = False
    failure: DiskFailure | None = None
    outages: dict[str, Outage] = field(default_factory=dict)
    facts: list[object] = field(default_factory=list)

    def submit(self, job: Job) -> bool:
        if isinstance(job, OpenJob):
            self.rows.append(job.row)
            self.inits.append(job.make_init(None))
            self.fragments.append([])
        elif isinstance(job, AppendJob):
            if self.is_full:
                return False
            assert job.size_bytes == sum(map(len, job.buffers))
            row = self.rows[-1]
            until = from_us(job.until_us)
            assert until > row.durable_until or (not self.fragments[-1] and until >= row.durable_until)
            self.rows[-1] = _grown(row, until)
            self.fragments[-1].append(b"".join(job.buffers))
        return True

    def take_failure(self, _: StreamKey) -> DiskFailure | None:
        failure, self.failure = self.failure, None
        return failure

    def put_outage(self, outage: Outage) -> None:
        self.outages[outage.id] = outage

    def writer(self, *, segment_s: float = 10.0) -> SegmentWriter:
        rules = SegmentRules(segment_s=segment_s, fragment_s=1.0, writer="recorder-1", tag="tag")
        outlets = Outlets(submit=self.submit, take_failure=self.take_failure, put_fact=self.facts.append)
        ledger = OutageLedger(KEY, put_outage=self.put_outage, put_fact=self.facts.append)
        return SegmentWriter(KEY, rules=rules, outlets=outlets, ledger=ledger)

    def files(self) -> list[bytes]:
        return [init + b"".join(parts) for init, parts in zip(self.inits, self.fragments, strict=True)]


def _grown(row: Segment, until: datetime) -> Segment:
    return Segment(**{name: getattr(row, name) for name in Segment.__slots__} | {"durable_until": until})


class Camera:
    """Sends pictures to a writer as a reader would; owns the clocks."""

    def __init__(self, writer: SegmentWriter, header: StreamHeader) -> None:
        self.writer = writer
        self.header = header
        self.monotonic_s = 500.0
        self.offset_s = 0.0
        self.raw = 0
        self.sent = 0
        self.since_key = 0
        self.counter = TickCounter()
        self.writer.begin_session(header)

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic_s - 500.0 + self.offset_s)

    def send(self, frames: int = 1, *, after_s: float = 1 / RATE, is_key: bool | None = None) -> None:
        for _ in range(frames):
            self.monotonic_s += after_s
            self.raw += TICKS_PER_S // RATE
            tick = self.counter.place(self.raw, self.monotonic_s)
            if tick.has_jumped:
                self.writer.note_clock_jump(self.now)
            key = self.since_key % GROUP == 0 if is_key is None else is_key
            self.since_key += 1
            self.sent += 1
            self.writer.add(
                AccessUnit(
                    data=b"\0\0\0\x05\x65" + self.sent.to_bytes(4),
                    media_ticks=tick.ticks,
                    composition_offset_ticks=0,
                    is_key=key,
                    captured_us=None,
                    received_us=to_us(self.now),
                    received_s=self.monotonic_s,
                    sequence=self.sent,
                )
            )

    def reconnect(self, *, after_s: float) -> None:
        self.writer.interrupt(Cause.LINK, "broken", now=self.now)
        self.monotonic_s += after_s
        self.counter, self.since_key, self.raw = TickCounter(), 0, 77 * self.sent
        self.writer.begin_session(self.header)

    def silence(self, seconds: float) -> None:
        self.monotonic_s += seconds
        self.raw += round(seconds * TICKS_PER_S)

    def step_server(self, seconds: float) -> None:
        self.offset_s += seconds
        self.writer.note_server_step()


def record_to_disk(folder: Path, header: StreamHeader, seconds: int) -> tuple[list[Segment], DiskWriter]:
    rows: list[Segment] = []
    disk = DiskWriter(Volumes.at(folder), put_row=rows.append)
    facts: list[object] = []
    rules = SegmentRules(segment_s=4.0, fragment_s=1.0, writer="recorder-1", tag="tag")
    outlets = Outlets(
        submit=disk.submit,
        take_failure=disk.take_failure,
        put_fact=facts.append,
        durable_until_us=disk.durable_until_us,
    )
    ledger = OutageLedger(KEY, put_outage=facts.append, put_fact=facts.append)
    writer = SegmentWriter(KEY, rules=rules, outlets=outlets, ledger=ledger)
    disk.start()
    Camera(writer, header).send(RATE * seconds)
    writer.stop()
    return rows, disk

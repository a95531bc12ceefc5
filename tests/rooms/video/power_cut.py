"""A recorder whose every call to its disks is written down, and the disks as a power cut may leave them.

What is guaranteed after a cut is only what was synced: a file's bytes up to its last fdatasync, a name once its
directory was synced, the index up to its last commit (SQLite, WAL, synchronous=FULL). Of everything after that, any
part may be there: each block written, not written or zero, a file longer than its data, a name missing, an unlink or
a truncation done or not.
"""

import random
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from safecity.platform.clock import to_us
from safecity.platform.database import Database
from safecity.platform.schema import upgrade
from safecity.sites.model import CameraId
from safecity.video.access_unit import TICKS_PER_S, AccessUnit
from safecity.video.disk import DiskWriter
from safecity.video.disk_calls import DiskCalls
from safecity.video.index import IndexMailbox, IndexWriter
from safecity.video.ledger import OutageLedger
from safecity.video.model import Segment, Stream, StreamKey
from safecity.video.segments import Outlets, SegmentRules, SegmentWriter
from safecity.video.volumes import MARKER, Volumes
from tests.rooms.video.recorded import NOON, Clip
from tests.rooms.video.rig import wait_until

BLOCKS = (512, 4096)
DATABASE = "safecity.db"
WAL = f"{DATABASE}-wal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One call, when the camera's clock said `at`; `begun` events may be half done, others are complete."""

    kind: str  # make_directory, create, write, sync, sync_directory, cut, unlink, row, index_begin, index_end
    at: datetime
    path: str = ""
    data: bytes = b""
    size_bytes: int = 0
    row: Segment | None = None
    index: dict[str, bytes] = field(default_factory=dict)


class Trace:
    """The events of all threads in one order."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.events: list[Event] = []
        self.now = NOON
        self._lock = threading.Lock()

    def add(self, kind: str, path: Path | None = None, **fields: object) -> None:
        name = "" if path is None else str(path.relative_to(self.root))
        with self._lock:
            self.events.append(Event(kind=kind, at=self.now, path=name, **fields))  # type: ignore[arg-type]


class TracedCalls(DiskCalls):
    """The real calls; what is not complete when it begins is written down before, what promises something after."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.fails_below: Path | None = None
        self._paths: dict[int, Path] = {}

    def make_directory(self, path: Path) -> None:
        self.trace.add("make_directory", path)
        super().make_directory(path)

    def sync_directory(self, path: Path) -> None:
        super().sync_directory(path)
        self.trace.add("sync_directory", path)

    def create(self, path: Path) -> int:
        self.trace.add("create", path)
        descriptor = super().create(path)
        self._paths[descriptor] = path
        return descriptor

    def write(self, descriptor: int, buffers: Sequence[bytes]) -> None:
        path = self._paths[descriptor]
        if self.fails_below is not None and path.is_relative_to(self.fails_below):
            self.trace.add("write", path, data=b"".join(buffers)[:1000])
            super().write(descriptor, [b"".join(buffers)[:1000]])
            raise OSError(5, "an error of the medium")
        self.trace.add("write", path, data=b"".join(buffers))
        super().write(descriptor, buffers)

    def sync(self, descriptor: int) -> None:
        super().sync(descriptor)
        self.trace.add("sync", self._paths[descriptor])

    def cut(self, descriptor: int, size_bytes: int) -> None:
        self.trace.add("cut", self._paths[descriptor], size_bytes=size_bytes)
        super().cut(descriptor, size_bytes)

    def unlink(self, path: Path) -> None:
        self.trace.add("unlink", path)
        super().unlink(path)


class ClipCamera:
    """Sends a clip's pictures for ever, a quarter of a second at a time."""

    def __init__(self, writer: SegmentWriter, clip: Clip, *, first: int) -> None:
        self.writer = writer
        self.sent: list[AccessUnit] = []
        self._clip = clip
        self._at = first
        self._ticks = 0
        writer.begin_session(clip.header)

    def send_until(self, now: datetime) -> None:
        while NOON + timedelta(seconds=self._ticks / TICKS_PER_S) <= now:
            sample = self._clip.samples[self._at % len(self._clip.samples)]
            elapsed_s = self._ticks / TICKS_PER_S
            unit = AccessUnit(
                data=sample.data,
                media_ticks=self._ticks,
                composition_offset_ticks=sample.composition_offset_ticks,
                is_key=sample.is_key,
                captured_us=None,
                received_us=to_us(NOON) + round(elapsed_s * 1_000_000),
                received_s=elapsed_s,
                sequence=len(self.sent),
            )
            self.writer.add(unit)
            self.sent.append(unit)
            self._at += 1
            self._ticks += sample.duration_ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A finished run and its trace."""

    root: Path
    events: list[Event]
    cameras: dict[StreamKey, list[AccessUnit]]


def record(root: Path, clip: Clip, *, cameras: int, seconds: int, failure_at_s: float | None) -> Recorded:
    """Record some cameras on two volumes; from `failure_at_s` on, the first volume answers writes with errors."""
    trace = Trace(root)
    database = Database(f"sqlite:///{root / DATABASE}")
    upgrade(database)
    volumes = Volumes.at(root / "a", root / "b")
    calls = TracedCalls(trace)
    mailbox = IndexMailbox()

    def put_row(row: Segment) -> None:
        trace.add("row", row=row)
        mailbox.put_segment(row)

    disk = DiskWriter(volumes, put_row=put_row, calls=calls)
    index = IndexWriter(database, mailbox, source="recorder-1", also=lambda _: None)
    disk.start()
    wait_until(lambda: all(one.total_bytes for one in disk.list_reports()), within_s=20, what="a first check")
    streams = [_make_camera(number, clip, disk=disk, mailbox=mailbox) for number in range(cameras)]
    trace.add("index_end", index=_read_index(root))
    for step in range(1, seconds * 4 + 1):
        trace.now = NOON + timedelta(seconds=step / 4)
        if failure_at_s is not None and step / 4 >= failure_at_s:
            calls.fails_below = root / "a"
        for one in streams:
            one.send_until(trace.now)
        wait_until(lambda: disk.waiting_bytes == 0, within_s=20, what="writing")
        if step % 4 == 0:
            trace.add("index_begin", index=_read_index(root))
            index.flush()
            trace.add("index_end", index=_read_index(root))
    disk.stop(wait_s=20)
    database.close()
    return Recorded(root=root, events=trace.events, cameras={one.writer.key: one.sent for one in streams})


def _make_camera(number: int, clip: Clip, *, disk: DiskWriter, mailbox: IndexMailbox) -> ClipCamera:
    key = (CameraId(f"cam_{number}"), Stream.MAIN)
    rules = SegmentRules(segment_s=6.0, fragment_s=1.0, writer="recorder-1", tag="tag")
    outlets = Outlets(
        submit=disk.submit,
        take_failure=disk.take_failure,
        put_fact=mailbox.put_fact,
        durable_until_us=disk.durable_until_us,
    )
    ledger = OutageLedger(key, put_outage=mailbox.put_outage, put_fact=mailbox.put_fact)
    return ClipCamera(SegmentWriter(key, rules=rules, outlets=outlets, ledger=ledger), clip, first=number * 7)


def _read_index(root: Path) -> dict[str, bytes]:
    return {name: (root / name).read_bytes() for name in (DATABASE, WAL) if (root / name).exists()}


# --- The disks after a cut -----------------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class _Inode:
    synced: bytes = b""
    written: bytearray = field(default_factory=bytearray)  # as the page cache has it
    cut_to: int | None = None  # a truncation that was not synced


class CutDisks:
    """What may be left when the power goes after the first `count` events."""

    def __init__(self, events: Sequence[Event], chance: random.Random) -> None:
        self._chance = chance
        self._inodes: dict[str, _Inode] = {}
        self._durable: set[str] = set()  # names
        self._pending: dict[str, str] = {}  # name -> create, make_directory or unlink, not synced
        self._index: dict[str, bytes] = {}
        self._index_under_way: dict[str, bytes] | None = None
        for event in events:
            self._apply(event)

    def begin_commit(self, after: dict[str, bytes]) -> None:
        """The index was being written, towards this."""
        self._index_under_way = after

    def _apply(self, event: Event) -> None:
        is_of_file = event.kind in {"create", "write", "sync", "cut"}
        inode = self._inodes.setdefault(event.path, _Inode()) if is_of_file else None
        if event.kind in {"create", "make_directory", "unlink"}:
            self._pending[event.path] = event.kind
        elif event.kind == "sync_directory":
            self._sync_directory(event.path)
        elif event.kind == "index_end":
            self._index, self._index_under_way = event.index, None
        elif inode is not None:
            if event.kind == "write":
                inode.written += event.data
            elif event.kind == "cut":
                inode.cut_to = event.size_bytes
                del inode.written[event.size_bytes :]
            elif event.kind == "sync":
                inode.synced, inode.cut_to = bytes(inode.written), None

    def _sync_directory(self, path: str) -> None:
        for name in [name for name in self._pending if str(Path(name).parent) == path]:
            if self._pending.pop(name) == "unlink":
                self._durable.discard(name)
            else:
                self._durable.add(name)

    def write_to(self, folder: Path, markers: dict[str, bytes]) -> None:
        """Make the directory as a machine finds it when the power is back."""
        for name, marker in markers.items():
            (folder / name).mkdir(parents=True)
            (folder / name / MARKER).write_bytes(marker)
        names = set(self._durable)
        for name, kind in self._pending.items():
            if self._chance.random() < 0.5:
                names.discard(name) if kind == "unlink" else names.add(name)
        for name in sorted(names):
            if all(str(above) in names or len(above.parts) == 1 for above in Path(name).parents if above.parts):
                if name in self._inodes:
                    (folder / name).write_bytes(self._content(self._inodes[name]))
                else:
                    (folder / name).mkdir(exist_ok=True)
        for name, content in self._cut_index().items():
            (folder / name).write_bytes(content)

    def _content(self, inode: _Inode) -> bytes:
        synced, written = inode.synced, bytes(inode.written)
        if inode.cut_to is not None and len(synced) > inode.cut_to:
            return synced if self._chance.random() < 0.5 else synced[: inode.cut_to]
        return self._tear(synced, written)

    def _tear(self, synced: bytes, written: bytes) -> bytes:
        """What was synced, and blocks of the rest: there, not there (zero), and an end anywhere, or beyond the data."""
        if len(written) <= len(synced):
            return synced
        block = self._chance.choice(BLOCKS)
        end = self._chance.randint(len(synced), len(written)) if self._chance.random() < 0.5 else len(written)
        content = bytearray(written[:end])
        share = self._chance.choice((0.0, 0.3, 0.7, 1.0))
        at = len(synced)
        while at < end:
            upto = min(end, (at // block + 1) * block)
            if self._chance.random() >= share:
                content[at:upto] = bytes(upto - at)
            at = upto
        if self._chance.random() < 0.2:
            content += bytes(self._chance.randint(1, 8192))
        return bytes(content)

    def _cut_index(self) -> dict[str, bytes]:
        after = self._index_under_way
        if after is None:
            return self._index
        before_wal, after_wal = self._index.get(WAL, b""), after.get(WAL, b"")
        if after[DATABASE] != self._index[DATABASE]:
            # A checkpoint: the log is synced whole before the first page goes into the database, in any order.
            pages = bytearray(self._index[DATABASE].ljust(len(after[DATABASE]), b"\0"))
            for at in range(0, len(after[DATABASE]), 4096):
                if self._chance.random() < 0.5:
                    pages[at : at + 4096] = after[DATABASE][at : at + 4096]
            return {DATABASE: bytes(pages), WAL: after_wal}
        shared = 0
        if after_wal.startswith(before_wal):
            shared = len(before_wal)
        return {DATABASE: self._index[DATABASE], WAL: self._tear(after_wal[:shared], after_wal)}


def crash(recorded: Recorded, point: int, folder: Path, chance: random.Random) -> None:
    """Leave in `folder` what a cut after the first `point` events may leave."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    events = recorded.events
    disks = CutDisks(events[:point], chance)
    begun = [event for event in events[:point] if event.kind.startswith("index")]
    if begun and begun[-1].kind == "index_begin":
        disks.begin_commit(next(event.index for event in events[point:] if event.kind == "index_end"))
    markers = {name: (recorded.root / name / MARKER).read_bytes() for name in ("a", "b")}
    disks.write_to(folder, markers)

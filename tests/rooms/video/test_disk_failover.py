"""Several disks: spread while all are well, and what happens to a stream when its disk fails, fills, hangs or goes.

Full, read-only and gone are real: small file systems in memory, mounted here, which needs root. A disk that hangs is
a call that does not come back until it is told to.
"""

import contextlib
import itertools
import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.sites.model import CameraId
from safecity.video import volume_writer
from safecity.video.access_unit import StreamHeader
from safecity.video.disk import DiskWriter
from safecity.video.disk_calls import DiskCalls
from safecity.video.ledger import OutageLedger
from safecity.video.model import Cause, Outage, Segment, SegmentState, Stream
from safecity.video.scan import scan
from safecity.video.segments import Outlets, SegmentRules, SegmentWriter
from safecity.video.volume_health import Candidate, VolumeState, choose_volume
from safecity.video.volumes import Volume, VolumeId, Volumes
from tests.conftest import missing
from tests.rooms.video.paper import GROUP, RATE, Camera, header_of
from tests.rooms.video.rig import wait_until

STREAMS = 4
GOP_S = GROUP / RATE


@pytest.fixture(scope="module")
def header(clips_dir: Path) -> StreamHeader:
    return header_of(clips_dir / "intel_car_detection.mp4")


class Disk:
    """A small file system in memory at a mount point, with troubles on command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kept = folder.with_name(f"{folder.name}-kept")
        for one in (self.folder, self._kept):
            one.mkdir()
        if call("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", self._kept):
            missing("mounting a file system in memory needs root")
        self.bring_back()

    def bring_back(self) -> None:
        assert call("mount", "--bind", self._kept, self.folder) == 0

    def take_away(self) -> None:
        assert call("umount", "-l", self.folder) == 0

    def make_read_only(self) -> None:
        self.bring_back()
        assert call("mount", "-o", "remount,ro,bind", self.folder) == 0

    def fill(self) -> None:
        with (self.folder / "filler").open("wb") as file, contextlib.suppress(OSError):
            while True:
                os.write(file.fileno(), bytes(4096))

    def empty(self) -> None:
        (self.folder / "filler").unlink()

    def destroy(self) -> None:
        while call("umount", "-l", self.folder) == 0:
            pass
        call("umount", "-l", self._kept)


def call(*words: str | Path) -> int:
    return subprocess.run(words, capture_output=True, check=False).returncode


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[list[Disk]]:
    """Two small disks."""
    made = [Disk(tmp_path / name) for name in ("a", "b")]
    yield made
    for one in made:
        one.destroy()


class HangingCalls(DiskCalls):
    """A disk below `folder` that can be told not to answer any more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answers = threading.Event()
        self.answers.set()
        self._mine: set[int] = set()

    def create(self, path: Path) -> int:
        descriptor = super().create(path)
        if path.is_relative_to(self.folder):
            self._mine.add(descriptor)
        else:
            self._mine.discard(descriptor)
        return descriptor

    def sync(self, descriptor: int) -> None:
        if descriptor in self._mine:
            self.answers.wait()
        super().sync(descriptor)

    def probe(self, directory: Path) -> None:
        if directory == self.folder:
            self.answers.wait()
        super().probe(directory)


class Recording:
    """A few streams written to some volumes by the real threads."""

    def __init__(self, header: StreamHeader, folders: Sequence[Path], calls: DiskCalls | None = None) -> None:
        self.volumes = Volumes.at(*folders)
        self.rows: dict[str, Segment] = {}
        self.outages: dict[str, Outage] = {}
        self.disk = DiskWriter(self.volumes, put_row=self._put_row, calls=calls)
        self.disk.start()
        wait_until(lambda: all(one.total_bytes for one in self.disk.list_reports()), within_s=20, what="a first check")
        self.cameras = [Camera(self._writer(f"cam_{n}"), header) for n in range(STREAMS)]

    def _put_row(self, row: Segment) -> None:
        before = self.rows.get(row.path)
        assert before is None or row.durable_until >= before.durable_until, "acknowledged and taken back"
        self.rows[row.path] = row

    def _writer(self, name: str) -> SegmentWriter:
        key = (CameraId(name), Stream.MAIN)
        rules = SegmentRules(segment_s=4.0, fragment_s=1.0, writer="recorder-1", tag="tag")
        outlets = Outlets(
            submit=self.disk.submit,
            take_failure=self.disk.take_failure,
            put_fact=lambda _: None,
            durable_until_us=self.disk.durable_until_us,
        )
        ledger = OutageLedger(key, put_outage=self._put_outage, put_fact=lambda _: None)
        return SegmentWriter(key, rules=rules, outlets=outlets, ledger=ledger)

    def _put_outage(self, outage: Outage) -> None:
        self.outages[outage.id] = outage

    def send(self, seconds: int, *, until_written: bool = True) -> None:
        for _ in range(seconds):
            for camera in self.cameras:
                camera.send(RATE)
            if until_written:
                wait_until(self.is_written, within_s=20, what="writing")

    def is_written(self) -> bool:
        reports = self.disk.list_reports()
        return all(one.waiting_bytes == 0 for one in reports if one.state is not VolumeState.SLOW)

    def state(self, at: int) -> VolumeState:
        return self.disk.list_reports()[at].state

    def streams(self) -> list[int]:
        return [one.streams for one in self.disk.list_reports()]

    def end(self) -> None:
        for camera in self.cameras:
            camera.writer.stop()
        assert self.disk.stop(wait_s=20)
        self.check()

    def check(self) -> None:
        """What the index says is on the disk, nothing twice, each hole explained, the chain whole."""
        for camera in self.cameras:
            key = camera.writer.key
            rows = sorted((row for row in self.rows.values() if row.camera == key[0]), key=lambda row: row.started_at)
            for before, after in itertools.pairwise(rows):
                assert before.durable_until <= after.started_at
                assert after.previous_root == before.root
                hole = (after.started_at - before.durable_until).total_seconds()
                assert hole <= GOP_S + 0.1, f"{hole} s are missing"
                causes = [
                    one.cause
                    for one in self.outages.values()
                    if one.camera == key[0] and one.from_at <= before.durable_until
                    if one.to_at is not None and one.to_at >= after.started_at
                ]
                assert hole < 0.1 or causes == [Cause.DISK]
            for row in rows:
                self.check_file(row)
            assert rows[-1].durable_until >= camera.now - timedelta(seconds=0.2)

    def check_file(self, row: Segment) -> None:
        assert row.state is SegmentState.CLOSED
        path = self.volumes.path_of(row)
        assert self.volumes.volume_of(row).id == row.volume
        found = scan(path.read_bytes())
        assert (found.damage, len(found.fragments), path.stat().st_size) == (None, row.fragments, row.size_bytes)


def test_streams_are_spread_and_stay(header: StreamHeader, tmp_path: Path) -> None:
    recording = Recording(header, [tmp_path / "a", tmp_path / "b"])
    recording.send(14)
    assert recording.streams() == [2, 2]
    recording.end()
    homes = {(row.camera, row.volume) for row in recording.rows.values()}
    assert len(homes) == STREAMS, "each stays where it is"
    assert not recording.outages


TROUBLES: list[tuple[VolumeState, Callable[[Disk], None], Callable[[Disk], None]]] = [
    (VolumeState.FULL, Disk.fill, Disk.empty),
    (VolumeState.READ_ONLY, Disk.make_read_only, Disk.take_away),
    (VolumeState.GONE, Disk.take_away, Disk.bring_back),
]


@pytest.mark.parametrize(("state", "hurt", "heal"), TROUBLES, ids=[one[0].value for one in TROUBLES])
def test_a_disk_in_trouble_costs_at_most_a_group_of_pictures_and_is_used_again(
    header: StreamHeader,
    disks: list[Disk],
    state: VolumeState,
    hurt: Callable[[Disk], None],
    heal: Callable[[Disk], None],
) -> None:
    recording = Recording(header, [one.folder for one in disks])
    recording.send(6)
    hurt(disks[0])
    recording.send(2)
    wait_until(lambda: recording.state(0) is state, within_s=20, what=state)
    recording.send(8)
    assert recording.streams() == [0, STREAMS]
    heal(disks[0])
    wait_until(lambda: recording.state(0) is VolumeState.OK, within_s=20, what="well again")
    recording.send(8)
    assert recording.streams()[0] > 0
    recording.end()


def test_a_disk_that_hangs_holds_up_no_other_and_its_streams_go_on_elsewhere(
    header: StreamHeader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(volume_writer, "SLOW_AFTER_S", 0.5)
    monkeypatch.setattr(volume_writer, "WELL_AFTER_S", 0.5)
    calls = HangingCalls(tmp_path / "a")
    recording = Recording(header, [tmp_path / "a", tmp_path / "b"], calls)
    recording.send(6)
    calls.answers.clear()
    recording.send(3, until_written=False)
    wait_until(lambda: recording.state(0) is VolumeState.SLOW, within_s=20, what="slow")
    recording.send(8)
    assert recording.streams() == [0, STREAMS], "the other disk goes on while this one hangs"
    calls.answers.set()
    wait_until(lambda: recording.state(0) is VolumeState.OK, within_s=20, what="well again")
    recording.send(8)
    assert recording.streams()[0] > 0
    recording.end()


def test_without_another_disk_what_a_slow_one_does_not_take_waits(
    header: StreamHeader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(volume_writer, "SLOW_AFTER_S", 0.5)
    calls = HangingCalls(tmp_path / "a")
    recording = Recording(header, [tmp_path / "a"], calls)
    recording.send(5)
    calls.answers.clear()
    recording.send(2, until_written=False)
    wait_until(lambda: recording.state(0) is VolumeState.SLOW, within_s=20, what="slow")
    recording.send(8, until_written=False)
    calls.answers.set()
    recording.send(1)
    recording.end()
    assert not recording.outages


def test_with_all_disks_away_the_gap_is_the_disks_and_ends_when_one_is_back(
    header: StreamHeader, disks: list[Disk]
) -> None:
    recording = Recording(header, [disks[0].folder])
    recording.send(4)
    disks[0].take_away()
    wait_until(lambda: recording.state(0) is VolumeState.GONE, within_s=20, what="gone")
    recording.send(6)
    assert list(disks[0].folder.iterdir()) == [], "nothing is written where the disk was"
    disks[0].bring_back()
    wait_until(lambda: recording.state(0) is VolumeState.OK, within_s=20, what="well again")
    recording.send(4)
    for camera in recording.cameras:
        camera.writer.stop()
    assert recording.disk.stop(wait_s=20)
    assert {one.cause for one in recording.outages.values()} == {Cause.DISK}
    assert all(one.to_at is not None for one in recording.outages.values())


# --- The choice ----------------------------------------------------------------------------------------------------


def volume(number: int) -> Volume:
    return Volume(id=VolumeId(f"vol_{number}"), directory=Path(f"/v/{number}"), is_recorded_on=True)


@settings(deadline=None, max_examples=40)
@given(
    sizes=st.lists(st.integers(min_value=10**9, max_value=10**14), min_size=1, max_size=6),
    well=st.lists(st.booleans(), min_size=6, max_size=6),
    streams=st.integers(min_value=1, max_value=60),
)
def test_streams_go_to_well_volumes_in_proportion_and_then_stay(
    sizes: list[int], well: list[bool], streams: int
) -> None:
    counts = dict.fromkeys(map(volume, range(len(sizes))), 0)

    def choose(current: Volume | None) -> Volume | None:
        others = {one: count - (one == current) for one, count in counts.items()}
        return choose_volume(
            current,
            [
                Candidate(volume=one, is_usable=well[at], weight_bytes=sizes[at], streams=others[one])
                for at, one in enumerate(counts)
            ],
        )

    for _ in range(streams):
        chosen = choose(None)
        if chosen is not None:
            counts[chosen] += 1
    usable = sum(size for at, size in enumerate(sizes) if well[at])
    for at, (one, count) in enumerate(counts.items()):
        assert count <= (streams * sizes[at] / usable + 1 if well[at] else 0)
        assert count == 0 or choose(one) == one, "nothing moves while all is well"
    assert sum(counts.values()) == (streams if usable else 0)

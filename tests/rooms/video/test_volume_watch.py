"""How well volumes are is seen, kept and said; each volume frees its own room."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from safecity.events import Stated, read_facts
from safecity.events.video import HeldRecordingsFill, VolumeStateChanged
from safecity.platform.database import Database
from safecity.platform.settings import VideoSettings
from safecity.video import retention, store
from safecity.video.disk_calls import DiskCalls, Usage
from safecity.video.model import Segment
from safecity.video.retention import Keeper
from safecity.video.store import RecorderStatus, put_recorder_status, put_segments
from safecity.video.volume_health import VolumeState, held_fills, hours_left, room_state
from safecity.video.volume_rhythm import is_spinning, sync_every_s
from safecity.video.volume_watch import VolumeWatch
from safecity.video.volumes import MARKER, Volumes
from tests.rooms.video.test_retention import MB, NOW, segment

GB = 10**9


class RoomyCalls(DiskCalls):
    """Real but for the room."""

    def __init__(self, free_bytes: int) -> None:
        self.free_bytes = free_bytes

    def usage(self, directory: Path) -> Usage:
        return Usage(free_bytes=self.free_bytes, total_bytes=1000 * GB, is_read_only=False)


def facts(database: Database) -> list[VolumeStateChanged | HeldRecordingsFill]:
    with database.read() as connection:
        stated = [one.fact for one in read_facts(connection, after=0) if isinstance(one, Stated)]
    return [one for one in stated if isinstance(one, VolumeStateChanged | HeldRecordingsFill)]


def test_a_change_is_stated_once_and_back_again(database: Database, tmp_path: Path) -> None:
    volumes = Volumes.at(tmp_path / "a", tmp_path / "b")
    watch = VolumeWatch(database, volumes, reserve_bytes=10 * GB, calls=RoomyCalls(500 * GB))
    assert [one.state for one in watch.run_once(NOW)] == [VolumeState.OK, VolumeState.OK]
    (tmp_path / "a" / MARKER).rename(tmp_path / "away")
    for second in (3, 6):
        gone = watch.run_once(NOW + timedelta(seconds=second))
    assert [(one.state, one.since) for one in gone] == [
        (VolumeState.GONE, NOW + timedelta(seconds=3)),
        (VolumeState.OK, NOW),
    ]
    (tmp_path / "away").rename(tmp_path / "a" / MARKER)
    watch.run_once(NOW + timedelta(seconds=9))
    said = [(one.state, one.before) for one in facts(database) if isinstance(one, VolumeStateChanged)]
    assert said == [("gone", "ok"), ("ok", "gone")]


def test_the_worst_word_of_the_recorders_counts_while_it_is_fresh(database: Database, tmp_path: Path) -> None:
    volumes = Volumes.at(tmp_path / "a")
    (volume,) = volumes.list_volumes()
    with database.begin() as connection:
        for slot, state in (("recorder-1", "ok"), ("recorder-2", "slow")):
            word = {volume.id: {"state": state, "free_bytes": 5, "total_bytes": 9}}
            status = RecorderStatus(slot=slot, pid=1, started_at=NOW, seen_at=NOW, status={"volumes": word})
            put_recorder_status(connection, status)
    watch = VolumeWatch(database, volumes, reserve_bytes=0, calls=RoomyCalls(500 * GB))
    assert [one.state for one in watch.run_once(NOW)] == [VolumeState.SLOW]
    assert [one.state for one in watch.run_once(NOW + timedelta(minutes=1))] == [VolumeState.OK]


def test_held_recordings_that_fill_a_disk_are_a_warning_of_their_own(database: Database, tmp_path: Path) -> None:
    volumes = Volumes.at(tmp_path / "a")
    (volume,) = volumes.list_volumes()
    rows = [replace(segment("cam_a", n, size_bytes=GB), volume=volume.id, is_held=n > 8) for n in range(1, 40)]
    with database.begin() as connection:
        put_segments(connection, rows)
    watch = VolumeWatch(database, volumes, reserve_bytes=10 * GB, calls=RoomyCalls(20 * GB))
    (status,) = watch.run_once(NOW)
    assert (status.used_bytes, status.held_bytes, status.is_held_full) == (39 * GB, 31 * GB, True)
    assert status.hours_left == hours_left(20 * GB, reserve_bytes=10 * GB, write_bps=status.write_bps)
    watch.run_once(NOW + timedelta(seconds=3))
    assert [type(one) for one in facts(database)] == [HeldRecordingsFill]


def test_the_rules_of_room() -> None:
    assert room_state(free_bytes=100 * GB, total_bytes=1000 * GB, reserve_bytes=2 * GB) is VolumeState.OK
    assert room_state(free_bytes=GB // 2, total_bytes=1000 * GB, reserve_bytes=2 * GB) is VolumeState.FILLING
    assert room_state(free_bytes=10 * MB, total_bytes=1000 * GB, reserve_bytes=2 * GB) is VolumeState.FULL
    assert room_state(free_bytes=10 * MB, total_bytes=100 * MB, reserve_bytes=0) is VolumeState.OK, "a small disk"
    assert hours_left(100 * GB, reserve_bytes=10 * GB, write_bps=0) is None
    assert hours_left(100 * GB, reserve_bytes=10 * GB, write_bps=200_000_000) == 1.0
    room = {"free_bytes": 10 * GB, "reserve_bytes": 2 * GB, "write_bps": 10_000_000}
    assert held_fills(used_bytes=100 * GB, held_bytes=90 * GB, **room)
    assert not held_fills(used_bytes=1000 * GB, held_bytes=600 * GB, **room)
    assert not held_fills(used_bytes=100 * GB, held_bytes=0, **room)


class Shelves:
    """Two volumes with recordings, and disks whose room is told."""

    def __init__(self, database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.database = database
        self.volumes = Volumes.at(folder / "a", folder / "b")
        self.free = {folder / "a": 100 * MB, folder / "b": 100 * MB}
        monkeypatch.setattr(retention.shutil, "disk_usage", self._usage)

    def _usage(self, directory: Path) -> object:
        there = list(directory.rglob("*.mp4"))
        return shutil._ntuple_diskusage(0, 0, self.free[directory] - MB * len(there))  # type: ignore[attr-defined]

    def put(self, at: int, *rows: Segment) -> list[Segment]:
        volume = self.volumes.list_volumes()[at]
        rows = tuple(replace(row, volume=volume.id) for row in rows)
        with self.database.begin() as connection:
            put_segments(connection, rows)
        for row in rows:
            path = volume.directory / row.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
        return list(rows)

    def keeper(self, **settings: float) -> Keeper:
        return Keeper(self.database, VideoSettings.model_validate(settings), volumes=self.volumes)

    def left(self) -> set[str]:
        with self.database.read() as connection:
            return {row.path for row in store.list_oldest(connection, limit=1000)}


def test_each_volume_frees_its_own_reserve_oldest_first(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelves = Shelves(database, tmp_path, monkeypatch)
    old = shelves.put(0, *[segment("cam_old", 500 - n) for n in range(3)])
    young = shelves.put(1, *[segment("cam_young", 400 - n) for n in range(4)])
    shelves.free[tmp_path / "b"] = 12 * MB  # 8 MB are left there
    summary = shelves.keeper(reserve_gb=0.010).run_once(NOW)
    assert summary.deleted_by_disk == 2
    assert shelves.left() == {row.path for row in [*old, *young[2:]]}, "what is older elsewhere frees nothing here"


def test_the_budget_takes_the_oldest_of_any_volume_and_a_disk_that_is_away_keeps_its_rows(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelves = Shelves(database, tmp_path, monkeypatch)
    old = shelves.put(0, *[segment("cam_old", 50_000 - n) for n in range(3)])
    young = shelves.put(1, *[segment("cam_young", 400 - n) for n in range(4)])
    (tmp_path / "a" / MARKER).rename(tmp_path / "marker")
    summary = shelves.keeper(reserve_gb=0, disk_gb=0.005, retention_days=1).run_once(NOW)
    assert (summary.deleted_by_age, summary.deleted_by_disk) == (0, 2)
    assert shelves.left() == {row.path for row in [*old, *young[2:]]}
    (tmp_path / "marker").rename(tmp_path / "a" / MARKER)
    assert shelves.keeper(reserve_gb=0, disk_gb=0.005, retention_days=1).run_once(NOW).deleted_by_age == 3


@pytest.mark.parametrize(("said", "spins"), [("1", True), ("0", False), (None, None)])
def test_the_rhythm_follows_the_kind_of_the_disk(tmp_path: Path, said: str | None, spins: bool | None) -> None:
    number = tmp_path.stat().st_dev
    disk = tmp_path / "sys" / "sda"
    partition = disk / "sda1"
    partition.mkdir(parents=True)
    names = tmp_path / "sys" / "block"
    names.mkdir()
    (names / f"{number >> 8 & 0xFFF}:{number & 0xFF}").symlink_to(partition)
    if said is not None:
        (disk / "queue").mkdir()
        (disk / "queue" / "rotational").write_text(said + "\n")
    assert is_spinning(tmp_path, sys_block=names) is spins
    auto, chosen = VideoSettings(), VideoSettings(sync_every_s=0.4)
    assert sync_every_s(auto, spins=spins) == (0.6 if spins else 0.2)
    assert sync_every_s(chosen, spins=spins) == 0.4


def test_the_table_knows_only_the_volumes_there_are(database: Database, tmp_path: Path) -> None:
    VolumeWatch(database, Volumes.at(tmp_path / "a"), reserve_bytes=0).run_once(NOW)
    VolumeWatch(database, Volumes.at(tmp_path / "b"), reserve_bytes=0).run_once(NOW)
    with database.read() as connection:
        assert connection.execute(sa.text("SELECT directory FROM volumes")).scalars().all() == [str(tmp_path / "b")]

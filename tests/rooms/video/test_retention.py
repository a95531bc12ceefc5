"""Retention: what goes, in which order, and what a crash in between leaves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.events.store import Stated, read_facts
from safecity.events.video import UncopiedDeleted
from safecity.platform.database import Database
from safecity.platform.settings import VideoSettings
from safecity.sites.model import CameraId
from safecity.video import store
from safecity.video.copies.model import Copy, CopyState, Protection, key_of
from safecity.video.copies.store import put_copies
from safecity.video.model import Segment, SegmentState, Stream
from safecity.video.retention import AgeTrust, DiskUse, Keeper, choose_for_space, excess_bytes
from safecity.video.volumes import Volumes

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
MB = 1_000_000


def segment(camera: str, minutes_ago: int, *, size_bytes: int = MB) -> Segment:
    start = NOW - timedelta(minutes=minutes_ago)
    return Segment(
        camera=CameraId(camera),
        stream=Stream.MAIN,
        started_at=start,
        durable_until=start + timedelta(seconds=60),
        state=SegmentState.CLOSED,
        path=f"{camera}/main/{start:%Y-%m-%d}/{start:%H%M%S}000Z-t-1.mp4",
        session="t-1",
        size_bytes=size_bytes,
        fragments=60,
        codec="h264",
        codec_string="avc1.42E01F",
        width_px=640,
        height_px=360,
        rate_ppb=0,
        line_error_us=0,
        camera_offset_us=None,
        root="00" * 32,
        previous_root=None,
        is_held=False,
        writer="recorder-1",
    )


class Shelf:
    """A media folder with files for its rows."""

    def __init__(self, database: Database, folder: Path, rows: list[Segment]) -> None:
        self.database = database
        self.folder = folder
        with database.begin() as connection:
            store.put_segments(connection, rows)
        for row in rows:
            path = folder / row.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")

    def keeper(self, **settings: float) -> Keeper:
        chosen = VideoSettings.model_validate({"reserve_gb": 0.0} | settings)
        return Keeper(self.database, chosen, volumes=Volumes.at(self.folder))

    def files(self) -> set[str]:
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*.mp4")}

    def told(self) -> list[UncopiedDeleted]:
        with self.database.read() as connection:
            stated = [one.fact for one in read_facts(connection, after=0) if isinstance(one, Stated)]
        return [fact for fact in stated if isinstance(fact, UncopiedDeleted)]

    def rows(self) -> set[str]:
        with self.database.read() as connection:
            return {row.path for row in store.list_oldest(connection, limit=1000)}


def test_what_is_too_old_goes_with_its_empty_day(database: Database, tmp_path: Path) -> None:
    old, young = segment("cam_a", 3 * 24 * 60), segment("cam_a", 5)
    shelf = Shelf(database, tmp_path, [old, young])
    summary = shelf.keeper(retention_days=2.0).run_once(NOW)
    assert (summary.deleted_by_age, summary.deleted_by_disk, summary.freed_bytes) == (1, 0, MB)
    assert shelf.files() == shelf.rows() == {young.path}
    assert not (tmp_path / old.path).parent.exists()


def test_the_disk_takes_the_oldest_of_all_cameras_first(database: Database, tmp_path: Path) -> None:
    rows = [segment("cam_a", 60), segment("cam_b", 50), segment("cam_a", 40), segment("cam_b", 30)]
    shelf = Shelf(database, tmp_path, rows)
    summary = shelf.keeper(disk_gb=0.0025).run_once(NOW)
    assert (summary.deleted_by_disk, summary.short_bytes) == (2, 0)
    assert shelf.files() == {rows[2].path, rows[3].path}


def test_held_and_open_segments_stay_though_the_disk_is_short(database: Database, tmp_path: Path) -> None:
    held, opened, plain = segment("cam_a", 60), segment("cam_b", 50), segment("cam_c", 40)
    shelf = Shelf(database, tmp_path, [replace(held, is_held=True), replace(opened, state=SegmentState.OPEN), plain])
    summary = shelf.keeper(disk_gb=0.000001).run_once(NOW)
    assert shelf.files() == {held.path, opened.path}
    assert summary.deleted_by_disk == 1
    assert summary.short_bytes == 2 * MB - 1000


def test_a_disk_that_others_fill_does_not_take_the_last_hour(database: Database, tmp_path: Path) -> None:
    old, young = segment("cam_a", 90), segment("cam_b", 30)
    shelf = Shelf(database, tmp_path, [old, young])
    summary = shelf.keeper(reserve_gb=100_000.0).run_once(NOW)
    assert shelf.files() == {young.path}
    assert summary.deleted_by_disk == 1
    assert summary.short_bytes > 0


@pytest.mark.parametrize("crash", ["before_unlink", "before_drop"])
def test_a_deletion_that_was_interrupted_is_finished(database: Database, tmp_path: Path, crash: str) -> None:
    row = segment("cam_a", 60)
    shelf = Shelf(database, tmp_path, [row])
    with database.begin() as connection:
        assert store.mark_deleting(connection, [row]) == [row]
    if crash == "before_drop":
        (tmp_path / row.path).unlink()
    summary = shelf.keeper().run_once(NOW)
    assert summary.finished == 1
    assert shelf.files() == set()
    with database.read() as connection:
        assert store.list_deleting(connection, limit=9) == []


def test_a_run_with_nothing_to_do_does_nothing(database: Database, tmp_path: Path) -> None:
    shelf = Shelf(database, tmp_path, [segment("cam_a", 5)])
    summary = shelf.keeper(disk_gb=1.0).run_once(NOW)
    assert (summary.deleted_by_age, summary.deleted_by_disk, summary.finished, summary.is_done) == (0, 0, 0, True)


sizes = st.integers(min_value=0, max_value=10**12)


@given(used=sizes, free=sizes, budget=st.none() | sizes, reserve=sizes)
def test_freeing_the_excess_meets_both_limits(used: int, free: int, budget: int | None, reserve: int) -> None:
    excess = excess_bytes(DiskUse(used_bytes=used, free_bytes=free), budget_bytes=budget, reserve_bytes=reserve)
    assert budget is None or used - excess <= budget
    assert free + excess >= reserve
    assert excess == 0 or used - (excess - 1) > (used if budget is None else budget) or free + excess - 1 < reserve


@given(lengths=st.lists(st.integers(min_value=1, max_value=10**9), max_size=30), excess=sizes)
def test_the_choice_is_the_shortest_run_of_oldest_that_frees_enough(lengths: list[int], excess: int) -> None:
    rows = [segment("cam_a", 100 - at, size_bytes=size) for at, size in enumerate(lengths)]
    chosen = choose_for_space(rows, excess=excess)
    assert chosen == rows[: len(chosen)]
    freed = sum(row.size_bytes for row in chosen)
    assert freed >= excess or chosen == rows
    assert not chosen or freed - chosen[-1].size_bytes < excess


def test_a_clock_that_jumps_ahead_takes_no_recording_with_it() -> None:
    trust = AgeTrust(NOW, monotonic_s=100.0)
    assert trust.allows(NOW + timedelta(seconds=10), monotonic_s=110.0)
    wrong = NOW + timedelta(days=40)
    assert not trust.allows(wrong, monotonic_s=120.0)
    assert not trust.allows(wrong + timedelta(hours=23), monotonic_s=120.0 + 23 * 3600)
    assert trust.allows(wrong + timedelta(hours=24), monotonic_s=120.0 + 24 * 3600), "it is meant so"


def test_a_clock_that_was_put_right_is_believed_again() -> None:
    trust = AgeTrust(NOW, monotonic_s=0.0)
    assert not trust.allows(NOW + timedelta(days=40), monotonic_s=10.0)
    assert trust.allows(NOW + timedelta(seconds=20), monotonic_s=20.0)


def test_without_trust_in_the_clock_nothing_goes_by_age_but_by_disk(database: Database, tmp_path: Path) -> None:
    rows = [segment("cam_a", 4 * 24 * 60), segment("cam_a", 3 * 24 * 60)]
    shelf = Shelf(database, tmp_path, rows)
    summary = shelf.keeper(retention_days=2.0, disk_gb=0.001).run_once(NOW, by_age=False)
    assert (summary.deleted_by_age, summary.deleted_by_disk) == (0, 1)
    assert shelf.files() == {rows[1].path}


class Copied(Shelf):
    """A shelf with a place that is given everything."""

    def keeper(self, **settings: float) -> Keeper:
        place = {"name": "vault", "kind": "directory", "place": str(self.folder / "vault"), "days": 60}
        chosen = VideoSettings.model_validate({"reserve_gb": 0.0, "copies": [place]} | settings)
        return Keeper(self.database, chosen, volumes=Volumes.at(self.folder))

    def copy(self, row: Segment) -> None:
        made = Copy(
            target="vault",
            camera=row.camera,
            stream=row.stream,
            started_at=row.started_at,
            durable_until=row.durable_until,
            key=key_of(row.path, row.root or ""),
            version=None,
            root=row.root or "",
            size_bytes=row.size_bytes,
            state=CopyState.COPIED,
            protection=Protection.NONE,
            is_held=False,
            copied_at=NOW,
            lag_s=1.0,
            verified_at=None,
        )
        with self.database.begin() as connection:
            put_copies(connection, [made])


def test_what_is_not_copied_yet_waits_for_its_copy_though_it_is_old(database: Database, tmp_path: Path) -> None:
    copied, owed = segment("cam_a", 3 * 24 * 60), segment("cam_a", 2 * 24 * 60 + 5)
    shelf = Copied(database, tmp_path, [copied, owed])
    shelf.copy(copied)
    assert shelf.keeper(retention_days=1.0).run_once(NOW).deleted_by_age == 1
    assert shelf.files() == {owed.path}
    later = NOW + timedelta(days=60)  # by now the place would not keep it either
    assert shelf.keeper(retention_days=1.0).run_once(later).deleted_by_age == 1


def test_a_full_disk_takes_what_is_copied_first_then_the_rest_and_tells(database: Database, tmp_path: Path) -> None:
    owed, copied = segment("cam_a", 60), segment("cam_a", 50)
    shelf = Copied(database, tmp_path, [owed, copied])
    shelf.copy(copied)
    shelf.keeper(disk_gb=0.001).run_once(NOW)
    assert shelf.files() == {owed.path}
    assert shelf.told() == []
    shelf.keeper(disk_gb=0.0001).run_once(NOW)
    assert shelf.files() == set()
    assert [fact.segments for fact in shelf.told()] == [1]

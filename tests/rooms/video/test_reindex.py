"""Recordings that the index does not know are found by the keeper, whatever became of the database."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from safecity.events import read_facts
from safecity.platform.database import Database
from safecity.video import reindex, store
from safecity.video.model import Segment, SegmentState, Stream
from safecity.video.recovery import DAMAGED_SUFFIX, recover_stream
from safecity.video.reindex import SETTLED_AFTER, Reindexer
from safecity.video.volumes import Volumes
from tests.databases import make_sqlite
from tests.rooms.video.paper import KEY, START, header_of, record_to_disk

LATER = START + timedelta(days=3)


@pytest.fixture(scope="module")
def shelf(clips_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Segment]]:
    """Three recorded segments with their rows."""
    folder = tmp_path_factory.mktemp("media")
    rows, disk = record_to_disk(folder, header_of(clips_dir / "intel_car_detection.mp4"), 10)
    assert disk.stop()
    return folder, [row for row in rows if row.state is SegmentState.CLOSED]


@pytest.fixture
def media(shelf: tuple[Path, list[Segment]], tmp_path: Path) -> Path:
    copy = Path(shutil.copytree(shelf[0], tmp_path / "media"))
    for path in copy.rglob("*.mp4"):
        os.utime(path, (START.timestamp(), START.timestamp()))
    return copy


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = make_sqlite(tmp_path / "index.db")
    yield opened
    opened.close()


def listed(database: Database) -> list[Segment]:
    with database.read() as connection:
        return store.list_segments(connection, *KEY, from_at=START - timedelta(days=1), to_at=START + timedelta(days=1))


def test_a_lost_index_is_made_again_from_the_files(
    media: Path, database: Database, shelf: tuple[Path, list[Segment]]
) -> None:
    keeper = Reindexer(database, volumes=Volumes.at(media))
    assert keeper.run_once(LATER) == 3
    assert listed(database) == shelf[1]
    assert keeper.run_once(LATER) == 0
    with database.read() as connection:
        facts = [one.fact.type for one in read_facts(connection, after=0) if not isinstance(one, Exception)]
    assert facts == ["video.segment_recovered"] * 3


def test_what_the_mailbox_dropped_is_found_though_newer_rows_are_there(
    media: Path, database: Database, shelf: tuple[Path, list[Segment]]
) -> None:
    rows = shelf[1]
    held = replace(rows[2], is_held=True)
    with database.begin() as connection:
        store.put_segments(connection, [held])
    assert recover_stream(Volumes.at(media), KEY, known=[held], writer="recorder-1").restored == ()
    assert Reindexer(database, volumes=Volumes.at(media)).run_once(LATER) == 2
    assert listed(database) == [rows[0], rows[1], held]


def test_what_is_being_written_deleted_or_young_is_left_alone(
    media: Path, database: Database, shelf: tuple[Path, list[Segment]]
) -> None:
    rows = shelf[1]
    with database.begin() as connection:
        store.put_segments(connection, [rows[0]])
        assert store.mark_deleting(connection, [rows[0]])
    os.utime(media / rows[1].path, (LATER.timestamp(), LATER.timestamp()))
    with (media / rows[2].path).open("rb") as writing:
        fcntl.flock(writing.fileno(), fcntl.LOCK_EX)
        assert Reindexer(database, volumes=Volumes.at(media)).run_once(LATER + SETTLED_AFTER / 2) == 0
    assert listed(database) == []


def test_one_run_reads_no_more_than_its_share(
    media: Path, database: Database, shelf: tuple[Path, list[Segment]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reindex, "BYTES_A_RUN", 1)
    keeper = Reindexer(database, volumes=Volumes.at(media))
    assert [keeper.run_once(LATER) for _ in range(4)] == [1, 1, 1, 0]
    assert listed(database) == shelf[1]


def test_rubbish_is_set_aside_and_strangers_files_are_not_touched(media: Path, database: Database) -> None:
    shutil.rmtree(media / KEY[0])
    day = media / KEY[0] / Stream.MAIN.value / "2026-03-01"
    day.mkdir(parents=True)
    for path in (day / "100000000Z-x-1.mp4", day / "notes.txt"):
        path.write_bytes(b"no recording")
        os.utime(path, (START.timestamp(), START.timestamp()))
    assert Reindexer(database, volumes=Volumes.at(media)).run_once(LATER) == 0
    assert sorted(path.name for path in day.iterdir()) == ["100000000Z-x-1.mp4" + DAMAGED_SUFFIX, "notes.txt"]


def test_a_file_that_the_disk_does_not_give_keeps_no_camera_from_being_recorded(
    media: Path, shelf: tuple[Path, list[Segment]]
) -> None:
    rows = shelf[1]
    (media / rows[2].path).unlink()
    (media / rows[2].path).mkdir()  # opening it fails with an OSError, for root too
    found = recover_stream(Volumes.at(media), KEY, known=[rows[0]], writer="recorder-1")
    assert [one.row for one in found.restored] == [rows[1]]
    assert found.set_aside == ()


def test_a_damaged_time_is_set_aside_and_keeps_no_camera_from_being_recorded(
    media: Path, shelf: tuple[Path, list[Segment]]
) -> None:
    rows = shelf[1]
    path = media / rows[2].path
    raw = bytearray(path.read_bytes())
    at = bytes(raw).rindex(b"tfdt") + 8  # behind version and flags: the 64-bit decode time of the last fragment
    raw[at] = 0x7F
    path.write_bytes(raw)
    found = recover_stream(Volumes.at(media), KEY, known=[rows[1]], writer="recorder-1")
    assert [one.path for one in found.set_aside] == [rows[2].path]
    assert path.with_name(path.name + DAMAGED_SUFFIX).read_bytes() == raw

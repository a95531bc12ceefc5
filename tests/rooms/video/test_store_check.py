"""`store check` finds every damage, blames nothing that is whole, and goes on where it stopped."""

import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from safecity.platform.clock import VirtualClock
from safecity.sites.model import CameraId
from safecity.video import check_store, store
from safecity.video.file_verify import FILE_FLAWS, Flaw
from safecity.video.model import Cause, Origin, Outage, Segment, SegmentState
from safecity.video.store_check import CheckPlan, CheckReport, StoreCheck
from safecity.video.tables import segments, stream_days
from safecity.video.volumes import Volumes
from tests.databases import make_sqlite
from tests.rooms.video.paper import KEY, START, header_of, record_to_disk

Shelf = tuple[Path, list[Segment]]
DAMAGES = 300


@pytest.fixture(scope="module")
def shelf(clips_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Ten recorded segments with their rows."""
    folder = tmp_path_factory.mktemp("media")
    rows, disk = record_to_disk(folder, header_of(clips_dir / "intel_car_detection.mp4"), 40)
    assert disk.stop()
    return folder, [row for row in rows if row.state is SegmentState.CLOSED]


class Desk:
    """A copy of the shelf with its index, and somebody who checks it."""

    def __init__(self, shelf: Shelf, folder: Path) -> None:
        self.media = Path(shutil.copytree(shelf[0], folder / "media"))
        for path in self.media.rglob("*.mp4"):
            os.utime(path, (START.timestamp(), START.timestamp()))
        self.volumes = Volumes.at(self.media)
        self.database = make_sqlite(folder / "index.db")
        self.rows = shelf[1]
        self.clock = VirtualClock(START + timedelta(days=3))
        self.put(*self.rows)

    def put(self, *rows: Segment) -> None:
        with self.database.begin() as connection:
            store.put_segments(connection, rows)

    def forget(self, *rows: Segment) -> None:
        with self.database.begin() as connection:
            for row in rows:
                connection.execute(segments.delete().where(segments.c.started_at == row.started_at))

    def check(self, **plan: object) -> CheckReport:
        return StoreCheck(self.database, self.volumes, clock=self.clock).run(CheckPlan(**plan))  # type: ignore[arg-type]

    def kinds(self, **plan: object) -> dict[Flaw, int]:
        return dict(self.check(**plan).counts)

    def standing(self) -> set[tuple[Flaw, str | None]]:
        with self.database.read() as connection:
            return {(one.kind, one.path) for one in check_store.list_findings(connection, limit=100)}


@pytest.fixture
def desk(shelf: Shelf, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(shelf, tmp_path)
    yield made
    made.database.close()


def test_what_is_whole_is_clean_and_counted(desk: Desk) -> None:
    found = desk.check()
    assert (found.days, found.segments, found.left, dict(found.counts)) == (1, len(desk.rows), 0, {})
    assert found.read_bytes == sum(row.size_bytes for row in desk.rows)


def _damage(raw: bytes, chance: random.Random) -> bytes:
    """A file with something wrong in it, somewhere."""
    at = chance.randrange(len(raw))
    length = min(len(raw) - at, chance.choice([1, 1, 1, 2, 16, 512, 4096]))
    match chance.choice(["flip", "zero", "noise", "cut", "drop", "insert", "append", "swap"]):
        case "flip":
            return raw[:at] + bytes([raw[at] ^ 1 << chance.randrange(8)]) + raw[at + 1 :]
        case "zero":
            return raw[:at] + bytes(length) + raw[at + length :]
        case "noise":
            return raw[:at] + chance.randbytes(length) + raw[at + length :]
        case "cut":
            return raw[:at]
        case "drop":
            return raw[:at] + raw[at + length :]
        case "insert":
            return raw[:at] + chance.randbytes(length) + raw[at:]
        case "append":
            return raw + chance.randbytes(length)
        case _:
            return raw[at:] + raw[:at]


def test_every_random_damage_is_found(desk: Desk) -> None:
    """Bits flipped, stretches zeroed, cut, dropped, put in; whole files deleted, emptied, exchanged: all of them."""
    chance = random.Random(20261201)
    done = 0
    while done < DAMAGES:
        originals = {row.path: (desk.media / row.path).read_bytes() for row in desk.rows}
        hurt = chance.sample(desk.rows, chance.randint(1, len(desk.rows)))
        wrong: set[str] = set()
        for row in hurt:
            path, raw = desk.media / row.path, originals[row.path]
            if chance.random() < 0.05:
                path.unlink()
            else:
                other = originals[chance.choice(desk.rows).path]
                made = other if chance.random() < 0.05 else _damage(raw, chance)
                path.write_bytes(made)
                if made == raw:
                    continue
            wrong.add(row.path)
        found = desk.check()
        assert {one.path for one in found.findings if one.kind in FILE_FLAWS} == wrong
        assert {path for _, path in desk.standing()} == wrong
        done += len(wrong)
        for path, raw in originals.items():
            (desk.media / path).write_bytes(raw)
        if done < DAMAGES // 10:
            assert desk.kinds() == {}
            assert desk.standing() == set(), "what was mended stands no more"


def test_what_index_and_files_do_not_both_know_is_found(desk: Desk) -> None:
    (desk.media / desk.rows[1].path).unlink()
    desk.forget(desk.rows[4])
    found = desk.check()
    assert {(one.kind, one.path) for one in found.findings} == {
        (Flaw.MISSING, desk.rows[1].path),
        (Flaw.UNKNOWN, desk.rows[4].path),
        (Flaw.CHAIN, desk.rows[5].path),
        (Flaw.HOLE, None),
    }
    assert found.totals_corrected == 1


def test_holes_are_found_unless_an_outage_or_the_policy_explains_them(desk: Desk) -> None:
    gone = desk.rows[4]
    desk.forget(gone)
    (desk.media / gone.path).unlink()
    hole = Outage(
        id="o", camera=KEY[0], stream=KEY[1], from_at=gone.started_at, to_at=gone.durable_until, cause=Cause.DISK,
        detail="said",
    )  # fmt: skip
    assert desk.kinds() == {Flaw.CHAIN: 1, Flaw.HOLE: 1}
    with desk.database.begin() as connection:
        store.put_outages(connection, [hole])
    assert desk.kinds() == {Flaw.CHAIN: 1}, "that it names a root which is not there stays"
    with desk.database.begin() as connection:
        connection.execute(store.outages.delete())
        row = {"camera": KEY[0], "stream": KEY[1].value, "deleted_until": gone.durable_until}
        connection.execute(store.deletions.insert(), [row])
    assert desk.kinds() == {}


def test_rows_that_lie_are_found(desk: Desk) -> None:
    row, second = desk.rows[3], timedelta(seconds=1)
    desk.put(replace(row, durable_until=row.durable_until + second))
    assert desk.kinds() == {Flaw.TIMES: 1, Flaw.OVERLAP: 1}
    desk.put(replace(row, root="0" * 64))
    assert desk.kinds() == {Flaw.ROOT: 1, Flaw.CHAIN: 1}
    desk.put(replace(row, origin=Origin.EDGE))
    assert desk.kinds() == {}, "what an edge sent afterwards has a chain of its own"
    desk.put(row)
    endless = Outage(
        id="o", camera=KEY[0], stream=KEY[1], from_at=desk.rows[0].started_at, to_at=None, cause=Cause.LINK, detail="x"
    )
    with desk.database.begin() as connection:
        store.put_outages(connection, [endless])
        connection.execute(
            segments.update()
            .where(segments.c.started_at == desk.rows[-1].started_at)
            .values(durable_until=desk.rows[-1].durable_until + timedelta(minutes=2))
        )
    assert desk.kinds() == {Flaw.ENDLESS: 1, Flaw.TIMES: 1}


def test_it_goes_on_where_it_stopped_and_takes_the_longest_unverified_first(desk: Desk) -> None:
    first = desk.check(max_segments=1)
    assert (first.segments, first.days, first.left) == (len(desk.rows), 0, 1), "one batch is the least"
    again = desk.check(verified_within=timedelta(days=30))
    assert (again.segments, again.days) == (0, 1)
    assert desk.check(verified_within=timedelta(days=30)).segments == 0
    desk.clock.advance(31 * 86_400)
    assert desk.check(verified_within=timedelta(days=30)).segments == len(desk.rows)
    assert desk.check(cameras=frozenset({CameraId("cam_other")})).segments == 0
    assert desk.check(since=date(2026, 3, 2)).segments == 0


def test_a_run_that_is_cut_off_loses_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safecity.video.store_check.BATCH", 3)
    (desk.media / desk.rows[0].path).unlink()
    (desk.media / desk.rows[-1].path).unlink()
    seen = [desk.check(max_segments=3, verified_within=timedelta(days=30)) for _ in range(5)]
    assert sum(one.segments for one in seen) == len(desk.rows)
    assert [one.days for one in seen].count(1) == 1
    assert desk.standing() == {(Flaw.MISSING, desk.rows[0].path), (Flaw.MISSING, desk.rows[-1].path)}


def test_a_day_that_is_being_recorded_is_checked_as_far_as_it_is_durable(desk: Desk) -> None:
    desk.clock = VirtualClock(desk.rows[-1].durable_until + timedelta(seconds=1))
    last = desk.rows[-1]
    desk.forget(last)
    desk.put(replace(last, state=SegmentState.OPEN, root=None))
    found = desk.check()
    assert (found.segments, found.days, dict(found.counts)) == (len(desk.rows), 0, {})
    desk.put(last)
    again = desk.check()
    assert again.segments == 1, "only what is new"


def test_a_disk_that_is_away_is_no_damage(desk: Desk) -> None:
    shutil.move(desk.media, desk.media.with_name("elsewhere"))
    found = desk.check()
    assert (found.away, dict(found.counts)) == (len(desk.rows), {})


def test_a_root_that_a_rebuild_left_open_is_filled(desk: Desk) -> None:
    with desk.database.begin() as connection:
        connection.execute(segments.update().values(root=None))
        connection.execute(stream_days.update().values(segments=1))
    found = desk.check()
    assert (found.roots_filled, found.totals_corrected) == (len(desk.rows), 1)
    with desk.database.read() as connection:
        rows = store.list_segments(connection, *KEY, from_at=START - timedelta(1), to_at=START + timedelta(1))
    assert rows == desk.rows

"""The index from the files alone: the same rows again, quickly where that is safe; and what mending puts right."""

import fcntl
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from safecity.app.cli import make_app
from safecity.video import quick_rows, store
from safecity.video.file_verify import Flaw
from safecity.video.model import Cause, Outage, Segment
from safecity.video.store_mend import mend
from safecity.video.store_rebuild import Rebuild, RebuildReport
from safecity.video.tables import segments, stream_days
from safecity.video.totals import read_totals
from tests.rooms.video.paper import KEY, START
from tests.rooms.video.rig import Installation, VirtualCameras, wait_until
from tests.rooms.video.test_store_check import Desk, Shelf, shelf

__all__ = ["shelf"]


@pytest.fixture
def desk(shelf: Shelf, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(shelf, tmp_path)
    yield made
    made.database.close()


def lose_the_index(desk: Desk) -> None:
    with desk.database.begin() as connection:
        connection.execute(segments.delete())
        connection.execute(stream_days.delete())


def rebuild(desk: Desk) -> RebuildReport:
    return Rebuild(desk.database, desk.volumes).run(lambda done, of: None)


def listed(desk: Desk) -> list[Segment]:
    with desk.database.read() as connection:
        return store.list_segments(connection, *KEY, from_at=START - timedelta(1), to_at=START + timedelta(1))


def test_a_lost_index_is_made_again_by_headers_but_for_the_newest(desk: Desk) -> None:
    with desk.database.read() as connection:
        totals = read_totals(connection)
    lose_the_index(desk)
    found = rebuild(desk)
    assert (found.segments, found.by_headers, found.left) == (len(desk.rows), len(desk.rows) - 1, 0)
    assert listed(desk) == desk.rows
    with desk.database.read() as connection:
        assert read_totals(connection) == totals
    assert rebuild(desk).segments == 0
    assert desk.kinds() == {}


def test_rows_that_are_there_stay_with_their_marks(desk: Desk) -> None:
    held = replace(desk.rows[4], is_held=True)
    lose_the_index(desk)
    desk.put(held)
    assert rebuild(desk).known == 1
    assert listed(desk) == [*desk.rows[:4], held, *desk.rows[5:]]


def test_a_file_that_a_crash_cut_short_goes_the_careful_way(desk: Desk) -> None:
    lose_the_index(desk)
    path = desk.media / desk.rows[3].path
    path.write_bytes(path.read_bytes()[:-10])
    found = rebuild(desk)
    assert found.segments == len(desk.rows)
    rows = listed(desk)
    assert rows[3].size_bytes == path.stat().st_size < desk.rows[3].size_bytes
    assert [row for row in rows if row.started_at != rows[3].started_at] == [*desk.rows[:3], *desk.rows[4:]]
    # The one after it names the root of the whole segment: that something is gone is not hidden.
    assert desk.kinds() == {Flaw.CHAIN: 1, Flaw.HOLE: 1}


def test_a_root_is_taken_only_where_nothing_can_have_stood_between(desk: Desk) -> None:
    """A damaged byte does not become the truth: the root is the one that was stated when it was recorded."""
    lose_the_index(desk)
    (desk.media / desk.rows[2].path).unlink()
    path = desk.media / desk.rows[5].path
    raw = bytearray(path.read_bytes())
    raw[-3] ^= 1
    path.write_bytes(raw)
    found = rebuild(desk)
    assert found.by_headers == len(desk.rows) - 3  # the deleted one, the one before it, and the newest
    assert listed(desk) == [*desk.rows[:2], *desk.rows[3:]]
    assert desk.kinds()[Flaw.ROOT] == 1


def test_what_is_still_written_is_left_alone(desk: Desk) -> None:
    lose_the_index(desk)
    with (desk.media / desk.rows[-1].path).open("rb") as writing:
        fcntl.flock(writing.fileno(), fcntl.LOCK_EX)
        found = rebuild(desk)
    assert (found.segments, found.left) == (len(desk.rows) - 1, 1)


def test_letters_in_pictures_are_not_taken_for_boxes(desk: Desk) -> None:
    row = desk.rows[1]
    path = desk.media / row.path
    raw = path.read_bytes()
    made = quick_rows.read_quickly(path, row.path, key=KEY, writer="x")
    assert made == replace(row, root=None, volume=None)
    fake = raw[:-40] + b"\x00\x00\x00\x20moof" + raw[-32:]
    path.write_bytes(fake)
    assert quick_rows.read_quickly(path, row.path, key=KEY, writer="x") == made


def test_mending_makes_rows_from_files_ends_outages_and_takes_copies(desk: Desk, tmp_path: Path) -> None:
    copies = Path(shutil.copytree(desk.media, tmp_path / "copies"))
    row = desk.rows
    desk.forget(row[2])
    desk.put(replace(row[4], durable_until=row[4].durable_until - timedelta(seconds=1)))
    (desk.media / row[6].path).unlink()
    (desk.media / row[7].path).write_bytes((copies / row[7].path).read_bytes()[::-1])
    (desk.media / row[8].path).write_bytes(b"rotten")
    outage = Outage(
        id="o",
        camera=KEY[0],
        stream=KEY[1],
        from_at=START - timedelta(hours=1),
        to_at=None,
        cause=Cause.LINK,
        detail="",
    )
    with desk.database.begin() as connection:
        store.put_outages(connection, [outage])

    def refill(wanted: Segment) -> bool:
        if wanted == row[8]:
            return False
        shutil.copy(copies / wanted.path, desk.media / wanted.path)
        return True

    found = desk.check()
    assert found.counts[Flaw.ENDLESS] == 1
    report = mend(desk.database, desk.volumes, findings=found.findings, refill=refill)
    assert report.mended == 5
    again = desk.check()
    assert {one.path for one in again.findings} == {row[8].path}, "what nobody has is left as it was"
    assert listed(desk) == row


def test_recorded_from_cameras_lost_and_rebuilt_equal(clips_dir: Path, tmp_path: Path) -> None:
    """Real virtual cameras, a recorder process, the whole database gone; then every row field by field."""
    house = Installation(tmp_path / "data", reader="own")
    try:
        with VirtualCameras(2, [clips_dir / "intel_car_detection.mp4"], cache=tmp_path / "cache") as virtual:
            house.register(virtual)
            recorder = house.start_recorder()
            wait_until(lambda: all(len(house.segments(one)) >= 3 for one in (1, 2)), within_s=120, what="segments")
            recorder.terminate()
            assert recorder.wait(30) == 0
        before = {one: house.segments(one) for one in (1, 2)}
        house.database.close()
        for path in house.data_dir.glob("safecity.db*"):
            path.unlink()
        settings = tmp_path / "safecity.toml"
        settings.write_text(f'[platform]\ndata_dir = "{house.data_dir}"\n')
        run = CliRunner()
        assert run.invoke(make_app(), ["db", "upgrade", "--config", str(settings)]).exit_code == 0
        told = run.invoke(make_app(), ["store", "rebuild", "--json", "--config", str(settings)])
        assert told.exit_code == 0, told.output
        fields = json.loads(told.stdout)
        assert fields["segments"] == sum(map(len, before.values()))
        assert "holds" in fields["only_in_the_database"]
        assert {one: house.segments(one) for one in (1, 2)} == before
        checked = run.invoke(make_app(), ["store", "check", "--json", "--config", str(settings)])
        said = json.loads(checked.stdout)
        assert (checked.exit_code, said["clean"], said["segments"]) == (0, True, fields["segments"])
        shown = run.invoke(make_app(), ["store", "check", "--all", "--config", str(settings)])
        assert "Nothing wrong" in shown.stdout
    finally:
        house.close()

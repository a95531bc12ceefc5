"""What a case holds survives the real keeper under disk pressure, whenever its segments reach the index."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from safecity.cases.service import NewCase
from safecity.oversight.model import Role
from safecity.platform.database import Database
from safecity.platform.errors import Invalid
from safecity.platform.settings import VideoSettings
from safecity.sites.model import Camera
from safecity.video import store
from safecity.video.holds import HeldInterval, hold, release
from safecity.video.model import Segment, SegmentState, Stream
from safecity.video.retention import Keeper
from safecity.video.volumes import Volumes
from tests.response import NOON, Centre

MB = 1_000_000


def segment(camera: str, start_s: float, *, stream: Stream = Stream.MAIN, is_open: bool = False) -> Segment:
    """A minute that began so many seconds after noon."""
    start = NOON + timedelta(seconds=start_s)
    return Segment(
        camera=camera,  # type: ignore[arg-type]
        stream=stream,
        started_at=start,
        durable_until=start + timedelta(seconds=60),
        state=SegmentState.OPEN if is_open else SegmentState.CLOSED,
        path=f"{camera}/{stream.value}/{start:%Y-%m-%d}/{start:%H%M%S}000Z-t-1.mp4",
        session="t-1",
        size_bytes=MB,
        fragments=60,
        codec="h264",
        codec_string="avc1.42E01F",
        width_px=640,
        height_px=360,
        rate_ppb=0,
        line_error_us=0,
        camera_offset_us=None,
        root=None if is_open else "00" * 32,
        previous_root=None,
        is_held=False,
        writer="recorder-1",
    )


class Shelf:
    """A media folder with files for its rows, and a keeper whose disk is always short."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder

    def put(self, *rows: Segment) -> None:
        with self.database.begin() as connection:
            store.put_segments(connection, rows)
        for row in rows:
            (self.folder / row.path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / row.path).write_bytes(b"x")

    def press(self, *, days: float = 30.0) -> None:
        settings = VideoSettings(reserve_gb=0.0, disk_gb=1e-9, retention_days=days)
        Keeper(self.database, settings, volumes=Volumes.at(self.folder)).run_once(NOON + timedelta(days=40))

    def files(self) -> set[str]:
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*.mp4")}


def opened_case(centre: Centre, camera: Camera) -> str:
    """A case whose clip is noon - 50 s to noon + 20 s."""
    incident = centre.confirmed(camera)
    new = NewCase(incident=incident.id, version=incident.version, fir_number="1/26", police_station="City")
    return centre.cases.open_case(centre.actor(Role.SUPERVISOR), new).case.id


def test_a_case_keeps_its_minutes_though_the_disk_is_short_and_they_are_old(database: Database, tmp_path: Path) -> None:
    centre, shelf = Centre(database), Shelf(database, tmp_path)
    camera, other = centre.cameras()[:2]
    kept = [segment(camera.id, -60), segment(camera.id, 0), segment(camera.id, -60, stream=Stream.SUB)]
    gone = [segment(camera.id, -120), segment(camera.id, 60), segment(other.id, -60), segment(other.id, 0)]
    shelf.put(*kept, *gone)
    opened_case(centre, camera)
    shelf.press(days=1.0)
    assert shelf.files() == {row.path for row in kept}


@pytest.mark.parametrize("late", ["still_open", "not_indexed_yet", "row_lost"])
def test_a_segment_that_comes_late_is_held_too(database: Database, tmp_path: Path, late: str) -> None:
    centre, shelf = Centre(database), Shelf(database, tmp_path)
    camera = centre.cameras()[0]
    row = segment(camera.id, -10)
    if late == "still_open":
        # Its row says only what is durable so far.
        shelf.put(replace(row, state=SegmentState.OPEN, root=None, durable_until=row.started_at))
    if late == "row_lost":
        shelf.put(row)
    opened_case(centre, camera)
    if late == "row_lost":
        with database.begin() as connection:
            connection.execute(store.segments.delete())
    shelf.put(row)  # closed by its recorder, or found in the files
    shelf.put(segment(camera.id, 50))
    shelf.press()
    assert shelf.files() == {row.path}


def test_a_segment_chosen_before_it_was_held_is_left_alone(database: Database, tmp_path: Path) -> None:
    centre, shelf = Centre(database), Shelf(database, tmp_path)
    camera = centre.cameras()[0]
    row = segment(camera.id, -60)
    shelf.put(row)
    with database.read() as connection:
        chosen = store.list_oldest(connection, limit=10)
    opened_case(centre, camera)
    with database.begin() as connection:
        assert store.mark_deleting(connection, chosen) == []


def test_what_touches_a_hold_is_kept_and_what_only_borders_on_it_goes(database: Database, tmp_path: Path) -> None:
    shelf = Shelf(database, tmp_path)
    before, inside, after = segment("cam_a", -60), segment("cam_a", 0), segment("cam_a", 60)
    shelf.put(before, inside, after)
    with database.begin() as connection:
        one = HeldInterval(camera="cam_a", from_at=inside.started_at, to_at=inside.durable_until)
        hold(connection, [one], ref="case_1", now=NOON)
    shelf.press()
    assert shelf.files() == {inside.path}


def test_a_release_ends_only_its_own_holds(database: Database, tmp_path: Path) -> None:
    shelf = Shelf(database, tmp_path)
    row = segment("cam_a", 0)
    shelf.put(row)
    one = HeldInterval(camera="cam_a", from_at=row.started_at, to_at=row.durable_until)
    with database.begin() as connection:
        hold(connection, [one], ref="case_1", now=NOON)
        hold(connection, [one], ref="case_2", now=NOON)
        assert release(connection, "case_1", now=NOON) == 2
    shelf.press()
    assert shelf.files() == {row.path}
    with database.begin() as connection:
        release(connection, "case_2", now=NOON)
    shelf.press()
    assert shelf.files() == set()


def test_an_interval_without_length_is_no_hold(database: Database) -> None:
    with pytest.raises(Invalid), database.begin() as connection:
        hold(connection, [HeldInterval(camera="cam_a", from_at=NOON, to_at=NOON)], ref="case_1", now=NOON)

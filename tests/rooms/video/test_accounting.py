"""Every camera-second is accounted for: what no outage explains is found (tests/stores asks both databases)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from safecity.oversight.service import Oversight
from safecity.platform.clock import SystemClock
from safecity.platform.database import Database
from safecity.platform.leases import claim
from safecity.platform.secrets import load_secret_box
from safecity.platform.settings import Settings
from safecity.sites.model import CameraId
from safecity.sites.service import Sites
from safecity.video import store
from safecity.video.accounting import read_recorded_s, read_unexplained_s
from safecity.video.model import Cause, Outage, Segment, SegmentState, Stream
from safecity.virtual.quetta import virtual_quetta
from tests.databases import make_sqlite

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
A, B = CameraId("cam_qta-001-01"), CameraId("cam_qta-002-01")
LATER = START + timedelta(days=1)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = make_sqlite(tmp_path / "safecity.db")
    yield made
    made.close()


@pytest.fixture
def city(database: Database, tmp_path: Path) -> Database:
    settings = Settings.model_validate({"platform": {"data_dir": tmp_path}})
    clock = SystemClock()
    oversight = Oversight(database, settings.oversight, clock)
    sites = Sites(database, oversight=oversight, box=load_secret_box(tmp_path), clock=clock)
    sites.import_city_document(virtual_quetta(2, "rtsp://127.0.0.1:9"))
    return database


def record(database: Database, camera: CameraId, *spans: tuple[float, float]) -> None:
    rows = [
        Segment(
            camera=camera, stream=Stream.MAIN, started_at=at(start), durable_until=at(end), state=SegmentState.CLOSED,
            path=f"{camera}/{start}.mp4", session="s", size_bytes=1, fragments=1, codec="h264", codec_string="avc1",
            width_px=16, height_px=16, rate_ppb=0, line_error_us=0, camera_offset_us=None, root=None,
            previous_root=None, is_held=False, writer="recorder-1",
        )
        for start, end in spans
    ]  # fmt: skip
    with database.begin() as connection:
        store.put_segments(connection, rows)


def state_outage(database: Database, camera: CameraId, start: float, end: float | None) -> None:
    row = Outage(
        id=f"out_{camera}_{start}", camera=camera, stream=Stream.MAIN, from_at=at(start),
        to_at=None if end is None else at(end), cause=Cause.LINK, detail="test",
    )  # fmt: skip
    with database.begin() as connection:
        store.put_outages(connection, [row])


def unexplained(database: Database, start: float, end: float, *, now: datetime = LATER) -> float:
    with database.read() as connection:
        return read_unexplained_s(connection, from_at=at(start), to_at=at(end), now=now)


def test_a_hole_is_unexplained_until_an_outage_covers_it(city: Database) -> None:
    record(city, A, (0, 60), (60, 120), (150, 3600))
    record(city, B, (0, 3600))
    assert unexplained(city, 0, 3600) == 30
    state_outage(city, A, 125, 140)
    assert unexplained(city, 0, 3600) == 15
    state_outage(city, A, 119.9, 150.0)
    assert unexplained(city, 0, 3600) == 0


def test_hours_are_counted_each_by_itself(city: Database) -> None:
    record(city, A, (0, 3590), (3620, 7200))
    record(city, B, (0, 3599), (3599, 3605), (3605, 7200))
    assert (unexplained(city, 0, 3600), unexplained(city, 3600, 7200)) == (10, 20)


def test_before_the_first_picture_and_behind_retention_nothing_is_missing(city: Database) -> None:
    record(city, A, (1000, 3600))
    assert unexplained(city, 0, 3600) == 0
    record(city, B, (0, 10), (3590, 3600))
    with city.begin() as connection:
        old = store.list_segments(connection, B, Stream.MAIN, from_at=at(0), to_at=at(5))
        store.drop_segments(connection, store.mark_deleting(connection, old))
    assert unexplained(city, 0, 3600) == 3580


def test_a_camera_without_any_segment_in_the_hour_counts_whole(city: Database) -> None:
    record(city, A, (0, 60), (7200, 7260))
    assert unexplained(city, 3600, 7200) == 3600
    state_outage(city, A, 60, None)
    assert unexplained(city, 3600, 7200) == 0


@pytest.mark.parametrize(("silent_s", "missing_s"), [(2, 94), (30, 0)])
def test_a_dead_recorder_is_a_cause_and_a_living_one_must_state_its_own(
    city: Database, silent_s: float, missing_s: float
) -> None:
    record(city, A, (0, 3000))
    now = at(3100)
    with city.begin() as connection:
        claim(connection, [f"camera:{A}"], holder="recorder-1", now=at(3095), term=timedelta(seconds=15), limit=9)
        seen = now - timedelta(seconds=silent_s)
        status = store.RecorderStatus(slot="recorder-1", pid=1, started_at=START, seen_at=seen, status={})
        store.put_recorder_status(connection, status)
    assert unexplained(city, 0, 3600, now=now) == missing_s


def test_what_a_recorder_never_came_back_to_state_is_its_own_in_every_hour(city: Database) -> None:
    """A system that was switched off for the night has not lost its seconds without a cause; once it records again, it
    must have stated them."""
    record(city, A, (0, 3000))
    now = at(12_000)
    assert [unexplained(city, hour, hour + 3600, now=now) for hour in (0, 3600, 7200)] == [0, 0, 0]
    record(city, A, (11_000, 11_900))
    assert [unexplained(city, hour, hour + 3600, now=now) for hour in (0, 3600, 7200)] == [600, 3600, 3600]
    state_outage(city, A, 3000, 11_000)
    assert [unexplained(city, hour, hour + 3600, now=now) for hour in (0, 3600, 7200)] == [0, 0, 0]


def test_recorded_seconds_of_an_interval(city: Database) -> None:
    record(city, A, (0, 60), (60, 120))
    record(city, B, (30, 90))
    with city.read() as connection:
        assert read_recorded_s(connection, from_at=at(45), to_at=at(100)) == {A: 55, B: 45}

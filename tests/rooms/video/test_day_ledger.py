"""A day's ledger adds up: recorded, missing by cause, unexplained."""

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from safecity.app.cli import make_app
from safecity.oversight.service import Oversight
from safecity.platform.clock import SystemClock, VirtualClock
from safecity.platform.database import Database
from safecity.platform.secrets import load_secret_box
from safecity.platform.settings import Settings
from safecity.sites.model import CameraId
from safecity.sites.service import Sites
from safecity.video import store
from safecity.video.day_ledger import read_day
from safecity.video.ledger_days import DayCloser, list_closed_days
from safecity.video.model import Cause, Origin, Outage, Segment, SegmentState, Stream
from safecity.virtual.quetta import virtual_quetta
from tests.databases import make_sqlite

ZONE = ZoneInfo("Asia/Karachi")
DAY = date(2026, 3, 1)
MIDNIGHT = datetime(2026, 3, 1, tzinfo=ZONE)
NEXT_DAY = MIDNIGHT + timedelta(days=1)
LATER = MIDNIGHT + timedelta(days=3)
A, B = CameraId("cam_qta-001-01"), CameraId("cam_qta-002-01")
DAY_S = 86_400.0


def at(seconds: float) -> datetime:
    return (MIDNIGHT + timedelta(seconds=seconds)).astimezone(UTC)


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Database]:
    made = make_sqlite(tmp_path / "safecity.db")
    fresh = Settings.model_validate({"platform": {"data_dir": tmp_path}})
    oversight = Oversight(made, fresh.oversight, SystemClock())
    sites = Sites(made, oversight=oversight, box=load_secret_box(tmp_path), clock=SystemClock())
    sites.import_city_document(virtual_quetta(2, "rtsp://127.0.0.1:9"))
    yield made
    made.close()


def record(city: Database, camera: CameraId, *spans: tuple[float, float], origin: Origin = Origin.RECORDED) -> None:
    rows = [
        Segment(
            camera=camera, stream=Stream.MAIN, started_at=at(start), durable_until=at(end), state=SegmentState.CLOSED,
            path=f"{camera}/{start}.mp4", session="s", size_bytes=1, fragments=1, codec="h264", codec_string="avc1",
            width_px=16, height_px=16, rate_ppb=0, line_error_us=0, camera_offset_us=None, root=None,
            previous_root=None, is_held=False, writer="recorder-1", origin=origin,
        )
        for start, end in spans
    ]  # fmt: skip
    with city.begin() as connection:
        store.put_segments(connection, rows)


def state_outage(city: Database, camera: CameraId, start: float, end: float, cause: Cause) -> None:
    outage = Outage(
        id=f"out_{camera}_{start}", camera=camera, stream=Stream.MAIN, from_at=at(start), to_at=at(end), cause=cause,
        detail="said",
    )  # fmt: skip
    with city.begin() as connection:
        store.put_outages(connection, [outage])


def half_hours(start: float, end: float) -> list[tuple[float, float]]:
    """Segments of half an hour that follow each other."""
    edges = [start, *(x * 1800.0 for x in range(int(start // 1800) + 1, int(end // 1800) + 1) if x * 1800 < end), end]
    return list(itertools.pairwise(edges))


def test_a_whole_day_of_one_camera_and_none_of_the_other(city: Database) -> None:
    record(city, A, *half_hours(-100.0, DAY_S + 100))
    found = read_day(city, DAY, zone=ZONE, now=LATER)
    assert (found.from_at, found.until, found.cameras) == (MIDNIGHT, NEXT_DAY, 2)
    assert found.expected_s == pytest.approx(2 * DAY_S)
    assert found.recorded_s == pytest.approx(DAY_S)
    assert found.missing_s == pytest.approx({Cause.POLICY: DAY_S})
    assert found.unexplained_s == 0


def test_a_stated_hole_has_its_cause_and_an_unstated_one_is_unexplained(city: Database) -> None:
    record(city, A, *half_hours(-100.0, 3000.0), *half_hours(3600.0, 7000.0), *half_hours(7060.0, DAY_S))
    state_outage(city, A, 3000.0, 3600.0, Cause.LINK)
    record(city, B, *half_hours(-100.0, DAY_S))
    found = read_day(city, DAY, zone=ZONE, now=LATER)
    assert found.missing_s == pytest.approx({Cause.LINK: 600.0, Cause.RECORDER: 0.0}, abs=1e-6)
    assert found.unexplained_s == pytest.approx(60.0)
    assert found.recorded_s == pytest.approx(2 * DAY_S - 660.0)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cuts=st.lists(st.integers(0, 2000), min_size=2, max_size=8, unique=True).map(sorted),
    stated=st.lists(st.sampled_from([None, *Cause]), min_size=8, max_size=8),
)
def test_it_always_adds_up(city: Database, cuts: list[int], stated: list[Cause | None]) -> None:
    with city.begin() as connection:
        connection.execute(store.segments.delete())
        connection.execute(store.outages.delete())
    for number, (start, end) in enumerate(itertools.pairwise(cuts)):
        cause = stated[number]
        if number % 2 == 0:
            record(city, A, (float(start), float(end)))
        elif cause is not None:
            state_outage(city, A, start, end, cause)
    found = read_day(city, DAY, zone=ZONE, now=LATER)
    said = found.recorded_s + found.recovered_s + sum(found.missing_s.values()) + found.unexplained_s
    assert said == pytest.approx(found.expected_s) == pytest.approx(2 * DAY_S)
    assert all(seconds >= 0 for seconds in found.missing_s.values())


def test_today_ends_where_it_is_settled(city: Database) -> None:
    record(city, A, *half_hours(0.0, 5000.0))
    now = at(5002.0)
    found = read_day(city, DAY, zone=ZONE, now=now)
    assert found.until <= now
    assert found.expected_s <= 2 * 5002.0
    assert found.recorded_s == pytest.approx(5000.0)


def test_a_day_on_which_the_clocks_are_changed_has_its_own_length(city: Database) -> None:
    found = read_day(city, date(2026, 3, 29), zone=ZoneInfo("Europe/London"), now=LATER + timedelta(days=60))
    assert found.expected_s == 2 * 23 * 3600


def test_the_command_prints_the_published_object(city: Database, tmp_path: Path) -> None:
    record(city, A, *half_hours(-100.0, DAY_S + 100))
    record(city, B, *half_hours(-100.0, 40_000.0), *half_hours(40_010.0, DAY_S))
    settings_file = tmp_path / "safecity.toml"
    settings_file.write_text(f'[platform]\ndata_dir = "{tmp_path}"\n')
    asked = ["ledger", "--day", "2026-03-01", "--config", str(settings_file)]
    told = CliRunner().invoke(make_app(), [*asked, "--json"])
    fields = json.loads(told.stdout)
    assert set(fields) >= {"expected_s", "recorded_s", "recovered_s", "missing_s", "unexplained_s"}
    assert fields["unexplained_s"] == 10.0
    assert told.exit_code == 1
    shown = CliRunner().invoke(make_app(), asked)
    assert "unexplained" in shown.stdout
    assert "10.0" in shown.stdout


def test_what_an_edge_or_a_card_brought_later_is_recovered_and_no_longer_missing(city: Database) -> None:
    record(city, A, *half_hours(-100.0, 3000.0), *half_hours(7200.0, DAY_S))
    state_outage(city, A, 3000.0, 7200.0, Cause.POWER)
    record(city, A, (3000.0, 4000.0), origin=Origin.EDGE)
    record(city, A, (4000.0, 4500.0), origin=Origin.CARD)
    record(city, B, *half_hours(-100.0, DAY_S))
    found = read_day(city, DAY, zone=ZONE, now=LATER)
    assert found.recovered_s == pytest.approx(1500.0)
    assert found.recorded_s == pytest.approx(2 * DAY_S - 4200.0)
    assert found.missing_s == pytest.approx({Cause.POWER: 2700.0})
    with city.read() as connection:
        timeline = store.read_timeline(connection, A, from_at=at(0), to_at=at(9000), now=LATER)
    assert [(one.from_at, one.to_at, one.origin) for one in timeline.recovered] == [
        (at(3000), at(4000), Origin.EDGE),
        (at(4000), at(4500), Origin.CARD),
    ]
    assert [(one.from_at, one.to_at) for one in timeline.recorded] == [(at(0), at(4500)), (at(7200), at(9000))]


def test_closed_days_are_summed_up_once_revised_while_something_may_come_and_outlive_their_recordings(
    city: Database,
) -> None:
    record(city, A, *half_hours(0.0, DAY_S + 100))
    record(city, B, *half_hours(0.0, 40_000.0), *half_hours(41_000.0, DAY_S))
    state_outage(city, B, 40_000.0, 41_000.0, Cause.LINK)
    clock = VirtualClock(NEXT_DAY.astimezone(UTC) + timedelta(minutes=10))
    closer = DayCloser(city, zone=ZONE, clock=clock)
    assert closer.run_once() is None, "the newest rows may still be on their way"
    clock.advance(600)
    assert closer.run_once() == DAY
    assert closer.run_once() is None

    record(city, B, (40_000.0, 40_900.0), origin=Origin.EDGE)
    clock.advance(6 * 3600)
    assert closer.run_once() == DAY
    with city.read() as connection:
        days = list_closed_days(connection, limit=9)
    assert [(one.day, one.cameras, one.recovered_s, dict(one.missing_s)) for one in days] == [
        (DAY, 2, 900.0, {Cause.LINK: 100.0})
    ]
    with city.begin() as connection:
        connection.execute(store.segments.delete())
    clock.advance(6 * 3600)
    assert closer.run_once() == DAY
    with city.read() as connection:
        kept = list_closed_days(connection, limit=9)
    assert kept[0].recovered_s == 900.0, "sums that know less do not replace better ones"
    clock.advance(30 * 86_400)
    while closer.run_once() is not None:
        pass
    with city.read() as connection:
        assert list_closed_days(connection, limit=99)[0].recovered_s == 900.0

"""The tables of recording, on SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safecity.oversight.service import Oversight
from safecity.platform.clock import SystemClock
from safecity.platform.database import Database
from safecity.platform.secrets import load_secret_box
from safecity.platform.settings import Settings
from safecity.sites.model import CameraId
from safecity.sites.service import Sites
from safecity.video import store
from safecity.video.accounting import read_recorded_s, read_unexplained_s
from safecity.video.model import Cause, Outage, Segment, SegmentState, Stream
from safecity.video.tables import stream_days
from safecity.video.totals import RecordingTotals, read_totals, read_used_bytes, recount_day
from safecity.virtual.quetta import virtual_quetta

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CAMERA = CameraId("cam_a")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def segment(
    from_s: float,
    to_s: float,
    *,
    camera: str = "cam_a",
    state: SegmentState = SegmentState.CLOSED,
    size_bytes: int = 1000,
    is_held: bool = False,
) -> Segment:
    return Segment(
        camera=CameraId(camera),
        stream=Stream.MAIN,
        started_at=at(from_s),
        durable_until=at(to_s),
        state=state,
        path=f"{camera}/main/2026-03-01/{from_s}.mp4",
        session="s1",
        size_bytes=size_bytes,
        fragments=60,
        codec="h264",
        codec_string="avc1.42E01F",
        width_px=1280,
        height_px=720,
        rate_ppb=12,
        line_error_us=-3,
        camera_offset_us=None,
        root="ab" * 32,
        previous_root=None,
        is_held=is_held,
        writer="recorder-1",
    )


def outage(from_s: float, to_s: float | None, cause: Cause) -> Outage:
    return Outage(
        id=f"out_{from_s}",
        camera=CAMERA,
        stream=Stream.MAIN,
        from_at=at(from_s),
        to_at=None if to_s is None else at(to_s),
        cause=cause,
        detail="test",
    )


def test_a_segment_reads_back_equal_and_is_renewed_by_its_key(database: Database) -> None:
    opened = segment(0, 10, state=SegmentState.OPEN)
    closed = segment(0, 60)
    with database.begin() as connection:
        store.put_segments(connection, [opened])
        assert store.list_segments(connection, CAMERA, Stream.MAIN, from_at=at(0), to_at=at(5)) == [opened]
        store.put_segments(connection, [closed, segment(60, 120)])
        assert store.find_last_segment(connection, CAMERA, Stream.MAIN, before=at(900)) == segment(60, 120)
        assert store.list_segments(connection, CAMERA, Stream.MAIN, from_at=at(0), to_at=at(60)) == [closed]
        assert store.list_segments(connection, CAMERA, Stream.SUB, from_at=at(0), to_at=at(60)) == []


def test_an_interval_takes_only_the_segments_that_touch_it(database: Database) -> None:
    with database.begin() as connection:
        store.put_segments(connection, [segment(n * 60, n * 60 + 60) for n in range(5)])
        inside = store.list_segments(connection, CAMERA, Stream.MAIN, from_at=at(90), to_at=at(181))
        assert [one.started_at for one in inside] == [at(60), at(120), at(180)]
        nothing = store.list_segments(connection, CAMERA, Stream.MAIN, from_at=at(400), to_at=at(500))
        assert nothing == []
        following = store.find_next_segment(connection, CAMERA, Stream.MAIN, after=at(61))
        assert following is not None
        assert following.started_at == at(120)


def test_the_timeline_covers_an_interval_without_a_hole(database: Database) -> None:
    with database.begin() as connection:
        store.put_segments(connection, [segment(0, 60), segment(100, 160), segment(160, 200)])
        store.put_outages(connection, [outage(60, 80, Cause.LINK), outage(80, 100, Cause.CREDENTIALS)])
        found = store.read_timeline(connection, CAMERA, from_at=at(-10), to_at=at(230), now=at(1000))
    assert [(one.from_at, one.to_at) for one in found.recorded] == [(at(0), at(60)), (at(100), at(200))]
    assert [(one.from_at, one.to_at, one.cause) for one in found.missing] == [
        (at(-10), at(0), Cause.POLICY),
        (at(60), at(80), Cause.LINK),
        (at(80), at(100), Cause.CREDENTIALS),
        (at(200), at(230), Cause.RECORDER),
    ]


def test_totals(database: Database) -> None:
    with database.begin() as connection:
        nothing = RecordingTotals(segments=0, recorded_s=0, size_bytes=0, oldest_at=None)
        assert read_totals(connection) == nothing
        store.put_segments(connection, [segment(0, 60), segment(60, 120), segment(30, 90, camera="cam_b")])
        found = read_totals(connection)
    assert (found.segments, found.recorded_s, found.size_bytes, found.oldest_at) == (3, 180, 3000, at(0))


_STEPS = st.lists(
    st.tuples(st.sampled_from(["open", "grow", "close", "delete", "drop"]), st.integers(0, 4), st.integers(1, 9)),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
def test_running_totals_are_what_counting_every_row_gives(
    database: Database, steps: list[tuple[str, int, int]]
) -> None:
    with database.begin() as connection:
        for table in (store.segments, stream_days, store.deletions):
            connection.execute(table.delete())
        for step, number, size in steps:
            from_s, closed = number * 40_000.0, size % 2 == 0  # five segments over three days
            row = replace(segment(from_s, from_s + size, size_bytes=size * 100), volume="vol_a" if closed else None)
            if step in ("open", "grow"):
                there = store.list_segments(connection, CAMERA, Stream.MAIN, from_at=at(from_s), to_at=at(from_s + 1))
                if not there or there[0].state is SegmentState.OPEN:
                    store.put_segments(connection, [replace(row, state=SegmentState.OPEN)])
            elif step == "close":
                store.put_segments(connection, [row])
            elif step == "delete":
                there = store.list_segments(connection, CAMERA, Stream.MAIN, from_at=at(from_s), to_at=at(from_s + 1))
                store.mark_deleting(connection, there)
            else:
                store.drop_segments(connection, store.list_deleting(connection, limit=9))
            every = store.list_segments(connection, CAMERA, Stream.MAIN, from_at=at(-1), to_at=at(900_000))
            found = read_totals(connection)
            assert found.segments == len(every)
            assert found.size_bytes == sum(one.size_bytes for one in every)
            assert found.recorded_s == sum((one.durable_until - one.started_at).total_seconds() for one in every)
            assert found.oldest_at == min((one.started_at for one in every), default=None)
        for day in range(4):
            assert not recount_day(connection, (CAMERA, Stream.MAIN), START.date() + timedelta(days=day))


def test_totals_that_went_wrong_are_counted_anew(database: Database) -> None:
    with database.begin() as connection:
        store.put_segments(connection, [segment(0, 60), segment(60, 120)])
        connection.execute(stream_days.update().values(size_bytes=7))
        assert recount_day(connection, (CAMERA, Stream.MAIN), START.date())
        assert read_totals(connection).size_bytes == 2000
        assert read_used_bytes(connection) == {"": 2000}
        assert not recount_day(connection, (CAMERA, Stream.MAIN), START.date())


def test_deletion_goes_in_steps_and_leaves_held_and_open_segments(database: Database) -> None:
    rows = [segment(0, 60), segment(60, 120), segment(120, 180), segment(180, 240, state=SegmentState.OPEN)]
    with database.begin() as connection:
        store.put_segments(connection, rows)
        assert store.set_held(connection, CAMERA, Stream.MAIN, started_at=at(60), is_held=True)
        # The recorder renews a row without knowing of the hold.
        store.put_segments(connection, [rows[1]])
        oldest = store.list_oldest(connection, limit=10)
        assert [one.started_at for one in oldest] == [at(0), at(120)]
        assert [one.started_at for one in store.list_oldest(connection, limit=10, before=at(60))] == [at(0)]
        begun = store.mark_deleting(connection, rows)
        assert begun == [rows[0], rows[2]]
        assert not store.set_held(connection, CAMERA, Stream.MAIN, started_at=at(0), is_held=True)
        # A late renewal does not revive it.
        store.put_segments(connection, [rows[0]])
        assert len(store.list_deleting(connection, limit=9)) == 2
        store.drop_segments(connection, begun)
        left = store.list_segments(connection, CAMERA, Stream.MAIN, from_at=at(0), to_at=at(240))
        assert [one.started_at for one in left] == [at(60), at(180)]
        found = store.read_timeline(connection, CAMERA, from_at=at(0), to_at=at(60), now=at(240))
    assert [one.cause for one in found.missing] == [Cause.POLICY]


def test_a_recorder_speaks_of_itself(database: Database) -> None:
    said = store.RecorderStatus(
        slot="recorder-1", pid=7, started_at=at(0), seen_at=at(1), status={"cameras": 3, "dropped": {"sub": 1}}
    )
    with database.begin() as connection:
        for _ in range(2):
            store.put_recorder_status(connection, said)
        assert store.list_recorder_statuses(connection) == [said]


def test_missing_seconds_are_found_along_the_key(database: Database, tmp_path: Path) -> None:
    box, clock = load_secret_box(tmp_path), SystemClock()
    sites = Sites(database, oversight=Oversight(database, Settings().oversight, clock), box=box, clock=clock)
    sites.import_city_document(virtual_quetta(1, "rtsp://127.0.0.1:9"))
    name = "cam_qta-001-01"
    with database.begin() as connection:
        store.put_segments(connection, [segment(0, 60, camera=name), segment(60, 90, camera=name)])
        store.put_segments(connection, [segment(100, 3600, camera=name)])
        missing_s = read_unexplained_s(connection, from_at=at(0), to_at=at(3600), now=at(9000))
        recorded_s = read_recorded_s(connection, from_at=at(45), to_at=at(110))
    assert (missing_s, recorded_s) == (10, {name: 55})

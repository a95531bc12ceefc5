"""A real recorder process on real virtual cameras: what it records, what it says of failures, what a kill costs."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import av
import pytest

from safecity.oversight import merkle
from safecity.sites.model import CameraState
from safecity.sites.states import read_reports
from safecity.video import store
from safecity.video.model import Cause, Segment, SegmentState, Stream
from safecity.video.recorder import LONGEST_WAIT_S, wait_s
from safecity.video.scan import scan
from safecity.video.sign_ins import REFUSED_WAIT_S
from safecity.virtual.faults import FaultKind
from tests.rooms.video.rig import PASSWORD, Installation, VirtualCameras, camera_id, end, wait_until

CAMERAS = 4
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def virtual(clips_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualCameras]:
    clips = [clips_dir / "intel_car_detection.mp4", clips_dir / "toll_gate_b.mp4"]
    with VirtualCameras(CAMERAS, clips, cache=tmp_path_factory.mktemp("cache")) as running:
        yield running


@pytest.fixture(params=["own", "pyav"])
def installation(virtual: VirtualCameras, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Installation]:
    """Every test with each reader: what is recorded must not depend on who reads."""
    made = Installation(tmp_path, reader=request.param)
    made.register(virtual)
    yield made
    made.close()
    virtual.clear()


def closed(installation: Installation, number: int = 1) -> list[Segment]:
    return [row for row in installation.segments(number) if row.state is SegmentState.CLOSED]


def assert_proved(installation: Installation, rows: list[Segment]) -> None:
    """Each file is whole, is what its row says, has its root, and names the one before."""
    for row in rows:
        raw = (installation.media_dir / row.path).read_bytes()
        found = scan(raw)
        assert (found.damage, found.whole_bytes, len(found.fragments)) == (None, row.size_bytes, row.fragments)
        leaves = [merkle.leaf_hash(found.init_bytes)]
        leaves += [
            merkle.leaf_hash(raw[one.offset_bytes : one.offset_bytes + one.size_bytes]) for one in found.fragments
        ]
        assert merkle.root(leaves).hex() == row.root
        assert json.loads(found.description or b"")["previous_root"] == row.previous_root
    for before, after in itertools.pairwise(rows):
        assert before.durable_until <= after.started_at
        assert after.previous_root == before.root


def played_pictures(path: Path) -> int:
    """Pictures that a player shows: PyAV decodes them all, ffprobe counts the same packets without a complaint."""
    with av.open(BytesIO(path.read_bytes())) as container:
        decoded = sum(1 for _ in container.decode(video=0))
    if shutil.which("ffprobe"):
        asked = [
            "-v",
            "error",
            "-count_packets",
            "-select_streams",
            "v",
            "-show_entries",
            "stream=nb_read_packets",
            "-of",
            "csv=p=0",
        ]
        told = subprocess.run(["ffprobe", *asked, str(path)], capture_output=True, text=True, check=True)
        assert told.stderr == ""
        assert int(told.stdout.strip().strip(",")) == decoded
    return decoded


def test_four_cameras_are_recorded_live_and_proved(installation: Installation) -> None:
    child = installation.start_recorder()
    wait_until(lambda: all(len(closed(installation, n)) >= 2 for n in range(1, CAMERAS + 1)), within_s=30, what="rows")
    with installation.database.read() as connection:
        reports = read_reports(connection)
        (status,) = store.list_recorder_statuses(connection)
    assert {report.state for report in reports.values()} == {CameraState.LIVE}
    assert all((report.fps or 0) > 5 and (report.bitrate_bps or 0) > 10_000 for report in reports.values())
    assert status.pid == child.pid
    assert status.status["cameras"] == status.status["live"] == CAMERAS
    assert end(child) == 0
    for number in range(1, CAMERAS + 1):
        rows = installation.segments(number)
        assert {row.state for row in rows} == {SegmentState.CLOSED}
        assert_proved(installation, rows)
        assert all(a.durable_until == b.started_at for a, b in itertools.pairwise(rows))
        assert all(outage.detail == "starting" for outage in installation.outages(number))
    assert played_pictures(installation.media_dir / closed(installation)[0].path) > 20
    assert PASSWORD not in installation.log()


def test_a_kill_costs_at_most_a_fragment_and_the_next_process_goes_on(installation: Installation) -> None:
    for _ in range(3):
        child = installation.start_recorder()
        before = {n: len(installation.segments(n)) for n in range(1, CAMERAS + 1)}
        wait_until(
            lambda seen=before: all(
                len(installation.segments(n)) > count and installation.segments(n)[-1].fragments >= 2
                for n, count in seen.items()
            ),
            within_s=30,
            what="a segment in the middle",
        )
        killed_at = datetime.now(UTC)
        end(child, signal.SIGKILL)
        for path in installation.media_dir.rglob("*.mp4"):
            assert played_pictures(_cut_copy(path)) > 0
    child = installation.start_recorder()
    wait_until(
        lambda: all(installation.segments(n)[-1].started_at > killed_at for n in range(1, CAMERAS + 1)),
        within_s=20,
        what="recording again",
    )
    assert end(child) == 0
    for number in range(1, CAMERAS + 1):
        rows = installation.segments(number)
        assert_proved(installation, rows)
        last_before = max(row.durable_until for row in rows if row.started_at < killed_at)
        assert killed_at - last_before < timedelta(seconds=2.5)
        _assert_no_unexplained_gap(installation, number)
    on_disk = {str(path.relative_to(installation.media_dir)) for path in installation.media_dir.rglob("*.mp4")}
    assert on_disk == {row.path for n in range(1, CAMERAS + 1) for row in installation.segments(n)}


def _cut_copy(path: Path) -> Path:
    """The file as recovery will cut it: after its last whole fragment. What is behind that is at most one fragment."""
    raw = path.read_bytes()
    copy = path.with_suffix(".cut")
    copy.write_bytes(raw[: scan(raw).whole_bytes])
    return copy


def _assert_no_unexplained_gap(installation: Installation, number: int) -> None:
    rows = installation.segments(number)
    outages = installation.outages(number)
    for before, after in itertools.pairwise(rows):
        at = before.durable_until
        for one in outages:
            if one.from_at - at <= timedelta(milliseconds=100) and one.to_at is not None:
                at = max(at, one.to_at)
        assert after.started_at - at <= timedelta(milliseconds=100), (before.durable_until, after.started_at, outages)


def test_without_its_database_a_second_start_finds_all_recordings(installation: Installation) -> None:
    child = installation.start_recorder()
    wait_until(lambda: len(closed(installation)) >= 2, within_s=20, what="two segments")
    end(child, signal.SIGKILL)
    with installation.database.begin() as connection:
        lost = closed(installation)
        for table in (store.segments, store.outages, store.recorder_status):
            connection.execute(table.delete())
    child = installation.start_recorder()
    wait_until(
        lambda: {row.path for row in lost} <= {row.path for row in installation.segments()}, within_s=20, what="index"
    )
    assert end(child) == 0
    found = {row.path: row for row in installation.segments()}
    for row in lost:
        assert (found[row.path].root, found[row.path].started_at, found[row.path].durable_until) == (
            row.root,
            row.started_at,
            row.durable_until,
        )


def test_a_stall_a_broken_link_and_a_wrong_password_are_told_apart(
    installation: Installation, virtual: VirtualCameras
) -> None:
    child = installation.start_recorder()
    everyone = range(1, CAMERAS + 1)
    wait_until(lambda: all(installation.segments(n) for n in everyone), within_s=20, what="first rows")
    virtual.fault(1, FaultKind.STALL, for_s=60)
    virtual.fault(2, FaultKind.WRONG_PASSWORD, for_s=60)
    virtual.fault(2, FaultKind.DROP, for_s=1)

    def report_of(number: int) -> tuple[str, str | None]:
        with installation.database.read() as connection:
            found = read_reports(connection)[camera_id(number)]
        return found.state.value, None if found.cause is None else found.cause.value

    wait_until(lambda: report_of(1) == ("stalled", "camera"), within_s=8, what="the stall")
    wait_until(lambda: report_of(2) == ("offline", "credentials"), within_s=15, what="the refusal")
    assert report_of(3) == report_of(4) == ("live", None)
    wait_until(
        lambda: {outage.cause for outage in installation.outages(2) if outage.to_at is None} == {Cause.CREDENTIALS},
        within_s=5,
        what="the outage",
    )
    lasting = [outage for outage in installation.outages(1) if outage.to_at is None]
    assert [outage.detail for outage in lasting] == ["stall"]
    virtual.clear()
    wait_until(lambda: report_of(1) == ("live", None), within_s=20, what="the end of the stall")
    wait_until(lambda: not [one for one in installation.outages(1) if one.to_at is None], within_s=10, what="its end")
    assert end(child) == 0
    _assert_no_unexplained_gap(installation, 1)
    for number in (3, 4):
        assert all(a.durable_until == b.started_at for a, b in itertools.pairwise(installation.segments(number)))


def test_a_change_of_resolution_and_a_clock_jump_cost_no_overlap(
    installation: Installation, virtual: VirtualCameras
) -> None:
    child = installation.start_recorder()
    wait_until(lambda: closed(installation, 1) and closed(installation, 2), within_s=20, what="rows")
    virtual.fault(1, FaultKind.RESOLUTION, for_s=30)
    virtual.fault(2, FaultKind.CLOCK_JUMP, value="-3600:rtp", for_s=30)
    wait_until(lambda: len({row.width_px for row in installation.segments(1)}) == 2, within_s=20, what="a new size")
    time.sleep(6)
    assert end(child) == 0
    for number in (1, 2):
        rows = installation.segments(number)
        assert_proved(installation, rows)
        _assert_no_unexplained_gap(installation, number)
        assert all(played_pictures(installation.media_dir / row.path) > 0 for row in rows)


def test_a_locked_database_does_not_stop_recording(installation: Installation) -> None:
    child = installation.start_recorder()
    wait_until(lambda: installation.segments(1), within_s=20, what="a row")
    with installation.database.begin():  # holds SQLite's only write lock
        known = installation.segments(1)[-1].durable_until
        time.sleep(6)
        newest = max(installation.media_dir.rglob("*.mp4"), key=os.path.getmtime)
        assert time.time() - newest.stat().st_mtime < 2.5
    wait_until(
        lambda: installation.segments(1)[-1].durable_until - known > timedelta(seconds=5), within_s=12, what="the index"
    )
    assert end(child) == 0
    rows = installation.segments(1)
    assert all(a.durable_until == b.started_at for a, b in itertools.pairwise(rows))


@pytest.mark.parametrize("failures", [0, 1, 2, 5, 8, 9, 20, 10_000])
@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_the_back_off_grows_to_its_bound_and_spares_the_credentials(failures: int, chance: float) -> None:
    assert 0.1 <= wait_s(failures, Cause.LINK, chance=chance) <= LONGEST_WAIT_S
    assert wait_s(failures + 1, Cause.LINK, chance=chance) >= wait_s(failures, Cause.LINK, chance=chance)
    assert wait_s(failures, Cause.CREDENTIALS, chance=chance) >= REFUSED_WAIT_S


def test_the_timeline_of_a_recorded_camera_has_no_missing_second(installation: Installation) -> None:
    child = installation.start_recorder()
    wait_until(lambda: closed(installation), within_s=20, what="a segment")
    first = installation.segments()[0].started_at
    now = datetime.now(UTC)
    with installation.database.read() as connection:
        found = store.read_timeline(connection, camera_id(1), from_at=first, to_at=now, now=now, stream=Stream.MAIN)
    assert found.missing == ()
    assert len(found.recorded) == 1
    assert now - found.settled_until < timedelta(seconds=6)
    assert end(child) == 0

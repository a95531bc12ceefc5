"""Reports of recorders: facts on change only, in the same transaction, and silence is stated too."""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from safecity.events import Stated, read_facts
from safecity.events.sites import CameraStateChanged
from safecity.platform.clock import VirtualClock
from safecity.platform.database import Database
from safecity.platform.errors import Exhausted, NotFound
from safecity.sites import tables
from safecity.sites.model import CameraId, CameraState, Cause, StateReport, effective_state
from safecity.sites.states import REPORTS_MOST, expire_camera_states, note_camera_states, read_reports
from tests.databases import make_sqlite

from .conftest import START, Centre

TERM = timedelta(seconds=10)
LIVE, STALLED, OFFLINE = CameraState.LIVE, CameraState.STALLED, CameraState.OFFLINE


def report(
    camera: str, state: CameraState, *, at: datetime, cause: Cause | None = None, by: str = "recorder-1"
) -> StateReport:
    return StateReport(
        camera=CameraId(camera),
        state=state,
        since=at,
        cause=cause,
        reported_by=by,
        reported_at=at,
        valid_until=at + TERM,
        last_frame_at=at if state is LIVE else None,
        bitrate_bps=4_000_000 if state is LIVE else 0,
        fps=25.0 if state is LIVE else 0.0,
    )


def changes(database: Database) -> list[CameraStateChanged]:
    with database.read() as connection:
        stated = list(read_facts(connection, after=0))
    return [s.fact for s in stated if isinstance(s, Stated) and isinstance(s.fact, CameraStateChanged)]


@pytest.fixture
def cameras(centre: Centre) -> list[str]:
    centre.import_quetta(16)
    return sorted(centre.sites.camera_states())


def note(centre: Centre, reports: Sequence[StateReport]) -> list[CameraId]:
    with centre.database.begin() as connection:
        return note_camera_states(connection, reports, now=centre.clock.now())


def test_a_heartbeat_is_no_fact(centre: Centre, cameras: list[str]) -> None:
    assert note(centre, [report(c, LIVE, at=START) for c in cameras]) == cameras
    for _ in range(5):
        centre.clock.advance(2)
        assert note(centre, [report(c, LIVE, at=centre.clock.now()) for c in cameras]) == []
    assert len(changes(centre.database)) == 16
    states = centre.sites.camera_states()
    assert {s.state for s in states.values()} == {LIVE}
    assert {s.since for s in states.values()} == {START}, "the state began with the first report"
    assert {s.last_frame_at for s in states.values()} == {centre.clock.now()}


def test_state_and_cause_changes_are_facts(centre: Centre, cameras: list[str]) -> None:
    camera = cameras[0]
    said: list[tuple[CameraState, Cause | None]] = [
        (OFFLINE, Cause.LINK),
        (OFFLINE, Cause.LINK),
        (OFFLINE, Cause.CREDENTIALS),
        (LIVE, None),
        (STALLED, Cause.CAMERA),
        (LIVE, None),
        (OFFLINE, Cause.LINK),
    ]
    for state, cause in said:
        note(centre, [report(camera, state, at=centre.clock.now(), cause=cause)])
        centre.clock.advance(1)
    facts = [(fact.state, fact.cause) for fact in changes(centre.database)]
    assert facts == [(s.value, c.value if c else None) for s, c in (said[0], *said[2:])]


def test_the_same_report_again_is_harmless(centre: Centre, cameras: list[str]) -> None:
    same = report(cameras[0], OFFLINE, at=START, cause=Cause.LINK)
    note(centre, [same])
    note(centre, [same])
    assert len(changes(centre.database)) == 1


def test_silence_is_unknown_at_once_and_stated_by_the_keeper(centre: Centre, cameras: list[str]) -> None:
    note(centre, [report(cameras[0], LIVE, at=START)])
    centre.clock.advance(TERM.total_seconds())
    state = centre.sites.camera_states()[CameraId(cameras[0])]
    assert (state.state, state.cause, state.since) == (CameraState.UNKNOWN, Cause.RECORDER, START + TERM)
    assert (state.fps, state.bitrate_bps, state.last_frame_at) == (None, None, START)
    with centre.database.begin() as connection:
        assert expire_camera_states(connection, now=centre.clock.now()) == [cameras[0]]
        assert expire_camera_states(connection, now=centre.clock.now()) == []
    assert [f.state for f in changes(centre.database)] == ["live", "unknown"]
    note(centre, [report(cameras[0], LIVE, at=centre.clock.now())])
    assert [f.state for f in changes(centre.database)] == ["live", "unknown", "live"]


def test_a_late_word_of_the_former_recorder_is_passed_over(centre: Centre, cameras: list[str]) -> None:
    centre.clock.advance(5)
    note(centre, [report(cameras[0], LIVE, at=centre.clock.now(), by="recorder-2")])
    late = report(cameras[0], OFFLINE, at=START, cause=Cause.LINK, by="recorder-1")
    assert note(centre, [late]) == []
    assert centre.sites.camera_states()[CameraId(cameras[0])].state is LIVE


def test_the_fact_and_the_row_are_written_together_or_not_at_all(centre: Centre, cameras: list[str]) -> None:
    with pytest.raises(RuntimeError), centre.database.begin() as connection:
        note_camera_states(connection, [report(cameras[0], LIVE, at=START)], now=START)
        raise RuntimeError
    assert changes(centre.database) == []
    assert centre.sites.camera_states()[CameraId(cameras[0])].since is None


def test_unknown_cameras_and_too_many_reports_are_refused(centre: Centre, cameras: list[str]) -> None:
    with pytest.raises(NotFound, match="cam_none"):
        note(centre, [report(cameras[0], LIVE, at=START), report("cam_none", LIVE, at=START)])
    assert changes(centre.database) == []
    with pytest.raises(Exhausted):
        note(centre, [report(f"cam_{n}", LIVE, at=START) for n in range(REPORTS_MOST + 1)])


def test_recorders_and_the_keeper_at_once_lose_no_change(centre: Centre, cameras: list[str]) -> None:
    problems: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(12):
                at = START + timedelta(seconds=turn)
                state, cause = [(LIVE, None), (OFFLINE, Cause.LINK)][(turn + number) % 2]
                reports = [report(c, state, at=at, cause=cause, by=f"recorder-{number}") for c in cameras]
                with centre.database.begin() as connection:
                    note_camera_states(connection, reports[:: 1 if number else -1], now=at)
                with centre.database.begin() as connection:
                    expire_camera_states(connection, now=at + timedelta(seconds=9 + turn % 2))
        except BaseException as problem:
            problems.append(problem)
            raise

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    with centre.database.read() as connection:
        kept = {
            r.camera: (r.state.value, r.since, r.cause and r.cause.value) for r in read_reports(connection).values()
        }
    assert {f.camera: (f.state, f.since, f.cause) for f in changes(centre.database)} == kept


class Recorders(RuleBasedStateMachine):
    """Two recorders, a keeper and a clock: folding the facts always gives what may be said now."""

    @initialize()
    def start(self) -> None:
        self.folder = TemporaryDirectory()
        self.clock = VirtualClock(START)
        self.database = make_sqlite(Path(self.folder.name) / "safecity.db")
        named = {"name": "n", "name_ur": "n", "lon": 67.0, "lat": 30.0, "changed_at": START}
        with self.database.begin() as connection:
            connection.execute(tables.sites.insert().values(id="site_s", code="S", **named))
            for n in range(3):
                row = {"id": f"cam_{n}", "code": str(n), "site_id": "site_s", "main_url": "rtsp://h/m", **named}
                connection.execute(tables.cameras.insert().values(row))

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    @rule(
        camera=st.integers(0, 2),
        said=st.sampled_from([(LIVE, None), (STALLED, Cause.CAMERA), (OFFLINE, Cause.LINK), (OFFLINE, Cause.CAMERA)]),
        by=st.sampled_from(["recorder-1", "recorder-2"]),
        late_s=st.floats(0, 4),
    )
    def says(self, camera: int, said: tuple[CameraState, Cause | None], by: str, late_s: float) -> None:
        now = self.clock.now()
        made = report(f"cam_{camera}", said[0], at=now - timedelta(seconds=late_s), cause=said[1], by=by)
        with self.database.begin() as connection:
            note_camera_states(connection, [made], now=now)

    @rule(seconds=st.floats(0.1, 15))
    def waits(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def facts_tell_the_state(self) -> None:
        now = self.clock.now()
        with self.database.begin() as connection:
            expire_camera_states(connection, now=now)
            reports = read_reports(connection)
        folded = {f.camera: (f.state, f.since, f.cause) for f in changes(self.database)}
        fetched = {c: effective_state(r, now=now) for c, r in reports.items()}
        assert folded == {c: (s.state.value, s.since, s.cause and s.cause.value) for c, s in fetched.items()}
        stated = changes(self.database)
        for camera in fetched:
            own = [(f.state, f.cause) for f in stated if f.camera == camera]
            assert all(a != b for a, b in pairwise(own)), "a fact without a change"


TestRecorders = Recorders.TestCase
TestRecorders.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)

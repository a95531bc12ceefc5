"""One live camera: what it decodes when, what it drops, what it says."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from safecity.analytics import live_camera
from safecity.analytics.live_camera import BATCH, MAX_QUEUED, Assignment, LiveCamera
from safecity.analytics.live_facts import FactMailbox, Told
from safecity.analytics.pipeline import LIVE, Firing, LineCount
from safecity.events.analytics import LineCounted, RuleFired
from safecity.platform.clock import VirtualClock
from safecity.video.access_unit import AccessUnit, StreamHeader
from safecity.video.model import Stream
from tests.rooms.analytics.packets import CAMERA, FPS, GROUP, START, Notes, NotingAnalysis, drawn, encode, read_units


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> tuple[StreamHeader, list[AccessUnit]]:
    path = tmp_path_factory.mktemp("video") / "wall.mp4"
    encode(path, seconds=8)
    header, units = read_units(path)
    assert [index for index, unit in enumerate(units) if unit.is_key] == list(range(0, 8 * FPS, GROUP))
    return header, units


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> Notes:
    NotingAnalysis.notes = Notes()
    monkeypatch.setattr(live_camera, "CameraAnalysis", NotingAnalysis)
    return NotingAnalysis.notes


class Stage:
    """A camera with a clock of its own."""

    def __init__(self) -> None:
        self.clock = VirtualClock(START)
        self.clock.advance(100.0)
        self.clock.step_wall(-100.0)
        self.mailbox = FactMailbox()
        self.camera = LiveCamera(
            Assignment(key=(CAMERA, Stream.SUB), drawn=drawn()),
            LIVE,
            detector=None,
            mailbox=self.mailbox,
            now=self.clock.now,
            monotonic_s=self.clock.monotonic_s,
        )

    def play(self, units: list[AccessUnit]) -> None:
        """Each unit at its time, work whenever there is some."""
        for unit in units:
            self.clock.advance(max(0.0, unit.received_s - self.clock.monotonic_s()))
            self.camera.take(unit)
            while self.camera.is_ready():
                self.camera.work()

    def drain(self) -> None:
        self.clock.advance(1.0)
        while self.camera.is_ready():
            self.camera.work()

    def said(self) -> list[Told | LineCounted]:
        return list(self.mailbox._waiting.values())


@pytest.fixture
def stage(notes: Notes) -> Stage:
    return Stage()


def test_while_something_moves_every_picture_is_seen_at_its_time(stage: Stage, notes: Notes, video) -> None:
    header, units = video
    stage.camera.take(header)
    stage.play(units)
    stage.drain()
    assert len(notes.fed) == len(units) == stage.camera.figures.pictures
    assert all(later > earlier for earlier, later in pairwise(notes.fed))
    assert notes.fed == pytest.approx([unit.media_ticks / 90_000 for unit in units], abs=1e-3)
    assert [index for index, is_key in enumerate(notes.keys) if is_key] == list(range(0, len(units), GROUP))
    assert stage.camera.figures.dropped == stage.camera.figures.errors == 0
    assert stage.camera.figures.delay_s < 1.1


def test_pictures_are_taken_a_few_at_a_time(stage: Stage, notes: Notes, video) -> None:
    header, units = video
    stage.camera.take(header)
    for unit in units[: BATCH - 1]:
        stage.camera.take(unit)
    assert not stage.camera.is_ready()
    stage.camera.take(units[BATCH - 1])
    assert stage.camera.is_ready()
    stage.camera.work()
    assert len(notes.fed) == BATCH


def test_an_idle_camera_costs_a_key_frame_a_group(stage: Stage, notes: Notes, video) -> None:
    header, units = video
    notes.is_idle = True
    stage.camera.take(header)
    stage.play(units)
    assert len(notes.looked) == 8
    assert notes.fed == []
    assert stage.camera.figures.dropped == 0
    assert stage.camera.waiting <= GROUP


def test_what_moved_between_two_key_frames_is_seen_after_all(stage: Stage, notes: Notes, video) -> None:
    header, units = video
    notes.is_idle, notes.wakes_at = True, 3
    stage.camera.take(header)
    stage.play(units)
    stage.drain()
    expected = units[2 * GROUP + 1 :]  # behind the last key frame that looked the same
    assert notes.fed == pytest.approx([unit.media_ticks / 90_000 for unit in expected], abs=1e-3)
    assert stage.camera.is_active


def test_a_camera_that_falls_behind_skips_to_the_newest_key_frame(stage: Stage, notes: Notes, video) -> None:
    header, units = video
    stage.camera.take(header)
    for unit in units[: 5 * GROUP + 4]:
        stage.camera.take(unit)
    stage.clock.advance(units[5 * GROUP + 3].received_s - stage.clock.monotonic_s())
    stage.camera.work()
    assert stage.camera.figures.dropped == stage.camera.figures.skipped == 5 * GROUP
    assert notes.keys[0]
    assert stage.camera._timeline.instant(notes.fed[0]) == START + timedelta(seconds=5)
    stage.play(units[5 * GROUP + 4 :])
    stage.drain()
    assert len(notes.fed) == 3 * GROUP


def test_the_queue_is_bounded_without_any_work(stage: Stage, notes: Notes, video) -> None:
    header, units = video
    stage.camera.take(header)
    for turn in range(12):
        for unit in units:
            shifted = replace(unit, sequence=unit.sequence + turn * len(units), received_s=unit.received_s + turn * 8)
            stage.camera.take(shifted)
    assert stage.camera.waiting <= MAX_QUEUED
    assert stage.camera.figures.dropped == 12 * len(units) - stage.camera.waiting


def test_a_picture_that_cannot_be_decoded_costs_its_group_alone(stage: Stage, notes: Notes, video) -> None:
    header, units = video
    damaged = list(units)
    damaged[GROUP] = replace(units[GROUP], data=b"\x00\x00\x00\x05\x65rub!")
    stage.camera.take(header)
    stage.play(damaged)
    stage.drain()
    assert stage.camera.figures.errors >= 1
    assert len(notes.fed) >= len(units) - GROUP
    assert notes.fed[-1] == pytest.approx(units[-1].media_ticks / 90_000, abs=1e-3)


def test_lost_packets_are_counted_and_passed_over(stage: Stage, notes: Notes, video) -> None:
    header, units = video
    stage.camera.take(header)
    stage.play(units[:20] + units[23:])
    stage.drain()
    assert stage.camera.figures.lost == 3
    assert len(notes.fed) == 20 + (len(units) - 2 * GROUP)


def test_pictures_of_one_round_of_the_ingest_loop_are_all_seen(stage: Stage, notes: Notes, video) -> None:
    """The loop empties a camera's socket a few times a second: what it brings was received at one instant."""
    header, units = video
    stage.camera.take(header)
    rounds = [
        replace(unit, received_s=units[index - index % 3 + 2].received_s) for index, unit in enumerate(units[:-2])
    ]
    stage.play(rounds)
    stage.play(rounds[-6:])  # sent again
    stage.drain()
    assert stage.camera.figures.lost == 0
    assert stage.camera.figures.dropped == 0


def test_a_group_sent_again_is_not_seen_again(stage: Stage, notes: Notes, video) -> None:
    header, units = video
    stage.camera.take(header)
    stage.play(units[:20])
    stage.camera.take(header)
    for unit in units[GROUP:20]:
        stage.camera.take(unit)
    stage.play(units[2 * GROUP :])
    stage.drain()
    assert all(later > earlier for earlier, later in pairwise(notes.fed))
    assert len(notes.fed) == 20 + len(units) - 2 * GROUP


def test_a_new_session_begins_with_a_new_decoder(stage: Stage, notes: Notes, video, tmp_path: Path) -> None:
    header, units = video
    stage.camera.take(header)
    stage.play(units[:40])
    stage.camera.take(replace(header, session=2))
    moved = [
        replace(
            unit,
            sequence=unit.sequence + 100,
            received_s=unit.received_s + 3.5,
            received_us=unit.received_us + 3_500_000,
        )
        for unit in units
    ]
    stage.play(moved)
    stage.drain()
    assert len(notes.fed) == 40 + len(units)
    assert all(later > earlier for earlier, later in pairwise(notes.fed))
    assert notes.fed[40] == pytest.approx(3.5, abs=2e-3)
    assert notes.finished == 0


def test_after_a_long_silence_nothing_is_followed_further(stage: Stage, notes: Notes, video) -> None:
    header, units = video
    stage.camera.take(header)
    stage.play(units[:GROUP])
    stage.drain()
    stage.play([replace(unit, received_s=unit.received_s + 20) for unit in units[GROUP:]])
    assert notes.finished == 1


def firing(**changes: object) -> Firing:
    plain = Firing(
        rule="over",
        kind="line_crossing",
        subject="stop/car",
        object_class="car",
        started_s=1.0,
        ended_s=None,
        box=(0.5, -0.1, 0.6, 0.5),
        confidence=0.8,
        picture_s=1.2,
    )
    return replace(plain, **changes)


def test_a_rule_that_fires_is_told_once_with_instants(stage: Stage, notes: Notes, video) -> None:
    header, units = video
    stage.camera.take(header)
    stage.play(units[:30])
    stage.drain()
    # A beginning, its own end, and a vehicle on the wrong way: that is known only after a while, so it comes whole.
    notes.firings = [firing(), firing(ended_s=1.9), firing(subject="way_out/car", started_s=1.5, ended_s=1.9)]
    stage.play(units[30:40])
    told = [one for one in stage.said() if isinstance(one, Told)]
    assert [one.fact.subject for one in told if isinstance(one.fact, RuleFired)] == ["stop/car", "way_out/car"]
    fact = told[0].fact
    assert isinstance(fact, RuleFired)
    assert fact.started_at == START + timedelta(seconds=1)
    assert (fact.clip_from, fact.clip_to) == (START - timedelta(seconds=4), START + timedelta(seconds=11.2))
    assert fact.picture_at == START + timedelta(seconds=1.2)
    assert fact.box == pytest.approx((0.5, 0.0, 0.5, 0.4))
    assert (fact.title, fact.title_ur, fact.priority, fact.model) == ("Over the line", "Over the line", 2, "motion")
    notes.firings = [firing()]
    stage.play(units[40:50])
    assert len({one.id for one in (*told, *stage.said()) if isinstance(one, Told)}) == 2


def test_counts_are_told_a_minute_at_a_time(stage: Stage, notes: Notes, video) -> None:
    header, units = video
    stage.camera.take(header)
    stage.clock.step_wall(60 - 7 - 4)
    stage.play(units[:30])
    notes.counted = [LineCount(name="stop", forward={"car": 3}, backward={})]
    stage.play(units[30:90])
    notes.counted = [LineCount(name="stop", forward={"car": 5}, backward={"bus": 1})]
    stage.camera.end()
    counted = [one for one in stage.said() if isinstance(one, LineCounted)]
    minute = START.replace(second=0) + timedelta(minutes=1)
    assert [(one.from_at, one.forward, one.backward) for one in counted] == [
        (START, {"car": 3}, {}),
        (minute, {"car": 2}, {"bus": 1}),
    ]
    assert counted[0].to_at == minute

"""Sleeping and waking: a quiet road asks for key frames only, and nothing that comes is missed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from safecity.analytics.analyze import Wish, analyze_video, picture_of
from safecity.analytics.boxes import U8, Picture
from safecity.analytics.pipeline import LIVE, OFFLINE, CameraAnalysis, Profile
from safecity.analytics.scene import LineCrossing, Scene, SceneLine

FPS = 15
QUIET_S = 2.0
SLEEPY = replace(LIVE, idle_after_s=QUIET_S)
LINE = SceneLine(name="middle", points=((160, 180), (160, 0)))
SCENE = Scene(lines=(LINE,), rules=(LineCrossing(kind="line_crossing", name="across", line="middle"),))
ROAD = SceneLine(name="road", points=((200, 210), (620, 210)))
VISITS, KEY_EACH = ((60, 195), (228, 445)), 20
"""Pictures of the room with somebody in it (its truth says so), and those from one key frame to the next."""
EMPTY_FROM, EMPTY_TO = 240, 660
"""Pictures of the suburban road on which nothing drives near (its truth says so)."""


def no_bgr() -> U8:
    raise AssertionError("no detector is set")


def wall(at_s: float, *, car_px: float | None, is_key: bool) -> Picture:
    luma: U8 = np.full((180, 320), 90, np.uint8)
    if car_px is not None:
        left = max(0, int(car_px))
        luma[80:110, left : left + 50] = 190
    return Picture(luma=luma, bgr=no_bgr, at_s=at_s, is_key=is_key)


def quiet(analysis: CameraAnalysis, *, key_gap_s: float) -> float:
    """An empty wall for ten seconds, or until it sleeps."""
    for number in range(10 * FPS):
        at_s = number / FPS
        analysis.feed(wall(at_s, car_px=None, is_key=number % round(key_gap_s * FPS) == 0))
        if analysis.is_idle:
            return at_s
    return 10.0


def made() -> CameraAnalysis:
    return CameraAnalysis(SCENE, SLEEPY, width_px=320, height_px=180, detector=None)


def test_a_quiet_camera_sleeps_and_its_key_frames_do_not_wake_it() -> None:
    analysis = made()
    assert QUIET_S <= quiet(analysis, key_gap_s=1.0) < QUIET_S + 1.5
    assert analysis.is_idle
    assert not any(analysis.wakes(wall(10.0 + step, car_px=None, is_key=True)) for step in range(5))
    assert analysis.is_idle


def test_what_comes_between_two_key_frames_wakes_it_and_is_counted() -> None:
    """The car is on the wall at the waking key frame; that it drove in before is seen from the pictures held."""
    analysis = made()
    slept_s = quiet(analysis, key_gap_s=1.0)
    held = [
        wall(slept_s + 1.0 + number / FPS, car_px=-50 + 14.0 * number, is_key=number == FPS)
        for number in range(2 * FPS)
    ]
    assert not analysis.wakes(wall(slept_s + 0.9, car_px=None, is_key=True))
    assert analysis.wakes(held[FPS])
    assert not analysis.is_idle
    fired = [one for picture in held for one in analysis.feed(picture)]
    assert [one.rule for one in fired] == ["across"]
    (count,) = analysis.counts()
    assert sum(count.forward.values()) + sum(count.backward.values()) == 1


def test_a_camera_with_rare_key_frames_never_sleeps() -> None:
    analysis = made()
    quiet(analysis, key_gap_s=4.5)
    assert not analysis.is_idle


def test_nothing_is_counted_on_the_empty_stretch_of_a_real_road(clips_dir: Path) -> None:
    """Leaves and far cross traffic keep it awake; none of that is a crossing."""
    analysis = CameraAnalysis(Scene(lines=(ROAD,)), LIVE, width_px=640, height_px=352, detector=None)
    for number, frame in enumerate(_frames(clips_dir / "suburban_road_a.mp4")):
        if EMPTY_FROM <= number < EMPTY_TO:
            analysis.feed(picture_of(frame, number / 24.0, most_px=640))
    (count,) = analysis.counts()
    assert sum(count.forward.values()) + sum(count.backward.values()) == 0


def test_a_real_empty_room_sleeps_and_wakes_for_people(clips_dir: Path) -> None:
    """Ten pictures a second: the quiet is slept through, and no visit for longer than a key frame takes to come."""
    analysis = CameraAnalysis(Scene(), SLEEPY, width_px=768, height_px=432, detector=None)
    asleep: set[int] = set()
    for number, frame in enumerate(_frames(clips_dir / "dwell_person_a.mp4")):
        picture = replace(picture_of(frame, number / 10.0, most_px=640), is_key=number % KEY_EACH == 0)
        if not analysis.is_idle:
            analysis.feed(picture)
        elif not picture.is_key or not analysis.wakes(picture):
            asleep.add(number)
    assert len(asleep & set(range(56))) > 30
    late = [number for number in asleep for first, last in VISITS if first + KEY_EACH < number <= last]
    assert late == []


@pytest.mark.parametrize("profile", [OFFLINE, LIVE], ids=["offline", "live"])
def test_a_real_road_counts_its_three_cars(clips_dir: Path, profile: Profile) -> None:
    wish = Wish(scene=Scene(lines=(ROAD,)), profile=profile, detector=None)
    (count,) = analyze_video(clips_dir / "suburban_road_a.mp4", wish).lines
    assert (sum(count.forward.values()), sum(count.backward.values())) == (3, 0)


def _frames(clip: Path) -> Iterator[VideoFrame]:
    with av.open(str(clip)) as container:
        yield from container.decode(video=0)

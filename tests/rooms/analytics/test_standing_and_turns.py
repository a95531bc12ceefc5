"""What stops while only movement is seen, and when a detector need not look."""

import numpy as np

from safecity.analytics.boxes import U8, Box, Detection, Picture
from safecity.analytics.pipeline import LIVE, CameraAnalysis, Firing
from safecity.analytics.scene import Scene, SceneZone, StoppedVehicle
from safecity.analytics.tracker import Tracker

FPS = 15
ZONE = SceneZone(name="z", points=((0, 60), (320, 60), (320, 180), (0, 180)))
STANDS = Scene(zones=(ZONE,), rules=(StoppedVehicle(kind="stopped_vehicle", name="stopped", zone="z", min_s=5.0),))
STOP_PX = 180.0


def no_bgr() -> U8:
    raise AssertionError("no detector is set")


def street(at_s: float, *, left_px: float | None) -> Picture:
    rows, columns = np.mgrid[0:180, 0:320]
    luma: U8 = (80 + 10 * ((rows // 8 + columns // 8) % 2)).astype(np.uint8)
    if left_px is not None:
        left = round(left_px)
        luma[90:120, left : left + 60] = 190
        luma[95:105, left + 8 : left + 22] = 40
    return Picture(luma=luma, bgr=no_bgr, at_s=at_s, is_key=False)


def watch(left_at: "dict[int, float | None]", *, pictures: int) -> list[Firing]:
    analysis = CameraAnalysis(STANDS, LIVE, width_px=320, height_px=180, detector=None)
    left: float | None = None
    fired: list[Firing] = []
    for number in range(pictures):
        left = left_at.get(number, left)
        fired += analysis.feed(street(number / FPS, left_px=left))
    return fired


def test_a_car_that_stopped_stands_for_a_minute_though_nothing_moves_and_ends_when_it_leaves() -> None:
    comes: dict[int, float | None] = {15 + step: min(4.0 * step, STOP_PX) for step in range(46)}
    fired = watch({**comes, 60 * FPS: None}, pictures=65 * FPS)
    begun = [one for one in fired if one.ended_s is None]
    ended = [one for one in fired if one.ended_s is not None]
    assert len(begun) == len(ended) == 1
    assert begun[0].box is not None
    left, top, width, height = begun[0].box
    assert abs(left - STOP_PX / 320) < 0.05
    assert abs(width - 60 / 320) < 0.06
    assert abs(top - 90 / 180) < 0.05
    assert abs(height - 30 / 180) < 0.08
    assert ended[0].ended_s is not None
    assert 59 < ended[0].ended_s < 63


def test_a_car_that_drives_on_never_stopped() -> None:
    passes: dict[int, float | None] = {15 + step: 4.0 * step for step in range(65)}
    assert watch({**passes, 80: None}, pictures=12 * FPS) == []


def test_a_car_that_was_always_there_and_drives_away_leaves_no_stopped_car_behind() -> None:
    """Its place looks other than what was learned, but nothing came there."""
    leaves: dict[int, float | None] = {60 + step: STOP_PX / 2 + 4.0 * step for step in range(42)}
    assert watch({0: STOP_PX / 2, **leaves, 102: None}, pictures=30 * FPS) == []


def test_a_detector_is_not_hurried_by_what_it_knows_or_cannot_know() -> None:
    tracker = Tracker(width_px=640, height_px=360)
    car = Box(x_px=100, y_px=100, w_px=60, h_px=40)
    for number in range(3):
        assert number == 0 or tracker.is_unsure((number - 1) * 0.5)
        tracker.detect([Detection(box=car, object_class="car", score=0.8)], number * 0.5)
    assert not tracker.is_unsure(1.0)
    tracker.detect([], 1.5)
    assert tracker.is_unsure(1.5)  # its last look missed it
    tracker.detect([Detection(box=car, object_class="car", score=0.8)], 2.0)
    tracker.move([Box(x_px=400, y_px=200, w_px=20, h_px=20)], 2.0)
    assert tracker.is_unsure(2.0)  # something new moves
    for _ in range(4):
        tracker.detect([Detection(box=car, object_class="car", score=0.8)], 2.0)
    assert not tracker.is_unsure(2.0)  # leaves: looked at four times and not known


def test_a_thing_with_a_patch_of_its_own_need_not_be_sought() -> None:
    tracker = Tracker(width_px=640, height_px=360)
    for number in range(4):
        tracker.predict(number * 0.1, from_s=(number - 1) * 0.1, shifts={})
        tracker.move([Box(x_px=100 + 8.0 * number, y_px=100, w_px=60, h_px=40)], number * 0.1)
    (track,) = tracker.tracks
    own = Box(x_px=132, y_px=100, w_px=60, h_px=40)
    assert tracker.unsure([own], 0.1) == []
    assert tracker.unsure([Box(x_px=60, y_px=60, w_px=300, h_px=200)], 0.1) == [track]
    assert tracker.unsure([], 0.1) == [track]

"""The adapters on real pictures, and models that are not what they should be."""

from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from safecity.analytics.boxes import Detection
from safecity.analytics.detectors import find_detector, load_detector
from safecity.analytics.detectors.candidates import SAME_PLACE_IOU, keep_best
from safecity.analytics.detectors.session import ModelSession
from safecity.analytics.detectors.yolox import YoloxDetector, fitting_size
from safecity.analytics.models import CLASSES, get_spec
from safecity.platform.errors import DataLoss, Denied, Invalid, NotFound

FILES = {
    "yolox-nano": "yolox_nano_416.onnx",
    "yolox-nano-dynamic": "derived/yolox_nano_dynamic.onnx",
    "picodet-s": "picodet_s_416_coco.onnx",
    "picodet-s-384x640": "derived/picodet_s_384x640.onnx",
    "fastestdet": "fastestdet_352.onnx",
}
# Two cars side by side in the upper right of one picture of the motorway, as left, top, right, bottom of 640x360.
CARS = ((527, 55, 577, 91), (577, 52, 630, 89))


@pytest.fixture(scope="module")
def motorway(clips_dir: Path) -> NDArray[np.uint8]:
    with av.open(str(clips_dir / "motorway.mp4")) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index == 320:
                return frame.reformat(width=640, height=360, format="bgr24").to_ndarray()
    raise AssertionError("the clip is shorter than it was")


def overlap(one: Detection, corners: tuple[int, int, int, int]) -> float:
    left, top = max(one.box.x_px, corners[0]), max(one.box.y_px, corners[1])
    right = min(one.box.x_px + one.box.w_px, corners[2])
    bottom = min(one.box.y_px + one.box.h_px, corners[3])
    shared = max(0.0, right - left) * max(0.0, bottom - top)
    return shared / (one.box.area_px2 + (corners[2] - corners[0]) * (corners[3] - corners[1]) - shared)


@pytest.mark.parametrize("name", FILES)
def test_each_family_finds_the_cars_where_they_are(name: str, models_dir: Path, motorway: NDArray[np.uint8]) -> None:
    detector = load_detector(models_dir / FILES[name])
    assert detector.name == name
    assert detector.classes == CLASSES
    for scale in (1, 2):  # a larger picture gives boxes in its own pixels
        picture = np.ascontiguousarray(motorway.repeat(scale, 0).repeat(scale, 1))
        before = picture.copy()
        found = [one for one in detector.detect(picture) if one.score > 0.4]
        assert np.array_equal(picture, before)
        for corners in CARS:
            scaled = tuple(value * scale for value in corners)
            best = max(found, key=lambda one: overlap(one, scaled))  # type: ignore[arg-type]
            assert overlap(best, scaled) > 0.6  # type: ignore[arg-type]
            assert best.object_class in {"car", "truck"}


@pytest.mark.parametrize("name", FILES)
def test_an_empty_picture_shows_nothing(name: str, models_dir: Path) -> None:
    detector = load_detector(models_dir / FILES[name])
    grey = np.full((360, 640, 3), 120, np.uint8)
    assert [one for one in detector.detect(grey) if one.score > 0.4] == []


def test_pictures_of_changing_sizes_do_not_disturb_each_other(models_dir: Path, motorway: NDArray[np.uint8]) -> None:
    detector = load_detector(models_dir / FILES["yolox-nano-dynamic"])
    first = detector.detect(motorway)
    assert first
    detector.detect(np.full((480, 640, 3), 255, np.uint8))
    detector.detect(np.full((352, 288, 3), 255, np.uint8))
    assert detector.detect(motorway) == first


def test_an_unknown_file_is_not_run_unless_it_is_trusted(tmp_path: Path, models_dir: Path) -> None:
    stranger = tmp_path / "mine.onnx"
    stranger.write_bytes((models_dir / FILES["fastestdet"]).read_bytes() + b"\x00")
    with pytest.raises(Denied, match="SHA-256"):
        load_detector(stranger)


def test_models_that_are_none_or_of_another_family_are_told(tmp_path: Path, models_dir: Path) -> None:
    with pytest.raises(NotFound):
        load_detector(tmp_path / "not-there.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes((models_dir / FILES["yolox-nano"]).read_bytes()[:100_000])
    with pytest.raises(DataLoss, match="not a readable ONNX"):
        load_detector(broken, trusted_as="yolox")
    with pytest.raises(Invalid, match="not built as its family"):
        YoloxDetector(ModelSession(models_dir / FILES["fastestdet"]), name="wrong")
    with pytest.raises(Invalid, match="not built as its family"):
        YoloxDetector(ModelSession(models_dir / FILES["picodet-s"]), name="wrong")


def test_the_setting_chooses(models_dir: Path) -> None:
    assert find_detector("motion", models_dir) is None
    chosen = find_detector("auto", models_dir)
    assert chosen is not None
    assert chosen.name == get_spec("yolox-nano-dynamic").name


@given(st.integers(16, 2200), st.integers(16, 3900))
def test_a_freed_input_holds_the_picture(height: int, width: int) -> None:
    tall, wide = fitting_size(height, width)
    assert tall % 32 == 0
    assert wide % 32 == 0
    assert max(tall, wide) == 640
    scale = min(tall / height, wide / width)
    assert round(height * scale) <= tall
    assert round(width * scale) <= wide
    assert max(height, width) * scale > 600


def test_one_vehicle_with_two_names_is_one_and_a_rider_is_two() -> None:
    boxes = np.array([[10, 10, 110, 60], [12, 11, 111, 61], [300, 100, 340, 180], [302, 120, 341, 182]], np.float32)
    scores = np.zeros((4, len(CLASSES)), np.float32)
    scores[0, CLASSES.index("car")], scores[1, CLASSES.index("truck")] = 0.9, 0.8
    scores[2, CLASSES.index("person")], scores[3, CLASSES.index("motorcycle")] = 0.7, 0.6
    found = keep_best(boxes, scores, width_px=640, height_px=360)
    assert [one.object_class for one in found] == ["car", "person", "motorcycle"]


box = st.tuples(st.floats(-50, 700), st.floats(-50, 400), st.floats(0, 300), st.floats(0, 300))


@given(st.lists(st.tuples(box, st.integers(0, len(CLASSES) - 1), st.floats(0, 1)), max_size=12))
def test_what_is_kept_lies_on_the_picture_and_never_coincides(
    things: list[tuple[tuple[float, float, float, float], int, float]],
) -> None:
    boxes = np.array([(x, y, x + w, y + h) for (x, y, w, h), _, _ in things], np.float32).reshape(-1, 4)
    scores = np.zeros((len(things), len(CLASSES)), np.float32)
    for index, (_, column, score) in enumerate(things):
        scores[index, column] = score
    found = keep_best(boxes, scores, width_px=640, height_px=360)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    for index, one in enumerate(found):
        assert one.score >= 0.1 - 1e-6
        assert -1e-6 <= one.box.x_px <= one.box.x_px + one.box.w_px <= 640 + 1e-6
        assert -1e-6 <= one.box.y_px <= one.box.y_px + one.box.h_px <= 360 + 1e-6
        corners = (one.box.x_px, one.box.y_px, one.box.x_px + one.box.w_px, one.box.y_px + one.box.h_px)
        assert all(overlap(other, corners) <= SAME_PLACE_IOU + 1e-6 for other in found[:index])  # type: ignore[arg-type]

"""What the truth of a drawn scene says, held against its boxes and its pixels."""

import hashlib
from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from safecity.virtual.scenes.model import (
    HEIGHT_PX,
    WIDTH_PX,
    Condition,
    EventKind,
    Layout,
    PlantedEvent,
    RoadUser,
    SceneRequest,
    SceneTruth,
)
from safecity.virtual.scenes.scene import Scene
from safecity.virtual.scenes.truth import TruthRecorder, is_inside

FPS = 12.5


@dataclass(frozen=True)
class Watched:
    """A scene with everything that was seen of it."""

    truth: SceneTruth
    lumas: list[np.ndarray]
    still: np.ndarray
    """Luma of the empty street."""


def watch(request: SceneRequest) -> Watched:
    scene = Scene(request)
    recorder = TruthRecorder(scene)
    lumas = []
    for frame in scene.frames():
        recorder.observe(frame)
        lumas.append(frame.picture[:HEIGHT_PX].copy())
    still = cv2.cvtColor(scene.backdrop.pictures[0], cv2.COLOR_BGR2YUV_I420)[:HEIGHT_PX]
    return Watched(truth=recorder.finish(), lumas=lumas, still=still)


@pytest.fixture(scope="module")
def avenue() -> Watched:
    return watch(SceneRequest(seed=3, layout=Layout.AVENUE, condition=Condition.DAY, duration_s=7, fps=FPS))


@pytest.fixture(scope="module")
def gate() -> Watched:
    """Sparse in time so that much happens in few frames."""
    return watch(SceneRequest(seed=5, layout=Layout.GATE, condition=Condition.DAY, duration_s=18, fps=5))


def boxes_of(watched: Watched):
    return [(track, box) for track in watched.truth.tracks for box in track.boxes]


def test_boxes_lie_in_the_picture(avenue, gate):
    for watched in (avenue, gate):
        for track, (frame, x, y, w, h, visible) in boxes_of(watched):
            assert 0 <= frame < watched.truth.frames
            assert x >= 0
            assert y >= 0
            assert x + w <= WIDTH_PX + 0.11
            assert y + h <= HEIGHT_PX + 0.11
            assert 0 <= visible <= 1
            assert track.boxes == tuple(sorted(track.boxes))


def independent_crossings(truth: SceneTruth):
    """Crossings by another way than the product's: signs of four triangles."""

    def area(a, b, c):
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    found = set()
    for track in truth.tracks:
        feet = {frame: (x + w / 2, y + h) for frame, x, y, w, h, _ in track.boxes}
        for frame, foot in feet.items():
            if frame - 1 not in feet:
                continue
            before = feet[frame - 1]
            for line in truth.lines:
                a, b = line.points
                was, now = area(a, b, before) >= 0, area(a, b, foot) >= 0
                ends = area(before, foot, a) * area(before, foot, b)
                if was != now and ends <= 0:
                    found.add((line.name, track.id, frame, "forward" if now else "backward"))
    return found


def test_crossings_follow_from_the_boxes(avenue, gate):
    for watched in (avenue, gate):
        stated = {(c.line, c.track, c.frame, c.direction.value) for c in watched.truth.crossings}
        assert stated == independent_crossings(watched.truth)
        assert len(stated) >= 3


def test_legal_traffic_crosses_forward(avenue, gate):
    for watched in (avenue, gate):
        kinds = {track.id: track.road_user for track in watched.truth.tracks}
        vehicles = [c for c in watched.truth.crossings if kinds[c.track] != RoadUser.PERSON and c.line != "zebra"]
        assert vehicles
        assert all(c.direction == "forward" for c in vehicles)


def test_what_is_visible_differs_from_the_empty_street(avenue):
    gone = 0
    checked = 0
    for track, (frame, x, y, w, h, visible) in boxes_of(avenue):
        if visible < 0.9 or h < 30 or track.boxes[0][1:5] == track.boxes[-1][1:5]:
            continue
        area = (slice(int(y), int(y + h)), slice(int(x), int(x + w)))
        difference = cv2.absdiff(avenue.lumas[frame][area], avenue.still[area])
        checked += 1
        gone += float((difference > 14).mean()) < 0.2
    assert checked > 300
    assert gone / checked < 0.02


def test_boxes_fit_tightly(avenue):
    """Around a lone vehicle the picture is the empty street again a few pixels outside its box."""
    outside = []
    for track, (frame, x, y, w, h, visible) in boxes_of(avenue):
        if visible < 0.99 or not 60 < h < 300 or track.road_user != RoadUser.CAR:
            continue
        if x < 40 or y < 40 or x + w > WIDTH_PX - 40:
            continue
        strip = (slice(int(y) - 12, int(y) - 4), slice(int(x), int(x + w)))
        others = [b for t, b in boxes_of(avenue) if t.id != track.id and b[0] == frame]
        if any(b[1] < x + w and b[1] + b[3] > x and b[2] < y and b[2] + b[4] > y - 14 for b in others):
            continue
        difference = cv2.absdiff(avenue.lumas[frame][strip], avenue.still[strip])
        outside.append(float((difference > 20).mean()))
    assert len(outside) > 10
    assert np.median(outside) < 0.05


def test_plates_can_be_read(gate):
    plates = [plate for plate in gate.truth.plates if plate.best_height_px >= 9]
    assert len(plates) >= 2
    for plate in plates:
        assert plate.first_frame <= plate.best_frame <= plate.last_frame
        quad = np.array(plate.best_quad, np.float32)
        size = (160, 48)
        target = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
        flat = cv2.warpPerspective(gate.lumas[plate.best_frame], cv2.getPerspectiveTransform(quad, target), size)
        inner = flat[8:-8, 10:-10]
        low, high = np.percentile(inner, (8, 80))
        assert high - low > 60, plate.text
        dark = (inner < (low + high) / 2).mean(axis=0)
        strokes = int((np.diff((dark > 0.25).astype(int)) == 1).sum())
        assert strokes >= 3, plate.text
        track = next(t for t in gate.truth.tracks if t.id == plate.track)
        assert track.plate == plate.text


def test_stops_are_where_booms_are(gate):
    zones = {stop.zone for stop in gate.truth.stops}
    assert any(zone is not None and zone.startswith("boom") for zone in zones)
    for stop in gate.truth.stops:
        track = next(t for t in gate.truth.tracks if t.id == stop.track)
        places = [(b[1], b[2]) for b in track.boxes if stop.from_frame <= b[0] <= stop.to_frame]
        assert len(places) == stop.to_frame - stop.from_frame + 1 >= 2 * gate.truth.fps
        assert np.ptp(np.array(places), axis=0).max() < 30


def test_the_same_request_draws_the_same():
    request = SceneRequest(seed=9, layout=Layout.MARKET, condition=Condition.RAIN, duration_s=0.8, fps=FPS)
    first, second = watch(request), watch(request)
    assert first.truth == second.truth
    hashes = [[hashlib.sha256(luma.tobytes()).hexdigest() for luma in w.lumas] for w in (first, second)]
    assert hashes[0] == hashes[1]
    assert len(set(hashes[0])) == len(hashes[0])


def test_people_stay_out_of_the_restricted_zone_unless_planted():
    event = PlantedEvent(kind=EventKind.ZONE_ENTRY, at_s=8, for_s=4)
    wrong = PlantedEvent(kind=EventKind.WRONG_WAY, at_s=1)
    watched = watch(
        SceneRequest(
            seed=2,
            layout=Layout.AVENUE,
            condition=Condition.DUSK,
            duration_s=20,
            fps=4,
            density=0.25,
            events=(event, wrong),
        )
    )
    truth = watched.truth
    found = {e.kind: e for e in truth.events}
    entry = found[EventKind.ZONE_ENTRY]
    assert entry.zone == "median"
    assert 5 < entry.from_frame / truth.fps < 11
    assert (entry.to_frame - entry.from_frame) / truth.fps > 3.5
    polygon = next(zone.points for zone in truth.zones if zone.name == "median")
    for track in truth.tracks:
        inside = [b for b in track.boxes if is_inside(polygon, (b[1] + b[3] / 2, b[2] + b[4]))]
        assert track.road_user != RoadUser.PERSON or bool(inside) == (track.id == entry.track)
    rider = next(t for t in truth.tracks if t.id == found[EventKind.WRONG_WAY].track)
    assert rider.road_user == RoadUser.MOTORBIKE
    assert rider.boxes[-1][4] > 0
    crossed = [c for c in truth.crossings if c.track == rider.id and c.line in ("northbound", "southbound")]
    assert all(c.direction == "backward" for c in crossed)

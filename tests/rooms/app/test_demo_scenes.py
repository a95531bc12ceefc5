"""What the demo plays and watches: three calm alerts, every street counted, clips with scenes of their own."""

import json
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from safecity.analytics.scenes_service import list_faults
from safecity.app.demo import list_clips
from safecity.app.demo_scenes import STREETS, DemoClip, Placed, place_clips, street_clip
from safecity.platform.errors import Invalid
from safecity.virtual.quetta import virtual_quetta
from safecity.virtual.scenes import Layout, SceneTruth
from safecity.virtual.scenes.model import CameraTruth, LineTruth, ZoneTruth

RULE = {"name": "in", "kind": "line_crossing", "line": "stop", "priority": 2, "title": "In", "title_ur": "اندر"}
WITH_RULE = {"lines": [{"name": "stop", "points": [[0, 20], [64, 20]]}], "rules": [RULE]}


def cameras(count: int) -> list[dict[str, object]]:
    features = virtual_quetta(count, "rtsp://virtual")["features"]
    assert isinstance(features, list)
    return [item["properties"] for item in features if item["properties"]["kind"] == "camera"]


@pytest.fixture
def drawn(tmp_path: Path) -> list[DemoClip]:
    """The streets as if they were drawn: what is in the truth of each is not this test's."""
    made: list[DemoClip] = []
    for number, street in enumerate(STREETS):
        request = street.request
        camera = CameraTruth(x_m=0, y_m=0, height_m=6, yaw_deg=0, pitch_deg=9, focal_px=1000, centre_px=(640, 360))
        truth = SceneTruth(
            version=1, seed=request.seed, layout=request.layout or Layout.GATE, condition=request.condition or "day",
            fps=12.5, frames=800, width_px=1280, height_px=720, duration_s=request.duration_s, loop=True,
            camera=camera, lines=(LineTruth(name="inbound", points=((0, 500), (900, 500))),),
            zones=(
                ZoneTruth(name="box", points=((0, 0), (9, 0), (9, 9))),
                ZoneTruth(name="gone", points=((0, 0), (1, 0))),
            ),
            tracks=(), crossings=(), stops=(), plates=(), events=(),
        )  # fmt: skip
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "truth.json").write_text(truth.model_dump_json(by_alias=True))
        made.append(street_clip(street, folder / "main.mp4"))
    return made


def alerting(placed: list[Placed]) -> list[Placed]:
    return [item for item in placed if item.scene.rules]


@pytest.mark.parametrize("count", [16, 200])
def test_three_cameras_alert_and_all_others_count(drawn: list[DemoClip], count: int) -> None:
    placed = place_clips(cameras(count), drawn)
    assert len(placed) == count
    assert sorted(rule.priority for item in alerting(placed) for rule in item.scene.rules) == [1, 2, 3]
    assert all(item.scene.lines for item in placed)
    assert all(list(list_faults(item.scene)) == [] for item in placed)
    assert all(rule.title and rule.title_ur for item in placed for rule in item.scene.rules)


def test_the_first_alerts_come_one_after_another(drawn: list[DemoClip]) -> None:
    firsts: list[float] = []
    for item in alerting(place_clips(cameras(16), drawn)):
        watch = item.clip.watch
        assert watch is not None
        firsts.append((watch.holds_at_s - item.phase_s) % item.clip.duration_s)
    firsts.sort()
    assert firsts[0] < 20
    assert min(later - earlier for earlier, later in pairwise(firsts)) > 15


def test_gates_show_gates_and_no_two_cameras_the_same_moment(drawn: list[DemoClip]) -> None:
    placed = place_clips(cameras(16), drawn)
    assert [item.clip.place for item in placed[:4]] == ["gate"] * 4
    moments = [(item.clip.path, item.phase_s) for item in placed]
    assert len(set(moments)) == len(moments)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "clips"
    made.mkdir()
    for name in ("a.mp4", "b.mp4"):
        with av.open(str(made / name), "w") as out:
            stream = out.add_stream("libx264", rate=5)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for _ in range(5):
                out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((72, 64), np.uint8), format="yuv420p")))
            out.mux(stream.encode(None))
    return made


def test_a_clip_counts_over_its_middle_or_by_the_scene_beside_it(folder: Path) -> None:
    (folder / "b.scene.json").write_text(json.dumps({**WITH_RULE, "width_px": 640, "height_px": 480}))
    first, second = list_clips(folder)
    assert [(line.name, line.points) for line in first.scene.lines] == [("middle", ((0.0, 24.0), (64.0, 24.0)))]
    assert (first.width_px, first.height_px, first.scene.rules) == (64, 48, ())
    assert (second.width_px, second.height_px) == (640, 480)
    placed = place_clips(cameras(6), [first, second])
    assert [item.clip.path.name for item in placed] == ["a.mp4", "b.mp4"] * 3
    assert [bool(item.scene.rules) for item in placed] == [False, True, False, False, False, False]


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ('{"rules": [{"name": "x", "kind": "line_crossing"}]}', "rules.0.line_crossing.line"),
        ('{"lines": [{"name": "x", "points": [[0, 0]]}]}', "lines.0.points.1"),
        ('{"colour": 1}', "colour"),
        ('{"width_px": 0}', "width_px"),
        ('{"rules": [{"name": "x", "kind": "line_crossing", "line": "none"}]}', "rules"),
        ("not json", "file"),
    ],
)
def test_a_wrong_scene_is_named_with_its_file_and_key(folder: Path, content: str, key: str) -> None:
    (folder / "a.scene.json").write_text(content)
    with pytest.raises(Invalid, match=r"a\.scene\.json") as refused:
        list_clips(folder)
    assert f": {key}: " in refused.value.message

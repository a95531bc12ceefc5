"""Scenes as pictures and files: every place in every light, loops, encoding, folders, the command."""

import json
import subprocess
import sys
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.frame import PictureType
from typer.testing import CliRunner

from safecity.platform.errors import Conflict, Invalid
from safecity.virtual.scene_commands import scene_app
from safecity.virtual.scenes import Condition, Layout, SceneRequest, SceneTruth, draw_scene, draw_scenes
from safecity.virtual.scenes.model import HEIGHT_PX, WIDTH_PX
from safecity.virtual.scenes.scene import Scene

SMALL = SceneRequest(seed=4, layout=Layout.GATE, condition=Condition.DAY, duration_s=0.5, density=0.5)


@pytest.mark.parametrize(
    ("layout", "condition"),
    [
        (Layout.AVENUE, Condition.NIGHT),
        (Layout.JUNCTION, Condition.DUSK),
        (Layout.GATE, Condition.RAIN),
        (Layout.MARKET, Condition.DUST),
        (Layout.JUNCTION, Condition.DAY),
    ],
)
def test_every_place_and_light_can_be_drawn(layout, condition):
    scene = Scene(SceneRequest(seed=1, layout=layout, condition=condition, duration_s=1))
    frames = []
    for frame in scene.frames(2):
        frames.append(frame.picture[:HEIGHT_PX].copy())
        assert len(frame.drawn) > 5
    luma = frames[0].astype(float)
    assert luma.std() > (12 if condition == Condition.DUST else 18)
    brightness = {Condition.NIGHT: (12, 75), Condition.DUSK: (45, 120), Condition.DAY: (85, 170)}
    low, high = brightness.get(condition, (60, 170))
    assert low < luma.mean() < high
    noise = float(np.median(np.abs(frames[1].astype(float) - luma)))
    assert 0.3 < noise < 8
    clipped = float(((luma < 2) | (luma > 253)).mean())
    assert clipped < 0.05


def test_the_seam_of_a_loop_cannot_be_seen():
    """The frame after the last looks like the first; with any other distance in time the traffic would differ."""
    request = SceneRequest(seed=1, layout=Layout.AVENUE, condition=Condition.DAY, duration_s=24, loop=True)
    scene = Scene(request)
    scene.traffic.fill_street()
    first, middle, after = (np.empty((HEIGHT_PX, WIDTH_PX, 3), np.uint8) for _ in range(3))
    scene.draw(first, 0)
    for number in range(1, request.frames + 1):
        scene.traffic.step()
        if number == request.frames // 2:
            scene.draw(middle, number)
    scene.draw(after, request.frames)
    assert (cv2.absdiff(first, middle) > 20).mean() > 0.01
    assert (cv2.absdiff(first, after) > 20).mean() < 0.0005


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    request = SceneRequest(seed=7, layout=Layout.GATE, condition=Condition.DAY, duration_s=4.4)
    reports = []
    files = draw_scene(
        request, tmp_path_factory.mktemp("scenes") / "gate", progress=lambda done, total: reports.append((done, total))
    )
    return request, files, reports


def packets_of(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = [p for p in container.demux(stream) if p.size]
        return [(p.pts, p.dts, p.is_keyframe) for p in packets], float(stream.average_rate)


@pytest.mark.parametrize(("name", "size", "most_kbps"), [("main", (1280, 720), 5500), ("sub", (640, 360), 600)])
def test_streams_are_what_a_camera_would_send(drawn, name, size, most_kbps):
    request, files, _ = drawn
    path = getattr(files, name)
    packets, rate = packets_of(path)
    assert rate == pytest.approx(12.5)
    assert len(packets) == request.frames == 55
    assert all(pts == dts for pts, dts, _ in packets), "a B-frame reorders"
    assert [i for i, (_, _, is_key) in enumerate(packets) if is_key] == [0, 25, 50]
    with av.open(str(path)) as container:
        pictures = [(f.width, f.height, f.format.name, int(f.pict_type)) for f in container.decode(video=0)]
    assert len(pictures) == 55
    assert {p[:3] for p in pictures} == {(*size, "yuv420p")}
    assert int(PictureType.B) not in {p[3] for p in pictures}
    assert path.stat().st_size * 8 / 4.4 / 1000 < most_kbps


def test_truth_file_reads_back(drawn):
    request, files, reports = drawn
    truth = SceneTruth.model_validate_json(files.truth.read_text())
    assert truth.frames == request.frames
    assert (truth.layout, truth.condition, truth.seed) == (Layout.GATE, Condition.DAY, 7)
    raw = json.loads(files.truth.read_text())
    assert {"id", "class", "plate", "colour", "boxes"} <= raw["tracks"][0].keys()
    assert {"line", "track", "class", "frame", "direction"} == (
        raw["crossings"] or [dict.fromkeys(("line", "track", "class", "frame", "direction"))]
    )[0].keys()
    assert reports[-1] == (55, 55)
    assert [done for done, _ in reports] == sorted(done for done, _ in reports)


def test_a_full_folder_is_left_alone(drawn):
    _, files, _ = drawn
    before = files.truth.read_bytes()
    with pytest.raises(Conflict, match="not empty"):
        draw_scene(SMALL, files.folder)
    assert files.truth.read_bytes() == before


def test_an_interrupted_drawing_leaves_nothing(tmp_path):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw_scene(SMALL.model_copy(update={"duration_s": 2.0}), tmp_path / "scene", progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_a_killed_drawing_are_swept(tmp_path):
    left = tmp_path / ".scene.999999999.part"
    left.mkdir()
    (left / "main.mp4").write_bytes(b"half")
    draw_scene(SMALL, tmp_path / "scene")
    assert [p.name for p in tmp_path.iterdir()] == ["scene"]


def test_several_scenes_are_drawn_once(tmp_path):
    other = SMALL.model_copy(update={"seed": 5})
    reports = []
    files = draw_scenes([SMALL, other, SMALL], tmp_path, processes=2, progress=reports.append)
    assert [f.folder for f in files] == [tmp_path / r.digest() for r in (SMALL, other, SMALL)]
    assert all(f.is_finished for f in files)
    assert {(r.index, r.frames_done) for r in reports} >= {(0, 6), (1, 6)}
    stamps = [f.main.stat().st_mtime_ns for f in files]
    again = []
    assert draw_scenes([other, SMALL], tmp_path, processes=1, progress=again.append) == [files[1], files[0]]
    assert all(r.is_reused for r in again)
    assert [f.main.stat().st_mtime_ns for f in files] == stamps


def test_too_many_processes_are_refused(tmp_path):
    with pytest.raises(Invalid, match="processes"):
        draw_scenes([SMALL], tmp_path, processes=0)


def test_the_command_draws_and_refuses(tmp_path):
    runner = CliRunner()
    out = tmp_path / "clip"
    arguments = [
        "draw",
        "--seed",
        "3",
        "--minutes",
        "0.01",
        "--layout",
        "gate",
        "--condition",
        "dusk",
        "--out",
        str(out),
    ]
    done = runner.invoke(scene_app, arguments)
    assert done.exit_code == 0, done.output
    assert json.loads((out / "truth.json").read_text())["condition"] == "dusk"
    again = runner.invoke(scene_app, arguments)
    assert again.exit_code == 1
    assert "not empty" in " ".join(again.output.split())
    short = runner.invoke(
        scene_app, ["draw", "--seed", "3", "--minutes", "0.1", "--loop", "--out", str(tmp_path / "x")]
    )
    assert short.exit_code == 2


DRAW_FOR_LONG = """
import sys
from pathlib import Path
from safecity.virtual.scenes import SceneRequest, draw_scenes
if __name__ == "__main__":
    wanted = [SceneRequest(seed=n, duration_s=600.0) for n in (1, 2)]
    draw_scenes(wanted, Path(sys.argv[1]), processes=2, progress=lambda one: print("drawing", flush=True))
"""


def test_drawing_ends_with_a_parent_that_was_killed(tmp_path):
    script = tmp_path / "draw.py"
    script.write_text(DRAW_FOR_LONG)
    command = [sys.executable, str(script), str(tmp_path / "scenes")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"drawing\n"
        parent.kill()
        parent.wait()
        deadline = time.monotonic() + 20
        while workers := members_of_session(parent.pid):
            assert time.monotonic() < deadline, f"still drawing: {workers}"
            time.sleep(0.1)


def members_of_session(session: int) -> list[int]:
    """Live processes of a session; field 6 of /proc/PID/stat (proc(5)), zombies aside."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(after_name[3]) == session and after_name[0] != "Z":
            found.append(int(stat.parent.name))
    return found

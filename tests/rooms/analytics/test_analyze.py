"""`safecity analyze` on short real clips and on files that are wrong."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from safecity.analytics.commands import analyze_app
from safecity.analytics.scene_file import read_scene
from safecity.platform.errors import Invalid

RUN = CliRunner()


def run(video: Path, scene: object, *more: str) -> tuple[int, str, str]:
    text = scene if isinstance(scene, str) else json.dumps(scene)
    done = RUN.invoke(analyze_app, [str(video), "--scene", "-", "--json", "--model", "motion", *more], input=text)
    return done.exit_code, done.stdout, done.stderr


def test_two_ways_of_a_car_park(clips_dir: Path) -> None:
    scene = {"lines": [{"name": "middle", "points": [[0, 216], [767, 216]]}]}
    code, out, err = run(clips_dir / "intel_car_detection.mp4", scene)
    found = json.loads(out)
    assert code == 0
    assert set(found) == {"video", "frames", "duration_s", "lines", "events"}
    assert found["frames"] == 377
    (line,) = found["lines"]
    assert (sum(line["forward"].values()), sum(line["backward"].values())) == (2, 2)
    assert "vehicle?" in err


def test_the_light_goes_on_in_an_empty_room(clips_dir: Path) -> None:
    whole = {"name": "room", "points": [[0, 0], [178, 0], [178, 100], [0, 100]]}
    scene = {"zones": [whole], "rules": [{"type": "zone_entry"}, {"kind": "crowd", "limit": 1, "min_s": 0}]}
    for profile in ("offline", "live"):
        code, out, _ = run(clips_dir / "empty_room_light_on.mp4", scene, "--profile", profile)
        assert code == 0
        assert json.loads(out)["events"] == []


def test_nobody_drives_the_wrong_way_on_the_motorway(clips_dir: Path) -> None:
    line = {"name": "near", "points": [[100, 330], [900, 330]]}
    scene = {"lines": [line], "rules": [{"type": "wrong way", "direction": "down"}]}
    code, out, _ = run(clips_dir / "motorway.mp4", scene)
    assert code == 0
    assert json.loads(out)["events"] == []


def test_a_cut_off_video_is_analysed_to_the_break(clips_dir: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes((clips_dir / "motorway.mp4").read_bytes()[:700_000])
    code, out, err = run(cut, {})
    assert code == 0
    assert 0 < json.loads(out)["frames"] < 335
    assert "breaks off" in err


@pytest.mark.parametrize("content", [b"", b"no video", b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/x.ts\n"])
def test_what_is_no_video_is_refused_whole(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    code, out, err = run(path, {})
    assert (code, out) == (2, "")
    assert str(path)[:20] in err


@pytest.mark.parametrize(
    ("scene", "word"),
    [
        ("{", "JSON"),
        ("[]", "object"),
        ({"lins": []}, "lins"),
        ({"rules": [{"type": "fly"}]}, "fly"),
        ({"rules": [{"type": "zone_entry", "zone": "x"}]}, "x"),
        ({"lines": [{"name": "a", "points": [[1, 1], [1, 1]]}]}, "same"),
        ({"lines": [{"name": "a", "points": [[1, 1], [1e300, 1]]}]}, "points"),
    ],
)
def test_a_wrong_scene_says_what_is_wrong(scene: object, word: str) -> None:
    with pytest.raises(Invalid, match=word):
        read_scene(scene if isinstance(scene, str) else json.dumps(scene))

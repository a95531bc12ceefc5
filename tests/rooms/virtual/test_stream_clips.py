"""Any MP4 becomes two camera-like streams, once."""

import itertools
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.video.frame import PictureType
from hypothesis import given
from hypothesis import strategies as st

from safecity.platform.errors import DataLoss, Invalid
from safecity.virtual.clips import ClipOptions, capped_rate, fit_size, prepare_clip, prune_cache
from safecity.virtual.elementary import Elementary, load_elementary, nal_type
from safecity.virtual.encoding import Pacer
from safecity.virtual.standins import decoded

from .conftest import ClipRecipe

Make = Callable[[ClipRecipe], Path]

HARD = {
    "b-frames": ClipRecipe(b_frames=2),
    "h265": ClipRecipe(codec="libx265", b_frames=2),
    "rare keys": ClipRecipe(seconds=6, key_s=100),
    "uneven timing": ClipRecipe(has_uneven_timing=True),
    "odd size": ClipRecipe(width_px=322, height_px=182),
    "portrait": ClipRecipe(width_px=180, height_px=320),
    "audio": ClipRecipe(has_audio=True),
    "fast": ClipRecipe(rate=60, seconds=1),
    "large": ClipRecipe(width_px=2560, height_px=1440, seconds=0.5),
    "one picture": ClipRecipe(rate=10, seconds=0.1),
}


def check_camera_like(stream: Elementary, *, key_within_s: float) -> None:
    ticks = [picture.ticks for picture in stream.pictures]
    assert ticks[0] == 0
    assert all(a < b for a, b in itertools.pairwise(ticks))
    assert ticks[-1] < stream.duration_ticks
    keys = [picture.ticks for picture in stream.pictures if picture.is_key] + [stream.duration_ticks]
    assert keys[0] == 0
    assert max(b - a for a, b in itertools.pairwise(keys)) <= key_within_s * 90_000 + 9_000
    assert [nal_type(nal, "h264") for nal in stream.parameter_sets] == [7, 8]
    frames = [frame for _, frame in decoded(stream, 1e9)]
    assert len(frames) == len(stream.pictures)
    assert {(frame.width, frame.height) for frame in frames} == {(stream.width_px, stream.height_px)}
    assert not any(frame.pict_type == PictureType.B for frame in frames)


@pytest.mark.parametrize("name", HARD)
def test_any_clip_becomes_camera_like(name: str, make_clip: Make, clip_cache: Path) -> None:
    recipe = HARD[name]
    prepared = prepare_clip(make_clip(recipe), cache=clip_cache)
    check_camera_like(prepared.main, key_within_s=4.0)
    check_camera_like(prepared.sub, key_within_s=2.0)
    assert (prepared.sub.width_px, prepared.sub.height_px) == (640, 360)
    assert prepared.main.duration_ticks == prepared.sub.duration_ticks
    assert prepared.main.frame_rate <= 30.1
    assert prepared.sub.frame_rate <= 16


def test_uneven_timing_keeps_the_clips_length(make_clip: Make, clip_cache: Path) -> None:
    prepared = prepare_clip(make_clip(HARD["uneven timing"]), cache=clip_cache)
    # 20 pictures, four of them followed by a gap of three intervals; the last gap is not in the file.
    assert prepared.main.duration_ticks / 90_000 == pytest.approx(2.6, abs=0.11)


def test_a_clip_that_fits_is_passed_through(make_clip: Make, clip_cache: Path) -> None:
    source = make_clip(ClipRecipe(has_audio=True))
    prepared = prepare_clip(source, cache=clip_cache)
    assert prepared.passed_through
    with av.open(str(source)) as container:
        sizes = [len(bytes(packet)) for packet in container.demux(video=0) if packet.size]
    sent = [sum(len(nal) + 4 for nal in picture.nals) for picture in prepared.main.pictures]
    assert len(sent) == len(sizes)
    assert all(a <= b for a, b in zip(sent, sizes, strict=True))


@pytest.mark.parametrize("name", ["b-frames", "h265", "rare keys", "large"])
def test_a_clip_that_no_camera_would_send_is_encoded(name: str, make_clip: Make, clip_cache: Path) -> None:
    assert not prepare_clip(make_clip(HARD[name]), cache=clip_cache).passed_through


def test_the_cache_is_used_again_and_depends_on_the_parameters(make_clip: Make, tmp_path: Path) -> None:
    source = make_clip(ClipRecipe(b_frames=2))
    prepare_clip(source, cache=tmp_path)
    before = {path: path.stat().st_ino for path in tmp_path.glob("*.mp4")}
    assert len(before) == 2
    prepare_clip(source, cache=tmp_path)
    assert {path: path.stat().st_ino for path in tmp_path.glob("*.mp4")} == before
    prepare_clip(source, cache=tmp_path, options=ClipOptions(burns_counter=True))
    assert len(list(tmp_path.glob("*.mp4"))) == 4
    assert not list(tmp_path.glob(".*"))


def test_a_bench_gets_the_bit_rate_it_asks_for(make_clip: Make, tmp_path: Path) -> None:
    source = make_clip(ClipRecipe(seconds=4, width_px=640, height_px=360))
    prepared = prepare_clip(source, cache=tmp_path, options=ClipOptions(bitrate_bps=2_000_000, min_length_s=6))
    assert prepared.main.bitrate_bps == pytest.approx(2_000_000, rel=0.08)
    assert prepared.main.duration_ticks == 8 * 90_000


@pytest.mark.parametrize("content", [b"", b"no video at all", b"\0\0\0\x18ftypisom" + bytes(400)])
def test_a_broken_file_is_refused_with_a_sentence(content: bytes, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(content)
    with pytest.raises(Invalid, match=r"broken\.mp4"):
        prepare_clip(broken, cache=tmp_path / "cache")
    assert not list(tmp_path.glob("cache/*"))


def test_a_clip_with_its_pictures_shot_to_pieces_is_refused(make_clip: Make, tmp_path: Path) -> None:
    content = bytearray(make_clip(ClipRecipe(b_frames=2, seconds=3)).read_bytes())
    start = content.index(b"mdat") + 4
    for at in range(start, content.index(b"moov") - 8):
        content[at] = (at * 37) & 0xFF
    broken = tmp_path / "shot.mp4"
    broken.write_bytes(content)
    with pytest.raises(Invalid):
        prepare_clip(broken, cache=tmp_path / "cache")
    assert not [path for path in tmp_path.glob("cache/*") if path.suffix == ".mp4"]


def test_a_missing_file_and_one_without_video_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        prepare_clip(tmp_path / "nowhere.mp4", cache=tmp_path)
    sound = tmp_path / "sound.mp4"
    with av.open(str(sound), "w") as out:
        out.mux(out.add_stream("aac", rate=8000).encode(None))
    with pytest.raises(Invalid):
        prepare_clip(sound, cache=tmp_path)


def test_progress_rises_to_one(make_clip: Make, tmp_path: Path) -> None:
    told: list[float] = []
    prepare_clip(make_clip(ClipRecipe(b_frames=2)), cache=tmp_path, on_progress=told.append)
    assert told[-1] == 1.0
    assert told == sorted(told)
    assert len(told) > 5


def test_a_torn_cache_file_is_named(tmp_path: Path) -> None:
    torn = tmp_path / "torn.mp4"
    torn.write_bytes(b"\0\0\0\x18ftypisom")
    with pytest.raises(DataLoss, match=r"torn\.mp4"):
        load_elementary(torn)


def test_the_cache_has_a_limit(tmp_path: Path) -> None:
    for index in range(5):
        path = tmp_path / f"{index}.mp4"
        path.write_bytes(bytes(100))
    prune_cache(tmp_path, keep=[tmp_path / "0.mp4"], limit_bytes=250)
    left = sorted(path.name for path in tmp_path.glob("*.mp4"))
    assert len(left) == 2
    assert "0.mp4" in left


@given(st.integers(16, 8000), st.integers(16, 8000))
def test_every_size_becomes_even_and_fits(width: int, height: int) -> None:
    fitted = fit_size(width, height)
    assert fitted[0] % 2 == fitted[1] % 2 == 0
    assert fitted[0] <= 1920
    assert fitted[1] <= 1080


@given(st.fractions(min_value=1, max_value=240), st.integers(1, 60))
def test_a_capped_rate_divides_the_clips(rate: Fraction, most: int) -> None:
    capped = capped_rate(rate, most)
    assert capped <= max(most, 1)
    assert (rate / capped).denominator == 1


@given(st.lists(st.floats(0.001, 0.5), min_size=1, max_size=40), st.integers(1, 30))
def test_the_pacer_gives_a_constant_rate_for_any_timing(gaps: list[float], rate: int) -> None:
    pacer = Pacer(Fraction(rate))
    frame = av.VideoFrame(16, 16, "yuv420p")
    at_s, count = 0.0, 0
    for gap in gaps:
        count += len(list(pacer.push(at_s, frame)))
        at_s += gap
    count += len(list(pacer.finish(at_s)))
    assert abs(count - max(1, at_s * rate)) <= 1

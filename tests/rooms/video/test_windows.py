"""Windows of recordings: they tile without loss or doubles, run on over borders, and stop at gaps and changes."""

import itertools
from datetime import datetime, timedelta
from pathlib import Path

import av
import pytest

from safecity.platform.clock import parse_iso, to_iso, to_us
from safecity.platform.errors import NotFound
from safecity.video.model import SegmentState, Stream
from safecity.video.scan import read_samples, scan
from safecity.video.volumes import Volumes
from safecity.video.windows import Window, WindowReader
from tests.databases import make_sqlite
from tests.rooms.video.recorded import CAMERA, NOON, FakeRecorder, load_clip


@pytest.fixture
def recorder(tmp_path: Path, clips_dir: Path) -> FakeRecorder:
    database = make_sqlite(tmp_path / "safecity.db")
    return FakeRecorder(database, tmp_path / "media", load_clip(clips_dir / "suburban_road_a.mp4"))


def reader_of(recorder: FakeRecorder) -> WindowReader:
    return WindowReader(recorder.database, volumes=Volumes.at(recorder.media_dir))


def pictures_of(window: Window) -> list[tuple[int, bytes]]:
    data = b"".join(window.parts)
    found = scan(data)
    assert found.damage is None
    assert found.fragments[0].is_key_first, "a window begins at a key frame"
    return [(ticks, sample.data) for item in found.fragments for ticks, sample in read_samples(data, item)]


def tile(reader: WindowReader, start: datetime, end: datetime, *, seconds: float) -> list[tuple[int, bytes]]:
    """Ask for one window after the other, as the page does: by milliseconds."""
    found: list[tuple[int, bytes]] = []
    at = start
    while at < end:
        window = reader.read(CAMERA, Stream.MAIN, at=parse_iso(to_iso(at)), seconds=seconds, origin=start)
        found += pictures_of(window)
        assert window.to_at > at
        at = window.next_at or window.to_at
    return found


@pytest.mark.parametrize("seconds", [1.0, 2.7, 10.0, 60.0])
def test_windows_tile_without_loss_or_doubles(recorder: FakeRecorder, seconds: float) -> None:
    recorder.write(keys=4)
    recorder.write(keys=3, rate_ppb=400_000)
    recorder.pause(12.5)
    recorder.write(keys=2, session="s2")
    recorder.write(keys=3, session="s2", rate_ppb=-90_000_000)
    found = tile(reader_of(recorder), recorder.segments[0].started_at, recorder.at, seconds=seconds)
    assert [data for _, data in found] == [sample.data for sample in recorder.samples]
    times = [ticks for ticks, _ in found]
    assert times == sorted(set(times)), "media time rises"
    gap_ticks = [later - earlier for earlier, later in itertools.pairwise(times) if later - earlier > 90_000]
    assert len(gap_ticks) == 1
    assert gap_ticks[0] == pytest.approx(12.5 * 90_000, abs=5000)


def test_media_time_counts_from_the_origin(recorder: FakeRecorder) -> None:
    recorder.write(keys=3)
    third = recorder.write(keys=3)
    origin = NOON - timedelta(seconds=100)
    window = reader_of(recorder).read(CAMERA, Stream.MAIN, at=third.started_at, seconds=1, origin=origin)
    assert window.from_at == third.started_at
    first_ticks = pictures_of(window)[0][0]
    assert first_ticks == (to_us(third.started_at) - to_us(origin)) * 9 // 100
    assert window.codec_string.startswith("avc1.")


def test_a_window_between_key_frames_begins_at_the_one_before(recorder: FakeRecorder) -> None:
    recorder.write(keys=4)
    reader = reader_of(recorder)
    window = reader.read(CAMERA, Stream.MAIN, at=NOON + timedelta(seconds=3.5), seconds=0.1)
    assert window.from_at == reader.key_at(CAMERA, Stream.MAIN, at=NOON + timedelta(seconds=3.5))
    assert NOON + timedelta(seconds=1.9) < window.from_at < NOON + timedelta(seconds=2.1)
    assert window.to_at > NOON + timedelta(seconds=3.6)


def test_where_nothing_is_recorded_the_next_is_named(recorder: FakeRecorder) -> None:
    recorder.write(keys=2)
    recorder.pause(30)
    later = recorder.write(keys=2, session="s2")
    reader = reader_of(recorder)
    first = reader.read(CAMERA, Stream.MAIN, at=NOON, seconds=60)
    assert first.next_at == later.started_at
    with pytest.raises(NotFound) as told:
        reader.read(CAMERA, Stream.MAIN, at=NOON + timedelta(seconds=10), seconds=5)
    assert told.value.facts["next"] == later.started_at.isoformat()
    with pytest.raises(NotFound) as told:
        reader.read(CAMERA, Stream.MAIN, at=recorder.at, seconds=5)
    assert told.value.facts["next"] is None


def test_the_open_segment_gives_what_is_durable(recorder: FakeRecorder) -> None:
    recorder.write(keys=2)
    segment = recorder.write(keys=3, state=SegmentState.OPEN)
    with (recorder.media_dir / segment.path).open("ab") as file:
        file.write(b"\0\0\1\0moof half a fragment that is not durable yet")
    window = reader_of(recorder).read(CAMERA, Stream.MAIN, at=NOON, seconds=60)
    assert window.pictures == len(recorder.samples)
    assert window.to_at == segment.durable_until
    assert window.next_at is None


def test_a_change_of_format_ends_the_window(recorder: FakeRecorder, clips_dir: Path) -> None:
    recorder.write(keys=2)
    recorder.clip = load_clip(clips_dir / "intel_car_detection.mp4")
    changed = recorder.write(keys=1, session="s2")
    window = reader_of(recorder).read(CAMERA, Stream.MAIN, at=NOON, seconds=60)
    assert (window.to_at, window.next_at) == (changed.started_at, changed.started_at)
    following = reader_of(recorder).read(CAMERA, Stream.MAIN, at=window.next_at or NOON, seconds=60)
    assert following.codec_string == changed.codec_string != window.codec_string


def test_key_frames_alone_last_until_the_next_one(recorder: FakeRecorder) -> None:
    recorder.write(keys=3)
    recorder.write(keys=2)
    window = reader_of(recorder).read(CAMERA, Stream.MAIN, at=NOON, seconds=60, frames="key")
    data = b"".join(window.parts)
    items = scan(data).fragments
    keys = [sample.data for sample in recorder.samples if sample.is_key]
    assert [sample.data for item in items for _, sample in read_samples(data, item)] == keys
    assert all(one.end_ticks == other.decode_ticks for one, other in itertools.pairwise(items))
    assert items[-1].end_ticks == (to_us(window.to_at) - to_us(NOON)) * 9 // 100


def test_players_read_a_window(recorder: FakeRecorder, tmp_path: Path) -> None:
    recorder.write(keys=2)
    recorder.write(keys=2)
    path = tmp_path / "window.mp4"
    path.write_bytes(b"".join(reader_of(recorder).read(CAMERA, Stream.MAIN, at=NOON, seconds=30).parts))
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == len(recorder.samples)


def test_a_path_outside_of_the_store_is_refused(recorder: FakeRecorder) -> None:
    segment = recorder.write(keys=1)
    (recorder.media_dir / segment.path).unlink()
    with pytest.raises(NotFound):
        reader_of(recorder).read(CAMERA, Stream.MAIN, at=NOON, seconds=1)

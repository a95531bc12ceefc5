"""Streams as independent players see them: FFmpeg through PyAV, and Debian's ffprobe and ffmpeg."""

import asyncio
import itertools
import shutil
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import av.error
import pytest

from safecity.virtual.clips import ClipOptions
from safecity.virtual.counter import read_counter

from .conftest import CityInThread, ClipRecipe, StartCity, open_stream, wait_until

Make = Callable[[ClipRecipe], Path]


@pytest.fixture(scope="module")
def city(start_city: StartCity) -> CityInThread:
    """Two cameras with a clip of two seconds whose RTP timestamps wrap about a second after the start."""
    return start_city(mounts=2, first_rtp=(1 << 32) - 90_000)


def read_packets(container: av.container.InputContainer, seconds: float) -> list[av.Packet]:
    """Packets of so much media time. FFmpeg gives the first one no time."""
    packets: list[av.Packet] = []
    first_s = None
    for packet in container.demux(video=0):
        packets.append(packet)
        at_s = None if packet.dts is None else float(packet.dts * packet.time_base)
        first_s = at_s if first_s is None else first_s
        if len(packets) > 2000 or (at_s is not None and first_s is not None and at_s - first_s >= seconds):
            break
    return packets


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("profile", ["main", "sub"])
def test_two_loops_without_a_seam(city: CityInThread, transport: str, profile: str) -> None:
    with open_stream(city.url(profile=profile), transport) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.width == (320 if profile == "main" else 640)
        assert stream.codec_context.extradata
        packets = read_packets(container, 4.6)
        frames = [frame for packet in packets for frame in packet.decode()]
    assert packets[0].is_keyframe
    times = [float(packet.dts * packet.time_base) for packet in packets[1:]]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert min(gaps) > 0
    assert max(gaps) == pytest.approx(0.1, abs=0.002)
    assert len(frames) >= len(packets) - 1
    assert not any(frame.is_corrupt for frame in frames)


def test_the_first_picture_comes_at_once_and_is_a_key(city: CityInThread) -> None:
    start_s = time.monotonic()
    with open_stream(city.url("cam-002")) as container:
        first = next(container.demux(video=0))
        assert first.is_keyframe
    assert time.monotonic() - start_s < 0.9


def test_sender_reports_give_the_capture_time(city: CityInThread) -> None:
    with open_stream(city.url()) as container:
        packets = read_packets(container, 1.0)
        received_s = time.time()
    reports = [packet for packet in packets if packet.has_sidedata("prft")]
    assert len(reports) >= len(packets) - 2
    wall_us = int.from_bytes(bytes(reports[-1].get_sidedata("prft"))[:8], "little")
    assert wall_us / 1e6 == pytest.approx(received_s, abs=0.3)


@pytest.mark.parametrize("tool", ["ffprobe", "ffmpeg"])
@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_debians_tools_play_it(city: CityInThread, tool: str, transport: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"no {tool} here; on Debian: apt-get install ffmpeg")
    head = [tool, "-v", "warning", "-rtsp_transport", transport, "-i", city.url(profile="sub")]
    tail = ["-show_streams"] if tool == "ffprobe" else ["-t", "3", "-f", "null", "-"]
    done = subprocess.run([*head, *tail], capture_output=True, text=True, timeout=30, check=True)
    assert done.stderr == ""
    if tool == "ffprobe":
        assert "codec_name=h264" in done.stdout
        assert "width=640" in done.stdout


def test_a_real_clip_is_played(start_city: StartCity, clips_dir: Path) -> None:
    real = start_city(clips_dir / "motorway.mp4")
    for profile, width in (("main", 960), ("sub", 640)):
        with open_stream(real.url(profile=profile)) as container:
            packets = read_packets(container, 2.5)
            frames = [frame for packet in packets for frame in packet.decode()]
        assert len(frames) >= len(packets) - 1
        assert frames[0].width == width
        assert not any(frame.is_corrupt for frame in frames)


def test_a_hundred_cameras_at_once(start_city: StartCity) -> None:
    many = start_city(mounts=100)

    def watch(number: int) -> int:
        with open_stream(many.url(f"cam-{number:03d}"), timeout_s=30) as container:
            return sum(1 for packet in read_packets(container, 2.0) if packet.size)

    with ThreadPoolExecutor(max_workers=100) as pool:
        counts = list(pool.map(watch, range(1, 101)))
    assert min(counts) >= 20
    assert all(mount.streams["main"].dropped_pictures == 0 for mount in many.control.list_mounts())


def test_burned_numbers_map_to_when_they_were_sent(start_city: StartCity) -> None:
    counting = start_city(options=ClipOptions(burns_counter=True))
    with open_stream(counting.url(profile="sub")) as container:
        packets = read_packets(container, 2.0)
        frames = [frame for packet in packets for frame in packet.decode()]
    numbers = [read_counter(frame.to_ndarray(format="gray")) for frame in frames]
    assert None not in numbers
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    sent = {item.counter: item.sent_at.timestamp() for item in counting.control.list_sent("cam-001", "sub")}
    assert numbers[-1] in sent
    assert time.time() - sent[numbers[-1]] < 5
    later = counting.control.list_sent("cam-001", "sub", from_counter=numbers[-1])
    assert {item.counter for item in later} == {number for number in sent if number >= numbers[-1]}


def test_a_slow_client_is_bounded_and_recovers_at_a_key(
    start_city: StartCity, make_clip: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safecity.virtual.rtsp.viewer.SLOW_LIMIT_BYTES", 200_000)
    fat = start_city(make_clip(ClipRecipe(seconds=4)), options=ClipOptions(bitrate_bps=20_000_000))

    def backlog() -> tuple[int, int]:
        (viewer,) = fat.control.list_mounts()[0].streams["main"].viewers
        return viewer.backlog_bytes, viewer.dropped_pictures

    with open_stream(fat.url(), timeout_s=30) as container:
        packets = container.demux(video=0)
        next(packets)
        wait_until(lambda: backlog()[1] > 5, within_s=20)
        # The limit, and the one picture that passed it.
        assert backlog()[0] < 200_000 + 300_000
        dropped = backlog()[1]
        seen = [next(packets) for _ in range(60)]
        assert dropped > 0
        assert any(packet.is_keyframe for packet in seen)
    wait_until(lambda: not fat.control.list_mounts()[0].streams["main"].viewers)
    assert fat.control.list_mounts()[0].streams["main"].dropped_pictures >= dropped


def test_a_viewer_that_leaves_costs_nothing_more(city: CityInThread) -> None:
    with open_stream(city.url()) as container:
        next(container.demux(video=0))
        wait_until(lambda: len(city.control.list_mounts()[0].streams["main"].viewers) == 1)
    wait_until(lambda: not city.control.list_mounts()[0].streams["main"].viewers)
    pictures = city.control.list_mounts()[0].streams["main"].pictures
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0.3), city.loop).result()
    assert city.control.list_mounts()[0].streams["main"].pictures == pictures


def test_a_wrong_password_is_refused(city: CityInThread) -> None:
    with pytest.raises(av.error.HTTPUnauthorizedError):
        open_stream(city.url(password="guess"))


def test_an_unknown_camera_is_not_found(city: CityInThread) -> None:
    with pytest.raises(av.error.HTTPNotFoundError):
        open_stream(city.url("cam-999"))

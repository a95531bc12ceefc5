"""Every fault as a client sees it, and how it ends."""

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import av
import av.error
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.platform.errors import Invalid, NotFound
from safecity.virtual.faults import (
    CameraClock,
    ClockJump,
    FaultKind,
    check_fault,
    read_drift_ppm,
    read_jump,
)

from .conftest import CityInThread, ClipRecipe, StartCity, open_stream, wait_until

CAMERA = "cam-001"
REPORT_TRIES = 30


@pytest.fixture(scope="module")
def city(start_city: StartCity, make_clip: Callable[[ClipRecipe], object]) -> CityInThread:
    return start_city(make_clip(ClipRecipe(seconds=3, rate=25, width_px=640, height_px=360)), mounts=2)


@pytest.fixture(autouse=True)
def cleared(city: CityInThread) -> Iterator[None]:
    yield
    city.control.clear_faults()


class Watcher:
    """A client that reads on and on."""

    def __init__(self, city: CityInThread, profile: str = "main", transport: str = "tcp") -> None:
        self.container = open_stream(city.url(CAMERA, profile), transport, timeout_s=6)
        self.packets = self.container.demux(video=0)
        self.last_s = 0.0

    def read(self, count: int) -> list[av.Packet]:
        return list(itertools.islice(self.packets, count))

    def frames(self, count: int) -> list[av.VideoFrame]:
        found: list[av.VideoFrame] = []
        for packet in self.packets:
            found += packet.decode()
            if len(found) >= count:
                return found
        return found

    def frames_until(self, condition: Callable[[av.VideoFrame], bool], *, within: int = 60) -> list[av.VideoFrame]:
        """Frames up to the first that satisfies the condition, that one included."""
        found: list[av.VideoFrame] = []
        for _ in range(within):
            found += self.frames(1)
            if condition(found[-1]):
                return found
        raise AssertionError(f"none of {within} frames is as expected")


@pytest.fixture
def watch(city: CityInThread) -> Iterator[Callable[..., Watcher]]:
    watchers: list[Watcher] = []

    def start(profile: str = "main", transport: str = "tcp") -> Watcher:
        watchers.append(Watcher(city, profile, transport))
        return watchers[-1]

    yield start
    for watcher in watchers:
        watcher.container.close()


Watch = Callable[..., Watcher]


def luma(frame: av.VideoFrame) -> np.ndarray:
    return frame.to_ndarray(format="gray").astype(float)


def is_normal(frame: av.VideoFrame) -> bool:
    return frame.width == 640 and luma(frame).max() > 190


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_stall_keeps_the_connection_and_sends_nothing(city: CityInThread, watch: Watch, transport: str) -> None:
    watcher = watch(transport=transport)
    watcher.read(5)
    city.control.set_fault(CAMERA, FaultKind.STALL, for_s=1.5)
    start_s = time.monotonic()
    # FFmpeg holds each picture back until the next one begins: look at media time.
    packets = watcher.read(20)
    gap, after = max((second.dts - first.dts, second) for first, second in itertools.pairwise(packets))
    assert gap > 1.2 * 90_000
    assert after.is_keyframe
    assert time.monotonic() - start_s > 1.4
    assert len(city.control.list_mounts()[0].streams["main"].viewers) == 1


def test_a_client_that_comes_during_a_stall_gets_nothing_until_it_ends(city: CityInThread) -> None:
    city.control.set_fault(CAMERA, FaultKind.STALL, for_s=1.0)
    start_s = time.monotonic()
    with open_stream(city.url(CAMERA)) as container:
        assert next(container.demux(video=0)).is_keyframe
    assert time.monotonic() - start_s > 0.9


def test_drop_closes_and_refuses_until_it_ends(city: CityInThread, watch: Watch) -> None:
    watcher = watch()
    watcher.read(3)
    city.control.set_fault(CAMERA, FaultKind.DROP, for_s=1.0)
    with pytest.raises((av.error.FFmpegError, StopIteration)):
        for _ in range(100):
            next(watcher.packets)
    with pytest.raises(av.error.FFmpegError):
        open_stream(city.url(CAMERA))
    with open_stream(city.url("cam-002")) as other:
        assert next(other.demux(video=0)).is_keyframe
    wait_until(lambda: not city.control.list_mounts()[0].faults)
    with open_stream(city.url(CAMERA)) as container:
        assert next(container.demux(video=0)).is_keyframe


def test_wrong_password_is_401_until_cleared(city: CityInThread, watch: Watch) -> None:
    watcher = watch()
    watcher.read(3)
    city.control.set_fault(CAMERA, FaultKind.WRONG_PASSWORD)
    with pytest.raises((av.error.FFmpegError, StopIteration)):
        for _ in range(100):
            next(watcher.packets)
    with pytest.raises(av.error.HTTPUnauthorizedError):
        open_stream(city.url(CAMERA))
    city.control.clear_faults(CAMERA, FaultKind.WRONG_PASSWORD)
    open_stream(city.url(CAMERA)).close()


def test_garbage_in_the_pictures_then_clean_again(city: CityInThread, watch: Watch) -> None:
    watcher = watch()
    clean = {bytes(packet)[:64] for packet in watcher.read(40)}
    city.control.set_fault(CAMERA, FaultKind.GARBAGE)
    spoilt = [packet for packet in watcher.read(45)[15:] if bytes(packet)[:64] not in clean]
    assert len(spoilt) > 5
    city.control.clear_faults(CAMERA)
    packets = watcher.read(60)
    last_key = max(index for index, packet in enumerate(packets) if packet.is_keyframe)
    assert all(bytes(packet)[:64] in clean for packet in packets[last_key:])


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_garbage_in_the_framing_does_not_outlast_the_fault(city: CityInThread, transport: str) -> None:
    with open_stream(city.url(CAMERA), transport) as container:
        next(container.demux(video=0))
        city.control.set_fault(CAMERA, FaultKind.GARBAGE, for_s=0.8, value="framing")
        time.sleep(0.5)
    wait_until(lambda: not city.control.list_mounts()[0].faults)
    with open_stream(city.url(CAMERA), transport) as container:
        frames = [frame for packet in itertools.islice(container.demux(video=0), 10) for frame in packet.decode()]
    assert all(is_normal(frame) for frame in frames)


@pytest.mark.parametrize("profile", ["main", "sub"])
def test_black_is_black_and_stays_decodable(city: CityInThread, watch: Watch, profile: str) -> None:
    watcher = watch(profile)
    assert is_normal(watcher.frames(3)[-1])
    city.control.set_fault(CAMERA, FaultKind.BLACK)
    black = watcher.frames_until(lambda frame: luma(frame).max() < 5)
    assert all(luma(frame).max() < 5 for frame in watcher.frames(10))
    assert black[-1].width == 640
    city.control.clear_faults(CAMERA)
    back = watcher.frames_until(is_normal)[-1]
    assert back.key_frame
    times = [frame.pts for frame in watcher.frames(10)]
    assert times == sorted(set(times))


def test_frozen_repeats_one_picture_of_the_scene(city: CityInThread, watch: Watch) -> None:
    watcher = watch()
    moving = watcher.frames(12)
    assert float(np.abs(luma(moving[-1]) - luma(moving[-3])).max()) > 50
    city.control.set_fault(CAMERA, FaultKind.FROZEN)
    time.sleep(2.2)
    watcher.frames(60)
    frozen = watcher.frames(30)
    first = luma(frozen[0])
    assert all(float(np.abs(luma(frame) - first).mean()) < 1.5 for frame in frozen)
    assert is_normal(frozen[0])
    city.control.clear_faults(CAMERA)
    watcher.frames_until(lambda frame: float(np.abs(luma(frame) - first).max()) > 50)


def test_covered_is_dark_and_noisy_but_not_black(city: CityInThread, watch: Watch) -> None:
    watcher = watch()
    watcher.frames(2)
    city.control.set_fault(CAMERA, FaultKind.COVERED)
    covered = watcher.frames_until(lambda frame: luma(frame).max() < 60)
    later = watcher.frames(8)[-1]
    assert 0.5 < luma(later).mean() < 40
    assert float(np.abs(luma(later) - luma(covered[-1])).mean()) > 0.05
    city.control.clear_faults(CAMERA)
    watcher.frames_until(is_normal)


def test_the_resolution_changes_on_the_same_connection_and_back(city: CityInThread, watch: Watch) -> None:
    watcher = watch()
    assert watcher.frames(1)[0].width == 640
    city.control.set_fault(CAMERA, FaultKind.RESOLUTION)
    changed = watcher.frames_until(lambda frame: frame.width == 480)[-1]
    assert (changed.height, changed.key_frame) == (270, 1)
    with open_stream(city.url(CAMERA)) as newcomer:
        assert newcomer.streams.video[0].codec_context.width == 480
    city.control.clear_faults(CAMERA)
    watcher.frames_until(lambda frame: frame.width == 640)


def test_the_codec_changes_after_a_reconnect_and_back(city: CityInThread, watch: Watch) -> None:
    watcher = watch()
    watcher.read(2)
    city.control.set_fault(CAMERA, FaultKind.CODEC)
    with pytest.raises((av.error.FFmpegError, StopIteration)):
        for _ in range(100):
            next(watcher.packets)
    with open_stream(city.url(CAMERA)) as container:
        assert container.streams.video[0].codec_context.name == "hevc"
        frames = [frame for packet in itertools.islice(container.demux(video=0), 15) for frame in packet.decode()]
        assert is_normal(frames[-1])
    assert city.control.list_mounts()[0].streams["main"].codec == "hevc"
    city.control.clear_faults(CAMERA)
    with open_stream(city.url(CAMERA)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        frames = [frame for packet in itertools.islice(container.demux(video=0), 5) for frame in packet.decode()]
        assert is_normal(frames[-1])


def reported_wall_s(packet: av.Packet) -> float | None:
    data = packet.get_sidedata("prft") if packet.has_sidedata("prft") else None
    return int.from_bytes(bytes(data)[:8], "little") / 1e6 if data else None


@pytest.mark.parametrize("jump", ["7200", "-3600"])
def test_the_clock_jumps_and_media_time_does_not(city: CityInThread, watch: Watch, jump: str) -> None:
    watcher = watch()
    watcher.read(4)
    city.control.set_fault(CAMERA, FaultKind.CLOCK_JUMP, value=jump)
    packets = watcher.read(15)
    for _ in range(REPORT_TRIES):  # pictures from before the jump may still wait in the reader
        told = reported_wall_s(packets[-1])
        if told is not None and abs(told - time.time() - float(jump)) < 1.0:
            break
        packets += watcher.read(5)
    assert told is not None
    assert told - time.time() == pytest.approx(float(jump), abs=1.0)
    times = [packet.dts for packet in packets]
    assert max(b - a for a, b in itertools.pairwise(times)) < 90_000
    city.control.clear_faults(CAMERA)
    told = reported_wall_s(watcher.read(15)[-1])
    for _ in range(REPORT_TRIES):
        if told is not None and abs(told - time.time()) < 1.0:
            break
        told = reported_wall_s(watcher.read(5)[-1])
    assert told == pytest.approx(time.time(), abs=1.0)


def test_rtp_time_jumps_too_where_asked(city: CityInThread, watch: Watch) -> None:
    watcher = watch()
    watcher.read(4)
    city.control.set_fault(CAMERA, FaultKind.CLOCK_JUMP, value="500:rtp")
    times = [packet.dts for packet in watcher.read(20)]
    assert max(b - a for a, b in itertools.pairwise(times)) == pytest.approx(500 * 90_000, rel=0.01)


def test_drift_shows_in_reports_and_media_time(city: CityInThread, watch: Watch) -> None:
    watcher = watch()
    watcher.read(5)
    city.control.set_fault(CAMERA, FaultKind.CLOCK_DRIFT, value="100000")
    packets = watcher.read(30)
    gaps = [b.dts - a.dts for a, b in itertools.pairwise(packets[-12:])]
    assert sum(gaps) / len(gaps) == pytest.approx(3600 * 1.1, rel=0.02)


def test_all_cameras_at_once_and_what_the_list_says(city: CityInThread) -> None:
    assert city.control.set_fault("all", FaultKind.STALL, for_s=60) == ("cam-001", "cam-002")
    for mount in city.control.list_mounts():
        (held,) = mount.faults
        assert held.kind is FaultKind.STALL
        assert held.until
        assert held.until - held.since == timedelta(seconds=60)
    city.control.clear_faults("cam-002")
    assert [len(mount.faults) for mount in city.control.list_mounts()] == [1, 0]


def test_a_picture_fault_takes_the_place_of_another(city: CityInThread, watch: Watch) -> None:
    watcher = watch()
    city.control.set_fault(CAMERA, FaultKind.BLACK)
    city.control.set_fault(CAMERA, FaultKind.COVERED)
    assert [held.kind for held in city.control.list_mounts()[0].faults] == [FaultKind.COVERED]
    watcher.frames_until(lambda frame: 5 < luma(frame).mean() < 40)


def test_a_fault_set_anew_lasts_anew(city: CityInThread) -> None:
    city.control.set_fault(CAMERA, FaultKind.STALL, for_s=0.3)
    city.control.set_fault(CAMERA, FaultKind.STALL, for_s=60)
    time.sleep(0.5)
    assert city.control.list_mounts()[0].faults


def test_what_cannot_be_set_is_refused(city: CityInThread) -> None:
    with pytest.raises(NotFound):
        city.control.set_fault("cam-999", FaultKind.STALL)
    with pytest.raises(Invalid):
        city.control.set_fault(CAMERA, FaultKind.STALL, for_s=-1)
    with pytest.raises(Invalid):
        city.control.set_fault(CAMERA, FaultKind.CLOCK_JUMP, value="soon")
    assert not city.control.list_mounts()[0].faults


# The rules by themselves


@given(st.sampled_from(list(FaultKind)), st.text(max_size=20), st.floats())
def test_any_fault_is_taken_or_refused(kind: FaultKind, value: str, for_s: float) -> None:
    with contextlib.suppress(Invalid):
        check_fault(kind, value, for_s=for_s)
        assert 0 < for_s < 1e6


@pytest.mark.parametrize(
    ("text", "jump"),
    [
        (None, ClockJump(by_s=60, moves_rtp=False)),
        ("-30", ClockJump(by_s=-30, moves_rtp=False)),
        ("2.5:rtp", ClockJump(by_s=2.5, moves_rtp=True)),
    ],
)
def test_jumps_are_read(text: str | None, jump: ClockJump) -> None:
    assert read_jump(text) == jump
    assert read_drift_ppm("-200") == -200


@given(st.lists(st.tuples(st.floats(0.1, 1000), st.floats(-1000, 1000)), max_size=8))
def test_media_time_of_a_drifting_clock_never_falls_back(steps: list[tuple[float, float]]) -> None:
    clock, now_s, before = CameraClock(), 0.0, -1
    for seconds, ppm in steps:
        clock.set_drift(ppm, now_s)
        for part in (0.0, 0.5, 1.0):
            media = round((now_s + seconds * part) * 90_000) + clock.rtp_shift_ticks(now_s + seconds * part)
            assert media >= before
            before = media
        now_s += seconds


def test_a_clock_is_true_again_when_its_faults_end() -> None:
    clock, now = CameraClock(), datetime(2026, 1, 1, tzinfo=UTC)
    clock.set_drift(500.0, 0.0)
    clock.set_jump(ClockJump(by_s=60, moves_rtp=True))
    assert clock.wall(now, 2000.0) == now + timedelta(seconds=61)
    assert clock.rtp_shift_ticks(2000.0) == 61 * 90_000
    clock.set_drift(0.0, 2000.0)
    clock.set_jump(None)
    assert clock.wall(now, 3000.0) == now
    assert clock.rtp_shift_ticks(3000.0) == 90_000

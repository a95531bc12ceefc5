"""Live streams: one upstream for all viewers, slow ones skip to a key frame, and silence is told as what it is."""

import asyncio
import contextlib
import json
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from safecity.platform.clock import SystemClock, VirtualClock, to_us
from safecity.sites.model import CameraId
from safecity.video import hevc
from safecity.video.access_unit import AccessUnit, StreamHeader
from safecity.video.fmp4 import init_segment
from safecity.video.live import LINGER_S, MAX_QUEUED_AGE_S, UNKNOWN_AFTER_S, LiveHub, Viewer
from safecity.video.model import LinkState, Stream, StreamKey, StreamState
from safecity.video.packets import PacketHub
from safecity.video.packets_client import PacketsClient, UpstreamState
from safecity.video.scan import read_samples, scan
from tests.rooms.video.recorded import load_clip
from tests.rooms.video.test_fmp4 import HEADER
from tests.rooms.video.test_h264 import make_hevc

KEY: StreamKey = (CameraId("cam_t-1"), Stream.SUB)
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
INTERVAL_TICKS = 6000


def unit(number: int, *, key_every: int = 10) -> AccessUnit:
    """Picture number so-and-so of a steady stream of 15 a second."""
    at = START + timedelta(seconds=number / 15)
    return AccessUnit(
        data=b"\0\0\0\4" + number.to_bytes(4),
        media_ticks=number * INTERVAL_TICKS,
        composition_offset_ticks=0,
        is_key=number % key_every == 0,
        captured_us=to_us(at) - 40_000,
        received_us=to_us(at),
        received_s=number / 15,
        sequence=number,
    )


class Bench:
    """A hub on a virtual clock with the calls it made upstream."""

    def __init__(self) -> None:
        self.clock = VirtualClock(START)
        self.calls: list[tuple[str, StreamKey]] = []
        self.hub = LiveHub(
            self.clock,
            stall_after_s=2.0,
            watch=lambda key: self.calls.append(("watch", key)),
            unwatch=lambda key: self.calls.append(("unwatch", key)),
        )

    def feed(self, *numbers: int, key_every: int = 10) -> None:
        for number in numbers:
            self.hub.on_unit(KEY, unit(number, key_every=key_every))
            self.clock.advance(1 / 15)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def taken(viewer: Viewer) -> list[str | bytes]:
    async def take() -> list[str | bytes]:
        return await asyncio.wait_for(viewer.take(), 0.05)

    with contextlib.suppress(TimeoutError):
        return asyncio.run(take())
    return []


def kinds(messages: list[str | bytes]) -> list[str]:
    """Words by type, an init segment as `moov`, pictures by their number."""
    out: list[str] = []
    for message in messages:
        if isinstance(message, str):
            body = json.loads(message)
            out.append(body["state"] if body["type"] == "state" else body["type"])
        elif message[4:8] == b"ftyp":
            out.append("moov")
        else:
            out.append(str(number_of(message)))
    return [kind for kind in out if kind != "clock"]


def number_of(message: bytes) -> int:
    found = scan(INIT + message)
    (picture,) = [sample for item in found.fragments for _, sample in read_samples(INIT + message, item)]
    assert found.fragments[0].is_key_first == picture.is_key
    return int.from_bytes(picture.data[4:])


INIT = init_segment(HEADER)


def test_a_newcomer_has_the_current_group_at_once_and_shares_the_upstream(bench: Bench) -> None:
    first = bench.hub.join(KEY)
    bench.hub.on_header(KEY, HEADER)
    bench.feed(*range(14))
    second = bench.hub.join(KEY)
    assert kinds(taken(second)) == ["live", "init", "moov", "10", "11", "12", "13"]
    assert kinds(taken(first)) == ["init", "moov", "live", *map(str, range(14))]
    assert bench.calls == [("watch", KEY)]
    assert (first.pictures, second.pictures) == (14, 4)


def test_the_stream_stays_warm_a_while_after_the_last_viewer(bench: Bench) -> None:
    viewer = bench.hub.join(KEY)
    bench.hub.leave(viewer)
    bench.clock.advance(LINGER_S - 1)
    bench.hub.tick()
    assert bench.calls == [("watch", KEY)]
    viewer = bench.hub.join(KEY)
    bench.clock.advance(LINGER_S + 1)
    bench.hub.tick()
    bench.hub.leave(viewer)
    bench.clock.advance(LINGER_S + 1)
    bench.hub.tick()
    assert bench.calls == [("watch", KEY), ("unwatch", KEY)]


def test_a_slow_viewer_skips_to_a_key_frame_and_others_do_not(bench: Bench) -> None:
    slow, quick = bench.hub.join(KEY), bench.hub.join(KEY)
    bench.hub.on_header(KEY, HEADER)
    seen: list[str] = []
    for number in range(120):
        bench.feed(number)
        seen += kinds(taken(quick))
    assert seen == ["init", "moov", "live", *map(str, range(120))]
    assert quick.dropped == 0
    late = kinds(taken(slow))
    pictures = [int(kind) for kind in late if kind.isdigit()]
    assert late[:3] == ["init", "moov", "live"], "words are kept"
    assert pictures[0] % 10 == 0
    assert pictures == list(range(pictures[0], 120)), "from a key frame on, without a hole"
    assert len(pictures) <= MAX_QUEUED_AGE_S * 15 + 10
    assert slow.dropped == 120 - len(pictures)


def test_a_loss_upstream_waits_for_the_next_key_frame(bench: Bench) -> None:
    viewer = bench.hub.join(KEY)
    bench.hub.on_header(KEY, HEADER)
    bench.feed(0, 1, 2, 5, 6, 7, 8, 9, 10, 11)
    assert kinds(taken(viewer)) == ["init", "moov", "live", "0", "1", "2", "10", "11"]
    assert bench.hub.lost == 7
    bench.feed(11, 12, 12)
    assert kinds(taken(viewer)) == ["12"], "nothing comes twice"


def test_new_parameters_start_anew(bench: Bench) -> None:
    viewer = bench.hub.join(KEY)
    bench.hub.on_header(KEY, HEADER)
    bench.feed(0, 1, 2)
    taken(viewer)
    bench.feed(3)
    changed: StreamHeader = replace(HEADER, width_px=640, session=2)
    bench.hub.on_header(KEY, changed)
    bench.feed(4, 10, 11)
    messages = taken(viewer)
    assert kinds(messages) == ["init", "moov", "10", "11"]
    assert json.loads(str(messages[0]))["width"] == 640


def test_a_stream_says_what_it_is_and_h265_by_a_stable_code(bench: Bench, tmp_path: Path) -> None:
    sets = hevc.parameter_sets_of(make_hevc(tmp_path)[0])
    viewer = bench.hub.join(KEY)
    bench.hub.on_header(KEY, HEADER)
    bench.hub.on_header(KEY, replace(HEADER, session=2))
    plain = json.loads(str(taken(viewer)[0]))
    assert (plain["stream"], "code" in plain) == ("sub", False)
    other = replace(HEADER, codec="hevc", codec_string="hvc1.1.6.L93.B0", parameter_sets=sets)
    bench.hub.on_header(KEY, other)
    told = json.loads(str(taken(viewer)[0]))
    assert (told["code"], told["codec"]) == ("live.h265", "hvc1.1.6.L93.B0")


def test_silence_is_told_although_nobody_says_so(bench: Bench) -> None:
    viewer = bench.hub.join(KEY)
    bench.hub.on_header(KEY, HEADER)
    bench.feed(0, 1)
    taken(viewer)
    bench.clock.advance(2.5)
    bench.hub.tick()
    (word,) = taken(viewer)
    body = json.loads(str(word))
    assert body["state"] == "stalled"
    assert datetime.fromisoformat(body["since"]) <= START + timedelta(seconds=0.2)
    assert bench.hub.list_silent() == [KEY]
    late = bench.hub.join(KEY)
    assert kinds(taken(late))[0] == "stalled", "a newcomer knows before the first picture"
    bench.feed(2)
    assert kinds(taken(viewer)) == ["live", "2"]
    bench.clock.advance(3)
    bench.hub.tick()
    bench.clock.advance(30)
    bench.hub.tick()
    assert kinds(taken(viewer)) == ["stalled", "offline"]
    newest = bench.hub.join(KEY)
    assert kinds(taken(newest)) == ["offline", "init", "moov"], "no old picture of a camera that is gone"


def test_the_recorders_word_is_passed_on(bench: Bench) -> None:
    viewer = bench.hub.join(KEY)
    bench.hub.on_state(KEY, UpstreamState(state=LinkState.OFFLINE, since=START - timedelta(hours=1)))
    assert json.loads(str(taken(viewer)[0]))["since"] == "2026-03-01T11:00:00.000Z"
    bench.clock.advance(5)
    bench.hub.on_state(KEY, UpstreamState(state=LinkState.LIVE, since=START))
    assert taken(viewer) == [], "live is believed once a picture has come"


def test_a_camera_nobody_has_is_offline(bench: Bench) -> None:
    viewer = bench.hub.join(KEY)
    assert taken(viewer) == []
    bench.clock.advance(UNKNOWN_AFTER_S + 0.1)
    bench.hub.tick()
    assert kinds(taken(viewer)) == ["offline"]


def test_the_clock_tells_when_the_picture_was_taken(bench: Bench) -> None:
    viewer = bench.hub.join(KEY)
    bench.hub.on_header(KEY, HEADER)
    bench.feed(0)
    wrong = replace(unit(10), captured_us=to_us(START + timedelta(days=3)))
    bench.clock.advance(2)
    bench.hub.on_unit(KEY, wrong)
    clocks = [json.loads(m) for m in taken(viewer) if isinstance(m, str) and "clock" in m]
    assert clocks[0]["captured_at"] == "2026-03-01T11:59:59.960Z"
    assert clocks[1]["captured_at"] == "2026-03-01T12:00:00.666Z", "an impossible claim is not passed on"


@pytest.fixture
def run_dir() -> Iterator[Path]:
    """Short: a socket's path has room for 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="sc-") as folder:
        yield Path(folder)


class Upstream:
    """A recorder's packet hub with one stream."""

    def __init__(self, run_dir: Path, slot: str = "recorder-1") -> None:
        self.hub = PacketHub(run_dir, slot)
        self.hub.add_stream(KEY, StreamState(state=LinkState.LIVE, since=START, cause=None))
        self._thread = threading.Thread(target=self.hub.run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.hub.stop()
        self._thread.join(5)
        self.hub.close()

    def begin(self, header: StreamHeader) -> None:
        self.hub.publish(KEY, header)

    def send(self, *numbers: int) -> None:
        for number in numbers:
            self.hub.publish(KEY, unit(number))


async def pictures(viewer: Viewer, upto: int) -> list[int]:
    found: list[int] = []
    async with asyncio.timeout(8):
        while not found or found[-1] < upto:
            found += [int(kind) for kind in kinds(await viewer.take()) if kind.isdigit()]
    return found


def test_over_zeromq_and_over_a_restart_of_the_recorder(run_dir: Path) -> None:
    asyncio.run(_over_a_restart(run_dir))


async def _over_a_restart(run_dir: Path) -> None:
    links: list[PacketsClient] = []
    hub = LiveHub(
        SystemClock(),
        stall_after_s=0.5,
        watch=lambda key: links[0].watch(key),
        unwatch=lambda key: links[0].unwatch(key),
    )
    links.append(PacketsClient(run_dir, hub))
    running = asyncio.create_task(links[0].run())
    upstream = Upstream(run_dir)
    upstream.begin(HEADER)
    upstream.send(*range(13))
    viewer = hub.join(KEY)
    assert await pictures(viewer, 12) == [10, 11, 12], "the current group, at once"
    upstream.send(*range(13, 30))
    assert await pictures(viewer, 29) == list(range(13, 30))
    upstream.stop()
    await asyncio.sleep(0.7)
    upstream = Upstream(run_dir)
    upstream.begin(replace(HEADER, session=1))
    upstream.send(*range(3))
    assert await pictures(viewer, 2) == [0, 1, 2], "a recorder that came back counts from nought again"
    other = Upstream(run_dir, "recorder-2")
    other.begin(HEADER)
    upstream.hub.remove_stream(KEY)
    other.send(*range(5))
    assert (await pictures(viewer, 4))[-5:] == [0, 1, 2, 3, 4], "the stream moved to another recorder"
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    upstream.stop()
    other.stop()


def test_live_fragments_decode(clips_dir: Path, tmp_path: Path, bench: Bench) -> None:
    clip = load_clip(clips_dir / "suburban_road_a.mp4")
    viewer = bench.hub.join(KEY)
    bench.hub.on_header(KEY, clip.header)
    ticks = 0
    for number, sample in enumerate(clip.samples[:100]):
        one = replace(unit(number), data=sample.data, is_key=sample.is_key, media_ticks=ticks)
        bench.hub.on_unit(KEY, one)
        ticks += sample.duration_ticks
    content = b"".join(message for message in taken(viewer) if isinstance(message, bytes))
    path = tmp_path / "live.mp4"
    path.write_bytes(content)
    found = scan(content)
    assert [s.data for i in found.fragments for _, s in read_samples(content, i)] == [
        sample.data for sample in clip.samples[:100]
    ]

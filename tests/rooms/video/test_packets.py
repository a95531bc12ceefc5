"""The ring and the hub: what a newcomer gets, what nobody costs, what a slow peer loses."""

import itertools
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zmq

from safecity.platform.clock import to_us
from safecity.sites.model import CameraId
from safecity.video import packets
from safecity.video.access_unit import AccessUnit, StreamHeader, unpack_access_unit, unpack_header
from safecity.video.model import Cause, LinkState, Stream, StreamKey, StreamState
from safecity.video.packets import PacketHub, PacketRing

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KEY: StreamKey = (CameraId("cam_a"), Stream.SUB)
LIVE = StreamState(state=LinkState.LIVE, since=NOW, cause=None)
HEADER = StreamHeader(
    codec="h264", codec_string="avc1.42E01F", width_px=640, height_px=360, parameter_sets=(b"g", b"h"), session=1
)


def unit(sequence: int, *, is_key: bool = False, size: int = 100) -> AccessUnit:
    return AccessUnit(
        data=sequence.to_bytes(4) * (size // 4),
        media_ticks=sequence * 6000,
        composition_offset_ticks=0,
        is_key=is_key,
        captured_us=None,
        received_us=to_us(NOW),
        received_s=float(sequence),
        sequence=sequence,
    )


class Running:
    """A hub with its thread."""

    def __init__(self, folder: Path) -> None:
        self.hub = PacketHub(folder, "recorder-1")
        self.thread = threading.Thread(target=self.hub.run, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.hub.stop()
        self.thread.join(5)
        self.hub.close()

    def wait_for_watch(self, count: int = 1) -> None:
        deadline = time.monotonic() + 5
        while self.hub.watching != count:
            assert time.monotonic() < deadline
            time.sleep(0.005)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path)
    yield made
    made.close()


class Viewer:
    """A peer as the gateway is one."""

    def __init__(self, running: Running, *, hwm: int = 1000) -> None:
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.RCVHWM, hwm)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(f"ipc://{running.hub.path}")

    def ask(self, word: bytes) -> None:
        self.socket.send_multipart([word, KEY[0].encode(), KEY[1].value.encode()])

    def receive(self, *, timeout_ms: int = 3000) -> list[bytes] | None:
        if not self.socket.poll(timeout_ms):
            return None
        frames = self.socket.recv_multipart()
        assert frames[1:3] == [b"cam_a", b"sub"]
        return [frames[0], *frames[3:]]

    def close(self) -> None:
        self.socket.close(0)
        self.context.term()


def test_a_newcomer_gets_state_header_and_the_group_so_far_then_what_follows(running: Running) -> None:
    running.hub.add_stream(KEY, LIVE)
    running.hub.publish(KEY, HEADER)
    for number in range(1, 8):
        running.hub.publish(KEY, unit(number, is_key=number in (1, 4)))
    viewer = Viewer(running)
    viewer.ask(b"watch")
    first, second = viewer.receive(), viewer.receive()
    assert first is not None
    assert second is not None
    assert (first[0], json.loads(first[1])["state"]) == (b"state", "live")
    assert (second[0], unpack_header(second[1])) == (b"header", HEADER)
    running.wait_for_watch()
    running.hub.publish(KEY, unit(8))
    got = [viewer.receive() for _ in range(5)]
    units = [unpack_access_unit(frames[1], frames[2]) for frames in got if frames is not None]
    assert units == [unit(4, is_key=True), *(unit(number) for number in (5, 6, 7, 8))]
    viewer.close()


def test_watches_expire_and_end_so_that_nobody_watching_costs_nothing(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.hub.add_stream(KEY, LIVE)
    woken: list[object] = []
    real = running.hub._enqueue  # type: ignore[attr-defined]
    monkeypatch.setattr(running.hub, "_enqueue", lambda key, what: (woken.append(what), real(key, what)))
    running.hub.publish(KEY, HEADER)
    running.hub.publish(KEY, unit(1, is_key=True))
    assert woken == []
    viewer = Viewer(running)
    viewer.ask(b"watch")
    running.wait_for_watch()
    running.hub.publish(KEY, unit(2))
    assert woken == [unit(2)]
    viewer.ask(b"unwatch")
    running.wait_for_watch(0)
    running.hub.publish(KEY, unit(3))
    assert woken == [unit(2)]
    viewer.ask(b"watch")
    running.wait_for_watch()
    monkeypatch.setattr(packets, "WATCH_EXPIRES_S", -1.0)
    viewer.ask(b"watch")  # renewed into the past
    running.wait_for_watch(0)
    viewer.close()


def test_states_and_a_new_session_reach_those_who_watch(running: Running) -> None:
    running.hub.add_stream(KEY, StreamState(state=LinkState.OFFLINE, since=NOW, cause=Cause.LINK))
    viewer = Viewer(running)
    viewer.ask(b"watch")
    told = viewer.receive()
    assert told is not None
    assert json.loads(told[1]) == {"state": "offline", "since": "2026-03-01T12:00:00.000Z", "cause": "link"}
    running.hub.publish(KEY, HEADER)
    running.hub.publish(KEY, unit(5))  # cannot be decoded without its key frame
    running.hub.publish(KEY, unit(6, is_key=True))
    running.hub.publish_state(KEY, LIVE)
    got = [viewer.receive() for _ in range(3)]
    assert [frames[0] for frames in got if frames is not None] == [b"header", b"au", b"state"]
    assert viewer.receive(timeout_ms=50) is None
    viewer.close()


def test_a_peer_that_does_not_read_loses_whole_groups_and_harms_no_other(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.hub.add_stream(KEY, LIVE)
    running.hub.publish(KEY, HEADER)
    slow, quick = Viewer(running, hwm=4), Viewer(running)
    slow.ask(b"watch")
    quick.ask(b"watch")
    running.wait_for_watch(2)
    total, group = 3000, 30
    seen: list[int] = []
    for number in range(1, total + 1):
        running.hub.publish(KEY, unit(number, is_key=number % group == 1, size=20_000))
        while quick.socket.poll(5 if number % 50 == 0 else 0):
            frames = quick.receive()
            assert frames is not None
            if frames[0] == b"au":
                seen.append(unpack_access_unit(frames[1], frames[2]).sequence)
    while frames := quick.receive(timeout_ms=300):
        if frames[0] == b"au":
            seen.append(unpack_access_unit(frames[1], frames[2]).sequence)
    assert seen == list(range(1, total + 1))
    assert running.hub.dropped > 0
    late: list[int] = []
    while frames := slow.receive(timeout_ms=300):
        if frames[0] == b"au":
            late.append(unpack_access_unit(frames[1], frames[2]).sequence)
    assert 0 < len(late) < total
    for before, after in itertools.pairwise(late):
        assert after == before + 1 or after % group == 1
    slow.close()
    quick.close()


def test_the_ring_keeps_one_group_within_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packets, "MAX_RING_BYTES", 1000)
    ring = PacketRing()
    ring.set_header(HEADER)
    ring.push(unit(1))
    assert ring.snapshot() == (HEADER, [])
    ring.push(unit(2, is_key=True))
    ring.push(unit(3))
    assert [one.sequence for one in ring.snapshot()[1]] == [2, 3]
    for number in range(4, 40):
        ring.push(unit(number))
    assert ring.snapshot()[1] == []
    ring.push(unit(40, is_key=True))
    assert [one.sequence for one in ring.snapshot()[1]] == [40]


def test_a_message_that_is_none_is_passed_over(running: Running) -> None:
    running.hub.add_stream(KEY, LIVE)
    viewer = Viewer(running)
    for frames in ([b"watch"], [b"watch", b"\xff\xfe", b"sub"], [b"watch", b"cam_a", b"other"], [b"", b"", b""]):
        viewer.socket.send_multipart(frames)
    viewer.ask(b"watch")
    told = viewer.receive()
    assert told is not None
    assert told[0] == b"state"
    viewer.close()

"""The loop that reads many cameras: bad ones among good ones, many at once, none of them waiting for another."""

import itertools
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from safecity.platform.clock import SystemClock
from safecity.sites.model import CameraId
from safecity.sites.states import read_reports
from safecity.sites.tables import cameras
from safecity.video.ingest_loop import IngestLoop, can_read
from safecity.video.model import Cause, Stream, StreamSource
from safecity.video.packets import PacketHub
from safecity.video.recorder import StreamRecorder, Surroundings
from safecity.video.timeline import ServerLine
from tests.rooms.video.rig import Installation, VirtualCameras, camera_id, end, wait_until

GOOD = 3
pytestmark = pytest.mark.slow
Behaviour = Callable[[socket.socket], None]


def babble(connection: socket.socket) -> None:
    """Anything but RTSP."""
    connection.sendall(b"\x00\xff$garbage\r\n\r\n" * 200)
    time.sleep(0.2)


def flood(connection: socket.socket) -> None:
    """As fast as it goes, for ever."""
    block = bytes(range(256)) * 1024
    while True:
        connection.sendall(block)


def say_nothing(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def trickle(connection: socket.socket) -> None:
    """A head that never ends, a byte at a time."""
    for byte in itertools.cycle(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nX-Endless: "):
        connection.sendall(bytes((byte,)))
        time.sleep(0.05)


@contextmanager
def bad_camera(behaviour: Behaviour) -> Iterator[int]:
    """A server that treats every connection badly; yields its port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                behaviour(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join(5)


@pytest.fixture(scope="module")
def virtual(clips_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualCameras]:
    clips = [clips_dir / "intel_car_detection.mp4"]
    with VirtualCameras(GOOD, clips, cache=tmp_path_factory.mktemp("cache")) as running:
        yield running


@pytest.fixture
def installation(virtual: VirtualCameras, tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path, reader="own")
    made.register(virtual)
    yield made
    made.close()
    virtual.clear()


def add_bad(installation: Installation, name: str, port: int) -> CameraId:
    """Register a camera at a port of this machine; its place and site are those of the good ones."""
    camera = CameraId(f"cam_bad-{name}")
    with installation.database.begin() as connection:
        row = connection.execute(sa.select(cameras).where(cameras.c.id == camera_id(1))).mappings().one()
        url = f"rtsp://127.0.0.1:{port}/stream"
        fresh = {"id": camera, "code": f"BAD-{name}", "main_url": url, "sub_url": None, "credentials": None}
        connection.execute(cameras.insert(), [dict(row) | fresh])
    return camera


def test_bad_cameras_cost_the_good_ones_nothing(installation: Installation) -> None:
    with (
        bad_camera(babble) as babbles, bad_camera(flood) as floods, bad_camera(say_nothing) as silent,
        bad_camera(trickle) as trickles, socket.socket() as unheard,
    ):  # fmt: skip
        unheard.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        ports = {
            "babbles": babbles, "floods": floods, "silent": silent, "trickles": trickles,
            "refuses": unheard.getsockname()[1],
        }  # fmt: skip
        bad = {name: add_bad(installation, name, port) for name, port in ports.items()}
        child = installation.start_recorder()
        good = range(1, GOOD + 1)
        wait_until(lambda: all(len(installation.segments(n)) >= 5 for n in good), within_s=60, what="five segments")
        with installation.database.read() as connection:
            reports = read_reports(connection)
        assert end(child) == 0
    assert {reports[camera_id(n)].state.value for n in good} == {"live"}
    causes = {name: (reports[camera].state.value, reports[camera].cause) for name, camera in bad.items()}
    assert {state for state, _ in causes.values()} == {"offline"}
    found = {name: cause.value for name, (_, cause) in causes.items() if cause is not None}
    assert found["silent"] == found["refuses"] == found["trickles"] == "link"
    assert found["babbles"] in ("link", "camera")
    assert found["floods"] in ("link", "camera")
    for number in good:
        rows = installation.segments(number)
        assert all(a.durable_until == b.started_at for a, b in itertools.pairwise(rows))
        assert all(row.durable_until - row.started_at < timedelta(seconds=30) for row in rows)
    assert "crashed" not in installation.log()


def test_nothing_is_read_before_the_recordings_of_before_are_taken_over(tmp_path: Path) -> None:
    """A hand-over that fails is tried again: recording without it could overlap what is there."""
    clock = SystemClock()
    line = ServerLine(clock.now(), clock.monotonic_s())
    hub = PacketHub(tmp_path, "recorder-1")
    around = Surroundings(clock=clock, line=line, hub=hub, open_reader=lambda *_: pytest.fail("no"), stall_after_s=2.0)
    source = StreamSource(
        camera=CameraId("cam_a"), stream=Stream.MAIN, url="rtsp://127.0.0.1:1/a", transport="tcp", is_recorded=False
    )
    attempts_before: list[int] = []

    def prepare() -> None:
        attempts_before.append(recorder.figures().sessions)
        if len(attempts_before) < 3:
            raise OSError("the disk does not answer")

    recorder = StreamRecorder(source, around, writer=None, prepare=prepare, delay_s=0.0)
    loop = IngestLoop(clock=clock, line=line, is_watched=hub.is_watched)
    thread = threading.Thread(target=loop.run)
    loop.add(recorder)
    thread.start()
    try:
        wait_until(lambda: len(attempts_before) == 1, within_s=5, what="the first try")
        wait_until(lambda: recorder.figures().state.cause is Cause.RECORDER, within_s=5, what="its cause")
        wait_until(lambda: recorder.figures().sessions > 0, within_s=15, what="an attempt to connect")
    finally:
        loop.stop()
        thread.join(5)
        loop.close()
        hub.close()
    assert attempts_before == [0, 0, 0]


@pytest.mark.parametrize(
    ("url", "transport", "expected"),
    [
        ("rtsp://10.0.0.1/a", "tcp", True),
        ("RTSP://10.0.0.1/a", "tcp", True),
        ("rtsp://10.0.0.1/a", "udp", False),
        ("rtsps://10.0.0.1/a", "tcp", False),
        ("/some/file.mp4", "tcp", False),
    ],
)
def test_only_plain_rtsp_over_tcp_goes_to_the_loop(url: str, transport: str, *, expected: bool) -> None:
    source = StreamSource(camera=CameraId("cam_a"), stream=Stream.MAIN, url=url, transport=transport, is_recorded=True)
    assert can_read(source) is expected

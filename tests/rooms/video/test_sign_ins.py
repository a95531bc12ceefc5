"""No camera is locked by us: streams of one camera counted together, restarts included, other cameras unaffected."""

import itertools
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from safecity.platform.clock import SystemClock
from safecity.sites.model import CameraId
from safecity.video.ingest_loop import IngestLoop
from safecity.video.model import Cause, Stream, StreamSource
from safecity.video.packets import PacketHub
from safecity.video.recorder import StreamRecorder, Surroundings
from safecity.video.sign_ins import REFUSED_WAIT_S, TRY_S, SignIns
from safecity.video.timeline import ServerLine
from tests.rooms.video.rig import wait_until

CAMERA, OTHER = CameraId("cam_a"), CameraId("cam_b")
MAIN, SUB = (CAMERA, Stream.MAIN), (CAMERA, Stream.SUB)


def test_the_second_stream_waits_for_what_comes_of_the_first() -> None:
    sign_ins = SignIns()
    assert sign_ins.ask(MAIN, now_s=0.0) == 0
    assert sign_ins.ask(SUB, now_s=0.1) > 0
    assert sign_ins.ask((OTHER, Stream.MAIN), now_s=0.1) == 0
    sign_ins.succeed(MAIN)
    assert sign_ins.ask(SUB, now_s=0.2) == 0


def test_a_refused_password_rests_for_all_streams_of_the_camera() -> None:
    sign_ins = SignIns()
    tries: list[float] = []
    for tenth in range(6_000):  # ten minutes
        now_s = tenth / 10
        for key in (MAIN, SUB):
            if sign_ins.ask(key, now_s=now_s) == 0:
                tries.append(now_s)
                sign_ins.end(key, is_refused=True, now_s=now_s)
    assert len(tries) == 600 / REFUSED_WAIT_S
    assert all(later - earlier >= REFUSED_WAIT_S for earlier, later in itertools.pairwise(tries))


def test_a_password_that_was_right_is_doubted_once_nothing_of_the_camera_stands() -> None:
    sign_ins = SignIns()
    for key in (MAIN, SUB):
        sign_ins.ask(key, now_s=0.0)
        sign_ins.succeed(key)
    sign_ins.end(SUB, is_refused=False, now_s=1.0)
    assert sign_ins.ask(SUB, now_s=1.0) == 0, "the main stream still stands"
    sign_ins.end(SUB, is_refused=False, now_s=2.0)
    sign_ins.end(MAIN, is_refused=False, now_s=2.0)
    assert [sign_ins.ask(key, now_s=2.0) == 0 for key in (MAIN, SUB)] == [True, False]


def test_a_try_that_hangs_does_not_hold_the_other_stream_for_ever() -> None:
    sign_ins = SignIns()
    sign_ins.ask(MAIN, now_s=0.0)
    assert sign_ins.ask(SUB, now_s=TRY_S) == 0


def test_the_last_try_of_the_recorder_before_counts_and_a_new_password_is_tried_at_once() -> None:
    sign_ins = SignIns()
    sign_ins.hold(CAMERA, now_s=0.0)
    assert sign_ins.ask(MAIN, now_s=1.0) == REFUSED_WAIT_S - 1
    sign_ins.forget(CAMERA)
    assert sign_ins.ask(MAIN, now_s=1.0) == 0


@contextmanager
def refusing_camera() -> Generator[tuple[int, list[bytes]]]:
    """A camera that refuses every password; yields its port and the requests that held one."""
    signed: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while request := connection.recv(4096):
                if b"Authorization" in request:
                    signed.append(request)
                number = request.partition(b"CSeq: ")[2].partition(b"\r\n")[0]
                connection.sendall(
                    b"RTSP/1.0 401 Unauthorized\r\nCSeq: " + number + b"\r\n"
                    b'WWW-Authenticate: Digest realm="a", nonce="1", algorithm=SHA-256\r\n'
                    b'WWW-Authenticate: Digest realm="a", nonce="2"\r\nWWW-Authenticate: Basic realm="a"\r\n\r\n'
                )

    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1], signed
        server.shutdown(socket.SHUT_RDWR)


def test_both_streams_of_a_camera_show_it_a_wrong_password_once(tmp_path: Path) -> None:
    clock = SystemClock()
    line = ServerLine(clock.now(), clock.monotonic_s())
    hub = PacketHub(tmp_path, "recorder-1")

    def no_reader(*_: object) -> None:
        raise AssertionError

    around = Surroundings(clock=clock, line=line, hub=hub, open_reader=no_reader, stall_after_s=2.0)  # type: ignore[arg-type]
    loop = IngestLoop(clock=clock, line=line, is_watched=hub.is_watched)
    thread = threading.Thread(target=loop.run)
    with refusing_camera() as (port, signed), socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        places = {MAIN: port, SUB: port, (OTHER, Stream.MAIN): unheard.getsockname()[1]}
        recorders = {
            key: StreamRecorder(
                StreamSource(
                    camera=key[0],
                    stream=key[1],
                    url=f"rtsp://viewer:wrong@127.0.0.1:{place}/x",
                    transport="tcp",
                    is_recorded=False,
                ),
                around,
                writer=None,
                prepare=lambda: None,
                delay_s=0.0,
            )
            for key, place in places.items()
        }
        for recorder in recorders.values():
            loop.add(recorder)
        thread.start()
        try:
            refused = [recorders[MAIN], recorders[SUB]]
            wait_until(
                lambda: all(one.figures().state.cause is Cause.CREDENTIALS for one in refused),
                within_s=20,
                what="a 401",
            )
            other = recorders[(OTHER, Stream.MAIN)]
            wait_until(lambda: other.figures().sessions >= 4, within_s=20, what="four tries of the other camera")
        finally:
            loop.stop()
            thread.join(5)
            loop.close()
            hub.close()
    assert len(signed) == 1

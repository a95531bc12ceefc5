"""Measures how fast a hundred cameras are back: until each has brought its first picture, from the first connection on.

    python -m tools.bench.reconnect --cameras 100

Ours is the recorder's loop with its recorders, nothing written; theirs is PyAV's default open, a thread a camera, until
the first packet. Both from this process against virtual cameras in another, one after the other. How long a recorder
waits between two tries while a camera is away (0.2 s to 30 s) is not in it. The last line is the result as JSON.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from pathlib import Path

import av
import structlog

from safecity.platform.clock import SystemClock
from safecity.sites.model import CameraId
from safecity.video.ingest_loop import IngestLoop
from safecity.video.model import Stream, StreamSource
from safecity.video.packets import PacketHub
from safecity.video.reader import Numbering, Reader
from safecity.video.recorder import StreamRecorder, Surroundings
from safecity.video.timeline import ServerLine
from tools.bench.record import PASSWORD, USER, draw_clip, say, serve_cameras, stop


def url_of(number: int, port: int) -> str:
    return f"rtsp://{USER}:{PASSWORD}@127.0.0.1:{port}/cam-{number:03d}/main"


def time_ours(cameras: int, port: int, folder: Path) -> tuple[float, float]:
    """Seconds and CPU-seconds until every camera has brought a picture."""
    clock = SystemClock()
    line = ServerLine(clock.now(), clock.monotonic_s())
    hub = PacketHub(folder / "run", "bench")

    def no_reader(source: StreamSource, numbering: Numbering) -> Reader:
        raise AssertionError(source, numbering)

    around = Surroundings(clock=clock, line=line, hub=hub, open_reader=no_reader, stall_after_s=5.0)
    loop = IngestLoop(clock=clock, line=line, is_watched=hub.is_watched)
    recorders = [
        StreamRecorder(
            StreamSource(
                camera=CameraId(f"cam_{number}"),
                stream=Stream.MAIN,
                url=url_of(number, port),
                transport="tcp",
                is_recorded=False,
            ),
            around,
            writer=None,
            prepare=lambda: None,
            delay_s=0.0,
        )
        for number in range(1, cameras + 1)
    ]
    thread = threading.Thread(target=loop.run)
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    for recorder in recorders:
        loop.add(recorder)
    thread.start()
    while not all(one.figures().frames for one in recorders):
        time.sleep(0.005)
    spent = time.monotonic() - began_s, time.process_time() - began_cpu_s
    loop.stop()
    thread.join()
    loop.close()
    hub.close()
    return spent


def time_pyav(cameras: int, port: int) -> tuple[float, float]:
    """The same for PyAV's default open."""

    def read_one(number: int) -> None:
        with av.open(url_of(number, port), options={"rtsp_transport": "tcp"}) as container:
            next(iter(container.demux(video=0)))

    threads = [threading.Thread(target=read_one, args=(number,)) for number in range(1, cameras + 1)]
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - began_s, time.process_time() - began_cpu_s


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cameras", type=int, default=100)
    parser.add_argument("--bitrate", type=int, default=4_000_000)
    parser.add_argument("--clip", type=Path, help="what the cameras show; a drawn street if left away")
    parser.add_argument("--cache", type=Path, help="folder of prepared clips, to save their encoding next time")
    arguments = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    with tempfile.TemporaryDirectory(prefix="safecity-bench-") as name:
        folder = Path(name)
        arguments.clip = arguments.clip or draw_clip(folder)
        server, port = serve_cameras(arguments, folder)
        try:
            ours_s, ours_cpu_s = time_ours(arguments.cameras, port, folder)
            pyav_s, pyav_cpu_s = time_pyav(arguments.cameras, port)
        finally:
            stop([server])
    say(f"CPU-seconds: ours {ours_cpu_s:.2f}, PyAV {pyav_cpu_s:.2f}")
    result = {
        "bench": "reconnect",
        "cameras": arguments.cameras,
        "first_picture_s": round(ours_s, 3),
        "pyav_default_open_s": round(pyav_s, 3),
        "ratio": round(ours_s / pyav_s, 4),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()

"""Measures what recording costs: our recorder against `ffmpeg -c copy -f segment`, on the same streams, in one run.

    make bench-record
    python -m tools.bench.record --cameras 20 100 --bitrate 4000000 --seconds 30

Virtual cameras run in a process of their own, which is not counted. Both sides record the main stream of every camera
over RTSP/TCP to the same disk; ours with Merkle hashes, fdatasync of each fragment, index and state reports, without
sub-streams, since ffmpeg records none. CPU time is user + system of the whole process tree, over a window after
warm-up. The two are measured one after the other, ffmpeg first; progress goes to standard error, the last line of
standard output is the result as JSON, for each number of cameras. Before it stands what recording costs while one
reader is given every packet (`record-watched`): that reader lives in this process, and is not counted.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import zmq

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY))

from safecity.platform.database import Database  # noqa: E402
from safecity.platform.schema import upgrade  # noqa: E402
from safecity.platform.secrets import load_secret_box  # noqa: E402
from safecity.platform.settings import PlatformSettings, Settings, VideoSettings  # noqa: E402
from safecity.platform.sockets import socket_dir  # noqa: E402
from safecity.sites.model import CameraId, Credentials  # noqa: E402
from safecity.sites.sources import seal_credentials  # noqa: E402
from safecity.sites.tables import cameras as cameras_table  # noqa: E402
from safecity.sites.tables import sites as sites_table  # noqa: E402
from safecity.video import store  # noqa: E402
from safecity.video.model import Stream  # noqa: E402
from safecity.virtual.scenes import SceneRequest, draw_scenes  # noqa: E402

USER, PASSWORD = "bench", "bench"
SEGMENT_S = 10
WARM_UP_S = 8.0
READY_WAIT_S = 600.0
HERTZ = os.sysconf("SC_CLK_TCK")

_SERVE = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {repository!r})
from safecity.virtual.clips import ClipOptions
from safecity.virtual.rtsp.digest import Credentials
from safecity.virtual.running import plan_mounts, serve
from safecity.virtual.serving import ServePlan

mounts = plan_mounts({cameras}, [Path({clip!r})], credentials=Credentials(user={user!r}, password={password!r}))
options = ClipOptions(bitrate_bps={bitrate}, min_length_s=60.0)
plan = ServePlan(mounts=mounts, cache=Path({cache!r}), clip_options=options)
asyncio.run(serve(plan, on_ready=lambda city: print("PORT", city.rtsp_port, flush=True)))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a way of recording used in the window."""

    cpu_s_per_camera_min: float
    mb_per_camera: float
    recorded_bytes: int


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def tree(pids: Sequence[int]) -> list[int]:
    """The processes and all that descend from them."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(entry.name)] = int(text[text.rindex(")") + 2 :].split()[1])
    found = list(pids)
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid and child not in found]
    return found


def cpu_s(pids: Sequence[int]) -> float:
    """User and system time of processes, reaped children included (proc(5))."""
    total = 0
    for pid in pids:
        text = Path(f"/proc/{pid}/stat").read_text()
        total += sum(int(value) for value in text[text.rindex(")") + 2 :].split()[11:15])
    return total / HERTZ


def memory_mb(pids: Sequence[int]) -> float:
    """Proportional set size, so that shared libraries count once."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def measure(pids: Sequence[int], folder: Path, *, cameras: int, seconds: float) -> Cost:
    """Look at a running recording over a window."""
    time.sleep(WARM_UP_S)
    everyone = tree(pids)
    used, began, size = cpu_s(everyone), time.monotonic(), size_of(folder)
    time.sleep(seconds)
    spent, elapsed = cpu_s(everyone) - used, time.monotonic() - began
    return Cost(
        cpu_s_per_camera_min=spent / cameras / elapsed * 60,
        mb_per_camera=memory_mb(everyone) / cameras,
        recorded_bytes=size_of(folder) - size,
    )


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def stop(processes: Sequence["subprocess.Popen[bytes]"]) -> None:
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def serve_cameras(arguments: argparse.Namespace, folder: Path) -> tuple["subprocess.Popen[bytes]", int]:
    script = _SERVE.format(
        repository=str(REPOSITORY), cameras=arguments.cameras, clip=str(arguments.clip), user=USER, password=PASSWORD,
        cache=str(arguments.cache or folder / "cache"), bitrate=arguments.bitrate,
    )  # fmt: skip
    with (folder / "virtual.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=log)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(b"PORT"):
            return process, int(line.split()[1])
    raise SystemExit(f"the virtual cameras did not start: {(folder / 'virtual.log').read_text()[-500:]}")


def bench_ffmpeg(arguments: argparse.Namespace, folder: Path, port: int) -> Cost:
    folder.mkdir()
    say(f"ffmpeg: {arguments.cameras} processes")
    processes: list[subprocess.Popen[bytes]] = []
    for number in range(1, arguments.cameras + 1):
        target = folder / f"{number:03d}"
        target.mkdir()
        url = f"rtsp://{USER}:{PASSWORD}@127.0.0.1:{port}/cam-{number:03d}/main"
        command = [
            "ffmpeg",
            "-nostdin",
            "-v",
            "error",
            "-rtsp_transport",
            "tcp",
            "-i",
            url,
            "-map",
            "0:v",
            "-c",
            "copy",
        ]
        command += ["-f", "segment", "-segment_time", str(SEGMENT_S), "-segment_format", "mp4"]
        command += ["-segment_format_options", "movflags=frag_keyframe+empty_moov", "-reset_timestamps", "1"]
        processes.append(subprocess.Popen([*command, str(target / "%05d.mp4")], stderr=subprocess.DEVNULL))
    try:
        wait_for(lambda: sum(1 for one in folder.iterdir() if size_of(one) > 200_000) == arguments.cameras)
        return measure([one.pid for one in processes], folder, cameras=arguments.cameras, seconds=arguments.seconds)
    finally:
        stop(processes)


def bench_ours(arguments: argparse.Namespace, folder: Path, port: int) -> tuple[Cost, Cost]:
    folder.mkdir()
    say("safecity: one recorder process")
    video = VideoSettings(
        recorders=1, segment_s=SEGMENT_S, cameras_per_recorder=max(100, arguments.cameras), start_spread_s=1.0,
        reader=arguments.reader,
    )  # fmt: skip
    settings = Settings(platform=PlatformSettings(data_dir=folder), video=video)
    database = Database(settings.database_url())
    upgrade(database)
    register(database, folder, cameras=arguments.cameras, port=port)
    (folder / "settings.json").write_text(settings.model_dump_json())
    command = [sys.executable, "-m", "safecity.app.roles.recorder", "--slot", "recorder-1"]
    with (folder / "recorder.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--settings", str(folder / "settings.json")], stdout=log, stderr=log, cwd=REPOSITORY
        )
    media = folder / "media"
    try:
        wait_for(lambda: media.is_dir() and sum(size_of(one) > 200_000 for one in media.iterdir()) == arguments.cameras)
        cost = measure([process.pid], media, cameras=arguments.cameras, seconds=arguments.seconds)
        with watching(folder / "run", cameras=arguments.cameras) as packets:
            watched = measure([process.pid], media, cameras=arguments.cameras, seconds=arguments.seconds)
        if not packets:
            raise SystemExit("the reader was given no packets")
    finally:
        stop([process])
    check_complete(database, arguments.cameras)
    database.close()
    return cost, watched


@contextmanager
def watching(run_dir: Path, *, cameras: int) -> Generator[list[int]]:
    """One reader that wants every packet at once; yields a list that holds something once it had one."""
    counted: list[int] = []
    is_over = threading.Event()

    def read() -> None:
        with zmq.Context() as context, context.socket(zmq.DEALER) as reader:
            reader.setsockopt(zmq.LINGER, 0)
            reader.connect(f"ipc://{socket_dir(run_dir) / 'packets-recorder-1.sock'}")
            due = 0.0
            while not is_over.is_set():
                if time.monotonic() >= due:
                    due = time.monotonic() + 5
                    for number in range(1, cameras + 1):
                        reader.send_multipart([b"watch", f"cam_bench-{number:03d}".encode(), b"main"])
                if reader.poll(200) and reader.recv_multipart()[0] == b"au" and not counted:
                    counted.append(1)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield counted
    finally:
        is_over.set()
        thread.join()


def register(database: Database, folder: Path, *, cameras: int, port: int) -> None:
    box = load_secret_box(folder)
    place = {"lon": 67.0, "lat": 30.2, "changed_at": datetime.now(UTC)}
    with database.begin() as connection:
        site = {"id": "site_bench", "code": "BENCH", "name": "Bench", "name_ur": "Bench"}
        connection.execute(sites_table.insert(), [site | place])
        for number in range(1, cameras + 1):
            camera = CameraId(f"cam_bench-{number:03d}")
            sealed = seal_credentials(Credentials(user=USER, password=PASSWORD), camera=camera, box=box)
            row = {"id": camera, "code": camera[4:], "name": camera, "name_ur": camera, "site_id": "site_bench"}
            url = f"rtsp://127.0.0.1:{port}/cam-{number:03d}/main"
            connection.execute(cameras_table.insert(), [row | {"main_url": url, "credentials": sealed} | place])


def check_complete(database: Database, cameras: int) -> None:
    """A bench that lost pictures measures nothing: no gap may lie between the segments of a camera."""
    now = datetime.now(UTC)
    with database.read() as connection:
        for number in range(1, cameras + 1):
            camera = CameraId(f"cam_bench-{number:03d}")
            first = store.find_next_segment(connection, camera, Stream.MAIN, after=datetime(2000, 1, 1, tzinfo=UTC))
            last = store.find_last_segment(connection, camera, Stream.MAIN, before=now)
            if first is None or last is None:
                raise SystemExit(f"{camera} was not recorded")
            found = store.read_timeline(
                connection, camera, from_at=first.started_at, to_at=last.durable_until, now=last.durable_until
            )
            if found.missing:
                raise SystemExit(f"{camera} has gaps: {found.missing}")


def wait_for(condition: "object") -> None:
    deadline = time.monotonic() + READY_WAIT_S
    assert callable(condition)
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("not every camera was recorded in time")
        time.sleep(0.2)


def draw_clip(folder: Path) -> Path:
    """A street for the cameras to show."""
    say("drawing a street ...")
    return draw_scenes([SceneRequest(seed=7, duration_s=20.0)], folder / "scene", processes=1)[0].main


def compare(arguments: argparse.Namespace, folder: Path) -> None:
    """Both sides on the same cameras; prints the two lines of the result."""
    folder.mkdir()
    server, port = serve_cameras(arguments, folder)
    try:
        theirs = bench_ffmpeg(arguments, folder / "ffmpeg", port)
        ours, watched = bench_ours(arguments, folder / "ours", port)
    finally:
        stop([server])
    shares = [
        one.recorded_bytes / (arguments.cameras * arguments.bitrate / 8 * arguments.seconds) for one in (theirs, ours)
    ]
    say(f"bytes written of those sent: ffmpeg {shares[0]:.2f}, ours {shares[1]:.2f}; reader: {arguments.reader}")
    say(f"memory a camera: ffmpeg {theirs.mb_per_camera:.1f} MB, ours {ours.mb_per_camera:.1f} MB")
    extra = watched.cpu_s_per_camera_min - ours.cpu_s_per_camera_min
    apart = {
        "bench": "record-watched",
        "cameras": arguments.cameras,
        "cpu_s_per_camera_min": round(watched.cpu_s_per_camera_min, 4),
        "of_it_for_the_reader": round(extra, 4),
    }
    result = {
        "bench": "record",
        "cameras": arguments.cameras,
        "cpu_s_per_camera_min": round(ours.cpu_s_per_camera_min, 4),
        "ffmpeg_cpu_s_per_camera_min": round(theirs.cpu_s_per_camera_min, 4),
        "ratio": round(ours.cpu_s_per_camera_min / theirs.cpu_s_per_camera_min, 3),
        "mb_per_camera": round(ours.mb_per_camera, 2),
    }
    print(json.dumps(apart), json.dumps(result), sep="\n", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cameras", type=int, nargs="+", default=[20, 100])
    parser.add_argument("--bitrate", type=int, default=4_000_000)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--reader", choices=("own", "pyav"), default="own", help="which of ours")
    parser.add_argument("--clip", type=Path, help="what the cameras show; a drawn street if left away")
    parser.add_argument("--cache", type=Path, help="folder of prepared clips, to save their encoding next time")
    arguments = parser.parse_args()
    if shutil.which("ffmpeg") is None:
        raise SystemExit("needs ffmpeg to compare with (on Debian: apt-get install ffmpeg)")
    with tempfile.TemporaryDirectory(prefix="safecity-bench-") as name:
        folder = Path(name)
        arguments.clip = arguments.clip or draw_clip(folder)
        arguments.cache = arguments.cache or folder / "cache"
        for cameras in arguments.cameras:
            one = argparse.Namespace(**{**vars(arguments), "cameras": cameras})
            compare(one, folder / f"of-{cameras}")


if __name__ == "__main__":
    main()

"""Records a thousand cameras of 1 Mbit/s for a minute, and then more a camera until something is lost, and says why.

    python -m tools.bench.many --cameras 1000 --steps 1000000 1500000 2000000 3000000

Virtual cameras in one process, as many recorder processes as `--recorders`, all on this machine's cores. Lost is what a
recorder refused for a full mailbox (`dropped_fragments`) and every second that the timeline says is missing between a
camera's first and last picture. A step bends when something is lost or less than 97 % of what was sent was written; the
reason is whoever of the cameras' process, the recorders and the disk was at its end. The last line is the result.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from safecity.platform.database import Database
from safecity.platform.schema import upgrade
from safecity.platform.settings import PlatformSettings, Settings, VideoSettings
from safecity.sites.model import CameraId
from safecity.video import store
from safecity.video.model import Stream
from tools.bench.record import (
    REPOSITORY,
    cpu_s,
    draw_clip,
    memory_mb,
    register,
    say,
    serve_cameras,
    size_of,
    stop,
    wait_for,
)

AT_ITS_END = 0.9  # of a core, for a process whose work is one thread's
WRITTEN_SHARE = 0.97


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one bit rate brought."""

    bitrate_bps: int
    lost_fragments: int
    missing_s: float
    written_share: float
    sender_cores: float
    recorder_cores: float
    busiest_recorder: float
    mb_per_camera: float
    waiting_bytes: int

    @property
    def bends(self) -> bool:
        return bool(self.lost_fragments or self.missing_s > 0 or self.written_share < WRITTEN_SHARE)

    @property
    def reason(self) -> str:
        if self.sender_cores > AT_ITS_END:
            return "the virtual cameras' process has no core left to send with"
        if self.busiest_recorder > AT_ITS_END:
            return "a recorder's interpreter lock is held all the time"
        if self.waiting_bytes > 64 * 1024**2:
            return "the disk takes less than comes"
        shares = f"{self.recorder_cores:.2f} for the recorders, {self.sender_cores:.2f} for the cameras"
        return f"the machine's {os.cpu_count()} cores are shared out: {shares}"


def run_step(arguments: argparse.Namespace, folder: Path, bitrate: int, seconds: float) -> Step:
    folder.mkdir()
    arguments.bitrate = bitrate
    say(f"{arguments.cameras} cameras of {bitrate / 1e6:g} Mbit/s")
    server, port = serve_cameras(arguments, folder)
    per_recorder = -(-arguments.cameras // arguments.recorders)
    video = VideoSettings(recorders=arguments.recorders, cameras_per_recorder=per_recorder, start_spread_s=4.0)
    settings = Settings(platform=PlatformSettings(data_dir=folder), video=video)
    database = Database(settings.database_url())
    upgrade(database)
    register(database, folder, cameras=arguments.cameras, port=port)
    (folder / "settings.json").write_text(settings.model_dump_json())
    command = [sys.executable, "-m", "safecity.app.roles.recorder", "--settings", str(folder / "settings.json")]
    media = folder / "media"
    children: list[subprocess.Popen[bytes]] = []
    try:
        for number in range(1, arguments.recorders + 1):
            with (folder / f"recorder-{number}.log").open("wb") as log:
                child = subprocess.Popen(
                    [*command, "--slot", f"recorder-{number}"], stdout=log, stderr=log, cwd=REPOSITORY
                )
            children.append(child)
        wait_for(lambda: live_cameras(database) == arguments.cameras)
        pids = [one.pid for one in children]
        began, size = time.monotonic(), size_of(media)
        before = [cpu_s([pid]) for pid in (server.pid, *pids)]
        time.sleep(seconds)
        elapsed = time.monotonic() - began
        used = [(cpu_s([pid]) - was) / elapsed for pid, was in zip((server.pid, *pids), before, strict=True)]
        written = size_of(media) - size
        memory = memory_mb(pids) / arguments.cameras
        dropped, waiting = read_dropped(database)
    finally:
        stop(children)
        stop([server])
    missing_s = find_missing(database, arguments.cameras)
    database.close()
    shutil.rmtree(media)
    return Step(
        bitrate_bps=bitrate,
        lost_fragments=dropped,
        missing_s=missing_s,
        written_share=written / (arguments.cameras * bitrate / 8 * elapsed),
        sender_cores=used[0],
        recorder_cores=sum(used[1:]),
        busiest_recorder=max(used[1:]),
        mb_per_camera=memory,
        waiting_bytes=waiting,
    )


def live_cameras(database: Database) -> int:
    with database.read() as connection:
        return sum(_number(one.status.get("live")) for one in store.list_recorder_statuses(connection))


def read_dropped(database: Database) -> tuple[int, int]:
    """Fragments refused, and bytes that wait, over all recorders."""
    with database.read() as connection:
        said = [one.status for one in store.list_recorder_statuses(connection)]
    names = ("dropped_fragments", "waiting_bytes")
    return tuple(sum(_number(one.get(name)) for one in said) for name in names)  # type: ignore[return-value]


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def find_missing(database: Database, cameras: int) -> float:
    """Seconds missing between each camera's first and last picture."""
    now, missing_s = datetime.now(UTC), 0.0
    with database.read() as connection:
        for number in range(1, cameras + 1):
            camera = CameraId(f"cam_bench-{number:03d}")
            first = store.find_next_segment(connection, camera, Stream.MAIN, after=datetime(2000, 1, 1, tzinfo=UTC))
            last = store.find_last_segment(connection, camera, Stream.MAIN, before=now)
            if first is None or last is None:
                raise SystemExit(f"{camera} was not recorded")
            until = last.durable_until
            found = store.read_timeline(connection, camera, from_at=first.started_at, to_at=until, now=until)
            missing_s += sum((one.to_at - one.from_at).total_seconds() for one in found.missing)
    return missing_s


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cameras", type=int, default=1000)
    parser.add_argument("--recorders", type=int, default=3, help="recorder processes")
    parser.add_argument("--steps", type=int, nargs="+", default=[1_000_000, 1_500_000, 2_000_000, 3_000_000])
    parser.add_argument("--seconds", type=float, default=60.0, help="of the first step; further ones take half")
    parser.add_argument("--clip", type=Path, help="what the cameras show; a drawn street if left away")
    parser.add_argument("--cache", type=Path, help="folder of prepared clips, to save their encoding next time")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="safecity-bench-") as name:
        folder = Path(name)
        arguments.clip = arguments.clip or draw_clip(folder)
        arguments.cache = arguments.cache or folder / "cache"
        steps: list[Step] = []
        for number, bitrate in enumerate(arguments.steps):
            steps.append(
                run_step(arguments, folder / f"step-{number}", bitrate, arguments.seconds / (1 + (number > 0)))
            )
            say(str(steps[-1]))
            if steps[-1].bends:
                break
    first, last = steps[0], steps[-1]
    result = {
        "bench": "record-1000",
        "cameras": arguments.cameras,
        "bitrate_bps": first.bitrate_bps,
        "fragments_lost": first.lost_fragments,
        "missing_s": round(first.missing_s, 2),
        "recorder_cores": round(first.recorder_cores, 3),
        "sender_cores": round(first.sender_cores, 3),
        "mb_per_camera": round(first.mb_per_camera, 2),
        "bends_at_bps": last.bitrate_bps if last.bends else None,
        "bends_because": last.reason if last.bends else f"not up to {last.bitrate_bps / 1e6:g} Mbit/s a camera",
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()

"""A long run with kills and camera faults: `make soak ARGS="--minutes 60"`.

The demo's city runs while processes are killed and cameras misbehave at random; at the end every camera-second must
be recorded or missing with a cause, and every file must play. Prints one JSON line and exits 1 where that fails.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import av
from av.error import FFmpegError

from safecity.platform.database import Database
from safecity.sites.store import list_cameras
from safecity.video.store import read_timeline
from tools.driving import Demo, free_port_pair

SLOTS = ("recorder-1", "recorder-2", "gateway", "web", "keeper", "virtual")
FAULTS = ("stall", "drop", "garbage", "black", "frozen", "covered", "clock-jump", "resolution")
STEP_S = 5.0


def disturb(demo: Demo, choice: random.Random, *, control_port: int) -> str:
    """Kill a process or break a camera; returns what was done."""
    if choice.random() < 0.4:
        slot = choice.choice(SLOTS)
        pid = demo.slots().get(slot)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        return f"kill {slot}"
    kind = choice.choice(FAULTS)
    safecity = str(Path(sys.executable).with_name("safecity"))
    listed = json.loads((demo.data / "run" / "virtual-mounts.json").read_bytes())["mounts"]
    command = [safecity, "virtual", "fault", choice.choice(listed)["name"], kind, "--for", "8"]
    subprocess.run([*command, "--control", str(control_port)], capture_output=True, check=False)
    return f"fault {kind}"


def count_unplayable(media: Path) -> int:
    """Files that a player which is not ours cannot read to their end."""
    wrong = 0
    for path in media.rglob("*.mp4"):
        try:
            with av.open(str(path)) as container:
                wrong += not any(packet.size for packet in container.demux(video=0))
        except FFmpegError:
            wrong += 1
    return wrong


def account(demo: Demo, *, since: datetime) -> dict[str, object]:
    """Every camera-second since the start: recorded, or missing by cause."""
    database = Database(f"sqlite:///{demo.data / 'safecity.db'}")
    missing_s: Counter[str] = Counter()
    recorded_s = expected_s = 0.0
    with database.read() as connection:
        for camera in list_cameras(connection):
            now = datetime.now(UTC)
            found = read_timeline(connection, camera.id, from_at=since, to_at=now, now=now)
            expected_s += (found.settled_until - since).total_seconds()
            recorded_s += sum((span.to_at - span.from_at).total_seconds() for span in found.recorded)
            for gap in found.missing:
                missing_s[gap.cause.value] += (gap.to_at - gap.from_at).total_seconds()
    database.close()
    return {
        "expected_s": round(expected_s, 1),
        "recorded_s": round(recorded_s, 1),
        "missing_s": {cause: round(seconds, 1) for cause, seconds in missing_s.items()},
        "unexplained_s": round(expected_s - recorded_s - sum(missing_s.values()), 1),
    }


def main() -> int:
    """Run, disturb, account."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cameras", type=int, default=16)
    asked = parser.parse_args()
    choice = random.Random(asked.seed)
    with tempfile.TemporaryDirectory(prefix="safecity-soak-") as folder:
        demo = Demo(data=Path(folder) / "data", port=free_port_pair(), cameras=asked.cameras)
        demo.start()
        try:
            demo.wait_live()
            control_port = json.loads((demo.data / "secrets" / "virtual.json").read_bytes())["control_port"]
            since, done = datetime.now(UTC), Counter[str]()
            end_s = time.monotonic() + asked.minutes * 60
            while time.monotonic() < end_s:
                done[disturb(demo, choice, control_port=control_port)] += 1
                print(
                    f"\r{(end_s - time.monotonic()) / 60:5.1f} min to go, {sum(done.values())} done", end="", flush=True
                )
                time.sleep(STEP_S)
            demo.wait_live(within_s=120)
            result = account(demo, since=since)
            demo.stop()
            result |= {"bench": "soak", "minutes": asked.minutes, "done": dict(done)}
            result["unplayable_files"] = count_unplayable(demo.data / "media")
        finally:
            demo.destroy()
    print(f"\n{json.dumps(result)}")
    return 1 if result["unplayable_files"] or abs(float(str(result["unexplained_s"]))) > asked.cameras else 0


if __name__ == "__main__":
    sys.exit(main())

"""A long run of the virtual city: `make soak ARGS="--minutes 60"`, with `--quiet-city` without kills and faults.

The demo's city runs while an operator works the queue and, unless it is quiet, processes are killed and cameras
misbehave at random. At the end every camera-second is recorded or missing with a cause, every fact is in one alert,
every alert has an owner or was escalated, memory is flat and every file plays. Prints the drawn truth beside what was
counted and one JSON line, and exits 1 where something does not hold.
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
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
from av.error import FFmpegError
from rich.console import Console

from safecity.platform.database import Database
from tools.driving import Demo, free_port_pair
from tools.soak_checks import Memory, account, check_queue, compare_with_truth, truth_table
from tools.soak_desk import Desk

SLOTS = ("recorder-1", "recorder-2", "gateway", "web", "keeper", "virtual", "analyser-1")
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


def go_on(demo: Demo, *, minutes: float, step: Callable[[], str]) -> tuple[Counter[str], Memory]:
    """Let the city run, doing one step every few seconds; what was done, and the memory of every process."""
    done, memory, desk = Counter[str](), Memory(), Desk(demo.url)
    began_s = time.monotonic()
    while (passed_s := time.monotonic() - began_s) < minutes * 60:
        done[step()] += 1
        done.update(desk.work())
        memory.sample(demo.slots(), at_s=passed_s)
        print(f"\r{minutes - passed_s / 60:5.1f} min to go, {sum(done.values())} done", end="", flush=True)
        time.sleep(STEP_S)
    return done, memory


def conclude(demo: Demo, memory: Memory, *, since: datetime) -> dict[str, object]:
    """Look at the running city's books."""
    database = Database(f"sqlite:///{demo.data / 'safecity.db'}")
    now = datetime.now(UTC)
    # Whole minutes, as they are counted.
    first = since.replace(second=0, microsecond=0) + timedelta(minutes=1)
    last = (now - timedelta(seconds=20)).replace(second=0, microsecond=0)
    if last > first:
        compared = compare_with_truth(database, run_dir=demo.data / "run", since=first, until=last)
        print()
        Console().print(truth_table(compared))
    result = account(database, since=since, now=now) | check_queue(database, now=now)
    database.close()
    return result | {"memory": memory.report()}


def list_broken(result: dict[str, object], *, cameras: int) -> list[str]:
    """What does not hold."""
    zero = ("unplayable_files", "facts_without_alert", "facts_in_two_alerts", "facts_counted_otherwise")
    broken = [name for name in (*zero, "alerts_nobody_has") if result[name]]
    if abs(float(str(result["unexplained_s"]))) > cameras:
        broken.append("unexplained_s")
    memory = result["memory"]
    assert isinstance(memory, dict)
    return broken + [f"memory of {slot}" for slot, found in memory.items() if not found["is_flat"]]


def main() -> int:
    """Run, disturb, account."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cameras", type=int, default=16)
    parser.add_argument("--quiet-city", action="store_true", help="no kills and no faults")
    parser.add_argument("--scenes", type=Path, help="a `scenes` folder of an earlier demo, so that nothing is drawn")
    asked = parser.parse_args()
    choice = random.Random(asked.seed)
    with tempfile.TemporaryDirectory(prefix="safecity-soak-") as folder:
        demo = Demo(data=Path(folder) / "data", port=free_port_pair(), cameras=asked.cameras)
        if asked.scenes:
            demo.data.mkdir(mode=0o700)
            (demo.data / "scenes").symlink_to(asked.scenes.absolute())
        demo.start()
        try:
            demo.wait_live()
            control_port = json.loads((demo.data / "secrets" / "virtual.json").read_bytes())["control_port"]
            since = datetime.now(UTC)

            def step() -> str:
                return "quiet" if asked.quiet_city else disturb(demo, choice, control_port=control_port)

            done, memory = go_on(demo, minutes=asked.minutes, step=step)
            demo.wait_live(within_s=120)
            result = conclude(demo, memory, since=since)
            demo.stop()
            result |= {"bench": "soak", "minutes": asked.minutes, "done": dict(done)}
            result["unplayable_files"] = count_unplayable(demo.data / "media")
        finally:
            demo.destroy()
    result["broken"] = list_broken(result, cameras=asked.cameras)
    print(f"\n{json.dumps(result)}")
    return 1 if result["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())

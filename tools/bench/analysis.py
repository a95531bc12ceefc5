"""Measures what looking costs: our analyser against Debian's `motion`, on the same streams, in one run.

    python -m tools.bench.analysis --cameras 6 --seconds 20

Virtual cameras serve the same clip at 640x360 to both over RTSP. `motion` reads them itself and writes nothing: no
pictures, no films, no streams, its default detector. Ours is the running system: a recorder hands the packets on, an
analyser with a line and a rule on each camera sees them; the analyser's CPU time is counted, and what the recorder
spends more for being watched is measured beside it. *Busy* is a drawn street (or --busy CLIP), *idle* the same street
standing still with a sensor's noise and drifting light. CPU time is user + system of the whole process tree over a
window after warm-up. That `motion` really looked at the pictures is checked by letting it say so for each of them
first. Progress goes to standard error; each result is one line of JSON on standard output.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import sqlalchemy as sa

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY))

from safecity.analytics import store  # noqa: E402
from safecity.analytics.models import MOTION, choose_model  # noqa: E402
from safecity.analytics.scene import LineCrossing, Scene, SceneLine  # noqa: E402
from safecity.analytics.store import StoredScene  # noqa: E402
from safecity.platform.database import Database  # noqa: E402
from safecity.platform.schema import upgrade  # noqa: E402
from safecity.platform.settings import AnalyticsSettings, PlatformSettings, Settings, VideoSettings  # noqa: E402
from safecity.sites.model import CameraId  # noqa: E402
from safecity.sites.tables import cameras as cameras_table  # noqa: E402
from safecity.virtual.scenes import SceneRequest, draw_scenes  # noqa: E402
from tools.bench.record import PASSWORD, USER, cpu_s, register, say, serve_cameras, stop, tree, wait_for  # noqa: E402

FPS = 15
SIZE_PX = (640, 360)
WARM_UP_S = 12.0
IDLE_CLIP_S = 30
LEAST_SHARE = 0.9  # of the pictures sent must have been looked at, else nothing was measured
SCENE = Scene(
    lines=(SceneLine(name="across", points=((0, 200), (640, 200))),),
    rules=(LineCrossing(kind="line_crossing", name="across", line="across"),),
)


def standing_still(clip: Path, target: Path) -> Path:
    """The clip's first picture for half a minute, with noise and a slow drift of light."""
    with av.open(str(clip)) as source:
        first = next(source.decode(video=0)).reformat(*SIZE_PX, format="gray").to_ndarray().astype(np.float32)
    noise = np.random.default_rng(5).normal(0, 1.5, (8, *first.shape)).astype(np.float32)
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = *SIZE_PX, "yuv420p", 2 * FPS
        stream.codec_context.options = {"preset": "veryfast", "tune": "zerolatency", "x264-params": "scenecut=0"}
        for index in range(IDLE_CLIP_S * FPS):
            drift = 2 * np.sin(2 * np.pi * index / (IDLE_CLIP_S * FPS))
            grey = np.clip(first + noise[index % 8] + drift, 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(np.repeat(grey[:, :, None], 3, 2), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target


def resampled(clip: Path, target: Path) -> Path:
    """The clip at the size and rate of a sub-stream, so that nobody has to convert it on the way."""
    with av.open(str(clip)) as source, av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = *SIZE_PX, "yuv420p", 2 * FPS
        stream.codec_context.options = {"preset": "veryfast", "tune": "zerolatency", "x264-params": "scenecut=0"}
        written = 0
        for frame in source.decode(video=0):
            while frame.time is not None and written <= frame.time * FPS:
                scaled = frame.reformat(*SIZE_PX, format="yuv420p")
                scaled.pts, scaled.time_base = written, Fraction(1, FPS)
                container.mux(stream.encode(scaled))
                written += 1
        container.mux(stream.encode(None))
    return target


def spent(pids: list[int], *, seconds: float, cameras: int) -> float:
    """CPU-seconds per camera-minute of processes over a window."""
    everyone = tree(pids)
    used, began = cpu_s(everyone), time.monotonic()
    time.sleep(seconds)
    return (cpu_s(everyone) - used) / cameras / (time.monotonic() - began) * 60


# Debian's motion


def write_motion(folder: Path, *, cameras: int, port: int) -> Path:
    """Its settings: look, and do nothing else."""
    folder.mkdir()
    quiet = {
        "daemon": "off", "log_level": 6, "target_dir": folder, "picture_output": "off", "movie_output": "off",
        "webcontrol_port": 0, "stream_port": 0, "width": SIZE_PX[0], "height": SIZE_PX[1], "framerate": FPS,
        "text_left": "", "text_right": "",
    }  # fmt: skip
    lines = [f"{key} {value}" for key, value in quiet.items()]
    for number in range(1, cameras + 1):
        camera = folder / f"camera-{number}.conf"
        url = f"rtsp://127.0.0.1:{port}/cam-{number:03d}/sub"
        camera.write_text(f"camera_id {number}\nnetcam_url {url}\nnetcam_userpass {USER}:{PASSWORD}\n")
        lines.append(f"camera {camera}")
    config = folder / "motion.conf"
    config.write_text("\n".join(lines) + "\n")
    return config


@contextmanager
def motion(config: Path, *, log: Path, setup: bool = False) -> Iterator["subprocess.Popen[bytes]"]:
    """The running program; in setup mode it says for each picture what it saw in it."""
    with log.open("wb") as output:
        command = ["motion", "-n", *(["-s", "-d", "7"] if setup else []), "-c", str(config)]
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=config.parent)
    try:
        yield process
    finally:
        stop([process])


def bench_motion(folder: Path, *, cameras: int, port: int, seconds: float) -> float:
    """What it costs, once it is known to look at the pictures."""
    config = write_motion(folder, cameras=cameras, port=port)
    log = folder / "looks.log"
    with motion(config, log=log, setup=True):
        time.sleep(WARM_UP_S)
        before, began = log.read_bytes().count(b"Changes:"), time.monotonic()
        time.sleep(8)
        looked, sent = log.read_bytes().count(b"Changes:") - before, (time.monotonic() - began) * FPS * cameras
    say(f"motion looked at {looked} of about {sent:.0f} pictures")
    if looked < LEAST_SHARE * sent:
        raise SystemExit("motion did not look at the pictures: the comparison would be none")
    with motion(config, log=folder / "quiet.log") as process:
        time.sleep(WARM_UP_S)
        return spent([process.pid], seconds=seconds, cameras=cameras)


# Ours


@contextmanager
def role(name: str, settings: Path, *, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """One process of the running system."""
    command = [sys.executable, "-m", f"safecity.app.roles.{name}", "--slot", f"{name}-1", "--settings", str(settings)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=REPOSITORY)
    try:
        yield process
    finally:
        stop([process])


class Ours:
    """A data folder with a recorder that runs, and analysers one after the other."""

    def __init__(self, folder: Path, arguments: argparse.Namespace, port: int) -> None:
        self.folder, self.arguments, self.port = folder, arguments, port
        folder.mkdir()
        self.database = Database(self._settings(MOTION).database_url())
        upgrade(self.database)
        register(self.database, folder, cameras=arguments.cameras, port=port)
        now = datetime.now(UTC)
        width_px, height_px = SIZE_PX
        with self.database.begin() as connection:
            c = cameras_table.c
            connection.execute(cameras_table.update().values(sub_url=sa.func.replace(c.main_url, "/main", "/sub")))
            for number in range(1, arguments.cameras + 1):
                drawn = StoredScene(
                    camera=CameraId(f"cam_bench-{number:03d}"), width_px=width_px, height_px=height_px, scene=SCENE,
                    version=1, changed_at=now, changed_by=None,
                )  # fmt: skip
                store.put_scene(connection, drawn)

    def _settings(self, model: str) -> Settings:
        analytics = AnalyticsSettings(analysers=1, model=model, models_dir=self.arguments.models)
        video = VideoSettings(recorders=1, start_spread_s=1.0)
        return Settings(platform=PlatformSettings(data_dir=self.folder), video=video, analytics=analytics)

    def write(self, model: str) -> Path:
        """The settings file of a process."""
        path = self.folder / f"settings-{model}.json"
        path.write_text(self._settings(model).model_dump_json())
        return path

    def status(self) -> dict[str, object]:
        """The analyser's last word."""
        with self.database.read() as connection:
            found = store.list_analyser_statuses(connection)
        return dict(found[0].status) if found else {}

    def measure(self, model: str, case: str, recorder: "subprocess.Popen[bytes]") -> dict[str, float]:
        """One analyser over a window; `kept_up` is 0 where pictures were skipped, which would flatter it."""
        cameras, seconds = self.arguments.cameras, self.arguments.seconds
        alone = spent([recorder.pid], seconds=seconds / 2, cameras=cameras)
        with role("analyser", self.write(model), log=self.folder / f"analyser-{case}-{model}.log") as process:
            wait_for(lambda: self.status().get("cameras") == cameras and self.status().get("model") == model)
            time.sleep(WARM_UP_S)
            if case == "idle":
                wait_for(lambda: self.status().get("active") == 0)
                time.sleep(3)
            watched, before, began = cpu_s([recorder.pid]), self._pictures(), time.monotonic()
            cost = spent([process.pid], seconds=seconds, cameras=cameras)
            elapsed = time.monotonic() - began
            watched = (cpu_s([recorder.pid]) - watched) / cameras / elapsed * 60
            time.sleep(2.5)  # the status row is renewed each two seconds
            looked = (self._pictures() - before) / (time.monotonic() - began) / cameras
        status = self.status()
        say(f"ours {case} {model}: {looked:.2f} pictures/s a camera, {status}")
        kept_up = case == "idle" or looked >= LEAST_SHARE * FPS
        return {"kept_up": kept_up, "cost": cost, "recorder_more": max(0.0, watched - alone), "pictures_per_s": looked}

    def _pictures(self) -> int:
        number = self.status().get("pictures", 0)
        assert isinstance(number, int)
        return number


def run_case(case: str, clip: Path, arguments: argparse.Namespace, folder: Path) -> None:
    """Both on one clip."""
    arguments.clip = clip
    folder.mkdir()
    server, port = serve_cameras(arguments, folder)
    try:
        theirs = bench_motion(folder / "motion", cameras=arguments.cameras, port=port, seconds=arguments.seconds)
        ours = Ours(folder / "ours", arguments, port)
        with role("recorder", ours.write(MOTION), log=folder / "recorder.log") as recorder:
            time.sleep(5)
            for model in models(arguments):
                found = ours.measure(model, case, recorder)
                result = {
                    "bench": "analysis",
                    "case": case,
                    "model": model,
                    "cpu_s_per_camera_min": round(found["cost"], 4),
                    "motion_cpu_s_per_camera_min": round(theirs, 4),
                    "ratio": round(found["cost"] / theirs, 3) if found["kept_up"] else None,
                    "kept_up": bool(found["kept_up"]),
                    "recorder_more_cpu_s_per_camera_min": round(found["recorder_more"], 4),
                    "pictures_per_s": round(found["pictures_per_s"], 2),
                    "cameras": arguments.cameras,
                    "clip": arguments.busy.name if case == "busy" and arguments.busy else f"drawn ({case})",
                }
                print(json.dumps(result), flush=True)
        ours.database.close()
    finally:
        stop([server])


def models(arguments: argparse.Namespace) -> list[str]:
    """Without a model, and with the one that `auto` takes where one is installed."""
    chosen = choose_model("auto", arguments.models) if arguments.models else None
    if chosen is None:
        say("no model is installed (--models): measured with motion alone")
    return [MOTION] if chosen is None else [MOTION, chosen.spec.name]


def default_models() -> Path | None:
    """The models of the tests' data, if they are there."""
    named = os.environ.get("SAFECITY_ANALYTICS__MODELS_DIR")
    folder = Path(named) if named else Path(os.environ.get("SAFECITY_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    folder = folder if named else folder / "models"
    return folder if folder.is_dir() else None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--busy", type=Path, help="the video in which something moves; a drawn street if left away")
    parser.add_argument("--models", type=Path, default=default_models(), help="folder of detector models")
    parser.add_argument("--cases", default="idle,busy")
    parser.add_argument("--cache", type=Path, help="folder of prepared clips, to save their encoding next time")
    parser.add_argument("--bitrate", default=None, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if shutil.which("motion") is None:
        raise SystemExit("needs motion to compare with (on Debian: apt-get install motion)")
    with tempfile.TemporaryDirectory(prefix="sc-analysis-") as name:
        folder = Path(name)
        busy = arguments.busy
        if busy is None:
            say("drawing a street ...")
            busy = draw_scenes([SceneRequest(seed=7, duration_s=30.0)], folder / "scene", processes=1)[0].main
        clips = {"idle": standing_still(busy, folder / "still.mp4"), "busy": resampled(busy, folder / "busy.mp4")}
        for case in arguments.cases.split(","):
            say(f"{case} ...")
            run_case(case, clips[case], arguments, folder / case)


if __name__ == "__main__":
    main()

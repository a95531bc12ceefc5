"""Measures live view as a person has it: camera to picture on the page, in Chromium.

    python -m tools.bench.live --cameras 4 --seconds 20

The virtual cameras burn a number into each picture and note when it left. The real page shows them on its wall; after
each picture that the browser presents (`requestVideoFrameCallback`) the number is read back from the video. Latency is
the difference, on one machine and one clock; it holds RTSP, recorder, ZeroMQ, gateway, WebSocket, MSE and decoding.
First picture: from the page opening the WebSocket of a camera that records, but that nobody watched lately or that
somebody watches, to the first picture presented. Progress goes to standard error, the result is one line of JSON.
"""

import argparse
import json
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY))

from safecity.oversight.model import Role  # noqa: E402
from safecity.oversight.service import Oversight  # noqa: E402
from safecity.platform.clock import SystemClock  # noqa: E402
from safecity.platform.database import Database  # noqa: E402
from safecity.platform.schema import upgrade  # noqa: E402
from safecity.platform.secrets import load_secret_box  # noqa: E402
from safecity.platform.settings import Settings, load_settings  # noqa: E402
from safecity.sites.service import Sites  # noqa: E402
from safecity.virtual.control_client import VirtualControl  # noqa: E402
from safecity.virtual.counter import BLOCKS, VALUE_BITS, check_sum  # noqa: E402
from safecity.virtual.scenes import Condition, Layout, SceneRequest, draw_scenes  # noqa: E402
from tools.driving import browser, free_port_pair, open_page, wait_until  # noqa: E402

SETTLE_S = 6.0
FIRST_PICTURES = 12
COLD_AFTER_S = 33.0  # the gateway lets go of a stream 30 s after its last viewer
SCENE_S = 40.0
READY_WITHIN_S = 300.0
PIXELS_A_BLOCK = 4

# Notes when live sockets open, and reads the burned-in blocks of every picture that is presented.
PROBE = """
(() => {
  const bench = { sockets: {}, first: {}, frames: {}, reads: true };
  window.__bench = bench;
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(url, protocols) {
      super(url, protocols);
      const found = /media\\/live\\/([^?]+)/.exec(String(url));
      if (found) bench.sockets[decodeURIComponent(found[1])] = Date.now();
    }
  };
  const canvas = document.createElement('canvas');
  canvas.width = BLOCKS * PIXELS; canvas.height = PIXELS;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const seen = new WeakSet();
  const follow = (video) => {
    if (seen.has(video)) return;
    seen.add(video);
    const onFrame = () => {
      const at = Date.now();
      const camera = video.dataset.camera;
      bench.first[camera] ??= at;
      if (bench.reads && video.videoWidth > 0) {
        const strip = video.videoWidth / BLOCKS;
        context.drawImage(video, 0, 0, video.videoWidth, strip, 0, 0, canvas.width, canvas.height);
        const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
        const levels = [];
        for (let block = 0; block < BLOCKS; block += 1) {
          let sum = 0;
          const left = block * PIXELS;
          for (const y of [1, 2]) for (const x of [1, 2]) sum += data[4 * (y * canvas.width + left + x) + 1];
          levels.push(sum / 4);
        }
        (bench.frames[camera] ??= []).push([at, levels]);
      }
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
  };
  const look = () => document.querySelectorAll('video[data-camera]').forEach(follow);
  new MutationObserver(look).observe(document, { subtree: true, childList: true });
})();
""".replace("BLOCKS", str(BLOCKS)).replace("PIXELS", str(PIXELS_A_BLOCK))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A running system on numbered virtual cameras."""

    url: str
    password: str
    control: VirtualControl
    cameras: Sequence[str]
    mounts: Sequence[str]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def read_number(levels: Sequence[float]) -> int | None:
    """The burned-in number from the mean level of each block; None for a picture without one."""
    white, black = levels[0], levels[1]
    if white - black < 60:
        return None
    code = 0
    for level in levels[2:]:
        code = code << 1 | (level > (white + black) / 2)
    check_bits = BLOCKS - 2 - VALUE_BITS
    number = code >> check_bits
    return number if check_sum(number) == code & (1 << check_bits) - 1 else None


@contextmanager
def child(command: Sequence[str], *, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that is ended with ctrl-C."""
    with log.open("ab") as errors:
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, cwd=REPOSITORY)
    try:
        yield running
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGINT)
            try:
                running.wait(30)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


@contextmanager
def running_system(folder: Path, clip: Path, *, cameras: int) -> Iterator[Bench]:
    """Numbered cameras in one process, the whole system in others."""
    safecity = str(Path(sys.executable).with_name("safecity"))
    serve = [safecity, "virtual", "serve", "--clip", str(clip), "--mounts", str(cameras), "--counter", "--json"]
    with child([*serve, "--port", "0", "--cache", str(folder / "cache")], log=folder / "virtual.log") as virtual:
        say("preparing the numbered clip ...")
        assert virtual.stdout is not None
        line = virtual.stdout.readline()
        assert line, (folder / "virtual.log").read_text()
        report = json.loads(line)
        port = free_port_pair()
        config = folder / "safecity.toml"
        tables = (f'[platform]\ndata_dir = "{folder / "d"}"', f"[web]\nport = {port}", "[video]\nrecorders = 1")
        config.write_text("\n".join(tables) + "\nstart_spread_s = 0.0\n")
        password, ids = prepare(load_settings(config), report)
        with child([safecity, "run", "--config", str(config)], log=folder / "run.log"):
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: is_live(url, cameras), within_s=READY_WITHIN_S, reason="all cameras live")
            control = VirtualControl.of_this_user(report["control_port"])
            yield Bench(
                url=url,
                password=password,
                control=control,
                cameras=ids,
                mounts=[camera["name"] for camera in report["cameras"]],
            )


def prepare(settings: Settings, report: dict[str, object]) -> tuple[str, list[str]]:
    """Schema, one site with all cameras, an operator; returns the operator's password and the camera ids."""
    place = {"type": "Point", "coordinates": [67.0, 30.2]}
    served = report["cameras"]
    assert isinstance(served, list)
    properties: list[dict[str, object]] = [{"kind": "site", "code": "B", "name": "Bench", "name_ur": "Bench"}]
    for number, one in enumerate(served, start=1):
        names = {
            "kind": "camera",
            "code": f"B-{number:02d}",
            "site": "B",
            "name": f"B {number}",
            "name_ur": f"B {number}",
        }
        access = {"user": report["user"], "password": report["password"]}
        properties.append({**names, "main_url": one["main"], "sub_url": one["sub"], **access})
    features = [{"type": "Feature", "properties": one, "geometry": place} for one in properties]
    database = Database(settings.database_url())
    upgrade(database)
    clock = SystemClock()
    oversight = Oversight(database, settings.oversight, clock)
    box = load_secret_box(settings.platform.data_dir.absolute())
    sites = Sites(database, oversight=oversight, box=box, clock=clock)
    sites.import_city_document({"type": "FeatureCollection", "features": features})
    password = oversight.ensure_demo_user("operator", Role.OPERATOR, display_name="Operator")
    database.close()
    return password, [f"cam_b-{number:02d}" for number in range(1, len(served) + 1)]


def is_live(url: str, cameras: int) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/api/health", timeout=5) as answer:
            return json.loads(answer.read())["cameras"]["live"] >= cameras
    except OSError:
        return False


def sign_in(chromium: Browser, bench: Bench) -> Page:
    page = open_page(chromium, language="en")
    page.add_init_script(PROBE)
    origin = {"Origin": bench.url}
    answer = page.request.post(
        f"{bench.url}/api/session", data={"user": "operator", "password": bench.password}, headers=origin
    )
    assert answer.ok, answer.text()
    assert page.request.post(f"{bench.url}/api/shift", headers=origin).ok
    return page


def show(page: Page, bench: Bench, cameras: Sequence[str]) -> None:
    page.goto(f"{bench.url}/wall?c={','.join(cameras)}")
    for camera in cameras:
        page.wait_for_function("camera => window.__bench.first[camera] !== undefined", arg=camera, timeout=60_000)


def first_picture_ms(page: Page, bench: Bench, camera: str) -> float:
    """From opening the WebSocket to the first picture presented."""
    show(page, bench, [camera])
    opened, first = page.evaluate("camera => [window.__bench.sockets[camera], window.__bench.first[camera]]", camera)
    return first - opened


def latencies_ms(page: Page, bench: Bench, *, seconds: float) -> tuple[list[float], int]:
    """Of every picture on the wall while `seconds` pass; and how many could not be read."""
    show(page, bench, bench.cameras)
    time.sleep(SETTLE_S)
    page.evaluate("window.__bench.frames = {}")
    time.sleep(seconds)
    frames: dict[str, list[tuple[float, list[float]]]] = page.evaluate("window.__bench.frames")
    found: list[float] = []
    unread = 0
    for camera, mount in zip(bench.cameras, bench.mounts, strict=True):
        sent = {one.counter: one.sent_at.timestamp() * 1000 for one in bench.control.list_sent(mount, "sub")}
        for at_ms, levels in frames.get(camera, []):
            number = read_number(levels)
            if number is None or number not in sent:
                unread += 1
            else:
                found.append(at_ms - sent[number])
    return found, unread


def draw_clip(folder: Path) -> Path:
    say("drawing a street ...")
    request = SceneRequest(seed=11, layout=Layout.AVENUE, condition=Condition.DAY, duration_s=SCENE_S, loop=True)
    return draw_scenes([request], folder, processes=2)[0].main


def main() -> None:
    parser = argparse.ArgumentParser(description="live latency and first picture, read back from the page")
    parser.add_argument("--cameras", type=int, default=4, help="tiles on the wall: 1, 4, 9 or 16")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--clip", type=Path, help="the video to number and play; a drawn street if left away")
    parser.add_argument("--cold", action="store_true", help="also first pictures of streams nobody watched")
    options = parser.parse_args()
    # A short path: a ZeroMQ socket's has room for 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="sc-live-"))
    try:
        clip = options.clip or draw_clip(folder)
        with running_system(folder, clip, cameras=options.cameras) as bench, browser() as chromium:
            page = sign_in(chromium, bench)
            say("measuring ...")
            found, unread = latencies_ms(page, bench, seconds=options.seconds)
            warm = [first_picture_ms(page, bench, bench.cameras[n % len(bench.cameras)]) for n in range(FIRST_PICTURES)]
            cold: list[float] = []
            if options.cold:
                page.goto("about:blank")
                time.sleep(COLD_AFTER_S)
                cold = [first_picture_ms(page, bench, camera) for camera in bench.cameras]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if len(found) < 20:
        raise SystemExit(f"only {len(found)} pictures could be read back ({unread} without a number)")
    result = {
        "bench": "live",
        "p50_ms": round(statistics.median(found), 1),
        "p95_ms": round(statistics.quantiles(found, n=20)[-1], 1),
        "first_picture_ms": round(statistics.median(warm)),
        "first_picture_p95_ms": round(statistics.quantiles(warm, n=20)[-1]),
        **({"first_picture_cold_ms": round(statistics.median(cold))} if cold else {}),
        "frames": len(found),
        "unread": unread,
        "tiles": options.cameras,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()

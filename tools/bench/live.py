"""Measures live view as a person has it: camera to picture on the page, in Chromium.

    make bench-live

The virtual cameras burn a number into each picture and note when it left. The real page shows them on its wall; after
each picture that the browser presents (`requestVideoFrameCallback`) the number is read back from the video. Latency is
the difference, on one machine and one clock; it holds RTSP, recorder, ZeroMQ, gateway, WebSocket, MSE and decoding.
First picture: from the page opening the WebSocket of a camera that records, but that nobody watched lately or that
somebody watches, to the first picture presented. Then many light viewers look at many streams of one gateway process
(`light_viewers`), whose CPU is taken from /proc. Progress goes to standard error, the result is one line of JSON.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY))

from safecity.virtual.counter import BLOCKS, VALUE_BITS, check_sum  # noqa: E402
from tools.bench.live_system import Bench, Plan, draw_clip, running_system, say  # noqa: E402
from tools.driving import browser, open_page  # noqa: E402

Way = Literal["mse", "webcodecs"]

SETTLE_S = 6.0
FIRST_PICTURES = 12
LOOKS_A_SESSION = 16  # a wall
COLD_AFTER_S = 33.0  # the gateway lets go of a stream 30 s after its last viewer
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
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  const note = (source, width) => {
    const at = Date.now();
    const camera = source.dataset.camera;
    bench.first[camera] ??= at;
    if (!bench.reads || width === 0) return;
    draw.call(context, source, 0, 0, width, width / BLOCKS, 0, 0, canvas.width, canvas.height);
    const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
    const levels = [];
    for (let block = 0; block < BLOCKS; block += 1) {
      let sum = 0;
      const left = block * PIXELS;
      for (const y of [1, 2]) for (const x of [1, 2]) sum += data[4 * (y * canvas.width + left + x) + 1];
      levels.push(sum / 4);
    }
    (bench.frames[camera] ??= []).push([at, levels]);
  };
  // A camera alone is drawn on a canvas, once for each paint: what is drawn is what that paint shows.
  CanvasRenderingContext2D.prototype.drawImage = function (...given) {
    draw.apply(this, given);
    if (this.canvas.dataset.camera && given[0] instanceof VideoFrame) note(this.canvas, this.canvas.width);
  };
  const follow = (video) => {
    if (seen.has(video)) return;
    seen.add(video);
    const onFrame = () => {
      note(video, video.videoWidth);
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
  };
  const look = () => document.querySelectorAll('video[data-camera]').forEach(follow);
  new MutationObserver(look).observe(document, { subtree: true, childList: true });
})();
""".replace("BLOCKS", str(BLOCKS)).replace("PIXELS", str(PIXELS_A_BLOCK))


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


def sign_in(chromium: Browser, bench: Bench) -> Page:
    page = open_page(chromium, language="en")
    page.add_init_script(PROBE)
    name, value = bench.cookies[0].split("=", 1)
    page.context.add_cookies([{"name": name, "value": value, "url": bench.url}])
    return page


def show(page: Page, bench: Bench, cameras: Sequence[str], *, is_large: bool = False) -> None:
    page.goto(f"{bench.url}/wall?c={','.join(cameras)}{'&n=1&large=0' if is_large else ''}")
    for camera in cameras:
        page.wait_for_function("camera => window.__bench.first[camera] !== undefined", arg=camera, timeout=60_000)


def first_picture_ms(page: Page, bench: Bench, camera: str) -> float:
    """From opening the WebSocket to the first picture presented."""
    show(page, bench, [camera])
    opened, first = page.evaluate("camera => [window.__bench.sockets[camera], window.__bench.first[camera]]", camera)
    return first - opened


def latencies_ms(page: Page, bench: Bench, *, way: Way, seconds: float) -> tuple[list[float], int]:
    """Of every picture shown while `seconds` pass; and how many could not be read."""
    is_large = way == "webcodecs"
    tiles = list(zip(bench.cameras, bench.mounts, strict=True))[: 1 if is_large else None]
    show(page, bench, [camera for camera, _ in tiles], is_large=is_large)
    time.sleep(SETTLE_S)
    page.evaluate("window.__bench.frames = {}")
    time.sleep(seconds)
    frames: dict[str, list[tuple[float, list[float]]]] = page.evaluate("window.__bench.frames")
    found: list[float] = []
    unread = 0
    for camera, mount in tiles:
        sent_by = bench.control.list_sent(mount, "main" if is_large else "sub")
        sent = {one.counter: one.sent_at.timestamp() * 1000 for one in sent_by}
        for at_ms, levels in frames.get(camera, []):
            number = read_number(levels)
            if number is None or number not in sent:
                unread += 1
            else:
                found.append(at_ms - sent[number])
    return found, unread


def on_the_page(page: Page, bench: Bench, *, way: Way, seconds: float) -> dict[str, object]:
    """Latency in Chromium: a wall of small streams through MSE, or one main stream through WebCodecs."""
    say(f"measuring on the page, {way} ...")
    found, unread = latencies_ms(page, bench, way=way, seconds=seconds)
    if len(found) < 20:
        raise SystemExit(f"only {len(found)} pictures could be read back ({unread} without a number)")
    return {
        "bench": "live",
        "way": way,
        "p50_ms": round(statistics.median(found), 1),
        "p95_ms": round(statistics.quantiles(found, n=20)[-1], 1),
        "frames": len(found),
        "unread": unread,
        "tiles": 1 if way == "webcodecs" else len(bench.cameras),
        "load": round(os.getloadavg()[0], 1),
    }


def first_pictures(page: Page, bench: Bench, *, is_cold: bool) -> dict[str, object]:
    """From opening the WebSocket to the first picture on the page."""
    cameras = bench.cameras
    warm = [first_picture_ms(page, bench, cameras[n % len(cameras)]) for n in range(FIRST_PICTURES)]
    cold: list[float] = []
    if is_cold:
        page.goto("about:blank")
        time.sleep(COLD_AFTER_S)
        cold = [first_picture_ms(page, bench, camera) for camera in cameras]
    return {
        "first_picture_ms": round(statistics.median(warm)),
        "first_picture_p95_ms": round(statistics.quantiles(warm, n=20)[-1]),
        **({"first_picture_cold_ms": round(statistics.median(cold))} if cold else {}),
    }


def with_many_viewers(bench: Bench, *, viewers: int, seconds: float) -> dict[str, object]:
    """So many viewers of all streams at once, from the one gateway process; its CPU for each of them."""
    say(f"{viewers} viewers of {len(bench.cameras)} streams ...")
    cameras, cookies = bench.cameras, bench.cookies
    looks = [{"camera": cameras[n % len(cameras)], "cookie": cookies[n % len(cookies)]} for n in range(viewers)]
    plan = {"gateway": bench.gateway, "origin": bench.url, "looks": looks, "seconds": seconds, "settle_s": SETTLE_S}
    command = [sys.executable, "-m", "tools.bench.light_viewers"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(plan) + "\n")
        child.stdin.flush()
        if child.stdout.readline() != "ready\n":
            raise SystemExit("the viewers did not all get a picture")
        before_s, began_s = bench.cpu_s("gateway"), time.monotonic()
        line = child.stdout.readline()
        used_s, took_s = bench.cpu_s("gateway") - before_s, time.monotonic() - began_s
    share = used_s / took_s
    return {
        "viewers": viewers,
        "streams": len(cameras),
        "gateway_core_share": round(share, 3),
        "core_percent_a_viewer": round(100 * share / viewers, 4),
        **json.loads(line),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="live latency and first picture, read back from the page")
    parser.add_argument("--cameras", type=int, default=4, help="tiles on the wall: 1, 4, 9 or 16")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--clip", type=Path, help="the video to number and play; a drawn street if left away")
    parser.add_argument("--cold", action="store_true", help="also first pictures of streams nobody watched")
    parser.add_argument("--viewers", type=int, default=200, help="looks at once in the second part; 0 leaves it out")
    parser.add_argument("--streams", type=int, default=60, help="cameras that they look at")
    parser.add_argument("--cache", type=Path, help="keep prepared clips here, for the next run")
    parser.add_argument("--no-page", action="store_true", help="only the second part")
    options = parser.parse_args()
    # A short path: a ZeroMQ socket's has room for 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="sc-live-"))
    result: dict[str, object] = {"bench": "live"}
    try:
        clip = options.clip or draw_clip(folder)
        if not options.no_page:
            plan = Plan(cameras=options.cameras, cache=options.cache)
            with running_system(folder / "p", clip, plan) as bench, browser() as chromium:
                page = sign_in(chromium, bench)
                print(json.dumps(on_the_page(page, bench, way="webcodecs", seconds=options.seconds)), flush=True)
                result = on_the_page(page, bench, way="mse", seconds=options.seconds)
                result |= first_pictures(page, bench, is_cold=options.cold)
        if options.viewers:
            many = Plan(
                cameras=options.streams,
                operators=-(-options.viewers // LOOKS_A_SESSION),
                is_numbered=False,
                is_sub_alone=True,
                cache=options.cache,
            )
            with running_system(folder / "v", clip, many) as bench:
                result |= with_many_viewers(bench, viewers=options.viewers, seconds=options.seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(result))


if __name__ == "__main__":
    main()

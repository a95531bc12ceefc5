"""Live view in a real browser, on a small system: what nobody sees costs nothing, and one camera alone has no delay."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from tools.bench.live_system import Bench, Plan, running_system
from tools.driving import open_page, wait_until

expect.set_options(timeout=60_000)
pytestmark = [pytest.mark.web, pytest.mark.slow, pytest.mark.timeout(300)]

PHONE = {"width": 400, "height": 500}
PIXELS = """one => [...one.getContext('2d').getImageData(0, 0, one.width, one.height).data]
  .filter((_, index) => index % 4 === 1)"""
# What the browser tells a page of itself when another window covers it.
HIDE = """isHidden => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => isHidden });
  document.dispatchEvent(new Event('visibilitychange'));
}"""


@pytest.fixture(scope="module")
def small(clips_dir: Path) -> Iterator[Bench]:
    # Not tmp_path: a ZeroMQ socket's path has room for 107 bytes.
    with tempfile.TemporaryDirectory(prefix="sc-", ignore_cleanup_errors=True) as folder:
        plan = Plan(cameras=4, is_numbered=False)
        with running_system(Path(folder) / "w", clips_dir / "suburban_road_a.mp4", plan) as running:
            yield running


def wall(chromium: Browser, small: Bench, query: str) -> Page:
    page = open_page(chromium, language="en")
    name, value = small.cookies[0].split("=", 1)
    page.context.add_cookies([{"name": name, "value": value, "url": small.url}])
    page.goto(f"{small.url}/wall?c={','.join(small.cameras)}&{query}")
    return page


def looks(small: Bench) -> int:
    """Live looks that the gateway keeps, as it says itself."""
    return int(json.loads((small.data_dir / "run" / "gateway-status.json").read_bytes())["looks"])


def test_tiles_that_nobody_sees_are_paused_and_their_looks_are_over(small: Bench, chromium: Browser) -> None:
    page = wall(chromium, small, "n=4")
    expect(page.locator('[data-tile] [data-state="live"][data-camera]')).to_have_count(4)
    wait_until(lambda: looks(small) == 4, within_s=10, reason="four looks")
    page.set_viewport_size(PHONE)  # one tile below the other: the last ones are out of sight
    tiles = [page.locator(f'[data-camera="{camera}"]') for camera in small.cameras]
    expect(tiles[-1]).to_have_attribute("data-state", "paused")
    expect(tiles[0]).to_have_attribute("data-state", "live")
    wait_until(lambda: looks(small) < 4, within_s=10, reason="the unseen tiles' looks are closed")
    tiles[-1].scroll_into_view_if_needed()
    expect(tiles[-1]).to_have_attribute("data-state", "live", timeout=5000)
    expect(tiles[0]).to_have_attribute("data-state", "paused")
    page.evaluate(HIDE, True)
    wait_until(lambda: looks(small) == 0, within_s=15, reason="a hidden page keeps no look")
    page.evaluate(HIDE, False)
    expect(tiles[-1]).to_have_attribute("data-state", "live", timeout=5000)
    page.context.close()
    wait_until(lambda: looks(small) == 0, within_s=10, reason="a closed page keeps no look")


def test_tiles_out_of_sight_never_dial(small: Bench, chromium: Browser) -> None:
    page = open_page(chromium, language="en", width_px=PHONE["width"], height_px=PHONE["height"])
    dialled: list[str] = []
    page.on("websocket", lambda socket: dialled.append(socket.url))
    name, value = small.cookies[0].split("=", 1)
    page.context.add_cookies([{"name": name, "value": value, "url": small.url}])
    page.goto(f"{small.url}/wall?n=4&c={','.join(small.cameras)}")
    expect(page.locator(f'[data-camera="{small.cameras[0]}"]')).to_have_attribute("data-state", "live")
    assert not [url for url in dialled if small.cameras[-1] in url]
    page.context.close()


def test_hls_is_played_by_a_real_client_that_has_a_session(small: Bench) -> None:
    cookie = small.cookies[0]
    with httpx2.Client(base_url=small.gateway, headers={"Cookie": cookie, "Origin": small.url}, timeout=20) as client:
        opened = client.post("/media/hls", json={"camera": small.cameras[0]}).json()
    address = f"{small.gateway}{opened['playlist']}"
    play = ["ffmpeg", "-v", "error", "-t", "4", "-i", address, "-f", "framecrc", "-"]
    played = subprocess.run(
        [*play[:3], "-headers", f"Cookie: {cookie}\r\n", *play[3:]], capture_output=True, check=True
    )
    pictures = [line for line in played.stdout.decode().splitlines() if line.startswith("0,")]
    assert len(pictures) >= 40
    assert not played.stderr, "nothing was torn"
    stranger = subprocess.run(play, capture_output=True, check=False)
    assert stranger.returncode != 0
    assert b"401" in stranger.stderr


def test_a_browser_without_media_source_plays_by_hls(small: Bench, chromium: Browser) -> None:
    """As an iPhone of before iOS 17.1, as far as a Chromium that plays HLS by itself can stand for one."""
    page = open_page(chromium, language="en")
    page.add_init_script("delete window.MediaSource; delete window.ManagedMediaSource")
    name, value = small.cookies[0].split("=", 1)
    page.context.add_cookies([{"name": name, "value": value, "url": small.url}])
    page.goto(f"{small.url}/wall?n=1&c={small.cameras[0]}")
    shown = page.locator(f'[data-camera="{small.cameras[0]}"]')
    expect(shown).to_have_attribute("data-way", "hls")
    if shown.evaluate("video => video.canPlayType('application/vnd.apple.mpegurl')"):
        expect(shown).to_have_attribute("data-state", "live", timeout=40_000)
    page.context.close()


def test_a_hand_over_the_timeline_sees_what_was_there(small: Bench, chromium: Browser) -> None:
    page = open_page(chromium, language="en")
    name, value = small.cookies[0].split("=", 1)
    page.context.add_cookies([{"name": name, "value": value, "url": small.url}])
    page.goto(f"{small.url}/playback?camera={small.cameras[0]}")
    page.get_by_text("1 min", exact=True).click()
    slider = page.get_by_role("slider")
    box = slider.bounding_box()
    assert box is not None
    stretch = page.locator("video[data-playing]")
    expect(stretch).to_be_visible()
    shown = page.locator("img[data-scrub]")
    for share in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6):
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + 45)
        page.wait_for_timeout(700)
        if shown.count():
            break
    expect(shown).to_be_visible()
    assert shown.evaluate("one => one.naturalWidth") == 240
    if os.environ.get("SHOT"):
        page.screenshot(path=os.environ["SHOT"])
    page.context.close()


@pytest.mark.parametrize("can_decode", [True, False])
def test_one_camera_alone_is_drawn_picture_by_picture_where_the_browser_can(
    small: Bench, chromium: Browser, can_decode: bool
) -> None:
    page = open_page(chromium, language="en")
    if not can_decode:
        page.add_init_script("VideoDecoder.prototype.configure = () => { throw new Error('none') }")
    name, value = small.cookies[0].split("=", 1)
    page.context.add_cookies([{"name": name, "value": value, "url": small.url}])
    page.goto(f"{small.url}/wall?n=1&large=0&c={small.cameras[0]}")
    shown = page.locator(f'[data-camera="{small.cameras[0]}"][data-way="{"webcodecs" if can_decode else "mse"}"]')
    expect(shown).to_have_attribute("data-state", "live")
    assert shown.evaluate("one => one.tagName") == ("CANVAS" if can_decode else "VIDEO")
    if can_decode:
        assert shown.get_attribute("data-stream") == "main"
        assert max(shown.evaluate(PIXELS)) > 40, "the picture is black"
    page.context.close()

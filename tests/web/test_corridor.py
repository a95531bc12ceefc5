"""Pictures in a real browser: sign in, see the city move, play back; the auditor sees every look.

Clips and what leads to them are walked in `test_walk.py`.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import keep_encoded
from tools.driving import Demo, Language, free_port_pair, open_page, wait_until

expect.set_options(timeout=60_000)
pytestmark = [pytest.mark.web, pytest.mark.slow, pytest.mark.timeout(600)]

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "start_shift": "Start shift",
        "watched": "Watched live",
        "played": "Watched a recording",
        "in_the_log": "In the log",
        "stalled": "Picture stalled",
    },
    "ur": {
        "start_shift": "ڈیوٹی شروع کریں",
        "watched": "براہِ راست مشاہدہ",
        "played": "ریکارڈنگ کا مشاہدہ",
        "in_the_log": "لاگ میں موجود",
        "stalled": "تصویر رک گئی ہے",
    },
}
# Mean of each quarter of the picture, read from a canvas: what a viewer sees, not what the element claims.
PIXELS = """video => {
  const canvas = document.createElement('canvas'); canvas.width = 64; canvas.height = 36;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(video, 0, 0, 64, 36);
  return [...context.getImageData(0, 0, 64, 36).data];
}"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, clips_dir: Path, encoded_clips: Path) -> Iterator[Demo]:
    data = keep_encoded(tmp_path_factory.mktemp("web") / "data", encoded_clips)
    running = Demo(data=data, port=free_port_pair(), cameras=16, clips=clips_dir)
    running.start()
    try:
        running.wait_live()
        yield running
    finally:
        running.destroy()


def sign_in(page: Page, demo: Demo, user: str, *, language: Language, path: str) -> None:
    """By name and password, as everywhere but in the demo."""
    page.goto(f"{demo.url}{path}?lang={language}")
    page.locator('[data-act="type"]').click()
    page.locator('input[name="username"]').fill(user)
    page.locator('input[name="password"]').fill(demo.password(user))
    page.locator('button[type="submit"]').click()
    expect(page.locator('input[name="password"]')).to_have_count(0)


def start_shift(page: Page, *, words: dict[str, str]) -> None:
    """Go on duty, unless this user still is from before."""
    shift = page.get_by_role("button", name=words["start_shift"])
    live = page.locator('video[data-state="live"]')
    wait_until(lambda: shift.count() or live.count(), within_s=20, reason="a shift to start, or a live tile")
    if shift.count():
        shift.first.click()


def difference(first: list[int], second: list[int]) -> int:
    return sum(1 for a, b in zip(first, second, strict=True) if abs(a - b) > 8)


def see_live_tiles_move(page: Page) -> None:
    live = page.locator('video[data-state="live"]')
    expect(live.first).to_be_visible()
    wait_until(lambda: live.count() >= 4, within_s=30, reason="four live tiles")
    before = [tile.evaluate(PIXELS) for tile in live.all()[:4]]
    assert any(max(pixels) > 40 for pixels in before), "the tiles are black"
    wait_until(
        lambda: max(difference(a, t.evaluate(PIXELS)) for a, t in zip(before, live.all()[:4], strict=True)) > 20,
        within_s=15,
        reason="a live tile moves",
    )


def play_back(page: Page, demo: Demo, camera: str, *, language: Language) -> None:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 30))
    page.goto(f"{demo.url}/playback?camera={camera}&at={at}&lang={language}")
    video = page.locator("video").first
    wait_until(lambda: video.evaluate("v => v.readyState >= 2 && v.videoWidth > 0"), within_s=20, reason="a picture")
    page.keyboard.press("Space")
    if video.evaluate("v => v.paused"):
        page.keyboard.press("Space")
    began = video.evaluate("v => v.currentTime")
    wait_until(lambda: video.evaluate("v => v.currentTime") > began + 1, within_s=15, reason="playback runs")


def auditor_sees(page: Page, demo: Demo, *, language: Language) -> None:
    words = WORDS[language]
    sign_in(page, demo, "auditor", language=language, path="/log")
    for phrase in ("watched", "played"):
        expect(page.get_by_text(words[phrase], exact=True).first).to_be_visible()
    page.locator("li button[aria-expanded]").first.click()
    expect(page.get_by_text(words["in_the_log"], exact=True).first).to_be_visible()


@pytest.mark.parametrize("language", ["en", "ur"])
def test_pictures_live_and_recorded(demo: Demo, chromium: Browser, language: Language) -> None:
    words = WORDS[language]
    page = open_page(chromium, language=language)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    foreign: list[str] = []
    page.on("request", lambda r: foreign.append(r.url) if "127.0.0.1" not in r.url and r.url[:4] == "http" else None)
    sign_in(page, demo, "investigator", language=language, path="/wall")
    assert page.evaluate("document.documentElement.dir") == ("rtl" if language == "ur" else "ltr")
    start_shift(page, words=words)
    see_live_tiles_move(page)
    camera = page.locator('video[data-state="live"]').first.get_attribute("data-camera")
    assert camera
    wait_until(lambda: float(str(demo.health()["recorded_s"])) > 45 * 16, within_s=90, reason="a minute is recorded")
    play_back(page, demo, camera, language=language)
    auditor_sees(open_page(chromium, language=language), demo, language=language)
    assert errors == []
    assert foreign == []


def test_a_stalled_camera_is_shown_as_stalled(demo: Demo, chromium: Browser) -> None:
    page = open_page(chromium, language="en")
    sign_in(page, demo, "operator", language="en", path="/wall")
    start_shift(page, words=WORDS["en"])
    tile = page.locator('video[data-state="live"]').first
    expect(tile).to_be_visible()
    camera = tile.get_attribute("data-camera")
    assert camera
    code = camera.removeprefix("cam_").upper()
    mounts = json.loads((demo.data / "secrets" / "virtual.json").read_bytes())
    command = [str(Path(sys.executable).with_name("safecity")), "virtual", "fault", code, "stall", "--for", "8"]
    subprocess.run([*command, "--control", str(mounts["control_port"])], check=True, capture_output=True)
    stalled = page.locator(f'video[data-camera="{camera}"]')
    expect(stalled).to_have_attribute("data-state", "stalled", timeout=6000)
    expect(page.get_by_text(WORDS["en"]["stalled"]).first).to_be_visible()
    expect(stalled).to_have_attribute("data-state", "live", timeout=30_000)


def test_nobody_sees_pictures_without_a_shift(demo: Demo, chromium: Browser) -> None:
    page = open_page(chromium, language="en")
    sign_in(page, demo, "dispatcher", language="en", path="/wall")
    expect(page.locator('video[data-state="denied"]').first).to_be_attached()
    assert page.locator('video[data-state="live"]').count() == 0

"""A picture of every page in English and Urdu, on a desk's screen and on a phone, into shots/.

Fails on text that is cut off or leaves the window and on contrast below WCAG 2.2 AA (`page_checks.js`). With `--keep`
the wall's picture for the README is renewed too.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tools.driving import Demo, Language, browser, free_port_pair, open_page

REPOSITORY = Path(__file__).parent.parent
SHOTS = REPOSITORY / "shots"
PICTURE = REPOSITORY / "docs" / "pictures" / "wall.png"
CHECKS = (Path(__file__).parent / "page_checks.js").read_text()
SIZES = {"desk": (1920, 1080), "phone": (390, 844)}
RECORD_S = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One page as one person sees it; `ready` is a selector that must be there first."""

    name: str
    user: str
    path: str
    ready: str
    settle_s: float = 1.5


SHOTS_TO_TAKE = (
    Shot(name="map", user="supervisor", path="/map", ready=".maplibregl-canvas", settle_s=5),
    Shot(name="wall", user="supervisor", path="/wall?tiles=9", ready='video[data-state="live"]', settle_s=4),
    Shot(name="playback", user="supervisor", path="/playback?camera={camera}&at={at}", ready="video", settle_s=4),
    Shot(name="health", user="supervisor", path="/health", ready="table", settle_s=4),
    Shot(name="log", user="auditor", path="/log", ready="li button[aria-expanded]"),
)


def sign_in(page: Page, demo: Demo, user: str, *, language: Language) -> None:
    """Sign in, and go on duty where that is the role's."""
    page.goto(f"{demo.url}/map?lang={language}")
    page.locator('input[name="username"]').fill(user)
    page.locator('input[name="password"]').fill(demo.password(user))
    page.locator('button[type="submit"]').click()
    expect(page.locator('input[name="password"]')).to_have_count(0)
    if user != "auditor":
        page.evaluate("fetch('/api/shift', { method: 'POST' })")


def look(page: Page, name: str) -> list[str]:
    """Take the picture; returns what is wrong with it."""
    page.screenshot(path=str(SHOTS / f"{name}.png"))
    return [f"{name}: {problem}" for problem in page.evaluate(CHECKS)]


def take(chromium: Browser, demo: Demo, *, language: Language, size: str) -> Iterator[str]:
    """Every page of one language and size; yields what is wrong."""
    width_px, height_px = SIZES[size]
    page = open_page(chromium, language=language, width_px=width_px, height_px=height_px)
    page.goto(f"{demo.url}/?lang={language}")
    expect(page.locator('input[name="password"]')).to_be_visible()
    yield from look(page, f"sign-in-{language}-{size}")
    page.context.close()
    for user in ("supervisor", "auditor"):
        page = open_page(chromium, language=language, width_px=width_px, height_px=height_px)
        sign_in(page, demo, user, language=language)
        cameras = page.evaluate("fetch('/api/cameras').then(answer => answer.json())")
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - RECORD_S / 2))
        for shot in (one for one in SHOTS_TO_TAKE if one.user == user):
            page.goto(f"{demo.url}{shot.path.format(camera=cameras[0]['id'], at=at)}")
            page.locator(shot.ready).first.wait_for(state="attached")
            time.sleep(shot.settle_s)
            print(f"{shot.name} {language} {size}", flush=True)
            yield from look(page, f"{shot.name}-{language}-{size}")
        page.context.close()


def main() -> int:
    """0 when every picture is as it should be."""
    shutil.rmtree(SHOTS, ignore_errors=True)
    SHOTS.mkdir()
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="safecity-shots-") as folder:
        demo = Demo(data=Path(folder) / "data", port=free_port_pair())
        demo.start()
        try:
            demo.wait_live()
            time.sleep(RECORD_S)
            with browser() as chromium:
                for language in ("en", "ur"):
                    for size in SIZES:
                        problems.extend(take(chromium, demo, language=language, size=size))
        finally:
            demo.destroy()
    if "--keep" in sys.argv:
        shutil.copy(SHOTS / "wall-en-desk.png", PICTURE)
    print("\n".join(problems) or "every page is as it should be")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

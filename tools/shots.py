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
    Shot(name="queue", user="supervisor", path="/queue", ready="[data-alert] img", settle_s=6),
    Shot(name="incidents", user="supervisor", path="/incidents", ready="[data-row]", settle_s=3),
    Shot(name="incident", user="supervisor", path="/incidents/{incident}", ready="[data-incident]", settle_s=8),
    Shot(name="cases", user="supervisor", path="/cases", ready="[data-row]"),
    Shot(name="case", user="supervisor", path="/cases/{case}", ready="[data-clip]", settle_s=4),
    Shot(name="map", user="supervisor", path="/map", ready=".maplibregl-canvas", settle_s=5),
    Shot(name="wall", user="supervisor", path="/wall", ready='video[data-state="live"]', settle_s=4),
    Shot(name="playback", user="supervisor", path="/playback?camera={camera}&at={at}", ready="video", settle_s=4),
    Shot(name="health", user="supervisor", path="/health", ready="table", settle_s=4),
    Shot(name="log", user="auditor", path="/log", ready="li button[aria-expanded]"),
)


# What happened before the pictures are taken: one alert became an incident with a unit on its way, another a case.
HAPPEN = """async () => {
  const get = async (path) => (await fetch('/api' + path)).json();
  const post = async (path, body) => {
    const answer = await fetch('/api' + path, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    const told = await answer.json();
    if (!answer.ok) throw new Error(path + ': ' + told.detail);
    return told;
  };
  const open = (await get('/alerts')).alerts;
  if (open.length === 0) return null;
  const alert = open[0];
  const confirmed = await post(`/alerts/${alert.id}/steps`, { step: 'confirm', version: alert.version });
  const told = await post(`/incidents/${confirmed.incident}/notes`, { text: 'Patrol asked to look from the north' });
  const report = { title: 'Shop alarm, Liaquat Bazaar', priority: 3, lon: 67.01, lat: 30.19, note: 'By phone' };
  const reported = await post('/incidents', report);
  const proposals = await get(`/incidents/${reported.incident.id}/proposals`);
  const sent = await post(`/incidents/${reported.incident.id}/assignments`, { unit: proposals[0].unit.id });
  await post(`/assignments/${sent.assignments[0].id}/steps`, { step: 'en_route' });
  const references = { fir_number: '214/26', police_station: 'City Thana' };
  const opened = await post('/cases', { incident: confirmed.incident, version: told.incident.version, ...references });
  return { incident: reported.incident.id, case: opened.case.id };
}"""
HAPPENS_WITHIN_S = 90.0


def come_in(page: Page, demo: Demo, role: str, *, language: Language) -> None:
    """Take the role's card at the door."""
    page.goto(f"{demo.url}/?lang={language}")
    page.locator(f'[data-role="{role}"]').click()
    expect(page.locator("[data-role]")).to_have_count(0)


def let_things_happen(chromium: Browser, demo: Demo) -> dict[str, str]:
    """Wait for the first alert and handle it; another one stays in the queue for its picture."""
    page = open_page(chromium, language="en")
    come_in(page, demo, "supervisor", language="en")
    deadline = time.monotonic() + HAPPENS_WITHIN_S
    while (happened := page.evaluate(HAPPEN)) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"no rule fired within {HAPPENS_WITHIN_S:.0f} s")
        time.sleep(1)
    while not page.evaluate("fetch('/api/alerts').then(a => a.json()).then(told => told.alerts.length)"):
        if time.monotonic() > deadline + HAPPENS_WITHIN_S:
            raise TimeoutError("the queue stayed empty")
        time.sleep(1)
    page.context.close()
    return happened


def look(page: Page, name: str) -> list[str]:
    """Take the picture; returns what is wrong with it."""
    page.screenshot(path=str(SHOTS / f"{name}.png"))
    return [f"{name}: {problem}" for problem in page.evaluate(CHECKS)]


def take(chromium: Browser, demo: Demo, *, language: Language, size: str, ids: dict[str, str]) -> Iterator[str]:
    """Every page of one language and size; yields what is wrong."""
    width_px, height_px = SIZES[size]
    page = open_page(chromium, language=language, width_px=width_px, height_px=height_px)
    page.goto(f"{demo.url}/?lang={language}")
    expect(page.locator('[data-role="operator"]')).to_be_visible()
    yield from look(page, f"sign-in-{language}-{size}")
    page.context.close()
    for user in ("supervisor", "auditor"):
        page = open_page(chromium, language=language, width_px=width_px, height_px=height_px)
        come_in(page, demo, user, language=language)
        cameras = page.evaluate("fetch('/api/cameras').then(answer => answer.json())")
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - RECORD_S / 2))
        for shot in (one for one in SHOTS_TO_TAKE if one.user == user):
            page.goto(f"{demo.url}{shot.path.format(camera=cameras[0]['id'], at=at, **ids)}")
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
                ids = let_things_happen(chromium, demo)
                for language in ("en", "ur"):
                    for size in SIZES:
                        problems.extend(take(chromium, demo, language=language, size=size, ids=ids))
        finally:
            demo.destroy()
    if "--keep" in sys.argv:
        shutil.copy(SHOTS / "wall-en-desk.png", PICTURE)
    print("\n".join(problems) or "every page is as it should be")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

"""From a rule that fires to a closed case with its verified clip, in a real browser: in English, in Urdu, by keyboard.

Each person of the walk has a browser of their own. After every step the page is loaded anew and must say the same.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.conftest import keep_encoded
from tests.web.walking import clip_is_whole, enter, make_street
from tools.driving import Demo, Language, free_port_pair, open_page, wait_until

expect.set_options(timeout=60_000)
pytestmark = [pytest.mark.web, pytest.mark.slow, pytest.mark.timeout(900)]

MOST_TABS = 120
FOCUS_IS_IN_DIALOG = "document.querySelector('[role=dialog]')?.contains(document.activeElement) ?? false"
IN_THE_LOG: dict[Language, str] = {"en": "In the log", "ur": "لاگ میں موجود"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, clips_dir: Path, encoded_clips: Path) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("walk")
    data = keep_encoded(folder / "data", encoded_clips)
    running = Demo(data=data, port=free_port_pair(), cameras=8, clips=make_street(folder, clips_dir))
    running.start()
    try:
        running.wait_live()
        yield running
    finally:
        running.destroy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Walker:
    """One person at a browser, who uses the mouse or nothing but keys."""

    page: Page
    demo: Demo
    language: Language
    by_keyboard: bool

    def go(self, path: str) -> None:
        """Open an address, as a bookmark would."""
        self.page.goto(f"{self.demo.url}{path}")

    def press(self, key: str, button: Locator) -> None:
        """Do one thing: by its key, or by its button."""
        expect(button).to_be_enabled()
        if self.by_keyboard:
            self.page.keyboard.press(key)
        else:
            button.click()

    def use(self, button: Locator) -> None:
        """Press what has no key of its own: Tab to it, or the mouse."""
        if not self.by_keyboard:
            button.click()
            return
        for _ in range(MOST_TABS):
            if button.evaluate("element => element === document.activeElement"):
                self.page.keyboard.press("Enter")
                return
            self.page.keyboard.press("Tab")
        pytest.fail(f"Tab never came to {button}")

    def rest(self) -> None:
        """Look at nothing: four people's live tiles on one machine take its processors from the one who works."""
        self.go("/api/health")

    def again(self, says: Callable[[], object]) -> None:
        """Load the page anew; it must say what it said."""
        before = says()
        self.page.reload()
        wait_until(lambda: says() == before, within_s=20, reason=f"the reloaded page says {before}")


def arrive(chromium: Browser, demo: Demo, role: str, *, language: Language, by_keyboard: bool) -> Walker:
    page = open_page(chromium, language=language)
    enter(page, demo.url, role, language=language, by_keyboard=by_keyboard)
    return Walker(page=page, demo=demo, language=language, by_keyboard=by_keyboard)


def attribute(page: Page, selector: str, name: str) -> Callable[[], str | None]:
    return lambda: page.locator(selector).first.get_attribute(name) if page.locator(selector).count() else None


def confirm_an_alert(operator: Walker) -> str:
    """Take the first alert that a rule brings, see its picture, confirm it; returns the incident's id."""
    page = operator.page
    operator.go("/queue")
    pane = page.locator("article[data-alert]")
    expect(pane).to_be_visible(timeout=60_000)
    picture = pane.locator("img, video").first
    expect(picture).to_be_visible()
    take = pane.locator('[data-act="acknowledge"]')
    operator.press("Enter", take)
    expect(pane).to_have_attribute("data-state", "acknowledged")
    alert = pane.get_attribute("data-alert")
    operator.again(attribute(page, f'article[data-alert="{alert}"]', "data-state"))
    operator.press("Enter", pane.locator('[data-act="confirm"]'))
    page.wait_for_url("**/incidents/*")
    shown = page.locator("[data-incident]")
    expect(shown).to_have_attribute("data-stage", "new")
    return shown.get_attribute("data-incident") or ""


def send_and_close(dispatcher: Walker, incident: str) -> str:
    """Send the nearest unit, hear how far it is, close into a case; returns the FIR number."""
    page = dispatcher.page
    dispatcher.go(f"/incidents/{incident}")
    stage = attribute(page, "[data-incident]", "data-stage")
    expect(page.locator("[data-incident]")).to_have_attribute("data-stage", "new")
    for reached in ("unit_sent", "en_route", "on_scene", "cleared"):
        dispatcher.press("Enter", page.locator('[data-act="next"][data-settled="true"]'))
        expect(page.locator("[data-incident]")).to_have_attribute("data-stage", reached)
        dispatcher.again(stage)
    dispatcher.press("Enter", page.locator('[data-act="next"][data-settled="true"]'))
    fir = page.locator('[data-field="fir"]')
    expect(fir).to_be_visible()
    number = f"{time.time_ns() // 1_000_000 % 1_000_000}/26"
    if dispatcher.by_keyboard:
        wait_until(lambda: page.evaluate(FOCUS_IS_IN_DIALOG), within_s=5, reason="the dialog takes the keys")
        for text in (number, "City Thana"):
            page.keyboard.press("Tab")
            page.keyboard.type(text)
        page.keyboard.press("Enter")
    else:
        fir.fill(number)
        page.locator('[data-field="station"]').fill("City Thana")
        page.locator('button[type="submit"][data-act="close"]').click()
    expect(page.locator("[data-incident]")).to_have_attribute("data-stage", "closed")
    dispatcher.again(stage)
    return number


def find_the_case(investigator: Walker, number: str) -> None:
    """Search for the FIR number, open the one case that has it."""
    page = investigator.page
    investigator.go("/cases")
    expect(page.locator("[data-row]").first).to_be_visible()
    if investigator.by_keyboard:
        page.keyboard.press("/")
        page.keyboard.type(number)
        expect(page.locator("[data-row]")).to_have_count(1)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
    else:
        page.locator('[data-field="search"]').fill(number)
        expect(page.locator("[data-row]")).to_have_count(1)
        page.locator("[data-row]").click()
    expect(page.locator(f'[data-fir="{number}"]')).to_be_visible()
    assert int(page.locator("[data-held]").first.get_attribute("data-held") or 0) > 0
    investigator.again(attribute(page, "[data-case]", "data-case"))


def play_and_take_the_clip(investigator: Walker, folder: Path) -> None:
    """Play the held clip, export it under the case, check its hash in the browser and outside."""
    page = investigator.page
    clip = page.locator("[data-clip]").first
    investigator.press("p", clip.locator('[data-act="play"]'))
    video = clip.locator("video").first
    wait_until(
        lambda: video.count() and video.evaluate("v => v.currentTime") > 0.5, within_s=30, reason="the clip plays"
    )
    # The clip reaches past its last fact: it can be taken out whole once that time has been recorded.
    investigator.press("e", clip.locator('[data-act="export"]'))
    shown = clip.locator("[data-sha256]")
    expect(shown).to_be_visible(timeout=60_000)
    investigator.use(clip.locator('[data-act="verify"]'))
    expect(clip.locator('[data-matches="true"]')).to_be_visible()
    files = []
    for part in ("clip", "sheet"):
        with page.expect_download() as waiting:
            investigator.use(clip.locator(f'a[data-download="{part}"]'))
        files.append(folder / waiting.value.suggested_filename)
        waiting.value.save_as(files[-1])
    assert hashlib.sha256(files[0].read_bytes()).hexdigest() == shown.get_attribute("data-sha256")
    assert clip_is_whole(*files)
    damaged = bytearray(files[0].read_bytes())
    damaged[len(damaged) // 2] ^= 1
    files[0].write_bytes(damaged)
    assert not clip_is_whole(*files)


def be_refused(operator: Walker) -> None:
    """What the role does not include is refused, and that is written down."""
    told = operator.page.evaluate("fetch('/api/cases').then(answer => answer.json())")
    assert told["status"] == 403
    assert told["detail"]


def auditor_sees_it_all(auditor: Walker) -> None:
    """Looks and refusals are in the log, each with its purpose; one is proved in the browser."""
    page = auditor.page
    told = page.evaluate("fetch('/api/log?limit=200').then(answer => answer.json())")
    leaves = told["leaves"]
    types = {leaf["type"] for leaf in leaves}
    assert {"view_live", "view_recordings", "export_clip", "refused", "handle_alerts", "dispatch_units"} <= types, types
    exports = [leaf["body"] for leaf in leaves if leaf["type"] == "export_clip"]
    assert {one["purpose"]["kind"] for one in exports} == {"case"}
    auditor.go("/log")
    row = page.locator("li button[aria-expanded]").first
    expect(row).to_be_visible()
    auditor.use(row)
    expect(page.get_by_text(IN_THE_LOG[auditor.language], exact=True).first).to_be_visible()


@pytest.mark.parametrize(
    ("language", "by_keyboard"),
    [("en", False), ("ur", False), ("en", True)],
    ids=["english", "urdu", "keyboard"],
)
def test_from_a_rule_to_a_closed_case(
    demo: Demo, chromium: Browser, tmp_path: Path, language: Language, by_keyboard: bool
) -> None:
    people: dict[str, Walker] = {}
    errors: list[str] = []
    foreign: list[str] = []
    for role in ("operator", "dispatcher", "investigator", "auditor"):
        people[role] = arrive(chromium, demo, role, language=language, by_keyboard=by_keyboard)
        page = people[role].page
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "request", lambda r: foreign.append(r.url) if r.url[:4] == "http" and "127.0.0.1" not in r.url else None
        )
        assert page.evaluate("document.documentElement.dir") == ("rtl" if language == "ur" else "ltr")
    incident = confirm_an_alert(people["operator"])
    people["operator"].rest()
    number = send_and_close(people["dispatcher"], incident)
    people["dispatcher"].rest()
    be_refused(people["operator"])
    people["operator"].rest()
    find_the_case(people["investigator"], number)
    play_and_take_the_clip(people["investigator"], tmp_path)
    auditor_sees_it_all(people["auditor"])
    assert errors == []
    assert foreign == []

"""A street of real clips with a rule, and the ways in which the people of the walk come in."""

import json
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, expect

from tools.driving import Language

# On the motorway everything that crosses the near carriageway asks for attention; the others only count.
SCENES: dict[str, dict[str, object]] = {
    "motorway": {
        "lines": [{"name": "near carriageway", "points": [[100, 330], [900, 330]]}],
        "rules": [
            {
                "kind": "line_crossing",
                "name": "closed-road",
                "title": "Vehicle on the closed road",
                "title_ur": "بند سڑک پر گاڑی",
                "line": "near carriageway",
                "priority": 2,
            }
        ],
    },
    "suburban_road_a": {"lines": [{"name": "road", "points": [[200, 210], [620, 210]]}]},
    "intel_car_detection": {"lines": [{"name": "middle", "points": [[0, 216], [767, 216]]}]},
    "junction_motorcycles_b": {"lines": [{"name": "stop line", "points": [[0, 260], [959, 260]]}]},
}
CARDS = ("operator", "dispatcher", "investigator", "supervisor", "auditor", "administrator")


def make_street(folder: Path, clips_dir: Path) -> Path:
    """Links to real clips with the scenes drawn on them."""
    street = folder / "clips"
    street.mkdir()
    for name, scene in SCENES.items():
        (street / f"{name}.mp4").symlink_to(clips_dir / f"{name}.mp4")
        (street / f"{name}.scene.json").write_text(json.dumps(scene))
    return street


def enter(page: Page, url: str, role: str, *, language: Language, by_keyboard: bool) -> None:
    """Come in by a card of the demo, without typing a name or a password."""
    page.goto(f"{url}/?lang={language}")
    card = page.locator(f'[data-role="{role}"]')
    expect(card).to_be_visible()
    if by_keyboard:
        page.keyboard.press(str(CARDS.index(role) + 1))
    else:
        card.click()
    expect(card).to_have_count(0)


def clip_is_whole(clip: Path, sheet: Path) -> bool:
    """What anybody can run, with nothing but the two files."""
    command = [str(Path(sys.executable).with_name("safecity")), "clip", "verify", str(clip), str(sheet)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0

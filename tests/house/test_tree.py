"""The tree is what DESIGN draws: rooms with a page each, the web's rooms named like them, locks without hosts."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.house.rules import BANNED_IDENTITY, PACKAGE, REPOSITORY

ROOMS = sorted(p.name for p in PACKAGE.iterdir() if p.is_dir() and p.name[0] not in "_.")
LOCKS = ("requirements.lock", "requirements-uv.lock", "web/package-lock.json", "web/.npmrc")


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_explains_itself(room: str) -> None:
    text = (PACKAGE / room / "README.md").read_text()
    assert len(text.split()) > 60, f"safecity/{room}/README.md says too little"


def test_the_web_has_the_same_rooms() -> None:
    assert {p.name for p in (REPOSITORY / "web/src/rooms").iterdir() if p.is_dir()} <= set(ROOMS)


def test_no_web_room_imports_another() -> None:
    wrong = [
        f"{path.relative_to(REPOSITORY)}: {found[0]}"
        for path in (REPOSITORY / "web/src/rooms").rglob("*.ts*")
        for found in re.finditer(r"from ['\"]\.\./\.\./rooms/|from ['\"]\.\./(?!\.\./)(\w+)/", path.read_text())
        if found[0].endswith("rooms/")
        or (found[1] in ROOMS and found[1] != path.relative_to(REPOSITORY / "web/src/rooms").parts[0])
    ]
    assert wrong == []


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_name_no_host(lock: str) -> None:
    text = (REPOSITORY / lock).read_text()
    if lock.endswith("package-lock.json"):
        packages = json.loads(text)["packages"].values()
        assert [item["resolved"] for item in packages if "resolved" in item] == []
        return
    assert re.findall(r"https?://\S+|--(?:extra-)?index-url|--find-links", text) == []


def test_the_python_lock_has_hashes() -> None:
    text = (REPOSITORY / "requirements.lock").read_text()
    assert len(re.findall(r"^\S+==", text, re.MULTILINE)) <= text.count("--hash=sha256:")


def test_nothing_about_recognising_people_exists() -> None:
    """No endpoint, model, table, route or file for a person's identity."""
    names = [
        str(path.relative_to(REPOSITORY)) for root in ("safecity", "web/src") for path in (REPOSITORY / root).rglob("*")
    ]
    assert [name for name in names if BANNED_IDENTITY.search(name)] == []
    reference = (REPOSITORY / "docs/reference.md").read_text()
    assert BANNED_IDENTITY.findall(reference) == []


def test_no_secret_and_no_build_is_tracked() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.split()
    wrong = [
        name for name in tracked if re.search(r"(^|/)(node_modules|\.venv|demo-data)/|\.(pem|key|mp4|onnx|db)$", name)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "page", ["README.md", "ARCHITECTURE.md", "GLOSSARY.md", "CONTRIBUTING.md", "CHANGELOG.md", "NOTICE"]
)
def test_links_in_the_pages_lead_somewhere(page: str) -> None:
    text = (REPOSITORY / page).read_text()
    links = [link.split("#")[0] for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text)]
    assert [link for link in links if link and not (Path(REPOSITORY) / link).exists()] == []

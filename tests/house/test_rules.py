"""The house keeps its own rules; each rule is broken once here to see it fail."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house import rules
from tests.house.rules import REPOSITORY, Breach


def test_the_house_keeps_its_rules() -> None:
    allowed = rules.exceptions()
    open_breaches = [b for b in rules.breaches() if b.place not in allowed.get(b.rule, {})]
    assert not open_breaches, "\n".join(f"{b.rule}: {b.place}: {b.what}" for b in open_breaches)


def test_no_exception_outlives_its_breach() -> None:
    found = {(b.rule, b.place) for b in rules.breaches()}
    stale = [
        (rule, place) for rule, places in rules.exceptions().items() for place in places if (rule, place) not in found
    ]
    assert not stale, f"these exceptions are no longer needed: {stale}"


LONG_FUNCTION = "def f():\n" + "    a = 1\n" * 51


@pytest.mark.parametrize(
    ("check", "place", "text", "rule"),
    [
        (rules.check_size, "a.py", "x = 1\n" * 402, "file-size"),
        (rules.check_size, "a.py", LONG_FUNCTION, "function-size"),
        (rules.check_size, "a.py", "def f(a, b, *, c, d, e, f, g): ...", "parameters"),
        (rules.check_size, "a.py", "def f(a, b, c): ...", "keyword-only"),
        (rules.check_size, "a.py", "def f(connection, a, b, c): ...", "keyword-only"),
        (rules.check_size, "a.py", "def _f(a, b, c, d, e): ...", "keyword-only"),
        (rules.check_names, "safecity/utils.py", "", "catch-all-name"),
        (rules.check_names, "safecity/video/stream_manager.py", "", "catch-all-name"),
        (rules.check_names, "a.py", "def face_recognition(): ...", "identity"),
        (rules.check_names, "a.py", "person_search = 1", "identity"),
        (rules.check_blind_except, "a.py", "try:\n    pass\nexcept Exception:\n    pass", "blind-except"),
        (rules.check_blind_except, "a.py", "try:\n    pass\nexcept:\n    pass", "blind-except"),
        (rules.check_docstrings, "a.py", "def f(): ...", "docstring"),
    ],
)
def test_each_rule_can_fail(check, place: str, text: str, rule: str) -> None:
    assert rule in {breach.rule for breach in check(place, text)}


def test_good_code_passes_every_rule() -> None:
    text = '"""A module."""\n\n\ndef area(width_m: float) -> float:\n    """The area in m^2."""\n    return 1.0\n'
    assert [breach for check in rules.CHECKS for breach in check("safecity/sites/model.py", text)] == []
    assert isinstance(Breach(rule="a", place="b", what="c"), Breach)


def _lint(cwd: Path) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(cwd)})


def _copy_house(target: Path) -> None:
    (target / "pyproject.toml").write_text((REPOSITORY / "pyproject.toml").read_text())
    for room in sorted(path for path in (REPOSITORY / "safecity").iterdir() if path.is_dir() and path.name[0] != "_"):
        (target / "safecity" / room.name).mkdir(parents=True)
        (target / "safecity" / room.name / "__init__.py").write_text("")
    (target / "safecity" / "__init__.py").write_text("")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("platform/wrong.py", "import safecity.video\n"),
        ("sites/wrong.py", "import safecity.api\n"),
        ("virtual/wrong.py", "import safecity.sites\n"),
        ("attic/__init__.py", "A = 1\n"),
    ],
)
def test_the_import_contract_can_fail(tmp_path: Path, file: str, text: str) -> None:
    _copy_house(tmp_path)
    assert _lint(tmp_path).returncode == 0
    (tmp_path / "safecity" / file).parent.mkdir(exist_ok=True)
    (tmp_path / "safecity" / file).write_text(text)
    assert _lint(tmp_path).returncode != 0


def test_the_import_contract_holds() -> None:
    done = _lint(REPOSITORY)
    assert done.returncode == 0, done.stdout


def test_the_contract_is_strict() -> None:
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert {"layers", "acyclic_siblings"} <= {contract["type"] for contract in contracts}
    assert next(c for c in contracts if c["type"] == "layers")["exhaustive"] is True
    assert not any("ignore_imports" in contract for contract in contracts)

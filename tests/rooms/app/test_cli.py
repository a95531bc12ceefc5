"""Whatever a person types wrong is answered in one sentence, never in a traceback."""

import sys
from pathlib import Path

import pytest

from safecity.app.cli import main

BAD_DATABASES = (
    "nonsense",
    "mysql://x/y",
    "postgresql+nodriver://x/y",
    "sqlite:///{folder}/rubbish",
    "sqlite:////proc/x",
)
DEMO = ("demo", "--data", "{folder}/demo")
WRONG = (
    (*DEMO, "--port", "70000"),
    (*DEMO, "--port", "65535"),
    (*DEMO, "--port", "-1"),
    (*DEMO, "--disk-gb", "0"),
    (*DEMO, "--disk-gb", "nan"),
    (*DEMO, "--disk-gb", "inf"),
    (*DEMO, "--cameras", "0"),
    (*DEMO, "--clips", "{folder}/none"),
    ("demo", "--data", "{folder}/rubbish", "--port", "{port}"),
    ("run", "--config", "{folder}/none.toml"),
    ("doctor", "--config", "{folder}/endless.toml"),
    ("doctor", "--config", "{folder}/mars.toml"),
    ("city", "import", "{folder}/none.csv"),
    ("city", "import", "{folder}/rubbish"),
    ("log", "root", "--data", "{folder}/none"),
    ("user", "disable", "nobody", "--data", "{folder}"),
)


def said(
    words: tuple[str, ...], folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> str:
    # The command line's logger would keep this test's standard error for all tests behind it.
    monkeypatch.setattr("safecity.app.cli.configure_logging", lambda **_: None)  # pyright: ignore[reportUnknownLambdaType]
    monkeypatch.setenv("SAFECITY_PLATFORM__DATA_DIR", str(folder / "data"))
    monkeypatch.setattr(sys, "argv", ["safecity", *(word.format(folder=folder, port=18_000) for word in words)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (1, 2)
    return capfd.readouterr().err


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rubbish").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "endless.toml").write_text("[video]\nretention_days = inf\n")
    (tmp_path / "mars.toml").write_text('[sites]\ntime_zone = "Mars/Olympus"\n')
    return tmp_path


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_a_wrong_word_is_answered_in_a_sentence(
    words: tuple[str, ...], folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = said(words, folder, monkeypatch, capfd)
    assert answer.strip()
    assert "Traceback" not in answer


@pytest.mark.parametrize("url", BAD_DATABASES)
def test_a_wrong_database_is_answered_in_a_sentence(
    url: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SAFECITY_PLATFORM__DATABASE_URL", url.format(folder=folder))
    assert said(("db", "upgrade"), folder, monkeypatch, capfd).strip()

"""`safecity city` as a clerk uses it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from safecity.platform.logs import configure_logging
from safecity.sites.commands import city_app
from safecity.virtual.quetta import virtual_quetta

GOOD = "kind,code,name,name_ur,lon,lat,site,main_url\nsite,S1,Chowk [red],چوک,67,30.2,,\ncamera,C1,=1+1,,,,S1,rtsp://u:Hunter2@10.0.0.1/m\n"
BAD = GOOD + "camera,C2,,,,,S9,rtsp://u:Hunter2@10.0.0.300/m\nsite,S3,[bold]x,,30.2,67,,\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    configure_logging(level="warning", role="cli")  # as the command line does: answers only on standard output
    monkeypatch.setenv("SAFECITY_PLATFORM__DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    Path("good.csv").write_text(GOOD, encoding="utf-8")
    Path("bad.csv").write_text(BAD, encoding="utf-8")
    yield CliRunner()
    structlog.reset_defaults()


def test_every_bad_row_is_named_and_nothing_is_imported(run: CliRunner) -> None:
    result = run.invoke(city_app, ["import", "bad.csv"])
    assert result.exit_code == 1
    assert "line 4: camera C2: name is missing" in result.stderr
    assert "line 4: camera C2: main_url has an IP address that is none" in result.stderr
    assert "line 5: site S3: lon 30.2 and lat 67 look swapped" in result.stderr
    assert "2 rows are bad of 4; nothing was imported" in result.stderr
    assert "Hunter2" not in result.output
    answer = run.invoke(city_app, ["import", "bad.csv", "--json"])
    assert answer.exit_code == 1
    said = json.loads(answer.stdout)
    assert (said["imported"], said["counts_in"]) == (False, "line")
    assert [row["number"] for row in said["bad_rows"]] == [4, 5]


def test_check_then_import_then_import_again(run: CliRunner) -> None:
    checked = json.loads(run.invoke(city_app, ["import", "good.csv", "--check", "--json"]).stdout)
    assert (checked["imported"], checked["tables"]["cameras"]["added"]) == (False, 1)
    first = run.invoke(city_app, ["import", "good.csv"])
    assert first.exit_code == 0, first.output
    assert "2 rows, none bad. All is imported." in first.stdout
    again = json.loads(run.invoke(city_app, ["import", "good.csv", "--json"]).stdout)
    assert again["tables"]["cameras"] == {"added": 0, "changed": 0, "unchanged": 1, "retired": 0}


def test_export_and_import_in_both_forms(run: CliRunner) -> None:
    Path("quetta.geojson").write_text(json.dumps(virtual_quetta(60, "rtsp://10.0.0.1", user="u", password="Hunter2")))
    assert run.invoke(city_app, ["import", "quetta.geojson"]).exit_code == 0
    for name in ("city.csv", "city.geojson"):
        assert "60 cameras written" in run.invoke(city_app, ["export", name]).stdout
        assert "Hunter2" not in Path(name).read_text(encoding="utf-8-sig")
        answer = json.loads(run.invoke(city_app, ["import", name, "--json", "--retire-missing"]).stdout)
        for counts in answer["tables"].values():
            assert counts["added"] == counts["changed"] == counts["retired"] == 0

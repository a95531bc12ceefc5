"""`safecity unit`: what it enters, what it refuses and how it names every bad row."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from safecity.dispatch.commands import unit_app
from safecity.dispatch.unit_csv import parse_units
from safecity.platform.errors import Invalid, Problem

HEADER = "code,kind,name,name_ur,lon,lat\n"
GOOD = (
    "code,kind,name,name_ur,lon,lat\nEAGLE-1,police,Eagle 1,ایگل ۱,67.01,30.19\nRESCUE-1,ambulance,Rescue,,67.0,30.2\n"
)


def run(tmp_path: Path, *words: str) -> str:
    result = CliRunner().invoke(unit_app, [*words, "--data", str(tmp_path)])
    if isinstance(result.exception, Problem):
        raise result.exception
    return result.output


def test_units_are_imported_listed_and_taken_off_duty(tmp_path: Path) -> None:
    (tmp_path / "units.csv").write_text(GOOD, encoding="utf-8-sig")
    assert "2 units, 2 of them new" in run(tmp_path, "import", str(tmp_path / "units.csv"))
    assert "2 units, 0 of them new" in run(tmp_path, "import", str(tmp_path / "units.csv"))
    run(tmp_path, "add", "FIRE-1", "--kind", "fire", "--name", "Fire 1", "--at", "67.0,30.1")
    run(tmp_path, "off-duty", "FIRE-1")
    listed = run(tmp_path, "list").splitlines()
    assert [line.split()[:3] for line in listed] == [
        ["EAGLE-1", "police", "free"],
        ["FIRE-1", "fire", "off_duty"],
        ["RESCUE-1", "ambulance", "free"],
    ]


def test_every_bad_row_is_named_with_its_line_and_nothing_is_imported(tmp_path: Path) -> None:
    bad = GOOD + "X Y,police,N,,67,30\nB-1,tank,,,67,95\neagle-1,police,Again,,67,30\nC-1,police,N\n"
    (tmp_path / "units.csv").write_text(bad, encoding="utf-8")
    said = run(tmp_path, "import", str(tmp_path / "units.csv"))
    for wanted in ("line 4: code", "line 5: kind", "line 5: name", "line 5: lon", "line 6: the code", "line 7: it has"):
        assert wanted in said
    assert "4 bad rows; nothing was imported" in said
    assert "There are no units" in run(tmp_path, "list")


def test_a_wrong_position_of_a_single_unit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="longitude first"):
        run(tmp_path, "add", "FIRE-1", "--kind", "fire", "--name", "Fire 1", "--at", "30.1")


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    for content in (text, HEADER + text):
        with suppress(Invalid):
            parse_units(content)

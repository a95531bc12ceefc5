"""The small things that every room stands on."""

import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.app.doctor import Grade, examine
from safecity.platform.clock import VirtualClock, from_us, parse_iso, to_iso, to_us
from safecity.platform.errors import DataLoss, Denied, Invalid, Kind, Problem
from safecity.platform.files import write_whole
from safecity.platform.geometry import LonLat, bearing_deg, distance_m
from safecity.platform.ids import fact_id, new_id
from safecity.platform.secrets import SecretBox, load_secret_box
from safecity.platform.settings import Settings, load_settings
from safecity.platform.sockets import socket_dir

instants = st.datetimes(
    min_value=datetime(1980, 1, 1),  # noqa: DTZ001 - hypothesis adds the time zone
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5))]),
)
positions = st.builds(LonLat, st.floats(-180, 180), st.floats(-89, 89))
CENTIMETRE_M = 0.01


@given(instants)
def test_instants_survive_microseconds_and_text(instant: datetime) -> None:
    assert from_us(to_us(instant)) == instant
    assert abs(parse_iso(to_iso(instant)) - instant) < timedelta(milliseconds=1)


def test_naive_times_are_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        to_us(datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"):
        parse_iso("2026-01-01T00:00:00")


def test_a_virtual_clock_steps_on_the_wall_only() -> None:
    clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
    clock.advance(5)
    clock.step_wall(-3600)
    assert clock.monotonic_s() == 5
    assert clock.now() == datetime(2025, 12, 31, 23, 0, 5, tzinfo=UTC)


def test_ids_rise_and_facts_follow_from_their_cause() -> None:
    made = [new_id("exp") for _ in range(2000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert fact_id("a", "bc") != fact_id("ab", "c")
    assert fact_id("camera", 7) == fact_id("camera", 7)


@given(positions, positions)
def test_distance_is_symmetric_and_bearing_in_range(a: LonLat, b: LonLat) -> None:
    assert distance_m(a, b) == pytest.approx(distance_m(b, a), abs=CENTIMETRE_M)
    assert 0 <= bearing_deg(a, b) < 360


def test_a_degree_of_latitude_and_north() -> None:
    assert distance_m(LonLat(67, 30), LonLat(67, 31)) == pytest.approx(111_195, abs=10)
    assert bearing_deg(LonLat(67, 30), LonLat(67, 31)) == pytest.approx(0)
    assert bearing_deg(LonLat(67, 30), LonLat(68, 30)) == pytest.approx(89.75, abs=0.1)


def test_a_swapped_position_is_no_position() -> None:
    with pytest.raises(ValueError, match="no position"):
        LonLat(30.0, 167.0)


def test_a_secret_is_bound_to_its_context_and_key() -> None:
    box = SecretBox(os.urandom(32))
    sealed = box.seal("pa55", context="cam_1")
    assert b"pa55" not in sealed
    assert box.seal("pa55", context="cam_1") != sealed
    assert box.open(sealed, context="cam_1") == "pa55"
    for wrong in (
        lambda: box.open(sealed, context="cam_2"),
        lambda: SecretBox(os.urandom(32)).open(sealed, context="cam_1"),
    ):
        with pytest.raises(DataLoss):
            wrong()


def test_the_key_file_is_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    sealed = load_secret_box(tmp_path).seal("x", context="c")
    assert load_secret_box(tmp_path).open(sealed, context="c") == "x"
    assert stat.S_IMODE((tmp_path / "secrets" / "key").stat().st_mode) == 0o600


def test_a_file_is_whole_or_old(tmp_path: Path) -> None:
    path = tmp_path / "a" / "file"
    write_whole(path, b"old")
    write_whole(path, b"new", mode=0o600)
    assert path.read_bytes() == b"new"
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_there_are_eight_kinds_each_with_its_class() -> None:
    assert {cls.kind for cls in Problem.__subclasses__()} == set(Kind)
    assert len(Kind) == 8
    assert Denied("no", code="a.b", x=1).facts == {"x": 1}


def test_settings_from_file_and_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "safecity.toml"
    file.write_text('[web]\nport = 9000\nhost = "127.0.0.2"\n[video]\nretention_days = 7\n')
    monkeypatch.setenv("SAFECITY_WEB__PORT", "9100")
    settings = load_settings(file)
    assert (settings.web.port, settings.web.host, settings.video.retention_days) == (9100, "127.0.0.2", 7)
    assert settings.web.gateway_origin() == "http://127.0.0.2:9101"
    assert Settings.model_validate_json(settings.model_dump_json()) == settings
    with pytest.raises(Exception, match="frozen"):
        settings.web.port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[web]\nport = 99999\n", "web.port"),
        ("[web]\nprot = 1\n", "web.prot"),
        ("[web", "TOML"),
        ("[weather]\na = 1\n", "weather"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "safecity.toml"
    file.write_text(text)
    with pytest.raises(Invalid, match=says):
        load_settings(file)


def test_a_missing_settings_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no settings file"):
        load_settings(tmp_path / "none.toml")


def test_the_default_binds_to_loopback() -> None:
    assert Settings().web.host == "127.0.0.1"


def test_the_doctor_looks_at_everything(tmp_path: Path) -> None:
    settings = Settings.model_validate({"platform": {"data_dir": tmp_path}})
    findings = list(examine(settings))
    checks = {finding.check for finding in findings}
    assert {"disk speed", "fsync", "port web", "clock", "codec h264", "models", "database"} <= checks
    assert all(finding.advice for finding in findings if finding.grade is not Grade.GOOD)
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_names_a_folder_that_cannot_be_written() -> None:
    settings = Settings.model_validate({"platform": {"data_dir": "/proc/safecity"}})
    bad = [finding for finding in examine(settings) if finding.grade is Grade.BAD]
    assert any("not writable" in finding.found or "no room" in finding.found for finding in bad)


def run(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).with_name("safecity")), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_a_problem_is_one_sentence_and_exit_code_one(tmp_path: Path) -> None:
    done = run("doctor", "--config", "none.toml", cwd=tmp_path)
    assert done.returncode == 1
    assert "no settings file" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("options", [["--cameras", "0"], ["--clips", "nowhere"]])
def test_the_demo_says_what_is_wrong_with_its_options(tmp_path: Path, options: list[str]) -> None:
    done = run("demo", *options, cwd=tmp_path)
    assert done.returncode == 1
    assert options[0] in done.stderr
    assert not (tmp_path / "demo-data" / "safecity.db").exists()


def test_sockets_of_a_deep_folder_get_a_short_name(tmp_path: Path) -> None:
    short = Path("/tmp/a/run")
    assert socket_dir(short) == short
    deep = tmp_path / ("d" * 120) / "run"
    found = socket_dir(deep)
    assert found == socket_dir(deep) != socket_dir(deep.parent)
    assert len(str(found)) < 60
    assert stat.S_IMODE(found.stat().st_mode) == 0o700
    found.chmod(0o755)
    with pytest.raises(Denied, match="open to others"):
        socket_dir(deep)
    found.rmdir()

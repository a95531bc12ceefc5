"""The plan of a city is arithmetic that anybody can check with pencil and paper."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.platform.errors import Invalid
from safecity.video.plan import NOTES, plan_city


def figures(cameras: int, *, mbit: float = 4.0, days: float = 30.0) -> dict[str, float]:
    return {line.key: line.value for line in plan_city(cameras, mbit=mbit, days=days).lines}


def test_the_plan_of_quetta_by_hand() -> None:
    found = figures(1400)
    assert found["storage_raw"] == pytest.approx(1814.4, rel=1e-3)
    assert found["disks_one_copy"] == math.ceil(1814.4 * 1.02 / 0.9 / 200) * 12 == 132
    assert found["disks_two_copies"] == 264
    assert found["network_in"] == pytest.approx(6.16)
    assert found["write_bandwidth"] == pytest.approx(714)
    assert found["cores_recording"] == pytest.approx(11.2)
    assert found["recorder_processes"] == 14
    assert found["database_rows"] == pytest.approx(60.48)
    assert found["power_loss_a_camera"] == pytest.approx(1.05)
    assert found["power_loss_total"] == pytest.approx(1470)


def test_each_line_is_there_once_with_its_formula() -> None:
    lines = plan_city(16, mbit=2.0, days=7.0).lines
    assert len({line.key for line in lines}) == len(lines)
    assert all(line.formula and line.unit and line.value >= 0 for line in lines)


def test_notes_name_what_nobody_measured() -> None:
    assert any("GPU" in note for note in NOTES)
    assert any("docs/measurements.md" in note for note in NOTES)
    assert any("assum" in note.lower() for note in NOTES)


@given(cameras=st.integers(1, 50_000), mbit=st.floats(0.1, 50), days=st.floats(0.5, 1800))
def test_more_of_anything_needs_no_less_of_everything(cameras: int, mbit: float, days: float) -> None:
    base = figures(cameras, mbit=mbit, days=days)
    for grown in (
        figures(cameras * 2, mbit=mbit, days=days),
        figures(cameras, mbit=mbit * 2, days=days),
        figures(cameras, mbit=mbit, days=days * 2),
    ):
        shrunk = [key for key in base if not key.startswith("driver_") and grown[key] < base[key]]
        assert shrunk == []


@pytest.mark.parametrize(
    ("cameras", "mbit", "days"), [(0, 4, 30), (1, 0, 30), (1, 4, 0), (1, 101, 1), (1, 4, math.nan)]
)
def test_what_is_no_city_is_refused(cameras: int, mbit: float, days: float) -> None:
    with pytest.raises(Invalid):
        plan_city(cameras, mbit=mbit, days=days)

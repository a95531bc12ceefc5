"""The demo's units drive straight, at one speed, and stop where they were sent."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.platform.geometry import LonLat, distance_m
from safecity.virtual.patrol import SETS_OFF_AFTER, SPEED_MPS, Drive, sets_off_at

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
positions = st.builds(LonLat, st.floats(66.9, 67.1), st.floats(30.1, 30.3))


@given(positions, positions, st.floats(-100, 2000))
def test_it_is_on_the_way_as_far_as_its_speed_takes_it(start: LonLat, target: LonLat, elapsed_s: float) -> None:
    drive = Drive(start=start, target=target, began_at=NOON)
    at = drive.position_at(NOON + timedelta(seconds=elapsed_s))
    length_m = distance_m(start, target)
    wanted_m = min(length_m, max(0.0, elapsed_s) * SPEED_MPS)
    assert distance_m(start, at) == pytest.approx(wanted_m, rel=0.002, abs=1.0)
    assert distance_m(start, at) + distance_m(at, target) == pytest.approx(length_m, rel=0.001, abs=1.0)


def test_it_sets_off_when_told_or_after_a_few_seconds() -> None:
    assert sets_off_at(sent_at=NOON, en_route_at=None) == NOON + SETS_OFF_AFTER
    soon, late = NOON + timedelta(seconds=1), NOON + timedelta(seconds=60)
    assert sets_off_at(sent_at=NOON, en_route_at=soon) == soon
    assert sets_off_at(sent_at=NOON, en_route_at=late) == NOON + SETS_OFF_AFTER

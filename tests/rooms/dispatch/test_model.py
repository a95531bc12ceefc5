"""Rules of dispatch: which step may follow, how far an incident has got, who is nearest, which fix is news."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.dispatch.model import (
    FIX_AHEAD_MOST,
    FIX_MOVED_M,
    NEXT,
    Assignment,
    AssignmentId,
    AssignmentState,
    Unit,
    UnitId,
    UnitKind,
    UnitStatus,
    check_step,
    count_active,
    has_ended,
    keeps_fix,
    nearest_free,
    stage_of,
    status_after,
)
from safecity.platform.errors import Conflict, Invalid
from safecity.platform.geometry import LonLat, distance_m

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RENEWED = timedelta(seconds=30)
HOME = LonLat(67.0, 30.19)
states = st.sampled_from(AssignmentState)
near_quetta = st.builds(LonLat, st.floats(66.9, 67.1), st.floats(30.1, 30.3))


def unit(code: str, position: LonLat = HOME, *, status: UnitStatus = UnitStatus.FREE, age_s: float = 0.0) -> Unit:
    return Unit(
        id=UnitId(f"unit_{code}"),
        code=code,
        kind=UnitKind.POLICE,
        name=code,
        name_ur="",
        position=position,
        fix_at=NOW - timedelta(seconds=age_s),
        status=status,
        incident=None,
        assignment=None,
        version=1,
    )


def assignment(state: AssignmentState) -> Assignment:
    return Assignment(
        id=AssignmentId("asg_1"),
        unit=UnitId("unit_a"),
        incident="inc_1",
        state=state,
        target=HOME,
        distance_m=1.0,
        sent_at=NOW,
        sent_by="u",
        sent_by_name="U",
    )


@given(st.lists(states, max_size=12))
def test_any_row_of_steps_ends_where_the_model_says(wanted: list[AssignmentState]) -> None:
    now = assignment(AssignmentState.SENT)
    passed = [now.state]
    for to in wanted:
        try:
            check_step(now, to)
        except Conflict:
            assert to not in NEXT[now.state]
            continue
        assert to in NEXT[now.state]
        now = replace(now, state=to)
        passed.append(to)
    order = list(AssignmentState)
    assert passed == sorted(set(passed), key=order.index), "no step is taken twice, none goes back"
    if AssignmentState.CLEARED in passed:
        assert AssignmentState.ON_SCENE in passed, "nobody is cleared who was not there"
    if AssignmentState.ON_SCENE in passed:
        assert AssignmentState.CANCELLED not in passed, "nobody is called back who is there"


@given(states)
def test_a_unit_is_free_again_when_its_assignment_has_ended_and_only_then(state: AssignmentState) -> None:
    assert (status_after(state) is UnitStatus.FREE) == has_ended(state)


@given(st.lists(states, max_size=8))
def test_the_stage_is_the_furthest_of_those_still_on_it(some: list[AssignmentState]) -> None:
    stage = stage_of(some)
    active = [state for state in some if not has_ended(state)]
    assert count_active(some) == len(active)
    if active:
        furthest = max(active, key=list(AssignmentState).index)
        assert stage == {"sent": "unit_sent"}.get(furthest.value, furthest.value)
    else:
        assert stage == ("cleared" if AssignmentState.CLEARED in some else "new")
    assert stage_of(reversed(some)) == stage


@given(st.lists(st.tuples(near_quetta, st.sampled_from(UnitStatus), st.floats(0, 5000)), max_size=20), near_quetta)
def test_the_nearest_free_come_first_and_old_fixes_are_flagged(
    some: list[tuple[LonLat, UnitStatus, float]], to: LonLat
) -> None:
    units = [unit(f"{n:02d}", at, status=status, age_s=age_s) for n, (at, status, age_s) in enumerate(some)]
    found = nearest_free(units, to=to, now=NOW, stale_after_s=600.0, limit=5)
    free = [one for one in units if one.status is UnitStatus.FREE]
    assert len(found) == min(5, len(free))
    distances = [one.distance_m for one in found]
    assert distances == sorted(distances)
    left = {one.id for one in free} - {one.unit.id for one in found}
    assert all(distance_m(to, one.position) >= distances[-1] for one in free if one.id in left)
    assert all(one.is_stale == (one.fix_age_s > 600.0) for one in found)
    assert all(0 <= one.bearing_deg < 360 for one in found)


def test_a_fix_from_the_future_or_the_past_is_refused() -> None:
    known = unit("a", age_s=10)
    with pytest.raises(Invalid, match="clock"):
        keeps_fix(known, HOME, at=NOW + FIX_AHEAD_MOST * 2, now=NOW, renewed_after=RENEWED)
    with pytest.raises(Conflict, match="newer"):
        keeps_fix(known, HOME, at=NOW - timedelta(seconds=11), now=NOW, renewed_after=RENEWED)


@given(near_quetta, st.floats(0, 120))
def test_a_fix_is_news_when_the_unit_moved_or_the_old_one_ages(at: LonLat, age_s: float) -> None:
    known = unit("a", age_s=age_s)
    kept = keeps_fix(known, at, at=NOW, now=NOW, renewed_after=RENEWED)
    moved = distance_m(HOME, at) >= FIX_MOVED_M
    elapsed = NOW - known.fix_at
    assert kept == (elapsed >= timedelta(seconds=1) and (moved or elapsed >= RENEWED))

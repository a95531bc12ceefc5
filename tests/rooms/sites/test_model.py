"""What may be said of a camera: never live from hope."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.platform.errors import Invalid
from safecity.sites.model import (
    CLOCK_SLACK,
    REPORT_LONGEST,
    CameraState,
    Cause,
    StateReport,
    camera_id,
    effective_state,
    is_superseded,
)

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECONDS = st.floats(-3600, 3600).map(lambda s: timedelta(seconds=s))
TERMS = st.floats(0.001, REPORT_LONGEST.total_seconds()).map(lambda s: timedelta(seconds=s))


@st.composite
def reports(draw: st.DrawFn) -> StateReport:
    """Any report that a recorder may make."""
    state = draw(st.sampled_from([CameraState.LIVE, CameraState.STALLED, CameraState.OFFLINE]))
    is_live = state is CameraState.LIVE
    reported_at = START + draw(SECONDS)
    return StateReport(
        camera=camera_id("C-1"),
        state=state,
        since=reported_at - timedelta(seconds=draw(st.floats(0, 9999))),
        cause=None if is_live else draw(st.sampled_from(Cause)),
        reported_by=draw(st.sampled_from(["recorder-1", "recorder-2"])),
        reported_at=reported_at,
        valid_until=reported_at + draw(TERMS),
        last_frame_at=reported_at if is_live else None,
    )


@given(reports(), SECONDS)
def test_a_report_counts_only_while_it_stands(report: StateReport, passed: timedelta) -> None:
    now = START + passed
    said = effective_state(report, now=now)
    stands = report.reported_at - CLOCK_SLACK <= now < report.valid_until
    if stands:
        assert (said.state, said.since, said.cause) == (report.state, report.since, report.cause)
    else:
        assert (said.state, said.cause) == (CameraState.UNKNOWN, Cause.RECORDER)
    if now >= report.valid_until:
        assert said.since == report.valid_until


@given(reports(), SECONDS)
def test_live_is_never_said_long_after_the_last_report(report: StateReport, passed: timedelta) -> None:
    now = START + passed
    if effective_state(report, now=now).state is CameraState.LIVE:
        assert now - report.reported_at <= REPORT_LONGEST


def test_without_any_report_nothing_is_known() -> None:
    said = effective_state(None, now=START)
    assert (said.state, said.since, said.cause) == (CameraState.UNKNOWN, None, Cause.RECORDER)


@given(reports(), reports())
def test_of_two_recorders_the_later_word_counts_while_both_stand(one: StateReport, other: StateReport) -> None:
    now = max(one.reported_at, other.reported_at)
    counts = is_superseded(one, other, now=now)
    if one.reported_by == other.reported_by or other.reported_at >= one.reported_at:
        assert counts
    elif effective_state(one, now=now).state is not CameraState.UNKNOWN:
        assert not counts
    else:
        assert counts


@pytest.mark.parametrize("term_s", [-1.0, 0.0, REPORT_LONGEST.total_seconds() + 1])
def test_a_report_cannot_stand_forever_or_backwards(term_s: float) -> None:
    with pytest.raises(Invalid, match="at most 60 s"):
        StateReport(
            camera=camera_id("C-1"),
            state=CameraState.OFFLINE,
            since=START,
            cause=Cause.LINK,
            reported_by="recorder-1",
            reported_at=START,
            valid_until=START + timedelta(seconds=term_s),
        )


@pytest.mark.parametrize(("cause", "last_frame_at"), [(Cause.LINK, START), (None, None)])
def test_a_live_report_has_a_frame_and_no_cause(cause: Cause | None, last_frame_at: datetime | None) -> None:
    with pytest.raises(Invalid, match="last frame"):
        StateReport(
            camera=camera_id("C-1"),
            state=CameraState.LIVE,
            since=START,
            cause=cause,
            reported_by="recorder-1",
            reported_at=START,
            valid_until=START + timedelta(seconds=10),
            last_frame_at=last_frame_at,
        )

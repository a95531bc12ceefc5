"""The rules of time, held to docs/design/time.md."""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.platform.clock import to_us
from safecity.sites.model import CameraId
from safecity.video.access_unit import TICKS_PER_S, AccessUnit, pack_meta, unpack_access_unit
from safecity.video.model import (
    Cause,
    Missing,
    Outage,
    Segment,
    SegmentState,
    Span,
    Stream,
    explain,
    gaps_between,
    instant_of,
    line_us,
    ticks_of,
)
from safecity.video.timeline import (
    CATCH_UP_PPB,
    MAX_SLEW_PPB,
    SERVER_STEP_US,
    LineStart,
    ReorderedTicks,
    ServerLine,
    SessionLine,
    TickCounter,
    is_hole,
    rate_for,
    unwrap,
)

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FRAME = TICKS_PER_S // 15


# --- The server's line ---------------------------------------------------------------------------------------------


@given(
    drift_ppm=st.floats(min_value=-450, max_value=450), seconds=st.lists(st.floats(0.1, 10.0), min_size=1, max_size=60)
)
def test_the_line_follows_a_drifting_wall_clock_without_a_step(drift_ppm: float, seconds: list[float]) -> None:
    line = ServerLine(START, 100.0)
    elapsed, last = 0.0, line.instant_us(100.0)
    for one in seconds:
        elapsed += one
        wall = START + timedelta(seconds=elapsed * (1 + drift_ppm / 1e6))
        assert line.discipline(wall, 100.0 + elapsed) == 0
        now = line.instant_us(100.0 + elapsed)
        assert now > last
        assert abs(now - to_us(wall)) <= 1 + elapsed * 1e6 * 1e-6
        last = now


@given(step_s=st.floats(min_value=-4000, max_value=4000))
def test_only_a_large_difference_is_a_step(step_s: float) -> None:
    line = ServerLine(START, 0.0)
    stepped = line.discipline(START + timedelta(seconds=10 + step_s), 10.0)
    if abs(step_s) * 1e6 > SERVER_STEP_US + 1:
        assert abs(stepped - step_s * 1e6) <= 1
        assert abs(line.instant_us(10.0) - to_us(START) - (10 + step_s) * 1e6) <= 1
    elif abs(step_s) * 1e6 < SERVER_STEP_US - 1:
        assert stepped == 0
        assert abs(line.instant_us(10.0) - to_us(START) - 10e6) <= 10 * 500


# --- Media ticks ---------------------------------------------------------------------------------------------------


@given(start=st.integers(0, 2**32 - 1), steps=st.lists(st.integers(1, 2**31 - 1), max_size=50))
def test_unwrapping_undoes_the_wrap_of_32_bits(start: int, steps: list[int]) -> None:
    true = at = start
    for step in steps:
        true += step
        at = unwrap(at, true % 2**32, bits=32)
        assert at == true


@dataclass
class Feed:
    """Pictures as a camera sends them: its own time, and when they arrive."""

    counter: TickCounter = field(default_factory=TickCounter)
    now_s: float = 1000.0
    raw: int = 123_456
    ticks: list[int] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    jumps: int = 0

    def send(self, frames: int, *, rate: float = 1.0) -> None:
        """So many pictures in step with our time, the camera's clock running at `rate`."""
        for _ in range(frames):
            self.now_s += 1 / 15
            self.raw += round(FRAME * rate)
            self.deliver()

    def deliver(self, *, raw: int | None = -1) -> None:
        tick = self.counter.place(self.raw if raw == -1 else raw, self.now_s)
        self.ticks.append(tick.ticks)
        self.arrivals.append(self.now_s)
        self.jumps += tick.has_jumped

    def assert_sound(self, *, within_s: float) -> None:
        """Strictly rising, and over the whole as long as it took to arrive."""
        assert all(b > a for a, b in zip(self.ticks, self.ticks[1:], strict=False))
        length_s = (self.ticks[-1] - self.ticks[0]) / TICKS_PER_S
        assert abs(length_s - (self.arrivals[-1] - self.arrivals[0])) <= within_s


@given(jumps=st.lists(st.tuples(st.integers(1, 60), st.integers(-(2**33), 2**33)), min_size=1, max_size=6))
def test_a_jump_of_the_cameras_clock_costs_no_time_and_makes_none(jumps: list[tuple[int, int]]) -> None:
    feed = Feed()
    feed.send(30)
    for frames, by in jumps:
        feed.raw += by
        feed.send(frames)
    # A jump of less than the bounds is taken for the camera's word; each may move the line by so much.
    feed.assert_sound(within_s=1.2 * len(jumps))
    assert feed.jumps <= len(jumps)


@pytest.mark.parametrize("by_s", [-3600, -5, -1.2, 0.7, 5, 86_400])
def test_a_clear_jump_is_told_once(by_s: float) -> None:
    feed = Feed()
    feed.send(60)
    feed.raw += round(by_s * TICKS_PER_S)
    feed.send(60)
    assert feed.jumps == 1
    feed.assert_sound(within_s=0.1)


def test_duplicates_and_missing_times_rise_all_the_same() -> None:
    feed = Feed()
    feed.deliver(raw=None)
    feed.send(3)
    feed.deliver()
    feed.deliver()
    feed.raw -= 100
    feed.deliver()
    feed.send(20)
    feed.assert_sound(within_s=0.1)
    assert feed.counter.repaired == 3
    assert feed.jumps == 0


def test_a_blocked_link_that_delivers_late_makes_no_hole() -> None:
    feed = Feed()
    feed.send(60)
    feed.now_s += 6.0
    for _ in range(90):
        feed.raw += FRAME
        feed.now_s += 0.001
        feed.deliver()
    feed.now_s += 0.01
    feed.send(60)
    assert feed.jumps == 0
    steps = [b - a for a, b in zip(feed.ticks, feed.ticks[1:], strict=False)]
    assert max(steps) == FRAME


def test_a_camera_that_stands_still_with_its_clock_leaves_a_hole_of_the_right_size() -> None:
    feed = Feed()
    feed.send(60)
    feed.now_s += 20.0
    feed.send(120)
    assert feed.jumps == 1
    holes = [b - a for a, b in zip(feed.ticks, feed.ticks[1:], strict=False) if is_hole(b - a, FRAME)]
    assert len(holes) == 1
    assert abs(holes[0] / TICKS_PER_S - 20) < 0.2
    feed.assert_sound(within_s=0.2)


def test_a_silence_that_the_ticks_show_is_a_hole_without_a_jump() -> None:
    feed = Feed()
    feed.send(60)
    feed.now_s += 20.0
    feed.raw += 20 * TICKS_PER_S
    feed.send(60)
    assert feed.jumps == 0
    assert max(b - a for a, b in zip(feed.ticks, feed.ticks[1:], strict=False)) == FRAME + 20 * TICKS_PER_S


def test_b_frames_get_rising_decode_times_close_to_display() -> None:
    # Display order 0 3 1 2 6 4 5 ... as a stream with two B-frames sends it, a key frame each 12.
    shown = [0] + [3 * group + step for group in range(40) for step in (3, 1, 2)]
    decoder = ReorderedTicks()
    placed = [decoder.decode_ticks(n * FRAME, interval_ticks=FRAME, is_key=n % 12 == 0) for n in shown]
    assert all(b > a for a, b in itertools.pairwise(placed))
    assert all(abs(decode - n * FRAME) <= 4 * FRAME for decode, n in zip(placed, shown, strict=True))


# --- From ticks to the line ----------------------------------------------------------------------------------------


def _segments(line: SessionLine, drift_ppm: float, jitter_us: list[int], minutes: int) -> list[tuple[LineStart, int]]:
    """Segments of 60 s of a camera whose clock runs wrong, seen through a delay; each with its length in ticks."""
    found: list[tuple[LineStart, int]] = []
    begin_us, ticks, last_start = to_us(START), 0, 0
    start: LineStart | None = None
    for second in range(minutes * 60):
        ticks = second * TICKS_PER_S
        true_us = begin_us + round(second * 1e6 * (1 + drift_ppm / 1e6))
        line.observe(ticks, true_us + jitter_us[second % len(jitter_us)])
        if start is None:
            start = line.start(ticks, not_before_us=None)
        elif ticks - last_start >= 60 * TICKS_PER_S:
            length = ticks - last_start
            found.append((start, length))
            start, last_start = line.go_on(ticks, end_us=start.instant_us(length)), ticks
    return found


@settings(max_examples=40, deadline=None)
@given(
    drift_ppm=st.floats(-500, 500),
    jitter_us=st.lists(st.integers(0, 5_000_000), min_size=1, max_size=20).map(lambda late: [0, *late]),
)
def test_segments_of_a_drifting_camera_touch_and_stay_within_the_stated_error(
    drift_ppm: float, jitter_us: list[int]
) -> None:
    found = _segments(SessionLine(), drift_ppm, jitter_us, minutes=20)
    for index, ((start, length), (following, _)) in enumerate(itertools.pairwise(found)):
        assert start.instant_us(length) == following.start_us
        assert abs(start.rate_ppb) <= MAX_SLEW_PPB
        true_us = to_us(START) + round((index + 1) * 60e6 * (1 + drift_ppm / 1e6))
        assert abs(following.start_us - true_us) <= 100_000


@settings(max_examples=25, deadline=None)
@given(drift_ppm=st.floats(-100_000, 100_000))
def test_a_clock_that_is_plainly_wrong_is_followed_within_bounds(drift_ppm: float) -> None:
    found = _segments(SessionLine(), drift_ppm, [0], minutes=30)
    for index, ((start, length), (following, _)) in enumerate(itertools.pairwise(found)):
        assert start.instant_us(length) == following.start_us
        assert abs(start.rate_ppb) <= CATCH_UP_PPB
        true_us = to_us(START) + round((index + 1) * 60e6 * (1 + drift_ppm / 1e6))
        assert abs(following.start_us - true_us) <= 6_000_000 + 12_100_000


@given(behind_us=st.integers(0, 3_600_000_000))
def test_recording_goes_on_behind_what_exists_and_catches_up_at_a_tenth(behind_us: int) -> None:
    line = SessionLine()
    end = to_us(START) + behind_us
    line.observe(0, to_us(START))
    start = line.start(0, not_before_us=end)
    assert (start.start_us, start.error_us) == (end, behind_us)
    assert -CATCH_UP_PPB <= start.rate_ppb <= 0
    assert behind_us < 300_000_000 or start.rate_ppb == -CATCH_UP_PPB


@given(error_us=st.integers(-(10**13), 10**13))
def test_the_rate_always_turns_against_the_error(error_us: int) -> None:
    rate = rate_for(error_us)
    assert abs(rate) <= CATCH_UP_PPB
    assert rate * error_us <= 0
    assert line_us(TICKS_PER_S, rate) > 0


# --- The timeline --------------------------------------------------------------------------------------------------


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def segment(from_s: float, to_s: float, *, rate_ppb: int = 0, state: SegmentState = SegmentState.CLOSED) -> Segment:
    return Segment(
        camera=CameraId("cam_a"),
        stream=Stream.MAIN,
        started_at=at(from_s),
        durable_until=at(to_s),
        state=state,
        path="",
        session="",
        size_bytes=1,
        fragments=1,
        codec="h264",
        codec_string="",
        width_px=1,
        height_px=1,
        rate_ppb=rate_ppb,
        line_error_us=0,
        camera_offset_us=None,
        root=None,
        previous_root=None,
        is_held=False,
        writer="",
    )


@given(ticks=st.integers(0, 10**9), rate_ppb=st.integers(-CATCH_UP_PPB, CATCH_UP_PPB))
def test_ticks_and_instants_are_each_others_reverse_within_a_tick(ticks: int, rate_ppb: int) -> None:
    one = segment(0, 60, rate_ppb=rate_ppb)
    assert abs(ticks_of(one, instant_of(one, ticks)) - ticks) <= 1


bounds = st.lists(st.integers(0, 1000), min_size=2, max_size=16, unique=True).map(sorted)


@given(cuts=bounds, outage_cuts=bounds, window=st.tuples(st.integers(0, 1000), st.integers(1, 500)))
def test_recorded_and_missing_cover_an_interval_exactly_once(
    cuts: list[int], outage_cuts: list[int], window: tuple[int, int]
) -> None:
    segments = [segment(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    outages = [
        Outage(
            id=str(a),
            camera=CameraId("cam_a"),
            stream=Stream.MAIN,
            from_at=at(a),
            to_at=at(b),
            cause=Cause.LINK,
            detail="x",
        )
        for a, b in zip(outage_cuts[::2], outage_cuts[1::2], strict=False)
    ]
    from_at, to_at = at(window[0]), at(window[0] + window[1])
    found = explain(segments, outages, from_at=from_at, to_at=to_at, now=at(5000), known_from=at(0))
    pieces = sorted([*found.recorded, *found.missing], key=lambda one: one.from_at)
    assert pieces[0].from_at == from_at
    assert pieces[-1].to_at == to_at
    assert all(a.to_at == b.from_at for a, b in itertools.pairwise(pieces))
    for piece in found.missing:
        middle = piece.from_at + (piece.to_at - piece.from_at) / 2
        explained = any(one.from_at <= middle and one.to_at is not None and middle <= one.to_at for one in outages)
        assert explained or piece.cause is not Cause.LINK
    assert not gaps_between(found.recorded, from_at=from_at, to_at=to_at) or found.missing


def test_the_newest_seconds_of_a_growing_recording_are_not_called_missing() -> None:
    growing = segment(0, 57, state=SegmentState.OPEN)
    found = explain([growing], [], from_at=at(0), to_at=at(100), now=at(60), known_from=at(0))
    assert (found.recorded, found.missing) == ((Span(from_at=at(0), to_at=at(57)),), ())
    assert found.settled_until == at(57)
    later = explain([growing], [], from_at=at(0), to_at=at(100), now=at(70), known_from=at(0))
    assert later.missing == (Missing(from_at=at(57), to_at=at(70), cause=Cause.RECORDER),)


@given(
    data=st.binary(max_size=50),
    ticks=st.integers(0, 2**60),
    offset=st.integers(-(2**31), 2**31 - 1),
    key=st.booleans(),
    captured=st.none() | st.integers(0, 2**50),
)
def test_an_access_unit_survives_the_wire(
    data: bytes, ticks: int, offset: int, key: bool, captured: int | None
) -> None:
    unit = AccessUnit(
        data=data,
        media_ticks=ticks,
        composition_offset_ticks=offset,
        is_key=key,
        captured_us=captured,
        received_us=to_us(START),
        received_s=12.5,
        sequence=7,
    )
    assert unpack_access_unit(pack_meta(unit), data) == unit

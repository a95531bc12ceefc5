"""Rules of cases: references, numbers, what is held."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.cases.model import (
    CLIP_MARGIN,
    REFERENCE_LONGEST,
    Clip,
    clips_of,
    find_clip,
    next_number,
    read_references,
)
from safecity.platform.errors import Invalid

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
instants = st.integers(0, 3_600_000_000).map(lambda us: NOON + timedelta(microseconds=us))
shown = st.builds(
    lambda camera, at, length_s: Clip(camera=camera, from_at=at, to_at=at + timedelta(seconds=length_s)),
    st.sampled_from(["cam_a", "cam_b"]),
    instants,
    st.floats(0.1, 600),
)


@given(st.lists(shown, max_size=12))
def test_everything_shown_is_held_with_its_margin_and_nothing_twice(alerts: list[Clip]) -> None:
    clips = clips_of(alerts)
    for one in alerts:
        wide = (one.from_at - CLIP_MARGIN, one.to_at + CLIP_MARGIN)
        assert find_clip(clips, camera=one.camera, from_at=wide[0], to_at=wide[1]) is not None
    for camera in ("cam_a", "cam_b"):
        mine = [one for one in clips if one.camera == camera]
        assert all(one.to_at < two.from_at for one, two in pairwise(mine))
        assert all(one.from_at.microsecond == one.to_at.microsecond == 0 for one in mine)
    first = {one.camera: min(two.from_at for two in alerts if two.camera == one.camera) for one in alerts}
    for camera, at in first.items():
        start = min(one.from_at for one in clips if one.camera == camera)
        assert timedelta(0) <= at - CLIP_MARGIN - start < timedelta(seconds=1), "no more than needed"


def test_a_part_of_a_clip_is_in_it_and_what_reaches_out_is_not() -> None:
    [clip] = clips_of([Clip(camera="cam_a", from_at=NOON, to_at=NOON + timedelta(seconds=10))])
    assert find_clip([clip], camera="cam_a", from_at=clip.from_at, to_at=clip.to_at) == clip
    assert find_clip([clip], camera="cam_b", from_at=clip.from_at, to_at=clip.to_at) is None
    late = clip.to_at + timedelta(microseconds=1)
    assert find_clip([clip], camera="cam_a", from_at=clip.from_at, to_at=late) is None


@pytest.mark.parametrize(
    ("one", "two"), [("123/26", " 123 / 26 "), ("FIR 12-2026", "fir 12-2026"), ("123/26", "۱۲۳/۲۶")]
)
def test_two_ways_of_writing_a_number_are_the_same(one: str, two: str) -> None:
    assert read_references(one, "City").key == read_references(two, "CITY").key


def test_other_stations_and_numbers_are_others() -> None:
    keys = {
        read_references(number, station).key
        for number, station in (("123/26", "City"), ("12/326", "City"), ("123/26", "Saddar"), ("3/26", "City 12"))
    }
    assert len(keys) == 4


@given(st.text(max_size=90))
def test_references_are_kept_trimmed_or_refused_in_a_sentence(text: str) -> None:
    try:
        kept = read_references(text, "City").fir_number
    except Invalid:
        return
    assert kept == " ".join(text.split())
    assert 0 < len(kept) <= REFERENCE_LONGEST
    assert "\x00" not in kept


@given(st.integers(1, 999_998), st.integers(2026, 2099))
def test_numbers_run_through_the_year(running: int, year: int) -> None:
    assert next_number(None, year=year) == f"C-{year}-000001"
    assert next_number(f"C-{year}-{running:06d}", year=year) == f"C-{year}-{running + 1:06d}"
    assert f"C-{year}-{running:06d}" < f"C-{year}-{running + 1:06d}", "so that the highest text is the last number"

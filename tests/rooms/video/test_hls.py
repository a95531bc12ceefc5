"""Live as HLS: what players are told fits what they fetch, through breaks, and only for as long as somebody fetches."""

import re
from dataclasses import replace

import pytest

from safecity.video.hls import KEPT, LISTED, MAX_SEGMENT_S, HlsTracks
from tests.rooms.video.test_fmp4 import HEADER
from tests.rooms.video.test_live import KEY, Bench, unit


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.hub.join(KEY)
    made.hub.on_header(KEY, HEADER)
    return made


def numbers(playlist: str) -> list[int]:
    return [int(one) for one in re.findall(r"^(\d+)\.m4s$", playlist, re.MULTILINE)]


def test_segments_are_whole_groups_and_the_list_slides(bench: Bench) -> None:
    track = HlsTracks(bench.hub).open("lok_a", KEY)
    bench.feed(*range(19))
    assert track.playlist() is None, "no segment is whole yet"
    bench.feed(*range(19, 400))
    text = track.playlist() or ""
    assert numbers(text) == list(range(13, 13 + LISTED))
    assert "#EXT-X-MEDIA-SEQUENCE:13" in text
    assert re.findall(r"#EXTINF:(\S+),", text) == ["1.33333"] * LISTED
    assert "#EXT-X-TARGETDURATION:2" in text
    first = track.find_segment(numbers(text)[0])
    assert first is not None
    assert first.pictures == 20, "two groups of ten, since one alone is under a second"
    assert track.find_segment(13 + LISTED - KEPT) is not None, "kept a while longer than listed"
    assert track.find_segment(13 + LISTED - KEPT - 1) is None


def test_a_newcomer_finds_the_current_group_and_shares_the_track(bench: Bench) -> None:
    tracks = HlsTracks(bench.hub)
    bench.feed(*range(10, 15))
    track = tracks.open("lok_a", KEY)
    bench.feed(*range(15, 31))
    assert tracks.open("lok_b", KEY) is track
    assert numbers(track.playlist() or "") == [0], "from the group that ran when the first one came"
    tracks.keep({"lok_b"})
    assert tracks.find("lok_a") is None
    assert tracks.find("lok_b") is track
    before = bench.hub.viewers
    tracks.keep(set())
    assert bench.hub.viewers == before - 1


def test_new_parameters_and_holes_are_told_as_discontinuities(bench: Bench) -> None:
    track = HlsTracks(bench.hub).open("lok_a", KEY)
    bench.feed(*range(41))
    bench.hub.on_header(KEY, replace(HEADER, session=2))
    bench.feed(*range(50, 91))
    text = track.playlist() or ""
    assert text.count("#EXT-X-DISCONTINUITY\n") == 1
    assert text.index('URI="init-1.mp4"') < text.index("#EXT-X-DISCONTINUITY\n") < text.index('URI="init-2.mp4"')
    assert track.find_init(1) is not None
    bench.feed(*range(100, 400))
    later = track.playlist() or ""
    assert "init-1" not in later
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:1" in later
    assert track.find_init(1) is None, "what no segment needs is forgotten"


def test_a_stream_without_key_frames_is_not_collected_for_ever(bench: Bench) -> None:
    track = HlsTracks(bench.hub).open("lok_a", KEY)
    last = round(MAX_SEGMENT_S * 15) + 40
    for number in range(last):
        bench.hub.on_unit(KEY, unit(number, key_every=10_000))
    assert track.playlist() is None
    assert track._open is None

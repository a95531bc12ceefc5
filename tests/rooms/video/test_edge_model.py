"""The edge's clock against the centre's, what of a file is shown, the rate limit; signatures that hold and do not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.platform.errors import Denied, Invalid
from safecity.sites.model import CameraId
from safecity.video.access_unit import TICKS_PER_S
from safecity.video.borrowed import as_shown, name_of, read_name
from safecity.video.edge import signing
from safecity.video.edge.centre import check_url
from safecity.video.edge.frames import pack_frame, unpack_frame
from safecity.video.edge.model import (
    ClockReading,
    Shift,
    TokenBucket,
    choose_spans,
    read_clock,
    shift_at,
    shifted,
    show,
)
from safecity.video.edge.pusher import MAIN_WAITS_S, PushQueue
from safecity.video.edge.register import Token, read_token
from safecity.video.model import (
    Cause,
    LinkState,
    Origin,
    Segment,
    SegmentState,
    Span,
    Stream,
    StreamState,
    instant_of,
    ticks_of,
)
from tests.rooms.video.paper import KEY, START
from tests.rooms.video.test_packets import unit

HOUR = timedelta(hours=1)
seconds = st.floats(min_value=0, max_value=7200, allow_nan=False).map(lambda one: START + timedelta(seconds=one))


def reading(hours: float, offset_us: int, error_us: int = 10_000) -> ClockReading:
    return ClockReading(at=START + hours * HOUR, offset_us=offset_us, error_us=error_us)


def segment(**other: object) -> Segment:
    row = Segment(
        camera=KEY[0],
        stream=KEY[1],
        started_at=START,
        durable_until=START + timedelta(seconds=60),
        state=SegmentState.CLOSED,
        path="cam_a/main/2026-03-01/120000000Z-ab-1.mp4",
        session="ab-1",
        size_bytes=1000,
        fragments=60,
        codec="h264",
        codec_string="avc1.42E01F",
        width_px=640,
        height_px=360,
        rate_ppb=0,
        line_error_us=0,
        camera_offset_us=5_000,
        root="a" * 64,
        previous_root=None,
        is_held=False,
        writer="recorder-1",
    )
    return replace(row, **other)  # type: ignore[arg-type]


def test_the_clock_is_read_in_the_middle_of_the_round_trip() -> None:
    found = read_clock(sent_us=1_000_000, centre_us=5_100_000, received_us=1_200_000, at=START)
    assert (found.offset_us, found.error_us) == (4_000_000, 100_000)


def test_an_edge_that_drifted_in_an_outage_is_put_right_along_it() -> None:
    readings = [reading(0, 0), reading(6, 1_200_000)]
    shift = shift_at(readings, START + 3 * HOUR)
    assert shift is not None
    assert shift.shift_us == 600_000
    assert shift_at(readings, START - HOUR) == Shift(shift_us=0, error_us=10_000)
    assert shift_at([], START) is None


def test_a_slow_answer_does_not_move_the_time() -> None:
    """Readings that differ by less than their errors are the network's; the best of them speaks for all."""
    readings = [reading(0, 40_000, 50_000), reading(0.1, 100, 1_000), reading(0.2, -150_000, 200_000)]
    found = {shift_at(readings, START + one * HOUR) for one in (0.0, 0.05, 0.15, 0.3)}
    assert found == {Shift(shift_us=100, error_us=1_000)}


@given(starts=st.lists(st.tuples(seconds, seconds), max_size=6), span=st.tuples(seconds, seconds))
def test_what_is_shown_lies_in_the_file_and_in_the_holes(
    starts: list[tuple[datetime, datetime]], span: tuple[datetime, datetime]
) -> None:
    file = Span(from_at=min(span), to_at=max(span))
    marks = sorted({at for pair in starts for at in pair})
    holes = [Span(from_at=a, to_at=b) for a, b in zip(marks[::2], marks[1::2], strict=False)]
    shown = choose_spans(file, holes)
    for one in shown:
        assert file.from_at <= one.from_at < one.to_at <= file.to_at
        assert any(hole.from_at <= one.from_at and one.to_at <= hole.to_at for hole in holes)
    missed = sum((min(h.to_at, file.to_at) - max(h.from_at, file.from_at)).total_seconds() for h in holes
                 if min(h.to_at, file.to_at) > max(h.from_at, file.from_at))  # fmt: skip
    assert missed - sum((one.to_at - one.from_at).total_seconds() for one in shown) <= 0.001 * len(holes) + 1e-6


@given(cut_ms=st.integers(min_value=0, max_value=59_000), rate=st.integers(min_value=-500_000, max_value=500_000))
def test_a_cut_row_shows_its_pictures_at_their_time(cut_ms: int, rate: int) -> None:
    row = shifted(segment(rate_ppb=rate), Shift(shift_us=250_000, error_us=1))
    cut = show(row, Span(from_at=row.started_at + timedelta(milliseconds=cut_ms), to_at=row.durable_until))
    for second in (0, 30, 59):
        ticks = second * TICKS_PER_S
        assert abs(instant_of(cut, ticks) - instant_of(row, ticks)) < timedelta(microseconds=30)
    assert abs(ticks_of(cut, cut.started_at) - cut.skip_ticks) <= 1
    assert row.camera_offset_us == 5_000 - 250_000


def test_the_name_says_what_the_row_shows() -> None:
    row = shifted(segment(origin=Origin.EDGE), Shift(shift_us=1234567, error_us=1))
    cut = show(row, Span(from_at=row.started_at + timedelta(seconds=7.5), to_at=row.started_at + timedelta(seconds=20)))
    named = replace(cut, path=name_of(cut))
    assert len(named.path) < 200
    whole = segment(path=named.path)
    assert as_shown(whole) == replace(named, camera_offset_us=whole.camera_offset_us)
    assert read_name(segment().path) is None
    assert as_shown(segment()) == segment()


def test_the_rate_is_kept_over_any_minute() -> None:
    bucket, now_s = TokenBucket(1000.0, burst_bytes=500, now_s=0.0), 0.0
    sent = 0
    while now_s < 60:
        now_s += bucket.wait_s(250, now_s=now_s)
        sent += 250
    assert 59_000 <= sent <= 61_000


def test_a_request_is_believed_as_it_was_signed_and_no_other(tmp_path: Path) -> None:
    key = signing.load_key(tmp_path / "key")
    assert signing.public_hex(signing.load_key(tmp_path / "key")) == signing.public_hex(key)
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0
    request = signing.Request(method="PUT", target="/intake/files/aa?offset=0", body=b"pictures")
    header = signing.sign_request(key, request, edge="edg_1", time_us=10**15, nonce=signing.fresh_nonce())
    claim = signing.read_claim(header)
    signing.check_request(request, claim, public_key=signing.public_hex(key), now_us=10**15)
    wrong = [
        (replace(request, method="POST"), claim, 10**15),
        (replace(request, target="/intake/files/aa?offset=1"), claim, 10**15),
        (replace(request, body=b"others"), claim, 10**15),
        (request, replace(claim, edge="edg_2"), 10**15),
        (request, replace(claim, nonce="0" * 32), 10**15),
        (request, claim, 10**15 + signing.MAX_AGE_US + 1),
    ]
    for other, said, now_us in wrong:
        with pytest.raises(Denied):
            signing.check_request(other, said, public_key=signing.public_hex(key), now_us=now_us)
    strange = signing.public_hex(signing.load_key(tmp_path / "other"))
    with pytest.raises(Denied):
        signing.check_request(request, claim, public_key=strange, now_us=10**15)
    for bad in (None, "", "Basic abc", header[:-4], header + "x"):
        with pytest.raises(Denied):
            signing.read_claim(bad)


def test_an_answer_counts_for_its_request_only(tmp_path: Path) -> None:
    key = signing.load_key(tmp_path / "key")
    header = signing.sign_answer(key, nonce="n1", status=200, body=b"{}")
    public = signing.public_hex(key)
    assert signing.is_answer_of(public, header, nonce="n1", status=200, body=b"{}")
    assert not signing.is_answer_of(public, header, nonce="n2", status=200, body=b"{}")
    assert not signing.is_answer_of(public, header, nonce="n1", status=403, body=b"{}")
    assert not signing.is_answer_of(public, header, nonce="n1", status=200, body=b"{ }")
    assert not signing.is_answer_of(public, None, nonce="n1", status=200, body=b"{}")


def test_a_token_travels_as_text() -> None:
    token = Token(secret="abc", centre_key="ab" * 32)
    assert read_token(f" {token.text()}\n") == token
    assert "abc" not in repr(token)
    for bad in ("", "x" * 1000, "e30", "bm8"):
        with pytest.raises(Invalid):
            read_token(bad)


@pytest.mark.parametrize(
    "url", ["https://centre.example", "http://127.0.0.1:8010", "http://10.1.2.3:1/", "http://[fd00::1]:1"]
)
def test_addresses_that_may_be_used(url: str) -> None:
    assert check_url(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url", ["http://centre.example", "http://8.8.8.8", "ftp://10.0.0.1", "10.0.0.1", "https://a/?b"]
)
def test_nothing_goes_through_the_open(url: str) -> None:
    with pytest.raises(Invalid):
        check_url(url)


def test_frames_come_out_as_they_went_in() -> None:
    key = (CameraId("cam_ü"), Stream.SUB)
    for said in (
        unit(3),
        StreamState(state=LinkState.OFFLINE, since=datetime(2026, 1, 1, tzinfo=UTC), cause=Cause.LINK),
    ):
        frame = unpack_frame(pack_frame(key, said))
        assert (frame.key, frame.said) == (key, said)


@given(raw=st.binary(max_size=80))
def test_no_frame_breaks_the_intake(raw: bytes) -> None:
    try:
        unpack_frame(raw)
    except Invalid:
        return


def test_where_the_link_is_slow_main_skips_first_and_sub_goes_ahead() -> None:
    queue = PushQueue()
    main, sub = (CameraId("c"), Stream.MAIN), (CameraId("c"), Stream.SUB)
    for number in range(4):
        queue.put(main, unit(number, is_key=number == 0), now_s=0.0)
    queue.put(sub, unit(0, is_key=True), now_s=0.1)
    late_s = MAIN_WAITS_S + 0.2
    queue.put(main, unit(4, is_key=False), now_s=late_s)
    queue.put(sub, unit(1, is_key=False), now_s=late_s)
    queue.put(main, unit(5, is_key=True), now_s=late_s)
    sent = [unpack_frame(raw) for raw in iter(queue.take, None)]
    assert [(one.key[1].value, getattr(one.said, "sequence", None)) for one in sent] == [
        ("sub", 0),
        ("sub", 1),
        ("main", 5),
    ]
    assert queue.skipped == 5

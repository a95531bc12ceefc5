"""RTCP: what our own server and hostile peers send, and what we answer; sequence numbers over turns and losses."""

import struct
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.platform.clock import from_us, to_us
from safecity.video.rtsp import rtcp, rtp
from safecity.video.rtsp.pictures import PictureBuilder
from safecity.virtual.rtsp.rtcp import goodbye, read_receiver_report, sender_report
from tests.rooms.video.rtp_senders import SSRC, Sender, feed, media

SLICE = b"\x41\x9aabc"
NOON = datetime(2026, 5, 4, 12, 0, 0, 123_456, tzinfo=UTC)


def _report(at: datetime, ticks: int) -> bytes:
    return sender_report(ssrc=SSRC, captured_at=at, rtp_timestamp=ticks, packets=9, octets=9, name="camera")


@given(at_us=st.integers(to_us(datetime(1990, 1, 1, tzinfo=UTC)), to_us(datetime(2060, 1, 1, tzinfo=UTC))))
def test_our_servers_report_is_read_to_the_microsecond_before_and_after_2036(at_us: int) -> None:
    ticks = at_us % 2**32
    compound = rtcp.read_compound(memoryview(_report(from_us(at_us), ticks)))
    assert compound.is_sound
    assert not compound.is_goodbye
    assert compound.sender is not None
    assert (compound.sender.ssrc, compound.sender.ticks) == (SSRC, ticks)
    assert compound.sender.wall_us == at_us


@pytest.mark.parametrize("rate_hz", [90_000, 8_000])
@pytest.mark.parametrize("step_s", [-2.0, 0.0, 0.5, 60.0])
def test_a_picture_carries_the_cameras_claim_on_by_its_clock(rate_hz: int, step_s: float) -> None:
    builder, sender = PictureBuilder(media(rate_hz=rate_hz)), Sender()
    builder.report(memoryview(_report(NOON, 0xFFFF_FF00)), 1.0)
    ticks = 0xFFFF_FF00 + round(step_s * rate_hz)
    got = feed(builder, sender.picture([SLICE], ticks))
    assert got[0].captured_us is not None
    assert abs(got[0].captured_us - to_us(NOON + timedelta(seconds=step_s))) <= 2


def test_without_a_report_or_with_a_camera_that_has_no_clock_nothing_is_claimed() -> None:
    builder, sender = PictureBuilder(media()), Sender()
    assert feed(builder, sender.picture([SLICE], 0))[0].captured_us is None
    builder.pictures.clear()
    builder.report(memoryview(struct.pack(">BBHIQIII", 0x80, 200, 6, SSRC, 0, 0, 1, 1)), 1.0)
    assert feed(builder, sender.picture([SLICE], 9))[0].captured_us is None


def test_a_jump_of_the_timestamps_forgets_the_claim_and_the_next_report_brings_it_back() -> None:
    builder, sender = PictureBuilder(media()), Sender()
    builder.report(memoryview(_report(NOON, 0)), 1.0)
    packets = sender.picture([SLICE], 0) + sender.picture([SLICE], 3600) + sender.picture([SLICE], 90_000 * 60)
    got = feed(builder, packets)
    assert [one.captured_us is None for one in got] == [False, False, True]
    builder.pictures.clear()
    builder.report(memoryview(_report(NOON, 90_000 * 60)), 1.1)
    assert feed(builder, sender.picture([SLICE], 90_000 * 60), at_s=1.1)[0].captured_us == to_us(NOON)


def test_a_report_on_the_media_channel_is_taken_and_goodbye_is_heard() -> None:
    builder = PictureBuilder(media())
    assert feed(builder, [_report(NOON, 0)]) == []
    assert feed(builder, Sender().picture([SLICE], 0))[0].captured_us is not None
    assert not builder.has_ended
    builder.report(memoryview(goodbye(SSRC)), 1.0)
    assert builder.has_ended


@given(raw=st.binary(max_size=120))
def test_hostile_reports_are_only_counted(raw: bytes) -> None:
    builder = PictureBuilder(media())
    builder.report(memoryview(raw), 1.0)
    builder.report(memoryview(b"\x80\xc8" + raw), 1.0)
    feed(builder, Sender().picture([SLICE], 0))


def test_our_report_says_what_was_lost() -> None:
    builder, sender = PictureBuilder(media()), Sender(sequence=65_500)
    assert read_receiver_report(builder.make_report(0.0)) is None
    packets = [one for at in range(100) for one in sender.picture([SLICE], at * 3600)]
    feed(builder, packets[:20] + packets[30:80])
    builder.report(memoryview(_report(NOON, 0)), 5.0)
    raw = builder.make_report(7.0)
    report = read_receiver_report(raw)
    assert report is not None
    assert report.lost_packets == 10
    assert report.lost_share == pytest.approx(10 / 80, abs=1 / 256)
    source, _, highest, _, _, delay = struct.unpack_from(">IIIIII", raw, 8)
    assert (source, highest, delay) == (SSRC, 65_500 + 79, 2 * 65_536)
    assert rtcp.read_compound(memoryview(raw)).is_sound
    feed(builder, packets[80:])
    again = read_receiver_report(builder.make_report(8.0))
    assert again is not None
    assert (again.lost_packets, again.lost_share) == (10, 0.0)


@given(first=st.integers(0, 65_535), kept=st.lists(st.booleans(), min_size=1, max_size=200))
def test_losses_are_counted_over_the_turn(first: int, kept: list[bool]) -> None:
    tracker, awaited = rtp.SequenceTracker(), 0
    arrived = [at for at, one in enumerate(kept) if one]
    for at in arrived:
        sequence = (first + at) % rtp.TURN
        order = tracker.take(sequence, expected=awaited)
        is_next = at == arrived[0] or kept[at - 1]
        assert order is (rtp.Order.NEXT if is_next else rtp.Order.AFTER_LOSS)
        awaited = sequence + 1
    if arrived:
        span = arrived[-1] - arrived[0] + 1
        assert tracker.lost == span - len(arrived)
        highest, should = tracker.received_until(awaited)
        assert should == span
        assert highest == (first + arrived[0]) % rtp.TURN + span - 1

"""From packets to pictures: any packing gives the same bytes, a loss only marks, nothing hangs or grows."""

import itertools
import struct
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.platform.errors import Invalid, Problem, Unavailable
from safecity.video import h264
from safecity.video.reader import CAUSES, MAX_UNIT_BYTES
from safecity.video.rtsp.pictures import Picture, PictureBuilder
from tests.rooms.video.rtp_senders import PAYLOAD_TYPE, SSRC, Sender, aggregate, feed, fragments, framed, media

Codec = Literal["h264", "hevc"]
FIRST = b"\x41\x9a"  # a slice of H.264 that begins with macroblock 0
LATER = b"\x41\x1a"
IDR = b"\x65\x88"
SPS, PPS, AUD = b"\x67\x42\x00\x1e\x11", b"\x68\xce\x3c", b"\x09\xf0"
RECOVERY = b"\x06\x06\x01\xc4\x80"

_body = st.binary(min_size=1, max_size=300).map(lambda raw: raw.replace(b"\0", b"\1"))


def _nal(codec: Codec, *, is_first: bool) -> st.SearchStrategy[bytes]:
    bit = b"\x80" if is_first else b"\x01"
    heads = {"h264": [b"\x41", b"\x01", b"\x65", b"\x61"], "hevc": [b"\x02\x01", b"\x26\x01", b"\x00\x02"]}[codec]
    return st.tuples(st.sampled_from(heads), _body).map(lambda parts: parts[0] + bit + parts[1])


@st.composite
def _stream(draw: st.DrawFn, codec: Codec) -> list[list[bytes]]:
    """Pictures as NAL units: parameter sets or notes, a first slice, more slices."""
    before = {"h264": [SPS, PPS, b"\x06\x05\x01\x01\x80"], "hevc": [b"\x40\x01\x05", b"\x42\x01\x05", b"\x4e\x01\x05"]}
    count = draw(st.integers(1, 5))
    return [
        [
            *draw(st.lists(st.sampled_from(before[codec]), max_size=3)),
            draw(_nal(codec, is_first=True)),
            *draw(st.lists(_nal(codec, is_first=False), max_size=3)),
        ]
        for _ in range(count)
    ]


def _pack(draw: st.DrawFn, nals: list[bytes], codec: Codec) -> list[bytes]:
    payloads: list[bytes] = []
    left = list(nals)
    while left:
        together = draw(st.integers(1, 3))
        if together > 1 and len(left) > 1:
            payloads.append(aggregate(left[:together], codec))
            del left[:together]
        else:
            payloads += fragments(left.pop(0), draw(st.sampled_from([1, 7, 50, 1000])), codec)
    return payloads


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@given(data=st.data(), has_markers=st.booleans())
def test_any_packing_gives_the_same_bytes(codec: Codec, data: st.DataObject, has_markers: bool) -> None:
    pictures = data.draw(_stream(codec))
    sender, packets = Sender(), []
    for at, nals in enumerate(pictures):
        payloads = _pack(data.draw, nals, codec)
        packets += sender.picture(payloads, at * 3600 - 5000, marker=has_markers)
    builder = PictureBuilder(media(codec))
    got = feed(builder, packets)
    assert [one.data for one in got] == [framed(nals) for nals in pictures]
    assert [one.rtp_ticks for one in got] == [at * 3600 - 5000 & 0xFFFF_FFFF for at in range(len(pictures))]
    assert all(one.is_whole and one.has_first_slice for one in got)
    assert (builder.lost_packets, builder.broken_pictures, builder.malformed_packets) == (0, 0, 0)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@given(data=st.data(), chance=st.randoms(use_true_random=False))
def test_loss_never_raises_and_what_is_called_whole_is_whole(codec: Codec, data: st.DataObject, chance) -> None:
    pictures = data.draw(_stream(codec))
    sender, packets = Sender(), []
    for at, nals in enumerate(pictures):
        packets += sender.picture(_pack(data.draw, nals, codec), at * 3600)
    # The last packet of all comes, so that a loss before it can be seen.
    kept = [one for one in packets[:-1] if chance.random() > 0.25] + packets[-1:]
    builder = PictureBuilder(media(codec))
    got = feed(builder, kept)
    first_lost = next((at for at, one in enumerate(packets) if one not in kept), None)
    assert bool(builder.lost_packets) == (
        first_lost is not None and any(one not in kept for one in _after(packets, kept))
    )
    whole = {at * 3600: framed(nals) for at, nals in enumerate(pictures)}
    for one in got:
        list(h264.split_length_prefixed(one.data))
        # A loss of the very first packets of a stream cannot be known of.
        if one.is_whole and one.has_slice and packets[0] in kept:
            assert one.data == whole[one.rtp_ticks]


def _after(packets: list[bytes], kept: list[bytes]) -> list[bytes]:
    return packets[packets.index(kept[0]) :]


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@settings(max_examples=300)
@given(payloads=st.lists(st.binary(max_size=80), max_size=30), heads=st.lists(st.binary(max_size=16), max_size=8))
def test_hostile_bytes_never_hang_and_raise_only_problems(
    codec: Codec, payloads: list[bytes], heads: list[bytes]
) -> None:
    builder, sender = PictureBuilder(media(codec)), Sender()
    packets = [sender.packet(one, len(one) % 3) for one in payloads] + [one + bytes(20) for one in heads] + heads
    codes: set[str] = set()
    for packet in packets:
        try:
            pictures = feed(builder, [packet])
        except Problem as problem:
            codes.add(problem.code)
            continue
        builder.pictures.clear()
        for one in pictures:
            list(h264.split_length_prefixed(one.data))
            assert len(one.data) <= 5 * sum(map(len, packets)) + 64
    assert codes <= CAUSES.keys()


def test_one_endless_picture_is_refused_before_it_fills_the_memory() -> None:
    builder, sender = PictureBuilder(media()), Sender()
    builder.add(memoryview(sender.packet(b"\x7c\x85" + bytes(60_000), 0)), 1.0)
    with pytest.raises(Unavailable) as caught:
        for _ in range(2 * MAX_UNIT_BYTES // 60_000):
            builder.add(memoryview(sender.packet(b"\x7c\x05" + bytes(60_000), 0)), 1.0)
    assert caught.value.code == "video.unreadable"
    assert len(builder._data) == 0


@pytest.mark.parametrize("kind", [25, 26, 27, 29])
def test_interleaved_h264_is_refused_clearly(kind: int) -> None:
    with pytest.raises(Invalid, match="packetization mode 1"):
        PictureBuilder(media()).add(memoryview(Sender().packet(bytes((0x60 | kind,)) + b"\0\0\0\1abc", 0)), 1.0)


def test_after_a_refusal_behind_a_loss_the_picture_still_holds_together() -> None:
    sender, builder = Sender(), PictureBuilder(media())
    pieces = sender.picture(fragments(FIRST + bytes(range(90)), 20), 0)
    refused = pieces[2][:12] + b"\x7b" + pieces[2][13:]
    builder.add(memoryview(pieces[0]), 1.0)
    with pytest.raises(Invalid):
        builder.add(memoryview(refused), 1.0)
    for one in feed(builder, pieces[3:]):
        assert list(h264.split_length_prefixed(one.data)) == [(FIRST + bytes(range(90)))[:21]]


def test_a_unit_over_64_kib_comes_through() -> None:
    nal = IDR + bytes(range(256)) * 1200
    got = feed(PictureBuilder(media()), Sender().picture(fragments(nal, 1400), 0))
    assert [one.data for one in got] == [framed([nal])]


def test_a_loss_keeps_the_part_before_it_and_marks_both_neighbours() -> None:
    sender = Sender()
    nal = FIRST + bytes(range(100))
    pieces = sender.picture(fragments(nal, 20), 0)
    following = sender.picture([FIRST + b"xyz"], 3600)
    builder = PictureBuilder(media())
    got = feed(builder, [*pieces[:2], *pieces[3:-1], *following])
    assert [one.is_whole for one in got] == [
        False,
        False,
    ]  # the last piece with its marker is gone: no saying whose it was
    assert got[0].data == framed([nal[:41]])
    assert got[1].data == framed([FIRST + b"xyz"])
    assert (builder.lost_packets, builder.broken_pictures) == (2, 2)


def test_a_cut_parameter_set_is_dropped() -> None:
    sender = Sender()
    pieces = sender.picture([*fragments(SPS * 4, 4), IDR + b"abc"], 0)
    got = feed(PictureBuilder(media()), [*pieces[:2], *pieces[3:]])
    assert [(one.data, one.is_whole) for one in got] == [(framed([IDR + b"abc"]), False)]


def test_without_markers_a_new_timestamp_or_first_slice_or_delimiter_ends_a_picture() -> None:
    sender = Sender()
    payloads = [
        (SPS, 0),
        (IDR + b"a", 0),
        (LATER + b"b", 0),
        (FIRST + b"c", 0),
        (AUD, 0),
        (FIRST + b"d", 0),
        (FIRST, 9),
    ]
    got = feed(PictureBuilder(media()), [sender.packet(one, ticks) for one, ticks in payloads])
    wanted = [[SPS, IDR + b"a", LATER + b"b"], [FIRST + b"c"], [FIRST + b"d"], [FIRST]]
    assert [one.data for one in got] == [framed(one) for one in wanted]
    assert [one.is_key for one in got] == [True, False, False, False]


def test_markers_on_every_slice_are_found_out() -> None:
    sender, packets = Sender(), []
    for at in range(4):
        packets += [sender.packet(one, at * 3600, marker=True) for one in (FIRST + b"a", LATER + b"b", LATER + b"c")]
    got = [one for one in feed(PictureBuilder(media()), packets) if one.has_first_slice]
    assert [one.data for one in got[1:]] == [framed([FIRST + b"a", LATER + b"b", LATER + b"c"])] * 3


def test_two_pictures_that_end_at_once_come_one_after_the_other() -> None:
    sender = Sender()
    builder = PictureBuilder(media())
    assert builder.add(memoryview(sender.packet(FIRST + b"a", 0)), 1.0) is None
    first = builder.add(memoryview(sender.packet(FIRST + b"b", 3600, marker=True)), 2.0)
    assert first is not None
    assert (first.data, first.arrived_s) == (framed([FIRST + b"a"]), 1.0)
    second = builder.add(memoryview(sender.packet(FIRST + b"c", 7200)), 3.0)
    assert second is not None
    assert (second.data, second.arrived_s) == (framed([FIRST + b"b"]), 2.0)


@pytest.mark.parametrize(("codec", "nal"), [("h264", FIRST + b"abcdef"), ("hevc", b"\x02\x01\x80abcdef")])
def test_padding_extension_and_csrcs_are_left_out(codec: Codec, nal: bytes) -> None:
    for first, before, after in (
        (0xA0, b"", b"\0\0\3"),
        (0x90, b"\xbe\xde\0\1wxyz", b""),
        (0x82, b"AAAABBBB", b""),
        (0xB1, b"AAAA\0\0\0\0", b"\1"),
    ):
        head = struct.pack(">BBHII", first, 0x80 | PAYLOAD_TYPE, 7, 0, SSRC)
        got = feed(PictureBuilder(media(codec)), [head + before + nal + after])
        assert [one.data for one in got] == [framed([nal])]


@pytest.mark.parametrize("bad", [b"", b"\x80", b"\x40" * 20, b"\xa0\x60" + bytes(11), b"\x90\x60" + b"\xff" * 20])
def test_what_is_no_rtp_packet_is_counted(bad: bytes) -> None:
    builder = PictureBuilder(media())
    assert feed(builder, [bad]) == []
    assert builder.malformed_packets == 1


def test_other_payload_types_are_counted_and_cost_nothing() -> None:
    sender, builder = Sender(), PictureBuilder(media())
    packets = sender.picture(fragments(FIRST + bytes(range(60)), 20), 0)
    other = struct.pack(">BBHII", 0x80, 97, 4, 0, 99) + b"repair"
    got = feed(builder, [packets[0], other, *packets[1:]])
    assert [one.is_whole for one in got] == [True]
    assert (builder.foreign_packets, builder.lost_packets) == (1, 0)


def test_late_and_repeated_packets_are_passed_over() -> None:
    sender, builder = Sender(sequence=65_534), PictureBuilder(media())
    packets = sender.picture(fragments(FIRST + bytes(range(60)), 12), 0)
    got = feed(builder, [packets[0], packets[0], packets[1], packets[2], packets[1], *packets[3:]])
    assert [(one.data, one.is_whole) for one in got] == [(framed([FIRST + bytes(range(60))]), True)]


def test_a_sender_that_never_counts_is_read_nevertheless() -> None:
    builder = PictureBuilder(media())
    head = struct.pack(">BBH", 0x80, 0x80 | PAYLOAD_TYPE, 5)
    packets = [head + struct.pack(">II", at * 3600, SSRC) + FIRST + b"a" for at in range(200)]
    assert len(feed(builder, packets)) > 130


def test_a_new_source_or_count_starts_anew() -> None:
    one, other = Sender(sequence=100), Sender(sequence=40_000, ssrc=5)
    builder = PictureBuilder(media())
    got = feed(
        builder, [*one.picture([FIRST + b"a"], 0), *other.picture([FIRST + b"b"], 9), *other.picture([FIRST], 10)]
    )
    assert [one.is_whole for one in got] == [True, True, True]
    restarted = Sender(sequence=2, ssrc=5)
    got = feed(builder, restarted.picture([FIRST + b"c"], 11) + restarted.picture([FIRST + b"d"], 12))
    assert [one.is_whole for one in got] == [False, True]
    assert builder.lost_packets == 0


def test_start_codes_in_payloads_are_taken_out() -> None:
    sender = Sender()
    payloads = [b"\0\0\0\1" + SPS, SPS + b"\0\0\0\1" + PPS + b"\0\0\1" + IDR + b"ab"]
    got = feed(PictureBuilder(media()), sender.picture(payloads, 0))
    assert [(one.data, one.is_key, one.has_sets) for one in got] == [(framed([SPS, SPS, PPS, IDR + b"ab"]), True, True)]
    got = feed(PictureBuilder(media()), Sender().picture(fragments(SPS + b"\0\0\0\1" + IDR + b"abcdef", 3), 0))
    assert [(one.data, one.is_key) for one in got] == [(framed([SPS, IDR + b"abcdef"]), True)]


def test_a_recovery_point_is_a_key() -> None:
    got = feed(PictureBuilder(media()), Sender().picture([RECOVERY, FIRST + b"a"], 0))
    assert [one.is_key for one in got] == [True]
    assert not h264.has_recovery_point(b"\x06\x05\x02\x06\x06\x80")
    assert h264.has_recovery_point(b"\x06\x05\x02\x01\x01\x06\x01\xc4\x80")
    assert not h264.has_recovery_point(b"\x06" + b"\xff" * 5000)


def _walk(builder: PictureBuilder, stream: bytes, cuts: list[int]) -> list[Picture]:
    """Read interleaved frames as a session does, in buffers cut at the given frames, with runs."""
    at, frames = 0, []
    while at < len(stream):
        end = at + 4 + int.from_bytes(stream[at + 2 : at + 4])
        frames.append(stream[at:end])
        at = end
    for first, last in itertools.pairwise([0, *cuts, len(frames)]):
        buffer = bytearray(b"".join(frames[first:last]))
        data, at = memoryview(buffer), 0
        while at < len(data):
            end = at + 4 + int.from_bytes(data[at + 2 : at + 4])
            at = builder.feed_run(data, end) if builder.feed(data[at + 4 : end], 1.0) else end
        data.release()
        buffer[:] = b"\xff" * len(buffer)
    builder.finish()
    return builder.pictures


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@given(
    sizes=st.lists(st.integers(1, 6000), min_size=1, max_size=6),
    piece=st.integers(20, 400),
    lost=st.sets(st.integers(0, 120), max_size=3),
    cuts=st.lists(st.integers(0, 100), max_size=4),
    others=st.sets(st.integers(0, 120), max_size=2),
)
def test_runs_give_what_packets_one_by_one_give(
    codec: Codec, sizes: list[int], piece: int, lost: set[int], cuts: list[int], others: set[int]
) -> None:
    sender, packets = Sender(sequence=65_480), []
    head = FIRST if codec == "h264" else b"\x02\x01\x80"
    for at, size in enumerate(sizes):
        packets += sender.picture(fragments(head + bytes(one % 251 for one in range(size)), piece, codec), at * 3600)
    kept = [one for at, one in enumerate(packets) if at not in lost]
    for at in others:  # of another channel, in the midst
        kept.insert(min(at, len(kept)), b"")
    stream = b"".join(b"$\2" + len(one).to_bytes(2) + one if one else b"$\3\0\1x" for one in kept)
    one_by_one, in_runs = PictureBuilder(media(codec)), PictureBuilder(media(codec))
    frames = len(kept)
    wanted = feed(one_by_one, [one or b"x" for one in kept])
    got = _walk(in_runs, stream, sorted({one for one in cuts if one < frames}))
    assert [(one.data, one.is_whole, one.rtp_ticks) for one in got] == [
        (one.data, one.is_whole, one.rtp_ticks) for one in wanted
    ]
    assert in_runs.lost_packets == one_by_one.lost_packets
    if not lost and not others:
        assert len(got) == len(sizes)


def test_runs_are_really_taken() -> None:
    builder, sender = PictureBuilder(media()), Sender(sequence=0)
    packets = sender.picture(fragments(FIRST + bytes(60_000), 1000), 0)
    data = memoryview(b"".join(b"$\0" + len(one).to_bytes(2) + one for one in packets))
    first = 4 + len(packets[0])
    assert builder.feed(data[4:first], 1.0)
    stopped = builder.feed_run(data, first)
    assert stopped == len(data) - len(packets[-1]) - 4
    builder.feed(data[stopped + 4 :], 1.0)
    assert [one.data for one in builder.pictures] == [framed([FIRST + bytes(60_000)])]
    assert builder.feed_run(data, first) == first


def test_an_endless_run_is_refused() -> None:
    builder, sender = PictureBuilder(media()), Sender(sequence=0)
    with pytest.raises(Unavailable):
        for start in (b"\x7c\x85", *(b"\x7c\x05",) * 30):
            packets = [sender.packet((start if at == 0 else b"\x7c\x05") + bytes(60_000), 0) for at in range(20)]
            data = memoryview(b"".join(b"$\0" + len(one).to_bytes(2) + one for one in packets))
            at = 0
            while at < len(data):
                end = at + 4 + 60_014
                at = builder.feed_run(data, end) if builder.feed(data[at + 4 : end], 1.0) else end


def test_a_start_code_inside_of_a_message_is_left_where_it_is() -> None:
    """ONVIF signed video has signatures with `00 00 01` in them; the SEI says how long it is."""
    body = b"\x11" * 300 + b"\0\0\1\x15" + b"\x22" * 40
    sei = b"\x06\x05" + b"\xff" * (len(body) // 255) + bytes([len(body) % 255]) + body + b"\x80"
    payloads = [sei, sei + b"\0\0\0\1" + PPS, IDR + b"a"]  # the second: a camera that puts two units into one
    got = feed(PictureBuilder(media()), Sender().picture(payloads, 0))
    assert [one.data for one in got] == [framed([sei, sei, PPS, IDR + b"a"])]

"""From pictures to what a recorder takes: headers, sessions, times, and what is dropped."""

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import pytest

from safecity.platform.clock import to_us
from safecity.platform.errors import Unavailable
from safecity.video import h264
from safecity.video.access_unit import TICKS_PER_S, AccessUnit, StreamHeader
from safecity.video.reader import ClockJump, Numbering, ReadItem
from safecity.video.rtsp.pictures import Picture, PictureBuilder, UnitMaker
from safecity.video.timeline import ServerLine
from safecity.virtual.elementary import load_elementary
from tests.rooms.video.rtp_senders import Sender, feed, fragments, framed, media

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
IDR, SLICE, LATER = b"\x65\x88idr", b"\x41\x9apic", b"\x41\x1amore"


def maker_of(sets: tuple[bytes, ...] = (), *, rate_hz: int = TICKS_PER_S) -> UnitMaker:
    maker = UnitMaker(Numbering(session=3, sequence=100), line=ServerLine(NOON, 0.0))
    maker.begin(media(sets=sets, rate_hz=rate_hz))
    return maker


def take(maker: UnitMaker, pictures: list[Picture]) -> list[ReadItem]:
    return [item for picture in pictures for item in maker.take(picture)]


def picture_of(*nals: bytes, ticks: int, at_s: float, captured_us: int | None = None) -> Picture:
    made = feed(PictureBuilder(media()), Sender().picture(list(nals), ticks), at_s=at_s)[0]
    made.captured_us, made.arrived_s = captured_us, at_s
    return made


def sets_of(clips_dir: Path, clip: str) -> tuple[bytes, ...]:
    return load_elementary(clips_dir / clip).parameter_sets


@pytest.fixture(scope="module")
def sets(clips_dir: Path) -> tuple[bytes, ...]:
    return sets_of(clips_dir, "toll_gate_b.mp4")


@pytest.fixture(scope="module")
def other_sets(clips_dir: Path) -> tuple[bytes, ...]:
    return sets_of(clips_dir, "tfl/00001.07450.mp4")


@pytest.mark.parametrize("clip", ["toll_gate_b.mp4", "intel_car_detection.mp4", "motorway.mp4"])
@pytest.mark.parametrize("is_described", [True, False])
def test_a_clip_becomes_units_shown_when_its_pictures_are(clips_dir: Path, clip: str, is_described: bool) -> None:
    with av.open(str(clips_dir / clip)) as container:
        stream = container.streams.video[0]
        scale = float(stream.time_base or 0) * TICKS_PER_S
        raw = [
            (bytes(one), round((one.pts or 0) * scale), one.is_keyframe) for one in container.demux(stream) if one.size
        ]
        sets = h264.parameter_sets_of(stream.codec_context.extradata or b"")
    sender, builder = Sender(), PictureBuilder(media())
    maker = maker_of(sets if is_described else ())
    assert (maker.header is not None) == is_described
    items: list[ReadItem] = []
    for data, ticks, is_key in raw:
        nals = [*(sets if is_key else ()), *h264.split_length_prefixed(data)]
        payloads = [piece for nal in nals for piece in fragments(nal, 1400)]
        items += take(maker, feed(builder, sender.picture(payloads, ticks - 90_000), at_s=ticks / TICKS_PER_S))
        builder.pictures.clear()
    header, units = items[0], [item for item in items if isinstance(item, AccessUnit)]
    assert isinstance(header, StreamHeader)
    assert (header.session, header.parameter_sets, header) == (3, sets, maker.header)
    assert len(items) == len(raw) + 1
    assert [unit.sequence for unit in units] == list(range(101, 101 + len(raw)))
    assert [unit.is_key for unit in units] == [is_key for _, _, is_key in raw]
    assert all(b.media_ticks > a.media_ticks for a, b in itertools.pairwise(units))
    shown = [unit.media_ticks + unit.composition_offset_ticks for unit in units]
    assert [one - shown[0] for one in shown] == [ticks - raw[0][1] for _, ticks, _ in raw]


def test_times_are_on_the_servers_line_and_the_claim_is_kept_where_it_is_sane(sets: tuple[bytes, ...]) -> None:
    claim = NOON - timedelta(seconds=2)
    mad = to_us(datetime(1971, 1, 1, tzinfo=UTC))
    pictures = [
        picture_of(IDR, ticks=0xFFFF_FFF0, at_s=1.0, captured_us=to_us(claim)),
        picture_of(SLICE, ticks=3584, at_s=1.04, captured_us=mad),
        picture_of(SLICE, ticks=7184, at_s=1.08),
    ]
    units = [item for item in take(maker_of(sets), pictures) if isinstance(item, AccessUnit)]
    assert [unit.captured_at for unit in units] == [claim, None, None]
    assert [unit.received_at for unit in units] == [NOON + timedelta(seconds=at_s) for at_s in (1.0, 1.04, 1.08)]
    assert [unit.media_ticks for unit in units] == [0, 3600, 7200]
    assert [unit.received_s for unit in units] == [1.0, 1.04, 1.08]


def test_another_clock_rate_is_scaled(sets: tuple[bytes, ...]) -> None:
    maker = maker_of(sets, rate_hz=10_000)
    items = take(maker, [picture_of(SLICE, ticks=at * 400, at_s=at * 0.04) for at in range(4)])
    assert [item.media_ticks for item in items if isinstance(item, AccessUnit)] == [0, 3600, 7200, 10_800]


def test_changed_parameters_start_a_session(sets: tuple[bytes, ...], other_sets: tuple[bytes, ...]) -> None:
    maker = maker_of(sets)
    pictures = [
        picture_of(*sets, IDR, ticks=0, at_s=0.0),
        picture_of(SLICE, ticks=3600, at_s=0.04),
        picture_of(*other_sets, IDR, ticks=7200, at_s=0.08),
        picture_of(*(one + b"\0" for one in other_sets), IDR, ticks=10_800, at_s=0.12),
    ]
    items = take(maker, pictures)
    headers = [item for item in items if isinstance(item, StreamHeader)]
    assert [(one.session, one.parameter_sets) for one in headers] == [(3, sets), (4, other_sets)]
    assert isinstance(items[3], StreamHeader)
    assert [item.media_ticks for item in items if isinstance(item, AccessUnit)] == [0, 3600, 0, 3600]


def test_units_that_come_alone_stand_before_the_next_picture(sets: tuple[bytes, ...]) -> None:
    maker = maker_of()
    alone = [picture_of(one, ticks=0, at_s=0.0) for one in sets]
    note = picture_of(b"\x06\x06\x01\xc4\x80", ticks=0, at_s=0.0)
    items = take(maker, [*alone, note, picture_of(SLICE, ticks=0, at_s=0.01)])
    assert isinstance(items[0], StreamHeader)
    unit = items[1]
    assert isinstance(unit, AccessUnit)
    assert unit.data == framed([*sets, b"\x06\x06\x01\xc4\x80", SLICE])
    assert unit.is_key


def test_before_the_parameters_are_known_pictures_are_dropped_with_an_end(sets: tuple[bytes, ...]) -> None:
    maker = maker_of((b"\x67\x00", b"\x68\x00"))  # a description that cannot be read is passed over
    assert maker.header is None
    assert maker.take(picture_of(SLICE, ticks=0, at_s=0.0)) == []
    assert len(maker.take(picture_of(*sets, IDR, ticks=0, at_s=0.0))) == 2
    with pytest.raises(Unavailable, match="parameters"):
        take(maker_of(), [picture_of(SLICE, ticks=0, at_s=0.0)] * 700)
    with pytest.raises(Unavailable, match="no pictures"):
        take(maker_of(), [picture_of(b"\x06\x05" + b"a" * 9000, ticks=0, at_s=0.0)] * 40)


def test_what_has_a_hole_is_kept_and_what_has_no_beginning_is_dropped(sets: tuple[bytes, ...]) -> None:
    sender, maker = Sender(), maker_of(sets)
    first = sender.picture([*fragments(SLICE + bytes(90), 30), LATER], 0)
    second = sender.picture([SLICE, LATER], 3600)
    got = feed(PictureBuilder(media()), [first[0], *first[2:], second[1]])
    assert [one.is_whole for one in got] == [False, False]
    units = [item for item in take(maker, got) if isinstance(item, AccessUnit)]
    assert [list(h264.split_length_prefixed(unit.data)) for unit in units] == [[(SLICE + bytes(90))[:31], LATER]]
    assert maker.dropped_pictures == 1


def test_parameters_that_nobody_can_read_leave_the_known_ones(sets: tuple[bytes, ...]) -> None:
    maker = maker_of(sets)
    items = take(maker, [picture_of(b"\x67\x42", b"\x68\xce", IDR, ticks=0, at_s=0.0)])
    assert [type(item) for item in items] == [StreamHeader, AccessUnit]
    many = [b"\x68" + bytes((at % 250 + 1, at // 250 + 1)) for at in range(5000)]
    items = take(maker, [picture_of(*many, IDR, ticks=3600, at_s=0.04)])
    assert [type(item) for item in items] == [AccessUnit]


def test_a_jump_of_the_cameras_clock_is_told(sets: tuple[bytes, ...]) -> None:
    maker = maker_of(sets)
    pictures = [picture_of(SLICE, ticks=at * 3600, at_s=at * 0.04) for at in range(30)]
    pictures.append(picture_of(SLICE, ticks=90_000 * 3000, at_s=30 * 0.04))
    items = take(maker, pictures)
    assert [type(item) for item in items[-2:]] == [ClockJump, AccessUnit]
    units = [item for item in items if isinstance(item, AccessUnit)]
    assert units[-1].media_ticks - units[-2].media_ticks == 3600

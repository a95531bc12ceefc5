"""What is written comes back, a torn file gives every whole fragment, and players read it."""

import json
import struct
import subprocess
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.platform.clock import from_us
from safecity.platform.errors import DataLoss, Invalid
from safecity.video import boxes, fmp4, h264
from safecity.video.access_unit import StreamHeader
from safecity.video.fmp4 import Sample, fragment, init_segment
from safecity.video.scan import FileSource, read_samples, scan, scan_from

SPS = bytes.fromhex("6764001facd940f0117ef016a0c0a0a8000003000800000301907 8c18cb0".replace(" ", ""))
PPS = bytes.fromhex("68ebecb22c")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HEADER = StreamHeader(
    codec="h264",
    codec_string="avc1.64001F",
    width_px=960,
    height_px=540,
    parameter_sets=(SPS, PPS),
    session=1,
)

samples = st.builds(
    Sample,
    data=st.binary(min_size=1, max_size=60),
    duration_ticks=st.integers(0, 2**32 - 1),
    is_key=st.booleans(),
    composition_offset_ticks=st.integers(-(2**31), 2**31 - 1),
)
instants = st.none() | st.integers(31_536_000_000_000, 4_102_444_800_000_000).map(from_us)
runs = st.lists(
    st.tuples(st.integers(0, 2**62), st.lists(samples, min_size=1, max_size=8), instants, instants), max_size=5
)


def joined(parts: list[bytes]) -> bytes:
    return b"".join(parts)


def make(fragments: list[tuple[int, list[Sample], datetime | None, datetime | None]]) -> bytes:
    out = init_segment(HEADER, description=b'{"camera":"cam_1"}')
    for number, (ticks, group, captured_at, received_at) in enumerate(fragments):
        out += joined(fragment(number + 1, ticks, samples=group, captured_at=captured_at, received_at=received_at))
    return out


@settings(deadline=None)
@given(runs)
def test_what_is_written_comes_back(
    fragments: list[tuple[int, list[Sample], datetime | None, datetime | None]],
) -> None:
    data = make(fragments)
    found = scan(data)
    assert found.damage is None
    assert found.whole_bytes == len(data)
    assert found.description == b'{"camera":"cam_1"}'
    assert found.track.parameter_sets == (SPS, PPS)
    assert found.track.codec_string == "avc1.64001F"
    assert len(found.fragments) == len(fragments)
    at = len(found.init_bytes)
    for number, (item, (ticks, group, captured_at, received_at)) in enumerate(
        zip(found.fragments, fragments, strict=True)
    ):
        assert item.offset_bytes == at, "fragments tile the file: no byte is outside of a leaf"
        at += item.size_bytes
        assert (item.sequence, item.decode_ticks, item.is_key_first) == (number + 1, ticks, group[0].is_key)
        assert (item.captured_at, item.received_at) == (captured_at, received_at)
        assert [sample for _, sample in read_samples(data, item)] == group
    assert at == len(data)


@settings(max_examples=30, deadline=None)
@given(runs.filter(lambda fragments: len(fragments) > 1))
def test_a_file_torn_at_any_byte_gives_every_whole_fragment(
    fragments: list[tuple[int, list[Sample], datetime | None, datetime | None]],
) -> None:
    data = make(fragments)
    whole = scan(data)
    init_end = len(whole.init_bytes)
    ends = [item.offset_bytes + item.size_bytes for item in whole.fragments]
    for cut in range(init_end, len(data)):
        torn = scan(data[:cut])
        expected = [end for end in ends if end <= cut]
        assert len(torn.fragments) == len(expected)
        assert torn.whole_bytes == (expected[-1] if expected else init_end)
        assert (torn.damage is None) == (torn.whole_bytes == cut)
    for cut in range(init_end - len(b'{"camera":"cam_1"}') - 24):
        with pytest.raises(DataLoss):
            scan(data[:cut])


def test_zeros_behind_the_last_fragment_end_the_scan() -> None:
    """After a power cut a file may be longer than what was written to it."""
    data = make([(0, [Sample(data=b"x", duration_ticks=1, is_key=True)], None, None)])
    found = scan(data + bytes(5000))
    assert len(found.fragments) == 1
    assert found.whole_bytes == len(data)
    assert found.damage is not None


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_hostile_file_never_breaks_the_scan(data: st.DataObject) -> None:
    good = bytearray(make([(0, [Sample(data=b"abcdef", duration_ticks=9, is_key=True)] * 3, NOON, NOON)] * 2))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(good) - 5))
        good[at : at + 4] = data.draw(st.binary(min_size=4, max_size=4) | st.sampled_from([b"\xff" * 4, bytes(4)]))
    try:
        found = scan(bytes(good))
    except DataLoss:
        return
    assert found.whole_bytes <= len(good)
    for item in found.fragments:
        list(read_samples(bytes(good), item))


def test_limits_hold() -> None:
    with pytest.raises(Invalid):
        fragment(1, 0, samples=[])
    with pytest.raises(Invalid):
        fragment(1, 0, samples=[Sample(data=b"", duration_ticks=1, is_key=True)] * (fmp4.MAX_SAMPLES + 1))
    with pytest.raises(Invalid):
        init_segment(HEADER, description=bytes(fmp4.MAX_DESCRIPTION_BYTES + 1))
    many = init_segment(HEADER) + fmp4.box(b"free") * (boxes.MAX_BOXES + 5)
    with pytest.raises(DataLoss):
        scan(many)
    bomb = fmp4.box(b"moov", fmp4.box(b"free") * (boxes.MAX_BOXES + 1))
    with pytest.raises(DataLoss):
        scan(fmp4.box(b"ftyp", bytes(8)) + bomb)


def test_the_payload_is_handed_through_uncopied() -> None:
    group = [
        Sample(data=b"a" * 50, duration_ticks=3000, is_key=True),
        Sample(data=b"b", duration_ticks=1, is_key=False),
    ]
    parts = fragment(7, 90, samples=group, received_at=NOON)
    assert all(part is sample.data for part, sample in zip(parts[1:], group, strict=True))


def test_skipped_payload_stays_but_is_not_shown() -> None:
    entries = [fmp4.entry_of(Sample(data=b"key", duration_ticks=5, is_key=True))]
    data = init_segment(HEADER) + fmp4.moof(1, 40, entries=entries, skip_bytes=4) + fmp4.mdat_header(7) + b"darkkey"
    item = scan(data).fragments[0]
    assert item.skip_bytes == 4
    assert [sample.data for _, sample in read_samples(data, item)] == [b"key"]


def test_ntp_keeps_microseconds_and_passes_2036() -> None:
    for at in (NOON + timedelta(microseconds=1), datetime(2036, 2, 7, 6, 28, 16, 5, tzinfo=UTC)):
        body = fmp4.reference_times(5, captured_at=at, received_at=None)
        assert list(boxes.read_prft(body).values()) == [at]


def remux(clip: Path, out: Path, *, per_fragment: int = 12) -> list[bytes]:
    """A real clip written by us; returns its packets."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        sets = h264.parameter_sets_of(bytes(stream.codec_context.extradata or b""))
        packets = [packet for packet in container.demux(stream) if packet.size]
        scale = float(stream.time_base) * fmp4.TIMESCALE
    sps = h264.parse_sps(sets[0])
    header = StreamHeader(
        codec="h264",
        codec_string=h264.codec_string(sets[0]),
        width_px=sps.width_px,
        height_px=sps.height_px,
        parameter_sets=sets,
        session=1,
    )
    times = [round((packet.dts - packets[0].dts) * scale) for packet in packets]
    times.append(times[-1] + times[-1] - times[-2])
    group = [
        Sample(
            data=bytes(packet),
            duration_ticks=end - start,
            is_key=packet.is_keyframe,
            composition_offset_ticks=round((packet.pts - packet.dts) * scale),
        )
        for packet, start, end in zip(packets, times, times[1:], strict=False)
    ]
    content = BytesIO()
    content.write(init_segment(header, description=b"{}"))
    for number, start in enumerate(range(0, len(group), per_fragment)):
        part = group[start : start + per_fragment]
        content.write(joined(fragment(number + 1, times[start], samples=part, captured_at=NOON)))
    out.write_bytes(content.getvalue())
    return [sample.data for sample in group]


@pytest.mark.parametrize("name", ["intel_car_detection.mp4", "junction_motorcycles_b.mp4", "empty_room_light_on.mp4"])
def test_players_read_it(name: str, clips_dir: Path, tmp_path: Path) -> None:
    """Baseline, High with reordered pictures, an odd size: PyAV gets the same packets, ffprobe the same pictures."""
    out = tmp_path / "out.mp4"
    packets = remux(clips_dir / name, out)
    with av.open(str(out)) as container:
        assert [bytes(packet) for packet in container.demux(video=0) if packet.size] == packets
    probe = subprocess.run(
        ["ffprobe", "-v", "error", "-count_frames", "-of", "json", "-show_streams", str(out)],
        capture_output=True,
        check=True,
        text=True,
    )
    assert probe.stderr == "", "no decoder complains"
    stream = json.loads(probe.stdout)["streams"][0]
    assert int(stream["nb_read_frames"]) == len(packets)
    with out.open("rb") as file:
        found = scan(file)
        assert (stream["width"], stream["height"]) == (found.track.width_px, found.track.height_px)
        assert [s.data for item in found.fragments for _, s in read_samples(file, item)] == packets
        second = found.fragments[1].offset_bytes
        assert list(scan_from(file, second)) == list(found.fragments[1:])
        part = scan(FileSource(file, size_bytes=second + 10))
        assert len(part.fragments) == 1


def test_foreign_fragments_are_read_too(clips_dir: Path, tmp_path: Path) -> None:
    """FFmpeg's own fragments use defaults and first-sample flags, ours do not."""
    out = tmp_path / "foreign.mp4"
    command = ["ffmpeg", "-v", "error", "-i", str(clips_dir / "intel_car_detection.mp4"), "-c", "copy", "-an"]
    flags = "frag_keyframe+empty_moov+default_base_moof"
    subprocess.run([*command, "-movflags", flags, str(out)], check=True)
    with av.open(str(out)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    with out.open("rb") as file:
        found = scan(file)
        assert [s.data for item in found.fragments for _, s in read_samples(file, item)] == packets
        assert all(item.is_key_first for item in found.fragments)


def test_a_damaged_head_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataLoss):
        scan(b"")
    with pytest.raises(DataLoss):
        scan(struct.pack(">I4s", 16, b"ftyp") + bytes(8))

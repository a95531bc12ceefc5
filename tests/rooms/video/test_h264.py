"""NAL units and parameter sets, against real clips and against PyAV's decoder."""

from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.platform.errors import Invalid
from safecity.video import fmp4, h264, hevc
from safecity.video.bits import BitReader

nals = st.lists(
    st.binary(min_size=1, max_size=40).filter(
        lambda nal: b"\0\0\1" not in nal and b"\0\0\0" not in nal and nal[-1] != 0
    ),
    max_size=6,
)


@settings(deadline=None)
@given(nals)
def test_annex_b_and_lengths_hold_the_same(units: list[bytes]) -> None:
    stream = b"".join((b"\0\0\0\1" if number % 2 else b"\0\0\1") + nal for number, nal in enumerate(units))
    assert h264.split_annex_b(stream) == units
    assert list(h264.split_length_prefixed(h264.to_length_prefixed(units))) == units


def test_lengths_that_do_not_fit_are_refused() -> None:
    for data in (b"\0\0\0\5abc", b"\0\0"):
        with pytest.raises(Invalid):
            list(h264.split_length_prefixed(data))


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_a_hostile_parameter_set_is_refused_or_sane(body: bytes) -> None:
    for head, parse in ((b"\x67", h264.parse_sps), (b"\x42\x01", hevc.parse_sps)):
        try:
            sps = parse(head + body)
        except Invalid:
            continue
        assert 0 < sps.width_px <= h264.MAX_SIDE_PX
        assert 0 < sps.height_px <= h264.MAX_SIDE_PX


@settings(deadline=None)
@given(st.integers(0, 2**20))
def test_exp_golomb(number: int) -> None:
    code = bin(number + 1)[2:]
    text = "0" * (len(code) - 1) + code
    padded = text.ljust(-(-len(text) // 8) * 8, "1")
    assert BitReader(int(padded, 2).to_bytes(len(padded) // 8)).ue() == number


def test_real_parameter_sets(clips_dir: Path) -> None:
    for clip in sorted(clips_dir.glob("*.mp4")):
        with av.open(str(clip)) as container:
            context = container.streams.video[0].codec_context
            record = bytes(context.extradata or b"")
            rate = container.streams.video[0].average_rate
            size = (context.width, context.height)
        sets = h264.parameter_sets_of(record)
        sps = h264.parse_sps(sets[0])
        assert (sps.width_px, sps.height_px) == size
        assert sps.frames_per_s in (None, pytest.approx(float(rate or 0), rel=0.05))
        ours = h264.configuration_record(sets)
        assert h264.parameter_sets_of(ours) == sets
        assert ours[: len(record)] == record[: len(ours)], "the same avcC that the file's own muxer wrote"


def test_a_stream_without_parameter_sets_is_refused() -> None:
    with pytest.raises(Invalid):
        h264.configuration_record([b"\x68\xeb"])
    with pytest.raises(Invalid):
        hevc.configuration_record([])


def make_hevc(folder: Path) -> tuple[bytes, list[bytes]]:
    """A short H.265 clip; (hvcC, packets)."""
    path = folder / "h265.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx265", rate=10, options={"preset": "ultrafast", "x265-params": "log-level=0"})
        stream.width, stream.height, stream.pix_fmt = 320, 184, "yuv420p"
        for _ in range(12):
            container.mux(stream.encode(av.VideoFrame(320, 184, "yuv420p")))
        container.mux(stream.encode())
    with av.open(str(path)) as container:
        record = bytes(container.streams.video[0].codec_context.extradata or b"")
        return record, [bytes(packet) for packet in container.demux(video=0) if packet.size]


def test_hevc_is_stored_too(tmp_path: Path) -> None:
    record, packets = make_hevc(tmp_path)
    sets = hevc.parameter_sets_of(record)
    wanted = [nal for nal in sets if hevc.nal_type(nal) in (32, 33, 34)]
    sps = hevc.parse_sps(next(nal for nal in sets if hevc.nal_type(nal) == 33))
    assert (sps.width_px, sps.height_px) == (320, 184)
    assert hevc.configuration_record(wanted)[:13] == record[:13]
    header = fmp4.StreamHeader(
        codec="hevc",
        codec_string=fmp4.codec_string("hevc", wanted),
        width_px=320,
        height_px=184,
        parameter_sets=tuple(wanted),
        session=1,
    )
    assert header.codec_string.startswith("hvc1.1.6.L")
    group = [fmp4.Sample(data=data, duration_ticks=9000, is_key=number == 0) for number, data in enumerate(packets)]
    out = tmp_path / "ours.mp4"
    out.write_bytes(fmp4.init_segment(header) + b"".join(fmp4.fragment(1, 0, samples=group)))
    with av.open(str(out)) as container:
        assert container.streams.video[0].codec_context.name == "hevc"
        assert sum(1 for _ in container.decode(video=0)) == 12

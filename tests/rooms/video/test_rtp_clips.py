"""Against the peer: what our server packetises of real clips comes out of our reader as PyAV demuxes it."""

import random
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext

from safecity.video import h264
from safecity.video.rtsp.pictures import Picture, PictureBuilder
from safecity.virtual.elementary import Elementary, load_elementary
from safecity.virtual.rtsp.packets import FRAME_BYTES, fill_in, packetise
from tests.rooms.video.rtp_senders import Sender, aggregate, feed, fragments, media

CLIPS = ["toll_gate_b.mp4", "motorway.mp4", "intel_car_detection.mp4", "tfl/00001.07450.mp4"]
SETS = {7, 8}


def _packets(source: Elementary, *, first: int) -> list[bytes]:
    """The RTP packets that a virtual camera sends, its interleaving taken off."""
    out: list[bytes] = []
    for block in packetise(source).blocks:
        sequence = first + len(out) & 0xFFFF
        ticks = 0xFFFF_0000 + block.ticks & 0xFFFF_FFFF
        raw = bytes(fill_in(block, channel=0, sequence=sequence, timestamp=ticks, ssrc=7))
        ends = [*block.offsets[1:], len(raw)]
        out += [raw[start + FRAME_BYTES : end] for start, end in zip(block.offsets, ends, strict=True)]
    return out


@pytest.mark.parametrize("clip", CLIPS)
def test_a_clip_comes_through_byte_for_byte(clips_dir: Path, clip: str) -> None:
    source = load_elementary(clips_dir / clip)
    with av.open(str(clips_dir / clip)) as container:
        demuxed = [bytes(one) for one in container.demux(container.streams.video[0]) if one.size]
    builder = PictureBuilder(media())
    pictures = feed(builder, _packets(source, first=65_000))
    assert (builder.lost_packets, builder.broken_pictures, builder.malformed_packets) == (0, 0, 0)
    assert len(pictures) == len(demuxed)
    assert all(picture.is_whole and picture.has_first_slice for picture in pictures)
    assert [picture.is_key for picture in pictures] == [one.is_key for one in source.pictures]
    for picture, raw in zip(pictures, demuxed, strict=True):
        got = [nal for nal in h264.split_length_prefixed(picture.data) if nal[0] & 0x1F not in SETS]
        wanted = [nal for nal in h264.split_length_prefixed(raw) if nal[0] & 0x1F not in SETS | {9}]
        assert got == wanted
    first = list(h264.split_length_prefixed(pictures[0].data))
    assert tuple(nal for nal in first if nal[0] & 0x1F in SETS) == source.parameter_sets


def test_a_clip_comes_through_however_it_is_packed(clips_dir: Path) -> None:
    source = load_elementary(clips_dir / CLIPS[0])
    chance = random.Random(4)
    sender, packets, wanted = Sender(), [], []
    for picture in source.pictures[:120]:
        nals = [*source.parameter_sets, *picture.nals] if picture.is_key else list(picture.nals)
        payloads: list[bytes] = []
        while nals:
            small = [nal for nal in nals[: chance.randint(1, 4)] if len(nal) < 9000]
            if len(small) > 1 and chance.random() < 0.6:
                payloads.append(aggregate(small))
                wanted += small
                del nals[: len(small)]
            else:
                wanted.append(nals[0])
                payloads += fragments(nals.pop(0), chance.choice([40, 500, 1400, 60_000]))
        packets += sender.picture(payloads, picture.ticks)
    pictures = feed(PictureBuilder(media()), packets)
    assert len(pictures) == 120
    assert [nal for one in pictures for nal in h264.split_length_prefixed(one.data)] == wanted


def _encode_hevc(count: int) -> list[list[bytes]]:
    try:
        encoder = VideoCodecContext.create("libx265", "w")
    except av.error.FFmpegError:
        pytest.skip("this PyAV has no libx265")
    encoder.width, encoder.height, encoder.pix_fmt = 320, 192, "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {"preset": "ultrafast", "x265-params": "keyint=5:bframes=0:aud=1:repeat-headers=1:log-level=0"}
    noise = np.random.default_rng(1)
    packets = []
    for at in range(count):
        picture = av.VideoFrame.from_ndarray(noise.integers(0, 255, (288, 320), np.uint8), format="yuv420p")
        picture.pts = at
        packets += encoder.encode(picture)
    packets += encoder.encode(None)
    return [h264.split_annex_b(bytes(packet)) for packet in packets]


def test_h265_comes_through_byte_for_byte() -> None:
    pictures = _encode_hevc(12)
    assert len(pictures) == 12
    sender, packets = Sender(), []
    for at, nals in enumerate(pictures):
        small = [nal for nal in nals if len(nal) < 200]
        large = [nal for nal in nals if len(nal) >= 200]
        payloads = [aggregate(small, "hevc")] if len(small) > 1 else small
        payloads += [one for nal in large for one in fragments(nal, 1400, "hevc")]
        packets += sender.picture(payloads, at * 3600)
    got: list[Picture] = feed(PictureBuilder(media("hevc")), packets)
    kept = [[nal for nal in nals if nal[0] >> 1 != 35] for nals in pictures]
    assert any(len(nals) > len(some) for nals, some in zip(pictures, kept, strict=True))  # delimiters were there
    assert [list(h264.split_length_prefixed(one.data)) for one in got] == kept
    assert [one.is_key for one in got] == [any(16 <= nal[0] >> 1 <= 23 for nal in nals) for nals in kept]
    assert any(one.is_key for one in got)
    assert all(one.is_whole for one in got)

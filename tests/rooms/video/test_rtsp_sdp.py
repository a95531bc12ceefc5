"""Descriptions as cameras write them: what is taken, what is forgiven, what is refused and why."""

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.platform.errors import Problem
from safecity.video.reader import CAUSES
from safecity.video.rtsp.media import VideoMedia
from safecity.video.rtsp.sdp import MAX_DESCRIPTION_BYTES, parse_sdp

BASE = "rtsp://10.0.0.7/live/"
SPS, PPS = bytes.fromhex("674d0028e900a00b7420"), bytes.fromhex("68ce3c80")
VPS5, SPS5, PPS5 = b"\x40\x01\x0c\x01\xff", b"\x42\x01\x01\x01\x60", b"\x44\x01\xc1\x73"


def coded(*nals: bytes) -> str:
    return ",".join(base64.b64encode(nal).decode() for nal in nals)


def parse(*lines: str, base: str = BASE, end: str = "\r\n") -> VideoMedia:
    return parse_sdp(end.join(("v=0", "o=- 0 0 IN IP4 0.0.0.0", *lines, "")).encode(), base_url=base)


H264 = ("m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000")


def refused(*lines: str) -> Problem:
    with pytest.raises(Problem) as caught:
        parse(*lines)
    assert caught.value.code in CAUSES
    return caught.value


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", " \r\n\r\n"])
def test_h264(end: str) -> None:
    media = parse(
        "s=cam",
        "a=control:*",
        "m=audio 0 RTP/AVP 8",
        "a=control:track1",
        "m=video 0 RTP/AVP 97",
        f"a=fmtp:97 profile-level-id=4D0028; packetization-mode=1;sprop-parameter-sets={coded(SPS, PPS)}",
        "a=rtpmap:97 H264/90000",
        "a=control:track2",
        "m=application 0 RTP/AVP 107",
        "a=control:track3",
        end=end,
    )
    assert media == VideoMedia(
        control_url=BASE + "track2",
        codec="h264",
        payload_type=97,
        clock_rate_hz=90_000,
        parameter_sets=(SPS, PPS),
        packetization_mode=1,
        aggregate_url=BASE,
    )


def test_h265() -> None:
    fmtp = f"sprop-vps={coded(VPS5)}; sprop-sps={coded(SPS5)}; sprop-pps={coded(PPS5)}; sprop-max-don-diff=0"
    media = parse("m=video 0 RTP/AVP 98", "a=rtpmap:98 H265/90000", f"a=fmtp:98 {fmtp}")
    assert (media.codec, media.parameter_sets, media.packetization_mode) == ("hevc", (VPS5, SPS5, PPS5), 0)


@pytest.mark.parametrize(
    ("lines", "codec", "payload_type", "sets"),
    [
        (("M=VIDEO 0 rtp/avp 96", "A=RTPMAP:96 h264/90000"), "h264", 96, ()),
        (("m = video 0 RTP/AVP 96", "a = rtpmap: 96  HEVC/90000/1"), "hevc", 96, ()),
        (("a=rtpmap:96 H264/90000", "m=video 0 RTP/AVP 96"), "h264", 96, ()),
        (("m=video 0 RTP/AVP 35", f"a=fmtp:35 sprop-parameter-sets={coded(SPS)}"), "h264", 35, (SPS,)),
        (("m=video 0 RTP/AVP 35", f"a=fmtp:35 sprop-sps={coded(SPS5)}"), "hevc", 35, (SPS5,)),
        (("m=video 0 RTP/AVP 26 96", "a=rtpmap:96 H264/90000"), "h264", 96, ()),
        (("m=video 0 RTP/AVP 26", *H264), "h264", 96, ()),
        (("m=video 49170/2 RTP/AVP/TCP 96", "a=rtpmap:96 H264"), "h264", 96, ()),
        (
            (*H264, f"a=fmtp:96 sprop-parameter-sets={coded(b'x' * 9, b'', SPS)},%%%,{coded(PPS)[:-2]}"),
            "h264",
            96,
            None,
        ),
        (
            (*H264, f"a=fmtp:96 sprop-parameter-sets={coded(bytes(3) + bytes((1,)) + SPS + bytes(2))}"),
            "h264",
            96,
            (SPS,),
        ),
        ((*H264, "a=fmtp:96 packetization-mode=what;=;;sprop-parameter-sets"), "h264", 96, ()),
    ],
)
def test_what_is_forgiven(
    lines: tuple[str, ...], codec: str, payload_type: int, sets: tuple[bytes, ...] | None
) -> None:
    media = parse(*lines)
    assert (media.codec, media.payload_type) == (codec, payload_type)
    assert media.parameter_sets == sets if sets is not None else SPS in media.parameter_sets


@pytest.mark.parametrize(("told", "clock"), [("90000", 90_000), ("45000", 45_000), ("0", 90_000), ("9" * 12, 90_000)])
def test_the_clock(told: str, clock: int) -> None:
    assert parse("m=video 0 RTP/AVP 96", f"a=rtpmap:96 H264/{told}").clock_rate_hz == clock


@pytest.mark.parametrize(
    ("session", "media", "control", "aggregate"),
    [
        (None, None, BASE, BASE),
        ("*", "trackID=1", BASE + "trackID=1", BASE),
        (None, "rtsp://10.1.1.1/x/track", "rtsp://10.1.1.1/x/track", BASE),
        ("rtsp://10.0.0.7/other", "t", "rtsp://10.0.0.7/other/t", "rtsp://10.0.0.7/other"),
        (None, "rtsp://u:sesame@h/t", "rtsp://h/t", BASE),
        (None, "t" * 9000, BASE, BASE),
    ],
)
def test_control_addresses(session: str | None, media: str | None, control: str, aggregate: str) -> None:
    first = [f"a=control:{session}"] if session else []
    last = [f"a=control:{media}"] if media else []
    found = parse(*first, *H264, *last)
    assert (found.control_url, found.aggregate_url) == (control, aggregate)


@pytest.mark.parametrize(
    ("lines", "code", "word"),
    [
        ((), "video.no_picture", "no video"),
        (("m=audio 0 RTP/AVP 0",), "video.no_picture", "no video"),
        (("m=video 0 RTP/AVP 26",), "video.codec_unknown", "JPEG"),
        (("m=video 0 RTP/AVP 96", "a=rtpmap:96 MP4V-ES/90000"), "video.codec_unknown", "MP4V-ES"),
        (("m=video 0 RTP/AVP 99",), "video.codec_unknown", "payload type 99"),
        (("m=video 0 RTP/AVP",), "video.codec_unknown", "does not name"),
        (("m=video 0 RTP/SAVP 96", "a=rtpmap:96 H264/90000"), "video.codec_unknown", "SRTP"),
        ((*H264, "a=fmtp:96 packetization-mode=2"), "video.codec_unknown", "out of order"),
        (
            ("m=video 0 RTP/AVP 96", "a=rtpmap:96 H265/90000", "a=fmtp:96 sprop-max-don-diff=1"),
            "video.codec_unknown",
            "out of order",
        ),
    ],
)
def test_what_is_refused_is_named(lines: tuple[str, ...], code: str, word: str) -> None:
    problem = refused(*lines)
    assert (problem.code, word in problem.message) == (code, True)


@pytest.mark.parametrize("text", [b"", b"<html>no</html>", b"\0" * 100, b"v=0\n" * MAX_DESCRIPTION_BYTES])
def test_what_is_no_description(text: bytes) -> None:
    with pytest.raises(Problem) as caught:
        parse_sdp(text, base_url=BASE)
    assert caught.value.code == "video.unreadable"


words = st.sampled_from(
    [
        "v=0",
        "m=video 0 RTP/AVP 96",
        "m=",
        "a=",
        "a=rtpmap:96 H264/90000",
        "a=fmtp:96 ",
        "sprop-parameter-sets=",
        "=",
        ";",
        "a=control:",
        "\r\n",
        "\n",
        ",",
        "Z00AKA==",
        "/",
        "rtsp://",
        "96",
        ":",
        "\x00",
        "é",
        "[",
        "H265",
        "@",
    ]
)


@given(st.lists(words | st.text(max_size=8), max_size=60))
def test_any_text_is_a_description_or_a_problem(parts: list[str]) -> None:
    try:
        media = parse_sdp("".join(parts).encode(), base_url=BASE)
    except Problem as problem:
        known = problem.code in CAUSES
        assert known
        return
    assert media.control_url.startswith("rtsp")
    assert media.control_url.isprintable()
    assert all(media.parameter_sets)


def test_the_worst_description_takes_no_time() -> None:
    formats = " ".join(["99"] * 10_000)
    began = time.process_time()
    with pytest.raises(Problem):
        parse_sdp(
            f"v=0\nm=video 0 RTP/AVP {formats}\n{'a=fmtp:98 x' * 2_000}"[:MAX_DESCRIPTION_BYTES].encode(), base_url=BASE
        )
    with pytest.raises(Problem):
        parse_sdp(("m=video 0 x " + "9 " * 20 + "\n" + "a=b:9\n" * 130).encode() * 60, base_url=BASE)
    assert time.process_time() - began < 1.0

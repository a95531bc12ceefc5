"""The protocol's parts by themselves: bytes in, values out, nothing hostile gets through."""

import hashlib
import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.virtual.elementary import Codec, Elementary, Picture
from safecity.virtual.rtsp.digest import NONCE_LIFE_S, Credentials, DigestGuard, Verdict, read_parameters
from safecity.virtual.rtsp.handlers import read_target
from safecity.virtual.rtsp.messages import MAX_HEAD_BYTES, Malformed, Request, take_request
from safecity.virtual.rtsp.packets import MAX_PAYLOAD_BYTES, aggregate, fill_in, packetise
from safecity.virtual.rtsp.rtcp import ntp_timestamp, read_receiver_report, sender_report
from safecity.virtual.rtsp.sdp import describe
from safecity.virtual.rtsp.transports import Interleaved, Unicast, choose_transport

ME = Credentials(user="operator", password="secret")


# Messages


@given(st.binary(max_size=400))
def test_no_bytes_make_the_reader_raise(data: bytes) -> None:
    assert isinstance(take_request(bytearray(data)), Request | Malformed | None)


@given(
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", min_size=1, max_size=20),
    st.dictionaries(st.text("abcxyz-", min_size=1, max_size=12), st.text("abc ;=,/", max_size=30), max_size=10),
    st.binary(max_size=100),
)
def test_a_request_is_read_as_it_was_written(method: str, headers: dict[str, str], body: bytes) -> None:
    lines = [f"{method} rtsp://h/a/main RTSP/1.0", *(f"{name}: {value}" for name, value in headers.items())]
    raw = bytearray("\r\n".join([*lines, f"Content-Length: {len(body)}"]).encode() + b"\r\n\r\n" + body + b"NEXT")
    found = take_request(raw)
    assert isinstance(found, Request)
    assert (found.method, found.body, raw) == (method, body, b"NEXT")
    assert all(found.headers[name] == value.strip() for name, value in headers.items())


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"PLAY  rtsp://x RTSP/1.0\r\n\r\n", 400),
        (b"PLAY rtsp://x RTSP/1.0\r\nno colon\r\n\r\n", 400),
        (b"PLAY rtsp://x RTSP/1.0\r\nContent-Length: -1\r\n\r\n", 400),
        (b"PLAY rtsp://x RTSP/1.0\r\nContent-Length: 999999999\r\n\r\n", 413),
        (b"PLAY rtsp://x RTSP/1.0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"PLAY rtsp://x RTSP/1.0\r\n" + b"A: b\r\n" * 65 + b"\r\n", 400),
        (b"A" * MAX_HEAD_BYTES, 413),
    ],
)
def test_what_is_no_request_is_named(raw: bytes, status: int) -> None:
    found = take_request(bytearray(raw))
    assert isinstance(found, Malformed)
    assert found.status == status


def test_half_a_request_waits() -> None:
    assert take_request(bytearray(b"PLAY rtsp://x RTSP/1.0\r\nCSeq: 1\r\n")) is None
    assert take_request(bytearray(b"PLAY rtsp://x RTSP/1.0\r\nContent-Length: 4\r\n\r\nabc")) is None


@given(st.text(max_size=200))
def test_no_url_makes_the_reader_raise(url: str) -> None:
    read_target(url)


def test_a_url_names_mount_and_stream() -> None:
    for url in (
        "rtsp://h:1/cam/main",
        "rtsp://u:p@h/cam/main/",
        "rtsp://h/cam/main/trackID=0",
        "RTSP://h/cam/main?x=1",
    ):
        found = read_target(url)
        assert found
        assert (found.mount, found.profile) == ("cam", "main")
    assert read_target("http://h/cam/main") is None
    assert read_target("rtsp://[bad/cam/main") is None
    deep = read_target("rtsp://h/a/b/c")
    assert deep
    assert deep.mount == ""


# Digest


def authorize(guard: DigestGuard, challenge: str, *, method: str = "PLAY", **changed: str) -> str:
    """What a client makes of a challenge, written here from RFC 7616 and not with our own code."""
    told = read_parameters(challenge)
    assert told
    uri = changed.get("uri", "rtsp://h/cam/main")
    new = hashlib.sha256 if told["algorithm"] == "SHA-256" else hashlib.md5
    h = lambda text: new(text.encode()).hexdigest()  # noqa: E731
    user, password = changed.get("user", ME.user), changed.get("password", ME.password)
    nc, cnonce = changed.get("nc", "00000001"), "0a4f113b"
    first, second = h(f"{user}:{guard.realm}:{password}"), h(f"{method}:{uri}")
    nonce = changed.get("nonce", told["nonce"])
    response = h(f"{first}:{nonce}:{nc}:{cnonce}:auth:{second}")
    return (
        f'Digest username="{user}", realm="{guard.realm}", nonce="{nonce}", uri="{uri}", '
        f'algorithm={told["algorithm"]}, qop=auth, nc={nc}, cnonce="{cnonce}", response="{response}"'
    )


def judge(guard: DigestGuard, header: str, now_s: float = 1.0, method: str = "PLAY") -> Verdict:
    return guard.judge(header, method=method, target="rtsp://h/cam/main", credentials=ME, now_s=now_s)


@pytest.mark.parametrize("which", [0, 1])
def test_the_right_password_is_accepted_in_both_algorithms(which: int) -> None:
    guard = DigestGuard("r")
    challenge = guard.challenges(0.0)[which]
    assert judge(guard, authorize(guard, challenge)) is Verdict.ACCEPTED


def test_without_qop_as_rfc_2069_cameras_do() -> None:
    guard = DigestGuard("r")
    nonce = guard.make_nonce(0.0)
    h = lambda text: hashlib.md5(text.encode()).hexdigest()  # noqa: E731
    response = h(f"{h('operator:r:secret')}:{nonce}:{h('PLAY:rtsp://h/cam/main')}")
    header = f'Digest username="operator", realm="r", nonce="{nonce}", uri="rtsp://h/cam/main", response="{response}"'
    assert judge(guard, header) is Verdict.ACCEPTED


@pytest.mark.parametrize(
    "changed", [{"password": "wrong"}, {"user": "other"}, {"uri": "rtsp://h/other/main"}, {"nc": "zzzzzzzz"}]
)
def test_anything_wrong_is_refused(changed: dict[str, str]) -> None:
    guard = DigestGuard("r")
    assert judge(guard, authorize(guard, guard.challenges(0.0)[1], **changed)) is Verdict.REFUSED


def test_a_response_holds_for_its_method_only() -> None:
    guard = DigestGuard("r")
    assert judge(guard, authorize(guard, guard.challenges(0.0)[1]), method="TEARDOWN") is Verdict.REFUSED


def test_nonces_run_out_cannot_be_made_up_and_are_not_replayed() -> None:
    guard = DigestGuard("r")
    challenge = guard.challenges(0.0)[1]
    assert judge(guard, authorize(guard, challenge), now_s=NONCE_LIFE_S + 1) is Verdict.STALE
    assert judge(guard, authorize(guard, challenge, nonce="0.abc.def")) is Verdict.STALE
    foreign = DigestGuard("r").make_nonce(0.0)
    assert judge(guard, authorize(guard, challenge, nonce=foreign)) is Verdict.STALE
    once = authorize(guard, challenge)
    assert judge(guard, once) is Verdict.ACCEPTED
    assert judge(guard, once) is Verdict.STALE
    assert judge(guard, authorize(guard, challenge, nc="00000002")) is Verdict.ACCEPTED


@given(st.text(max_size=300))
def test_no_header_makes_the_guard_raise(header: str) -> None:
    assert judge(DigestGuard("r"), "Digest " + header) is Verdict.REFUSED


# Transport


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("RTP/AVP/TCP;unicast;interleaved=2-3", Interleaved(channel=2)),
        ("RTP/AVP/TCP;unicast", Interleaved(channel=0)),
        ("RTP/AVP;unicast;client_port=5000-5001", Unicast(rtp_port=5000, rtcp_port=5001)),
        ("RTP/AVP/UDP;unicast;client_port=5000;mode=play", Unicast(rtp_port=5000, rtcp_port=5001)),
        ("RTP/AVP;multicast, RTP/AVP/TCP;interleaved=0-1", Interleaved(channel=0)),
        ("RTP/AVP;multicast", None),
        ("RTP/AVP;unicast;destination=9.9.9.9;client_port=5000-5001", None),
        ("RTP/AVP;unicast;client_port=53-54", None),
        ("RTP/SAVP;unicast;client_port=5000-5001", None),
        ("RTP/AVP/TCP;interleaved=255-256", None),
        ("RTP/AVP/TCP;mode=record", None),
        ("", None),
    ],
)
def test_transport(header: str, chosen: object) -> None:
    assert choose_transport(header, peer="1.2.3.4") == chosen


@given(st.text(max_size=200))
def test_no_transport_header_makes_the_reader_raise(header: str) -> None:
    choose_transport(header, peer="1.2.3.4")


# RTP payloads: taken apart again by the RFCs' receiving rules


def reassemble(payloads: list[bytes], codec: Codec) -> list[bytes]:
    nals: list[bytes] = []
    for payload in payloads:
        head = 1 if codec == "h264" else 2
        kind = payload[0] & 0x1F if codec == "h264" else payload[0] >> 1 & 0x3F
        if kind in (24, 48) and kind == (24 if codec == "h264" else 48):
            at = head
            while at < len(payload):
                size = int.from_bytes(payload[at : at + 2], "big")
                nals.append(payload[at + 2 : at + 2 + size])
                at += 2 + size
        elif kind == (28 if codec == "h264" else 49):
            mark = payload[head]
            if mark & 0x80:
                first = (
                    bytes([payload[0] & 0xE0 | mark & 0x1F])
                    if codec == "h264"
                    else bytes([payload[0] & 0x81 | (mark & 0x3F) << 1, payload[1]])
                )
                nals.append(first)
            nals[-1] += payload[head + 1 :]
        else:
            nals.append(payload)
    return nals


def nals_of(codec: Codec) -> st.SearchStrategy[bytes]:
    heads = st.sampled_from([b"\x65", b"\x41", b"\x06"] if codec == "h264" else [b"\x26\x01", b"\x02\x01", b"\x4e\x01"])
    body = st.one_of(
        st.binary(min_size=1, max_size=64),
        st.integers(MAX_PAYLOAD_BYTES - 6, MAX_PAYLOAD_BYTES * 3 + 5).map(
            lambda size: bytes(i & 0xFF for i in range(size))
        ),
    )
    return st.builds(lambda head, rest: head + rest, heads, body)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@given(data=st.data())
def test_packets_carry_the_pictures_unchanged(codec: Codec, data: st.DataObject) -> None:
    nals = tuple(data.draw(st.lists(nals_of(codec), min_size=1, max_size=4)))
    sets = (b"\x67\x42\x00\x1e", b"\x68\xce") if codec == "h264" else (b"\x40\x01a", b"\x42\x01b", b"\x44\x01c")
    stream = Elementary(
        codec=codec,
        width_px=16,
        height_px=16,
        parameter_sets=sets,
        pictures=(Picture(nals=nals, ticks=0, is_key=True),),
        duration_ticks=6000,
    )
    block = packetise(stream).blocks[0]
    sequence = data.draw(st.integers(0, 65535))
    filled = bytes(fill_in(block, channel=4, sequence=sequence, timestamp=0xFFFFFFFE, ssrc=7))
    payloads: list[bytes] = []
    at = 0
    while at < len(filled):
        magic, channel, size = struct.unpack_from(">BBH", filled, at)
        version, mark, number, timestamp, ssrc = struct.unpack_from(">BBHII", filled, at + 4)
        assert (magic, channel, version, timestamp, ssrc) == (0x24, 4, 0x80, 0xFFFFFFFE, 7)
        assert number == (sequence + len(payloads)) & 0xFFFF
        at += 4 + size
        assert mark == (96 | 0x80 if at == len(filled) else 96)
        payloads.append(filled[at - size + 12 : at])
        assert 0 < len(payloads[-1]) <= MAX_PAYLOAD_BYTES
    assert reassemble(payloads, codec) == [*sets, *nals]
    assert block.octets == sum(map(len, payloads))


def test_parameter_sets_go_in_one_packet() -> None:
    assert len(list(aggregate((b"\x67\x42", b"\x68\xce"), "h264"))) == 1


# RTCP


def test_a_sender_report_says_when() -> None:
    instant = datetime(2026, 1, 31, 12, 0, 0, 250_000, tzinfo=UTC)
    packet = sender_report(ssrc=1, captured_at=instant, rtp_timestamp=2, packets=3, octets=4, name="cam-001/main")
    head, kind, words, ssrc, ntp, rtp, packets, octets = struct.unpack_from(">BBHIQIII", packet)
    assert (head, kind, words, ssrc, rtp, packets, octets) == (0x80, 200, 6, 1, 2, 3, 4)
    assert (ntp >> 32) - 2_208_988_800 == int(instant.timestamp())
    assert (ntp & 0xFFFFFFFF) / 2**32 == pytest.approx(0.25)
    assert len(packet) % 4 == 0
    assert packet[28:30] == b"\x81\xca"
    assert b"cam-001/main" in packet


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2060, 1, 1)))  # noqa: DTZ001 - made aware below
def test_ntp_time_rises_with_time_until_it_wraps(naive: datetime) -> None:
    assert 0 <= ntp_timestamp(naive.replace(tzinfo=UTC)) < 1 << 64


@given(st.binary(max_size=200))
def test_no_report_makes_the_reader_raise(data: bytes) -> None:
    read_receiver_report(data)


def test_a_receiver_report_is_read() -> None:
    block = struct.pack(">IIIIII", 1, 64 << 24 | 12, 99, 5, 0, 0)
    found = read_receiver_report(struct.pack(">BBHI", 0x81, 201, 7, 9) + block)
    assert found
    assert (found.lost_share, found.lost_packets, found.jitter_ticks) == (0.25, 12, 5)


def test_the_sdp_holds_what_a_player_needs() -> None:
    stream = Elementary(
        codec="h264",
        width_px=64,
        height_px=36,
        parameter_sets=(b"\x67\x42\x00\x1e", b"\x68\xce"),
        pictures=(Picture(nals=(b"\x65",), ticks=0, is_key=True),),
        duration_ticks=6000,
    )
    text = describe(stream, session=1, host="::1", title="cam/main").decode()
    for line in ("m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", "a=framerate:15.000", "a=control:trackID=0"):
        assert line in text.split("\r\n")
    assert "sprop-parameter-sets=Z0IAHg==,aM4=" in text
    assert "profile-level-id=42001E" in text
    assert "IN IP6 ::1" in text

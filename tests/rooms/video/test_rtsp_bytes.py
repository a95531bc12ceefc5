"""The bytes of a connection: cut at any byte, hostile, and once over a real socket."""

import itertools
import random
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from safecity.platform.errors import Denied, Problem
from safecity.video.rtsp.dialogue import MAX_OUTPUT_BYTES
from safecity.video.rtsp.session import MAX_NOISE_BYTES, RtspSession
from safecity.virtual.faults import FaultKind
from tests.rooms.video.rig import USER, VirtualCameras
from tests.rooms.video.rtsp_camera import (
    CHALLENGE,
    SDP,
    SIGNED_URL,
    URL,
    Asked,
    Camera,
    Heard,
    check,
    converse,
    feed,
    packet,
    play,
    read_requests,
    rtp,
)

# Cut anywhere, and hostile


def transcript() -> bytes:
    """What a camera sends once it plays: packets, reports, requests, noise, an unknown channel, a long packet."""
    rng = random.Random(4)
    return b"".join(
        (
            packet(0, rtp(1)),
            b"\r\n",
            packet(1, bytes((0x80, 200)) + bytes(26)),
            b"OPTIONS * RTSP/1.0\r\nCSeq: 3\r\n\r\n",
            packet(0, rtp(2, rng.randbytes(700))),
            packet(0, b""),
            packet(9, b"metadata"),
            b"noise $\x00\x00\x09noise R RTS \x24\x01 ABC def\n",
            packet(0, rtp(3)),
            b"SET_PARAMETER * RTSP/1.0\nCSeq: 4\nContent-Length: 6\n\n$$$$$$",
            b"RTSP/1.0 200 OK\r\nCSeq: 99\r\n\r\n",
            packet(0, rtp(4)),
            packet(0, rtp(5))[:-3],
        )
    )


def hear(data: bytes, cuts: list[int]) -> tuple[list[bytes], list[bytes], bytes, int, int]:
    session, heard = play(Camera())
    feed(session, data, cuts=cuts)
    return heard.rtp, heard.rtcp, session.take_output(), session.skipped_packets, session.noise_bytes


def test_a_stream_cut_at_every_byte_is_the_same_stream() -> None:
    data = transcript()
    whole = hear(data, [])
    assert [one[2:4] for one in whole[0] if one] == [bytes((0, number)) for number in (1, 2, 3, 4)]
    assert len(whole[1]) == 1
    assert whole[3] == 1
    assert whole[4] > 20
    assert hear(data, list(range(len(data)))) == whole
    for cut in range(len(data)):
        assert hear(data, [cut]) == whole


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 1200), max_size=30))
def test_a_stream_cut_by_chance_is_the_same_stream(cuts: list[int]) -> None:
    assert hear(transcript(), cuts) == hear(transcript(), [])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 700), max_size=20))
@example(list(range(700)))
def test_a_dialogue_cut_by_chance_is_the_same_dialogue(cuts: list[int]) -> None:
    def converse_in_pieces(pieces: list[int]) -> tuple[list[tuple[str, str]], object]:
        camera = Camera(
            special={
                "DESCRIBE": lambda asked: (
                    Camera().answer(asked) if "authorization" in asked.headers else asked.answer(401, CHALLENGE)
                )
            }
        )
        session = RtspSession(SIGNED_URL, at_s=0.0)
        while requests := read_requests(session.take_output()):
            for asked in requests:
                feed(session, camera.answer(asked), cuts=pieces)
        assert session.is_playing
        return [(one.method, one.url) for one in camera.seen], session.media

    assert converse_in_pieces(cuts) == converse_in_pieces([])


pieces = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"RTSP/1.0 200 OK\r\n",
            b"RTSP/1.0 401 No\r\n" + CHALLENGE.encode() + b"\r\n\r\n",
            b"RTSP/1.0 302 Go\r\nLocation: rtsp://10.0.0.7/next\r\n\r\n",
            b"CSeq: 1\r\n",
            b"Content-Length: 999999\r\n",
            b"Content-Length: 3\r\n\r\n",
            b"Session: \xff\xfe;timeout=0\r\n\r\n",
            b"Transport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n",
            b"\r\n\r\n",
            b"$\x00\xff\xff",
            b"$\x00\x00\x00",
            b"REDIRECT * RTSP/1.0\r\n",
            b"OPTIONS * RTSP/1.0\r\n\r\n",
            Asked("", "", {"cseq": "2"}).answer(200, body=SDP),
            packet(0, rtp(1)),
        ]
    ),
)


@settings(max_examples=400, deadline=2000)
@given(st.booleans(), st.lists(pieces, max_size=40))
def test_whatever_comes_it_ends_in_a_problem_or_goes_on(is_playing: bool, sent: list[bytes]) -> None:
    session = play(Camera())[0] if is_playing else RtspSession(SIGNED_URL, at_s=0.0)
    try:
        for at_s, data in enumerate(sent):
            feed(session, data, at_s=float(at_s))
            session.tick(at_s=float(at_s))
            assert len(session.take_output()) <= MAX_OUTPUT_BYTES
    except Problem as problem:
        check(problem)


HEADERS = (
    CHALLENGE,
    CHALLENGE.replace("n1", "n2") + ", stale=true",
    'WWW-Authenticate: Basic realm="x"',
    "Location: rtsp://10.0.0.7/elsewhere",
    "Location: rtsp://10.0.0.7:9/elsewhere",
    "Transport: RTP/AVP/TCP;interleaved=255-0",
    "Session: \\\x7f;timeout=0",
    "Public: GET_PARAMETER",
    "Content-Base: rtsp://[::1/\x01 \u00e9",
    "Content-Base: /a b",
    "CSeq: 0",
)
answers = st.tuples(
    st.sampled_from([200, 200, 200, 200, 302, 401, 401, 404, 454, 457, 500, 999]),
    st.lists(st.sampled_from(HEADERS), max_size=4),
    st.sampled_from([b"", SDP, SDP, b"v=0"]),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(answers, min_size=1, max_size=30))
def test_no_camera_keeps_us_talking(script: list[tuple[int, list[str], bytes]]) -> None:
    """The script is said over and over; the conversation ends all the same, each request signed twice at most."""
    turns = itertools.cycle(script)

    def say(asked: Asked) -> bytes:
        status, headers, body = next(turns)
        return asked.answer(status, *headers, body=body)

    camera = Camera(special=dict.fromkeys(("OPTIONS", "DESCRIBE", "SETUP", "PLAY"), say))
    session = RtspSession(SIGNED_URL, at_s=0.0)
    try:
        converse(session, camera, turns=60)
        playing = session.is_playing
        assert playing
    except Problem as problem:
        check(problem)
    steps = itertools.groupby(camera.seen, key=lambda one: (one.method, one.url, one.headers.get("range")))
    assert all(sum("authorization" in one.headers for one in step) <= 2 for _, step in steps)


FLOODS = {
    "a head without end": b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * 400_000,
    "a line without end": b"RTSP/1.0 200 OK\r\nX: " + b"y" * 3_000_000,
    "a first line without end": b"RTSP/1.0 " + b"2" * 3_000_000,
    "a body without end": b"RTSP/1.0 200 OK\r\nContent-Length: 9999999999\r\n\r\n" + b"y" * 3_000_000,
    "noise": random.Random(1).randbytes(3_000_000),
    "dollars": b"$" * 3_000_000,
    "letters": b"ABCDEFGHIJ KLMNOP" * 200_000,
    "blank lines": b"\r\n" * 1_500_000,
    "answers": b"RTSP/1.0 200 OK\n\n" * 150_000,
    "empty packets": b"$\x09\0\0" * 700_000,
    "reports": packet(1, bytes((0x80, 200)) + bytes(6)) * 250_000,
    "noise between packets": (b"x" + packet(0, rtp(1, b""))) * 150_000,
    "questions": b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n" * 100_000,
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())
@pytest.mark.parametrize("is_playing", [False, True], ids=["asking", "playing"])
@pytest.mark.parametrize("piece", [1400, 256 * 1024])
def test_a_flood_ends_soon_and_never_piles_up(flood: bytes, is_playing: bool, piece: int) -> None:
    session = play(Camera())[0] if is_playing else RtspSession(URL, at_s=0.0)
    began = time.process_time()
    try:
        for at in range(0, len(flood), piece):
            feed(session, flood[at : at + piece])
            held = len(session._rest) + len(session._dialogue.output)
            assert held <= MAX_NOISE_BYTES + MAX_OUTPUT_BYTES + 70_000
    except Problem as problem:
        check(problem)
    assert time.process_time() - began < 1.0


# The real thing: the virtual cameras' server over a socket, Digest on


RIGHT = "s%2Fec%3Ar%40t"


@pytest.fixture(scope="module")
def virtual(clips_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualCameras]:
    with VirtualCameras(1, [clips_dir / "toll_gate_b.mp4"], cache=tmp_path_factory.mktemp("cache")) as running:
        yield running


def read_until(
    virtual: VirtualCameras, secret: str, *, is_enough: Callable[[RtspSession, Heard], bool]
) -> tuple[RtspSession, Heard]:
    url = virtual.url(1, "sub").replace("rtsp://", f"rtsp://{USER}:{secret}@")
    session, heard = RtspSession(url, at_s=time.monotonic()), Heard()
    heard.listen(session)
    buffer = bytearray(64 * 1024)
    with socket.create_connection((session.address.host, session.address.port), timeout=5) as wire:
        while not is_enough(session, heard):
            if output := session.take_output():
                wire.sendall(output)
            size = wire.recv_into(buffer)
            assert size > 0
            session.receive(memoryview(buffer)[:size], at_s=time.monotonic())
            session.tick(at_s=time.monotonic())
        wire.sendall(session.teardown())
    return session, heard


def test_a_virtual_camera_is_read_over_a_socket(virtual: VirtualCameras) -> None:
    session, heard = read_until(virtual, RIGHT, is_enough=lambda _, heard: len(heard.rtp) >= 60)
    assert session.media is not None
    assert session.media.codec == "h264"
    assert [one[0] & 0x1F for one in session.media.parameter_sets] == [7, 8]
    numbers = [int.from_bytes(one[2:4]) for one in heard.rtp]
    assert [(after - before) & 0xFFFF for before, after in itertools.pairwise(numbers)] == [1] * (len(numbers) - 1)
    assert {one[1] & 0x7F for one in heard.rtp} == {session.media.payload_type}
    assert heard.rtcp
    assert heard.rtcp[0][1] == 200
    assert session.noise_bytes == 0


def test_a_virtual_camera_refuses_a_wrong_password_once(virtual: VirtualCameras) -> None:
    with pytest.raises(Denied) as caught:
        read_until(virtual, "wrong-secret", is_enough=lambda _, heard: bool(heard.rtp))
    assert caught.value.code == "video.unauthorised"
    assert "wrong-secret" not in caught.value.message


def test_noise_between_the_packets_costs_what_it_covers_and_no_more(virtual: VirtualCameras) -> None:
    after: list[int] = []

    def is_enough(session: RtspSession, heard: Heard) -> bool:
        if len(heard.rtp) >= 20 and not after and session.noise_bytes == 0:
            virtual.fault(1, FaultKind.GARBAGE, for_s=1.0, value="framing")
        if session.noise_bytes > 0 and not after:
            after.append(len(heard.rtp))
            virtual.clear()
        return bool(after) and len(heard.rtp) >= after[0] + 60

    session, heard = read_until(virtual, RIGHT, is_enough=is_enough)
    assert session.noise_bytes > 100
    last = [int.from_bytes(one[2:4]) for one in heard.rtp[-20:]]
    assert [(now - before) & 0xFFFF for before, now in itertools.pairwise(last)] == [1] * 19

"""The dialogue with cameras, good and odd ones: the way to the pictures, sign-in, redirects, time."""

from collections.abc import Callable

import pytest

from safecity.platform.errors import Denied, Unavailable
from safecity.video.reader import READ_TIMEOUT_S
from safecity.video.rtsp.dialogue import MAX_REDIRECTS, REQUEST_TIMEOUT_S
from safecity.video.rtsp.session import RtspSession
from tests.rooms.video.rtsp_camera import (
    CHALLENGE,
    SDP,
    SECRET,
    SIGNED_URL,
    URL,
    Asked,
    Camera,
    Heard,
    converse,
    feed,
    packet,
    play,
    read_requests,
    refused,
    rtp,
)

Answer = Callable[[Asked], bytes]


# The way to the pictures


def test_four_requests_lead_to_the_pictures() -> None:
    camera = Camera()
    session, heard = play(camera)
    assert camera.methods == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]
    assert [one.url for one in camera.seen] == [URL, URL, URL + "/trackID=1", URL + "/"]
    assert camera.last("SETUP").headers["transport"] == "RTP/AVP/TCP;unicast;interleaved=0-1"
    assert camera.last("PLAY").headers["session"] == "00ab"
    assert [one.headers["cseq"] for one in camera.seen] == ["1", "2", "3", "4"]
    assert session.media is not None
    assert (session.media.codec, session.media.payload_type) == ("h264", 96)
    feed(session, packet(0, rtp(1)) + packet(1, b"report") + packet(0, rtp(2)))
    assert heard.rtp == [rtp(1), rtp(2)]
    assert heard.rtcp == [b"report"]
    assert read_requests(session.teardown())[0].method == "TEARDOWN"


@pytest.mark.parametrize(
    ("method", "odd"),
    [
        ("OPTIONS", lambda asked: asked.answer(501)),
        ("OPTIONS", lambda asked: asked.answer(200).replace(b"\r\n", b"\n")),
        ("OPTIONS", lambda asked: b"\r\n\r\n" + asked.answer(200, "no header at all", " folded")),
        ("OPTIONS", lambda asked: b"RTSP/1.0  200   OK\r\ncSEQ:" + asked.headers["cseq"].encode() + b"\r\n \r\n"),
        ("OPTIONS", lambda asked: b"RTSP/1.0 200 OK\r\n\r\n"),
        ("OPTIONS", lambda asked: b"RTSP/1.0 100 Continue\r\n\r\n" + asked.answer(200)),
        ("OPTIONS", lambda asked: b"RTSP/1.0 200 OK\r\nCSeq: what\r\n\r\n"),
        ("DESCRIBE", lambda asked: asked.answer(200, body=SDP)),
        ("DESCRIBE", lambda asked: asked.answer(200, body=SDP).replace(b"Content-Length", b"CONTENT-length ")),
        ("DESCRIBE", lambda asked: asked.answer(200, "Content-Base: ", body=SDP.replace(b"\r\n", b"\n"))),
        ("DESCRIBE", lambda asked: asked.answer(200, body=b"\r\n" + SDP) + b"\r\n\r\n"),
        ("DESCRIBE", lambda asked: asked.answer(200, body=SDP)[:-2].replace(b"\r\n\r\n", b"\r\n\r\n\r\n", 1)),
        ("SETUP", lambda asked: asked.answer(200, "Session: 00ab ; timeout = 30")),
        ("SETUP", lambda asked: asked.answer(200, "transport: RTP/AVP/TCP;interleaved=0")),
        ("SETUP", lambda asked: asked.answer(200)),
        ("PLAY", lambda asked: asked.answer(457) if "range" in asked.headers else asked.answer(200)),
        ("PLAY", lambda asked: asked.answer(459) if "trackID" not in asked.url else asked.answer(200)),
        ("PLAY", lambda asked: packet(0, rtp(1)) + asked.answer(200)),
    ],
)
def test_odd_cameras_are_played(method: str, odd: Answer) -> None:
    session, heard = play(Camera(special={method: odd}))
    feed(session, packet(0, rtp(7)))
    assert heard.rtp[-1] == rtp(7)


@pytest.mark.parametrize(
    ("transport", "channels"),
    [("interleaved=2-3", (2, 3)), ("interleaved=8-5", (8, 5)), ("interleaved=300-301", (0, 1)), ("", (0, 1))],
)
def test_the_camera_chooses_the_channels(transport: str, channels: tuple[int, int]) -> None:
    session, heard = play(
        Camera(special={"SETUP": lambda asked: asked.answer(200, f"Transport: RTP/AVP/TCP;{transport}", "Session: 1")})
    )
    feed(session, packet(channels[0], rtp(1)) + packet(channels[1], b"report") + packet(99, rtp(3)))
    assert (heard.rtp, heard.rtcp, session.skipped_packets) == ([rtp(1)], [b"report"], 1)


def test_one_channel_for_both_kinds() -> None:
    setup = {"SETUP": lambda asked: asked.answer(200, "Transport: RTP/AVP/TCP;interleaved=4-4", "Session: 1")}
    session, heard = play(Camera(special=setup))
    report = bytes((0x80, 200)) + bytes(26)
    feed(session, packet(4, rtp(1)) + packet(4, report))
    assert (heard.rtp, heard.rtcp) == ([rtp(1)], [report])


def test_a_camera_that_sends_on_another_channel_than_it_said_is_understood() -> None:
    session, heard = play(Camera())
    feed(session, packet(6, b"other") + packet(6, rtp(1)) + packet(6, rtp(2)) + packet(7, b"report"))
    assert (heard.rtp, heard.rtcp, session.skipped_packets) == ([rtp(1), rtp(2)], [b"report"], 1)


@pytest.mark.parametrize(
    ("method", "status", "code"),
    [
        ("DESCRIBE", 403, "video.unauthorised"),
        ("DESCRIBE", 404, "video.not_found"),
        ("DESCRIBE", 500, "video.unreadable"),
        ("DESCRIBE", 503, "video.unreadable"),
        ("SETUP", 461, "video.unreadable"),
        ("SETUP", 453, "video.unreadable"),
        ("PLAY", 455, "video.unreadable"),
        ("PLAY", 404, "video.not_found"),
    ],
)
def test_a_refusal_says_what_was_refused(method: str, status: int, code: str) -> None:
    problem = refused(Camera(special={method: lambda asked: asked.answer(status)}))
    assert problem.code == code
    assert str(status) in problem.message
    assert method in problem.message


@pytest.mark.parametrize(
    ("method", "answer", "code", "word"),
    [
        ("OPTIONS", lambda asked: b"HTTP/1.1 400 Bad Request\r\n\r\n", "video.unreadable", "web server"),
        ("OPTIONS", lambda asked: b"SSH-2.0-OpenSSH_9.9\r\n", "video.unreadable", "no RTSP"),
        ("OPTIONS", lambda asked: b"\x15\x03\x01\x00\x02\x02\x16", "video.unreadable", "no RTSP"),
        ("DESCRIBE", lambda asked: asked.answer(200), "video.unreadable", "describes"),
        ("DESCRIBE", lambda asked: asked.answer(200, body=b"v=0\r\n"), "video.no_picture", "no video"),
        ("DESCRIBE", lambda asked: asked.answer(200, "Content-Length: 2000000"), "video.unreadable", "long"),
        (
            "SETUP",
            lambda asked: asked.answer(200, "Transport: RTP/AVP;unicast;client_port=5000-5001"),
            "video.unreadable",
            "UDP",
        ),
    ],
)
def test_what_could_not_be_read_is_said(method: str, answer: Answer, code: str, word: str) -> None:
    problem = refused(Camera(special={method: answer}))
    assert (problem.code, word in problem.message) == (code, True)


# Signing in


def ask_always(camera: Camera, challenge: Callable[[int], str]) -> None:
    for method in ("OPTIONS", "DESCRIBE", "SETUP", "PLAY"):
        camera.special[method] = lambda asked: asked.answer(401, challenge(len(camera.seen)))


@pytest.mark.parametrize(
    ("challenge", "signed"),
    [
        (lambda count: CHALLENGE, 1),
        (lambda count: f'WWW-Authenticate: Digest realm="cam", nonce="n{count}"', 1),
        (lambda count: 'WWW-Authenticate: Digest realm="cam", nonce="n1", stale=true', 1),
        (lambda count: f'WWW-Authenticate: Digest realm="cam", nonce="n{count}", stale=TRUE', 2),
        (lambda count: 'WWW-Authenticate: Basic realm="cam"', 1),
    ],
)
def test_a_wrong_password_is_tried_once(challenge: Callable[[int], str], signed: int) -> None:
    camera = Camera()
    ask_always(camera, challenge)
    problem = refused(camera, url=SIGNED_URL)
    assert isinstance(problem, Denied)
    assert problem.code == "video.unauthorised"
    assert len([one for one in camera.seen if "authorization" in one.headers]) == signed


def test_without_a_password_none_is_tried() -> None:
    camera = Camera(special={"DESCRIBE": lambda asked: asked.answer(401, CHALLENGE)})
    assert "enter them" in refused(camera).message
    assert camera.methods == ["OPTIONS", "DESCRIBE"]


def test_a_nonce_for_each_request_is_answered_once_the_password_has_proved_right() -> None:
    nonces = iter(range(100))
    taken: set[str] = set()

    def strict(asked: Asked) -> bytes:
        signature = asked.headers.get("authorization", "")
        if not taken or signature.partition('nonce="')[2].partition('"')[0] not in taken:
            taken.clear()
            taken.add(f"n{next(nonces)}")
            return asked.answer(401, f'WWW-Authenticate: Digest realm="cam", nonce="{next(iter(taken))}"')
        taken.clear()
        return Camera().answer(asked)

    camera = Camera(special=dict.fromkeys(("OPTIONS", "DESCRIBE", "SETUP", "PLAY"), strict))
    play(camera, url=SIGNED_URL)
    assert len(camera.seen) == 8


def test_a_keep_alive_renews_its_nonce_and_a_changed_password_ends_the_session() -> None:
    camera = Camera(
        special={"DESCRIBE": lambda a: Camera().answer(a) if "authorization" in a.headers else a.answer(401, CHALLENGE)}
    )
    session, _ = play(camera, url=SIGNED_URL)
    old = f"{CHALLENGE.replace('n1', 'n2')}"
    camera.special["GET_PARAMETER"] = lambda a: a.answer(200) if '"n2"' in str(a.headers) else a.answer(401, old)
    feed(session, packet(0, rtp(1)), at_s=29.0)
    session.tick(at_s=30.0)
    converse(session, camera, at_s=30.0)
    assert camera.methods[-2:] == ["GET_PARAMETER"] * 2
    camera.special["GET_PARAMETER"] = lambda asked: asked.answer(401, old)
    feed(session, packet(0, rtp(2)), at_s=59.0)
    session.tick(at_s=60.0)
    with pytest.raises(Denied):
        converse(session, camera, at_s=60.0)


# Sent elsewhere


def test_a_redirect_on_the_same_host_is_followed() -> None:
    camera = Camera()
    camera.special["DESCRIBE"] = lambda asked: (
        asked.answer(302, "Location: /other") if asked.url == URL else asked.answer(200, body=SDP)
    )
    play(camera)
    assert camera.last("SETUP").url == "rtsp://10.0.0.7/other/trackID=1"


@pytest.mark.parametrize(
    ("location", "word"),
    [
        ("rtsp://10.0.0.8/live", "another host"),
        ("http://10.0.0.7/", "another host"),
        ("rtsp://10.0.0.7@evil/live", "another host"),
        ("rtsp://[", "another host"),
        ("", "does not say where"),
        ("rtsp://10.0.0.7/again", "without end"),
    ],
)
def test_a_redirect_elsewhere_is_not(location: str, word: str) -> None:
    camera = Camera(special={"DESCRIBE": lambda asked: asked.answer(301, f"Location: {location}")})
    assert word in refused(camera, url=SIGNED_URL).message
    assert camera.methods.count("DESCRIBE") <= MAX_REDIRECTS + 1


def test_a_redirect_to_another_port_waits_for_a_connection_of_its_own() -> None:
    session = RtspSession(SIGNED_URL, at_s=0.0)
    camera = Camera(special={"DESCRIBE": lambda asked: asked.answer(302, "Location: rtsp://x:y@10.0.0.7:8554/live")})
    with pytest.raises(Unavailable):
        converse(session, camera)
    then = session.follow(at_s=1.0)
    assert then is not None
    assert (then.address.port, then.address.url) == (8554, "rtsp://10.0.0.7:8554/live")
    assert (then.address.user, then.address.password) == ("viewer", SECRET)
    assert SECRET not in repr(then.address)


@pytest.mark.parametrize("method", ["SETUP", "PLAY"])
def test_a_redirect_of_a_stream_that_is_described_begins_anew(method: str) -> None:
    session = RtspSession(URL, at_s=0.0)
    with pytest.raises(Unavailable):
        converse(session, Camera(special={method: lambda asked: asked.answer(302, "Location: /next")}))
    then = session.follow(at_s=1.0)
    assert then is not None
    assert then.address.url == "rtsp://10.0.0.7/next"


def test_what_a_camera_asks_is_answered_between_packets() -> None:
    session, heard = play(Camera())
    asked = [
        b"OPTIONS * RTSP/1.0\r\nCSeq: 5\r\n\r\n",
        b"SET_PARAMETER rtsp://h/x RTSP/1.0\r\nCSeq: 6\r\nContent-Length: 4\r\n\r\n$\x00\x00\x00",
        b"ANNOUNCE rtsp://h/x RTSP/1.0\nCSeq: 7\nSession: 00ab\n\n",
        b"DANCE x RTSP/1.0\r\nCSeq: 8\r\n\r\n",
    ]
    feed(session, b"".join(packet(0, rtp(index)) + one for index, one in enumerate(asked)))
    answers = session.take_output().decode().split("\r\n\r\n")[:-1]
    assert [(one.split()[1], one.split("CSeq: ")[1][0]) for one in answers] == [
        ("200", "5"),
        ("200", "6"),
        ("200", "7"),
        ("501", "8"),
    ]
    assert "GET_PARAMETER" in answers[0]
    assert "Session: 00ab" in answers[2]
    assert heard.rtp == [rtp(index) for index in range(4)]
    with pytest.raises(Unavailable, match="another address"):
        feed(session, b"REDIRECT rtsp://h/x RTSP/1.0\r\nCSeq: 9\r\nLocation: rtsp://10.0.0.7/new\r\n\r\n")
    assert session.follow(at_s=0.0) is not None


def test_reports_of_ours_go_on_the_channel_of_reports() -> None:
    session = RtspSession(URL, at_s=0.0)
    session.send_report(b"too early")
    assert b"too early" not in session.take_output()
    session, _ = play(Camera())
    session.send_report(b"\x80\xc9\x00\x01\x00\x00\x00\x01")
    assert session.take_output() == packet(1, b"\x80\xc9\x00\x01\x00\x00\x00\x01")


# Time


def test_a_request_that_nobody_answers_is_given_up() -> None:
    session = RtspSession(URL, at_s=100.0)
    session.take_output()
    session.tick(at_s=100.0 + REQUEST_TIMEOUT_S - 0.5)
    with pytest.raises(Unavailable, match="OPTIONS") as caught:
        session.tick(at_s=100.0 + REQUEST_TIMEOUT_S)
    assert caught.value.code == "video.timeout"


@pytest.mark.parametrize(("public", "method"), [("OPTIONS, GET_PARAMETER", "GET_PARAMETER"), ("PLAY", "OPTIONS")])
def test_the_session_is_kept_alive_at_half_its_timeout(public: str, method: str) -> None:
    camera = Camera(
        special={
            "OPTIONS": lambda asked: asked.answer(200, f"Public: {public}"),
            "SETUP": lambda asked: asked.answer(
                200, "Transport: RTP/AVP/TCP;interleaved=0-1", "Session: 00ab;timeout=20"
            ),
        }
    )
    session, _ = play(camera)
    asked: list[tuple[int, Asked]] = []
    for at_s in range(61):
        feed(session, packet(0, rtp(at_s)), at_s=float(at_s))
        session.tick(at_s=float(at_s))
        for one in read_requests(session.take_output()):
            asked.append((at_s, one))
            feed(session, camera.answer(one), at_s=float(at_s))
    assert [at_s for at_s, _ in asked] == [10, 20, 30, 40, 50, 60]
    assert {(one.method, one.headers["session"]) for _, one in asked} == {(method, "00ab")}


def test_keep_alives_that_nobody_answers_do_not_end_a_stream_that_flows() -> None:
    session, heard = play(Camera())
    methods: list[str] = []
    for at_s in range(200):
        feed(session, packet(0, rtp(at_s)), at_s=float(at_s))
        session.tick(at_s=float(at_s))
        methods += [one.method for one in read_requests(session.take_output())]
    assert methods == ["GET_PARAMETER", *["OPTIONS"] * 5]
    assert len(heard.rtp) == 200
    late = b"RTSP/1.0 401 No\r\nCSeq: 5\r\n\r\n"
    feed(session, late, at_s=200.0)


def test_silence_ends_it_though_reports_and_answers_come() -> None:
    camera = Camera()
    session, _ = play(camera)
    feed(session, packet(0, rtp(1)), at_s=3.0)
    with pytest.raises(Unavailable, match="no pictures"):
        for at_s in range(4, 100):
            feed(session, packet(1, b"report"), at_s=float(at_s))
            session.tick(at_s=float(at_s))
    assert at_s == 3 + READ_TIMEOUT_S


def test_a_camera_that_never_answers_play_but_plays() -> None:
    session, heard = RtspSession(URL, at_s=0.0), Heard()
    heard.listen(session)
    converse(session, Camera(special={"PLAY": lambda asked: packet(0, rtp(1))}))
    assert not session.is_playing
    session.tick(at_s=REQUEST_TIMEOUT_S)
    assert session.is_playing


def test_the_end_of_the_connection_says_where_it_came() -> None:
    assert RtspSession(URL, at_s=0.0).hung_up().code == "video.broken"
    assert play(Camera())[0].hung_up().code == "video.ended"

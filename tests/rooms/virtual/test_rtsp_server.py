"""The server by raw sockets: every refusal has its number, and no bytes bring it down."""

import contextlib
import hashlib
import re
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from .conftest import PASSWORD, USER, CityInThread, StartCity, open_stream, wait_until

REALM = "SafeCity virtual camera"


@pytest.fixture(scope="module")
def city(start_city: StartCity) -> CityInThread:
    return start_city(mounts=2)


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def get(self, name: str) -> str:
        return next(value for key, value in self.headers if key.lower() == name.lower())


@dataclass
class RawClient:
    """A client that says exactly what it is told to."""

    port: int
    name: str = "cam-001"
    profile: str = "main"
    wire: socket.socket = field(init=False)
    buffer: bytearray = field(default_factory=bytearray)
    nonce: str = ""
    count: int = 0
    sequence: int = 0

    def __post_init__(self) -> None:
        self.wire = socket.create_connection(("127.0.0.1", self.port), timeout=5)

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/{self.name}/{self.profile}"

    def ask(self, method: str, url: str | None = None, *, signs: bool = True, **headers: str) -> Answer:
        target = url or self.url
        signature = [f"Authorization: {self.authorization(method, target)}"] if signs else []
        self.sequence += 1
        lines = [f"{method} {target} RTSP/1.0", f"CSeq: {self.sequence}", *signature]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.wire.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        answer = self.answer()
        assert answer.get("CSeq") == str(self.sequence)
        return answer

    def authorization(self, method: str, target: str) -> str:
        if not self.nonce:
            challenge = self.ask("DESCRIBE", signs=False)
            assert challenge.status == 401
            told = [value for key, value in challenge.headers if key == "WWW-Authenticate"]
            assert [re.search(r"algorithm=([\w-]+)", value)[1] for value in told] == ["SHA-256", "MD5"]  # type: ignore[index]
            self.nonce = re.search(r'nonce="([^"]+)"', told[0])[1]  # type: ignore[index]
        self.count += 1
        h = lambda text: hashlib.sha256(text.encode()).hexdigest()  # noqa: E731
        secret, act = h(f"{USER}:{REALM}:{PASSWORD}"), h(f"{method}:{target}")
        response = h(f"{secret}:{self.nonce}:{self.count:08x}:c:auth:{act}")
        return (
            f'Digest username="{USER}", realm="{REALM}", nonce="{self.nonce}", uri="{target}", algorithm=SHA-256, '
            f'qop=auth, nc={self.count:08x}, cnonce="c", response="{response}"'
        )

    def answer(self) -> Answer:
        while b"\r\n\r\n" not in self.buffer:
            data = self.wire.recv(65536)
            if not data:
                raise ConnectionResetError
            self.buffer += data
        while self.buffer[:1] == b"$":
            self.packet()
        head, _, rest = bytes(self.buffer).partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
        length = int(next((value for name, value in headers if name == "Content-Length"), "0"))
        while len(rest) < length:
            rest += self.wire.recv(65536)
        self.buffer = bytearray(rest[length:])
        return Answer(int(first.split()[1]), headers, rest[:length])

    def packet(self) -> tuple[int, bytes]:
        """The next interleaved packet and its channel."""
        while len(self.buffer) < 4 or len(self.buffer) < 4 + struct.unpack_from(">H", self.buffer, 2)[0]:
            data = self.wire.recv(65536)
            if not data:
                raise ConnectionResetError
            self.buffer += data
        magic, channel, size = struct.unpack_from(">BBH", self.buffer)
        assert magic == 0x24
        body = bytes(self.buffer[4 : 4 + size])
        del self.buffer[: 4 + size]
        return channel, body

    def set_up(self, transport: str = "RTP/AVP/TCP;unicast;interleaved=0-1") -> Answer:
        return self.ask("SETUP", self.url + "/trackID=0", Transport=transport)


@pytest.fixture
def client(city: CityInThread) -> Iterator[RawClient]:
    with connected(city) as made:
        yield made


@contextlib.contextmanager
def connected(city: CityInThread, name: str = "cam-001") -> Iterator[RawClient]:
    made = RawClient(city.running.rtsp_port, name=name)
    try:
        yield made
    finally:
        made.wire.close()


def test_the_whole_conversation(client: RawClient) -> None:
    assert "GET_PARAMETER" in client.ask("OPTIONS", "*", signs=False).get("Public")
    described = client.ask("DESCRIBE", Accept="application/sdp")
    assert described.status == 200
    assert described.get("Content-Base") == client.url + "/"
    assert b"sprop-parameter-sets=" in described.body
    made = client.set_up("RTP/AVP/TCP;unicast;interleaved=4-5")
    session, _, timeout = made.get("Session").partition(";timeout=")
    assert int(timeout) == 60
    assert "interleaved=4-5" in made.get("Transport")
    played = client.ask("PLAY", Session=session, Range="npt=0.000-")
    sequence, timestamp = re.search(r"seq=(\d+);rtptime=(\d+)", played.get("RTP-Info")).groups()  # type: ignore[union-attr]
    channel, report = client.packet()
    assert (channel, report[1]) == (5, 200)
    channel, first = client.packet()
    assert channel == 4
    assert struct.unpack_from(">HI", first, 2) == (int(sequence), int(timestamp))
    assert first[12] & 0x1F == 24
    assert client.ask("GET_PARAMETER", Session=session, signs=False).status == 200
    assert client.ask("PAUSE", Session=session).status == 200
    assert client.ask("PAUSE", Session=session).status == 455
    assert client.ask("PLAY", Session=session).status == 200
    assert client.ask("TEARDOWN", Session=session).status == 200
    assert client.ask("PLAY", Session=session).status == 454


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("DESCRIBE", "/nobody/main", {}, 404),
        ("DESCRIBE", "/cam-001/third", {}, 404),
        ("DESCRIBE", "/cam-001", {}, 404),
        ("ANNOUNCE", "/cam-001/main", {}, 405),
        ("RECORD", "/cam-001/main", {}, 405),
        ("DANCE", "/cam-001/main", {}, 501),
        ("DESCRIBE", "/cam-001/main", {"Require": "com.example.feature"}, 551),
        ("DESCRIBE", "/cam-001/main", {"Accept": "text/html"}, 406),
        ("SETUP", "/cam-001/main", {"Transport": "RTP/AVP;multicast;port=5000-5001"}, 461),
        ("SETUP", "/cam-001/main", {"Transport": "RTP/AVP;unicast;destination=10.0.0.1;client_port=5000-5001"}, 461),
        ("SETUP", "/cam-001/main", {"Transport": "RTP/AVP/TCP", "Session": "made-up"}, 454),
        ("PLAY", "/cam-001/main", {}, 454),
        ("PLAY", "/cam-001/main", {"Session": "made-up"}, 454),
        ("TEARDOWN", "/cam-001/main", {"Session": "made-up"}, 454),
        ("GET_PARAMETER", "/cam-001/main", {}, 200),
    ],
)
def test_refusals(client: RawClient, method: str, path: str, headers: dict[str, str], status: int) -> None:
    answer = client.ask(method, f"rtsp://127.0.0.1:{client.port}{path}", **headers)
    assert answer.status == status
    if status == 551:
        assert answer.get("Unsupported") == "com.example.feature"
    if status == 405:
        assert "PLAY" in answer.get("Allow")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"DESCRIBE rtsp://h/cam-001/main RTSP/2.0\r\nCSeq: 1\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", 505),
        (b"DESCRIBE rtsp://h/cam-001/main RTSP/1.0\r\n\r\n", 400),
        (b"DESCRIBE cam-001 RTSP/1.0\r\nCSeq: 1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00 a TLS hello \r\n\r\n", 400),
        (b"X" * 9000, 413),
    ],
)
def test_malformed_requests(client: RawClient, raw: bytes, status: int) -> None:
    client.wire.sendall(raw)
    assert client.answer().status == status


def test_no_setup_while_playing_and_no_other_range(client: RawClient) -> None:
    session = client.set_up().get("Session").partition(";")[0]
    assert client.ask("PLAY", Session=session, Range="clock=20260101T000000Z-").status == 457
    assert client.ask("PLAY", Session=session, Range="npt=now-").status == 200
    assert client.ask("SETUP", Session=session, Transport="RTP/AVP/TCP").status == 455


def test_a_session_belongs_to_its_stream_and_connection(city: CityInThread, client: RawClient) -> None:
    session = client.set_up().get("Session").partition(";")[0]
    other = f"rtsp://127.0.0.1:{client.port}/cam-002/main"
    assert client.ask("PLAY", other, Session=session).status == 454
    with connected(city) as stranger:
        assert stranger.ask("PLAY", Session=session).status == 454
        assert stranger.ask("TEARDOWN", Session=session).status == 454


def test_sessions_on_one_connection_are_limited(client: RawClient) -> None:
    statuses = [client.set_up(f"RTP/AVP/TCP;unicast;interleaved={2 * n}-{2 * n + 1}").status for n in range(6)]
    assert statuses == [200, 200, 200, 200, 453, 453]
    assert client.set_up("RTP/AVP/TCP;unicast;interleaved=1-2").status == 461


def test_a_nonce_runs_out_and_says_so(city: CityInThread, client: RawClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.ask("DESCRIBE").status == 200
    monkeypatch.setattr("safecity.virtual.rtsp.digest.NONCE_LIFE_S", 0.0)
    stale = client.ask("DESCRIBE")
    assert stale.status == 401
    assert "stale=true" in stale.get("WWW-Authenticate")


def test_silence_ends_a_session(city: CityInThread, client: RawClient) -> None:
    session = client.set_up().get("Session").partition(";")[0]
    client.ask("PLAY", Session=session)
    city.running.city.server.session_timeout_s = 0.5
    try:
        # Receiver reports keep it alive...
        for _ in range(8):
            client.wire.sendall(b"$\x01\x00\x08" + struct.pack(">BBHI", 0x80, 201, 1, 1))
            time.sleep(0.25)
        assert client.ask("GET_PARAMETER", Session=session).status == 200
        # ...and without them it says goodbye.
        wait_until(lambda: not city.control.list_mounts()[0].streams["main"].viewers)
    finally:
        city.running.city.server.session_timeout_s = 60.0
    assert client.ask("GET_PARAMETER", Session=session).status == 454


def test_half_a_request_is_not_waited_for_forever(client: RawClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safecity.virtual.rtsp.server.REQUEST_TIME_S", 0.2)
    client.wire.sendall(b"DESCRIBE rtsp://h/cam-001/main RTSP/1.0\r\nCSeq")
    assert client.answer().status == 408


def test_an_idle_connection_is_closed(client: RawClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safecity.virtual.rtsp.server.IDLE_S", 0.2)
    assert client.wire.recv(10) == b""


def test_too_many_connections_are_turned_away(city: CityInThread, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safecity.virtual.rtsp.server.MAX_CONNECTIONS", 3)
    wait_until(lambda: not city.running.city.server.connections)
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(connected(city)).ask("OPTIONS", signs=False)
        assert stack.enter_context(connected(city)).answer().status == 503


def test_who_asks_without_reading_is_cut_off(client: RawClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safecity.virtual.rtsp.server.MAX_UNSENT_BYTES", 100_000)
    request = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n" * 1000
    client.wire.settimeout(10)
    with pytest.raises(OSError):  # noqa: PT011 - reset or broken pipe, as the kernel likes
        for _ in range(20_000):
            client.wire.sendall(request)


def test_udp_goes_to_the_asking_client_with_reports(client: RawClient, city: CityInThread) -> None:
    with contextlib.ExitStack() as stack:
        rtp, rtcp = (stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(2))
        for port in (rtp, rtcp):
            port.bind(("127.0.0.1", 0))
            port.settimeout(5)
        ports = f"{rtp.getsockname()[1]}-{rtcp.getsockname()[1]}"
        made = client.set_up(f"RTP/AVP;unicast;client_port={ports}")
        server = re.search(r"server_port=(\d+)-(\d+)", made.get("Transport"))
        assert server
        assert int(server[1]) % 2 == 0
        session = made.get("Session").partition(";")[0]
        assert client.ask("PLAY", Session=session).status == 200
        report, source = rtcp.recvfrom(2000)
        assert (report[1], source[1]) == (200, int(server[2]))
        packet, source = rtp.recvfrom(2000)
        assert source[1] == int(server[1])
        assert packet[12] & 0x1F == 24
        lost = struct.pack(">BBHI", 0x81, 201, 7, 9) + struct.pack(">IIIIII", 1, 17, 0, 0, 0, 0)
        rtcp.sendto(lost, ("127.0.0.1", int(server[2])))
        wait_until(lambda: city.control.list_mounts()[0].streams["main"].viewers[0].lost_packets == 17)
        client.ask("TEARDOWN", Session=session)
        wait_until(lambda: rtcp.recv(2000)[9] == 203)


@given(
    st.lists(st.one_of(st.binary(max_size=300), st.sampled_from([b"$\x00\x00\x04abcd", b"\r\n\r\n", b"PLAY ", b"$"])))
)
@example([b"SETUP rtsp://h/cam-001/main RTSP/1.0\r\nCSeq: 1\r\nTransport: ;;;=,\r\n\r\n"])
@example([b"DESCRIBE rtsp://h/cam-001/main RTSP/1.0\r\nCSeq: 1\r\nAuthorization: Digest \r\n\r\n"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_bring_the_server_down(city: CityInThread, chunks: list[bytes]) -> None:
    failures: list[object] = []
    city.loop.call_soon_threadsafe(city.loop.set_exception_handler, lambda _, context: failures.append(context))
    with connected(city) as hostile, contextlib.suppress(OSError):
        for chunk in chunks:
            hostile.wire.sendall(chunk)
        hostile.wire.shutdown(socket.SHUT_WR)
        while hostile.wire.recv(4096):
            pass
    with connected(city) as friend:
        assert friend.ask("OPTIONS", signs=False).status == 200
    assert failures == []


def test_it_still_plays_after_all_that(city: CityInThread) -> None:
    with open_stream(city.url()) as container:
        assert next(container.demux(video=0)).is_keyframe

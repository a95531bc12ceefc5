"""A scripted camera for the RTSP tests: it answers each request with bytes, well or badly."""

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from safecity.platform.errors import Problem
from safecity.video.reader import CAUSES
from safecity.video.rtsp.session import RtspSession

URL = "rtsp://10.0.0.7/live"
SECRET = "hunter2hunter2"
SIGNED_URL = f"rtsp://viewer:{SECRET}@10.0.0.7/live"
CHALLENGE = 'WWW-Authenticate: Digest realm="cam", nonce="n1", algorithm=MD5, qop="auth"'
SDP = (
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.7\r\ns=cam\r\nt=0 0\r\na=control:*\r\nm=audio 0 RTP/AVP 0\r\na=control:audio\r\n"
    b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    b"a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0IAKeKQFAe2AtwEBAaQeJEV,aM48gA==\r\na=control:trackID=1\r\n"
)


@dataclass(frozen=True)
class Asked:
    """A request as the camera reads it."""

    method: str
    url: str
    headers: dict[str, str]

    def answer(self, status: int = 200, *headers: str, body: bytes = b"") -> bytes:
        lines = [f"RTSP/1.0 {status} Said", f"CSeq: {self.headers['cseq']}", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def read_requests(data: bytes) -> list[Asked]:
    """Every request of ours; packets that we send between them are left out."""
    found: list[Asked] = []
    while data:
        if data[:1] == b"$":
            data = data[4 + int.from_bytes(data[2:4]) :]
            continue
        head, end, data = data.partition(b"\r\n\r\n")
        assert end, "a request of ours was not whole"
        first, *lines = head.decode().split("\r\n")
        line = re.fullmatch(r"([A-Z_]+) (\S+) RTSP/1\.0", first)
        if line is not None:
            pairs = (one.partition(": ") for one in lines)
            found.append(Asked(line[1], line[2], {name.lower(): value for name, _, value in pairs}))
        else:
            assert first.startswith("RTSP/1.0 "), first
    return found


@dataclass
class Camera:
    """Answers as a camera should, save where `special` has other bytes for a method (its own turn each time)."""

    special: dict[str, Callable[[Asked], bytes]] = field(default_factory=dict)
    seen: list[Asked] = field(default_factory=list)

    def answer(self, asked: Asked) -> bytes:
        self.seen.append(asked)
        if asked.method in self.special:
            return self.special[asked.method](asked)
        match asked.method:
            case "OPTIONS":
                return asked.answer(200, "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN")
            case "DESCRIBE":
                return asked.answer(200, f"Content-Base: {URL}/", "Content-Type: application/sdp", body=SDP)
            case "SETUP":
                transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=1234"
                return asked.answer(200, transport, "Session: 00ab;timeout=60")
            case _:
                return asked.answer(200, "Session: 00ab")

    @property
    def methods(self) -> list[str]:
        return [one.method for one in self.seen]

    def last(self, method: str) -> Asked:
        return next(one for one in reversed(self.seen) if one.method == method)


@dataclass
class Heard:
    """What came out of a session."""

    rtp: list[bytes] = field(default_factory=list)
    rtcp: list[bytes] = field(default_factory=list)

    def listen(self, session: RtspSession) -> RtspSession:
        session.rtp = lambda packet, at_s: self.rtp.append(bytes(packet))
        session.rtcp = lambda packet, at_s: self.rtcp.append(bytes(packet))
        return session


def feed(session: RtspSession, data: bytes, *, cuts: Sequence[int] = (), at_s: float = 0.0) -> None:
    """Hand bytes over in the pieces that the cuts make, in a buffer that is overwritten after each."""
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(data)}), len(data)]
    for begin, end in itertools.pairwise(edges):
        buffer = bytearray(data[begin:end])
        session.receive(memoryview(buffer), at_s=at_s)
        buffer[:] = b"\xee" * len(buffer)


def converse(session: RtspSession, camera: Camera, *, at_s: float = 0.0, turns: int = 40) -> None:
    """Until neither has anything more to say."""
    for _ in range(turns):
        requests = read_requests(session.take_output())
        if not requests:
            return
        for asked in requests:
            feed(session, camera.answer(asked), at_s=at_s)
    raise AssertionError("the conversation does not end")


def packet(channel: int, payload: bytes) -> bytes:
    """An interleaved packet."""
    return bytes((0x24, channel)) + len(payload).to_bytes(2) + payload


def rtp(sequence: int, payload: bytes = b"\x65payload", *, kind: int = 96) -> bytes:
    """An RTP packet."""
    return bytes((0x80, kind)) + sequence.to_bytes(2) + bytes(8) + payload


def play(camera: Camera, *, url: str = URL) -> tuple[RtspSession, Heard]:
    """A session that plays."""
    session, heard = RtspSession(url, at_s=0.0), Heard()
    heard.listen(session)
    converse(session, camera)
    assert session.is_playing
    return session, heard


def check(problem: Problem) -> Problem:
    """A problem must have a known code, and no secret in it."""
    assert problem.code in CAUSES
    assert SECRET not in f"{problem!r}{problem.message}{problem.facts}"
    return problem


def refused(camera: Camera, *, url: str = URL) -> Problem:
    """The problem that a conversation ends in."""
    with pytest.raises(Problem) as caught:
        converse(RtspSession(url, at_s=0.0), camera)
    return check(caught.value)

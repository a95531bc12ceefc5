"""The RTSP server: its port, its connections and the sweep that ends what fell silent."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Final, cast

import structlog

from safecity.platform.clock import Clock
from safecity.platform.errors import Unavailable
from safecity.virtual.rtsp.digest import DigestGuard, Verdict
from safecity.virtual.rtsp.handlers import Hangup, answer
from safecity.virtual.rtsp.messages import Malformed, Reply, Request, take_request
from safecity.virtual.rtsp.session import SESSION_TIMEOUT_S, Session
from safecity.virtual.rtsp.source import Directory, Source
from safecity.virtual.rtsp.transports import Interleaved, Unicast
from safecity.virtual.rtsp.udp import UdpPorts, UdpSink
from safecity.virtual.rtsp.viewer import SLOW_LIMIT_BYTES, InterleavedSink, Viewer
from safecity.virtual.rtsp.wheel import Wheel

log = structlog.get_logger()

MAX_CONNECTIONS: Final = 8192
REQUEST_TIME_S: Final = 10.0
"""A request that is not whole by then is answered 408."""
IDLE_S: Final = 60.0
"""A connection without a session is closed after this silence."""
MAX_UNSENT_BYTES: Final = SLOW_LIMIT_BYTES * 3
"""A client that asks on without reading is cut off here."""
SWEEP_S: Final = 1.0
REALM: Final = "SafeCity virtual camera"


class RtspServer:
    """Serves a directory of sources until closed."""

    def __init__(self, directory: Directory, *, clock: Clock, wheel: Wheel) -> None:
        self.directory = directory
        self.clock = clock
        self.wheel = wheel
        self.guard = DigestGuard(REALM)
        self.connections: set[RtspConnection] = set()
        self.session_timeout_s = SESSION_TIMEOUT_S
        self.ports: UdpPorts | None = None
        self._listening: list[asyncio.Server] = []
        self._sweeping: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which is a free one where 0 was asked for. Raises Unavailable."""
        bound = await self._listen(host, port)
        self.ports = UdpPorts(asyncio.get_running_loop(), bound[0], wheel=self.wheel, clock=self.clock)
        self._sweeping = asyncio.create_task(self._sweep())
        return bound[1]

    async def listen_also(self, hosts: Sequence[str], port: int) -> None:
        """Listen at more addresses, where cameras have their own. Raises Unavailable."""
        for host in hosts:
            await self._listen(host, port)

    async def _listen(self, host: str, port: int) -> tuple[str, int]:
        loop = asyncio.get_running_loop()
        try:
            listening = await loop.create_server(lambda: RtspConnection(self), host, port, backlog=1024)
        except OSError as error:
            raise Unavailable(
                f"Port {port} of {host} cannot be opened ({error.strerror}); choose another.", code="virtual.port"
            ) from error
        self._listening.append(listening)
        bound = listening.sockets[0].getsockname()
        return bound[0], bound[1]

    async def close(self) -> None:
        """End every connection and free the ports."""
        if self._sweeping:
            self._sweeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeping
        for listening in self._listening:
            listening.close()
        for connection in list(self.connections):
            connection.abort()
        if self.ports:
            self.ports.close()

    def break_off(self, source: Source) -> None:
        """Cut every connection that has a session with this source."""
        for connection in list(self.connections):
            if any(session.source is source for session in connection.sessions.values()):
                connection.abort()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            now_s = self.clock.monotonic_s()
            for connection in list(self.connections):
                connection.check_time(now_s)


class RtspConnection(asyncio.Protocol):
    """One client's connection: requests, replies, and interleaved packets both ways."""

    def __init__(self, server: RtspServer) -> None:
        self._server = server
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._after: list[Callable[[], None]] = []
        self._heard_s = server.clock.monotonic_s()
        self._partial_since_s: float | None = None
        self.peer = ""
        self.local_host = ""
        self.sessions: dict[str, Session] = {}

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self._transport = cast("asyncio.Transport", transport)
        self.peer = transport.get_extra_info("peername")[0]
        self.local_host = transport.get_extra_info("sockname")[0]
        if len(self._server.connections) >= MAX_CONNECTIONS:
            self._transport.write(Reply(status=503).encode())
            self._transport.close()
            return
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone, or was sent away."""
        del exc
        self._server.connections.discard(self)
        self._end_sessions(says_goodbye=False)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Take whatever is whole; the rest waits, within the bounds of `messages`."""
        self._heard_s = self._server.clock.monotonic_s()
        self._buffer += data
        while self._buffer and self._transport and not self._transport.is_closing():
            if not (self._take_interleaved() if self._buffer[0] == 0x24 else self._take_request()):
                break
        if not self._buffer:
            self._partial_since_s = None
        elif self._partial_since_s is None:
            self._partial_since_s = self._heard_s

    def eof_received(self) -> bool:
        """A client that stops writing has finished."""
        return False

    # What the server calls

    def abort(self) -> None:
        """Cut the connection, unsent bytes and all."""
        if self._transport:
            self._transport.abort()

    def check_time(self, now_s: float) -> None:
        """End what has been silent for too long."""
        for session in list(self.sessions.values()):
            if now_s - session.heard_s > self._server.session_timeout_s:
                log.info("virtual.session_expired", camera=session.source.title, peer=self.peer)
                session.end(says_goodbye=True)
                del self.sessions[session.id]
        if self._partial_since_s is not None and now_s - self._partial_since_s > REQUEST_TIME_S:
            self._refuse(408)
        elif not self.sessions and now_s - self._heard_s > IDLE_S and self._transport:
            self._transport.close()

    # What the handlers ask for (handlers.Desk)

    def find_source(self, mount: str, profile: str) -> Source | None:
        """The stream at a path."""
        return self._server.directory.find_source(mount, profile)

    def judge(self, request: Request, source: Source) -> Verdict:
        """Does the client know the password?"""
        if not source.users:
            return Verdict.ACCEPTED
        return self._server.guard.judge_any(
            request.headers.get("authorization", ""),
            method=request.method,
            target=request.target,
            users=source.users,
            now_s=self._server.clock.monotonic_s(),
        )

    def challenges(self, *, is_stale: bool) -> tuple[str, ...]:
        """What a 401 carries."""
        return self._server.guard.challenges(self._server.clock.monotonic_s(), is_stale=is_stale)

    def open_session(self, source: Source, chosen: Interleaved | Unicast) -> Session:
        """A new session over the chosen transport."""
        if self._transport is None or self._server.ports is None:
            raise Unavailable("The connection has ended.", code="virtual.gone")
        if isinstance(chosen, Interleaved):
            sink = InterleavedSink(self._transport, chosen.channel)
        else:
            sink = UdpSink(self._server.ports, rtp=(self.peer, chosen.rtp_port), rtcp=(self.peer, chosen.rtcp_port))
        viewer = Viewer(sink, peer=self.peer, since=self._server.clock.now())
        return Session(source, viewer, ports=self._server.ports, now_s=self._server.clock.monotonic_s())

    def udp_ports(self) -> tuple[int, int]:
        """The server's RTP and RTCP ports."""
        ports = self._server.ports
        return (ports.rtp_port, ports.rtcp_port) if ports else (0, 0)

    def after_reply(self, act: Callable[[], None]) -> None:
        """Do this once the reply has been written: packets must not overtake it."""
        self._after.append(act)

    # Inside

    def _take_interleaved(self) -> bool:
        if len(self._buffer) < 4:
            return False
        end = 4 + int.from_bytes(self._buffer[2:4], "big")
        if len(self._buffer) < end:
            return False
        channel, packet = self._buffer[1], bytes(self._buffer[4:end])
        del self._buffer[:end]
        for session in self.sessions.values():
            if session.has_heard_channel == channel:
                session.on_report(packet, self._heard_s)
        return True

    def _take_request(self) -> bool:
        taken = take_request(self._buffer)
        if taken is None:
            return False
        self._partial_since_s = None
        if isinstance(taken, Malformed):
            self._refuse(taken.status)
            return False
        for session in self.sessions.values():
            if taken.headers.get("session", "").startswith(session.id):
                session.heard_s = self._heard_s
        reply = answer(taken, self)
        if isinstance(reply, Hangup):
            self.abort()
            return False
        self._write(reply, taken.headers.get("cseq"))
        acts, self._after = self._after, []
        for act in acts:
            act()
        return True

    def _write(self, reply: Reply, sequence: str | None) -> None:
        if self._transport is None:
            return
        head = (("CSeq", sequence[:16]),) if sequence and sequence.isdecimal() else ()
        full = Reply(status=reply.status, headers=(*head, ("Server", "SafeCity"), *reply.headers), body=reply.body)
        self._transport.write(full.encode())
        if self._transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self._transport.abort()

    def _refuse(self, status: int) -> None:
        self._buffer.clear()
        self._partial_since_s = None
        if self._transport:
            self._transport.write(Reply(status=status).encode())
            self._transport.close()

    def _end_sessions(self, *, says_goodbye: bool) -> None:
        for session in self.sessions.values():
            session.end(says_goodbye=says_goodbye)
        self.sessions.clear()

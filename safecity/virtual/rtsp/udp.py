"""RTP over UDP: one pair of sockets for all clients of a server, sent in small bursts, read for reports only."""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Final

from safecity.platform.clock import Clock
from safecity.platform.errors import Unavailable
from safecity.virtual.rtsp.packets import FRAME_BYTES, HEADER_BYTES, OVERHEAD_BYTES
from safecity.virtual.rtsp.wheel import TICK_S, Wheel

BURST_PACKETS: Final = 48
"""Packets one client gets in one tick: about 100 Mbit/s, so that a key picture fits the receiver's default buffer."""

MAX_DATAGRAM_BYTES: Final = 1500
MAX_READS_A_TURN: Final = 64
_PAIR_ATTEMPTS: Final = 50

Address = tuple[str, int]


class UdpPorts:
    """An even port for RTP and the odd one after it for RTCP (RFC 3550 section 11)."""

    def __init__(self, loop: asyncio.AbstractEventLoop, host: str, *, wheel: Wheel, clock: Clock) -> None:
        self._loop = loop
        self.wheel = wheel
        self.clock = clock
        self._rtp, self._rtcp = _bind_pair(host)
        self.rtp_port: int = self._rtp.getsockname()[1]
        self.rtcp_port: int = self._rtcp.getsockname()[1]
        self._listeners: dict[Address, Callable[[bytes], None]] = {}
        loop.add_reader(self._rtp, self._read_rtp)
        loop.add_reader(self._rtcp, self._read_rtcp)

    def listen(self, address: Address, on_report: Callable[[bytes], None]) -> None:
        """Hand over what comes to the RTCP port from this address."""
        self._listeners[address] = on_report

    def forget(self, address: Address) -> None:
        """Hand over nothing any more."""
        self._listeners.pop(address, None)

    def send_rtp(self, packet: memoryview | bytes, address: Address) -> bool:
        """False where the socket takes no more now; an unreachable client counts as sent, as packets into a void do."""
        return _send(self._rtp, packet, address=address)

    def send_rtcp(self, packet: bytes, address: Address) -> bool:
        """As `send_rtp`, from the RTCP port."""
        return _send(self._rtcp, packet, address=address)

    def close(self) -> None:
        """Close both sockets."""
        for port in (self._rtp, self._rtcp):
            self._loop.remove_reader(port)
            port.close()

    def _read_rtp(self) -> None:
        """Clients send an empty packet to open their firewall; it means nothing to us."""
        for _ in range(MAX_READS_A_TURN):
            if _receive(self._rtp) is None:
                return

    def _read_rtcp(self) -> None:
        for _ in range(MAX_READS_A_TURN):
            received = _receive(self._rtcp)
            if received is None:
                return
            listener = self._listeners.get(received[1])
            if listener:
                listener(received[0])


class UdpSink:
    """The way to one client over UDP."""

    kind = "udp"
    channel = 0

    def __init__(self, ports: UdpPorts, *, rtp: Address, rtcp: Address) -> None:
        self._ports = ports
        self._rtp = rtp
        self._rtcp_address = rtcp
        self._waiting: deque[memoryview | bytes] = deque()
        self._waiting_bytes = 0
        self._is_scheduled = False
        self._is_closed = False

    @property
    def rtcp_address(self) -> Address:
        """Where the client's reports come from."""
        return self._rtcp_address

    def send(self, packets: bytearray, offsets: tuple[int, ...]) -> None:
        """Cut the interleaved layout into datagrams; the first burst leaves at once."""
        view = memoryview(packets)
        for offset, end in zip(offsets, (*offsets[1:], len(packets)), strict=True):
            self._waiting.append(view[offset + FRAME_BYTES : end])
        self._waiting_bytes += len(packets)
        if not self._is_scheduled:
            self._flush(self._ports.clock.monotonic_s())

    def send_report(self, packet: bytes) -> None:
        """To the client's RTCP port."""
        self._ports.send_rtcp(packet, self._rtcp_address)

    def send_noise(self, noise: bytes) -> None:
        """Whole datagrams of noise."""
        for at in range(0, len(noise), MAX_DATAGRAM_BYTES - OVERHEAD_BYTES - HEADER_BYTES):
            self._ports.send_rtp(noise[at : at + MAX_DATAGRAM_BYTES - OVERHEAD_BYTES - HEADER_BYTES], self._rtp)

    def backlog_bytes(self) -> int:
        """Bytes that wait for their burst."""
        return self._waiting_bytes

    def close(self) -> None:
        """Send nothing more."""
        self._is_closed = True
        self._waiting.clear()

    def _flush(self, now_s: float) -> float | None:
        self._is_scheduled = False
        for _ in range(BURST_PACKETS):
            if not self._waiting or self._is_closed:
                self._waiting_bytes = 0
                return None
            packet = self._waiting[0]
            if not self._ports.send_rtp(packet, self._rtp):
                break
            self._waiting.popleft()
            self._waiting_bytes -= len(packet) + FRAME_BYTES
        if self._waiting:
            self._is_scheduled = True
            self._ports.wheel.schedule(now_s + TICK_S, self._flush)
        return None


def _bind_pair(host: str) -> tuple[socket.socket, socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(_PAIR_ATTEMPTS):
        first = socket.socket(family, socket.SOCK_DGRAM)
        second = socket.socket(family, socket.SOCK_DGRAM)
        try:
            first.bind((host, 0))
            port: int = first.getsockname()[1]
            if port % 2 == 0:
                second.bind((host, port + 1))
                first.setblocking(False)
                second.setblocking(False)
                return first, second
        except OSError:
            # The odd port is taken: try another pair.
            pass
        first.close()
        second.close()
    raise Unavailable(f"No free pair of UDP ports on {host}; close other programs.", code="virtual.udp_ports")


def _send(port: socket.socket, packet: memoryview | bytes, *, address: Address) -> bool:
    try:
        port.sendto(packet, address)
    except BlockingIOError:
        return False
    except OSError:
        # A client that has gone answers with ICMP; its session ends with its connection or its timeout.
        return True
    return True


def _receive(port: socket.socket) -> tuple[bytes, Address] | None:
    try:
        data, address = port.recvfrom(MAX_DATAGRAM_BYTES)
    except BlockingIOError:
        return None
    except OSError:
        return b"", ("", 0)
    return data, (address[0], address[1])

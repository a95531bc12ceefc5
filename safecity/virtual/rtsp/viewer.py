"""One playing client of one stream: its RTP numbers, its bounded way out, what it was sent and what it lost."""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from safecity.virtual.rtsp.packets import PacketBlock, fill_in
from safecity.virtual.rtsp.rtcp import ReceiverReport, goodbye, sender_report

SLOW_LIMIT_BYTES: Final = 4_000_000
"""More than this unsent, and a viewer gets nothing until a key picture finds it half empty."""

REPORT_INTERVAL_S: Final = 5.0


class Sink(Protocol):
    """The way packets take to one client."""

    kind: str
    channel: int

    def send(self, packets: bytearray, offsets: tuple[int, ...]) -> None:
        """Send RTP packets, laid out as `packets.PacketBlock` says."""
        ...

    def send_report(self, packet: bytes) -> None:
        """Send an RTCP packet."""
        ...

    def send_noise(self, noise: bytes) -> None:
        """Send bytes that are no packet at all."""
        ...

    def backlog_bytes(self) -> int:
        """What the client has not taken yet."""
        ...


class Disturbance(Protocol):
    """What a fault does to packets on their way."""

    def disturb(self, packets: bytearray, offsets: tuple[int, ...]) -> bytes | None:
        """Damage the packets in place, or return bytes to send in their stead."""
        ...


@dataclass(slots=True, kw_only=True)
class ViewerCounts:
    """What one viewer was sent."""

    pictures: int = 0
    dropped_pictures: int = 0
    packets: int = 0
    octets: int = 0


class Viewer:
    """A client that plays. The stream calls `show` for each picture."""

    def __init__(self, sink: Sink, *, peer: str, since: datetime) -> None:
        self.sink = sink
        self.peer = peer
        self.since = since
        self.ssrc = secrets.randbits(32)
        self.sequence = secrets.randbits(16)
        self.counts = ViewerCounts()
        self.is_slow = False
        self.waits_for_key = True
        self.next_report_s = 0.0
        self.last_report: ReceiverReport | None = None

    def show(self, block: PacketBlock, timestamp: int, *, disturbance: Disturbance | None = None) -> None:
        """Send a picture, or drop it where the client is slow or still waits for a key picture."""
        if not self._takes(block):
            return
        packets = fill_in(block, channel=self.sink.channel, sequence=self.sequence, timestamp=timestamp, ssrc=self.ssrc)
        self._count_on(block)
        self.counts.pictures += 1
        self.counts.packets += len(block.offsets)
        self.counts.octets += block.octets
        noise = disturbance.disturb(packets, block.offsets) if disturbance else None
        if noise is None:
            self.sink.send(packets, block.offsets)
        else:
            self.sink.send_noise(noise)

    def report(self, *, captured_at: datetime, rtp_timestamp: int, name: str) -> None:
        """Send a sender report: at this RTP time the camera's clock said so."""
        if self.sink.backlog_bytes() > SLOW_LIMIT_BYTES:
            return
        self.sink.send_report(
            sender_report(
                ssrc=self.ssrc,
                captured_at=captured_at,
                rtp_timestamp=rtp_timestamp,
                packets=self.counts.packets,
                octets=self.counts.octets,
                name=name,
            )
        )

    def say_goodbye(self) -> None:
        """Tell the client that this source ends."""
        self.sink.send_report(goodbye(self.ssrc))

    def _takes(self, block: PacketBlock) -> bool:
        backlog = self.sink.backlog_bytes()
        if self.waits_for_key:
            if block.is_key and backlog <= SLOW_LIMIT_BYTES // 2:
                self.waits_for_key = self.is_slow = False
                return True
            if self.is_slow:
                self._drop(block)
            return False
        if backlog > SLOW_LIMIT_BYTES:
            self.waits_for_key = self.is_slow = True
            self._drop(block)
            return False
        return True

    def _drop(self, block: PacketBlock) -> None:
        """The gap in the sequence numbers tells the client that it lost something."""
        self.counts.dropped_pictures += 1
        self._count_on(block)

    def _count_on(self, block: PacketBlock) -> None:
        self.sequence = self.sequence + len(block.offsets) & 0xFFFF


class InterleavedSink:
    """RTP and RTCP inside the RTSP connection (RFC 2326 section 10.12)."""

    kind = "tcp"

    def __init__(self, transport: asyncio.Transport, channel: int) -> None:
        self._transport = transport
        self.channel = channel

    def send(self, packets: bytearray, offsets: tuple[int, ...]) -> None:
        """One write for a whole picture."""
        del offsets
        self._write(packets)

    def send_report(self, packet: bytes) -> None:
        """On the channel after that of RTP."""
        self._write(bytes((0x24, self.channel + 1)) + len(packet).to_bytes(2, "big") + packet)

    def send_noise(self, noise: bytes) -> None:
        """Straight between the packets."""
        self._write(noise)

    def backlog_bytes(self) -> int:
        """Unsent bytes of the connection."""
        return self._transport.get_write_buffer_size()

    def _write(self, data: bytes | bytearray) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

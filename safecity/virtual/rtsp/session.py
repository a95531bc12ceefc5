"""An RTSP session: one stream, one way to its client, and a time after which silence ends it."""

import secrets
from enum import StrEnum
from typing import Final

from safecity.virtual.rtsp.rtcp import read_receiver_report
from safecity.virtual.rtsp.source import Source
from safecity.virtual.rtsp.udp import UdpPorts, UdpSink
from safecity.virtual.rtsp.viewer import InterleavedSink, Viewer

SESSION_TIMEOUT_S: Final = 60.0


class SessionState(StrEnum):
    """RFC 2326 appendix A.2, less recording; "init" is a session that does not exist yet."""

    READY = "ready"
    PLAYING = "playing"


class Session:
    """What SETUP made. Ends with its connection, by TEARDOWN, or when the client falls silent."""

    def __init__(self, source: Source, viewer: Viewer, *, ports: UdpPorts | None, now_s: float) -> None:
        self.id = secrets.token_hex(8)
        self.source = source
        self.viewer = viewer
        self.state = SessionState.READY
        self.heard_s = now_s
        self._ports = ports
        if ports and isinstance(viewer.sink, UdpSink):
            ports.listen(viewer.sink.rtcp_address, self._on_udp_report)

    @property
    def has_heard_channel(self) -> int | None:
        """The interleaved channel on which this session's reports arrive."""
        return self.viewer.sink.channel + 1 if isinstance(self.viewer.sink, InterleavedSink) else None

    def on_report(self, packet: bytes, now_s: float) -> None:
        """An RTCP packet from the client: it lives."""
        self.heard_s = now_s
        self.viewer.last_report = read_receiver_report(packet) or self.viewer.last_report

    def play(self) -> None:
        """Start or go on."""
        self.state = SessionState.PLAYING
        self.source.join(self.viewer, from_group=self.joins_from_group)

    @property
    def joins_from_group(self) -> bool:
        """Only a connection with flow control may be given seconds of video at once."""
        return isinstance(self.viewer.sink, InterleavedSink)

    def pause(self) -> None:
        """Stop sending; PLAY goes on in the present."""
        self.state = SessionState.READY
        self.source.leave(self.viewer)

    def end(self, *, says_goodbye: bool) -> None:
        """Stop for good."""
        self.pause()
        if says_goodbye:
            self.viewer.say_goodbye()
        if self._ports and isinstance(self.viewer.sink, UdpSink):
            self._ports.forget(self.viewer.sink.rtcp_address)
            self.viewer.sink.close()

    def _on_udp_report(self, packet: bytes) -> None:
        if self._ports:
            self.on_report(packet, self._ports.clock.monotonic_s())

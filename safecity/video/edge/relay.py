"""The centre's end of the live links: what edges push becomes streams that the centre's recorders read.

The hub is a recorder's (`packets.py`) under another name, so that no gateway takes it for one: pictures of an edge's
camera reach a viewer through the centre's recorder, as those of any other camera.
"""

import threading
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import structlog

from safecity.platform.clock import Clock
from safecity.platform.errors import Denied
from safecity.video.access_unit import AccessUnit, StreamHeader
from safecity.video.edge.frames import unpack_frame
from safecity.video.edge.model import EdgeId
from safecity.video.model import Cause, LinkState, StreamKey, StreamState
from safecity.video.packets import PacketHub
from safecity.video.supervision import SupervisedThread

log = structlog.get_logger()

RELAY = "relay"
SLOT = "intake"


class Relay:
    """All live links of this centre."""

    def __init__(self, run_dir: Path, *, clock: Clock) -> None:
        self._hub = PacketHub(run_dir, SLOT, kind=RELAY)
        self._clock = clock
        self._lock = threading.Lock()
        self._links: dict[EdgeId, LiveLink] = {}
        self._thread = SupervisedThread("relay", self._hub.run, stop=threading.Event())

    def start(self) -> None:
        """Begin to serve recorders."""
        self._thread.start()

    def stop(self) -> None:
        """End; recorders see the socket go."""
        self._hub.stop()
        if self._thread.join(2.0):
            self._hub.close()

    def open(self, edge: EdgeId, keys: Iterable[StreamKey]) -> "LiveLink":
        """A link of an edge; it takes the place of the one before, which the edge has given up."""
        link = LiveLink(edge, frozenset(keys), hub=self._hub, now=self._clock.now())
        with self._lock:
            before, self._links[edge] = self._links.get(edge), link
        if before is not None:
            before.retire()
        return link

    def close(self, link: "LiveLink") -> None:
        """The connection is gone: its streams are offline, for the link's fault."""
        with self._lock:
            if self._links.get(link.edge) is link:
                del self._links[link.edge]
        link.end(self._clock.now())

    def is_connected(self, edge: EdgeId) -> bool:
        """Whether a link of the edge stands."""
        return edge in self._links


class LiveLink:
    """One connection of one edge; used by one task."""

    def __init__(self, edge: EdgeId, keys: frozenset[StreamKey], *, hub: PacketHub, now: datetime) -> None:
        self.edge = edge
        self.is_retired = False
        self._keys = keys
        self._hub = hub
        for key in keys:
            hub.add_stream(key, _lost(now))

    def take(self, raw: bytes) -> None:
        """Hand on a frame. Raises Invalid for an unreadable one and Denied for a stream that is not this edge's."""
        if self.is_retired:
            return
        frame = unpack_frame(raw)
        if frame.key not in self._keys:
            raise Denied("this stream is not the edge's to push", code="edge.foreign_camera")
        if isinstance(frame.said, StreamHeader | AccessUnit):
            self._hub.publish(frame.key, frame.said)
        else:
            self._hub.publish_state(frame.key, frame.said)

    def retire(self) -> None:
        """Another connection of the same edge has taken over."""
        self.is_retired = True

    def end(self, now: datetime) -> None:
        """Say that nothing comes any more, unless another connection goes on."""
        if not self.is_retired:
            self.is_retired = True
            for key in self._keys:
                self._hub.publish_state(key, _lost(now))


def _lost(now: datetime) -> StreamState:
    return StreamState(state=LinkState.OFFLINE, since=now, cause=Cause.LINK)

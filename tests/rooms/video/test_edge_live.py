"""The live way of a picture: the edge's hub, the pusher, the intake's relay, the centre's reader."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from safecity.platform.clock import SystemClock, to_us
from safecity.platform.database import Database
from safecity.platform.errors import Unavailable
from safecity.platform.sockets import socket_dir
from safecity.video.access_unit import AccessUnit, StreamHeader
from safecity.video.edge.pusher import Pusher
from safecity.video.edge.reader import EdgeReader
from safecity.video.edge.register import Policy
from safecity.video.model import Cause, LinkState, Stream, StreamKey, StreamSource, StreamState
from safecity.video.packets import PacketHub
from safecity.video.reader import Numbering
from safecity.video.timeline import ServerLine
from tests.rooms.video.edge_house import MINE, CentreHouse
from tests.rooms.video.rig import wait_until

KEY: StreamKey = (MINE, Stream.MAIN)
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LIVE = StreamState(state=LinkState.LIVE, since=NOW, cause=None)
STARTING = StreamState(state=LinkState.OFFLINE, since=NOW, cause=Cause.RECORDER)
HEADER = StreamHeader(
    codec="h264", codec_string="avc1.42E01F", width_px=640, height_px=360, parameter_sets=(b"g", b"h"), session=7
)


def unit(sequence: int, *, is_key: bool = False) -> AccessUnit:
    return AccessUnit(
        data=bytes([sequence]) * 50,
        media_ticks=sequence * 6000,
        composition_offset_ticks=0,
        is_key=is_key,
        captured_us=to_us(NOW) + sequence,
        received_us=to_us(NOW),
        received_s=float(sequence),
        sequence=sequence,
    )


class Way:
    """An edge whose hub is filled by hand, and its centre."""

    def __init__(self, house: CentreHouse, folder: Path, stack: ExitStack) -> None:
        self.edge_hub = PacketHub(folder, "recorder-1")
        self.clock = SystemClock()
        self._house = house
        self._stop = threading.Event()
        edge = house.enrol(Policy(streams="main+sub"))
        self.pusher = Pusher(house.caller(stack.enter_context(house.serve()), edge), folder)
        self._threads = [
            threading.Thread(target=self.edge_hub.run, daemon=True),
            threading.Thread(target=self.pusher.run, args=(self._stop,), daemon=True),
        ]
        stack.callback(self.close)
        self._readers = stack.enter_context(ExitStack())

    def start(self) -> None:
        self.pusher.set_streams([KEY])
        for thread in self._threads:
            thread.start()
        wait_until(lambda: self.edge_hub.is_watched(KEY), within_s=10, what="the edge pushes")

    def close(self) -> None:
        self._stop.set()
        self._threads[1].join(5)
        self.edge_hub.stop()
        self._threads[0].join(5)
        self.edge_hub.close()

    @contextmanager
    def read(self) -> Iterator[EdgeReader]:
        """The centre's recorder, which comes again each moment until there is something to read."""
        source = StreamSource(
            camera=MINE, stream=Stream.MAIN, url="edge://e/c/main", transport="edge", is_recorded=True
        )
        line = ServerLine(self.clock.now(), self.clock.monotonic_s())
        deadline_s = time.monotonic() + 10
        while True:
            numbering = Numbering(session=3, sequence=100)
            reader = EdgeReader(source, numbering, folder=socket_dir(self._house.data_dir), clock=self.clock, line=line)
            try:
                assert reader.open().session == 3
                break
            except Unavailable:
                reader.close()
                assert time.monotonic() < deadline_s, "the centre never got the stream's parameters"
                time.sleep(0.1)
        try:
            yield reader
        finally:
            reader.close()


@pytest.fixture
def way(database: Database, tmp_path: Path) -> Iterator[Way]:
    folder = tmp_path / "edge"
    folder.mkdir()
    with ExitStack() as stack:
        yield Way(CentreHouse(database, tmp_path / "centre"), folder, stack)


def test_a_stream_that_begins_while_it_is_pushed_is_read_at_the_centre(way: Way) -> None:
    # The header is there, the first picture is not: the stream is still offline when the pusher comes.
    way.edge_hub.add_stream(KEY, STARTING)
    way.edge_hub.publish(KEY, HEADER)
    way.start()
    way.edge_hub.publish(KEY, unit(1, is_key=True))
    way.edge_hub.publish_state(KEY, LIVE)
    way.edge_hub.publish(KEY, unit(2))
    with way.read() as reader:
        before_us = to_us(way.clock.now())
        items = reader.items()
        first, second = next(items), next(items)
    assert isinstance(first, AccessUnit)
    assert isinstance(second, AccessUnit)
    assert [first.data, second.data] == [unit(1).data, unit(2).data]
    assert [first.sequence, second.sequence] == [101, 102]  # the centre's count
    assert first.captured_us == to_us(NOW) + 1  # the camera's word
    assert abs(first.received_us - before_us) < 5_000_000  # the centre's clock, whatever the edge's says

"""Our reader beside the PyAV reader on one virtual camera at once: the same header, pictures, times and claims."""

import itertools
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from safecity.platform.clock import SystemClock
from safecity.sites.model import CameraId
from safecity.video import h264
from safecity.video.access_unit import AccessUnit, StreamHeader
from safecity.video.model import Stream, StreamSource
from safecity.video.pyav_reader import PyAvReader
from safecity.video.reader import Numbering
from safecity.video.rtsp.pictures import PictureBuilder, UnitMaker
from safecity.video.rtsp.session import RtspSession
from safecity.video.timeline import ServerLine
from tests.rooms.video.rig import USER, VirtualCameras

SECRET = "s%2Fec%3Ar%40t"
CLOCK = SystemClock()
UNITS = 80


@pytest.fixture(scope="module")
def virtual(clips_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualCameras]:
    with VirtualCameras(1, [clips_dir / "toll_gate_b.mp4"], cache=tmp_path_factory.mktemp("cache")) as running:
        yield running


def _read_ours(url: str, line: ServerLine) -> tuple[StreamHeader | None, list[AccessUnit]]:
    session = RtspSession(url, at_s=time.monotonic())
    maker = UnitMaker(Numbering(session=3, sequence=100), line=line)
    builder: PictureBuilder | None = None
    units: list[AccessUnit] = []
    buffer = bytearray(64 * 1024)
    with socket.create_connection((session.address.host, session.address.port), timeout=5) as wire:
        while len(units) < UNITS:
            if output := session.take_output():
                wire.sendall(output)
            size = wire.recv_into(buffer)
            assert size > 0
            session.receive(memoryview(buffer)[:size], at_s=time.monotonic())
            if builder is None and session.media is not None:
                builder = PictureBuilder(session.media)
                maker.begin(session.media)
                session.rtp, session.rtp_run, session.rtcp = builder.feed, builder.feed_run, builder.report
            elif builder is not None:
                items = [item for picture in builder.pictures for item in maker.take(picture)]
                builder.pictures.clear()
                units += [item for item in items if isinstance(item, AccessUnit)]
        assert builder is not None
        session.send_report(builder.make_report(time.monotonic()))
        wire.sendall(session.take_output() + session.teardown())
    assert (builder.lost_packets, builder.broken_pictures, builder.malformed_packets) == (0, 0, 0)
    return maker.header, units


def _slices(unit: AccessUnit) -> bytes:
    return b"".join(nal for nal in h264.split_length_prefixed(unit.data) if nal[0] & 0x1F in (1, 5))


def test_both_readers_see_the_same(virtual: VirtualCameras) -> None:
    url = virtual.url(1).replace("rtsp://", f"rtsp://{USER}:{SECRET}@")
    line = ServerLine(CLOCK.now(), CLOCK.monotonic_s())
    source = StreamSource(camera=CameraId("cam_a"), stream=Stream.MAIN, url=url, transport="tcp", is_recorded=True)
    peer = PyAvReader(source, Numbering(session=3, sequence=100), clock=CLOCK, line=line)
    theirs: list[AccessUnit] = []
    header = peer.open()

    def read() -> None:
        units = (item for item in peer.items() if isinstance(item, AccessUnit))
        theirs.extend(itertools.islice(units, UNITS))

    thread = threading.Thread(target=read)
    thread.start()
    our_header, ours = _read_ours(url, line)
    thread.join(20)
    peer.close()
    assert our_header == header
    assert [unit.sequence for unit in ours] == list(range(101, 101 + UNITS))
    known = {_slices(unit): unit for unit in theirs}
    both = [(unit, known[_slices(unit)]) for unit in ours if _slices(unit) in known]
    assert len(both) > UNITS // 2
    for a, b in both:
        assert a.is_key == b.is_key
        if a.captured_at is not None and b.captured_at is not None:
            assert abs((a.captured_at - b.captured_at).total_seconds()) < 0.02
    assert sum(a.captured_at is not None for a, _ in both) >= sum(b.captured_at is not None for _, b in both) - 2
    steps = [
        (a2.media_ticks - a1.media_ticks, b2.media_ticks - b1.media_ticks)
        for (a1, b1), (a2, b2) in itertools.pairwise(both)
    ]
    assert all(abs(a - b) <= 2 for a, b in steps[3:])

"""The PyAV reader on real streams: every picture, its times, its errors."""

import itertools
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import av.error
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.platform.clock import SystemClock
from safecity.platform.errors import Denied, Problem, Unavailable
from safecity.sites.model import CameraId
from safecity.video import h264, pyav_reader
from safecity.video.access_unit import TICKS_PER_S, AccessUnit, StreamHeader
from safecity.video.model import Cause, Stream, StreamSource
from safecity.video.pyav_reader import PyAvReader, find_annex_b, translate
from safecity.video.reader import CAUSES, Numbering, ReadItem, cause_of
from safecity.video.timeline import ServerLine
from safecity.virtual.faults import FaultKind
from tests.rooms.video.rig import PASSWORD, USER, VirtualCameras

SECRET = "s%2Fec%3Ar%40t"


def reader_of(url: str, *, transport: str = "tcp") -> PyAvReader:
    clock = SystemClock()
    source = StreamSource(camera=CameraId("cam_a"), stream=Stream.MAIN, url=url, transport=transport, is_recorded=True)
    line = ServerLine(clock.now(), clock.monotonic_s())
    return PyAvReader(source, Numbering(session=3, sequence=100), clock=clock, line=line)


def take(reader: PyAvReader, count: int) -> list[AccessUnit]:
    units = (item for item in reader.items() if isinstance(item, AccessUnit))
    return list(itertools.islice(units, count))


@pytest.fixture(scope="module")
def virtual(clips_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualCameras]:
    with VirtualCameras(2, [clips_dir / "toll_gate_b.mp4"], cache=tmp_path_factory.mktemp("cache")) as running:
        yield running


def signed_in(url: str, secret: str = SECRET) -> str:
    return url.replace("rtsp://", f"rtsp://{USER}:{secret}@")


@pytest.mark.parametrize(("transport", "stream"), [("tcp", "main"), ("udp", "sub")])
def test_a_camera_is_read_with_times_that_rise_and_its_own_claim(
    virtual: VirtualCameras, transport: str, stream: str
) -> None:
    reader = reader_of(signed_in(virtual.url(1, stream)), transport=transport)
    began = time.monotonic()
    header = reader.open()
    assert time.monotonic() - began < (1.0 if transport == "tcp" else 4.0)
    units = take(reader, 60)
    reader.close()
    assert header.codec == "h264"
    assert header.codec_string.startswith("avc1.")
    assert header.session == 3
    assert (header.width_px, header.height_px) == ((1280, 720) if stream == "main" else (640, 360))
    assert [unit.sequence for unit in units] == list(range(101, 161))
    assert all(b.media_ticks > a.media_ticks for a, b in itertools.pairwise(units))
    assert units[0].is_key
    assert any(unit.captured_at for unit in units)
    claims = [(unit.captured_at - unit.received_at).total_seconds() for unit in units[-20:] if unit.captured_at]
    assert claims
    assert all(-5 < claim < 0.5 for claim in claims)
    for unit in units:
        assert list(h264.split_length_prefixed(unit.data))


@pytest.mark.parametrize("clip", ["intel_car_detection.mp4", "motorway.mp4", "tfl/00001.07450.mp4"])
@pytest.mark.parametrize("form", ["mp4", "ts"])
def test_every_picture_of_a_clip_comes_once_with_its_bytes(
    clips_dir: Path, tmp_path: Path, clip: str, form: str
) -> None:
    path = clips_dir / clip
    if form == "ts":
        path = tmp_path / "clip.ts"
        command = ["ffmpeg", "-v", "error", "-i", str(clips_dir / clip), "-map", "0:v", "-c", "copy", str(path)]
        subprocess.run(command, check=True)
    with av.open(str(clips_dir / clip)) as container:
        stream = container.streams.video[0]
        wanted = [packet for packet in container.demux(stream) if packet.size]
        scale = float(stream.time_base or 0) * TICKS_PER_S
    reader = reader_of(str(path))
    reader.open()
    units = take(reader, 10_000)
    reader.close()
    assert len(units) == len(wanted)
    assert all(b.media_ticks > a.media_ticks for a, b in itertools.pairwise(units))
    # Zeros behind a NAL unit belong to the byte stream, not to it (H.264 annex B): a TS does not carry them.
    assert [_slices(unit.data) for unit in units] == [_slices(bytes(packet)) for packet in wanted]
    shown = [unit.media_ticks + unit.composition_offset_ticks for unit in units]
    true = [round((packet.pts or 0) * scale) for packet in wanted]
    assert all(abs((a - shown[0]) - (b - true[0])) <= 2 for a, b in zip(shown, true, strict=True))


def _slices(data: bytes) -> list[bytes]:
    """The slices; one clip ends in an end-of-sequence unit that its muxer glued to the last slice."""
    parts = [part for nal in h264.split_length_prefixed(data) for part in h264.split_annex_b(b"\0\0\1" + nal)]
    return [part for part in parts if part[0] & 0x1F in (1, 5)]


def test_a_change_of_parameters_gives_a_new_header_and_session(virtual: VirtualCameras) -> None:
    reader = reader_of(signed_in(virtual.url(2)))
    first = reader.open()
    changed = threading.Timer(0.5, lambda: virtual.fault(2, FaultKind.RESOLUTION, for_s=10))
    changed.start()
    seen: list[ReadItem] = []
    deadline = time.monotonic() + 20
    for item in reader.items():
        seen.append(item)
        if isinstance(item, StreamHeader) or time.monotonic() > deadline:
            break
    second = seen[-1]
    reader.close()
    changed.join()
    virtual.clear()
    assert isinstance(second, StreamHeader)
    assert (second.width_px, second.session) != (first.width_px, first.session)
    assert second.session == first.session + 1


def _failure(reader: PyAvReader) -> Problem:
    with pytest.raises(Problem) as caught:
        reader.open()
        take(reader, 10**9)
    text = f"{caught.value.message} {caught.value.facts} {caught.value.__cause__}"
    assert "ec%3A" not in text
    assert PASSWORD not in text
    return caught.value


def test_refusals_and_dead_ends_are_told_apart_and_quote_no_password(virtual: VirtualCameras) -> None:
    refused = _failure(reader_of(signed_in(virtual.url(1), "wrong")))
    assert isinstance(refused, Denied)
    assert cause_of(refused) is Cause.CREDENTIALS
    nowhere = _failure(reader_of(signed_in(virtual.url(1)).replace("cam-001", "cam-999")))
    assert (nowhere.code, cause_of(nowhere)) == ("video.not_found", Cause.CAMERA)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = _failure(reader_of(f"rtsp://{USER}:{SECRET}@127.0.0.1:{unused.getsockname()[1]}/x"))
    assert (closed.code, cause_of(closed)) == ("video.refused", Cause.LINK)


def test_a_peer_that_says_nothing_ends_within_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyav_reader, "OPEN_TIMEOUT_S", 0.5)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        began = time.monotonic()
        silent = _failure(reader_of(f"rtsp://{USER}:{SECRET}@127.0.0.1:{deaf.getsockname()[1]}/x"))
    assert time.monotonic() - began < 3
    assert (silent.code, cause_of(silent)) == ("video.timeout", Cause.LINK)


def test_a_stalled_camera_ends_the_read_within_the_bound(
    virtual: VirtualCameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyav_reader, "READ_TIMEOUT_S", 1.0)
    reader = reader_of(signed_in(virtual.url(1)))
    reader.open()
    take(reader, 5)
    virtual.fault(1, FaultKind.STALL, for_s=30)
    began = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        take(reader, 10**9)
    reader.close()
    virtual.clear()
    assert time.monotonic() - began < 5
    assert caught.value.code == "video.timeout"


def test_what_is_no_video_is_refused_clearly(tmp_path: Path) -> None:
    path = tmp_path / "noise.mp4"
    path.write_bytes(b"\x00" * 5000)
    problem = _failure(reader_of(str(path)))
    assert cause_of(problem) is Cause.CAMERA


def test_every_translated_error_has_a_cause() -> None:
    for kind in (av.error.HTTPUnauthorizedError, av.error.ConnectionRefusedError, av.error.InvalidDataError):
        assert translate(kind(1, "x")).code in CAUSES


_CODE = st.sampled_from([b"\0\0\1", b"\0\0\0\1"])
_NAL = st.binary(min_size=1, max_size=60).map(lambda raw: b"\x41" + raw.replace(b"\0", b"\1") + b"\x80")


@given(nals=st.lists(_NAL, max_size=6), codes=st.lists(_CODE, min_size=6, max_size=6))
def test_annex_b_is_cut_at_its_start_codes(nals: list[bytes], codes: list[bytes]) -> None:
    stream = b"".join(code + one for code, one in zip(codes, nals, strict=False))
    assert [stream[start:end] for start, end in find_annex_b(stream)] == nals == h264.split_annex_b(stream)

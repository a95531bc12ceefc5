"""Where segments are cut, when they start, what is missing between them, and how they lie on the disk."""

import errno
import itertools
import json
import os
from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.oversight import merkle
from safecity.platform.clock import to_us
from safecity.platform.errors import Invalid
from safecity.sites.model import CameraId
from safecity.video import disk as disk_module
from safecity.video import disk_calls
from safecity.video.access_unit import StreamHeader
from safecity.video.disk import DiskWriter
from safecity.video.disk_jobs import AppendJob, CloseJob, DiskFailure, OpenJob
from safecity.video.model import JOIN_WITHIN, Cause, SegmentState, Stream
from safecity.video.scan import BufferSource, read_samples, scan
from safecity.video.segments import segment_path
from safecity.video.volumes import Volumes
from tests.rooms.video.paper import KEY, RATE, START, Camera, PaperDisk, header_of, record_to_disk
from tests.rooms.video.test_retention import segment


@pytest.fixture(scope="module")
def header(clips_dir: Path) -> StreamHeader:
    return header_of(clips_dir / "intel_car_detection.mp4")


def spans(paper: PaperDisk) -> list[tuple[float, float]]:
    return [
        ((row.started_at - START).total_seconds(), (row.durable_until - START).total_seconds()) for row in paper.rows
    ]


def assert_disjoint_and_explained(paper: PaperDisk) -> None:
    """The ledger of a stream: segments in order, none over another, each gap covered by an outage."""
    for before, after in itertools.pairwise(paper.rows):
        assert before.started_at < before.durable_until <= after.started_at
        at = before.durable_until
        for one in sorted(paper.outages.values(), key=lambda one: one.from_at):
            if one.from_at - at <= JOIN_WITHIN:
                at = max(at, one.to_at or at)
        assert after.started_at - at <= JOIN_WITHIN, (before.durable_until, after.started_at, paper.outages)
    assert all(one.to_at is not None for one in paper.outages.values())


# --- Cuts ----------------------------------------------------------------------------------------------------------


def test_segments_are_cut_at_key_frames_and_follow_each_other_without_a_gap(header: StreamHeader) -> None:
    paper = PaperDisk()
    writer = paper.writer()
    camera = Camera(writer, header)
    camera.send(RATE * 35)
    writer.stop()
    assert [round(b - a, 2) for a, b in spans(paper)] == [10.0, 10.0, 10.0, 5.0]
    assert all(a[1] == b[0] for a, b in itertools.pairwise(spans(paper)))
    assert paper.outages == {}
    for parts in paper.fragments[:3]:
        assert 8 <= len(parts) <= 11
    for file in paper.files():
        found = scan(file)
        assert found.damage is None
        assert found.fragments[0].is_key_first
        assert found.fragments[0].decode_ticks == 0
        assert all(a.end_ticks == b.decode_ticks for a, b in itertools.pairwise(found.fragments))


def test_every_picture_is_kept_byte_for_byte_and_in_order(header: StreamHeader) -> None:
    paper = PaperDisk()
    writer = paper.writer()
    camera = Camera(writer, header)
    camera.send(RATE * 25)
    writer.stop()
    pictures: list[bytes] = []
    for file in paper.files():
        source = BufferSource(file)
        pictures += [sample.data for one in scan(file).fragments for _, sample in read_samples(source, one)]
    assert pictures == [b"\0\0\0\x05\x65" + n.to_bytes(4) for n in range(1, RATE * 25 + 1)]


def test_a_file_says_itself_what_it_is(header: StreamHeader) -> None:
    paper = PaperDisk()
    writer = paper.writer()
    Camera(writer, header).send(RATE * 3)
    writer.stop()
    said = json.loads(scan(paper.files()[0]).description or b"")
    assert (said["camera"], said["stream"], said["writer"]) == ("cam_a", "main", "recorder-1")
    assert said["started_at_us"] == to_us(paper.rows[0].started_at)
    assert paper.rows[0].path == segment_path(KEY, paper.rows[0].started_at, session="tag-1")


def test_a_start_up_burst_of_old_pictures_does_not_move_the_line(header: StreamHeader) -> None:
    paper = PaperDisk()
    writer = paper.writer()
    camera = Camera(writer, header)
    camera.send(25, after_s=0.0001)  # what the camera had kept since its last key frame
    camera.send(RATE * 8)
    writer.stop()
    # 25 pictures are 25/15 s old when the first live one arrives.
    true_start = (1 - 25) / RATE + 25 * 0.0001
    assert abs(spans(paper)[0][0] - true_start) < 0.1


def test_a_hole_ends_the_segment_and_the_next_waits_for_a_key_frame(header: StreamHeader) -> None:
    paper = PaperDisk()
    writer = paper.writer()
    camera = Camera(writer, header)
    camera.send(RATE * 5)
    camera.silence(20.0)
    camera.send(RATE * 8)
    writer.stop()
    (first, second) = spans(paper)
    assert abs(first[1] - first[0] - 5.0) < 0.1
    assert 20.0 <= second[0] - first[1] <= 22.1
    (outage,) = paper.outages.values()
    assert (outage.cause, outage.detail) == (Cause.CAMERA, "hole")
    assert_disjoint_and_explained(paper)


def test_a_stream_without_key_frames_is_not_recorded_for_ever(header: StreamHeader) -> None:
    writer = PaperDisk().writer()
    camera = Camera(writer, header)
    camera.send(1, is_key=True)
    with pytest.raises(Invalid, match="key"):
        camera.send(RATE * 601, is_key=False)


def test_a_full_mailbox_is_a_gap_of_the_disk_and_recording_goes_on(header: StreamHeader) -> None:
    paper = PaperDisk()
    writer = paper.writer()
    camera = Camera(writer, header)
    camera.send(RATE * 6)
    paper.is_full = True
    camera.send(RATE * 3)
    paper.is_full = False
    camera.send(RATE * 6)
    writer.stop()
    assert_disjoint_and_explained(paper)
    assert {one.cause for one in paper.outages.values()} == {Cause.DISK}
    kept_s = sum(b - a for a, b in spans(paper))
    assert kept_s >= 15 - 3 - 2 - 1.1


def test_a_failed_segment_is_explained_from_where_it_was_durable(header: StreamHeader) -> None:
    paper = PaperDisk()
    writer = paper.writer()
    camera = Camera(writer, header)
    camera.send(RATE * 6)
    durable = paper.rows[0].started_at + timedelta(seconds=2)
    begun_us = to_us(paper.rows[0].started_at)
    paper.failure = DiskFailure(detail="disk_full", started_us=begun_us, durable_until_us=to_us(durable))
    camera.send(RATE * 6)
    writer.stop()
    (outage,) = paper.outages.values()
    assert (outage.from_at, outage.cause, outage.detail) == (durable, Cause.DISK, "disk_full")
    assert outage.to_at == paper.rows[1].started_at


def test_a_failure_told_after_the_session_ended_leaves_nothing_unexplained(header: StreamHeader) -> None:
    """The disk is asked when the next picture comes; by then the link may have gone, and its outage been stated."""
    paper = PaperDisk()
    writer = paper.writer()
    camera = Camera(writer, header)
    camera.send(RATE * 6)
    begun = paper.rows[0].started_at
    writer.interrupt(Cause.LINK, "ended", now=camera.now)
    believed = writer.end_at
    assert believed is not None
    paper.failure = DiskFailure(detail="disk_full", started_us=to_us(begun), durable_until_us=None)
    writer.flush_idle(camera.now)
    stated = sorted((one.from_at, one.to_at, one.cause) for one in paper.outages.values())
    assert stated == [(begun, believed, Cause.DISK), (believed, None, Cause.LINK)]


def test_a_failure_told_after_the_next_segment_began_ends_that_one_too(header: StreamHeader) -> None:
    """What was handed over since is dropped by the disk as well, so that nothing is on it twice or out of order."""
    paper = PaperDisk()
    writer = paper.writer()
    camera = Camera(writer, header)
    camera.send(RATE * 6)
    first = paper.rows[0].started_at
    writer.begin_session(header)
    camera.send(RATE * 6)
    second = paper.rows[-1].started_at
    assert second > first
    paper.failure = DiskFailure(detail="disk_full", started_us=to_us(first), durable_until_us=None)
    camera.send(RATE * 4)
    writer.stop()
    lost = [(one.from_at, one.to_at) for one in paper.outages.values() if one.cause is Cause.DISK]
    assert lost == [(first, paper.rows[-1].started_at)]
    assert paper.rows[-1].started_at > second


def test_a_stall_leaves_nothing_in_memory_and_no_gap_when_it_was_only_late(header: StreamHeader) -> None:
    paper = PaperDisk()
    writer = paper.writer()
    camera = Camera(writer, header)
    camera.send(RATE * 5)
    camera.monotonic_s += 5.0  # the link is blocked, the camera's pictures wait in it
    writer.note_stall(now=camera.now)
    assert sum(len(parts) for parts in paper.fragments) == 5
    (outage,) = paper.outages.values()
    assert (outage.to_at, outage.detail) == (None, "stall")
    camera.send(RATE * 5, after_s=0.0001)
    camera.send(RATE * 5)
    writer.stop()
    (outage,) = paper.outages.values()
    assert outage.to_at is not None
    assert outage.to_at - outage.from_at < timedelta(milliseconds=1)
    assert abs(sum(b - a for a, b in spans(paper)) - 15.0) < 0.1


# --- Any order of mishaps ------------------------------------------------------------------------------------------

mishap = st.one_of(
    st.tuples(st.just("frames"), st.integers(1, RATE * 20)),
    st.tuples(st.just("burst"), st.integers(1, 40)),
    st.tuples(st.just("reconnect"), st.floats(0.0, 40.0)),
    st.tuples(st.just("silence"), st.floats(0.0, 40.0)),
    st.tuples(st.just("camera_jump"), st.integers(-(2**33), 2**33)),
    st.tuples(st.just("server_step"), st.floats(-600.0, 600.0)),
    st.tuples(st.just("full"), st.integers(1, RATE * 5)),
)


@settings(max_examples=120, deadline=None)
@given(mishaps=st.lists(mishap, max_size=12))
def test_whatever_happens_segments_never_overlap_and_every_gap_is_explained(
    header: StreamHeader, mishaps: Sequence[tuple[str, float]]
) -> None:
    paper = PaperDisk()
    writer = paper.writer(segment_s=6.0)
    camera = Camera(writer, header)
    camera.send(RATE * 3)
    for kind, amount in mishaps:
        match kind:
            case "frames":
                camera.send(int(amount))
            case "burst":
                camera.send(int(amount), after_s=0.0001)
            case "reconnect":
                camera.reconnect(after_s=amount)
            case "silence":
                camera.silence(amount)
            case "camera_jump":
                camera.raw += int(amount)
            case "server_step":
                camera.step_server(amount)
            case _:
                paper.is_full = True
                camera.send(int(amount))
                paper.is_full = False
    camera.send(RATE * 10)
    writer.stop()
    paper.rows = [row for row, parts in zip(paper.rows, paper.fragments, strict=True) if parts]
    assert_disjoint_and_explained(paper)
    assert all(abs(row.rate_ppb) <= 100_000_000 for row in paper.rows)


# --- On the disk ---------------------------------------------------------------------------------------------------


def test_files_are_chained_by_their_roots_and_rows_tell_only_what_is_durable(
    header: StreamHeader, tmp_path: Path
) -> None:
    rows, disk = record_to_disk(tmp_path, header, 10)
    assert disk.stop()
    closed = [row for row in rows if row.state is SegmentState.CLOSED]
    assert len(closed) == 3
    previous = None
    for row in closed:
        raw = (tmp_path / row.path).read_bytes()
        assert len(raw) == row.size_bytes
        found = scan(raw)
        leaves = [merkle.leaf_hash(found.init_bytes)]
        leaves += [
            merkle.leaf_hash(raw[one.offset_bytes : one.offset_bytes + one.size_bytes]) for one in found.fragments
        ]
        assert merkle.root(leaves).hex() == row.root
        assert json.loads(found.description or b"")["previous_root"] == row.previous_root == previous
        previous = row.root
    with av.open(BytesIO((tmp_path / closed[0].path).read_bytes())) as container:
        assert sum(1 for packet in container.demux() if packet.size) == closed[0].fragments * 0 + 4 * RATE


def test_a_disk_that_refuses_leaves_a_whole_file_and_word(
    header: StreamHeader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, written = os.writev, [0]

    def writev(descriptor: int, buffers: Sequence[bytes]) -> int:
        written[0] += 1
        if written[0] == 3:
            real(descriptor, [bytes(buffers[0])[:20]])  # a part gets out, then the disk is full
            raise OSError(errno.ENOSPC, "no space")
        return real(descriptor, buffers)

    monkeypatch.setattr(disk_calls.os, "writev", writev)
    rows, disk = record_to_disk(tmp_path, header, 4)
    assert disk.stop()
    failure = disk.take_failure(KEY)
    assert failure is not None
    assert failure.detail == "disk_full"
    first = rows[-1] if rows[-1].state is SegmentState.CLOSED else rows[0]
    raw = (tmp_path / first.path).read_bytes()
    assert scan(raw).damage is None
    assert len(scan(raw).fragments) == 2


def test_one_stream_cannot_fill_the_mailbox_of_all(tmp_path: Path) -> None:
    disk = DiskWriter(Volumes.at(tmp_path), put_row=lambda row: None)
    big = b"x" * (1024 * 1024)
    opened: set[str] = set()

    def offer(name: str) -> bool:
        key = (CameraId(name), Stream.MAIN)
        if name not in opened:
            opened.add(name)
            assert disk.submit(OpenJob(key=key, row=segment(name, 1), make_init=lambda _: b""))
        return disk.submit(AppendJob(key=key, buffers=[big], size_bytes=len(big), until_us=0))

    taken = [offer("cam_greedy") for _ in range(100)]
    assert sum(taken) == disk_module.MAX_WAITING_STREAM_BYTES // len(big)
    assert offer("cam_modest")
    others = [offer(f"cam_{n}") for n in range(400)]
    assert disk.waiting_bytes <= disk_module.MAX_WAITING_BYTES
    assert not all(others)
    assert disk.submit(CloseJob(key=KEY))

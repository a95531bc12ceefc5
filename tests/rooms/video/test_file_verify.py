"""One file against its row: no changed byte goes unseen, and a file that is whole is never blamed."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.sites.model import CameraId
from safecity.video.file_verify import Flaw, verify_file
from safecity.video.model import Segment, SegmentState, instant_of
from safecity.video.scan import scan
from tests.rooms.video.paper import header_of, record_to_disk

Recorded = tuple[bytes, Segment, Segment]


@pytest.fixture(scope="module")
def recorded(clips_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """A file, its row, and a row of it while it was written."""
    folder = tmp_path_factory.mktemp("media")
    rows, disk = record_to_disk(folder, header_of(clips_dir / "intel_car_detection.mp4"), 10)
    assert disk.stop()
    closed = [row for row in rows if row.state is SegmentState.CLOSED][1]
    raw = (folder / closed.path).read_bytes()
    first = scan(raw).fragments[0]
    size, until = first.offset_bytes + first.size_bytes, instant_of(closed, first.end_ticks)
    growing = replace(closed, state=SegmentState.OPEN, root=None, fragments=1, size_bytes=size, durable_until=until)
    return raw, closed, growing


def kinds(raw: bytes, row: Segment) -> set[Flaw]:
    return {one.kind for one in verify_file(raw, row).flaws}


def test_a_whole_file_is_sound_and_its_root_is_known_again(recorded: Recorded) -> None:
    raw, row, _ = recorded
    found = verify_file(raw, row)
    assert found.is_sound
    assert found.root == row.root
    assert found.read_bytes == len(raw)
    assert verify_file(raw, replace(row, root=None)).root == row.root


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_changed_byte_goes_unseen(recorded: Recorded, data: st.DataObject) -> None:
    raw, row, _ = recorded
    at = data.draw(st.integers(0, len(raw) - 1), label="at")
    mask = data.draw(st.integers(1, 255), label="mask")
    changed = raw[:at] + bytes([raw[at] ^ mask]) + raw[at + 1 :]
    assert not verify_file(changed, row).is_sound


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_nothing_cut_off_put_in_or_put_behind_goes_unseen(recorded: Recorded, data: st.DataObject) -> None:
    raw, row, _ = recorded
    start = data.draw(st.integers(0, len(raw) - 1))
    end = data.draw(st.integers(start + 1, len(raw)))
    more = data.draw(st.binary(min_size=1, max_size=50))
    for changed in (raw[:start], raw[:start] + raw[end:], raw[:start] + more + raw[start:], raw + more):
        assert Flaw.SIZE in kinds(changed, row)


def test_an_open_segment_is_verified_up_to_what_is_durable(recorded: Recorded) -> None:
    raw, _, growing = recorded
    assert growing.size_bytes < len(raw)
    assert kinds(raw, growing) == set()
    assert kinds(raw[: growing.size_bytes - 1], growing) >= {Flaw.SIZE, Flaw.TORN}
    half = growing.size_bytes - 5
    assert kinds(raw[:half] + b"zzzzz" + raw[growing.size_bytes :], growing) == set()  # pictures: only a root can tell


def test_a_row_that_says_other_things_than_the_file_is_found(recorded: Recorded) -> None:
    raw, row, _ = recorded
    second = timedelta(seconds=1)
    assert kinds(raw, replace(row, durable_until=row.durable_until + second)) == {Flaw.TIMES}
    assert kinds(raw, replace(row, fragments=row.fragments + 1)) == {Flaw.TIMES}
    assert Flaw.DESCRIPTION in kinds(raw, replace(row, started_at=row.started_at + second))
    assert kinds(raw, replace(row, camera=CameraId("cam_b"))) == {Flaw.DESCRIPTION}
    assert kinds(raw, replace(row, previous_root="0" * 64)) == {Flaw.DESCRIPTION}
    assert kinds(raw, replace(row, width_px=row.width_px + 2)) == {Flaw.DESCRIPTION}
    assert kinds(raw, replace(row, root="0" * 64)) == {Flaw.ROOT}
    assert Flaw.SIZE in kinds(raw, replace(row, size_bytes=row.size_bytes - 1))


def test_what_is_no_recording_is_said_to_be_torn(recorded: Recorded) -> None:
    _, row, _ = recorded
    for raw in (b"", b"no recording", bytes(5000)):
        assert kinds(raw, row) >= {Flaw.TORN}

"""What a crash leaves, and what the next start makes of it."""

import fcntl
import itertools
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import av
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from safecity.oversight import merkle
from safecity.video.access_unit import StreamHeader
from safecity.video.disk import DiskWriter
from safecity.video.handover import Handover, StreamPast, prepare_stream
from safecity.video.index import IndexMailbox
from safecity.video.ledger import OutageLedger
from safecity.video.model import Cause, Outage, Segment, SegmentState
from safecity.video.recovery import DAMAGED_SUFFIX, recover_stream
from safecity.video.scan import scan
from safecity.video.segments import Outlets, SegmentRules, SegmentWriter
from safecity.video.volumes import Volumes
from tests.rooms.video.paper import KEY, START, header_of, record_to_disk


@pytest.fixture(scope="module")
def header(clips_dir: Path) -> StreamHeader:
    return header_of(clips_dir / "intel_car_detection.mp4")


@pytest.fixture(scope="module")
def shelf(header: StreamHeader, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[Segment]]]:
    """Three recorded segments of 4, 4 and 2 seconds with their rows."""
    folder = tmp_path_factory.mktemp("media")
    rows, disk = record_to_disk(folder, header, 10)
    assert disk.stop()
    return folder, [row for row in rows if row.state is SegmentState.CLOSED]


@pytest.fixture
def media(shelf: tuple[Path, list[Segment]], tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(shelf[0], tmp_path / "media"))


def opened(row: Segment) -> Segment:
    """What the index had said of a segment a second after its start."""
    return replace(row, state=SegmentState.OPEN, root=None, fragments=1, durable_until=row.started_at)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.0, 1.0), tail=st.binary(max_size=40))
def test_a_file_cut_anywhere_keeps_every_whole_fragment_and_nothing_else(
    shelf: tuple[Path, list[Segment]], tmp_path: Path, share: float, tail: bytes
) -> None:
    folder, rows = shelf
    shutil.rmtree(tmp_path / "cut", ignore_errors=True)
    media = Path(shutil.copytree(folder, tmp_path / "cut"))
    victim = rows[2]
    whole = (folder / victim.path).read_bytes()
    raw = whole[: int(len(whole) * share)] + tail
    (media / victim.path).write_bytes(raw)
    ends = [one.offset_bytes + one.size_bytes for one in scan(whole).fragments]
    kept = [end for end in ends if end <= int(len(whole) * share)]
    # Rubbish that happens to fill a fragment up to its very end cannot be told from pictures without their hash.
    assume(all(len(raw) < end for end in ends[len(kept) :]))
    found = recover_stream(Volumes.at(media), KEY, known=[rows[1], opened(victim)], writer="recorder-1")
    if not kept:
        assert [one.path for one in found.set_aside] == [victim.path]
        assert [one.path for one in found.missing] == [victim.path]
        assert (media / (victim.path + DAMAGED_SUFFIX)).read_bytes() == raw
        assert found.last == rows[1]
        return
    (restored,) = found.restored
    left = (media / victim.path).read_bytes()
    assert left == whole[: kept[-1]]
    assert restored.cut_bytes == len(raw) - kept[-1]
    assert (restored.row.fragments, restored.row.size_bytes) == (len(kept), kept[-1])
    borders = list(itertools.pairwise([0, len(scan(left).init_bytes), *kept]))
    assert restored.row.root == merkle.root([merkle.leaf_hash(left[a:b]) for a, b in borders]).hex()
    assert restored.row.previous_root == rows[1].root
    with av.open(BytesIO(left)) as container:
        assert sum(1 for packet in container.demux() if packet.size) > 0
    # A second recovery finds nothing to do.
    again = recover_stream(Volumes.at(media), KEY, known=[rows[1], restored.row], writer="recorder-1")
    assert (again.restored, again.set_aside, again.missing, again.last) == ((), (), (), restored.row)


def test_zeros_where_a_power_cut_lost_the_data_are_cut_away(media: Path, shelf: tuple[Path, list[Segment]]) -> None:
    row = shelf[1][2]
    raw = bytearray((media / row.path).read_bytes())
    last = scan(bytes(raw)).fragments[-1]
    start = last.offset_bytes + last.head_bytes
    raw[start:] = bytes(len(raw) - start)
    (media / row.path).write_bytes(raw)
    (restored,) = recover_stream(Volumes.at(media), KEY, known=[opened(row)], writer="x").restored
    assert restored.row.fragments == row.fragments - 1
    assert restored.row.size_bytes == last.offset_bytes


def test_without_an_index_every_file_is_found_and_equal(media: Path, shelf: tuple[Path, list[Segment]]) -> None:
    found = recover_stream(Volumes.at(media), KEY, known=[], writer="recorder-1")
    assert [one.row for one in found.restored] == shelf[1]
    assert all(one.cut_bytes == 0 for one in found.restored)


def test_files_that_the_index_never_heard_of_are_found_behind_its_newest_row(
    media: Path, shelf: tuple[Path, list[Segment]]
) -> None:
    found = recover_stream(Volumes.at(media), KEY, known=[shelf[1][0]], writer="recorder-1")
    assert [one.row for one in found.restored] == shelf[1][1:]


def test_a_file_that_is_being_written_is_left_alone(media: Path, shelf: tuple[Path, list[Segment]]) -> None:
    row = shelf[1][2]
    with (media / row.path).open("ab") as writing:
        writing.write(b"half of a fragment")
        writing.flush()
        fcntl.flock(writing.fileno(), fcntl.LOCK_EX)
        found = recover_stream(Volumes.at(media), KEY, known=[shelf[1][1], opened(row)], writer="x")
        assert (found.restored, found.set_aside) == ((), ())
        assert (media / row.path).stat().st_size > row.size_bytes


def test_another_cameras_file_is_set_aside_not_indexed(media: Path, shelf: tuple[Path, list[Segment]]) -> None:
    row = shelf[1][2]
    foreign = media / "cam_b" / "main" / "2026-03-01" / "235959000Z-x-1.mp4"
    foreign.parent.mkdir(parents=True)
    shutil.copy(media / row.path, foreign)
    found = recover_stream(Volumes.at(media), (row.camera.__class__("cam_b"), row.stream), known=[], writer="x")  # type: ignore[arg-type]
    assert found.restored == ()
    assert len(found.set_aside) == 1


# --- The ledger across processes -----------------------------------------------------------------------------------


def _handover(media: Path) -> Handover:
    mailbox = IndexMailbox()
    disk = DiskWriter(Volumes.at(media), put_row=mailbox.put_segment)
    rules = SegmentRules(segment_s=4.0, fragment_s=1.0, writer="recorder-1", tag="tag")
    outlets = Outlets(submit=disk.submit, take_failure=disk.take_failure, put_fact=mailbox.put_fact)
    ledger = OutageLedger(KEY, put_outage=mailbox.put_outage, put_fact=mailbox.put_fact)
    writer = SegmentWriter(KEY, rules=rules, outlets=outlets, ledger=ledger)
    return Handover(volumes=Volumes.at(media), writer=writer, disk=disk, mailbox=mailbox, slot="recorder-1")


def test_the_time_without_a_recorder_is_its_own_outage(media: Path, shelf: tuple[Path, list[Segment]]) -> None:
    rows = shelf[1]
    handover = _handover(media)
    now = rows[2].durable_until + timedelta(seconds=30)
    past = StreamPast(known=(rows[1], opened(rows[2])), open_outages=(), last_seen_at=rows[2].durable_until)
    prepare_stream(handover, past, now=now)
    batch = handover.mailbox.take()
    assert list(batch.segments) == [rows[2]]
    (outage,) = batch.outages
    assert (outage.from_at, outage.to_at, outage.cause, outage.detail) == (
        rows[2].durable_until,
        None,
        Cause.RECORDER,
        "down",
    )
    assert handover.writer.end_at == rows[2].durable_until


def test_an_outage_that_a_dead_recorder_left_open_ends_with_it(media: Path, shelf: tuple[Path, list[Segment]]) -> None:
    rows = shelf[1]
    handover = _handover(media)
    end = rows[2].durable_until
    before = Outage(
        id="out_1", camera=KEY[0], stream=KEY[1], from_at=end, to_at=None, cause=Cause.LINK, detail="refused"
    )
    past = StreamPast(known=(rows[2],), open_outages=(before,), last_seen_at=end + timedelta(seconds=60))
    prepare_stream(handover, past, now=end + timedelta(seconds=90))
    first, second = handover.mailbox.take().outages
    assert first == replace(before, to_at=end + timedelta(seconds=60))
    assert (second.from_at, second.cause, second.detail) == (end + timedelta(seconds=60), Cause.RECORDER, "down")


def test_what_died_on_its_way_to_the_disk_before_a_stated_outage_is_the_recorders(
    media: Path, shelf: tuple[Path, list[Segment]]
) -> None:
    """A killed recorder has said where it believed its recording to end; the fragment before never got there."""
    rows = shelf[1]
    handover = _handover(media)
    end = rows[2].durable_until

    def outage(name: str, begin_s: float, end_s: float | None) -> Outage:
        until = None if end_s is None else end + timedelta(seconds=end_s)
        return Outage(
            id=name, camera=KEY[0], stream=KEY[1], from_at=end + timedelta(seconds=begin_s), to_at=until,
            cause=Cause.LINK, detail="ended",
        )  # fmt: skip

    past = StreamPast(
        known=(rows[2],),
        open_outages=(outage("out_2", 3.0, None),),
        last_seen_at=end + timedelta(seconds=9),
        ended_outages=(outage("out_1", 0.7, 2.0),),
    )
    prepare_stream(handover, past, now=end + timedelta(seconds=20))
    stated = sorted(handover.mailbox.take().outages, key=lambda one: one.from_at)
    seconds = [
        ((one.from_at - end).total_seconds(), one.to_at and (one.to_at - end).total_seconds(), one.cause.value)
        for one in stated
    ]
    assert seconds == [(0.0, 0.7, "recorder"), (2.0, 3.0, "recorder"), (3.0, 9.0, "link"), (9.0, None, "recorder")]


def test_a_row_whose_file_is_gone_becomes_a_gap_of_the_disk(media: Path, shelf: tuple[Path, list[Segment]]) -> None:
    row = shelf[1][2]
    (media / row.path).unlink()
    handover = _handover(media)
    lost = replace(opened(row), durable_until=row.durable_until)
    prepare_stream(
        handover, StreamPast(known=(shelf[1][1], lost), open_outages=(), last_seen_at=None), now=row.durable_until
    )
    batch = handover.mailbox.take()
    (emptied,) = batch.segments
    assert (emptied.durable_until, emptied.size_bytes) == (row.started_at, 0)
    assert (row.started_at, row.durable_until, Cause.DISK) in [
        (one.from_at, one.to_at, one.cause) for one in batch.outages
    ]


def test_an_end_in_a_false_future_does_not_hold_recording_up(media: Path, shelf: tuple[Path, list[Segment]]) -> None:
    handover = _handover(media)
    past = StreamPast(known=(shelf[1][2],), open_outages=(), last_seen_at=None)
    prepare_stream(handover, past, now=START - timedelta(days=400))
    assert handover.writer.end_at is None


# --- The mailbox ---------------------------------------------------------------------------------------------------


def test_the_mailbox_keeps_the_newest_word_and_its_bound(
    shelf: tuple[Path, list[Segment]], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = shelf[1]
    mailbox = IndexMailbox()
    mailbox.put_segment(opened(rows[0]))
    mailbox.put_segment(rows[0])
    batch = mailbox.take()
    assert list(batch.segments) == [rows[0]]
    mailbox.put_segment(opened(rows[1]))
    mailbox.give_back(replace(batch, segments=[opened(rows[0]), replace(rows[1], fragments=0)]))
    assert list(mailbox.take().segments) == [opened(rows[0]), opened(rows[1])]
    monkeypatch.setattr("safecity.video.index.MAX_SEGMENTS", 2)
    for row in rows:
        mailbox.put_segment(row)
    assert (mailbox.depth, mailbox.dropped) == (2, 1)
    assert list(mailbox.take().segments) == rows[1:]

"""The power goes at any moment: at most 2 s of a camera are lost, and nothing that was said to be kept.

SAFECITY_CRASH_POINTS=1000 tries more moments; `make soak` does.
"""

import itertools
import os
import random
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import av
import pytest
import sqlalchemy as sa

from safecity.oversight.merkle import leaf_hash, root
from safecity.platform.database import Database
from safecity.video import store
from safecity.video.access_unit import AccessUnit
from safecity.video.disk import DiskWriter
from safecity.video.handover import Handover, StreamPast, prepare_stream
from safecity.video.index import IndexMailbox, write_batch
from safecity.video.ledger import OutageLedger
from safecity.video.model import Segment, SegmentState, Stream, StreamKey, instant_of
from safecity.video.scan import read_samples, scan
from safecity.video.segments import Outlets, SegmentRules, SegmentWriter
from safecity.video.volumes import Volumes
from tests.rooms.video.power_cut import DATABASE, Recorded, crash, record
from tests.rooms.video.recorded import NOON, load_clip

POINTS = int(os.environ.get("SAFECITY_CRASH_POINTS", "60"))
MOST_LOST = timedelta(seconds=2)
DECODED_EVERY = 20
LATER = NOON + timedelta(hours=1)


@pytest.fixture(scope="module")
def recorded(clips_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """24 s of three cameras on two volumes, the first of which fails on the way."""
    clip = load_clip(clips_dir / "suburban_road_a.mp4")
    return record(tmp_path_factory.mktemp("recorded"), clip, cameras=3, seconds=24, failure_at_s=13.0)


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    """Memory where there is some: a thousand cuts write a few gigabytes."""
    base = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else Path("/tmp")
    folder = base / f"safecity-cuts-{os.getpid()}"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.timeout(7200)
def test_the_power_goes_at_any_moment(recorded: Recorded, scratch: Path) -> None:
    events = len(recorded.events)
    chance = random.Random(20261)
    points = (
        sorted(chance.sample(range(1, events + 1), POINTS))
        if events >= POINTS
        else [chance.randint(1, events) for _ in range(POINTS)]
    )
    for number, point in enumerate(points):
        crash(recorded, point, scratch, random.Random(f"{number}-{point}"))
        try:
            check_start(recorded, point, scratch, decodes=number % DECODED_EVERY == 0)
        except AssertionError as error:
            raise AssertionError(f"cut {number} at event {point} of {events}: {error}") from error


def check_start(recorded: Recorded, point: int, folder: Path, *, decodes: bool) -> None:
    """Start after the cut, and see what is there."""
    database = Database(f"sqlite:///{folder / DATABASE}")
    try:
        with database.read() as connection:
            assert connection.execute(sa.text("PRAGMA integrity_check")).scalar() == "ok"
        volumes = Volumes.at(folder / "a", folder / "b")
        said = [event.row for event in recorded.events[:point] if event.row is not None]
        for key, sent in recorded.cameras.items():
            start(database, volumes, key)
            with database.read() as connection:
                rows = store.list_segments(
                    connection, key[0], Stream.MAIN, from_at=NOON - timedelta(days=1), to_at=LATER
                )
            rows = [row for row in rows if row.fragments]
            check_rows(rows, volumes, sent, decodes=decodes)
            for row in said:
                if row.camera == key[0]:
                    kept = [one.durable_until for one in rows if one.path == row.path]
                    assert [one >= row.durable_until for one in kept] == [True], f"{row.path} was said to be kept"
            end = rows[-1].durable_until if rows else NOON
            lost = recorded_between(recorded, key, end, recorded.events[point - 1].at)
            assert lost <= MOST_LOST, f"{key[0]}: lost {lost}"
    finally:
        database.close()


def recorded_between(recorded: Recorded, key: StreamKey, from_at: datetime, to_at: datetime) -> timedelta:
    """How much of an interval was recorded where the power stayed on."""
    rows = {event.row.path: event.row for event in recorded.events if event.row is not None}
    spans = [(row.started_at, row.durable_until) for row in rows.values() if row.camera == key[0]]
    parts = [max(timedelta(0), min(end, to_at) - max(start_at, from_at)) for start_at, end in spans]
    return sum(parts, timedelta(0))


def start(database: Database, volumes: Volumes, key: StreamKey) -> None:
    """What a recorder does before it records a stream again."""
    with database.read() as connection:
        last = store.find_last_segment(connection, *key, before=LATER)
        since = LATER if last is None else last.started_at
        known = store.list_segments_to_check(connection, *key, since=since)
        outages = store.list_open_outages(connection, *key)
    mailbox = IndexMailbox()
    disk = DiskWriter(volumes, put_row=mailbox.put_segment)
    rules = SegmentRules(segment_s=6.0, fragment_s=1.0, writer="recorder-1", tag="next")
    outlets = Outlets(submit=disk.submit, take_failure=disk.take_failure, put_fact=mailbox.put_fact)
    ledger = OutageLedger(key, put_outage=mailbox.put_outage, put_fact=mailbox.put_fact)
    writer = SegmentWriter(key, rules=rules, outlets=outlets, ledger=ledger)
    handover = Handover(volumes=volumes, writer=writer, disk=disk, mailbox=mailbox, slot="recorder-1")
    past = StreamPast(known=tuple(known), open_outages=tuple(outages), last_seen_at=None)
    prepare_stream(handover, past, now=LATER)
    with database.begin() as connection:
        write_batch(connection, mailbox.take(), source="recorder-1")


def check_rows(rows: list[Segment], volumes: Volumes, sent: list[AccessUnit], *, decodes: bool) -> None:
    """The index says what the files hold, the files hold what the camera sent, nothing twice, the chain whole."""
    pictures = {unit.data: unit.sequence for unit in sent}
    assert len(pictures) > 1
    at = 0
    for before, after in itertools.pairwise(rows):
        assert before.durable_until <= after.started_at
        assert after.previous_root == before.root
    for row in rows:
        assert row.state is SegmentState.CLOSED
        raw = volumes.path_of(row).read_bytes()
        found = scan(raw)
        assert (found.damage, len(raw), len(found.fragments)) == (None, row.size_bytes, row.fragments)
        leaves = [leaf_hash(found.init_bytes)]
        leaves += [leaf_hash(raw[one.offset_bytes : one.offset_bytes + one.size_bytes]) for one in found.fragments]
        assert root(leaves).hex() == row.root
        end = instant_of(row, found.fragments[-1].end_ticks)
        assert abs(end - row.durable_until) <= timedelta(microseconds=1)
        samples = [sample for one in found.fragments for _, sample in read_samples(raw, one)]
        first = next(n for n in range(at, len(sent)) if sent[n].data == samples[0].data)
        assert [sample.data for sample in samples] == [unit.data for unit in sent[first : first + len(samples)]]
        at = first + len(samples)
    if decodes and rows:
        with av.open(BytesIO(volumes.path_of(rows[-1]).read_bytes())) as container:
            assert sum(1 for _ in container.decode(video=0)) > 0

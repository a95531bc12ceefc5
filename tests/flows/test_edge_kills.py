"""Kills on both sides of a back-fill, kill -9 each: nothing doubled, nothing lost, nothing left lying about."""

import itertools
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from safecity.events.store import events
from safecity.platform.database import Database
from safecity.platform.ids import fact_id
from safecity.video.edge.arrivals import INCOMING
from safecity.video.file_verify import verify_file
from safecity.video.model import Missing, Origin, Segment, SegmentState
from safecity.video.store import read_timeline
from tests.rooms.video.edge_rig import Pair
from tests.rooms.video.rig import VirtualCameras, camera_id, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

WANTED_S = 20.0  # of recording that has to come over
BACKFILL_MBIT = 1.0  # so that a file takes some seconds: the kills fall into the middle of one
KILLS = 2  # of each side


@pytest.fixture
def pair(clips_dir: Path, tmp_path: Path) -> Iterator[Pair]:
    # Not tmp_path for the sockets: their paths have room for 107 bytes.
    with (
        tempfile.TemporaryDirectory(prefix="sc-", ignore_cleanup_errors=True) as folder,
        VirtualCameras(1, [clips_dir / "suburban_road_a.mp4"], cache=tmp_path / "cache") as virtual,
    ):
        made = Pair(Path(folder), virtual, streams="sub", edge_settings={"backfill_mbit": BACKFILL_MBIT})
        try:
            yield made
        finally:
            made.close()


def leftovers(pair: Pair) -> list[Path]:
    """Files that are not whole yet at the centre."""
    return [one for one in (pair.centre.media_dir / INCOMING).rglob("*") if one.is_file()]


def parts(pair: Pair) -> set[tuple[str, int]]:
    """How far each of them is."""
    return {(one.name, one.stat().st_size) for one in leftovers(pair)}


def video_facts(database: Database) -> list[str]:
    """What recording stated, in the order in which it was committed."""
    c = events.c
    with database.read() as connection:
        rows = connection.execute(sa.select(c.id).where(c.type.startswith("video.")).order_by(c.cursor))
        return [row.id for row in rows]


def missing(pair: Pair, *, from_at: datetime, to_at: datetime) -> tuple[Missing, ...]:
    with pair.centre.database.read() as connection:
        return read_timeline(connection, camera_id(1), from_at=from_at, to_at=to_at, now=datetime.now(UTC)).missing


def whole_rows(pair: Pair) -> list[Segment]:
    found = [one for one in pair.centre.segments(1) if one.state is not SegmentState.DELETING]
    return sorted(found, key=lambda one: one.started_at)


def test_kills_in_the_middle_of_a_backfill_double_and_lose_nothing(pair: Pair) -> None:
    pair.start_all()
    wait_until(lambda: pair.edge.segments(1), within_s=60, what="the edge records")
    began = pair.edge.segments(1)[0].started_at
    for _ in range(KILLS):
        for side, slot in ((pair.edge, "edge"), (pair.centre, "intake")):
            wait_until(lambda: parts(pair), within_s=60, what="a part of a file")
            side.kill(slot)
            if slot == "edge":
                pair.edge.start("edge")
            else:
                pair.start_intake()
    ended = max(began + timedelta(seconds=WANTED_S), datetime.now(UTC))
    wait_until(lambda: datetime.now(UTC) >= ended, within_s=60, what="enough is recorded")
    wait_until(lambda: not missing(pair, from_at=began, to_at=ended), within_s=90, what="all of it is here")

    rows = whole_rows(pair)
    assert {one.origin for one in rows} == {Origin.EDGE}
    assert all(before.durable_until <= after.started_at for before, after in itertools.pairwise(rows))
    assert len({one.path for one in rows}) == len(rows)
    for row in rows:
        assert verify_file((pair.centre.media_dir / row.path).read_bytes(), row).is_sound
    assert not [one for one in leftovers(pair) if one.stat().st_nlink > 1]  # a name beside the one that the index knows
    said = [fact_id("edge", pair.id, one) for one in video_facts(pair.edge.database)]
    assert said
    wait_until(lambda: set(said) <= set(video_facts(pair.centre.database)), within_s=20, what="the facts are here")
    came = [one for one in video_facts(pair.centre.database) if one in set(said)]
    assert came == said  # once each, in order

"""An outage of an edge's link, scaled in time: nothing stays lost, all of it is labelled, live goes on first.

Real processes at both ends, real RTSP cameras; the link between them is cut without anybody being told.
"""

import asyncio
import itertools
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from safecity.platform.clock import to_us
from safecity.video.access_unit import AccessUnit, StreamHeader
from safecity.video.model import Cause, Missing, Origin, Recovered, Span, Stream, StreamKey, Timeline
from safecity.video.packets_client import PacketsClient, UpstreamState
from safecity.video.store import read_timeline
from tests.rooms.video.edge_rig import Pair
from tests.rooms.video.rig import VirtualCameras, camera_id, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CAMERAS = 2
SEGMENT_S = 6.0  # of these cameras, whose groups of pictures are 2 s long
SETTLED = 60  # pictures until live has caught up
CALM_S = 6.0
CUT_S = 10.0
LEAST_RECOVERED = 0.999
SLOWEST = 2.0  # times the outage, and what a segment takes to close and a hole to stand
SETTLING_S = 20.0
BACK_S = 4.0  # until live is back
LEAST_LIVE = 0.5  # of the pictures of calm times; all of them on a machine that does nothing else
BACKFILL_MBIT = 2.0  # so that the filling takes a while


class Watcher:
    """Looks at a camera at the centre as a gateway does; remembers how late each picture was."""

    def __init__(self, run_dir: Path, key: StreamKey) -> None:
        self.late: list[tuple[float, float]] = []
        self._key = key
        self._run_dir = run_dir
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._watch()), daemon=True)
        self._thread.start()

    async def _watch(self) -> None:
        client = PacketsClient(self._run_dir, self)
        task = asyncio.create_task(client.run())
        client.watch(self._key)
        while not self._stop.is_set():
            await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def on_header(self, key: StreamKey, header: StreamHeader) -> None:
        return

    def on_state(self, key: StreamKey, state: UpstreamState) -> None:
        return

    def on_unit(self, key: StreamKey, unit: AccessUnit) -> None:
        if unit.captured_at is not None:
            late_us = to_us(datetime.now(UTC)) - to_us(unit.captured_at)
            self.late.append((time.monotonic(), late_us / 1e6))

    def list_silent(self) -> Sequence[StreamKey]:
        return [self._key]

    def between(self, from_s: float, to_s: float) -> list[float]:
        """How late each picture of a while was."""
        return [late for at, late in self.late if from_s <= at < to_s]


def p95_s(late: Sequence[float]) -> float | None:
    return round(statistics.quantiles(late, n=20)[18], 3) if len(late) > 20 else None


@pytest.fixture
def pair(clips_dir: Path, tmp_path: Path) -> Iterator[Pair]:
    # Not tmp_path for the sockets: their paths have room for 107 bytes.
    with (
        tempfile.TemporaryDirectory(prefix="sc-", ignore_cleanup_errors=True) as folder,
        VirtualCameras(CAMERAS, [clips_dir / "suburban_road_a.mp4"], cache=tmp_path / "cache") as virtual,
    ):
        made = Pair(Path(folder), virtual, edge_settings={"backfill_mbit": BACKFILL_MBIT})
        try:
            yield made
        finally:
            made.close()


def timelines(pair: Pair, *, from_at: datetime, to_at: datetime) -> list[Timeline]:
    now = datetime.now(UTC)
    with pair.centre.database.read() as connection:
        return [
            read_timeline(connection, camera_id(number), from_at=from_at, to_at=to_at, now=now)
            for number in range(1, CAMERAS + 1)
        ]


def length_s(spans: Iterable[Span | Recovered | Missing]) -> float:
    return sum((one.to_at - one.from_at).total_seconds() for one in spans)


def test_an_outage_leaves_nothing_missing(pair: Pair) -> None:
    pair.start_all()
    numbers = range(1, CAMERAS + 1)
    wait_until(lambda: all(pair.centre.segments(one) for one in numbers), within_s=60, what="the centre records")
    watcher = Watcher(pair.centre.data_dir / "run", (camera_id(1), Stream.SUB))
    wait_until(lambda: len(watcher.late) > SETTLED, within_s=60, what="live pictures")
    calm_s = time.monotonic()
    wait_until(lambda: time.monotonic() - calm_s >= CALM_S, within_s=CALM_S + 10, what="a calm while")
    began, cut_s = datetime.now(UTC), time.monotonic()
    pair.wire.cut()
    wait_until(lambda: time.monotonic() - cut_s >= CUT_S, within_s=CUT_S + 10, what="the outage")
    pair.wire.mend()
    mended, mended_s = datetime.now(UTC), time.monotonic()

    def is_whole() -> bool:
        return all(not one.missing for one in timelines(pair, from_at=began, to_at=mended))

    wait_until(is_whole, within_s=SLOWEST * CUT_S + SETTLING_S, what="all of it is back")
    filled_s = time.monotonic()
    watcher.close()

    # Nothing is missing, and what was filled in later says so
    found = timelines(pair, from_at=began, to_at=mended)
    recovered_s = length_s(one for line in found for one in line.recovered)
    missing_s = length_s(one for line in found for one in line.missing)
    assert recovered_s > CAMERAS * (CUT_S - 2 * SEGMENT_S)
    assert missing_s <= (1 - LEAST_RECOVERED) * CAMERAS * CUT_S
    assert {one.origin for line in found for one in line.recovered} == {Origin.EDGE}
    for number in numbers:  # of the two recordings of a camera, no second is told twice
        rows = sorted(pair.centre.segments(number), key=lambda one: one.started_at)
        assert all(before.durable_until <= after.started_at for before, after in itertools.pairwise(rows))
    outages = [one for number in numbers for one in pair.centre.outages(number)]
    assert {one.cause for one in outages if one.to_at is None or one.to_at > began} == {Cause.LINK}

    # Live went on, from soon after the mending and throughout the filling
    calm, busy = watcher.between(calm_s, cut_s), watcher.between(mended_s + BACK_S, filled_s)
    assert len(busy) / (filled_s - mended_s - BACK_S) > LEAST_LIVE * len(calm) / (cut_s - calm_s)
    figures = {
        "bench": "edge", "cameras": CAMERAS, "outage_s": CUT_S, "recovered_s": round(recovered_s, 2),
        "missing_s": round(missing_s, 3), "took_s": round(filled_s - mended_s, 1),
        "live_p95_before_s": p95_s(calm), "live_p95_during_s": p95_s(busy),
    }  # fmt: skip
    print(json.dumps(figures))  # noqa: T201 - told with -s; a time that is asserted would fail on a busy machine

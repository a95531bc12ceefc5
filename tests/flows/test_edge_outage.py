"""An outage of an edge's link, scaled in time: nothing stays lost, all of it is labelled, live goes on first.

Real processes at both ends, real RTSP cameras; the link between them is cut without anybody being told.
"""

import asyncio
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from safecity.platform.clock import to_us
from safecity.video.access_unit import AccessUnit, StreamHeader
from safecity.video.model import Cause, Stream, StreamKey, Timeline
from safecity.video.packets_client import PacketsClient, UpstreamState
from safecity.video.store import read_timeline
from tests.rooms.video.edge_rig import Pair
from tests.rooms.video.rig import VirtualCameras, camera_id, wait_until

pytestmark = pytest.mark.skip(reason="does not pass yet: live pictures of an edge are not seen within 60 s")

CAMERAS = 2
CUT_S = 12.0
LEAST_RECOVERED = 0.999
SLOWEST = 2.0  # times the outage, and what a segment takes to close and a hole to stand
SETTLING_S = 20.0


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

    def p95_s(self, *, from_s: float, to_s: float) -> float | None:
        found = [late for at, late in self.late if from_s <= at < to_s]
        return statistics.quantiles(found, n=20)[18] if len(found) > 20 else None


@pytest.fixture
def pair(clips_dir: Path, tmp_path: Path) -> Iterator[Pair]:
    # Not tmp_path for the sockets: their paths have room for 107 bytes.
    with (
        tempfile.TemporaryDirectory(prefix="sc-", ignore_cleanup_errors=True) as folder,
        VirtualCameras(CAMERAS, [clips_dir / "suburban_road_a.mp4"], cache=tmp_path / "cache") as virtual,
    ):
        made = Pair(Path(folder), virtual)
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


@pytest.mark.timeout(300)
def test_an_outage_leaves_nothing_missing(pair: Pair) -> None:
    pair.start_all()
    numbers = range(1, CAMERAS + 1)
    wait_until(lambda: all(len(pair.centre.segments(one)) >= 2 for one in numbers), within_s=120, what="both record")
    watcher = Watcher(pair.centre.data_dir / "run", (camera_id(1), Stream.SUB))
    calm_s = time.monotonic()
    wait_until(lambda: len(watcher.late) > 60, within_s=60, what="live pictures")
    began, cut_s = datetime.now(UTC), time.monotonic()
    pair.wire.cut()
    wait_until(lambda: time.monotonic() - cut_s >= CUT_S, within_s=CUT_S + 10, what="the outage")
    pair.wire.mend()
    mended, mended_s = datetime.now(UTC), time.monotonic()

    def is_whole() -> bool:
        return all(not one.missing for one in timelines(pair, from_at=began, to_at=mended))

    wait_until(is_whole, within_s=SLOWEST * CUT_S + SETTLING_S + 30, what="all of it is back")
    took_s = time.monotonic() - mended_s
    watcher.close()
    found = timelines(pair, from_at=began, to_at=mended + timedelta(seconds=1))
    gone_s = sum((gap.to_at - gap.from_at).total_seconds() for one in found for gap in one.missing)
    recovered_s = sum((one.to_at - one.from_at).total_seconds() for line in found for one in line.recovered)
    assert recovered_s > CAMERAS * (CUT_S - 3)
    assert recovered_s / (recovered_s + gone_s) >= LEAST_RECOVERED
    outages = [one for number in numbers for one in pair.centre.outages(number)]
    assert {one.cause for one in outages if one.from_at >= began} == {Cause.LINK}
    figures = {
        "bench": "edge", "cameras": CAMERAS, "outage_s": CUT_S, "recovered_s": round(recovered_s, 2),
        "missing_s": round(gone_s, 2), "took_s": round(took_s, 1),
        "p95_before_s": watcher.p95_s(from_s=calm_s, to_s=cut_s),
        "p95_during_s": watcher.p95_s(from_s=mended_s + 2, to_s=mended_s + took_s),
    }  # fmt: skip
    print(json.dumps(figures))  # noqa: T201 - told with -s

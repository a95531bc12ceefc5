"""Analysers as processes: virtual cameras, a real recorder, facts in the database, and recording that does not care."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from safecity.analytics import store
from safecity.analytics.scene import LineCrossing, Scene, SceneLine
from safecity.analytics.store import StoredScene
from safecity.events import read_facts
from safecity.events.analytics import LineCounted, RuleFired
from safecity.events.store import Stated
from safecity.platform.settings import AnalyticsSettings
from tests.rooms.analytics.packets import encode
from tests.rooms.video.rig import REPOSITORY, Installation, VirtualCameras, camera_id, end, wait_until

LINE = SceneLine(name="middle", points=((160, 0), (160, 180)))
SCENE = Scene(
    lines=(LINE,),
    rules=(LineCrossing(kind="line_crossing", name="across", line="middle", title="Across the middle", priority=2),),
)


@pytest.fixture(scope="module")
def virtual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualCameras]:
    folder = tmp_path_factory.mktemp("virtual")
    encode(folder / "wall.mp4", seconds=16, moves_from_s=2.0)
    with VirtualCameras(2, [folder / "wall.mp4"], cache=folder / "cache") as cameras:
        yield cameras


class Analysed(Installation):
    """A data folder with a recorder and analysers, too."""

    def draw(self, number: int, scene: Scene = SCENE, *, version: int = 1) -> None:
        stored = StoredScene(
            camera=camera_id(number),
            width_px=320,
            height_px=180,
            scene=scene,
            version=version,
            changed_at=datetime.now(UTC),
            changed_by=None,
        )
        with self.database.begin() as connection:
            store.put_scene(connection, stored)

    def start_analyser(self, slot: str = "analyser-1", **analytics: object) -> "subprocess.Popen[bytes]":
        values = {"model": "motion", "idle_after_s": 2.0} | analytics
        settings = self.settings.model_copy(update={"analytics": AnalyticsSettings.model_validate(values)})
        file = self.data_dir / f"{slot}-settings.json"
        file.write_text(settings.model_dump_json())
        command = [sys.executable, "-m", "safecity.app.roles.analyser", "--slot", slot, "--settings", str(file)]
        with (self.data_dir / f"{slot}.log").open("ab") as log:
            child = subprocess.Popen(command, stdout=log, stderr=log, cwd=REPOSITORY)
        self._children.append(child)
        return child

    def facts(self) -> list[Stated]:
        with self.database.read() as connection:
            return [one for one in read_facts(connection, after=0) if isinstance(one, Stated)]

    def fired(self, number: int = 1) -> list[RuleFired]:
        found = [one.fact for one in self.facts() if isinstance(one.fact, RuleFired)]
        return [fact for fact in found if fact.camera == camera_id(number)]

    def status(self, slot: str = "analyser-1") -> dict[str, object]:
        with self.database.read() as connection:
            found = [one for one in store.list_analyser_statuses(connection) if one.slot == slot]
        return {"pid": found[0].pid, "seen_at": found[0].seen_at, **found[0].status} if found else {}


@pytest.fixture
def city(virtual: VirtualCameras, tmp_path: Path) -> Iterator[Analysed]:
    made = Analysed(tmp_path / "d")
    made.register(virtual)
    yield made
    made.close()


def recorded_without_gap(city: Analysed, number: int = 1) -> bool:
    segments = city.segments(number)
    assert segments
    joined = all(
        later.started_at - earlier.durable_until < timedelta(seconds=0.3) for earlier, later in pairwise(segments)
    )
    # The recorder's own start, up to its first picture, is an outage with its cause; after that there must be none.
    begun = segments[0].started_at + timedelta(seconds=0.5)
    return joined and not [one for one in city.outages(number) if one.to_at is None or one.to_at > begun]


def test_a_crossing_becomes_a_fact_and_recording_outlives_every_analyser(city: Analysed) -> None:
    city.draw(1)
    city.start_recorder()
    analyser = city.start_analyser()
    wait_until(lambda: city.fired(1), within_s=90, what=f"a crossing was told ({city.log('analyser-1')})")
    fact = city.fired(1)[0]
    assert (fact.rule, fact.kind, fact.title, fact.priority) == ("across", "line_crossing", "Across the middle", 2)
    assert fact.model == "motion"
    assert fact.object_class.endswith("?")
    assert fact.clip_from == fact.started_at - timedelta(seconds=5)
    assert abs(fact.picture_at - datetime.now(UTC)) < timedelta(seconds=30)
    assert city.segments(1)[0].started_at - timedelta(seconds=5) < fact.picture_at
    assert city.fired(2) == []  # nothing is drawn there
    wait_until(lambda: city.status()["cameras"] == 1, within_s=30, what="the status tells it")
    assert city.status()["model"] == "motion"
    # An analyser that stands still, then one that is killed: not a second is missing.
    os.kill(analyser.pid, signal.SIGSTOP)
    time.sleep(4)
    os.kill(analyser.pid, signal.SIGCONT)
    seen = len(city.fired(1))
    wait_until(lambda: len(city.fired(1)) > seen, within_s=60, what="it goes on")
    analyser.kill()
    analyser.wait()
    city.start_analyser()
    seen = len(city.fired(1))
    wait_until(lambda: len(city.fired(1)) > seen, within_s=60, what="the next process goes on")
    assert recorded_without_gap(city)
    facts = [one for one in city.facts() if isinstance(one.fact, RuleFired)]
    assert len({one.id for one in facts}) == len(facts)


def test_a_scene_drawn_anew_is_taken_up_and_an_analyser_that_ends_says_what_it_counted(city: Analysed) -> None:
    city.start_recorder()
    analyser = city.start_analyser()
    wait_until(lambda: city.status(), within_s=60, what="a first word")
    assert city.status()["cameras"] == 0
    city.draw(1)
    wait_until(lambda: city.status()["cameras"] == 1, within_s=30, what="the camera is taken up")
    wait_until(lambda: city.fired(1), within_s=60, what="a crossing")
    city.draw(1, Scene(lines=(LINE,)), version=2)
    time.sleep(3)
    seen = len(city.fired(1))
    time.sleep(5)
    assert len(city.fired(1)) == seen
    assert end(analyser) == 0
    counted = [one.fact for one in city.facts() if isinstance(one.fact, LineCounted)]
    total = sum(sum(one.forward.values()) + sum(one.backward.values()) for one in counted)
    assert total > seen
    with city.database.read() as connection:
        totals = store.read_totals(
            connection, camera_id(1), from_at=datetime(2020, 1, 1, tzinfo=UTC), to_at=datetime(2100, 1, 1, tzinfo=UTC)
        )
    assert sum(sum(one.forward.values()) + sum(one.backward.values()) for one in totals.lines) == total
    events = [json.loads(line)["event"] for line in city.log("analyser-1").splitlines() if line.startswith("{")]
    assert "analytics.camera_set_aside" not in events

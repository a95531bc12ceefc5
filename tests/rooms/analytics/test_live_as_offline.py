"""The running system and `safecity analyze --profile live` say the same of the same pictures."""

from collections import Counter
from pathlib import Path

import pytest

from safecity.analytics.analyze import Wish, analyze_video
from safecity.analytics.live_camera import Assignment, LiveCamera
from safecity.analytics.live_facts import FactMailbox
from safecity.analytics.pipeline import LIVE
from safecity.analytics.scene import Crowd, LineCrossing, Scene, SceneLine, SceneZone, StoppedVehicle, ZoneEntry
from safecity.analytics.store import StoredScene
from safecity.events.analytics import LineCounted, RuleFired
from safecity.platform.clock import VirtualClock
from safecity.video.access_unit import AccessUnit
from safecity.video.model import Stream
from safecity.virtual.scenes import Condition, EventKind, Layout, PlantedEvent, SceneRequest, SceneTruth, draw_scenes
from tests.rooms.analytics.packets import CAMERA, SCENE, START, encode, read_units

STREET = SceneRequest(
    seed=13, layout=Layout.AVENUE, condition=Condition.DAY, duration_s=24.0,
    events=(PlantedEvent(kind=EventKind.STOPPED_VEHICLE, at_s=6.0, for_s=16.0),),
)  # fmt: skip
Said = list[tuple[str, str, float]]
"""Rule, subject, seconds after the first picture at which it began to hold."""


def live(path: Path, scene: Scene, *, size_px: tuple[int, int]) -> tuple[Said, Counter[tuple[str, str]]]:
    """What a camera of the running system states while the file's packets arrive one by one, and what it counts."""
    clock, mailbox = VirtualClock(START), FactMailbox()
    clock.advance(100.0)
    clock.step_wall(-100.0)
    drawn = StoredScene(
        camera=CAMERA, width_px=size_px[0], height_px=size_px[1], scene=scene, version=1, changed_at=START,
        changed_by=None,
    )  # fmt: skip
    camera = LiveCamera(
        Assignment(key=(CAMERA, Stream.SUB), drawn=drawn), LIVE, detector=None, mailbox=mailbox, now=clock.now,
        monotonic_s=clock.monotonic_s,
    )  # fmt: skip
    header, units = read_units(path)
    camera.take(header)
    for unit in units:
        _arrive(unit, camera, clock)
    clock.advance(1.0)
    while camera.is_ready():
        camera.work()
    camera.end()
    assert (camera.figures.errors, camera.figures.skipped, camera.figures.lost) == (0, 0, 0)
    counted = Counter[tuple[str, str]]()
    told: Said = []
    for one in mailbox._waiting.values():  # pyright: ignore[reportPrivateUsage]
        if isinstance(one, LineCounted):
            counted[one.line, "forward"] += sum(one.forward.values())
            counted[one.line, "backward"] += sum(one.backward.values())
        elif isinstance(one.fact, RuleFired):
            told.append((one.fact.rule, one.fact.subject, (one.fact.started_at - START).total_seconds()))
    return _in_order(told), +counted


def _in_order(said: Said) -> Said:
    return sorted(said, key=lambda one: (round(one[2], 2), one[0], one[1]))


def _arrive(unit: AccessUnit, camera: LiveCamera, clock: VirtualClock) -> None:
    clock.advance(max(0.0, unit.received_s - clock.monotonic_s()))
    camera.take(unit)
    while camera.is_ready():
        camera.work()


def offline(path: Path, scene: Scene) -> tuple[Said, Counter[tuple[str, str]]]:
    """The same of `safecity analyze`."""
    found = analyze_video(path, Wish(scene=scene, profile=LIVE, detector=None))
    counted = Counter[tuple[str, str]]()
    for line in found.lines:
        counted[line.name, "forward"] += sum(line.forward.values())
        counted[line.name, "backward"] += sum(line.backward.values())
    return sorted(
        ((e.rule, e.subject, e.started_s) for e in found.events), key=lambda said: (said[2], said[0])
    ), +counted


def compare(path: Path, scene: Scene, *, size_px: tuple[int, int]) -> Said:
    running, counted = live(path, scene, size_px=size_px)
    filed, expected = offline(path, scene)
    assert [said[:2] for said in running] == [said[:2] for said in filed]
    assert [said[2] for said in running] == pytest.approx([said[2] for said in filed], abs=0.08)
    assert counted == expected
    return running


def test_a_street_with_a_vehicle_that_stops(tmp_path: Path) -> None:
    (street,) = draw_scenes([STREET], tmp_path, processes=1)
    truth = SceneTruth.model_validate_json(street.truth.read_bytes())
    share = 640 / truth.width_px
    lines = tuple(
        SceneLine(name=line.name, points=((x1 * share, y1 * share), (x2 * share, y2 * share)))
        for line in truth.lines
        for (x1, y1), (x2, y2) in (line.points,)
    )
    road = SceneZone(name="road", points=((220, 200), (380, 200), (480, 280), (250, 280)))
    scene = Scene(
        lines=lines,
        zones=(road,),
        rules=(
            *(
                LineCrossing(kind="line_crossing", name=f"over {line.name}", line=line.name, title="Over", priority=4)
                for line in lines
            ),
            ZoneEntry(kind="zone_entry", name="enters", zone="road", title="Enters", priority=3),
            Crowd(kind="crowd", name="many", zone="road", limit=1, min_s=0.5, title="Many", priority=3),
            StoppedVehicle(kind="stopped_vehicle", name="stops", zone="road", min_s=2.0, title="Stops", priority=2),
        ),
    )
    said = compare(street.sub, scene, size_px=(640, 360))
    # What the comparison is worth: several kinds of rule held, many times.
    assert len({rule for rule, _, _ in said}) >= 3
    assert len(said) >= 8


def test_what_wakes_a_camera_that_was_idle(tmp_path: Path) -> None:
    """After six quiet seconds only key frames are looked at, and the pictures before the one that differs are fetched
    back: the running system from its queue of packets, the other from pictures that it kept."""
    path = tmp_path / "wall.mp4"
    encode(path, seconds=16.0, moves_from_s=10.05)
    said = compare(path, SCENE, size_px=(320, 180))
    assert [(rule, subject) for rule, subject, _ in said][:1] == [("over", "stop/person?")]
    assert 10.8 < said[0][2] < 11.5  # it woke at the key frame at 11 s

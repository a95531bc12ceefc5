"""The worker's threads without processes: a camera that breaks, packets nobody takes, leases, the mailbox."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import zmq

from safecity.analytics import live_camera
from safecity.analytics import store as analytics_store
from safecity.analytics.live_camera import Assignment
from safecity.analytics.live_claims import AnalysisClaims
from safecity.analytics.live_facts import MAX_WAITING, FactMailbox, Told
from safecity.analytics.live_packets import PacketFeed, Taken
from safecity.analytics.scene import Scene
from safecity.analytics.worker import SET_ASIDE_S, Clerk, Seer
from safecity.events import read_facts
from safecity.events.analytics import AnalysisDegraded
from safecity.events.store import Stated
from safecity.platform.clock import SystemClock, VirtualClock
from safecity.platform.database import Database
from safecity.platform.settings import AnalyticsSettings
from safecity.sites.model import CameraId
from safecity.sites.tables import cameras, sites
from safecity.video.access_unit import AccessUnit, StreamHeader
from safecity.video.model import LinkState, Stream, StreamKey, StreamState
from safecity.video.packets import PacketHub
from tests.rooms.analytics.packets import START, Notes, NotingAnalysis, drawn, encode, read_units
from tests.rooms.video.rig import wait_until

A, B = CameraId("cam_a"), CameraId("cam_b")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> tuple[StreamHeader, list[AccessUnit]]:
    path = tmp_path_factory.mktemp("video") / "wall.mp4"
    encode(path, seconds=2)
    return read_units(path)


class PaperFeed:
    """Stands where `PacketFeed` does: what is put in comes out."""

    def __init__(self) -> None:
        self.watched: set[StreamKey] = set()
        self.ready: list[tuple[StreamKey, Taken]] = []
        self.unreadable = 0

    def watch(self, key: StreamKey) -> None:
        self.watched.add(key)

    def unwatch(self, key: StreamKey) -> None:
        self.watched.discard(key)

    def tend(self, *, silent: Iterable[StreamKey]) -> None:
        list(silent)

    def drain(self, take) -> int:
        ready, self.ready = self.ready, []
        for key, item in ready:
            if key in self.watched:
                take(key, item)
        return len(ready)


class PerCamera(NotingAnalysis):
    """Breaks on camera a only: its scene says so."""

    def feed(self, picture):
        if self.scene.rules == ():
            raise ValueError("broken on purpose")
        return super().feed(picture)


def test_a_camera_that_breaks_is_set_aside_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch, video) -> None:
    header, units = video
    NotingAnalysis.notes = notes = Notes()
    monkeypatch.setattr(live_camera, "CameraAnalysis", PerCamera)
    clock, feed, mailbox = VirtualClock(START), PaperFeed(), FactMailbox()
    seer = Seer(AnalyticsSettings(), feed=feed, detector=None, mailbox=mailbox, clock=clock)  # type: ignore[arg-type]
    keys = {camera: (camera, Stream.SUB) for camera in (A, B)}
    wanted = [
        Assignment(key=keys[A], drawn=drawn(A, scene=Scene())),
        Assignment(key=keys[B], drawn=drawn(B)),
    ]
    seer.step(wanted)
    assert feed.watched == set(keys.values())

    def play(turn: int) -> None:
        for key in keys.values():
            feed.ready.append((key, header))
            for unit in units:
                count = unit.sequence + turn * len(units)
                feed.ready.append((key, replace(unit, received_s=unit.received_s - 100 + 60 * turn, sequence=count)))
        for _ in range(10):
            seer.step(wanted)

    play(0)
    assert feed.watched == {keys[B]}
    seen = len(notes.fed)
    assert seen > 0
    clock.advance(SET_ASIDE_S[0] + 0.1)
    seer.step(wanted)
    assert feed.watched == set(keys.values())  # tried again
    clock.advance(60 - SET_ASIDE_S[0])
    play(1)
    assert feed.watched == {keys[B]}
    assert len(notes.fed) > seen
    clock.advance(SET_ASIDE_S[0] + 0.1)
    seer.step(wanted)
    assert feed.watched == {keys[B]}  # the second time it waits longer
    clock.advance(SET_ASIDE_S[1])
    seer.step(wanted)
    assert feed.watched == set(keys.values())
    assert seer.status["cameras"] == 2
    told = [one.fact for one in mailbox._waiting.values() if isinstance(one, Told)]
    assert [(one.camera, one.is_degraded) for one in told if isinstance(one, AnalysisDegraded)][:1] == [(A, True)]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[PacketHub]:
    made = PacketHub(tmp_path, "recorder-1")
    thread = threading.Thread(target=made.run, daemon=True)
    thread.start()
    yield made
    made.stop()
    thread.join(5)
    made.close()


def test_a_recorder_never_waits_for_an_analyser_that_takes_nothing(hub: PacketHub, tmp_path: Path, video) -> None:
    header, units = video
    clock = SystemClock()
    key = (A, Stream.SUB)
    hub.add_stream(key, StreamState(state=LinkState.LIVE, since=START, cause=None))
    hub.publish(key, header)
    hub.publish(key, units[0])
    feed = PacketFeed(tmp_path, monotonic_s=clock.monotonic_s)
    taken: list[Taken] = []
    feed.watch(key)

    def has_begun() -> bool:
        feed.tend(silent=[key])
        feed.drain(lambda _, item: taken.append(item))
        return len(taken) >= 2

    wait_until(has_begun, within_s=5, what="the header and the picture so far")
    assert isinstance(taken[0], StreamHeader)
    # From here on the analyser stands still: thousands of packets of a size that no socket buffer swallows.
    big = bytes(20_000)
    slowest_s = 0.0
    for sequence in range(units[0].sequence + 1, units[0].sequence + 12_001):
        began_s = clock.monotonic_s()
        unit = replace(units[0], sequence=sequence, is_key=sequence % 30 == 0, data=big, media_ticks=sequence * 6000)
        hub.publish(key, unit)
        slowest_s = max(slowest_s, clock.monotonic_s() - began_s)
        if sequence % 50 == 0:
            threading.Event().wait(0.001)
    assert slowest_s < 0.25
    wait_until(lambda: hub.dropped > 0, within_s=10, what="packets dropped at the recorder")
    # It comes back: what waits is taken, and what follows begins with a key frame.
    taken.clear()
    wait_until(lambda: feed.drain(lambda _, item: taken.append(item)) == 0 and taken, within_s=10, what="drained")
    last = 50_000
    for sequence in range(last, last + 60):
        hub.publish(key, replace(units[0], sequence=sequence, is_key=sequence % 30 == 0, media_ticks=sequence * 6000))

    def has_resumed() -> bool:
        feed.drain(lambda _, item: taken.append(item))
        return isinstance(taken[-1], AccessUnit) and taken[-1].sequence == last + 59

    wait_until(has_resumed, within_s=10, what="live again")
    fresh = [one for one in taken if isinstance(one, AccessUnit) and one.sequence >= last]
    assert fresh[0].is_key
    feed.close()


def test_the_mailbox_is_bounded_and_keeps_what_the_database_refused() -> None:
    mailbox = FactMailbox()
    fact = AnalysisDegraded(camera="a", is_degraded=True, reason="r", at=START)
    for number in range(MAX_WAITING + 5):
        mailbox.put(Told(fact=fact, id=f"fact_{number}", time=START, subject="a"))
    assert mailbox.depth == MAX_WAITING
    assert mailbox.dropped == 5
    mailbox.put(Told(fact=fact, id=f"fact_{MAX_WAITING}", time=START, subject="a"))
    assert mailbox.depth == MAX_WAITING
    mailbox.forget(["fact_5", "fact_6"])
    assert mailbox.depth == MAX_WAITING - 2


@pytest.fixture
def registry(database: Database) -> Database:
    place = {"lon": 67.0, "lat": 30.2, "changed_at": START}
    with database.begin() as connection:
        connection.execute(sites.insert(), [{"id": "s", "code": "S", "name": "S", "name_ur": "S", **place}])
        for number in range(6):
            row = {"id": f"cam_{number}", "code": f"{number}", "name": "C", "name_ur": "C", "site_id": "s"}
            sub = None if number == 5 else "rtsp://127.0.0.1/sub"
            urls = {"main_url": "rtsp://127.0.0.1/main", "sub_url": sub}
            connection.execute(cameras.insert(), [row | urls | place])
            if number != 0:
                analytics_store.put_scene(connection, drawn(CameraId(f"cam_{number}")))
    return database


def test_analysers_share_the_drawn_cameras_and_take_over_the_dead(registry: Database) -> None:
    settings = AnalyticsSettings(analysers=2)
    first, second = (AnalysisClaims(settings, slot=f"analyser-{number}") for number in (1, 2))

    def renew(claims: AnalysisClaims, at_s: float) -> dict[str, Stream]:
        with registry.begin() as connection:
            found = claims.renew(connection, now=START + timedelta(seconds=at_s))
        return {one.camera: one.key[1] for one in found}

    held = renew(first, 0), renew(second, 0)
    assert [len(one) for one in held] == [3, 2]
    assert set(held[0]) | set(held[1]) == {f"cam_{number}" for number in range(1, 6)}
    assert not set(held[0]) & set(held[1])
    streams = held[0] | held[1]
    assert streams["cam_5"] is Stream.MAIN  # it has no other
    assert streams["cam_1"] is Stream.SUB
    for at_s in range(2, 20, 2):  # the first is dead
        held_now = renew(second, at_s)
    assert set(held_now) == set(streams)
    with registry.begin() as connection:
        analytics_store.put_scene(connection, drawn(CameraId("cam_1"), scene=Scene(), version=2))
    assert "cam_1" not in renew(second, 20)


def test_the_clerk_writes_facts_once_and_survives_a_database_that_is_away(registry: Database, tmp_path: Path) -> None:
    clock, mailbox = VirtualClock(START), FactMailbox()
    seer = Seer(AnalyticsSettings(), feed=PaperFeed(), detector=None, mailbox=mailbox, clock=clock)  # type: ignore[arg-type]
    told = Told(
        fact=AnalysisDegraded(camera="cam_1", is_degraded=True, reason="r", at=START), id="f", time=START, subject="a"
    )
    away = Database(f"sqlite:///{tmp_path / 'empty.db'}")  # no schema: every statement fails
    claims = AnalysisClaims(AnalyticsSettings(), slot="analyser-1")
    lost = Clerk(away, claims, mailbox=mailbox, seer=seer, clock=clock)
    mailbox.put(told)
    lost.step()
    assert mailbox.depth == 1
    away.close()
    clerk = Clerk(registry, claims, mailbox=mailbox, seer=seer, clock=clock)
    clerk.step()
    mailbox.put(told)
    clock.advance(1)
    clerk.step()
    assert mailbox.depth == 0
    assert len(clerk.wanted) == 5
    before = clerk.wanted
    clock.advance(5)
    clerk.step()
    assert clerk.wanted is before  # unchanged, so that nothing is followed anew
    with registry.read() as connection:
        found = [one for one in read_facts(connection, after=0) if isinstance(one, Stated)]
        statuses = analytics_store.list_analyser_statuses(connection)
    assert [one.id for one in found] == ["f"]
    assert [(one.slot, one.status["model"]) for one in statuses] == [("analyser-1", "motion")]
    assert statuses[0].seen_at == datetime(2026, 3, 1, 12, 0, 13, tzinfo=UTC)
    clerk.finish()


def test_a_recorder_hurries_for_people_and_not_for_analysers(hub: PacketHub, tmp_path: Path, video) -> None:
    key = (A, Stream.SUB)
    hub.add_stream(key, StreamState(state=LinkState.LIVE, since=START, cause=None))
    feed = PacketFeed(tmp_path, monotonic_s=SystemClock().monotonic_s)
    feed.watch(key)
    feed.tend(silent=[key])
    wait_until(lambda: hub.watching == 1, within_s=5, what="the analyser follows")
    assert not hub.is_watched(key)
    with zmq.Context() as context, context.socket(zmq.DEALER) as person:
        person.setsockopt(zmq.LINGER, 0)
        person.connect(f"ipc://{hub.path}")
        person.send_multipart([b"watch", A.encode(), b"sub"])
        wait_until(lambda: hub.is_watched(key), within_s=5, what="somebody watches")
        person.send_multipart([b"unwatch", A.encode(), b"sub"])
        wait_until(lambda: not hub.is_watched(key), within_s=5, what="nobody hurries any more")
    assert hub.watching == 1
    feed.close()

"""Files from an edge: whole or not there, their bytes as they were, shown exactly where the centre has nothing."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from safecity.platform.clock import SystemClock, from_us, to_us
from safecity.platform.database import Database
from safecity.platform.errors import Conflict, Denied, Invalid, Unavailable
from safecity.platform.schema import upgrade
from safecity.video import store
from safecity.video.edge import arrivals as arrivals_module
from safecity.video.edge import outbox
from safecity.video.edge.backfill import Backfill
from safecity.video.edge.model import Edge
from safecity.video.edge.register import Policy
from safecity.video.edge.wanted import ask_for
from safecity.video.edge.wire import ArrivalRequest, WantView
from safecity.video.file_verify import verify_file
from safecity.video.model import Origin, Segment, Span, Stream
from safecity.video.recovery import Restored, finish_file
from safecity.video.volumes import Volumes
from safecity.video.windows import WindowReader
from tests.rooms.video.edge_house import CentreHouse, exchange, make_edge_database
from tests.rooms.video.recorded import CAMERA, NOON, Clip, FakeRecorder, load_clip
from tests.rooms.video.rig import BEGINNING, END, wait_until

SHIFT = timedelta(milliseconds=350)  # the centre's clock is so far ahead of the edge's
KEY = (CAMERA, Stream.MAIN)


@pytest.fixture(scope="module")
def clip(clips_dir: Path) -> Clip:
    return load_clip(clips_dir / "suburban_road_a.mp4")


class Site:
    """A centre that recorded with a hole in the middle, and the edge that recorded all of it."""

    def __init__(self, folder: Path, clip: Clip) -> None:
        database = Database(f"sqlite:///{folder / 'centre.db'}")
        upgrade(database)
        self.house = CentreHouse(database, folder / "centre")
        self.edge_database = make_edge_database(folder)
        self.edge_volumes = Volumes.at(folder / "edge" / "media")
        theirs = FakeRecorder(self.edge_database, folder / "edge" / "media", clip)
        theirs.at = NOON - SHIFT
        self.theirs = [theirs.write(keys=2) for _ in range(6)]
        self.edge: Edge = self.house.enrol(Policy(backfill="missing"), at=NOON)
        self.end = self.theirs[-1].durable_until + SHIFT
        length = (self.end - NOON) / 6
        mine = FakeRecorder(database, folder / "centre" / "media", clip)
        first = mine.write(keys=2)
        self.hole = Span(from_at=first.durable_until - length / 3, to_at=first.durable_until + length * 3.4)
        with database.begin() as connection:  # the outage began within it
            store.put_segments(connection, [replace(first, durable_until=self.hole.from_at)])
        mine.at = self.hole.to_at
        last = mine.write(keys=5)
        self.last = min(last.durable_until, self.end)
        clock = self.house.clock
        clock.step_wall((self.end + timedelta(minutes=1) - clock.now()).total_seconds())

    def rows(self) -> list[Segment]:
        with self.house.database.read() as connection:
            return store.list_segments(connection, CAMERA, Stream.MAIN, from_at=BEGINNING, to_at=END)

    def borrowed(self) -> list[Segment]:
        return [one for one in self.rows() if one.origin is Origin.EDGE]

    def wants(self) -> list[WantView]:
        self.house.intake.forget_wants(self.edge)
        return self.house.intake.exchange(self.edge, exchange()).wants

    def wants_in_hole(self) -> list[WantView]:
        return [one for one in self.wants() if one.from_us < to_us(self.hole.to_at)]

    def said(self, row: Segment, *, shift_us: int | None = None) -> ArrivalRequest:
        shift = SHIFT // timedelta(microseconds=1) if shift_us is None else shift_us
        return ArrivalRequest(
            camera=row.camera, stream="main", size_bytes=row.size_bytes, shift_us=shift, shift_error_us=1000
        )

    def raw(self, row: Segment) -> bytes:
        return self.edge_volumes.path_of(row).read_bytes()

    def send(self, row: Segment) -> int:
        root = row.root or ""
        self.house.arrivals.put(self.edge, root, offset=0, body=self.raw(row))
        return self.house.arrivals.take(self.edge, root, said=self.said(row)).shown

    def close(self) -> None:
        self.edge_database.close()
        self.house.database.close()


@pytest.fixture
def site(tmp_path: Path, clip: Clip) -> Iterator[Site]:
    made = Site(tmp_path, clip)
    yield made
    made.close()


def backfill_all(site: Site, url: str, *, rate_bytes_s: float = 1e8) -> Backfill:
    """Run the edge's back-fill until the centre wants no more."""
    centre = site.house.caller(url, site.edge)
    with site.edge_database.begin() as connection:
        reading = outbox.ClockReading(at=NOON, offset_us=SHIFT // timedelta(microseconds=1), error_us=1000)
        outbox.note_clock(connection, reading, last=None)
    backfill = Backfill(
        site.edge_database, centre, volumes=site.edge_volumes, clock=SystemClock(), rate_bytes_s=rate_bytes_s
    )
    backfill.set_wants(site.wants())
    stop = threading.Event()
    thread = threading.Thread(target=backfill.run, args=(stop,), daemon=True)
    thread.start()
    wait_until(lambda: not site.wants_in_hole(), within_s=60, what="the hole is filled")
    stop.set()
    thread.join(10)
    centre.close()
    return backfill


def test_the_hole_is_filled_exactly_and_plays_over_its_seams(site: Site) -> None:
    wants = site.wants()
    assert next((from_us(one.from_us), from_us(one.to_us)) for one in wants) == (site.hole.from_at, site.hole.to_at)
    with site.house.serve() as url:
        backfill_all(site, url)
    rows = site.rows()
    for one, following in pairwise(rows):
        assert abs(following.started_at - one.durable_until) < timedelta(milliseconds=1)
    borrowed = site.borrowed()
    assert borrowed[0].started_at == site.hole.from_at
    assert borrowed[0].skip_ticks > 0
    assert borrowed[-1].durable_until == site.hole.to_at
    roots = {one.root: one for one in site.theirs}
    for one in borrowed:
        file = site.house.volumes.path_of(one)
        assert hashlib.sha256(file.read_bytes()).digest() == hashlib.sha256(site.raw(roots[one.root])).digest()
        assert one.previous_root == roots[one.root].previous_root
        assert verify_file(file.read_bytes(), one).flaws == ()
        again = finish_file(site.house.volumes.volume_of(one), one.path, key=KEY, writer="keeper")
        assert isinstance(again, Restored)
        shown = ("started_at", "durable_until", "skip_ticks", "origin", "root", "size_bytes")
        assert [getattr(again.row, name) for name in shown] == [getattr(one, name) for name in shown]
    assert_plays(site)


def assert_plays(site: Site) -> None:
    """Windows asked one behind the other show every instant once, from the first picture to the last."""
    reader = WindowReader(site.house.database, volumes=site.house.volumes)
    at, pictures = NOON, 0
    while at < site.last - timedelta(milliseconds=50):
        window = reader.read(CAMERA, Stream.MAIN, at=at, seconds=3.0)
        assert window.to_at > at
        assert window.next_at is None
        at, pictures = window.to_at, pictures + window.pictures
    assert pictures >= 6


def test_a_file_comes_in_pieces_over_restarts_and_only_as_it_was_recorded(site: Site) -> None:
    row = site.theirs[2]
    root, raw = row.root or "", site.raw(row)
    half = len(raw) // 2
    taking = site.house.arrivals
    assert taking.put(site.edge, root, offset=0, body=raw[:half]).has_bytes == half
    fresh = arrivals_module.Arrivals(
        site.house.database,
        taking._settings,  # pyright: ignore[reportPrivateUsage]
        volumes=site.house.volumes,
        clock=site.house.clock,
    )
    assert fresh.find(site.edge, root).has_bytes == half
    with pytest.raises(Conflict) as found:
        fresh.put(site.edge, root, offset=half + 5, body=raw[half + 5 :])
    assert found.value.facts["has_bytes"] == half
    with pytest.raises(Conflict):
        fresh.take(site.edge, root, said=site.said(row))
    assert (
        fresh.put(site.edge, root, offset=0, body=raw[: half + 3]).has_bytes == half + 3
    )  # half of it is here already
    damaged = bytes([raw[-1] ^ 1])
    fresh.put(site.edge, root, offset=half + 3, body=raw[half + 3 : -1] + damaged)
    with pytest.raises(Invalid):
        fresh.take(site.edge, root, said=site.said(row))
    assert fresh.find(site.edge, root).has_bytes == 0
    assert site.borrowed() == []
    assert site.send(row) == 1
    assert site.send(row) == 1  # it was taken already: nothing is written again
    assert fresh.find(site.edge, root).is_whole
    assert len(site.borrowed()) == 1


def test_the_centres_own_pictures_are_never_covered(site: Site) -> None:
    before = site.rows()
    assert site.send(site.theirs[0]) == 1  # its last third
    assert site.send(site.theirs[5]) == 0  # the centre has it
    assert [one for one in site.rows() if one.origin is Origin.RECORDED] == before
    assert [(one.started_at, one.durable_until) for one in site.borrowed()] == [
        (site.hole.from_at, site.theirs[0].durable_until + SHIFT)
    ]


def test_two_holes_in_one_file_are_two_names_of_it(site: Site) -> None:
    row = site.theirs[2]
    start = row.started_at + SHIFT
    middle = replace(
        row, started_at=start + (row.durable_until - row.started_at) / 3, path="x/y/z/own.mp4", root="b" * 64
    )
    middle = replace(middle, durable_until=middle.started_at + (row.durable_until - row.started_at) / 3)
    with site.house.database.begin() as connection:
        store.put_segments(connection, [middle])
    assert site.send(row) == 2
    one, two = site.borrowed()
    assert one.durable_until == middle.started_at
    assert two.started_at == middle.durable_until
    paths = [site.house.volumes.path_of(found) for found in (one, two)]
    assert paths[0] != paths[1]
    assert paths[0].stat().st_ino == paths[1].stat().st_ino
    paths[0].unlink()
    assert paths[1].read_bytes() == site.raw(row)


def test_a_crash_before_the_row_leaves_nothing_that_shows_twice(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    row = site.theirs[2]

    def crash(*_: object) -> None:
        raise Unavailable("the power is gone")

    with monkeypatch.context() as patch:
        patch.setattr(arrivals_module.store, "put_segments", crash)
        with pytest.raises(Unavailable):
            site.send(row)
    shift_us = SHIFT // timedelta(microseconds=1) + 777  # measured anew meanwhile
    shown = site.house.arrivals.take(site.edge, row.root or "", said=site.said(row, shift_us=shift_us)).shown
    assert shown == 1
    named = list((site.house.data_dir / "media" / CAMERA / "main").rglob("*-edge-*.mp4"))
    assert [path.name for path in named] == [Path(one.path).name for one in site.borrowed()]


def test_what_the_keeper_found_after_a_crash_is_not_taken_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    row = site.theirs[2]

    def crash(*_: object) -> None:
        raise Unavailable("the power is gone")

    with monkeypatch.context() as patch:
        patch.setattr(arrivals_module.store, "put_segments", crash)
        with pytest.raises(Unavailable):
            site.send(row)
    media = site.house.volumes.list_recorded_on()[0]
    names = sorted((media.directory / CAMERA / "main").rglob("*-edge-*.mp4"))
    for name in names:  # the centre was back long before the edge
        found = finish_file(media, str(name.relative_to(media.directory)), key=KEY, writer="keeper", starts=[])
        assert isinstance(found, Restored)
        with site.house.database.begin() as connection:
            store.put_segments(connection, [found.row])
    assert site.house.arrivals.take(site.edge, row.root or "", said=site.said(row)).shown == 0
    assert [path.read_bytes() for path in names] == [site.raw(row)]
    assert [one.path for one in site.borrowed()] == [str(path.relative_to(media.directory)) for path in names]


def test_an_edge_brings_its_own_sites_pictures_only_and_none_from_the_future(site: Site) -> None:
    other = site.house.enrol(site="B")
    row = site.theirs[2]
    root = row.root or ""
    site.house.arrivals.put(other, root, offset=0, body=site.raw(row))
    with pytest.raises(Denied):
        site.house.arrivals.take(other, root, said=site.said(row))
    site.house.arrivals.put(site.edge, root, offset=0, body=site.raw(row))
    with pytest.raises(Invalid):
        site.house.arrivals.take(site.edge, root, said=site.said(row, shift_us=86_400_000_000))
    assert site.borrowed() == []


def test_what_was_lost_again_is_taken_again(site: Site) -> None:
    row = site.theirs[2]
    site.send(row)
    with site.house.database.begin() as connection:
        connection.execute(store.segments.delete().where(store.segments.c.origin == "edge"))
    assert not site.house.arrivals.find(site.edge, row.root or "").is_whole
    assert site.send(row) == 1


def test_what_is_asked_for_comes_first_and_alone_where_the_policy_says_so(site: Site) -> None:
    span = Span(from_at=site.hole.from_at + timedelta(seconds=3), to_at=site.hole.from_at + timedelta(seconds=5))
    with site.house.database.begin() as connection:
        ask_for(connection, CAMERA, span, reason="case 1", now=NOON)
    wants = site.wants()
    assert [one.is_asked for one in wants][:2] == [True, False]
    assert (wants[0].from_us, wants[0].to_us) == (to_us(span.from_at), to_us(span.to_at))
    site.edge = replace(site.edge, backfill="wanted")
    assert [one.is_asked for one in site.wants()] == [True]
    site.edge = replace(site.edge, backfill="off")
    assert site.wants() == []


def test_back_fill_keeps_to_its_rate_and_behind_live(site: Site) -> None:
    with site.house.serve() as url:
        centre = site.house.caller(url, site.edge)
        backfill = Backfill(
            site.edge_database, centre, volumes=site.edge_volumes, clock=SystemClock(), rate_bytes_s=1e9
        )
        with site.edge_database.begin() as connection:
            outbox.note_clock(connection, outbox.ClockReading(at=NOON, offset_us=350_000, error_us=1000), last=None)
        is_free = threading.Event()
        backfill.may_send = is_free.is_set
        backfill.set_wants(site.wants())
        stop = threading.Event()
        thread = threading.Thread(target=backfill.run, args=(stop,), daemon=True)
        thread.start()
        wait_until(lambda: backfill.status().state == "waits_for_live", within_s=20, what="it waits")
        assert backfill.status().sent_bytes == 0
        assert backfill.status().left_s > 0
        is_free.set()
        wait_until(lambda: not site.wants_in_hole(), within_s=60, what="the hole is filled")
        stop.set()
        thread.join(10)
        centre.close()

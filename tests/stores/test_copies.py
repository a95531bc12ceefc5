"""Second copies on both databases: what is sent, in which order, what a crash leaves, what is held, what goes."""

import os
import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from safecity.events.store import Stated, read_facts
from safecity.events.video import CopyTargetStateChanged
from safecity.oversight.model import Purpose, PurposeId, PurposeScope
from safecity.oversight.purpose_store import close_purpose, insert_purpose
from safecity.platform.clock import VirtualClock
from safecity.platform.database import Database
from safecity.platform.errors import Exhausted, Problem, Unavailable
from safecity.video.copies import copier as copier_module
from safecity.video.copies import copier as copier_room
from safecity.video.copies import store
from safecity.video.copies.copier import Copier, Surroundings
from safecity.video.copies.directory import MARKER, PARTIAL, DirectoryPlace
from safecity.video.copies.model import Copy, CopyState, Policy, Protection, Target, TargetState, key_of
from safecity.video.copies.place import Place
from safecity.video.copies.s3 import Credentials, S3Place
from safecity.video.copies.stored import Stored
from safecity.video.file_verify import verify_file
from safecity.video.holds import HeldInterval, hold, release
from safecity.video.model import Segment, Stream
from safecity.video.store import drop_segments, mark_deleting
from safecity.video.volumes import Volumes
from tests.ceph import S3
from tests.rooms.video.recorded import NOON, Clip, FakeRecorder, load_clip
from tests.rooms.video.test_copies_places import admin_of, s3_target

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def clip(clips_dir: Path) -> Clip:
    return load_clip(clips_dir / "suburban_road_a.mp4")


class Counting(DirectoryPlace):
    """A directory that can be made to fail and remembers what it was given."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.sent: list[str] = []
        self.problem: Problem | None = None

    def put(self, key: str, pieces: Iterable[bytes]) -> Stored:
        if self.problem is not None:
            raise self.problem
        self.sent.append(key)
        return super().put(key, pieces)


class City:
    """Recordings, a clock an hour after noon, and a directory for copies."""

    def __init__(self, database: Database, folder: Path, clip: Clip) -> None:
        self.database = database
        self.folder = folder
        self.recorder = FakeRecorder(database, folder / "media", clip)
        self.clock = VirtualClock(NOON + HOUR)
        (folder / "vault").mkdir()
        self.place = Counting(folder / "vault")
        self.place.prepare()
        self.around = Surroundings(
            database=database,
            volumes=Volumes.at(folder / "media"),
            clock=self.clock,
            stop=threading.Event(),
            source="copier",
        )

    def target(self, policy: Policy = Policy.ALL, *, days: float = 30, streams: Iterable[Stream] = Stream) -> Target:
        return Target(
            name="vault",
            kind="directory",
            place=str(self.folder / "vault"),
            policy=policy,
            streams=frozenset(streams),
            bytes_per_s=None,
            keep=timedelta(days=days),
            region="",
            has_object_lock=False,
        )

    def copier(self, target: Target | None = None, place: Place | None = None) -> Copier:
        return Copier(target or self.target(), lambda: place or self.place, around=self.around)

    def run(self, copier: Copier, *, turns: int = 4) -> None:
        """Some turns, ten seconds apart, so that every chore comes round."""
        for _ in range(turns):
            copier.turn()
            self.clock.advance(10)
        copier.close()

    def supply(self, target: Target | None = None, *, turns: int = 4) -> list[Copy]:
        self.run(self.copier(target), turns=turns)
        return self.copies()

    def copies(self) -> list[Copy]:
        with self.database.read() as connection:
            rows = connection.execute(sa.select(store.copies).order_by(store.copies.c.started_at)).mappings()
            return [store.copy_of(row) for row in rows]

    def state(self) -> store.TargetStatus:
        with self.database.read() as connection:
            found = store.find_target(connection, "vault")
        assert found is not None
        return found

    def states_told(self) -> list[str]:
        with self.database.read() as connection:
            stated = [one.fact for one in read_facts(connection, after=0, limit=1000) if isinstance(one, Stated)]
        return [fact.state for fact in stated if isinstance(fact, CopyTargetStateChanged)]

    def hold(self, segment: Segment) -> None:
        one = HeldInterval(camera=segment.camera, from_at=segment.started_at, to_at=segment.durable_until)
        with self.database.begin() as connection:
            hold(connection, [one], ref="C-1", now=self.clock.now())

    def release(self) -> None:
        with self.database.begin() as connection:
            release(connection, "C-1", now=self.clock.now())

    def open_case(self, segment: Segment, *, to_at: datetime | None = None) -> PurposeId:
        purpose = PurposeId("pur_1")
        scope = PurposeScope(camera=segment.camera, from_at=segment.started_at, to_at=to_at or segment.durable_until)
        with self.database.begin() as connection:
            made = Purpose(
                id=purpose, kind="case", ref="C-1", user_id=None, opened_at=self.clock.now(), ends_at=None,
                scopes=(scope,),
            )  # fmt: skip
            insert_purpose(connection, made)
        return purpose


@pytest.fixture
def city(database: Database, tmp_path: Path, clip: Clip) -> City:
    return City(database, tmp_path, clip)


def paths(rows: Iterable[Segment | Copy]) -> list[str]:
    return [key_of(row.path, row.root or "") if isinstance(row, Segment) else row.key for row in rows]


def test_everything_closed_is_copied_newest_first_and_each_copy_is_the_recording(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copier_room, "AT_ONCE", 1)  # several at once end in any order
    segments = [city.recorder.write(keys=1) for _ in range(3)]
    rows = city.supply()
    assert paths(rows) == paths(segments)
    assert city.place.sent == list(reversed(paths(segments)))
    for row, segment in zip(rows, segments, strict=True):
        assert verify_file(b"".join(city.place.fetch(row.key, None)), segment).is_sound
        assert (row.root, row.size_bytes, row.state, row.protection) == (
            segment.root, segment.size_bytes, CopyState.COPIED, Protection.NONE,
        )  # fmt: skip
    assert city.state().state is TargetState.CURRENT
    assert city.state().status["waiting"] == 0
    assert city.state().status["copies"] in (0, 3), "sums are taken once a minute"


def test_nothing_was_due_before_the_place_was_there(city: City) -> None:
    city.recorder.write(keys=1)
    (row,) = city.supply()
    assert row.lag_s == pytest.approx(0, abs=1), "an hour old, but the place is new"


def test_a_copy_that_arrived_without_its_row_is_found_and_not_sent_again(city: City) -> None:
    segments = [city.recorder.write(keys=1) for _ in range(3)]
    city.supply()
    with city.database.begin() as connection:
        connection.execute(store.copies.delete().where(store.copies.c.started_at == segments[1].started_at))
    assert paths(city.supply()) == paths(segments)
    assert len(city.place.sent) == 3, "after a crash"
    with city.database.begin() as connection:
        connection.execute(store.copies.delete())
        connection.execute(store.copy_targets.delete())
    assert paths(city.supply()) == paths(segments)
    assert len(city.place.sent) == 3, "after the database was lost"


def test_an_object_of_another_size_is_not_taken_for_the_copy(city: City) -> None:
    segment = city.recorder.write(keys=1)
    path = city.folder / "vault" / paths([segment])[0]
    path.parent.mkdir(parents=True)
    path.write_bytes(b"short")
    (row,) = city.supply()
    assert row.size_bytes == path.stat().st_size == segment.size_bytes


def test_what_is_protected_goes_first(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copier_room, "AT_ONCE", 1)  # several at once end in any order
    first, second, third = (city.recorder.write(keys=1) for _ in range(3))
    city.hold(first)
    city.open_case(second)
    rows = city.supply()
    assert sorted(city.place.sent[:2]) == sorted(paths([first, second]))
    assert city.place.sent[2:] == paths([third])
    assert [row.protection for row in rows] == [Protection.HELD, Protection.PURPOSE, Protection.NONE]


@pytest.mark.parametrize(("policy", "count"), [(Policy.PROTECTED, 2), (Policy.HELD, 1)])
def test_a_place_for_the_protected_gets_only_these(city: City, policy: Policy, count: int) -> None:
    held, covered, _ = (city.recorder.write(keys=1) for _ in range(3))
    city.hold(held)
    city.open_case(covered)
    assert paths(city.supply(city.target(policy))) == paths([held, covered][:count])


def test_the_lag_of_a_hold_counts_from_the_hold(city: City) -> None:
    segment = city.recorder.write(keys=1)
    target = city.target(Policy.HELD)
    city.supply(target, turns=1)
    city.clock.advance(3600)
    city.hold(segment)
    city.clock.advance(30)
    (row,) = city.supply(target)
    assert row.lag_s == pytest.approx(30, abs=1)


def test_a_segment_that_comes_into_the_index_late_is_copied_too(city: City) -> None:
    city.recorder.write(keys=1)
    copier = city.copier()
    copier.turn()
    city.clock.advance(24 * 3600)
    late = city.recorder.write(keys=1)  # a day old by now
    city.run(copier)
    assert paths([late])[0] in city.place.sent


def test_a_damaged_recording_never_becomes_a_copy_and_holds_up_no_other(city: City) -> None:
    bad, good = city.recorder.write(keys=1), city.recorder.write(keys=1)
    path = city.folder / "media" / bad.path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert paths(city.supply()) == paths([good])
    assert city.state().status["unreadable"] == 1
    assert list((city.folder / "vault" / PARTIAL).iterdir()) == []


@pytest.mark.parametrize(
    ("problem", "state"),
    [
        (Unavailable("away", code="copies.eio"), TargetState.AWAY),
        (Exhausted("full", code="copies.full"), TargetState.FULL),
    ],
)
def test_a_place_that_fails_is_a_state_and_is_asked_again_later(
    city: City, problem: Problem, state: TargetState
) -> None:
    segments = [city.recorder.write(keys=1) for _ in range(2)]
    city.place.problem = problem
    copier = city.copier()
    assert not copier.turn()
    assert city.state().state is state
    city.place.problem = None
    assert not copier.turn(), "it is not asked at once"
    assert city.copies() == []
    city.clock.advance(5)
    city.run(copier)
    assert paths(city.copies()) == paths(segments)
    assert city.states_told()[-2:] == [state.value, "current"]


def test_a_disk_that_is_not_mounted_is_refused_and_nothing_is_written(city: City) -> None:
    city.recorder.write(keys=1)
    (city.folder / "vault" / MARKER).unlink()
    assert city.supply() == []
    assert (city.state().state, city.state().detail) == (TargetState.REFUSED, "marker_missing")
    assert [path.name for path in (city.folder / "vault").iterdir()] == [PARTIAL]


def test_a_place_is_behind_when_something_waits_too_long(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    city.supply(turns=1)
    city.clock.advance(3 * 3600)
    city.recorder.pause(2.5 * 3600)
    city.recorder.write(keys=1)
    monkeypatch.setattr(copier_module, "A_TURN", 0)  # so slow that nothing gets through
    city.supply()
    assert city.state().state is TargetState.BEHIND
    assert city.state().status["waiting"] == 1


def test_old_copies_go_and_never_what_is_held_or_covered(city: City) -> None:
    held, covered, plain = (city.recorder.write(keys=1) for _ in range(3))
    city.supply()
    city.hold(held)
    purpose = city.open_case(covered)
    city.clock.advance(40 * 24 * 3600)
    with city.database.begin() as connection:  # the first copies went long ago
        drop_segments(connection, mark_deleting(connection, [plain]))
    target = city.target(days=31)
    assert paths(city.supply(target)) == paths([held, covered])
    assert not (city.folder / "vault" / paths([plain])[0]).exists()
    city.release()
    with city.database.begin() as connection:
        close_purpose(connection, purpose, at=city.clock.now())
        drop_segments(connection, mark_deleting(connection, [held, covered]))
    assert city.supply(target) == []
    assert [one.name for one in (city.folder / "vault").iterdir() if not one.name.startswith(".")] == []


def test_a_bad_copy_is_sent_again(city: City) -> None:
    city.recorder.write(keys=1)
    (row,) = city.supply()
    (city.folder / "vault" / row.key).write_bytes(b"rotten")
    with city.database.begin() as connection:
        store.mark_bad(connection, row)
    (again,) = city.supply()
    assert again.state is CopyState.COPIED
    assert len(city.place.sent) == 2


def test_a_hold_reaches_the_copy_in_the_bucket_and_ends_there(city: City, s3: S3, tmp_path: Path) -> None:
    bucket = f"b{os.urandom(6).hex()}"
    admin = admin_of(s3)
    admin.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    target = s3_target(s3, bucket, lock=True)
    place = S3Place(target, Credentials(access_key_id=s3.access_key, secret_access_key=s3.secret_key))
    first, second = city.recorder.write(keys=1), city.recorder.write(keys=1)
    city.run(city.copier(target, place))
    city.hold(first)
    city.run(city.copier(target, place))

    def standing() -> list[str]:
        return [
            str(admin.get_object_legal_hold(Bucket=bucket, Key=f"city/one/{row.key}")["LegalHold"]["Status"])
            for row in city.copies()
            if row.is_held
        ]

    assert [row.is_held for row in city.copies()] == [True, False]
    assert standing() == ["ON"]
    with city.database.begin() as connection:  # were it to be deleted all the same, the server refuses
        drop_segments(connection, mark_deleting(connection, [second]))
        connection.execute(store.copies.update().values(is_held=False, state=CopyState.DELETING.value))
    city.run(city.copier(target, place))
    assert paths(city.copies()) == paths([first])
    with city.database.begin() as connection:
        connection.execute(store.copies.update().values(is_held=True, state=CopyState.COPIED.value))
    city.release()
    city.run(city.copier(target, place))
    assert city.copies()[0].is_held is False
    status = admin.get_object_legal_hold(Bucket=bucket, Key=f"city/one/{paths([first])[0]}")["LegalHold"]["Status"]
    assert status == "OFF"
    assert paths([second])[0] not in [one.key for one in place.list_keys("")]

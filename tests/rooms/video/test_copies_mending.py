"""A first copy that is damaged or gone is read from the second and mended; drills catch a bad second copy."""

import json
import os
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from safecity.app.cli import make_app
from safecity.events.store import Fact, Stated, read_facts
from safecity.events.video import CopyFoundBad, SegmentMended
from safecity.platform.clock import VirtualClock
from safecity.platform.errors import NotFound
from safecity.platform.settings import VideoSettings
from safecity.video import store as video_store
from safecity.video.clip_verify import verify_clip
from safecity.video.copies import store
from safecity.video.copies.copier import Copier, Surroundings
from safecity.video.copies.directory import MARKER
from safecity.video.copies.drill import DrillMaster
from safecity.video.copies.mending import Mender
from safecity.video.copies.model import list_targets
from safecity.video.copies.place import open_place
from safecity.video.copies.restore import Restorer
from safecity.video.copies.sound import SoundFiles
from safecity.video.export import ClipExports
from safecity.video.file_verify import verify_file
from safecity.video.model import Segment, Stream
from safecity.video.recovery import DAMAGED_SUFFIX
from safecity.video.splice import open_segment
from safecity.video.store import drop_segments, mark_deleting
from safecity.video.volumes import Volumes
from safecity.video.windows import WindowReader
from tests.rooms.video.house import House
from tests.rooms.video.recorded import CAMERA, NOON

F = TypeVar("F", bound=Fact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """A house whose recordings have second copies in a directory."""

    house: House
    settings: VideoSettings
    volumes: Volumes
    mender: Mender
    clock: VirtualClock
    segments: list[Segment]

    def first(self, segment: Segment) -> Path:
        return self.house.data_dir / "media" / segment.path

    def second(self, segment: Segment) -> Path:
        (row,) = [one for one in self.copies() if one.started_at == segment.started_at]
        return self.house.data_dir / "vault" / row.key

    def copies(self) -> list[store.Copy]:
        with self.house.database.read() as connection:
            return [store.copy_of(row) for row in connection.execute(sa.select(store.copies)).mappings()]

    def facts(self, kind: type[F]) -> list[F]:
        with self.house.database.read() as connection:
            stated = [one.fact for one in read_facts(connection, after=0) if isinstance(one, Stated)]
        return [one for one in stated if isinstance(one, kind)]

    def sound(self) -> SoundFiles:
        return SoundFiles(self.volumes, mender=self.mender, clock=self.clock)

    def reader(self) -> WindowReader:
        return WindowReader(self.house.database, volumes=self.volumes, sound=self.sound())

    def master(self) -> DrillMaster:
        return DrillMaster(self.house.database, self.mender, clock=self.clock, chance=random.Random(7))


@pytest.fixture
def vault(tmp_path: Path, clips_dir: Path) -> Vault:
    house = House(tmp_path, clips_dir / "suburban_road_a.mp4")
    segments = [house.recorder.write(keys=2) for _ in range(4)]
    (tmp_path / "vault").mkdir()
    settings = VideoSettings.model_validate(
        {"copies": [{"name": "vault", "kind": "directory", "place": str(tmp_path / "vault")}]}
    )
    volumes, clock = Volumes.at(tmp_path / "media"), VirtualClock(NOON + timedelta(hours=1))
    (target,) = list_targets(settings)
    place = open_place(target, data_dir=tmp_path)
    place.prepare()
    around = Surroundings(
        database=house.database, volumes=volumes, clock=clock, stop=threading.Event(), source="copier"
    )
    copier = Copier(target, lambda: place, around=around)
    while copier.turn():
        pass
    copier.close()
    mender = Mender(house.database, settings, volumes=volumes, data_dir=tmp_path, clock=clock)
    return Vault(house=house, settings=settings, volumes=volumes, mender=mender, clock=clock, segments=segments)


def flip(path: Path, chance: random.Random) -> None:
    """One bit of one byte, anywhere."""
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def is_sound(path: Path, segment: Segment) -> bool:
    with path.open("rb") as file:
        return verify_file(file, segment).is_sound


def window(reader: WindowReader) -> bytes:
    return b"".join(reader.read(CAMERA, Stream.MAIN, at=NOON, seconds=60).parts)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "gone": lambda path: path.unlink(),
    "cut": lambda path: os.truncate(path, path.stat().st_size // 2),
    "zeroed": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "one_bit": lambda path: flip(path, random.Random(3)),
    "longer": lambda path: path.open("ab").write(b"x") and None,
}


@pytest.mark.parametrize("damage", sorted(DAMAGE))
def test_a_damaged_first_copy_is_played_from_the_second_and_mended(vault: Vault, damage: str) -> None:
    asked = window(vault.reader())
    victim = vault.segments[1]
    DAMAGE[damage](vault.first(victim))
    found = vault.reader().read(CAMERA, Stream.MAIN, at=NOON, seconds=60)
    assert b"".join(found.parts) == asked
    assert found.is_from_copy
    assert is_sound(vault.first(victim), victim)
    (fact,) = vault.facts(SegmentMended)
    assert (fact.path, fact.target) == (victim.path, "vault")
    assert vault.first(victim).with_name(vault.first(victim).name + DAMAGED_SUFFIX).exists() == (damage != "gone")
    again = vault.reader().read(CAMERA, Stream.MAIN, at=NOON, seconds=60)
    assert (b"".join(again.parts), again.is_from_copy) == (asked, False)


def test_random_damage_is_all_found_and_all_mended(vault: Vault) -> None:
    chance = random.Random(11)
    for _ in range(25):
        victim = chance.choice(vault.segments)
        flip(vault.first(victim), chance)
        assert vault.mender.find_flaw(victim) is not None
        assert vault.mender.mend(victim)
        assert is_sound(vault.first(victim), victim)
        vault.first(victim).with_name(vault.first(victim).name + DAMAGED_SUFFIX).unlink()


def test_a_clip_of_a_damaged_recording_is_made_from_the_copy(vault: Vault) -> None:
    vault.house.open_case()
    flip(vault.first(vault.segments[0]), random.Random(5))
    exports = ClipExports(
        vault.house.database,
        oversight=vault.house.oversight,
        clock=vault.house.clock,
        data_dir=vault.house.data_dir,
        settings=vault.settings,
    )
    vault.house.exports = exports
    clip, sheet = vault.house.export(from_s=0.5, to_s=3)
    assert verify_clip(clip, sheet).pictures > 0
    assert len(vault.facts(SegmentMended)) == 1


def test_where_the_disk_cannot_be_written_the_copy_is_read_all_the_same(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = window(vault.reader())
    DAMAGE["one_bit"](vault.first(vault.segments[2]))
    monkeypatch.setattr("safecity.video.copies.mending._copy_durably", _refuse)
    assert window(vault.reader()) == asked
    assert not is_sound(vault.first(vault.segments[2]), vault.segments[2])
    assert vault.facts(SegmentMended) == []


def _refuse(source: Path, final: Path) -> None:
    raise OSError(30, "read-only")


def test_a_bad_second_copy_is_not_used_for_mending_and_is_told(vault: Vault) -> None:
    victim = vault.segments[0]
    for path in (vault.first(victim), vault.second(victim)):
        flip(path, random.Random(1))
    assert vault.mender.find_copy(victim) is None
    assert not vault.mender.mend(victim)
    assert [fact.flaw for fact in vault.facts(CopyFoundBad)] == ["changed"]
    assert vault.first(victim).exists(), "a damaged recording is better than none"
    assert list((vault.house.data_dir / "cache" / "copies").iterdir()) == []


def test_nothing_comes_back_that_retention_took(vault: Vault) -> None:
    victim = vault.segments[0]
    with vault.house.database.begin() as connection:
        drop_segments(connection, mark_deleting(connection, [victim]))
    vault.first(victim).unlink()
    assert not vault.mender.mend(victim)
    assert not vault.first(victim).exists()


def test_the_cache_keeps_its_limit(vault: Vault) -> None:
    size = vault.segments[0].size_bytes
    settings = vault.settings.model_copy(update={"cache_gb": 2.5 * size / 1e9})
    mender = Mender(
        vault.house.database, settings, volumes=vault.volumes, data_dir=vault.house.data_dir, clock=vault.clock
    )
    for number, segment in enumerate(vault.segments):
        fetched = mender.find_copy(segment)
        assert fetched is not None
        os.utime(fetched.path, (number, number))
    used = sum(path.stat().st_size for path in (vault.house.data_dir / "cache" / "copies").iterdir())
    assert used <= 2.5 * size


def test_without_places_a_reader_opens_plainly(vault: Vault) -> None:
    mender = Mender(
        vault.house.database, VideoSettings(), volumes=vault.volumes, data_dir=vault.house.data_dir, clock=vault.clock
    )
    sound = SoundFiles(vault.volumes, mender=mender, clock=vault.clock)
    vault.first(vault.segments[0]).unlink()
    assert not sound.prove(vault.segments)
    with pytest.raises(NotFound):
        sound.open(vault.segments[0])


def test_a_drill_of_good_copies_passes_and_is_kept(vault: Vault) -> None:
    master = vault.master()
    assert master.is_due("vault", vault.clock.now())
    drill = master.drill("vault", count=3, is_standing=True)
    assert (drill.tried, drill.good, drill.bad, drill.unreached) == (3, 3, 0, 0)
    assert sum(row.verified_at is not None for row in vault.copies()) == 3
    assert not master.is_due("vault", vault.clock.now())
    vault.clock.advance(24 * 3600)
    assert master.is_due("vault", vault.clock.now())


@pytest.mark.parametrize(
    ("plant", "flaw"),
    [("gone", "missing"), ("cut", "size"), ("zeroed", "torn"), ("one_bit", "root"), ("longer", "size")],
)
def test_a_planted_bad_copy_is_caught_told_and_sent_again(vault: Vault, plant: str, flaw: str) -> None:
    victim = vault.segments[2]
    DAMAGE[plant](vault.second(victim))
    drill = vault.master().drill("vault", count=20, is_standing=False)
    assert (drill.tried, drill.good, drill.bad) == (4, 3, 1)
    assert [one["flaw"] for one in drill.findings] == [flaw]
    (fact,) = vault.facts(CopyFoundBad)
    assert (fact.target, fact.started_at) == ("vault", victim.started_at)
    assert [row.state.value for row in vault.copies()] == ["copied", "copied", "bad", "copied"]


def test_a_copy_outlives_its_segment_and_is_still_proved(vault: Vault) -> None:
    with vault.house.database.begin() as connection:
        connection.execute(video_store.segments.delete())
    DAMAGE["one_bit"](vault.second(vault.segments[0]))
    drill = vault.master().verify_all("vault", progress=lambda _: None)
    assert (drill.tried, drill.good, drill.bad) == (4, 3, 1)


def test_a_place_that_is_away_is_no_bad_copy(vault: Vault) -> None:
    (vault.house.data_dir / "vault" / MARKER).unlink()
    drill = vault.master().drill("vault", count=2, is_standing=True)
    assert (drill.tried, drill.bad, drill.unreached) == (2, 0, 2)
    assert vault.facts(CopyFoundBad) == []
    vault.clock.advance(3600)
    assert vault.master().is_due("vault", vault.clock.now()), "it is tried again within the day"


def test_disks_and_database_lost_all_comes_back_from_the_place_alone(vault: Vault, tmp_path: Path) -> None:
    with vault.house.database.begin() as connection:
        for table in (video_store.segments, store.copies, store.copy_targets):
            connection.execute(table.delete())
    for segment in vault.segments:
        vault.first(segment).unlink()
    DAMAGE["one_bit"](next((tmp_path / "vault" / CAMERA).rglob("*.mp4")))
    restorer = Restorer(vault.house.database, vault.mender.place_of("vault"), volumes=vault.volumes)
    found = restorer.run()
    assert (found.restored, found.bad) == (3, 1)
    with vault.house.database.read() as connection:
        rows = video_store.list_segments(connection, CAMERA, Stream.MAIN, from_at=NOON, to_at=NOON + timedelta(hours=1))
    assert len(rows) == 3
    by_path = {one.path: one for one in vault.segments}
    for row in rows:
        assert (row.root, row.started_at, row.durable_until) == (
            by_path[row.path].root, by_path[row.path].started_at, by_path[row.path].durable_until,
        )  # fmt: skip
        with open_segment(vault.volumes, row) as file:
            assert verify_file(file, row).is_sound
    assert restorer.run().there_already == 3


def test_the_commands_tell_try_and_fail_where_a_copy_is_bad(vault: Vault, tmp_path: Path) -> None:
    config = tmp_path / "safecity.toml"
    config.write_text(
        f'[platform]\ndata_dir = "{tmp_path}"\n[[video.copies]]\nname = "vault"\nkind = "directory"\n'
        f'place = "{tmp_path / "vault"}"\n'
    )

    def call(*words: str) -> tuple[int, dict[str, object]]:
        done = CliRunner().invoke(make_app(), ["copies", *words, "--json", "--config", str(config)])
        return done.exit_code, json.loads(done.stdout.splitlines()[-1])  # its log goes to the same place here

    code, said = call("status")
    assert code == 0
    assert said["targets"][0]["state"] == "current"  # type: ignore[index]
    code, said = call("drill", "--count", "2")
    assert (code, said["passed"]) == (0, True)
    DAMAGE["one_bit"](vault.second(vault.segments[3]))
    code, said = call("verify")
    assert (code, said["passed"]) == (1, False)
    vault.first(vault.segments[0]).unlink()
    code, said = call("restore", "vault")
    assert (code, said["restored"], said["there_already"]) == (0, 1, 3)
    done = CliRunner().invoke(make_app(), ["copies", "prepare", "vault", "--config", str(config)])
    assert done.exit_code == 0
    assert "GB free" in done.stdout


def test_a_check_that_mends_takes_the_second_copy(vault: Vault, tmp_path: Path) -> None:
    damaged, gone, lost = vault.segments[:3]
    before = vault.first(damaged).read_bytes()
    flip(vault.first(damaged), random.Random(3))
    vault.first(gone).unlink()
    vault.first(lost).unlink()
    vault.second(lost).unlink()
    settings = tmp_path / "safecity.toml"
    settings.write_text(
        f'[platform]\ndata_dir = "{tmp_path}"\n'
        f'[[video.copies]]\nname = "vault"\nkind = "directory"\nplace = "{tmp_path / "vault"}"\n'
    )
    check = ["store", "check", "--all", "--json", "--config", str(settings)]
    add = ["store", "volumes", "add", str(tmp_path / "media"), "--config", str(settings)]
    assert CliRunner().invoke(make_app(), add).exit_code == 0
    told = json.loads(CliRunner().invoke(make_app(), [*check, "--mend"]).stdout.splitlines()[-1])  # a log before it
    assert told["mended"] == {"mended": 2, "left": 1}
    assert vault.first(damaged).read_bytes() == before
    assert vault.first(damaged).with_name(vault.first(damaged).name + DAMAGED_SUFFIX).exists()
    again = json.loads(CliRunner().invoke(make_app(), check).stdout.splitlines()[-1])
    assert [one["path"] for one in again["findings"]] == [lost.path]

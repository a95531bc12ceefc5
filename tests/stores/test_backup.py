"""A backup of either database is one instant of it, restores into either, and says so where it is damaged."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from safecity.app.backups import BackupKeeper, backup_plan, compare_counts, drill, read_status, restore_plan
from safecity.oversight.log import append, log_bodies, size_of
from safecity.platform.backup.keys import Lock, Opener, lock_for, lock_with, make_key_pair
from safecity.platform.backup.making import list_backups, make_backup
from safecity.platform.backup.restoring import DATABASE_FILE, UNFINISHED, read_head_manifest, restore
from safecity.platform.clock import VirtualClock
from safecity.platform.database import Database
from safecity.platform.errors import Conflict, DataLoss, Denied, Exhausted, Invalid
from safecity.platform.schema import upgrade
from safecity.platform.secrets import load_secret_box
from safecity.platform.settings import BackupSettings, PlatformSettings, Settings

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
PRIVATE, PUBLIC = make_key_pair()
OPENER = Opener(private_key=PRIVATE)


def fill(database: Database, leaves: int) -> None:
    for number in range(leaves):
        with database.begin() as connection:
            append(connection, type="view_live", body={"number": number, "name": "کوئٹہ"}, at=NOW)
    segments = sa.Table("segments", sa.MetaData(), autoload_with=database.engine)
    row = {
        "camera": "cam_1", "stream": "main", "durable_until": 2, "state": "closed", "path": "p", "session": "s",
        "size_bytes": 1, "fragments": 1, "codec": "h264", "codec_string": "avc1", "width_px": 1, "height_px": 1,
        "rate_ppb": 0, "line_error_us": 0, "root": "ab", "is_held": True, "writer": "recorder-1",
    }  # fmt: skip
    required = {
        one.name: "recorded"
        for one in segments.columns
        if not one.nullable and one.name not in row and one.server_default is None
    }
    with database.begin() as connection:
        connection.execute(
            segments.insert(), [required | row | {"started_at": at, "path": f"p{at}"} for at in range(1200)]
        )
        connection.execute(
            sa.text("INSERT INTO leases (resource, holder, claimed_at, expires_at) VALUES ('camera:x', 'r', 1, 2)")
        )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    data = tmp_path / "data"
    data.mkdir()
    load_secret_box(data)
    backup = BackupSettings(directory=tmp_path / "backups", keep=2)
    return Settings(platform=PlatformSettings(data_dir=data), backup=backup)


@pytest.fixture
def filled(database: Database) -> Database:
    fill(database, 12)
    return database


@pytest.fixture
def made(filled: Database, settings: Settings, tmp_path: Path) -> Path:
    plan = backup_plan(settings, has_index=True)
    return make_backup(filled, plan, lock=lock_for(PUBLIC), directory=tmp_path / "backups")[0]


@pytest.fixture
def small(tmp_path: Path, settings: Settings) -> Path:
    """A backup of SQLite, for what has nothing to do with the database."""
    database = Database(f"sqlite:///{tmp_path / 'small.db'}")
    upgrade(database)
    fill(database, 6)
    path, _ = make_backup(
        database, backup_plan(settings, has_index=True), lock=lock_for(PUBLIC), directory=tmp_path / "small"
    )
    database.close()
    return path


@pytest.fixture
def empty_url(request: pytest.FixtureRequest) -> str:
    base: str = request.getfixturevalue("postgres_url")
    name = f"t{os.urandom(6).hex()}"
    with psycopg.connect(base.replace("+psycopg", "") + "postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
    return base + name


def rows_of(database: Database) -> dict[str, list[tuple[object, ...]]]:
    tables = sa.MetaData()
    with database.read() as connection:
        tables.reflect(connection)
        return {
            table.name: sorted((tuple(map(_plain, row)) for row in connection.execute(sa.select(table))), key=repr)
            for table in tables.sorted_tables
        }


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value


def test_a_backup_restores_to_the_same_rows_and_keys(
    made: Path, filled: Database, settings: Settings, tmp_path: Path
) -> None:
    target = tmp_path / "restored"
    manifest = restore(made, OPENER, plan=restore_plan(target))
    restored = Database(f"sqlite:///{target / DATABASE_FILE}")
    before, after = rows_of(filled), rows_of(restored)
    assert after["leases"] == []
    assert before.pop("leases") != []
    assert {name: rows for name, rows in after.items() if name != "leases"} == before
    assert manifest.log.size == 12
    key = settings.platform.data_dir / "secrets" / "key"
    assert (target / "secrets" / "key").read_bytes() == key.read_bytes()
    assert (target / "secrets" / "key").stat().st_mode & 0o077 == 0
    restored.close()
    raw = made.read_bytes()
    assert key.read_bytes() not in raw
    assert b"view_live" not in raw


def test_sqlite_moves_to_postgresql_and_goes_on_counting(small: Path, empty_url: str, tmp_path: Path) -> None:
    restore(small, OPENER, plan=restore_plan(tmp_path / "restored", database_url=empty_url))
    moved = Database(empty_url)
    with moved.begin() as connection:
        assert append(connection, type="view_live", body={}, at=NOW) == 6
    with moved.read() as connection:
        assert size_of(connection) == 7
        numbers = connection.execute(sa.text("SELECT count(*) FROM segments")).scalar_one()
    moved.close()
    assert numbers == 1200
    with pytest.raises(Conflict, match="not empty"):
        restore(small, OPENER, plan=restore_plan(tmp_path / "again", database_url=empty_url))


def test_while_somebody_writes_a_backup_is_one_instant(filled: Database, settings: Settings, tmp_path: Path) -> None:
    """Leaves and bodies are written together: in every backup there are as many of one as of the other."""
    stop, written = threading.Event(), [0]

    def write() -> None:
        while not stop.is_set():
            with filled.begin() as connection:
                append(connection, type="view_live", body={"n": written[0]}, at=NOW)
            written[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    sizes: list[int] = []
    try:
        for number in range(2):
            lock = lock_for(PUBLIC)
            plan = backup_plan(settings, has_index=True)
            _, manifest = make_backup(filled, plan, lock=lock, directory=tmp_path / f"b{number}")
            assert manifest.tables["log_leaves"].rows == manifest.tables["log_bodies"].rows == manifest.log.size
            drill(list_backups(tmp_path / f"b{number}")[0], lock, scratch=tmp_path)
            sizes.append(manifest.log.size)
    finally:
        stop.set()
        writer.join()
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1] <= 12 + written[0]


def test_an_older_schema_is_brought_up_to_date(settings: Settings, tmp_path: Path) -> None:
    old = Database(f"sqlite:///{tmp_path / 'old.db'}")
    upgrade(old, "0008")
    with old.begin() as connection:
        append(connection, type="view_live", body={}, at=NOW)
    path, manifest = make_backup(
        old, backup_plan(settings, has_index=True), lock=lock_for(PUBLIC), directory=tmp_path / "b"
    )
    old.close()
    assert manifest.revision == "0008"
    restore(path, OPENER, plan=restore_plan(tmp_path / "restored"))
    restored = Database(f"sqlite:///{tmp_path / 'restored' / DATABASE_FILE}")
    with restored.read() as connection:
        assert "scenes" in sa.inspect(connection).get_table_names()
        compare_counts(connection, manifest)
    restored.close()


def test_the_index_can_be_left_out(filled: Database, settings: Settings, tmp_path: Path) -> None:
    plan = backup_plan(settings, has_index=False)
    _, manifest = make_backup(filled, plan, lock=lock_for(PUBLIC), directory=tmp_path / "b")
    assert "segments" not in manifest.tables
    assert "outages" in manifest.tables


DAMAGE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut short": (lambda raw: raw[:-1], "cut short"),
    "a chunk gone at the end": (lambda raw: raw[: chunks(raw)[-1]], "cut short"),
    "one bit": (lambda raw: raw[: len(raw) // 2] + bytes([raw[len(raw) // 2] ^ 1]) + raw[len(raw) // 2 + 1 :], "damag"),
    "more behind it": (lambda raw: raw + b"x", "follows"),
    "head": (lambda raw: raw.replace(b'"way"', b'"why"', 1), "does not know"),
    "no backup": (lambda raw: b"hello" + raw, "no backup"),
}


def chunks(raw: bytes) -> list[int]:
    """Where each chunk begins."""
    at = len(b"SAFECITY-BACKUP-1\n")
    at += 4 + int.from_bytes(raw[at : at + 4])
    found: list[int] = []
    while at < len(raw):
        found.append(at)
        at += 4 + int.from_bytes(raw[at : at + 4])
    return found


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_found_and_nothing_is_restored(kind: str, small: Path, tmp_path: Path) -> None:
    damage, says = DAMAGE[kind]
    small.write_bytes(damage(small.read_bytes()))
    target = tmp_path / "restored"
    with pytest.raises((DataLoss, Invalid), match=says):
        restore(small, OPENER, plan=restore_plan(target))
    assert not target.exists()


def test_chunks_that_changed_places_are_found(tmp_path: Path, settings: Settings) -> None:
    noise = settings.platform.data_dir / "secrets" / "noise"
    noise.write_bytes(os.urandom(700_000))  # does not compress: several chunks
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    upgrade(database)
    plan = backup_plan(settings, has_index=True)
    path, _ = make_backup(database, plan, lock=lock_for(PUBLIC), directory=tmp_path / "b")
    database.close()
    raw = path.read_bytes()
    starts = [*chunks(raw), len(raw)]
    assert len(starts) > 3
    one, two = raw[starts[1] : starts[2]], raw[starts[2] : starts[3]]
    path.write_bytes(raw[: starts[1]] + two + one + raw[starts[3] :])
    with pytest.raises(DataLoss, match="not in its place"):
        read_head_manifest(path, OPENER)
    path.write_bytes(raw[: starts[1]] + one + one + raw[starts[2] :])
    with pytest.raises(DataLoss, match="not in its place"):
        read_head_manifest(path, OPENER)


def test_the_wrong_key_opens_nothing(small: Path, tmp_path: Path) -> None:
    with pytest.raises(Denied, match="another key"):
        restore(small, Opener(private_key=make_key_pair()[0]), plan=restore_plan(tmp_path / "r"))
    with pytest.raises(Invalid, match="no key"):
        restore(small, Opener(private_key=PUBLIC), plan=restore_plan(tmp_path / "r"))


def test_a_passphrase_opens_what_it_locked(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safecity.platform.backup.keys.MEMORY_KIB", 8 * 1024)  # quick; the head says how much it was
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    upgrade(database)
    lock: Lock = lock_with("a long passphrase")
    path, made = make_backup(database, backup_plan(settings, has_index=True), lock=lock, directory=tmp_path / "b")
    database.close()
    assert read_head_manifest(path, Opener(passphrase="a long passphrase")) == made
    with pytest.raises(Denied, match="passphrase is wrong"):
        read_head_manifest(path, Opener(passphrase="another passphrase"))
    with pytest.raises(Invalid, match="at least"):
        lock_with("short")


def test_a_log_that_was_tampered_with_is_not_restored(tmp_path: Path, settings: Settings) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    upgrade(database)
    fill(database, 5)
    with database.begin() as connection:
        found = connection.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        for name in found:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.execute(log_bodies.update().where(log_bodies.c.leaf_index == 3).values(body="{}"))
    plan = backup_plan(settings, has_index=True)
    path, _ = make_backup(database, plan, lock=lock_for(PUBLIC), directory=tmp_path / "b")
    database.close()
    with pytest.raises(DataLoss, match="audit log"):
        restore(path, OPENER, plan=restore_plan(tmp_path / "restored"))
    assert not (tmp_path / "restored" / DATABASE_FILE).exists()


def test_a_living_system_is_never_overwritten(small: Path, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="holds a system already"):
        restore(small, OPENER, plan=restore_plan(settings.platform.data_dir))


def test_a_full_disk_leaves_the_backups_that_were_there(
    small: Path, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'small.db'}")
    full = OSError(28, "No space left on device")

    def refuse(_: int) -> None:
        raise full

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(Exhausted, match="full"):
        make_backup(database, backup_plan(settings, has_index=True), lock=lock_for(PUBLIC), directory=small.parent)
    database.close()
    assert list(small.parent.iterdir()) == [small]


KILLED = """
import os, signal, sys
from pathlib import Path
from safecity.app import backups
from safecity.platform.backup import making, restoring
from safecity.platform.backup.keys import Opener, lock_for
from safecity.platform.database import Database
from safecity.platform.settings import PlatformSettings, Settings
def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
what, data, place, key = sys.argv[1:]
if what == "make":
    making.verify_backup = die
    settings = Settings(platform=PlatformSettings(data_dir=Path(data)))
    plan = backups.backup_plan(settings, has_index=True)
    making.make_backup(Database(f"sqlite:///{place}/../small.db"), plan, lock=lock_for(key), directory=Path(place))
else:
    setattr(restoring, what, die)
    restoring.restore(Path(place), Opener(private_key=key), plan=backups.restore_plan(Path(data)))
"""


def run_killed(*arguments: object) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_a_killed_backup_is_no_backup_and_goes_with_the_next(small: Path, settings: Settings, tmp_path: Path) -> None:
    run_killed("make", settings.platform.data_dir, small.parent, PUBLIC)
    assert list_backups(small.parent) == [small]
    assert len(list(small.parent.glob(".*.new"))) == 1
    database = Database(f"sqlite:///{tmp_path / 'small.db'}")
    make_backup(database, backup_plan(settings, has_index=True), lock=lock_for(PUBLIC), directory=small.parent)
    database.close()
    assert list(small.parent.glob(".*.new")) == []


@pytest.mark.parametrize("where", ["_go_on_counting", "_put_file"])
def test_a_killed_restore_is_no_system_and_can_be_begun_again(where: str, small: Path, tmp_path: Path) -> None:
    target = tmp_path / "restored"
    run_killed(where, target, small, PRIVATE)
    assert not (target / DATABASE_FILE).exists()
    assert (target / (DATABASE_FILE + UNFINISHED)).exists()
    restore(small, OPENER, plan=restore_plan(target))
    assert (target / DATABASE_FILE).exists()
    assert not list(target.glob(f"*{UNFINISHED}*"))


def test_the_keeper_makes_tries_and_prunes(settings: Settings, tmp_path: Path) -> None:
    data = settings.platform.data_dir
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    upgrade(database)
    fill(database, 3)
    clock, run_dir = VirtualClock(NOW), data / "run"
    keeper = BackupKeeper(database=database, settings=settings, clock=clock, run_dir=run_dir)
    keeper.run_once()
    problem = read_status(run_dir).problem
    assert problem is not None
    assert "keygen" in problem
    (data / "backup-public-key").write_text(PUBLIC)
    keeper.run_once()
    status = read_status(run_dir)
    assert (status.problem, status.restored_at, status.made_at) == (None, NOW, NOW)
    directory = settings.backup.directory
    assert directory is not None
    (newest,) = list_backups(directory)
    assert status.file == newest.name
    clock.advance(3600)
    keeper.run_once()
    assert read_status(run_dir) == status
    newest.write_bytes(newest.read_bytes()[:-1] + b"x")
    clock.advance(23 * 3600 - 60)
    slow = settings.model_copy(update={"backup": settings.backup.model_copy(update={"every_h": 100.0})})
    clock.advance(120)
    BackupKeeper(database=database, settings=slow, clock=clock, run_dir=run_dir).run_once()
    problem = read_status(run_dir).problem
    assert problem is not None
    assert "is not what it was" in problem
    database.close()

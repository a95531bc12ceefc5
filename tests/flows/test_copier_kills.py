"""The copier killed at any point: nothing half is ever a copy, nothing is left behind, nothing is missing."""

import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import sqlalchemy as sa

from safecity.platform.database import Database
from safecity.platform.schema import upgrade
from safecity.platform.settings import Settings
from safecity.video.copies import store
from safecity.video.copies.directory import PARTIAL, DirectoryPlace
from safecity.video.copies.model import read_key
from safecity.video.file_verify import verify_file
from safecity.video.volumes import prepare_volumes
from tests.rooms.video.recorded import FakeRecorder, load_clip

KILLS = 3
SEGMENTS = 16
ENDS_WITHIN_S = 60.0


def start(settings_file: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "safecity.app.roles.copier", "--slot", "copier", "--settings", str(settings_file)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def count(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(store.copies)).scalar_one()


def wait_for_copies(database: Database, wanted: int) -> None:
    tick = threading.Event()
    for _ in range(int(ENDS_WITHIN_S / 0.1)):
        if count(database) >= wanted:
            return
        tick.wait(0.1)
    raise AssertionError(f"{count(database)} copies after {ENDS_WITHIN_S} s, not {wanted}")


def test_kill_9_at_any_point_costs_no_copy(tmp_path: Path, clips_dir: Path) -> None:
    vault = tmp_path / "vault"
    vault.mkdir()
    place = DirectoryPlace(vault)
    place.prepare()

    def settings(mbps: float | None) -> Path:
        copies = [{"name": "vault", "kind": "directory", "place": str(vault), "bandwidth_mbps": mbps, "days": 36_500}]
        made = Settings.model_validate({"platform": {"data_dir": tmp_path}, "video": {"copies": copies}})
        path = tmp_path / "run" / "settings.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(made.model_dump_json())
        return path

    database = Database(f"sqlite:///{tmp_path / 'safecity.db'}")
    upgrade(database)
    prepare_volumes(tmp_path, Settings.model_validate({"platform": {"data_dir": tmp_path}}).video)
    recorder = FakeRecorder(database, tmp_path / "media", load_clip(clips_dir / "suburban_road_a.mp4"))
    segments = {row.path: row for row in (recorder.write(keys=1) for _ in range(SEGMENTS))}
    total_bits = 8 * sum(row.size_bytes for row in segments.values())
    slow = settings(total_bits / 1e6 / 6)  # six seconds for all
    chance = random.Random(4)
    for number in range(KILLS):
        process = start(slow)
        try:
            wait_for_copies(database, number + 1)
            threading.Event().wait(chance.uniform(0, 0.5))  # anywhere within the copies that are on their way
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        for listed in place.list_keys(""):
            named = read_key(listed.key)
            assert named is not None
            assert verify_file(b"".join(place.fetch(listed.key, None)), segments[named.path]).is_sound
    process = start(settings(None))
    try:
        wait_for_copies(database, SEGMENTS)
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0
    assert {read_key(one.key).path for one in place.list_keys("")} == set(segments)  # type: ignore[union-attr]
    assert list((vault / PARTIAL).iterdir()) == []
    database.close()

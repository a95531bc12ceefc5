"""A recorder is killed by who it is, never by a number that somebody else may have by now."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import pytest

from safecity.app.demo_controls import StackControls, kill_occupant
from safecity.app.slots import Occupant, find_occupant, start_ticks_of
from safecity.platform.clock import SystemClock
from safecity.platform.database import Database
from safecity.platform.errors import NotFound, Unavailable
from safecity.platform.leases import claim
from safecity.platform.schema import upgrade
from safecity.platform.settings import Settings
from safecity.sites.model import CameraId

HOLDER = """
import sys, time
from pathlib import Path
from safecity.app.slots import SlotLock
lock = SlotLock(Path(sys.argv[1]), "recorder-1", role="recorder", fingerprint="f")
lock.acquire()
time.sleep(60)
"""


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    child = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)])
    deadline = time.monotonic() + 20
    while find_occupant(tmp_path, "recorder-1") is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield child
    with suppress(ProcessLookupError):
        child.kill()
    child.wait()


def test_the_holder_of_the_slot_is_killed(recorder: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    kill_occupant(tmp_path, "recorder-1")
    assert recorder.wait(5) == -9
    with pytest.raises(Unavailable):
        kill_occupant(tmp_path, "recorder-1")


def test_a_file_left_behind_kills_nobody(tmp_path: Path) -> None:
    ticks = start_ticks_of(os.getpid())
    assert ticks is not None
    # This very process, as if it had been given a dead recorder's pid: the slot's lock is held by nobody.
    me = Occupant(slot="recorder-1", role="recorder", pid=os.getpid(), start_ticks=ticks, fingerprint="f")
    (tmp_path / "recorder-1.lock").touch()
    for written in (me, replace(me, start_ticks=ticks - 1)):
        (tmp_path / "recorder-1.json").write_text(json.dumps(asdict(written)))
        with pytest.raises(Unavailable):
            kill_occupant(tmp_path, "recorder-1")


def test_the_recorder_is_found_by_its_lease(recorder: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    database, clock = Database(f"sqlite:///{tmp_path / 'safecity.db'}"), SystemClock()
    upgrade(database)
    settings = Settings.model_validate({"platform": {"data_dir": tmp_path}})
    controls = StackControls(settings, database=database, clock=clock, run_dir=tmp_path)
    with database.begin() as connection:
        term = timedelta(seconds=15)
        claim(connection, ["camera:cam_10"], holder="recorder-9", now=clock.now(), term=term, limit=1)
    with pytest.raises(NotFound):
        controls.kill_recorder(CameraId("cam_1"))
    with database.begin() as connection:
        claim(connection, ["camera:cam_1"], holder="recorder-1", now=clock.now(), term=term, limit=1)
    assert controls.kill_recorder(CameraId("cam_1")) == "recorder-1"
    assert recorder.wait(5) == -9
    with pytest.raises(Unavailable):
        controls.cut_camera("QTA-001-01")
    database.close()

"""Processes come back, outlive their supervisor, and are adopted by the next."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from safecity.app.nursery import Nursery, Order
from safecity.app.slots import SlotLock, end_occupant, find_occupant, start_ticks_of
from safecity.app.supervisor import RoleSpec, Supervisor
from safecity.platform.errors import Conflict
from safecity.platform.settings import Settings

SLOTS = ("sleeper-1", "sleeper-2")


def wait_for(what: Callable[[], object], *, within_s: float = 15.0) -> None:
    deadline = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for slot in SLOTS:
        if (left := find_occupant(tmp_path / "run", slot)) is not None:
            end_occupant(left, wait_s=5)


def make(
    data_dir: Path, *, text: str = "info", slots: tuple[str, ...] = SLOTS, has_nursery: bool = False
) -> Supervisor:
    settings = Settings.model_validate({"platform": {"data_dir": data_dir, "log_level": text}})
    path = data_dir / "run" / "settings.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(settings.model_dump_json())
    specs = [RoleSpec(role="sleeper", slot=slot, has_nursery=has_nursery) for slot in slots]
    return Supervisor(specs, settings_file=path, data_dir=data_dir, role_package="tests.rooms.app.sleepers")


def pid_of(data_dir: Path, slot: str) -> int | None:
    found = find_occupant(data_dir / "run", slot)
    return found.pid if found else None


def watched(supervisor: Supervisor) -> threading.Thread:
    thread = threading.Thread(target=lambda: supervisor.watch(every_s=0.2, tick=lambda: None))
    thread.start()
    return thread


def test_a_killed_process_comes_back_and_the_others_go_on(data_dir: Path) -> None:
    supervisor = make(data_dir)
    assert supervisor.start() == []
    wait_for(lambda: all(pid_of(data_dir, slot) for slot in SLOTS))
    thread = watched(supervisor)
    killed, other = (pid_of(data_dir, slot) for slot in SLOTS)
    assert killed
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: pid_of(data_dir, SLOTS[0]) not in {None, killed})
    assert pid_of(data_dir, SLOTS[1]) == other
    supervisor.request_stop()
    thread.join(10)
    supervisor.stop()
    assert [pid_of(data_dir, slot) for slot in SLOTS] == [None, None]


def parent_of(pid: int) -> int:
    text = Path(f"/proc/{pid}/stat").read_text()
    return int(text[text.rindex(")") + 2 :].split()[1])


def nursery_pid() -> int | None:
    """The nursery among this process's children."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words, pid = path.read_bytes().split(b"\0"), int(path.parent.name)
            if b"safecity.app.nursery" in words and parent_of(pid) == os.getpid():
                return pid
        except (FileNotFoundError, ProcessLookupError):
            continue
    return None


def test_killed_processes_are_forked_with_their_code_loaded(data_dir: Path) -> None:
    supervisor = make(data_dir, has_nursery=True)
    supervisor.start()
    wait_for(lambda: all(pid_of(data_dir, slot) for slot in SLOTS))
    thread = watched(supervisor)
    wait_for(nursery_pid)
    time.sleep(3)  # it loads; a kill before that would be answered by a start of its own
    for slot in (SLOTS[0], SLOTS[1], SLOTS[0]):
        killed = pid_of(data_dir, slot)
        assert killed
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda slot=slot, killed=killed: pid_of(data_dir, slot) not in {None, killed})
        born = pid_of(data_dir, slot)
        assert born
        assert parent_of(born) == nursery_pid()
        assert os.getsid(born) == born, "a signal to the supervisor's session must not reach it"
    supervisor.request_stop()
    thread.join(10)
    supervisor.stop()
    assert [pid_of(data_dir, slot) for slot in SLOTS] == [None, None]
    assert nursery_pid() is None


def test_a_nursery_tells_how_its_children_ended(data_dir: Path) -> None:
    make(data_dir)
    nursery = Nursery("tests.rooms.app.sleepers.sleeper", output=data_dir / "nursery.log")
    wait_for(lambda: nursery.is_ready)
    settings = str(data_dir / "run" / "settings.json")
    alive = nursery.start(Order(slot=SLOTS[0], settings=settings, output=str(data_dir / "a.log")))
    failed = nursery.start(Order(slot=SLOTS[1], settings=f"{settings}.none", output=str(data_dir / "b.log")))
    assert alive is not None
    assert failed is not None
    wait_for(lambda: nursery.exit_code(failed) == 1)
    assert "settings.json.none" in (data_dir / "b.log").read_text(), "its complaints stand in its own log"
    wait_for(lambda: pid_of(data_dir, SLOTS[0]) == alive)
    os.kill(alive, signal.SIGKILL)
    wait_for(lambda: nursery.exit_code(alive) == -signal.SIGKILL)
    orphan = nursery.start(Order(slot=SLOTS[0], settings=settings, output=str(data_dir / "a.log")))
    wait_for(lambda: pid_of(data_dir, SLOTS[0]) == orphan)
    nursery.close()
    assert pid_of(data_dir, SLOTS[0]) == orphan, "recording does not depend on whoever started it"
    assert nursery.start(Order(slot=SLOTS[1], settings=settings, output=str(data_dir / "b.log"))) is None


def test_processes_outlive_their_supervisor_and_are_adopted(data_dir: Path) -> None:
    first = make(data_dir)
    first.start()
    wait_for(lambda: all(pid_of(data_dir, slot) for slot in SLOTS))
    pids = [pid_of(data_dir, slot) for slot in SLOTS]
    second = make(data_dir)  # the first is simply forgotten, as kill -9 would have it
    assert second.start() == list(SLOTS)
    assert [pid_of(data_dir, slot) for slot in SLOTS] == pids
    thread = watched(second)
    assert pids[0]
    os.kill(pids[0], signal.SIGKILL)
    os.waitpid(pids[0], 0)
    wait_for(lambda: pid_of(data_dir, SLOTS[0]) not in {None, pids[0]})
    second.request_stop()
    thread.join(10)
    second.stop()


def test_a_process_that_was_only_starting_is_adopted_later(data_dir: Path) -> None:
    first = make(data_dir)
    first.start()
    wait_for(lambda: all(pid_of(data_dir, slot) for slot in SLOTS))
    orphan = pid_of(data_dir, SLOTS[0])
    record = data_dir / "run" / f"{SLOTS[0]}.json"
    hidden = record.rename(record.with_suffix(".hidden"))  # as if it had not come so far as to write it
    second = make(data_dir)
    assert second.start() == [SLOTS[1]]
    rival = json.loads((data_dir / "run" / "processes.json").read_bytes())[SLOTS[0]]["pid"]
    hidden.rename(record)
    thread = watched(second)
    os.kill(rival, signal.SIGKILL)
    wait_for(lambda: json.loads((data_dir / "run" / "processes.json").read_bytes())[SLOTS[0]]["pid"] == orphan)
    second.request_stop()
    thread.join(10)
    second.stop()
    assert pid_of(data_dir, SLOTS[0]) is None


def test_processes_with_other_settings_are_ended_and_started_anew(data_dir: Path) -> None:
    first = make(data_dir)
    first.start()
    wait_for(lambda: all(pid_of(data_dir, slot) for slot in SLOTS))
    before = [pid_of(data_dir, slot) for slot in SLOTS]
    second = make(data_dir, text="debug")
    assert second.start() == []
    wait_for(lambda: all(pid_of(data_dir, slot) not in {None, *before} for slot in SLOTS))
    second.stop()


def test_a_process_that_the_new_settings_have_no_place_for_is_ended(data_dir: Path) -> None:
    make(data_dir).start()
    wait_for(lambda: all(pid_of(data_dir, slot) for slot in SLOTS))
    second = make(data_dir, slots=SLOTS[:1])  # fewer recorders than the supervisor before it had
    assert second.start() == [SLOTS[0]]
    assert pid_of(data_dir, SLOTS[1]) is None
    second.stop()


def test_a_slot_has_one_process(data_dir: Path) -> None:
    run_dir = data_dir / "run"
    first = SlotLock(run_dir, "only", role="test", fingerprint="")
    first.acquire(wait_s=0)
    with pytest.raises(Conflict, match="already runs"):
        SlotLock(run_dir, "only", role="test", fingerprint="").acquire(wait_s=0)
    first.release()
    second = SlotLock(run_dir, "only", role="test", fingerprint="")
    second.acquire(wait_s=0)
    assert pid_of(data_dir, "only") == os.getpid()
    second.release()
    assert pid_of(data_dir, "only") is None


def test_a_reused_pid_is_not_taken_for_the_old_process(data_dir: Path) -> None:
    lock = SlotLock(data_dir / "run", "only", role="test", fingerprint="")
    lock.acquire(wait_s=0)
    record = data_dir / "run" / "only.json"
    ticks = start_ticks_of(os.getpid())
    record.write_text(record.read_text().replace(f'"start_ticks": {ticks}', '"start_ticks": 1'))
    assert find_occupant(data_dir / "run", "only") is None
    lock.release()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"slot": 1}'])
def test_a_half_written_record_is_nobody(data_dir: Path, text: str) -> None:
    (data_dir / "run").mkdir(exist_ok=True)
    (data_dir / "run" / "only.json").write_text(text)
    assert find_occupant(data_dir / "run", "only") is None

"""The control port and the commands: who may ask, what is answered, and that they work with nothing else running."""

import json
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safecity.platform.errors import Conflict, Denied, Invalid, NotFound, Unavailable
from safecity.virtual.control_client import VirtualControl
from safecity.virtual.control_files import control_folder, get_control_file, remove_control_file, write_control_file
from safecity.virtual.mounts import MountName, MountPlan
from safecity.virtual.rtsp.digest import Credentials
from safecity.virtual.running import plan_mounts
from safecity.virtual.serving import ServePlan

from .conftest import PASSWORD, CityInThread, ClipRecipe, StartCity, open_stream

Make = Callable[[ClipRecipe], Path]


@pytest.fixture(scope="module")
def city(start_city: StartCity) -> CityInThread:
    return start_city(mounts=2)


def raw(city: CityInThread, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", city.running.control_port), timeout=5) as wire:
        wire.sendall(request)
        wire.shutdown(socket.SHUT_WR)
        answer = b""
        while data := wire.recv(65536):
            answer += data
        return answer


def test_without_the_token_nothing_is_told(city: CityInThread) -> None:
    for token in ("", "guess", city.running.control_token + "x"):
        with pytest.raises(Denied):
            VirtualControl(city.running.control_port, token).list_mounts()
    assert b"HTTP/1.1 401" in raw(city, b"GET /mounts HTTP/1.1\r\n\r\n")


def test_the_list_tells_everything_but_the_password(city: CityInThread) -> None:
    mounts = city.control.list_mounts()
    assert [mount.name for mount in mounts] == ["cam-001", "cam-002"]
    assert mounts[0].is_ready
    assert mounts[0].needs_password
    assert mounts[0].streams["sub"].width_px == 640
    assert PASSWORD not in "".join(mount.model_dump_json() for mount in mounts)


@pytest.mark.parametrize(
    ("line", "body", "status"),
    [
        ("GET /nowhere", b"", 404),
        ("PUT /faults", b"", 404),
        ("POST /faults", b"{", 422),
        ("POST /faults", b'{"camera":"cam-001","kind":"sabotage"}', 422),
        ("POST /faults", b'{"camera":"cam-009","kind":"stall"}', 404),
        ("POST /faults", b'{"camera":"cam-001","kind":"stall","for_s":-5}', 422),
        ("DELETE /faults?kind=sabotage", b"", 422),
        ("GET /sent?mount=cam-001&from=x", b"", 422),
        ("GET /sent?mount=cam-009", b"", 404),
        ("GET /sent?mount=cam-001", b"", 200),
    ],
)
def test_refusals_are_sentences(city: CityInThread, line: str, body: bytes, status: int) -> None:
    head = (
        f"{line} HTTP/1.1\r\nAuthorization: Bearer {city.running.control_token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    answer = raw(city, head.encode() + body)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    told = json.loads(answer.partition(b"\r\n\r\n")[2])
    if status != 200:
        assert set(told) == {"kind", "code", "detail"}
        assert told["detail"].endswith(".")


@given(st.binary(max_size=300))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_bring_the_control_port_down(city: CityInThread, data: bytes) -> None:
    raw(city, data)
    assert city.control.list_mounts()


def test_a_client_without_a_city_says_so() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unavailable):
        VirtualControl(port, "x").list_mounts()


# The token's file


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def test_the_token_is_for_this_user_only_and_goes_away(runtime: Path) -> None:
    path = write_control_file(4711, "token")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert get_control_file(None).token == "token"
    write_control_file(4712, "other")
    with pytest.raises(Conflict, match="4711"):
        get_control_file(None)
    remove_control_file(4712)
    assert get_control_file(None).port == 4711
    remove_control_file(4711)
    with pytest.raises(NotFound):
        get_control_file(None)


def test_a_file_left_by_a_dead_process_is_passed_over(runtime: Path) -> None:
    path = write_control_file(4711, "token")
    path.write_text(json.dumps({"port": 4711, "token": "t", "pid": 2**22 + 1}))
    with pytest.raises(NotFound):
        get_control_file(4711)


def test_a_folder_open_to_others_is_refused(runtime: Path) -> None:
    folder = control_folder()
    folder.chmod(0o755)
    with pytest.raises(Denied, match="open to others"):
        write_control_file(4711, "token")


# What can be planned


def test_cameras_are_named_and_start_apart(make_clip: Make) -> None:
    mounts = plan_mounts(3, [Path("a.mp4"), Path("b.mp4")], credentials=None)
    assert [mount.name for mount in mounts] == ["cam-001", "cam-002", "cam-003"]
    assert [mount.clip.name for mount in mounts] == ["a.mp4", "b.mp4", "a.mp4"]
    assert len({mount.phase_s for mount in mounts}) == 3
    with pytest.raises(Invalid):
        plan_mounts(1, [], credentials=None)


def test_a_city_that_cannot_be_played_says_why(start_city: StartCity, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no clip")
    with pytest.raises(Invalid, match=r"broken\.mp4"):
        start_city(broken)


def test_a_taken_port_says_so(city: CityInThread, clip_cache: Path, make_clip: Make) -> None:
    mounts = (MountPlan(name=MountName("cam"), clip=make_clip(ClipRecipe()), credentials=None),)
    with pytest.raises(Unavailable, match=str(city.running.rtsp_port)):
        CityInThread(ServePlan(mounts=mounts, cache=clip_cache, rtsp_port=city.running.rtsp_port))


# The commands, each in a process of its own

SCRIPT = """
from safecity.platform.logs import configure_logging
from safecity.virtual.commands import virtual_app
configure_logging(level="warning")
virtual_app()
"""
RUN = [sys.executable, "-c", SCRIPT]


def run(*arguments: str) -> str:
    done = subprocess.run([*RUN, *arguments], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


@pytest.fixture
def served(runtime: Path, clip_cache: Path, make_clip: Make) -> Iterator[dict[str, object]]:
    command = [*RUN, "serve", "--mounts", "2", "--clip", str(make_clip(ClipRecipe())), "--port", "0", "--json"]
    with subprocess.Popen([*command, "--cache", str(clip_cache)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield json.loads(process.stdout.readline())
            process.send_signal(signal.SIGINT)
            assert process.wait(15) == 0
        finally:
            process.kill()
    assert not list((runtime / "safecity").iterdir())


def test_serve_fault_list_and_clear_by_hand(served: dict[str, object]) -> None:
    assert served["user"]
    assert len(str(served["password"])) >= 12
    url = str(served["cameras"][0]["main"])  # type: ignore[index]
    signed = url.replace("rtsp://", f"rtsp://{served['user']}:{served['password']}@")
    with open_stream(signed) as container:
        assert next(container.demux(video=0)).is_keyframe
    assert run("fault", "cam-001", "stall", "--for", "60") == "stall for 60 s: cam-001\n"
    mounts = json.loads(run("list", "--json"))
    assert [fault["kind"] for fault in mounts[0]["faults"]] == ["stall"]
    assert "stall" in run("list")
    assert run("clear") == "cleared: cam-001, cam-002\n"
    assert json.loads(run("list", "--json"))[0]["faults"] == []
    assert run("fault", "all", "clock-jump", "--value", "-30:rtp").startswith("clock-jump until cleared")


def test_credentials_go_together() -> None:
    done = subprocess.run(
        [*RUN, "serve", "--clip", "x.mp4", "--user", "me"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "--user and --password together" in done.stderr


def test_credentials_do_not_show_themselves() -> None:
    assert "secret" not in repr(Credentials(user="me", password="secret"))

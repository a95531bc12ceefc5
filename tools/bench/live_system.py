"""A whole running system on virtual cameras, for the benches of looking: live, playback."""

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY))

from safecity.api.sessions import COOKIE  # noqa: E402
from safecity.oversight.model import Role  # noqa: E402
from safecity.oversight.service import Oversight  # noqa: E402
from safecity.platform.clock import SystemClock  # noqa: E402
from safecity.platform.database import Database  # noqa: E402
from safecity.platform.schema import upgrade  # noqa: E402
from safecity.platform.secrets import load_secret_box  # noqa: E402
from safecity.platform.settings import Settings, load_settings  # noqa: E402
from safecity.sites.service import Sites  # noqa: E402
from safecity.virtual.control_client import VirtualControl  # noqa: E402
from safecity.virtual.scenes import Condition, Layout, SceneRequest, draw_scenes  # noqa: E402
from tools.driving import free_port_pair, wait_until  # noqa: E402

SCENE_S = 20.0
READY_WITHIN_S = 300.0
CONSOLE = "a long enough phrase for a bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What system a bench wants."""

    cameras: int
    operators: int = 1
    is_numbered: bool = True  # a number is burned into each picture
    is_sub_alone: bool = False  # the small stream is all a camera has: many cameras on a small machine
    cache: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The running system; `cookies` are those of operators on duty, one a session."""

    url: str
    data_dir: Path
    cookies: Sequence[str] = field(repr=False)
    control: VirtualControl
    cameras: Sequence[str]
    mounts: Sequence[str]

    @property
    def gateway(self) -> str:
        """Address of the gateway."""
        host, port = self.url.rsplit(":", 1)
        return f"{host}:{int(port) + 1}"

    def cpu_s(self, slot: str) -> float:
        """CPU-seconds that the process of a slot has used."""
        pid = json.loads((self.data_dir / "run" / f"{slot}.json").read_bytes())["pid"]
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100


def say(text: str) -> None:
    """Progress, beside the one line of result."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def child(command: Sequence[str], *, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that is ended with ctrl-C."""
    with log.open("ab") as errors:
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, cwd=REPOSITORY)
    try:
        yield running
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGINT)
            try:
                running.wait(30)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


@contextmanager
def running_system(folder: Path, clip: Path, plan: Plan) -> Iterator[Bench]:
    """Virtual cameras in one process, the whole system in others; the cameras are read by our own loop."""
    folder.mkdir(exist_ok=True)
    safecity = str(Path(sys.executable).with_name("safecity"))
    serve = [safecity, "virtual", "serve", "--clip", str(clip), "--mounts", str(plan.cameras), "--json", "--port", "0"]
    serve += ["--cache", str(plan.cache or folder / "cache"), *(["--counter"] if plan.is_numbered else [])]
    with child(serve, log=folder / "virtual.log") as virtual:
        say("preparing the clip ...")
        assert virtual.stdout is not None
        line = virtual.stdout.readline()
        assert line, (folder / "virtual.log").read_text()
        report = json.loads(line)
        port = free_port_pair()
        config = folder / "safecity.toml"
        tables = (f'[platform]\ndata_dir = "{folder / "d"}"', f"[web]\nport = {port}", "[analytics]\nanalysers = 0")
        config.write_text("\n".join(tables) + '\n[video]\nrecorders = 1\nreader = "own"\nstart_spread_s = 0.0\n')
        cookies, ids = _prepare(load_settings(config), report, plan)
        with child([safecity, "run", "--config", str(config)], log=folder / "run.log"):
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: _is_live(url, plan.cameras), within_s=READY_WITHIN_S, reason="all cameras live")
            yield Bench(
                url=url,
                data_dir=folder / "d",
                cookies=cookies,
                control=VirtualControl.of_this_user(report["control_port"]),
                cameras=ids,
                mounts=[camera["name"] for camera in report["cameras"]],
            )


def _prepare(settings: Settings, report: dict[str, object], plan: Plan) -> tuple[list[str], list[str]]:
    """Schema, one site with all cameras, operators on duty; returns their cookies and the camera ids."""
    place = {"type": "Point", "coordinates": [67.0, 30.2]}
    served = report["cameras"]
    assert isinstance(served, list)
    properties: list[dict[str, object]] = [{"kind": "site", "code": "B", "name": "Bench", "name_ur": "Bench"}]
    for number, one in enumerate(served, start=1):
        code = f"B-{number:02d}"
        names = {"kind": "camera", "code": code, "site": "B", "name": f"B {number}", "name_ur": f"B {number}"}
        access = {"user": report["user"], "password": report["password"]}
        streams = {"main_url": one["sub"]} if plan.is_sub_alone else {"main_url": one["main"], "sub_url": one["sub"]}
        properties.append({**names, **streams, **access})
    features = [{"type": "Feature", "properties": one, "geometry": place} for one in properties]
    database = Database(settings.database_url())
    upgrade(database)
    clock = SystemClock()
    oversight = Oversight(database, settings.oversight, clock)
    box = load_secret_box(settings.platform.data_dir.absolute())
    sites = Sites(database, oversight=oversight, box=box, clock=clock)
    sites.import_city_document({"type": "FeatureCollection", "features": features})
    cookies: list[str] = []
    for number in range(plan.operators):
        oversight.create_user(f"op{number}", CONSOLE, role=Role.OPERATOR, display_name=f"Operator {number}")
        signed = oversight.sign_in(f"op{number}", CONSOLE, console=f"desk-{number}")
        oversight.start_shift(signed.session.actor)
        cookies.append(f"{COOKIE}={signed.token}")
    database.close()
    return cookies, [f"cam_b-{number:02d}" for number in range(1, len(served) + 1)]


def _is_live(url: str, cameras: int) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/api/health", timeout=5) as answer:
            return json.loads(answer.read())["cameras"]["live"] >= cameras
    except OSError:
        return False


def draw_clip(folder: Path) -> Path:
    """A drawn street, where no clip is given."""
    say("drawing a street ...")
    request = SceneRequest(seed=11, layout=Layout.AVENUE, condition=Condition.DAY, duration_s=SCENE_S, loop=True)
    return draw_scenes([request], folder, processes=2)[0].main

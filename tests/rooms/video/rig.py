"""A city in small for the recorder's tests: real virtual cameras, a registry that knows them, a recorder process."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from safecity.platform.database import Database
from safecity.platform.schema import upgrade
from safecity.platform.secrets import load_secret_box
from safecity.platform.settings import PlatformSettings, Settings, VideoSettings
from safecity.sites.model import CameraId, Credentials
from safecity.sites.sources import seal_credentials
from safecity.sites.tables import cameras, sites
from safecity.video import store
from safecity.video.model import Outage, Segment, Stream
from safecity.virtual.control_client import VirtualControl
from safecity.virtual.faults import FaultKind
from safecity.virtual.rtsp.digest import Credentials as RtspCredentials
from safecity.virtual.running import RunningCity, plan_mounts, serve
from safecity.virtual.serving import ServePlan

REPOSITORY = Path(__file__).parents[3]
USER, PASSWORD = "viewer", "s/ec:r@t"
BEGINNING, END = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def camera_id(number: int) -> CameraId:
    return CameraId(f"cam_v-{number:03d}")


class VirtualCameras:
    """Virtual cameras in a thread of this process: `cam-001` and so on."""

    def __init__(self, count: int, clips: Sequence[Path], *, cache: Path) -> None:
        credentials = RtspCredentials(user=USER, password=PASSWORD)
        self._plan = ServePlan(mounts=plan_mounts(count, clips, credentials=credentials), cache=cache)
        self.count = count
        self._ready = threading.Event()
        self._city: RunningCity | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "VirtualCameras":
        self._thread.start()
        assert self._ready.wait(120), "the virtual cameras did not come up"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(10)

    def _run(self) -> None:
        def ready(city: RunningCity) -> None:
            self._city = city
            self._ready.set()

        async def main() -> None:
            await serve(self._plan, on_ready=ready)

        self._task = self._loop.create_task(main())
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._task)

    @property
    def port(self) -> int:
        assert self._city is not None
        return self._city.rtsp_port

    def url(self, number: int, stream: str = "main") -> str:
        return f"rtsp://127.0.0.1:{self.port}/cam-{number:03d}/{stream}"

    def fault(self, number: int, kind: FaultKind, *, for_s: float | None = None, value: str | None = None) -> None:
        assert self._city is not None
        control = VirtualControl(self._city.control_port, self._city.control_token)
        control.set_fault(f"cam-{number:03d}", kind, for_s=for_s, value=value)

    def clear(self) -> None:
        assert self._city is not None
        VirtualControl(self._city.control_port, self._city.control_token).clear_faults()


class Installation:
    """A data folder with its database, registry and recorder processes."""

    def __init__(self, data_dir: Path, **video: object) -> None:
        video_settings = VideoSettings.model_validate({"segment_s": 4.0, "recorders": 1, "start_spread_s": 0.0} | video)
        self.settings = Settings(platform=PlatformSettings(data_dir=data_dir), video=video_settings)
        self.data_dir = data_dir
        self.media_dir = data_dir / "media"
        self.database = Database(self.settings.database_url())
        upgrade(self.database)
        self._children: list[subprocess.Popen[bytes]] = []

    def close(self) -> None:
        for child in self._children:
            if child.poll() is None:
                child.kill()
            child.wait()
        self.database.close()

    def register(self, virtual: VirtualCameras, *, password: str = PASSWORD) -> None:
        box = load_secret_box(self.data_dir)
        now = datetime.now(UTC)
        place = {"lon": 67.0, "lat": 30.2, "changed_at": now}
        with self.database.begin() as connection:
            connection.execute(
                sites.insert(), [{"id": "site_v", "code": "V", "name": "Virtual", "name_ur": "Virtual", **place}]
            )
            for number in range(1, virtual.count + 1):
                camera = camera_id(number)
                sealed = seal_credentials(Credentials(user=USER, password=password), camera=camera, box=box)
                row = {"id": camera, "code": camera[4:], "name": camera, "name_ur": camera, "site_id": "site_v"}
                urls = {"main_url": virtual.url(number), "sub_url": virtual.url(number, "sub"), "credentials": sealed}
                connection.execute(cameras.insert(), [row | urls | place])

    def start_recorder(self, slot: str = "recorder-1") -> "subprocess.Popen[bytes]":
        settings_file = self.data_dir / "settings.json"
        settings_file.write_text(self.settings.model_dump_json())
        command = [sys.executable, "-m", "safecity.app.roles.recorder", "--slot", slot]
        with (self.data_dir / f"{slot}.log").open("ab") as log:
            child = subprocess.Popen(
                [*command, "--settings", str(settings_file)], stdout=log, stderr=log, cwd=REPOSITORY
            )
        self._children.append(child)
        return child

    def log(self, slot: str = "recorder-1") -> str:
        return (self.data_dir / f"{slot}.log").read_text()

    def events(self, name: str) -> list[dict[str, object]]:
        lines = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == name]

    def segments(self, number: int = 1) -> list[Segment]:
        with self.database.read() as connection:
            return store.list_segments(connection, camera_id(number), Stream.MAIN, from_at=BEGINNING, to_at=END)

    def outages(self, number: int = 1) -> list[Outage]:
        with self.database.read() as connection:
            return store.list_outages(connection, camera_id(number), Stream.MAIN, from_at=BEGINNING, to_at=END)


def wait_until(condition: Callable[[], object], *, within_s: float, what: str) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {within_s} s"
        time.sleep(0.05)


def end(child: "subprocess.Popen[bytes]", number: int = signal.SIGTERM) -> int:
    os.kill(child.pid, number)
    return child.wait(15)

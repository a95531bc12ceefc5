"""The centre that is tried: `safecity run` on a data folder of its own, with the cameras of all places registered."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from safecity.app.mounts import MountSpec, VirtualSpec, write_spec
from safecity.app.slots import find_occupant
from safecity.platform.database import Database
from safecity.platform.leases import list_leases
from safecity.platform.schema import upgrade
from safecity.platform.secrets import load_secret_box
from safecity.sites.model import CameraId, Credentials
from safecity.sites.sources import seal_credentials
from safecity.sites.tables import cameras as cameras_table
from safecity.sites.tables import sites as sites_table
from tools.chaos.cameras import PASSWORD, RTSP_PORT, USER, Cameras
from tools.driving import free_port_pair

_SETTINGS = """
[platform]
data_dir = "{data}"
[web]
port = {port}
[video]
reader = "own"
recorders = {recorders}
cameras_per_recorder = {share}
segment_s = {segment_s}
reserve_gb = 0.02
[analytics]
analysers = {analysers}
[virtual]
enabled = true
rtsp_port = {virtual_port}
control_port = {virtual_control}
clock_file = "{clock}"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreOptions:
    """How big it is."""

    recorders: int
    analysers: int
    segment_s: float
    watched: int
    """Cameras whose sub stream is registered too, so that analysers have something to see."""


@dataclass(slots=True, kw_only=True)
class Centre:
    """Its cameras are named after their place: cam_1-001 is cam-001 of place 1."""

    data: Path
    options: CentreOptions
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def clock_file(self) -> Path:
        """Seconds by which every clock of the centre is wrong."""
        return self.data.parent / "clock"

    @property
    def media(self) -> Path:
        """Where it records."""
        return self.data / "media"

    def database(self) -> Database:
        """The centre's database, as anybody may look into it."""
        return Database(f"sqlite:///{self.data / 'safecity.db'}")

    def prepare(self, places: Sequence[Cameras], *, clip: Path) -> None:
        """Settings, registry and the one camera of the process `virtual`, which nobody records."""
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        count = sum(one.count for one in places)
        self.set_clock(0.0)
        self._settings_file.write_text(
            _SETTINGS.format(
                data=self.data, port=free_port_pair(), recorders=self.options.recorders, clock=self.clock_file,
                share=-(-count // self.options.recorders), segment_s=self.options.segment_s,
                analysers=self.options.analysers, virtual_port=free_port_pair() + 2,
                virtual_control=free_port_pair() + 3,
            )
        )  # fmt: skip
        mounts = (MountSpec(name="spare", clip=clip, phase_s=0.0),)
        write_spec(self.data / "run", VirtualSpec(mounts=mounts, user=USER, password=PASSWORD, token="drill"))
        database = self.database()
        upgrade(database)
        _register(database, places, data=self.data, watched=self.options.watched)
        database.close()

    @property
    def _settings_file(self) -> Path:
        return self.data.parent / "safecity.toml"

    @property
    def log(self) -> Path:
        """What the command printed."""
        return self.data.parent / "centre.out"

    def start(self) -> None:
        """Begin, or go on with what outlived a killed supervisor."""
        command = [str(Path(sys.executable).with_name("safecity")), "run", "--config", str(self._settings_file)]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )

    def set_clock(self, offset_s: float) -> None:
        """Make every clock of the centre wrong by so much."""
        fresh = self.clock_file.with_suffix(".new")
        fresh.write_text(f"{offset_s:.3f}")
        fresh.replace(self.clock_file)

    def slots(self) -> list[str]:
        """Every process that is to run."""
        named = [f"recorder-{n + 1}" for n in range(self.options.recorders)]
        named += [f"analyser-{n + 1}" for n in range(self.options.analysers)]
        return [*named, "gateway", "web", "keeper", "virtual", "field", "supervisor"]

    def pid_of(self, slot: str) -> int | None:
        """Who holds the slot."""
        found = find_occupant(self.data / "run", slot)
        return None if found is None else found.pid

    def signal(self, slot: str, number: signal.Signals) -> bool:
        """Send a signal; whether somebody was there."""
        pid = self.pid_of(slot)
        if pid is None:
            return False
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        if slot == "supervisor" and number == signal.SIGKILL:
            assert self.process is not None
            self.process.wait(10)
            self.start()
        return True

    def stop(self) -> int:
        """ctrl-C, and wait."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def destroy(self) -> None:
        """End everything, however it is."""
        if self.process is not None and self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for slot in self.slots():
            self.signal(slot, signal.SIGKILL)


def cameras_held_by(database: Database, slot: str) -> frozenset[CameraId]:
    """The cameras that a recorder holds now."""
    with database.read() as connection:
        leases = list_leases(connection, prefix="camera:")
    return frozenset(CameraId(name.removeprefix("camera:")) for name, holder, _ in leases if holder == slot)


def camera_id(place: Cameras, mount: str) -> CameraId:
    """How the centre calls a camera of a place."""
    return CameraId(f"cam_{place.place.number}-{mount.removeprefix('cam-')}")


def _register(database: Database, places: Iterable[Cameras], *, data: Path, watched: int) -> None:
    box = load_secret_box(data)
    spot = {"lon": 67.0, "lat": 30.2, "changed_at": datetime.now(UTC)}
    with database.begin() as connection:
        connection.execute(
            sites_table.insert(), [{"id": "site_drill", "code": "DRILL", "name": "D", "name_ur": "D"} | spot]
        )
        for place in places:
            base = f"rtsp://{place.place.address}:{RTSP_PORT}"
            for mount in place.names:
                camera = camera_id(place, mount)
                sealed = seal_credentials(Credentials(user=USER, password=PASSWORD), camera=camera, box=box)
                sub = f"{base}/{mount}/sub" if watched > 0 else None
                watched -= 1
                row = {
                    "id": camera, "code": camera[4:], "name": camera, "name_ur": camera, "site_id": "site_drill",
                    "main_url": f"{base}/{mount}/main", "sub_url": sub, "credentials": sealed,
                }  # fmt: skip
                connection.execute(cameras_table.insert(), [row | spot])

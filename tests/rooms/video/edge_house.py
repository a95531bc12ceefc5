"""A centre's services and an edge's database in one process, with a clock that obeys; and the intake really served."""

import os
import socket
import threading
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import uvicorn

from safecity.api.intake import IntakeParts, create_intake_app
from safecity.events import state_fact
from safecity.events.video import RecordingInterrupted
from safecity.oversight.service import Oversight
from safecity.platform.clock import VirtualClock
from safecity.platform.database import Database
from safecity.platform.ids import fact_id
from safecity.platform.schema import upgrade
from safecity.platform.secrets import load_secret_box
from safecity.platform.settings import OversightSettings, VideoSettings
from safecity.platform.settings_edge import IntakeSettings
from safecity.sites.model import CameraId, Credentials
from safecity.sites.sources import seal_credentials
from safecity.sites.tables import cameras, sites
from safecity.video.edge import outbox
from safecity.video.edge.arrivals import Arrivals
from safecity.video.edge.centre import Centre, Identity
from safecity.video.edge.intake import Intake
from safecity.video.edge.model import Edge
from safecity.video.edge.register import EdgeRegister, Policy
from safecity.video.edge.relay import Relay
from safecity.video.edge.signing import load_key, public_hex
from safecity.video.edge.wire import BackfillStatus, ExchangeRequest, LiveStatus, OutboxStatus
from safecity.video.volumes import Volumes
from tests.rooms.video.paper import START
from tests.rooms.video.recorded import CAMERA

MINE, OTHERS = CAMERA, CameraId("cam_b")


def add_sites(database: Database, data_dir: Path) -> None:
    """Site A with one camera, site B with another."""
    box = load_secret_box(data_dir)
    place = {"lon": 67.0, "lat": 30.2, "changed_at": START}
    with database.begin() as connection:
        for code in ("A", "B"):
            site = {"id": f"site_{code.lower()}", "code": code, "name": code, "name_ur": code}
            connection.execute(sites.insert(), [site | place])
            camera = MINE if code == "A" else OTHERS
            sealed = seal_credentials(Credentials(user="u", password="p/w"), camera=camera, box=box)
            row = {"id": camera, "code": camera[4:], "name": camera, "name_ur": camera, "site_id": site["id"]}
            urls = {"main_url": "rtsp://10.0.0.9/main", "sub_url": "rtsp://10.0.0.9/sub", "credentials": sealed}
            connection.execute(cameras.insert(), [row | urls | place])


class CentreHouse:
    """The centre."""

    def __init__(self, database: Database, data_dir: Path) -> None:
        self.clock = VirtualClock(START + timedelta(hours=2))
        self.database = database
        self.data_dir = data_dir
        data_dir.mkdir(exist_ok=True)
        add_sites(database, data_dir)
        self.volumes = Volumes.at(data_dir / "media")
        oversight = Oversight(database, OversightSettings(), self.clock)
        self.register = EdgeRegister(database, oversight, clock=self.clock, data_dir=data_dir)
        self.intake = Intake(database, IntakeSettings(), clock=self.clock, box=load_secret_box(data_dir))
        self.arrivals = Arrivals(database, VideoSettings(reserve_gb=0), volumes=self.volumes, clock=self.clock)

    def enrol(self, policy: Policy | None = None, *, site: str = "A", at: datetime = START) -> Edge:
        """An edge of a site that has been there since `at`."""
        now = self.clock.now()
        self.clock.step_wall((at - now).total_seconds())
        _, token = self.register.add(site, policy or Policy())
        found = self.register.enrol(token.secret, public_hex(load_key(self.data_dir / f"edge-{site}")))
        self.clock.step_wall((now - at).total_seconds())
        return found

    @contextmanager
    def serve(self) -> Generator[str]:
        """The intake on a free port; its address."""
        relay = Relay(self.data_dir, clock=self.clock)
        parts = IntakeParts(
            register=self.register, intake=self.intake, arrivals=self.arrivals, relay=relay, clock=self.clock
        )
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_intake_app(parts), log_level="warning"))
        thread = threading.Thread(target=lambda: server.run(sockets=[listener]), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)

    def caller(self, url: str, edge: Edge, *, site: str = "A") -> Centre:
        """An edge's client."""
        centre_key = public_hex(load_key(self.data_dir / "secrets" / "centre-edge-key"))
        identity = Identity(edge=edge.id, key=load_key(self.data_dir / f"edge-{site}"), centre_key=centre_key)
        return Centre(url, identity, clock=self.clock)


def make_edge_database(folder: Path, *, edge: str = "edg_1") -> Database:
    """An edge's database that has enrolled."""
    made = Database(f"sqlite:///{folder / f'edge-{os.urandom(4).hex()}.db'}")
    upgrade(made)
    with made.begin() as connection:
        outbox.put_link(connection, edge=edge, site="site_a", centre_key="00" * 32)
    return made


def state_many(database: Database, numbers: Iterable[int], *, camera: CameraId = MINE) -> None:
    """State facts on the edge."""
    with database.begin() as connection:
        for number in numbers:
            fact = RecordingInterrupted(camera=camera, stream="main", since=START, cause="link", detail=f"n{number}")
            name = fact_id(fact.type, camera, number)
            state_fact(connection, fact, id=name, source="recorder-1", time=START, subject=camera)


def exchange(number: int = 0) -> ExchangeRequest:
    return ExchangeRequest(
        sent_us=number, offset_us=None, error_us=None, registry=None, outbox=OutboxStatus(epoch="e", depth=3),
        backfill=BackfillStatus(), live=LiveStatus(),
    )  # fmt: skip

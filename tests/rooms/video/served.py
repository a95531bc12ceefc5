"""A gateway that is really served, over one camera's recordings."""

import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import uvicorn
import websockets
from fastapi import FastAPI

from safecity.api.media import GatewayParts, create_gateway_app
from safecity.api.sessions import COOKIE
from safecity.platform.secrets import load_secret_box
from safecity.platform.settings import Settings
from safecity.sites.service import Sites
from safecity.video.gateway import Gateway
from tests.rooms.video.house import House
from tests.rooms.video.recorded import CAMERA

PAGE = "http://127.0.0.1:8000"


def register_camera(house: House) -> None:
    """One camera at one site."""
    place = {"type": "Point", "coordinates": [67.0, 30.0]}
    site = {"kind": "site", "code": "T", "name": "T", "name_ur": "ٹی"}
    camera = {"kind": "camera", "code": "T-1", "site": "T", "name": "T 1", "name_ur": "ٹی ۱"}
    streams = {"main_url": "rtsp://127.0.0.1:9/main", "sub_url": "rtsp://127.0.0.1:9/sub"}
    features = [
        {"type": "Feature", "properties": properties, "geometry": place} for properties in (site, {**camera, **streams})
    ]
    box = load_secret_box(house.data_dir)
    sites = Sites(house.database, oversight=house.oversight, box=box, clock=house.clock)
    sites.import_city_document({"type": "FeatureCollection", "features": features})


class Running:
    """A gateway that is really served, with people signed in."""

    def __init__(self, house: House, base: str, *, gateway: Gateway, app: FastAPI, run_dir: Path) -> None:
        self.app = app
        self.house = house
        self.base = base
        self.gateway = gateway
        self.run_dir = run_dir

    def http(self, name: str | None) -> httpx2.Client:
        cookies = {COOKIE: self.house.tokens[name]} if name else {}
        return httpx2.Client(base_url=self.base, cookies=cookies, headers={"Origin": PAGE}, timeout=10)

    def live(self, name: str | None, *, camera: str = CAMERA, query: str = "stream=sub", origin: str = PAGE):
        headers = {"Cookie": f"{COOKIE}={self.house.tokens[name]}"} if name else {}
        address = f"{self.base.replace('http', 'ws')}/media/live/{camera}?{query}"
        return websockets.connect(address, origin=origin, additional_headers=headers, compression=None)


@contextmanager
def serve(house: House) -> Iterator[Running]:
    """The gateway of a house, on a free port."""
    register_camera(house)
    run_dir = Path(tempfile.mkdtemp(prefix="sc-"))
    settings = Settings.model_validate(
        {"platform": {"data_dir": house.data_dir}, "video": {"viewers": 3, "reserve_gb": 0}}
    )
    gateway = Gateway(
        house.database,
        oversight=house.oversight,
        clock=house.clock,
        data_dir=house.data_dir,
        settings=settings.video,
    )
    app = create_gateway_app(
        GatewayParts(settings=settings, oversight=house.oversight, gateway=gateway, clock=house.clock, run_dir=run_dir)
    )
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws_per_message_deflate=False))
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield Running(house, f"http://127.0.0.1:{port}", gateway=gateway, app=app, run_dir=run_dir)
    server.should_exit = True
    thread.join(10)
    shutil.rmtree(run_dir, ignore_errors=True)

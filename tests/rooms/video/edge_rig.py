"""A centre and an edge in small: their real processes, real virtual cameras, a wire between them that can be cut."""

import asyncio
import contextlib
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Literal

from safecity.oversight.service import Oversight
from safecity.platform.clock import SystemClock
from safecity.platform.settings import Settings
from safecity.video.edge import outbox
from safecity.video.edge.centre import enrol
from safecity.video.edge.link import EDGE_KEY
from safecity.video.edge.model import Backfill, Streams
from safecity.video.edge.register import EdgeRegister, Policy
from safecity.video.edge.signing import load_key, public_hex
from safecity.video.edge.wire import EnrolRequest
from tests.rooms.video.rig import REPOSITORY, Installation, VirtualCameras, wait_until

Role = Literal["intake", "recorder", "edge", "keeper", "gateway"]
CHUNK_BYTES = 32 * 1024


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Wire:
    """A TCP link: forwards to a port, and can be cut (nothing passes, nobody is told) and mended."""

    def __init__(self, target: int, *, rate_bytes_s: float | None = None) -> None:
        self.port = 0
        self.rate_bytes_s = rate_bytes_s
        self._target = target
        self._is_cut = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._busy_until = 0.0

    def __enter__(self) -> "Wire":
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def cut(self) -> None:
        self._is_cut = True

    def mend(self) -> None:
        """Let it pass again; what was connected before is dropped, as after a long outage."""
        self._is_cut = False
        self._loop.call_soon_threadsafe(self._drop)

    def _drop(self) -> None:
        for writer in list(self._writers):
            writer.close()

    def _run(self) -> None:
        async def begin() -> None:
            server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            self._ready.set()

        self._loop.run_until_complete(begin())
        self._loop.run_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while self._is_cut:
                await asyncio.sleep(0.05)
            back, forth = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(forth)
            with contextlib.suppress(OSError):
                await asyncio.gather(self._pass(reader, forth, limited=True), self._pass(back, writer))
            self._writers.discard(forth)
            forth.close()
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, limited: bool = False) -> None:
        while data := await reader.read(CHUNK_BYTES):
            while self._is_cut:
                await asyncio.sleep(0.05)
            if limited and self.rate_bytes_s:
                now = self._loop.time()
                self._busy_until = max(now, self._busy_until) + len(data) / self.rate_bytes_s
                await asyncio.sleep(self._busy_until - now)
            writer.write(data)
            await writer.drain()
        writer.close()


class Machine(Installation):
    """A data folder with any of the roles running on it."""

    def __init__(self, data_dir: Path, parts: dict[str, object], **video: object) -> None:
        super().__init__(data_dir, **video)
        self.settings = Settings.model_validate({**self.settings.model_dump(), **parts})
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, role: Role, slot: str | None = None) -> "subprocess.Popen[bytes]":
        slot = slot or role
        (self.data_dir / "run").mkdir(exist_ok=True)
        file = self.data_dir / f"{slot}.json"
        file.write_text(self.settings.model_dump_json())
        command = [sys.executable, "-m", f"safecity.app.roles.{role}", "--slot", slot, "--settings", str(file)]
        with (self.data_dir / f"{slot}.log").open("ab") as log:
            child = subprocess.Popen(command, stdout=log, stderr=log, cwd=REPOSITORY)
        self._children.append(child)
        self.running[slot] = child
        return child

    def kill(self, slot: str) -> None:
        self.running[slot].kill()
        self.running[slot].wait()


class Pair:
    """A centre with its intake, and an edge of its one site behind a wire."""

    def __init__(
        self,
        folder: Path,
        virtual: VirtualCameras,
        *,
        streams: Streams = "main+sub",
        backfill: Backfill = "missing",
        edge_settings: dict[str, object] | None = None,
    ) -> None:
        self.port = free_port()
        self.centre = Machine(folder / "c", {"intake": {"enabled": True, "port": self.port}}, reserve_gb=0.0)
        self.centre.register(virtual)
        self.wire = Wire(self.port).__enter__()
        url = f"http://127.0.0.1:{self.wire.port}"
        edge = {"centre": url, "exchange_s": 0.5, **(edge_settings or {})}
        self.edge = Machine(folder / "e", {"edge": edge}, reserve_gb=0.0)
        oversight = Oversight(self.centre.database, self.centre.settings.oversight, SystemClock())
        self.register = EdgeRegister(
            self.centre.database, oversight, clock=SystemClock(), data_dir=self.centre.data_dir
        )
        self.id, token = self.register.add("V", Policy(streams=streams, backfill=backfill))
        self.token = token
        self.url = url
        self.start_intake()
        key = load_key(self.edge.data_dir / "secrets" / EDGE_KEY)
        request = EnrolRequest(token=token.secret, public_key=public_hex(key))
        answer = enrol(url, request, centre_key=token.centre_key, ca_file=None)
        with self.edge.database.begin() as connection:
            outbox.put_link(connection, edge=answer.edge, site=answer.site, centre_key=token.centre_key)

    def start_intake(self) -> None:
        self.centre.start("intake")

        def answers() -> bool:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return True
            return False

        wait_until(answers, within_s=20, what="the intake listens")

    def start_all(self) -> None:
        self.edge.start("edge")
        self.edge.start("recorder", "recorder-1")
        self.centre.start("recorder", "recorder-1")

    def close(self) -> None:
        self.edge.close()
        self.centre.close()
        self.wire.__exit__()

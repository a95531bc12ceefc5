"""Run the demo as its user would and drive its page in Debian's Chromium: for tests, pictures and benches."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

Language = Literal["en", "ur"]
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
LIVE_WITHIN_S = 150.0


def find_chromium() -> str | None:
    """Debian's Chromium; it plays H.264, which the builds that browser drivers download do not."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def free_port_pair() -> int:
    """A port that is free together with the next one (page and gateway)."""
    for port in range(20_000 + os.getpid() % 10_000, 60_000, 7):
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise RuntimeError("no two free ports side by side")


def wait_until(what: Callable[[], object], *, within_s: float, reason: str) -> None:
    """Wait for something to become true; an AssertionError names what did not."""
    deadline = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < deadline, f"not within {within_s} s: {reason}"
        time.sleep(0.1)


@dataclass(slots=True, kw_only=True)
class Demo:
    """A running `safecity demo`."""

    data: Path
    port: int
    cameras: int = 16
    clips: Path | None = None
    process: "subprocess.Popen[bytes] | None" = None
    options: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What the command printed."""
        return self.data.parent / f"{self.data.name}.out"

    def start(self) -> None:
        """Start the command in a session of its own; it writes into `log`."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        command = [str(Path(sys.executable).with_name("safecity")), "demo", "--data", str(self.data)]
        command += ["--port", str(self.port), "--cameras", str(self.cameras)]
        command += ["--credentials", str(self.data.parent / "credentials.json")]
        command += ["--clips", str(self.clips)] if self.clips else []
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*command, *self.options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def health(self) -> dict[str, object]:
        """`/api/health`, empty while nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.url}/api/health", timeout=5) as answer:
                return json.loads(answer.read())
        except OSError:
            return {}

    def wait_live(self, *, within_s: float = LIVE_WITHIN_S) -> None:
        """Wait until every camera is live."""
        began_s = time.monotonic()
        while self.health().get("status") != "ok":
            assert self.process is None or self.process.poll() is None, f"the demo ended:\n{self.log.read_text()}"
            assert time.monotonic() - began_s < within_s, f"not live: {self.health()}\n{self.log.read_text()}"
            time.sleep(0.25)

    def password(self, user: str) -> str:
        """The fresh password of a demo user, which comes a second after the processes."""
        path = self.data.parent / "credentials.json"
        wait_until(path.exists, within_s=20, reason="the demo's users")
        users = json.loads(path.read_bytes())["users"]
        return next(item["password"] for item in users if item["user"] == user)

    def slots(self) -> dict[str, int]:
        """Pid of every process, by slot."""
        found = {}
        for path in (self.data / "run").glob("*.json"):
            try:
                record = json.loads(path.read_bytes())
            except ValueError:
                continue
            if isinstance(record, dict) and "start_ticks" in record:
                found[record["slot"]] = record["pid"]
        return found

    def stop(self) -> int:
        """ctrl-C, and wait; returns the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(40)

    def destroy(self) -> None:
        """End everything, however it is."""
        if self.process is not None and self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.process.kill()
        for pid in self.slots().values():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium that talks to this machine only."""
    path = find_chromium()
    if path is None:
        raise FileNotFoundError("no Chromium; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGUMENTS))
        yield launched
        launched.close()


def open_page(chromium: Browser, *, language: Language, width_px: int = 1920, height_px: int = 1080) -> Page:
    """A fresh browser profile with the console's language chosen."""
    context = chromium.new_context(
        viewport={"width": width_px, "height": height_px},
        locale="ur-PK" if language == "ur" else "en-GB",
        timezone_id="Asia/Karachi",
        accept_downloads=True,
    )
    context.set_default_timeout(60_000)
    return context.new_page()

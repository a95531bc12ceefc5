"""The cameras of one place: a process of virtual cameras inside the place's namespace, killed and started again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from safecity.platform.errors import Problem
from safecity.virtual.control_client import VirtualControl
from safecity.virtual.faults import FaultKind
from tools.chaos.places import Place

USER, PASSWORD = "recorder", "chaos-of-the-drill"
RTSP_PORT = 8554
READY_WITHIN_S = 240.0


@dataclass(slots=True, kw_only=True)
class Cameras:
    """`count` cameras named cam-001 and so on; what they send is in `folder`."""

    place: Place
    folder: Path
    cache: Path
    clips: Sequence[Path]
    count: int
    bitrate_bps: int
    process: "subprocess.Popen[bytes] | None" = None
    _starts: int = 0
    _is_killing: bool = False
    _environment: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Mounts."""
        return [f"cam-{number + 1:03d}" for number in range(self.count)]

    @property
    def _control_port(self) -> int:
        return 18_000 + self.place.number

    def start(self) -> None:
        """Begin to serve; `wait_ready` waits for it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._starts += 1
        self._is_killing = False
        command = ["nsenter", f"--net=/run/netns/{self.place.name}", str(Path(sys.executable).with_name("safecity"))]
        command += ["virtual", "serve", "--host", "0.0.0.0", "--port", str(RTSP_PORT), "--mounts", str(self.count)]
        command += ["--control", str(self._control_port), "--user", USER, "--password", PASSWORD, "--json"]
        command += ["--cache", str(self.cache), "--bitrate-bps", str(self.bitrate_bps), "--counter"]
        command += ["--sent-log", str(self.folder)]
        for clip in self.clips:
            command += ["--clip", str(clip)]
        environment = os.environ | {"XDG_RUNTIME_DIR": str(self.folder)}
        with self._output.open("wb") as output, (self.folder / "errors").open("ab") as errors:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=environment, start_new_session=True
            )

    @property
    def _output(self) -> Path:
        return self.folder / f"served-{self._starts}.json"

    def wait_ready(self) -> None:
        """Until every camera can be played, or somebody has killed and started them again meanwhile."""
        deadline_s = time.monotonic() + READY_WITHIN_S
        start = self._starts
        while self._starts == start and not self._output.read_bytes().endswith(b"\n"):
            assert self.process is not None
            if self._is_killing:
                time.sleep(0.05)
                continue
            assert self.process.poll() is None, (self.folder / "errors").read_text()[-2000:]
            assert time.monotonic() < deadline_s, "the cameras do not start"
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL; the caller starts them again."""
        assert self.process is not None
        self._is_killing = True
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def fault(self, camera: str, kind: FaultKind, *, for_s: float, value: str | None) -> bool:
        """Whether the fault holds."""
        path = self.folder / "safecity" / f"virtual-{self._control_port}.json"
        try:
            token = json.loads(path.read_bytes())["token"]
            control = VirtualControl(self._control_port, token)
            self.place.inside(lambda: control.set_fault(camera, kind, for_s=for_s, value=value))
        except (Problem, OSError, ValueError):
            return False
        return True

    def stop(self) -> None:
        """End them."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

"""A place with cameras: a network namespace of its own, joined to ours by a pair of virtual links that can be cut."""

import ctypes
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_CLONE_NEWNET = 0x40000000


def why_not() -> str | None:
    """What keeps this machine from having namespaces and disks of its own; None where nothing does."""
    if os.geteuid() != 0:
        return "network namespaces and mounts need root"
    for tool in ("ip", "nsenter", "losetup", "mkfs.ext4", "e2fsck", "mount", "chattr"):
        if shutil.which(tool) is None:
            return f"no {tool}; on Debian: apt-get install iproute2 e2fsprogs mount"
    if not Path("/dev/loop-control").exists():
        return "no loop devices"
    probe = subprocess.run(["ip", "netns", "list"], capture_output=True, check=False)
    return None if probe.returncode == 0 else "network namespaces are not available"


def call(*command: object) -> None:
    """Run a command; its own words where it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip() or done.returncode}")


@dataclass(slots=True, kw_only=True)
class Place:
    """`address` is where its cameras are reached."""

    name: str
    number: int

    @property
    def address(self) -> str:
        """The far end of the link."""
        return f"10.213.{self.number}.2"

    @property
    def _near(self) -> str:
        return f"scn{self.number}"

    @property
    def _far(self) -> str:
        return f"scf{self.number}"

    def make(self) -> None:
        """The namespace and the link, both up."""
        call("ip", "netns", "add", self.name)
        call("ip", "link", "add", self._near, "type", "veth", "peer", "name", self._far, "netns", self.name)
        call("ip", "addr", "add", f"10.213.{self.number}.1/30", "dev", self._near)
        call("ip", "-n", self.name, "addr", "add", f"{self.address}/30", "dev", self._far)
        for command in (
            ("ip", "link", "set", self._near, "up"),
            ("ip", "-n", self.name, "link", "set", self._far, "up"),
            ("ip", "-n", self.name, "link", "set", "lo", "up"),
        ):
            call(*command)

    def cut(self) -> None:
        """The far end goes down: packets vanish, as on a line that somebody dug up."""
        call("ip", "-n", self.name, "link", "set", self._far, "down")

    def mend(self) -> None:
        """The far end comes back."""
        call("ip", "-n", self.name, "link", "set", self._far, "up")

    def destroy(self) -> None:
        """Forget both; harmless where they are gone."""
        subprocess.run(["ip", "link", "del", self._near], capture_output=True, check=False)
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True, check=False)

    def inside(self, work: Callable[[], object]) -> object:
        """Do something whose sockets are opened in the namespace; raises what it raises."""
        outcome: list[object] = []
        errors: list[Exception] = []

        def enter() -> None:
            libc = ctypes.CDLL(None, use_errno=True)
            with Path(f"/run/netns/{self.name}").open("rb") as file:
                if libc.setns(file.fileno(), _CLONE_NEWNET) != 0:
                    errors.append(OSError(ctypes.get_errno(), "setns"))
                    return
            try:
                outcome.append(work())
            except Exception as error:  # noqa: BLE001 - handed to whoever asked, in its thread
                errors.append(error)

        # The namespace is the thread's; it ends with it.
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return outcome[0]

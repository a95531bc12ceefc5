"""Networks of our own for tests: Linux namespaces as machines, joined by a bridge; nothing leaves this computer."""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=20)


def why_not() -> str | None:
    """Why there can be no such network here; None where there can."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return "network namespaces need root and iproute2"
    probe = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)
    return None if probe.returncode == 0 else "this machine allows no network namespaces"


@contextmanager
def inside(name: str) -> Generator[None]:
    """This thread, and what it starts, in a namespace."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        _enter(there)
        try:
            yield
        finally:
            _enter(home)
    finally:
        os.close(home)
        os.close(there)


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Machines:
    """A hub and some sites, each a namespace, on one bridge: the hub 192.0.2.1, the sites from 192.0.2.11 on."""

    def __init__(self, *sites: str) -> None:
        tag = f"sc{os.getpid() % 100000}"
        self.hub = f"{tag}-hub"
        self.sites = {site: f"{tag}-{site}" for site in sites}

    def build(self) -> None:
        run("ip", "netns", "add", self.hub)
        hub = ("ip", "-n", self.hub)
        run(*hub, "link", "add", "br0", "type", "bridge")
        run(*hub, "address", "add", "192.0.2.1/24", "dev", "br0")
        for name in ("lo", "br0"):
            run(*hub, "link", "set", name, "up")
        for at, name in enumerate(self.sites.values()):
            run("ip", "netns", "add", name)
            run(*hub, "link", "add", f"to{at}", "type", "veth", "peer", "name", "eth0", "netns", name)
            run(*hub, "link", "set", f"to{at}", "master", "br0", "up")
            site = ("ip", "-n", name)
            run(*site, "address", "add", f"192.0.2.{11 + at}/24", "dev", "eth0")
            for link in ("lo", "eth0"):
                run(*site, "link", "set", link, "up")

    def cut(self, site: str, *, is_cut: bool) -> None:
        """Pull a site's cable, or put it back."""
        at = list(self.sites).index(site)
        run("ip", "-n", self.hub, "link", "set", f"to{at}", "down" if is_cut else "up")

    def destroy(self) -> None:
        """wireguard-go ends with its interface, which ends with its namespace once nobody holds it."""
        for name in (self.hub, *self.sites.values()):
            if Path("/run/netns", name).exists():
                listed = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False)
                for pid in listed.stdout.split():
                    subprocess.run(["kill", "-9", pid], check=False)
                run("ip", "netns", "delete", name)

"""A real S3 server with Object Lock for the tests: Debian's Ceph, one monitor, one memory store, one RADOS gateway.

Everything lies in one folder and listens on loopback alone; nothing of it is left when the run ends.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph", "ceph-authtool", "monmaptool")
STARTS_WITHIN_S = 60.0
ACCESS_KEY = "safecity-test"
SECRET_KEY = "safecity-test-secret"

CONF = """[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{ports[0]},v1:127.0.0.1:{ports[1]}]
public addr = 127.0.0.1
ms bind ipv6 = false
ms bind port min = {ports[2]}
ms bind port max = {osd_last}
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = {folder}/keyring
run dir = {folder}
admin socket = {folder}/$name.asok
log file = {folder}/$name.log
pid file =
log to syslog = false
crash dir = {folder}
osd objectstore = memstore
memstore device bytes = 1073741824
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd data = {folder}/osd
osd class load list = *
osd class default list = *
mon allow pool size one = true
mon data = {folder}/mon
mon data avail warn = 1
mon data avail crit = 1
mon osd min up ratio = 0
mon max pg per osd = 1000
rgw thread pool size = 16
rgw gc obj min wait = 5
rgw enable usage log = false
rgw enable ops log = false
rgw run sync thread = false
rgw dns name = 127.0.0.1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class S3:
    """Where it answers, and as whom."""

    url: str
    access_key: str
    secret_key: str


def missing_programs() -> list[str]:
    """What of Ceph is not here."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _run(folder: Path, *command: str, text: str | None = None) -> str:
    environment = {**os.environ, "CEPH_CONF": str(folder / "ceph.conf")}
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, input=text, env=environment, timeout=STARTS_WITHIN_S
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def _spawn(folder: Path, *command: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "CEPH_CONF": str(folder / "ceph.conf")}
    with (folder / f"{command[0]}.out").open("wb") as out:
        return subprocess.Popen(command, stdout=out, stderr=out, env=environment, cwd=folder)


def _wait_for_port(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    end_s = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < end_s:
        if process.poll() is not None:
            raise RuntimeError(f"it ended with {process.returncode}: {(folder / 'radosgw.out').read_text()[-2000:]}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the gateway did not answer in time")


def _make_monitor(folder: Path, fsid: str, ports: list[int]) -> None:
    keyring = str(folder / "keyring")
    _run(folder, "ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
    admin = [word for area in ("mon", "osd", "mgr", "mds") for word in ("--cap", area, "allow *")]
    _run(folder, "ceph-authtool", keyring, "--gen-key", "-n", "client.admin", *admin)
    address = f"[v2:127.0.0.1:{ports[0]},v1:127.0.0.1:{ports[1]}]"
    _run(folder, "monmaptool", "--create", "--fsid", fsid, "--addv", "a", address, str(folder / "monmap"))
    _run(folder, "ceph-mon", "--mkfs", "-i", "a", "--monmap", str(folder / "monmap"), "--keyring", keyring)


def _make_store(folder: Path) -> None:
    number = str(uuid.uuid4())
    key = _run(folder, "ceph-authtool", "--gen-print-key").strip()
    _run(folder, "ceph", "osd", "new", number, "0", "-i", "-", text=json.dumps({"cephx_secret": key}))
    (folder / "osd").mkdir()
    _run(folder, "ceph-authtool", "--create-keyring", str(folder / "osd" / "keyring"), "-n", "osd.0", "--add-key", key)
    _run(folder, "ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", number, "--keyring", str(folder / "osd" / "keyring"))


@contextmanager
def serve_s3(folder: Path) -> Iterator[S3]:
    """Start it all, and stop it all at the end."""
    ports = _free_ports(4)
    fsid = str(uuid.uuid4())
    conf = CONF.format(fsid=fsid, ports=ports, osd_last=ports[2] + 40, folder=folder)
    (folder / "ceph.conf").write_text(conf)
    started: list[subprocess.Popen[bytes]] = []
    try:
        _make_monitor(folder, fsid, ports)
        started.append(_spawn(folder, "ceph-mon", "-f", "-i", "a"))
        _make_store(folder)
        store = ("ceph-osd", "-f", "-i", "0", "--keyring", str(folder / "osd" / "keyring"))
        started.append(_spawn(folder, *store))
        gateway = ("radosgw", "-f", "-n", "client.admin", "--rgw-frontends", f"beast endpoint=127.0.0.1:{ports[3]}")
        started.append(_spawn(folder, *gateway))
        _wait_for_port(ports[3], started[-1], folder)
        user = ("--uid=safecity", "--display-name=safecity", f"--access-key={ACCESS_KEY}", f"--secret-key={SECRET_KEY}")
        _run(folder, "radosgw-admin", "user", "create", *user)
        yield S3(url=f"http://127.0.0.1:{ports[3]}", access_key=ACCESS_KEY, secret_key=SECRET_KEY)
    finally:
        for process in reversed(started):
            process.send_signal(signal.SIGKILL)
            process.wait()

"""Install what the tests need beside Python, where we may; say what to install where we may not.

Chromium, PostgreSQL, Ceph, Mosquitto and WireGuard come from Debian's packages: the tests use the real ones.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NEEDS = {
    "chromium": "chromium",
    "ffmpeg": "ffmpeg",
    "initdb": "postgresql",
    "motion": "motion",
    "ceph-mon": "ceph-mon",
    "ceph-mgr": "ceph-mgr",
    "ceph-osd": "ceph-osd",
    "radosgw": "radosgw",
    "mosquitto": "mosquitto",
    "mosquitto_pub": "mosquitto-clients",
    "wg": "wireguard-tools",
    "wireguard-go": "wireguard-go",
    "ip": "iproute2",
    "nft": "nftables",
}


def missing() -> list[str]:
    """Debian packages whose programs are not here."""
    return [package for program, package in NEEDS.items() if not is_here(program)]


def is_here(program: str) -> bool:
    """Whether a program is on the PATH or, as Debian does with PostgreSQL's, beside it."""
    return bool(shutil.which(program)) or any(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))


def main() -> int:
    """0 when all is there, or when only a few tests will be skipped for it."""
    packages = missing()
    if not packages:
        return 0
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing from Debian: {' '.join(packages)} ...", flush=True)
        quiet = {
            "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            "stdout": subprocess.DEVNULL,
            "check": True,
        }
        subprocess.run(["apt-get", "update"], **quiet)
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", *packages], **quiet)
        return 0
    print(f"For all tests install: {' '.join(packages)} (on Debian as root: apt-get install {' '.join(packages)}).")
    print("Without them the tests that need them are skipped with a reason; under CI=true they fail.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

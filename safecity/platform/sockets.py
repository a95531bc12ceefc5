"""Where local sockets live: in the run directory, or under a short name where that path is too long for a socket."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from safecity.platform.errors import Denied

LONGEST_PATH_BYTES = 100  # sockaddr_un holds 107, and libraries add a little
LONGEST_NAME_BYTES = 40


def socket_dir(run_dir: Path) -> Path:
    """The folder for the sockets of a system, mode 0700; the same for every process of that run directory.

    Raises Denied where somebody else owns the short folder or may look into it: anyone can make names in /tmp.
    """
    if len(os.fsencode(run_dir)) + LONGEST_NAME_BYTES <= LONGEST_PATH_BYTES:
        return run_dir
    owner = Path(tempfile.gettempdir()) / f"safecity-{os.getuid()}"
    folder = owner / hashlib.sha256(os.fsencode(run_dir.absolute())).hexdigest()[:16]
    for one in (owner, folder):
        one.mkdir(mode=0o700, exist_ok=True)
        found = one.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise Denied(f"{one} is open to others; remove it, or take a shorter data folder", code="platform.open_dir")
    return folder

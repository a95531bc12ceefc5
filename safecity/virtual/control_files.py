"""Where a running virtual city leaves its control token for this user's commands, and for nobody else's."""

import os
import stat
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from safecity.platform.errors import Conflict, Denied, NotFound
from safecity.platform.files import write_whole


class ControlFile(BaseModel):
    """What the file says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: int
    token: str
    pid: int


def control_folder() -> Path:
    """$XDG_RUNTIME_DIR/safecity, or /tmp/safecity-<uid>; made with mode 0700.

    Raises Denied where somebody else owns it or may look in: under /tmp anyone can have put it there first.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(runtime) / "safecity" if runtime else Path("/tmp") / f"safecity-{os.getuid()}"  # noqa: S108
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise Denied(f"{folder} is open to others; remove it or set its mode to 0700.", code="virtual.control_folder")
    return folder


def write_control_file(port: int, token: str) -> Path:
    """Leave the token for this user's commands, mode 0600."""
    path = control_folder() / f"virtual-{port}.json"
    path.unlink(missing_ok=True)
    write_whole(path, ControlFile(port=port, token=token, pid=os.getpid()).model_dump_json().encode(), mode=0o600)
    return path


def remove_control_file(port: int) -> None:
    """Take the token away again, if it is this process's."""
    path = control_folder() / f"virtual-{port}.json"
    found = _read(path)
    if found and found.pid == os.getpid():
        path.unlink(missing_ok=True)


def get_control_file(port: int | None) -> ControlFile:
    """The city on that control port, or the only one that runs. Raises NotFound, or Conflict where several run."""
    folder = control_folder()
    names = [folder / f"virtual-{port}.json"] if port else sorted(folder.glob("virtual-*.json"))
    found = [file for file in map(_read, names) if file and Path(f"/proc/{file.pid}").exists()]
    if not found:
        raise NotFound("No virtual city runs here; start one with `safecity virtual serve`.", code="virtual.none")
    if len(found) > 1:
        ports = ", ".join(str(file.port) for file in found)
        raise Conflict(f"Several virtual cities run; choose one with --control: {ports}.", code="virtual.several")
    return found[0]


def _read(path: Path) -> ControlFile | None:
    try:
        return ControlFile.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None

"""The disk of the recordings: a file system of its own in a file, which can be full, fail, and be put right again.

`fail` makes ext4 meet an error, as it does on a bad sector: mounted with `errors=remount-ro`, it turns read-only at
once, under the hands of whoever writes. Only unmounting, checking and mounting again ends that.
"""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tools.chaos.places import call

FILLER = "filler"
_UNMOUNT_WAIT_S = 30.0


@dataclass(slots=True, kw_only=True)
class Disk:
    """`image` is the file that holds it, `folder` where it is mounted."""

    image: Path
    folder: Path
    size_bytes: int
    _loop: str = ""

    def make(self) -> None:
        """Make it and mount it; without it, nobody can write into the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        call("chattr", "+i", self.folder)
        with self.image.open("wb") as file:
            file.truncate(self.size_bytes)
        call("mkfs.ext4", "-q", "-m", "0", self.image)
        made = subprocess.run(["losetup", "-f", "--show", self.image], capture_output=True, text=True, check=True)
        self._loop = made.stdout.strip()
        self._mount()

    def _mount(self) -> None:
        call("mount", "-o", "errors=remount-ro,noatime", self._loop, self.folder)

    def fill(self) -> None:
        """Take all the room that is left."""
        free = os.statvfs(self.folder)
        with (self.folder / FILLER).open("ab") as file:
            size = file.seek(0, os.SEEK_END) + free.f_bavail * free.f_frsize
            while size > 0 and free.f_bavail:
                try:
                    os.posix_fallocate(file.fileno(), 0, size)
                    return
                except OSError:
                    size -= 256 * 1024

    def free(self) -> None:
        """Give the room back."""
        (self.folder / FILLER).unlink(missing_ok=True)

    def fail(self) -> None:
        """The file system meets an error and turns read-only."""
        Path(f"/sys/fs/ext4/{Path(self._loop).name}/trigger_fs_error").write_text("drill")

    def repair(self) -> None:
        """Unmount, check, mount."""
        deadline_s = time.monotonic() + _UNMOUNT_WAIT_S
        while subprocess.run(["umount", self.folder], capture_output=True, check=False).returncode:
            if time.monotonic() > deadline_s:
                raise RuntimeError(f"{self.folder} stays busy: {_users(self.folder)}")
            time.sleep(0.2)
        checked = subprocess.run(["e2fsck", "-fy", self._loop], capture_output=True, text=True, check=False)
        if checked.returncode > 3:
            raise RuntimeError(f"e2fsck: {checked.stdout}")
        self._mount()

    def destroy(self) -> None:
        """Unmount and delete it."""
        subprocess.run(["umount", "-l", self.folder], capture_output=True, check=False)
        subprocess.run(["losetup", "-d", self._loop], capture_output=True, check=False)
        subprocess.run(["chattr", "-i", self.folder], capture_output=True, check=False)
        self.image.unlink(missing_ok=True)


def _users(folder: Path) -> list[str]:
    found: list[str] = []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = str(link.readlink())
        except OSError:
            continue
        if target.startswith(f"{folder}/"):
            found.append(f"{link.parts[2]}: {target}")
    return found[:5]

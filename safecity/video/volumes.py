"""The directories that hold recordings, each known by a marker file, so that nothing is written beside a missing disk.

A volume is one directory, usually the mount point of one disk. A file `.safecity-volume` in it says which it is, and
`volumes.json` in the data folder says which of them belong to this installation. A directory whose marker is missing
or another's is *gone*: an unmounted disk, an emptied folder, a swapped disk; it is never written to and never made
anew by itself. Markers are made where an operator asks (`safecity store volumes add`), and once for `media` of a data
folder that has no volume yet.
"""

import fcntl
import json
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NewType, cast

from safecity.platform.errors import Conflict, DataLoss, Invalid
from safecity.platform.files import sync_directory, write_whole
from safecity.platform.ids import new_id
from safecity.platform.settings import VideoSettings
from safecity.video.model import Segment

VolumeId = NewType("VolumeId", str)

MARKER = ".safecity-volume"
MARKER_FORMAT = "safecity-volume-1"
REGISTER = "volumes.json"
REGISTER_FORMAT = "safecity-volumes-1"
DEFAULT_FOLDER = "media"
MAX_MARKER_BYTES = 4096
MAX_VOLUMES = 64
UNPREPARED = VolumeId("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """One directory of recordings; `id` is UNPREPARED where the register does not know it."""

    id: VolumeId
    directory: Path
    is_recorded_on: bool  # False: it was taken out of the settings, and what it holds is only read and deleted

    def is_there(self) -> bool:
        """Whether the directory holds this volume now; touches the disk."""
        return self.id != UNPREPARED and find_marker(self.directory) == self.id


class Volumes:
    """The volumes of one installation; touches no disk except where a method says so."""

    def __init__(self, volumes: Sequence[Volume]) -> None:
        if not 0 < len(volumes) <= MAX_VOLUMES:
            raise Invalid(f"there must be 1 to {MAX_VOLUMES} recording directories", code="video.volumes_number")
        self._volumes = tuple(volumes)
        self._by_id = {one.id: one for one in volumes if one.id != UNPREPARED}

    @classmethod
    def open(cls, data_dir: Path, settings: VideoSettings) -> "Volumes":
        """Those in the settings, then those that recordings were on before; makes nothing."""
        wanted = wanted_directories(data_dir, settings)
        known = read_register(data_dir)
        ids = {directory: volume for volume, directory in known.items()}
        volumes = [Volume(id=ids.get(one, UNPREPARED), directory=one, is_recorded_on=True) for one in wanted]
        volumes += [
            Volume(id=volume, directory=directory, is_recorded_on=False)
            for volume, directory in known.items()
            if directory not in wanted
        ]
        return cls(volumes)

    @classmethod
    def at(cls, *directories: Path) -> "Volumes":
        """Make volumes of directories, for tools and tests that have no data folder."""
        return cls([Volume(id=make_marker(one), directory=one, is_recorded_on=True) for one in directories])

    def list_volumes(self) -> tuple[Volume, ...]:
        """All, in the order of the settings; those that are not recorded on any more come last."""
        return self._volumes

    def list_recorded_on(self) -> tuple[Volume, ...]:
        """Those that new segments may go to."""
        return tuple(one for one in self._volumes if one.is_recorded_on)

    def find_volume(self, volume: str | None) -> Volume | None:
        """The volume with an id."""
        return self._by_id.get(VolumeId(volume)) if volume else None

    def volume_of(self, row: Segment) -> Volume:
        """Which volume holds a segment's file, by its hint, else by looking; the first where none does."""
        hinted = self.find_volume(row.volume)
        if hinted is not None and holds(hinted, row.path):
            return hinted
        return self._look_for(row.path) or hinted or self._volumes[0]

    def path_of(self, row: Segment) -> Path:
        """Where a segment's file is, or would be where it is gone; looks on the disks. Raises Invalid."""
        return self.volume_of(row).directory / check_path(row.path)

    def find(self, path: str) -> Path | None:
        """The file of a recording's path on whichever volume has it; looks on the disks. Raises Invalid."""
        volume = self._look_for(path)
        return None if volume is None else volume.directory / path

    def _look_for(self, path: str) -> Volume | None:
        return next((one for one in self._volumes if holds(one, path)), None)


def holds(volume: Volume, path: str) -> bool:
    """Whether a volume has a recording's file; False where its disk does not answer. Raises Invalid."""
    try:
        return (volume.directory / check_path(path)).exists()
    except OSError:
        return False


def check_path(path: str) -> str:
    """A recording's path, which stays below its volume; raises Invalid for any other."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        raise Invalid("the index names a file outside of the recordings", code="video.path_invalid")
    return path


def wanted_directories(data_dir: Path, settings: VideoSettings) -> tuple[Path, ...]:
    """The directories that the settings record on."""
    return tuple(one.absolute() for one in settings.media_dirs) or (data_dir.absolute() / DEFAULT_FOLDER,)


def find_marker(directory: Path) -> VolumeId | None:
    """The id in a directory's marker; None where there is none, or none that can be read."""
    try:
        with (directory / MARKER).open("rb") as file:
            said: object = json.loads(file.read(MAX_MARKER_BYTES))
    except (OSError, ValueError):
        return None
    if not isinstance(said, dict):
        return None
    fields = cast("dict[str, object]", said)
    found = fields.get("id")
    return VolumeId(found) if fields.get("format") == MARKER_FORMAT and isinstance(found, str) and found else None


def make_marker(directory: Path) -> VolumeId:
    """Make a directory a volume, and the directory where there is none; one that is a volume already stays it."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o750)
    found = find_marker(directory)
    if found is not None:
        return found
    if (directory / MARKER).exists():
        raise DataLoss(f"{directory / MARKER} cannot be read; is this the right disk?", code="video.volume_marker")
    made = VolumeId(new_id("vol"))
    write_whole(directory / MARKER, json.dumps({"format": MARKER_FORMAT, "id": made}).encode() + b"\n", mode=0o640)
    sync_directory(directory.parent)
    return made


def read_register(data_dir: Path) -> dict[VolumeId, Path]:
    """Which volumes belong to this installation, in the order in which they were added; empty at the very first start.

    Raises DataLoss where the file is there and cannot be understood.
    """
    try:
        said: object = json.loads((data_dir / REGISTER).read_bytes())
        if not isinstance(said, dict) or cast("dict[str, object]", said).get("format") != REGISTER_FORMAT:
            raise ValueError
        rows = cast("dict[str, dict[str, str]]", said)["volumes"]
        return {VolumeId(str(volume)): Path(str(directory)) for volume, directory in rows.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, AttributeError) as error:
        advice = "move it away and add each recording directory again with `safecity store volumes add`"
        raise DataLoss(f"{data_dir / REGISTER} cannot be read; {advice}", code="video.volumes_register") from error


def add_volume(data_dir: Path, directory: Path) -> VolumeId:
    """Make a directory a volume of this installation, or take one in that is a volume already. Raises Conflict.

    Order: marker, register; so a crash in between leaves a marker that the next call takes in.
    """
    directory = directory.absolute()
    with _locked(data_dir):
        known = read_register(data_dir)
        made = make_marker(directory)
        if known.get(made, directory) != directory and find_marker(known[made]) == made:
            raise Conflict(f"{directory} is a copy of the volume at {known[made]}", code="video.volume_copy")
        known = {volume: at for volume, at in known.items() if at != directory} | {made: directory}
        _write_register(data_dir, known)
    return made


def forget_volume(data_dir: Path, directory: Path) -> None:
    """Take a volume out of the register; its marker and its recordings stay as they are. Raises Invalid."""
    directory = directory.absolute()
    with _locked(data_dir):
        known = read_register(data_dir)
        if directory not in known.values():
            raise Invalid(f"{directory} is no recording directory of {data_dir}", code="video.volume_unknown")
        _write_register(data_dir, {volume: at for volume, at in known.items() if at != directory})


def prepare_volumes(data_dir: Path, settings: VideoSettings) -> None:
    """At the first start of a data folder with no directories in its settings, make `media` its volume."""
    if settings.media_dirs or read_register(data_dir):
        return
    add_volume(data_dir, data_dir / DEFAULT_FOLDER)


def check_volumes(data_dir: Path, settings: VideoSettings) -> None:
    """Raise Invalid where the settings name directories that nobody made volumes; a missing disk is no reason."""
    known = set(read_register(data_dir).values())
    fresh = [str(one) for one in wanted_directories(data_dir, settings) if one not in known]
    if settings.media_dirs and fresh:
        raise Invalid(
            f"video.media_dirs names {', '.join(fresh)}, which SafeCity may not write to yet: with the disk mounted, "
            f"run `safecity store volumes add {fresh[0]}`",
            code="video.volume_unprepared",
        )


def _write_register(data_dir: Path, known: dict[VolumeId, Path]) -> None:
    said = {"format": REGISTER_FORMAT, "volumes": {volume: str(directory) for volume, directory in known.items()}}
    write_whole(data_dir / REGISTER, json.dumps(said, indent=1).encode() + b"\n", mode=0o640)


@contextmanager
def _locked(data_dir: Path) -> Generator[None]:
    """One process at a time changes the register; several recorders start at once."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(data_dir / f".{REGISTER}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

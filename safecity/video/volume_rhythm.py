"""How often what was written is made durable, by the kind of the disk.

A solid-state disk syncs a fragment in a millisecond or less. A spinning one needs a seek and a turn for each file,
about 10 to 20 ms, so fragments of several cameras are gathered for longer and written in one round. With fragments of a
second, either keeps a power cut below two seconds a camera.
"""

import os
from pathlib import Path

from safecity.platform.settings import VideoSettings
from safecity.video.retention import GB
from safecity.video.volume_writer import GATHER_S, WriterRules
from safecity.video.volumes import Volume, Volumes

SPINNING_GATHER_S = 0.6
SYS_BLOCK = Path("/sys/dev/block")


def is_spinning(directory: Path, *, sys_block: Path = SYS_BLOCK) -> bool | None:
    """Whether a directory lies on a disk that turns; None where the kernel does not say, as for network disks."""
    try:
        number = directory.stat().st_dev
    except OSError:
        return None
    device = (sys_block / f"{os.major(number)}:{os.minor(number)}").resolve()
    for folder in (device, device.parent):  # a partition has its queue at its disk
        try:
            return (folder / "queue" / "rotational").read_text().strip() == "1"
        except OSError:
            continue
    return None


def sync_every_s(settings: VideoSettings, *, spins: bool | None) -> float:
    """The rhythm in force on a disk."""
    if settings.sync_every_s != "auto":
        return settings.sync_every_s
    return SPINNING_GATHER_S if spins else GATHER_S


def writer_rules(volumes: Volumes, settings: VideoSettings) -> dict[Volume, WriterRules]:
    """How each volume is written."""
    return {
        one: WriterRules(
            reserve_bytes=int(settings.reserve_gb * GB),
            sync_every_s=sync_every_s(settings, spins=is_spinning(one.directory)),
        )
        for one in volumes.list_recorded_on()
    }

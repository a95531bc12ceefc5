"""How well a volume is, and which volume a stream goes to: pure rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from safecity.video.volumes import Volume

FULL_BYTES = 64 * 1024**2  # less than this, and nothing new is begun there
FULL_SHARE = 0.02  # of small disks
FILLING_SHARE = 0.05
DAY_S = 86_400
STAY_WITHIN = 1.1  # a stream leaves a healthy volume only where that has so much more than its share
STAY_STREAMS = 1


class VolumeState(StrEnum):
    """From well to worse; only the first two are begun on."""

    OK = "ok"
    FILLING = "filling"  # retention does not keep the reserve any more
    FULL = "full"
    READ_ONLY = "read_only"
    FAILING = "failing"  # it answers with errors
    SLOW = "slow"  # it does not answer in time
    GONE = "gone"  # the directory is not this volume: unmounted, emptied, swapped

    @property
    def is_usable(self) -> bool:
        """Whether a segment may begin there."""
        return self in {VolumeState.OK, VolumeState.FILLING}


STATES_BY_DETAIL = {
    "disk_full": VolumeState.FULL,
    "disk_read_only": VolumeState.READ_ONLY,
    "disk_gone": VolumeState.GONE,
    "disk_slow": VolumeState.SLOW,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A volume as the choice sees it."""

    volume: Volume
    is_usable: bool
    weight_bytes: int  # its size: so all volumes reach back equally far
    streams: int  # that write there now, without the one to place


def room_state(*, free_bytes: int, total_bytes: int, reserve_bytes: int) -> VolumeState:
    """What the room says: full near the end, filling where half of the reserve is gone."""
    if free_bytes < min(FULL_BYTES, total_bytes * FULL_SHARE):
        return VolumeState.FULL
    if free_bytes < min(reserve_bytes / 2, total_bytes * FILLING_SHARE):
        return VolumeState.FILLING
    return VolumeState.OK


def hours_left(free_bytes: int, *, reserve_bytes: int, write_bps: int) -> float | None:
    """How long the room above the reserve lasts at this rate, were nothing deleted; None where nothing is written."""
    if write_bps <= 0:
        return None
    return round(max(0, free_bytes - reserve_bytes) * 8 / write_bps / 3600, 1)


def held_fills(*, free_bytes: int, used_bytes: int, held_bytes: int, reserve_bytes: int, write_bps: int) -> bool:
    """Whether what must not be deleted is most of it, and with all else deleted less than a day of room is left."""
    room_bytes = free_bytes + used_bytes - held_bytes - reserve_bytes
    return held_bytes * 2 > used_bytes and room_bytes * 8 < write_bps * DAY_S


def choose_volume(current: Volume | None, candidates: Sequence[Candidate]) -> Volume | None:
    """Where a stream's next segment goes: it stays where it is while that is well and not far over its share.

    Otherwise the usable volume that lacks most of its share by size. None where none is usable.
    """
    usable = [one for one in candidates if one.is_usable]
    if not usable:
        return None
    weights = sum(max(1, one.weight_bytes) for one in usable)
    streams = sum(one.streams for one in usable) + 1
    shares = {one.volume: streams * max(1, one.weight_bytes) / weights for one in usable}
    for one in usable:
        if one.volume == current and one.streams + 1 <= shares[one.volume] * STAY_WITHIN + STAY_STREAMS:
            return current
    return max(usable, key=lambda one: shares[one.volume] - one.streams).volume

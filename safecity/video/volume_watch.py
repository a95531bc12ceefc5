"""Sees how well the volumes are, says so before it hurts, and when it changed. Runs in the keeper.

The recorders see most: each tells the state of its volumes with its heartbeat. The keeper looks at a disk itself only
where no recorder has told of it lately, so that a disk that hangs does not hold the keeper up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy.engine import Connection

from safecity.events import Fact, state_fact
from safecity.events.video import HeldRecordingsFill, VolumeStateChanged
from safecity.platform.clock import to_us
from safecity.platform.database import Database
from safecity.platform.ids import fact_id
from safecity.video import volume_store
from safecity.video.disk_calls import DiskCalls, Usage
from safecity.video.store import list_recorder_statuses
from safecity.video.volume_health import VolumeState, held_fills, hours_left, room_state
from safecity.video.volume_store import VolumeStatus, VolumeUse
from safecity.video.volumes import UNPREPARED, Volume, Volumes

FRESH = timedelta(seconds=15)  # a recorder's word
RECENT = timedelta(minutes=10)
USES_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    state: VolumeState
    free_bytes: int
    total_bytes: int


class VolumeWatch:
    """Keeps the table of volumes, and states facts where it changes."""

    def __init__(
        self, database: Database, volumes: Volumes, *, reserve_bytes: int, calls: DiskCalls | None = None
    ) -> None:
        self._database = database
        self._volumes = volumes
        self._reserve_bytes = reserve_bytes
        self._calls = calls or DiskCalls()
        self._uses: Mapping[str | None, VolumeUse] = {}
        self._uses_at: datetime | None = None

    def run_once(self, now: datetime) -> list[VolumeStatus]:
        """Look at every volume; raises Unavailable when the database does not answer."""
        with self._database.read() as connection:
            before = {one.id: one for one in volume_store.list_volume_statuses(connection)}
            recorders = list_recorder_statuses(connection)
            if self._uses_at is None or abs(now - self._uses_at) >= USES_EVERY:
                self._uses = volume_store.read_volume_uses(connection, recent_since=now - RECENT)
                self._uses_at = now
        told = [one.status.get("volumes") for one in recorders if now - one.seen_at <= FRESH]
        known = [one for one in self._volumes.list_volumes() if one.id != UNPREPARED]
        after = [self._status(one, self._see(one, told), before.get(one.id), now) for one in known]
        with self._database.begin() as connection:
            volume_store.replace_volume_statuses(connection, after)
            for one in after:
                self._tell(connection, one, before.get(one.id), now)
        return after

    def _see(self, volume: Volume, told: Sequence[object]) -> _Seen:
        words = [word for all_of in told if (word := _word(all_of, volume)) is not None]
        if words:
            # Worst first; who sees a disk well has perhaps not written for a while.
            order = list(VolumeState)
            return max(words, key=lambda one: order.index(one.state))
        try:
            if not self._calls.is_there(volume):
                return _Seen(state=VolumeState.GONE, free_bytes=0, total_bytes=0)
            usage: Usage = self._calls.usage(volume.directory)
        except OSError:
            return _Seen(state=VolumeState.FAILING, free_bytes=0, total_bytes=0)
        state = room_state(
            free_bytes=usage.free_bytes, total_bytes=usage.total_bytes, reserve_bytes=self._reserve_bytes
        )
        if usage.is_read_only:
            state = VolumeState.READ_ONLY
        return _Seen(state=state, free_bytes=usage.free_bytes, total_bytes=usage.total_bytes)

    def _status(self, volume: Volume, seen: _Seen, before: VolumeStatus | None, now: datetime) -> VolumeStatus:
        use = self._uses.get(volume.id, VolumeUse())
        write_bps = round(use.recent_bytes * 8 / RECENT.total_seconds())
        is_same = before is not None and before.state is seen.state
        return VolumeStatus(
            id=volume.id,
            directory=str(volume.directory),
            is_recorded_on=volume.is_recorded_on,
            state=seen.state,
            since=before.since if before is not None and is_same else now,
            free_bytes=seen.free_bytes,
            total_bytes=seen.total_bytes,
            used_bytes=use.used_bytes,
            held_bytes=use.held_bytes,
            write_bps=write_bps,
            hours_left=hours_left(seen.free_bytes, reserve_bytes=self._reserve_bytes, write_bps=write_bps),
            is_held_full=held_fills(
                free_bytes=seen.free_bytes,
                used_bytes=use.used_bytes,
                held_bytes=use.held_bytes,
                reserve_bytes=self._reserve_bytes,
                write_bps=write_bps,
            ),
            seen_at=now,
        )

    def _tell(self, connection: Connection, one: VolumeStatus, before: VolumeStatus | None, now: datetime) -> None:
        facts: list[Fact] = []
        was = VolumeState.OK if before is None else before.state
        if one.state is not was:
            facts.append(
                VolumeStateChanged(
                    volume=one.id,
                    directory=one.directory,
                    state=one.state.value,
                    before=was.value,
                    free_bytes=one.free_bytes,
                    hours_left=one.hours_left,
                    at=now,
                )
            )
        if one.is_held_full and not (before is not None and before.is_held_full):
            facts.append(
                HeldRecordingsFill(
                    volume=one.id,
                    directory=one.directory,
                    held_bytes=one.held_bytes,
                    used_bytes=one.used_bytes,
                    at=now,
                )
            )
        for fact in facts:
            name = fact_id(type(fact).type, one.id, one.state.value, to_us(now))
            state_fact(connection, fact, id=name, source="keeper", time=now, subject=one.id)


def _word(told: object, volume: Volume) -> _Seen | None:
    """What one recorder says of a volume."""
    said = cast("dict[str, object]", told).get(volume.id) if isinstance(told, dict) else None
    if not isinstance(said, dict):
        return None
    fields = cast("dict[str, object]", said)
    free, total = fields.get("free_bytes"), fields.get("total_bytes")
    if not isinstance(free, int) or not isinstance(total, int):
        return None
    return _Seen(state=VolumeState(str(fields.get("state"))), free_bytes=free, total_bytes=total)

"""The table of volumes: how well each is, how full, and for how long it lasts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from safecity.platform.database import UtcInstant, metadata
from safecity.video.holds import is_not_held
from safecity.video.store import segments
from safecity.video.volume_health import VolumeState
from safecity.video.volumes import VolumeId

volumes = sa.Table(
    "volumes",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True, comment="As its marker file says"),
    sa.Column("directory", sa.String(4096), nullable=False, comment="Where it is mounted"),
    sa.Column("is_recorded_on", sa.Boolean, nullable=False, comment="False: kept and deleted, no longer written"),
    sa.Column("state", sa.String(12), nullable=False, comment="ok, filling, full, read_only, failing, slow, gone"),
    sa.Column("since", UtcInstant, nullable=False, comment="Since when it is in this state"),
    sa.Column("free_bytes", sa.BigInteger, nullable=False, comment="Room of its file system, as last seen"),
    sa.Column("total_bytes", sa.BigInteger, nullable=False, comment="Size of its file system"),
    sa.Column("used_bytes", sa.BigInteger, nullable=False, comment="Recordings on it"),
    sa.Column("held_bytes", sa.BigInteger, nullable=False, comment="Of these, those that must not be deleted"),
    sa.Column("write_bps", sa.BigInteger, nullable=False, comment="Bits a second recorded on it lately"),
    sa.Column("hours_left", sa.Float, nullable=True, comment="Until the reserve is reached, were nothing deleted"),
    sa.Column("is_held_full", sa.Boolean, nullable=False, comment="Held recordings leave less than a day of room"),
    sa.Column("seen_at", UtcInstant, nullable=False, comment="When this was written"),
    comment="Recording directories, one row each, rewritten by the keeper every few seconds",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeStatus:
    """The last word about a volume."""

    id: VolumeId
    directory: str
    is_recorded_on: bool
    state: VolumeState
    since: datetime
    free_bytes: int
    total_bytes: int
    used_bytes: int
    held_bytes: int
    write_bps: int
    hours_left: float | None
    is_held_full: bool
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeUse:
    """What the index says is on a volume."""

    used_bytes: int = 0
    held_bytes: int = 0
    recent_bytes: int = 0


def list_volume_statuses(connection: Connection) -> list[VolumeStatus]:
    """The last word about every volume, by directory."""
    return [_status(row) for row in connection.execute(sa.select(volumes).order_by(volumes.c.directory)).mappings()]


def _status(row: RowMapping) -> VolumeStatus:
    fields = dict(row)
    fields["state"] = VolumeState(row["state"])
    return VolumeStatus(**fields)


def replace_volume_statuses(connection: Connection, rows: Sequence[VolumeStatus]) -> None:
    """Write the last word about all volumes; those that are no longer known go."""
    connection.execute(volumes.delete())
    if rows:
        connection.execute(volumes.insert(), [{**asdict(row), "state": row.state.value} for row in rows])


def read_volume_uses(connection: Connection, *, recent_since: datetime) -> Mapping[str | None, VolumeUse]:
    """Bytes on each volume, held ones, and those begun lately; walks the index, so ask once a minute at most."""
    c = segments.c
    size = sa.func.coalesce(sa.func.sum(c.size_bytes), 0)
    sums = sa.select(c.volume, size).group_by(c.volume)
    all_of = _sums(connection, sums)
    held_of = _sums(connection, sums.where(sa.not_(is_not_held(segments))))
    recent_of = _sums(connection, sums.where(c.started_at >= recent_since))
    return {
        volume: VolumeUse(
            used_bytes=used,
            held_bytes=held_of.get(volume, 0),
            recent_bytes=recent_of.get(volume, 0),
        )
        for volume, used in all_of.items()
    }


def _sums(connection: Connection, statement: sa.Select[str | None, int]) -> dict[str | None, int]:
    return {volume: int(total) for volume, total in connection.execute(statement).all()}


def is_on(volume: VolumeId | None) -> sa.ColumnElement[bool]:
    """Segments of a volume; None: of those that no volume is known for, from before there were volumes."""
    return segments.c.volume.is_(None) if volume is None else segments.c.volume == volume


def is_not_on(away: Collection[VolumeId]) -> sa.ColumnElement[bool]:
    """Segments of any volume but these."""
    return sa.or_(segments.c.volume.is_(None), segments.c.volume.not_in(away))

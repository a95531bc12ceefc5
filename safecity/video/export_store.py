"""The table of exported clips."""

from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from safecity.platform.database import UtcInstant, metadata

MAX_REASON = 500
MAX_ROWS = 500

video_exports = sa.Table(
    "video_exports",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True, comment="exp_..., also the name of its folder"),
    sa.Column("camera", sa.String(64), nullable=False, comment="Camera id"),
    sa.Column("stream", sa.String(8), nullable=False, comment="main or sub"),
    sa.Column("from_at", UtcInstant, nullable=False, comment="Start that was asked for"),
    sa.Column("to_at", UtcInstant, nullable=False, comment="End that was asked for"),
    sa.Column("first_at", UtcInstant, nullable=False, comment="First shown picture: the key frame at or before it"),
    sa.Column("end_at", UtcInstant, nullable=False, comment="End of the last picture"),
    sa.Column("reason", sa.String(MAX_REASON), nullable=False, comment="Why, in the exporter's words"),
    sa.Column("made_by", sa.String(64), nullable=False, comment="User id"),
    sa.Column("made_at", UtcInstant, nullable=False, comment="When the files were durable"),
    sa.Column("expires_at", UtcInstant, nullable=False, comment="When the files are deleted"),
    sa.Column("deleted_at", UtcInstant, nullable=True, comment="When they were"),
    sa.Column("size_bytes", sa.BigInteger, nullable=False, comment="Size of the clip"),
    sa.Column("sha256", sa.String(64), nullable=False, comment="Of the clip, hex"),
    sa.Column("sheet_sha256", sa.String(64), nullable=False, comment="Of the hash sheet, hex; also in the log's leaf"),
    sa.Index("ix_video_exports_expires_at", "expires_at"),
    comment="Clips that were exported, with the time at which their files go",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """An exported clip and its hash sheet, as files below the exports folder."""

    id: str
    camera: str
    stream: str
    from_at: datetime
    to_at: datetime
    first_at: datetime
    end_at: datetime
    reason: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    deleted_at: datetime | None
    size_bytes: int
    sha256: str
    sheet_sha256: str


def insert_export(connection: Connection, export: Export) -> None:
    """A new export, whose files are durable."""
    connection.execute(video_exports.insert().values(**asdict(export)))


def find_export(connection: Connection, export_id: str) -> Export | None:
    """An export, deleted ones too."""
    row = connection.execute(sa.select(video_exports).where(video_exports.c.id == export_id)).mappings().first()
    return None if row is None else Export(**row)


def list_expired(connection: Connection, now: datetime, *, limit: int = MAX_ROWS) -> list[Export]:
    """Exports whose files are due to go, oldest first."""
    c = video_exports.c
    statement = sa.select(video_exports).where(c.expires_at <= now, c.deleted_at.is_(None)).order_by(c.expires_at)
    return [Export(**row) for row in connection.execute(statement.limit(min(limit, MAX_ROWS))).mappings()]


def mark_deleted(connection: Connection, export_id: str, *, now: datetime) -> None:
    """Its files are gone."""
    connection.execute(video_exports.update().where(video_exports.c.id == export_id).values(deleted_at=now))


def list_live_ids(connection: Connection) -> set[str]:
    """Exports whose files must be there."""
    statement = sa.select(video_exports.c.id).where(video_exports.c.deleted_at.is_(None))
    return set(connection.execute(statement).scalars())

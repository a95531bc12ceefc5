"""The table of cabinets' conditions, and its queries."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from safecity.platform.database import UtcInstant, metadata
from safecity.sites.cabinets.model import Condition, Kind
from safecity.sites.model import CameraId, SiteId
from safecity.sites.tables import cameras, sites

MAX_ROWS = 10_000

cabinet_conditions = sa.Table(
    "cabinet_conditions",
    metadata,
    sa.Column("site_id", sa.String(60), sa.ForeignKey("sites.id"), primary_key=True, comment="At which site"),
    sa.Column("kind", sa.String(12), primary_key=True, comment="door, mains, battery, temperature"),
    sa.Column("from_at", UtcInstant, primary_key=True, comment="Since when it is so"),
    sa.Column("to_at", UtcInstant, nullable=True, comment="Until when it was so; empty for the present"),
    sa.Column("word", sa.String(12), nullable=False, comment="open, closed, on, off, low, enough, hot, normal"),
    sa.Column("figure", sa.Double, nullable=True, comment="Last figure: per cent, degrees Celsius"),
    sa.Column("heard_at", UtcInstant, nullable=False, comment="When the cabinet last said so, by its time"),
    comment="What each cabinet said and since when; a row for each change",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What holds of one thing of a cabinet now."""

    site: SiteId
    code: str
    condition: Condition
    from_at: datetime
    heard_at: datetime


def find_site(connection: Connection, code: str) -> SiteId | None:
    """The site in use with a code."""
    statement = sa.select(sites.c.id).where(sites.c.code == code, sites.c.retired_at.is_(None))
    found = connection.execute(statement).scalar()
    return None if found is None else SiteId(found)


def list_standing(connection: Connection, site: SiteId | None = None) -> list[Standing]:
    """What holds now, of one site or of all, by site and kind."""
    c = cabinet_conditions.c
    statement = (
        sa.select(cabinet_conditions, sites.c.code)
        .join(sites, sites.c.id == c.site_id)
        .where(c.to_at.is_(None))
        .order_by(sites.c.code, c.kind)
        .limit(MAX_ROWS)
    )
    if site is not None:
        statement = statement.where(c.site_id == site)
    return [
        Standing(
            site=SiteId(row["site_id"]),
            code=row["code"],
            condition=Condition(kind=Kind(row["kind"]), word=row["word"], figure=row["figure"]),
            from_at=row["from_at"],
            heard_at=row["heard_at"],
        )
        for row in connection.execute(statement).mappings()
    ]


def renew(connection: Connection, standing: Standing, condition: Condition, *, heard_at: datetime) -> None:
    """The same was said again."""
    c = cabinet_conditions.c
    connection.execute(
        cabinet_conditions.update()
        .where(c.site_id == standing.site, c.kind == condition.kind.value, c.to_at.is_(None))
        .values(figure=condition.figure, heard_at=heard_at)
    )


def change(connection: Connection, site: SiteId, condition: Condition, *, at: datetime) -> None:
    """Something else holds from now on."""
    c = cabinet_conditions.c
    connection.execute(
        cabinet_conditions.update()
        .where(c.site_id == site, c.kind == condition.kind.value, c.to_at.is_(None))
        .values(to_at=at)
    )
    row = {"site_id": site, "kind": condition.kind.value, "from_at": at, "word": condition.word}
    connection.execute(cabinet_conditions.insert().values(**row, figure=condition.figure, heard_at=at))


def list_power_cuts(
    connection: Connection, camera: CameraId, *, from_at: datetime, to_at: datetime
) -> list[tuple[datetime, datetime | None]]:
    """When the site of a camera was without mains, oldest first; the end is None while it lasts."""
    c = cabinet_conditions.c
    statement = (
        sa.select(c.from_at, c.to_at)
        .join(cameras, cameras.c.site_id == c.site_id)
        .where(cameras.c.id == camera, c.kind == Kind.MAINS.value, c.word == "off", c.from_at < to_at)
        .where(sa.or_(c.to_at.is_(None), c.to_at > from_at))
        .order_by(c.from_at)
        .limit(MAX_ROWS)
    )
    return [(row[0], row[1]) for row in connection.execute(statement)]

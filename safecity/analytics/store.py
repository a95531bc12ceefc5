"""Tables of analysis, and their queries: scenes, counts a minute, the analysers' last words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from safecity.analytics.scene import Scene
from safecity.events import state_fact
from safecity.events.analytics import LineCounted
from safecity.platform.database import Json, UtcInstant, insert_new, metadata
from safecity.platform.ids import fact_id
from safecity.sites.model import CameraId

MAX_COUNT_ROWS = 200_000  # of one answer: a line that is crossed each minute has 1,440 a day

scenes = sa.Table(
    "scenes",
    metadata,
    sa.Column("camera", sa.String(64), primary_key=True, comment="Camera id"),
    sa.Column("width_px", sa.Integer, nullable=False, comment="Width of the picture it was drawn on"),
    sa.Column("height_px", sa.Integer, nullable=False, comment="Height of the picture it was drawn on"),
    sa.Column("scene", Json, nullable=False, comment="Lines, zones and rules, as in a scene file"),
    sa.Column("version", sa.Integer, nullable=False, comment="Rises by one with each change"),
    sa.Column("changed_at", UtcInstant, nullable=False, comment="When it was drawn"),
    sa.Column("changed_by", sa.String(100), nullable=True, comment="Sign-in name of who drew it; null: command line"),
    comment="What is drawn on each camera's picture",
)

line_counts = sa.Table(
    "line_counts",
    metadata,
    sa.Column("camera", sa.String(64), primary_key=True, comment="Camera id"),
    sa.Column("line", sa.String(80), primary_key=True, comment="Name of the line in the camera's scene"),
    sa.Column("from_at", UtcInstant, primary_key=True, comment="Start of the interval, on the recordings' line"),
    sa.Column("to_at", UtcInstant, nullable=False, comment="End of the interval"),
    sa.Column("forward", Json, nullable=False, comment="Class to number, in the line's direction"),
    sa.Column("backward", Json, nullable=False, comment="Class to number, against it"),
    sa.Column("model", sa.String(100), nullable=False, comment="Which detector counted; motion without one"),
    comment="What crossed counting lines, a row a minute where something did",
)

analyser_status = sa.Table(
    "analyser_status",
    metadata,
    sa.Column("slot", sa.String(100), primary_key=True, comment="Analyser slot"),
    sa.Column("pid", sa.Integer, nullable=False, comment="Process that wrote this row"),
    sa.Column("started_at", UtcInstant, nullable=False, comment="When that process began"),
    sa.Column("seen_at", UtcInstant, nullable=False, comment="Heartbeat"),
    sa.Column("status", Json, nullable=False, comment="Counters for the health page"),
    comment="One row an analyser, rewritten every two seconds",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredScene:
    """A camera's scene as it stands."""

    camera: CameraId
    width_px: int
    height_px: int
    scene: Scene
    version: int
    changed_at: datetime | None
    changed_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTotal:
    """What crossed a line in an interval."""

    line: str
    forward: Mapping[str, int]
    backward: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The sums of an interval, and which detectors counted in it."""

    lines: Sequence[LineTotal]
    models: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyserStatus:
    """An analyser's last word about itself."""

    slot: str
    pid: int
    started_at: datetime
    seen_at: datetime
    status: Mapping[str, object]


def find_scene(connection: Connection, camera: CameraId) -> StoredScene | None:
    """A camera's scene; None where nobody has drawn one."""
    row = connection.execute(sa.select(scenes).where(scenes.c.camera == camera)).mappings().first()
    if row is None:
        return None
    fields = dict(row)
    fields["scene"] = Scene.model_validate(row["scene"])
    return StoredScene(**fields)


def list_versions(connection: Connection) -> dict[CameraId, int]:
    """The version of every camera's scene, so that analysers see cheaply what has changed."""
    rows = connection.execute(sa.select(scenes.c.camera, scenes.c.version))
    return {CameraId(row.camera): row.version for row in rows}


def put_scene(connection: Connection, stored: StoredScene) -> None:
    """Write a camera's scene in place of the one before."""
    row = {name: getattr(stored, name) for name in stored.__slots__} | {"scene": stored.scene.model_dump(mode="json")}
    _put(connection, scenes, row)


def state_count(connection: Connection, counted: LineCounted, *, source: str) -> bool:
    """Write a minute's count as row and fact; False when it had been written before, by whatever process."""
    row = {**counted.model_dump(exclude={"forward", "backward"}), "forward": counted.forward}
    if not insert_new(connection, line_counts, row=row | {"backward": counted.backward}):
        return False
    name = fact_id(LineCounted.type, counted.camera, counted.line, counted.from_at.isoformat())
    return state_fact(connection, counted, id=name, source=source, time=counted.to_at, subject=counted.camera)


def read_totals(connection: Connection, camera: CameraId, *, from_at: datetime, to_at: datetime) -> Totals:
    """The sums over the intervals that begin within [from_at, to_at)."""
    c = line_counts.c
    statement = (
        sa.select(c.line, c.forward, c.backward, c.model)
        .where(c.camera == camera, c.from_at >= from_at, c.from_at < to_at)
        .limit(MAX_COUNT_ROWS)
    )
    forward: dict[str, Counter[str]] = {}
    backward: dict[str, Counter[str]] = {}
    models: set[str] = set()
    for row in connection.execute(statement):
        forward.setdefault(row.line, Counter()).update(row.forward)
        backward.setdefault(row.line, Counter()).update(row.backward)
        models.add(row.model)
    lines = [LineTotal(line=line, forward=forward[line], backward=backward[line]) for line in sorted(forward)]
    return Totals(lines=lines, models=sorted(models))


def put_analyser_status(connection: Connection, status: AnalyserStatus) -> None:
    """Renew an analyser's row."""
    _put(connection, analyser_status, {name: getattr(status, name) for name in status.__slots__})


def list_analyser_statuses(connection: Connection) -> list[AnalyserStatus]:
    """The last word of every analyser, by slot."""
    rows = connection.execute(sa.select(analyser_status).order_by(analyser_status.c.slot)).mappings()
    return [AnalyserStatus(**row) for row in rows]


def _put(connection: Connection, table: sa.Table, row: Mapping[str, object]) -> None:
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    insert = make(table).values(dict(row))
    keys = [column.name for column in table.primary_key.columns]
    renewed = {name: insert.excluded[name] for name in row if name not in keys}
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=renewed))

"""What recorders say of their cameras: the last report on each, and a fact whenever what may be said changes.

Recorders call `note_camera_states` about every second for all their cameras; the keeper calls
`expire_camera_states`, so that the silence of a recorder is stated too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, RowMapping

from safecity.events import state_fact
from safecity.events.sites import CameraStateChanged
from safecity.platform.clock import to_us
from safecity.platform.errors import Exhausted, NotFound
from safecity.platform.ids import fact_id
from safecity.sites.model import CameraId, CameraState, Cause, StateReport, effective_state, is_superseded
from safecity.sites.store import lock_cameras
from safecity.sites.tables import camera_states

REPORTS_MOST = 2_000
EXPIRED_MOST = 5_000
_KEEPER = "keeper"
_Kept = tuple[StateReport, int]
"""A report and how many changes of its camera have been stated."""

log = structlog.get_logger()


def note_camera_states(connection: Connection, reports: Sequence[StateReport], *, now: datetime) -> list[CameraId]:
    """Write reports, at most one for each camera, and state a fact for each camera whose state or cause changed.

    The cameras that changed are returned. While state and cause stay the same, the earlier `since` is kept. A report
    of another recorder that is older than what is known and still stands is passed over. Raises NotFound for a
    camera that the registry does not know and Exhausted for more than 2,000 reports at once.
    """
    if len(reports) > REPORTS_MOST:
        raise Exhausted(f"{REPORTS_MOST} state reports at once are the most", code="sites.too_many_reports")
    by_camera = {report.camera: report for report in sorted(reports, key=lambda r: r.camera)}
    earlier = _take_turn(connection, list(by_camera))
    writes: list[_Kept] = []
    changed: list[CameraId] = []
    for camera, report in by_camera.items():
        before, changes = earlier.get(camera, (None, 0))
        if before is not None and not is_superseded(before, report, now=now):
            continue
        known = effective_state(before, now=now)
        if before is not None and (known.state, known.cause) == (report.state, report.cause):
            writes.append((replace(report, since=before.since), changes))
            continue
        writes.append((report, changes + 1))
        changed.append(camera)
        _state_change(connection, report, changes=changes + 1, source=report.reported_by)
    _put(connection, writes)
    return changed


def expire_camera_states(connection: Connection, *, now: datetime) -> list[CameraId]:
    """Call unknown every camera whose last report no longer stands, with its recorder as the cause."""
    statement = (
        sa.select(camera_states.c.camera_id)
        .where(camera_states.c.valid_until <= now, camera_states.c.state != CameraState.UNKNOWN.value)
        .order_by(camera_states.c.camera_id)
        .limit(EXPIRED_MOST)
    )
    silent = [CameraId(camera) for camera in connection.execute(statement).scalars()]
    writes: list[_Kept] = []
    for report, changes in _take_turn(connection, silent).values():
        state = effective_state(report, now=now)
        if now < report.valid_until or report.state is CameraState.UNKNOWN:
            continue  # a report came while we waited for our turn
        told = replace(report, state=state.state, since=report.valid_until, cause=state.cause)
        writes.append((told, changes + 1))
        _state_change(connection, told, changes=changes + 1, source=_KEEPER)
    _put(connection, writes)
    if writes:
        log.warning("sites.states_expired", cameras=len(writes))
    return [report.camera for report, _ in writes]


def read_reports(connection: Connection) -> dict[CameraId, StateReport]:
    """The last report on each camera."""
    return {
        CameraId(row["camera_id"]): report_of(row) for row in connection.execute(sa.select(camera_states)).mappings()
    }


def find_report(connection: Connection, camera: CameraId) -> StateReport | None:
    """The last report on one camera, if there ever was one."""
    row = connection.execute(sa.select(camera_states).where(camera_states.c.camera_id == camera)).mappings().first()
    return None if row is None else report_of(row)


def report_of(row: RowMapping) -> StateReport:
    """A report from its row."""
    return StateReport(
        camera=CameraId(row["camera_id"]),
        state=CameraState(row["state"]),
        since=row["since"],
        cause=Cause(row["cause"]) if row["cause"] else None,
        reported_by=row["reported_by"],
        reported_at=row["reported_at"],
        valid_until=row["valid_until"],
        last_frame_at=row["last_frame_at"],
        bitrate_bps=row["bitrate_bps"],
        fps=row["fps"],
    )


def _take_turn(connection: Connection, wanted: Sequence[CameraId]) -> Mapping[CameraId, _Kept]:
    """What is kept of these cameras, which nobody else can report on until the transaction ends.

    The cameras' own rows are locked, in the order of their ids, so that it holds for a first report too and two
    writers never wait for each other. Raises NotFound for a camera that is not in the registry.
    """
    locked = lock_cameras(connection, wanted)
    missing = [camera for camera in wanted if camera not in locked]
    if missing:
        raise NotFound(f"the registry has no camera {missing[0]}", code="sites.no_camera", cameras=missing[:20])
    rows = connection.execute(sa.select(camera_states).where(camera_states.c.camera_id.in_(wanted))).mappings()
    return {CameraId(row["camera_id"]): (report_of(row), row["changes"]) for row in rows}


def _put(connection: Connection, kept: Sequence[_Kept]) -> None:
    if not kept:
        return
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(camera_states)
    fresh = {column.name: statement.excluded[column.name] for column in camera_states.c if column.name != "camera_id"}
    statement = statement.on_conflict_do_update(index_elements=["camera_id"], set_=fresh)
    connection.execute(statement, [{**_values(report), "changes": changes} for report, changes in kept])


def _values(report: StateReport) -> dict[str, object]:
    return {
        "camera_id": report.camera,
        "state": report.state.value,
        "since": report.since,
        "cause": report.cause.value if report.cause else None,
        "last_frame_at": report.last_frame_at,
        "bitrate_bps": report.bitrate_bps,
        "fps": report.fps,
        "reported_by": report.reported_by,
        "reported_at": report.reported_at,
        "valid_until": report.valid_until,
    }


def _state_change(connection: Connection, report: StateReport, *, changes: int, source: str) -> None:
    """The fact's id holds the number of the change, so that a camera may fall into the same state twice."""
    fact = CameraStateChanged(
        camera=report.camera,
        state=report.state.value,
        since=report.since,
        cause=report.cause.value if report.cause else None,
    )
    cause = (report.camera, changes, fact.state, fact.cause or "", to_us(report.reported_at))
    state_fact(
        connection,
        fact,
        id=fact_id(CameraStateChanged.type, *cause),
        source=source,
        time=report.since,
        subject=report.camera,
    )

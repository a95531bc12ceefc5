"""What recorders say of their cameras: the last report on each, and a fact whenever what may be said changes.

Recorders call `note_camera_states` about every second for all their cameras; the keeper calls
`expire_camera_states`, so that the silence of a recorder is stated too.
"""

from collections.abc import Iterable, Mapping, Sequence
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
from safecity.sites.tables import camera_states, cameras

REPORTS_MOST = 2_000
EXPIRED_MOST = 5_000
_KEEPER = "keeper"

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
    _check_known(connection, by_camera)
    earlier = _locked(connection, by_camera)
    kept: list[StateReport] = []
    changed: list[CameraId] = []
    for camera, report in by_camera.items():
        before = earlier.get(camera)
        if before is not None and not is_superseded(before, report, now=now):
            continue
        known = effective_state(before, now=now)
        if before is not None and (known.state, known.cause) == (report.state, report.cause):
            kept.append(replace(report, since=before.since))
            continue
        kept.append(report)
        changed.append(camera)
        _state_change(connection, report, source=report.reported_by)
    _put(connection, kept)
    return changed


def expire_camera_states(connection: Connection, *, now: datetime) -> list[CameraId]:
    """Call unknown every camera whose last report no longer stands, with its recorder as the cause."""
    statement = (
        sa.select(camera_states)
        .where(camera_states.c.valid_until <= now, camera_states.c.state != CameraState.UNKNOWN.value)
        .order_by(camera_states.c.camera_id)
        .limit(EXPIRED_MOST)
        .with_for_update()
    )
    expired: list[CameraId] = []
    for row in connection.execute(statement).mappings().all():
        report = report_of(row)
        state = effective_state(report, now=now)
        silent = replace(report, state=state.state, since=state.since or report.valid_until, cause=state.cause)
        _put(connection, [silent])
        _state_change(connection, silent, source=_KEEPER)
        expired.append(report.camera)
    if expired:
        log.warning("sites.states_expired", cameras=len(expired))
    return expired


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


def _check_known(connection: Connection, wanted: Iterable[CameraId]) -> None:
    names = list(wanted)
    there = set(connection.execute(sa.select(cameras.c.id).where(cameras.c.id.in_(names))).scalars())
    missing = [name for name in names if name not in there]
    if missing:
        raise NotFound(f"the registry has no camera {missing[0]}", code="sites.no_camera", cameras=missing[:20])


def _locked(connection: Connection, wanted: Iterable[CameraId]) -> Mapping[CameraId, StateReport]:
    """The reports that are there, their rows locked in the order of their ids until the transaction ends."""
    statement = (
        sa.select(camera_states)
        .where(camera_states.c.camera_id.in_(list(wanted)))
        .order_by(camera_states.c.camera_id)
        .with_for_update()
    )
    return {CameraId(row["camera_id"]): report_of(row) for row in connection.execute(statement).mappings()}


def _put(connection: Connection, reports: Sequence[StateReport]) -> None:
    if not reports:
        return
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(camera_states)
    fresh = {column.name: statement.excluded[column.name] for column in camera_states.c if column.name != "camera_id"}
    statement = statement.on_conflict_do_update(index_elements=["camera_id"], set_=fresh)
    connection.execute(statement, [_values(report) for report in reports])


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


def _state_change(connection: Connection, report: StateReport, *, source: str) -> None:
    """The fact's id holds the instant of the report, so that a camera may fall into the same state twice."""
    fact = CameraStateChanged(
        camera=report.camera,
        state=report.state.value,
        since=report.since,
        cause=report.cause.value if report.cause else None,
    )
    cause = (report.camera, fact.state, fact.cause or "", to_us(report.since), to_us(report.reported_at))
    state_fact(
        connection,
        fact,
        id=fact_id(CameraStateChanged.type, *cause),
        source=source,
        time=report.since,
        subject=report.camera,
    )

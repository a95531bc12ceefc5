"""What a recorder says of its cameras to the registry: changes at once, all else every few seconds."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy.engine import Connection

from safecity.platform.errors import NotFound
from safecity.sites.model import CameraId, CameraState, StateReport
from safecity.sites.model import Cause as SiteCause
from safecity.sites.states import note_camera_states
from safecity.video.model import Cause, LinkState
from safecity.video.recorder import StreamFigures

log = structlog.get_logger()

EVERY = timedelta(seconds=3)  # a camera whose state stays the same is reported on so often
STANDS_FOR = timedelta(seconds=10)  # without another word a camera is called unknown after this

_CAUSES = {
    Cause.CAMERA: SiteCause.CAMERA,
    Cause.POWER: SiteCause.CAMERA,
    Cause.LINK: SiteCause.LINK,
    Cause.CREDENTIALS: SiteCause.CREDENTIALS,
}


def camera_reports(
    figures: Iterable[StreamFigures], *, unreadable: Iterable[CameraId], slot: str, now: datetime
) -> list[StateReport]:
    """One report for each camera from its main stream; `unreadable` are those whose sign-in cannot be opened."""
    reports = [_report(one, slot=slot, now=now) for one in figures]
    return reports + [
        StateReport(
            camera=camera,
            state=CameraState.OFFLINE,
            since=now,
            cause=SiteCause.CREDENTIALS,
            reported_by=slot,
            reported_at=now,
            valid_until=now + STANDS_FOR,
        )
        for camera in unreadable
    ]


def _report(one: StreamFigures, *, slot: str, now: datetime) -> StateReport:
    is_live = one.state.state is LinkState.LIVE
    cause = None if is_live else _CAUSES.get(one.state.cause or Cause.RECORDER, SiteCause.RECORDER)
    return StateReport(
        camera=one.key[0],
        state=CameraState(one.state.state.value),
        since=one.state.since,
        cause=cause,
        reported_by=slot,
        reported_at=now,
        valid_until=now + STANDS_FOR,
        last_frame_at=one.last_frame_at,
        bitrate_bps=one.bitrate_bps,
        fps=round(one.fps, 2),
    )


class ReportRhythm:
    """Chooses which reports are worth a row now; a hundred rows a second that say nothing new cost a lot."""

    def __init__(self) -> None:
        self._told: dict[CameraId, tuple[CameraState, SiteCause | None]] = {}
        self._all_at: datetime | None = None

    def choose(self, reports: Sequence[StateReport], *, now: datetime) -> list[StateReport]:
        """All of them where it is time, else those whose state or cause changed."""
        is_time = self._all_at is None or not timedelta(0) <= now - self._all_at < EVERY
        before, self._told = self._told, {one.camera: (one.state, one.cause) for one in reports}
        if is_time:
            self._all_at = now
            return list(reports)
        return [one for one in reports if before.get(one.camera) != (one.state, one.cause)]


def note_reports(connection: Connection, reports: Sequence[StateReport], *, now: datetime) -> None:
    """Hand the reports to the registry; when it has just dropped a camera, the next round knows it too."""
    try:
        note_camera_states(connection, reports, now=now)
    except NotFound as problem:
        log.info("video.reports_refused", problem=problem.message)

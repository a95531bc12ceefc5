"""How the system is: two numbers for everybody, all of it for those who keep it running."""

import json
import shutil
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from fastapi import APIRouter, Request

from safecity.analytics.store import AnalyserStatus, list_analyser_statuses
from safecity.api.backup_health import read_backup_health
from safecity.api.copy_routes import list_copy_targets
from safecity.api.parts import WebParts
from safecity.api.recordings import Recordings, Today
from safecity.api.sessions import get_session
from safecity.api.wire import (
    AnalyserHealth,
    CameraCount,
    CameraHealth,
    DatabaseHealth,
    DiskHealth,
    GatewayHealth,
    HealthDetail,
    HealthView,
    RecorderHealth,
    StoreHealth,
    VolumeHealth,
)
from safecity.sites.model import CameraState
from safecity.sites.service import CameraStatus
from safecity.video.check_store import read_check_state
from safecity.video.store import RecorderStatus
from safecity.video.totals import RecordingTotals
from safecity.video.volume_store import VolumeStatus, list_volume_statuses

STARTS_WITHIN = timedelta(seconds=60)
ANALYSER_HOLDS = timedelta(seconds=8)


def health_router(parts: WebParts, recordings: Recordings) -> APIRouter:
    """`/api/health` and its detail."""
    router = APIRouter(prefix="/api/health", tags=["health"])

    @router.get("")
    def health() -> HealthView:  # pyright: ignore[reportUnusedFunction]
        """Whether the system works; needs no sign-in and tells nothing secret."""
        listed = parts.sites.camera_states().values()
        live = sum(1 for item in listed if item.state is CameraState.LIVE)
        totals = recordings.totals()
        is_starting = parts.clock.now() - parts.started_at < STARTS_WITHIN
        return HealthView(
            status="ok" if listed and live == len(listed) else "starting" if is_starting else "degraded",
            cameras=CameraCount(total=len(listed), live=live),
            recorded_s=round(totals.recorded_s, 1),
            segments=totals.segments,
        )

    @router.get("/detail")
    def health_detail(request: Request) -> HealthDetail:  # pyright: ignore[reportUnusedFunction]
        """Cameras, recorders, disk, gateway and database in detail."""
        listed = parts.sites.list_health(get_session(parts.oversight, request).actor)
        today = recordings.today([item.camera for item in listed])
        processes = read_json(parts.run_dir / "processes.json")
        viewers = read_json(parts.run_dir / "gateway-status.json").get("viewers")
        return HealthDetail(
            cameras=tuple(render_camera_health(item, today=today) for item in listed),
            recorders=tuple(render_recorder(one, fresh, processes=processes) for one, fresh in recordings.recorders()),
            analysers=list_analysers(parts, processes=processes),
            unexplained_s=recordings.unexplained_s(),
            disk=render_disk(parts, recordings.totals()),
            copies=list_copy_targets(parts),
            store=render_store(parts),
            gateway=GatewayHealth(viewers=viewers if isinstance(viewers, int) else None),
            database=DatabaseHealth(kind="sqlite" if parts.database.is_sqlite else "postgresql", ok=True),
            backup=read_backup_health(parts),
        )

    return router


def read_json(path: Path) -> Mapping[str, object]:
    """A small status file of a neighbour process; empty when it is not there or half-way."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def render_camera_health(item: CameraStatus, *, today: Today) -> CameraHealth:
    """One row of the cameras table."""
    return CameraHealth(
        id=item.camera,
        state=item.state.value,
        since=item.since,
        cause=item.cause,
        bitrate_bps=item.bitrate_bps,
        fps=item.fps,
        last_frame_at=item.last_frame_at,
        recorded_today_s=round(today.recorded_s.get(item.camera, 0.0), 1),
        missing_today_s=round(today.missing_s.get(item.camera, 0.0), 1),
    )


def render_recorder(one: RecorderStatus, is_reporting: bool, *, processes: Mapping[str, object]) -> RecorderHealth:
    """One row of the recorders table; restarts are the supervisor's count."""
    entry = processes.get(one.slot)
    restarts = entry.get("restarts", 0) if isinstance(entry, dict) else 0
    numbers = {name: value for name, value in one.status.items() if isinstance(value, int)}
    return RecorderHealth(
        slot=one.slot,
        pid=one.pid,
        cameras=numbers.get("cameras", 0),
        since=one.started_at,
        restarts=restarts,
        dropped_packets=numbers.get("dropped_packets", 0),
        mailbox_depth=numbers.get("mailbox_depth", 0),
        is_reporting=is_reporting,
    )


def list_analysers(parts: WebParts, *, processes: Mapping[str, object]) -> tuple[AnalyserHealth, ...]:
    """The analysers table; one that says nothing is told as it was, and that it is silent."""
    now = parts.clock.now()
    with parts.database.read() as connection:
        found = list_analyser_statuses(connection)
    return tuple(render_analyser(one, now - one.seen_at <= ANALYSER_HOLDS, processes=processes) for one in found)


def render_analyser(one: AnalyserStatus, is_reporting: bool, *, processes: Mapping[str, object]) -> AnalyserHealth:
    """One row of the analysers table; restarts are the supervisor's count."""
    entry = processes.get(one.slot)
    restarts = entry.get("restarts", 0) if isinstance(entry, dict) else 0
    numbers = {name: value for name, value in one.status.items() if isinstance(value, int)}
    delay = one.status.get("delay_s")
    return AnalyserHealth(
        slot=one.slot,
        pid=one.pid,
        model=str(one.status.get("model", "")),
        cameras=numbers.get("cameras", 0),
        active=numbers.get("active", 0),
        delay_s=float(delay) if isinstance(delay, int | float) else 0.0,
        dropped_frames=numbers.get("dropped_frames", 0) + numbers.get("lost_packets", 0),
        since=one.started_at,
        restarts=restarts,
        is_reporting=is_reporting,
    )


def render_store(parts: WebParts) -> StoreHealth:
    """How the slow check of all recordings stands."""
    with parts.database.read() as connection:
        found = read_check_state(connection)
    return StoreHealth(
        days=found.days,
        oldest_checked_at=found.oldest_checked_at,
        newest_checked_at=found.newest_checked_at,
        findings={kind.value: count for kind, count in sorted(found.findings.items())},
    )


def render_disk(parts: WebParts, totals: RecordingTotals) -> DiskHealth:
    """Where recordings go: used, allowed, free."""
    with parts.database.read() as connection:
        volumes = list_volume_statuses(connection)
    written = [one for one in volumes if one.is_recorded_on]
    video = parts.settings.video
    free = sum(one.free_bytes for one in written)
    if not written:
        free = shutil.disk_usage(parts.settings.platform.data_dir).free
    room = free + totals.size_bytes - int(video.reserve_gb * 1e9) * max(1, len(written))
    budget = room if video.disk_gb is None else min(room, int(video.disk_gb * 1e9))
    return DiskHealth(
        used_bytes=totals.size_bytes,
        budget_bytes=max(0, budget),
        free_bytes=free,
        oldest=totals.oldest_at,
        volumes=tuple(render_volume(one) for one in volumes),
    )


def render_volume(one: VolumeStatus) -> VolumeHealth:
    """One row of the list of disks."""
    return VolumeHealth(
        id=one.id,
        directory=one.directory,
        state=one.state.value,
        since=one.since,
        recorded_on=one.is_recorded_on,
        free_bytes=one.free_bytes,
        total_bytes=one.total_bytes,
        used_bytes=one.used_bytes,
        held_bytes=one.held_bytes,
        hours_left=one.hours_left,
        held_full=one.is_held_full,
    )

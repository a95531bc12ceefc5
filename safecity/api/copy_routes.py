"""How the second copies are, for the health page; and their drills, for everybody."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import cast

from fastapi import APIRouter

from safecity.api.parts import WebParts
from safecity.api.wire import CopyTargetHealth, DrillView
from safecity.api.wire_copies import PublicDrill, PublicDrills
from safecity.platform.clock import parse_iso
from safecity.video.copies import store
from safecity.video.copies.drill import EVERY
from safecity.video.copies.model import Target, list_targets
from safecity.video.copies.store import Drill, TargetStatus

REPORTS_WITHIN = timedelta(seconds=30)
PUBLISHED = 400


def drills_router(parts: WebParts) -> APIRouter:
    """`/api/public/drills`."""
    router = APIRouter(prefix="/api/public", tags=["public"])

    @router.get("/drills")
    def drills() -> PublicDrills:  # pyright: ignore[reportUnusedFunction]
        """The daily restore drills of the second copies: how many were fetched back, and how many were right."""
        with parts.database.read() as connection:
            found = [one for one in store.list_drills(connection, limit=PUBLISHED) if one.is_standing]
        return PublicDrills(
            every_h=EVERY / timedelta(hours=1),
            drills=tuple(
                PublicDrill(
                    place=one.target,
                    ended_at=one.ended_at,
                    tried=one.tried,
                    good=one.good,
                    bad=one.bad,
                    unreached=one.unreached,
                )
                for one in found
            ),
        )

    return router


def list_copy_targets(parts: WebParts) -> tuple[CopyTargetHealth, ...]:
    """Every place of the settings, with its last word and its last drill."""
    targets = list_targets(parts.settings.video)
    if not targets:
        return ()
    now = parts.clock.now()
    with parts.database.read() as connection:
        known = {one.name: one for one in store.list_target_statuses(connection)}
        drills = {one.name: store.list_drills(connection, target=one.name, limit=1) for one in targets}
    return tuple(render(one, known.get(one.name), drills=drills[one.name], now=now) for one in targets)


def render(target: Target, known: TargetStatus | None, *, drills: list[Drill], now: datetime) -> CopyTargetHealth:
    """One place."""
    status: Mapping[str, object] = {} if known is None else known.status
    oldest = status.get("oldest_waiting_at")
    return CopyTargetHealth(
        name=target.name,
        kind=target.kind,
        policy=target.policy.value,
        state="unknown" if known is None else known.state.value,
        since=None if known is None else known.since,
        detail="not_started" if known is None else known.detail,
        copies=_count(status, "copies"),
        bad=_count(status, "bad"),
        waiting=_count(status, "waiting"),
        waiting_bytes=_count(status, "waiting_bytes"),
        oldest_waiting_at=parse_iso(oldest) if isinstance(oldest, str) else None,
        lag_p50_s=_seconds(status, "lag_p50_s"),
        lag_p99_s=_seconds(status, "lag_p99_s"),
        protected_lag_p99_s=_seconds(status, "protected_lag_p99_s"),
        rate_bps=float(_count(status, "rate_bps")),
        is_reporting=known is not None and now - known.seen_at <= REPORTS_WITHIN,
        last_drill=render_drill(drills[0]) if drills else None,
    )


def render_drill(one: Drill) -> DrillView:
    """A drill without what it found bad: that is for those who keep the copies."""
    return DrillView(ended_at=one.ended_at, tried=one.tried, good=one.good, bad=one.bad, unreached=one.unreached)


def _count(status: Mapping[str, object], name: str) -> int:
    found = status.get(name, 0)
    return found if isinstance(found, int) else 0


def _seconds(status: Mapping[str, object], name: str) -> float | None:
    found = status.get(name)
    return float(cast(float, found)) if isinstance(found, int | float) else None

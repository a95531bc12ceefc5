"""Which cameras an analyser works on: leases on those on whose picture something is drawn."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from safecity.analytics import store
from safecity.analytics.live_camera import Assignment
from safecity.analytics.store import StoredScene
from safecity.platform.leases import claim, list_leases
from safecity.platform.settings import AnalyticsSettings
from safecity.sites.model import CameraId
from safecity.sites.tables import cameras
from safecity.video.claims import fair_share
from safecity.video.model import Stream

TERM = timedelta(seconds=5)
TAKE_OVER_AFTER = timedelta(seconds=8)  # cameras that nobody holds for so long are taken beyond the fair share
PREFIX = "analysis:"


class AnalysisClaims:
    """Renews this slot's leases and reads the scenes that have changed."""

    def __init__(self, settings: AnalyticsSettings, *, slot: str) -> None:
        self.slot = slot
        self._settings = settings
        self._orphans_since: datetime | None = None
        self._scenes: dict[CameraId, StoredScene] = {}

    def renew(self, connection: Connection, *, now: datetime) -> Sequence[Assignment]:
        """Claim and renew in the caller's write transaction; the cameras held now, with what is drawn on them."""
        has_sub = self._read(connection)
        drawn = [camera for camera in sorted(has_sub) if _has_work(self._scenes.get(camera))]
        mine = self._claim(connection, drawn, now)
        return [
            Assignment(
                key=(camera, Stream.SUB if has_sub[camera] else Stream.MAIN),
                drawn=self._scenes[camera],
            )
            for camera in mine
        ]

    def _read(self, connection: Connection) -> dict[CameraId, bool]:
        """Whether each camera in use has a sub-stream; renews the scenes whose version has changed."""
        in_use = sa.select(cameras.c.id, cameras.c.sub_url.is_not(None).label("has_sub"))
        rows = connection.execute(in_use.where(cameras.c.retired_at.is_(None)))
        has_sub = {CameraId(row.id): bool(row.has_sub) for row in rows}
        versions = store.list_versions(connection)
        for camera in self._scenes.keys() - versions.keys():
            del self._scenes[camera]
        for camera, version in versions.items():
            known = self._scenes.get(camera)
            if known is None or known.version != version:
                found = store.find_scene(connection, camera)
                if found is not None:
                    self._scenes[camera] = found
        return has_sub

    def _claim(self, connection: Connection, wanted: Sequence[CameraId], now: datetime) -> list[CameraId]:
        names = [PREFIX + camera for camera in wanted]
        most = self._settings.cameras_per_analyser
        share = fair_share(len(names), recorders=max(1, self._settings.analysers), most=most)
        held = list_leases(connection, prefix=PREFIX)
        orphans = set(names) - {name for name, _, expires_at in held if expires_at > now}
        already = sum(holder == self.slot for _, holder, _ in held)
        if len(orphans) <= max(0, share - already):
            self._orphans_since = None
        elif self._orphans_since is None:
            self._orphans_since = now
        elif now - self._orphans_since >= TAKE_OVER_AFTER:
            share = most
        limit = max(share, min(already, most))
        taken = claim(connection, names, holder=self.slot, now=now, term=TERM, limit=limit)
        return [CameraId(name.removeprefix(PREFIX)) for name in taken]


def _has_work(drawn: StoredScene | None) -> bool:
    return drawn is not None and bool(drawn.scene.lines or drawn.scene.rules)

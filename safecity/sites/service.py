"""What people may ask of the registry and do to it; every method asks oversight first.

Lists that a page polls leave no leaf for each time; a refusal and a change always leave one. Recorders and the
keeper use `states` and `sources` instead: they act for nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from safecity.oversight.model import Act, Actor, Resource
from safecity.oversight.service import Oversight
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.errors import NotFound
from safecity.platform.secrets import SecretBox
from safecity.sites import store
from safecity.sites.city_check import OnProgress
from safecity.sites.city_file import CityFile
from safecity.sites.importing import Importer, ImportOptions, ImportReport
from safecity.sites.map import map_features
from safecity.sites.model import Camera, CameraId, EffectiveState, Line, Site, SiteId, Zone, effective_state
from safecity.sites.states import find_report, read_reports


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteWithCameras:
    """A site and the cameras in use at it."""

    site: Site
    cameras: tuple[CameraId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraNow:
    """A camera with what may be said of it now."""

    camera: Camera
    state: EffectiveState


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraDetail:
    """A camera with its state and what is drawn on its picture; `streams` names the streams it has."""

    camera: Camera
    state: EffectiveState
    zones: tuple[Zone, ...]
    lines: tuple[Line, ...]
    streams: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraHealth:
    """What a technician looks at; the figures are None once the report they came with no longer stands."""

    camera: CameraId
    state: EffectiveState
    bitrate_bps: int | None
    fps: float | None
    last_frame_at: datetime | None
    reported_by: str | None


class Sites:
    """The registry as people use it."""

    def __init__(self, database: Database, *, oversight: Oversight, clock: Clock, box: SecretBox) -> None:
        self._database = database
        self._oversight = oversight
        self._clock = clock
        self._box = box

    def list_sites(self, actor: Actor) -> list[SiteWithCameras]:
        """Every site in use with its cameras. Raises Denied."""
        self._ask(actor, Act.LIST_CAMERAS)
        with self._database.read() as connection:
            sites, cameras = store.list_sites(connection), store.list_cameras(connection)
        at: dict[SiteId, list[CameraId]] = {}
        for camera in cameras:
            at.setdefault(camera.site, []).append(camera.id)
        return [SiteWithCameras(site=site, cameras=tuple(at.get(site.id, ()))) for site in sites]

    def list_cameras(self, actor: Actor) -> list[CameraNow]:
        """Every camera in use with its state. Raises Denied."""
        self._ask(actor, Act.LIST_CAMERAS)
        with self._database.read() as connection:
            return self.cameras_now(connection)

    def cameras_now(self, connection: Connection) -> list[CameraNow]:
        """Every camera in use with its state, in the caller's transaction: for a state that goes with a cursor.

        The caller has asked oversight.
        """
        cameras, reports = store.list_cameras(connection), read_reports(connection)
        now = self._clock.now()
        return [CameraNow(camera=c, state=effective_state(reports.get(c.id), now=now)) for c in cameras]

    def get_camera(self, actor: Actor, camera: CameraId) -> CameraDetail:
        """One camera, retired ones too since their recordings remain. Raises Denied and NotFound."""
        self._ask(actor, Act.LIST_CAMERAS)
        with self._database.read() as connection:
            found = store.find_camera(connection, camera)
            if found is None:
                raise NotFound(f"the registry has no camera {camera}", code="sites.no_camera")
            zones, lines = store.list_drawings(connection, camera)
            report = find_report(connection, camera)
        return CameraDetail(
            camera=found,
            state=effective_state(report, now=self._clock.now()),
            zones=tuple(zones),
            lines=tuple(lines),
            streams=("main", "sub") if found.sub_url else ("main",),
        )

    def list_health(self, actor: Actor) -> list[CameraHealth]:
        """The health of every camera in use. Raises Denied."""
        self._ask(actor, Act.VIEW_HEALTH)
        with self._database.read() as connection:
            cameras, reports = store.list_cameras(connection), read_reports(connection)
        now = self._clock.now()
        health: list[CameraHealth] = []
        for camera in cameras:
            report = reports.get(camera.id)
            stands = report is not None and now < report.valid_until
            health.append(
                CameraHealth(
                    camera=camera.id,
                    state=effective_state(report, now=now),
                    bitrate_bps=report.bitrate_bps if report and stands else None,
                    fps=report.fps if report and stands else None,
                    last_frame_at=report.last_frame_at if report else None,
                    reported_by=report.reported_by if report else None,
                )
            )
        return health

    def map_features(self, actor: Actor) -> dict[str, object]:
        """The map under the cameras as GeoJSON, with the note that must be shown on it. Raises Denied."""
        self._ask(actor, Act.LIST_CAMERAS)
        with self._database.read() as connection:
            return map_features(store.read_city(connection))

    def import_city(
        self,
        file: CityFile,
        *,
        actor: Actor | None,
        options: ImportOptions | None = None,
        on_progress: OnProgress | None = None,
    ) -> ImportReport:
        """Put a city file into the registry, all or nothing; the leaf is committed with it.

        `actor` is None for whoever runs the command on the machine itself, who holds the database and its key
        anyway; the leaf then says so. Raises Denied, and Invalid with every bad row.
        """
        options = options or ImportOptions()
        with self._database.begin() as connection:
            if actor is not None:
                self._oversight.permit(actor, Act.MANAGE_SITES, Resource.city(), connection=connection)
            importer = Importer(connection=connection, box=self._box, now=self._clock.now(), options=options)
            report = importer.run(file, on_progress=on_progress)
            if not options.check_only:
                self._oversight.note(connection, type="city_imported", body=_leaf(report), actor=actor)
        return report

    def _ask(self, actor: Actor, act: Act) -> None:
        """Raise Denied, with the refusal written down, unless the actor may."""
        if not self._oversight.allowed(actor, act):
            self._oversight.permit(actor, act, Resource.city())


def _leaf(report: ImportReport) -> dict[str, object]:
    total = report.total()
    return {"added": total.added, "changed": total.changed, "retired": total.retired, "rows": report.rows}


def list_active_cameras(connection: Connection) -> Sequence[Camera]:
    """The cameras that recorders should hold; for recorders, the keeper and the health summary."""
    return store.list_cameras(connection)

"""What people may ask of the registry and do to it; every method asks oversight first.

Lists that a page polls leave no leaf for each time; a refusal and a change always leave one. Recorders and the
keeper use `states` and `sources` instead: they act for nobody.
"""

from collections.abc import Callable, Mapping, Sequence
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
from safecity.sites.city_file import CityFile, city_of_geojson
from safecity.sites.importing import Importer, ImportOptions, ImportReport, examine
from safecity.sites.map import map_features
from safecity.sites.model import (
    Camera,
    CameraId,
    CameraState,
    Cause,
    EffectiveState,
    Line,
    Site,
    SiteId,
    StateReport,
    Zone,
    effective_state,
)
from safecity.sites.states import find_report, read_reports
from safecity.sites.tables import cameras


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
class CameraStatus:
    """What may be said of a camera now, with the figures of its last report; they are None once that has expired."""

    camera: CameraId
    state: CameraState
    since: datetime | None
    cause: Cause | None
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
        self._oversight.require(actor, Act.LIST_CAMERAS, Resource.city())
        with self._database.read() as connection:
            sites, listed = store.list_sites(connection), store.list_cameras(connection)
        at: dict[SiteId, list[CameraId]] = {}
        for camera in listed:
            at.setdefault(camera.site, []).append(camera.id)
        return [SiteWithCameras(site=site, cameras=tuple(at.get(site.id, ()))) for site in sites]

    def list_cameras(self, actor: Actor) -> list[CameraNow]:
        """Every camera in use with its state. Raises Denied."""
        self._oversight.require(actor, Act.LIST_CAMERAS, Resource.city())
        with self._database.read() as connection:
            listed, reports = store.list_cameras(connection), read_reports(connection)
        now = self._clock.now()
        return [CameraNow(camera=c, state=effective_state(reports.get(c.id), now=now)) for c in listed]

    def get_camera(self, actor: Actor, camera: CameraId) -> CameraDetail:
        """One camera, retired ones too since their recordings remain. Raises Denied and NotFound."""
        self._oversight.require(actor, Act.LIST_CAMERAS, Resource.city())
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

    def get_site(self, actor: Actor, site: SiteId) -> SiteWithCameras:
        """One site in use with its cameras. Raises Denied and NotFound."""
        found = next((one for one in self.list_sites(actor) if one.site.id == site), None)
        if found is None:
            raise NotFound(f"the registry has no site {site} in use", code="sites.no_site")
        return found

    def list_health(self, actor: Actor) -> list[CameraStatus]:
        """The health of every camera in use. Raises Denied."""
        self._oversight.require(actor, Act.VIEW_HEALTH, Resource.city())
        return list(self.camera_states().values())

    def camera_states(self, connection: Connection | None = None) -> dict[CameraId, CameraStatus]:
        """What may be said of every camera in use, for a caller that has asked oversight or shows totals only.

        With a connection it is what that transaction sees, so that it goes with a cursor of the facts.
        """
        if connection is None:
            with self._database.read() as own:
                return self.camera_states(own)
        reports = read_reports(connection)
        now = self._clock.now()
        return {
            CameraId(camera): _status(CameraId(camera), reports.get(CameraId(camera)), now=now)
            for camera in store.list_active_ids(connection, cameras)
        }

    def map_features(self, actor: Actor) -> dict[str, object]:
        """The map under the cameras as GeoJSON, with the note that must be shown on it. Raises Denied."""
        self._oversight.require(actor, Act.LIST_CAMERAS, Resource.city())
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
        """Put a city file into the registry, all or nothing; the leaf of what changed is committed with it.

        `actor` is None for whoever runs the command on the machine itself, who holds the database and its key
        anyway; the leaf then says so. Raises Denied, and Invalid with every bad row.
        """
        options = options or ImportOptions()
        if actor is not None:
            self._oversight.permit(actor, Act.MANAGE_SITES, Resource.city())
        with self._database.read() as connection:
            examined = examine(connection, file, on_progress=on_progress)
        with self._database.begin() as connection:
            importer = Importer(connection=connection, box=self._box, now=self._clock.now(), options=options)
            report = importer.write(examined)
            if not options.check_only:
                self._oversight.note(connection, type="city_imported", body=_leaf(report), actor=actor)
                importer.announce(report)
        return report

    def import_city_document(
        self,
        document: Mapping[str, object],
        *,
        retire_missing: bool = False,
        progress: Callable[[float], None] | None = None,
    ) -> ImportReport:
        """Import a GeoJSON document that is in memory, as the machine itself; `progress` hears 0 to 1."""

        def tell(done: int, total: int) -> None:
            if progress is not None:
                progress(done / total)

        options = ImportOptions(retire_missing=retire_missing)
        return self.import_city(city_of_geojson(document), actor=None, options=options, on_progress=tell)


def _leaf(report: ImportReport) -> dict[str, object]:
    total = report.total()
    return {"added": total.added, "changed": total.changed, "retired": total.retired, "rows": report.rows}


def _status(camera: CameraId, report: StateReport | None, *, now: datetime) -> CameraStatus:
    state = effective_state(report, now=now)
    stands = report if report is not None and now < report.valid_until else None
    return CameraStatus(
        camera=camera,
        state=state.state,
        since=state.since,
        cause=state.cause,
        bitrate_bps=stands.bitrate_bps if stands else None,
        fps=stands.fps if stands else None,
        last_frame_at=report.last_frame_at if report else None,
        reported_by=report.reported_by if report else None,
    )


def list_active_cameras(connection: Connection) -> Sequence[Camera]:
    """The cameras that recorders should hold; for recorders, the keeper and the health summary."""
    return store.list_cameras(connection)

"""How an incident begins: from a confirmed alert, or reported by a person."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from safecity.events.incidents import Person
from safecity.incidents.incident import MANUAL_CLIP_BEFORE, SCOPE_BEFORE, Incident, Near, near
from safecity.incidents.model import Alert, IncidentId, Limits
from safecity.oversight.model import PurposeId, PurposeScope
from safecity.platform.errors import Invalid, NotFound
from safecity.platform.geometry import LonLat
from safecity.platform.settings import IncidentsSettings
from safecity.sites import store as sites_store
from safecity.sites.model import Camera, CameraId
from safecity.sites.service import list_active_cameras

CAMERAS_MOST = 64
"""Cameras that belong to one incident at most, the nearest: a leaf names them all."""
_NONE_YET = PurposeId("")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReport:
    """An incident that a person reports: by phone, or seen on the wall; placed by a camera or by a position."""

    title: str
    priority: int = 2
    camera: str | None = None
    position: LonLat | None = None
    note: str = ""


def limits_of(settings: IncidentsSettings) -> Limits:
    """The settings as the model's limits."""

    def three(times_s: tuple[float, float, float]) -> tuple[timedelta, timedelta, timedelta]:
        first, second, third = (timedelta(seconds=one_s) for one_s in times_s)
        return first, second, third

    return Limits(
        merge=timedelta(seconds=settings.merge_s),
        offer=three(settings.offer_s),
        escalate=three(settings.escalate_s),
        act=three(settings.act_s),
    )


def from_alert(alert: Alert, *, id: IncidentId, owner: Person, now: datetime) -> Incident:  # noqa: A002 - the incident's own word
    """The incident that a confirmed alert opens, not yet numbered."""
    return Incident(
        id=id,
        year=0,
        running=0,
        version=1,
        stage="new",
        kind=alert.kind,
        priority=alert.priority,
        title=alert.title,
        title_ur=alert.title_ur,
        camera=alert.camera,
        position=alert.position,
        first_at=alert.first_at,
        opened_at=now,
        owner=owner,
        clip_from=alert.clip_from,
        clip_to=alert.clip_to,
        picture_at=alert.picture_at,
        box=alert.box,
        alerts=1,
        units=0,
        purpose=_NONE_YET,
    )


def from_report(
    connection: Connection,
    report: NewReport,
    *,
    id: IncidentId,  # noqa: A002 - the incident's own word
    owner: Person,
    now: datetime,
) -> Incident:
    """The incident that a person reports, not yet numbered; its clip begins a little before the report.

    Raises Invalid without any place and NotFound for a camera that the registry does not know.
    """
    camera = None if report.camera is None else get_camera(connection, report.camera)
    position = report.position or (camera.position if camera else None)
    if position is None:
        raise Invalid("Say where it is: choose a camera or a place on the map.", code="incidents.no_place")
    return Incident(
        id=id,
        year=0,
        running=0,
        version=1,
        stage="new",
        kind="manual",
        priority=report.priority,
        title=report.title,
        title_ur=report.title,
        camera=report.camera,
        position=position,
        first_at=now,
        opened_at=now,
        owner=owner,
        clip_from=now - MANUAL_CLIP_BEFORE,
        clip_to=now,
        picture_at=now,
        box=None,
        alerts=0,
        units=0,
        purpose=_NONE_YET,
    )


def get_camera(connection: Connection, camera: str) -> Camera:
    """A camera of the registry, retired ones too. Raises NotFound."""
    found = sites_store.find_camera(connection, CameraId(camera))
    if found is None:
        raise NotFound(f"the registry has no camera {camera}", code="sites.no_camera")
    return found


def near_cameras(connection: Connection, incident: Incident, *, within_m: float) -> list[Near]:
    """The cameras in use around an incident and its own one (a retired one too), nearest first, at most 64."""
    places = {str(camera.id): camera.position for camera in list_active_cameras(connection)}
    if incident.camera is not None and incident.camera not in places:
        own = sites_store.find_camera(connection, CameraId(incident.camera))
        places.update({incident.camera: own.position} if own else {})
    found = near(incident, places.items(), within_m=within_m)
    first = [item for item in found if item.camera == incident.camera]
    rest = [item for item in found if item.camera != incident.camera][: CAMERAS_MOST - len(first)]
    return sorted([*first, *rest], key=lambda item: (item.distance_m, item.camera))


def scope_of(connection: Connection, incident: Incident, *, within_m: float) -> list[PurposeScope]:
    """The recordings that an incident is about: the cameras around it from an hour before, without an end."""
    from_at = incident.first_at - SCOPE_BEFORE
    cameras = near_cameras(connection, incident, within_m=within_m)
    return [PurposeScope(camera=item.camera, from_at=from_at, to_at=incident.closed_at) for item in cameras]

"""Scenes as people use them: look at what is drawn on a camera's picture, draw it anew, read what was counted."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from safecity.analytics import store
from safecity.analytics.scene import Crowd, LineCrossing, Scene, StoppedVehicle, WrongWay, ZoneEntry
from safecity.analytics.store import StoredScene, Totals
from safecity.oversight.model import Act, Actor, Resource
from safecity.oversight.service import Oversight
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.errors import Conflict, Invalid, NotFound
from safecity.sites.model import CameraId
from safecity.sites.store import find_camera

UNDRAWN_SIZE_PX = (640, 360)  # of a camera on which nothing is drawn yet
MAX_INTERVAL = timedelta(days=92)


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneChange:
    """A scene in pixels of a picture of that size, drawn upon the version that was seen."""

    width_px: int
    height_px: int
    version: int
    scene: Scene


def list_faults(scene: Scene) -> Iterator[str]:
    """What is wrong with a scene beyond its form: names given twice, rules about what is not drawn."""
    for kind, names in (
        ("line", [one.name for one in scene.lines]),
        ("zone", [one.name for one in scene.zones]),
        ("rule", [one.name for one in scene.rules]),
    ):
        yield from (f"the {kind} {name!r} is there twice" for name, times in Counter(names).items() if times > 1)
    lines, zones = {one.name for one in scene.lines}, {one.name for one in scene.zones}
    for rule in scene.rules:
        line = rule.line if isinstance(rule, LineCrossing | WrongWay) else None
        zone = rule.zone if isinstance(rule, ZoneEntry | StoppedVehicle | WrongWay | Crowd) else None
        if line is not None and line not in lines:
            yield f"the rule {rule.name!r} is about a line {line!r} that is not drawn"
        if zone is not None and zone not in zones:
            yield f"the rule {rule.name!r} is about a zone {zone!r} that is not drawn"
        if isinstance(rule, WrongWay) and line is None and rule.arrow is None:
            yield f"the rule {rule.name!r} needs a line or an arrow that says which way is right"


def require_sound(scene: Scene) -> None:
    """Raises Invalid that names every fault."""
    faults = list(list_faults(scene))
    if faults:
        raise Invalid(f"the scene cannot be used: {'; '.join(faults)}", code="scenes.faults", faults=faults)


class Scenes:
    """The scenes of all cameras. Safe to share between threads."""

    def __init__(self, database: Database, *, oversight: Oversight, clock: Clock) -> None:
        self._database = database
        self._oversight = oversight
        self._clock = clock

    def get_scene(self, actor: Actor, camera: CameraId) -> StoredScene:
        """What is drawn on a camera's picture, or an empty scene of version 0. Raises Denied, NotFound."""
        self._oversight.require(actor, Act.LIST_CAMERAS, Resource.city())
        with self._database.read() as connection:
            return self._read(connection, camera)

    def set_scene(self, actor: Actor, camera: CameraId, *, change: SceneChange) -> StoredScene:
        """Replace a camera's scene; analysers take it up within seconds.

        Raises Denied, NotFound, Invalid for a scene with faults, Conflict when it was changed since it was seen.
        """
        with self._database.begin() as connection:
            detail = {"scene_version": change.version + 1}
            self._oversight.permit(
                actor, Act.MANAGE_RULES, Resource.camera(camera), connection=connection, detail=detail
            )
            require_sound(change.scene)
            present = self._read(connection, camera)
            if present.version != change.version:
                who = present.changed_by or "the command line"
                raise Conflict(
                    f"{who} has changed this scene since you opened it; load it again, then draw",
                    code="scenes.changed",
                    version=present.version,
                )
            return self._write(connection, camera, change=change, actor=actor)

    def ensure_scene(self, connection: Connection, camera: CameraId, *, change: SceneChange) -> StoredScene:
        """Draw a scene without an actor: the demo and the command line. The same scene again changes nothing.

        `change.version` is not asked. The connection is one of `Database.begin`. Raises NotFound, Invalid.
        """
        require_sound(change.scene)
        present = self._read(connection, camera)
        is_same = (present.width_px, present.height_px) == (change.width_px, change.height_px)
        if present.version and is_same and present.scene == change.scene:
            return present
        renewed = SceneChange(
            width_px=change.width_px, height_px=change.height_px, version=present.version, scene=change.scene
        )
        return self._write(connection, camera, change=renewed, actor=None)

    def counts(self, actor: Actor, camera: CameraId, *, from_at: datetime, to_at: datetime) -> Totals:
        """What crossed each line in the minutes that began in [from_at, to_at). Raises Denied, NotFound, Invalid."""
        self._oversight.require(actor, Act.LIST_CAMERAS, Resource.city())
        if not timedelta(0) < to_at - from_at <= MAX_INTERVAL:
            raise Invalid("ask for an interval of at most 92 days, its end behind its start", code="counts.interval")
        with self._database.read() as connection:
            self._read(connection, camera)
            return store.read_totals(connection, camera, from_at=from_at, to_at=to_at)

    def show(self, camera: CameraId) -> StoredScene:
        """The scene for the person at the machine's command line. Raises NotFound."""
        with self._database.read() as connection:
            return self._read(connection, camera)

    def _read(self, connection: Connection, camera: CameraId) -> StoredScene:
        if find_camera(connection, camera) is None:
            raise NotFound(f"the registry has no camera {camera}", code="sites.no_camera")
        width_px, height_px = UNDRAWN_SIZE_PX
        return store.find_scene(connection, camera) or StoredScene(
            camera=camera,
            width_px=width_px,
            height_px=height_px,
            scene=Scene(),
            version=0,
            changed_at=None,
            changed_by=None,
        )

    def _write(
        self, connection: Connection, camera: CameraId, *, change: SceneChange, actor: Actor | None
    ) -> StoredScene:
        stored = StoredScene(
            camera=camera,
            width_px=change.width_px,
            height_px=change.height_px,
            scene=change.scene,
            version=change.version + 1,
            changed_at=self._clock.now(),
            changed_by=None if actor is None else actor.name,
        )
        body: dict[str, object] = {
            "camera": camera,
            "version": stored.version,
            "lines": len(change.scene.lines),
            "zones": len(change.scene.zones),
            "rules": [rule.name for rule in change.scene.rules],
        }
        self._oversight.note(connection, type="scene_changed", body=body, actor=actor)
        store.put_scene(connection, stored)
        return stored

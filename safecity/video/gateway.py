"""The one door to pictures: every look asks oversight first, is kept while it lasts, and is closed with a leaf.

A look belongs to the session that opened it. When that session, its shift or its role ends, the look ends within
`CHECK_EVERY_S`. Looks live in this process: a gateway that is killed forgets them (the page asks anew, which is a new
leaf), and their closing leaf is then missing; the opening one never is.
"""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, NewType

import structlog
from sqlalchemy.exc import DBAPIError

from safecity.oversight.model import Act, Actor, Permit, Resource
from safecity.oversight.service import Oversight
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.errors import Exhausted, Invalid, NotFound, Problem
from safecity.platform.ids import new_id
from safecity.platform.settings import VideoSettings
from safecity.sites.model import CameraId
from safecity.sites.store import find_camera
from safecity.video.copies.mending import Mender
from safecity.video.copies.sound import SoundFiles
from safecity.video.export import ClipExports, ExportRequest
from safecity.video.export_store import Export
from safecity.video.model import Stream, StreamKey, Timeline
from safecity.video.stills import Found, Stills
from safecity.video.store import read_timeline
from safecity.video.volumes import Volumes
from safecity.video.windows import MAX_WINDOW_S, Frames, Window, WindowReader

log = structlog.get_logger()

LookId = NewType("LookId", str)
EndReason = Literal["closed", "ended", "idle", "stopped"]

CHECK_EVERY_S = 3.0
UNCHECKED_S = 15.0  # a database that does not answer keeps looks open for so long
IDLE_LOOK_S = 300.0  # a playback without a request for so long is over
MAX_LOOKS = 4000
MAX_LOOKS_PER_SESSION = 96
MAX_PLAYBACK_S = 24 * 3600.0
MAX_WINDOWS_AT_ONCE = 6  # each may hold MAX_WINDOW_BYTES
_UNANSWERED = (Problem, DBAPIError)  # whatever the reason, the database gave no answer


@dataclass(slots=True, kw_only=True)
class Look:
    """A running look; `ended` is set by whoever ends it first."""

    id: LookId
    act: Act
    actor: Actor
    permit: Permit
    camera: CameraId
    stream: Stream
    from_at: datetime | None
    to_at: datetime | None
    began_s: float
    used_s: float
    pictures: int = 0
    requests: int = 0
    idle_after_s: float | None = None  # without a request for so long it is over; None: it has a line of its own
    end_reason: EndReason | None = None

    @property
    def key(self) -> StreamKey:
        """Which stream is looked at."""
        return self.camera, self.stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A playback look and what there is to see."""

    look: Look
    timeline: Timeline


@dataclass(slots=True, kw_only=True)
class _Book:
    """The running looks."""

    looks: dict[LookId, Look] = field(default_factory=dict[LookId, Look])
    checked_s: float = 0.0


class Gateway:
    """Opens, keeps and closes looks; synchronous, called from a thread pool, safe to share between its threads."""

    def __init__(
        self, database: Database, *, oversight: Oversight, clock: Clock, data_dir: Path, settings: VideoSettings
    ) -> None:
        self._database = database
        self._oversight = oversight
        self._clock = clock
        self._settings = settings
        volumes = Volumes.open(data_dir, settings)
        mender = Mender(database, settings, volumes=volumes, data_dir=data_dir, clock=clock)
        sound = SoundFiles(volumes, mender=mender, clock=clock)
        self._windows = WindowReader(database, volumes=volumes, sound=sound)
        self._book = _Book(checked_s=clock.monotonic_s())
        self._unsaid: deque[tuple[dict[str, object], Actor]] = deque(maxlen=MAX_LOOKS)
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(MAX_WINDOWS_AT_ONCE)
        self.stills = Stills(database, oversight=oversight, clock=clock, windows=self._windows)
        self.exports = ClipExports(database, oversight=oversight, clock=clock, data_dir=data_dir, settings=settings)

    @property
    def live_looks(self) -> int:
        """How many live looks run."""
        with self._lock:
            return self._count(Act.VIEW_LIVE)

    def open_live(
        self, actor: Actor, camera: CameraId, *, stream: Stream, rendition: str, idle_after_s: float | None = None
    ) -> Look:
        """A live look. Raises NotFound, Exhausted (too many viewers), Denied, Invalid for a rendition there is not."""
        require_clear(rendition)
        stream = self._existing_stream(camera, stream)
        self._require_room(actor, live=True)
        detail = {"stream": stream.value, "rendition": rendition}
        permit = self._oversight.permit(actor, Act.VIEW_LIVE, Resource.camera(camera), detail=detail)
        look = self._keep(Act.VIEW_LIVE, actor, permit=permit, key=(camera, stream), interval=(None, None))
        look.idle_after_s = idle_after_s
        return look

    def use_live(self, actor: Actor, look_id: LookId) -> Look:
        """A live look that is fetched piece by piece, kept alive by this; raises NotFound when it is over."""
        with self._lock:
            look = self._book.looks.get(look_id)
        is_own = look is not None and look.actor.session_id == actor.session_id
        if look is None or not is_own or look.act is not Act.VIEW_LIVE or look.idle_after_s is None:
            raise NotFound("this look is over; open a new one", code="hls.look_over")
        if not self._oversight.still_stands(look.actor, look.permit):
            self.close(look, "ended")
            raise NotFound("this look is over; open a new one", code="hls.look_over")
        look.used_s = self._clock.monotonic_s()
        return look

    def note_pictures(self, look: Look, pictures: int) -> None:
        """Count what was handed out for a look."""
        with self._lock:
            look.pictures += pictures
            look.requests += 1

    def list_live(self) -> set[str]:
        """The live looks that run."""
        with self._lock:
            return {look.id for look in self._book.looks.values() if look.act is Act.VIEW_LIVE}

    def open_playback(
        self,
        actor: Actor,
        key: StreamKey,
        *,
        from_at: datetime,
        to_at: datetime,
        rendition: str,
    ) -> Opened:
        """A look at recordings, one leaf for all of its windows.

        It begins at the key frame at or before `from_at`, since nothing can be shown without it; the leaf names that
        instant. Raises Invalid, NotFound, Exhausted, Denied.
        """
        require_clear(rendition)
        now = self._clock.now()
        to_at = min(to_at, now)
        if not timedelta(0) < to_at - from_at <= timedelta(seconds=MAX_PLAYBACK_S):
            raise Invalid("ask for an interval of the past, of at most 24 hours", code="playback.interval")
        camera, stream = key
        self._existing_camera(camera)
        self._require_room(actor, live=False)
        from_at = self._windows.key_at(camera, stream, at=from_at)
        resource = Resource.camera(camera, from_at=from_at, to_at=to_at)
        permit = self._oversight.permit(
            actor, Act.VIEW_RECORDINGS, resource, detail={"rendition": rendition, "stream": stream.value}
        )
        with self._database.read() as connection:
            timeline = read_timeline(connection, camera, from_at=from_at, to_at=to_at, now=now, stream=stream)
        look = self._keep(Act.VIEW_RECORDINGS, actor, permit=permit, key=key, interval=(from_at, to_at))
        look.idle_after_s = IDLE_LOOK_S
        return Opened(look=look, timeline=timeline)

    def read_window(self, actor: Actor, look_id: LookId, *, at: datetime, seconds: float, frames: Frames) -> Window:
        """Pictures of a playback look. Raises NotFound for a look that is over (without `next`), and with `next` where
        nothing is recorded at `at`; Denied when its purpose has ended; Invalid outside of the look.
        """
        look, from_at, to_at = self._standing_look(actor, look_id, at=at)
        if not 0 < seconds <= MAX_WINDOW_S:
            raise Invalid(f"ask for at most {MAX_WINDOW_S:.0f} s", code="playback.outside_of_look")
        seconds = min(seconds, (to_at - at).total_seconds())
        if not self._turns.acquire(timeout=10):
            raise Exhausted("too many playbacks at once; try again", code="playback.busy")
        try:
            window = self._windows.read(look.camera, look.stream, at=at, seconds=seconds, frames=frames, origin=from_at)
        finally:
            self._turns.release()
        with self._lock:
            look.used_s = self._clock.monotonic_s()
            look.pictures += window.pictures
            look.requests += 1
        return window

    def find_scrub(self, actor: Actor, look_id: LookId, *, at: datetime, width_px: int) -> Found:
        """The key frame for an instant inside a playback look, to be made by `stills.make`; raises as `read_window`."""
        look, from_at, _ = self._standing_look(actor, look_id, at=at)
        found = self.stills.find_key(look.camera, at=at, not_before=from_at, width_px=width_px)
        with self._lock:
            look.used_s = self._clock.monotonic_s()
            look.pictures += 1
            look.requests += 1
        return found

    def _standing_look(self, actor: Actor, look_id: LookId, *, at: datetime) -> tuple[Look, datetime, datetime]:
        """A playback look of this session that covers an instant and still stands, with its interval."""
        look = self._own_look(actor, look_id)
        from_at, to_at = look.from_at, look.to_at
        assert from_at is not None
        assert to_at is not None
        if not from_at <= at < to_at:
            raise Invalid("this instant is outside of the look", code="playback.outside_of_look")
        if not self._oversight.still_stands(look.actor, look.permit):
            self.close(look, "ended")
            raise NotFound("this look is over; open a new one", code="playback.look_over")
        return look, from_at, to_at

    def export(self, actor: Actor, request: ExportRequest) -> Export:
        """A clip with its hash sheet (see `ClipExports.make`); raises NotFound for a camera there is not."""
        self._existing_camera(request.camera)
        return self.exports.make(actor, request)

    def close(self, look: Look, reason: EndReason) -> None:
        """End a look and write how long it was; nothing happens to one that has ended."""
        with self._lock:
            if look.end_reason is not None:
                return
            look.end_reason = reason
            self._book.looks.pop(look.id, None)
        seconds = self._clock.monotonic_s() - look.began_s
        body: dict[str, object] = {
            "look": look.id,
            "act": look.act.value,
            "leaf": look.permit.leaf_index,
            "camera": look.camera,
            "seconds": round(seconds),
            "pictures": look.pictures,
            "reason": reason,
        }
        with self._lock:
            self._unsaid.append((body, look.actor))
        self._say()

    def _say(self) -> None:
        """Write the closing leaves that wait; a database that is down delays them, and `check` tries again."""
        try:
            while True:
                with self._lock:
                    if not self._unsaid:
                        return
                    body, actor = self._unsaid.popleft()
                try:
                    with self._database.begin() as connection:
                        self._oversight.note(connection, type="look_ended", body=body, actor=actor)
                except _UNANSWERED:
                    with self._lock:
                        self._unsaid.appendleft((body, actor))
                    raise
        except _UNANSWERED as error:
            log.warning("video.look_end_delayed", waiting=len(self._unsaid), error=type(error).__name__)

    def check(self) -> Sequence[Look]:
        """End the looks whose session or purpose is over, and idle playbacks; returns the ended. Every CHECK_EVERY_S.

        A database that does not answer ends all looks after UNCHECKED_S: without an answer there is no permission.
        """
        now_s = self._clock.monotonic_s()
        with self._lock:
            looks = list(self._book.looks.values())
        standing: dict[tuple[str | None, ...], bool] = {}
        ended: list[tuple[Look, EndReason]] = []
        try:
            for look in looks:
                pair = (look.actor.session_id, look.permit.purpose_id, look.permit.shift_id)
                if pair not in standing:
                    standing[pair] = self._oversight.still_stands(look.actor, look.permit)
                if not standing[pair]:
                    ended.append((look, "ended"))
                elif look.idle_after_s is not None and now_s - look.used_s > look.idle_after_s:
                    ended.append((look, "idle"))
            self._book.checked_s = now_s
            self._say()
        except _UNANSWERED:
            if now_s - self._book.checked_s <= UNCHECKED_S:
                return []
            log.error("video.looks_unchecked", looks=len(looks))
            ended = [(look, "ended") for look in looks]
        for look, reason in ended:
            self.close(look, reason)
        return [look for look, _ in ended]

    def stop(self) -> None:
        """Close every look: the process ends."""
        with self._lock:
            looks = list(self._book.looks.values())
        for look in looks:
            self.close(look, "stopped")

    def _keep(
        self,
        act: Act,
        actor: Actor,
        *,
        permit: Permit,
        key: StreamKey,
        interval: tuple[datetime | None, datetime | None],
    ) -> Look:
        now_s = self._clock.monotonic_s()
        look = Look(
            id=LookId(new_id("lok")),
            act=act,
            actor=actor,
            permit=permit,
            camera=key[0],
            stream=key[1],
            from_at=interval[0],
            to_at=interval[1],
            began_s=now_s,
            used_s=now_s,
        )
        with self._lock:
            self._book.looks[look.id] = look
        return look

    def _own_look(self, actor: Actor, look_id: LookId) -> Look:
        with self._lock:
            look = self._book.looks.get(look_id)
        if look is None or look.act is Act.VIEW_LIVE or look.actor.session_id != actor.session_id:
            raise NotFound("this look is over; open a new one", code="playback.look_over")
        return look

    def _require_room(self, actor: Actor, *, live: bool) -> None:
        """Limits; an idle playback of the same session makes room for a new one."""
        with self._lock:
            own = [look for look in self._book.looks.values() if look.actor.session_id == actor.session_id]
            is_full = len(self._book.looks) >= MAX_LOOKS
            is_crowded = live and self._count(Act.VIEW_LIVE) >= self._settings.viewers
            played = sorted((look for look in own if look.act is not Act.VIEW_LIVE), key=lambda look: look.used_s)
        if is_full or is_crowded:
            raise Exhausted("too many viewers at this gateway; close a picture, or try later", code="gateway.full")
        if len(own) >= MAX_LOOKS_PER_SESSION:
            if not played:
                raise Exhausted("you have too many pictures open; close some", code="gateway.session_full")
            self.close(played[0], "idle")

    def _count(self, act: Act) -> int:
        return sum(1 for look in self._book.looks.values() if look.act is act)

    def _existing_camera(self, camera: CameraId) -> None:
        with self._database.read() as connection:
            if find_camera(connection, camera) is None:
                raise NotFound("there is no such camera", code="gateway.no_such_camera")

    def _existing_stream(self, camera: CameraId, stream: Stream) -> Stream:
        """The stream, or the main one where the camera has no other; raises NotFound."""
        with self._database.read() as connection:
            found = find_camera(connection, camera)
        if found is None or found.retired_at is not None:
            raise NotFound("there is no such camera", code="gateway.no_such_camera")
        return Stream.MAIN if found.sub_url is None else stream


def require_clear(rendition: str) -> None:
    """Only clear pictures exist yet; asking for others must not silently give these."""
    if rendition == "masked":
        raise Invalid("masked pictures are not made yet; ask for clear ones", code="gateway.no_masks")
    if rendition != "clear":
        raise Invalid("the rendition is clear or masked", code="gateway.rendition")

"""Which cameras a recorder holds: leases on the registry's cameras, and what is known of their streams' past."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from safecity.platform.database import Database
from safecity.platform.errors import DataLoss, NotFound
from safecity.platform.leases import claim, list_leases
from safecity.platform.secrets import SecretBox
from safecity.platform.settings import VideoSettings
from safecity.sites.model import CameraId, ReaderChoice, RecordedStreams, TransportChoice
from safecity.sites.sources import camera_source
from safecity.sites.tables import cameras
from safecity.video import store
from safecity.video.edge.sources import list_pushed
from safecity.video.handover import StreamPast
from safecity.video.model import Stream, StreamKey, StreamSource

log = structlog.get_logger()

TERM = timedelta(seconds=15)
TAKE_OVER_AFTER = timedelta(seconds=20)  # cameras that nobody holds for so long are taken beyond the fair share
NOT_A_FALSE_FUTURE = timedelta(hours=1)
_PREFIX = "camera:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """The streams to record now; `pasts` for those that were not held before."""

    sources: Sequence[StreamSource]
    pasts: Mapping[StreamKey, StreamPast]
    unreadable: frozenset[CameraId]  # cameras whose sign-in cannot be opened


def fair_share(cameras: int, *, recorders: int, most: int) -> int:
    """How many cameras one of several recorders takes at first."""
    return min(most, -(-cameras // recorders))


class Claims:
    """Renews this slot's leases and finds its streams."""

    def __init__(self, database: Database, settings: VideoSettings, *, slot: str, box: SecretBox) -> None:
        self.slot = slot
        self._database = database
        self._settings = settings
        self._box = box
        self._held: frozenset[StreamKey] = frozenset()
        self._unreadable: frozenset[CameraId] = frozenset()
        self._orphans_since: datetime | None = None
        self._sealed: dict[CameraId, tuple[object, ...]] = {}
        self._opened: dict[CameraId, list[StreamSource] | None] = {}

    def renew(self, *, now: datetime) -> Claimed:
        """Claim and renew; raises Unavailable when the database does not answer."""
        with self._database.begin() as connection:
            # Not by `sites.store`: its imports (the city file's) would cost a restarting recorder a third of a second.
            in_use = sa.select(cameras.c.id).where(cameras.c.retired_at.is_(None)).order_by(cameras.c.id)
            wanted = [CameraId(name) for name in connection.execute(in_use).scalars()]
            mine = self._claim(connection, wanted, now)
        with self._database.read() as connection:
            sources, unreadable = self._read_sources(connection, mine)
            pasts = self._read_pasts(connection, sources, now)
        self._held = frozenset((one.camera, one.stream) for one in sources)
        for camera in unreadable - self._unreadable:
            log.error("video.sign_in_unreadable", camera=camera)
        self._unreadable = unreadable
        return Claimed(sources=sources, pasts=pasts, unreadable=unreadable)

    def _claim(self, connection: Connection, wanted: list[CameraId], now: datetime) -> list[CameraId]:
        names = [_PREFIX + camera for camera in wanted]
        most = self._settings.cameras_per_recorder
        share = fair_share(len(wanted), recorders=self._settings.recorders, most=most)
        held = list_leases(connection, prefix=_PREFIX)
        orphans = set(names) - {name for name, _, expires_at in held if expires_at > now}
        already = sum(holder == self.slot for _, holder, _ in held)
        if len(orphans) <= max(0, share - already):
            self._orphans_since = None
        elif self._orphans_since is None:
            self._orphans_since = now
        elif now - self._orphans_since >= TAKE_OVER_AFTER:
            share = most
        taken = claim(connection, names, holder=self.slot, now=now, term=TERM, limit=max(share, min(already, most)))
        return [CameraId(name.removeprefix(_PREFIX)) for name in taken]

    def _read_sources(
        self, connection: Connection, mine: list[CameraId]
    ) -> tuple[list[StreamSource], frozenset[CameraId]]:
        """The streams of the held cameras; a box is opened only when what the registry says of a camera changed.

        What an edge pushes is read from the intake, and needs no sign-in.
        """
        pushed = list_pushed(connection, mine)
        mine = [one for one in mine if one not in pushed]
        c = cameras.c
        rows = connection.execute(
            sa.select(c.id, c.main_url, c.sub_url, c.credentials, c.reader, c.transport, c.recorded).where(
                c.id.in_(mine), c.retired_at.is_(None)
            )
        )
        sealed = {CameraId(row.id): tuple(row) for row in rows}
        self._opened = {
            camera: self._opened[camera] if self._sealed.get(camera) == said else self._open(connection, camera)
            for camera, said in sealed.items()
        }
        self._sealed = sealed
        every = [*pushed.values(), *self._opened.values()]
        sources = [source for found in every for source in found or []]
        return sources, frozenset(camera for camera, found in self._opened.items() if found is None)

    def _open(self, connection: Connection, camera: CameraId) -> list[StreamSource] | None:
        """A camera's streams; None where its sign-in cannot be opened."""
        try:
            found = camera_source(connection, camera, box=self._box)
        except NotFound:
            return []
        except DataLoss:
            return None
        settings = self._settings
        transport = settings.transport if found.transport is TransportChoice.AUTO else found.transport.value
        reader = settings.reader
        if found.reader is not ReaderChoice.AUTO:
            reader = "own" if found.reader is ReaderChoice.OWN else "pyav"
        urls = ((Stream.MAIN, found.main_url), (Stream.SUB, found.sub_url))
        return [
            StreamSource(
                camera=camera,
                stream=stream,
                url=url,
                transport=transport,
                is_recorded=stream is Stream.MAIN or found.recorded is RecordedStreams.BOTH,
                reader=reader,
            )
            for stream, url in urls
            if url is not None
        ]

    def _read_pasts(
        self, connection: Connection, sources: Sequence[StreamSource], now: datetime
    ) -> dict[StreamKey, StreamPast]:
        seen = {one.slot: one.seen_at for one in store.list_recorder_statuses(connection)}
        pasts: dict[StreamKey, StreamPast] = {}
        for source in sources:
            key = (source.camera, source.stream)
            if key in self._held or not source.is_recorded:
                continue
            last = store.find_last_segment(connection, *key, before=now + NOT_A_FALSE_FUTURE)
            since = last.started_at if last is not None else now
            known = store.list_segments_to_check(connection, *key, since=since)
            behind = now if last is None else last.durable_until
            outages = store.list_outages(connection, *key, from_at=behind, to_at=now + NOT_A_FALSE_FUTURE)
            writer_seen = seen.get(last.writer if last is not None else self.slot)
            pasts[key] = StreamPast(
                known=tuple(known),
                open_outages=tuple(store.list_open_outages(connection, *key)),
                last_seen_at=writer_seen,
                ended_outages=tuple(one for one in outages if one.to_at is not None),
            )
        return pasts

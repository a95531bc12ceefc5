"""What the centre does with an edge's words: its registry, what to push, what is wanted, and its facts."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

import sqlalchemy as sa
import structlog
from pydantic import ValidationError
from sqlalchemy.engine import Connection

from safecity.events import Fact, state_fact
from safecity.platform.clock import Clock, from_us, to_us
from safecity.platform.database import Database, insert_new
from safecity.platform.ids import fact_id
from safecity.platform.secrets import SecretBox
from safecity.platform.settings_edge import IntakeSettings
from safecity.sites.model import CameraId
from safecity.sites.sources import open_credentials
from safecity.sites.tables import cameras, sites
from safecity.video.edge.model import Edge, Want, order_wants
from safecity.video.edge.register import list_cameras_of
from safecity.video.edge.sources import list_pushed, pushed_streams
from safecity.video.edge.tables import edge_letters, edge_receipts, edges
from safecity.video.edge.wanted import list_wants
from safecity.video.edge.wire import (
    MAX_FACT_BYTES,
    MAX_WANTS,
    ExchangeAnswer,
    ExchangeRequest,
    FactsAnswer,
    FactsRequest,
    FactView,
    PushView,
    Registry,
    WantView,
)
from safecity.video.model import Cause, Outage, Stream, StreamKey, StreamSource
from safecity.video.store import list_open_outages, put_outages

log = structlog.get_logger()

WANTS_EVERY = timedelta(seconds=10)
AT_EDGE = "at_edge"
MAY_STATE = ("video.", "analytics.")
_SITE = ("id", "code", "name", "name_ur", "lon", "lat")
_CAMERA = (*_SITE, "bearing_deg", "fov_deg", "range_m", "main_url", "sub_url")


@dataclass(slots=True, kw_only=True)
class _Wanted:
    wants: list[Want]
    at: datetime


class Intake:
    """The centre's side; safe to use from several threads."""

    def __init__(self, database: Database, settings: IntakeSettings, *, clock: Clock, box: SecretBox) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._box = box
        self._wanted: dict[str, _Wanted] = {}

    def exchange(self, edge: Edge, said: ExchangeRequest) -> ExchangeAnswer:
        """Take note of how an edge is, and tell it the time, its registry if it has another, and what is wanted."""
        now = self._clock.now()
        with self._database.read() as connection:
            registry = read_registry(connection, edge, box=self._box)
        digest = hashlib.sha256(registry.model_dump_json().encode()).hexdigest()
        status = said.model_dump(mode="json", include={"offset_us", "error_us", "outbox", "backfill", "live"})
        with self._database.begin() as connection:
            connection.execute(edges.update().where(edges.c.id == edge.id).values(seen_at=now, status=status))
        wants = self._wants(edge, now)
        return ExchangeAnswer(
            now_us=to_us(self._clock.now()),
            digest=digest,
            registry=None if said.registry == digest else registry,
            push=list_pushes(registry, edge),
            wants=[_want_view(one) for one in wants[:MAX_WANTS]],
        )

    def _wants(self, edge: Edge, now: datetime) -> list[Want]:
        """Looked for anew every few seconds, and at once when a file has come."""
        known = self._wanted.get(edge.id)
        if known is None or not timedelta(0) <= now - known.at < WANTS_EVERY:
            with self._database.begin() as connection:
                names = [CameraId(one) for one in list_cameras_of(connection, edge.site)]
                state_kept(connection, edge, cameras=names, now=now)
                lookback = timedelta(days=self._settings.lookback_days)
                found = order_wants(list_wants(connection, edge, cameras=names, now=now, lookback=lookback))
            known = self._wanted[edge.id] = _Wanted(wants=found, at=now)
        return known.wants

    def list_streams(self, edge: Edge) -> list[StreamKey]:
        """The streams that an edge pushes."""
        with self._database.read() as connection:
            registry = read_registry(connection, edge, box=self._box)
        return [(CameraId(one.camera), Stream(one.stream)) for one in list_pushes(registry, edge)]

    def forget_wants(self, edge: Edge) -> None:
        """What is wanted has changed."""
        self._wanted.pop(edge.id, None)

    def take_facts(self, edge: Edge, said: FactsRequest) -> FactsAnswer:
        """State an edge's facts and note how far it has come, in one transaction; the answer follows the commit."""
        stated = set_aside = 0
        now = self._clock.now()
        last = max((one.sequence for one in said.facts), default=0)
        with self._database.begin() as connection:
            mine = frozenset(list_cameras_of(connection, edge.site))
            # Facts come last in a transaction; what is set aside goes before them.
            readable: list[tuple[FactView, Fact]] = []
            for one in said.facts:
                found = _read_fact(one, cameras=mine)
                if isinstance(found, Fact):
                    readable.append((one, found))
                    continue
                key = {"edge": edge.id, "epoch": said.epoch, "sequence": one.sequence}
                body = one.model_dump_json()[:MAX_FACT_BYTES]
                set_aside += insert_new(
                    connection, edge_letters, row={**key, "body": body, "reason": found, "received_at": now}
                )
            last = _note_receipt(connection, edge, epoch=said.epoch, sequence=last, now=now)
            for one, fact in readable:
                stated += state_fact(
                    connection,
                    fact,
                    id=fact_id("edge", edge.id, one.id),
                    source=f"{edge.id}/{one.source}"[:100],
                    time=from_us(one.time_us),
                    subject=one.subject if one.subject in mine else f"{edge.id}/{one.subject}"[:200],
                )
        if set_aside:
            log.warning("video.edge_facts_set_aside", edge=edge.id, facts=set_aside)
        return FactsAnswer(acknowledged=last, stated=stated, set_aside=set_aside)


def _read_fact(said: FactView, *, cameras: frozenset[str]) -> Fact | str:
    """The typed fact, or why it is not taken."""
    kind = Fact.catalogue.get(said.type)
    if kind is None:
        return f"no room knows the fact {said.type}"
    if not said.type.startswith(MAY_STATE):
        return f"an edge may not state {said.type}"
    try:
        fact = kind.model_validate(said.data)
    except ValidationError as error:
        return f"{said.type} is not readable: {error.error_count()} wrong fields"
    camera = getattr(fact, "camera", None)
    if camera is not None and camera not in cameras:
        return "it is about a camera of another site"
    return fact


def _note_receipt(connection: Connection, edge: Edge, *, epoch: str, sequence: int, now: datetime) -> int:
    """Remember how far an epoch has come; never backwards. Returns that."""
    c = edge_receipts.c
    known = connection.execute(sa.select(c.sequence).where(c.edge == edge.id, c.epoch == epoch)).scalar()
    if known is None:
        row = {"edge": edge.id, "epoch": epoch, "sequence": sequence, "received_at": now}
        insert_new(connection, edge_receipts, row=row)
        return sequence
    if sequence > known:
        changed = edge_receipts.update().where(c.edge == edge.id, c.epoch == epoch)
        connection.execute(changed.values(sequence=sequence, received_at=now))
    return sequence


def read_registry(connection: Connection, edge: Edge, *, box: SecretBox) -> Registry:
    """An edge's site and its cameras, with their sign-ins in clear: for this edge only, never logged."""
    site = connection.execute(sa.select(sites).where(sites.c.id == edge.site)).mappings().one()
    c = cameras.c
    rows = connection.execute(
        sa.select(cameras).where(c.site_id == edge.site, c.retired_at.is_(None)).order_by(c.id)
    ).mappings()
    found: list[dict[str, object]] = []
    for row in rows:
        opened = open_credentials(row["credentials"], camera=CameraId(row["id"]), box=box)
        fields: dict[str, object] = {name: row[name] for name in _CAMERA}
        sign_in = {"user": opened.user, "password": opened.password}
        secret = {"main_url": opened.main_url, "sub_url": opened.sub_url}
        found.append({**fields, "sign_in": sign_in | secret})
    said = {"site": {name: site[name] for name in _SITE}, "cameras": found}
    return Registry.model_validate(json.loads(json.dumps(said)))


def list_pushes(registry: Registry, edge: Edge) -> list[PushView]:
    """What an edge pushes."""
    return [
        PushView(camera=cast("str", camera["id"]), stream=stream.value)
        for camera in registry.cameras
        for stream in pushed_streams(camera["sub_url"] is not None, edge.streams)
    ]


def state_kept(connection: Connection, edge: Edge, *, cameras: Sequence[CameraId], now: datetime) -> None:
    """Say why main streams that stay at the pole are missing here: the link is not made for them. Once each."""
    pushed = {camera for camera, found in list_pushed(connection, cameras).items() if _has_main(found)}
    news: list[Outage] = []
    for camera in cameras:
        standing = [one for one in list_open_outages(connection, camera, Stream.MAIN) if one.detail == AT_EDGE]
        if camera in pushed:
            news += [replace(one, to_at=now) for one in standing]
        elif not standing:
            name = fact_id("outage", camera, Stream.MAIN.value, AT_EDGE, to_us(now))
            since = now if edge.seen_at is not None or edge.enrolled_at is None else edge.enrolled_at
            news.append(
                Outage(
                    id=name,
                    camera=camera,
                    stream=Stream.MAIN,
                    from_at=since,
                    to_at=None,
                    cause=Cause.LINK,
                    detail=AT_EDGE,
                )
            )
    put_outages(connection, news)


def _has_main(sources: Sequence[StreamSource]) -> bool:
    return any(one.stream is Stream.MAIN for one in sources)


def _want_view(want: Want) -> WantView:
    return WantView(
        camera=want.camera,
        stream=want.stream.value,
        from_us=to_us(want.span.from_at),
        to_us=to_us(want.span.to_at),
        is_asked=want.is_asked,
    )

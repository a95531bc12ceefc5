"""From the recorder that was to the one that is: finish its files, explain the time in between, go on behind it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from safecity.events.store import Fact
from safecity.events.video import SegmentMissing, SegmentRecovered, SegmentSetAside
from safecity.platform.clock import to_us
from safecity.platform.ids import fact_id
from safecity.video.disk import DiskWriter
from safecity.video.index import IndexMailbox, Statement
from safecity.video.model import Cause, Outage, Segment, SegmentState, Span
from safecity.video.recovery import Recovery, recover_stream
from safecity.video.segments import SegmentWriter
from safecity.video.volumes import Volumes

log = structlog.get_logger()

FOLLOWS_WITHIN = timedelta(hours=1)  # an end further ahead than this is a false future (docs/design/time.md)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPast:
    """What the index says of a stream before this process records it."""

    known: tuple[Segment, ...]  # open rows and the newest
    open_outages: tuple[Outage, ...]
    last_seen_at: datetime | None  # last sign of life of the recorder that wrote the newest
    ended_outages: tuple[Outage, ...] = ()  # those that ended after what the newest row calls durable


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """Where the found and the missing are told."""

    volumes: Volumes
    writer: SegmentWriter
    disk: DiskWriter
    mailbox: IndexMailbox
    slot: str


def prepare_stream(handover: Handover, past: StreamPast, *, now: datetime) -> None:
    """Recover a stream's files and its ledger; afterwards its writer may begin."""
    key = handover.writer.key
    found = recover_stream(handover.volumes, key, known=list(past.known), writer=handover.slot)
    _tell(handover, found, now=now)
    last = found.last
    end = last.durable_until if last is not None and last.durable_until <= now + FOLLOWS_WITHIN else None
    handover.writer.resume_after(end)
    handover.disk.set_previous_root(key, None if last is None else last.root)
    _explain_absence(handover, past, end=end, now=now)


def _explain_absence(handover: Handover, past: StreamPast, *, end: datetime | None, now: datetime) -> None:
    """Open outages end with their recorder's last sign of life; from then on it was the recorder itself.

    So it was before and between what was stated: an outage begins where its recorder believed that the recording ended,
    and the last fragments before it may have died with it on their way to the disk.
    """
    ledger = handover.writer.ledger
    away_from = end
    ended_outages = list(past.ended_outages)
    for outage in past.open_outages:
        ended = max(outage.from_at, min(now, past.last_seen_at or now))
        ended_outages.append(replace(outage, to_at=ended))
        handover.mailbox.put_outage(ended_outages[-1])
        away_from = ended if away_from is None else max(away_from, ended)
    if end is not None and away_from is not None:
        away_from = max([away_from, *(one.to_at for one in ended_outages if one.to_at is not None)])
        spans = [Span(from_at=one.from_at, to_at=one.to_at) for one in ended_outages if one.to_at is not None]
        for lost in unstated_parts(spans, from_at=end, to_at=min(away_from, now)):
            handover.mailbox.put_outage(_lost(handover, lost))
    if away_from is None:
        ledger.begin(Cause.RECORDER, "starting", from_at=now, now=now)
    else:
        ledger.begin(Cause.RECORDER, "down", from_at=min(away_from, now), now=now)


def _lost(handover: Handover, span: Span) -> Outage:
    camera, stream = handover.writer.key
    name = fact_id("outage", camera, stream.value, to_us(span.from_at), "down")
    return Outage(
        id=name, camera=camera, stream=stream, from_at=span.from_at, to_at=span.to_at, cause=Cause.RECORDER,
        detail="down",
    )  # fmt: skip


def unstated_parts(stated: Iterable[Span], *, from_at: datetime, to_at: datetime) -> list[Span]:
    """The parts of an interval that nothing stated covers; `stated` may overlap and be in any order."""
    parts: list[Span] = []
    at = from_at
    for span in sorted(stated, key=lambda one: one.from_at):
        if span.from_at > at:
            parts.append(Span(from_at=at, to_at=min(span.from_at, to_at)))
        at = max(at, span.to_at)
        if at >= to_at:
            break
    if at < to_at:
        parts.append(Span(from_at=at, to_at=to_at))
    return [one for one in parts if one.to_at > one.from_at]


def _tell(handover: Handover, found: Recovery, *, now: datetime) -> None:
    camera, stream = handover.writer.key
    for one in found.restored:
        handover.mailbox.put_segment(one.row)
        fact = SegmentRecovered(
            camera=camera,
            stream=stream.value,
            path=one.row.path,
            started_at=one.row.started_at,
            durable_until=one.row.durable_until,
            cut_bytes=one.cut_bytes,
        )
        _state(handover, fact, one.row.path, now=now)
    for aside in found.set_aside:
        log.warning("video.segment_set_aside", camera=camera, path=aside.path, reason=aside.reason)
        fact = SegmentSetAside(camera=camera, stream=stream.value, path=aside.path, reason=aside.reason)
        _state(handover, fact, aside.path, now=now)
    for row in found.missing:
        log.error("video.segment_missing", camera=camera, path=row.path)
        empty = replace(row, state=SegmentState.CLOSED, durable_until=row.started_at, size_bytes=0, fragments=0)
        handover.mailbox.put_segment(empty)
        outage = Outage(
            id=fact_id("outage", camera, stream.value, row.path),
            camera=camera,
            stream=stream,
            from_at=row.started_at,
            to_at=row.durable_until,
            cause=Cause.DISK,
            detail="file_missing",
        )
        handover.mailbox.put_outage(outage)
        fact = SegmentMissing(
            camera=camera,
            stream=stream.value,
            path=row.path,
            started_at=row.started_at,
            durable_until=row.durable_until,
        )
        _state(handover, fact, row.path, now=now)


def _state(handover: Handover, fact: Fact, path: str, *, now: datetime) -> None:
    name = fact_id(type(fact).type, path)
    handover.mailbox.put_fact(Statement(fact=fact, id=name, time=now, subject=handover.writer.key[0]))

"""Exports an interval of recordings as one MP4 with its hash sheet.

Nothing is encoded anew: fragments are carried over whole (`safecity.video.splice`). Gaps stay gaps in the clip's time
and are listed in the sheet. An interval in which the camera changed its picture format is refused with the instant of
the change, since one MP4 track that every player reads has one format. The files are kept for seven days.
"""

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from safecity.oversight.model import Act, Actor, Permit, Resource
from safecity.oversight.service import Oversight
from safecity.platform.clock import Clock, to_iso
from safecity.platform.database import Database
from safecity.platform.errors import Exhausted, Invalid, NotFound
from safecity.platform.files import sync_directory, write_whole
from safecity.platform.ids import new_id
from safecity.platform.settings import VideoSettings
from safecity.video.copies.mending import Mender
from safecity.video.copies.sound import SoundFiles
from safecity.video.export_store import (
    MAX_REASON,
    Export,
    find_export,
    insert_export,
    list_expired,
    list_live_ids,
    mark_deleted,
)
from safecity.video.model import CameraId, Missing, Segment, Stream
from safecity.video.sheet import CLIP_FORMAT, MAX_SEGMENTS, Sheet, SheetClip, SheetGap, SheetPurpose, render_sheet
from safecity.video.splice import Carried, ClipWriter
from safecity.video.store import list_segments, read_timeline
from safecity.video.volumes import Volumes

log = structlog.get_logger()

KEEP_EXPORTS = timedelta(days=7)
MAX_AT_ONCE = 2
ORPHAN_AGE = timedelta(hours=1)  # a folder without a row: the process died while it wrote
CLIP_FILE = "clip.mp4"
SHEET_FILE = "sheet.json"
_GB = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """What someone wants to take out of the house."""

    camera: CameraId
    from_at: datetime
    to_at: datetime
    reason: str
    stream: Stream = Stream.MAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ask:
    """A request that was granted."""

    request: ExportRequest
    actor: Actor
    permit: Permit


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clip:
    parts: Sequence[Carried]
    size_bytes: int
    sha256: str


class ClipExports:
    """Makes, finds and forgets exports."""

    def __init__(
        self, database: Database, *, oversight: Oversight, clock: Clock, data_dir: Path, settings: VideoSettings
    ) -> None:
        self._database = database
        self._oversight = oversight
        self._clock = clock
        volumes = Volumes.open(data_dir, settings)
        mender = Mender(database, settings, volumes=volumes, data_dir=data_dir, clock=clock)
        self._sound = SoundFiles(volumes, mender=mender, clock=clock)
        self._exports_dir = data_dir / "exports"
        self._settings = settings
        self._turns = threading.BoundedSemaphore(MAX_AT_ONCE)

    def make(self, actor: Actor, request: ExportRequest) -> Export:
        """Write clip and sheet, then the row and its leaf.

        Raises Denied (it needs a case or an incident that covers it), Invalid for a wrong interval, NotFound where
        nothing is recorded, Conflict where the picture format changes inside, Exhausted when the disk or the machine
        has no room, DataLoss when a recording is not what was recorded.
        """
        self._check(request)
        if not self._turns.acquire(blocking=False):
            raise Exhausted("other exports are being made; try again in a minute", code="export.busy")
        try:
            return self._make(actor, request)
        finally:
            self._turns.release()

    def permitted(self, actor: Actor, export_id: str, *, part: str) -> Path:
        """The file of an export, for a person who may take it now; each fetch is a look with its own leaf."""
        with self._database.read() as connection:
            export = find_export(connection, export_id)
        if export is None or part not in (CLIP_FILE, SHEET_FILE):
            raise NotFound("there is no such export", code="export.unknown")
        resource = Resource.camera(export.camera, from_at=export.from_at, to_at=export.to_at)
        self._oversight.permit(actor, Act.EXPORT_CLIP, resource, detail={"export": export.id, "part": part})
        path = self._exports_dir / export.id / part
        if export.deleted_at is not None or not path.exists():
            raise NotFound(
                f"the files of this export are kept for {KEEP_EXPORTS.days} days and are gone; export it again",
                code="export.gone",
            )
        return path

    def delete_expired(self) -> int:
        """Delete files past their time, and folders of exports that were never finished; the keeper calls this."""
        now = self._clock.now()
        with self._database.read() as connection:
            expired = list_expired(connection, now)
            live = list_live_ids(connection)
        for export in expired:
            shutil.rmtree(self._exports_dir / export.id, ignore_errors=True)
            with self._database.begin() as connection:
                self._oversight.note(connection, type="export_deleted", body={"export": export.id})
                mark_deleted(connection, export.id, now=now)
        if self._exports_dir.is_dir():
            for folder in self._exports_dir.iterdir():
                is_old = now.timestamp() - folder.stat().st_mtime > ORPHAN_AGE.total_seconds()
                if folder.name not in live and is_old:
                    shutil.rmtree(folder, ignore_errors=True)
        return len(expired)

    def _check(self, request: ExportRequest) -> None:
        if request.to_at <= request.from_at:
            raise Invalid("an export ends after it begins; turn the two instants round", code="export.interval")
        if (request.to_at - request.from_at).total_seconds() > self._settings.export_max_s:
            raise Invalid(
                f"one export covers at most {self._settings.export_max_s:.0f} s; export parts",
                code="export.too_long",
                max_s=self._settings.export_max_s,
            )
        if not 3 <= len(request.reason.strip()) <= MAX_REASON:
            raise Invalid(f"say in 3 to {MAX_REASON} characters what the clip is for", code="export.reason")

    def _make(self, actor: Actor, request: ExportRequest) -> Export:
        export_id = new_id("exp")
        resource = Resource.camera(request.camera, from_at=request.from_at, to_at=request.to_at)
        detail = {"export": export_id, "part": "make", "reason": request.reason.strip()}
        permit = self._oversight.permit(actor, Act.EXPORT_CLIP, resource, detail=detail)
        with self._database.read() as connection:
            segments = list_segments(
                connection, request.camera, request.stream, from_at=request.from_at, to_at=request.to_at
            )
        if not segments:
            raise NotFound("nothing is recorded in this interval", code="export.nothing_recorded")
        if len(segments) > MAX_SEGMENTS:
            raise Exhausted(f"the interval has over {MAX_SEGMENTS} files; export parts", code="export.too_long")
        self._check_room(segments)
        folder = self._exports_dir / export_id
        folder.mkdir(parents=True, mode=0o700)
        is_kept = False
        try:
            export = self._write(folder, _Ask(request=request, actor=actor, permit=permit), segments=segments)
            with self._database.begin() as connection:
                body = {"export": export.id, "sha256": export.sha256, "sheet_sha256": export.sheet_sha256}
                self._oversight.note(connection, type="export_made", body=body, actor=actor)
                insert_export(connection, export)
            is_kept = True
        finally:
            if not is_kept:
                shutil.rmtree(folder, ignore_errors=True)
        log.info("video.export_made", export=export.id, camera=export.camera, bytes=export.size_bytes)
        return export

    def _check_room(self, segments: Sequence[Segment]) -> None:
        wanted = sum(segment.size_bytes for segment in segments)
        self._exports_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if shutil.disk_usage(self._exports_dir).free - wanted < self._settings.reserve_gb * _GB:
            raise Exhausted("the disk has no room for this export; export less, or free space", code="export.disk_full")

    def _write(self, folder: Path, ask: _Ask, *, segments: Sequence[Segment]) -> Export:
        now, request, actor, purpose = self._clock.now(), ask.request, ask.actor, ask.permit.purpose
        clip = self._write_clip(folder, request, segments=segments)
        first_at, end_at = clip.parts[0].first_at, clip.parts[-1].end_at
        sheet = Sheet(
            export=folder.name,
            made_at=now,
            made_by=actor.user_id,
            reason=request.reason.strip(),
            purpose=None if purpose is None else SheetPurpose(id=purpose.id, kind=purpose.kind, ref=purpose.ref),
            camera=request.camera,
            stream=request.stream.value,
            from_at=request.from_at,
            to_at=request.to_at,
            first_at=first_at,
            end_at=end_at,
            clip=SheetClip(file=CLIP_FILE, bytes=clip.size_bytes, sha256=clip.sha256),
            segments=tuple(part.sheet for part in clip.parts),
            gaps=self._gaps(request),
        )
        raw = render_sheet(sheet)
        write_whole(folder / SHEET_FILE, raw, mode=0o600)
        sync_directory(self._exports_dir)
        return Export(
            id=folder.name,
            camera=request.camera,
            stream=request.stream.value,
            from_at=request.from_at,
            to_at=request.to_at,
            first_at=first_at,
            end_at=end_at,
            reason=sheet.reason,
            made_by=actor.user_id,
            made_at=now,
            expires_at=now + KEEP_EXPORTS,
            deleted_at=None,
            size_bytes=clip.size_bytes,
            sha256=clip.sha256,
            sheet_sha256=hashlib.sha256(raw).hexdigest(),
        )

    def _write_clip(self, folder: Path, request: ExportRequest, *, segments: Sequence[Segment]) -> _Clip:
        description = {
            "format": CLIP_FORMAT,
            "export": folder.name,
            "camera": request.camera,
            "stream": request.stream.value,
            "from": to_iso(request.from_at),
            "to": to_iso(request.to_at),
        }
        parts: list[Carried] = []
        with (folder / CLIP_FILE).open("xb") as out:
            os.fchmod(out.fileno(), 0o600)
            writer = ClipWriter(out, open_file=self._sound.open, description=json.dumps(description).encode())
            self._sound.prove(segments)
            for segment in segments:
                carried = writer.add(segment, from_at=request.from_at, to_at=request.to_at)
                if carried is not None:
                    parts.append(carried)
            out.flush()
            os.fsync(out.fileno())
        if not parts:
            raise NotFound("nothing is recorded in this interval", code="export.nothing_recorded")
        return _Clip(parts=parts, size_bytes=writer.size_bytes, sha256=writer.sha256)

    def _gaps(self, request: ExportRequest) -> tuple[SheetGap, ...]:
        with self._database.read() as connection:
            timeline = read_timeline(
                connection,
                request.camera,
                from_at=request.from_at,
                to_at=request.to_at,
                now=self._clock.now(),
                stream=request.stream,
            )
        return tuple(_gap(one) for one in timeline.missing)


def _gap(one: Missing) -> SheetGap:
    return SheetGap(from_at=one.from_at, to_at=one.to_at, cause=one.cause.value)

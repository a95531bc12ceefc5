"""One recorded picture as a JPEG: the nearest one at or before an instant, granted first, always.

The coded pictures from the key frame on are decoded and the last one is scaled and encoded; nothing of it is kept but
the JPEG, in memory, for those who are granted the same picture again. An alert shows such a picture in the second in
which it arises, so an instant whose recording is not on the disk yet is told apart from one that was never recorded.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction

import av
import cv2
from av.codec.context import CodecContext
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from safecity.oversight.model import Act, Actor, Permit, Resource
from safecity.oversight.service import Oversight
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.errors import DataLoss, Invalid, NotFound
from safecity.sites.model import CameraId
from safecity.sites.store import find_camera
from safecity.video import h264, hevc
from safecity.video.access_unit import TICKS_PER_S
from safecity.video.boxes import Track
from safecity.video.model import JOIN_WITHIN, SETTLES_WITHIN, Segment, Stream
from safecity.video.store import list_segments
from safecity.video.windows import ROUNDING, Lead, Picture, WindowReader, media_ticks

MIN_WIDTH_PX, MAX_WIDTH_PX = 160, 1920
REPEAT_S = 300.0  # a session that asks for the same picture again within this time is covered by its first leaf
JPEG_QUALITY = 82
MAX_REMEMBERED = 4096
MAX_CACHED_BYTES = 32 * 1024**2
MAX_LEAD_PICTURES = 300  # ten seconds at 30 a second; of a longer group of pictures the last one of these is shown
MAX_LEAD_BYTES = 48 * 1024**2
MAX_PIXELS = 8192 * 4352  # of a coded picture; a file that claims more is not decoded
_TIME_BASE = Fraction(1, TICKS_PER_S)
_GrantKey = tuple[Actor, CameraId, datetime]
_ShotKey = tuple[str, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where a picture lies: which file, for which instant and width."""

    segment: Segment
    at: datetime
    width_px: int
    is_key: bool = False  # the key frame before it will do: one picture is decoded instead of a group


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A picture as a JPEG, and the instant that it really is of."""

    jpeg: bytes
    at: datetime


class Stills:
    """Grants, finds and makes single pictures; synchronous, safe to share between threads."""

    def __init__(self, database: Database, *, oversight: Oversight, clock: Clock, windows: WindowReader) -> None:
        self._database = database
        self._oversight = oversight
        self._clock = clock
        self._windows = windows
        self._grants: OrderedDict[_GrantKey, tuple[Permit, float]] = OrderedDict()
        self._shots: OrderedDict[_ShotKey, Shot] = OrderedDict()
        self._cached_bytes = 0
        self._lock = threading.Lock()

    def grant(self, actor: Actor, camera: CameraId, *, at: datetime) -> None:
        """Ask for one picture: one leaf a session, camera and instant within `REPEAT_S`.

        Raises NotFound for a camera there is not, Denied, Invalid for the future.
        """
        if at > self._clock.now() + SETTLES_WITHIN:
            raise Invalid("there is no picture of the future; ask for an instant that has passed", code="stills.future")
        with self._database.read() as connection:
            if find_camera(connection, camera) is None:
                raise NotFound("there is no such camera", code="gateway.no_such_camera")
        # By the whole actor, not the session alone: one whose role has changed meanwhile asks anew.
        key, now_s = (actor, camera, at), self._clock.monotonic_s()
        with self._lock:
            permit, granted_s = self._grants.get(key, (None, 0.0))
        if permit and now_s - granted_s < REPEAT_S and self._oversight.still_stands(actor, permit):
            return
        resource = Resource.camera(camera, from_at=at, to_at=at)
        detail = {"still": True, "repeat_s": REPEAT_S}
        permit = self._oversight.permit(actor, Act.VIEW_RECORDINGS, resource, detail=detail)
        with self._lock:
            self._grants[key] = (permit, now_s)
            self._grants.move_to_end(key)
            while len(self._grants) > MAX_REMEMBERED:
                self._grants.popitem(last=False)

    def find(self, camera: CameraId, *, at: datetime, width_px: int) -> Found | None:
        """Where the picture is; None while it may still be on its way to the disk. Raises NotFound where there is none.

        The sub stream where it is wide enough, else the main stream, else whichever there is.
        """
        now = self._clock.now()
        with self._database.read() as connection:
            sub, main = (
                list_segments(connection, camera, stream, from_at=at - JOIN_WITHIN, to_at=at + ROUNDING)
                for stream in (Stream.SUB, Stream.MAIN)
            )
        is_young = now - at < SETTLES_WITHIN
        there = [one[-1] for one in (sub, main) if one and (at < one[-1].durable_until or not is_young)]
        if not there:
            if is_young:
                return None
            raise NotFound("nothing is recorded at this instant", code="stills.nothing_recorded")
        wide = [one for one in there if one.width_px >= width_px]
        return Found(segment=wide[0] if wide else there[-1], at=at, width_px=width_px)

    def find_key(self, camera: CameraId, *, at: datetime, not_before: datetime, width_px: int) -> Found:
        """Where the key frame at or before an instant lies, for scrubbing; the caller has asked for the interval.

        Raises NotFound where nothing is recorded, and where that key frame is of before `not_before`.
        """
        found = self.find(camera, at=at, width_px=width_px)
        if found is None:
            raise not_yet()
        key = self._windows.find_lead(found.segment, at=at).pictures[0]
        if key.at < not_before - ROUNDING:
            raise NotFound("the picture of this instant lies before this look", code="stills.outside_of_look")
        return replace(found, is_key=True)

    def make(self, found: Found) -> Shot:
        """The picture. Raises NotFound when retention took it meanwhile, DataLoss when it cannot be decoded."""
        lead = self._windows.find_lead(found.segment, at=found.at)
        if found.is_key:
            lead = Lead(segment=lead.segment, track=lead.track, pictures=lead.pictures[:1])
        key = (found.segment.path, lead.pictures[-1].offset_bytes, found.width_px)
        with self._lock:
            if key in self._shots:
                self._shots.move_to_end(key)
                return self._shots[key]
        lead = Lead(segment=lead.segment, track=lead.track, pictures=lead.pictures[:MAX_LEAD_PICTURES])
        if sum(picture.entry[1] for picture in lead.pictures) > MAX_LEAD_BYTES:
            raise DataLoss("this recording's pictures are larger than a camera makes them", code="stills.unreadable")
        shot = _shoot(lead, self._windows.read_lead(lead), at=found.at, width_px=found.width_px)
        with self._lock:
            if key not in self._shots:
                self._cached_bytes += len(shot.jpeg)
            self._shots[key] = shot
            while self._cached_bytes > MAX_CACHED_BYTES:
                self._cached_bytes -= len(self._shots.popitem(last=False)[1].jpeg)
        return shot


def not_yet() -> NotFound:
    """What is answered while a picture is on its way to the disk."""
    return NotFound(
        "the recording of this instant is not on the disk yet; ask again in a second",
        code="stills.not_yet",
        retry_after_s=1,
    )


def _shoot(lead: Lead, payload: bytes, *, at: datetime, width_px: int) -> Shot:
    origin = lead.pictures[0].at
    wanted = media_ticks(at + ROUNDING, origin)
    try:
        frame = _decode(lead, payload, wanted=wanted)
        width_px = min(width_px, frame.width)
        height_px = max(2, round(frame.height * width_px / frame.width / 2) * 2)
        # A scaled copy: the decoder's own picture is the reference of the next ones and must not be touched.
        image = frame.reformat(width=width_px, height=height_px, format="bgr24", interpolation="AREA").to_ndarray()
    except (FFmpegError, ValueError) as error:
        raise _unreadable() from error
    is_made, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not is_made:
        raise _unreadable()
    shown = origin + timedelta(seconds=(frame.pts or 0) / TICKS_PER_S)
    return Shot(jpeg=jpeg.tobytes(), at=shown)


def _decode(lead: Lead, payload: bytes, *, wanted: int) -> VideoFrame:
    """The last picture that is shown at or before `wanted` ticks, or the first; FFmpeg's errors are the caller's."""
    context = _decoder(lead.track)
    best: VideoFrame | None = None
    start = 0
    for packet_ticks, size in _packets(lead.pictures):
        packet = av.Packet(payload[start : start + size])
        packet.pts = packet_ticks
        packet.time_base = _TIME_BASE
        start += size
        for frame in context.decode(packet):
            best = _later(best, frame, wanted=wanted)
    for frame in context.decode(None):
        best = _later(best, frame, wanted=wanted)
    if best is None or best.is_corrupt or best.width * best.height > MAX_PIXELS:
        raise _unreadable()
    return best


def _decoder(track: Track) -> VideoCodecContext:
    if track.codec not in ("h264", "hevc"):
        raise _unreadable()
    context = CodecContext.create(track.codec, "r")
    assert isinstance(context, VideoCodecContext)
    record = h264.configuration_record if track.codec == "h264" else hevc.configuration_record
    context.extradata = record(track.parameter_sets)
    context.options = {"max_pixels": str(MAX_PIXELS)}
    context.thread_count = 1  # a picture more at once is worth more than half a picture sooner
    return context


def _packets(pictures: tuple[Picture, ...]) -> list[tuple[int, int]]:
    """When each picture is shown, in ticks from the first one's decoding, and its size in bytes."""
    origin = pictures[0].at
    return [(media_ticks(one.at, origin) + one.entry[3], one.entry[1]) for one in pictures]


def _later(best: VideoFrame | None, frame: VideoFrame, *, wanted: int) -> VideoFrame:
    return frame if best is None or (frame.pts or 0) <= wanted else best


def _unreadable() -> DataLoss:
    return DataLoss(
        "the recording of this instant cannot be decoded; keep the disk as it is and call the technician",
        code="stills.unreadable",
    )

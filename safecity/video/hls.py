"""A live stream as HLS (RFC 8216) for browsers without Media Source: older iPhones, and players that are no browser.

One track for each stream however many fetch it: groups of pictures become segments of fragmented MP4, of the same
bytes that other viewers get. It costs what its length says: a viewer starts about three groups of pictures behind.
Everything here belongs to the event loop's thread and does not wait.
"""

import struct
from collections import deque
from dataclasses import dataclass, field
from math import ceil

from safecity.video.access_unit import TICKS_PER_S
from safecity.video.live import LiveHub
from safecity.video.model import StreamKey

LISTED = 6  # segments in the playlist
KEPT = 9  # a client may still fetch what it was told of a moment ago (RFC 8216 6.2.2)
MIN_SEGMENT_S = 1.0
MAX_TRACK_BYTES = 48 * 1024**2
MAX_SEGMENT_S = 20.0  # a stream without key frames is not collected for ever
_TFDT_AT = 60  # moof 8, mfhd 16, traf 8, tfhd 16, tfdt: size, kind, version; then the ticks


@dataclass(slots=True, kw_only=True)
class HlsSegment:
    """A group of pictures, or several short ones."""

    number: int
    init: int
    start_ticks: int
    is_discontinuous: bool
    parts: list[bytes] = field(default_factory=list[bytes])
    size_bytes: int = 0
    duration_s: float = 0.0

    @property
    def pictures(self) -> int:
        """How many there are: each is a fragment of its own."""
        return len(self.parts)


class HlsTrack:
    """Collects one stream; an onlooker of the hub like any viewer."""

    def __init__(self, key: StreamKey) -> None:
        self.key = key
        self.segments: deque[HlsSegment] = deque()
        self._inits: dict[int, bytes] = {}
        self._init = 0
        self._open: HlsSegment | None = None
        self._next = 0
        self._is_broken_off = False
        self._bytes = 0
        self._dropped_breaks = 0  # discontinuities that slid out of what is kept

    def tell(self, message: str | bytes) -> None:
        """Words of state have no place in a playlist: a stream that stands still just gets no segment."""

    def begin(self, init_text: str, init: bytes) -> None:
        """New parameters: what is collected ends, and players are told."""
        del init_text
        self._close(None)
        self._init += 1
        self._inits[self._init] = init
        self._is_broken_off = bool(self.segments)

    def show(self, data: bytes, *, is_key: bool) -> None:
        """A picture: into the open segment, or the first of the next one."""
        if not self._init:
            return
        (ticks,) = struct.unpack_from(">Q", data, _TFDT_AT)
        open_ = self._open
        if open_ is not None:
            long_s = (ticks - open_.start_ticks) / TICKS_PER_S
            if long_s < 0 or long_s > MAX_SEGMENT_S:
                self._open, self._is_broken_off = None, True
            elif is_key and long_s >= MIN_SEGMENT_S:
                self._close(ticks)
        if self._open is None:
            if not is_key:
                return
            self._open = HlsSegment(
                number=self._next, init=self._init, start_ticks=ticks, is_discontinuous=self._is_broken_off
            )
            self._is_broken_off = False
        self._open.parts.append(data)
        self._open.size_bytes += len(data)

    def playlist(self) -> str | None:
        """The playlist as of now; None until a first segment is whole."""
        listed = list(self.segments)[-LISTED:]
        if not listed:
            return None
        before = list(self.segments)[: len(self.segments) - len(listed)]
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:7",
            "#EXT-X-INDEPENDENT-SEGMENTS",
            f"#EXT-X-TARGETDURATION:{max(ceil(one.duration_s) for one in listed)}",
            f"#EXT-X-MEDIA-SEQUENCE:{listed[0].number}",
            f"#EXT-X-DISCONTINUITY-SEQUENCE:{self._dropped_breaks + sum(one.is_discontinuous for one in before)}",
        ]
        init = None
        for one in listed:
            if one.is_discontinuous:
                lines.append("#EXT-X-DISCONTINUITY")
            if one.init != init:
                lines.append(f'#EXT-X-MAP:URI="init-{one.init}.mp4"')
                init = one.init
            lines += [f"#EXTINF:{one.duration_s:.5f},", f"{one.number}.m4s"]
        return "\n".join(lines) + "\n"

    def find_init(self, number: int) -> bytes | None:
        """An init segment that is still in use."""
        return self._inits.get(number)

    def find_segment(self, number: int) -> HlsSegment | None:
        """A segment that is still kept."""
        return next((one for one in self.segments if one.number == number), None)

    def _close(self, end_ticks: int | None) -> None:
        """End the open segment; one whose end is not known is dropped."""
        one, self._open = self._open, None
        if one is None or end_ticks is None:
            return
        one.duration_s = (end_ticks - one.start_ticks) / TICKS_PER_S
        self._next += 1
        self.segments.append(one)
        self._bytes += one.size_bytes
        while len(self.segments) > KEPT or (self._bytes > MAX_TRACK_BYTES and len(self.segments) > 1):
            gone = self.segments.popleft()
            self._bytes -= gone.size_bytes
            self._dropped_breaks += gone.is_discontinuous
        used = {segment.init for segment in self.segments} | {self._init}
        self._inits = {number: init for number, init in self._inits.items() if number in used}


class HlsTracks:
    """The tracks that somebody fetches; each holds one place at the hub."""

    def __init__(self, hub: LiveHub) -> None:
        self._hub = hub
        self._tracks: dict[StreamKey, HlsTrack] = {}
        self._looks: dict[str, StreamKey] = {}

    def open(self, look: str, key: StreamKey) -> HlsTrack:
        """The track of a stream, collected from now on for this look too."""
        track = self._tracks.get(key)
        if track is None:
            track = self._tracks[key] = HlsTrack(key)
            self._hub.attach(track)
        self._looks[look] = key
        return track

    def find(self, look: str) -> HlsTrack | None:
        """The track that a look fetches."""
        key = self._looks.get(look)
        return None if key is None else self._tracks[key]

    def keep(self, looks: set[str]) -> None:
        """Forget the looks that are over, and the tracks that nobody fetches any more."""
        self._looks = {look: key for look, key in self._looks.items() if look in looks}
        for key in self._tracks.keys() - set(self._looks.values()):
            self._hub.leave(self._tracks.pop(key))

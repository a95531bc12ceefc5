"""From pictures to what a recorder takes."""

from collections.abc import Sequence

from safecity.platform.errors import Invalid, Unavailable
from safecity.video import h264
from safecity.video.access_unit import TICKS_PER_S, StreamHeader
from safecity.video.placing import RawTimes, UnitPlacer
from safecity.video.reader import MAX_PREFIX_BYTES, Numbering, ReadItem
from safecity.video.rtsp.media import VideoMedia
from safecity.video.rtsp.open_picture import Picture
from safecity.video.stream_headers import HeaderMaker
from safecity.video.timeline import ServerLine, unwrap

MAX_PICTURES_TO_HEADER = 600
MAX_EARLY_SETS = 64  # parameter sets gathered before a header can be made of them


class UnitMaker:
    """Turns one connection's pictures into what a recorder takes.

    Pictures with a hole are kept: a decoder conceals what is missing, an operator sees that something was there, and
    evidence is not for us to throw away. Dropped and counted is what has slices but not its first one, which no decoder
    can start at, and what comes before the stream's parameters are known. Units that come without a picture are put
    before the next one.
    """

    def __init__(self, numbering: Numbering, *, line: ServerLine) -> None:
        self.dropped_pictures = 0
        self._numbering = numbering
        self._placer = UnitPlacer(sequence=numbering.sequence, line=line)
        self._headers: HeaderMaker | None = None
        self._rate_hz = TICKS_PER_S
        self._is_told = False
        self._early: list[bytes] = []
        self._prefix: list[bytes] = []
        self._prefix_bytes = 0
        self._is_prefix_key = False
        self._ticks: int | None = None  # RTP timestamp without wrap

    @property
    def header(self) -> StreamHeader | None:
        """The stream's header, once its parameters are known."""
        return None if self._headers is None else self._headers.header

    def begin(self, media: VideoMedia) -> None:
        """The stream's description is known. Parameter sets in it that cannot be read are passed over: cameras are
        known to describe themselves wrongly and to send the right ones with their key frames."""
        self._headers = HeaderMaker(media.codec, session=self._numbering.session)
        self._rate_hz = max(1, media.clock_rate_hz)
        self._find_first_header(self._headers, media.parameter_sets)

    def take(self, picture: Picture) -> list[ReadItem]:
        """What one picture makes: usually one access unit. A header stands before the first unit of each session, the
        first one included.

        Raises Unavailable when the camera sends no pictures, or never its parameters.
        """
        headers = self._headers
        assert headers is not None
        if not picture.has_slice:
            self._keep_prefix(picture)
            return []
        if not picture.has_first_slice:
            self.dropped_pictures += 1
            return []
        data, is_key, has_sets = picture.data, picture.is_key, picture.has_sets
        if self._prefix:
            data, is_key, has_sets = b"".join((*self._prefix, data)), is_key or self._is_prefix_key, True
            self._prefix.clear()
            self._prefix_bytes, self._is_prefix_key = 0, False
        if not self._update_header(headers, data, is_key=is_key, has_sets=has_sets):
            return []
        self._ticks = unwrap(self._ticks, picture.rtp_ticks, bits=32)
        rate_hz = self._rate_hz
        presentation = self._ticks if rate_hz == TICKS_PER_S else self._ticks * TICKS_PER_S // rate_hz
        decode = self._placer.decode_ticks(presentation, is_key=is_key)
        times = RawTimes(decode, presentation, picture.arrived_s, picture.captured_us)
        items = self._placer.place(data, times, is_key=is_key)
        if not self._is_told and headers.header is not None:
            self._is_told = True
            items.insert(0, headers.header)
        return items

    def _keep_prefix(self, units: Picture) -> None:
        self._prefix.append(units.data)
        self._prefix_bytes += len(units.data)
        self._is_prefix_key = self._is_prefix_key or units.is_key
        if self._prefix_bytes > MAX_PREFIX_BYTES:
            raise Unavailable("the camera sends parameters but no pictures", code="video.no_picture")

    def _update_header(self, headers: HeaderMaker, data: bytes, *, is_key: bool, has_sets: bool) -> bool:
        """Whether a header is known for a picture, made anew where its parameter sets are new."""
        if headers.header is None:
            if has_sets:
                self._find_first_header(headers, list(h264.split_length_prefixed(data)))
            if headers.header is None:
                self.dropped_pictures += 1
                if self.dropped_pictures > MAX_PICTURES_TO_HEADER:
                    message = "the camera never sent its stream's parameters; restart it"
                    raise Unavailable(message, code="video.unreadable")
                return False
        elif has_sets and is_key:
            try:
                fresh = headers.find_change(one.rstrip(b"\0") for one in h264.split_length_prefixed(data))
            except Invalid:
                return True  # sets that nobody can read: the known ones stay
            if fresh is not None:
                self._is_told = False
                self._placer.restart()
        return True

    def _find_first_header(self, headers: HeaderMaker, nals: Sequence[bytes]) -> None:
        fresh = (one.rstrip(b"\0") for one in headers.pick(nals))
        self._early = list(dict.fromkeys((*self._early, *fresh)))[-MAX_EARLY_SETS:]
        if not headers.is_complete(self._early):
            return
        try:
            headers.make(self._early)
        except Invalid:
            self._early = []  # begin anew with what comes

"""One camera of an analyser: a bounded queue of packets, a decoder, the analysis, and what comes of it.

While nothing moves only key frames are decoded, and the packets since the last one are kept: when the next key frame
shows that something has moved, the pictures between are decoded after all, so that nothing is missed. A camera that
falls behind skips to its newest key frame; the skipped pictures are counted, and the delay never grows.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import av.error
from av.video.frame import VideoFrame

from safecity.analytics.boxes import Detector
from safecity.analytics.live_decoder import StreamDecoder, Timeline, picture_of
from safecity.analytics.live_facts import CountBook, FactMailbox, rule_fired
from safecity.analytics.pipeline import CameraAnalysis, Firing, Profile
from safecity.analytics.store import StoredScene
from safecity.sites.model import CameraId
from safecity.video.access_unit import AccessUnit, StreamHeader
from safecity.video.model import StreamKey

BATCH = 5  # pictures of one camera at a time: changing cameras costs cache
READY_AFTER_S = 0.4  # fewer are taken when the oldest has waited so long
MAX_QUEUED = 450  # half a minute at 15 pictures a second: a long group of pictures of an idle camera
MAX_QUEUED_BYTES = 8 * 1024**2
MAX_BEHIND_S = 3.0
OUTAGE_S = 5.0  # after a silence of this length nothing of before is followed further


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A camera to analyse: which of its streams, and what is drawn on it."""

    key: StreamKey
    drawn: StoredScene

    @property
    def camera(self) -> CameraId:
        """Which camera."""
        return self.key[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Queued:
    unit: AccessUnit
    header: StreamHeader
    follows_outage: bool


@dataclass(slots=True, kw_only=True)
class Figures:
    """Counters of one camera; `delay_s` is the worst since they were last read."""

    pictures: int = 0
    dropped: int = 0  # came, but were not looked at
    skipped: int = 0  # of these, those given up to keep up
    lost: int = 0  # did not come
    errors: int = 0
    delay_s: float = 0.0


class LiveCamera:
    """State of one camera; used by one thread."""

    def __init__(
        self,
        assignment: Assignment,
        profile: Profile,
        *,
        detector: Detector | None,
        mailbox: FactMailbox,
        now: Callable[[], datetime],
        monotonic_s: Callable[[], float],
    ) -> None:
        self.assignment = assignment
        self.figures = Figures()
        self.last_heard_s: float | None = None
        self._profile = profile
        self._detector = detector
        self._model = "motion" if detector is None else detector.name
        self._mailbox = mailbox
        self._now = now
        self._monotonic_s = monotonic_s
        self._queue: deque[_Queued] = deque()
        self._bytes = 0
        self._keys = 0  # of the queue
        self._header: StreamHeader | None = None
        self._last: AccessUnit | None = None
        self._needs_key = True
        self._has_looked = False  # the queue begins with a key frame that has been compared
        self._decoder: StreamDecoder | None = None
        self._decoder_header: StreamHeader | None = None
        self._timeline = Timeline()
        self._analysis = self._make_analysis()
        self._counts = CountBook(camera=assignment.camera, model=self._model, from_at=now())

    @property
    def is_active(self) -> bool:
        """Whether something moves, as far as is known."""
        return not self._analysis.is_idle

    @property
    def waiting(self) -> int:
        """Packets in the queue."""
        return len(self._queue)

    def _make_analysis(self) -> CameraAnalysis:
        drawn = self.assignment.drawn
        return CameraAnalysis(
            drawn.scene,
            self._profile,
            width_px=drawn.width_px,
            height_px=drawn.height_px,
            detector=self._detector,
        )

    # Packets in

    def take(self, item: AccessUnit | StreamHeader) -> None:
        """Queue what a recorder sends; never waits, never fails."""
        self.last_heard_s = self._monotonic_s()
        if isinstance(item, StreamHeader):
            self._header, self._needs_key = item, True
            return
        last = self._last
        # Pictures of one round of the ingest loop were received at one instant; the order of them is their number.
        if self._header is None or (
            last is not None and (item.received_s, item.sequence) <= (last.received_s, last.sequence)
        ):
            return  # the group of pictures so far, sent again to a watcher that came back
        follows_outage = last is not None and item.received_s - last.received_s > OUTAGE_S
        if last is not None and item.sequence > last.sequence + 1:
            self.figures.lost += item.sequence - last.sequence - 1
            self.figures.skipped += item.sequence - last.sequence - 1
            self._needs_key = True
        self._last = item
        if self._needs_key and not item.is_key:
            self.figures.dropped += 1
            return
        self._needs_key = False
        self._queue.append(_Queued(unit=item, header=self._header, follows_outage=follows_outage))
        self._bytes += len(item.data)
        self._keys += item.is_key
        if len(self._queue) > MAX_QUEUED or self._bytes > MAX_QUEUED_BYTES:
            self._skip_ahead(is_counted=self.is_active)

    def _skip_ahead(self, *, is_counted: bool) -> None:
        """Drop everything before the newest key frame that is not the first; all, where there is none."""
        at = next((index for index in range(len(self._queue) - 1, 0, -1) if self._queue[index].unit.is_key), None)
        self._needs_key = self._needs_key or at is None
        self._drop(len(self._queue) if at is None else at, is_counted=is_counted)

    def _drop(self, number: int, *, is_counted: bool) -> None:
        for _ in range(number):
            self._pop()
        self._has_looked = self._has_looked and number == 0
        if is_counted:
            self.figures.dropped += number
            self.figures.skipped += number

    def _pop(self) -> _Queued:
        taken = self._queue.popleft()
        self._bytes -= len(taken.unit.data)
        self._keys -= taken.unit.is_key
        return taken

    # Work

    def is_ready(self) -> bool:
        """Whether there is a batch to work on."""
        if not self._queue:
            return False
        if self._analysis.is_idle:
            return self._keys > self._has_looked
        waited_s = self._monotonic_s() - self._queue[0].unit.received_s
        return len(self._queue) >= BATCH or waited_s >= READY_AFTER_S

    def work(self) -> None:
        """Take the next batch: a few pictures of a camera that is active, one key frame of one that is idle.

        Raises whatever analysis raises; what cannot be decoded is counted, and passed over up to the next key frame.
        """
        if self._analysis.is_idle:
            self._look()
        else:
            if self._monotonic_s() - self._queue[0].unit.received_s > MAX_BEHIND_S:
                self._skip_ahead(is_counted=True)
            self._follow(min(BATCH, len(self._queue)))
            if self._analysis.is_idle:
                self._drop_to_key()
        if self._counts.is_due(self._now()):
            self.settle()

    def _find_key(self) -> int | None:
        first = 1 if self._has_looked else 0
        return next((index for index in range(first, len(self._queue)) if self._queue[index].unit.is_key), None)

    def _look(self) -> None:
        """Compare the next key frame with the one before; go back to that one when something has moved."""
        at = self._find_key()
        if at is None:
            return
        queued = self._queue[at]
        frames, is_whole = self._decode([queued], ends=True)
        if not is_whole or not frames or frames[-1].pts is None:
            self._drop(at + 1, is_counted=True)
            return
        self._note_delay(queued.unit)
        picture = picture_of(frames[-1], at_s=self._timeline.look_ahead(frames[-1].pts))
        self.figures.pictures += 1
        if not self._analysis.wakes(picture):
            self._drop(at, is_counted=False)
            self._has_looked = True
            return
        has_looked, self._has_looked = self._has_looked, False
        if not has_looked:
            self._drop(at, is_counted=False)
        self._follow(at + 1 if has_looked else 1, skip_first=has_looked)

    def _follow(self, number: int, *, skip_first: bool = False) -> None:
        """Decode the first packets of the queue and hand their pictures to analysis."""
        batch = [self._pop() for _ in range(number)]
        if not batch:
            return
        if any(one.follows_outage for one in batch) and self.is_active:
            self.end()
            self._analysis = self._make_analysis()
        frames, is_whole = self._decode(batch, ends=False)
        if not is_whole:
            self._drop_to_key()
        for frame in frames[1:] if skip_first else frames:
            if frame.is_corrupt or frame.pts is None:
                self.figures.errors += 1
                continue
            picture = picture_of(frame, at_s=self._timeline.place(frame.pts))
            self.figures.pictures += 1
            self._tell(self._analysis.feed(picture))
        self._note_delay(batch[-1].unit)

    def _decode(self, batch: Sequence[_Queued], *, ends: bool) -> tuple[list[VideoFrame], bool]:
        """The frames, and whether nothing in the batch was broken; if so, a key frame must come next."""
        frames: list[VideoFrame] = []
        try:
            for one in batch:
                if one.header is not self._decoder_header:
                    self._decoder, self._decoder_header = StreamDecoder(one.header), one.header
                    self._timeline.begin_session()
                assert self._decoder is not None
                self._timeline.observe(one.unit)
                frames += self._decoder.decode([one.unit], ends=ends)
        except av.error.FFmpegError:
            self.figures.errors += 1
            if self._decoder is not None:
                self._decoder.forget()
            return frames, False
        return frames, True

    def _drop_to_key(self) -> None:
        """What follows cannot be decoded, or need not be, before the next key frame."""
        at = next((index for index, one in enumerate(self._queue) if one.unit.is_key), None)
        self._needs_key = self._needs_key or at is None
        self._drop(len(self._queue) if at is None else at, is_counted=False)

    def _note_delay(self, unit: AccessUnit) -> None:
        self.figures.delay_s = max(self.figures.delay_s, self._monotonic_s() - unit.received_s)

    # What comes of it

    def _tell(self, firings: Sequence[Firing]) -> None:
        rules = {rule.name: rule for rule in self.assignment.drawn.scene.rules}
        for one in firings:
            # What lasts comes at its beginning and at its end, under one id; a wrong way comes whole, once it is known.
            camera = self.assignment.camera
            told = rule_fired(one, rules[one.rule], camera=camera, model=self._model, instant=self._timeline.instant)
            self._mailbox.put(told)

    def settle(self) -> None:
        """Write down what was counted so far."""
        for counted in self._counts.settle(self._analysis.counts(), now=self._now()):
            self._mailbox.put(counted)

    def end(self) -> None:
        """It goes elsewhere, is drawn anew, or was silent: what still holds ends, what was counted is said."""
        self._tell(self._analysis.finish())
        self.settle()
        self._counts = CountBook(camera=self.assignment.camera, model=self._model, from_at=self._counts.from_at)

    def redraw(self, assignment: Assignment) -> None:
        """Another scene, or another stream, from now on."""
        self.end()
        self.assignment = assignment
        self._analysis = self._make_analysis()

    def oldest_s(self) -> float:
        """When the oldest packet in the queue arrived, monotonic."""
        return self._queue[0].unit.received_s

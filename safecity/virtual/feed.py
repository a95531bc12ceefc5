"""Which picture a camera shows when: an endless timeline over a clip, and stand-ins that may take its place.

Media time is 90 kHz ticks since the camera was switched on; it never falls back and never wraps here (the RTP
timestamp made of it wraps at 32 bits). Every change of stream happens at a key picture.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from safecity.virtual.elementary import TICKS_PER_S, Elementary
from safecity.virtual.rtsp.packets import PacketBlock, PacketStream

MAX_LATE_S = 1.0
"""A feed that is further behind than this jumps to the present instead of sending all it missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A picture at its place in media time."""

    block: PacketBlock
    ticks: int
    is_stand_in: bool


@dataclass(slots=True, kw_only=True)
class _Position:
    """The next picture: `start_ticks` is the media time of the stream's first picture in loop 0."""

    stream: PacketStream
    start_ticks: int
    loop: int = 0
    index: int = 0

    @property
    def ticks(self) -> int:
        return self.start_ticks + self.loop * self.stream.source.duration_ticks + self.stream.ticks[self.index]

    def step(self) -> None:
        self.index += 1
        if self.index == len(self.stream.blocks):
            self.loop, self.index = self.loop + 1, 0

    def seek(self, ticks: int) -> None:
        """To the first picture that is due at `ticks` or later."""
        self.loop, rest = divmod(max(0, ticks - self.start_ticks), self.stream.source.duration_ticks)
        self.index = bisect_left(self.stream.ticks, rest)
        if self.index == len(self.stream.blocks):
            self.loop, self.index = self.loop + 1, 0

    def seek_key(self, ticks: int) -> None:
        """To the first key picture that is due at `ticks` or later."""
        self.seek(ticks)
        later = bisect_left(self.stream.keys, self.index)
        if later == len(self.stream.keys):
            self.loop, self.index = self.loop + 1, 0
        else:
            self.index = self.stream.keys[later]


class Feed:
    """The pictures of one stream of one camera, in order. Time comes in as monotonic seconds."""

    def __init__(self, own: PacketStream, *, origin_s: float) -> None:
        self._own = own
        self._origin_s = origin_s
        self._next = _Position(stream=own, start_ticks=0)
        self._after: _Position | None = None
        self._last_ticks = -1

    @property
    def own(self) -> PacketStream:
        """The clip's stream."""
        return self._own

    @property
    def source(self) -> Elementary:
        """The stream that a new viewer will see: what DESCRIBE tells."""
        return (self._after or self._next).stream.source

    @property
    def due_s(self) -> float:
        """When the next picture is to be sent."""
        return self.instant_s(self._peek().ticks)

    def instant_s(self, ticks: int) -> float:
        """The monotonic instant of a media time."""
        return self._origin_s + ticks / TICKS_PER_S

    def ticks_at(self, now_s: float) -> int:
        """Media time now."""
        return round((now_s - self._origin_s) * TICKS_PER_S)

    def take(self) -> Shown:
        """The next picture; the one after it becomes next."""
        position = self._peek()
        if self._after is position:
            self._next, self._after = position, None
        shown = self._shown(position)
        self._last_ticks = shown.ticks
        position.step()
        return shown

    def seek(self, now_s: float) -> None:
        """Go on at the first picture due from now on; pictures in between are never shown."""
        ticks = self.ticks_at(now_s)
        if self._after is not None and self._after.ticks <= ticks:
            self._next, self._after = self._after, None
        self._next.seek(max(ticks, self._last_ticks + 1))

    def catch_up(self, now_s: float) -> bool:
        """Jump to the present where the feed is late beyond measure; True where it did."""
        if now_s - self.due_s <= MAX_LATE_S:
            return False
        self.seek(now_s)
        return True

    def group(self) -> list[Shown]:
        """The pictures since the last key picture that were due before the next one: what a new viewer needs.

        Empty where the next picture is a key picture itself.
        """
        position = self._peek()
        if position.stream.blocks[position.index].is_key:
            return []
        keys = position.stream.keys
        first = keys[bisect_right(keys, position.index) - 1]
        base = position.ticks - position.stream.ticks[position.index]
        return [
            Shown(block=block, ticks=base + block.ticks, is_stand_in=position.stream is not self._own)
            for block in position.stream.blocks[first : position.index]
        ]

    def next_key_ticks(self, ticks: int) -> tuple[int, int]:
        """Media time and position of the clip's first key picture at `ticks` or later."""
        position = _Position(stream=self._own, start_ticks=0)
        position.seek_key(ticks)
        return position.ticks, position.index

    def next_shown_key_ticks(self) -> int:
        """Media time of the next key picture that will be shown, of whichever stream."""
        position = self._peek()
        probe = _Position(stream=position.stream, start_ticks=position.start_ticks)
        probe.seek_key(position.ticks)
        return min(probe.ticks, self._after.ticks) if self._after else probe.ticks

    def show(self, stand_in: PacketStream, *, from_ticks: int | None = None) -> None:
        """Show a stand-in, round and round, from the next picture on, or from the given media time on."""
        start = self._peek().ticks if from_ticks is None else max(from_ticks, self._last_ticks + 1)
        self._after = _Position(stream=stand_in, start_ticks=start)

    def show_own(self) -> None:
        """Go back to the clip at its next key picture; the stand-in is shown until then."""
        position = _Position(stream=self._own, start_ticks=0)
        position.seek_key(self._last_ticks + 1)
        if self._next.stream is self._own:
            self._after = None
        else:
            self._after = position

    def cut(self, stand_in: PacketStream | None, now_s: float) -> None:
        """Change at once, in the middle of whatever is shown: for a change that ends every connection."""
        ticks = max(self.ticks_at(now_s), self._last_ticks + 1)
        self._after = None
        self._next = _Position(stream=stand_in or self._own, start_ticks=ticks if stand_in else 0)
        self._next.seek(ticks)

    def _peek(self) -> _Position:
        if self._after is not None and self._after.ticks <= self._next.ticks:
            return self._after
        return self._next

    def _shown(self, position: _Position) -> Shown:
        block = position.stream.blocks[position.index]
        return Shown(block=block, ticks=position.ticks, is_stand_in=position.stream is not self._own)

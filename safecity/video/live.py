"""Live streams for viewers: one upstream for each stream however many watch, a fragment for each picture.

The hub keeps the current group of pictures as finished fragments, so a newcomer has a picture at once. Each viewer has
a bounded queue of its own: one that does not keep up skips to the next key frame, and what it missed is counted. A
stream of which no picture comes is called stalled here as well, whatever the recorder says or no longer says.

Everything here belongs to the event loop's thread and does not wait.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from safecity.platform.clock import Clock, to_iso
from safecity.video.access_unit import TICKS_PER_S, AccessUnit, StreamHeader
from safecity.video.fmp4 import Sample, fragment, init_segment
from safecity.video.model import LinkState, StreamKey
from safecity.video.packets_client import UpstreamState

MAX_GROUP_BYTES = 16 * 1024**2  # a longer group of pictures is not kept for newcomers
MAX_GROUP_PICTURES = 1500
MAX_QUEUED_BYTES = 24 * 1024**2
MAX_QUEUED = 2000
MAX_QUEUED_AGE_S = 3.0
LINGER_S = 30.0  # a stream nobody watches any more is kept warm so long
ASK_AFTER_S = 1.0  # a recorder that was restarted does not know its watchers: ask again
UNKNOWN_AFTER_S = 1.5  # no word from any recorder for so long: offline
OFFLINE_AFTER_S = 30.0
CLOCK_EVERY_S = 1.0
FIRST_DURATION_TICKS = TICKS_PER_S // 15
MAX_DURATION_TICKS = 2 * TICKS_PER_S
CLAIM_WITHIN = timedelta(seconds=1)  # a camera's clock this near to ours is finer than the time of arrival
CODE_H265 = "live.h265"  # told with the parameters: few browsers play it
Message = str | bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Queued:
    message: Message
    is_fragment: bool
    is_key: bool
    at_s: float


class Onlooker(Protocol):
    """Who is shown a stream; called on the event loop, must not wait."""

    key: StreamKey

    def tell(self, message: Message) -> None:
        """A word of state, or the clock."""
        ...

    def begin(self, init_text: str, init: bytes) -> None:
        """A new stream of pictures follows."""
        ...

    def show(self, data: bytes, *, is_key: bool) -> None:
        """The next picture, a fragment of its own."""
        ...


class Viewer:
    """One person's look at one live stream."""

    def __init__(self, key: StreamKey, *, clock: Clock) -> None:
        self.key = key
        self.pictures = 0  # handed over
        self.dropped = 0
        self._clock = clock
        self._queue: deque[_Queued] = deque()
        self._bytes = 0
        self._needs_key = True
        self._ready = asyncio.Event()
        self._has_overflown = False

    def tell(self, message: Message) -> None:
        """Queue a word (state, clock, init); never dropped but with the whole viewer."""
        self._put(_Queued(message=message, is_fragment=False, is_key=False, at_s=self._clock.monotonic_s()))

    def begin(self, init_text: str, init: bytes) -> None:
        """A new stream of pictures: what is queued of the old one would not decode with it."""
        self.dropped += self._drop_fragments()
        self.tell(init_text)
        self.tell(init)
        self._needs_key = True

    def show(self, data: bytes, *, is_key: bool) -> None:
        """Queue a picture, or count it as missed."""
        now_s = self._clock.monotonic_s()
        if self._is_behind(now_s):
            self.dropped += self._drop_fragments()
            self._needs_key = True
        if self._needs_key and not is_key:
            self.dropped += 1
            return
        self._needs_key = False
        self._put(_Queued(message=data, is_fragment=True, is_key=is_key, at_s=now_s))

    async def take(self) -> list[Message]:
        """Everything that waits, once there is something."""
        while not self._queue:
            self._ready.clear()
            await self._ready.wait()
        taken = list(self._queue)
        self._queue.clear()
        self._bytes = 0
        self.pictures += sum(1 for item in taken if item.is_fragment)
        return [item.message for item in taken]

    def _is_behind(self, now_s: float) -> bool:
        oldest = next((item for item in self._queue if item.is_fragment), None)
        if oldest is None:
            return False
        is_old = now_s - oldest.at_s > MAX_QUEUED_AGE_S
        return is_old or self._bytes > MAX_QUEUED_BYTES or len(self._queue) >= MAX_QUEUED

    def _drop_fragments(self) -> int:
        kept = [item for item in self._queue if not item.is_fragment]
        dropped = len(self._queue) - len(kept)
        # Words are few; where they alone fill the queue, the oldest are of no use any more.
        self._queue = deque(kept[-MAX_QUEUED // 2 :])
        self._bytes = sum(len(item.message) for item in self._queue)
        return dropped

    def _put(self, item: _Queued) -> None:
        self._queue.append(item)
        self._bytes += len(item.message)
        self._ready.set()


@dataclass(slots=True, kw_only=True)
class _Channel:
    """A stream as the gateway knows it."""

    key: StreamKey
    watched_s: float
    viewers: set[Onlooker] = field(default_factory=set[Onlooker])
    idle_s: float | None = None
    header: StreamHeader | None = None
    init_text: str = ""
    init: bytes = b""
    group: list[tuple[bytes, bool]] = field(default_factory=list[tuple[bytes, bool]])
    group_bytes: int = 0
    needs_key: bool = True
    last: AccessUnit | None = None
    last_s: float | None = None
    duration_ticks: int = FIRST_DURATION_TICKS
    sequence: int = 0
    state: LinkState | None = None
    since: datetime | None = None
    clock_s: float = float("-inf")  # when the clock was last told
    clock_text: str = ""


class LiveHub:
    """All live streams of a gateway."""

    def __init__(
        self,
        clock: Clock,
        *,
        stall_after_s: float,
        watch: Callable[[StreamKey], None],
        unwatch: Callable[[StreamKey], None],
    ) -> None:
        self._clock = clock
        self._stall_after_s = stall_after_s
        self._watch = watch
        self._unwatch = unwatch
        self._channels: dict[StreamKey, _Channel] = {}
        self.lost = 0  # pictures that did not reach this process

    @property
    def viewers(self) -> int:
        """How many looks are running."""
        return sum(len(channel.viewers) for channel in self._channels.values())

    def join(self, key: StreamKey) -> Viewer:
        """A new viewer, with init, state and the current group of pictures already in its queue."""
        viewer = Viewer(key, clock=self._clock)
        self.attach(viewer)
        return viewer

    def attach(self, viewer: Onlooker) -> None:
        """Show a stream to somebody, from its current group of pictures on, until they leave."""
        key = viewer.key
        now_s = self._clock.monotonic_s()
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = _Channel(key=key, watched_s=now_s)
            self._watch(key)
        channel.viewers.add(viewer)
        channel.idle_s = None
        if channel.state is not None:
            viewer.tell(_state_text(channel))
        if channel.header is not None:
            viewer.begin(channel.init_text, channel.init)
            # Of a camera that is gone no picture is shown, however warm: it would be taken for the present.
            for data, is_key in channel.group if channel.state is not LinkState.OFFLINE else ():
                viewer.show(data, is_key=is_key)
            if channel.clock_text:
                viewer.tell(channel.clock_text)

    def leave(self, viewer: Onlooker) -> None:
        """The viewer is gone; its stream lingers for a while."""
        channel = self._channels.get(viewer.key)
        if channel is not None and viewer in channel.viewers:
            channel.viewers.discard(viewer)
            if not channel.viewers:
                channel.idle_s = self._clock.monotonic_s()

    def tick(self) -> None:
        """Call twice a second: notices silence, and lets go of streams nobody watches."""
        now_s = self._clock.monotonic_s()
        for channel in list(self._channels.values()):
            if channel.idle_s is not None and now_s - channel.idle_s > LINGER_S:
                del self._channels[channel.key]
                self._unwatch(channel.key)
                continue
            self._judge(channel, now_s)

    def list_silent(self) -> Sequence[StreamKey]:
        """Streams of which nothing comes: their recorder is asked again."""
        return [key for key, channel in self._channels.items() if self._silence_s(channel) > ASK_AFTER_S]

    def on_header(self, key: StreamKey, header: StreamHeader) -> None:
        """A new session, or new parameters: viewers start anew at its first key frame."""
        channel = self._channels.get(key)
        if channel is None:
            return
        channel.header = header
        channel.init = init_segment(header)
        channel.init_text = _init_text(key, header)
        channel.group, channel.group_bytes, channel.needs_key = [], 0, True
        channel.last, channel.duration_ticks, channel.clock_text = None, FIRST_DURATION_TICKS, ""
        for viewer in channel.viewers:
            viewer.begin(channel.init_text, channel.init)

    def on_unit(self, key: StreamKey, unit: AccessUnit) -> None:
        """A picture: one fragment for all viewers; behind a loss the pictures up to the next key frame are dropped."""
        channel = self._channels.get(key)
        if channel is None or channel.header is None:
            return
        last = channel.last
        if last is not None and unit.sequence != last.sequence + 1:
            if unit.sequence <= last.sequence:
                return
            self.lost += unit.sequence - last.sequence - 1
            channel.needs_key = True
        if channel.needs_key and not unit.is_key:
            channel.last = unit
            self.lost += 1
            return
        channel.needs_key = False
        now_s = self._clock.monotonic_s()
        if last is not None:
            step = unit.media_ticks - last.media_ticks
            channel.duration_ticks = step if 0 < step <= MAX_DURATION_TICKS else channel.duration_ticks
        channel.last, channel.last_s = unit, now_s
        data = _fragment(channel, unit)
        self._keep(channel, data, is_key=unit.is_key)
        if channel.state is not LinkState.LIVE:
            self._set_state(channel, LinkState.LIVE, since=unit.received_at)
        for viewer in channel.viewers:
            viewer.show(data, is_key=unit.is_key)
        if now_s - channel.clock_s >= CLOCK_EVERY_S:
            channel.clock_s = now_s
            channel.clock_text = _clock_text(unit)
            self._tell(channel, channel.clock_text)

    def on_state(self, key: StreamKey, state: UpstreamState) -> None:
        """The recorder's word: it knows sooner that a camera is gone, and why a stream is late."""
        channel = self._channels.get(key)
        if channel is None or state.state is channel.state:
            return
        if state.state is LinkState.LIVE and self._silence_s(channel) > self._stall_after_s:
            return  # believed once a picture has come
        self._set_state(channel, state.state, since=state.since)

    def _judge(self, channel: _Channel, now_s: float) -> None:
        silence_s = self._silence_s(channel)
        if channel.state is None:
            if now_s - channel.watched_s > UNKNOWN_AFTER_S:
                self._set_state(channel, LinkState.OFFLINE, since=self._clock.now())
        elif channel.state is LinkState.LIVE and silence_s > self._stall_after_s:
            self._set_state(channel, LinkState.STALLED, since=self._clock.now() - timedelta(seconds=silence_s))
        elif channel.state is LinkState.STALLED and silence_s > OFFLINE_AFTER_S:
            self._set_state(channel, LinkState.OFFLINE, since=channel.since or self._clock.now())

    def _silence_s(self, channel: _Channel) -> float:
        began_s = channel.watched_s if channel.last_s is None else channel.last_s
        return self._clock.monotonic_s() - began_s

    def _set_state(self, channel: _Channel, state: LinkState, *, since: datetime) -> None:
        channel.state, channel.since = state, since
        self._tell(channel, _state_text(channel))

    def _tell(self, channel: _Channel, text: str) -> None:
        for viewer in channel.viewers:
            viewer.tell(text)

    def _keep(self, channel: _Channel, data: bytes, *, is_key: bool) -> None:
        if is_key:
            channel.group, channel.group_bytes = [], 0
        elif not channel.group:
            return
        channel.group.append((data, is_key))
        channel.group_bytes += len(data)
        if channel.group_bytes > MAX_GROUP_BYTES or len(channel.group) > MAX_GROUP_PICTURES:
            channel.group, channel.group_bytes = [], 0


def _fragment(channel: _Channel, unit: AccessUnit) -> bytes:
    channel.sequence += 1
    sample = Sample(
        data=unit.data,
        duration_ticks=channel.duration_ticks,
        is_key=unit.is_key,
        composition_offset_ticks=unit.composition_offset_ticks,
    )
    return b"".join(fragment(channel.sequence, unit.media_ticks, samples=[sample]))


def _init_text(key: StreamKey, header: StreamHeader) -> str:
    """What follows; the stream is named, since a camera without a sub stream sends the main one instead."""
    body: dict[str, object] = {"type": "init", "codec": header.codec_string, "stream": key[1].value}
    body |= {"width": header.width_px, "height": header.height_px}
    if header.codec == "hevc":
        body["code"] = CODE_H265
    return json.dumps(body)


def _state_text(channel: _Channel) -> str:
    state, since = channel.state, channel.since
    assert state is not None
    assert since is not None
    return json.dumps({"type": "state", "state": state.value, "since": to_iso(since)})


def _clock_text(unit: AccessUnit) -> str:
    """When the picture was taken, on our time line; a camera's claim counts only where it is plausible."""
    claim = unit.captured_at
    at = claim if claim is not None and abs(claim - unit.received_at) <= CLAIM_WITHIN else unit.received_at
    return json.dumps({"type": "clock", "media_ticks": unit.media_ticks, "captured_at": to_iso(at)})

"""The rules of time (docs/design/time.md): from what cameras and clocks say to one line without overlap.

No clock is read here. Times on the server's line are whole microseconds since 1970 (`_us`), media time is in 90 kHz
ticks, monotonic time in seconds.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from safecity.platform.clock import to_us
from safecity.video.access_unit import TICKS_PER_S
from safecity.video.model import line_us

MAX_SLEW_PPB = 500_000  # 500 ppm: what a clock may be corrected by without being seen
CATCH_UP_PPB = 100_000_000  # 10 %: for clocks that are plainly wrong
CATCH_UP_OVER_US = 250_000
CORRECT_OVER_US = 60_000_000
SERVER_STEP_US = 500_000
BACK_JUMP_TICKS = TICKS_PER_S
AHEAD_TICKS = TICKS_PER_S // 2
FREEZE_TICKS = 2 * TICKS_PER_S
FREEZE_WINDOW_S = 3.0
HOLE_TICKS = 2 * TICKS_PER_S
HOLE_INTERVALS = 4
FIRST_INTERVAL_TICKS = TICKS_PER_S // 25  # until two pictures have shown a better one
MAX_INTERVAL_TICKS = 10 * TICKS_PER_S
_BUCKET_US = 10_000_000
_BUCKETS = 6


class ServerLine:
    """This server's wall time, carried by its monotonic clock and slewed to the wall clock.

    `instant_us` may be called from every thread; `discipline` from one.
    """

    def __init__(self, now: datetime, monotonic_s: float) -> None:
        self._offset_us = to_us(now) - round(monotonic_s * 1e6)
        self._disciplined_s = monotonic_s

    def instant_us(self, monotonic_s: float) -> int:
        """The instant on the line of a monotonic reading."""
        return self._offset_us + round(monotonic_s * 1e6)

    def discipline(self, now: datetime, monotonic_s: float) -> int:
        """Follow the wall clock; returns by how many microseconds the line was stepped, 0 when it was only slewed."""
        error_us = to_us(now) - self.instant_us(monotonic_s)
        if abs(error_us) > SERVER_STEP_US:
            self._offset_us += error_us
            self._disciplined_s = monotonic_s
            return error_us
        room_us = int((monotonic_s - self._disciplined_s) * MAX_SLEW_PPB / 1000)
        self._offset_us += max(-room_us, min(room_us, error_us))
        self._disciplined_s = monotonic_s
        return 0


def unwrap(previous: int | None, raw: int, *, bits: int) -> int:
    """A counter of `bits` bits as an endless one: the value nearest to the previous one."""
    if previous is None:
        return raw
    turn = 1 << bits
    return previous + (raw - previous + turn // 2) % turn - turn // 2


class Tick(NamedTuple):
    """Where a picture lies in its session's media time. A tuple, because one is made for every picture."""

    ticks: int
    has_jumped: bool = False  # the camera's clock jumped; the ticks went on with our time
    slack_ticks: int = 0  # what the picture's own time lies before its ticks, where they had to be lifted; <= 0


class TickCounter:
    """Makes media ticks that rise strictly from 0, whatever the camera's timestamps do."""

    def __init__(self) -> None:
        self.repaired = 0
        self.interval_ticks = FIRST_INTERVAL_TICKS
        self._raw: int | None = None
        self._ticks = -1
        self._shift: int | None = None
        self._received_s = 0.0
        self._least: int | None = None  # least (received - ticks) since the last jump, in ticks
        self._frozen: tuple[float, int] | None = None  # (monotonic of the silence's end, least lateness since)

    def place(self, raw: int | None, received_s: float) -> Tick:
        """The ticks of the next picture in decoding order, from its own time (None where it has none) and arrival."""
        elapsed = round((received_s - self._received_s) * TICKS_PER_S)
        if self._ticks < 0:
            tick = Tick(ticks=0)
            self._shift = None if raw is None else -raw
        elif raw is None:
            tick = Tick(ticks=self._ticks + self.interval_ticks)
        elif self._raw is None or self._shift is None:
            tick = Tick(ticks=self._ticks + self._sane(elapsed))
            self._shift = tick.ticks - raw
        else:
            tick = self._follow(raw, self._raw, self._shift, elapsed=elapsed, received_s=received_s)
        step = tick.ticks - self._ticks
        if 1 < step <= MAX_INTERVAL_TICKS and self._raw is not None and not tick.has_jumped:
            self.interval_ticks += (min(step, 4 * self.interval_ticks) - self.interval_ticks) // 8
        late = round(received_s * TICKS_PER_S) - tick.ticks
        self._least = late if self._least is None else min(self._least, late)
        self._raw = raw if raw is not None else self._raw
        self._ticks, self._received_s = tick.ticks, received_s
        return tick

    def _sane(self, elapsed: int) -> int:
        return max(self.interval_ticks, min(elapsed, MAX_INTERVAL_TICKS))

    def _follow(self, raw: int, last: int, shift: int, *, elapsed: int, received_s: float) -> Tick:
        step, ticks = raw - last, raw + shift
        late = round(received_s * TICKS_PER_S) - ticks
        is_future = step > elapsed + AHEAD_TICKS and self._least is not None and late < self._least - AHEAD_TICKS
        if step <= -BACK_JUMP_TICKS or is_future:
            return self._jump(raw, self._ticks + max(1, elapsed))
        ahead = self._thawed(late, step, elapsed, received_s)
        if ahead:
            return self._jump(raw, ticks + ahead)
        if ticks <= self._ticks:
            self.repaired += 1
            return Tick(ticks=self._ticks + 1, slack_ticks=ticks - self._ticks - 1)
        return Tick(ticks=ticks)

    def _thawed(self, late: int, step: int, elapsed: int, received_s: float) -> int:
        """How far the ticks stood still in a silence, once it is clear that no late burst follows; else 0."""
        assert self._least is not None
        if self._frozen is None:
            if elapsed - step > FREEZE_TICKS:
                self._frozen = (received_s, late)
            return 0
        since_s, least = self._frozen
        least = min(least, late)
        self._frozen = (since_s, least)
        if least - self._least <= FREEZE_TICKS:
            self._frozen = None
        elif received_s - since_s >= FREEZE_WINDOW_S:
            return least - self._least
        return 0

    def _jump(self, raw: int, ticks: int) -> Tick:
        self._shift = ticks - raw
        self._least, self._frozen = None, None
        return Tick(ticks=ticks, has_jumped=True)


class ReorderedTicks:
    """Decode times for streams whose packets tell only presentation times: order of arrival, never behind display.

    While presentation times rise, both are the same. From the first step back on, there are B-frames: decode time then
    advances by one interval a picture and is pulled along by key frames.
    """

    def __init__(self) -> None:
        self._has_b_frames = False
        self._decode: int | None = None
        self._highest: int | None = None

    def decode_ticks(self, presentation: int, *, interval_ticks: int, is_key: bool) -> int:
        """The decode time of the next picture in decoding order."""
        if self._decode is None or self._highest is None:
            self._decode = self._highest = presentation
            return presentation
        back = self._highest - presentation
        if abs(back) >= BACK_JUMP_TICKS:  # a jump of the clock is no B-frame
            self._decode = self._highest = presentation
            return presentation
        self._has_b_frames = self._has_b_frames or back > 0
        self._highest = max(self._highest, presentation)
        if not self._has_b_frames or is_key:
            self._decode = max(self._decode + 1, presentation) if not is_key or back <= 0 else self._decode + 1
        else:
            self._decode = max(self._decode + 1, min(presentation, self._decode + interval_ticks))
        return self._decode


@dataclass(frozen=True, slots=True, kw_only=True)
class LineStart:
    """Where a segment starts on the line, how fast the line runs along its ticks, and what error was left."""

    start_us: int
    rate_ppb: int
    error_us: int  # positive: the line shows later than the estimate

    def instant_us(self, ticks: int) -> int:
        """The instant of ticks counted from the segment's start."""
        return self.start_us + line_us(ticks, self.rate_ppb)


class SessionLine:
    """Maps the media ticks of a session onto the server's line, segment by segment."""

    def __init__(self) -> None:
        self._buckets: deque[tuple[int, int]] = deque(maxlen=_BUCKETS)  # (bucket number, least offset in us)
        self._latest_us: int | None = None  # what there is to go by right after a jump

    def observe(self, ticks: int, received_us: int) -> None:
        """Take note of when a picture arrived."""
        offset_us = received_us - line_us(ticks, 0)
        self._latest_us = offset_us
        number = received_us // _BUCKET_US
        if self._buckets and self._buckets[-1][0] == number:
            if offset_us < self._buckets[-1][1]:
                self._buckets[-1] = (number, offset_us)
        else:
            self._buckets.append((number, offset_us))

    def forget(self) -> None:
        """Drop what was observed, because the server's line or the camera's ticks jumped."""
        self._buckets.clear()

    def estimate_us(self, ticks: int) -> int:
        """The best estimate of when a picture would have arrived without delay; needs an observation."""
        assert self._latest_us is not None
        return line_us(ticks, 0) + min((offset for _, offset in self._buckets), default=self._latest_us)

    def start(self, ticks: int, *, not_before_us: int | None) -> LineStart:
        """Start a segment that does not continue one: at the estimate, but never before what is recorded already."""
        estimate = self.estimate_us(ticks)
        start = estimate if not_before_us is None else max(estimate, not_before_us)
        return LineStart(start_us=start, rate_ppb=rate_for(start - estimate), error_us=start - estimate)

    def go_on(self, ticks: int, *, end_us: int) -> LineStart:
        """Start a segment exactly where the one before ended."""
        error = end_us - self.estimate_us(ticks)
        return LineStart(start_us=end_us, rate_ppb=rate_for(error), error_us=error)


def rate_for(error_us: int) -> int:
    """The rate (ppb) that takes an error away over a minute, within what a line may be bent by."""
    limit = CATCH_UP_PPB if abs(error_us) > CATCH_UP_OVER_US else MAX_SLEW_PPB
    wanted = -error_us * 1_000_000_000 // CORRECT_OVER_US
    return max(-limit, min(limit, wanted))


def is_hole(step_ticks: int, interval_ticks: int) -> bool:
    """Whether the step from one picture to the next leaves out time."""
    return step_ticks > max(HOLE_TICKS, HOLE_INTERVALS * interval_ticks)

"""One timer for every stream of a process: pictures are sent on a tick, so that hundreds of cameras wake it rarely."""

import asyncio
import heapq
from collections.abc import Callable
from itertools import count
from math import ceil
from typing import Final

from safecity.platform.clock import Clock

TICK_S: Final = 0.005

Turn = Callable[[float], float | None]
"""Called with the monotonic time; returns when it wants its next turn, None for never."""


class Wheel:
    """Gives each its turn at its time, rounded up to the tick. Not for other threads."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self._loop = loop
        self._clock = clock
        self._turns: list[tuple[int, int, Turn]] = []
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_slot = 0

    def schedule(self, at_s: float, turn: Turn) -> None:
        """Give `turn` its turn at that time."""
        heapq.heappush(self._turns, (ceil(at_s / TICK_S), next(self._order), turn))
        self._arm()

    def close(self) -> None:
        """Nobody gets another turn."""
        self._turns.clear()
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        if not self._turns:
            return
        slot = self._turns[0][0]
        if self._timer is not None:
            if self._timer_slot <= slot:
                return
            self._timer.cancel()
        self._timer_slot = slot
        self._timer = self._loop.call_later(max(0.0, slot * TICK_S - self._clock.monotonic_s()), self._turn)

    def _turn(self) -> None:
        self._timer = None
        now_s = self._clock.monotonic_s()
        slot = int(now_s / TICK_S)
        if slot < self._timer_slot:
            slot, now_s = self._timer_slot, self._timer_slot * TICK_S
        due: list[Turn] = []
        while self._turns and self._turns[0][0] <= slot:
            due.append(heapq.heappop(self._turns)[2])
        for turn in due:
            next_s = turn(now_s)
            if next_s is not None:
                heapq.heappush(self._turns, (max(slot + 1, ceil(next_s / TICK_S)), next(self._order), turn))
        self._arm()

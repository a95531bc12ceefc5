"""Gives the pictures of one connection their place in time and their number; shared by all readers.

The rules stand in `safecity.video.timeline`; here they are put together in the one order that is right.
"""

from typing import NamedTuple

from safecity.video.access_unit import TICKS_PER_S, AccessUnit
from safecity.video.reader import ClockJump, ReadItem
from safecity.video.timeline import ReorderedTicks, ServerLine, TickCounter

SANE_WITHIN_US = 3653 * 86_400 * 1_000_000  # a claim further off is nonsense
MAX_OFFSET_TICKS = 10 * TICKS_PER_S  # between decoding and showing a picture; more is a fault of the sender's


class RawTimes(NamedTuple):
    """What is known of a picture's times: its own in 90 kHz ticks without wrap, its arrival, the camera's claim."""

    decode: int | None
    presentation: int | None
    received_s: float  # monotonic
    claimed_us: int | None  # microseconds since 1970


class UnitPlacer:
    """Makes access units of pictures in their decoding order."""

    def __init__(self, *, sequence: int, line: ServerLine) -> None:
        self._sequence = sequence
        self._line = line
        self._counter = TickCounter()
        self._reordered = ReorderedTicks()

    def restart(self) -> None:
        """Count ticks from 0 again, because a new session starts; sequence numbers go on."""
        self._counter, self._reordered = TickCounter(), ReorderedTicks()

    def decode_ticks(self, presentation: int, *, is_key: bool) -> int:
        """The decode time of a picture that told only its presentation time; to be asked once a picture."""
        interval = self._counter.interval_ticks
        return self._reordered.decode_ticks(presentation, interval_ticks=interval, is_key=is_key)

    def place(self, data: bytes, times: RawTimes, *, is_key: bool) -> list[ReadItem]:
        """The access unit, behind a ClockJump where the camera's clock jumped before it."""
        decode, presentation, received_s, claimed_us = times
        tick = self._counter.place(decode, received_s)
        offset = 0 if presentation is None or decode is None else presentation - decode + tick.slack_ticks
        received_us = self._line.instant_us(received_s)
        is_sane = claimed_us is not None and abs(claimed_us - received_us) <= SANE_WITHIN_US
        self._sequence += 1
        unit = AccessUnit(
            data=data,
            media_ticks=tick.ticks,
            composition_offset_ticks=offset if abs(offset) < MAX_OFFSET_TICKS else 0,
            is_key=is_key,
            captured_us=claimed_us if is_sane else None,
            received_us=received_us,
            received_s=received_s,
            sequence=self._sequence,
        )
        return [ClockJump(at_ticks=tick.ticks), unit] if tick.has_jumped else [unit]

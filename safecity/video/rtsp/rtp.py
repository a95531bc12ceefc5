"""RTP packets (RFC 3550 section 5.1): where their payload lies, and what their sequence numbers say was lost.

No object is made of a packet: it stays a slice of the receive buffer, and what is asked of it are numbers.
"""

import struct
from enum import IntEnum

FIXED_BYTES = 12
MARKER = 0x80  # in the second byte
MAX_LATE = 64  # packets that may come this far behind the newest; further back, the sender has begun anew
MAX_AHEAD = 3000  # and a jump further ahead is no loss that could be counted, but a new beginning (RFC 3550 A.1)
TURN = 1 << 16
HEAD = struct.Struct(">BBHII")  # version to CSRC count, marker and payload type, sequence, timestamp, SSRC


def find_payload(packet: memoryview) -> tuple[int, int] | None:
    """Start and end of the payload behind CSRCs and extension and before padding; None for what is no RTP packet.

    A padding count that cannot be (0, or more than there is) makes the packet none, as RFC 3550 A.1 has it.
    """
    size = len(packet)
    if size < FIXED_BYTES:
        return None
    first = packet[0]
    if first == 0x80:
        return FIXED_BYTES, size
    if first >> 6 != 2:
        return None
    start = FIXED_BYTES + 4 * (first & 0x0F)
    if first & 0x10:
        if start + 4 > size:
            return None
        start += 4 + 4 * (packet[start + 2] << 8 | packet[start + 3])
    end = size
    if first & 0x20:
        padding = packet[size - 1]
        if not padding:
            return None
        end -= padding
    return (start, end) if start <= end else None


class Order(IntEnum):
    """What a packet's sequence number says of it."""

    NEXT = 0  # what was awaited, or the first of all
    AFTER_LOSS = 1  # packets before it did not come, or the sender began to count anew
    LATE = 2  # it was given up already, or came before: it is of no use


class SequenceTracker:
    """Counts what is missing in one source's packets. TCP keeps order, so a jump is a loss on the camera's side.

    A sender that never counts up, or counts back, is believed to have begun anew after 64 late packets in a row.
    """

    def __init__(self) -> None:
        self.lost = 0
        self.late = 0
        self.restarts = 0
        self._base: int | None = None
        self._turns = 0
        self._late_run = 0
        self._late_before = -1  # the number awaited at the last late packet

    def take(self, sequence: int, *, expected: int) -> Order:
        """Judge a packet by the number awaited (one more than the last one's; 65,536 is 0 of the next turn).

        One that has just that number need not be shown to this, but for the first of all.
        """
        if self._base is None:
            self._base = sequence
            return Order.NEXT
        if expected == TURN:
            expected = 0
            self._turns += 1
        ahead = (sequence - expected) % TURN
        if not ahead:
            return Order.NEXT
        if ahead < MAX_AHEAD:
            self.lost += ahead
            self._turns += sequence < expected
            return Order.AFTER_LOSS
        if expected != self._late_before:
            self._late_run, self._late_before = 0, expected
        if TURN - ahead <= MAX_LATE and self._late_run < MAX_LATE:
            self.late += 1
            self._late_run += 1
            self._turns -= not expected  # the turn that was just counted is counted again with the next in order
            return Order.LATE
        self.restarts += 1
        self._base, self._turns = sequence, 0
        return Order.AFTER_LOSS

    def forget(self) -> None:
        """Another source follows: its numbers have nothing to do with these."""
        self._base, self._turns, self._late_run = None, 0, 0

    def received_until(self, expected: int) -> tuple[int, int]:
        """(extended highest sequence number, packets that should have come), for a report (RFC 3550 A.3)."""
        highest = (self._turns << 16) + expected - 1
        return highest & 0xFFFF_FFFF, highest - (self._base or 0) + 1

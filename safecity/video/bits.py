"""Reads bit fields of H.264 and H.265 parameter sets, bounded against hostile ones."""

import re

from safecity.platform.errors import Invalid

MAX_PARAMETER_SET_BYTES = 4096
_MAX_LEADING_ZEROS = 32


def unescape(nal: bytes) -> bytes:
    """The raw byte sequence payload: emulation prevention bytes (00 00 03) taken out (ITU-T H.264 7.4.1)."""
    return re.sub(rb"\x00\x00\x03", b"\x00\x00", nal)


class BitReader:
    """Big-endian bits of a payload; raises Invalid when read past its end."""

    def __init__(self, payload: bytes) -> None:
        if len(payload) > MAX_PARAMETER_SET_BYTES:
            raise Invalid(
                f"a parameter set is over {MAX_PARAMETER_SET_BYTES} bytes", code="video.parameter_set_invalid"
            )
        self._bits = int.from_bytes(payload)
        self._left = 8 * len(payload)

    def u(self, count: int) -> int:
        """An unsigned number of `count` bits."""
        if count > self._left:
            raise Invalid("a parameter set ends too early", code="video.parameter_set_invalid")
        self._left -= count
        return (self._bits >> self._left) & ((1 << count) - 1)

    def flag(self) -> bool:
        """One bit."""
        return self.u(1) == 1

    def ue(self) -> int:
        """An unsigned Exp-Golomb number (ITU-T H.264 9.1)."""
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > _MAX_LEADING_ZEROS:
                raise Invalid("a parameter set holds an impossible number", code="video.parameter_set_invalid")
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        """A signed Exp-Golomb number."""
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -(code // 2)

"""A frame number in the picture that a program can read back after encoding, scaling and a browser.

Layout: one row of `BLOCKS` equal blocks over the full width at the top edge, each as high as it is wide
(26 px at 640x360, 53 at 1280x720), so that scaling the picture scales the code with it. From the left:
white, black (they give the two levels), `VALUE_BITS` bits of the number and `CHECK_BITS` of its check sum,
most significant bit first, white for 1. A reader takes the mean of the middle half of each block.
"""

import numpy as np
from numpy.typing import NDArray

BLOCKS = 24
CHECK_BITS = 4
VALUE_BITS = BLOCKS - 2 - CHECK_BITS
COUNTER_LIMIT = 1 << VALUE_BITS
"""Numbers run from 0 up to here: 4.8 hours at 15 pictures a second."""

_BLACK, _WHITE, _NEUTRAL = 16, 235, 128
_LEAST_CONTRAST = 60


def check_sum(number: int) -> int:
    """A 4-bit sum over the number's nibbles, so that a torn or foreign picture is not read as a number."""
    total = 5
    while number:
        total = (total * 3 + (number & 0xF)) & 0xF
        number >>= 4
    return total


def counter_bits(number: int) -> tuple[int, ...]:
    """The blocks from left to right, 1 for white."""
    code = (number << CHECK_BITS) | check_sum(number)
    return (1, 0, *((code >> bit) & 1 for bit in reversed(range(VALUE_BITS + CHECK_BITS))))


def burn_counter(picture: NDArray[np.uint8], number: int, *, width_px: int, height_px: int) -> None:
    """Write the number into a planar yuv420p array as PyAV gives it (shape (height * 3 / 2, width)), in place."""
    edges = [round(index * width_px / BLOCKS) for index in range(BLOCKS + 1)]
    rows = min(height_px, round(width_px / BLOCKS))
    for bit, left, right in zip(counter_bits(number % COUNTER_LIMIT), edges, edges[1:], strict=False):
        picture[:rows, left:right] = _WHITE if bit else _BLACK
    flat = picture.reshape(-1)
    luma = width_px * height_px
    quarter = (width_px // 2) * (height_px // 2)
    for start in (luma, luma + quarter):
        plane = flat[start : start + quarter].reshape(height_px // 2, width_px // 2)
        plane[: (rows + 1) // 2] = _NEUTRAL


def read_counter(frame: NDArray[np.uint8]) -> int | None:
    """The number in a picture, grey (height, width) or colour (height, width, channels); None where there is none."""
    grey = frame if frame.ndim == 2 else frame.mean(axis=2)
    width = grey.shape[1] / BLOCKS
    rows = slice(round(width * 0.25), max(round(width * 0.75), round(width * 0.25) + 1))
    levels = [
        float(grey[rows, round((index + 0.25) * width) : max(round((index + 0.75) * width), 1)].mean())
        for index in range(BLOCKS)
    ]
    white, black = levels[0], levels[1]
    if not white - black >= _LEAST_CONTRAST:
        return None
    code = 0
    for level in levels[2:]:
        code = code << 1 | (level > (white + black) / 2)
    number = code >> CHECK_BITS
    return number if check_sum(number) == code & (1 << CHECK_BITS) - 1 else None

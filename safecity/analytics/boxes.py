"""Boxes on a picture: what a detector or the motion model saw, and how two boxes lie to each other.

A box is left, top, width and height in pixels (floats; x to the right, y downwards). All of it is pure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle in pixels, upright."""

    x_px: float
    y_px: float
    w_px: float
    h_px: float

    @property
    def centre(self) -> tuple[float, float]:
        """Its middle, x and y."""
        return self.x_px + self.w_px / 2, self.y_px + self.h_px / 2

    @property
    def area_px2(self) -> float:
        """Square pixels."""
        return self.w_px * self.h_px

    def moved(self, by_x_px: float, by_y_px: float) -> "Box":
        """The same box elsewhere."""
        return Box(x_px=self.x_px + by_x_px, y_px=self.y_px + by_y_px, w_px=self.w_px, h_px=self.h_px)

    def scaled(self, by_x: float, by_y: float) -> "Box":
        """The same box on the picture of another size."""
        return Box(x_px=self.x_px * by_x, y_px=self.y_px * by_y, w_px=self.w_px * by_x, h_px=self.h_px * by_y)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """One thing seen on one picture."""

    box: Box
    object_class: str
    """A COCO name (`car`, `person`, ...); with a question mark (`vehicle?`) where only size and shape were seen."""
    score: float
    """0 to 1, as the detector gives it."""


class Detector(Protocol):
    """Finds road users on one picture; not safe to share between threads."""

    name: str
    """As `safecity models list` names it."""
    classes: tuple[str, ...]
    """What it can answer with."""

    def detect(self, bgr: U8) -> Sequence[Detection]:
        """Things on a picture (height x width x 3, blue first), boxes in its pixels, weak ones (>= 0.1) included."""
        ...


@runtime_checkable
class PartDetector(Detector, Protocol):
    """A detector that is faster on a part of a picture."""

    def detect_part(self, bgr: U8, part: Box) -> Sequence[Detection]:
        """Things in at least that part, seen as large as on the whole picture; boxes in pixels of the whole."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One decoded picture; its arrays are only read, and only during the call that it is given to."""

    luma: U8
    """Height x width, a view of the decoder's Y plane: never write to it."""
    bgr: Callable[[], U8]
    """Makes height x width x 3, blue first; called only when a detector needs it."""
    at_s: float
    """Media time in seconds, rising."""
    is_key: bool = False


def around(boxes: Sequence[Box]) -> Box | None:
    """The smallest box that holds all of them; None for none."""
    if not boxes:
        return None
    left, top = min(box.x_px for box in boxes), min(box.y_px for box in boxes)
    right, bottom = max(box.x_px + box.w_px for box in boxes), max(box.y_px + box.h_px for box in boxes)
    return Box(x_px=left, y_px=top, w_px=right - left, h_px=bottom - top)

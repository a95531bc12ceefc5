"""Where a head must turn so that a part of the picture fills it: geometry only, no I/O.

Boxes are in shares of the picture: x to the right and y down, 0 to 1. Positions are in ONVIF's spaces: pan to the
right, tilt up. A lens images tan(angle), not the angle, so a point at the edge of a wide picture is further off than
its share says; both directions are taken so.
"""

import math
from dataclasses import dataclass
from typing import Final

from safecity.platform.errors import Invalid

ASPECT: Final = 16 / 9
MIN_BOX: Final = 0.02
"""A box narrower than this share of the picture is a click: it centres and does not zoom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A part of the picture."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A range of a position."""

    low: float
    high: float

    def clamp(self, value: float) -> float:
        """The nearest value in it."""
        return min(max(value, self.low), self.high)

    def share(self, value: float) -> float:
        """Where a value lies in it, 0 to 1."""
        return 0.0 if self.high <= self.low else (self.clamp(value) - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Pan, tilt and zoom in the camera's own numbers."""

    pan: float
    tilt: float
    zoom: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Optics:
    """What one must know of a head to aim it: how wide it sees, how far it turns. Degrees."""

    wide_fov_deg: float = 60.0
    zoom_times: float = 20.0
    pan_span_deg: float = 350.0
    """From one end of the pan range to the other."""
    tilt_span_deg: float = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How far a head goes, in the camera's own numbers."""

    pan: Span = Span(low=-1.0, high=1.0)
    tilt: Span = Span(low=-1.0, high=1.0)
    zoom: Span = Span(low=0.0, high=1.0)

    def clamp(self, position: Position) -> Position:
        """The nearest position that may be reached."""
        return Position(
            pan=self.pan.clamp(position.pan), tilt=self.tilt.clamp(position.tilt), zoom=self.zoom.clamp(position.zoom)
        )


def check_box(box: Box) -> None:
    """Raises Invalid for a box that does not lie in the picture."""
    values = (box.x, box.y, box.width, box.height)
    is_inside = box.x + box.width <= 1 + 1e-9 and box.y + box.height <= 1 + 1e-9
    if not all(math.isfinite(one) and 0 <= one <= 1 for one in values) or not is_inside:
        raise Invalid("the box does not lie in the picture", code="onvif.box")


def fov_deg(zoom: float, *, limits: Limits, optics: Optics) -> float:
    """Width of the picture in degrees; magnification is taken to rise evenly with the zoom position."""
    times = 1 + limits.zoom.share(zoom) * (optics.zoom_times - 1)
    return 2 * math.degrees(math.atan(math.tan(math.radians(optics.wide_fov_deg / 2)) / times))


def fov_step(box: Box) -> tuple[float, float]:
    """The way to the box's middle in the field-of-view space: 1 is half a picture's width or height."""
    return 2 * (box.x + box.width / 2) - 1, 1 - 2 * (box.y + box.height / 2)


def zoom_for(box: Box, *, here: float, limits: Limits, optics: Optics) -> float:
    """The zoom position at which the box fills the picture; the present one for a click."""
    part = max(box.width, box.height)
    if part < MIN_BOX:
        return here
    times = (1 + limits.zoom.share(here) * (optics.zoom_times - 1)) / part
    share = min(max((times - 1) / max(optics.zoom_times - 1, 1e-6), 0.0), 1.0)
    return limits.zoom.low + share * (limits.zoom.high - limits.zoom.low)


def aim(box: Box, *, here: Position, limits: Limits, optics: Optics) -> Position:
    """The position from which the box fills the picture, as far as the limits allow. Raises Invalid as `check_box`."""
    check_box(box)
    half = math.tan(math.radians(fov_deg(here.zoom, limits=limits, optics=optics) / 2))
    right, up = fov_step(box)
    pan_deg = math.degrees(math.atan(right * half))
    tilt_deg = math.degrees(math.atan(up * half / ASPECT))
    pan = here.pan + pan_deg / optics.pan_span_deg * (limits.pan.high - limits.pan.low)
    tilt = here.tilt + tilt_deg / optics.tilt_span_deg * (limits.tilt.high - limits.tilt.low)
    zoom = zoom_for(box, here=here.zoom, limits=limits, optics=optics)
    return limits.clamp(Position(pan=pan, tilt=tilt, zoom=zoom))

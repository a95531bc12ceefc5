"""One road user at one moment, as the drawing and the truth take it."""

from dataclasses import dataclass

from safecity.virtual.scenes.looks import Look

MoverKey = tuple[str, int, int]
"""Kind of schedule, slot, round: the same road user keeps its key while it is in the scene."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """Where a road user is and what it does."""

    key: MoverKey
    look: Look
    x_m: float
    y_m: float
    heading: float
    """Radians from the x axis, anticlockwise."""
    speed_mps: float
    stride: float = 0.0
    """Radians of the walking movement."""
    is_braking: bool = False
    is_blinking: bool = False
    event: int | None = None
    """The planted event that it is part of."""

"""Street lamps and lit shops: where they hang and how much light reaches a place."""

from dataclasses import dataclass, field

import numpy as np

from safecity.virtual.scenes.pixels import F64, Bgr

SOFT_M2 = 7.0
"""Keeps what is right beside a lamp from burning out."""
MAX_LAMPS = 64
"""A place lights only its nearest lamps and shops."""


@dataclass(slots=True)
class Lamps:
    """Point lights; strength is the light it gives at one metre."""

    places: list[tuple[float, float, float]] = field(default_factory=list[tuple[float, float, float]])
    strengths: list[Bgr] = field(default_factory=list[Bgr])

    def __bool__(self) -> bool:
        """Whether any lamp is lit."""
        return bool(self.places)

    def hang(self, place: tuple[float, float, float], strength: Bgr) -> None:
        """Add a lamp; past the limit it is left out."""
        if len(self.places) < MAX_LAMPS:
            self.places.append(place)
            self.strengths.append(strength)

    def light_at(self, points: F64) -> F64:
        """Light (N, 3) at places (N, 3), whatever way they face."""
        if not self.places:
            return np.zeros((len(points), 3))
        away = np.asarray(self.places)[None] - points[:, None]
        squared = (away**2).sum(axis=2) + SOFT_M2
        down = np.clip(0.35 + 0.65 * away[..., 2] / np.sqrt(squared), 0.05, 1.0)
        return np.minimum((down / squared) @ np.asarray(self.strengths), 1.25)

"""A head that turns: where it is at an instant, how far it may go, its presets. Pure; time comes in as seconds.

Positions are in ONVIF's generic spaces: pan and tilt from -1 to 1, zoom from 0 (wide) to 1 (tele).
"""

import math
from dataclasses import dataclass, field
from typing import Final

PAN_SPAN_DEG: Final = 350.0
"""Pan -1 to 1 is so many degrees; tilt -1 to 1 is `TILT_SPAN_DEG`."""
TILT_SPAN_DEG: Final = 90.0
WIDE_FOV_DEG: Final = 60.0
ZOOM_TIMES: Final = 20.0
FULL_SPEED: Final = 1.0
"""Of the range in a second, at speed 1: the whole way from -1 to 1 takes 2 s."""
MAX_PRESETS: Final = 32
MAX_CONTINUOUS_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a head looks."""

    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How far it may go."""

    pan: tuple[float, float] = (-1.0, 1.0)
    tilt: tuple[float, float] = (-1.0, 1.0)
    zoom: tuple[float, float] = (0.0, 1.0)

    def clamp(self, place: Place) -> Place:
        """The nearest place that may be reached."""
        return Place(
            pan=_between(place.pan, self.pan),
            tilt=_between(place.tilt, self.tilt),
            zoom=_between(place.zoom, self.zoom),
        )

    def holds(self, place: Place) -> bool:
        """Whether a place may be reached."""
        return self.clamp(place) == place


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A place with a name."""

    token: str
    name: str
    place: Place


@dataclass(slots=True, kw_only=True)
class PtzHead:
    """One head and its motors."""

    limits: Limits = field(default_factory=Limits)
    presets: dict[str, Preset] = field(default_factory=dict[str, Preset])
    home: Place = field(default_factory=Place)
    moves: int = 0
    """Commands obeyed so far, for tests and the list."""
    _from: Place = field(default_factory=Place)
    _to: Place = field(default_factory=Place)
    _began_s: float = 0.0
    _takes_s: float = 0.0

    def place_at(self, now_s: float) -> Place:
        """Where it looks now."""
        if now_s >= self._began_s + self._takes_s:
            return self._to
        share = (now_s - self._began_s) / self._takes_s
        return Place(
            pan=self._from.pan + (self._to.pan - self._from.pan) * share,
            tilt=self._from.tilt + (self._to.tilt - self._from.tilt) * share,
            zoom=self._from.zoom + (self._to.zoom - self._from.zoom) * share,
        )

    def is_moving(self, now_s: float) -> bool:
        """Whether the motors run."""
        return now_s < self._began_s + self._takes_s

    def go(self, place: Place, *, now_s: float, speed: float = FULL_SPEED) -> None:
        """Start towards a place; from where it is now."""
        self._from, self._to = self.place_at(now_s), self.limits.clamp(place)
        way = max(
            abs(self._to.pan - self._from.pan),
            abs(self._to.tilt - self._from.tilt),
            abs(self._to.zoom - self._from.zoom),
        )
        self._began_s, self._takes_s = now_s, way / max(0.05, min(1.0, speed))
        self.moves += 1

    def run(self, velocity: Place, *, now_s: float, for_s: float) -> None:
        """Move at a velocity until stopped, or the time or the way is at its end."""
        here, time_s = self.place_at(now_s), min(for_s, MAX_CONTINUOUS_S)
        wanted = Place(
            pan=here.pan + velocity.pan * time_s,
            tilt=here.tilt + velocity.tilt * time_s,
            zoom=here.zoom + velocity.zoom * time_s,
        )
        speed = max(abs(velocity.pan), abs(velocity.tilt), abs(velocity.zoom))
        self.go(wanted, now_s=now_s, speed=speed)

    def stop(self, now_s: float) -> None:
        """Hold still where it is."""
        here = self.place_at(now_s)
        self._from = self._to = here
        self._began_s, self._takes_s = now_s, 0.0

    def fov_deg(self, now_s: float) -> float:
        """Width of the picture, in degrees."""
        times = 1 + self.place_at(now_s).zoom * (ZOOM_TIMES - 1)
        return 2 * math.degrees(math.atan(math.tan(math.radians(WIDE_FOV_DEG / 2)) / times))


def _between(value: float, limits: tuple[float, float]) -> float:
    return min(max(value, limits[0]), limits[1])

"""Polylines on the ground, walked by arc length: lanes, kerbs, footpaths, rows of houses."""

import math
from dataclasses import dataclass

import numpy as np

from safecity.virtual.scenes.pixels import F64


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A polyline with its arc length; `points` (N, 2) metres, `along` (N,) metres from its start."""

    points: F64
    along: F64
    headings: F64
    """(N,) radians, unwrapped: where the path leads at each point."""

    @property
    def length_m(self) -> float:
        """Its whole length."""
        return float(self.along[-1])

    def at(self, s_m: float, offset_m: float = 0.0) -> tuple[float, float, float]:
        """x, y and heading (radians from the x axis, anticlockwise) at arc length s, `offset_m` to the left of it.

        Before its start and after its end the path goes on straight.
        """
        heading = float(np.interp(s_m, self.along, self.headings))
        x = float(np.interp(s_m, self.along, self.points[:, 0]))
        y = float(np.interp(s_m, self.along, self.points[:, 1]))
        beyond = s_m if s_m < 0 else max(0.0, s_m - self.length_m)
        cosine, sine = math.cos(heading), math.sin(heading)
        return x + beyond * cosine - offset_m * sine, y + beyond * sine + offset_m * cosine, heading

    def offset(self, left_m: float) -> "Path":
        """The parallel path `left_m` to the left (negative: to the right)."""
        normals = np.stack([-np.sin(self.headings), np.cos(self.headings)], axis=1)
        return path_through(self.points + left_m * normals)

    def reversed(self) -> "Path":
        """The same path walked back."""
        return path_through(self.points[::-1])

    def cut(self, from_m: float, to_m: float) -> "Path":
        """The piece between two arc lengths."""
        inner = self.along[(self.along > from_m + 1e-6) & (self.along < to_m - 1e-6)]
        stations = np.concatenate([[from_m], inner, [to_m]])
        return path_through(np.array([self.at(float(s))[:2] for s in stations]))

    def ribbon(self, left_m: float, right_m: float, *, step_m: float) -> list[F64]:
        """Quads (4, 2) that tile the band between two offsets (both to the left), each at most `step_m` long."""
        count = max(1, math.ceil(self.length_m / step_m))
        stations = np.linspace(0.0, self.length_m, count + 1)
        left = [self.at(float(s), left_m)[:2] for s in stations]
        right = [self.at(float(s), right_m)[:2] for s in stations]
        return [np.array([left[i], left[i + 1], right[i + 1], right[i]]) for i in range(count)]


def path_through(points: F64 | list[tuple[float, float]]) -> Path:
    """A path through the given points."""
    array = np.asarray(points, dtype=np.float64)
    steps = np.diff(array, axis=0)
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    array = np.concatenate([array[:1], array[1:][lengths > 1e-9]])
    steps, lengths = steps[lengths > 1e-9], lengths[lengths > 1e-9]
    directions = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    middle = (directions[:-1] + directions[1:]) / 2
    headings = np.concatenate([directions[:1], middle, directions[-1:]])
    return Path(points=array, along=np.concatenate([[0.0], np.cumsum(lengths)]), headings=headings)


def straight(x0_m: float, y0_m: float, *, x1_m: float, y1_m: float) -> Path:
    """A straight path."""
    return path_through([(x0_m, y0_m), (x1_m, y1_m)])


def bending(x_m: float, from_y_m: float, *, to_y_m: float, bend_from_m: float, radius_m: float) -> Path:
    """A path ahead that bends sideways beyond a distance (positive radius: to the right), sampled each 4 m."""
    stations = np.arange(from_y_m, to_y_m + 4.0, 4.0)
    beyond = np.maximum(0.0, stations - bend_from_m)
    return path_through(np.stack([x_m + beyond**2 / (2 * radius_m), stations], axis=1))


def turning(start: tuple[float, float, float], end: tuple[float, float, float]) -> Path:
    """A smooth turn between two poses (x, y, heading in radians): a cubic Bezier curve."""
    x0, y0, h0 = start
    x1, y1, h1 = end
    reach = 0.39 * math.hypot(x1 - x0, y1 - y0)
    bends = np.array(
        [
            [x0, y0],
            [x0 + reach * math.cos(h0), y0 + reach * math.sin(h0)],
            [x1 - reach * math.cos(h1), y1 - reach * math.sin(h1)],
            [x1, y1],
        ]
    )
    t = np.linspace(0.0, 1.0, 17)[:, None]
    curve = (1 - t) ** 3 * bends[0] + 3 * (1 - t) ** 2 * t * bends[1] + 3 * (1 - t) * t**2 * bends[2] + t**3 * bends[3]
    return path_through(curve)

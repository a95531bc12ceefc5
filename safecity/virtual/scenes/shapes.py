"""Simple solids of which vehicles and figures are built: flat faces, tapered rods, painted panels, lamps.

A shape's own axes: x ahead, y to its left, z up, metres, its middle on the ground at the origin. Parts are convex or
nearly so; parts of a higher layer stand on those of a lower one, so drawing layer by layer, and within a layer the
far ones first, hides what is behind.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import cv2
import numpy as np

from safecity.virtual.scenes.pixels import F64, U8, Bgr, u8

MIP_LEVELS = 6


class Role(IntEnum):
    """How a face takes light."""

    BODY = 0
    GLASS = 1
    HEAD = 2
    TAIL = 3
    AMBER = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A painted rectangle: a plate or an ornament; corners top left, top right, bottom right, bottom left."""

    corners: F64
    normal: F64
    mips: tuple[U8, ...]
    plate: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp:
    """A light: place, where it shines, what kind."""

    place: tuple[float, float, float]
    normal: tuple[float, float, float]
    role: Role


@dataclass(slots=True, kw_only=True)
class Part:
    """Faces, panels and rods that hang together; index ranges into the shape's lists."""

    layer: int
    anchor: tuple[float, float, float]
    faces: range = range(0)
    rods: range = range(0)
    panels: range = range(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A finished shape as flat arrays, ready to be turned, projected and filled."""

    points: F64
    """(V, 3): all faces' corners, one face after another."""
    ends: tuple[int, ...]
    """For each face where its corners end in `points`."""
    normals: F64
    centres: F64
    albedo: F64
    roles: tuple[int, ...]
    details: tuple[int, ...]
    """For each face from which level of detail on it is drawn: 0 always, 1 from some size, 2 only when near."""
    rods: F64
    """(R, 8): ends a and b, their radii."""
    rod_swings: F64
    """(R, 2): how far each end swings ahead with the stride."""
    rod_albedo: F64
    rod_orders: tuple[list[int], list[int]]
    """In which order the rods are drawn when the camera is on the shape's left, and on its right."""
    panels: tuple[Panel, ...]
    lamps: tuple[Lamp, ...]
    parts: tuple[Part, ...]
    size_m: tuple[float, float, float]


@dataclass(slots=True)
class Builder:
    """Collects the pieces of a shape."""

    faces: list[tuple[F64, F64, Bgr, Role, int]] = field(default_factory=list[tuple[F64, F64, Bgr, Role, int]])
    rods: list[tuple[F64, F64, float, float, Bgr, tuple[float, float]]] = field(
        default_factory=list[tuple[F64, F64, float, float, Bgr, tuple[float, float]]]
    )
    panels: list[Panel] = field(default_factory=list[Panel])
    lamps: list[Lamp] = field(default_factory=list[Lamp])
    parts: list[Part] = field(default_factory=list[Part])

    def part(self, layer: int, anchor: tuple[float, float, float]) -> None:
        """Begin a new part."""
        self.parts.append(
            Part(
                layer=layer, anchor=anchor, faces=range(len(self.faces), len(self.faces)),
                rods=range(len(self.rods), len(self.rods)), panels=range(len(self.panels), len(self.panels)),
            )
        )  # fmt: skip

    def face(self, points: F64, outward: F64, *, colour: Bgr, role: Role = Role.BODY, detail: int = 0) -> None:
        """Add a flat convex face; `outward` tells on which side its outside lies."""
        normal = np.zeros(3)
        for here, following in zip(points, np.roll(points, -1, axis=0), strict=True):
            normal += np.cross(here, following)
        length = float(np.linalg.norm(normal))
        normal = normal / length if length > 1e-12 else np.array(outward, np.float64)
        if float(np.dot(normal, outward)) < 0:
            normal = -normal
        self.faces.append((np.asarray(points, np.float64), normal, colour, role, detail))
        part = self.parts[-1]
        part.faces = range(part.faces.start, len(self.faces))

    def prism(
        self, profile: list[tuple[float, float]], half: list[float], *, colours: list[Bgr], side: Bgr,
        roles: list[Role] | None = None,
    ) -> None:  # fmt: skip
        """Sweep a convex side outline (x, z) across; a half width for each corner, a colour for each edge."""
        count = len(profile)
        middle = np.mean(np.array(profile), axis=0)
        for i in range(count):
            j = (i + 1) % count
            (x0, z0), (x1, z1) = profile[i], profile[j]
            quad = np.array([[x0, half[i], z0], [x1, half[j], z1], [x1, -half[j], z1], [x0, -half[i], z0]])
            outward = np.array([(x0 + x1) / 2 - middle[0], 0.0, (z0 + z1) / 2 - middle[1]])
            self.face(quad, outward, colour=colours[i], role=roles[i] if roles else Role.BODY)
        for sign in (1.0, -1.0):
            outline = np.array([[x, sign * w, z] for (x, z), w in zip(profile, half, strict=True)])
            self.face(outline, np.array([0.0, sign, 0.0]), colour=side)

    def box(self, low: tuple[float, float, float], high: tuple[float, float, float], *, colour: Bgr) -> None:
        """Add a box between two corners."""
        profile = [(low[0], low[2]), (high[0], low[2]), (high[0], high[2]), (low[0], high[2])]
        centre, half = (low[1] + high[1]) / 2, (high[1] - low[1]) / 2
        first = len(self.faces)
        self.prism(profile, [half] * 4, colours=[colour] * 4, side=colour)
        for i in range(first, len(self.faces)):
            self.faces[i][0][:, 1] += centre

    def decal(
        self,
        quad: F64,
        area: tuple[float, float, float, float],
        *,
        outward: F64,
        colour: Bgr,
        role: Role = Role.BODY,
        detail: int = 1,
    ) -> F64:
        """Add a detail on a quad (bottom left, bottom right, top right, top left): area u0, u1, v0, v1 in 0..1."""
        sub = inset(quad, area)
        self.face(sub + outward * 0.006, outward, colour=colour, role=role, detail=detail)
        return sub

    def wheel(self, x: float, y: float, *, radius: float, hub: Bgr = (128, 130, 132)) -> None:
        """Add a wheel's outer disc on the side that `y` points to."""
        sign = 1.0 if y > 0 else -1.0
        outward = np.array([0.0, sign, 0.0])
        for r, colour, lift in (
            (radius, (34, 34, 35), 0.004),
            (radius * 0.58, hub, 0.01),
            (radius * 0.2, (60, 60, 62), 0.014),
        ):
            angles = np.linspace(0, 2 * np.pi, 13)[:-1]
            disc = np.stack([x + r * np.cos(angles), np.full(12, y + sign * lift), radius + r * np.sin(angles)], axis=1)
            self.face(disc, outward, colour=colour, detail=2 if r < radius else 1)

    def rod(
        self, a: tuple[float, float, float], b: tuple[float, float, float], *, radii: tuple[float, float], colour: Bgr,
        swings: tuple[float, float] = (0.0, 0.0),
    ) -> None:  # fmt: skip
        """Add a round rod from a to b, thick as the radii say; its ends may swing ahead with the stride."""
        self.rods.append((np.array(a), np.array(b), radii[0], radii[1], colour, swings))
        part = self.parts[-1]
        part.rods = range(part.rods.start, len(self.rods))

    def panel(self, corners: F64, outward: F64, *, picture: U8, plate: str | None = None) -> None:
        """Add a painted rectangle."""
        self.panels.append(Panel(corners=corners, normal=outward, mips=mipmaps(picture), plate=plate))
        part = self.parts[-1]
        part.panels = range(part.panels.start, len(self.panels))

    def lamp(self, place: tuple[float, float, float], normal: tuple[float, float, float], *, role: Role) -> None:
        """Add a light."""
        self.lamps.append(Lamp(place=place, normal=normal, role=role))

    def build(self, size_m: tuple[float, float, float]) -> Shape:
        """Finish the shape."""
        corners = [face[0] for face in self.faces]
        rods = [np.concatenate([a, b, [ra, rb]]) for a, b, ra, rb, _, _ in self.rods]
        return Shape(
            points=np.concatenate(corners) if corners else np.zeros((0, 3)),
            ends=tuple(int(n) for n in np.cumsum([len(c) for c in corners])),
            normals=np.array([face[1] for face in self.faces]).reshape(-1, 3),
            centres=np.array([c.mean(axis=0) for c in corners]).reshape(-1, 3),
            albedo=np.array([face[2] for face in self.faces], np.float64).reshape(-1, 3),
            roles=tuple(int(face[3]) for face in self.faces),
            details=tuple(face[4] for face in self.faces),
            rods=np.array(rods).reshape(-1, 8),
            rod_swings=np.array([rod[5] for rod in self.rods], np.float64).reshape(-1, 2),
            rod_albedo=np.array([rod[4] for rod in self.rods], np.float64).reshape(-1, 3),
            rod_orders=(rod_order(self.parts, 9.0), rod_order(self.parts, -9.0)),
            panels=tuple(self.panels), lamps=tuple(self.lamps), parts=tuple(self.parts), size_m=size_m,
        )  # fmt: skip


def part_order(parts: Sequence[Part], eye: tuple[float, float, float]) -> list[int]:
    """In which order parts are drawn: by layer, within a layer the far ones first."""

    def rank(index: int) -> tuple[int, float]:
        part = parts[index]
        return part.layer, -sum((a - b) ** 2 for a, b in zip(part.anchor, eye, strict=True))

    return sorted(range(len(parts)), key=rank)


def rod_order(parts: Sequence[Part], side_m: float) -> list[int]:
    """The rods' order seen from one side."""
    return [rod for index in part_order(parts, (0.0, side_m, 5.0)) for rod in parts[index].rods]


def inset(quad: F64, area: tuple[float, float, float, float]) -> F64:
    """The part of a quad (bottom left, bottom right, top right, top left) between u0..u1 and v0..v1."""
    u0, u1, v0, v1 = area

    def at(u: float, v: float) -> F64:
        low = quad[0] + u * (quad[1] - quad[0])
        high = quad[3] + u * (quad[2] - quad[3])
        return low + v * (high - low)

    return np.array([at(u0, v0), at(u1, v0), at(u1, v1), at(u0, v1)])


def mipmaps(picture: U8) -> tuple[U8, ...]:
    """The picture (BGR) and its halvings, opaque BGRA."""
    levels = [u8(cv2.cvtColor(picture, cv2.COLOR_BGR2BGRA))]
    while len(levels) < MIP_LEVELS and min(levels[-1].shape[:2]) >= 8:
        height, width = levels[-1].shape[:2]
        levels.append(u8(cv2.resize(levels[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA)))
    return tuple(levels)

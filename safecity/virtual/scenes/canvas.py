"""A picture twice as fine as the scene's, on which everything that stands still is drawn once.

Coordinates come in pixels of the main picture; shrinking to it at the end smooths every edge. Beside colour it keeps,
per pixel, how far the standing thing is, so that moving things later vanish behind it.
"""

import cv2
import numpy as np

from safecity.virtual.scenes.camera import Camera
from safecity.virtual.scenes.conditions import Light
from safecity.virtual.scenes.lamps import Lamps
from safecity.virtual.scenes.model import HEIGHT_PX, WIDTH_PX
from safecity.virtual.scenes.pixels import F64, U8, U16, Bgr, fixed, u8

FINE = 2
"""How many fine pixels make one of the picture, along each axis."""
NOTHING = 65535
"""Depth (centimetres) where nothing stands."""


class Canvas:
    """Colour (premultiplied BGRA) and depth of what stands on the street; lit while it is drawn."""

    def __init__(self, camera: Camera, light: Light, *, lamps: Lamps) -> None:
        self.camera = camera
        self.light = light
        self.lamps = lamps
        self.colour: U8 = np.zeros((HEIGHT_PX * FINE, WIDTH_PX * FINE, 4), np.uint8)
        self.depth: U16 = np.full((HEIGHT_PX * FINE, WIDTH_PX * FINE), NOTHING, np.uint16)
        self.sun = light.sun_direction()

    def faces_camera(self, centre: F64, normal: F64) -> bool:
        """Whether the outside of a face is turned to the camera."""
        return bool(np.dot(self.camera.position - centre, normal) > 0)

    def light_on(self, normal: F64, at: F64) -> F64:
        """Light (3,) that falls on a face of that normal at a place, the lamps included."""
        up = 0.5 + 0.5 * float(normal[2])
        facing = max(0.0, float(np.dot(normal, self.sun)))
        light = np.array(self.light.sky) * up + np.array(self.light.bounce) * (1 - up)
        return light + np.array(self.light.sun) * facing + self.lamps.light_at(at[None, :])[0]

    def fill(self, corners: F64, albedo: Bgr, *, normal: F64 | None = None, glow: float = 0.0) -> None:
        """Draw a planar polygon (N, 3) of one colour; `glow` adds that share of the albedo as its own light.

        With a normal, a face turned away is left out; without one, both sides are drawn, lit as if it lay flat.
        """
        centre = corners.mean(axis=0)
        if normal is not None and not self.faces_camera(centre, normal):
            return
        outline = self.camera.project_polygon(corners)
        if outline is None:
            return
        light = self.light_on(np.array([0.0, 0.0, 1.0]) if normal is None else normal, centre) + glow
        colour = np.clip(np.array(albedo) * light, 0, 255)
        self.stamp(outline, (float(colour[0]), float(colour[1]), float(colour[2])), depth_cm=self.depth_of(corners))

    def depth_of(self, corners: F64) -> int:
        """The mean depth of a polygon in centimetres."""
        _, depth = self.camera.project(corners)
        return int(np.clip(depth.mean() * 100, 0, NOTHING - 1))

    def stamp(self, outline: F64, colour: Bgr, *, depth_cm: int) -> None:
        """Fill an outline given in pixels with a finished colour."""
        points = fixed((outline + 0.5) * FINE - 0.5)
        cv2.fillPoly(self.colour, [points], (*colour, 255.0), cv2.LINE_8, 4)
        cv2.fillPoly(self.depth, [points], float(depth_cm), cv2.LINE_8, 4)

    def box(
        self, base: F64, *, size_m: tuple[float, float, float], heading: float, albedo: Bgr, glow: float = 0.0
    ) -> None:
        """Draw a box standing on `base` (3,): length along the heading, width across, height."""
        length, width, height = size_m
        ahead = np.array([np.cos(heading), np.sin(heading), 0.0])
        left = np.array([-ahead[1], ahead[0], 0.0])
        up = np.array([0.0, 0.0, 1.0])
        middle = base + up * height / 2
        for axis, other, reach, half in (
            (ahead, left, length, width),
            (-ahead, left, length, width),
            (left, ahead, width, length),
            (-left, ahead, width, length),
        ):
            centre = middle + axis * reach / 2
            side, rise = other * half / 2, up * height / 2
            self.fill(
                np.array([centre - side - rise, centre + side - rise, centre + side + rise, centre - side + rise]),
                albedo,
                normal=axis,
                glow=glow,
            )
        top = middle + up * height / 2
        a, b = ahead * length / 2, left * width / 2
        self.fill(np.array([top - a - b, top + a - b, top + a + b, top - a + b]), albedo, normal=up)

    def texture(self, quad: F64, picture: U8, *, own_light: U8, normal: F64) -> None:
        """Draw a lit texture (albedo and own light, BGR) on a quad (4, 3), top left corner first, then clockwise."""
        pixels, depth = self.camera.project(quad)
        if depth.min() < 1.2 or not self.faces_camera(quad.mean(axis=0), normal):
            return
        corners = (pixels + 0.5) * FINE - 0.5
        x0, y0 = np.maximum(np.floor(corners.min(axis=0)).astype(int) - 1, 0)
        x1, y1 = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 2, (WIDTH_PX * FINE, HEIGHT_PX * FINE))
        if x0 >= x1 or y0 >= y1:
            return
        lit = self.light_texture(quad, picture, own_light=own_light, normal=normal)
        height, width = lit.shape[:2]
        source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        transform = cv2.getPerspectiveTransform(source - 0.5, (corners - (x0, y0)).astype(np.float32))
        size = (int(x1 - x0), int(y1 - y0))
        warped = cv2.warpPerspective(lit, transform, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        mask = np.zeros((size[1], size[0]), np.uint8)
        cv2.fillConvexPoly(mask, fixed(corners - (x0, y0)), 255.0, cv2.LINE_8, 4)
        area = (slice(int(y0), int(y1)), slice(int(x0), int(x1)))
        opaque = cv2.cvtColor(warped, cv2.COLOR_BGR2BGRA)
        cv2.copyTo(opaque, mask, self.colour[area])
        self.depth[area][mask > 0] = min(NOTHING - 1, int(depth.mean() * 100))

    def light_texture(self, quad: F64, picture: U8, *, own_light: U8, normal: F64) -> U8:
        """The texture under daylight and lamps; the lamps' light runs smoothly over it."""
        up = 0.5 + 0.5 * float(normal[2])
        facing = max(0.0, float(np.dot(normal, self.sun)))
        even = (
            np.array(self.light.sky) * up + np.array(self.light.bounce) * (1 - up) + np.array(self.light.sun) * facing
        )
        if not self.lamps:
            lit = picture.astype(np.float32) * even.astype(np.float32)
        else:
            across, down = np.linspace(0, 1, 3), np.linspace(0, 1, 6)
            top = quad[0] + across[:, None] * (quad[1] - quad[0])
            bottom = quad[3] + across[:, None] * (quad[2] - quad[3])
            places = (top[None] + down[:, None, None] * (bottom - top)[None]).reshape(-1, 3) + 0.3 * normal
            grid = (self.lamps.light_at(places) + even).reshape(6, 3, 3).astype(np.float32)
            lit = picture * cv2.resize(grid, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_LINEAR)
        return u8(lit + own_light * np.float32(max(self.light.street_lamps, 0.12)))

    def line(self, points: F64, colour: Bgr, *, thickness_m: float) -> None:
        """Draw a thin thing (wire, rail) through world points (N, 3), at least a hair wide."""
        pixels, depth = self.camera.project(points)
        if depth.min() < 1.0:
            return
        width = thickness_m * self.camera.focal_px / float(depth.mean()) * FINE
        lit = np.array(colour) * self.light_on(np.array([0.0, 0.0, 1.0]), points.mean(axis=0))
        shade = (*(float(v) for v in np.clip(lit, 0, 255)), 255.0)
        points_px = fixed((pixels + 0.5) * FINE - 0.5)
        cv2.polylines(self.colour, [points_px], False, shade, max(1, round(width)), cv2.LINE_8, 4)
        if width >= 3:
            cv2.polylines(
                self.depth, [points_px], False, float(depth.mean() * 100), max(1, round(width)), cv2.LINE_8, 4
            )

    def shrink(self) -> tuple[U8, U16]:
        """Colour (premultiplied BGRA) and depth at the picture's own size."""
        small = cv2.resize(self.colour, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)
        return u8(small), np.ascontiguousarray(self.depth[::FINE, ::FINE])

"""Draws what moves: fills a road user's shape on a fine patch and lays the patch over the frame.

Beside the picture it keeps, at half size, whose pixel is whose, so that the truth can say how much of each is seen.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from safecity.virtual.scenes.backdrop import Backdrop
from safecity.virtual.scenes.camera import Camera
from safecity.virtual.scenes.model import HEIGHT_PX, WIDTH_PX
from safecity.virtual.scenes.movers import Mover, MoverKey
from safecity.virtual.scenes.pixels import F64, SHIFT, U8, add_over, fixed, u8
from safecity.virtual.scenes.posing import Colour, Posed, Posing, Rods
from safecity.virtual.scenes.shapes import Panel, Role, part_order

PATCH_BYTES = 4 * 1800 * 1400
"""Room for the largest fine patch; larger figures are drawn less fine."""
SOME_DETAIL_PX, FULL_DETAIL_PX = 18.0, 64.0
HIDE_MARGIN_CM = 60
"""A standing thing hides a mover only when it is nearer by more than this."""
MAX_REMEMBERED = 400
MAX_KEPT = 60


@dataclass(slots=True, kw_only=True)
class Drawn:
    """What came of drawing one mover."""

    posed: Posed
    number: int
    drawn_px: int
    """Its half-size pixels in the picture before anything hid it."""
    plates: list[tuple[str, F64]]
    """Text and corners of plates that face the camera."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shades:
    """Colours worked out for a mover, good as long as it does not turn or go into another light."""

    key: tuple[int, ...]
    faces: list[Colour]
    panels: dict[tuple[int, int], U8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A standing mover's finished picture, good as long as it stands."""

    pose: tuple[float, float, float, bool]
    picture: U8
    plates: list[tuple[str, F64]]
    drawn_px: int


class Stage:
    """The frame being drawn and the light that falls on it."""

    def __init__(self, camera: Camera, backdrop: Backdrop) -> None:
        self.camera = camera
        self.backdrop = backdrop
        self.light = backdrop.light
        self.posing = Posing(camera, backdrop)
        self.sun = self.light.sun_direction()
        self.buffer = np.zeros(PATCH_BYTES, np.uint8)
        self.owners: U8 = np.zeros((HEIGHT_PX // 2, WIDTH_PX // 2), np.uint8)
        self.sheen = np.array(self.light.horizon) * 0.16 + np.array(self.light.zenith) * 0.10
        self.remembered: dict[MoverKey, Shades] = {}
        self.kept: dict[MoverKey, Kept] = {}

    def draw(self, frame: U8, posed: Posed, *, number: int) -> Drawn | None:
        """Draw one mover over the frame; None where no pixel of it fell into the picture."""
        left, top, right, bottom = posed.bounds
        x0, y0 = max(0, int(left) - 2) & ~1, max(0, int(top) - 2) & ~1
        x1, y1 = min(WIDTH_PX, int(right) + 4) & ~1, min(HEIGHT_PX, int(bottom) + 4) & ~1
        if x1 - x0 < 2 or y1 - y0 < 2:
            return None
        limit = max(0.0, posed.depth_m * 100 - HIDE_MARGIN_CM)
        hidden = self.backdrop.depth[y0:y1, x0:x1] < limit
        is_hidden = bool(hidden.any())
        if is_hidden and bool(hidden.all()):
            return Drawn(posed=posed, number=number, drawn_px=1, plates=[])
        if posed.figure is not None and not is_hidden:
            self.fill_figure(frame, posed.figure, tall_px=bottom - top)
            spot = self.owners[y0 // 2 : y1 // 2, x0 // 2 : x1 // 2]
            self.own_figure(spot, posed.figure, corner=(x0, y0), number=number)
            drawn_px = int(np.count_nonzero(spot == number))
            return Drawn(posed=posed, number=number, drawn_px=drawn_px, plates=[])
        kept = self.kept.get(posed.mover.key)
        if kept is not None and kept.pose == pose_of(posed.mover):
            small, plates, drawn_px = kept.picture, kept.plates, kept.drawn_px
        else:
            small, plates, drawn_px = self.render(posed, (x0, y0), size=(x1 - x0, y1 - y0))
            if is_hidden:
                small[hidden] = 0
            self.keep(posed.mover, Kept(pose=pose_of(posed.mover), picture=small, plates=plates, drawn_px=drawn_px))
        add_over(frame, small, left=x0, top=y0)
        self.owners[y0 // 2 : y1 // 2, x0 // 2 : x1 // 2][small[::2, ::2, 3] > 127] = number
        return Drawn(posed=posed, number=number, drawn_px=drawn_px, plates=plates)

    def render(
        self, posed: Posed, corner: tuple[int, int], *, size: tuple[int, int]
    ) -> tuple[U8, list[tuple[str, F64]], int]:
        """A mover's premultiplied picture of a size (width, height), its plates, and how many pixels it covers."""
        width, height = size
        tall = posed.bounds[3] - posed.bounds[1]
        fine = fineness(tall, width * height) if posed.figure is None else 1
        patch = self.buffer[: height * width * fine * fine * 4].reshape(height * fine, width * fine, 4)
        patch.fill(0)
        plates: list[tuple[str, F64]] = []
        if posed.figure is not None:
            self.fill_figure(patch, moved(posed.figure, corner), tall_px=tall)
        else:
            plates = self.fill(patch, posed, corner=corner, fine=fine)
        small = patch.copy() if fine == 1 else u8(cv2.resize(patch, size, interpolation=cv2.INTER_AREA))
        return small, plates, int(np.count_nonzero(small[::2, ::2, 3] > 127))

    def keep(self, mover: Mover, kept: Kept) -> None:
        """Remember a standing mover's picture: it will look the same in the next frame."""
        if mover.speed_mps > 0:
            self.kept.pop(mover.key, None)
            return
        if len(self.kept) >= MAX_KEPT:
            self.kept.clear()
        self.kept[mover.key] = kept

    def fill_figure(self, picture: U8, figure: Rods, *, tall_px: float) -> None:
        """Fill a person's rods straight on a picture; small ones only with their bright sides' larger parts."""
        with_bright, with_minor = tall_px > 30, tall_px > 44
        for i in range(len(figure.whole)):
            if figure.minor[i] and not with_minor:
                continue
            colour = figure.dark[i] if with_bright else figure.bright[i]
            cv2.fillConvexPoly(picture, figure.whole[i], colour, cv2.LINE_AA, SHIFT)
            if with_bright:
                cv2.fillConvexPoly(picture, figure.inner[i], figure.bright[i], cv2.LINE_AA, SHIFT)

    def own_figure(self, spot: U8, figure: Rods, *, corner: tuple[int, int], number: int) -> None:
        """Note a person's pixels at half size."""
        half = (figure.whole - (corner[0] << SHIFT, corner[1] << SHIFT)) >> 1
        for outline, is_minor in zip(half, figure.minor, strict=True):
            if not is_minor:
                cv2.fillConvexPoly(spot, outline, float(number), cv2.LINE_8, SHIFT)

    def shades(self, posed: Posed) -> Shades:
        """The mover's colours, worked out anew only when its light has changed."""
        lighting, mover = posed.lighting, posed.mover
        lamps = (lighting.lamps * 24).astype(int).tolist()
        key = (
            round(np.degrees(mover.heading) / 3), round(float(lighting.sun[2]) * 12), round(lighting.clear * 50),
            int(mover.is_braking), *lamps,
        )  # fmt: skip
        found = self.remembered.get(mover.key)
        if found is None or found.key != key:
            if len(self.remembered) > MAX_REMEMBERED:
                self.remembered.clear()
            found = Shades(key=key, faces=self.face_colours(posed), panels={})
            self.remembered[mover.key] = found
        return found

    def sun_in_shape(self, posed: Posed) -> F64:
        """The sun's direction in the shape's own axes."""
        return np.array([
            self.sun[0] * posed.cosine + self.sun[1] * posed.sine,
            -self.sun[0] * posed.sine + self.sun[1] * posed.cosine,
            self.sun[2],
        ])  # fmt: skip

    def face_colours(self, posed: Posed) -> list[Colour]:
        """The finished colour of every face."""
        shape, light, lighting = posed.shape, self.light, posed.lighting
        up = (0.5 + 0.5 * shape.normals[:, 2])[:, None]
        facing = np.maximum(0.0, shape.normals @ self.sun_in_shape(posed))[:, None]
        strength = np.array(light.sky) * up + np.array(light.bounce) * (1 - up) + lighting.sun * facing
        colours = shape.albedo * (strength + lighting.lamps * (0.55 + 0.45 * up))
        roles = np.array(shape.roles)
        glass = roles == Role.GLASS
        colours[glass] = colours[glass] * 0.8 + self.sheen * (0.35 + up[glass])
        if light.headlights > 0:
            colours[roles == Role.HEAD] = np.array((225, 245, 255)) * (0.55 + 0.45 * light.headlights)
        braking = posed.mover.is_braking
        if light.headlights > 0 or braking:
            red = np.array((40, 36, 235)) if braking else np.array((30, 26, 130 + 70 * light.headlights))
            colours[roles == Role.TAIL] = np.maximum(colours[roles == Role.TAIL], red)
        colours = np.clip(colours * lighting.clear + lighting.fog, 0, 255)
        return [(b, g, r, 255.0) for b, g, r in colours.tolist()]

    def fill(self, patch: U8, posed: Posed, *, corner: tuple[int, int], fine: int) -> list[tuple[str, F64]]:
        """Fill the shape on a patch that is `fine` times as fine as the frame; returns the plates that show."""
        shape, shades = posed.shape, self.shades(posed)
        tall = posed.bounds[3] - posed.bounds[1]
        level = 0 if tall < SOME_DETAIL_PX else (1 if tall < FULL_DETAIL_PX else 2)
        points = fixed((posed.points - corner + 0.5) * fine - 0.5)
        front = (((posed.eye - shape.centres) * shape.normals).sum(axis=1) > 0).tolist()
        rods = self.shape_rods(posed, corner, fine=fine) if len(shape.rods) else None
        kind = cv2.LINE_AA if fine == 1 else cv2.LINE_8
        plates: list[tuple[str, F64]] = []
        for index in part_order(shape.parts, (float(posed.eye[0]), float(posed.eye[1]), float(posed.eye[2]))):
            part = shape.parts[index]
            for i in part.faces:
                if front[i] and shape.details[i] <= level:
                    start = shape.ends[i - 1] if i else 0
                    cv2.fillConvexPoly(patch, points[start : shape.ends[i]], shades.faces[i], kind, SHIFT)
            for i in part.panels:
                if level > 0:
                    self.lay_panel(patch, posed, index=i, grid=(corner, fine), plates=plates)
            if rods is not None:
                for i in part.rods:
                    cv2.fillConvexPoly(patch, rods.whole[i], rods.dark[i], kind, SHIFT)
                    if level > 0:
                        cv2.fillConvexPoly(patch, rods.inner[i], rods.bright[i], kind, SHIFT)
        return plates

    def shape_rods(self, posed: Posed, corner: tuple[int, int], *, fine: int) -> Rods:
        """A solid shape's rods (driver, donkey) on its patch."""
        ends = (posed.rods[:, :4].reshape(-1, 2, 2) - corner + 0.5) * fine - 0.5
        whole, inner = self.posing.rod_pair(ends, posed.rods[:, 4:6] * fine)
        owner = np.zeros(len(ends), np.int32)
        dark, bright = self.posing.rod_colours(posed.shape.rod_albedo, [posed.lighting], owner=owner)
        return Rods(whole=whole, inner=inner, dark=dark, bright=bright, minor=[])

    def lay_panel(
        self, patch: U8, posed: Posed, *, index: int, grid: tuple[tuple[int, int], int], plates: list[tuple[str, F64]]
    ) -> None:
        """Lay a painted rectangle on the patch, shaded; plates that show are noted."""
        panel = posed.shape.panels[index]
        if float((posed.eye - panel.corners[0]) @ panel.normal) <= 0:
            return
        corner, fine = grid
        seen = panel.corners @ posed.into.T + posed.start
        pixels = seen[:, :2] * (self.camera.focal_px / seen[:, 2:]) + self.camera.centre_px
        tall = float(pixels[3, 1] - pixels[0, 1] + pixels[2, 1] - pixels[1, 1]) / 2
        if panel.plate is not None:
            plates.append((panel.plate, pixels))
        level = 0
        while level + 1 < len(panel.mips) and panel.mips[level + 1].shape[0] >= tall * fine * 0.9:
            level += 1
        shaded = self.shade_panel(posed, index, level=level)
        target = ((pixels - corner + 0.5) * fine - 0.5).astype(np.float32)
        low, high = target.min(axis=0), target.max(axis=0)
        x0, y0 = max(0, int(low[0])), max(0, int(low[1]))
        x1, y1 = min(patch.shape[1], int(high[0]) + 2), min(patch.shape[0], int(high[1]) + 2)
        if x1 - x0 < 1 or y1 - y0 < 1:
            return
        height, width = shaded.shape[:2]
        source = np.array(
            [[-0.5, -0.5], [width - 0.5, -0.5], [width - 0.5, height - 0.5], [-0.5, height - 0.5]], np.float32
        )
        transform = cv2.getPerspectiveTransform(source, target - np.array([x0, y0], np.float32))
        cv2.warpPerspective(
            shaded, transform, (x1 - x0, y1 - y0), dst=patch[y0:y1, x0:x1], flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_TRANSPARENT,
        )  # fmt: skip

    def shade_panel(self, posed: Posed, index: int, *, level: int) -> U8:
        """A panel's picture in the light that falls on it; plates have their own lamp at night."""
        shades, panel = self.shades(posed), posed.shape.panels[index]
        if (index, level) not in shades.panels:
            shades.panels[index, level] = self.lit_panel(posed, panel, picture=panel.mips[level])
        return shades.panels[index, level]

    def lit_panel(self, posed: Posed, panel: Panel, *, picture: U8) -> U8:
        """Work out a panel's picture in its light."""
        lighting = posed.lighting
        facing = max(0.0, float(panel.normal @ self.sun_in_shape(posed)))
        strength = np.array(self.light.sky) * 0.5 + np.array(self.light.bounce) * 0.5
        strength = strength + lighting.sun * facing + lighting.lamps * 0.7
        if panel.plate is not None:
            strength = strength + 0.5 * self.light.headlights
        lit = picture.astype(np.float32)
        lit[..., :3] = lit[..., :3] * (strength * lighting.clear).astype(np.float32) + lighting.fog.astype(np.float32)
        return u8(lit)


def pose_of(mover: Mover) -> tuple[float, float, float, bool]:
    """What decides how a standing mover looks."""
    return mover.x_m, mover.y_m, mover.heading, mover.is_braking


def moved(figure: Rods, corner: tuple[int, int]) -> Rods:
    """A person's outlines counted from a patch's corner."""
    offset = np.array([corner[0] << SHIFT, corner[1] << SHIFT], np.int32)
    return Rods(
        whole=figure.whole - offset,
        inner=figure.inner - offset,
        dark=figure.dark,
        bright=figure.bright,
        minor=figure.minor,
    )


def fineness(tall_px: float, area_px: float) -> int:
    """How many times finer than the frame a figure is drawn: the smaller, the finer."""
    if tall_px < 24:
        return 4
    if tall_px < 50:
        return 3
    return 2 if area_px < 90_000 else 1

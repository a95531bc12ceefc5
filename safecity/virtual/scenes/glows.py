"""Light and shadow that movers throw on the ground, the shine of their lamps, signals and booms."""

import cv2
import numpy as np

from safecity.virtual.scenes.backdrop import Backdrop, halo
from safecity.virtual.scenes.camera import Camera
from safecity.virtual.scenes.canvas import NOTHING
from safecity.virtual.scenes.junction import ARMS
from safecity.virtual.scenes.model import HEIGHT_PX, WIDTH_PX, RoadUser
from safecity.virtual.scenes.pixels import F64, U8, add_light, f32, fixed, u8
from safecity.virtual.scenes.plan import Barrier, SignalHead, StreetPlan
from safecity.virtual.scenes.posing import Posed
from safecity.virtual.scenes.shapes import Role

SHADOW_DIVISOR = 2
BEAM_DIVISOR = 4
SIGNAL_COLOURS = {"red": (50, 40, 250), "amber": (40, 170, 255), "green": (120, 240, 70)}


class Glows:
    """Keeps the small pictures that light and shadow are made of, and the buffers they are drawn in."""

    def __init__(self, plan: StreetPlan, backdrop: Backdrop) -> None:
        self.plan = plan
        self.camera: Camera = plan.camera
        self.backdrop = backdrop
        self.light = backdrop.light
        self.top = max(0, int(self.camera.horizon_px()) & ~3)
        rows = HEIGHT_PX - self.top
        self.shadow: U8 = np.zeros((rows // SHADOW_DIVISOR, WIDTH_PX // SHADOW_DIVISOR), np.uint8)
        self.beams: U8 = np.zeros((rows // BEAM_DIVISOR, WIDTH_PX // BEAM_DIVISOR), np.uint8)
        self.wide: U8 = np.zeros((rows, WIDTH_PX), np.uint8)
        self.wide3: U8 = np.zeros((rows, WIDTH_PX, 3), np.uint8)
        warm = backdrop.albedo[self.top :].astype(np.float32) * f32((0.82, 0.93, 1.0))
        self.warm: U8 = u8(warm)
        empty = backdrop.depth[self.top :: SHADOW_DIVISOR, ::SHADOW_DIVISOR] == NOTHING
        self.bare: U8 = u8(empty[: self.shadow.shape[0]] * 255)
        self.beam = beam_picture()
        self.halos: dict[tuple[int, str], U8] = {}
        self.sun = self.light.sun_direction()

    def cast_shadows(self, frame: U8, posed: list[Posed]) -> None:
        """Darken the ground under and behind everything that moves."""
        if not posed:
            return
        self.shadow.fill(0)
        feet = np.stack([footprint(item) for item in posed])
        middles = feet.mean(axis=1, keepdims=True)
        groups = [(feet + 0.06 * (feet - middles), 135.0)]
        if self.light.casts_shadows:
            heights = np.array([item.shape.size_m[2] * 0.88 for item in posed])[:, None, None]
            fall = -self.sun[:2] / max(0.14, float(self.sun[2])) * heights
            groups.insert(0, (np.concatenate([feet, feet * 0.8 + middles * 0.2 + fall], axis=1), 105.0))
        for outlines, strength in groups:
            flat = outlines.reshape(-1, 2)
            pixels, depth = self.camera.project(np.column_stack([flat, np.zeros(len(flat))]))
            points = ((pixels - (0, self.top) + 0.5) / SHADOW_DIVISOR - 0.5).reshape(*outlines.shape)
            near = depth.reshape(outlines.shape[:2]).min(axis=1) > 1.0
            for i in np.flatnonzero(near):
                hull = cv2.convexHull(fixed(points[i]))
                cv2.fillConvexPoly(self.shadow, hull, strength, cv2.LINE_AA, 4)
        cv2.bitwise_and(self.shadow, self.bare, dst=self.shadow)
        soft = cv2.blur(self.shadow, (3, 3))
        cv2.resize(soft, (WIDTH_PX, self.wide.shape[0]), dst=self.wide, interpolation=cv2.INTER_LINEAR)
        cv2.bitwise_not(self.wide, dst=self.wide)
        cv2.cvtColor(self.wide, cv2.COLOR_GRAY2BGR, dst=self.wide3)
        part = frame[self.top :]
        cv2.multiply(part, self.wide3, dst=part, scale=1 / 255)

    def throw_beams(self, frame: U8, posed: list[Posed]) -> None:
        """Let headlights shine on the road ahead of their vehicles."""
        if self.light.headlights < 0.3:
            return
        self.beams.fill(0)
        for item in posed:
            if item.mover.look.kind in (RoadUser.PERSON, RoadUser.CART) or item.depth_m > 110:
                continue
            self.throw_beam(item)
        cv2.resize(self.beams, (WIDTH_PX, self.wide.shape[0]), dst=self.wide, interpolation=cv2.INTER_LINEAR)
        cv2.cvtColor(self.wide, cv2.COLOR_GRAY2BGR, dst=self.wide3)
        cv2.multiply(self.warm, self.wide3, dst=self.wide3, scale=0.95 * self.light.headlights / 255)
        part = frame[self.top :]
        cv2.add(part, self.wide3, dst=part)

    def throw_beam(self, item: Posed) -> None:
        """One vehicle's cone of light."""
        nose = item.shape.size_m[0] / 2
        narrow = 1.6 if item.mover.look.kind != RoadUser.MOTORBIKE else 0.9
        local = np.array([[nose + 0.4, narrow], [nose + 15.0, 3.6], [nose + 15.0, -3.6], [nose + 0.4, -narrow]])
        turn = np.array([[item.cosine, item.sine], [-item.sine, item.cosine]])
        ground = local @ turn + (item.mover.x_m, item.mover.y_m)
        for _ in range(3):
            pixels, depth = self.camera.project(np.column_stack([ground, np.zeros(4)]))
            if depth.min() > 2.0:
                break
            ground[1:3] = (ground[1:3] + ground[[0, 3]]) / 2
        else:
            return
        target = ((pixels - (0, self.top) + 0.5) / BEAM_DIVISOR - 0.5).astype(np.float32)
        x0, y0 = np.maximum(np.floor(target.min(axis=0)).astype(int), 0)
        x1, y1 = np.minimum(np.ceil(target.max(axis=0)).astype(int) + 1, self.beams.shape[::-1])
        if x1 - x0 < 1 or y1 - y0 < 1:
            return
        side = self.beam.shape[0] - 1
        source = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)
        transform = cv2.getPerspectiveTransform(source, target - np.array([x0, y0], np.float32))
        spot = cv2.warpPerspective(self.beam, transform, (int(x1 - x0), int(y1 - y0)), flags=cv2.INTER_LINEAR)
        area = self.beams[y0:y1, x0:x1]
        cv2.add(area, spot, dst=area)

    def shine(self, frame: U8, item: Posed) -> None:
        """The shine of one mover's lamps that face the camera."""
        blinks = item.mover.is_blinking
        if self.light.headlights <= 0 and not (item.mover.is_braking or blinks):
            return
        lamps = item.shape.lamps
        if not lamps:
            return
        places = np.array([lamp.place for lamp in lamps])
        normals = np.array([lamp.normal for lamp in lamps])
        turn = np.array([[item.cosine, item.sine, 0.0], [-item.sine, item.cosine, 0.0], [0.0, 0.0, 1.0]])
        toward = item.eye - places
        facing = (toward * normals).sum(axis=1) / np.linalg.norm(toward, axis=1)
        pixels, depth = self.camera.project(places @ turn + (item.mover.x_m, item.mover.y_m, 0.0))
        for i, lamp in enumerate(lamps):
            if facing[i] < 0.06:
                continue
            strength = self.light.headlights
            name = "head" if lamp.role == Role.HEAD else "tail"
            if name == "tail" and item.mover.is_braking:
                name, strength = "brake", max(0.35, strength)
            if blinks:
                name, strength = "amber", 0.8
            if strength > 0:
                self.put(
                    frame,
                    (float(pixels[i, 0]), float(pixels[i, 1])),
                    depth_m=float(depth[i]),
                    name=name,
                    strength=strength * float(facing[i]) ** 0.6,
                )

    def put(self, frame: U8, at: tuple[float, float], *, depth_m: float, name: str, strength: float) -> None:
        """Add one glow to the frame where nothing stands before it."""
        x, y = round(at[0]), round(at[1])
        if not (0 <= x < WIDTH_PX and 0 <= y < HEIGHT_PX) or self.backdrop.depth[y, x] < depth_m * 100 - 60:
            return
        reach = {"head": 1.5, "tail": 0.6, "brake": 0.85, "amber": 0.7}.get(name, 0.5)
        radius = int(np.clip(reach * self.camera.focal_px / depth_m * (0.45 + 0.55 * self.light.headlights), 3, 150))
        radius = max(3, round(1.25 ** round(np.log(radius) / np.log(1.25))))
        level = max(1, min(5, round(strength * 5)))
        key = (radius, f"{name}{level}")
        if key not in self.halos:
            colour = {"head": (215, 235, 255), "tail": (40, 32, 210), "brake": (50, 40, 255), "amber": (40, 160, 255)}
            self.halos[key] = halo(
                radius, colour.get(name, SIGNAL_COLOURS.get(name, (255, 255, 255))), strength=level / 5
            )
        add_light(frame, self.halos[key], left=x - radius, top=y - radius)

    def signal(self, frame: U8, head: SignalHead, *, state: str) -> None:
        """A signal's lamps, where its face can be seen."""
        heading = next(h for h, _, phase in ARMS.values() if phase == head.phase)
        facing = np.array([np.cos(heading), np.sin(heading), 0.0])
        centre = np.array([head.x_m, head.y_m, head.height_m])
        if np.dot(self.camera.position - centre, facing) < 0.2:
            return
        for i, name in enumerate(("green", "amber", "red")):
            place = centre + facing * 0.23 + np.array([0, 0, -0.66 + 0.34 * i])
            pixels, depth = self.camera.project(place[None])
            x, y = float(pixels[0, 0]), float(pixels[0, 1])
            radius = max(1.0, 0.13 * self.camera.focal_px / float(depth[0]))
            is_lit = name == state
            base = np.array(SIGNAL_COLOURS[name]) * (1.0 if is_lit else 0.22)
            colour = (float(base[0]), float(base[1]), float(base[2]))
            cv2.circle(frame, (round(x * 16), round(y * 16)), round(radius * 16), colour, -1, cv2.LINE_AA, 4)
            if is_lit:
                self.put(frame, (x, y), depth_m=float(depth[0]) - 1.5, name=name, strength=0.5)

    def boom(self, frame: U8, barrier: Barrier, *, raised: float) -> None:
        """A boom's arm in red and white, at the angle to which it is raised."""
        angle = raised * np.radians(82)
        ahead = np.array(
            [np.cos(barrier.heading) * np.cos(angle), np.sin(barrier.heading) * np.cos(angle), np.sin(angle)]
        )
        pivot = np.array([barrier.x_m, barrier.y_m, 1.05])
        pieces = 8
        strength = np.array(self.light.sky) * 0.7 + np.array(self.light.sun) * 0.5 + 0.35 * self.light.street_lamps
        across = np.array([0.0, -0.06, 0.0])
        rise = np.array([-np.sin(angle) * np.cos(barrier.heading), 0.0, np.cos(angle)]) * 0.11
        for i in range(pieces):
            a = pivot + ahead * barrier.length_m * i / pieces
            b = pivot + ahead * barrier.length_m * (i + 1) / pieces
            quad = np.array([a - rise, b - rise, b + rise, a + rise]) + across
            pixels, _ = self.camera.project(quad)
            tint = np.clip(np.array((50, 44, 190) if i % 2 else (205, 208, 210)) * strength, 0, 255)
            colour = (float(tint[0]), float(tint[1]), float(tint[2]))
            cv2.fillConvexPoly(frame, fixed(pixels), colour, cv2.LINE_AA, 4)


def footprint(item: Posed) -> F64:
    """The ground rectangle under a mover (4, 2)."""
    length, width, _ = item.shape.size_m
    if item.mover.look.kind == RoadUser.MOTORBIKE:
        length, width = 0.9 * length, 0.5 * width
    local = np.array([[length, width], [length, -width], [-length, -width], [-length, width]]) / 2
    turn = np.array([[item.cosine, item.sine], [-item.sine, item.cosine]])
    return local @ turn + (item.mover.x_m, item.mover.y_m)


def beam_picture() -> U8:
    """A cone of light seen from above: x runs away from the lamp, y across."""
    along, across = np.meshgrid(np.linspace(0, 1, 48), np.linspace(-1, 1, 48))
    soft = np.exp(-((across * 1.7) ** 2)) * np.clip(along * 7, 0, 1) * np.clip(1 - along, 0, 1) ** 1.2
    return u8(soft.astype(np.float32) * 225)

"""What else stands on the street: boxes (walls, booths, stalls, pillars), poles, wires, signal posts."""

import cv2
import numpy as np

from safecity.virtual.scenes.canvas import Canvas
from safecity.virtual.scenes.facades import FONT
from safecity.virtual.scenes.houses import draw_house
from safecity.virtual.scenes.lamps import Lamps
from safecity.virtual.scenes.pixels import F64, Bgr
from safecity.virtual.scenes.plan import Box3, Pole, SignalHead, StreetPlan, Wire

FRUIT: tuple[Bgr, ...] = ((40, 110, 225), (50, 60, 190), (60, 190, 205), (60, 150, 70), (60, 80, 150))
SODIUM: Bgr = (0.46, 0.78, 1.0)


def hang_lamps(plan: StreetPlan, strength: float) -> Lamps:
    """The lamps of a plan, as bright as the condition asks; nearest first, since their number is limited."""
    lamps = Lamps()
    if strength <= 0:
        return lamps
    camera = plan.camera.position

    def distance(place: tuple[float, float, float]) -> float:
        return float(np.hypot(place[0] - camera[0], place[1] - camera[1]))

    lights: list[tuple[tuple[float, float, float], Bgr]] = []
    for pole in (p for p in plan.poles if p.arm_m > 0):
        bright = 46.0 * strength
        lights.append((lamp_place(pole), (SODIUM[0] * bright, SODIUM[1] * bright, SODIUM[2] * bright)))
    for house in plan.buildings:
        middle = house.width_m / 2
        along = np.array([np.cos(house.heading), np.sin(house.heading)])
        front = np.array([along[1], -along[0]])
        x, y = np.array(house.corner) + along * middle + front * 1.3
        bright = 6.0 * strength * (0.6 + 0.8 * (house.seed % 7) / 7)
        lights.append(((float(x), float(y), 2.6), (0.86 * bright, 0.93 * bright, 0.95 * bright)))
    for box in (b for b in plan.boxes if b.glow > 0):
        bright = 9.0 * strength * box.glow
        lights.append(((box.x_m, box.y_m - 1.0, 2.8), (0.9 * bright, 0.95 * bright, 0.95 * bright)))
    for place, colour in sorted(lights, key=lambda item: distance(item[0])):
        lamps.hang(place, colour)
    return lamps


def lamp_place(pole: Pole) -> tuple[float, float, float]:
    """Where a street lamp's light hangs."""
    return (
        pole.x_m + pole.arm_m * float(np.cos(pole.heading)),
        pole.y_m + pole.arm_m * float(np.sin(pole.heading)),
        pole.height_m + 0.25,
    )


def draw_structures(canvas: Canvas, plan: StreetPlan) -> None:
    """Everything that stands, farthest first."""
    eye = canvas.camera.position
    jobs: list[tuple[float, int]] = []
    things = [*plan.buildings, *plan.boxes, *plan.poles, *plan.signals]
    for index, thing in enumerate(things):
        if hasattr(thing, "corner"):
            house = plan.buildings[index]
            x = house.corner[0] + house.width_m / 2 * np.cos(house.heading)
            y = house.corner[1] + house.width_m / 2 * np.sin(house.heading)
        else:
            x, y = thing.x_m, thing.y_m  # type: ignore[union-attr]
        jobs.append((float(np.hypot(x - eye[0], y - eye[1])), index))
    for _, index in sorted(jobs, reverse=True):
        thing = things[index]
        match thing:
            case Box3():
                draw_box(canvas, thing)
            case Pole():
                draw_pole(canvas, thing)
            case SignalHead():
                draw_signal_post(canvas, thing)
            case _:
                draw_house(canvas, thing)
    for wire in plan.wires:
        draw_wire(canvas, wire)


def draw_box(canvas: Canvas, box: Box3) -> None:
    """A plain box; a stall gets fruit and a parasol, a booth windows, an arch its letters."""
    base = np.array([box.x_m, box.y_m, box.base_m])
    if box.text == "stall":
        draw_stall(canvas, box)
        return
    canvas.box(base, size_m=box.size_m, heading=box.heading, albedo=box.colour)
    if box.text:
        draw_letters(canvas, box)
    if box.glow > 0:
        half_length, half_width, height = box.size_m[0] / 2, box.size_m[1] / 2, box.size_m[2]
        glass: Bgr = (150, 160, 160) if canvas.light.street_lamps > 0.3 else (92, 84, 74)
        for sign in (1, -1):
            x = box.x_m + sign * (half_width + 0.01)
            low, high = box.base_m + 1.0, box.base_m + height - 0.25
            y0, y1 = box.y_m - half_length + 0.2, box.y_m + half_length - 0.2
            pane = np.array([[x, y0, low], [x, y1, low], [x, y1, high], [x, y0, high]])
            canvas.fill(pane, glass, normal=np.array([float(sign), 0, 0]), glow=canvas.light.street_lamps)
        y = box.y_m - half_length - 0.01
        low, high = box.base_m + 1.0, box.base_m + height - 0.25
        pane = np.array([[box.x_m - half_width + 0.12, y, low], [box.x_m + half_width - 0.12, y, low],
                         [box.x_m + half_width - 0.12, y, high], [box.x_m - half_width + 0.12, y, high]])  # fmt: skip
        canvas.fill(pane, glass, normal=np.array([0.0, -1.0, 0.0]), glow=canvas.light.street_lamps)


def draw_letters(canvas: Canvas, box: Box3) -> None:
    """Large letters on the side of a box that looks down the street."""
    height, width = round(box.size_m[2] * 40), round(box.size_m[0] * 40)
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = np.array(box.colour, np.uint8)
    cv2.rectangle(picture, (6, 6), (width - 7, height - 7), (150, 182, 206), 3)
    size = round(height * 0.52)
    text_width = cv2.getTextSize((0, 0), box.text, (0, 0), FONT, size, 700)[2]
    place = ((width - int(text_width)) // 2, round(height * 0.68))
    cv2.putText(picture, box.text, place, (60, 84, 60), FONT, size, 700)
    x0, x1 = box.x_m - box.size_m[0] / 2, box.x_m + box.size_m[0] / 2
    y, low, high = box.y_m - box.size_m[1] / 2 - 0.02, box.base_m, box.base_m + box.size_m[2]
    quad = np.array([[x0, y, high], [x1, y, high], [x1, y, low], [x0, y, low]])
    small = cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    canvas.texture(
        quad, np.asarray(small, np.uint8), own_light=np.zeros_like(small, np.uint8), normal=np.array([0.0, -1.0, 0.0])
    )


def draw_stall(canvas: Canvas, box: Box3) -> None:
    """A fruit seller's barrow: wheels, tray, heaps of fruit, a cloth on four sticks."""
    length, width, height = box.size_m
    base = np.array([box.x_m, box.y_m, 0.0])
    ahead = np.array([np.cos(box.heading), np.sin(box.heading), 0.0])
    left = np.array([-ahead[1], ahead[0], 0.0])
    for a, b in ((0.6, 0.5), (-0.6, 0.5), (0.6, -0.5), (-0.6, -0.5)):
        wheel = base + ahead * a + left * b
        canvas.box(wheel, size_m=(0.5, 0.06, 0.5), heading=box.heading, albedo=(44, 46, 48))
    canvas.box(
        base + np.array([0, 0, 0.55]), size_m=(length, width, height - 0.55), heading=box.heading, albedo=box.colour
    )
    seed = int(abs(box.x_m * 31 + box.y_m * 17))
    for i in range(4):
        heap = base + ahead * (-length / 2 + length * (i + 0.5) / 4) + np.array([0, 0, height])
        canvas.box(
            heap, size_m=(length / 4 - 0.06, width - 0.14, 0.16), heading=box.heading, albedo=FRUIT[(seed + i) % 5]
        )
        canvas.box(
            heap + np.array([0, 0, 0.16]),
            size_m=(0.26, width - 0.5, 0.1),
            heading=box.heading,
            albedo=FRUIT[(seed + i) % 5],
        )
    for a in (-length / 2, length / 2):
        foot = base + ahead * a
        stick = foot + np.array([[0.0, 0.0, height], [0.0, 0.0, 2.1]])
        canvas.line(stick, (70, 84, 96), thickness_m=0.05)
    top = base + np.array([0, 0, 2.15])
    a, b = ahead * (length / 2 + 0.25), left * (width / 2 + 0.3)
    ridge = np.array([0, 0, 0.25])
    cloth: Bgr = ((150, 90, 50), (60, 90, 170), (80, 140, 80), (60, 150, 190))[seed % 4]
    for side, shade in ((1, 1.0), (-1, 0.86)):
        colour: Bgr = (cloth[0] * shade, cloth[1] * shade, cloth[2] * shade)
        canvas.fill(np.array([top - a + ridge, top + a + ridge, top + a + b * side, top - a + b * side]), colour)


def draw_pole(canvas: Canvas, pole: Pole) -> None:
    """A utility pole with its cross arm, or a lamp post with its arm and lamp."""
    base = np.array([pole.x_m, pole.y_m, 0.0])
    top = base + np.array([0, 0, pole.height_m])
    _, depth = canvas.camera.project(base[None, :])
    if depth[0] < 4:
        return
    colour: Bgr = (132, 140, 144) if pole.arm_m == 0 else (104, 106, 104)
    draw_mast(canvas, base, top=top, radius=0.13 if pole.arm_m == 0 else 0.075, colour=colour)
    if pole.arm_m == 0:
        for drop in (0.3, 0.9):
            arm = np.array([0.9, 0.0, 0.0])
            canvas.line(
                np.array([top - [0, 0, drop] - arm, top - [0, 0, drop] + arm]), (96, 100, 104), thickness_m=0.09
            )
        return
    place = np.array(lamp_place(pole))
    canvas.line(np.array([top, place]), colour, thickness_m=0.07)
    ahead = place - top
    ahead[2] = 0
    ahead /= np.linalg.norm(ahead)
    glow = 6.0 * canvas.light.street_lamps
    canvas.box(
        place - [0, 0, 0.12],
        size_m=(0.7, 0.26, 0.12),
        heading=float(np.arctan2(ahead[1], ahead[0])),
        albedo=(140, 175, 190),
        glow=glow,
    )


def draw_mast(canvas: Canvas, base: F64, *, top: F64, radius: float, colour: Bgr) -> None:
    """An upright cylinder as two strips, the sunny one lighter."""
    right = canvas.camera.rotation[0] * radius
    toward = -canvas.camera.rotation[2] * np.array([1.0, 1.0, 0.0])
    for a, b, shade in ((-1.0, 0.1, 1.0), (0.1, 1.0, 0.74)):
        tint: Bgr = (colour[0] * shade, colour[1] * shade, colour[2] * shade)
        strip = np.array([base + right * a, base + right * b, top + right * b, top + right * a])
        canvas.fill(strip, tint, normal=toward / np.linalg.norm(toward))


def draw_signal_post(canvas: Canvas, head: SignalHead) -> None:
    """A signal's post and dark housing; the lamps themselves are drawn frame by frame."""
    base = np.array([head.x_m, head.y_m, 0.0])
    draw_mast(canvas, base, top=base + np.array([0, 0, head.height_m]), radius=0.08, colour=(60, 170, 200))
    canvas.box(
        base + np.array([0, 0, head.height_m - 0.9]), size_m=(0.42, 0.42, 1.15), heading=0.0, albedo=(44, 46, 44)
    )


def draw_wire(canvas: Canvas, wire: Wire) -> None:
    """Sagging wires, side by side and a little apart in height."""
    start, end = np.array(wire.start), np.array(wire.end)
    t = np.linspace(0, 1, 13)[:, None]
    across = np.array([end[1] - start[1], start[0] - end[0], 0.0])
    across /= max(1e-6, float(np.linalg.norm(across)))
    for i in range(wire.strands):
        side = (i - (wire.strands - 1) / 2) * 0.35
        sag = np.array([0.0, 0.0, wire.sag_m * (1 + 0.25 * i)])
        points = start + t * (end - start) - 4 * t * (1 - t) * sag + across * side - np.array([0, 0, 0.5 * (i % 2)])
        canvas.line(points, (52, 52, 54), thickness_m=0.025)

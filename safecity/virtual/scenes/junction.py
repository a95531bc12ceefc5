"""The junction layout: two roads cross under signals that let one approach drive at a time."""

import math

import numpy as np

from safecity.virtual.scenes import street_parts as parts
from safecity.virtual.scenes.camera import hang_camera
from safecity.virtual.scenes.model import Layout, RoadUser
from safecity.virtual.scenes.paths import Path, path_through, straight, turning
from safecity.virtual.scenes.plan import (
    Parked,
    Patch,
    Route,
    Segment,
    SignalHead,
    Standing,
    StreetPlan,
    Surface,
    Walk,
)

CENTRE_Y_M = 37.0
HALF_M = 7.4
"""Half the carriageway; the box of the junction reaches as far along every arm."""
OUTER_M, INNER_M = 5.4, 1.95
FOOTPATH_M = 3.2
STOP_BACK_M = 6.0
"""The stop line lies this far before the box, the zebra between."""

ARMS: dict[str, tuple[float, float, float]] = {
    "south": (-math.pi / 2, 62.0, 0), "west": (math.pi, 105.0, 1),
    "north": (math.pi / 2, 190.0, 2), "east": (0.0, 105.0, 3),
}  # fmt: skip
"""Outward heading, length in metres and signal phase of each arm."""


def arm_path(name: str) -> Path:
    """The arm's middle line, from the box outward."""
    heading, length, _ = ARMS[name]
    x, y = math.cos(heading), math.sin(heading)
    return straight(
        HALF_M * x, CENTRE_Y_M + HALF_M * y, x1_m=(HALF_M + length) * x, y1_m=CENTRE_Y_M + (HALF_M + length) * y
    )


def plan_junction(random: np.random.Generator) -> StreetPlan:
    """Two roads of two lanes each way; the pole stands at a corner and looks across."""
    camera = hang_camera(
        (-8.9, 0.0, float(random.uniform(8.0, 8.8))),
        yaw_deg=float(random.uniform(16.0, 19.0)), pitch_deg=float(random.uniform(13.2, 14.2)), view_deg=62.0,
    )  # fmt: skip
    plan = StreetPlan(layout=Layout.JUNCTION, camera=camera, phases=4)
    build_ground(plan)
    add_segments(plan)
    add_routes(plan)
    add_surroundings(plan, random)
    add_people(plan, random)
    low, high = CENTRE_Y_M - HALF_M, CENTRE_Y_M + HALF_M
    parts.mark_line(plan, "south_in", from_xy=(-0.3, low - 3.0), to_xy=(-HALF_M, low - 3.0))
    parts.mark_line(plan, "south_out", from_xy=(0.3, low - 3.0), to_xy=(HALF_M, low - 3.0))
    parts.mark_line(plan, "east_in", from_xy=(HALF_M + 1.0, high), to_xy=(HALF_M + 1.0, CENTRE_Y_M + 0.3))
    parts.mark_line(plan, "east_out", from_xy=(HALF_M + 1.0, low), to_xy=(HALF_M + 1.0, CENTRE_Y_M - 0.3))
    parts.mark_zone(plan, "box", x0_m=-HALF_M, y0_m=low, x1_m=HALF_M, y1_m=high)
    parts.mark_zone(plan, "south_approach", x0_m=-HALF_M, y0_m=low - 16.0, x1_m=-0.2, y1_m=low - STOP_BACK_M + 0.4)
    parts.mark_zone(plan, "north_approach", x0_m=0.2, y0_m=high + STOP_BACK_M - 0.4, x1_m=HALF_M, y1_m=high + 40.0)
    parts.mark_zone(
        plan, "east_approach", x0_m=HALF_M + STOP_BACK_M - 0.4, y0_m=CENTRE_Y_M + 0.2, x1_m=HALF_M + 40.0, y1_m=high
    )
    plan.restricted = parts.mark_zone(plan, "green_corner", x0_m=11.4, y0_m=47.8, x1_m=17.0, y1_m=53.4)
    plan.trespass = path_through([(9.0, 76.0), (9.2, 58.0), (13.6, 50.4), (13.8, 50.4), (9.4, 59.0), (9.0, 76.0)])
    plan.wrong_way = path_through([(6.9, -20.0), (6.9, 30.0), (6.9, 44.0), (6.9, 215.0)])
    route = next(i for i, r in enumerate(plan.routes) if r.segments[1] == "south_1_to_north")
    plan.live_stop = (route, 92.0)
    return plan


def build_ground(plan: StreetPlan) -> None:
    """Asphalt, zebras, stop lines, footpaths with rounded corners."""
    low, high = CENTRE_Y_M - HALF_M, CENTRE_Y_M + HALF_M
    box = np.array([(-HALF_M, low), (HALF_M, low), (HALF_M, high), (-HALF_M, high)])
    plan.patches.append(Patch(outline=box, surface=Surface.ASPHALT, colour=parts.ASPHALT))
    for name in ARMS:
        arm = arm_path(name)
        parts.lay_band(plan, arm, between_m=(HALF_M, -HALF_M), surface=Surface.ASPHALT, colour=parts.ASPHALT)
    for sign_x, sign_y in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        corner = (sign_x * HALF_M, CENTRE_Y_M + sign_y * HALF_M)
        angles = np.linspace(0, math.pi / 2, 9)
        cut = [
            corner,
            *[(corner[0] + sign_x * 4 * (1 - math.sin(a)), corner[1] + sign_y * 4 * (1 - math.cos(a))) for a in angles],
        ]
        plan.patches.append(Patch(outline=np.array(cut), surface=Surface.ASPHALT, colour=parts.ASPHALT))
    for name in ARMS:
        arm = arm_path(name)
        parts.paint_zebra(plan, arm.cut(1.6, 4.8), left_m=HALF_M - 0.1, right_m=-HALF_M + 0.1)
        parts.paint_stop_line(plan, arm, s_m=5.6, left_m=-0.2, right_m=-HALF_M + 0.2)
        outer = arm.cut(5.6, arm.length_m)
        parts.paint_edge(plan, outer, offset_m=0.12, colour=parts.YELLOW_PAINT)
        parts.paint_edge(plan, outer, offset_m=-0.12, colour=parts.YELLOW_PAINT)
        for offset in (3.7, -3.7):
            parts.paint_dashes(plan, outer, offset_m=offset)
        kerbs = arm.cut(4.0, arm.length_m)
        parts.lay_footpath(plan, kerbs.offset(HALF_M), width_m=FOOTPATH_M)
        parts.lay_footpath(plan, kerbs.offset(-HALF_M).reversed(), width_m=FOOTPATH_M)
    for sign_x, sign_y in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        round_corner(plan, sign_x, sign_y=sign_y)


def round_corner(plan: StreetPlan, sign_x: int, *, sign_y: int) -> None:
    """The footpath round one corner: an arc of 4 m radius, filled back to the houses' line."""
    centre = (sign_x * (HALF_M + 4.0), CENTRE_Y_M + sign_y * (HALF_M + 4.0))
    angles = np.linspace(0.0, math.pi / 2, 9)
    arc = [(centre[0] - sign_x * 4.0 * math.cos(a), centre[1] - sign_y * 4.0 * math.sin(a)) for a in angles]
    far = HALF_M + FOOTPATH_M
    fill = [*arc, (sign_x * (HALF_M + 4.0), CENTRE_Y_M + sign_y * far), (sign_x * far, CENTRE_Y_M + sign_y * far)]
    fill.append((sign_x * far, CENTRE_Y_M + sign_y * (HALF_M + 4.0)))
    plan.patches.append(Patch(outline=np.array(fill), surface=Surface.TILES, colour=parts.PAVING, height_m=0.16))
    path = path_through(arc)
    parts.lay_footpath(plan, path if sign_x * sign_y < 0 else path.reversed(), width_m=0.3)


def add_segments(plan: StreetPlan) -> None:
    """Approaches to the stop lines, exits, and every permitted way through the box."""
    order = ("south", "west", "north", "east")
    for name in order:
        arm, phase = arm_path(name), int(ARMS[name][2])
        inward = arm.reversed()
        for lane, offset in ((1, OUTER_M), (2, INNER_M)):
            way_in = inward.offset(offset)
            stop = way_in.length_m - STOP_BACK_M
            zebra = ((f"zebra_{name}", stop - 0.2),)
            id_in, id_out = f"{name}_{lane}", f"{name}_{lane}_out"
            plan.segments[id_in] = Segment(
                id=id_in, path=way_in.cut(0.0, stop), speed_mps=10.0, phase=phase, crosswalks=zebra
            )
            way_out = arm.offset(offset)
            plan.segments[id_out] = Segment(
                id=id_out, path=way_out, speed_mps=10.5, crosswalks=((f"zebra_{name}", 0.9),)
            )
            plan.lanes_along += [way_in, way_out]
    for index, name in enumerate(order):
        for lane, turn in ((1, 1), (1, 2), (2, 2), (2, 3)):
            target = order[(index + turn) % 4]
            way_in, way_out = plan.segments[f"{name}_{lane}"].path, plan.segments[f"{target}_{lane}_out"].path
            start, end = way_in.at(way_in.length_m), way_out.at(0.0)
            straight_on = turn == 2
            path = path_through([start[:2], end[:2]]) if straight_on else turning(start, end)
            id_through = f"{name}_{lane}_to_{target}"
            plan.segments[id_through] = Segment(id=id_through, path=path, speed_mps=9.0 if straight_on else 5.5)


def add_routes(plan: StreetPlan) -> None:
    """How much traffic takes which way."""
    for id_through in [name for name in plan.segments if "_to_" in name]:
        origin, target = id_through.split("_to_")
        lane = int(origin[-1])
        arm = origin[:-2]
        straight_on = {arm, target} in ({"south", "north"}, {"west", "east"})
        rate = (1.9 if straight_on else 0.9) * (1.25 if arm in ("north", "south") else 1.0)
        kinds = dict(parts.SLOW_LANE if lane == 1 else parts.FAST_LANE)
        if arm in ("west", "east") and lane == 1 and straight_on:
            kinds[RoadUser.CART] = 0.06
        plan.routes.append(Route(segments=(origin, id_through, f"{target}_{lane}_out"), per_minute=rate, kinds=kinds))


def add_surroundings(plan: StreetPlan, random: np.random.Generator) -> None:
    """Houses along the arms, trees, lamps, wires, the signals' poles."""
    front = HALF_M + FOOTPATH_M
    for name in ("north", "east", "west"):
        arm = arm_path(name).cut(4.0, arm_path(name).length_m)
        leave = {"east": 8.0, "north": 7.0, "west": 9.0}[name]
        parts.raise_houses(
            plan, arm.offset(front).cut(leave if name != "north" else 0.3, arm.length_m), random=random, storeys=(2, 3)
        )
        other = arm.offset(-front).cut(leave if name == "north" else 0.3, arm.length_m)
        parts.raise_houses(plan, other.reversed(), random=random, storeys=(1, 3))
    south = arm_path("south")
    parts.raise_houses(plan, south.offset(front).cut(4.3, 22.0), random=random, storeys=(1, 2))
    plan.patches.append(
        Patch(
            outline=np.array([(11.0, 47.6), (17.6, 47.6), (17.6, 54.0), (11.0, 54.0)]),
            surface=Surface.EARTH, colour=(72, 112, 98), height_m=0.16,
        )
    )  # fmt: skip
    parts.plant_trees(
        plan, straight(12.2, 49.0, x1_m=16.8, y1_m=52.6), random=random, every_m=2.6, kinds=("shrub", "pine")
    )
    north = arm_path("north")
    parts.plant_trees(plan, north.offset(HALF_M + 0.9).cut(14, 150), random=random, every_m=22.0, kinds=("plane",))
    parts.plant_trees(
        plan, north.offset(-HALF_M - 0.9).cut(24, 150), random=random, every_m=26.0, kinds=("plane", "poplar")
    )
    parts.plant_trees(
        plan, arm_path("east").offset(HALF_M + 0.9).cut(18, 90), random=random, every_m=24.0, kinds=("plane",)
    )
    parts.stand_lamps(plan, north.offset(HALF_M + 0.5), every_m=32.0, first_m=6.0, to_left=False)
    parts.stand_lamps(plan, arm_path("east").offset(-HALF_M - 0.5), every_m=32.0, first_m=20.0, to_left=True)
    parts.stand_lamps(plan, arm_path("west").offset(HALF_M + 0.5), every_m=32.0, first_m=7.0, to_left=False)
    parts.stand_lamps(plan, south.offset(HALF_M + 0.5), every_m=30.0, first_m=16.0, to_left=False)
    parts.hang_wires(plan, north.offset(-HALF_M - 2.6), every_m=30.0, first_m=12.0, height_m=8.6)
    parts.hang_wires(plan, arm_path("east").offset(HALF_M + 2.6), every_m=28.0, first_m=11.0, height_m=8.6)
    side = HALF_M + 0.7
    for x, y, phase in (
        (-side, CENTRE_Y_M + HALF_M + 1.0, 0), (side, CENTRE_Y_M + HALF_M + 1.0, 1),
        (side, CENTRE_Y_M - HALF_M - 1.0, 2), (-side, CENTRE_Y_M - HALF_M - 1.0, 3),
    ):  # fmt: skip
        plan.signals.append(SignalHead(x_m=x, y_m=y, height_m=3.6, phase=phase))


def add_people(plan: StreetPlan, random: np.random.Generator) -> None:
    """Walks along every arm's footpaths, over the zebras, people waiting at corners."""
    offset = HALF_M + 1.9
    for name in ARMS:
        arm = arm_path(name)
        for side in (offset, -offset):
            plan.walks.append(
                Walk(path=arm.offset(side).cut(2.0, min(95.0, arm.length_m)), per_minute=2.4, spread_m=0.7)
            )
        across = arm.cut(3.0, 3.4)
        start, end = across.at(0.2, HALF_M + 1.6)[:2], across.at(0.2, -HALF_M - 1.6)[:2]
        plan.walks.append(
            Walk(path=path_through([start, end]), per_minute=1.3, spread_m=1.0, crosswalk=f"zebra_{name}")
        )
    for x, y in ((-9.6, 29.0), (9.4, 27.6), (9.8, 46.6), (-9.4, 46.8), (10.4, 26.9)):
        place = Standing(x_m=x, y_m=y + float(random.uniform(-0.6, 0.6)), heading=float(random.uniform(0, 6.28)))
        plan.standing.append(place)
    east = arm_path("east")
    for s in (24.0, 31.0):
        x, y, heading = east.at(s, HALF_M + 0.4)
        plan.parked.append(Parked(kind=RoadUser.RICKSHAW, x_m=x, y_m=y - 1.4, heading=heading))

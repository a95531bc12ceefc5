"""The four places a pole can stand at; each varies with the seed."""

import numpy as np

from safecity.virtual.scenes import street_parts as parts
from safecity.virtual.scenes.camera import hang_camera
from safecity.virtual.scenes.junction import plan_junction
from safecity.virtual.scenes.model import Layout, RoadUser
from safecity.virtual.scenes.paths import Path, bending, path_through, straight
from safecity.virtual.scenes.plan import (
    Barrier,
    Box3,
    Parked,
    Route,
    Segment,
    Standing,
    StreetPlan,
    Surface,
    Walk,
    Wire,
)


def plan_street(layout: Layout, seed: int) -> StreetPlan:
    """The plan of a place: the same layout and seed give the same place under every condition."""
    random = np.random.default_rng([seed, tuple(Layout).index(layout), 11])
    plans = {
        Layout.AVENUE: plan_avenue,
        Layout.JUNCTION: plan_junction,
        Layout.GATE: plan_gate,
        Layout.MARKET: plan_market,
    }
    return plans[layout](random)


def plan_avenue(random: np.random.Generator) -> StreetPlan:
    """A straight avenue: two lanes and a lay-by each way, a planted median, a zebra; it bends away at its far end."""
    camera = hang_camera(
        (-10.9, 0.0, float(random.uniform(6.6, 7.4))),
        yaw_deg=float(random.uniform(12.0, 14.5)), pitch_deg=float(random.uniform(9.6, 10.6)), view_deg=50.0,
    )  # fmt: skip
    plan = StreetPlan(layout=Layout.AVENUE, camera=camera)
    radius = float(random.uniform(230, 300)) * (1 if random.random() < 0.6 else -1)
    spine = bending(0.0, -24.0, to_y_m=290.0, bend_from_m=105.0, radius_m=radius)
    build_avenue_ground(plan, spine)
    zebra_s = 24.0 + 33.0
    add_avenue_traffic(plan, spine, zebra_s=zebra_s)
    for side, path in ((1, spine.offset(13.8)), (-1, spine.offset(-13.8).reversed())):
        parts.raise_houses(plan, path, random=random, storeys=(1, 3))
        walk = spine.offset(side * 12.3)
        plan.walks.append(Walk(path=walk, per_minute=5.0))
    parts.plant_trees(
        plan, spine.offset(-11.2).cut(30, 250), random=random, every_m=19.0, kinds=("plane", "plane", "poplar")
    )
    parts.plant_trees(plan, spine.offset(11.2).cut(52, 250), random=random, every_m=24.0, kinds=("plane", "pine"))
    parts.plant_trees(plan, spine.cut(32, 54), random=random, every_m=5.0, kinds=("shrub",))
    parts.plant_trees(plan, spine.cut(61, 230), random=random, every_m=5.5, kinds=("shrub", "shrub", "shrub", "poplar"))
    parts.hang_wires(plan, spine.offset(-13.2), every_m=33.0, first_m=40.0)
    parts.stand_lamps(plan, spine.offset(-0.01), every_m=34.0, first_m=47.0, to_left=True, height_m=9.0)
    parts.stand_lamps(plan, spine.offset(0.01), every_m=34.0, first_m=47.0, to_left=False, height_m=9.0)
    for s, kind in ((100, RoadUser.RICKSHAW), (106, RoadUser.RICKSHAW), (118, RoadUser.CAR), (131, RoadUser.CAR)):
        x, y, heading = spine.at(s, -9.3)
        plan.parked.append(Parked(kind=kind, x_m=x, y_m=y, heading=heading + np.pi))
    for _ in range(3):
        x, y, _heading = spine.at(float(random.uniform(56, 74)), -11.6)
        plan.standing.append(Standing(x_m=x, y_m=y, heading=float(random.uniform(2.0, 4.0))))
    return plan


def build_avenue_ground(plan: StreetPlan, spine: Path) -> None:
    """Asphalt, median, footpaths, markings."""
    parts.lay_band(plan, spine, between_m=(10.4, -10.4), surface=Surface.ASPHALT, colour=parts.ASPHALT)
    for side in (1, -1):
        parts.paint_dashes(plan, spine, offset_m=side * 4.4)
        parts.paint_edge(plan, spine, offset_m=side * 7.75)
        parts.paint_edge(plan, spine, offset_m=side * 1.05, colour=parts.YELLOW_PAINT)
    parts.paint_zebra(plan, spine.cut(55.0, 59.0), left_m=10.3, right_m=1.0)
    parts.paint_zebra(plan, spine.cut(55.0, 59.0), left_m=-1.0, right_m=-10.3)
    for piece in (spine.cut(0, 54.0), spine.cut(60.0, spine.length_m)):
        parts.lay_band(plan, piece, between_m=(0.8, -0.8), surface=Surface.EARTH, colour=(104, 134, 140), height_m=0.2)
        parts.lay_footpath(plan, piece.offset(-0.8), width_m=0.25)
        parts.lay_footpath(plan, piece.offset(0.8).reversed(), width_m=0.25)
    parts.lay_footpath(plan, spine.offset(10.4), width_m=3.4)
    parts.lay_footpath(plan, spine.offset(-10.4).reversed(), width_m=3.4)


def add_avenue_traffic(plan: StreetPlan, spine: Path, *, zebra_s: float) -> None:
    """Four lanes, a lane of carts, halts in the lay-by, the zebra, lines, zones and what drills may plant."""
    back = spine.reversed()
    end = back.length_m
    for name, path, offset, speed in (
        ("north_outer", spine, 6.1, 10.0), ("north_inner", spine, 2.75, 12.5),
        ("south_outer", back, 6.1, 10.0), ("south_inner", back, 2.75, 12.5), ("north_slow", spine, 9.2, 7.0),
    ):  # fmt: skip
        lane = path.offset(offset)
        zebra = lane.length_m * (zebra_s - 3.5) / end if path is spine else lane.length_m * (end - zebra_s - 3.5) / end
        far = lane.length_m * (end - 100.0) / end if path is back else lane.length_m * 96.0 / end
        walks = (("zebra", zebra), ("trespass", far))
        plan.segments[name] = Segment(id=name, path=lane, speed_mps=speed, crosswalks=walks)
        plan.lanes_along.append(lane)
    south = plan.segments["south_outer"].path.length_m
    plan.routes += [
        Route(segments=("north_outer",), per_minute=9.0, kinds=parts.SLOW_LANE),
        Route(segments=("north_inner",), per_minute=8.0, kinds=parts.FAST_LANE),
        Route(segments=("south_outer",), per_minute=10.0, kinds=parts.SLOW_LANE,
              halts=((south - 52.0, south - 48.0), (south - 92.0, south - 84.0)), halt_offset_m=3.0),
        Route(segments=("south_inner",), per_minute=9.0, kinds=parts.FAST_LANE),
        Route(segments=("north_slow",), per_minute=1.0, kinds={RoadUser.CART: 1.0}),
    ]  # fmt: skip
    plan.walks.append(
        Walk(path=straight(-12.2, 33.0, x1_m=12.2, y1_m=33.0), per_minute=4.0, spread_m=1.2, crosswalk="zebra")
    )
    parts.mark_line(plan, "northbound", from_xy=(-0.9, 24.0), to_xy=(-10.3, 24.0))
    parts.mark_line(plan, "southbound", from_xy=(0.9, 24.0), to_xy=(10.3, 24.0))
    parts.mark_line(plan, "zebra", from_xy=(0.0, 38.0), to_xy=(0.0, 28.0))
    parts.mark_zone(plan, "northbound_carriageway", x0_m=-7.8, y0_m=15.0, x1_m=-0.9, y1_m=30.0)
    parts.mark_zone(plan, "southbound_carriageway", x0_m=0.9, y0_m=15.0, x1_m=7.6, y1_m=30.0)
    parts.mark_zone(plan, "zebra", x0_m=-10.4, y0_m=31.0, x1_m=10.4, y1_m=35.0)
    parts.mark_zone(plan, "lay_by", x0_m=7.8, y0_m=15.0, x1_m=10.4, y1_m=62.0)
    plan.restricted = parts.mark_zone(plan, "median", x0_m=-0.8, y0_m=42.0, x1_m=0.8, y1_m=90.0)
    plan.trespass = path_through(
        [(-12.3, 76.0), (-10.3, 75.0), (-0.2, 74.0), (0.2, 74.0), (-10.3, 73.0), (-12.3, 72.0)]
    )
    plan.live_stop = (0, plan.segments["north_outer"].path.length_m * (24.0 + 44.0) / end)
    plan.wrong_way = spine.offset(-9.3)


def plan_gate(random: np.random.Generator) -> StreetPlan:
    """A gate of the city: three lanes in, each through its boom, two lanes out, an old arch behind, few houses."""
    camera = hang_camera(
        (4.4, 0.0, float(random.uniform(5.3, 5.9))),
        yaw_deg=float(random.uniform(-1.0, 1.5)), pitch_deg=float(random.uniform(8.6, 9.4)), view_deg=46.0,
    )  # fmt: skip
    plan = StreetPlan(layout=Layout.GATE, camera=camera)
    radius = float(random.uniform(300, 420)) * (1 if random.random() < 0.5 else -1)
    spine = bending(0.0, -24.0, to_y_m=290.0, bend_from_m=120.0, radius_m=radius)
    parts.lay_band(plan, spine, between_m=(9.6, -14.6), surface=Surface.ASPHALT, colour=parts.WORN_ASPHALT)
    parts.lay_band(
        plan, spine.cut(24 + 10, 24 + 40), between_m=(0.0, -14.6), surface=Surface.CONCRETE, colour=(126, 134, 138)
    )
    parts.lay_footpath(plan, spine.offset(9.6), width_m=2.6, colours=parts.BLACK_WHITE)
    parts.lay_footpath(plan, spine.offset(-14.6).reversed(), width_m=2.6, colours=parts.BLACK_WHITE)
    parts.paint_edge(plan, spine, offset_m=0.0, colour=parts.YELLOW_PAINT, width_m=0.2)
    parts.paint_dashes(plan, spine, offset_m=4.4)
    for offset in (-4.9, -9.7):
        parts.paint_dashes(plan, spine.cut(66, 240), offset_m=offset)
        parts.paint_dashes(plan, spine.cut(0, 32), offset_m=offset)
    add_gate_lanes(plan, spine)
    add_gate_buildings(plan, spine, random=random)
    parts.mark_line(plan, "inbound", from_xy=(0.2, 19.5), to_xy=(14.4, 19.5))
    parts.mark_line(plan, "outbound", from_xy=(-0.2, 24.0), to_xy=(-9.4, 24.0))
    for index, x in enumerate((2.5, 7.3, 12.1), start=1):
        parts.mark_zone(plan, f"boom_{index}", x0_m=x - 2.2, y0_m=22.4, x1_m=x + 2.2, y1_m=34.0)
    parts.mark_zone(plan, "outbound_lanes", x0_m=-9.4, y0_m=16.0, x1_m=-0.2, y1_m=44.0)
    plan.restricted = parts.mark_zone(plan, "guard_post", x0_m=-13.8, y0_m=44.0, x1_m=-11.7, y1_m=57.0)
    plan.trespass = path_through(
        [(-10.5, 75.0), (-10.6, 62.0), (-12.5, 50.5), (-12.6, 50.5), (-10.6, 62.0), (-10.5, 75.0)]
    )
    # Between the two lanes out, towards the camera: seen, and over the line.
    plan.wrong_way = spine.offset(4.7).reversed()
    plan.wrong_way_kind = RoadUser.RICKSHAW
    return plan


def add_gate_lanes(plan: StreetPlan, spine: Path) -> None:
    """Three gated lanes in, two free lanes out, the islands between."""
    back = spine.reversed()
    stop_y = 23.0
    for index, x in enumerate((2.5, 7.3, 12.1), start=1):
        lane = back.offset(x)
        stop = lane.length_m - (stop_y + 24.0)
        before, after = f"in_{index}", f"in_{index}_after"
        plan.segments[before] = Segment(id=before, path=lane.cut(0.0, stop), speed_mps=9.5, is_gated=True)
        plan.segments[after] = Segment(id=after, path=lane.cut(stop, lane.length_m), speed_mps=6.5)
        kinds = parts.SLOW_LANE if index == 3 else parts.FAST_LANE
        plan.routes.append(Route(segments=(before, after), per_minute=5.0, kinds=kinds))
        plan.barriers.append(Barrier(segment=before, x_m=x + 2.15, y_m=22.2, heading=np.pi, length_m=4.0))
        plan.lanes_along.append(lane)
    for index, offset in enumerate((2.5, 6.9), start=1):
        lane = spine.offset(offset)
        name = f"out_{index}"
        crosswalks = (("trespass", 400.0),)
        plan.segments[name] = Segment(id=name, path=lane, speed_mps=10.5, crosswalks=crosswalks)
        kinds = parts.FAST_LANE if index == 1 else parts.SLOW_LANE
        plan.routes.append(Route(segments=(name,), per_minute=7.0, kinds=kinds))
        plan.lanes_along.append(lane)
    plan.live_stop = (3, 24.0 + 40.0)
    for x in (4.9, 9.7, 14.5):
        island = straight(x + 0.45, 20.5, x1_m=x + 0.45, y1_m=36.0)
        parts.lay_footpath(plan, island, width_m=0.9, colours=parts.BLACK_YELLOW, colour=(150, 158, 160))
        parts.lay_footpath(
            plan, straight(x - 0.45, 36.0, x1_m=x - 0.45, y1_m=20.5), width_m=0.02, colours=parts.BLACK_YELLOW
        )
        parts.lay_footpath(
            plan, straight(x - 0.45, 20.5, x1_m=x + 0.45, y1_m=20.5), width_m=0.02, colours=parts.BLACK_YELLOW
        )


def add_gate_buildings(plan: StreetPlan, spine: Path, *, random: np.random.Generator) -> None:
    """Booths, the arch, walls, trees, lamps, guards."""
    for x in (4.9, 9.7, 14.5):
        plan.boxes.append(
            Box3(
                x_m=x,
                y_m=28.0,
                heading=np.pi / 2,
                size_m=(2.2, 0.85, 2.4),
                colour=(150, 128, 70),
                base_m=0.16,
                glow=1.0,
            )
        )
        plan.boxes.append(
            Box3(x_m=x, y_m=28.0, heading=np.pi / 2, size_m=(2.7, 1.3, 0.16), colour=(190, 196, 198), base_m=2.56)
        )
        plan.boxes.append(Box3(x_m=x, y_m=22.2, heading=0, size_m=(0.4, 0.4, 1.1), colour=(50, 170, 205), base_m=0.16))
    add_arch(plan)
    for x0, x1 in ((-42.0, -15.4), (21.0, 54.0)):
        plan.boxes.append(
            Box3(x_m=(x0 + x1) / 2, y_m=63.0, heading=0, size_m=(x1 - x0, 0.5, 2.6), colour=(126, 152, 178))
        )
    parts.raise_houses(plan, spine.offset(15.0).cut(100, 190), random=random, storeys=(1, 2))
    parts.raise_houses(plan, spine.offset(-21.0).cut(95, 190).reversed(), random=random, storeys=(1, 2))
    parts.plant_trees(plan, spine.offset(13.5).cut(46, 86), random=random, every_m=11.0, kinds=("pine", "poplar"))
    parts.plant_trees(
        plan, spine.offset(-19.6).cut(44, 180), random=random, every_m=10.0, kinds=("pine", "poplar", "plane")
    )
    parts.stand_lamps(plan, spine.offset(10.4), every_m=30.0, first_m=49.0, to_left=False)
    parts.stand_lamps(plan, spine.offset(-15.4), every_m=30.0, first_m=44.0, to_left=True)
    parts.hang_wires(plan, spine.offset(12.6), every_m=36.0, first_m=52.0)
    for x, y in ((14.7, 24.6), (4.8, 25.2), (-11.2, 40.0)):
        plan.standing.append(Standing(x_m=x, y_m=y, heading=float(random.uniform(2.5, 3.8))))
    plan.walks.append(Walk(path=spine.offset(10.5).cut(20, 120), per_minute=1.5, spread_m=0.3))
    plan.walks.append(Walk(path=spine.offset(-16.0).cut(20, 120), per_minute=2.0, spread_m=0.5))


def add_arch(plan: StreetPlan) -> None:
    """The old gate: two brick towers and the beam with its inscription."""
    for x in (-13.6, 19.2):
        plan.boxes.append(Box3(x_m=x, y_m=62.0, heading=0, size_m=(3.2, 3.2, 10.5), colour=(96, 126, 168)))
        plan.boxes.append(Box3(x_m=x, y_m=62.0, heading=0, size_m=(3.8, 3.8, 0.6), colour=(120, 152, 190), base_m=10.5))
        plan.boxes.append(Box3(x_m=x, y_m=62.0, heading=0, size_m=(2.2, 2.2, 1.5), colour=(150, 176, 200), base_m=11.1))
    plan.boxes.append(
        Box3(
            x_m=2.8,
            y_m=62.0,
            heading=0,
            size_m=(29.6, 2.0, 2.3),
            colour=(112, 142, 180),
            base_m=7.0,
            text="WELCOME TO QUETTA",
        )
    )
    plan.boxes.append(Box3(x_m=2.8, y_m=62.0, heading=0, size_m=(29.6, 2.4, 0.4), colour=(140, 168, 196), base_m=9.3))


def plan_market(random: np.random.Generator) -> StreetPlan:
    """A bazaar: one slow lane each way, shops with awnings, stalls, parked motorbikes, many people, a web of wires."""
    camera = hang_camera(
        (-4.2, 0.0, float(random.uniform(5.6, 6.2))),
        yaw_deg=float(random.uniform(8.5, 10.5)), pitch_deg=float(random.uniform(10.5, 11.5)), view_deg=55.0,
    )  # fmt: skip
    plan = StreetPlan(layout=Layout.MARKET, camera=camera)
    spine = bending(0.0, -24.0, to_y_m=200.0, bend_from_m=70.0, radius_m=float(random.uniform(140, 200)))
    parts.lay_band(plan, spine, between_m=(5.2, -5.2), surface=Surface.ASPHALT, colour=parts.WORN_ASPHALT)
    parts.paint_dashes(plan, spine, offset_m=0.0, dash_m=2.0, gap_m=4.0)
    parts.lay_footpath(plan, spine.offset(5.2), width_m=2.6, colours=parts.BLACK_WHITE, colour=parts.TILES)
    parts.lay_footpath(plan, spine.offset(-5.2).reversed(), width_m=2.6, colours=parts.BLACK_WHITE, colour=parts.TILES)
    parts.raise_houses(plan, spine.offset(7.8), random=random, storeys=(2, 3), awnings=0.6)
    parts.raise_houses(plan, spine.offset(-7.8).reversed(), random=random, storeys=(1, 3), awnings=0.65)
    back = spine.reversed()
    places = (("weave_1", 19.0), ("weave_2", 33.0), ("weave_3", 52.0))
    for name, path in (("north", spine), ("south", back)):
        lane = path.offset(1.75)
        ratio = lane.length_m / path.length_m
        stops = tuple(
            (place, ratio * (y + 24.0 - 2.5 if path is spine else path.length_m - (y + 24.0) - 2.5))
            for place, y in (*places, ("trespass", 42.0))
        )
        plan.segments[name] = Segment(id=name, path=lane, speed_mps=5.5, crosswalks=stops)
        plan.lanes_along.append(lane)
        halts = ((lane.length_m - 62.0, lane.length_m - 58.0),) if path is back else ((82.0, 86.0),)
        plan.routes.append(
            Route(segments=(name,), per_minute=9.0, kinds=parts.MARKET_LANE, halts=halts, halt_offset_m=1.7)
        )
    for name, y in places:
        walk = path_through([(-6.6, y + 1.0), (-5.0, y + 0.4), (5.0, y - 0.4), (6.6, y - 1.0)])
        plan.walks.append(Walk(path=walk, per_minute=3.5, spread_m=0.9, crosswalk=name))
    for offset in (6.2, -6.2):
        plan.walks.append(Walk(path=spine.offset(offset), per_minute=9.0, spread_m=0.9))
    fill_market(plan, spine, random=random)
    parts.mark_line(plan, "northbound", from_xy=(0.0, 21.0), to_xy=(-4.6, 21.0))
    parts.mark_line(plan, "southbound", from_xy=(0.0, 23.0), to_xy=(4.6, 23.0))
    parts.mark_line(plan, "footpath", from_xy=(5.3, 26.0), to_xy=(7.6, 26.0))
    parts.mark_zone(plan, "carriageway", x0_m=-3.4, y0_m=12.5, x1_m=3.4, y1_m=34.0)
    plan.restricted = parts.mark_zone(plan, "loading_bay", x0_m=-5.0, y0_m=38.0, x1_m=-3.5, y1_m=46.0)
    plan.trespass = path_through([(6.4, 44.0), (4.8, 43.0), (-4.2, 42.2), (-4.3, 42.0), (4.8, 41.0), (6.4, 40.0)])
    plan.live_stop = (0, 24.0 + 30.0)
    plan.wrong_way = back.offset(-3.9)
    return plan


def fill_market(plan: StreetPlan, spine: Path, *, random: np.random.Generator) -> None:
    """Stalls, parked vehicles, people standing about, poles and the wires across the street."""
    for s in (62.0, 68.0, 79.0, 90.0, 101.0):
        x, y, heading = spine.at(s + float(random.uniform(-1, 1)), -4.75)
        plan.boxes.append(
            Box3(x_m=x, y_m=y, heading=heading, size_m=(2.0, 1.1, 0.85), colour=(70, 96, 128), text="stall")
        )
        plan.standing.append(Standing(x_m=x + 1.1, y_m=y, heading=np.pi))
        plan.standing.append(Standing(x_m=x - 0.9, y_m=y + 0.5, heading=0.2))
    for s in np.arange(43.0, 56.0, 1.15):
        if random.random() < 0.75:
            x, y, heading = spine.at(float(s), -4.4)
            turn = heading - 2.0 + float(random.uniform(-0.12, 0.12))
            plan.parked.append(Parked(kind=RoadUser.MOTORBIKE, x_m=x, y_m=y, heading=turn))
    for s, side, kind in ((88.0, 1, RoadUser.RICKSHAW), (95.0, 1, RoadUser.CAR), (112.0, -1, RoadUser.RICKSHAW)):
        x, y, heading = spine.at(s, side * 4.3)
        plan.parked.append(Parked(kind=kind, x_m=x, y_m=y, heading=heading + (0 if side > 0 else np.pi)))
    for _ in range(12):
        side = 1 if random.random() < 0.5 else -1
        x, y, _heading = spine.at(float(random.uniform(40, 100)), side * float(random.uniform(6.6, 7.4)))
        plan.standing.append(Standing(x_m=x, y_m=y, heading=float(random.uniform(0, 6.28))))
    parts.hang_wires(plan, spine.offset(5.5), every_m=24.0, first_m=46.0, height_m=7.6, strands=6)
    parts.hang_wires(plan, spine.offset(-5.5), every_m=26.0, first_m=52.0, height_m=7.6, strands=6)
    parts.stand_lamps(plan, spine.offset(5.5), every_m=24.0, first_m=46.0, to_left=False, height_m=7.2)
    for s in (50.0, 61.0, 77.0, 93.0):
        x0, y0, _heading = spine.at(s, 5.5)
        x1, y1, _heading = spine.at(s + float(random.uniform(-4, 6)), -7.8)
        plan.wires.append(Wire(start=(x0, y0, 7.2), end=(x1, y1, 6.2), sag_m=0.5, strands=2))
    parts.plant_trees(plan, spine.offset(5.4).cut(70, 160), random=random, every_m=38.0, kinds=("plane",))

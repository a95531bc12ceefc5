"""Vehicles: each follows its route, keeps its distance, obeys signals and booms, waits for people.

Car following is the intelligent driver model (Treiber, Hennecke, Helbing 2000) in steps of one frame. In a loop the
schedule repeats each round, so after some rounds every round is like the one before: then the clip has no seam.
"""

import math
from dataclasses import dataclass, field

from safecity.platform.errors import Internal
from safecity.virtual.scenes.driving import (
    ALIKE_ROUNDS,
    ALL_RED_S,
    AMBER_S,
    GAP_M,
    HARDEST_MPS2,
    LOOK_AHEAD_M,
    MAX_ROUNDS,
    PATIENCE_ROUNDS,
    Boom,
    Course,
    Vehicle,
    differing,
    follow,
    free_road,
    must_yield,
    prepare_course,
    smooth,
)
from safecity.virtual.scenes.looks import ACCELERATION_MPS2, Slot
from safecity.virtual.scenes.model import EventKind, PlantedEvent
from safecity.virtual.scenes.movers import Mover
from safecity.virtual.scenes.plan import StreetPlan
from safecity.virtual.scenes.walkers import Claims, People


@dataclass(slots=True)
class Traffic:
    """All vehicles of a scene; `step` goes on by one frame."""

    plan: StreetPlan
    slots: list[Slot]
    people: People
    fps: float
    round_s: float | None
    events: tuple[PlantedEvent, ...] = ()
    tick: int = 0
    """Frames since the clock's zero; whole numbers, so that every round meets its signals at the same frame."""
    vehicles: list[Vehicle] = field(default_factory=list[Vehicle])
    courses: list[Course] = field(default_factory=list[Course])
    booms: dict[str, Boom] = field(default_factory=dict[str, Boom])
    taken_events: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    waiting: list[tuple[Slot, int]] = field(default_factory=list[tuple[Slot, int]])

    def __post_init__(self) -> None:
        """Prepare the routes and the booms."""
        self.courses = [prepare_course(self.plan, route.segments) for route in self.plan.routes]
        self.booms = {barrier.segment: Boom() for barrier in self.plan.barriers}

    @property
    def now_s(self) -> float:
        """Seconds since the clock's zero."""
        return self.tick / self.fps

    @property
    def round_ticks(self) -> int:
        """Frames of a round; 0 where the scene does not loop."""
        return round(self.round_s * self.fps) if self.round_s is not None else 0

    def round_of(self, at_s: float) -> tuple[int, int]:
        """For something due at a time (in a loop: in each round): the round it is in, and frames since it was due."""
        since = self.tick - math.ceil(at_s * self.fps - 1e-6)
        if not self.round_ticks:
            return 0, since
        return divmod(since, self.round_ticks)

    def fill_street(self) -> None:
        """Run until the street is as busy as it will be; in a loop, until a round equals the one before."""
        if self.round_s is None:
            self.run_rounds(90.0, 1)
            return
        before: dict[int, list[float]] = {}
        alike = 0
        for count in range(1, MAX_ROUNDS + 1):
            self.run_rounds(self.round_s, 1, keep_clock=True)
            state: dict[int, list[float]] = {slot.number: [-1.0] for slot, _ in self.waiting}
            for vehicle in self.vehicles:
                state.setdefault(vehicle.slot.number, []).extend((vehicle.s_m, vehicle.speed_mps, vehicle.waited_s))
            unsettled = differing(before, state)
            alike = 0 if unsettled else alike + 1
            if alike == ALIKE_ROUNDS:
                return
            if unsettled and count % PATIENCE_ROUNDS == 0:
                self.dismiss(unsettled)
            before = state
        raise Internal(
            "this loop's traffic did not settle; draw it with another seed, a longer duration or less density",
            code="virtual.loop_unsettled",
        )

    def dismiss(self, unsettled: set[int]) -> None:
        """Take the slowest quarter of those that come differently in each round out of the schedule.

        They are in a lane above its capacity; with fewer of them, and the slow ones first, the others settle.
        """
        ranked = sorted((slot.pace, slot.number) for slot in self.slots if slot.number in unsettled)
        numbers = {number for _, number in ranked[: math.ceil(len(ranked) / 4)]}
        self.slots = [slot for slot in self.slots if slot.number not in numbers]
        self.waiting = [(slot, turn) for slot, turn in self.waiting if slot.number not in numbers]
        self.vehicles = [vehicle for vehicle in self.vehicles if vehicle.slot.number not in numbers]

    def run_rounds(self, seconds: float, rounds: int, *, keep_clock: bool = False) -> None:
        """Drive some time before the clip begins."""
        steps = round(seconds * self.fps) * rounds
        if not keep_clock:
            self.tick = -steps
        for _ in range(steps):
            self.step()

    def step(self) -> None:
        """One frame on."""
        self.enter()
        self.plant()
        lanes = self.occupancy()
        claims = self.people.claims(self.now_s)
        for vehicle in self.vehicles:
            vehicle.acceleration = self.choose(vehicle, lanes, claims=claims)
        dt = 1 / self.fps
        for vehicle in self.vehicles:
            speed = max(0.0, vehicle.speed_mps + vehicle.acceleration * dt)
            vehicle.s_m += (vehicle.speed_mps + speed) / 2 * dt
            vehicle.speed_mps = 0.0 if speed < 0.03 and vehicle.acceleration <= 0 else speed
            self.wait(vehicle, dt)
        self.move_booms(dt)
        self.vehicles = [v for v in self.vehicles if v.s_m < self.courses[v.slot.route].length_m + 6]
        self.tick += 1

    def enter(self) -> None:
        """Let the vehicles in whose time has come, unless their lane's start is still taken."""
        for slot in self.slots:
            turn, since = self.round_of(slot.at_s)
            if since == 0:
                self.waiting.append((slot, turn))
        left: list[tuple[Slot, int]] = []
        for slot, turn in self.waiting:
            first = self.courses[slot.route].segments[0]
            nearest = min(
                (
                    v.s_m - v.slot.look.length_m / 2
                    for v in self.vehicles
                    if self.courses[v.slot.route].segments[0] == first
                ),
                default=math.inf,
            )
            if nearest > slot.look.length_m / 2 + 7:
                speed = self.plan.segments[first].speed_mps * slot.pace * 0.9
                self.vehicles.append(Vehicle(slot=slot, turn=turn, s_m=0.0, speed_mps=min(speed, 0.6 * nearest)))
            elif self.now_s - slot.at_s - turn * (self.round_s or 0.0) < 20:
                left.append((slot, turn))
        self.waiting = left

    def plant(self) -> None:
        """Choose the vehicle that a planted stop befalls, when its time has come."""
        if self.plan.live_stop is None:
            return
        route, place = self.plan.live_stop
        for number, event in enumerate(self.events):
            if event.kind != EventKind.STOPPED_VEHICLE:
                continue
            turn, since = self.round_of(event.at_s)
            if since < 0 or (number, turn) in self.taken_events:
                continue
            near = [
                v for v in self.vehicles
                if v.slot.route == route and v.slot.halt_at_m is None and v.event is None
                and place - 130 < v.s_m < place - 22
            ]  # fmt: skip
            if near:
                chosen = max(near, key=lambda v: v.s_m)
                chosen.event = number
                self.taken_events.add((number, turn))

    def piece_of(self, vehicle: Vehicle) -> int:
        """The index of the route's piece that the vehicle's middle is on."""
        starts = self.courses[vehicle.slot.route].starts
        index = len(starts) - 1
        while index > 0 and vehicle.s_m < starts[index]:
            index -= 1
        return index

    def occupancy(self) -> dict[str, list[tuple[float, Vehicle]]]:
        """For each segment its vehicles by arc length on it; those that have pulled aside are left out."""
        lanes: dict[str, list[tuple[float, Vehicle]]] = {}
        for vehicle in self.vehicles:
            index = self.piece_of(vehicle)
            course = self.courses[vehicle.slot.route]
            lanes.setdefault(course.segments[index], []).append((vehicle.s_m - course.starts[index], vehicle))
        for lane in lanes.values():
            lane.sort(key=lambda item: item[0])
        return lanes

    def choose(self, vehicle: Vehicle, lanes: dict[str, list[tuple[float, Vehicle]]], *, claims: Claims) -> float:
        """The acceleration a driver chooses: the least that any of her reasons asks for."""
        slot = vehicle.slot
        course = self.courses[slot.route]
        segment = self.plan.segments[course.segments[self.piece_of(vehicle)]]
        wanted = segment.speed_mps * slot.pace
        strength = ACCELERATION_MPS2[slot.look.kind]
        least = free_road(vehicle.speed_mps, wanted, strength=strength)
        ahead = self.leader(vehicle, lanes)
        if ahead is not None:
            gap, speed = ahead
            least = min(least, follow(vehicle.speed_mps, wanted, strength=strength, gap=gap, lead_mps=speed))
        for stop in self.stops_ahead(vehicle, course, lanes=lanes, claims=claims):
            gap = stop - vehicle.front_m
            if gap > LOOK_AHEAD_M or gap < -1.5:
                continue
            if vehicle.speed_mps**2 / 2 / max(0.3, gap) > HARDEST_MPS2:
                continue
            braking = follow(vehicle.speed_mps, wanted, strength=strength, gap=gap + GAP_M - 0.4, lead_mps=0.0)
            least = min(least, braking)
        return max(-HARDEST_MPS2, least)

    def leader(self, vehicle: Vehicle, lanes: dict[str, list[tuple[float, Vehicle]]]) -> tuple[float, float] | None:
        """Gap to the next vehicle ahead on the route, and its speed."""
        course = self.courses[vehicle.slot.route]
        index = self.piece_of(vehicle)
        side = self.aside_m(vehicle)
        for piece in range(index, min(index + 3, len(course.segments))):
            start = course.starts[piece]
            for s, other in lanes.get(course.segments[piece], ()):
                if other is vehicle or start + s <= vehicle.s_m or abs(self.aside_m(other) - side) > 1.7:
                    continue
                gap = start + s - other.slot.look.length_m / 2 - vehicle.front_m
                return (gap, other.speed_mps) if gap < LOOK_AHEAD_M else None
        return None

    def stops_ahead(
        self,
        vehicle: Vehicle,
        course: Course,
        *,
        lanes: dict[str, list[tuple[float, Vehicle]]],
        claims: Claims,
    ) -> list[float]:
        """Arc lengths ahead at which this vehicle must stop now."""
        strength = ACCELERATION_MPS2[vehicle.slot.look.kind]
        stops = [
            s
            for s, segment, crosswalk in course.crosswalks
            if -1.5 < s - vehicle.front_m < LOOK_AHEAD_M
            and must_yield(vehicle, s, claims=claims.get((segment, crosswalk), []), strength=strength)
        ]
        for s, phase in course.signals:
            if vehicle.s_m < s and not (self.is_green(phase) and self.box_is_free(phase, lanes)):
                stops.append(s)
        for s, segment in course.gates:
            boom = self.booms[segment]
            if vehicle.s_m < s and not (vehicle.is_released and boom.raised > 0.75):
                stops.append(s)
        slot = vehicle.slot
        if slot.halt_at_m is not None and not vehicle.has_halted:
            stops.append(slot.halt_at_m + slot.look.length_m / 2)
        if vehicle.event is not None and not vehicle.event_done and self.plan.live_stop is not None:
            stops.append(self.plan.live_stop[1])
        return stops

    def is_green(self, phase: int) -> bool:
        """Whether a signal phase may drive."""
        return self.signal_state(phase) == "green"

    def signal_state(self, phase: int) -> str:
        """green, amber or red."""
        cycle = 44.0 if self.round_s is None else self.round_s / max(1, round(self.round_s / 44.0))
        share = cycle / self.plan.phases
        now_s = self.tick % self.round_ticks / self.fps if self.round_ticks else self.now_s
        into = (now_s - phase * share) % cycle
        if into < share - AMBER_S - ALL_RED_S:
            return "green"
        return "amber" if into < share - ALL_RED_S else "red"

    def box_is_free(self, phase: int, lanes: dict[str, list[tuple[float, Vehicle]]]) -> bool:
        """Whether no vehicle of another phase is still inside the junction."""
        for name, there in lanes.items():
            if "_to_" not in name or self.plan.segments[name.split("_to_")[0]].phase == phase:
                continue
            if any(s < 0.6 * self.plan.segments[name].path.length_m for s, _ in there):
                return False
        return True

    def wait(self, vehicle: Vehicle, dt: float) -> None:
        """Count the time a vehicle stands where it meant to, and let it go on."""
        slot = vehicle.slot
        if vehicle.speed_mps > 0.2:
            return
        course = self.courses[slot.route]
        if slot.halt_at_m is not None and not vehicle.has_halted and abs(vehicle.s_m - slot.halt_at_m) < 2.5:
            vehicle.waited_s += dt
            vehicle.has_halted = vehicle.waited_s > slot.halt_s and self.way_is_clear(vehicle)
        for s, segment in course.gates:
            if not vehicle.is_released and 0 < s - vehicle.front_m < 2.2:
                vehicle.waited_s += dt
                if vehicle.waited_s > slot.serve_s and self.booms[segment].clearing is None:
                    vehicle.is_released = True
                    self.booms[segment].clearing = (slot.number, vehicle.turn)
        if vehicle.event is None or self.plan.live_stop is None:
            return
        if abs(self.plan.live_stop[1] - vehicle.front_m) < 2.5:
            if vehicle.stop_until is None:
                vehicle.stop_until = self.tick + round(self.events[vehicle.event].for_s * self.fps)
            vehicle.event_done = self.tick >= vehicle.stop_until

    def way_is_clear(self, vehicle: Vehicle) -> bool:
        """Whether nobody comes from behind while this one pulls out."""
        for other in self.vehicles:
            behind = vehicle.s_m - other.s_m
            if other is vehicle or other.slot.route != vehicle.slot.route:
                continue
            is_close = -6 < behind < 4 + 2.6 * other.speed_mps
            if is_close and abs(self.aside_m(other) - self.aside_m(vehicle)) > 1.0:
                return False
        return True

    def move_booms(self, dt: float) -> None:
        """Raise and lower the booms."""
        for boom in self.booms.values():
            if boom.clearing is not None:
                gone = True
                for vehicle in self.vehicles:
                    if (vehicle.slot.number, vehicle.turn) == boom.clearing:
                        end = self.courses[vehicle.slot.route].gates[0][0]
                        gone = vehicle.s_m - vehicle.slot.look.length_m / 2 > end + 1.5
                if gone:
                    boom.clearing = None
            target = 1.0 if boom.clearing is not None else 0.0
            boom.raised += max(-dt / 1.2, min(dt / 0.9, target - boom.raised))

    def aside_m(self, vehicle: Vehicle) -> float:
        """How far to the left of its lane's middle a vehicle drives or stands to halt."""
        slot = vehicle.slot
        if slot.halt_at_m is None:
            return 0.0
        offset = self.plan.routes[slot.route].halt_offset_m
        into = (vehicle.s_m - (slot.halt_at_m - 30)) / 24
        out = (vehicle.s_m - slot.halt_at_m - 1.0) / 20
        return offset * (smooth(into) - smooth(out))

    def movers(self) -> list[Mover]:
        """Every vehicle at this moment."""
        return [self.mover(vehicle) for vehicle in self.vehicles]

    def mover(self, vehicle: Vehicle) -> Mover:
        """One vehicle's place on the ground."""
        course = self.courses[vehicle.slot.route]
        index = self.piece_of(vehicle)
        path = self.plan.segments[course.segments[index]].path
        lateral = vehicle.slot.lateral_m + self.aside_m(vehicle)
        s = vehicle.s_m - course.starts[index]
        reach = vehicle.slot.look.length_m * 0.35
        x, y, heading = path.at(s, lateral)
        if vehicle.slot.halt_at_m is not None:
            ahead = self.aside_m(vehicle)
            nudged = Vehicle(slot=vehicle.slot, turn=0, s_m=vehicle.s_m + 1.0, speed_mps=0.0)
            heading += math.atan2(self.aside_m(nudged) - ahead, 1.0) * 0.8
        elif len(course.segments) > 1:
            heading = self.smooth_heading(course, vehicle.s_m, reach_m=reach)
        return Mover(
            key=("drive", vehicle.slot.number, vehicle.turn), look=vehicle.slot.look, x_m=x, y_m=y, heading=heading,
            speed_mps=vehicle.speed_mps, is_braking=vehicle.acceleration < -0.6 or vehicle.speed_mps < 0.1,
            is_blinking=vehicle.event is not None and vehicle.speed_mps < 1.5 and not vehicle.event_done,
            event=vehicle.event,
        )  # fmt: skip

    def smooth_heading(self, course: Course, s_m: float, *, reach_m: float) -> float:
        """Where a long vehicle points: from where its rear is to where its front is."""
        points: list[tuple[float, float]] = []
        for at in (s_m - reach_m, s_m + reach_m):
            index = len(course.starts) - 1
            while index > 0 and at < course.starts[index]:
                index -= 1
            path = self.plan.segments[course.segments[index]].path
            x, y, _ = path.at(at - course.starts[index])
            points.append((x, y))
        return math.atan2(points[1][1] - points[0][1], points[1][0] - points[0][0])

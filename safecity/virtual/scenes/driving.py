"""How one vehicle drives: its state, its prepared route, and the rules by which it speeds up and brakes.

Car following is the intelligent driver model (Treiber, Hennecke, Helbing 2000).
"""

import math
from dataclasses import dataclass

from safecity.virtual.scenes.looks import Slot
from safecity.virtual.scenes.plan import StreetPlan

HEADWAY_S = 1.15
GAP_M = 2.0
COMFORT_MPS2 = 2.6
HARDEST_MPS2 = 7.0
LOOK_AHEAD_M = 75.0
CROSSWALK_M = 7.0
"""From where vehicles wait to beyond the people's way."""
PATIENCE_S = 0.7
"""Spare time drivers want before and after people."""
AMBER_S = 2.2
ALL_RED_S = 0.8
MAX_ROUNDS = 60
PATIENCE_ROUNDS = 5
"""After so many rounds some vehicles that still come differently are left out."""
ALIKE_ROUNDS = 2
"""So many rounds in a row must equal the one before: one may do so by chance."""
SETTLED_M = 0.02
"""A round equals the one before when no vehicle is farther than this from where it was (nor its speed in m/s)."""


@dataclass(slots=True, kw_only=True)
class Vehicle:
    """A vehicle on its way; `s_m` is its middle, along its whole route."""

    slot: Slot
    turn: int
    s_m: float
    speed_mps: float
    acceleration: float = 0.0
    has_halted: bool = False
    waited_s: float = 0.0
    is_released: bool = False
    stop_until: int | None = None
    """The frame at which a planted stop ends."""
    event: int | None = None
    event_done: bool = False

    @property
    def front_m(self) -> float:
        """Its front end, along its route."""
        return self.s_m + self.slot.look.length_m / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A route prepared for driving: where its pieces begin and where one may have to stop."""

    segments: tuple[str, ...]
    starts: tuple[float, ...]
    length_m: float
    crosswalks: tuple[tuple[float, str, str], ...]
    """Arc length, segment, crosswalk."""
    signals: tuple[tuple[float, int], ...]
    gates: tuple[tuple[float, str], ...]


@dataclass(slots=True, kw_only=True)
class Boom:
    """A boom's state: 0 down, 1 up."""

    raised: float = 0.0
    clearing: tuple[int, int] | None = None
    """The vehicle (slot, turn) that is let through."""


def prepare_course(plan: StreetPlan, names: tuple[str, ...]) -> Course:
    """Where along a route its pieces begin and where one may have to stop."""
    start = 0.0
    starts: list[float] = []
    crosswalks: list[tuple[float, str, str]] = []
    signals: list[tuple[float, int]] = []
    gates: list[tuple[float, str]] = []
    for name in names:
        segment = plan.segments[name]
        starts.append(start)
        end = start + segment.path.length_m
        crosswalks += [(start + s, name, crosswalk) for crosswalk, s in segment.crosswalks]
        if segment.phase is not None:
            signals.append((end, segment.phase))
        if segment.is_gated:
            gates.append((end, name))
        start = end
    return Course(
        segments=names, starts=tuple(starts), length_m=start, crosswalks=tuple(crosswalks),
        signals=tuple(signals), gates=tuple(gates),
    )  # fmt: skip


def travel_s(distance_m: float, speed_mps: float, *, strength: float) -> float:
    """How long a vehicle needs for a distance when it speeds up moderately."""
    if distance_m <= 0:
        return 0.0
    pull = 0.6 * strength
    return (math.sqrt(speed_mps**2 + 2 * pull * distance_m) - speed_mps) / pull


def must_yield(vehicle: Vehicle, stop_m: float, *, claims: list[tuple[float, float]], strength: float) -> bool:
    """Whether people would be in a vehicle's way when it is on their crosswalk, were it to drive on."""
    gap = stop_m - vehicle.front_m
    arrives = travel_s(gap, vehicle.speed_mps, strength=strength)
    clears = travel_s(gap + CROSSWALK_M + vehicle.slot.look.length_m, vehicle.speed_mps, strength=strength)
    return any(enters < clears + PATIENCE_S and leaves > arrives - PATIENCE_S for enters, leaves in claims)


def smooth(share: float) -> float:
    """0 below 0, 1 above 1, an S between."""
    t = min(1.0, max(0.0, share))
    return t * t * (3 - 2 * t)


def free_road(speed: float, wanted: float, *, strength: float) -> float:
    """Acceleration with nothing ahead."""
    if speed > wanted:
        return max(-COMFORT_MPS2, -strength * (speed / wanted - 1) * 4)
    return strength * (1 - (speed / wanted) ** 4)


def follow(speed: float, wanted: float, *, strength: float, gap: float, lead_mps: float) -> float:
    """Acceleration behind a leader (the intelligent driver model)."""
    closing = speed * (speed - lead_mps) / (2 * math.sqrt(strength * COMFORT_MPS2))
    desired = GAP_M + max(0.0, speed * HEADWAY_S + closing)
    return strength * (1 - (speed / max(0.1, wanted)) ** 4 - (desired / max(0.25, gap)) ** 2)


def differing(before: dict[int, list[float]], after: dict[int, list[float]]) -> set[int]:
    """The slots whose vehicles are not where they were a round ago."""
    return {
        number
        for number in before.keys() | after.keys()
        if len(before.get(number, [])) != len(after.get(number, []))
        or any(abs(a - b) > SETTLED_M for a, b in zip(before.get(number, []), after.get(number, []), strict=False))
    }

"""What each road user looks like: model, colour, plate; and how a scene's traffic is scheduled."""

from dataclasses import dataclass

import numpy as np

from safecity.virtual.scenes.model import RoadUser
from safecity.virtual.scenes.pixels import Bgr
from safecity.virtual.scenes.plan import Route

LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
CAR_COLOURS: tuple[tuple[str, Bgr, float], ...] = (
    ("white", (208, 212, 212), 0.34), ("silver", (158, 160, 160), 0.16), ("black", (40, 38, 38), 0.11),
    ("grey", (98, 98, 98), 0.12), ("blue", (132, 74, 38), 0.07), ("red", (42, 42, 150), 0.07),
    ("maroon", (44, 34, 92), 0.05), ("beige", (140, 168, 184), 0.05), ("green", (66, 88, 44), 0.03),
)  # fmt: skip
MODELS: dict[RoadUser, tuple[tuple[str, float], ...]] = {
    RoadUser.CAR: (("hatchback", 0.42), ("sedan", 0.34), ("suv", 0.12), ("van", 0.12)),
    RoadUser.BUS: (("bus", 1.0),),
    RoadUser.TRUCK: (("truck", 1.0),),
    RoadUser.MOTORBIKE: (("motorbike", 1.0),),
    RoadUser.RICKSHAW: (("rickshaw", 1.0),),
    RoadUser.CART: (("cart", 1.0),),
    RoadUser.PERSON: (("person", 1.0),),
}
SIZES_M: dict[str, tuple[float, float, float]] = {
    "hatchback": (3.55, 1.56, 1.46), "sedan": (4.5, 1.72, 1.44), "suv": (4.75, 1.88, 1.86), "van": (3.45, 1.44, 1.84),
    "bus": (8.4, 2.35, 3.0), "truck": (7.8, 2.4, 3.75), "motorbike": (2.0, 0.75, 1.65), "rickshaw": (2.75, 1.34, 1.78),
    "cart": (4.7, 1.7, 1.9), "person": (0.5, 0.5, 1.72),
}  # fmt: skip
"""Length, width, height."""
PACE: dict[RoadUser, float] = {
    RoadUser.CAR: 1.0, RoadUser.BUS: 0.84, RoadUser.TRUCK: 0.78, RoadUser.MOTORBIKE: 1.0, RoadUser.RICKSHAW: 0.8,
    RoadUser.CART: 0.3, RoadUser.PERSON: 1.0,
}  # fmt: skip
"""Usual speed as a share of the lane's."""
ACCELERATION_MPS2: dict[RoadUser, float] = {
    RoadUser.CAR: 1.9, RoadUser.BUS: 1.0, RoadUser.TRUCK: 0.8, RoadUser.MOTORBIKE: 2.4, RoadUser.RICKSHAW: 1.3,
    RoadUser.CART: 0.6, RoadUser.PERSON: 1.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One road user's outside; equal looks share their drawing."""

    kind: RoadUser
    model: str
    colour_name: str
    colour: Bgr
    plate: str | None
    seed: int

    is_parked: bool = False
    """Drawn without its rider."""

    @property
    def length_m(self) -> float:
        """Its length along its way."""
        return SIZES_M[self.model][0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A vehicle that enters a route at a time; in a loop it does so in every round."""

    number: int
    at_s: float
    route: int
    look: Look
    pace: float
    lateral_m: float
    halt_at_m: float | None = None
    halt_s: float = 0.0
    serve_s: float = 3.0
    """How long it is looked at before a boom."""


class Registry:
    """Gives out plates; none twice in a scene."""

    def __init__(self, random: np.random.Generator) -> None:
        self.random = random
        self.given: set[str] = set()

    def plate(self) -> str:
        """A plate of the region's kinds: mostly Balochistan's, some of Sindh's."""
        while True:
            first = "B" if self.random.random() < 0.6 else ("Q" if self.random.random() < 0.6 else "A")
            rest = "".join(LETTERS[int(i)] for i in self.random.integers(len(LETTERS), size=2))
            digits = int(self.random.integers(100, 10000))
            text = f"{first}{rest}-{digits:03d}"
            if text not in self.given:
                self.given.add(text)
                return text

    def look(self, kind: RoadUser, *, is_parked: bool = False) -> Look:
        """A vehicle or person of that kind."""
        random = self.random
        models = MODELS[kind]
        weights = np.array([weight for _, weight in models])
        model = models[int(random.choice(len(models), p=weights / weights.sum()))][0]
        shares = np.array([share for _, _, share in CAR_COLOURS])
        name, colour, _ = CAR_COLOURS[int(random.choice(len(CAR_COLOURS), p=shares / shares.sum()))]
        if kind == RoadUser.RICKSHAW:
            name, colour = ("green", (74, 122, 40)) if random.random() < 0.7 else ("blue", (150, 96, 40))
        elif kind == RoadUser.BUS:
            name, colour = BUS_COLOURS[int(random.integers(len(BUS_COLOURS)))]
        elif kind == RoadUser.TRUCK:
            name, colour = TRUCK_COLOURS[int(random.integers(len(TRUCK_COLOURS)))]
        elif kind == RoadUser.MOTORBIKE:
            name, colour = ("red", (36, 36, 150)) if random.random() < 0.55 else ("black", (40, 40, 42))
        elif kind == RoadUser.CART:
            name, colour = "brown", (70, 98, 128)
        elif kind == RoadUser.PERSON:
            name, colour = CLOTHES[int(random.integers(len(CLOTHES)))]
        has_plate = kind not in (RoadUser.CART, RoadUser.PERSON)
        return Look(
            kind=kind, model=model, colour_name=name, colour=colour,
            plate=self.plate() if has_plate else None, seed=int(random.integers(1 << 30)),
            is_parked=is_parked,
        )  # fmt: skip


BUS_COLOURS: tuple[tuple[str, Bgr], ...] = (
    ("white", (200, 206, 206)), ("blue", (150, 104, 52)), ("green", (86, 132, 60)), ("yellow", (60, 164, 204)),
    ("red", (52, 52, 158)),
)  # fmt: skip
TRUCK_COLOURS: tuple[tuple[str, Bgr], ...] = (
    ("red", (44, 44, 158)), ("green", (58, 110, 50)), ("blue", (142, 84, 40)), ("orange", (44, 110, 196)),
)  # fmt: skip
CLOTHES: tuple[tuple[str, Bgr], ...] = (
    ("white", (196, 202, 204)), ("cream", (168, 194, 204)), ("brown", (80, 104, 130)), ("grey", (122, 122, 122)),
    ("blue", (142, 112, 80)), ("black", (50, 48, 48)), ("olive", (82, 112, 112)), ("teal", (118, 112, 62)),
    ("maroon", (62, 50, 104)), ("sky", (184, 160, 130)), ("charcoal", (74, 70, 68)),
)  # fmt: skip


def schedule_vehicles(
    routes: list[Route], registry: Registry, *, from_s: float, to_s: float, density: float
) -> list[Slot]:
    """When which vehicle enters which route: spaced at random, never closer than two seconds on a route."""
    random = registry.random
    slots: list[Slot] = []
    for index, route in enumerate(routes):
        rate = route.per_minute * density / 60
        if rate <= 0:
            continue
        count = int(np.floor((to_s - from_s) * rate + random.random()))
        if count == 0:
            continue
        step = (to_s - from_s) / count
        kinds = list(route.kinds)
        weights = np.array([route.kinds[kind] for kind in kinds])
        for i in range(count):
            at = from_s + step * (i + 0.5 + 0.42 * float(random.uniform(-1, 1)) * min(1.0, max(0.0, 1 - 2 / step)))
            kind = kinds[int(random.choice(len(kinds), p=weights / weights.sum()))]
            slots.append(vehicle_slot(registry, route, number=len(slots), at_s=at, route_index=index, kind=kind))
    return slots


def vehicle_slot(
    registry: Registry, route: Route, *, number: int, at_s: float, route_index: int, kind: RoadUser
) -> Slot:
    """One vehicle with its habits; rickshaws and buses stop more often than others."""
    random = registry.random
    wants_halt = {RoadUser.RICKSHAW: 0.5, RoadUser.BUS: 0.7, RoadUser.CAR: 0.12}.get(kind, 0.0)
    halt = None
    if route.halts and random.random() < wants_halt:
        low, high = route.halts[int(random.integers(len(route.halts)))]
        halt = float(random.uniform(low, high))
    spread = 0.55 if kind == RoadUser.MOTORBIKE else 0.12
    return Slot(
        number=number, at_s=at_s, route=route_index, look=registry.look(kind),
        pace=PACE[kind] * float(random.uniform(0.9, 1.1)),
        lateral_m=route.offset_m + float(random.uniform(-spread, spread)),
        halt_at_m=halt, halt_s=float(random.uniform(4.0, 9.0)), serve_s=float(random.uniform(1.5, 3.5)),
    )  # fmt: skip

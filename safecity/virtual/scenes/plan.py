"""The parts of a street, as its plan states them: what stands where, where vehicles drive, where people walk."""

from dataclasses import dataclass, field
from enum import StrEnum

from safecity.virtual.scenes.camera import Camera
from safecity.virtual.scenes.model import Layout, RoadUser
from safecity.virtual.scenes.paths import Path
from safecity.virtual.scenes.pixels import F64, Bgr

GroundPoints = tuple[tuple[float, float], ...]


class Surface(StrEnum):
    """What the ground is made of."""

    ASPHALT = "asphalt"
    CONCRETE = "concrete"
    TILES = "tiles"
    EARTH = "earth"
    PAINT = "paint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A flat polygon on the ground; later ones lie over earlier ones."""

    outline: F64
    """(N, 2) metres."""
    surface: Surface
    colour: Bgr
    height_m: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kerb:
    """A kerb stone's top and face along a path, painted in turns; it rises on the path's left."""

    path: Path
    height_m: float = 0.18
    colours: tuple[Bgr, Bgr] = ((45, 170, 205), (45, 45, 48))


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """A house: its front runs from `corner` along `heading`, the street lies on the front's right-hand side."""

    corner: tuple[float, float]
    heading: float
    width_m: float
    depth_m: float
    storeys: int
    seed: int
    shops: bool = True
    awnings: float = 0.3
    """Share of its shops that have a cloth awning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box3:
    """A plain box: wall, booth, block, pillar, stall; centre on the ground, turned by heading."""

    x_m: float
    y_m: float
    heading: float
    size_m: tuple[float, float, float]
    """Length along the heading, width, height."""
    colour: Bgr
    base_m: float = 0.0
    text: str = ""
    """Written large on the face that looks at the camera."""
    glow: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A tree or shrub."""

    x_m: float
    y_m: float
    height_m: float
    kind: str
    """plane, pine, poplar or shrub."""
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pole:
    """A utility pole (arm 0) or a street lamp, its arm pointing along `heading`."""

    x_m: float
    y_m: float
    height_m: float
    heading: float = 0.0
    arm_m: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """Wires hung between two points, sagging."""

    start: tuple[float, float, float]
    end: tuple[float, float, float]
    sag_m: float
    strands: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalHead:
    """A traffic signal on its pole that shows the state of one phase."""

    x_m: float
    y_m: float
    height_m: float
    phase: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Barrier:
    """A boom at the end of a segment: pivot, direction of the closed arm, its length."""

    segment: str
    x_m: float
    y_m: float
    heading: float
    length_m: float = 3.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A piece of lane that vehicles follow; routes are chains of these."""

    id: str
    path: Path
    speed_mps: float
    phase: int | None = None
    """The signal phase that lets vehicles over its end; None: no signal there."""
    is_gated: bool = False
    """Whether each vehicle must stop at its end until the boom rises."""
    crosswalks: tuple[tuple[str, float], ...] = ()
    """Names of crosswalks with the arc length where vehicles wait for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A way through the picture and who takes it."""

    segments: tuple[str, ...]
    per_minute: float
    kinds: dict[RoadUser, float]
    halts: tuple[tuple[float, float], ...] = ()
    """Arc lengths between which some vehicles pull in to the left and stand a while."""
    halt_offset_m: float = 2.5
    offset_m: float = 0.0
    """Where its vehicles keep within the lane, to the left of its middle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A way that people take, and how many of them a minute in each direction."""

    path: Path
    per_minute: float
    spread_m: float = 0.8
    crosswalk: str | None = None
    """Set where the way is over a road: vehicles wait for who is on it."""
    reversed_share: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A vehicle that stands all the time."""

    kind: RoadUser
    x_m: float
    y_m: float
    heading: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A person who stands about."""

    x_m: float
    y_m: float
    heading: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A named line or zone on the ground."""

    name: str
    outline: GroundPoints


@dataclass(slots=True, kw_only=True)
class StreetPlan:
    """A whole place; filled by its layout, then only read."""

    layout: Layout
    camera: Camera
    patches: list[Patch] = field(default_factory=list[Patch])
    kerbs: list[Kerb] = field(default_factory=list[Kerb])
    buildings: list[Building] = field(default_factory=list[Building])
    boxes: list[Box3] = field(default_factory=list[Box3])
    trees: list[Tree] = field(default_factory=list[Tree])
    poles: list[Pole] = field(default_factory=list[Pole])
    wires: list[Wire] = field(default_factory=list[Wire])
    signals: list[SignalHead] = field(default_factory=list[SignalHead])
    barriers: list[Barrier] = field(default_factory=list[Barrier])
    segments: dict[str, Segment] = field(default_factory=dict[str, Segment])
    routes: list[Route] = field(default_factory=list[Route])
    walks: list[Walk] = field(default_factory=list[Walk])
    parked: list[Parked] = field(default_factory=list[Parked])
    standing: list[Standing] = field(default_factory=list[Standing])
    lines: list[Mark] = field(default_factory=list[Mark])
    zones: list[Mark] = field(default_factory=list[Mark])
    lanes_along: list[Path] = field(default_factory=list[Path])
    """Middles of lanes, for tyre tracks on the asphalt."""
    phases: int = 0
    restricted: Mark | None = None
    """The zone that no ordinary traffic enters ..."""
    trespass: Path | None = None
    """... and the way of a person who does (a planted zone entry), who stays at its middle."""
    live_stop: tuple[int, float] | None = None
    """Route and arc length where a planted stopped vehicle comes to stand."""
    wrong_way: Path | None = None
    """The way of a planted wrong-way vehicle."""
    wrong_way_kind: RoadUser = RoadUser.MOTORBIKE

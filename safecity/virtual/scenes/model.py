"""What a drawn scene is asked to be and what it truthfully shows: requests and truth, as files and callers see them.

All pixel coordinates are those of the main picture (1280x720), origin at its top left corner, x to the right, y down.
The sub picture is the main one halved: divide by two. Frames count from 0.
"""

import hashlib
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

TRUTH_VERSION = 1
"""Raised whenever the drawing or the truth changes its meaning; a part of the cache key."""

WIDTH_PX, HEIGHT_PX = 1280, 720
SUB_WIDTH_PX, SUB_HEIGHT_PX = 640, 360
MAX_DURATION_S = 3600.0
MAX_EVENTS = 60
STOP_SPEED_MPS = 0.3
"""Below this a vehicle stands."""
STOP_MIN_S = 2.0
"""A vehicle that stands shorter than this has not stopped in the sense of the truth."""
TRACK_MIN_HEIGHT_PX = 9.0
"""Boxes lower than this are not in the truth: nobody could label them."""
TRACK_MIN_VISIBLE = 0.1
"""Who was never seen more than this is not in the truth."""
PLATE_MIN_HEIGHT_PX = 7.0
"""Plates drawn lower than this are not in the truth's list of plates."""


class Layout(StrEnum):
    """What kind of place the pole stands at."""

    AVENUE = "avenue"
    JUNCTION = "junction"
    GATE = "gate"
    MARKET = "market"


class Condition(StrEnum):
    """Light and weather."""

    DAY = "day"
    DUSK = "dusk"
    NIGHT = "night"
    RAIN = "rain"
    DUST = "dust"


class RoadUser(StrEnum):
    """The classes that the truth tells apart."""

    CAR = "car"
    BUS = "bus"
    TRUCK = "truck"
    MOTORBIKE = "motorbike"
    RICKSHAW = "rickshaw"
    CART = "cart"
    PERSON = "person"


class EventKind(StrEnum):
    """What a drill can plant."""

    STOPPED_VEHICLE = "stopped_vehicle"
    WRONG_WAY = "wrong_way"
    ZONE_ENTRY = "zone_entry"


class Direction(StrEnum):
    """Forward leads from the negative to the positive side of a line (see `side_of`)."""

    FORWARD = "forward"
    BACKWARD = "backward"


class Frozen(BaseModel):
    """Base of everything that crosses the room's border."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class PlantedEvent(Frozen):
    """An event that a drill wants to happen in the scene."""

    kind: EventKind
    at_s: Annotated[float, Field(ge=0)]
    """When it begins, in seconds of the clip; traffic may delay it by seconds, the truth says when it really was."""
    for_s: Annotated[float, Field(gt=0, le=600)] = 15.0
    """How long a vehicle stands or a person stays. Unused for wrong_way: that one ends where the road ends."""


class SceneRequest(Frozen):
    """Everything that decides a scene: the same request draws the same pictures."""

    seed: Annotated[int, Field(ge=0, le=2**31 - 1)]
    duration_s: Annotated[float, Field(gt=0, le=MAX_DURATION_S)] = 40.0
    layout: Layout | None = None
    """None: chosen by the seed."""
    condition: Condition | None = None
    """None: chosen by the seed."""
    fps: Annotated[float, Field(ge=4, le=30)] = 12.5
    loop: bool = False
    """The traffic is periodic in the clip's duration, so that the last frame flows into the first."""
    density: Annotated[float, Field(ge=0, le=2)] = 1.0
    """Share of the layout's usual traffic; 0 draws an empty street."""
    events: Annotated[tuple[PlantedEvent, ...], Field(max_length=MAX_EVENTS)] = ()

    @model_validator(mode="after")
    def check_lengths(self) -> "SceneRequest":
        """A loop must be long enough to hold a signal cycle; events must begin inside the clip."""
        if self.loop and self.duration_s < 20:
            raise ValueError("a loop needs at least 20 seconds; ask for a longer one")
        if any(event.at_s >= self.duration_s for event in self.events):
            raise ValueError("an event begins after the scene's end; give it an earlier at_s")
        return self

    @property
    def frames(self) -> int:
        """How many frames the scene has."""
        return max(1, round(self.duration_s * self.fps))

    def settled(self) -> "SceneRequest":
        """The same request with layout and condition chosen by the seed where they were left open."""
        layouts, conditions = tuple(Layout), tuple(Condition)
        return self.model_copy(
            update={
                "layout": self.layout or layouts[self.seed % len(layouts)],
                "condition": self.condition or conditions[(self.seed // len(layouts)) % len(conditions)],
            }
        )

    def digest(self) -> str:
        """A short name of exactly this scene, for caching."""
        text = f"{TRUTH_VERSION}:{self.settled().model_dump_json()}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class CameraTruth(Frozen):
    """Where the camera hangs: metres in the scene's own ground frame (x right, y ahead of the pole, z up)."""

    x_m: float
    y_m: float
    height_m: float
    yaw_deg: float
    """To the right of the scene's y axis."""
    pitch_deg: float
    """Below the horizon."""
    focal_px: float
    centre_px: tuple[float, float]


class LineTruth(Frozen):
    """A counting line on the picture."""

    name: str
    points: tuple[tuple[float, float], tuple[float, float]]


class ZoneTruth(Frozen):
    """A polygon on the picture (its ground points projected)."""

    name: str
    points: tuple[tuple[float, float], ...]


Box = tuple[int, float, float, float, float, float]
"""frame, x, y, w, h, visible_fraction."""


class TrackTruth(Frozen):
    """One road user while it is in the picture.

    Boxes are given for every frame: the outline of the whole figure, also where something stands before it, cut off
    at the picture's edge. `visible_fraction` is the share of the whole figure that can be seen (neither behind
    something nor beyond the edge).
    """

    id: int
    road_user: RoadUser = Field(validation_alias="class", serialization_alias="class")
    plate: str | None
    colour: str
    boxes: tuple[Box, ...]
    next_in_loop: int | None = None
    """In a loop: the track as which this one goes on when the clip starts again."""


class CrossingTruth(Frozen):
    """A track's bottom centre went over a line between `frame - 1` and `frame`.

    In a loop frame 0 follows the last frame, so a crossing at frame 0 happens from the second round on.
    """

    line: str
    track: int
    road_user: RoadUser = Field(validation_alias="class", serialization_alias="class")
    frame: int
    direction: Direction


class StopTruth(Frozen):
    """A vehicle stood (below STOP_SPEED_MPS for at least STOP_MIN_S); frames are both inside the stop."""

    track: int
    from_frame: int
    to_frame: int
    zone: str | None
    """The first zone that holds its bottom centre."""


class PlateTruth(Frozen):
    """When a plate faced the camera unhidden, at least PLATE_MIN_HEIGHT_PX high."""

    track: int
    text: str
    first_frame: int
    last_frame: int
    best_frame: int
    best_height_px: float
    best_quad: tuple[tuple[float, float], ...]
    """The plate's four corners in the best frame: top left, top right, bottom right, bottom left of its text."""


class EventTruth(Frozen):
    """A planted event as it really happened."""

    kind: EventKind
    track: int
    from_frame: int
    to_frame: int
    zone: str | None


class SceneTruth(Frozen):
    """All that is true of a scene; the content of truth.json."""

    version: int
    seed: int
    layout: Layout
    condition: Condition
    fps: float
    frames: int
    width_px: int
    height_px: int
    duration_s: float
    loop: bool
    camera: CameraTruth
    lines: tuple[LineTruth, ...]
    zones: tuple[ZoneTruth, ...]
    tracks: tuple[TrackTruth, ...]
    crossings: tuple[CrossingTruth, ...]
    stops: tuple[StopTruth, ...]
    plates: tuple[PlateTruth, ...]
    events: tuple[EventTruth, ...]


def side_of(line: tuple[tuple[float, float], tuple[float, float]], point: tuple[float, float]) -> float:
    """On which side of a directed line a point lies: negative, zero (on it) or positive."""
    (x1, y1), (x2, y2) = line
    return (x2 - x1) * (point[1] - y1) - (y2 - y1) * (point[0] - x1)


def crossing_direction(
    line: tuple[tuple[float, float], tuple[float, float]], before: tuple[float, float], *, after: tuple[float, float]
) -> Direction | None:
    """How a step from `before` to `after` crosses the line's segment; None where it does not.

    A point on the line counts as the positive side, so a walk over the line is counted once however it is sampled.
    """
    side_before, side_after = side_of(line, before), side_of(line, after)
    if (side_before < 0) == (side_after < 0):
        return None
    # Counted from the same side whichever way the walk goes, so that rounding cannot make the way back differ.
    low, high = (before, after) if side_before < 0 else (after, before)
    share = side_of(line, low) / (side_of(line, low) - side_of(line, high))
    crossed = (low[0] + share * (high[0] - low[0]), low[1] + share * (high[1] - low[1]))
    (x1, y1), (x2, y2) = line
    along = (crossed[0] - x1) * (x2 - x1) + (crossed[1] - y1) * (y2 - y1)
    if not 0 <= along <= (x2 - x1) ** 2 + (y2 - y1) ** 2:
        return None
    return Direction.FORWARD if side_before < 0 else Direction.BACKWARD


def bottom_centre(box: Box) -> tuple[float, float]:
    """The point of a box that stands on the ground, by which lines and zones are judged."""
    return box[1] + box[3] / 2, box[2] + box[4]

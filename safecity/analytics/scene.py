"""What is drawn on a camera's picture: counting lines, zones, and the rules that watch them.

A scene is a small JSON file or message, in pixels of the picture it was drawn on (x to the right, y downwards, from the
top left corner). *Forward* over a line is from negative to positive `(x2-x1)*(py-y1)-(y2-y1)*(px-x1)`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_SHAPES = 64
Pixel = Annotated[float, Field(ge=-16_384, le=32_768, allow_inf_nan=False)]
Corner = tuple[Pixel, Pixel]
Name = Annotated[str, Field(min_length=1, max_length=80)]
Way = Literal["forward", "backward", "both"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SceneLine(_Part):
    """A line from its first to its second point; what crosses it is counted."""

    name: Name
    points: tuple[Corner, Corner]


class SceneZone(_Part):
    """An area with at least three corners."""

    name: Name
    points: Annotated[tuple[Corner, ...], Field(min_length=3, max_length=64)]


class _Rule(_Part):
    name: Name
    title: Annotated[str, Field(max_length=200)] = ""
    """What the queue calls it; the rule's name where it is empty."""
    title_ur: Annotated[str, Field(max_length=200)] = ""
    priority: Annotated[int, Field(ge=1, le=4)] = 3
    classes: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
    """Only these classes (`car`, `person`, `vehicle`, ...); empty means any. `vehicle` covers every kind of vehicle."""


class LineCrossing(_Rule):
    """Something crosses a line in a direction."""

    kind: Literal["line_crossing"]
    line: Name
    direction: Way = "both"


class ZoneEntry(_Rule):
    """Something comes into a zone, or appears in it and stays for `min_s`."""

    kind: Literal["zone_entry"]
    zone: Name
    min_s: Annotated[float, Field(ge=0, le=3600)] = 0.5


class StoppedVehicle(_Rule):
    """A vehicle that moved before stands in a zone for longer than `min_s`."""

    kind: Literal["stopped_vehicle"]
    zone: Name | None = None
    """None: anywhere in the picture."""
    min_s: Annotated[float, Field(ge=1, le=86_400)] = 10.0


class WrongWay(_Rule):
    """A vehicle moves against the direction that is right: given by a line's direction or by an arrow in a zone."""

    kind: Literal["wrong_way"]
    line: Name | None = None
    direction: Literal["forward", "backward"] = "forward"
    """Of the line: the direction that is right."""
    zone: Name | None = None
    arrow: tuple[Corner, Corner] | None = None
    """In the zone, or anywhere without one: the direction that is right, from the first point to the second."""


class Crowd(_Rule):
    """More than `limit` things stay in a zone at once for `min_s`."""

    kind: Literal["crowd"]
    zone: Name
    limit: Annotated[int, Field(ge=1, le=10_000)]
    min_s: Annotated[float, Field(ge=0, le=3600)] = 5.0


Rule = Annotated[LineCrossing | ZoneEntry | StoppedVehicle | WrongWay | Crowd, Field(discriminator="kind")]


class Scene(_Part):
    """Everything drawn on one picture."""

    lines: Annotated[tuple[SceneLine, ...], Field(max_length=MAX_SHAPES)] = ()
    zones: Annotated[tuple[SceneZone, ...], Field(max_length=MAX_SHAPES)] = ()
    rules: Annotated[tuple[Rule, ...], Field(max_length=MAX_SHAPES)] = ()

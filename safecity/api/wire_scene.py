"""What the API says and hears of scene rules, counts, the demo and the plan of a city."""

from typing import Annotated, Literal

from pydantic import Field

from safecity.analytics.scene import Scene
from safecity.api.wire import Instant, Wire


class CameraScene(Wire):
    """The lines, zones and rules of a camera's picture."""

    camera: str
    width_px: int
    height_px: int
    version: int
    scene: Scene
    changed_at: Instant | None
    changed_by: str | None


class NewScene(Wire):
    """Lines, zones and rules in pixels of a picture of that size."""

    width_px: Annotated[int, Field(ge=16, le=16_384)]
    height_px: Annotated[int, Field(ge=16, le=16_384)]
    version: int
    scene: Scene


class LineCount(Wire):
    """What crossed a line in an interval."""

    line: str
    forward: dict[str, int]
    backward: dict[str, int]


class CountsView(Wire):
    """The counting lines of a camera in an interval; `model` says who counted."""

    camera: str
    from_: Instant = Field(validation_alias="from_", serialization_alias="from")
    to: Instant
    lines: tuple[LineCount, ...]
    model: str


class DemoCard(Wire):
    """A role that the demo offers at its door."""

    role: str
    display_name: str
    display_name_ur: str


class DemoEnter(Wire):
    """Which card was taken."""

    role: Literal["operator", "dispatcher", "investigator", "supervisor", "auditor", "administrator"]


class DemoFault(Wire):
    """Something to break, so that the system can show how it explains itself."""

    fault: Literal["cut_camera", "mend_camera", "kill_recorder"]
    camera: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")] | None = None
    """Whose line is cut or mended; for `kill_recorder`, the camera whose recorder it is."""


class DemoFaultDone(Wire):
    """What was broken, and what to look at now."""

    fault: str
    camera: str | None
    recorder: str | None
    until: Instant | None


class PlanLine(Wire):
    """One figure of the plan: how much of what, and how it was reckoned."""

    key: str
    """Such as `storage_raw`, `network_in`, `cores_recording`; the page has the words."""
    value: float
    unit: str
    formula: str


class PlanView(Wire):
    """What a city of this size needs; figures are reckoned from measured ones, whose source is named."""

    cameras: int
    mbit: float
    days: float
    lines: tuple[PlanLine, ...]
    notes: tuple[str, ...]

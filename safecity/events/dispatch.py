"""What dispatch states of its units. Each fact carries the whole unit as it is now."""

from typing import ClassVar, Literal

from pydantic import AwareDatetime

from safecity.events.store import Fact

UnitKind = Literal["police", "traffic", "ambulance", "fire"]
UnitStatus = Literal["free", "sent", "en_route", "on_scene", "off_duty"]


class UnitChanged(Fact):
    """A unit has another status, incident or position."""

    type: ClassVar[str] = "dispatch.unit_changed"
    id: str
    version: int
    code: str
    """Call sign."""
    kind: UnitKind
    name: str
    name_ur: str
    lon: float
    lat: float
    fix_at: AwareDatetime
    """When the position was true; an old fix says so."""
    status: UnitStatus
    incident: str | None
    assignment: str | None

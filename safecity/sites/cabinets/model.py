"""What a cabinet tells, and what of it is worth saying."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from safecity.platform.errors import Invalid

HOT_C, COOL_C = 55.0, 50.0  # most cameras and switches are built for 60; two figures, so that it does not flutter
LOW_PERCENT, ENOUGH_PERCENT = 30.0, 40.0
SILENT_AFTER = timedelta(minutes=10)
FUTURE_ALLOWED = timedelta(minutes=5)
MAX_BYTES = 4096


class Kind(StrEnum):
    """What is told of."""

    DOOR = "door"
    MAINS = "mains"
    BATTERY = "battery"
    TEMPERATURE = "temperature"


class Reading(BaseModel):
    """One message of a cabinet; what it does not know it leaves away."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    door_open: bool | None = None
    mains: bool | None = None
    battery_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    temperature_c: Annotated[float, Field(ge=-60, le=150)] | None = None
    at: AwareDatetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One thing of one cabinet, as a word that changes seldom, with its figure where it has one."""

    kind: Kind
    word: str  # open, closed; on, off; low, enough; hot, normal
    figure: float | None


def read_reading(raw: bytes) -> Reading:
    """A message as it came. Raises Invalid, also for one that says nothing."""
    if len(raw) > MAX_BYTES:
        raise Invalid(f"a cabinet's message has at most {MAX_BYTES} bytes", code="sites.cabinet_message")
    try:
        reading = Reading.model_validate_json(raw)
    except ValidationError as error:
        raise Invalid(
            "a cabinet's message is JSON such as "
            '{"door_open": false, "mains": true, "battery_percent": 96, "temperature_c": 41.5}',
            code="sites.cabinet_message",
        ) from error
    if reading == Reading(at=reading.at):
        raise Invalid("this cabinet's message says nothing", code="sites.cabinet_message")
    return reading


def instant_of(reading: Reading, *, now: datetime) -> datetime:
    """When it was so: as the cabinet says, unless its clock is in our future; kept messages may be old."""
    if reading.at is None or reading.at - now > FUTURE_ALLOWED:
        return now
    return min(reading.at, now)


def conditions_of(reading: Reading, *, before: dict[Kind, str]) -> list[Condition]:
    """The words for a reading; those with two limits depend on the word before, so that they do not flutter."""
    found: list[Condition] = []
    if reading.door_open is not None:
        found.append(Condition(kind=Kind.DOOR, word="open" if reading.door_open else "closed", figure=None))
    if reading.mains is not None:
        found.append(Condition(kind=Kind.MAINS, word="on" if reading.mains else "off", figure=None))
    if reading.battery_percent is not None:
        limit = ENOUGH_PERCENT if before.get(Kind.BATTERY) == "low" else LOW_PERCENT
        word = "low" if reading.battery_percent < limit else "enough"
        found.append(Condition(kind=Kind.BATTERY, word=word, figure=reading.battery_percent))
    if reading.temperature_c is not None:
        limit = COOL_C if before.get(Kind.TEMPERATURE) == "hot" else HOT_C
        word = "hot" if reading.temperature_c > limit else "normal"
        found.append(Condition(kind=Kind.TEMPERATURE, word=word, figure=reading.temperature_c))
    return found

"""Cases and the rules about them, pure: references, numbers, clips. Nothing here reads a clock or a database."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Literal, NewType

from safecity.events.incidents import Person
from safecity.platform.errors import Conflict, Invalid

CaseId = NewType("CaseId", str)
State = Literal["open", "closed"]
Detail = Mapping[str, str | int | float | None]

REFERENCE_LONGEST = 60
CLIP_MARGIN = timedelta(seconds=30)
"""Kept before and behind what an alert's clip shows: what led to it, and how it ended."""
JOIN_WITHIN = timedelta(seconds=60)
"""Clips of one camera nearer to each other than this are one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """What ties a case to the register of a police station, as the station writes it."""

    fir_number: str
    police_station: str

    @property
    def key(self) -> str:
        """The same for two ways of writing the same thing: case, spaces and the script of digits do not count."""
        return f"{_key(self.police_station)}\n{_key(self.fir_number)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case as it is now."""

    id: CaseId
    number: str
    version: int
    state: State
    references: References
    incident: str
    incident_number: str
    title: str
    title_ur: str
    purpose: str
    opened_at: datetime
    opened_by: Person
    closed_at: datetime | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """An interval of a camera that belongs to a case; whole seconds, half-open."""

    camera: str
    from_at: datetime
    to_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A line of a case's history."""

    at: datetime
    step: str
    by: Person
    note: str
    detail: Detail


def read_references(fir_number: str, police_station: str) -> References:
    """References as they are kept: trimmed, single spaces. Raises Invalid for one that is empty or too long.

    What a FIR number looks like is the station's business: 123/26, 123-2026, with the section or without.
    """
    return References(
        fir_number=_reference(fir_number, "FIR number"), police_station=_reference(police_station, "police station")
    )


def _reference(text: str, what: str) -> str:
    kept = " ".join(text.split())
    if not any(character.isalnum() for character in kept):
        raise Invalid(f"write the {what}", code="cases.no_reference")
    if len(kept) > REFERENCE_LONGEST:
        raise Invalid(f"the {what} has over {REFERENCE_LONGEST} characters", code="cases.long_reference")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in kept):
        raise Invalid(f"the {what} holds characters that cannot be printed", code="cases.bad_reference")
    return kept


def _key(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(str(unicodedata.digit(one, one)) for one in plain if not one.isspace())


def number_of(year: int, running: int) -> str:
    """What people call a case: C-2026-000007."""
    return f"C-{year}-{running:06d}"


def next_number(last: str | None, *, year: int) -> str:
    """The number after the last one of this year; `last` is None where there is none."""
    return number_of(year, 1 if last is None else int(last.rsplit("-", 1)[1]) + 1)


def clips_of(shown: Iterable[Clip]) -> list[Clip]:
    """What is held for what the alerts show: with margins, in whole seconds, joined where they touch; by camera."""
    wide = [
        Clip(camera=one.camera, from_at=_floor(one.from_at - CLIP_MARGIN), to_at=_ceil(one.to_at + CLIP_MARGIN))
        for one in shown
    ]
    clips: list[Clip] = []
    ordered = sorted(wide, key=lambda one: (one.camera, one.from_at, one.to_at))
    for camera, of_camera in groupby(ordered, key=lambda one: one.camera):
        last: Clip | None = None
        for one in of_camera:
            if last is not None and one.from_at - last.to_at <= JOIN_WITHIN:
                last = Clip(camera=camera, from_at=last.from_at, to_at=max(last.to_at, one.to_at))
                clips[-1] = last
            else:
                last = one
                clips.append(one)
    return clips


def _floor(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _ceil(at: datetime) -> datetime:
    return at if at.microsecond == 0 else at.replace(microsecond=0) + timedelta(seconds=1)


def find_clip(clips: Iterable[Clip], *, camera: str, from_at: datetime, to_at: datetime) -> Clip | None:
    """The clip of a case in which this interval lies whole."""
    mine = (one for one in clips if one.camera == camera)
    return next((one for one in mine if one.from_at <= from_at < to_at <= one.to_at), None)


def check_open(case: Case) -> None:
    """Raise Conflict where a case is closed."""
    if case.state == "closed":
        raise Conflict(
            f"case {case.number} is closed; write a note, or open a new case for what is new", code="cases.closed"
        )


def check_version(case: Case, version: int, *, last: Step | None) -> None:
    """Raise Conflict where somebody changed the case since it was read; the sentence says who and what."""
    if case.version == version:
        return
    who = "" if last is None else f": {last.by.name} ({last.step})"
    raise Conflict(
        f"case {case.number} was changed meanwhile{who}; look at it again", code="cases.changed", version=case.version
    )

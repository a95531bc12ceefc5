"""Shifts, incidents and cases as purposes: opened, closed, found, and who is on duty."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from safecity.oversight import log, purpose_store, store
from safecity.oversight.gate import Gate, Request
from safecity.oversight.model import (
    Act,
    Actor,
    OnDuty,
    Purpose,
    PurposeId,
    PurposeKind,
    PurposeScope,
    Resource,
    UserId,
)
from safecity.oversight.purpose_store import MAX_SCOPES
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.errors import Conflict, Invalid, NotFound
from safecity.platform.ids import new_id

MAX_REF_CHARACTERS = 100
MAX_CAMERA_CHARACTERS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPurpose:
    """An incident or a case that someone above wants opened as a purpose."""

    kind: PurposeKind
    ref: str
    user_id: UserId | None
    ends_at: datetime | None
    scope: tuple[PurposeScope, ...]


class Purposes:
    """Opens and closes what looks rest on."""

    def __init__(self, database: Database, *, gate: Gate, shift_hours: float, clock: Clock) -> None:
        self._database = database
        self._gate = gate
        self._shift_hours = shift_hours
        self._clock = clock

    def start_shift(self, actor: Actor) -> Purpose:
        """Go on duty; the shift that is open already is returned where there is one. Raises Denied."""
        with self._database.begin() as connection:
            log.take_turn(connection)
            now = self._clock.now()
            standing = purpose_store.find_shift(connection, actor.user_id, now=now)
            detail = {"shift": standing.id if standing else new_id("pur")}
            request = Request(actor=actor, act=Act.START_SHIFT, resource=Resource.shift(), detail=detail)
            self._gate.permit(request, connection=connection)
            if standing is not None:
                return standing
            for past in purpose_store.list_own_purposes(connection, actor.user_id):
                if past.kind == "shift" and past.ends_at is not None:
                    purpose_store.close_purpose(connection, past.id, at=past.ends_at)
            shift = Purpose(
                id=PurposeId(detail["shift"]),
                kind="shift",
                ref=actor.user_id,
                user_id=actor.user_id,
                opened_at=now,
                ends_at=now + timedelta(hours=self._shift_hours),
            )
            purpose_store.insert_purpose(connection, shift)
        return shift

    def end_shift(self, actor: Actor) -> None:
        """Go off duty; nothing happens to someone who is off duty."""
        with self._database.begin() as connection:
            log.take_turn(connection)
            now = self._clock.now()
            shift = purpose_store.find_shift(connection, actor.user_id, now=now)
            if shift is not None:
                purpose_store.close_purpose(connection, shift.id, at=now)
                self._gate.note(connection, type="shift_ended", body={"shift": shift.id}, actor=actor)

    def list_on_duty(self, connection: Connection) -> list[OnDuty]:
        """Everyone whose shift is open and whose account is enabled, the longest on duty first."""
        enabled = {user.id: user for user in store.list_users(connection) if user.disabled_at is None}
        shifts = purpose_store.list_standing_shifts(connection, now=self._clock.now())
        found = [(enabled.get(UserId(shift.ref)), shift) for shift in shifts]
        return [
            OnDuty(user_id=user.id, display_name=user.display_name, role=user.role, since=shift.opened_at)
            for user, shift in found
            if user is not None
        ]

    def open(self, connection: Connection, new: NewPurpose) -> Purpose:
        """Open an incident or a case as a purpose, in the caller's transaction; the leaf holds its whole scope.

        Raises Invalid for a shift and for a scope that is none.
        """
        _require_sound(new)
        log.take_turn(connection)
        purpose = Purpose(
            id=PurposeId(new_id("pur")),
            kind=new.kind,
            ref=new.ref,
            user_id=new.user_id,
            opened_at=self._clock.now(),
            ends_at=new.ends_at,
            scopes=new.scope,
        )
        purpose_store.insert_purpose(connection, purpose)
        scope = [{"camera": one.camera, "from": one.from_at, "to": one.to_at} for one in new.scope]
        body = {"purpose": purpose.id, "kind": new.kind, "ref": new.ref, "user": new.user_id, "scope": scope}
        self._gate.note(connection, type="purpose_opened", body=body)
        return purpose

    def close(self, connection: Connection, purpose_id: PurposeId) -> None:
        """Close an incident's or a case's purpose. Raises NotFound, and Conflict when it is closed already."""
        log.take_turn(connection)
        found = purpose_store.find_purpose(connection, purpose_id)
        if found is None:
            raise NotFound(f"there is no purpose {purpose_id}", code="oversight.no_such_purpose")
        if not purpose_store.close_purpose(connection, purpose_id, at=self._clock.now()):
            raise Conflict(f"the purpose {purpose_id} is closed already", code="oversight.purpose_closed")
        body = {"purpose": purpose_id, "kind": found.kind, "ref": found.ref}
        self._gate.note(connection, type="purpose_closed", body=body)


def _require_sound(new: NewPurpose) -> None:
    if new.kind == "shift":
        raise Invalid("a shift is started by its user; call start_shift", code="oversight.bad_purpose")
    if not 1 <= len(new.ref) <= MAX_REF_CHARACTERS:
        raise Invalid(
            f"a purpose names its incident or case in 1 to {MAX_REF_CHARACTERS} characters",
            code="oversight.bad_purpose",
        )
    if len(new.scope) > MAX_SCOPES:
        raise Invalid(
            f"a purpose covers at most {MAX_SCOPES} intervals; choose the cameras nearest to it",
            code="oversight.scope_too_wide",
        )
    for one in new.scope:
        is_turned = one.to_at is not None and one.to_at <= one.from_at
        if is_turned or not 1 <= len(one.camera) <= MAX_CAMERA_CHARACTERS:
            raise Invalid(
                f"a scope names a camera and an interval that ends after it begins: {one.camera[:64]!r}",
                code="oversight.bad_scope",
            )

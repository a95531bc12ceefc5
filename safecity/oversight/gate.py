"""The gate: every look and change asks here, and the answer is in the log before it leaves.

How a refusal is written although the caller's transaction must fail: a `permit` inside a caller's transaction reads
and decides there. A yes puts its leaf into that transaction, so that the act and its leaf are committed together or
not at all. A no rolls that transaction back at once (a refused act leaves nothing half-written; SQLAlchemy then lets
no further statement run in it), which also frees SQLite's one write lock and PostgreSQL's turn at the log; then the
refusal is written in a transaction of its own, and only then Denied is raised.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from safecity.oversight import log, purpose_store, store
from safecity.oversight.model import LISTING_ACTS, Act, Actor, Decision, Limits, Permit, Resource, decide
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.errors import Denied, Exhausted, Internal, Unavailable

SIGN_IN_NEEDED = "oversight.sign_in_needed"
REFUSED = "refused"
MAX_ID_CHARACTERS = 200
_RESTS_ON_REASONS = frozenset({Act.VIEW_RECORDINGS, Act.EXPORT_CLIP})  # incidents and cases are read for these only


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked: who wants to do what with which thing, and what else the leaf shall say."""

    actor: Actor
    act: Act
    resource: Resource
    detail: Mapping[str, object] | None = None

    def body(self) -> dict[str, object]:
        """The request as its leaf says it."""
        # The id may come from an address that someone made up; it must not keep the refusal out of the log.
        shown = self.resource.id[:MAX_ID_CHARACTERS].encode(errors="backslashreplace").decode()
        about: dict[str, object] = {"kind": self.resource.kind, "id": shown}
        if self.resource.from_at is not None:
            about["from"] = self.resource.from_at
        if self.resource.to_at is not None:
            about["to"] = self.resource.to_at
        said: dict[str, object] = {"actor": describe(self.actor), "act": str(self.act), "resource": about}
        return said if self.detail is None else {**said, "detail": self.detail}


class Gate:
    """Answers yes or no from the current state and writes the leaf."""

    def __init__(self, database: Database, *, limits: Limits, clock: Clock) -> None:
        self._database = database
        self._limits = limits
        self._clock = clock

    def permit(self, request: Request, *, connection: Connection | None = None) -> Permit:
        """A yes that is in the log, or Denied with a refusal that is in the log.

        With a connection of `Database.begin`, the yes becomes durable with that transaction; a refusal rolls it back
        (see the top of this file). Raises Unavailable when the log cannot be written: then nothing is granted.
        """
        if connection is not None:
            return self._permit_within(connection, request)
        with _or_unavailable(), self._database.begin() as own:
            decision, now = self._decide(own, request)
            granted = self._grant(own, request, decision=decision, now=now) if decision.allowed else None
            if granted is None:
                self._refuse(own, request, decision=decision)
        # Only here, behind the commit, may the answer leave.
        if granted is None:
            raise Denied(decision.reason, code=decision.code)
        return granted

    def _permit_within(self, connection: Connection, request: Request) -> Permit:
        if not connection.get_execution_options().get("safecity_write") or not connection.in_transaction():
            raise Internal("permit needs the connection of an open Database.begin", code="oversight.not_writable")
        decision, now = self._decide(connection, request)
        if decision.allowed:
            return self._grant(connection, request, decision=decision, now=now)
        transaction = connection.get_transaction()
        if transaction is not None:
            transaction.rollback()
        with _or_unavailable(), self._database.begin() as own:
            self._refuse(own, request, decision=decision)
        raise Denied(decision.reason, code=decision.code)

    def require(self, request: Request) -> None:
        """For plain listings, which the page polls: a refusal is a leaf, a yes is none. Raises Denied.

        Any act but a listing goes the way of `permit`, leaf and all.
        """
        if request.act not in LISTING_ACTS or not self.stands(request):
            self.permit(request)

    def stands(self, request: Request) -> bool:
        """Whether a `permit` would be granted now; writes nothing, so it justifies nothing but a listing."""
        with self._database.read() as connection:
            return self._judge(connection, request, now=self._clock.now()).allowed

    def lists(self, actor: Actor, act: Act) -> bool:
        """Whether a listing would be granted now; False for any other act."""
        return act in LISTING_ACTS and self.stands(Request(actor=actor, act=act, resource=Resource.city()))

    def still_stands(self, actor: Actor, permit: Permit) -> bool:
        """Whether a look that was granted may go on: same session, same role, purpose and shift still open.

        For what lasts (a live tile, a running playback): ask every few seconds and end the look on False.
        """
        now = self._clock.now()
        with self._database.read() as connection:
            if not store.is_live(connection, actor, now=now):
                return False
            for purpose_id in {permit.purpose_id, permit.shift_id} - {None}:
                assert purpose_id is not None
                purpose = purpose_store.find_purpose(connection, purpose_id)
                if purpose is None or not purpose.stands_at(now):
                    return False
        return True

    def note(
        self,
        connection: Connection,
        *,
        type: str,  # noqa: A002 - the leaf's own word
        body: Mapping[str, object],
        actor: Actor | None = None,
    ) -> int:
        """Write a leaf of something done, in the caller's transaction; its index is returned."""
        who: dict[str, object] = {"actor": describe(actor)} if actor is not None else {}
        log.take_turn(connection)
        return log.append(connection, type=type, body={**body, **who}, at=self._clock.now())

    def _decide(self, connection: Connection, request: Request) -> tuple[Decision, datetime]:
        # What is read behind this turn cannot be overtaken by the leaf of a change that would have said no, and the
        # times of the leaves rise with their indices.
        log.take_turn(connection)
        now = self._clock.now()
        return self._judge(connection, request, now=now), now

    def _judge(self, connection: Connection, request: Request, *, now: datetime) -> Decision:
        actor = request.actor
        if not store.is_live(connection, actor, now=now):
            reason = "Sign in first; your session may have ended."
            return Decision(allowed=False, code=SIGN_IN_NEEDED, reason=reason)
        held = purpose_store.list_own_purposes(connection, actor.user_id)
        if request.act in _RESTS_ON_REASONS:
            held += purpose_store.list_reasons(connection, request.resource, user_id=actor.user_id, now=now)
        return decide(actor, request.act, resource=request.resource, purposes=held, now=now, limits=self._limits)

    def _grant(self, connection: Connection, request: Request, *, decision: Decision, now: datetime) -> Permit:
        body, purpose, shift = request.body(), decision.purpose, decision.shift
        if purpose is not None:
            body["purpose"] = {"id": purpose.id, "kind": purpose.kind, "ref": purpose.ref}
        if shift is not None and shift is not purpose:
            body["shift"] = shift.id
        ends = [item.ends_at for item in (purpose, shift) if item is not None and item.ends_at is not None]
        index = log.append(connection, type=request.act.value, body=body, at=now)
        return Permit(
            leaf_index=index,
            purpose_id=None if purpose is None else purpose.id,
            at=now,
            ends_at=min(ends, default=None),
            shift_id=None if shift is None else shift.id,
            purpose=purpose,
        )

    def _refuse(self, connection: Connection, request: Request, *, decision: Decision) -> None:
        self.note(connection, type=REFUSED, body={**request.body(), "reason": decision.code})


def describe(actor: Actor) -> dict[str, object]:
    """An actor as the log names them."""
    return {"user": actor.user_id, "name": actor.name, "role": actor.role.value, "session": actor.session_id}


@contextmanager
def _or_unavailable() -> Generator[None]:
    """A log that cannot be written grants nothing, whatever the database's own reason."""
    try:
        yield
    except (Exhausted, DBAPIError) as error:
        raise Unavailable(
            "the log cannot be written, so nothing is granted; see `safecity doctor`", code="oversight.log_unwritable"
        ) from error

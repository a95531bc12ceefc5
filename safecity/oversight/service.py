"""Oversight as the other rooms use it: sign-in, the gate, shifts and purposes, the log.

The parts stand in `sessions.py`, `users.py`, `gate.py`, `purposes.py` and `log.py`; this file puts them behind one
name and holds what needs several of them.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy.engine import Connection

from safecity.oversight import log, purpose_store
from safecity.oversight.gate import SIGN_IN_NEEDED, Gate, Request
from safecity.oversight.log import ConsistencyProof, InclusionProof, Leaf, LogState
from safecity.oversight.model import (
    Act,
    Actor,
    Limits,
    OnDuty,
    Permit,
    Purpose,
    PurposeId,
    PurposeKind,
    PurposeScope,
    Resource,
    Role,
    Session,
    User,
    UserId,
)
from safecity.oversight.passwords import Passwords
from safecity.oversight.purposes import NewPurpose, Purposes
from safecity.oversight.sessions import Sessions, SignedIn
from safecity.oversight.users import Users
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.errors import Invalid
from safecity.platform.settings import OversightSettings

__all__ = ["SIGN_IN_NEEDED", "LogPage", "Oversight", "Permit", "Session", "SignedIn"]

LOG_READ_REPEAT_S = 300.0  # a session that reads the same page of the log again within this time is one leaf
_MAX_REMEMBERED_PAGES = 1024
_MAX_INDEX = 2**53 - 1  # the largest whole number of RFC 8785 JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """A page of the log, newest first, and what the whole log hashes to."""

    size: int
    root: bytes
    leaves: tuple[Leaf, ...]


class Oversight:
    """Who may see what for which purpose. Safe to share between threads."""

    def __init__(
        self, database: Database, settings: OversightSettings, clock: Clock, *, passwords: Passwords | None = None
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        passwords = passwords or Passwords()
        self._gate = Gate(database, limits=Limits(live_age=timedelta(hours=settings.live_hours)), clock=clock)
        self._sessions = Sessions(database, settings=settings, passwords=passwords, gate=self._gate, clock=clock)
        self._purposes = Purposes(database, gate=self._gate, shift_hours=settings.shift_hours, clock=clock)
        self._users = Users(database, passwords=passwords, gate=self._gate, clock=clock)
        self._pages = _PagesRead()

    # Sign-in

    def sign_in(self, user: str, password: str, *, console: str) -> SignedIn:
        """A session for the right name and password; `console` is the address of the browser.

        Raises Denied for a wrong name or password or a disabled user (they are told alike), Exhausted with
        `retry_after_s` after too many failures.
        """
        return self._sessions.sign_in(user, password, console=console)

    def enter_demo(self, role: Role, *, console: str) -> SignedIn:
        """A session of the demo's own user of a role, without a password; the caller must keep strangers out.

        Raises NotFound where the demo has made no such user: then nobody comes in like this.
        """
        return self._sessions.enter_demo(role, console=console)

    def find_session(self, token: str) -> Session | None:
        """The live session of a token; None when there is none."""
        return self._sessions.find_session(token)

    def sign_out(self, token: str) -> None:
        """End the session of a token; nothing happens when there is none."""
        self._sessions.sign_out(token)

    # Accounts; `by` is the administrator who asks, None the person at the machine's command line

    def create_user(self, name: str, password: str, *, role: Role, display_name: str, by: Actor | None = None) -> User:
        """A new account. Raises Invalid for a bad name or password, Conflict when the name is taken, Denied."""
        return self._users.create_user(name, password, role=role, display_name=display_name, by=by)

    def list_users(self, *, by: Actor | None = None) -> list[User]:
        """Every account by name. Raises Denied."""
        return self._users.list_users(by=by)

    def set_password(self, name: str, password: str, *, by: Actor | None = None) -> None:
        """Give an account a new password and end its sessions. Raises NotFound, Invalid, Denied."""
        self._users.set_password(name, password, by=by)

    def disable_user(self, name: str, *, by: Actor | None = None) -> None:
        """Let nobody sign in with an account any more; its sessions and its shift end. Raises NotFound, Denied."""
        self._users.disable_user(name, by=by)

    def ensure_demo_user(self, name: str, role: Role, *, display_name: str) -> str:
        """The demo's account of that name, with a fresh password, which is returned; older sessions end."""
        return self._users.ensure_demo_user(name, role, display_name=display_name)

    # The gate

    def permit(
        self,
        actor: Actor,
        act: Act,
        resource: Resource,
        *,
        connection: Connection | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> Permit:
        """Ask before a look or a change: a yes that is in the log, or Denied with the refusal in the log.

        With the connection of `Database.begin`, the yes becomes durable with that transaction (act and leaf together)
        and a refusal rolls that transaction back. While a thread holds a write transaction it must hand it in.
        Raises Unavailable when the log cannot be written: then nothing is granted.
        """
        return self._gate.permit(Request(actor=actor, act=act, resource=resource, detail=detail), connection=connection)

    def require(self, actor: Actor, act: Act, resource: Resource) -> None:
        """Ask before a plain listing, which the page polls: only a refusal becomes a leaf. Raises Denied.

        Acts other than listings go the way of `permit`.
        """
        self._gate.require(Request(actor=actor, act=act, resource=resource))

    def allowed(self, actor: Actor, act: Act) -> bool:
        """Whether a listing is granted now, without a leaf; False for every other act: those ask `permit`."""
        return self._gate.lists(actor, act)

    def still_stands(self, actor: Actor, permit: Permit) -> bool:
        """Whether a look that was granted may go on; asked every few seconds by whatever shows pictures."""
        return self._gate.still_stands(actor, permit)

    def note(
        self,
        connection: Connection,
        *,
        type: str,  # noqa: A002 - the leaf's own word
        body: Mapping[str, object],
        actor: Actor | None = None,
    ) -> int:
        """Write a leaf of something done (look_ended, city_imported) in the caller's transaction; returns its index.

        In one transaction come `permit` and `note` first, facts afterwards (see `log.py`).
        """
        return self._gate.note(connection, type=type, body=body, actor=actor)

    # Shifts and purposes

    def start_shift(self, actor: Actor) -> Purpose:
        """Go on duty; the shift that is open already is returned where there is one. Raises Denied."""
        return self._purposes.start_shift(actor)

    def end_shift(self, actor: Actor) -> None:
        """Go off duty; running looks end. Nothing happens to someone who is off duty."""
        self._purposes.end_shift(actor)

    def list_on_duty(self, connection: Connection) -> list[OnDuty]:
        """Everyone whose shift is open and whose account is enabled, the longest on duty first; no leaf."""
        return self._purposes.list_on_duty(connection)

    def open_purpose(
        self,
        connection: Connection,
        *,
        kind: PurposeKind,
        ref: str,
        user_id: UserId | None = None,
        ends_at: datetime | None = None,
        scope: Sequence[PurposeScope] = (),
    ) -> Purpose:
        """Open an incident or a case as a purpose, in the transaction in which the room above opens the thing itself.

        Looks at old recordings and exports can rest on it where one of its scopes holds the whole interval; without a
        scope nothing rests on it. The scope never changes: open another purpose for more. Raises Invalid for a shift,
        which only its own user starts, and for a scope that is none.
        """
        new = NewPurpose(kind=kind, ref=ref, user_id=user_id, ends_at=ends_at, scope=tuple(scope))
        return self._purposes.open(connection, new)

    def find_purpose(self, connection: Connection, *, kind: PurposeKind, ref: str) -> Purpose | None:
        """The newest purpose of an incident or a case with its scopes, closed ones too (see `closed_at`)."""
        return purpose_store.find_purpose_of(connection, kind=kind, ref=ref)

    def close_purpose(self, connection: Connection, purpose_id: PurposeId) -> None:
        """Close an incident's or a case's purpose: looks that rest on it end.

        Raises NotFound, and Conflict when it is closed already.
        """
        self._purposes.close(connection, purpose_id)

    # The log; what is only hashes is handed out without a leaf, content never

    def log_state(self, actor: Actor) -> LogState:
        """How long the log is and its root. Raises Denied."""
        self._require_log(actor)
        with self._database.read() as connection:
            return log.state_of(connection)

    def read_log(
        self,
        actor: Actor,
        *,
        before: int | None = None,
        limit: int = 50,
        type: str | None = None,  # noqa: A002 - the leaf's own word
    ) -> LogPage:
        """The newest leaves, or those below an index, newest first; reading them is itself a leaf.

        One leaf for each page: who polls the same page again within `LOG_READ_REPEAT_S` is covered by the first.
        Raises Denied.
        """
        if limit < 1 or (before or 0) < 0 or (type is not None and not log.is_type(type)):
            raise Invalid("ask for at least one leaf, and for a type such as view_live", code="oversight.bad_page")
        limit, before = min(limit, log.MAX_PAGE), None if before is None else min(before, _MAX_INDEX)
        page = (actor.session_id, before, limit, type)
        request = Request(
            actor=actor,
            act=Act.READ_LOG,
            resource=Resource.log(),
            detail={"before": before, "limit": limit, "type": type, "repeat_s": LOG_READ_REPEAT_S},
        )
        now_s = self._clock.monotonic_s()
        if not (self._pages.is_fresh(page, now_s=now_s) and self._gate.stands(request)):
            self._gate.permit(request)
            self._pages.remember(page, now_s=now_s)
        with self._database.read() as connection:
            state = log.state_of(connection)
            below = state.size if before is None else min(before, state.size)
            leaves = log.list_leaves(connection, before=below, limit=limit, type=type)
        return LogPage(size=state.size, root=state.root, leaves=tuple(leaves))

    def list_log_types(self, actor: Actor) -> list[str]:
        """The types of leaves that the log holds, for choosing among them. Raises Denied."""
        self._require_log(actor)
        with self._database.read() as connection:
            return log.list_types(connection)

    def prove(self, actor: Actor, index: int) -> InclusionProof:
        """That a leaf is in the log as it is now. Raises Denied, NotFound."""
        self._require_log(actor)
        with self._database.read() as connection:
            return log.prove_inclusion(connection, index)

    def prove_growth(self, actor: Actor, old_size: int) -> ConsistencyProof:
        """That the log only grew since it had `old_size` leaves. Raises Denied, NotFound."""
        self._require_log(actor)
        with self._database.read() as connection:
            return log.prove_consistency(connection, old_size)

    def _require_log(self, actor: Actor) -> None:
        request = Request(actor=actor, act=Act.READ_LOG, resource=Resource.log())
        if not self._gate.stands(request):
            self._gate.permit(request)


_PageKey = tuple[str, int | None, int, str | None]


class _PagesRead:
    """Which pages of the log were read lately, bounded; what is forgotten costs one leaf more."""

    def __init__(self) -> None:
        self._read_s: OrderedDict[_PageKey, float] = OrderedDict()
        self._lock = Lock()

    def is_fresh(self, page: _PageKey, *, now_s: float) -> bool:
        with self._lock:
            read_s = self._read_s.get(page)
        return read_s is not None and now_s - read_s < LOG_READ_REPEAT_S

    def remember(self, page: _PageKey, *, now_s: float) -> None:
        with self._lock:
            self._read_s[page] = now_s
            self._read_s.move_to_end(page)
            while len(self._read_s) > _MAX_REMEMBERED_PAGES:
                self._read_s.popitem(last=False)

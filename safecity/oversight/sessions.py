"""Signing in and out: tokens, fixed expiry, and limits on guessing.

A token is 256 random bits; only its SHA-256 is stored. A session ends at its fixed time, by signing out, when the
user is disabled and when the password changes. Wrong names take as long as wrong passwords and are answered alike.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from safecity.oversight import attempts, log, purpose_store, store
from safecity.oversight.gate import Gate
from safecity.oversight.model import Actor, Role, Session, SessionId, User
from safecity.oversight.passwords import Passwords
from safecity.oversight.users import DEMO_USER_MADE, is_name, plain_name
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.errors import Denied, Exhausted, NotFound
from safecity.platform.ids import new_id
from safecity.platform.settings import OversightSettings

TOKEN_BYTES = 32
MAX_CONSOLE_CHARACTERS = 100
MAX_DEMO_LEAVES = 100  # of the newest start there are seven
LAST_SEEN_STEP = timedelta(seconds=60)  # the last use of a session is written at most so often


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A fresh session and the token that opens it; the token exists nowhere else."""

    token: str
    session: Session

    def __repr__(self) -> str:
        return f"SignedIn(token=..., session={self.session.actor.session_id!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Try:
    """A counted attempt, with what was known when it came."""

    attempt_id: int
    name_key: str
    console: str
    user: User | None
    stored_hash: str | None


class Sessions:
    """Opens, finds and ends sessions."""

    def __init__(
        self, database: Database, *, settings: OversightSettings, passwords: Passwords, gate: Gate, clock: Clock
    ) -> None:
        self._database = database
        self._settings = settings
        self._passwords = passwords
        self._gate = gate
        self._clock = clock

    def sign_in(self, user: str, password: str, *, console: str) -> SignedIn:
        """A session for the right name and password; `console` is the address of the browser.

        Raises Denied for a wrong name or password or a disabled user (they are told alike), Exhausted with
        `retry_after_s` after too many failures.
        """
        tried = self._count(plain_name(user), console[:MAX_CONSOLE_CHARACTERS])
        try:
            checked = self._passwords.check(password, tried.stored_hash)
        except Exhausted:
            # It was never compared, so it must not count against the user.
            with self._database.begin() as connection:
                attempts.forget_attempt(connection, tried.attempt_id)
            raise
        with self._database.begin() as connection:
            log.take_turn(connection)
            reason = _why_not(connection, tried, is_right=checked.is_right)
            signed = self._admit(connection, tried, better_hash=checked.better_hash) if not reason else None
            if signed is None:
                self._write_failure(connection, tried, reason=reason)
        if signed is None:
            raise Denied("The name or the password is wrong.", code="oversight.sign_in_failed")
        return signed

    def enter_demo(self, role: Role, *, console: str) -> SignedIn:
        """A session of the demo's user of a role, without a password; whoever serves this keeps strangers out.

        Only for an account that the demo itself made, as the log says; it is named like its role. Raises NotFound.
        """
        console = console[:MAX_CONSOLE_CHARACTERS]
        with self._database.begin() as connection:
            log.take_turn(connection)
            found = store.find_user(connection, role.value)
            user = found[0] if found is not None else None
            is_theirs = user is not None and user.role is role and user.disabled_at is None
            if user is None or not is_theirs or user.id not in _made_by_demo(connection):
                raise NotFound(
                    f"the demo has made no user for the role {role}; start it with `safecity demo`",
                    code="oversight.no_demo_user",
                )
            return self._open(connection, user, console=console, said={"console": console, "method": "demo"})

    def find_session(self, token: str) -> Session | None:
        """The live session of a token; None when there is none."""
        now = self._clock.now()
        with self._database.read() as connection:
            found = store.find_session(connection, _hash_of(token), now=now)
        if found is None:
            return None
        session, last_seen_at = found
        if now - last_seen_at >= LAST_SEEN_STEP:
            with self._database.begin() as connection:
                store.note_use(connection, session.actor.session_id, now=now)
        return session

    def sign_out(self, token: str) -> None:
        """End the session of a token; nothing happens when there is none."""
        now = self._clock.now()
        with self._database.begin() as connection:
            found = store.find_session(connection, _hash_of(token), now=now)
            if found is not None:
                session, _ = found
                store.end_sessions(connection, now=now, session_id=session.actor.session_id)
                self._gate.note(connection, type="sign_out", body={}, actor=session.actor)

    def _count(self, name: str, console: str) -> _Try:
        """Write the attempt down before it is checked, so that many at once cannot slip under the limit."""
        key = attempts.name_key_of(name)
        with self._database.begin() as connection:
            log.take_turn(connection)
            now = self._clock.now()
            attempts.forget_old(connection, before=now - attempts.WINDOW)
            # A name that cannot be one is not looked up, but takes the same way.
            found = store.find_user(connection, name) if is_name(name) else None
            user, stored = found if found is not None else (None, None)
            attempt = attempts.Attempt(name_key=key, console=console, at=now, outcome=attempts.OPEN)
            free_at, is_news = self._wait(connection, attempt, user=user)
            if free_at is None:
                attempt_id = attempts.insert_attempt(connection, attempt)
                return _Try(attempt_id=attempt_id, name_key=key, console=console, user=user, stored_hash=stored)
            if is_news:
                attempts.insert_attempt(connection, replace(attempt, outcome=attempts.LIMITED))
                body = {"user": user.id if user else None, "console": console}
                self._gate.note(connection, type="sign_in_limited", body=body)
        wait_s = max(1, round((free_at - now).total_seconds()))
        message = f"Too many wrong sign-ins; try again in {wait_s} s."
        raise Exhausted(message, code="oversight.sign_in_limited", retry_after_s=wait_s)

    def _wait(
        self, connection: Connection, attempt: attempts.Attempt, *, user: User | None
    ) -> tuple[datetime | None, bool]:
        """When the next attempt may be made, None for now, and whether the log has not been told of it yet."""
        key, console, now = attempt.name_key, attempt.console, attempt.at
        recent = attempts.list_attempts(connection, name_key=key, console=console, since=now - attempts.WINDOW)
        is_own_console = store.has_signed_in_from(
            connection, user.id if user else None, console=console, since=now - attempts.OWN_CONSOLE_AGE
        )
        free_at = attempts.wait_until(
            recent,
            name_key=key,
            console=console,
            is_own_console=is_own_console,
            allowed=self._settings.sign_in_attempts,
        )
        return free_at, not any(item.outcome == attempts.LIMITED for item in recent)

    def _admit(self, connection: Connection, tried: _Try, *, better_hash: str | None) -> SignedIn | None:
        user = tried.user
        if user is None:
            return None
        if better_hash is not None:
            store.change_user(connection, user.id, values={"password_hash": better_hash})
        attempts.forget_failures(connection, name_key=tried.name_key, console=tried.console)
        return self._open(connection, user, console=tried.console, said={"console": tried.console})

    def _open(self, connection: Connection, user: User, *, console: str, said: Mapping[str, object]) -> SignedIn:
        now = self._clock.now()
        token = secrets.token_urlsafe(TOKEN_BYTES)
        actor = Actor(user_id=user.id, name=user.name, role=user.role, session_id=SessionId(new_id("ses")))
        session = Session(
            actor=actor,
            display_name=user.display_name,
            expires_at=now + timedelta(hours=self._settings.session_hours),
            shift=purpose_store.find_shift(connection, user.id, now=now),
        )
        store.insert_session(connection, session, token_hash=_hash_of(token), console=console, now=now)
        self._gate.note(connection, type="sign_in", body=said, actor=actor)
        return SignedIn(token=token, session=session)

    def _write_failure(self, connection: Connection, tried: _Try, *, reason: str) -> None:
        attempts.settle_attempt(connection, tried.attempt_id)
        # The typed name is not written down: it may be a password in the wrong field.
        body = {"user": tried.user.id if tried.user else None, "console": tried.console, "reason": reason}
        self._gate.note(connection, type="sign_in_refused", body=body)


def _made_by_demo(connection: Connection) -> set[str]:
    """The accounts that the demo made or took over lately, by the leaves that it wrote then."""
    leaves = log.list_leaves(connection, before=log.size_of(connection), limit=MAX_DEMO_LEAVES, type=DEMO_USER_MADE)
    return {str(json.loads(leaf.body)["user"]) for leaf in leaves if leaf.body is not None}


def _why_not(connection: Connection, tried: _Try, *, is_right: bool) -> str:
    """Why nobody may sign in by this attempt; empty when they may."""
    if tried.user is None:
        return "unknown_user"
    if not is_right:
        return "wrong_password"
    # The check took a while: look again whether the account is as it was.
    found = store.find_user(connection, tried.user.name)
    if found is None or found[0].disabled_at is not None:
        return "disabled"
    return "" if found[1] == tried.stored_hash else "password_changed"


def _hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()

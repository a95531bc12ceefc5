"""The accounts: made, given passwords and disabled, by the command line or by an administrator."""

import os
import re
import secrets
import unicodedata
from dataclasses import replace

from sqlalchemy.engine import Connection

from safecity.oversight import log, purpose_store, store
from safecity.oversight.gate import Gate, Request
from safecity.oversight.model import Act, Actor, Resource, Role, User, UserId
from safecity.oversight.passwords import Passwords, require_good_password
from safecity.platform.clock import Clock
from safecity.platform.database import Database
from safecity.platform.errors import Conflict, Invalid, NotFound
from safecity.platform.ids import new_id

MAX_TYPED_NAME_CHARACTERS = 256
MAX_DISPLAY_NAME_CHARACTERS = 200
DEMO_USER_MADE = "demo_user_made"
DEMO_PASSWORD_BYTES = 12  # 96 random bits, 16 characters
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")


def plain_name(typed: str) -> str:
    """A sign-in name as it is stored, whatever case or width it was typed in."""
    return unicodedata.normalize("NFKC", typed[:MAX_TYPED_NAME_CHARACTERS]).casefold().strip()


def is_name(plain: str) -> bool:
    """Whether a plain name can be a user's."""
    return _NAME.fullmatch(plain) is not None


class Users:
    """Changes the accounts.

    `by` is the administrator who asks; without one it is the person at the machine's command line, who has the
    database file anyway, and the leaf says so.
    """

    def __init__(self, database: Database, *, passwords: Passwords, gate: Gate, clock: Clock) -> None:
        self._database = database
        self._passwords = passwords
        self._gate = gate
        self._clock = clock

    def create_user(self, name: str, password: str, *, role: Role, display_name: str, by: Actor | None = None) -> User:
        """A new account. Raises Invalid for a bad name or password, Conflict when the name is taken, Denied."""
        user = self._new_user(name, role=role, display_name=display_name)
        require_good_password(password, name=user.name)
        password_hash = self._passwords.hash(password)
        with self._database.begin() as connection:
            log.take_turn(connection)
            self._ask(connection, user.id, by=by)
            if not store.insert_user(connection, user, password_hash=password_hash):
                raise Conflict(f"there is a user {user.name} already; choose another name", code="oversight.name_taken")
            self._note(connection, "user_created", user=user, by=by)
        return user

    def list_users(self, *, by: Actor | None = None) -> list[User]:
        """Every account by name. Raises Denied."""
        if by is not None:
            self._gate.permit(Request(actor=by, act=Act.MANAGE_USERS, resource=Resource.users()))
        with self._database.read() as connection:
            return store.list_users(connection)

    def set_password(self, name: str, password: str, *, by: Actor | None = None) -> None:
        """Give an account a new password and end its sessions. Raises NotFound, Invalid, Denied."""
        require_good_password(password, name=plain_name(name))
        password_hash = self._passwords.hash(password)
        with self._database.begin() as connection:
            log.take_turn(connection)
            user = self._get(connection, name)
            self._ask(connection, user.id, by=by)
            store.change_user(connection, user.id, values={"password_hash": password_hash})
            store.end_sessions(connection, now=self._clock.now(), user_id=user.id)
            self._note(connection, "password_set", user=user, by=by)

    def disable_user(self, name: str, *, by: Actor | None = None) -> None:
        """Let nobody sign in with an account any more; its sessions and its shift end. Raises NotFound, Denied."""
        with self._database.begin() as connection:
            log.take_turn(connection)
            now = self._clock.now()
            user = self._get(connection, name)
            self._ask(connection, user.id, by=by)
            store.change_user(connection, user.id, values={"disabled_at": user.disabled_at or now})
            store.end_sessions(connection, now=now, user_id=user.id)
            for purpose in purpose_store.list_own_purposes(connection, user.id):
                purpose_store.close_purpose(connection, purpose.id, at=now)
            self._note(connection, "user_disabled", user=user, by=by)

    def ensure_demo_user(self, name: str, role: Role, *, display_name: str) -> str:
        """The account of that name with that role and a fresh password, which is returned and stored nowhere else.

        An account that is there is taken over: its sessions end, and it is enabled again.
        """
        user = self._new_user(name, role=role, display_name=display_name)
        password = secrets.token_urlsafe(DEMO_PASSWORD_BYTES)
        password_hash = self._passwords.hash(password)
        with self._database.begin() as connection:
            log.take_turn(connection)
            if not store.insert_user(connection, user, password_hash=password_hash):
                user = replace(user, id=self._get(connection, name).id)
                values = {"role": role.value, "display_name": user.display_name, "disabled_at": None}
                store.change_user(connection, user.id, values={**values, "password_hash": password_hash})
                store.end_sessions(connection, now=self._clock.now(), user_id=user.id)
            self._note(connection, DEMO_USER_MADE, user=user, by=None)
        return password

    def _new_user(self, name: str, *, role: Role, display_name: str) -> User:
        plain = plain_name(name)
        if not is_name(plain):
            raise Invalid(
                "a sign-in name is 2 to 64 of a-z, 0-9, dot, dash and underscore, and starts with a letter or digit; "
                "the display name may be in any script",
                code="oversight.bad_name",
            )
        shown = display_name.strip()
        if not 1 <= len(shown) <= MAX_DISPLAY_NAME_CHARACTERS or not shown.isprintable():
            raise Invalid(
                f"a display name has 1 to {MAX_DISPLAY_NAME_CHARACTERS} printable characters", code="oversight.bad_name"
            )
        return User(id=UserId(new_id("usr")), name=plain, display_name=shown, role=role, created_at=self._clock.now())

    def _ask(self, connection: Connection, user_id: UserId, *, by: Actor | None) -> None:
        if by is not None:
            request = Request(actor=by, act=Act.MANAGE_USERS, resource=Resource.users(user_id))
            self._gate.permit(request, connection=connection)

    def _get(self, connection: Connection, name: str) -> User:
        plain = plain_name(name)
        found = store.find_user(connection, plain) if is_name(plain) else None
        if found is None:
            raise NotFound(f"there is no user {name}; `safecity user list` shows them", code="oversight.no_such_user")
        return found[0]

    def _note(self, connection: Connection, kind: str, *, user: User, by: Actor | None) -> None:
        body: dict[str, object] = {"user": user.id, "name": user.name, "role": user.role.value}
        if by is None:
            body["command_line_uid"] = os.getuid()
        self._gate.note(connection, type=kind, body=body, actor=by)

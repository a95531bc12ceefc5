"""Fresh users for the demo: a new password at every start, written for the owner of the data folder alone.

People come in by the cards at the page's door; the passwords are for programs and for another machine's browser.

Outside the demo no user exists until `safecity user add` makes one.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safecity.oversight.model import Role
from safecity.oversight.service import Oversight
from safecity.platform.files import write_whole

USERS_FILE = "demo-users.json"
DEMO_USERS: tuple[tuple[str, Role, str], ...] = (
    ("operator", Role.OPERATOR, "Operator, desk 1"),
    ("dispatcher", Role.DISPATCHER, "Dispatcher"),
    ("investigator", Role.INVESTIGATOR, "Investigator"),
    ("supervisor", Role.SUPERVISOR, "Shift supervisor"),
    ("auditor", Role.AUDITOR, "Auditor"),
    ("technician", Role.TECHNICIAN, "Technician"),
    ("administrator", Role.ADMINISTRATOR, "Police IT"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One demo user; the password is nowhere else in clear."""

    user: str
    role: Role
    password: str

    def __repr__(self) -> str:
        return f"Credential(user={self.user!r}, role={self.role.value!r}, password=...)"


def make_demo_users(oversight: Oversight) -> list[Credential]:
    """One user a role, each with a fresh password; sessions of an earlier demo end."""
    return [
        Credential(user=name, role=role, password=oversight.ensure_demo_user(name, role, display_name=display_name))
        for name, role, display_name in DEMO_USERS
    ]


def write_credentials(path: Path, credentials: Sequence[Credential], *, page_url: str) -> None:
    """Write the users as JSON for programs that drive the demo; only the owner may read it."""
    users = [{"user": item.user, "role": item.role.value, "password": item.password} for item in credentials]
    write_whole(path, json.dumps({"url": page_url, "users": users}, indent=2).encode(), mode=0o600)

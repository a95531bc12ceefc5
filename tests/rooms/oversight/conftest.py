"""A desk to work at: an empty SQLite database, a virtual clock, cheap passwords, users of every role on request."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from safecity.oversight.log import Leaf, list_leaves, size_of
from safecity.oversight.model import Actor, Role
from safecity.oversight.passwords import Checked, Cost, Passwords
from safecity.oversight.service import Oversight, SignedIn
from safecity.platform.clock import VirtualClock
from safecity.platform.database import Database
from safecity.platform.settings import OversightSettings
from tests.databases import make_sqlite

PASSWORD = "four random words here"
CONSOLE = "10.0.0.7"


class CountingPasswords(Passwords):
    """Real argon2id at the least cost, which remembers what it was asked to compare with."""

    def __init__(self) -> None:
        super().__init__(Cost(passes=1, memory_kib=64, lanes=1))
        self.checks: list[str | None] = []

    def check(self, password: str, stored: str | None) -> Checked:
        self.checks.append(stored)
        return super().check(password, stored)


@dataclass
class Desk:
    """What the tests of this room work with."""

    database: Database
    clock: VirtualClock
    passwords: CountingPasswords
    settings: OversightSettings = field(default_factory=OversightSettings)

    def __post_init__(self) -> None:
        self.oversight = Oversight(self.database, self.settings, self.clock, passwords=self.passwords)

    def sign_in(self, role: Role = Role.OPERATOR, *, name: str | None = None, console: str = CONSOLE) -> SignedIn:
        """A session of a user of that role, who is made when missing."""
        name = name or f"a.{role}"
        if name not in {user.name for user in self.oversight.list_users()}:
            self.oversight.create_user(name, PASSWORD, role=role, display_name="Some One")
        return self.oversight.sign_in(name, PASSWORD, console=console)

    def actor(self, role: Role = Role.OPERATOR, *, on_duty: bool = False) -> Actor:
        """Somebody of that role who is signed in."""
        actor = self.sign_in(role).session.actor
        if on_duty:
            self.oversight.start_shift(actor)
        return actor

    def leaves(self) -> list[Leaf]:
        """The newest leaves, oldest first."""
        with self.database.read() as connection:
            return list_leaves(connection, before=size_of(connection), limit=200)[::-1]

    def types(self) -> list[str]:
        """Their types."""
        return [leaf.type for leaf in self.leaves()]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An empty desk at noon."""
    database = make_sqlite(tmp_path / "safecity.db")
    yield Desk(database, VirtualClock(datetime(2026, 3, 1, 12, tzinfo=UTC)), CountingPasswords())
    database.close()

"""The registry on both databases, with a clock of our own."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from safecity.events import Fact, Stated, read_facts
from safecity.oversight.model import Actor, Role
from safecity.oversight.passwords import Cost, Passwords
from safecity.oversight.service import Oversight
from safecity.platform.clock import VirtualClock
from safecity.platform.database import Database
from safecity.platform.secrets import SecretBox
from safecity.platform.settings import OversightSettings
from safecity.sites.importing import ImportReport
from safecity.sites.service import Sites
from safecity.virtual.quetta import virtual_quetta

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CHEAP = Cost(passes=1, memory_kib=64, lanes=1)
PASSWORD = "correct horse battery 7"


@dataclass(frozen=True, kw_only=True)
class Centre:
    """A running centre, as far as the sites room sees it."""

    database: Database
    clock: VirtualClock
    box: SecretBox
    oversight: Oversight
    sites: Sites

    def import_quetta(self, cameras: int, *, retire_missing: bool = False) -> ImportReport:
        """Import the virtual Quetta with so many cameras."""
        city = virtual_quetta(cameras, "rtsp://10.0.0.1:8554", user="camera", password="Hunter2")
        return self.sites.import_city_document(city, retire_missing=retire_missing)

    def facts(self) -> list[Fact]:
        """Every fact stated so far."""
        with self.database.read() as connection:
            stated = list(read_facts(connection, after=0))
        assert all(isinstance(one, Stated) for one in stated)
        return [one.fact for one in stated if isinstance(one, Stated)]


@pytest.fixture
def centre(database: Database) -> Centre:
    """An empty centre."""
    clock = VirtualClock(START)
    box = SecretBox(os.urandom(32))
    oversight = Oversight(database, OversightSettings(), clock, passwords=Passwords(CHEAP))
    sites = Sites(database, oversight=oversight, clock=clock, box=box)
    return Centre(database=database, clock=clock, box=box, oversight=oversight, sites=sites)


@pytest.fixture
def actor_of(centre: Centre) -> Callable[[Role], Actor]:
    """Somebody of a role, signed in."""

    def make(role: Role) -> Actor:
        name = f"test-{role.value}"
        centre.oversight.create_user(name, PASSWORD, role=role, display_name=name)
        return centre.oversight.sign_in(name, PASSWORD, console="127.0.0.1").session.actor

    return make

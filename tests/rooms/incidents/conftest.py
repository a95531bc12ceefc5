"""A control room on both databases."""

import pytest

from safecity.platform.database import Database
from tests.rooms.incidents.floor import Floor


@pytest.fixture
def floor(database: Database) -> Floor:
    """A small city and nobody on duty but a supervisor."""
    return Floor(database)

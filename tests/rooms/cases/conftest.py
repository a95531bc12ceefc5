"""A centre on both databases."""

import pytest

from safecity.platform.database import Database
from tests.response import Centre


@pytest.fixture
def centre(database: Database) -> Centre:
    """A small city with people, no units yet."""
    return Centre(database)
